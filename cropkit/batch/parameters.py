"""Parameters of a notebook: names that it declares, values of the types that it declares.

Every value arrives as text and gets the declared type, never a guessed one: a folder that is called
``2024`` or ``007`` stays what it is called. A name that the notebook does not declare is refused
before papermill sees it, which would emit it as code.
"""

import math
from collections.abc import Iterable
from pathlib import Path

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode

from cropkit.errors import BadParameter, BadParameterFile, BadParameterValue, MissingFile
from cropkit.jupyter import notebooks
from cropkit.jupyter.notebooks import Literal

LARGEST = 10_000  # bytes of a file of parameters
_PLAIN = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool"))
_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


def typed(path: Path, pairs: Iterable[tuple[str, str]]) -> dict[str, Literal]:
    """Return parameters as the notebook at `path` declares them; the last of a name counts.

    Raises
    ------
    MissingFile
        When there is no such notebook.
    BadParameter
        A name that it does not declare.
    BadParameterValue
        A text that is no value of the declared type.
    """
    if not path.is_file():
        raise MissingFile(str(path))
    types = notebooks.parameters(notebooks.read(path))
    values: dict[str, Literal] = {}
    for name, text in pairs:
        if not name.isidentifier() or name not in types:
            raise BadParameter(path.name, name, ", ".join(types))
        values[name] = _read(path, name, text, types[name])
    return values


def from_yaml(path: Path) -> list[tuple[str, str]]:
    """Read a file of ``name: value`` lines, each value as it is written.

    Raises
    ------
    BadParameterFile
        Too large, not YAML, with aliases or tags, or anything but names and plain values.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise BadParameterFile(path, error.strerror or error) from error
    if len(data) > LARGEST:
        raise BadParameterFile(path, f"larger than {LARGEST} bytes")
    try:
        _check_flat(path, data)
        document = yaml.compose(data, yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError, UnicodeDecodeError) as error:
        raise BadParameterFile(path, f"not YAML: {_first_line(error)}") from error
    return [] if document is None else _pairs(path, document)


def _check_flat(path: Path, data: bytes) -> None:
    """Refuse aliases and anything within a value, at the first sign of it.

    To scan what is nested takes a time that grows with its square, and composing follows aliases.
    """
    openings = 0
    for event in yaml.parse(data, yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise BadParameterFile(path, "aliases are not read")
        if isinstance(event, yaml.DocumentStartEvent):
            openings = 0
        openings += isinstance(event, yaml.CollectionStartEvent)
        if openings > 1:
            raise BadParameterFile(path, "a value is not plain text or a number")


def _pairs(path: Path, document: Node) -> list[tuple[str, str]]:
    if not isinstance(document, MappingNode):
        raise BadParameterFile(path, "not a list of name: value")
    pairs: list[tuple[str, str]] = []
    for key, value in document.value:
        if not isinstance(key, ScalarNode) or not isinstance(value, ScalarNode):
            raise BadParameterFile(path, "a value is not plain text or a number")
        if value.tag not in _PLAIN and value.tag.startswith(("!", "tag:yaml.org,2002:python")):
            raise BadParameterFile(path, f"tag {value.tag} is not read")
        pairs.append((key.value, value.value))
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise BadParameterFile(path, f"{name} stands twice")
    return pairs


def _read(path: Path, name: str, text: str, kind: str) -> Literal:
    try:
        if kind == "str":
            return text
        if kind == "bool":
            return _read_bool(text)
        if kind == "int":
            return int(text)
        if kind == "float":
            return _finite(float(text))
    except ValueError:
        raise BadParameterValue(path.name, name, text, kind) from None
    raise BadParameterValue(path.name, name, text, f"{kind}, which cannot be given here")


def _finite(number: float) -> float:
    if not math.isfinite(number):
        raise ValueError(number)
    return number


def _read_bool(text: str) -> bool:
    if text.lower() not in (*_TRUE, *_FALSE):
        raise ValueError(text)
    return text.lower() in _TRUE


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
