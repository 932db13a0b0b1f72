"""A TIFF for each row of the table of capabilities: by tifffile, or put together by hand."""

from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
import pictures
import tiff_builder as tif
import tifffile
from planting import PLACES

from cropkit.formats.capabilities import PRIVATE, SPELT, UNSIGNED

WIDTH, HEIGHT = 83, 61
Pixels = npt.NDArray[Any]
COMPRESSIONS = (None, "lzw", "adobe_deflate", "packbits", "lzma", "zstd")
DTYPES = ("u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8")


def values(dtype: str = "u1", samples: int = 1) -> Pixels:
    rng = np.random.default_rng(samples)
    whole = rng.integers(0, 100, (HEIGHT, WIDTH, samples))
    return (whole if samples > 1 else whole[..., 0]).astype(dtype)


def written(pixels: Pixels, **options: Any) -> bytes:
    out = BytesIO()
    if pixels.ndim == 3:
        options.setdefault("photometric", "rgb" if pixels.shape[-1] == 3 else "minisblack")
        options.setdefault("planarconfig", "contig")
    if options.get("planarconfig") == "separate":
        pixels = np.ascontiguousarray(np.moveaxis(pixels, -1, 0))
    tifffile.imwrite(out, pixels, **{"metadata": None, **options})
    return out.getvalue()


def tagged(*tags: tif.Tag, samples: int = 1, **options: Any) -> bytes:
    return tif.build(values("u1", samples), [*tags], **options)


def changed(*tags: tif.Tag, samples: int = 1) -> bytes:
    return tif.build(values("u1", samples), changed={tag[0]: tag for tag in tags})


def second(*, chained: int | None = None, child: int | None = None) -> bytes:
    """An image with another one behind it or below it, of a subfile type."""
    builder = tif.Builder()

    def small(kind: int) -> int:
        at = builder.put(bytes(24))
        tags: list[tif.Tag] = [(254, tif.LONG, [kind]), (256, tif.SHORT, [6])]
        tags += [(257, tif.SHORT, [4]), (273, tif.LONG, [at]), (279, tif.LONG, [24])]
        return builder.directory(tags)

    tags: list[tif.Tag] = [(256, tif.SHORT, [WIDTH]), (257, tif.SHORT, [HEIGHT])]
    tags += [(258, tif.SHORT, [8]), (262, tif.SHORT, [1])]
    tags += [(273, tif.LONG, [builder.put(values().tobytes())])]
    tags += [(279, tif.LONG, [WIDTH * HEIGHT])]
    if child is not None:
        tags.append((330, tif.LONG, [small(child)]))
    return builder.finished(builder.directory(tags, 0 if chained is None else small(chained)))


def bits(depth: int, samples: int = 1) -> bytes:
    """Packed samples; a row may end inside a byte."""
    row = (WIDTH * samples * depth + 7) // 8
    data = np.random.default_rng(depth).integers(0, 256, (HEIGHT, row), np.uint8).tobytes()
    builder = tif.Builder()
    at = builder.put(data)
    tags: list[tif.Tag] = [(256, tif.SHORT, [WIDTH]), (257, tif.SHORT, [HEIGHT])]
    tags += [(258, tif.SHORT, [depth] * samples), (262, tif.SHORT, [1 if samples == 1 else 2])]
    tags += [(273, tif.LONG, [at]), (277, tif.SHORT, [samples]), (279, tif.LONG, [len(data)])]
    return builder.finished(builder.directory(tags))


NOTE: tif.Tag = (34665, tif.LONG, [(37500, tif.UNDEFINED, b"Maker\0" + bytes(range(200)))])
JPEG = pictures.encoded(pictures.photo(16, 12), "JPEG")
XMP = f"<x tiff:ImageWidth='{WIDTH}' tiff:ImageLength='{HEIGHT}'/>".encode()
CARRIED: list[tif.Tag] = [
    (270, tif.ASCII, b"a lighthouse\0"),
    (282, tif.RATIONAL, [300, 1]),
    (283, tif.RATIONAL, [300, 1]),
    (306, tif.ASCII, b"2026:01:02 03:04:05\0"),
    (33723, tif.UNDEFINED, b"\x1c\x02\x05\0\x04name"),
    (34665, tif.LONG, [(33434, tif.RATIONAL, [1, 250])]),
    (34675, tif.UNDEFINED, pictures.icc_profile()),
    (34853, tif.LONG, [(1, tif.ASCII, b"N\0")]),
    (65000, tif.DOUBLE, [1.5, 2.5]),
]


def photoshop(number: int, data: bytes) -> tif.Tag:
    padded = data + bytes(len(data) % 2)
    resource = b"8BIM" + number.to_bytes(2) + b"\0\0" + len(data).to_bytes(4) + padded
    return (34377, tif.BYTE, resource)


SAMPLES: dict[str, bytes | list[bytes]] = {
    "samples of any kind and number, 1 to 64 bits": [
        *(written(values(dtype, samples)) for dtype in DTYPES for samples in (1, 3, 5)),
        *(bits(depth) for depth in (1, 2, 4, 12)),
        bits(5, 3),
    ],
    "none, LZW, Deflate, PackBits, LZMA, Zstandard": [
        written(values("u2", 3), compression=each) for each in COMPRESSIONS
    ],
    "predictors, planes, byte and bit order, BigTIFF": [
        written(values("u2", 3), compression="lzw", predictor=True),
        written(values("f4"), compression="adobe_deflate", predictor=True),
        written(values("u1", 3), planarconfig="separate"),
        written(values("u2", 3), byteorder=">", bigtiff=True),
        changed((266, tif.SHORT, [2])),
    ],
    "strips and tiles": [
        written(values("u1", 3), rowsperstrip=7),
        written(values("u1", 3), tile=(16, 32)),
    ],
    "EXIF, GPS, Interoperability, ICC, IPTC, private tags": [
        tagged(*CARRIED, samples=3),
        tagged((40965, tif.LONG, [(1, tif.ASCII, b"R98\0"), (2, tif.UNDEFINED, b"0100")])),
    ],
    "IPTC's preview": PLACES["tif: IPTC"][1](JPEG),
    SPELT: PLACES["tif: description"][1](JPEG),
    PRIVATE: tagged((65002, tif.UNDEFINED, bytes(range(256)) * 2)),
    "GDAL's statistics, ImageJ's overlays": [
        tagged((42112, tif.ASCII, b'<G><Item name="STATISTICS_MEAN">9</Item></G>\0')),
        tagged((50838, tif.LONG, [12, 4]), (50839, tif.BYTE, b"IJIJroi \0\0\0\1Iout")),
    ],
    "a picture in the colour profile": PLACES["tif: colour profile"][1](JPEG),
    "MakerNote before the pixels": tagged(NOTE, tags_first=True),
    "MakerNote behind the pixels": tagged(NOTE),
    "dimensions, subject, strip and tile tables": tagged(
        (34665, tif.LONG, [(0xA002, tif.LONG, [WIDTH]), (0x9214, tif.SHORT, [30, 20])])
    ),
    "XMP": tagged((700, tif.BYTE, XMP)),
    "OME-XML, tifffile's shape": [
        written(values("u1", 3), ome=True, metadata={"axes": "YXS"}),
        written(values("u1", 3), metadata={}),
    ],
    "place on the page, GeoTIFF's ties": [
        tagged((33922, tif.DOUBLE, [10.0, 20, 0, 500, 600, 0])),
        tagged(
            (282, tif.RATIONAL, [300, 1]),
            (283, tif.RATIONAL, [300, 1]),
            (286, tif.RATIONAL, [1, 2]),
            (287, tif.RATIONAL, [0, 1]),
        ),
    ],
    "Photoshop resources": tagged(photoshop(0x040C, b"scene")),
    "reduced pictures: pages, SubIFDs, previews": [
        second(chained=1),
        second(child=1),
        tagged((65002, tif.UNDEFINED, b"head" + JPEG)),
    ],
    "bytes that no tag refers to": tagged() + b"what an older program left behind",
    "clip paths": tagged((343, tif.BYTE, b"path" * 4), (344, tif.SHORT, [9])),
    "pages, masks, ImageJ stacks": [
        second(chained=0),
        second(chained=2),
        second(child=0),
        tagged((270, tif.ASCII, b"ImageJ=1.53\nimages=9\n\0")),
    ],
    "Photoshop layers": tagged((37724, tif.UNDEFINED, b"Adobe Photoshop")),
    "content credentials (C2PA)": tagged((52545, tif.UNDEFINED, b"jumbf")),
    "JPEG, fax, WebP, JPEG 2000 inside": [
        changed((259, tif.SHORT, [each])) for each in (2, 3, 4, 6, 7, 34712, 50001, 9999)
    ],
    "DNG, raw cameras, volumes, strips left out": [
        tagged((50706, tif.BYTE, [1, 4, 0, 0])),
        changed((262, tif.SHORT, [32803])),
        tagged((32997, tif.LONG, [4])),
        changed((tif.OFFSETS, tif.LONG, [0]), (tif.COUNTS, tif.LONG, [0])),
    ],
    "YCbCr of reduced resolution, mixed depths": [
        changed((262, tif.SHORT, [6]), samples=3),
        changed((258, tif.SHORT, [5, 6, 5]), samples=3),
    ],
}
SAMPLES[UNSIGNED] = SAMPLES["content credentials (C2PA)"]
