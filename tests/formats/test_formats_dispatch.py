import struct
import tracemalloc
import zlib
from io import BytesIO

import pictures
import png_builder as png
import pytest
from PIL import Image

from cropkit import errors, formats
from cropkit.formats.decoder_errors import reading
from cropkit.formats.heif import library
from cropkit.formats.limits import MAX_PIXELS
from cropkit.formats.preview import preview
from cropkit.formats.sniff import named_format
from cropkit.geometry import PixelBox, Size

PNG = pictures.encoded(pictures.photo(40, 30), "PNG")
JPEG = pictures.encoded(pictures.photo(40, 30), "JPEG")
OTHERS = {"avif": "AVIF"}


@pytest.mark.parametrize("name", ["a.png", "A.PNG", "folder.jpg/a.png", "no-suffix", "a.bak"])
def test_a_png_by_any_agreeing_name_is_read(name: str) -> None:
    assert formats.read_header(PNG, name) == formats.Header("png", Size(40, 30), 1)


@pytest.mark.parametrize("suffix", ["jpg", "jpeg", "jpe", "jfif", "JPG"])
def test_all_the_names_of_jpeg_are_one_format(suffix: str) -> None:
    assert formats.read_header(JPEG, f"a.{suffix}").format == "jpeg"


@pytest.mark.parametrize(("data", "name"), [(PNG, "a.jpg"), (JPEG, "a.png"), (PNG, "a.webp")])
def test_a_name_that_says_another_format_is_refused(data: bytes, name: str) -> None:
    with pytest.raises(errors.WrongExtension, match=name):
        formats.read_header(data, name)


@pytest.mark.parametrize(("data", "name"), [(PNG, "a.jpg"), (JPEG, "a.heic"), (PNG, "a.webp")])
def test_a_name_that_says_another_format_can_be_left_out_of_account(data: bytes, name: str) -> None:
    options = formats.Options(drop=frozenset({"extension"}))
    candidate = formats.crop(data, name, PixelBox(8, 8, 24, 24), options)
    formats.verify(candidate.data, candidate, name)
    assert candidate.format == ("png" if data == PNG else "jpeg")
    assert preview(data, name, Size(20, 20))


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp"])
def test_an_empty_file_is_refused_as_such(name: str) -> None:
    with pytest.raises(errors.EmptyFile, match=name):
        formats.read_header(b"", name)


def test_text_named_png_is_refused_as_unknown() -> None:
    with pytest.raises(errors.UnknownFormat, match=r"a\.png"):
        formats.read_header(b"just some words\n" * 9, "a.png")


@pytest.mark.parametrize("suffix", OTHERS)
def test_formats_that_are_not_written_are_refused_by_name_and_previewed(suffix: str) -> None:
    data = pictures.encoded(pictures.photo(40, 30), OTHERS[suffix])
    with pytest.raises(errors.UnsupportedFormat, match="(?i)" + suffix):
        formats.crop(data, f"a.{suffix}", PixelBox(0, 0, 9, 9))
    shown = Image.open(BytesIO(preview(data, f"a.{suffix}", Size(20, 20))))
    assert (shown.format, shown.size) == ("JPEG", (20, 15))


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (OSError("image file is truncated (3 bytes not processed)"), "Truncated"),
        (OSError("broken data stream"), "CorruptImage"),
        (SyntaxError("not a TIFF file"), "CorruptImage"),
        (ValueError("bad"), "CorruptImage"),
        (TypeError("bad"), "CorruptImage"),
        (ZeroDivisionError(), "CorruptImage"),
        (RuntimeError("Decoding of color planes failed"), "CorruptImage"),
        (KeyError("bad"), "CorruptImage"),
        (EOFError("bad"), "CorruptImage"),
        (struct.error("bad"), "CorruptImage"),
        (zlib.error("bad"), "CorruptImage"),
        (UserWarning("bad"), "CorruptImage"),
        (Image.DecompressionBombError("bad"), "TooLarge"),
        (Image.DecompressionBombWarning("bad"), "TooLarge"),
        (MemoryError(), "TooCostly"),
        (errors.BadBox((0, 0, 0, 0), "empty"), "BadBox"),
    ],
)
def test_whatever_a_decoder_raises_becomes_one_of_ours(raised: Exception, code: str) -> None:
    with pytest.raises(errors.Refused) as caught, reading("a.png"):
        raise raised
    assert caught.value.code == code
    assert "a.png" in str(caught.value) or code == "BadBox"


def test_what_is_no_damage_is_not_hidden() -> None:
    with pytest.raises(AttributeError), reading("a.png"):
        raise AttributeError("a mistake of our own")


def test_heic_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "installed", lambda: False)
    data = b"\0\0\0\x18ftypheic" + bytes(40)
    for act in (formats.read_header, lambda d, n: preview(d, n, Size(9, 9))):
        with pytest.raises(errors.UnsupportedFormat, match="HEIC"):
            act(data, "a.heic")


def test_the_limit_is_checked_before_any_pixel_and_can_be_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CROPKIT_MAX_PIXELS", "1199")
    for data, name in ((PNG, "a.png"), (JPEG, "a.jpg")):
        with pytest.raises(errors.TooLarge, match="1200 pixels are over the limit of 1199"):
            formats.read_header(data, name)
        with pytest.raises(errors.TooLarge):
            preview(data, name, Size(9, 9))
    monkeypatch.setenv("CROPKIT_MAX_PIXELS", "1200")
    assert formats.read_header(PNG, "a.png").size.area == 1200
    assert 2 * Image.MAX_IMAGE_PIXELS - MAX_PIXELS in (0, 1)  # type: ignore[operator]


@pytest.mark.parametrize("said", ["", "0", "many", "-5", "1e9"])
def test_a_limit_that_is_no_number_is_refused(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROPKIT_MAX_PIXELS", said)
    with pytest.raises(errors.UnsupportedImage, match="CROPKIT_MAX_PIXELS"):
        formats.read_header(PNG, "a.png")


def test_a_small_file_of_many_pixels_is_refused_without_inflating_it() -> None:
    header = (1 << 30).to_bytes(4) * 2 + bytes([8, 0, 0, 0, 0])
    bomb = png.assembled([("IHDR", header), ("IDAT", b"x"), ("IEND", b"")])
    with pytest.raises(errors.TooLarge):
        formats.crop(bomb, "a.png", PixelBox(0, 0, 9, 9))


def test_a_stream_longer_than_its_picture_is_not_inflated_to_its_end() -> None:
    stream = zlib.compress(bytes(1 << 27), 9)
    header = (9).to_bytes(4) * 2 + bytes([8, 0, 0, 0, 0])
    bomb = png.assembled([("IHDR", header), ("IDAT", stream), ("IEND", b"")])
    tracemalloc.start()
    with pytest.raises(errors.CorruptImage):
        formats.crop(bomb, "a.png", PixelBox(0, 0, 9, 9))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1 << 23


@pytest.mark.parametrize("name", ["A.PNG", "a.Png", "folder.jpg/a.png"])
def test_a_name_promises_a_format_whatever_its_case(name: str) -> None:
    assert named_format(name) == "png"
