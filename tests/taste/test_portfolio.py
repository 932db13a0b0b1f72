"""What is learned of a reviewer leads only where it is better, and is never much worse."""

import numpy as np
import pytest
from scenes import MIDDLE, NOTHING, around, history, learned, worst_window

from cropkit.taste import boxes, features
from cropkit.taste.boxes import Array
from cropkit.taste.evaluation import replayed
from cropkit.taste.portfolio import CENTRE, FIRST, Choice, History, habit, names_for, shaped


def gains(known: History, base: Array) -> Array:
    """Return what a review would have gained in overlap, image by image."""
    return boxes.iou(replayed(known).best, known.wanted) - boxes.iou(base, known.wanted)


@pytest.mark.parametrize("seed", range(3))
def test_a_reviewer_without_a_rule_is_served_as_well_as_by_a_constant(seed: int) -> None:
    rng = np.random.default_rng(seed)
    of, _ = learned(20 + seed, 300)
    wanted = boxes.valid(CENTRE + rng.normal(0, 0.08, (300, 4)))
    gained = gains(history(of, wanted), np.tile(CENTRE, (300, 1)))
    assert worst_window(gained) > -0.01


def test_a_reviewer_with_a_rule_gets_it() -> None:
    known = history(*learned(30, 300))
    gained = gains(known, np.tile(CENTRE, (300, 1)))
    assert gained[150:].mean() > 0.3
    assert worst_window(gained) > -0.01
    assert replayed(known).sources[-1] in ("learned", "similar images")


def test_a_model_with_a_bias_is_corrected_after_twenty_decisions() -> None:
    rng = np.random.default_rng(31)
    of, wanted = learned(31, 200)
    bias = np.array([0.06, 0.03, -0.05, -0.08])
    model = boxes.valid(wanted + bias + rng.normal(0, 0.01, wanted.shape))
    answered = replayed(history(of, wanted, model)).best
    near = boxes.edges_within(answered, wanted, 0.05)
    assert not boxes.edges_within(model, wanted, 0.05).any()
    assert near[:10].sum() == 0
    assert near[20:].mean() > 0.95


def test_a_model_without_a_bias_is_hardly_harmed() -> None:
    rng = np.random.default_rng(32)
    of, wanted = learned(32, 200)
    model = boxes.valid(wanted + rng.normal(0, 0.04, wanted.shape))
    gained = gains(history(of, wanted, model), model)
    assert gained.mean() > -0.003


def test_before_any_decision_a_model_is_shown_as_it_is_and_else_the_centre() -> None:
    of, wanted = learned(33, 4)
    model = wanted + 0.013
    model[2] = NOTHING
    asked = history(of, np.full((4, 4), NOTHING), model)
    shown = Choice().predictor(asked.some(slice(0, 0)))(asked)
    assert np.allclose(shown[[0, 1, 3]], model[[0, 1, 3]])
    assert np.allclose(shown[2], CENTRE)


def test_the_lead_stays_where_the_other_is_not_clearly_better() -> None:
    of, _ = learned(34, 60)
    rng = np.random.default_rng(34)
    wanted = boxes.valid(CENTRE + rng.normal(0, 0.02, (60, 4)))
    assert Choice(FIRST, 60).again(history(of, wanted)).name == FIRST
    assert Choice(FIRST, 9).again(history(of, wanted).some(slice(0, 9))).name == FIRST


def test_a_leader_that_has_become_worse_than_nothing_learned_is_left() -> None:
    of, _ = learned(35, 80)
    wanted = boxes.valid(CENTRE + np.random.default_rng(35).normal(0, 0.2, (80, 4)))
    assert Choice("your edges", 80).again(history(of, np.tile(CENTRE, (80, 1)))).name == FIRST
    assert Choice("learned", 80).again(history(of, wanted, wanted)).name == FIRST


@pytest.mark.parametrize("noise", [0.005, 0.02, 0.03])
def test_a_choice_is_as_sure_as_it_proves_right_on_what_it_has_not_seen(noise: float) -> None:
    of, exact = learned(38, 400)
    wanted = boxes.valid(exact + np.random.default_rng(38).normal(0, noise, exact.shape))
    known = history(of, wanted)
    before, after = known.some(slice(0, 200)), known.some(slice(200, 400))
    choice = Choice().again(before)
    met = boxes.edges_within(choice.predictor(before)(after), after.wanted, 0.05).mean()
    assert choice.sure == pytest.approx(met, abs=0.1)


def test_before_there_are_enough_decisions_nobody_knows_how_sure_to_be() -> None:
    known = history(*learned(39, 9))
    assert Choice().again(known).sure is None


def portraits(seed: int, count: int) -> tuple[History, boxes.Flags]:
    """Images of which two thirds have a face, and a house that crops around it."""
    rng = np.random.default_rng(seed)
    low, height = rng.uniform(0.1, 0.7, (count, 2)), rng.uniform(0.08, 0.2, (count, 1))
    faces = np.concatenate([low, low + height], axis=1)
    has_face = rng.random(count) < 2 / 3
    seen = [features.of_faces(each[None] if has else each[None, :0].reshape(0, 4))
            for each, has in zip(faces, has_face, strict=True)]  # fmt: skip
    plain = rng.normal(0, 1, (count, features.COUNT + features.SEEN - len(seen[0])))
    side = 4 * height
    corner = np.clip((faces[:, :2] + faces[:, 2:]) / 2 - [0.5, 0.38] * side, 0, 1 - side)
    meant = np.concatenate([corner, corner + side], axis=1) + rng.normal(0, 0.005, (count, 4))
    wanted = np.where(has_face[:, None], boxes.valid(meant), np.array(MIDDLE))
    return history(np.concatenate([plain, seen], axis=1), wanted), has_face


def test_a_house_that_crops_around_faces_is_learned_within_a_hundred_and_fifty() -> None:
    known, has_face = portraits(38, 300)
    answered = replayed(known)
    near = boxes.edges_within(answered.best, known.wanted, 0.05)
    later = np.arange(300) >= 150
    assert answered.sources[-1] == "around faces"
    assert near[later & has_face].mean() > 0.9
    assert near[later & ~has_face].mean() > 0.9
    gained = boxes.iou(answered.best, known.wanted) - boxes.iou(CENTRE, known.wanted)
    assert worst_window(gained) > -0.01


def test_where_no_model_has_looked_for_faces_nothing_is_cropped_around_them() -> None:
    known = history(*learned(39, 30))
    assert "around faces" not in names_for(known)
    assert "around faces" in names_for(portraits(40, 30)[0])
    faceless = portraits(41, 30)[0]
    faceless.features[:, features.LARGEST_FACE] = 0
    assert np.isfinite(Choice("around faces", 30).predictor(faceless)(faceless)).all()


@pytest.mark.parametrize(
    ("ratio", "expected"), [(1.0, 1.0), (4 / 5, 4 / 5), (None, None), ("own", 0.0)]
)
def test_a_habit_of_ratios_is_seen(ratio: float | str | None, expected: float | None) -> None:
    of, wanted = learned(36, 60)
    aspect = features.aspect(of)
    if ratio is not None:
        relative = ratio / aspect if isinstance(ratio, float) else np.ones(60)
        wanted = boxes.with_ratio(wanted, relative)
    assert habit(history(of, wanted)) == expected


def test_boxes_take_the_habit_and_stay_inside() -> None:
    _, wanted = around(np.random.default_rng(37), 50)
    aspect = np.linspace(0.3, 3, 50)
    square = shaped(wanted, aspect, 1.0)
    sides = square[:, 2:] - square[:, :2]
    assert np.allclose(sides[:, 0] * aspect, sides[:, 1])
    assert ((square >= -1e-12) & (square <= 1 + 1e-12)).all()
    inside = boxes.area(square) > boxes.area(wanted) - 1e-9
    assert inside.sum() > 25
