"""How the name of a file is written: reversibly where it is kept, harmlessly where it is shown.

A name is any bytes but NUL and the slash. Inside of Python, bytes that are not UTF-8 are lone
surrogates U+DC80 to U+DCFF (PEP 383), which no database, JSON or HTML takes.
"""

import json
import re
from collections.abc import Callable
from typing import Any

_ESCAPE = 0x10F700  # and the byte: U+10F780 to U+10F7FF, private use, at the end of the last plane
_UNWRITABLE = re.compile("[\ud800-\udfff\U0010f780-\U0010f7ff]")
_ESCAPED = re.compile("[\U0010f780-\U0010f7ff]+")
# C0, DEL and C1; what changes the direction of text; ends of lines; what has no picture
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
    "\ufeff\ud800-\udfff\U0010f780-\U0010f7ff]"
)
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def escaped(text: str) -> str:
    """Write a name as text that every database, JSON and HTML takes; `unescaped` reads it.

    A byte that is not UTF-8 becomes the private character U+10F700 plus the byte; so does each byte
    of such a private character, should a name hold one. Every other name is written as it is, and
    no two names are written alike.
    """
    return text if text.isascii() else _UNWRITABLE.sub(_escape, text)


def unescaped(text: str) -> str:
    """Read what `escaped` wrote."""
    return text if text.isascii() else _ESCAPED.sub(_unescape, text)


def all_escaped(value: Any) -> Any:  # noqa: ANN401  (whatever JSON holds)
    """Write every text in a JSON value as `escaped` does."""
    return _everywhere(escaped, value)


def all_unescaped(value: Any) -> Any:  # noqa: ANN401  (whatever JSON holds)
    """Read what `all_escaped` wrote."""
    return _everywhere(unescaped, value)


def write_json(value: Any, encode: Callable[[Any], str]) -> str:  # noqa: ANN401  (as above)
    r"""Return a JSON text in ASCII whose names are escaped: of one without ``\u`` all are.

    Parameters
    ----------
    encode : of a `json.JSONEncoder` that ensures ASCII
    """
    text = encode(value)
    return encode(all_escaped(value)) if "\\u" in text else text


def read_json(text: str) -> Any:  # noqa: ANN401  (as above)
    """Read a JSON text whose names are escaped; one that holds ASCII alone has none that are."""
    value = json.loads(text)
    return value if text.isascii() and "\\u" not in text else all_unescaped(value)


def printable(text: object) -> str:
    r"""Return a text in one line for people: what a terminal would obey is written as ``\x1b``.

    Not to be read back: `--json` has the true name.
    """
    return _UNPRINTABLE.sub(_shown, str(text))


def all_printable(value: Any) -> Any:  # noqa: ANN401  (whatever JSON holds)
    """Write every text in a JSON value, or a table's row, as `printable` does."""
    return _everywhere(printable, value)


def printable_lines(text: object) -> str:
    """Return a text of ours for people that has lines of its own, each as `printable` writes it."""
    return "\n".join(printable(line) for line in str(text).split("\n"))


def _everywhere(change: Callable[[str], str], value: Any) -> Any:  # noqa: ANN401  (as above)
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {
            _everywhere(change, name): _everywhere(change, item) for name, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_everywhere(change, item) for item in value]
    return value


def _escape(match: re.Match[str]) -> str:
    return "".join(chr(_ESCAPE + byte) for byte in _bytes_of(match[0]))


def _bytes_of(character: str) -> bytes:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # noqa: PLR2004  (PEP 383)
        return bytes((code - 0xDC00,))
    return character.encode("utf-8", "surrogatepass")  # other surrogates are in no file's name


def _unescape(match: re.Match[str]) -> str:
    return bytes(ord(c) - _ESCAPE for c in match[0]).decode("utf-8", "surrogateescape")


def _shown(match: re.Match[str]) -> str:
    character = match[0]
    code = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    if code >= _ESCAPE or 0xDC80 <= code <= 0xDCFF:  # noqa: PLR2004  (as above)
        return f"\\x{code & 0xFF:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"  # noqa: PLR2004  (one byte)
