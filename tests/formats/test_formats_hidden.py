"""No picture of the old frame stays: one is planted in every place, and looked for in the crop."""

from io import BytesIO

import planting
import pytest
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from cropkit import errors, formats
from cropkit.formats.capabilities import CAPABILITIES
from cropkit.formats.copies import copied
from cropkit.formats.copy_options import CopyOptions, Format
from cropkit.geometry import PixelBox

BOX = PixelBox(96, 64, 160, 144)
# Where all that may stand there is refused, and nothing is cropped.
# A MakerNote is its maker's, and is searched by signatures alone.
BY_SIGNATURE = ("jpg: EXIF MakerNote", "tif: MakerNote")
# What the search cannot put together, as a reader does not who knows nothing of the file.
IN_PIECES = ("split", "two segments", "coded data", "in crumbs", "jpg: extended XMP")
REFUSED = (errors.GainMap, errors.TrailingData, errors.MultiPage)


@pytest.mark.parametrize("name", planting.PLACES)
def test_no_picture_of_the_old_frame_stays_in_any_place(name: str) -> None:
    path, place = planting.PLACES[name]
    for kind, planted in planting.planted(name):
        if name in BY_SIGNATURE and kind.endswith("samples"):
            continue
        data = place(planted)
        try:
            candidate = formats.crop(data, path, BOX)
        except REFUSED:
            continue
        formats.verify(candidate.data, candidate, path)
        assert not planting.shows_scene(candidate.data), kind
        assert candidate.dropped, kind


def test_the_search_finds_what_is_planted_where_it_stands() -> None:
    for name, (_, place) in planting.PLACES.items():
        seen = planting.shows_scene(b" " + place(planting.PLANTED["JPEG"]))
        assert seen or any(words in name for words in IN_PIECES), name


@pytest.mark.parametrize("name", [n for n in planting.PLACES if n[:3] in ("jpg", "png", "web")])
def test_no_picture_of_the_old_frame_stays_in_a_copy(name: str) -> None:
    path, place = planting.PLACES[name]
    data = place(planting.PLANTED["JPEG"])
    for form in (Format.PNG, Format.JPEG, Format.WEBP):
        how = CopyOptions(format=form, long_side=40)
        try:
            candidate = copied(data, path, BOX, how)
        except errors.Refused:
            continue
        assert not planting.shows_scene(candidate.data), form


def test_a_tag_of_numbers_that_spell_a_picture_goes_whole() -> None:
    path, place = planting.PLACES["tif: IPTC of numbers that spell"]
    candidate = formats.crop(place(planting.PLANTED["JPEG"]), path, BOX)
    formats.verify(candidate.data, candidate, path)
    with Image.open(BytesIO(candidate.data)) as picture:
        assert isinstance(picture, TiffImageFile)
        assert 33723 not in picture.tag_v2  # IPTC


def test_every_format_that_is_cropped_has_places() -> None:
    kinds = {name.partition(":")[0] for name in planting.PLACES}
    suffixes = {"jpeg": "jpg", "tiff": "tif"}
    cropped = {row.format for row in CAPABILITIES if row.outcome == "kept"}
    assert {suffixes.get(each, each) for each in cropped} == kinds
