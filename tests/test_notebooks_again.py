"""A second gate of the notebooks: pytest-notebook runs them in its own way and compares them whole.

nbval compares what each cell shows, by the kinds of output that it knows. This compares all that a
notebook holds: counts, order, metadata, each form of each output. `1_review` has its second run in
`test_notebooks.py`, where it is refreshed and compared byte for byte, and `2_batch` in
`test_notebooks_parameters.py`, by papermill.
"""

import warnings
from pathlib import Path

import nbformat
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore", UserWarning)  # it cannot name the types of some of its fields
    from pytest_notebook.nb_regression import NBRegressionError, NBRegressionFixture

ROOT = Path(__file__).resolve().parent.parent
BOOKS = [ROOT / "notebooks/3_health.ipynb", ROOT / "notebooks/4_suggestions.ipynb"]
# What `refresh.py` does not store.
LEFT_OUT = (
    "/metadata/language_info",
    "/metadata/widgets",
    "/cells/*/outputs/*/data/application/vnd.jupyter.widget-view+json",
)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> NBRegressionFixture:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # the kernel's, whichever cropkit is installed
    return NBRegressionFixture(exec_timeout=120, diff_ignore=LEFT_OUT, diff_use_color=False)


@pytest.mark.parametrize("path", BOOKS, ids=lambda path: path.stem)
def test_a_notebook_run_in_another_way_is_the_one_that_is_committed(
    gate: NBRegressionFixture, path: Path
) -> None:
    gate.check(str(path))


def test_the_gate_notices_what_nbval_does_not_compare(
    gate: NBRegressionFixture, tmp_path: Path
) -> None:
    cell = nbformat.v4.new_code_cell("6 * 7", execution_count=2)
    cell.outputs = [
        nbformat.v4.new_output("execute_result", {"text/plain": "42"}, execution_count=2)
    ]
    path = tmp_path / "counted.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)
    with pytest.raises(NBRegressionError, match="execution_count"):
        gate.check(str(path))
