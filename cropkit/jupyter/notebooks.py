"""Find the notebooks, inside the wheel or beside the package in a clone, and fill in parameters.

A name that a notebook's parameters cell does not declare is refused, where papermill would only
warn.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import nbformat
from nbformat import NotebookNode

from cropkit.errors import BadParameter, MissingFile
from cropkit.jupyter import parameter_cell

Literal: TypeAlias = parameter_cell.Literal

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
    return {each.name: each.kind for each in parameter_cell.declared(cell.source if cell else "")}


def filled(path: Path, values: Mapping[str, Literal]) -> NotebookNode:
    """Return the notebook with a cell that sets the parameters given.

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


def guarded(book: NotebookNode) -> NotebookNode:
    """Return a notebook that is there to be used, not to be adapted: for the review's own server.

    No stray key edits or deletes a cell, no code is in sight, and there is no form: parameters were
    given.
    """
    cells = [cell for cell in book.cells if "form" not in cell.metadata.get("tags", ())]
    for cell in cells:
        cell.metadata |= _LOCKED
        if cell.cell_type == "code":
            cell.metadata["jupyter"] = {"source_hidden": True}
    book.cells = cells
    return book


def _injected(values: Mapping[str, Literal]) -> NotebookNode:
    lines = ["# Parameters", *(f"{name} = {value!r}" for name, value in values.items())]
    metadata: dict[str, Any] = {"tags": ["injected-parameters"]}
    cell: NotebookNode = nbformat.v4.new_code_cell(source="\n".join(lines), metadata=metadata)
    return cell
