"""Places of a file where a picture of the whole scene can hide, and a search that knows none of
them: whatever can be decoded in a crop, at any offset and out of any text, is compared with it."""

import base64
import binascii
import re
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from io import BytesIO
from itertools import pairwise

import bmp_builder as bmp
import jpeg_builder as jpg
import numpy as np
import numpy.typing as npt
import pictures
import png_builder as png
import riff_builder as riff
import samples_gif
import tiff_builder as tif
from PIL import Image, ImageFile

SCENE = pictures.photo(320, 240, seed=7)
SAMPLES_OF_SCENE = np.asarray(SCENE)
SMALL = SCENE.resize((96, 72))
XMP, MORE = b"http://ns.adobe.com/xap/1.0/\0", b"http://ns.adobe.com/xmp/extension/\0"
EXIF, PHOTOSHOP = b"Exif\0\0", b"Photoshop 3.0\0"
Place = Callable[[bytes], bytes]


def _without_end() -> bytes:
    return pictures.encoded(SMALL, "JPEG").removesuffix(b"\xff\xd9")


def _first_byte_changed() -> bytes:
    return b"\0" + pictures.encoded(SMALL, "JPEG")[1:]


PLANTED: dict[str, bytes] = {
    "JPEG": pictures.encoded(SMALL, "JPEG"),
    "progressive JPEG": pictures.encoded(SMALL, "JPEG", progressive=True),
    "JPEG without its end": _without_end(),
    "JPEG whose first byte is another": _first_byte_changed(),
    "PNG": pictures.encoded(SMALL.quantize(64), "PNG"),
    "WebP": pictures.encoded(SMALL, "WEBP"),
    "GIF": pictures.encoded(SMALL.quantize(64), "GIF"),
    "BMP": pictures.encoded(SMALL.quantize(64), "BMP"),
    "TIFF": pictures.encoded(SMALL.convert("L"), "TIFF"),
    "AVIF": pictures.encoded(SMALL, "AVIF"),
    "JPEG 2000": pictures.encoded(SMALL, "JPEG2000"),
    "samples": SMALL.convert("L").tobytes(),
    "deflated samples": zlib.compress(SMALL.convert("L").tobytes()),
}


# -- JPEG -----------------------------------------------------------------------------------------


def _jpeg(*parts: jpg.Part) -> bytes:
    return jpg.build([(0xE0, b"JFIF\0\1\1\1\0\x48\0\x48\0\0"), *parts], SCENE)


def _in(marker: int, head: bytes) -> Place:
    return lambda data: _jpeg((marker, head + data))


def _split(marker: int, head: bytes, step: int) -> Place:
    """In several segments, each with the same beginning."""
    return lambda data: _jpeg(
        *[(marker, head + data[at : at + step]) for at in range(0, len(data), step)]
    )


def _resource(number: int, data: bytes) -> bytes:
    padded = data + bytes(len(data) % 2)
    return b"8BIM" + number.to_bytes(2) + b"\0\0" + len(data).to_bytes(4) + padded


def _dataset(number: int, data: bytes) -> bytes:
    if len(data) < 0x8000:
        return bytes([0x1C, 2, number]) + len(data).to_bytes(2) + data
    return bytes([0x1C, 2, number, 0x80, 4]) + len(data).to_bytes(4) + data


def _iptc(data: bytes, number: int = 202) -> bytes:
    return _dataset(200, b"\0\1") + _dataset(number, data)


def packet(inside: str) -> bytes:
    return (
        "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf="
        "'http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description rdf:about='' "
        "xmlns:xmp='http://ns.adobe.com/xap/1.0/' xmlns:a='http://ns.adobe.com/xap/1.0/' "
        "xmlns:g='http://ns.adobe.com/xap/1.0/g/img/' xmlns:note='http://ns.adobe.com/xmp/note/'>"
        f"{inside}</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


def _thumbnail(data: bytes, prefix: str = "xmp") -> bytes:
    lines = base64.encodebytes(data).decode().strip().replace("\n", "&#xA;")
    image = f"<g:format>JPEG</g:format><g:image>{lines}</g:image>"
    alt = f"<rdf:Alt><rdf:li rdf:parseType='Resource'>{image}</rdf:li></rdf:Alt>"
    return packet(f"<{prefix}:Thumbnails>{alt}</{prefix}:Thumbnails>")


def _elsewhere(data: bytes) -> bytes:
    return packet(f"<xmp:Label>{base64.b64encode(data).decode()}</xmp:Label>")


def _urlsafe(data: bytes) -> bytes:
    return packet(f"<xmp:Label>{base64.urlsafe_b64encode(data).decode()}</xmp:Label>")


def extended(whole: bytes) -> bytes:
    """A JPEG whose extended packet stands in two segments."""
    guid = b"0123456789ABCDEF0123456789ABCDEF"
    step = len(whole) // 2 + 1
    parts = [
        (0xE1, MORE + guid + struct.pack(">II", len(whole), at) + whole[at : at + step])
        for at in range(0, len(whole), step)
    ]
    main = packet(f"<note:HasExtendedXMP>{guid.decode()}</note:HasExtendedXMP>")
    return _jpeg((0xE1, XMP + main), *parts)


CAMERA_RAW = (
    b"<r:RDF xmlns:r='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><r:Description "
    b"xmlns:crs='http://ns.adobe.com/camera-raw-settings/1.0/' crs:Exposure='1' "
    b"crs:CropLeft='0.1' crs:HasCrop='True'>"
    b"<crs:PaintBasedCorrections>0.5 0.5</crs:PaintBasedCorrections></r:Description></r:RDF>"
)


def _in_tag(tag: int, kind: int = 7) -> Callable[[bytes], bytes]:
    return lambda data: jpg.tiff((tag, kind, len(data), data))


def _in_strips(data: bytes) -> bytes:
    """As a thumbnail's only strip, in a second directory."""
    block = jpg.tiff(jpg.short(0x0112, 1), thumbnail=data)
    return block.replace(b"\x02\x01\0\4", b"\x01\x11\0\4").replace(b"\x02\x02\0\4", b"\x01\x17\0\4")


def _third(data: bytes) -> bytes:
    """In a third directory, and among bytes that no tag refers to."""
    return jpg.tiff(jpg.short(0x0112, 1), thumbnail=b"thumbnail") + bytes(8) + data


def _below(data: bytes) -> bytes:
    """In a directory below the first one, as raw cameras have it."""
    at = 8 + 2 + 12 + 4
    place = at + 2 + 24 + 4
    rows = struct.pack(">HHHIIHHIII", 2, 0x0111, 4, 1, place, 0x0117, 4, 1, len(data), 0)
    return jpg.tiff(jpg.long(0x014A, at), following=rows + data)


def _damaged(data: bytes) -> bytes:
    """In a block of which one tag reaches outside."""
    return jpg.tiff((0x9999, 7, len(data), data), (0x9998, 7, 1 << 20, b"12345"))


def _comment(words: Callable[[bytes], bytes]) -> Place:
    return lambda data: _jpeg((0xFE, words(data)))


def _among_words(data: bytes) -> bytes:
    words = b"a lighthouse at dusk, film grain, " * 800
    return words + data + words


def _json(data: bytes) -> bytes:
    return b'{"images": ["data:image/png;base64,%b"], "seed": 4}' % base64.b64encode(data)


def _json_escaped(data: bytes) -> bytes:
    return _json(data).replace(b"/", rb"\/")


def _lines(data: bytes) -> bytes:
    return b"begin\n" + base64.encodebytes(data) + b"end"


def _hex(data: bytes) -> bytes:
    return b"\n".join(binascii.hexlify(data, "\n", 36).split(b"\n"))


def _deflated(data: bytes) -> bytes:
    return base64.b64encode(zlib.compress(b'{"a": "%b"}' % base64.b64encode(data)))


def _wide(data: bytes) -> bytes:
    return b"UNICODE\0" + _json(data).decode().encode("utf-16-le")


def _in_profile(data: bytes) -> bytes:
    """As a tag of a colour profile that no reader knows."""
    profile = bytearray(pictures.icc_profile())
    (tags,) = struct.unpack_from(">I", profile, 128)
    moved = bytearray(profile[:128]) + struct.pack(">I", tags + 1)
    for at in range(132, 132 + 12 * tags, 12):
        name, offset, length = struct.unpack_from(">4sII", profile, at)
        moved += struct.pack(">4sII", name, offset + 12, length)
    moved += struct.pack(">4sII", b"thmb", len(profile) + 12, len(data))
    moved += profile[132 + 12 * tags :] + data
    struct.pack_into(">I", moved, 0, len(moved))
    return bytes(moved)


def _behind_profile(data: bytes) -> bytes:
    return pictures.icc_profile() + data


def _icc_segments(profile: bytes) -> bytes:
    return _jpeg((0xE2, b"ICC_PROFILE\0\1\1" + profile))


def _jfxx(data: bytes) -> bytes:
    return _jpeg((0xE0, b"JFXX\0\x10" + data))


def _in_exif(block: Callable[[bytes], bytes]) -> Place:
    return lambda data: _jpeg((0xE1, EXIF + block(data)))


def _exif_of_two(data: bytes) -> bytes:
    block = _in_tag(0x9999)(data)
    half = len(block) // 2
    return _jpeg((0xE1, EXIF + block[:half]), (0xE1, EXIF + block[half:]))


def _photoshop(*resources: bytes) -> bytes:
    return _jpeg((0xED, PHOTOSHOP + b"".join(resources)))


def _photoshop_of_two(data: bytes) -> bytes:
    whole = _resource(0x0404, _iptc(data))
    half = len(whole) // 2
    return _jpeg((0xED, PHOTOSHOP + whole[:half]), (0xED, PHOTOSHOP + whole[half:]))


JPEGS: dict[str, Place] = {
    **{f"APP{n}": _in(0xE0 + n, b"") for n in range(16)},
    **{f"APP{n} with a name": _in(0xE0 + n, b"VENDOR\0\1\2") for n in range(16)},
    "APP1 of another kind": _in(0xE1, b"http://example.org/preview/\0"),
    "FlashPix": _in(0xE2, b"FPXR\0\0\2\0\0\0\0\0\0"),
    "FlashPix, split": _split(0xE2, b"FPXR\0\0\2\0\0\0\0\0\0", 900),
    "APP3, split without names": _split(0xE3, b"", 900),
    "comments, split": _split(0xFE, b"", 900),
    "comment": _in(0xFE, b""),
    "comment: base64": _comment(base64.b64encode),
    "comment: bytes among words": lambda data: _jpeg((0xFE, _among_words(data))),
    "comment: base64 in JSON": _comment(_json),
    "comment: base64 in JSON that escapes": _comment(_json_escaped),
    "comment: lines": _comment(_lines),
    "comment: hexadecimal": _comment(_hex),
    "comment: deflated JSON of base64": _comment(_deflated),
    "comment: wide characters": _comment(lambda data: _json(data).decode().encode("utf-16")),
    "comments: base64, split": lambda data: _split(0xFE, b"", 500)(base64.b64encode(data)),
    "comments: base64, in crumbs": lambda data: _split(0xFE, b"", 20)(base64.b64encode(data)),
    "JFIF thumbnail": lambda data: _jpeg((0xE0, b"JFIF\0\1\1\1\0\x48\0\x48\x60\x48" + data)),
    "behind JFIF": _in(0xE0, b"JFIF\0\1\1\1\0\x48\0\x48\0\0"),
    "JFXX": _jfxx,
    "behind Adobe": _in(0xEE, b"Adobe\0\x64\0\0\0\0\1"),
    "colour profile": lambda data: _icc_segments(_in_profile(data)),
    "behind the colour profile": lambda data: _icc_segments(_behind_profile(data)),
    "IPTC preview": lambda data: _photoshop(_resource(0x0404, _iptc(data))),
    "IPTC of another number": lambda data: _photoshop(_resource(0x0404, _iptc(data, 240))),
    "IPTC in two segments": _photoshop_of_two,
    "Photoshop thumbnail": lambda data: _photoshop(_resource(0x040C, bytes(28) + data)),
    "Photoshop resource": lambda data: _photoshop(_resource(0x0FA1, data)),
    "Photoshop EXIF": lambda data: _photoshop(_resource(0x0422, _in_tag(0x9999)(data))),
    "Photoshop XMP": lambda data: _photoshop(_resource(0x0424, _thumbnail(data))),
    "Photoshop profile": lambda data: _photoshop(_resource(0x040F, _in_profile(data))),
    "behind Photoshop resources": lambda data: _photoshop(_resource(0x03ED, bytes(16)), data),
    "XMP thumbnail": lambda data: _jpeg((0xE1, XMP + _thumbnail(data))),
    "XMP that is none": lambda data: _jpeg((0xE1, XMP + data)),
    "XMP and bytes": lambda data: _jpeg((0xE1, XMP + packet("") + data)),
    "XMP of many words and bytes": lambda data: _jpeg(
        (0xE1, XMP + packet("") + _among_words(data))
    ),
    "EXIF XMP that is none": _in_exif(_in_tag(0x02BC, 1)),
    "XMP thumbnail of another prefix": lambda data: _jpeg((0xE1, XMP + _thumbnail(data, "a"))),
    "XMP elsewhere": lambda data: _jpeg((0xE1, XMP + _elsewhere(data))),
    "XMP elsewhere, as addresses write it": lambda data: _jpeg((0xE1, XMP + _urlsafe(data))),
    "XMP of wide characters": lambda data: _jpeg(
        (0xE1, XMP + _elsewhere(data).decode().encode("utf-16"))
    ),
    "extended XMP": lambda data: extended(_elsewhere(data)),
    "extended XMP without its beginning": lambda data: _jpeg(
        (0xE1, MORE + bytes(32) + struct.pack(">II", 1 << 20, 4096) + _elsewhere(data))
    ),
    "EXIF thumbnail": _in_exif(lambda data: jpg.tiff(jpg.short(0x0112, 1), thumbnail=data)),
    "EXIF thumbnail in strips": _in_exif(_in_strips),
    "EXIF, behind the tags": _in_exif(_third),
    "EXIF, below": _in_exif(_below),
    "EXIF, damaged": _in_exif(_damaged),
    "EXIF in two segments": _exif_of_two,
    "EXIF MakerNote": _in_exif(_in_tag(0x927C)),
    "EXIF unknown tag": _in_exif(_in_tag(0x9999)),
    "EXIF unknown tag of bytes": _in_exif(_in_tag(0x9999, 1)),
    "EXIF user comment": _in_exif(lambda data: _in_tag(0x9286)(b"ASCII\0\0\0" + _json(data))),
    "EXIF user comment of wide characters": _in_exif(lambda data: _in_tag(0x9286)(_wide(data))),
    "EXIF XMP": _in_exif(lambda data: _in_tag(0x02BC, 1)(_elsewhere(data))),
    "EXIF IPTC": _in_exif(lambda data: _in_tag(0x83BB)(_iptc(data))),
    "EXIF Photoshop": _in_exif(lambda data: _in_tag(0x8649)(_resource(0x040C, data))),
    "behind the end": lambda data: _jpeg() + data,
    "behind the end and words": lambda data: _jpeg() + b"some words of a program" + data,
    "coded data of the old picture behind the end": lambda _data: overwritten(),
}


def overwritten() -> bytes:
    """A smaller file that was written over a larger one, which was not cut off."""
    old = pictures.encoded(SCENE, "JPEG", restart_marker_blocks=4)
    new = pictures.encoded(SCENE.crop((100, 60, 300, 220)), "JPEG", quality=20)
    return new + old[len(new) :]


# -- PNG ------------------------------------------------------------------------------------------


def png_with(*parts: png.Part, end: bytes = b"") -> bytes:
    whole = png.chunks(pictures.encoded(SCENE, "PNG"))
    return png.assembled([whole[0], *parts, *whole[1:-1], ("IEND", end)])


def _raw_profile(kind: bytes, data: bytes) -> bytes:
    digits = data.hex()
    lines = [digits[at : at + 72] for at in range(0, len(digits), 72)]
    return b"\n%b\n%8d\n" % (kind, len(data)) + "\n".join([*lines, ""]).encode()


def _profile(kind: bytes, inside: Callable[[bytes], bytes] = bytes) -> Place:
    head = b"Raw profile type " + kind + b"\0\0"
    return lambda data: png_with(("zTXt", head + zlib.compress(_raw_profile(kind, inside(data)))))


def _text(kind: str, words: Callable[[bytes], bytes]) -> Place:
    heads = {"tEXt": b"workflow\0", "zTXt": b"workflow\0\0", "iTXt": b"workflow\0\1\0\0\0"}
    packed = (lambda data: data) if kind == "tEXt" else zlib.compress
    return lambda data: png_with((kind, heads[kind] + packed(words(data))))


def _behind_pixels(data: bytes) -> bytes:
    head, *pixels, end = png.chunks(pictures.encoded(SCENE, "PNG"))
    return png.assembled([head, *pixels, ("IDAT", data), end])


PNGS: dict[str, Place] = {
    "unknown chunk": lambda data: png_with(("skRf", data)),
    "unknown chunk with a name": lambda data: png_with(("prVt", b"VENDOR\0\1" + data)),
    "suggested palette": lambda data: png_with(("sPLT", b"name\0\x08" + data)),
    "transparency": lambda data: png_with(("tRNS", data)),
    "background": lambda data: png_with(("bKGD", data)),
    "time": lambda data: png_with(("tIME", data)),
    "end chunk": lambda data: png_with(end=data),
    "colour profile": lambda data: png_with(("iCCP", b"a\0\0" + zlib.compress(_in_profile(data)))),
    "behind the colour profile": lambda data: png_with(
        ("iCCP", b"a\0\0" + zlib.compress(pictures.icc_profile()) + data)
    ),
    "colour profile that is none": lambda data: png_with(("iCCP", b"a\0\0" + data)),
    **{f"{k}: base64": _text(k, base64.b64encode) for k in ("tEXt", "zTXt", "iTXt")},
    **{f"{k}: base64 in JSON": _text(k, _json) for k in ("tEXt", "zTXt", "iTXt")},
    **{f"{k}: bytes": _text(k, bytes) for k in ("tEXt", "zTXt", "iTXt")},
    **{f"{k}: bytes among words": _text(k, _among_words) for k in ("tEXt", "zTXt", "iTXt")},
    "XMP that is none": lambda data: png_with(("iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + data)),
    "zTXt that is not deflated": lambda data: png_with(("zTXt", b"workflow\0\0" + data)),
    "behind a text's stream": lambda data: png_with(
        ("zTXt", b"a\0\0" + zlib.compress(b"b") + data)
    ),
    "iTXt: where its language stands": lambda data: png_with(
        ("iTXt", b"a\0\0\0" + base64.b64encode(data) + b"\0\0words")
    ),
    "XMP thumbnail": lambda data: png_with(
        ("iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + _thumbnail(data, "a"))
    ),
    "XMP elsewhere": lambda data: png_with(
        ("iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + _elsewhere(data))
    ),
    "raw profile of IPTC": _profile(b"iptc", _iptc),
    "raw profile of resources": _profile(b"8bim", lambda d: _resource(0x0404, _iptc(d))),
    "raw profile of EXIF": _profile(b"exif", lambda d: EXIF + _in_tag(0x9999)(d)),
    "raw profile of another kind": _profile(b"generic"),
    "raw profile of colours": _profile(b"icc", _in_profile),
    "raw profile that is cut off": lambda data: png_with(
        ("tEXt", b"Raw profile type exif\0" + _raw_profile(b"exif", data)[:-3] + b"zz")
    ),
    "eXIf": lambda data: png_with(("eXIf", _in_tag(0x9999)(data))),
    "behind the pixels' stream": _behind_pixels,
    "behind the end": lambda data: png_with() + data,
}


# -- WebP, GIF, BMP, TIFF -------------------------------------------------------------------------


def _webp(*chunks: riff.Chunk, flags: int = riff.EXIF | riff.XMP, canvas: bytes = b"") -> bytes:
    coded = riff.pixels(SCENE, quality=60)
    kind, head = riff.canvas(320, 240, flags)
    return riff.assembled([(kind, head + canvas), *coded, *chunks])


WEBPS: dict[str, Place] = {
    "unknown chunk": lambda data: _webp((b"PREV", data)),
    "EXIF": lambda data: _webp((b"EXIF", _in_tag(0x9999)(data))),
    "EXIF thumbnail": lambda data: _webp((b"EXIF", jpg.tiff(thumbnail=data))),
    "XMP": lambda data: _webp((b"XMP ", _thumbnail(data, "a"))),
    "XMP that is none": lambda data: _webp((b"XMP ", data)),
    "colour profile": lambda data: _webp((b"ICCP", _in_profile(data)), flags=riff.ICC),
    "canvas": lambda data: _webp(canvas=data),
    "behind the end": lambda data: _webp() + data,
}


def gif_with(block: bytes) -> bytes:
    data = pictures.encoded(SCENE.quantize(32), "GIF")
    at = 13 + 3 * (2 << (data[10] & 7))
    return data[:at] + block + data[at:]


GIFS: dict[str, Place] = {
    "comment": lambda data: gif_with(b"!\xfe" + samples_gif.in_sub_blocks(data)),
    "comment: base64": lambda data: gif_with(b"!\xfe" + samples_gif.in_sub_blocks(_json(data))),
    "application": lambda data: gif_with(b"!\xff\x0bVENDOR  1.0" + samples_gif.in_sub_blocks(data)),
    "loops": lambda data: gif_with(b"!\xff\x0bNETSCAPE2.0" + samples_gif.in_sub_blocks(data)),
    "colour profile": lambda data: gif_with(
        b"!\xff\x0bICCRGBG1012" + samples_gif.in_sub_blocks(_in_profile(data))
    ),
    "unknown extension": lambda data: gif_with(b"!\xc0" + samples_gif.in_sub_blocks(data)),
    "XMP that is none": lambda data: gif_with(b"!\xff\x0bXMP DataXMP" + data + samples_gif.MAGIC),
    "XMP": lambda data: gif_with(b"!\xff\x0bXMP DataXMP" + _elsewhere(data) + samples_gif.MAGIC),
    "behind the end": lambda data: gif_with(b"") + data,
}


def _bmp(**options: object) -> bytes:
    values = np.asarray(SCENE.convert("L"), np.uint32)
    return bmp.build(values, 8, **options)  # type: ignore[arg-type]  # (what each place needs)


def _before_pixels(data: bytes) -> bytes:
    whole = _bmp()
    (start,) = struct.unpack_from("<I", whole, 10)
    head = whole[:2] + struct.pack("<I", len(whole) + len(data)) + whole[6:10]
    return head + struct.pack("<I", start + len(data)) + whole[14:start] + data + whole[start:]


BMPS: dict[str, Place] = {
    "before the pixels": _before_pixels,
    "colour profile": lambda data: _bmp(header=bmp.V5, profile=_in_profile(data)),
    "behind the end": lambda data: _bmp() + data,
}


def _tiff(*tags: tif.Tag, **options: object) -> bytes:
    return tif.build(SAMPLES_OF_SCENE, [*tags], **options)  # type: ignore[arg-type]  # (as above)


TIFFS: dict[str, Place] = {
    "unknown tag": lambda data: _tiff((65002, tif.UNDEFINED, data)),
    "unknown tag of bytes": lambda data: _tiff((65002, tif.BYTE, data)),
    "unknown tag of text": lambda data: _tiff((65002, tif.ASCII, data)),
    "unknown tag of numbers": lambda data: _tiff(
        (65002, tif.SHORT, np.frombuffer(data[: len(data) // 2 * 2], "<u2"))
    ),
    "MakerNote": lambda data: _tiff((34665, tif.LONG, [(37500, tif.UNDEFINED, data)])),
    "tag below": lambda data: _tiff((34665, tif.LONG, [(65002, tif.UNDEFINED, data)])),
    "GPS tag": lambda data: _tiff((34853, tif.LONG, [(99, tif.UNDEFINED, data)])),
    "description": lambda data: _tiff((270, tif.ASCII, _json(data) + b"\0")),
    "private text": lambda data: _tiff((65002, tif.ASCII, _lines(data) + b"\0")),
    "IPTC": lambda data: _tiff((33723, tif.UNDEFINED, _iptc(data))),
    "IPTC that is none": lambda data: _tiff((33723, tif.UNDEFINED, data)),
    "IPTC of numbers that spell": lambda data: _tiff(
        (33723, tif.LONG, np.frombuffer(_json(data).ljust(20_000), "<u4"))
    ),
    "XMP": lambda data: _tiff((700, tif.BYTE, _elsewhere(data))),
    "XMP that is none": lambda data: _tiff((700, tif.BYTE, data)),
    "Photoshop": lambda data: _tiff((34377, tif.BYTE, _resource(0x0FA1, data))),
    "colour profile": lambda data: _tiff((34675, tif.UNDEFINED, _in_profile(data))),
    "bytes that no tag refers to": lambda data: _tiff() + data,
}

PLACES: dict[str, tuple[str, Place]] = {
    f"{kind}: {name}": (f"a.{kind}", place)
    for kind, places in (
        *(("jpg", JPEGS), ("png", PNGS), ("webp", WEBPS)),
        *(("gif", GIFS), ("bmp", BMPS), ("tif", TIFFS)),
    )
    for name, place in places.items()
}


def planted(place: str) -> Iterator[tuple[str, bytes]]:
    """Yield what is planted in a place: all of it in the course of all places, some in each."""
    kinds = [*PLANTED]
    turn = [*PLACES].index(place)
    always = ("JPEG", "PNG", "samples")
    for kind in dict.fromkeys((*always, *(kinds[(turn + step) % len(kinds)] for step in (0, 5)))):
        yield kind, PLANTED[kind]


# -- the search -----------------------------------------------------------------------------------

_DEEPEST = 3
_DIGITS = re.compile(rb"(?:[A-Za-z0-9+/_\-]|&#xA;|\s|\\/|\0){80,}")
_HEX = re.compile(rb"[0-9a-f]{40}[0-9a-f\n]{40,}")
_STARTS = re.compile(
    rb"\xd8\xff[\xc0-\xfe]|\x89PNG\r\n|RIFF....WEBP|GIF8[79]a|BM....\0\0\0\0|II\*\0|MM\0\*"
    rb"|....ftyp|....jP  |\xff\x4f\xff\x51",
    re.DOTALL,
)


def shows_scene(crop: bytes) -> bool:
    """Whether anything in a crop, but its own pixels, looks like the whole scene."""
    layers = (crop, *(b"\0\0\0" + layer for layer in _layers(crop, _DEEPEST)))
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return any(_correlation(picture) > 0.9 for data in layers for picture in _read(data))
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False


def _layers(data: bytes, deep: int) -> Iterator[bytes]:
    """Yield the bytes, and those that they spell out or are compressed into."""
    if data.startswith((b"GIF", b" GIF")):
        yield from _layers(_without_lengths(data), deep - 1)
    if deep < _DEEPEST:
        yield data
    if not deep:
        return
    for digits in _DIGITS.findall(data.replace(b"\\/", b"/")):
        plain = re.sub(rb"&#xA;|\s|\0", b"", digits)
        for cut in range(4):
            text = plain[cut : cut + (len(plain) - cut) // 4 * 4]
            decoded = base64.b64decode(text.translate(bytes.maketrans(b"-_", b"+/")))
            yield from _layers(decoded, deep - 1)
    for digits in _HEX.findall(data):
        plain = re.sub(rb"\s", b"", digits)
        yield from _layers(binascii.unhexlify(plain[: len(plain) // 2 * 2]), deep - 1)
    for at in [m.start() for m in re.finditer(rb"\x78[\x01\x5e\x9c\xda]", data)][:50]:
        try:
            yield from _layers(zlib.decompressobj().decompress(data[at:]), deep - 1)
        except zlib.error:
            continue


def _without_lengths(data: bytes) -> bytes:
    """Return a GIF's bytes without what stands between full sub-blocks of an extension."""
    at, pieces = 0, list[bytes]()
    while (start := data.find(b"!", at)) >= 0:
        at = start + 1
        place = start + 2
        while place < len(data) and data[place] and len(pieces) < 4000:
            pieces.append(data[place + 1 : place + 1 + data[place]])
            place += 1 + data[place]
        at = max(at, place) if data[start + 1 : start + 2] in (b"\xfe", b"\xff", b"\xc0") else at
    return b"".join(pieces)


def _read(data: bytes) -> Iterator[Image.Image]:
    starts = sorted({max(0, m.start() - 1) for m in _STARTS.finditer(data)})
    for start in [s for s in starts if s][:60]:  # at 0 is the crop itself
        for piece in (data[start:], data[start + 1 :], b"\xff" + data[start + 1 :]):
            try:
                picture = Image.open(BytesIO(piece))
                if picture.size == SMALL.size:
                    picture.load()
                    yield picture
            except (OSError, SyntaxError, ValueError, EOFError):
                continue
    yield from _samples(data)


def _samples(data: bytes) -> Iterator[Image.Image]:
    """Look for the planted samples as they are: a decoder would have to be told their size."""
    plain = PLANTED["samples"]
    for first, last in pairwise(range(0, len(plain), len(plain) // 8)):
        at = data.find(plain[first : first + 24])
        if at >= first and data.find(plain[last : last + 24]) == at + last - first:
            piece = data[at - first : at - first + len(plain)].ljust(len(plain), b"\0")
            yield Image.frombytes("L", SMALL.size, piece)


def _correlation(picture: Image.Image) -> float:
    meant, seen = (_gray(each) for each in (SCENE, picture))
    return float(np.corrcoef(meant.ravel(), seen.ravel())[0, 1]) if seen.std() else 0.0


def _gray(picture: Image.Image) -> npt.NDArray[np.float64]:
    return np.asarray(picture.convert("L").resize((48, 36)), np.float64)
