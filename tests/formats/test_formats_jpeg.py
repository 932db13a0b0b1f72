from xml.etree import ElementTree as ET

import jpeg_builder as jpg
import pictures
import pytest

from cropkit import errors, formats
from cropkit.formats.options import Jpeg, Options
from cropkit.geometry import PixelBox

NAME = "picture.jpg"
BOX = PixelBox(16, 16, 144, 112)  # whole blocks
MODES = [Options(jpeg=mode) for mode in Jpeg]


def cropped(data: bytes, options: Options = MODES[0]) -> formats.Candidate:
    candidate = formats.crop(data, NAME, BOX, options)
    formats.verify(candidate.data, candidate, NAME)
    return candidate


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


@pytest.mark.parametrize("options", MODES, ids=str)
def test_every_other_segment_is_byte_equal_and_in_order(options: Options) -> None:
    candidate = cropped(jpg.build(KEPT), options)
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
    ("MultiPage", PLAIN + jpg.build([], pictures.photo(20, 200))),
    ("MultiPage", PLAIN + b"\0\0\0\x18ftypmp42"),
    ("Truncated", PLAIN[:3000]),
    ("Truncated", PLAIN[:100]),
    ("Truncated", PLAIN[:2]),
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


def test_a_small_picture_or_one_of_another_kind_after_the_end_is_a_preview() -> None:
    gif = pictures.encoded(pictures.photo(200, 150).quantize(8), "GIF")
    for more in (pictures.encoded(pictures.photo(80, 60), "JPEG"), b"<html>" + gif):
        candidate = cropped(PLAIN + more)
        assert candidate.data.endswith(b"\xff\xd9")
        assert len(candidate.data) < len(PLAIN)
        assert [item for item, _ in candidate.dropped] == [f"{len(more)} bytes after the end"]


def test_bytes_after_the_end_without_a_picture_are_kept() -> None:
    candidate = cropped(PLAIN + b"SEFH some words SEFT")
    assert candidate.data.endswith(b"\xff\xd9SEFH some words SEFT")
    assert "20 bytes after the end" in candidate.kept


GAIN_MAP_XMP = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/"
    xmlns:Container="http://ns.google.com/photos/1.0/container/"
    xmlns:Item="http://ns.google.com/photos/1.0/container/item/"
    xmlns:GCamera="http://ns.google.com/photos/1.0/camera/"
    xmlns:xmpNote="http://ns.adobe.com/xmp/note/"
    xmlns:dc="http://purl.org/dc/elements/1.1/" dc:subject="kept"
    hdrgm:Version="1.0" hdrgm:GainMapMax='2.5' GCamera:MotionPhoto="1" GCamera:Other="kept too"
    xmpNote:HasExtendedXMP="0123456789ABCDEF0123456789ABCDEF">
   <Container:Directory>
    <rdf:Seq>
     <rdf:li rdf:parseType="Resource">
      <Container:Item Item:Semantic="Primary" Item:Mime="image/jpeg"/></rdf:li>
     <rdf:li rdf:parseType="Resource">
      <Container:Item Item:Semantic="GainMap" Item:Mime="image/jpeg" Item:Length="4711"/></rdf:li>
    </rdf:Seq>
   </Container:Directory>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>"""
MORE = b"http://ns.adobe.com/xmp/extension/\0"
SECOND = [
    (0xE1, XMP + GAIN_MAP_XMP),
    (0xE1, MORE + bytes(40) + b"<x GDepth:Data='/9j/4AAQ"),
    (0xE1, MORE + bytes(40) + b"SkZJRgABAQAAAQABAAD/2wBDAAEB'/>"),
    (0xE2, MPF + b"\2"),
    (0xE2, b"urn:iso:std:iso:ts:21496:-1\0\0\0\0\0"),
    (0xEB, b"JP\0\1\0\0\0\1....RESI"),
    (0xE1, b"FLIR\0\1\0\0"),
    (0xFE, b"a comment"),
]
HDR = jpg.build(SECOND) + PLAIN
DROPPING = [Options(jpeg=mode, drop=frozenset({"gain-map"})) for mode in Jpeg]


@pytest.mark.parametrize("options", MODES, ids=str)
def test_a_file_with_a_gain_map_is_refused_by_default(options: Options) -> None:
    for attempt in (formats.read_header, lambda *a: formats.crop(a[0], a[1], BOX, a[2])):
        with pytest.raises(errors.GainMap, match="gain-map"):
            attempt(HDR, NAME, options)


@pytest.mark.parametrize("options", DROPPING, ids=str)
def test_second_pictures_go_on_request_with_all_that_speaks_of_them(options: Options) -> None:
    assert formats.read_header(HDR, NAME, options).size.area == 160 * 120
    candidate = cropped(HDR, options)
    (packet,) = (data for marker, data in jpg.metadata(candidate.data) if marker == 0xE1)
    assert jpg.metadata(candidate.data) == [(0xE1, packet), (0xFE, b"a comment")]
    for word in (b"hdrgm", b"Container", b"Item", b"MotionPhoto", b"HasExtended", b"xmpNote"):
        assert word not in packet
    assert b'dc:subject="kept"' in packet
    assert b'GCamera:Other="kept too"' in packet
    assert candidate.data.count(b"\xff\xd8\xff") == 1
    assert candidate.data.endswith(b"\xff\xd9")
    assert [item for item, _ in candidate.dropped] == [
        "APP1 XMP of a second picture",
        "APP1 extended XMP",
        "MPF index",
        "APP2 gain map",
        "APP11 JP",
        "APP1 FLIR",
        f"{len(PLAIN)} bytes after the end",
    ]
    assert candidate.kept == ("COM",)
    assert candidate.patched[0] == "APP1 XMP"
    ET.fromstring(packet.removeprefix(XMP))  # noqa: S314  (it was made here)


@pytest.mark.parametrize("options", DROPPING, ids=str)
def test_a_file_without_a_second_picture_is_the_same_whether_or_not_they_may_go(
    options: Options,
) -> None:
    source = jpg.build(KEPT) + b"some words"
    assert cropped(source, options) == cropped(source, Options(jpeg=options.jpeg))


@pytest.mark.parametrize(("code", "data"), [r for r in REFUSED if r[0] in ("GainMap", "MultiPage")])
def test_whatever_is_refused_for_a_second_picture_can_be_cropped_without_it(
    code: str, data: bytes
) -> None:
    candidate = cropped(data, DROPPING[0])
    assert candidate.dropped, code
    assert formats.read_header(candidate.data, NAME).size == BOX.size


def test_signed_content_is_refused_whatever_may_go() -> None:
    signed = dict(REFUSED)["Provenance"]
    with pytest.raises(errors.Provenance):
        formats.crop(signed, NAME, BOX, DROPPING[0])
