"""Generation data that programs hide in the lowest bits of a PNG's samples ("stealth PNG info").

A signature, the number of bits and the bits of a text stand there column by column from the top
left corner: in alpha, or in the colours. A crop that moves the corner, or changes the height, makes
them unreadable. Those in alpha are written anew, where the crop has room for them: each alpha moves
by one level at most. Those in the colours are not, as the colours would be others.
"""

import zlib
from dataclasses import dataclass

import numpy as np

from cropkit.formats.account import Account
from cropkit.formats.metadata import inspection
from cropkit.formats.png import samples
from cropkit.formats.png.chunks import Ihdr
from cropkit.formats.zlib_streams import Octets
from cropkit.geometry import PixelBox

_IN_ALPHA = (b"stealth_pnginfo", b"stealth_pngcomp")
_IN_COLOURS = (b"stealth_rgbinfo", b"stealth_rgbcomp")
_SIGNATURE = 8 * len(_IN_ALPHA[0])
_HEAD = _SIGNATURE + 32  # bits of the signature and of the length
_KINDS = {2: (3,), 6: (1, 3)}  # how many samples of a pixel hold a bit, by the type of colour
_ALPHA, _BYTE, _MOST = 3, 8, 1 << 24
_WINDOW = 31  # zlib's window bits, with the header of gzip


@dataclass(frozen=True, slots=True)
class Stealth:
    """All of the bits, each a byte of 0 or 1, and whether alpha holds them."""

    bits: Octets
    in_alpha: bool

    @property
    def text(self) -> bytes | None:
        """What the bits say, None where it cannot be inflated."""
        data = np.packbits(self.bits[_HEAD:]).tobytes()
        if np.packbits(self.bits[:_SIGNATURE]).tobytes().endswith(b"info"):
            return data
        inflating = zlib.decompressobj(_WINDOW)
        try:
            text = inflating.decompress(data, _MOST)
        except zlib.error:
            return None
        return text if inflating.eof else None


def read(header: Ihdr, filtered: Octets, name: str) -> Stealth | None:
    """Return what is hidden in an image of these rows, None where nothing is."""
    if header.depth != _BYTE:
        return None
    for channels in _KINDS.get(header.colour, ()):
        head = _bits(header, filtered, _HEAD, channels, name)
        signature = np.packbits(head[:_SIGNATURE]).tobytes()
        if signature in (_IN_ALPHA if channels == 1 else _IN_COLOURS):
            length = int.from_bytes(np.packbits(head[_SIGNATURE:]).tobytes())
            bits = _bits(header, filtered, _HEAD + length, channels, name)
            return Stealth(bits, channels == 1) if len(bits) == _HEAD + length else None
    return None


def _bits(header: Ihdr, filtered: Octets, count: int, channels: int, name: str) -> Octets:
    """Return the first bits, or as many as there is room for."""
    pixels = min(-(-count // channels), header.size.area)
    columns = -(-pixels // header.height)
    rows = min(pixels, header.height)
    frame = samples.cut_out(header, filtered, PixelBox(0, 0, columns, rows), name)
    values = frame.rows.reshape(rows, columns, header.bpp)
    chosen = values[:, :, _ALPHA:] if channels == 1 else values[:, :, :channels]
    bits: Octets = (chosen.transpose(1, 0, 2).reshape(-1)[:count] & 1).astype(np.uint8)
    return bits


def carried(stealth: Stealth, header: Ihdr, rows: Octets, account: Account) -> None:
    """Write the bits into the rows of a crop, or tell why they are not there any more.

    Parameters
    ----------
    header : of the crop
    rows : of the crop, which are changed in their place
    """
    place = "alpha" if stealth.in_alpha else "the colours"
    item = f"generation data in the lowest bits of {place}"
    text = stealth.text
    reason = inspection.UNSEEN if text is None else inspection.unfit(text)
    if not stealth.in_alpha:
        reason = "to write it anew would change the colours"
    elif len(stealth.bits) > header.size.area:
        reason = "the crop has no room for it"
    if reason:
        account.drop(item, reason)
        return
    alpha = rows[:, _ALPHA :: header.bpp]
    columns, count = alpha.T.reshape(-1), len(stealth.bits)
    there = columns[:count].copy()
    columns[:count] = there & 0xFE | stealth.bits
    alpha[:] = columns.reshape(header.width, header.height).T
    if np.array_equal(there, columns[:count]):
        account.keep(item)
    else:
        account.patch(f"{item}: written anew at the new corner")
