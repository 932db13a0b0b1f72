"""exiftool finds every tag as it was, but for those that the result names as patched or dropped."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import exiftool
import pictures
import pytest
import samples_png
import test_formats_features as features

from cropkit import formats
from cropkit.formats.capabilities import CAPABILITIES, REFUSED
from cropkit.formats.sniff import shown
from cropkit.geometry import PixelBox, Size

# The size that a format's own header states, which every crop changes.
HEADERS = re.compile(r"(PNG|RIFF|File|GIF|BMP|Meta):(Image|Canvas)?(Width|Height)")
WIDTHS = re.compile(r"\w+:(Exif)?Image(Width|Height)")
# A tag that may differ -> what the result then has to name as patched or dropped.
NAMED = {
    r"PNG:Interlace": r"IHDR interlace",
    r"PNG:ImageOffset|PNG:VirtualImage\w*": r"oFFs|caNv",
    r"PNG:AppleDataOffsets": r"iDOT",
    r"PNG:PaletteHistogram": r"hIST",
    r"PNG:StereoMode": r"sTER",
    r"PNG:Animation\w+|File:(FileType|MIMEType|FileTypeExtension)": r"acTL",
    r"(IFD0|ExifIFD):(Exif)?Image(Width|Height)": r"(?i)exif|APP1|Image(Width|Length)|PixelXDim",
    r"\w+:Subject(Area|Location)": r"(?i)exif|SubjectArea",
    r"IFD1:.*|JFXX:ThumbnailImage|JFIF:Thumbnail\w+": r"thumbnail|reduced pages",
    r"SubIFD\d*:.*": r"reduced SubIFDs",
    r"(XMP|PNG:XMP).*": r"(?i)xmp",
    r"File:PreviewImage": r"preview",
    r"IFD0:Lens": r"preview|tag 65002",
    r"PNG:Workflow": r"workflow",
    r"File:Comment": r"COM|comment",
    r"IPTC:ObjectPreview\w+|File:CurrentIPTCDigest": r"IPTC preview",
    r"MPImage\d:.*": r"MPF",
    r"IFD0:UserComment": r"UserComment",
    r"IFD0:Exif_0x9999": r"0x9999",
    r"RIFF:Unknown_abcd": r"abcd",
    r"RIFF:Unknown_C2PA": r"C2PA",
    r"PNG:DigitalSignature": r"dSIG",
    r"IFD0:Exif_0xcd41": r"tag 52545",
    r"RIFF:(AnimationLoopCount|BackgroundColor|Duration|WebP_Flags)": r"ANIM",
    r"RIFF:((Horizontal|Vertical)Scale|VP8Version)": r"ANIM",  # exiftool looks into no frame
    r"IFD0:GDALMetadata": r"GDAL_METADATA",
    r"IFD0:Exif_0xc69[67]": r"ImageJ",
    r"File:YCbCrSubSampling": r"sampling",
    r"Adobe:ColorTransform": r"APP14 Adobe",
    r"Photoshop:.*": r"Photoshop",
    r"MPF\d+:(NumberOfImages|MPFVersion)": r"MPF",
    r"IFD0:(Strip|Tile)\w+|IFD0:RowsPerStrip": r"(Strip|Tile)(Offsets|ByteCounts)",
    r"File:(ImageLength|ProfileDataOffset)": r"header: width, height, lengths",
    r"IFD0:ImageDescription": r"ImageDescription",
    r"IFD0:ModelT\w+": r"ModelT",
    r"IFD0:[XY]Position": r"[XY]Position",
    r"IFD0:\w*ClipPath\w*": r"ClipPath",
}
ASSIGNED = (
    "-Artist=An Artist",
    "-Copyright=somebody 2026",
    "-ImageDescription=a lighthouse",
    "-Software=a program",
    "-DateTimeOriginal=2026:01:02 03:04:05",
    "-OffsetTimeOriginal=+01:00",
    "-ExposureTime=1/250",
    "-FNumber=2.8",
    "-ISO=400",
    "-FocalLength=35",
    "-LensModel=A lens",
    "-UserComment=Grüße",
    "-ColorSpace=1",
    "-GPSLatitude=48.8566",
    "-GPSLatitudeRef=N",
    "-GPSLongitude=2.3522",
    "-GPSLongitudeRef=E",
    "-GPSAltitude=35",
    "-XResolution=300",
    "-YResolution=300",
    "-XMP-dc:Title=dusk",
    "-XMP-dc:Subject=sea",
    "-XMP-xmp:Rating=4",
    "-XMP-photoshop:City=Brest",
    "-XMP-iptcCore:CreatorWorkEmail=nobody",
)
IPTC = ("-IPTC:Keywords=sea", "-IPTC:Keywords=light", "-IPTC:City=Brest")


def allowed(tag: str, told: formats.Candidate) -> bool:
    named = (*told.patched, *(item for item, _ in told.dropped))
    if HEADERS.fullmatch(tag):
        return True
    rules = [label for pattern, label in NAMED.items() if re.fullmatch(pattern, tag)]
    return any(re.search(label, item) for label in rules for item in named)


def unnamed(
    before: Mapping[str, Any], after: Mapping[str, Any], told: formats.Candidate
) -> set[str]:
    changed = {key for key in {**before, **after} if before.get(key) != after.get(key)}
    return {key for key in changed if not allowed(re.sub(r":Copy\d+", "", key), told)}


def misstated(after: Mapping[str, Any], size: Size) -> dict[str, Any]:
    """Tags about the image's size that do not say what it is; files stored upright only."""
    found = {key: value for key, value in after.items() if WIDTHS.fullmatch(key)}
    sides = {"Width": size.width, "Height": size.height}
    return {k: v for k, v in found.items() if v != next(s for n, s in sides.items() if n in k)}


def cropped() -> Iterator[tuple[str, bytes, formats.Candidate]]:
    """Every file of the rows that are written, with its crop."""
    for row in (row for row in CAPABILITIES if row.outcome != REFUSED):
        chosen = features.options(row)
        for number, data in enumerate(features.samples(row)):
            name = f"{row.format} {row.feature} {number}{features.SUFFIXES[row.format]}"
            box = features.middle(formats.read_header(data, name, chosen).size)
            yield name, data, formats.crop(data, name, box, chosen)


def test_every_tag_of_every_generated_file_is_as_it_was_or_named(tmp_path: Path) -> None:
    exiftool.needed()
    made = list(cropped())
    paths = []
    for number, (name, data, told) in enumerate(made):
        suffix = Path(name).suffix
        paths += [tmp_path / f"{number}-before{suffix}", tmp_path / f"{number}-after{suffix}"]
        paths[-2].write_bytes(data)
        paths[-1].write_bytes(told.data)
    found = exiftool.tags(paths)
    wrong = {
        name: unnamed(found[2 * number], found[2 * number + 1], told)
        for number, (name, _, told) in enumerate(made)
    }
    assert {name: tags for name, tags in wrong.items() if tags} == {}
    exiftool.COMPARED += [shown(told.format) for _, _, told in made]


WRITTEN = ("png", "jpeg", "webp", "tiff")


@pytest.mark.parametrize("name", WRITTEN)
def test_what_exiftool_itself_wrote_it_finds_again(name: str, tmp_path: Path) -> None:
    exiftool.needed()
    suffix = features.SUFFIXES[name]
    before, after = tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"
    options: dict[str, Any] = {"lossless": True} if name == "webp" else {}
    options["icc_profile"] = pictures.icc_profile()
    before.write_bytes(pictures.encoded(pictures.photo(160, 120), name.upper(), **options))
    exiftool.write(before, *ASSIGNED, *(() if name in ("png", "webp") else IPTC))
    stated = ("-ExifImageWidth=160", "-ExifImageHeight=120", "-XMP-tiff:ImageWidth=160")
    exiftool.write(before, *stated, "-XMP-tiff:ImageHeight=120")
    box = PixelBox(32, 16, 144, 112)
    told = formats.crop(before.read_bytes(), after.name, box)
    after.write_bytes(told.data)
    was, found = exiftool.tags([before, after])
    assert len(was) > 40
    assert unnamed(was, found, told) == set()
    assert misstated(found, box.size) == {}
    exiftool.COMPARED.append(shown(name))


def test_a_tag_that_is_gone_or_another_is_noticed() -> None:
    told = formats.crop(samples_png.PLAIN, "a.png", PixelBox(0, 0, 9, 9))
    tags = {"PNG:ImageWidth": 46, "IFD0:Artist": "somebody", "IFD0:Copy1:ImageWidth": 46}
    assert unnamed(tags, tags, told) == set()
    assert unnamed(tags, {"PNG:ImageWidth": 9}, told) == {"IFD0:Artist", "IFD0:Copy1:ImageWidth"}
    assert misstated({"ExifIFD:ExifImageWidth": 46}, Size(9, 9)) == {"ExifIFD:ExifImageWidth": 46}
