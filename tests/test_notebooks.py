"""The committed notebooks: their house rules, their stored outputs, their parameters.

nbval itself runs over `notebooks/` in the same pytest run (pyproject.toml); what it lets pass, a
notebook without outputs, is caught here.
"""

import ast
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest
import refresh
from nbformat import NotebookNode

from cropkit.errors import BadParameter
from cropkit.jupyter import notebooks

ROOT = Path(__file__).resolve().parent.parent
BOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MOST_LINES = 8
MOST_PARAMETERS = 22
LOGIC = (
    ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.For, ast.While, ast.Try,
)  # fmt: skip

every_notebook = pytest.mark.parametrize("path", BOOKS, ids=lambda path: path.stem)


def code_of(book: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in book.cells if cell.cell_type == "code"]


def is_import(line: ast.stmt) -> bool:
    return isinstance(line, ast.Import | ast.ImportFrom)


def test_there_are_notebooks() -> None:
    assert [path.name for path in BOOKS][:1] == ["1_review.ipynb"]


@every_notebook
def test_the_first_cell_says_what_it_is_for_and_what_it_reads_and_writes(path: Path) -> None:
    first = notebooks.read(path).cells[0]
    assert first.cell_type == "markdown"
    assert first.source.startswith("# ")
    assert "**Reads**" in first.source
    assert "**Writes**" in first.source


@every_notebook
def test_the_first_code_cell_holds_typed_parameters_with_help_and_nothing_else(path: Path) -> None:
    cell = code_of(notebooks.read(path))[0]
    assert cell.metadata.tags == ["parameters"]
    for text, line in zip(cell.source.splitlines(), ast.parse(cell.source).body, strict=True):
        assert isinstance(line, ast.AnnAssign), text
        assert line.value is not None, text
        ast.literal_eval(line.value)
        assert text.count("=") == 1, f"papermill cannot read a second '=': {text}"
        assert "  # " in text, f"no help: {text}"


@every_notebook
def test_papermill_reads_every_parameter_with_its_type_and_help(path: Path) -> None:
    read = papermill.inspect_notebook(str(path))
    assert tuple(read) == tuple(notebooks.parameters(notebooks.read(path)))
    assert all(found["inferred_type_name"] != "None" for found in read.values())
    assert all(found["help"] for found in read.values())


@every_notebook
def test_imports_come_next_and_only_there(path: Path) -> None:
    _, imports, *others = [ast.parse(cell.source).body for cell in code_of(notebooks.read(path))]
    assert all(map(is_import, imports))
    assert not any(is_import(line) for body in others for line in body)


@every_notebook
def test_cells_are_short_and_hold_no_logic(path: Path) -> None:
    for cell in code_of(notebooks.read(path)):
        most = MOST_PARAMETERS if "parameters" in cell.metadata.get("tags", ()) else MOST_LINES
        assert len(cell.source.splitlines()) <= most, cell.source
        nodes = list(ast.walk(ast.parse(cell.source)))
        assert not any(isinstance(node, LOGIC) for node in nodes), cell.source


@every_notebook
def test_the_last_cell_shows_a_machine_readable_result(path: Path) -> None:
    last = code_of(notebooks.read(path))[-1]
    [output] = last.outputs
    assert output.output_type == "execute_result"
    assert isinstance(ast.literal_eval(output.data["text/plain"]), dict)


@every_notebook
def test_every_cell_can_be_seen_and_edited_by_whoever_adapts_it(path: Path) -> None:
    for cell in notebooks.read(path).cells:
        assert not {"deletable", "editable", "jupyter"} & set(cell.metadata), cell.source


def test_the_reviews_own_server_is_given_cells_that_no_stray_key_changes() -> None:
    book = notebooks.guarded(notebooks.filled(BOOKS[0], {"folder": "x"}))
    for cell in book.cells:
        assert (cell.metadata["deletable"], cell.metadata["editable"]) == (False, False)
        hidden = cell.metadata.get("jupyter", {}).get("source_hidden", False)
        assert hidden is (cell.cell_type == "code"), cell.source
    assert notebooks.tagged(book, "form") is None
    assert notebooks.tagged(notebooks.read(BOOKS[0]), "form") is not None
    nbformat.validate(book)


@every_notebook
def test_outputs_are_stored_since_nbval_compares_nothing_else(path: Path) -> None:
    book = notebooks.read(path)
    nbformat.validate(book)
    counts = [cell.execution_count for cell in code_of(book)]
    assert counts == list(range(1, len(counts) + 1)), "run tests/refresh.py"
    assert any(cell.outputs for cell in code_of(book))
    assert not any(
        output.output_type == "error" for cell in code_of(book) for output in cell.outputs
    )


@every_notebook
def test_nothing_is_stored_that_changes_from_run_to_run(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    book = notebooks.read(path)
    assert dict(book.metadata) == refresh.METADATA
    assert all(set(cell.metadata) <= set(refresh.KEPT_OF_A_CELL) for cell in book.cells)
    assert refresh.WIDGET_VIEW not in text


def test_pytest_holds_the_notebooks_to_their_outputs_strictly() -> None:
    options = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    pytest_options = options["tool"]["pytest"]["ini_options"]
    assert "notebooks" in pytest_options["testpaths"]
    assert {"--nbval", "--nbval-current-env"} <= set(pytest_options["addopts"])
    assert "--nbval-lax" not in pytest_options["addopts"]


def test_nbval_notices_changed_code_and_changed_outputs(tmp_path: Path) -> None:
    path = tmp_path / "same.ipynb"
    cell = nbformat.v4.new_code_cell("6 * 7")
    nbformat.write(nbformat.v4.new_notebook(cells=[cell], metadata=refresh.METADATA), path)
    refresh.refresh(path)
    text = path.read_text(encoding="utf-8")
    (tmp_path / "code.ipynb").write_text(text.replace("6 * 7", "6 * 8"))
    (tmp_path / "output.ipynb").write_text(text.replace('"42"', '"43"'))
    said = nbval(tmp_path)
    assert "2 failed, 1 passed" in said
    assert "FAILED code.ipynb" in said
    assert "FAILED output.ipynb" in said


def test_a_kernel_whose_port_another_took_is_started_once_more_and_it_is_told(
    tmp_path: Path,
) -> None:
    cell = nbformat.v4.new_code_cell("6 * 7")
    path = tmp_path / "same.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[cell], metadata=refresh.METADATA), path)
    refresh.refresh(path)
    said = nbval(tmp_path, "-p", "stolen_port")
    assert "1 passed, 1 rerun" in said
    assert "Kernel died before replying to kernel_info" in said


def nbval(folder: Path, *more: str) -> str:
    command = [sys.executable, "-m", "pytest", "-q", "--color=no", "-p", "no:cacheprovider"]
    options = ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(folder), str(folder)]
    options += ["-p", "second_go"]
    done = subprocess.run(
        [*command, *options, *more],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
    )
    return done.stdout


def test_refreshing_what_is_committed_changes_no_byte(tmp_path: Path) -> None:
    copy = Path(shutil.copy(BOOKS[0], tmp_path))
    refresh.refresh(copy)
    assert copy.read_bytes() == BOOKS[0].read_bytes(), "run tests/refresh.py"


def test_outputs_are_not_stored_while_the_lint_fails(tmp_path: Path) -> None:
    path = tmp_path / "untidy.ipynb"
    cell = nbformat.v4.new_code_cell("import os")
    nbformat.write(nbformat.v4.new_notebook(cells=[cell], metadata=refresh.METADATA), path)
    before = path.read_bytes()
    assert refresh.main([str(path)]) == 1
    assert path.read_bytes() == before


def papermill_run(path: Path, output: Path, given: dict[str, Any]) -> NotebookNode:
    done: NotebookNode = papermill.execute_notebook(
        str(path),
        str(output),
        given,
        kernel_name="python3",
        progress_bar=False,
        cwd=str(output.parent),
        config=refresh.SILENT_KERNEL,
    )
    return done


GIVEN = {
    "per_page": 2,
    "keys": "classic",
    "minimum": 512,
    "min_confidence": 0.7,
    "learn": False,
}


def test_papermill_runs_the_review_on_a_folder_given(tmp_path: Path) -> None:
    from cropkit.demo import make_demo  # noqa: PLC0415  (the other tests do not need it)

    folder = make_demo(tmp_path / "photos ü 2024", 3)
    done = papermill_run(BOOKS[0], tmp_path / "out.ipynb", GIVEN | {"folder": str(folder)})
    result = ast.literal_eval(code_of(done)[-1].outputs[0].data["text/plain"])
    assert result["total"] == 3
    assert result["decided"] == 0
    assert (folder / ".cropkit").is_dir()


def test_parameters_keep_their_types_and_the_paths_their_braces(tmp_path: Path) -> None:
    given: dict[str, notebooks.Literal] = {
        "folder": "/photos/br{2024} ü/007",
        "per_page": 2,
        "defer": True,
        "reviewer": "1e3",
    }
    book = notebooks.filled(BOOKS[0], given)
    cell = notebooks.tagged(book, "injected-parameters")
    assert cell is not None
    names: dict[str, object] = {}
    exec(cell.source, names)  # noqa: S102  (what the kernel does with it)
    assert {name: names[name] for name in given} == given
    path = tmp_path / "br{2024}.ipynb"
    notebooks.write(book, path)
    assert notebooks.read(path) == book


@pytest.mark.parametrize("path", BOOKS, ids=lambda path: path.name)
def test_parameters_are_set_after_their_defaults(path: Path) -> None:
    name = next(iter(notebooks.parameters(notebooks.read(path))))
    book = notebooks.filled(path, {name: "mine"})
    ours = {"parameters", "injected-parameters"}
    cells = [cell.source for cell in book.cells if ours & {*cell.metadata.get("tags", ())}]
    names: dict[str, object] = {}
    exec("\n".join(cells), names)  # noqa: S102  (what the kernel does with it)
    assert names[name] == "mine"


def test_an_unknown_parameter_is_refused() -> None:
    with pytest.raises(BadParameter, match=r"1_review\.ipynb: no parameter is called 'foldr'"):
        notebooks.filled(BOOKS[0], {"foldr": "x"})
