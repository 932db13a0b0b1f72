"""A model in an ONNX file proposes boxes; one that takes or answers something else is refused."""

import json
from pathlib import Path

import onnx_models
import pytest
from PIL import Image
from shell import run

import cropkit
from cropkit.errors import BadParameterValue
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
