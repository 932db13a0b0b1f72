"""The cell of a notebook that holds its parameters: read, and written anew with other values; pure.

It holds ``name: type = literal  # help`` lines only, so that names, types and defaults can be read
without running anything, by papermill, by a form and by whoever adapts the notebook.
"""

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

_ENDS = re.compile(r"\r\n?|\n")
Literal: TypeAlias = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Parameter:
    """One line of the cell."""

    name: str
    kind: str
    value: Literal
    help: str


def declared(source: str) -> tuple[Parameter, ...]:
    """Return what a cell declares, in its order; nothing where it holds anything else."""
    try:
        return tuple(_read(line, _lines(source)) for line in ast.parse(source).body)
    except (SyntaxError, ValueError, TypeError):
        return ()


def _read(line: ast.stmt, texts: list[str]) -> Parameter:
    """Read one statement, or raise: ValueError of what is no literal."""
    if not isinstance(line, ast.AnnAssign) or not isinstance(line.target, ast.Name):
        raise TypeError(ast.unparse(line))
    if line.value is None:
        raise TypeError(ast.unparse(line))
    value = ast.literal_eval(line.value)
    return Parameter(line.target.id, ast.unparse(line.annotation), value, _help(texts, line))


def _help(texts: list[str], line: ast.AnnAssign) -> str:
    rest = texts[(line.end_lineno or 1) - 1].encode()[line.end_col_offset or 0 :].decode()
    return rest.strip().removeprefix("#").strip()


def _lines(source: str) -> list[str]:
    """Split a cell where Python does: what else ends a line of text may stand in a comment."""
    return _ENDS.sub("\n", source).removesuffix("\n").split("\n")


def rewritten(source: str, values: Mapping[str, Literal]) -> str:
    """Return the cell with other values; every other sign of it stays, and so do other lines."""
    texts = [text.encode() for text in _lines(source)]
    for line in ast.parse(source).body:
        if not isinstance(line, ast.AnnAssign) or not isinstance(line.target, ast.Name):
            continue
        name, value = line.target.id, line.value
        if name in values and value is not None and value.lineno == value.end_lineno:
            text = texts[value.lineno - 1]  # offsets of the grammar are bytes of UTF-8
            before, after = text[: value.col_offset], text[value.end_col_offset or 0 :]
            texts[value.lineno - 1] = before + literal(values[name]).encode() + after
    return b"\n".join(texts).decode()


def literal(value: Literal) -> str:
    """Write a value as the cell has it: texts in double quotes where they hold none."""
    if isinstance(value, str):
        return '"' + repr("'" + value)[2:] if '"' not in value else repr(value)
    return repr(value)
