"""The part of a form that writes a cell, as anywidget sees it: imported only where that is."""

from pathlib import Path
from typing import Any, ClassVar

from anywidget import AnyWidget
from traitlets import Dict


class CellWriter(AnyWidget):
    """Puts one text in the place of another, in the one cell of the notebook that holds it."""

    _esm: ClassVar[Any] = Path(__file__).with_suffix(".js")
    change = Dict(help="before, after: the cell's whole text.").tag(sync=True)
    answer = Dict(help="after, written: what became of a change.").tag(sync=True)
