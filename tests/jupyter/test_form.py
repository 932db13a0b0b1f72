"""The form over a notebook's parameters: typed fields, set in the kernel and sent to the page."""

from types import SimpleNamespace
from typing import Any

import pytest
from ipywidgets import Checkbox, Dropdown, FloatText, IntText, Text

from cropkit.jupyter import form as module
from cropkit.jupyter.form import Form

CELL = """folder: str = ""  # Folder <of> images
source: str = "queue"  # Which
pages: int = 3  # How many
least: float = 0.5  # Least
defer: bool = False  # Whether"""


@pytest.fixture
def space(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The names of a kernel that has run the cell, and one after it."""
    names = {"In": ["", CELL, "import os"], "folder": "mine", "pages": 3, "least": 0.5}
    monkeypatch.setattr(module, "get_ipython", lambda: SimpleNamespace(user_ns=names))
    return names


def fields(form: Form) -> dict[str, Any]:
    rows = [row.children[0] for row in form.children if hasattr(row, "children")]
    return {field.description: field for field in rows}


def test_each_parameter_has_a_field_of_its_type_with_the_value_in_force(
    space: dict[str, Any],
) -> None:
    form = Form(source=["queue", "suggestions"])
    kinds = {name: type(field) for name, field in fields(form).items()}
    assert kinds == {
        "folder": Text, "source": Dropdown, "pages": IntText, "least": FloatText, "defer": Checkbox,
    }  # fmt: skip
    assert fields(form)["folder"].value == "mine"
    assert form.children[0].children[1].value == "<span>Folder &lt;of&gt; images</span>"
    assert repr(form) == "a form over the parameters"
    assert "defer" not in space, "nothing is set before a person does"


def test_a_change_is_set_in_the_kernel_and_the_page_is_asked_to_write_it(
    space: dict[str, Any],
) -> None:
    form = Form()
    fields(form)["pages"].value = 5
    assert space["pages"] == 5
    assert form.writer.change == {"before": CELL, "after": CELL.replace("= 3", "= 5")}
    fields(form)["folder"].value = "/photos/ü"
    change = form.writer.change
    assert change["before"] == CELL.replace("= 3", "= 5")
    assert 'folder: str = "/photos/ü"  # Folder <of> images' in change["after"]


def test_it_says_whether_the_cell_was_written_and_shows_the_lines_until_it_is(
    space: dict[str, Any],
) -> None:
    assert space
    form = Form()
    fields(form)["defer"].value = True
    writer, note = form.writer, form.note
    assert "<pre>folder: str = &quot;&quot;  # Folder &lt;of&gt; images" in note.value
    writer.answer = {"after": "an older change", "written": True}
    assert "<pre>" in note.value
    writer.answer = {"after": form.source, "written": True}
    assert "<pre>" not in note.value
    fields(form)["defer"].value = False
    writer.answer = {"after": form.source, "written": False}
    assert "could not be written" in note.value
    assert "<pre>" in note.value


def test_a_value_of_a_wrong_type_is_left_to_the_cell_that_takes_it(space: dict[str, Any]) -> None:
    space |= {"pages": "two", "defer": 1, "folder": 2024}
    form = Form()
    assert [fields(form)[name].value for name in ("pages", "defer", "folder")] == [3, False, ""]
    assert space["pages"] == "two"


def test_without_the_browsers_part_it_shows_the_lines(
    space: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert space
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    form = Form()
    fields(form)["pages"].value = 7
    assert "pages: int = 7" in form.note.value


def test_outside_of_a_notebook_there_is_no_field() -> None:
    assert fields(Form()) == {}
