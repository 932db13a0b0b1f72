"""A BMP for each row of the table of capabilities, put together by hand."""

import struct
from typing import Any

import bmp_builder as bmp
import numpy as np
import pictures
from planting import PLACES

from cropkit.formats.capabilities import UNTRAILED

JPEG = pictures.encoded(pictures.photo(16, 12), "JPEG")


def built(bits: int, **options: Any) -> bytes:
    shape = (37, 46)
    values = np.random.default_rng(bits).integers(0, 1 << bits, shape, dtype=np.uint64)
    return bmp.build(values.astype(np.uint32), bits, **options)


def coded(number: int) -> bytes:
    """A file that says another coding of its rows."""
    data = bytearray(built(24))
    struct.pack_into("<I", data, 30, number)
    return bytes(data)


SAMPLES: dict[str, bytes | list[bytes]] = {
    "pixels of 1 to 32 bits, alpha, bit fields": [
        *(built(bits) for bits in (1, 4, 8, 16, 24, 32)),
        built(16, masks=bmp.MASKS_565),
        built(32, header=bmp.V4, masks=bmp.MASKS_8888),
    ],
    "header of any age, palette, resolution, row order": [
        *(built(bits, header=bmp.CORE) for bits in (1, 4, 8, 24)),
        *(built(24, header=header) for header in (bmp.INFO, bmp.V4, bmp.V5)),
        *(built(bits, top_down=True) for bits in (1, 8, 32)),
        built(24, extra=b"whatever stands here"),
    ],
    "data before the pixels": PLACES["bmp: before the pixels"][1](bytes(range(256)) * 2),
    "a picture in the colour profile": PLACES["bmp: colour profile"][1](JPEG),
    "ICC profile behind the pixels": built(24, header=bmp.V5, profile=pictures.icc_profile()),
    "width, height, lengths": built(24),
    "run lengths, JPEG or PNG inside": [coded(number) for number in (1, 2, 4, 5)],
    "data after the end": built(24) + b"more",
}
SAMPLES[UNTRAILED] = SAMPLES["data after the end"]
