"""PNG's filters, undone: by libpng for what is read, by Pillow for what was written.

Filters work on bytes and know of a pixel only how many it has. So rows of any kind of pixel are
handed to a decoder as the plainest kind of as many bytes, in a stream that is not compressed: it
undoes the filters and converts nothing, not even 16 bits.
"""

from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image

from cropkit.formats import zlib_streams
from cropkit.formats.codecs import codec
from cropkit.formats.png.chunks import SIGNATURE, Ihdr, framed
from cropkit.formats.zlib_streams import Octets

# Bytes a pixel -> the depth and colour type of the plainest kind.
_PLAIN = {1: (8, 0), 2: (8, 4), 3: (8, 2), 4: (8, 6), 6: (16, 2), 8: (16, 6)}
# Bytes a pixel -> Pillow's mode, and the raw modes to read it with: high bytes, then low bytes.
_RAW = {
    1: ("L", ("L",)),
    2: ("LA", ("LA",)),
    3: ("RGB", ("RGB",)),
    4: ("RGBA", ("RGBA",)),
    6: ("RGB", ("RGB;16B", "RGB;16L")),
    8: ("RGBA", ("RGBA;16B", "RGBA;16L")),
}
_WIDEST = 1_000_000  # pixels; libpng takes no more
_BAND_BYTES = 1 << 18
_AS_IT_IS = 0  # the filter that is none
Undo = Callable[[Octets, int], Octets]


def undone(filtered: Octets, bpp: int, undo: Undo) -> Iterator[Octets]:
    """Yield the rows without their filters, a band at a time.

    A band begins with the row above it, which stands there as it is: so no band needs more memory
    than the processor has near by, and none needs those before it.

    Parameters
    ----------
    filtered : (height, 1 + stride), each row behind its filter byte
    bpp : bytes a pixel, as filters see them
    """
    height, length = filtered.shape
    above = np.zeros(length - 1, np.uint8)
    step = max(1, _BAND_BYTES // length)
    for at in range(0, height, step):
        band = filtered[at : at + step]
        part = np.empty((len(band) + 1, length), np.uint8)
        part[0, 0], part[0, 1:], part[1:] = _AS_IT_IS, above, band
        rows = undo(part, bpp)[1:]
        above = rows[-1]
        yield rows


def by_libpng(filtered: Octets, bpp: int) -> Octets:
    """Return rows without their filters, by libpng; by Pillow where libpng's wheel is missing."""
    if not zlib_streams.has_codecs or filtered.shape[1] > _WIDEST * bpp:
        return by_pillow(filtered, bpp)
    height, width = filtered.shape[0], (filtered.shape[1] - 1) // bpp
    decoded = codec("png_decode", _plain_file(filtered, Ihdr(width, height, *_PLAIN[bpp])))
    if decoded.dtype == np.uint16:
        decoded = decoded.astype(">u2")
    rows: Octets = decoded.reshape(height, -1).view(np.uint8)
    return rows


def by_pillow(filtered: Octets, bpp: int) -> Octets:
    """Return rows without their filters, by Pillow's own decoder."""
    mode, raws = _RAW[bpp]
    height, width = filtered.shape[0], (filtered.shape[1] - 1) // bpp
    stream = zlib_streams.stored(filtered)
    read = [
        np.asarray(Image.frombytes(mode, (width, height), stream, "zip", raw, 0)) for raw in raws
    ]
    pixels = read[0] if len(read) == 1 else np.stack(read, axis=-1)
    return pixels.reshape(height, -1)


def _plain_file(filtered: Octets, header: Ihdr) -> Octets:
    """Return a PNG of one pixel chunk around the rows, made without copying them twice."""
    before = SIGNATURE + header.chunk().encoded()
    data = zlib_streams.stored(filtered, len(before) + 8, len(_AFTER) + 4)
    start, end = len(before) + 8, len(data) - len(_AFTER) - 4
    head, tail = framed("IDAT", (data[start:end].data,))
    data[:start] = np.frombuffer(before + head, np.uint8)
    data[end:] = np.frombuffer(tail + _AFTER, np.uint8)
    return data


_AFTER = b"\0\0\0\0IEND\xaeB`\x82"
