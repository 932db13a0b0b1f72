"""TOML that a person, or an enemy, wrote: read with bounds on bytes and on the depth of names."""

import tomllib
from typing import Any

LARGEST = 64_000  # bytes of a file
_MOST_DOTS = 100  # in a line: a dotted name costs the square of its length


def parsed(data: bytes) -> dict[str, Any]:
    """Return the table in a file's bytes.

    Raises
    ------
    ValueError
        It is larger than may be, no TOML, or too deep.
    """
    if len(data) > LARGEST:
        raise ValueError(f"larger than {LARGEST} bytes")
    if any(line.count(b".") > _MOST_DOTS for line in data.splitlines()):
        raise ValueError(f"a line of more than {_MOST_DOTS} dots")
    try:
        return tomllib.loads(data.decode())
    except RecursionError:
        raise ValueError("too deeply nested") from None
