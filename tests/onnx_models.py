"""Tiny models in ONNX, written by hand: protocol buffers of onnx.proto, and no library for it."""

import struct
from collections.abc import Sequence

Shape = Sequence[int | str]
FLOAT, DOUBLE = 1, 11


def varint(value: int) -> bytes:
    low, rest = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + varint(rest) if rest else bytes([low])


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def part(field: int, value: bytes | str) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(data)) + data


def value_info(name: str, shape: Shape, kind: int = FLOAT) -> bytes:
    sides = (number(1, side) if isinstance(side, int) else part(2, side) for side in shape)
    dims = b"".join(part(1, side) for side in sides)
    return part(1, name) + part(2, part(1, number(1, kind) + part(2, dims)))


def tensor(name: str, dims: Sequence[int], values: Sequence[float]) -> bytes:
    sides = b"".join(number(1, side) for side in dims)
    raw = struct.pack(f"<{len(values)}f", *values)
    return sides + number(2, FLOAT) + part(8, name) + part(9, raw)


def node(kind: str, inputs: Sequence[str], output: str) -> bytes:
    return b"".join(part(1, each) for each in inputs) + part(2, output) + part(4, kind)


def model(
    nodes: Sequence[bytes],
    tensors: Sequence[bytes],
    inputs: Sequence[bytes],
    output: bytes,
) -> bytes:
    graph = b"".join(
        (
            *(part(1, each) for each in nodes),
            part(2, "tiny"),
            *(part(5, each) for each in tensors),
            *(part(11, each) for each in inputs),
            part(12, output),
        )
    )
    return number(1, 8) + part(7, graph) + part(8, part(1, "") + number(2, 13))


def by_colour(shape: Shape = (1, 3, 32, 48), kind: int = FLOAT) -> bytes:
    """Return a model whose box says how red, green and blue an image is.

    Left is half of red, top half of green, right one less half of blue, and bottom one.
    """
    weights = [0.5, 0, 0, 0, 0, 0.5, 0, 0, 0, 0, -0.5, 0]
    return model(
        [
            node("GlobalAveragePool", ["image"], "pooled"),
            node("Flatten", ["pooled"], "colours"),
            node("MatMul", ["colours", "weights"], "moved"),
            node("Add", ["moved", "base"], "boxes"),
        ],
        [tensor("weights", (3, 4), weights), tensor("base", (4,), [0, 0, 1, 1])],
        [value_info("image", shape, kind)],
        value_info("boxes", (1, 4)),
    )


def constant(dims: Sequence[int], values: Sequence[float], inputs: int = 1) -> bytes:
    """Return a model that answers the same to every image."""
    return model(
        [node("Identity", ["kept"], "boxes")],
        [tensor("kept", dims, values)],
        [value_info(f"image{number}", (1, 3, "height", "width")) for number in range(inputs)],
        value_info("boxes", dims),
    )
