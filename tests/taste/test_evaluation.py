"""`suggest --evaluate` and `--train-head`, on data sets and on collections, by the real command."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scenes
from deciding import decided
from scenes import EDGES, MIDDLE, around
from shell import run

from cropkit.collection import Collection
from cropkit.geometry import NormalizedBox, PixelBox, Size
from cropkit.records import Suggestion, Verdict
from cropkit.taste import boxes, plots
from cropkit.taste.evaluation import figures
from cropkit.taste.mean import Mean
from cropkit.taste.report import evaluated

COUNT = 60
ALONG = np.array([0.1, 0, 0, 0])


@pytest.fixture(scope="module")
def data_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of scenes with a crop for each, by a rule."""
    folder = tmp_path_factory.mktemp("data") / "set"
    folder.mkdir()
    scenes.data_set(folder, np.random.default_rng(50), COUNT)
    return folder


def answer(*words: str | Path, code: int = 0) -> dict[str, Any]:
    ended = run("suggest", *map(str, words), "--json")
    assert ended.returncode == code, ended.stderr
    document: dict[str, Any] = json.loads(ended.stdout)
    return document


# -- data sets -----------------------------------------------------------------------------------


def test_a_rule_that_is_learned_is_better_than_every_constant(data_set: Path) -> None:
    told = answer("--evaluate", data_set)
    assert (told["images"], told["how"]) == (COUNT, "five-fold cross-validation")
    free, constants = told["proposed"]["free"]["iou"], told["constants"]
    assert free["low"] <= free["mean"] <= free["high"]
    assert all(free["mean"] > each["iou"]["mean"] + 0.1 for each in constants.values())
    assert told["proposed"]["aspect given"]["iou"]["mean"] > free["mean"]
    best_of_3 = told["proposed"]["free"]["best_of_3_within_5"]["mean"]
    assert best_of_3 >= told["proposed"]["free"]["within_5"]["mean"]


def test_figures_are_those_of_the_predictions_that_are_written(
    data_set: Path, tmp_path: Path
) -> None:
    out = tmp_path / "boxes.jsonl"
    told = answer("--evaluate", data_set, "--predictions", out)
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    wanted = {each["image"]: each for each in json.loads((data_set / "crops.json").read_text())}
    assert [each["image"] for each in rows] == list(wanted)
    assert {each["source"] for each in rows} == {"learned"}
    assert all(0 < each["confidence"] <= 1 and 1 <= len(each["boxes"]) <= 3 for each in rows)
    first = np.array([each["boxes"][0] for each in rows])
    meant = np.array([[each[edge] for edge in EDGES] for each in wanted.values()])
    assert told["proposed"]["free"]["iou"]["mean"] == pytest.approx(
        float(boxes.iou(first, meant).mean()), abs=1e-5
    )
    assert run("suggest", "--evaluate", str(data_set), "--predictions", str(out)).returncode == 1


def test_a_head_serves_a_data_set_that_it_was_not_learned_from(
    data_set: Path, tmp_path: Path
) -> None:
    out, other = tmp_path / "head.json", tmp_path / "other"
    assert answer("--train-head", data_set, "--out", out)["images"] == COUNT
    other.mkdir()
    images, wanted = around(np.random.default_rng(51), 20)
    rows = []
    for number, (image, box) in enumerate(zip(images, wanted, strict=True)):
        image.save(other / f"{number}.png")
        pixels = (box * [192, 128, 192, 128]).round().tolist()
        rows.append(json.dumps({"file_name": f"{number}.png", "xyxy": pixels}))
    (other / "boxes.jsonl").write_text("\n".join(rows))
    told = answer("--evaluate", other, "--head", out)
    assert (told["images"], told["how"]) == (20, f"a head, learned from {COUNT} decisions")
    assert told["proposed"]["free"]["iou"]["mean"] > told["constants"]["median"]["iou"]["mean"]


def test_people_read_a_table(data_set: Path) -> None:
    ended = run("suggest", "--evaluate", str(data_set))
    assert ended.returncode == 0
    assert f"{COUNT} images, five-fold cross-validation" in ended.stdout
    assert [line.split("  ")[0] for line in ended.stdout.splitlines()[2:4]] == [
        "free",
        "aspect given",
    ]


ENTRY = {"image": "000.png", "left": 0.1, "top": 0.1, "right": 0.9, "bottom": 0.9}


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (ENTRY | {"image": "../outside.png"}, "outside"),
        (ENTRY | {"image": "not there.png"}, "no such file"),
        (ENTRY | {"image": 7}, "crops.json[0]: needs the name of an image"),
        (ENTRY | {"left": 40}, "looks like pixels"),
        (ENTRY | {"left": "x"}, "is not a number"),
        (ENTRY | {"left": None}, "crops.json[0].left"),
        (ENTRY | {"right": 0.1}, "empty or inverted"),
        ({}, "needs the name"),
        (7, "needs an object"),
    ],
)
def test_a_bad_entry_is_named_and_the_others_are_used(
    data_set: Path, tmp_path: Path, entry: object, reason: str
) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    for name in ("000.png", "001.png"):
        (folder / name).write_bytes((data_set / name).read_bytes())
    good = ENTRY | {"image": "001.png"}
    (folder / "crops.json").write_text(json.dumps([entry, *[good] * 2]))
    told = answer("--evaluate", folder, code=1)
    assert told["images"] == 2
    (problem,) = told["problems"]
    assert reason in f"{problem['where']}: {problem['reason']}"


@pytest.mark.parametrize("write", [None, lambda f: (f / "crops.json").write_text("[]")])
def test_where_there_is_nothing_to_learn_from_it_says_so(
    tmp_path: Path, write: Callable[[Path], object] | None
) -> None:
    if write:
        write(tmp_path)
    for what in (("--evaluate",), ("--train-head", "--out", str(tmp_path / "head"))):
        ended = run("suggest", what[0], str(tmp_path), *what[1:])
        assert ended.returncode == 1, ended.stderr
        assert str(tmp_path) in ended.stderr
    assert not (tmp_path / "head").exists()
    assert not (tmp_path / ".cropkit").exists()


# -- collections ---------------------------------------------------------------------------------


def test_a_review_is_replayed_from_the_images_as_they_were_shown(
    data_set: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "collection"
    folder.mkdir()
    for path in data_set.glob("0[0-3]*.png"):
        (folder / path.name).write_bytes(path.read_bytes())
    names = sorted(path.name for path in folder.iterdir())
    suggestion = Suggestion(NormalizedBox(*MIDDLE.tolist()), "detector", "v1")
    with Collection(folder, reviewer="ann") as collection:
        for name in names:
            decided(collection, name, box=PixelBox(30, 20, 160, 110), suggestion=suggestion)
        assert all(each.ok for each in collection.apply_waiting())
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    told = answer("--evaluate", folder)
    assert (told["images"], told["problems"]) == (len(names), [])
    assert told["how"] == "as a review would have learned"
    assert told["by"]["suggestion"]["detector"]["iou"]["images"] == len(names)
    assert set(told["by"]) == {"overall", "suggestion", "version", "slot", "reviewer"}
    assert list(told["by"]["reviewer"]) == ["ann"]
    assert told["proposed"]["free"]["within_5"]["mean"] > 0.4
    assert told["by"]["suggestion"]["detector"]["within_5"]["mean"] == 0
    after = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert {k: v for k, v in after.items() if ".cropkit" not in str(k)} == {
        k: v for k, v in before.items() if ".cropkit" not in str(k)
    }


def test_what_was_shown_is_told_by_who_proposed_it_with_what_became_of_it(tmp_path: Path) -> None:
    proposed = {
        "a": Suggestion(NormalizedBox(0.1, 0.1, 0.7, 0.8), "detector", "v1"),
        "b": Suggestion(NormalizedBox(0.2, 0.1, 0.9, 0.8), "detector", "v1"),
        "c": Suggestion(NormalizedBox(0.2, 0.2, 0.8, 0.8), "learned", "12 reviews"),
        "d": Suggestion(NormalizedBox(0.2, 0.2, 0.8, 0.9), "learned", "18 reviews"),
    }
    images, _ = around(np.random.default_rng(51), len(proposed))
    for name, image in zip(proposed, images, strict=True):
        image.save(tmp_path / f"{name}.png")
    with Collection(tmp_path, reviewer="ann") as collection:
        for name, suggestion in proposed.items():
            moved = NormalizedBox(*(np.array(suggestion.box.xyxy) + ALONG).tolist())
            box = (moved if name == "a" else suggestion.box).pixels(Size(*images[0].size))
            verdict = Verdict.ADJUSTED if name == "a" else Verdict.ACCEPT
            decided(collection, f"{name}.png", verdict, box, suggestion)
    told = answer("--evaluate", tmp_path)
    by = told["by"]
    assert by["overall"]["all"]["untouched"]["mean"] == 0.75
    assert by["suggestion"]["detector"]["untouched"]["mean"] == 0.5
    assert set(by["version"]) == {"v1", ""}  # and not one for each count of reviews
    assert by["overall"]["all"]["seconds"]["images"] == 4
    assert set(told["edge_bias"]) == {"detector v1"}
    left, top = (told["edge_bias"]["detector v1"][edge]["mean"] for edge in ("left", "top"))
    assert left == pytest.approx(0.05, abs=0.01)
    assert abs(top) < 0.01
    given = told["aspect_given"]
    assert set(given["by"]) == set(by)
    whole = given["constants"][""]["whole image"]["displacement"]["mean"]
    assert whole < told["constants"]["whole image"]["displacement"]["mean"]


def test_what_decisions_taught_rises_with_their_number(data_set: Path) -> None:
    curve = answer("--evaluate", data_set)["curve"]
    assert [each["decisions"] for each in curve] == [10, 20, 48]
    assert curve[-1]["learned"]["mean"] > curve[-1]["constant"]["mean"] + 0.1
    assert curve[-1]["learned"]["mean"] > curve[0]["learned"]["mean"]


def test_a_notebook_shows_the_same(data_set: Path, tmp_path: Path) -> None:
    report = evaluated(data_set)
    frame = report.frame()
    told = answer("--evaluate", data_set)
    assert str(frame.loc["free", "IoU"]).startswith(
        f"{told['proposed']['free']['iou']['mean']:.3f} ±"
    )
    assert frame.loc["constant: median", "seconds"] == ""
    drawn = plots.curve(report.evaluation)
    assert repr(drawn).count("without") == len(told["curve"])
    assert drawn.svg.startswith("<svg")
    with Collection(tmp_path):
        empty = evaluated(tmp_path)
    assert empty.evaluation.images == 0
    assert "no decisions yet" in repr(plots.curve(empty.evaluation))
    assert "no decisions yet" in repr(plots.edge_bias(empty.evaluation))
    assert (empty.frame() == "").all().all()


# -- figures -------------------------------------------------------------------------------------


def test_figures_of_boxes_that_are_known() -> None:
    wanted = np.array([[0.0, 0.0, 1.0, 1.0], [0.2, 0.2, 0.6, 0.6]])
    shown = np.array([[0.0, 0.0, 1.0, 1.0], [0.2, 0.2, 0.6, 0.4]])
    means = {name: mean.mean for name, mean in figures(shown, wanted).items() if mean}
    expected = {"iou": 0.75, "displacement": 0.025, "within_2": 0.5, "within_10": 0.5}
    more = {"edges_moved": 0.5, "drag": 0.1, "within_5": 0.5}
    assert means == pytest.approx(expected | more)


def test_an_interval_holds_its_mean_as_often_as_it_says() -> None:
    rng = np.random.default_rng(60)
    means = [Mean.of(rng.normal(0, 1, 50)) for _ in range(300)]
    holds = [mean.low <= 0 <= mean.high for mean in means if mean]
    assert 0.9 < np.mean(holds) < 0.98
    assert Mean.of(np.full(3, np.nan)) is None
