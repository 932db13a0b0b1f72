"""A PNG for each row of the table of capabilities, put together by the letter of the standard."""

import gzip
import struct
import zlib
from collections.abc import Iterable

import jpeg_builder as jpg
import pictures
import png_builder as png
from planting import CAMERA_RAW, PLACES
from png_builder import KINDS, Part

from cropkit.formats.capabilities import PRIVATE, SPELT, UNSIGNED, UNTRAILED

WIDTH, HEIGHT = 46, 37
JPEG = pictures.encoded(pictures.photo(16, 12), "JPEG")
EXIF = jpg.tiff(jpg.short(0x0100, WIDTH), jpg.short(0x0101, HEIGHT), jpg.short(0x0112, 1))
EXIF_SHOWING = jpg.tiff(jpg.short(0x0112, 1), thumbnail=JPEG)
XMP = f"<x tiff:ImageWidth='{WIDTH}' tiff:ImageLength='{HEIGHT}'/>".encode()
XMP_SHOWING = b"<xmp:Thumbnails>scene</xmp:Thumbnails>"


def rgb(
    before: Iterable[Part] = (), after: Iterable[Part] = (), *, interlace: bool = False
) -> bytes:
    samples = png.values(2, 8, WIDTH, HEIGHT)
    return png.build(samples, 2, 8, before=[*before], after=[*after], interlace=interlace)


def every_kind(*, interlace: bool = False) -> list[bytes]:
    """Every colour type and depth, and the smallest sizes of each, where passes and bytes end."""
    sizes = [(WIDTH, HEIGHT), *((side, side) for side in (1, 2, 3, 5, 7, 9))]
    return [
        png.build(png.values(*kind, *size), *kind, interlace=interlace)
        for kind in KINDS
        for size in sizes
    ]


def every_filter() -> list[bytes]:
    samples = png.values(2, 8, WIDTH, HEIGHT)
    return [png.build(samples, 2, 8, filters=(number,)) for number in range(5)]


def every_way_to_compress() -> list[bytes]:
    """Every level and strategy of zlib, small windows, and pixels in chunks of any length."""
    header, pixels, end = png.chunks(rgb())[0], png.idat(rgb()), ("IEND", b"")
    raw = zlib.decompress(pixels)
    streams = [zlib.compress(raw, level) for level in range(10)]
    for strategy in range(5):
        stream = zlib.compressobj(9, zlib.DEFLATED, 9, 1, strategy)
        streams.append(stream.compress(raw) + stream.flush())
    whole = [png.assembled([header, ("IDAT", stream), end]) for stream in streams]
    cuts = [png.assembled([header, *png.cut(pixels, length), end]) for length in (1, 7, 8192)]
    empty = [("IDAT", b""), ("IDAT", pixels), ("IDAT", b"")]
    return [*whole, *cuts, png.assembled([header, *empty, end])]


def padded() -> list[bytes]:
    """Bytes after the end of the deflate stream, in its own chunk and in one more."""
    header, pixels, end = png.chunks(rgb())[0], png.idat(rgb()), ("IEND", b"")
    one = [("IDAT", pixels + b"something")]
    two = [("IDAT", pixels), ("IDAT", b"something")]
    return [png.assembled([header, *parts, end]) for parts in (one, two)]


def transparent() -> list[bytes]:
    """Transparency of each kind that may have it, beside a palette and without."""
    parts = {(0, 2): b"\0\1", (0, 16): b"\1\2", (2, 8): bytes(6), (3, 4): b"\0\x80\xff"}
    made = [
        png.build(png.values(*kind, WIDTH, HEIGHT), *kind, before=[("tRNS", data)])
        for kind, data in parts.items()
    ]
    suggested = ("PLTE", bytes(range(30)))
    samples = png.values(6, 8, WIDTH, HEIGHT)
    return [*made, rgb([suggested]), png.build(samples, 6, 8, before=[suggested])]


def raw_profile(kind: str, data: bytes) -> Part:
    """As ImageMagick writes them."""
    text = f"\n{kind}\n{len(data):8}\n{data.hex()}\n".encode()
    return "zTXt", f"Raw profile type {kind}\0\0".encode() + zlib.compress(text)


def itxt(keyword: str, text: bytes) -> Part:
    return "iTXt", keyword.encode() + b"\0\0\0\0\0" + text


def stealthy(colour: int, text: bytes = b"parameters", *, packed: bool = True) -> bytes:
    """Hide a text in alpha or in the colours, as the programs do that make such pictures."""
    samples = png.values(colour, 8, WIDTH, HEIGHT)
    kind = {6: b"stealth_png", 2: b"stealth_rgb"}[colour] + (b"comp" if packed else b"info")
    data = gzip.compress(text, mtime=0) if packed else text
    message = kind + struct.pack(">I", 8 * len(data)) + data
    bits = [int(bit) for byte in message for bit in f"{byte:08b}"]
    channels = (3,) if colour == 6 else (0, 1, 2)
    places = ((x, y, c) for x in range(WIDTH) for y in range(HEIGHT) for c in channels)
    for (x, y, channel), bit in zip(places, bits, strict=False):
        samples[y, x, channel] = samples[y, x, channel] & 0xFE | bit
    return png.build(samples, colour, 8)


ICC = ("iCCP", b"sRGB\0\0" + zlib.compress(pictures.icc_profile()))
CHROMA = struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
FRAME = struct.pack(">5I2H2B", 0, WIDTH, HEIGHT, 0, 0, 1, 10, 0, 0)
FRAMES = [("fcTL", FRAME), ("fdAT", b"\0\0\0\1x")]
PLAIN = rgb()
RAW = zlib.decompress(png.idat(PLAIN))


def with_stream(stream: bytes) -> bytes:
    """The plain picture with another pixel stream."""
    return png.assembled([*png.chunks(PLAIN)[:1], ("IDAT", stream), ("IEND", b"")])


SAMPLES: dict[str, bytes | list[bytes]] = {
    "pixels of every colour type, 1 to 16 bits": [
        *every_kind(),
        *every_filter(),
        *every_way_to_compress(),
    ],
    "palette and transparency (PLTE, tRNS)": transparent(),
    "text: parameters, prompt, workflow, ...": rgb(
        [
            ("tEXt", b"parameters\0a lighthouse\nSteps: 30"),
            ("zTXt", b"workflow\0\0" + zlib.compress(b"{}")),
            itxt("prompt", "灯台".encode()),
        ],
        [("tEXt", b"Comment\0after the pixels"), ("iTXt", b"Title\0\1\0de\0Titel\0x\x9c")],
    ),
    "colour: iCCP, sRGB, gAMA, cHRM, cICP": [
        rgb([ICC]),
        rgb([("sRGB", b"\0"), ("gAMA", struct.pack(">I", 45455)), ("cHRM", CHROMA)]),
        rgb([("cICP", bytes([9, 16, 0, 1])), ("mDCV", bytes(24)), ("cLLI", bytes(8))]),
    ],
    "pHYs, sBIT, bKGD, tIME, sPLT, private chunks": rgb(
        [
            ("sBIT", b"\5\6\5"),
            ("bKGD", bytes(6)),
            ("pHYs", struct.pack(">IIB", 3937, 3937, 1)),
            ("sPLT", b"spectrum\0\x08" + bytes(range(12))),
            ("sCAL", b"\1" + b"0.5\0" + b"0.5"),
            ("pCAL", b"depth\0" + bytes(10) + b"m"),
            ("tIME", bytes([7, 232, 2, 29, 23, 59, 60])),
            ("vpAg", bytes(9)),
            ("gIFg", bytes(4)),
            ("prVt", b"a private chunk"),
        ]
    ),
    "padding after the end": PLAIN + b"\0\0\r\n",
    "eXIf, raw EXIF profiles": [
        rgb([("eXIf", EXIF)]),
        rgb([("eXIf", b"Exif\0\0" + EXIF)]),
        rgb([raw_profile("exif", b"Exif\0\0" + EXIF)]),
        rgb([raw_profile("APP1", b"Exif\0\0" + EXIF)]),
    ],
    "XMP, raw XMP profiles": [
        rgb([itxt("XML:com.adobe.xmp", XMP)]),
        rgb([raw_profile("xmp", XMP)]),
    ],
    "oFFs, caNv": rgb(
        [("oFFs", struct.pack(">iiB", 5, 40, 0)), ("caNv", struct.pack(">IIii", 500, 400, 7, 9))]
    ),
    "interlacing (Adam7)": every_kind(interlace=True),
    "iDOT": rgb([("iDOT", bytes(28))]),
    "hIST": rgb([("hIST", bytes(8))]),
    "sTER": rgb([("sTER", b"\0")]),
    "prVW, mkBF, mkBS, mkBT, mkTS": rgb([("prVW", b"x"), ("mkBF", b"x"), ("mkTS", b"x")]),
    "acTL, fcTL": rgb([("acTL", struct.pack(">II", 1, 0)), ("fcTL", FRAME)]),
    "fdAT": [
        rgb([("fcTL", FRAME)], FRAMES),
        rgb([], [("acTL", struct.pack(">II", 2, 0)), *FRAMES]),
        rgb([("acTL", struct.pack(">II", 2, 0))] * 2, FRAMES),
        rgb([("acTL", struct.pack(">II", (1 << 31) + 1, 0))], FRAMES),
    ],
    "a picture in a private chunk (Skitch, ...)": [
        rgb([("skRf", b"#\0" + JPEG)]),
        rgb([("skRf", PLAIN)]),
    ],
    SPELT: [
        PLACES[f"png: {each}"][1](JPEG)
        for each in ("tEXt: base64", "zTXt: base64 in JSON", "XMP elsewhere")
    ],
    PRIVATE: rgb([("prVt", bytes(range(256)) * 2)]),
    "Camera Raw's crops and masks in XMP": rgb([itxt("XML:com.adobe.xmp", CAMERA_RAW)]),
    "a picture in the colour profile": PLACES["png: colour profile"][1](JPEG),
    "generation data in alpha (stealth PNG info)": stealthy(6),
    "generation data in the colours (stealth)": stealthy(2),
    "an end that is missing": PLAIN[:-12],
    "a checksum that is missing, rows too many": [
        with_stream(png.idat(PLAIN)[:-4]),
        with_stream(zlib.compress(RAW + RAW[: 1 + 3 * WIDTH])),
    ],
    "pixels whose chunk has a wrong checksum": PLAIN[:-16] + b"oops" + PLAIN[-12:],
    "ancillary chunks of a wrong checksum": PLAIN[:33]
    + png.chunk("gAMA", struct.pack(">I", 45455))[:-4]
    + b"oops"
    + PLAIN[33:],
    "bytes behind the pixel stream": padded(),
    "thumbnails in EXIF and XMP": [
        rgb([("eXIf", EXIF_SHOWING)]),
        rgb([itxt("XML:com.adobe.xmp", XMP_SHOWING)]),
    ],
    "animation of several frames (APNG)": [
        rgb([("acTL", struct.pack(">II", 2, 0)), ("fcTL", FRAME)], [("fdAT", b"\0\0\0\1x")]),
        rgb([("acTL", struct.pack(">II", 1, 0)), ("fcTL", FRAME)], [("fdAT", b"\0\0\0\1x")]),
        rgb([("acTL", struct.pack(">II", 9, 0))]),
    ],
    "gain map (gdAT)": rgb([("gmAP", b"x")], [("gdAT", b"x")]),
    "content credentials (caBX), dSIG": [rgb([("caBX", b"jumb")]), rgb([("dSIG", b"x")])],
    "data after the end": [PLAIN + b"the old picture", PLAIN + PLAIN],
    "unknown critical chunks (CgBI, ...)": [rgb([("CgBI", bytes(4))]), rgb([("NEWc", b"x")])],
}
SAMPLES[UNSIGNED] = SAMPLES["content credentials (caBX), dSIG"]
SAMPLES[UNTRAILED] = SAMPLES["data after the end"]
