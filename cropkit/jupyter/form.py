"""A form over the parameters of a notebook: what is typed in it is set, and written into the cell.

A kernel cannot write a cell; the page that shows the notebook can. Where it cannot (it is no
JupyterLab, or the cell was edited since it ran) the form says so, and shows the lines.
"""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from importlib.util import find_spec
from typing import Any

from IPython.core.getipython import get_ipython
from ipywidgets import HTML, Checkbox, Dropdown, FloatText, HBox, IntText, Layout, Text, VBox

from cropkit.jupyter.parameter_cell import Literal, Parameter, declared, rewritten

_TYPES: Mapping[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (float, int),
    "bool": (bool,),
}
_WIDGETS: Mapping[str, Callable[..., Any]] = {
    "str": Text,
    "int": IntText,
    "float": FloatText,
    "bool": Checkbox,
}
_AFTER = "What is changed here is written into the cell above. Run the cells below again then."
_WRITING = "The cell above is being written. Where this stays, the page does not: copy these lines."
_UNWRITTEN = (
    "The cell above could not be written: it was edited since it ran, or this page does not let it"
    " be. The values count in this kernel; these lines keep them:"
)


class Form(VBox):  # type: ignore[misc]  # ipywidgets ships no types
    """A form over the parameters that were run last in this kernel.

    Parameters
    ----------
    choices : of parameters that have some: words by name
    """

    def __init__(self, **choices: Sequence[str]) -> None:
        shell = get_ipython()
        self._space: dict[str, Any] = shell.user_ns if shell is not None else {}
        self.source, parameters = _last_cell(self._space.get("In", ()))
        self.writer = _writer()
        self.note = HTML(_AFTER)
        rows = [self._row(each, choices.get(each.name, ())) for each in parameters]
        writer = [] if self.writer is None else [self.writer]
        super().__init__([*rows, self.note, *writer], layout=Layout(width="100%"))
        if self.writer is not None:
            self.writer.observe(self._answered, "answer")

    def __repr__(self) -> str:
        """Say the same wherever it runs: nbval keeps no history that names could be read from."""
        return "a form over the parameters"

    def _row(self, parameter: Parameter, choices: Sequence[str]) -> HBox:
        value = self._space.get(parameter.name, parameter.value)
        if not _fits(parameter.kind, value):  # the cell that takes it says what is wrong
            value = parameter.value
        field = _field(parameter, value, choices)
        field.observe(lambda change: self._set(parameter.name, change["new"]), "value")
        words = HTML(f"<span>{escape(parameter.help)}</span>", layout=Layout(flex="1 1 20em"))
        return HBox([field, words], layout=Layout(flex_flow="row wrap"))

    def _set(self, name: str, value: Literal) -> None:
        self._space[name] = value
        before, self.source = self.source, rewritten(self.source, {name: value})
        self._tell(_UNWRITTEN if self.writer is None else _WRITING)
        if self.writer is not None:
            self.writer.change = {"before": before, "after": self.source}

    def _answered(self, change: Mapping[str, Any]) -> None:
        """Take what the page has said of the last change; by its text, since it may be late."""
        answer = change["new"]
        if answer.get("after") != self.source:
            return
        if answer.get("written"):
            self.note.value = _AFTER
        else:
            self._tell(_UNWRITTEN)

    def _tell(self, words: str) -> None:
        self.note.value = f"{words}<pre>{escape(self.source)}</pre>"


def _last_cell(inputs: Sequence[str]) -> tuple[str, tuple[Parameter, ...]]:
    """Return the latest cell that declares parameters, of what a kernel has run."""
    for source in reversed(inputs):
        if parameters := declared(source):
            return source.rstrip("\n"), parameters
    return "", ()


def _fits(kind: str, value: object) -> bool:
    is_bool = isinstance(value, bool)
    return isinstance(value, _TYPES.get(kind, (str,))) and is_bool == (kind == "bool")


def _field(parameter: Parameter, value: Literal, choices: Sequence[str]) -> Any:  # noqa: ANN401  (a widget)
    how = {
        "description": parameter.name,
        "tooltip": parameter.help,
        "layout": Layout(width="24em"),
        "style": {"description_width": "9em"},
    }
    if choices and value in choices:
        return Dropdown(options=list(choices), value=value, **how)
    late = {} if parameter.kind == "bool" else {"continuous_update": False}
    return _WIDGETS.get(parameter.kind, Text)(value=value, **how, **late)


def _writer() -> Any:  # noqa: ANN401  (its type is there only where anywidget is)
    if find_spec("anywidget") is None:
        return None
    from cropkit.jupyter.cell_writer import CellWriter  # noqa: PLC0415  (as said)

    return CellWriter()
