from dataclasses import replace
from io import BytesIO
from typing import Any

import jpeg_builder as jpg
import numpy as np
import pictures
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile, JpegImagePlugin
from strategies import boxes_in

from cropkit import errors, formats
from cropkit.formats import jpeg, jpeg_blocks, jpeg_segments
from cropkit.geometry import PixelBox, Size

NAME = "picture.jpg"
BOX = PixelBox(13, 7, 141, 103)
CODINGS: list[dict[str, Any]] = [
    {"quality": 100, "subsampling": "4:4:4"},
    {"quality": 95, "subsampling": "4:2:2"},
    {"quality": 90, "subsampling": "4:2:0"},
    {"quality": 75, "progressive": True},
    {"quality": 85, "optimize": True},
    {"quality": 60, "restart_marker_blocks": 3},
    {"quality": 20},
    {"qtables": [[3] * 64, [7] * 64, [300] * 64]},
]


def cropped(data: bytes, box: PixelBox = BOX) -> formats.Candidate:
    candidate = formats.crop(data, NAME, box)
    formats.verify(candidate.data, candidate, NAME)
    return candidate


def opened(data: bytes) -> Any:
    return Image.open(BytesIO(data))


def psnr(found: Image.Image, meant: Image.Image) -> float:
    off = np.asarray(found, np.float64) - np.asarray(meant, np.float64)
    return float(10 * np.log10(255**2 / max(np.square(off).mean(), 1e-9)))


@pytest.mark.parametrize("options", CODINGS, ids=str)
def test_tables_sampling_and_scans_are_those_of_the_source(options: dict[str, Any]) -> None:
    before = pictures.encoded(pictures.photo(160, 120), "JPEG", **options)
    source, found = opened(before), opened(cropped(before).data)
    assert found.size == (128, 96)
    assert found.quantization == source.quantization
    assert JpegImagePlugin.get_sampling(found) == JpegImagePlugin.get_sampling(source)
    assert ("progressive" in found.info) is ("progressive" in source.info)
    restarts = [[d for m, d in jpg.header(f) if m == 0xDD] for f in (before, cropped(before).data)]
    assert restarts[0] == restarts[1]


@pytest.mark.parametrize("options", CODINGS[:3], ids=str)
def test_pixels_stay_close_to_those_inside_the_box(options: dict[str, Any]) -> None:
    before = pictures.encoded(pictures.photo(160, 120), "JPEG", **options)
    found = opened(cropped(before).data)
    assert psnr(found, opened(before).crop(BOX.xyxy)) > 38


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_components_are_kept(mode: str) -> None:
    before = pictures.encoded(pictures.photo(160, 120).convert(mode), "JPEG", quality=95)
    found = opened(cropped(before).data)
    assert found.mode == mode
    assert psnr(found, opened(before).crop(BOX.xyxy)) > 36


def test_pixels_stored_as_rgb_stay_rgb() -> None:
    before = pictures.encoded(pictures.photo(160, 120), "JPEG", quality=95, keep_rgb=True)
    candidate = cropped(before)
    assert [c.id for c in jpeg_segments.parse(candidate.data, NAME).components] == list(b"RGB")
    assert psnr(opened(candidate.data), opened(before).crop(BOX.xyxy)) > 38


def test_inverted_ink_with_luminance_is_written_as_plain_ink_and_said() -> None:
    """A YCCK file, made of a CMYK one by its Adobe segment: Pillow writes only CMYK."""
    made = pictures.encoded(pictures.photo(160, 120).convert("CMYK"), "JPEG", quality=95)
    adobe = b"Adobe\0\x64\0\0\0\0"
    before = made.replace(adobe + b"\0", adobe + b"\2", 1)
    candidate = cropped(before)
    assert adobe + b"\0" in candidate.data
    assert psnr(opened(candidate.data), opened(before).crop(BOX.xyxy)) > 30
    assert "APP14 Adobe" in candidate.patched


def test_sampling_that_cannot_be_written_becomes_finer_and_is_said() -> None:
    before = bytearray(pictures.encoded(pictures.photo(160, 120), "JPEG", subsampling="4:2:2"))
    frame = before.index(b"\xff\xc0\x00\x11\x08")
    assert before[frame + 11] == 0x21
    before[frame + 11] = 0x12
    candidate = cropped(bytes(before))
    assert candidate.patched == ("sampling: every component at full resolution",)
    assert JpegImagePlugin.get_sampling(opened(candidate.data)) == 0


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_box_is_upright_under_every_orientation(orientation: int) -> None:
    exif = pictures.exif_bytes(orientation=orientation)
    before = pictures.encoded(pictures.photo(160, 120), "JPEG", exif=exif, quality=95)
    shown = _upright(opened(before), orientation)
    header = formats.read_header(before, NAME)
    assert (header.size.width, header.size.height) == shown.size
    box = PixelBox(9, 21, 90, 111)
    candidate = cropped(before, box)
    after = opened(candidate.data)
    assert after.getexif()[0x0112] == orientation
    assert psnr(_upright(after, orientation), shown.crop(box.xyxy)) > 38
    assert candidate.box_applied == box


def _upright(picture: Image.Image, orientation: int) -> Image.Image:
    turns = [None, *(Image.Transpose(n) for n in (0, 3, 1, 5, 4, 6, 2))]
    turn = turns[orientation - 1]
    return picture if turn is None else picture.transpose(turn)


@settings(max_examples=40)
@given(data=st.data(), options=st.sampled_from(CODINGS[:6]))
def test_any_box_verifies(data: st.DataObject, options: dict[str, Any]) -> None:
    size = Size(data.draw(st.integers(1, 70)), data.draw(st.integers(1, 50)))
    source = pictures.photo(size.width, size.height, seed=size.area)
    box = data.draw(boxes_in(size))
    before = pictures.encoded(source, "JPEG", **options)
    found = opened(cropped(before, box).data)
    assert found.size == (box.size.width, box.size.height)


@settings(max_examples=25)
@given(seed=st.integers(0, 999), options=st.sampled_from(CODINGS))
def test_noise_and_hard_edges_stay_within_the_limit(seed: int, options: dict[str, Any]) -> None:
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 256, (60, 80, 3), dtype=np.uint8)
    noise[:, seed % 80 :] = rng.integers(0, 2, (60, 80 - seed % 80, 3), dtype=np.uint8) * 255
    cropped(pictures.encoded(Image.fromarray(noise), "JPEG", **options), PixelBox(3, 5, 70, 50))


def test_noise_that_outgrows_the_encoders_buffer_is_written_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (700, 700, 3), dtype=np.uint8)
    options = {"quality": 100, "subsampling": "4:4:4"}
    monkeypatch.setattr(ImageFile, "MAXBLOCK", 1 << 24)
    before = pictures.encoded(Image.fromarray(noise), "JPEG", progressive=True, **options)
    monkeypatch.setattr(ImageFile, "MAXBLOCK", 1 << 16)
    candidate = cropped(before, PixelBox(1, 1, 699, 699))
    assert opened(candidate.data).info["progressive"]


BEFORE = pictures.encoded(pictures.photo(160, 120), "JPEG", quality=90, comment=b"hello")


def test_a_crop_that_is_off_by_one_pixel_does_not_verify() -> None:
    meant = formats.crop(BEFORE, NAME, BOX)
    shifted = formats.crop(BEFORE, NAME, PixelBox(14, 7, 142, 103))
    with pytest.raises(errors.VerificationFailed, match="pixels"):
        formats.verify(shifted.data, meant, NAME)


def test_the_limit_alone_notices_one_pixel_and_one_wrong_block() -> None:
    meant = formats.crop(BEFORE, NAME, BOX)
    proof = meant.proof
    assert isinstance(proof, jpeg.Proof)
    found = jpeg.planes(jpeg.decode(jpeg_segments.parse(meant.data, NAME), "YCbCr"))
    limits = proof.coding.tables, proof.coding.sampling
    assert jpeg_blocks.excess(found, proof.planes, *limits) < 1
    right = [plane[:, 1:] for plane in found]
    left = [plane[:, :-1] for plane in proof.planes]
    assert jpeg_blocks.excess(right, left, *limits) > 1
    for at, off in ((0, 9), (1, 64)):
        wrong = [plane.copy() for plane in found]
        wrong[at][48:64, 64:80] ^= off
        assert jpeg_blocks.excess(wrong, proof.planes, *limits) > 1


def _believing(meant: formats.Candidate, written: bytes) -> formats.Candidate:
    """Return the candidate as if it had meant these coded bytes, so that only decoding can tell."""
    proof = meant.proof
    assert isinstance(proof, jpeg.Proof)
    coded = jpeg_segments.parse(written, NAME).coded
    return replace(meant, proof=replace(proof, coded=coded))


def test_decoding_alone_notices_other_pixels() -> None:
    meant = formats.crop(BEFORE, NAME, BOX)
    written = formats.crop(BEFORE, NAME, PixelBox(14, 7, 142, 103)).data
    with pytest.raises(errors.VerificationFailed, match="times what rounding allows"):
        formats.verify(written, _believing(meant, written), NAME)


@pytest.mark.parametrize(
    "other", [{"quality": 91}, {"subsampling": "4:4:4"}, {"progressive": True}]
)
def test_other_tables_sampling_or_scans_do_not_verify(other: dict[str, Any]) -> None:
    meant = formats.crop(BEFORE, NAME, BOX)
    options = {"quality": 90, "comment": b"hello"} | other
    source = pictures.encoded(pictures.photo(160, 120), "JPEG", **options)
    written = formats.crop(source, NAME, BOX).data
    with pytest.raises(errors.VerificationFailed, match="tables or sampling"):
        formats.verify(written, _believing(meant, written), NAME)


def test_codes_made_to_measure_are_made_to_measure_again() -> None:
    sources = [pictures.encoded(pictures.photo(160, 120), "JPEG", optimize=o) for o in (0, 1)]
    typical, measured = (jpeg_segments.parse(cropped(s).data, NAME).codes for s in sources)
    assert typical != measured
    assert typical == jpeg_segments.parse(sources[0], NAME).codes


def test_a_segment_that_is_gone_does_not_verify() -> None:
    meant = formats.crop(BEFORE, NAME, BOX)
    written = meant.data.replace(jpg.segment(0xFE, b"hello"), b"")
    assert written != meant.data
    with pytest.raises(errors.VerificationFailed, match="segments"):
        formats.verify(written, meant, NAME)


@given(st.data())
def test_any_flipped_bit_does_not_verify(data: st.DataObject) -> None:
    meant = formats.crop(BEFORE, NAME, BOX)
    written = bytearray(meant.data)
    written[data.draw(st.integers(0, len(written) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(errors.VerificationFailed):
        formats.verify(bytes(written), meant, NAME)


XMP = b"http://ns.adobe.com/xap/1.0/\0"
KEPT = [
    (0xE0, b"JFIF\0\1\1\1\0\x48\0\x48\0\0"),
    (0xE1, XMP + pictures.xmp_packet()),
    (0xE1, b"http://ns.adobe.com/xmp/extension/\0" + bytes(40)),
    (0xE2, b"ICC_PROFILE\0\1\1" + pictures.icc_profile()),
    (0xE3, b"META\0\0something"),
    (0xEC, b"Ducky\0\1\0\4\0\0\0\x3c\0\0"),
    (0xED, b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0\0\0\0\x05\x1c\x02\x78\0\0\0"),
    (0xFE, b"a comment"),
    (0xFE, b"and another \xff\xd8\xff\xd9"),
]


def test_every_other_segment_is_byte_equal_and_in_order() -> None:
    candidate = cropped(jpg.build(KEPT))
    assert jpg.metadata(candidate.data) == KEPT
    assert candidate.kept[:2] == ("APP0 JFIF", "APP1 XMP")
    assert len(candidate.kept) == len(KEPT)
    assert not candidate.dropped
    assert not candidate.patched


def test_thumbnails_of_the_whole_scene_are_cut_out() -> None:
    parts = [
        (0xE0, b"JFIF\0\1\1\1\0\x48\0\x48\2\1" + b"sceneX"),
        (0xE0, b"JFXX\0\x10" + b"scene"),
        (0xED, b"Photoshop 3.0\0" + _resource(0x040C, b"scene") + _resource(0x0404, b"text")),
        (0xED, b"Photoshop 3.0\0" + _resource(0x0409, b"scene") + _resource(0x07D1, b"scene")),
    ]
    candidate = cropped(jpg.build(parts))
    assert b"scene" not in candidate.data
    assert jpg.metadata(candidate.data) == [
        (0xE0, b"JFIF\0\1\1\1\0\x48\0\x48\0\0"),
        (0xED, b"Photoshop 3.0\0" + _resource(0x0404, b"text")),
        (0xED, b"Photoshop 3.0\0"),
    ]
    assert [item for item, _ in candidate.dropped] == [
        "JFIF thumbnail",
        "JFXX thumbnail",
        "APP13 Photoshop thumbnail",
        "APP13 Photoshop path",
    ]


def _resource(number: int, data: bytes) -> bytes:
    padded = data + bytes(len(data) % 2)
    return b"8BIM" + number.to_bytes(2) + b"\0\0" + len(data).to_bytes(4) + padded


PLAIN = jpg.build()
MPF = b"MPF\0MM\0*\0\0\0\x08\0\1\xb0\1\0\4\0\0\0\1\0\0\0"
REFUSED = [
    ("Provenance", jpg.build([(0xEB, b"JP\0\1\0\0\0\1....jumbc2pa")])),
    ("GainMap", jpg.build([(0xEB, b"JP\0\1\0\0\0\1....RESI")])),
    ("GainMap", jpg.build([(0xE1, b"FLIR\0\1\0\0")])),
    ("GainMap", jpg.build([(0xE1, XMP + b'<x hdrgm:Version="1.0"/>')]) + PLAIN),
    ("GainMap", jpg.build([(0xE1, XMP + b"<x GDepth:Data='iVBO'/>")])),
    ("MultiPage", jpg.build([(0xE2, MPF + b"\2")])),
    ("MultiPage", PLAIN + PLAIN),
    ("MultiPage", PLAIN + b"\0\0\0\x18ftypmp42"),
    ("Truncated", PLAIN[:-2]),
    ("Truncated", PLAIN[:3000]),
    ("Truncated", PLAIN[:100]),
    ("Truncated", PLAIN[:2]),
    ("CorruptImage", PLAIN[:20] + b"oops" + PLAIN[20:]),
    ("UnsupportedDepth", PLAIN.replace(b"\xff\xc0\0\x11\x08", b"\xff\xc0\0\x11\x0c")),
    ("UnsupportedDepth", PLAIN.replace(b"\xff\xc0\0\x11", b"\xff\xc3\0\x11")),
    ("UnsupportedDepth", PLAIN.replace(b"\xff\xc0\0\x11", b"\xff\xc9\0\x11")),
]


@pytest.mark.parametrize(("code", "data"), REFUSED)
def test_what_cannot_be_cropped_faithfully_is_refused_by_code_and_name(
    code: str, data: bytes
) -> None:
    with pytest.raises(errors.Refused, match=NAME) as caught:
        formats.crop(data, NAME, PixelBox(0, 0, 20, 20))
    assert caught.value.code == code


def test_an_index_of_a_single_image_is_dropped_with_its_reason() -> None:
    candidate = cropped(jpg.build([(0xE2, MPF + b"\1")]))
    assert [item for item, _ in candidate.dropped] == ["MPF index"]


def test_bytes_after_the_end_without_a_picture_are_kept() -> None:
    candidate = cropped(PLAIN + b"SEFH some words SEFT")
    assert candidate.data.endswith(b"\xff\xd9SEFH some words SEFT")
    assert "20 bytes after the end" in candidate.kept
