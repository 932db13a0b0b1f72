"""JPEG from quantised coefficients, in any sampling: baseline, with codes of eight bits each."""

from collections.abc import Iterator, Sequence
from typing import Any

import jpeg_builder as jpg
import numpy as np
from jpeg_decoder import ZIGZAG

_DC_CODES, _CODES = 12, 255  # code n stands for value n; a code of eight ones is not allowed


def noise(size: tuple[int, int], sampling: Sequence[tuple[int, int]], seed: int) -> list[Any]:
    """Make coefficients for each component, filling blocks and all: strong low, few high ones."""
    rng = np.random.default_rng(seed)
    across, down = mcus(size, sampling)
    fade = np.array([30 / (1 + (n % 8) ** 2 + (n // 8) ** 2) for n in range(64)])
    return [
        np.rint(rng.normal(0, fade, (down * v, across * h, 64))).astype(int) for h, v in sampling
    ]


def mcus(size: tuple[int, int], sampling: Sequence[tuple[int, int]]) -> tuple[int, int]:
    most = max(h for h, _ in sampling), max(v for _, v in sampling)
    return -(-size[0] // (8 * most[0])), -(-size[1] // (8 * most[1]))


def encode(
    size: tuple[int, int], sampling: Sequence[tuple[int, int]], planes: Sequence[Any]
) -> bytes:
    every = range(len(planes))
    return _file(size, sampling, [(every, "".join(_bits(_mixed(size, sampling), planes)))])


def encode_apart(
    size: tuple[int, int], sampling: Sequence[tuple[int, int]], planes: Sequence[Any]
) -> bytes:
    """Code each component in a scan of its own, the last one first."""
    most = max(h for h, _ in sampling), max(v for _, v in sampling)
    scans = []
    for n, factors in reversed(list(enumerate(sampling))):
        samples = [-(-side * f // m) for side, f, m in zip(size, factors, most, strict=True)]
        columns, rows = (-(-each // 8) for each in samples)
        order = [(n, r, c) for r in range(rows) for c in range(columns)]
        scans.append((range(n, n + 1), "".join(_bits(order, planes))))
    return _file(size, sampling, scans)


def _file(
    size: tuple[int, int], sampling: Sequence[tuple[int, int]], scans: Sequence[tuple[range, str]]
) -> bytes:
    frame = bytes([8]) + size[1].to_bytes(2) + size[0].to_bytes(2) + bytes([len(sampling)])
    frame += b"".join(bytes([n + 1, h << 4 | v, 0]) for n, (h, v) in enumerate(sampling))
    dc, ac = (bytes(7) + bytes([n]) + bytes(8) + bytes(range(n)) for n in (_DC_CODES, _CODES))
    return b"".join(
        [
            b"\xff\xd8",
            jpg.segment(0xDB, bytes([0, *range(4, 68)])),
            jpg.segment(0xC0, frame),
            jpg.segment(0xC4, b"\x00" + dc),
            jpg.segment(0xC4, b"\x10" + ac),
            *(_scan(components, bits) for components, bits in scans),
            b"\xff\xd9",
        ]
    )


def _scan(components: range, bits: str) -> bytes:
    chosen = b"".join(bytes([n + 1, 0]) for n in components)
    full = bits + "1" * (-len(bits) % 8)
    coded = int(full, 2).to_bytes(len(full) // 8).replace(b"\xff", b"\xff\0")
    return jpg.segment(0xDA, bytes([len(components)]) + chosen + b"\0\x3f\0") + coded


def _mixed(
    size: tuple[int, int], sampling: Sequence[tuple[int, int]]
) -> list[tuple[int, int, int]]:
    """Return component, row and column of each block, MCU by MCU."""
    across, down = mcus(size, sampling)
    if len(sampling) == 1:  # of one component there are no MCUs: row by row, and nothing fills up
        columns, rows = (-(-side // 8) for side in size)
        return [(0, r, c) for r in range(rows) for c in range(columns)]
    return [
        (n, y * v + r, x * h + c)
        for y in range(down)
        for x in range(across)
        for n, (h, v) in enumerate(sampling)
        for r in range(v)
        for c in range(h)
    ]


def _bits(order: Sequence[tuple[int, int, int]], planes: Sequence[Any]) -> Iterator[str]:
    last = [0] * len(planes)
    for n, row, column in order:
        block = planes[n][row, column]
        yield _number(0, int(block[0]) - last[n])
        last[n] = int(block[0])
        yield from _rest(block)


def _rest(block: Any) -> Iterator[str]:
    run = 0
    for place in ZIGZAG[1:]:
        if block[place] == 0:
            run += 1
            continue
        while run > 15:
            yield f"{0xF0:08b}"
            run -= 16
        yield _number(run, int(block[place]))
        run = 0
    if run:
        yield f"{0:08b}"


def _number(run: int, value: int) -> str:
    size = abs(value).bit_length()
    raw = value if value > 0 else value + (1 << size) - 1
    return f"{run << 4 | size:08b}" + (f"{raw:0{size}b}" if size else "")
