"""Every row of the table of capabilities, on files made for it; a row without a file fails."""

import re

import pictures
import png_builder as png
import pytest
import samples_bmp
import samples_gif
import samples_jpeg
import samples_png
import samples_tiff
import samples_webp

from cropkit import errors, formats
from cropkit.formats.capabilities import (
    CAPABILITIES,
    DROPS,
    PATCHED,
    REFUSED,
    UNTRAILED,
    Capability,
)
from cropkit.formats.options import Jpeg
from cropkit.geometry import PixelBox, Size

SUFFIXES = {name: suffix for suffix, name in reversed(formats.EXTENSIONS.items())}
SAMPLES = {
    "png": samples_png.SAMPLES,
    "jpeg": samples_jpeg.SAMPLES,
    "webp": samples_webp.SAMPLES,
    "tiff": samples_tiff.SAMPLES,
    "bmp": samples_bmp.SAMPLES,
    "gif": samples_gif.SAMPLES,
}
# Formats of which every file is refused: how one begins is enough.
_PHOTO = pictures.photo(40, 30)
NOT_WRITTEN = {
    "avif": pictures.encoded(_PHOTO, "AVIF"),
    "ico": pictures.encoded(_PHOTO, "ICO"),
    "jp2": pictures.encoded(_PHOTO, "JPEG2000"),
    "heic": b"\0\0\0\x18ftypheic" + bytes(40),
    "jxl": b"\xff\x0a" + bytes(40),
    "psd": b"8BPS\0\1" + bytes(40),
}
# Of every JPEG that is encoded anew, so no single result says it.
ALWAYS_SO = ("pixels (exact)", "baseline or progressive (exact)", "Huffman codes made to measure")
ROWS = [pytest.param(row, id=f"{row.format}: {row.feature}") for row in CAPABILITIES]


def samples(row: Capability) -> list[bytes]:
    if row.feature.startswith("everything"):
        return [NOT_WRITTEN[row.format]]
    found = SAMPLES.get(row.format, {}).get(row.feature)
    assert found, f"put a file for {row} into tests/formats/samples_{row.format}.py"
    return [found] if isinstance(found, bytes) else found


def options(row: Capability) -> formats.Options:
    """Choose what a row says that it is about."""
    exact = row.feature.endswith("(exact)") and "(lossless)" not in row.feature
    drop = frozenset(re.findall(r"--drop ([a-z-]+)", row.feature))
    return formats.Options(Jpeg.EXACT if exact else Jpeg.LOSSLESS, drop)


def middle(size: Size) -> PixelBox:
    left, top = size.width // 5, size.height // 6
    return PixelBox(left, top, max(left + 1, size.width * 4 // 5), max(top + 1, size.height - top))


@pytest.mark.parametrize("row", ROWS)
def test_each_row_is_so_on_a_file_made_for_it(row: Capability) -> None:
    name = f"picture{SUFFIXES[row.format]}"
    for data in samples(row):
        if row.outcome == REFUSED:
            with pytest.raises(getattr(errors, row.how), match=name):
                formats.crop(data, name, PixelBox(0, 0, 1, 1))
        else:
            chosen = options(row)
            size = formats.read_header(data, name, chosen).size
            candidate = formats.crop(data, name, middle(size), chosen)
            formats.verify(candidate.data, candidate, name)
            assert candidate.patched or row.outcome != PATCHED or row.feature in ALWAYS_SO
            assert candidate.dropped or row.outcome != DROPS


def test_no_file_is_made_for_a_row_that_is_gone() -> None:
    rows = {(row.format, row.feature) for row in CAPABILITIES}
    made = {(name, feature) for name, features in SAMPLES.items() for feature in features}
    assert made - rows == set()


PNG_ROWS = [
    row
    for row in CAPABILITIES
    if row.format == "png" and row.outcome != REFUSED and row.feature != UNTRAILED
]


@pytest.mark.parametrize("row", PNG_ROWS, ids=lambda row: row.feature)
def test_no_chunk_of_a_png_goes_without_a_word(row: Capability) -> None:
    how = options(row)
    for data in samples(row):
        parts = png.chunks(data.removesuffix(b"\0\0\r\n"))
        kinds = {kind for kind, _ in parts} - {"IHDR", "IDAT", "IEND"}
        box = middle(formats.read_header(data, "a.png", how).size)
        told = formats.crop(data, "a.png", box, how)
        named = {*told.kept, *told.patched, *(item for item, _ in told.dropped)}
        assert {kind for kind in kinds if not any(n.startswith(kind) for n in named)} == set()
        after = dict(png.chunks(told.data.removesuffix(b"\0\0\r\n")))
        kept = {kind for kind in kinds if kind in told.kept}
        assert {kind: after[kind] for kind in kept} == {
            kind: part for kind, part in parts if kind in kept
        }
