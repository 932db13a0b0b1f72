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
from cropkit.formats.jpeg import (
    blocks,
    pixels,
    reencode,
    segments,
)
from cropkit.formats.options import Jpeg, Options
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


EXACT = Options(jpeg=Jpeg.EXACT)


def crop(data: bytes, box: PixelBox = BOX) -> formats.Candidate:
    return formats.crop(data, NAME, box, EXACT)


def cropped(data: bytes, box: PixelBox = BOX) -> formats.Candidate:
    candidate = crop(data, box)
    formats.verify(candidate.data, candidate, NAME)
    return candidate


def opened(data: bytes) -> Any:
    return Image.open(BytesIO(data))


def psnr(found: Any, meant: Any) -> float:
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


def test_the_result_tells_the_loss() -> None:
    candidate = cropped(BEFORE)
    pair = [segments.parse(data, NAME) for data in (candidate.data, BEFORE)]
    bands = [np.asarray(pixels.decode(each, "YCbCr")) for each in pair]
    inside = bands[1][BOX.top : BOX.bottom, BOX.left : BOX.right]
    assert candidate.psnr is not None
    assert candidate.psnr == pytest.approx(psnr(bands[0], inside), abs=0.01)


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_components_are_kept(mode: str) -> None:
    before = pictures.encoded(pictures.photo(160, 120).convert(mode), "JPEG", quality=95)
    found = opened(cropped(before).data)
    assert found.mode == mode
    assert psnr(found, opened(before).crop(BOX.xyxy)) > 36


def test_pixels_stored_as_rgb_stay_rgb() -> None:
    before = pictures.encoded(pictures.photo(160, 120), "JPEG", quality=95, keep_rgb=True)
    candidate = cropped(before)
    assert [c.id for c in segments.parse(candidate.data, NAME).components] == list(b"RGB")
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
    meant = crop(BEFORE)
    shifted = crop(BEFORE, PixelBox(14, 7, 142, 103))
    with pytest.raises(errors.VerificationFailed, match="pixels"):
        formats.verify(shifted.data, meant, NAME)


def test_the_limit_alone_notices_one_pixel_and_one_wrong_block() -> None:
    meant = crop(BEFORE)
    proof = meant.proof
    assert isinstance(proof, reencode.Proof)
    found = pixels.planes(pixels.decode(segments.parse(meant.data, NAME), "YCbCr"))
    limits = proof.coding.tables, proof.coding.sampling
    assert blocks.excess(found, proof.planes, *limits) < 1
    right = [plane[:, 1:] for plane in found]
    left = [plane[:, :-1] for plane in proof.planes]
    assert blocks.excess(right, left, *limits) > 1
    for at, off in ((0, 9), (1, 64)):
        wrong = [plane.copy() for plane in found]
        wrong[at][48:64, 64:80] ^= off
        assert blocks.excess(wrong, proof.planes, *limits) > 1


def _believing(meant: formats.Candidate, written: bytes) -> formats.Candidate:
    """Return the candidate as if it had meant these coded bytes, so that only decoding can tell."""
    proof = meant.proof
    assert isinstance(proof, reencode.Proof)
    coded = segments.parse(written, NAME).coded
    return replace(meant, proof=replace(proof, coded=coded))


def test_decoding_alone_notices_other_pixels() -> None:
    meant = crop(BEFORE)
    written = crop(BEFORE, PixelBox(14, 7, 142, 103)).data
    with pytest.raises(errors.VerificationFailed, match="times what rounding allows"):
        formats.verify(written, _believing(meant, written), NAME)


@pytest.mark.parametrize(
    "other", [{"quality": 91}, {"subsampling": "4:4:4"}, {"progressive": True}]
)
def test_other_tables_sampling_or_scans_do_not_verify(other: dict[str, Any]) -> None:
    meant = crop(BEFORE)
    options = {"quality": 90, "comment": b"hello"} | other
    source = pictures.encoded(pictures.photo(160, 120), "JPEG", **options)
    written = crop(source).data
    with pytest.raises(errors.VerificationFailed, match="tables or sampling"):
        formats.verify(written, _believing(meant, written), NAME)


def test_a_step_of_0_in_a_table_is_one_of_1() -> None:
    data = pictures.encoded(pictures.photo(64, 48), "JPEG", quality=90)
    at = data.index(b"\xff\xdb") + 5
    candidate = formats.crop(
        data[:at] + b"\0" + data[at + 1 :],
        "a.jpg",
        PixelBox(5, 5, 50, 40),
        Options(jpeg=Jpeg.EXACT),
    )
    formats.verify(candidate.data, candidate, "a.jpg")
    assert any("steps of 0" in item for item in candidate.patched)


def test_codes_made_to_measure_are_made_to_measure_again() -> None:
    sources = [pictures.encoded(pictures.photo(160, 120), "JPEG", optimize=o) for o in (0, 1)]
    typical, measured = (segments.parse(cropped(s).data, NAME).codes for s in sources)
    assert typical != measured
    assert typical == segments.parse(sources[0], NAME).codes


def test_a_segment_that_is_gone_does_not_verify() -> None:
    meant = crop(BEFORE)
    written = meant.data.replace(jpg.segment(0xFE, b"hello"), b"")
    assert written != meant.data
    with pytest.raises(errors.VerificationFailed, match="segments"):
        formats.verify(written, meant, NAME)


@given(st.data())
def test_any_flipped_bit_does_not_verify(data: st.DataObject) -> None:
    meant = crop(BEFORE)
    written = bytearray(meant.data)
    written[data.draw(st.integers(0, len(written) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(errors.VerificationFailed):
        formats.verify(bytes(written), meant, NAME)
