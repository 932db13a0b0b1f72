"""The parameters cell: what it declares, and that it is written anew with nothing else changed."""

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cropkit.jupyter import notebooks
from cropkit.jupyter.parameter_cell import Parameter, declared, literal, rewritten

SOURCE = """folder: str = ""  # Folder, ü
per_page: int = 3  # Images side by side
# a line of a person's own
least: float = 0.5
defer: bool = False  # Record only; = is no trouble"""
VALUES = st.one_of(st.text(), st.integers(), st.booleans(), st.floats(allow_nan=False, width=32))
BOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


def test_names_types_defaults_and_help_are_read() -> None:
    assert declared(SOURCE) == (
        Parameter("folder", "str", "", "Folder, ü"),
        Parameter("per_page", "int", 3, "Images side by side"),
        Parameter("least", "float", 0.5, ""),
        Parameter("defer", "bool", value=False, help="Record only; = is no trouble"),
    )


def test_a_cell_that_holds_anything_else_declares_nothing() -> None:
    for source in ("x: int = 1\nprint(x)", "x: int = f()", "x: int", "not python (", "x = 1", ""):
        assert declared(source) == (), source


@given(VALUES.filter(lambda value: value not in (float("inf"), float("-inf"))))
def test_a_value_is_written_so_that_the_kernel_reads_the_same(value: object) -> None:
    written = rewritten(SOURCE, {"per_page": value})  # type: ignore[dict-item]  # (one of these)
    assert ast.literal_eval(literal(value)) == value  # type: ignore[arg-type]  # (as above)
    assert [each.value for each in declared(written)] == ["", value, 0.5, False]
    assert [each.help for each in declared(written)] == [each.help for each in declared(SOURCE)]
    kept = [number for number in range(5) if number != 1]
    lines, before = written.splitlines(), SOURCE.splitlines()
    assert [lines[number] for number in kept] == [before[number] for number in kept]


def test_texts_stand_in_double_quotes_as_in_the_notebooks() -> None:
    assert rewritten('a: str = ""  # ü', {"a": "it's ü"}) == 'a: str = "it\'s ü"  # ü'
    assert rewritten('a: str = "äöü"  # ü', {"a": "x"}) == 'a: str = "x"  # ü'


def test_the_cells_of_our_notebooks_stay_as_they_are_with_their_own_values() -> None:
    for path in BOOKS:
        cell = notebooks.tagged(notebooks.read(path), "parameters")
        assert cell is not None
        defaults = {each.name: each.value for each in declared(cell.source)}
        assert rewritten(cell.source, defaults) == cell.source


@pytest.mark.parametrize("sign", ["\u2028", "\x0b", "\x0c", "\x1c", "\x85"])
def test_what_ends_a_line_of_text_and_none_of_python_stays_in_its_comment(sign: str) -> None:
    source = (
        f'first: int = 1  # its help{sign}exit()\nsecond: str = "x"  # another\r\nthird: int = 3'
    )
    after = rewritten(source, {"second": "y"})
    assert after == source.replace('"x"', '"y"').replace("\r\n", "\n")
    assert [each.help for each in declared(source)] == [f"its help{sign}exit()", "another", ""]
