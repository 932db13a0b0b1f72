"""TIFF's compressions and predictors: the bytes of strips and tiles to rows and back.

imagecodecs encodes, and decodes all but LZW; see `tiff_check` for libtiff's part. Differences are
taken by NumPy and undone by imagecodecs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cropkit.formats.bit_rows import Rows
from cropkit.formats.codecs import codec

Bytes = bytes | memoryview
NONE, LZW, DEFLATE = 1, 5, 8
PACKBITS, OLD_DEFLATE, LZMA, ZSTD = 32773, 32946, 34925, 50000
HORIZONTAL, FLOATING = 2, 3
_REFUSED = {
    2: "fax (CCITT)",
    3: "fax (group 3)",
    4: "fax (group 4)",
    6: "JPEG (old style)",
    7: "JPEG",
    34712: "JPEG 2000",
    34887: "LERC",
    50001: "WebP",
    50002: "JPEG XL",
}
_REVERSED = np.array([int(f"{byte:08b}"[::-1], 2) for byte in range(256)], np.uint8)


@dataclass(frozen=True, slots=True)
class Compression:
    """A codec of imagecodecs, and its levels from the quickest to the smallest."""

    name: str
    levels: tuple[int, ...] = (0,)


# libdeflate's; 12 is the last, and takes minutes.
_DEFLATE_LEVELS = (1, 2, 3, 4, 5, 6, 7, 8, 9)
COMPRESSIONS: Mapping[int, Compression] = {
    NONE: Compression("none"),
    LZW: Compression("lzw"),
    PACKBITS: Compression("packbits"),
    DEFLATE: Compression("deflate", _DEFLATE_LEVELS),
    OLD_DEFLATE: Compression("deflate", _DEFLATE_LEVELS),
    LZMA: Compression("lzma", (6,)),
    ZSTD: Compression("zstd", (3, 9, 15, 19)),
}


@dataclass(frozen=True, slots=True)
class Pixel:
    """The samples of a pixel that differences are taken of: bytes of each, and their order."""

    samples: int
    bytes: int
    order: str

    @property
    def dtype(self) -> np.dtype[Any]:
        """The samples as unsigned integers of the file."""
        return np.dtype(f"{self.order}u{self.bytes}")


def name_of(number: int) -> str:
    """Return what a compression that is not in the table is called."""
    return _REFUSED.get(number, f"number {number}")


def decompressed(data: Bytes, compression: int, length: int, capacity: int) -> Rows:
    """Return the bytes of a strip or tile.

    Parameters
    ----------
    length : bytes that must be there
    capacity : bytes that there may be: some writers fill the last strip up

    Raises
    ------
    ValueError
    """
    if compression == LZW and bytes(data[:1]) == b"\0" and len(data) > 1 and data[1] & 1:
        raise ValueError("LZW of before TIFF 6.0")
    name = COMPRESSIONS[compression].name
    decoded = data if compression == NONE else codec(f"{name}_decode", data, out=capacity)
    if len(decoded) < length:
        raise ValueError(f"truncated: {len(decoded)} of {length} bytes in a strip or tile")
    return np.frombuffer(decoded, np.uint8, length)


def compressed(rows: Rows, compression: int, level: int) -> Bytes:
    """Return rows as the bytes of a strip or tile."""
    name = COMPRESSIONS[compression].name
    if compression == NONE:
        return np.ascontiguousarray(rows).data.cast("B")
    if compression == PACKBITS:  # each row by itself (TIFF 6.0, section 9)
        return bytes(codec("packbits_encode", np.ascontiguousarray(rows), axis=-1))
    options = {"level": level} if level else {}
    return bytes(codec(f"{name}_encode", rows.tobytes(), **options))


def predicted(rows: Rows, predictor: int, pixel: Pixel) -> Rows:
    """Return rows as the differences that are stored (TIFF 6.0, section 14; TIFF technote 3)."""
    if predictor == HORIZONTAL:
        values = _values(rows, pixel)
        apart = values.copy()
        apart[:, 1:] -= values[:, :-1]
        return apart.astype(pixel.dtype, copy=False).view(np.uint8).reshape(rows.shape)
    if predictor == FLOATING:
        # All first bytes of a row, then all second ones, most significant first, as differences.
        count = rows.shape[1] // pixel.bytes
        big = _swapped(rows.reshape(len(rows), count, pixel.bytes), pixel)
        apart = np.ascontiguousarray(big.transpose(0, 2, 1)).reshape(rows.shape)
        apart[:, pixel.samples :] -= apart[:, : -pixel.samples].copy()
        return apart
    return rows


def unpredicted(rows: Rows, predictor: int, pixel: Pixel) -> Rows:
    """Undo the differences."""
    if predictor == HORIZONTAL:
        values: Any = codec("delta_decode", _values(rows, pixel), axis=-2)
        return np.asarray(values.astype(pixel.dtype, copy=False)).view(np.uint8).reshape(rows.shape)
    if predictor == FLOATING:
        dtype = np.dtype(f"{pixel.order}f{pixel.bytes}")
        shaped = rows.view(dtype).reshape(len(rows), -1, pixel.samples)
        restored: Any = codec("floatpred_decode", shaped, axis=-2)
        return np.ascontiguousarray(restored).view(np.uint8).reshape(rows.shape)
    return rows


def reversed_bits(data: Bytes) -> bytes:
    """Return the bytes with the bits of each turned round (FillOrder 2)."""
    return _REVERSED[np.frombuffer(data, np.uint8)].tobytes()


def _values(rows: Rows, pixel: Pixel) -> npt.NDArray[Any]:
    """Return rows as (rows, pixels, samples) of numbers in the machine's byte order."""
    shaped = np.ascontiguousarray(rows).view(pixel.dtype).reshape(len(rows), -1, pixel.samples)
    return shaped.astype(pixel.dtype.newbyteorder("="), copy=False)


def _swapped(values: Rows, pixel: Pixel) -> Rows:
    """Return (rows, samples, bytes) with the most significant byte first."""
    return values if pixel.order == ">" else values[..., ::-1]
