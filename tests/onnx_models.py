"""Tiny models in ONNX, written by hand: protocol buffers of onnx.proto, and no library for it."""

import struct
from collections.abc import Sequence

Shape = Sequence[int | str]
FLOAT, INT64, BOOL, DOUBLE = 1, 7, 9, 11
_GRAPH = 5  # kind of an attribute


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


def whole_numbers(
    name: str, dims: Sequence[int], values: Sequence[int], kind: int = INT64
) -> bytes:
    sides = b"".join(number(1, side) for side in dims)
    raw = struct.pack(f"<{len(values)}{'q' if kind == INT64 else 'B'}", *values)
    return sides + number(2, kind) + part(8, name) + part(9, raw)


def of_zeros(dims: Sequence[int]) -> bytes:
    """Return a small model with an answer of this shape."""
    return model(
        [node("ConstantOfShape", ["shape"], "boxes")],
        [whole_numbers("shape", (len(dims),), dims)],
        [value_info("image", (1, 3, 32, 32))],
        value_info("boxes", ("n", 4)),
    )


def endless() -> bytes:
    """Return a model that never answers: its loop goes on for as long as that is true."""
    body = b"".join(
        (
            part(1, node("Identity", ["cond"], "cond_out")),
            part(1, node("Add", ["state", "state"], "state_out")),
            part(2, "body"),
            part(11, value_info("step", (), INT64)),
            part(11, value_info("cond", (), BOOL)),
            part(11, value_info("state", (1, 4))),
            part(12, value_info("cond_out", (), BOOL)),
            part(12, value_info("state_out", (1, 4))),
        )
    )
    attribute = part(5, part(1, "body") + part(6, body) + number(20, _GRAPH))
    return model(
        [node("Loop", ["", "true", "kept"], "boxes") + attribute],
        [whole_numbers("true", (), [1], BOOL), tensor("kept", (1, 4), [0, 0, 1, 1])],
        [value_info("image", (1, 3, 32, 32))],
        value_info("boxes", (1, 4)),
    )


def of_another_file(location: str) -> bytes:
    """Return a model whose box is read from another file."""
    entries = (("location", location), ("length", "16"))
    outside = b"".join(part(13, part(1, key) + part(2, value)) for key, value in entries)
    sides = number(1, 1) + number(1, 4)
    kept = sides + number(2, FLOAT) + part(8, "kept") + outside + number(14, 1)
    return model(
        [node("Identity", ["kept"], "boxes")],
        [kept],
        [value_info("image", (1, 3, 32, 32))],
        value_info("boxes", (1, 4)),
    )
