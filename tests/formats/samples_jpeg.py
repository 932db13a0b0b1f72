"""A JPEG for each row of the table of capabilities, its segments put together by hand."""

from typing import Any

import jpeg_builder as jpg
import pictures
import planting
from jpeg_encoder import encode, noise
from ultra_hdr_builder import CALIBRATION, auxiliary, gain_map, portrait, ultra_hdr

from cropkit.formats.capabilities import PRIVATE, SPELT, UNSIGNED

PHOTO = pictures.photo(160, 120)
XMP = b"http://ns.adobe.com/xap/1.0/\0"
EXIF = b"Exif\0\0"
SMALL = pictures.encoded(pictures.photo(16, 12), "JPEG")
NOTE = (0x927C, 7, 64, b"Maker\0" + bytes(range(58)))
STATED = jpg.tiff(jpg.short(0x0100, 160), jpg.short(0x0101, 120), NOTE)
STATED_XMP = b"<x tiff:ImageWidth='160' tiff:ImageLength='120'/>"
VIDEO = b"\0\0\0\x18ftypmp42" + bytes(12) + b"\0\0\4\0mdat" + bytes(range(256)) * 4
PLAIN, COMMENTED = jpg.build(), jpg.build([(0xFE, b"a")])
MPF = b"MPF\0MM\0*\0\0\0\x08\0\1\xb0\1\0\4\0\0\0\1\0\0\0"
# An index of two, of which the second is a large thumbnail.
MPF_PREVIEW = (
    b"MPF\0MM\0*\0\0\0\x08\0\2\xb0\1\0\4\0\0\0\1\0\0\0\2\xb0\2\0\7\0\0\0\x20\0\0\0\x26"
    b"\0\0\0\0\0\3\0\0" + bytes(12) + b"\0\1\0\1" + bytes(12)
)
SUBSAMPLED = "any sampling (lossless); 4:4:4, 4:2:2, 4:2:0 (exact)"
SAMPLINGS = ([(2, 1), (1, 2), (1, 2)], [(3, 1), (1, 1), (1, 1)], [(1, 1), (2, 2), (2, 2)])


def coded(mode: str = "RGB", **options: Any) -> bytes:
    return jpg.build([], PHOTO.convert(mode), **options)


def resource(number: int, data: bytes) -> bytes:
    padded = data + bytes(len(data) % 2)
    return b"8BIM" + number.to_bytes(2) + b"\0\0" + len(data).to_bytes(4) + padded


def photoshop(*resources: bytes) -> bytes:
    return jpg.build([(0xED, b"Photoshop 3.0\0" + b"".join(resources))])


def framed(marker: int, depth: int = 8) -> bytes:
    """The plain picture, called something else by its frame header."""
    return PLAIN.replace(b"\xff\xc0\0\x11\x08", bytes([0xFF, marker, 0, 0x11, depth]))


def ycck() -> bytes:
    adobe = b"Adobe\0\x64\0\0\0\0"
    made = pictures.encoded(PHOTO.convert("CMYK"), "JPEG", quality=95)
    return made.replace(adobe + b"\0", adobe + b"\2", 1)


def upright_chroma() -> bytes:
    made = bytearray(pictures.encoded(PHOTO, "JPEG", subsampling="4:2:2"))
    made[made.index(b"\xff\xc0\0\x11\x08") + 11] = 0x12
    return bytes(made)


SAMPLES: dict[str, bytes | list[bytes]] = {
    "whole blocks (lossless)": coded(),
    "quantisation tables, restarts": [
        *(coded(quality=quality) for quality in (10, 75, 100)),
        coded(restart_marker_blocks=3),
        coded(restart_marker_rows=1),
    ],
    "baseline or progressive, scan by scan (lossless)": [
        coded(progressive=True),
        coded("L", progressive=True, restart_marker_blocks=3),
    ],
    SUBSAMPLED: [
        *(coded(subsampling=each) for each in ("4:4:4", "4:2:2", "4:2:0")),
        *(encode((90, 70), each, noise((90, 70), each, 0)) for each in SAMPLINGS),
    ],
    "gray, YCbCr, RGB, CMYK": [
        *(coded(mode) for mode in ("L", "RGB", "CMYK")),
        coded(keep_rgb=True),
    ],
    "YCCK (lossless)": ycck(),
    "blocks that the edge cuts (lossless)": coded(),
    "Huffman codes made to measure": coded(optimize=True),
    "ICC profile, COM, extended XMP, other APPn": jpg.build(
        [
            (0xE0, b"JFIF\0\1\1\1\0\x48\0\x48\0\0"),
            (0xE1, b"http://ns.adobe.com/xmp/extension/\0" + bytes(40)),
            (0xE2, b"ICC_PROFILE\0\1\1" + pictures.icc_profile()),
            (0xE3, b"META\0\0something"),
            (0xEC, b"Ducky\0\1\0\4\0\0\0\x3c\0\0"),
            (0xFE, b"a comment"),
        ]
    ),
    "Photoshop resources, IPTC": photoshop(resource(0x0404, b"\x1c\2\x78\0\0")),
    "bytes after the end that hold no picture": PLAIN + b"SEFH some words SEFT",
    "EXIF with MakerNote": jpg.build([(0xE1, EXIF + STATED)]),
    "XMP": jpg.build([(0xE1, XMP + STATED_XMP)]),
    "an end that is missing": PLAIN[:-2],
    "bytes between segments": COMMENTED[:7] + b"oops" + COMMENTED[7:],
    "pixels (exact)": coded(),
    "baseline or progressive (exact)": [coded(), coded(progressive=True)],
    "sampling that Pillow cannot write (exact)": upright_chroma(),
    "YCCK (exact)": ycck(),
    "thumbnails: EXIF, JFIF, JFXX, Photoshop, XMP": [
        jpg.build([(0xE1, EXIF + jpg.tiff(jpg.short(0x0112, 1), thumbnail=SMALL))]),
        jpg.build([(0xE0, b"JFIF\0\1\1\1\0\x48\0\x48\2\1" + b"sceneX")]),
        jpg.build([(0xE0, b"JFIF\0\1\1\1\0\x48\0\x48\0\0"), (0xE0, b"JFXX\0\x10" + SMALL)]),
        photoshop(resource(0x040C, b"scene")),
        jpg.build([(0xE1, XMP + b"<xmp:Thumbnails>scene</xmp:Thumbnails>")]),
    ],
    "previews inside EXIF and MakerNote": jpg.build(
        [(0xE1, EXIF + jpg.tiff((0x927C, 7, len(SMALL), SMALL)))]
    ),
    "Photoshop paths, slices, guides, counts": photoshop(
        resource(0x07D1, b"path"),
        resource(0x041A, b"slice"),
        resource(0x0408, b"guides"),
        resource(0x0438, b"count"),
    ),
    "extended XMP": planting.extended(STATED_XMP),
    "previews: FlashPix, any APPn, COM, IPTC": [
        planting.PLACES[f"jpg: {each}"][1](SMALL)
        for each in ("FlashPix", "APP3", "APP7 with a name", "comment", "IPTC preview")
    ],
    "a smaller picture after the end, MPF previews": [
        PLAIN + SMALL,
        jpg.build([(0xE2, MPF_PREVIEW)]) + SMALL,
    ],
    "coded data after the end": planting.overwritten(),
    SPELT: [
        planting.PLACES[f"jpg: {each}"][1](SMALL)
        for each in ("comment: base64 in JSON", "XMP elsewhere", "EXIF user comment")
    ],
    PRIVATE: [
        jpg.build([(0xE4, b"SCALADO\0" + bytes(range(256)) * 4)]),
        jpg.build([(0xE1, EXIF + jpg.tiff((0x9999, 7, 1024, bytes(range(256)) * 4)))]),
    ],
    "Camera Raw's crops and masks in XMP": jpg.build([(0xE1, XMP + planting.CAMERA_RAW)]),
    "a picture in the colour profile": planting.PLACES["jpg: colour profile"][1](SMALL),
    "MPF index of a single image": jpg.build([(0xE2, MPF + b"\1")]),
    "second pictures, with `--drop gain-map`": [
        jpg.build([(0xE1, XMP + b'<x hdrgm:Version="1.0"/>')]) + PLAIN,
        jpg.build([(0xE2, MPF + b"\2")]) + PLAIN,
        jpg.build([(0xE1, b"FLIR\0\1\0\0")]),
    ],
    "gain map: Ultra HDR, ISO 21496-1 (lossless)": ultra_hdr(),
    "other gain maps, depth map, thermal picture": [
        jpg.build([(0xE1, XMP + b'<x hdrgm:Version="1.0"/>')]) + PLAIN,
        jpg.build([(0xE1, XMP + b"<x GDepth:Data='iVBO'/>")]),
        jpg.build([(0xE1, b"FLIR\0\1\0\0")]),
    ],
    "depth maps, mattes of an iPhone (lossless)": [
        portrait((auxiliary("disparity", 4), auxiliary("portraiteffectsmatte", 2))),
    ],
    "those that do not fit, with `--drop depth`": [
        portrait((gain_map(), auxiliary("disparity", 3))),
        portrait((auxiliary("disparity", 3),)),
    ],
    "calibration of a depth map": portrait((auxiliary("depth", 2, CALIBRATION),)),
    "a motion photo's video, with `--drop motion`": [
        jpg.build([(0xE1, XMP + b"<x GCamera:MotionPhoto='1' b='2'/>")]) + VIDEO,
        ultra_hdr(more=VIDEO),
    ],
    "several images, motion photo": [
        jpg.build([(0xE2, MPF + b"\2")]),
        PLAIN + PLAIN,
        PLAIN + b"\0\0\0\x18ftypmp42",
    ],
    "content credentials (JUMBF)": jpg.build([(0xEB, b"JP\0\1\0\0\0\1....jumbc2pa")]),
    "12 bits, lossless, arithmetic, hierarchical": [
        framed(0xC0, 12),
        framed(0xC3),
        framed(0xC9),
        framed(0xC5),
    ],
}
SAMPLES[UNSIGNED] = SAMPLES["content credentials (JUMBF)"]
