import struct
from io import BytesIO
from typing import Any

import jpeg_builder as jpg
import numpy as np
import pictures
import pytest
import riff_builder as riff
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps
from strategies import boxes_in

from cropkit import errors, formats
from cropkit.formats import webp
from cropkit.formats.webp import vp8
from cropkit.geometry import PixelBox, Size

NAME = "picture.webp"
BOX = PixelBox(5, 3, 47, 41)
PHOTO = pictures.photo(64, 48)
ANNOUNCED = riff.ICC | riff.EXIF | riff.XMP


def with_alpha(photo: Image.Image, seed: int = 0) -> Image.Image:
    """Alpha of any value, and colours that go on where it is 0."""
    alpha = np.random.default_rng(seed).integers(0, 256, (photo.height, photo.width), np.uint8)
    alpha[: photo.height // 2] = 0
    photo = photo.copy()
    photo.putalpha(Image.fromarray(alpha))
    return photo


def tiles(width: int, height: int) -> Image.Image:
    """Flat tiles of any colour: contrast as a photograph has it, of which a shift shows."""
    small = np.random.default_rng(2).integers(40, 200, (height // 5, width // 5, 3), np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.NEAREST)


def cropped(data: bytes, box: PixelBox = BOX) -> formats.Candidate:
    candidate = formats.crop(data, NAME, box)
    return formats.verify(candidate.data, candidate, NAME)


def decoded(data: bytes) -> np.ndarray[Any, Any]:
    """Pillow's libwebp decodes; the code under test has another one decode."""
    return np.asarray(Image.open(BytesIO(data)))


def quality(data: bytes) -> float:
    return vp8.quantisers(dict(riff.chunks(data))[b"VP8 "]).quality


@settings(max_examples=40)
@given(data=st.data(), mode=st.sampled_from(["RGB", "RGBA", "opaque", "palette"]))
def test_any_box_of_a_lossless_image_holds_exactly_its_pixels(
    data: st.DataObject, mode: str
) -> None:
    size = Size(data.draw(st.integers(1, 40)), data.draw(st.integers(1, 30)))
    box = data.draw(boxes_in(size))
    photo = pictures.photo(size.width, size.height)
    made = {"RGB": photo, "RGBA": with_alpha(photo), "opaque": photo.convert("RGBA")}
    source = made.get(mode) or photo.quantize(16).convert("RGB")
    coded = pictures.encoded(source, "WEBP", lossless=True, exact=True)
    found = decoded(cropped(coded, box).data)
    assert np.array_equal(found, decoded(coded)[box.top : box.bottom, box.left : box.right])
    assert b"VP8L" in dict(riff.chunks(cropped(coded, box).data))


def test_colours_under_full_transparency_are_kept() -> None:
    source = with_alpha(PHOTO)
    coded = pictures.encoded(source, "WEBP", lossless=True, exact=True)
    found = decoded(cropped(coded).data)
    assert not found[0, 0, 3]
    assert np.array_equal(found, np.asarray(source)[3:41, 5:47])


def test_a_transparent_image_whose_crop_is_opaque_still_has_its_alpha() -> None:
    source = PHOTO.convert("RGBA")
    source.putpixel((0, 0), (1, 2, 3, 4))
    for options in ({"lossless": True, "exact": True}, {"quality": 80}):
        found = decoded(cropped(pictures.encoded(source, "WEBP", **options)).data)
        assert found.shape == (38, 42, 4)
        assert (found[..., 3] == 255).all()


@pytest.mark.parametrize("asked", [1, 20, 50, 75, 80, 90, 95, 99])
@pytest.mark.parametrize("method", [0, 4, 6])
def test_the_quality_that_libwebp_was_asked_for_is_found_again(asked: int, method: int) -> None:
    photo = pictures.photo(300, 200)
    assert abs(quality(pictures.encoded(photo, "WEBP", quality=asked, method=method)) - asked) < 3.5


def test_the_finest_quantisers_are_quality_100() -> None:
    assert quality(pictures.encoded(PHOTO, "WEBP", quality=100)) == 100


@pytest.mark.parametrize("asked", [5, 40, 80, 97, 100])
def test_a_lossy_crop_has_the_quality_of_its_source(asked: int) -> None:
    coded = pictures.encoded(pictures.photo(300, 200), "WEBP", quality=asked)
    candidate = cropped(coded, PixelBox(31, 17, 291, 187))
    assert abs(quality(candidate.data) - quality(coded)) < 3
    assert candidate.patched == (f"pixels: coded anew at quality {quality(coded):.0f}",)


def test_the_loss_that_is_told_is_that_of_the_written_file() -> None:
    coded = pictures.encoded(PHOTO, "WEBP", quality=60)
    candidate = cropped(coded)
    apart = decoded(candidate.data).astype(float) - decoded(coded)[3:41, 5:47]
    told = 10 * np.log10(255**2 / np.square(apart).mean())
    assert candidate.psnr == pytest.approx(told, abs=0.006)
    assert cropped(pictures.encoded(PHOTO, "WEBP", lossless=True)).psnr is None


def test_alpha_beside_lossy_colours_is_exact() -> None:
    coded = pictures.encoded(with_alpha(PHOTO), "WEBP", quality=60, alpha_quality=100)
    found = decoded(cropped(coded).data)
    assert np.array_equal(found[..., 3], decoded(coded)[3:41, 5:47, 3])


def announced(**options: Any) -> list[riff.Chunk]:
    """Every chunk there is, and three that nobody knows."""
    exif = jpg.tiff(jpg.long(0x0100, 64), jpg.long(0x0101, 48), thumbnail=b"\xff\xd8 tiny \xff\xd9")
    xmp = b"<x:xmpmeta tiff:ImageWidth='64' tiff:ImageLength='48'/>"
    return [
        riff.canvas(64, 48, ANNOUNCED),
        (b"ICCP", pictures.icc_profile()),
        (b"odd ", b"three"),
        *riff.pixels(PHOTO, **options),
        (b"EXIF", exif),
        (b"LIST", b"INFOISFT\x04\0\0\0me\0\0"),
        (b"XMP ", xmp),
        (b"\xff\0zZ", bytes(range(256))),
    ]


@pytest.mark.parametrize("lossless", [True, False])
def test_every_chunk_is_carried_in_its_place(lossless: bool) -> None:  # noqa: FBT001  (a parameter of the test)
    before = announced(lossless=lossless)
    candidate = cropped(riff.assembled(before))
    after = list(riff.chunks(candidate.data))
    assert [kind for kind, _ in after] == [kind for kind, _ in before]
    changed = [kind for (kind, old), (_, new) in zip(before, after, strict=True) if old != new]
    coded = b"VP8L" if lossless else b"VP8 "
    assert changed == [b"VP8X", coded, b"EXIF", b"XMP "]
    told = dict(after)
    assert told[b"VP8X"] == riff.canvas(42, 38, ANNOUNCED)[1]
    assert told[b"XMP "] == b"<x:xmpmeta tiff:ImageWidth='42' tiff:ImageLength='38'/>"
    assert b"tiny" not in told[b"EXIF"]
    assert Image.open(BytesIO(candidate.data)).getexif()[0x0100] == 42
    assert [item for item, _ in candidate.dropped] == ["EXIF thumbnail"]
    assert {"ICCP", "odd", "LIST"} <= set(candidate.kept)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_upright_box_is_cut_from_an_image_stored_any_way(orientation: int) -> None:
    exif = pictures.exif_bytes(orientation=orientation)
    coded = pictures.encoded(PHOTO, "WEBP", lossless=True, exif=exif)
    upright = ImageOps.exif_transpose(Image.open(BytesIO(coded)))
    assert formats.read_header(coded, NAME).size == Size(*upright.size)
    box = PixelBox(7, 3, 40, 31)
    after = Image.open(BytesIO(cropped(coded, box).data))
    assert after.getexif()[0x0112] == orientation
    assert ImageOps.exif_transpose(after).tobytes() == upright.crop(box.xyxy).tobytes()


def test_exif_that_the_canvas_does_not_announce_turns_nothing() -> None:
    exif = pictures.exif_bytes(orientation=6)
    parts = [riff.canvas(64, 48, 0), *riff.pixels(PHOTO, lossless=True), (b"EXIF", exif)]
    assert formats.read_header(riff.assembled(parts), NAME).orientation == 1
    assert formats.read_header(riff.assembled(parts[1:]), NAME).orientation == 1
    after = cropped(riff.assembled(parts)).data
    assert np.array_equal(decoded(after), np.asarray(PHOTO)[3:41, 5:47])


def test_hints_in_the_pixels_are_carried() -> None:
    (_, frame), *_ = riff.pixels(PHOTO)
    scaled = bytearray(frame)
    scaled[7] |= 0x40
    scaled[9] |= 0xC0
    after = dict(riff.chunks(cropped(riff.assembled([(b"VP8 ", bytes(scaled))])).data))[b"VP8 "]
    assert (after[7] & 0xC0, after[9] & 0xC0) == (0x40, 0xC0)
    assert struct.unpack("<HH", after[6:10]) == (42 | 0x4000, 38 | 0xC000)


def test_padding_after_the_end_is_kept() -> None:
    data = riff.assembled(riff.pixels(PHOTO), b"\0\0\r\n")
    assert cropped(data).data.endswith(b"\0\0\r\n")


ANIMATED = pictures.encoded(PHOTO, "WEBP", save_all=True, append_images=[PHOTO.rotate(180)])
HUGE = struct.pack("<3s3sHH", b"\x10\x00\x00", b"\x9d\x01\x2a", 0x3FFF, 0x3FFF) + bytes(30)
LOSSY = riff.pixels(PHOTO)
REFUSED = {
    "AnimatedImage": ANIMATED,
    "Provenance": riff.assembled([*LOSSY, (b"C2PA", b"signed")]),
    "MultiPage": riff.assembled([*LOSSY, *LOSSY]),
    "GainMap": riff.assembled(
        [riff.canvas(64, 48, riff.ICC), (b"ICCP", pictures.encoded(PHOTO, "JPEG")), *LOSSY]
    ),
    "TrailingData": riff.assembled(LOSSY, b"another picture"),
    "TooLarge": riff.assembled([(b"VP8 ", HUGE)]),
    "CorruptImage": riff.assembled([riff.canvas(64, 49, 0), *LOSSY]),
}


@pytest.mark.parametrize("code", REFUSED)
def test_what_cannot_be_cropped_faithfully_is_refused_by_name(code: str) -> None:
    with pytest.raises(getattr(errors, code), match=NAME):
        formats.read_header(REFUSED[code], NAME)


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [(b"ICCP", b"no pixels")],
        [(b"VP8X", b"short"), *LOSSY],
        [(b"VP8 ", b"")],
        [(b"VP8L", b"\x2f\0")],
        [(b"VP8 ", b"\x11" + LOSSY[0][1][1:])],
        [(b"VP8L", b"\x2e" + bytes(40))],
        [(b"VP8 ", LOSSY[0][1][:6] + bytes(4) + LOSSY[0][1][10:])],
    ],
)
def test_pixels_without_a_sound_header_are_damage(parts: list[riff.Chunk]) -> None:
    with pytest.raises(errors.CorruptImage, match=NAME):
        formats.read_header(riff.assembled(parts), NAME)


def test_a_file_cut_off_anywhere_is_refused() -> None:
    data = riff.assembled(announced(lossless=True))
    for end in [*range(1, 60), *range(60, len(data), 211)]:
        with pytest.raises(errors.Refused, match=NAME):
            formats.crop(data[:end], NAME, BOX)


def test_pixels_that_do_not_decode_are_refused() -> None:
    frame = LOSSY[0][1]
    for damaged in (frame[:40], frame[:10] + bytes(20), frame[:-50]):
        with pytest.raises(errors.UnreadableImage, match=NAME):
            formats.crop(riff.assembled([(b"VP8 ", damaged)]), NAME, BOX)


@pytest.mark.parametrize("lossless", [True, False])
def test_other_pixels_than_those_meant_do_not_verify(lossless: bool) -> None:  # noqa: FBT001  (a parameter of the test)
    coded = pictures.encoded(tiles(160, 120), "WEBP", lossless=lossless, quality=80)
    candidate = formats.crop(coded, NAME, PixelBox(20, 20, 140, 100))
    proof = candidate.proof
    assert isinstance(proof, webp.Proof)
    whole = decoded(coded)
    for wrong in (
        whole[21:101, 20:140],
        whole[20:100, 21:141],
        whole[20:100, 20:140, ::-1],
        whole[20:100, 139:19:-1],
        whole[20:99, 20:140],
        whole[20:100, 20:140] // 2,
    ):
        meant = webp.Proof(proof.chunks, proof.trailer, np.ascontiguousarray(wrong))
        with pytest.raises(errors.VerificationFailed, match=NAME):
            webp.verify(candidate.data, meant, NAME)


def test_slivers_at_the_edges_verify_at_the_finest_quality() -> None:
    vivid = np.random.default_rng(3).integers(0, 2, (40, 60, 3), np.uint8) * 255
    source = Image.fromarray(vivid).resize((180, 120), Image.Resampling.NEAREST)
    coded = pictures.encoded(source, "WEBP", quality=100)
    for width in range(1, 35):
        cropped(coded, PixelBox(8, 7, 8 + width, 7 + 17))


def test_another_alpha_than_that_meant_does_not_verify() -> None:
    candidate = formats.crop(pictures.encoded(with_alpha(PHOTO), "WEBP"), NAME, BOX)
    proof = candidate.proof
    assert isinstance(proof, webp.Proof)
    wrong = proof.pixels.copy()
    wrong[9, 9, 3] ^= 1
    with pytest.raises(errors.VerificationFailed, match=NAME):
        webp.verify(candidate.data, webp.Proof(proof.chunks, proof.trailer, wrong), NAME)


def test_a_byte_that_changed_anywhere_does_not_verify() -> None:
    candidate = formats.crop(riff.assembled(announced(lossless=False)), NAME, BOX)
    for at in range(0, len(candidate.data), 97):
        damaged = bytearray(candidate.data)
        damaged[at] ^= 1
        with pytest.raises(errors.VerificationFailed, match=NAME):
            formats.verify(bytes(damaged), candidate, NAME)
