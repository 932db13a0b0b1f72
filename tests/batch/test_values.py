"""What papermill guesses of a parameter is taken where it is clear, and is a sentence elsewhere."""

import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pictures
import pytest

from cropkit.batch import Batch
from cropkit.batch.parameters import typed
from cropkit.collection import Collection
from cropkit.errors import BadParameterValue
from cropkit.jupyter.notebooks import notebook
from cropkit.monitor import reporting

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("workers", "two"),
        ("workers", 1.5),
        ("workers", -1),
        ("workers", True),
        ("workers", 10**9),
        ("min_confidence", "high"),
        ("min_confidence", math.nan),
        ("min_confidence", math.inf),
        ("min_confidence", 1.5),
        ("min_confidence", None),
        ("source", "bogus"),
        ("source", 3),
        ("destination", 1.5),
        ("run", True),
        ("folder", 2024.5),
        ("folder", None),
    ],
)
def test_a_value_that_cannot_be_is_one_sentence_with_its_parameter(
    tmp_path: Path, name: str, value: object
) -> None:
    parameters: dict[str, Any] = {
        "folder": pictures.write_folder(tmp_path / "collection"),
        name: value,
    }
    with pytest.raises(BadParameterValue) as refused:
        Batch(**parameters)
    assert f"parameter {name} cannot be {value!r}: it is a " in str(refused.value)
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "collection" / ".cropkit").exists()


def test_a_folder_that_is_called_2024_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = pictures.write_folder(tmp_path / "2024")
    monkeypatch.chdir(tmp_path)
    with Batch(2024) as batch:  # type: ignore[arg-type]  # (what papermill makes of it)
        assert batch.collection.root == folder
    with Collection(2024) as collection:  # type: ignore[arg-type]  # (as above)
        assert collection.root == folder
    assert reporting.look(2024).facts.failure is None  # type: ignore[arg-type]  # (as above)
    assert reporting.figures(2024).total.decisions == 0  # type: ignore[arg-type]  # (as above)


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "high"])
def test_a_limit_that_is_no_number_is_refused_before_anything_runs(text: str) -> None:
    with pytest.raises(BadParameterValue, match=f"min_confidence cannot be '{text}'"):
        typed(notebook("2_batch"), [("min_confidence", text)])


def test_papermills_own_command_line_runs_the_batch_on_a_folder_called_2024(
    tmp_path: Path,
) -> None:
    folder = pictures.write_folder(tmp_path / "2024")
    chosen = ["-p", "folder", "2024", "-p", "source", "suggestions", "--no-progress-bar"]
    done = subprocess.run(
        [sys.executable, "-m", "papermill", str(notebook("2_batch")), "out.ipynb", *chosen],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    with Collection(folder) as collection:
        assert collection.counts().written == 5
