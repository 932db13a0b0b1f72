"""A model in an ONNX file proposes boxes; one that takes or answers something else is refused."""

import json
from pathlib import Path

import onnx_models
import pytest
from PIL import Image
from shell import run

import cropkit
from cropkit import bounded
from cropkit.errors import BadParameterValue, TooCostly
from cropkit.suggest import onnx_model

pytest.importorskip("onnxruntime", reason="onnxruntime takes 28 MB to fetch and 78 MB installed")
COLOUR = (102, 51, 204)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (200, 100), COLOUR).save(tmp_path / "photos" / "a.png")
    return tmp_path / "photos"


def written(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "colours.onnx"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("shape", [(1, 3, 32, 48), ("n", 3, "h", "w"), (1, 3, 64, "w")])
def test_a_model_sees_red_green_and_blue_and_its_box_is_kept(
    folder: Path, tmp_path: Path, shape: tuple[int | str, ...]
) -> None:
    path = written(tmp_path, onnx_models.by_colour(shape))
    ended = run("suggest", str(folder), "--model", str(path), "--json")
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout)
    assert (told["images"], told["boxes"], told["problems"]) == (1, 1, [])
    with cropkit.open(folder) as collection:
        (suggestion,) = collection.suggestions(collection.look("a.png"))
    assert suggestion.source == "colours"
    assert len(suggestion.version) == 12
    assert suggestion.box.xyxy == pytest.approx((0.2, 0.1, 0.6, 1.0), abs=0.01)


def test_several_boxes_with_confidences_come_surest_first(folder: Path, tmp_path: Path) -> None:
    rows = [0.1, 0.1, 0.5, 0.5, 0.2, 0.2, 0.2, 0.9, 0.9, 0.7]
    path = written(tmp_path, onnx_models.constant((1, 2, 5), rows))
    with cropkit.open(folder, suggest=onnx_model.suggester(path, "mine", "7")) as collection:
        first, second = collection.suggestions(collection.look("a.png"))
    assert (first.source, first.version) == ("mine", "7")
    assert first.confidence == pytest.approx(0.7)
    assert second.box.xyxy == pytest.approx((0.1, 0.1, 0.5, 0.5))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "("),
        (b"noise" * 99, "("),
        (onnx_models.constant((1, 4), [0, 0, 1, 1], inputs=2), "something else than one image"),
        (onnx_models.constant((1, 4), [0, 0, 1, 1], inputs=0), "something else than one image"),
        (onnx_models.by_colour((1, 3, 32)), "("),
        (onnx_models.by_colour((1, 1, 32, 32)), "("),
        (onnx_models.by_colour((4, 3, 32, 32)), "not (1, 3, height, width)"),
        (onnx_models.by_colour((1, 3, 9000, 32)), "32 x 9000 pixels"),
        (onnx_models.by_colour(kind=onnx_models.DOUBLE), "("),
    ],
)
def test_what_takes_something_else_than_an_image_is_refused_by_name(
    tmp_path: Path, data: bytes, reason: str
) -> None:
    path = written(tmp_path, data)
    with pytest.raises(BadParameterValue) as raised:
        onnx_model.suggester(path)
    assert "colours.onnx" in str(raised.value)
    assert reason in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_file_that_is_missing_or_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BadParameterValue, match="No such file"):
        onnx_model.suggester(tmp_path / "none.onnx")
    monkeypatch.setattr(onnx_model, "LARGEST", 100)
    with pytest.raises(BadParameterValue, match="larger than 100 bytes"):
        onnx_model.suggester(written(tmp_path, onnx_models.by_colour()))


@pytest.mark.parametrize(
    ("dims", "values", "reason"),
    [
        ((4,), [0, 0, 1, 1], "not (N, 4) or (N, 5)"),
        ((1, 3), [0, 0, 1], "not (N, 4) or (N, 5)"),
        ((2, 1, 4), [0, 0, 1, 1] * 2, "not (N, 4) or (N, 5)"),
        ((1, 4), [0, 0, float("nan"), 1], "not finite"),
        ((1, 4), [0, 0, 400, 300], "outside of the 200 x 100 image"),
        ((1, 4), [0.9, 0, 0.1, 1], "inverted"),
    ],
)
def test_an_answer_that_is_no_box_is_a_problem_of_that_image(
    folder: Path, tmp_path: Path, dims: tuple[int, ...], values: list[float], reason: str
) -> None:
    path = written(tmp_path, onnx_models.constant(dims, values))
    told = json.loads(run("suggest", str(folder), "--model", str(path), "--json").stdout)
    assert told["boxes"] == 0
    (problem,) = told["problems"]
    assert problem["where"] == "a.png"
    assert reason in problem["reason"]


# -- judged --------------------------------------------------------------------------------------


def cropped(tmp_path: Path, images: int) -> Path:
    """Write a data set whose crops are those of `by_colour`, and one image that is none."""
    folder, rows = tmp_path / "cropped", []
    folder.mkdir()
    for number in range(images):
        red, green, blue = 51 * (number % 5), 102, 51
        Image.new("RGB", (200, 100), (red, green, blue)).save(folder / f"{number}.png")
        edges = {"left": red / 510, "top": green / 510, "right": 1 - blue / 510, "bottom": 1.0}
        rows.append({"image": f"{number}.png", "width": 200, "height": 100} | edges)
    (folder / "crops.json").write_text(json.dumps(rows))
    return folder


def test_a_model_is_judged_by_crops_and_its_boxes_are_written(tmp_path: Path) -> None:
    folder = cropped(tmp_path, 6)
    path, lines = written(tmp_path, onnx_models.by_colour()), tmp_path / "boxes.jsonl"
    words = ("--evaluate", "--model", str(path), "--name", "colours", "--json")
    ended = run("suggest", str(folder), *words, "--predictions", str(lines))
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout)
    assert (told["images"], told["how"][:8]) == (6, "colours ")
    assert told["proposed"]["free"]["iou"]["mean"] > 0.97
    assert told["proposed"]["free"]["iou"]["mean"] > told["constants"]["median"]["iou"]["mean"]
    rows = [json.loads(line) for line in lines.read_text().splitlines()]
    assert [row["image"] for row in rows] == [f"{n}.png" for n in range(6)]
    assert {row["source"] for row in rows} == {"colours"}


def test_an_image_without_a_box_counts_as_whole_and_a_bad_answer_is_left_out(
    tmp_path: Path,
) -> None:
    folder = cropped(tmp_path, 3)
    none = written(tmp_path, onnx_models.constant((0, 4), []))
    told = json.loads(
        run("suggest", str(folder), "--evaluate", "--model", str(none), "--json").stdout
    )
    assert told["how"].endswith(", 3 without a box")
    assert told["proposed"]["free"]["iou"] == told["constants"]["whole image"]["iou"]
    bad = written(tmp_path, onnx_models.constant((1, 4), [0.9, 0, 0.1, 1]))
    ended = run("suggest", str(folder), "--evaluate", "--model", str(bad))
    assert ended.returncode == 1
    assert "inverted" in ended.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("--evaluate", "--model", "m.onnx", "--head", "h.json"),
        ("--evaluate", "--with", "module:model"),
        ("--train-head", "--out", "h.json", "--model", "m.onnx"),
    ],
)
def test_what_would_not_be_looked_at_is_no_usage(tmp_path: Path, words: tuple[str, ...]) -> None:
    ended = run("suggest", str(tmp_path), *words)
    assert ended.returncode == 2
    assert "takes one of `--model` and `--head`" in ended.stderr


# -- by an enemy ---------------------------------------------------------------------------------


def proposed(folder: Path, path: Path) -> list[str]:
    """Return why the model has no box for each image."""
    told = json.loads(run("suggest", str(folder), "--model", str(path), "--json").stdout)
    assert told["boxes"] == 0
    return [problem["reason"] for problem in told["problems"]]


@pytest.fixture
def two(folder: Path) -> Path:
    Image.new("RGB", (100, 100), "teal").save(folder / "b.png")
    return folder


def test_a_model_that_never_ends_ends_at_the_bound_and_is_asked_once(
    two: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CROPKIT_MAX_SECONDS", "1")
    path = written(tmp_path, onnx_models.endless())
    reasons = proposed(two, path)
    assert len(reasons) == 2
    assert all("TooCostly" in reason and "CROPKIT_MAX_SECONDS" in reason for reason in reasons)
    boxes = onnx_model.Boxes(path)
    asked = 0

    def apart(*_: object) -> None:
        nonlocal asked
        asked += 1
        raise TooCostly("colours.onnx", "seconds", 1.0, "CROPKIT_MAX_SECONDS")

    monkeypatch.setattr(bounded, "apart", apart)
    for _ in range(3):
        with pytest.raises(TooCostly):
            boxes(Image.new("RGB", (9, 9)))
    assert asked == 1


@pytest.mark.parametrize("rows", [200_000_000, 200_000])
def test_an_answer_of_any_size_is_a_problem_of_that_image(
    folder: Path, tmp_path: Path, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CROPKIT_MAX_MEMORY", "1G")
    (reason,) = proposed(folder, written(tmp_path, onnx_models.of_zeros((rows, 4))))
    assert ("200,000 boxes, more than" in reason) is (rows == 200_000)
    assert reason.startswith("colours")


@pytest.mark.parametrize("where", ["beside.bin", "../beside.bin", "/dev/zero", "/etc/passwd"])
def test_a_model_reads_no_other_file(
    tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    for name in ("beside.bin", "here/beside.bin"):
        (tmp_path / name).write_bytes(b"\0\0\0\0" * 4)
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(BadParameterValue, match=r"colours\.onnx"):
        onnx_model.suggester(written(tmp_path, onnx_models.of_another_file(where)))


def test_nothing_that_a_model_is_called_reaches_a_terminal(
    folder: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "beside.bin").write_bytes(bytes(16))
    monkeypatch.chdir(tmp_path)  # a runtime that prints its errors does so in colour
    escape = "\x1b]0;owned\x07\x1b[2J"
    inner = onnx_models.node(f"No{escape}Operator", ["image"], "boxes")
    info = onnx_models.value_info
    data = onnx_models.model([inner], [], [info("image", (1, 3, 32, 32))], info("boxes", (1, 4)))
    path = tmp_path / f"{escape}.onnx"
    for model in (data, onnx_models.of_another_file("beside.bin")):
        path.write_bytes(model)
        ended = run("suggest", str(folder), "--model", str(path))
        assert ended.returncode != 0
        assert "\x1b" not in ended.stdout + ended.stderr
        with pytest.raises(BadParameterValue):
            onnx_model.suggester(path)
    said = capfd.readouterr()
    assert "\x1b" not in said.out + said.err
