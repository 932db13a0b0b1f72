"""Deflate streams: libdeflate and zlib-ng where their wheels are installed, else zlib.

libdeflate reads and writes whole streams at more than twice the speed; zlib-ng has zlib's own
interface, for streams in pieces and for checksums.
"""

import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeAlias

from cropkit.errors import CorruptImage, Truncated
from cropkit.formats.codecs import codec

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Octets: TypeAlias = "npt.NDArray[np.uint8]"
Inflate: TypeAlias = "Callable[[bytes, int, str], Octets]"

engine: Any = import_module("zlib_ng.zlib_ng") if find_spec("zlib_ng") else zlib
has_codecs = find_spec("imagecodecs") is not None

_ABSENT = (
    ("zlib-ng", "PNG is read and written by zlib, which is slower"),
    ("imagecodecs", "PNG is cropped more slowly; WebP, TIFF and GIF are refused"),
)
_MOST_OUT_OF_ONE = 1032  # bytes that one byte of a deflate stream can stand for
_WINDOW_BITS, _MEMORY = 15, 9
_SLICE = 256  # bytes that are inflated at once where those before damage are wanted
_MOST_ROWS = 64  # that a stream may hold too many


def absent() -> tuple[str, ...]:
    """Say which wheels are not installed, and what that costs."""
    there = (engine is not zlib, has_codecs)
    return tuple(
        f"{wheel} is not installed: {cost}"
        for (wheel, cost), is_there in zip(_ABSENT, there, strict=True)
        if not is_there
    )


def inflate(stream: bytes, length: int, name: str) -> Octets:
    """Return what a stream holds, which must be `length` bytes; its checksum is checked.

    Raises
    ------
    Truncated, CorruptImage
        When it holds fewer bytes, or more.
    """
    import numpy as np  # noqa: PLC0415  (where there are pixels; what is missing is asked at each open)

    if length > _MOST_OUT_OF_ONE * len(stream):
        raise Truncated(name, f"{len(stream)} bytes cannot hold {length} bytes of pixels")
    if has_codecs:
        try:
            inflated: Octets = codec("deflate_decode", stream, out=np.empty(length, np.uint8))
        except ValueError:
            pass  # the other way says what is wrong with it
        else:
            if len(inflated) == length:
                return inflated
    return inflate_in_pieces(stream, length, name)


def ends_early(end: bytes, inflated: Octets) -> bool:
    """Whether bytes follow the end of a stream: its last four are the checksum of all it holds."""
    checksum: int = engine.adler32(inflated)
    return int.from_bytes(end) != checksum


def inflate_in_pieces(stream: bytes, length: int, name: str) -> Octets:
    """Do as `inflate` does, by zlib-ng or zlib."""
    import numpy as np  # noqa: PLC0415  (as above)

    inflating = engine.decompressobj()
    inflated: bytes = inflating.decompress(stream, length + 1)
    if len(inflated) > length:
        raise CorruptImage(name, "more pixels than the header says")
    if len(inflated) < length or not inflating.eof:
        raise Truncated(name, f"{len(inflated)} of {length} bytes of pixels")
    return np.frombuffer(inflated, np.uint8)


def made_do(stream: bytes, length: int, row: int) -> tuple[Octets, str] | None:
    """Return the `length` bytes of a stream that is not as it should be, and what is wrong.

    None where that is more than a checksum which is missing, or pixels that are too many.

    Parameters
    ----------
    row : bytes of one row
    """
    import numpy as np  # noqa: PLC0415  (as above)

    inflating = engine.decompressobj()
    try:
        inflated: bytes = inflating.decompress(stream, length + _MOST_ROWS * row + 1)
    except engine.error:
        return None
    extra = len(inflated) - length
    if not 0 <= extra <= _MOST_ROWS * row:
        return None
    missing = "" if inflating.eof else "its checksum is missing"
    number, rest = divmod(extra, row)
    whole = f"{number} rows" if not rest else f"{extra} bytes"
    surplus = f"{whole} too many, which no image has" if extra else ""
    note = ", ".join(filter(None, (surplus, missing)))
    return np.frombuffer(inflated, np.uint8)[:length], note


def begun(pieces: Iterable[memoryview], length: int) -> Octets:
    """Return what a stream holds before it ends or breaks, `length` bytes at most."""
    import numpy as np  # noqa: PLC0415  (as above)

    inflating, out = engine.decompressobj(), bytearray()
    with suppress(engine.error):
        for piece in pieces:
            for at in range(0, len(piece), _SLICE):
                out += inflating.decompress(piece[at : at + _SLICE])
                if len(out) >= length or inflating.eof:
                    break
    return np.frombuffer(bytes(out[:length]), np.uint8)


def deflate(rows: Octets, level: int) -> bytes:
    """Return a stream that repeats what came before it; a higher level searches longer."""
    if has_codecs:
        stream: bytes = codec("deflate_encode", rows, level=level, raw=False)
        return stream
    # repeats of one byte are all that a low level finds in photographs
    strategy = engine.Z_RLE if level == 1 else engine.Z_DEFAULT_STRATEGY
    return deflate_in_pieces([rows], min(level, 6), strategy)


def deflate_in_pieces(pieces: Any, level: int, strategy: int) -> bytes:  # noqa: ANN401  (buffers, of any kind)
    """Return the stream of what the pieces hold together, each deflated as it comes."""
    stream = engine.compressobj(level, engine.DEFLATED, _WINDOW_BITS, _MEMORY, strategy)
    parts = [stream.compress(piece) for piece in pieces]
    return b"".join([*parts, stream.flush()])


def stored(rows: Octets, before: int = 0, after: int = 0) -> Octets:
    """Return `rows` as a stream that is not compressed (RFC 1951, 3.2.4), with room around it."""
    import numpy as np  # noqa: PLC0415  (as above)

    data = rows.reshape(-1)
    whole, rest = divmod(len(data), _BLOCK)
    head = before + 2
    end = head + whole * (_BLOCK + _HEAD) + _HEAD + rest
    out = np.zeros(end + 4 + after, np.uint8)
    out[before:head] = (0x78, 0x01)
    blocks = out[head : head + whole * (_BLOCK + _HEAD)].reshape(whole, _BLOCK + _HEAD)
    blocks[:, :_HEAD] = (0, 0xFF, 0xFF, 0, 0)
    blocks[:, _HEAD:] = data[: whole * _BLOCK].reshape(whole, _BLOCK)
    out[end - rest - _HEAD : end - rest] = (1, *_little(rest), *_little(rest ^ 0xFFFF))
    out[end - rest : end] = data[whole * _BLOCK :]
    out[end : end + 4] = tuple(engine.adler32(data).to_bytes(4))
    return out


_BLOCK, _HEAD = 0xFFFF, 5  # the longest block, and what stands before it: last? length, complement


def _little(number: int) -> bytes:
    return number.to_bytes(2, "little")
