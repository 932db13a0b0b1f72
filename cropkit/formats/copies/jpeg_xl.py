"""Size and orientation of a JPEG XL image, from its header, before anything is decoded.

ISO 18181-1, D.2 and D.3: the codestream begins with the size, and then says what it is of.
"""

from cropkit.errors import CorruptImage, Truncated
from cropkit.geometry import Size

_SIGNATURE = b"\xff\x0a"
_BOXES = (b"jxlc", b"jxlp")
_MOST_BOXES = 1000
_HEADER = 16  # bytes in which a size ends, with room
_BITS = (9, 13, 18, 30)
_RATIOS = ((1, 1), (6, 5), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))


class _Bits:
    """Bits from the lowest of each byte on."""

    def __init__(self, data: bytes) -> None:
        self._number = int.from_bytes(data, "little")

    def take(self, count: int) -> int:
        value = self._number & ((1 << count) - 1)
        self._number >>= count
        return value

    def side(self, *, small: bool) -> int:
        """Read a side: eight times 5 bits, or one of four lengths."""
        return 8 * (self.take(5) + 1) if small else self.take(_BITS[self.take(2)]) + 1


def header(data: bytes, name: str) -> tuple[Size, int]:
    """Return width and height as they are coded, and the orientation, as EXIF counts it.

    Raises
    ------
    Truncated, CorruptImage
    """
    start = _codestream(data, name)
    fields = data[start + len(_SIGNATURE) : start + _HEADER]
    if data[start : start + 2] != _SIGNATURE or len(fields) < _HEADER - len(_SIGNATURE):
        raise Truncated(name, "inside the header")
    bits = _Bits(fields)
    size = _size(bits)
    is_default = bits.take(1) == 1
    has_more = not is_default and bits.take(1) == 1
    return size, bits.take(3) + 1 if has_more else 1


def _size(bits: _Bits) -> Size:
    small = bits.take(1) == 1
    height = bits.side(small=small)
    ratio = bits.take(3)
    if not ratio:
        return Size(bits.side(small=small), height)
    across, down = _RATIOS[ratio - 1]
    return Size(max(1, height * across // down), height)


def _codestream(data: bytes, name: str) -> int:
    """Return where the codestream begins: at once, or in a box of the container."""
    if data.startswith(_SIGNATURE):
        return 0
    at = 0
    for _ in range(_MOST_BOXES):
        length, kind = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        head = 16 if length == 1 else 8
        length = int.from_bytes(data[at + 8 : at + 16]) if length == 1 else length
        if kind in _BOXES:
            return at + head + (4 if kind == b"jxlp" else 0)
        if length < head:
            break
        at += length
    raise CorruptImage(name, "it has no codestream")
