"""A JPEG made by the letter of the standard, whose coefficients are known: for the self-test; pure.

48 x 40 pixels in three components, 4:2:0, with restart markers: enough to notice structures that
are laid out otherwise, another order of coefficients, and a window that is off by a block.
"""

import struct
from collections.abc import Iterator

_SIZE = (48, 40)
_SAMPLING = ((2, 2), (1, 1), (1, 1))
_MCUS = (3, 3)
_RESTART = 2
_CODES = 12  # of four bits each: code n stands for value n
BOX = (16, 16, 48, 40)
# The first three coefficients in zigzag order, by their natural index (T.81, figure A.6).
PLACES = (0, 1, 8)


def values(component: int, row: int, column: int) -> tuple[int, int, int]:
    """Return what the three first coefficients of a block are; all others are 0."""
    dc = 40 * component + 7 * row - 5 * column
    return dc, 1 + (row + column) % 5, -(2 + (3 * row + column + component) % 6)


def jpeg() -> bytes:
    """Return the file (T.81, annex B)."""
    frame = struct.pack(">BHHB", 8, _SIZE[1], _SIZE[0], len(_SAMPLING))
    scan = bytes([len(_SAMPLING)])
    for number, (h, v) in enumerate(_SAMPLING):
        frame += bytes([number + 1, h << 4 | v, 0])
        scan += bytes([number + 1, 0])
    counts = bytes([0, 0, 0, _CODES]) + bytes(12)
    return b"".join(
        [
            b"\xff\xd8",
            _segment(0xDB, b"\0" + bytes(range(1, 65))),
            _segment(0xC0, frame),
            _segment(0xC4, b"\x00" + counts + bytes(range(_CODES))),
            _segment(0xC4, b"\x10" + counts + bytes(range(_CODES))),
            _segment(0xDD, struct.pack(">H", _RESTART)),
            _segment(0xDA, scan + b"\0\x3f\0"),
            _coded(),
            b"\xff\xd9",
        ]
    )


def _segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def _coded() -> bytes:
    """Code MCU after MCU; each restart interval begins on a byte and forgets the last DC."""
    total = _MCUS[0] * _MCUS[1]
    intervals = [range(at, min(at + _RESTART, total)) for at in range(0, total, _RESTART)]
    markers = (bytes([0xFF, 0xD0 + number % 8]) for number in range(len(intervals) - 1))
    return b"".join(_packed("".join(_bits(each))) + next(markers, b"") for each in intervals)


def _bits(interval: range) -> Iterator[str]:
    last = [0] * len(_SAMPLING)
    for mcu in interval:
        down, across = divmod(mcu, _MCUS[0])
        for component, (h, v) in enumerate(_SAMPLING):
            for at in range(h * v):
                place = (down * v + at // h, across * h + at % h)
                dc, first, second = values(component, *place)
                yield from (_number(each) for each in (dc - last[component], first, second))
                yield _code(0)  # end of block
                last[component] = dc


def _number(value: int) -> str:
    """Return the category of a value, which is also "after no zeros", and its bits (F.1.2)."""
    category = abs(value).bit_length()
    bits = value if value > 0 else value + (1 << category) - 1
    return _code(category) + (f"{bits:0{category}b}" if category else "")


def _code(value: int) -> str:
    return f"{value:04b}"


def _packed(bits: str) -> bytes:
    """Fill up with ones, and follow each byte of ones with a zero (F.1.2.3)."""
    full = bits + "1" * (-len(bits) % 8)
    return int(full, 2).to_bytes(len(full) // 8).replace(b"\xff", b"\xff\0")
