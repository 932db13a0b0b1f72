"""What other distributions bring: entry points, loaded by name and never because they are there.

Python Packaging Authority, "Entry points specification".
"""

from collections.abc import Iterable
from importlib import metadata
from typing import Any

from cropkit.errors import BadParameterValue
from cropkit.system import parameters

WRITERS = "cropkit.writers"  # an `exports.registry.Writer` each
READERS = "cropkit.readers"  # functions of a path, which yield `labels.label.Label`
SUGGESTERS = "cropkit.suggesters"  # models, called with an image or a path
# What a stranger's module may raise when it is imported; what ends a process is none of them.
_AT_IMPORT = (
    *(ArithmeticError, AssertionError, AttributeError, BufferError, EOFError, ImportError),
    *(LookupError, NameError, OSError, RuntimeError, SyntaxError, TypeError, ValueError),
)


def names(group: str) -> list[str]:
    """Return what is installed of a group; nothing of it is loaded."""
    return sorted(metadata.entry_points(group=group).names)


def loaded(group: str, name: str, parameter: str, ours: Iterable[str] = ()) -> Any:  # noqa: ANN401  (a stranger's)
    """Return what an entry point means.

    Parameters
    ----------
    parameter : that named it, for messages
    ours : what there is besides

    Raises
    ------
    BadParameterValue
        There is none of that name, or it cannot be loaded, and why.
    """
    points = metadata.entry_points(group=group)
    if name not in points.names:
        known = ", ".join(dict.fromkeys((*ours, *names(group)))) or "none is installed"
        raise parameters.wrong(parameter, name, f"name of one of these: {known}")
    (point, *_) = points.select(name=name)
    try:
        return point.load()
    except _AT_IMPORT as error:
        raise broken(parameter, name, f"{point.value} cannot be loaded: {error}") from error


def broken(parameter: str, name: str, why: str) -> BadParameterValue:
    """Return why what is installed cannot be used."""
    return parameters.wrong(parameter, name, f"name of what works; {why}")
