"""A model that the processes of an executor ask: the same boxes are kept as are kept here."""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pictures
import pytest
import shell

from cropkit.collection import Collection
from cropkit.errors import BadParameterValue
from cropkit.geometry import Size
from cropkit.labels import importing
from cropkit.labels.elsewhere import AskedElsewhere, Recipe
from cropkit.system.elsewhere import TaskDied
from cropkit.system.files import Root
from cropkit.workers.executors import Pool, reach

FINDER = (
    "def find(path: str):\n"
    "    if path.endswith('1.png'):\n"
    "        raise RuntimeError('no')\n"
    "    return [[8, 4, 40, 20, 0.5], [-0.75, 0, 30, 30, 0.25]]\n"
)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(importing, "_TOGETHER", 2)
    (tmp_path / "finder_elsewhere.py").write_text(FINDER)
    (tmp_path / "photos").mkdir()
    for number in range(5):
        picture = pictures.photo(96, 64, number)
        pictures.write_png(tmp_path / "photos" / f"{number}.png", picture)
    return tmp_path


@pytest.fixture
def recipe(place: Path) -> Recipe:
    return Recipe("finder_elsewhere:find", name="finder", called_from=str(place))


def kept(folder: Path, ask: Callable[[Collection], Any]) -> tuple[Any, list[Any]]:
    """Return what was kept, and forget it."""
    with Collection(folder) as kit:
        result = kit.suggest_with(ask(kit))
        told = (result.summary(), sorted((each.path, each.reason) for each in result.problems))
    with Collection(folder) as kit:
        boxes = [kit.suggestions(kit.look(path)) for path in kit.images()]
        kit.imported.forget(result.name)
    return told, boxes


def test_the_same_boxes_and_problems_are_kept(
    place: Path, recipe: Recipe, processes: Executor
) -> None:
    folder = place / "photos"
    with reach(processes)(folder) as workers:
        elsewhere = kept(folder, lambda _: AskedElsewhere(workers, recipe, folder))
    here = kept(folder, lambda _: recipe.detections().of(Root(folder)))
    assert elsewhere == here
    assert elsewhere[0][0]["images"] == 4
    assert elsewhere[0][0]["clipped"] == 4


def test_images_that_have_theirs_are_not_asked_for_again(place: Path, recipe: Recipe) -> None:
    folder, asked = place / "photos", []

    class Counting(Pool):
        def submit(self, function: Any, /, *arguments: Any) -> Future[Any]:
            asked.append(arguments[-1])
            return super().submit(function, *arguments)

    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        workers = Counting(pool, 1)
        for expected in (3, 4):
            with Collection(folder) as kit:
                kit.suggest_with(AskedElsewhere(workers, recipe, folder))
            assert len(asked) == expected, "the second time, the one that has no box"


def test_an_image_that_its_processes_die_of_is_told_and_the_others_have_boxes(
    place: Path, recipe: Recipe
) -> None:
    class Dying(Pool):
        def submit(self, function: Any, /, *arguments: Any) -> Future[Any]:
            future: Future[Any] = Future()
            if any(each.path == "2.png" for each in arguments[-1]):
                future.set_exception(TaskDied())
            else:
                future.set_result(function(*arguments))
            return future

    folder = place / "photos"
    with Collection(folder) as kit, ProcessPoolExecutor(1) as pool:
        result = kit.suggest_with(AskedElsewhere(Dying(pool, 1), recipe, folder))
    reasons = {each.path: each.reason for each in result.problems}
    assert "ended the processes that asked it" in reasons.pop("2.png")
    assert list(reasons) == ["1.png"]
    assert result.images == 3


def test_a_model_that_is_not_there_is_told(place: Path, processes: Executor) -> None:
    folder = place / "photos"
    missing = AskedElsewhere(Pool(processes, 1), Recipe("nowhere_at_all:find"), folder)
    with pytest.raises(BadParameterValue, match="nowhere_at_all"):
        missing.suggest("0.png", Size(9, 9), "")


def test_it_goes_with_a_model_that_is_named_alone(place: Path) -> None:
    for words in (["--model", "x.onnx"], ["--evaluate"], []):
        ended = shell.run("suggest", place / "photos", *words, "--executor", "dask://x:1")
        assert ended.returncode == 2
    assert not (place / "photos" / ".cropkit").exists()
