"""Messages between the process that asks and the one that holds libjpeg: JSON, then raw bytes."""

import json
import struct
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

_LENGTH = struct.Struct(">I")


def send(stream: BinaryIO, message: Mapping[str, object], *blobs: bytes) -> None:
    """Write one message whole."""
    head = json.dumps({"said": message, "blobs": [len(blob) for blob in blobs]}).encode()
    stream.write(_LENGTH.pack(len(head)) + head)
    stream.writelines(blobs)
    stream.flush()


def receive(stream: BinaryIO) -> tuple[Mapping[str, Any], Sequence[bytes]] | None:
    """Read one message whole; None when the other side has ended."""
    length = stream.read(_LENGTH.size)
    if len(length) < _LENGTH.size:
        return None
    head = stream.read(*_LENGTH.unpack(length))
    try:
        header = json.loads(head)
    except ValueError:  # it ended in the middle
        return None
    blobs = [stream.read(size) for size in header["blobs"]]
    if any(len(blob) < size for blob, size in zip(blobs, header["blobs"], strict=True)):
        return None
    return header["said"], blobs
