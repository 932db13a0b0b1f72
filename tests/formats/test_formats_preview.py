from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import jpeg_builder as jpg
import numpy as np
import pictures
import png_builder as png
import pytest
from PIL import Image, ImageCms

from cropkit import errors, formats
from cropkit.formats.preview import preview
from cropkit.geometry import Size

FIT = Size(64, 64)


def shown(data: bytes, name: str, fit: Size = FIT) -> Image.Image:
    picture = Image.open(BytesIO(preview(data, name, fit)))
    assert (picture.format, picture.mode) == ("JPEG", "RGB")
    assert not {"exif", "icc_profile"} & picture.info.keys()
    return picture


def near(found: Image.Image, meant: Image.Image, most: float = 6) -> bool:
    off = np.asarray(found, np.float32) - np.asarray(meant.convert("RGB"), np.float32)
    return float(np.abs(off).mean()) < most


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_preview_is_upright_and_fits(orientation: int, kind: str) -> None:
    exif = pictures.exif_bytes(orientation=orientation)
    data = pictures.encoded(pictures.photo(400, 300), kind, exif=exif)
    name = "a.jpg" if kind == "JPEG" else "a.png"
    found = shown(data, name)
    assert found.size == ((64, 48) if orientation < 5 else (48, 64))
    turns = [None, *(Image.Transpose(n) for n in (0, 3, 1, 5, 4, 6, 2))]
    turn, small = turns[orientation - 1], pictures.photo(400, 300).resize((64, 48))
    assert near(found, small.transpose(turn) if turn is not None else small)
    assert found.size == _fitted(formats.read_header(data, name).size)


def _fitted(size: Size) -> tuple[int, int]:
    return (64, 48) if size.aspect_ratio > 1 else (48, 64)


def test_a_small_image_is_not_enlarged() -> None:
    assert shown(pictures.encoded(pictures.photo(20, 10), "PNG"), "a.png").size == (20, 10)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "CMYK"])
def test_modes_show_what_they_hold(mode: str) -> None:
    photo = pictures.photo(100, 80)
    source = photo.quantize() if mode == "P" else photo.convert(mode)
    kind, name = ("JPEG", "a.jpg") if mode == "CMYK" else ("PNG", "a.png")
    found = shown(pictures.encoded(source, kind), name, Size(100, 80))
    assert near(found, source, 12)


def test_16_bits_are_scaled_by_their_range_and_not_clipped() -> None:
    ramp = np.linspace(0, 65535, 100 * 80).reshape(80, 100).astype(np.uint16)
    gray = pictures.encoded(Image.fromarray(ramp), "PNG")
    assert near(shown(gray, "a.png", Size(100, 80)), Image.fromarray((ramp >> 8).astype(np.uint8)))
    colour = np.stack([ramp, ramp[::-1], ramp[:, ::-1]], axis=-1)
    found = shown(png.build(colour, 2, 16), "a.png", Size(100, 80))
    assert near(found, Image.fromarray((colour >> 8).astype(np.uint8)))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency_shows_as_grey(mode: str) -> None:
    source = Image.new("RGBA", (40, 30), (255, 255, 255, 0))
    data = pictures.encoded(source.convert(mode), "PNG")
    assert near(shown(data, "a.png"), Image.new("RGB", (40, 30), (128, 128, 128)), 2)


def test_a_profile_is_converted_to_srgb() -> None:
    linear = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ"))
    assert linear.tobytes()  # only RGB profiles apply to RGB pixels; this one is passed over
    green = Image.new("RGB", (40, 30), (0, 255, 0))
    plain = shown(pictures.encoded(green, "PNG"), "a.png")
    same = shown(pictures.encoded(green, "PNG", icc_profile=pictures.icc_profile()), "a.png")
    swapped = pictures.encoded(green, "PNG", icc_profile=_with_red_and_green_swapped())
    assert near(same, plain, 2)
    assert near(shown(swapped, "a.png"), Image.new("RGB", (40, 30), (255, 0, 0)), 8)


def _with_red_and_green_swapped() -> bytes:
    """An sRGB profile whose red and green primaries have changed places in its tag table."""
    return (
        pictures.icc_profile()
        .replace(b"rXYZ", b"tmp!")
        .replace(b"gXYZ", b"rXYZ")
        .replace(b"tmp!", b"gXYZ")
    )


def test_a_damaged_profile_does_not_hide_the_picture() -> None:
    data = pictures.encoded(pictures.photo(100, 80), "JPEG", icc_profile=b"no profile" * 20)
    assert near(shown(data, "a.jpg", Size(100, 80)), pictures.photo(100, 80))


@pytest.mark.parametrize("kept", [0.5, 0.05, 0])
def test_what_cannot_be_decoded_is_refused(kept: float) -> None:
    for kind, name in (("PNG", "a.png"), ("JPEG", "a.jpg"), ("WEBP", "a.webp"), ("TIFF", "a.tif")):
        data = pictures.encoded(pictures.photo(100, 80), kind)
        if kind == "JPEG" and kept == 0.5:  # half of it is there to be seen
            assert preview(data[: len(data) // 2], name, FIT)
            continue
        with pytest.raises(errors.Refused, match=name):
            preview(data[: int(len(data) * kept)], name, FIT)


def test_many_threads_get_the_same_previews_as_one() -> None:
    images = [
        jpg.build(
            [(0xE2, b"ICC_PROFILE\0\1\1" + pictures.icc_profile())], pictures.photo(200, 150, n)
        )
        for n in range(6)
    ]
    alone = [preview(data, "a.jpg", FIT) for data in images]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda d: preview(d, "a.jpg", FIT), images * 5))
    assert together == alone * 5
