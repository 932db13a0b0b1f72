"""A batch whose boxes come from a file or a model that its parameters name, as a review's may."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from queueing import collection

from cropkit.batch import Batch
from cropkit.batch.dry_run import foreseen
from cropkit.batch.notebook_run import run_notebook
from cropkit.collection import Collection
from cropkit.errors import BadParameterValue, MissingFile
from cropkit.geometry import PixelBox
from cropkit.jupyter.notebooks import notebook

BOXES = {"0000.png": (1, 2, 31, 42), "0001.png": (8, 8, 48, 88)}
MODEL = "def find(image):\n    return [[3, 4, image.width - 5, image.height - 6]]\n"


def table(place: Path) -> Path:
    rows = [",".join(map(str, (name, *box))) for name, box in BOXES.items()]
    path = place / "boxes.csv"
    path.write_text("\n".join(["path,x1,y1,x2,y2", *rows]) + "\n", encoding="utf-8")
    return path


def boxes(batch: Batch) -> dict[str, PixelBox | None]:
    return {item.path: item.decision.box for item in batch.plan.ready}


def test_a_table_is_cropped_unattended_and_a_dry_run_foresees_the_same(tmp_path: Path) -> None:
    folder = collection(tmp_path / "c", 3)
    given: dict[str, Any] = {"source": "suggestions", "suggestions": str(table(tmp_path))}
    plan, in_the_way = foreseen(folder, given)
    assert not (folder / ".cropkit").exists()
    with Batch(folder, **given) as batch:
        assert boxes(batch) == {name: PixelBox(*box) for name, box in BOXES.items()}
        assert {item.path: item.decision.box for item in plan.ready} == boxes(batch)
        assert [each.path for each in plan.passed] == ["0002.jpg"]
        batch.apply()
        assert batch.result()["cropped"] == 2
        assert batch.run.parameters["suggestions"] == given["suggestions"]
    assert not in_the_way


def test_the_order_of_four_numbers_is_said_where_their_names_do_not_tell(tmp_path: Path) -> None:
    folder = collection(tmp_path / "c", 1)
    path = tmp_path / "boxes.json"
    path.write_text(json.dumps([{"path": "0000.png", "bbox": [10, 20, 30, 40]}]), "utf-8")
    with Batch(folder, source="suggestions", suggestions=path, order="xywh") as batch:
        assert boxes(batch) == {"0000.png": PixelBox(10, 20, 40, 60)}


def test_a_model_is_called_by_its_name_and_a_callable_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = collection(tmp_path / "c", 2)
    (tmp_path / "finder_here.py").write_text(MODEL, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    wanted = {name: PixelBox(3, 4, 91, 122) for name in ("0000.png", "0001.png")}
    with Batch(folder, source="suggestions", model="finder_here:find") as batch:
        assert boxes(batch) == wanted
    with Batch(folder, source="suggestions", suggest=lambda _: [[3, 4, 91, 122]]) as batch:
        assert boxes(batch) == wanted


def test_the_command_finds_a_model_in_the_folder_that_it_is_called_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = collection(tmp_path / "c", 1)
    (tmp_path / "finder_there.py").write_text(MODEL, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    given = {"source": "suggestions", "model": "finder_there:find", "copy_to": str(tmp_path / "o")}
    ended = run_notebook(folder, given)
    assert ended.ok, ended
    with Collection(folder) as kit:
        assert kit.history()["event"].tolist().count("cropped") == 1


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("suggestions", "no/such/file.csv", MissingFile),
        ("suggestions", 1.5, BadParameterValue),
        ("model", "no_such_module:find", BadParameterValue),
        ("model", 2.5, BadParameterValue),
        ("order", "yxyx", BadParameterValue),
        ("units", "inches", BadParameterValue),
    ],
)
def test_what_names_no_boxes_is_one_sentence_and_nothing_was_begun(
    tmp_path: Path, name: str, value: object, error: type[Exception]
) -> None:
    folder = collection(tmp_path / "c", 1)
    given: dict[str, Any] = {"suggestions": str(table(tmp_path)), name: value}
    with pytest.raises(error) as refused:
        Batch(folder, source="suggestions", **given)
    assert "\n" not in str(refused.value)
    assert not (folder / ".cropkit").exists()


def test_papermill_by_hand_takes_a_relative_folder_a_working_folder_and_a_kernel(
    tmp_path: Path,
) -> None:
    folder = collection(tmp_path / "2024", 1, sidecars=True)
    options = ["--cwd", str(tmp_path), "-k", "python3", "-r", "folder", "2024"]
    options += ["-p", "source", "suggestions", "-p", "copy_to", "out", "--no-progress-bar"]
    ran = papermill(tmp_path, *options)
    assert ran.returncode == 0, ran.stderr
    assert [path.name for path in (tmp_path / "out").glob("*.png")] == ["0000.png"]
    assert (folder / "0000.png").is_file()


def test_papermill_by_hand_with_a_kernel_that_is_not_there_ends_in_a_sentence_of_its_own(
    tmp_path: Path,
) -> None:
    ran = papermill(tmp_path, "-k", "no-such-kernel", "-p", "folder", str(tmp_path))
    assert ran.returncode != 0
    assert ran.stderr.strip().splitlines()[-1].endswith("No such kernel named no-such-kernel")


def papermill(place: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "papermill", str(notebook("2_batch")), "out.ipynb", *options]
    return subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
