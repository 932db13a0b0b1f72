"""Find the notebooks, inside the wheel or beside the package in a clone, and fill in parameters.

A parameters cell holds ``name: type = literal  # help`` lines only, so that its names can be read
without running anything: a name that is not there is refused, where papermill would only warn.
"""

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import nbformat
from nbformat import NotebookNode

from cropkit.errors import BadParameter, MissingFile

Literal: TypeAlias = str | int | float | bool | None

_PACKAGE = Path(__file__).resolve().parents[1]
_VERSION = 4
_LOCKED = {"deletable": False, "editable": False}


def notebook(name: str) -> Path:
    """Return the path of a notebook that comes with cropkit.

    Raises
    ------
    MissingFile
        When the installation lacks it.
    """
    places = [folder / "notebooks" / f"{name}.ipynb" for folder in (_PACKAGE, _PACKAGE.parent)]
    for path in places:
        if path.is_file():
            return path
    raise MissingFile(places[0])


def read(path: Path) -> NotebookNode:
    """Read a notebook in the one version that we write."""
    book: NotebookNode = nbformat.read(path, as_version=_VERSION)
    return book


def write(book: NotebookNode, path: Path) -> None:
    """Write a notebook, validated."""
    nbformat.validate(book)
    nbformat.write(book, path)


def tagged(book: NotebookNode, tag: str) -> NotebookNode | None:
    """Return the first cell with that tag, None when there is none."""
    return next((cell for cell in book.cells if tag in cell.metadata.get("tags", [])), None)


def parameters(book: NotebookNode) -> dict[str, str]:
    """Return what the notebook's parameters cell declares, in its order: name -> type."""
    cell = tagged(book, "parameters")
    lines = ast.parse(cell.source).body if cell else []
    return {
        line.target.id: ast.unparse(line.annotation)
        for line in lines
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name)
    }


def filled(path: Path, values: Mapping[str, Literal]) -> NotebookNode:
    """Return the notebook with a locked cell that sets the parameters given.

    It is the cell that papermill would inject, but the path is never formatted: a folder may be
    called ``br{2024}``.

    Raises
    ------
    BadParameter
        A name that the notebook does not declare.
    """
    book = read(path)
    known = parameters(book)
    for name in values:
        if name not in known:
            raise BadParameter(path.name, name, ", ".join(known))
    cell = tagged(book, "parameters")
    if cell is not None:
        book.cells.insert(book.cells.index(cell) + 1, _injected(values))
    return book


def _injected(values: Mapping[str, Literal]) -> NotebookNode:
    lines = ["# Parameters", *(f"{name} = {value!r}" for name, value in values.items())]
    metadata: dict[str, Any] = {
        **_LOCKED,
        "jupyter": {"source_hidden": True},
        "tags": ["injected-parameters"],
    }
    cell: NotebookNode = nbformat.v4.new_code_cell(source="\n".join(lines), metadata=metadata)
    return cell
