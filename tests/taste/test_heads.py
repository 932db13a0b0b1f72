"""A box from features: learned where there is something to learn, and a constant where not."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scenes import MIDDLE, around, learned, scene

from cropkit.errors import BadTaste
from cropkit.taste import boxes, features, head
from cropkit.taste.alternatives import alternatives
from cropkit.taste.head import Head

# -- features ------------------------------------------------------------------------------------


def test_a_mirrored_image_has_mirrored_features() -> None:
    images, _ = around(np.random.default_rng(1), 20)
    turned = [each.transpose(Image.Transpose.FLIP_LEFT_RIGHT) for each in images]
    straight = np.array([features.features(each) for each in images])
    expected = np.array([features.features(each) for each in turned])
    assert np.abs(features.mirrored(straight) - expected).max() < 0.05
    assert np.abs(straight - expected).max() > 0.2
    assert np.array_equal(
        features.mirrored(features.mirrored(straight)).round(9), straight.round(9)
    )


def test_features_are_of_the_ratio_and_not_of_the_size() -> None:
    image = scene(np.random.default_rng(2), MIDDLE, (640, 320))
    assert features.aspect(features.features(image)[None])[0] == pytest.approx(2)
    half = features.features(image.resize((320, 160)))
    assert np.abs(half - features.features(image)).max() < 0.3


@pytest.mark.parametrize("colour", [0, 255])
@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (64, 64)])
def test_nothing_to_be_seen_gives_numbers_too(size: tuple[int, int], colour: int) -> None:
    numbers = features.features(Image.new("RGB", size, (colour,) * 3))
    assert numbers.shape == (features.COUNT,)
    assert np.isfinite(numbers).all()


# -- learning ------------------------------------------------------------------------------------


def test_a_rule_is_learned_and_holds_for_images_that_were_not_seen() -> None:
    known, asked = learned(3, 150), learned(4, 60)
    fitted = Head.fitted(*known)
    overlap = boxes.iou(fitted.predicted(asked[0]), asked[1]).mean()
    constant = boxes.iou(np.median(known[1], axis=0), asked[1]).mean()
    assert not fitted.is_constant
    assert overlap > 0.8 > constant + 0.2


def test_where_nothing_can_be_learned_the_median_is_kept() -> None:
    rng = np.random.default_rng(5)
    of, _ = learned(6, 60)
    wanted = boxes.valid(MIDDLE + rng.normal(0, 0.05, (60, 4)))
    fitted = Head.fitted(of, wanted)
    assert fitted.is_constant
    assert np.allclose(fitted.predicted(of), np.median(wanted, axis=0))


def test_one_decision_is_its_own_median() -> None:
    of, wanted = learned(7, 1)
    assert np.allclose(Head.fitted(of, wanted).predicted(of), wanted)


def test_an_image_unlike_any_other_gets_a_box_inside_of_it() -> None:
    fitted = Head.fitted(*learned(8, 80))
    predicted = fitted.predicted(np.full((1, features.COUNT), 1e9))
    assert (predicted >= 0).all()
    assert (predicted <= 1).all()
    assert (predicted[0, 2:] > predicted[0, :2]).all()


# -- alternatives --------------------------------------------------------------------------------


def test_of_two_habits_the_second_box_is_the_other_one() -> None:
    habit = np.array([[0.0, 0, 0, 0]] * 60 + [[-0.2, 0, 0, 0]] * 40)
    first, second = alternatives(MIDDLE, habit)[:2]
    assert np.allclose(first, MIDDLE)
    assert np.allclose(second, boxes.snapped(np.array([0, 0.2, 0.8, 0.8])))


def test_where_all_agree_there_is_one_box() -> None:
    assert len(alternatives(MIDDLE, np.zeros((50, 4)))) == 1


@given(st.integers(0, 10_000), st.integers(1, 60))
@settings(max_examples=60, deadline=None)
def test_alternatives_are_boxes_inside_and_the_best_comes_first(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    best = boxes.valid(rng.uniform(-0.2, 1.2, 4))
    every = alternatives(best, rng.normal(0, 0.3, (count, 4)))
    assert 1 <= len(every) <= 3
    assert np.array_equal(every[0], best)
    assert ((every >= 0) & (every <= 1)).all()
    assert (every[:, 2:] > every[:, :2]).all()


# -- files ---------------------------------------------------------------------------------------


def test_what_was_written_predicts_the_same(tmp_path: Path) -> None:
    known = learned(9, 60)
    written = Head.fitted(*known)
    written.write(tmp_path / "head.json")
    assert (tmp_path / "head.json").stat().st_size < 40_000
    again = head.read(tmp_path / "head.json")
    assert again.count == 60
    assert np.abs(again.predicted(known[0]) - written.predicted(known[0])).max() < 1e-3
    with pytest.raises(FileExistsError):
        written.write(tmp_path / "head.json")


def spoiled(name: str, value: object) -> str:
    document = Head.fitted(*learned(10, 12)).to_json()
    return json.dumps(document | {name: value})


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "7", "null", "[" * 100_000, '{"form": "cropkit-head-1"}'),
        spoiled("form", "another"),
        spoiled("features", 99),
        spoiled("median", [0, 0, 1]),
        spoiled("median", [0, 0, 1, float("nan")]),
        spoiled("median", ["0", "0", "1", {}]),
        spoiled("scale", [0.0] * features.COUNT),
        spoiled("weights", [[1e400] * 4] * features.COUNT),
        spoiled("residuals", []),
        spoiled("residuals", [[0.1] * 4] * 100_000),
        spoiled("count", "many"),
        " " * (2 << 20),
    ],
    ids=lambda text: text[:20],
)
def test_a_file_that_is_no_head_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "head.json"
    path.write_text(text)
    with pytest.raises(BadTaste, match=r"head\.json: "):
        head.read(path)


def test_a_file_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(BadTaste, match=r"head\.json: No such file"):
        head.read(tmp_path / "head.json")
