"""JPEG down to its quantised coefficients, by the letter of ITU-T T.81: slow, and nobody else's.

Baseline and progressive, interleaved or not, with restart intervals. It shares no line and no
library with what it is held against.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

ZIGZAG = [
    *(0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5),
    *(12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28),
    *(35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51),
    *(58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63),
]
Codes = dict[str, int]


@dataclass
class Plane:
    """A component: blocks (rows, columns, 64) in natural order, those that only fill up cut off."""

    id: int
    h: int
    v: int
    table: int
    rows: int = 0
    columns: int = 0
    blocks: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 0, 64), np.int64))
    dc: Codes = field(default_factory=dict)
    ac: Codes = field(default_factory=dict)
    last: int = 0


@dataclass
class Decoded:
    size: tuple[int, int] = (0, 0)
    planes: list[Plane] = field(default_factory=list)
    tables: dict[int, list[int]] = field(default_factory=dict)
    codes: dict[int, Codes] = field(default_factory=dict)
    restart: int = 0
    progressive: bool = False
    scans: list[bytes] = field(default_factory=list)

    @property
    def most(self) -> tuple[int, int]:
        return max(p.h for p in self.planes), max(p.v for p in self.planes)


class Bits:
    def __init__(self, coded: bytes) -> None:
        plain = coded.replace(b"\xff\0", b"\xff")
        self.bits = f"{int.from_bytes(plain):0{8 * len(plain)}b}" if plain else ""
        self.at = 0

    def take(self, n: int) -> int:
        self.at += n
        return int(self.bits[self.at - n : self.at] or "0", 2)

    def symbol(self, codes: Codes) -> int:
        for length in range(1, 17):
            found = codes.get(self.bits[self.at : self.at + length])
            if found is not None:
                self.at += length
                return found
        raise ValueError("no such code")

    def value_of(self, n: int) -> int:
        return self.take(n) if n else 0

    def value(self, size: int) -> int:
        raw = self.take(size) if size else 0
        return raw if not size or raw >> (size - 1) else raw - (1 << size) + 1


def decode(data: bytes) -> Decoded:
    image, at = Decoded(), 2
    while data[at + 1] != 0xD9:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4])
        body, at = data[at + 4 : at + 2 + length], at + 2 + length
        if marker == 0xDB:
            _tables(image, body)
        elif marker == 0xC4:
            _codes(image, body)
        elif marker in (0xC0, 0xC1, 0xC2):
            _frame(image, body, progressive=marker == 0xC2)
        elif marker == 0xDD:
            image.restart = int.from_bytes(body)
        elif marker == 0xDA:
            image.scans.append(body)
            coded, at = _entropy_coded(data, at)
            _scan(image, body, coded)
    return image


def _tables(image: Decoded, body: bytes) -> None:
    while body:
        wide, number = body[0] >> 4, body[0] & 15
        step = 2 if wide else 1
        values = [int.from_bytes(body[1 + i : 1 + i + step]) for i in range(0, 64 * step, step)]
        image.tables[number] = [values[ZIGZAG.index(n)] for n in range(64)]
        body = body[1 + 64 * step :]


def _codes(image: Decoded, body: bytes) -> None:
    while body:
        code, found, values = 0, {}, iter(body[17:])
        for length, n in enumerate(body[1:17], start=1):
            for _ in range(n):
                found[f"{code:0{length}b}"] = next(values)
                code += 1
            code <<= 1
        image.codes[body[0]] = found
        body = body[17 + len(found) :]


def _frame(image: Decoded, body: bytes, *, progressive: bool) -> None:
    image.size = int.from_bytes(body[3:5]), int.from_bytes(body[1:3])
    image.progressive = progressive
    image.planes = [Plane(b[0], b[1] >> 4, b[1] & 15, b[2]) for b in _threes(body[6:])]
    for p in image.planes:
        samples = [-(-side * f // m) for side, f, m in zip(image.size, (p.h, p.v), image.most)]  # noqa: B905  (two each)
        p.columns, p.rows = (-(-n // 8) for n in samples)
        p.blocks = np.zeros((p.rows, p.columns, 64), np.int64)


def _threes(body: bytes) -> Iterator[bytes]:
    yield from (body[i : i + 3] for i in range(0, len(body), 3))


def _entropy_coded(data: bytes, at: int) -> tuple[list[bytes], int]:
    pieces, start = [], at
    while True:
        at = data.index(b"\xff", at)
        following = data[at + 1]
        if 0xD0 <= following <= 0xD7:
            pieces.append(data[start:at])
            start = at + 2
        elif following != 0:
            return [*pieces, data[start:at]], at
        at += 2


def _scan(image: Decoded, body: bytes, coded: list[bytes]) -> None:
    chosen = []
    for number, tables in zip(body[1 : 1 + 2 * body[0] : 2], body[2 : 2 + 2 * body[0] : 2]):  # noqa: B905  (two each)
        plane = next(p for p in image.planes if p.id == number)
        plane.dc = image.codes.get(tables >> 4, {})
        plane.ac = image.codes.get(16 + (tables & 15), {})
        chosen.append(plane)
    start, end, shifts = body[-3:]
    places = list(_places(image, chosen))
    each = image.restart or len(places)
    for i, piece in enumerate(coded):
        bits = Bits(piece)
        scan = Scan((start, end), shifts >> 4, shifts & 15)
        one_block = scan.way(progressive=image.progressive)
        for plane in chosen:
            plane.last = 0
        for mcu in places[i * each : (i + 1) * each]:
            for plane, row, column in mcu:
                inside = row < plane.rows and column < plane.columns
                block = plane.blocks[row, column] if inside else np.zeros(64, np.int64)
                one_block(bits, plane, block)


def _places(image: Decoded, chosen: list[Plane]) -> Iterator[list[tuple[Plane, int, int]]]:
    if len(chosen) == 1:
        (p,) = chosen
        yield from ([(p, r, c)] for r in range(p.rows) for c in range(p.columns))
        return
    across, down = (-(-side // (8 * m)) for side, m in zip(image.size, image.most))  # noqa: B905  (two each)
    for y in range(down):
        for x in range(across):
            yield [
                (p, y * p.v + r, x * p.h + c)
                for p in chosen
                for r in range(p.v)
                for c in range(p.h)
            ]


class Scan:
    """How the blocks of one scan are coded (T.81, F.2 and G.2)."""

    def __init__(self, spectral: tuple[int, int], high: int, low: int) -> None:
        self.start, self.end = spectral
        self.high, self.low = high, low
        self.eobrun = 0

    def baseline(self, bits: Bits, plane: Plane, block: Any) -> None:
        self.dc_first(bits, plane, block)
        self.start = 1
        self.ac_first(bits, plane, block)

    def dc_first(self, bits: Bits, plane: Plane, block: Any) -> None:
        plane.last += bits.value(bits.symbol(plane.dc))
        block[0] = plane.last << self.low

    def dc_refined(self, bits: Bits, _plane: Plane, block: Any) -> None:
        block[0] |= bits.take(1) << self.low

    def ac_first(self, bits: Bits, plane: Plane, block: Any) -> None:
        if self.eobrun:
            self.eobrun -= 1
            return
        k = self.start
        while k <= self.end:
            run, size = divmod(bits.symbol(plane.ac), 16)
            if size == 0 and run < 15:
                self.eobrun = (1 << run) + bits.value_of(run) - 1
                return
            k += run
            if size:
                block[ZIGZAG[k]] = bits.value(size) * (1 << self.low)
            k += 1

    def ac_refined(self, bits: Bits, plane: Plane, block: Any) -> None:
        k = self.start
        while k <= self.end and not self.eobrun:
            run, size = divmod(bits.symbol(plane.ac), 16)
            if size == 0 and run < 15:
                self.eobrun = (1 << run) + bits.value_of(run)
                break
            new = (1 if bits.take(1) else -1) * (1 << self.low) if size else 0
            k = self.refined_run(bits, block, k, run)
            if k <= self.end and new:
                block[ZIGZAG[k]] = new
            k += 1
        if self.eobrun:
            self.refined_run(bits, block, k, 64)
            self.eobrun -= 1

    def refined_run(self, bits: Bits, block: Any, k: int, run: int) -> int:
        """Refine what is known already, over `run` unknown ones; return where it stopped."""
        while k <= self.end:
            known = int(block[ZIGZAG[k]])
            if known and bits.take(1):
                block[ZIGZAG[k]] += (1 if known > 0 else -1) << self.low
            if not known and run == 0:
                break
            run -= not known
            k += 1
        return k

    def way(self, *, progressive: bool) -> Callable[[Bits, Plane, Any], None]:
        if not progressive:
            return self.baseline
        if self.start == 0:
            return self.dc_refined if self.high else self.dc_first
        return self.ac_refined if self.high else self.ac_first
