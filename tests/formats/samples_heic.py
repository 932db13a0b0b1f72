"""A HEIC for each row of the table of capabilities; they need the extra."""

import heif_builder as heif
import jpeg_builder as jpg
import pictures
from planting import SCENE, SMALL

from cropkit.formats.capabilities import PRIVATE, SPELT, UNSIGNED
from cropkit.formats.heif.boxes import box
from cropkit.formats.heif.container import Item, Property, Reference
from cropkit.formats.heif.sequence import Signal
from cropkit.formats.metadata.inspection import MOST_UNSEEN

RDF = "application/rdf+xml"
EXIF = jpg.tiff(jpg.long(0x0100, 320), jpg.long(0x0101, 240))
SHOWING = jpg.tiff(jpg.long(0x0100, 320), thumbnail=pictures.encoded(SMALL, "JPEG"))
XMP = b"<x tiff:ImageWidth='320' tiff:ImageLength='240'/>"
THUMBNAIL = heif.picture(SCENE.resize((80, 64)), 9)
OF_IT = Reference("thmb", 9, (1,))


def auxiliary(kind: bytes) -> bytes:
    item, reference = heif.auxiliary(9, kind)
    return heif.encoded(heif.heif(item, references=(reference,)))


def coded(chroma: int = 1, bits: int = 8) -> bytes:
    return heif.encoded(heif.heif(main=heif.image(heif.samples(chroma=chroma, bits=bits))))


def with_text(content_type: str, data: bytes) -> bytes:
    item = heif.text(2, content_type, data)
    return heif.encoded(heif.heif(item, references=heif.about(2)))


def with_exif(block: bytes, prefix: bytes = b"") -> bytes:
    return heif.encoded(heif.heif(heif.exif(2, block, prefix), references=heif.about(2)))


def in_stream(signal: Signal) -> bytes:
    return heif.encoded(heif.heif(main=heif.image(heif.samples(signal=signal))))


def with_property(kind: str, data: bytes, *, essential: bool = False) -> bytes:
    return heif.encoded(heif.heif(properties=(Property(kind, data, essential),)))


PICTURE = pictures.encoded(SMALL, "JPEG")
SIGNED = [
    heif.encoded(heif.heif(), behind=box("uuid", heif.C2PA, b"signed")),
    with_text("application/c2pa", b"signed"),
]
PAIR = heif.encoded(heif.heif(THUMBNAIL))
MOVING = heif.encoded(heif.heif(), behind=box("mpvd", b"\0\0\0\x18ftypmp42" + bytes(400)))
UNTOLD = Signal(is_stated=True, full_range=False, colours=(9, 16, 9))
GAIN = auxiliary(heif.GAIN)

SAMPLES: dict[str, list[bytes]] = {
    "samples of luma and chroma, 8 to 12 bits": [
        *(coded(chroma=chroma) for chroma in (0, 1, 2, 3)),
        *(coded(bits=bits) for bits in (10, 12)),
    ],
    "range, matrix and place of chroma in the stream": [
        in_stream(Signal(is_stated=True, full_range=True, colours=(12, 13, 1))),
        in_stream(Signal(is_stated=True, full_range=True, colours=(5, 6, 5))),
        in_stream(Signal(is_stated=True, full_range=True, location=1)),
        in_stream(UNTOLD),
    ],
    "ICC, nclx, turn, mirror, depth, light levels": [
        with_property("colr", b"prof" + pictures.icc_profile()),
        with_property("colr", b"nclx\0\1\0\r\0\6\x80"),
        with_property("irot", b"\1", essential=True),
        with_property("imir", b"\1", essential=True),
        with_property("clli", b"\3\xe8\0\xc8"),
    ],
    "texts and short items": [
        with_text("text/plain", b"a lighthouse at dusk"),
        with_property("udes", bytes(4) + b"en\0title\0words\0\0"),
        heif.encoded(heif.heif(Item(2, "iptc", b"\0", b"\x1c\2\5\0\4name"))),
    ],
    "HEVC": [coded()],
    "grid of tiles": [heif.encoded(heif.grid(2, 3, 128)[0])],
    "EXIF": [with_exif(EXIF), with_exif(EXIF, b"Exif\0\0")],
    "XMP": [with_text(RDF, XMP)],
    "thumbnails, in items, EXIF and XMP": [
        heif.encoded(heif.heif(THUMBNAIL, references=(OF_IT,))),
        with_exif(SHOWING),
        with_text(RDF, b"<xmp:Thumbnails>scene</xmp:Thumbnails>"),
    ],
    "gain map, second pictures, with `--drop gain-map`": [GAIN, PAIR],
    "depth map, with `--drop depth`": [auxiliary(heif.DEPTH)],
    "video, with `--drop motion`": [MOVING],
    "metadata of what is dropped, groups": [
        heif.encoded(
            heif.heif(
                *(THUMBNAIL, heif.text(3, RDF, XMP)),
                references=(OF_IT, Reference("cdsc", 3, (9,))),
            )
        ),
        heif.encoded(heif.heif(), inside=box("grpl", box("altr", bytes(12)))),
    ],
    "unknown properties and boxes": [
        with_property("cmin", bytes(20)),
        heif.encoded(heif.heif(), behind=box("sefd", b"SEFT")),
    ],
    "bytes that no item has": [heif.encoded(heif.heif(), behind=box("mdat", PICTURE))],
    SPELT: [with_text("text/plain", PICTURE.hex().encode())],
    PRIVATE: [with_text("text/plain", bytes(range(256)) * (1 + MOST_UNSEEN // 256))],
    UNSIGNED: SIGNED,
    "content credentials (C2PA)": SIGNED,
    "gain map, depth map, a picture in the colour profile": [
        *(GAIN, auxiliary(heif.DEPTH)),
        with_property("colr", b"prof" + pictures.icc_profile() + PICTURE),
    ],
    "several pictures, motion photo": [PAIR, MOVING],
    "image sequence": [heif.encoded(heif.heif(), behind=box("moov", bytes(8)))],
    "transparency, aperture, overlay": [
        auxiliary(heif.ALPHA),
        with_property("clap", bytes(32)),
        with_property("lsel", b"\0\1", essential=True),
        heif.encoded(
            heif.heif(
                heif.picture(SCENE, 2),
                main=Item(1, "iovl", b"\0", bytes(20), heif.picture(SCENE).properties[1:]),
                references=(Reference("dimg", 1, (2,)),),
            )
        ),
    ],
    "crops of fewer than 64 pixels or an odd side": [
        heif.encoded(heif.heif(main=heif.picture(SCENE.crop((0, 0, 66, 64))))),
        heif.encoded(heif.grid(1, 2, 64, cut=1)[0]),
    ],
}
