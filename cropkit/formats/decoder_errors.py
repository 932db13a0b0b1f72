"""The border to Pillow and the codecs: what they raise is translated here, and only here."""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from cropkit.bounds import Bounds, is_of_memory
from cropkit.errors import (
    BadBox,
    CorruptImage,
    CropkitError,
    PartMissing,
    Refused,
    TooLarge,
    Truncated,
)
from cropkit.formats.zlib_streams import engine

_Kinds = tuple[type[Exception], ...]
_DAMAGE: _Kinds = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    ArithmeticError,
    LookupError,
    EOFError,
    UserWarning,  # where warnings are errors: Pillow warns of damaged tags
    struct.error,
    zlib.error,
    engine.error,
    RuntimeError,  # libavif through Pillow, and every codec of imagecodecs
)
_SAYS_SHORT = ("truncated", "not enough", "unexpected end", "incomplete", "end of file")


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Translate whatever a decoder raises in the block into `Refused` leaves, naming the file."""
    try:
        yield
    except BadBox as error:
        raise error.about(name) from None
    except CropkitError:
        raise
    except ImportError as error:
        raise PartMissing(name, error.name) from error
    except _bombs() as error:
        raise TooLarge(name, "its", "Pillow") from error
    except MemoryError as error:
        raise Bounds.from_environment().too_much_memory(name) from error
    except _damage() as error:
        raise _refusal(name, error) from error


@cache  # Pillow is there when it has raised something, and not loaded before
def _bombs() -> _Kinds:
    from PIL import Image  # noqa: PLC0415  (only where it is needed)

    return Image.DecompressionBombError, Image.DecompressionBombWarning


@cache
def _damage() -> _Kinds:
    from PIL import ImageCms  # noqa: PLC0415  (only where it is needed)

    return (*_DAMAGE, ImageCms.PyCMSError)


def _refusal(name: str, error: Exception) -> Refused:
    text = f"{error}" or type(error).__name__
    if is_of_memory(text):
        return Bounds.from_environment().too_much_memory(name)
    short = any(word in text.lower() for word in _SAYS_SHORT)
    return Truncated(name, text) if short else CorruptImage(name, text)
