"""What the stream of a HEIC says of its colours: the end of HEVC's sequence parameter set.

Viewers go by it where the file has no other word on them, so a crop has to say the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass

_SPS = 33  # type of the unit (H.265, table 7-1)
_RECORD = 22  # bytes of hvcC before its arrays (ISO 14496-15, 8.3.3.1.2)
_LENGTHS = 21  # where it says how many bytes the length of each unit has
_LARGEST_SET = 4096  # bytes; usual are 50
_MOST_UNITS = 1000  # of one picture, which has 600 slices at most (H.265, table A.8)
_EXTENDED_RATIO = 255
_MOST_SETS = 64
_MOST_ZEROS = 32
_444 = 3
UNSPECIFIED = (2, 2, 2)


@dataclass(frozen=True, slots=True)
class Signal:
    """How samples are meant (H.265, E.2.1).

    Parameters
    ----------
    is_stated : whether the stream says anything of that; else the defaults stand here
    colours : primaries, transfer and matrix, of ISO 23091-2
    location : of chroma between luma, 0 where nothing is said
    """

    is_stated: bool = False
    full_range: bool = False
    colours: tuple[int, int, int] = UNSPECIFIED
    location: int = 0

    @property
    def numbers(self) -> tuple[int, int, int, int]:
        """Primaries, transfer, matrix and full range, as `nclx` has them."""
        return (*self.colours, int(self.full_range))


def signal(record: bytes) -> Signal:
    """Read what a decoder's configuration (the body of `hvcC`) says.

    Raises
    ------
    LookupError, ValueError
        It does not hold together.
    """
    return _read(_Bits(_unit(record)))


def signals(record: bytes, stream: bytes) -> frozenset[Signal]:
    """Read all that a configuration and the stream behind it say: a decoder goes by the last.

    Raises
    ------
    LookupError, ValueError
        They do not hold together.
    """
    units = (*_configured(record), *_streamed(stream, (record[_LENGTHS] & 3) + 1))
    sets = {unit for unit in units if _is_sequence(unit)}
    return frozenset(_read(_Bits(_plain(unit))) for unit in sets)


def _unit(record: bytes) -> bytes:
    """Return the first parameter set, without the bytes that keep start codes out of it."""
    for unit in _configured(record):
        if _is_sequence(unit):
            return _plain(unit)
    raise LookupError("a stream without a sequence parameter set")


def _configured(record: bytes) -> Iterator[bytes]:
    """Yield the units of a configuration; what kind it says of them no decoder goes by."""
    at = _RECORD + 1
    for _ in range(record[_RECORD]):
        count = int.from_bytes(record[at + 1 : at + 3])
        at += 3
        for _ in range(count):
            if at >= len(record):
                raise LookupError("a configuration that ends too early")
            length = int.from_bytes(record[at : at + 2])
            yield record[at + 2 : at + 2 + length]
            at += 2 + length


def _streamed(stream: bytes, width: int) -> Iterator[bytes]:
    at = 0
    for _ in range(_MOST_UNITS):
        if at >= len(stream):
            return
        length = int.from_bytes(stream[at : at + width])
        # of others the head is enough
        is_set = _is_sequence(stream[at + width : at + width + 1])
        yield stream[at + width : at + width + (length if is_set else 1)]
        at += width + length
    raise ValueError("a stream of too many units")


def _is_sequence(unit: bytes) -> bool:
    return bool(unit) and unit[0] >> 1 & 63 == _SPS


def _plain(unit: bytes) -> bytes:
    if len(unit) > _LARGEST_SET:
        raise ValueError("a sequence parameter set that is too large")
    return unit.replace(b"\0\0\3", b"\0\0")


class _Bits:
    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data)
        self._left = len(data) * 8

    def read(self, count: int = 1) -> int:
        """Read a number of so many bits."""
        self._left -= count
        if self._left < 0:
            raise LookupError("a sequence parameter set that ends too early")
        return self._value >> self._left & (1 << count) - 1

    def coded(self) -> int:
        """Read a number of any size (H.265, 9.2: ue(v))."""
        zeros = 0
        while not self.read():
            zeros += 1
            if zeros > _MOST_ZEROS:
                raise ValueError("a number that is too large")
        return (1 << zeros) - 1 + self.read(zeros)

    def skip(self, count: int) -> None:
        """Go over numbers of any size."""
        for _ in range(count):
            self.coded()


def _read(bits: _Bits) -> Signal:
    """Go through a set to what it says of colours (H.265, 7.3.2.2.1)."""
    bits.read(16 + 4)
    layers = bits.read(3)
    bits.read()
    _skip_profile(bits, layers)
    bits.coded()
    if bits.coded() == _444:
        bits.read()
    bits.skip(2)
    if bits.read():
        bits.skip(4)
    bits.skip(2)
    order = bits.coded() + 4
    bits.skip(3 * (layers + 1 if bits.read() else 1))
    bits.skip(6)
    if bits.read() and bits.read():
        _skip_scaling_lists(bits)
    bits.read(2)
    if bits.read():
        bits.read(8)
        bits.skip(2)
        bits.read()
    _skip_reference_sets(bits)
    if bits.read():
        for _ in range(bits.coded()):
            bits.read(order + 1)
    bits.read(2)
    return _read_usability(bits) if bits.read() else Signal()


def _skip_profile(bits: _Bits, layers: int) -> None:
    """Go over profile, tier and level (7.3.3)."""
    bits.read(88 + 8)
    present = [(bits.read(), bits.read()) for _ in range(layers)]
    if layers:
        bits.read(2 * (8 - layers))
    for profile, level in present:
        bits.read(88 * profile + 8 * level)


def _skip_scaling_lists(bits: _Bits) -> None:
    """Go over what weighs coefficients (7.3.4); signed numbers take as many bits as others."""
    for size in range(4):
        for _ in range(2 if size == 3 else 6):  # noqa: PLR2004  (the largest size has two)
            if not bits.read():
                bits.coded()
                continue
            bits.skip(min(64, 1 << 4 + 2 * size) + (size > 1))


def _skip_reference_sets(bits: _Bits) -> None:
    """Go over which pictures stand for others (7.3.7): a video's encoder writes some."""
    before, count = 0, bits.coded()
    if count > _MOST_SETS:
        raise ValueError("too many sets of reference pictures")
    for number in range(count):
        if number and bits.read():
            bits.read()
            bits.coded()
            used = [bits.read() or 2 * bits.read() for _ in range(before + 1)]
            before = sum(bool(each) for each in used)
            continue
        before = 0
        for _ in (pictures := (bits.coded(), bits.coded())):
            before = sum(pictures)
        if before > _MOST_SETS:
            raise ValueError("too many reference pictures")
        for _ in range(before):
            bits.coded()
            bits.read()


def _read_usability(bits: _Bits) -> Signal:
    """Read the first of what is said about how the samples are to be used (E.2.1)."""
    if bits.read() and bits.read(8) == _EXTENDED_RATIO:
        bits.read(32)
    if bits.read():
        bits.read()
    is_stated, full, colours, location = bool(bits.read()), False, UNSPECIFIED, 0
    if is_stated:
        bits.read(3)
        full = bool(bits.read())
        if bits.read():
            colours = (bits.read(8), bits.read(8), bits.read(8))
    if bits.read():
        location = bits.coded()
        bits.coded()
    return Signal(is_stated, full, colours, location)
