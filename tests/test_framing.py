import json
import os
import pickle
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from strategies import boxes_in, sizes

import cropkit
from cropkit.errors import BadFraming, BadTarget
from cropkit.framing import Framed
from cropkit.geometry import PixelBox, Size
from cropkit.targets import Target, covering, fits

# `CROPKIT_FRAMING_CASES=100000` tries more of each property than the usual ones.
MANY = settings(max_examples=int(os.environ.get("CROPKIT_FRAMING_CASES", "100")), deadline=None)
pytestmark = [pytest.mark.timeout(0)] if "CROPKIT_FRAMING_CASES" in os.environ else []
SIDES = st.integers(1, 30) | st.integers(1, 4096)
RATIOS = st.builds(lambda w, h: Target(w, h, bare=True), SIDES, SIDES)
MARGINS = st.sampled_from((0.0, 0.05, 0.1, 0.125, 0.25, 0.5, 1.0, 3.0)) | st.floats(0, 5)
IMAGE = Size(400, 300)
FACE = [100, 80, 180, 180]


def scenes(largest: int = 2000) -> st.SearchStrategy[tuple[Size, list[PixelBox]]]:
    """Draw an image with one to four subjects."""
    return sizes(largest).flatmap(
        lambda size: st.tuples(st.just(size), st.lists(boxes_in(size), min_size=1, max_size=4))
    )


SCENES = scenes() | scenes(12)
RULES: dict[str, st.SearchStrategy[Any]] = {
    "aspect": st.none() | RATIOS,
    "margin": MARGINS | st.tuples(MARGINS, MARGINS, MARGINS, MARGINS),
    "headroom": st.none() | MARGINS,
    "eye_line": st.none() | st.floats(0, 1),
    "min_size": st.none() | st.integers(1, 3000),
}


def rows(subjects: list[PixelBox]) -> "np.ndarray[Any, Any]":
    return np.array([box.xyxy for box in subjects], float)


def crop_of(subjects: object, size: Size = IMAGE, **rule: Any) -> Framed:
    (box,) = cropkit.around(subjects, size, **rule)
    return box


def crops_of(
    subjects: list[PixelBox], size: Size, rule: dict[str, Any], margins: tuple[float, float]
) -> tuple[Framed, Framed]:
    """Return the crops of the smaller and of the larger margin."""
    low, high = sorted(margins)
    array = rows(subjects)
    return (
        crop_of(array, size, **(rule | {"margin": low})),
        crop_of(array, size, **(rule | {"margin": high})),
    )


def holds(outer: PixelBox, inner: PixelBox) -> bool:
    return (
        outer.left <= inner.left
        and outer.top <= inner.top
        and inner.right <= outer.right
        and inner.bottom <= outer.bottom
    )


def sizes_of_ratio(image: Size, target: Target) -> Iterator[Size]:
    for width in range(1, image.width + 1):
        for height in range(1, image.height + 1):
            if fits(Size(width, height), target):
                yield Size(width, height)


@MANY
@given(scene=SCENES, rule=st.fixed_dictionaries(RULES))
def test_a_crop_is_inside_of_the_image(scene: tuple[Size, list[PixelBox]], rule: Any) -> None:
    size, subjects = scene
    for box in cropkit.around(rows(subjects), size, **rule):
        assert box.within(size) is box


@MANY
@given(scene=SCENES, rule=st.fixed_dictionaries(RULES))
def test_without_a_ratio_no_subject_is_ever_cut(
    scene: tuple[Size, list[PixelBox]], rule: Any
) -> None:
    size, subjects = scene
    box = crop_of(rows(subjects), size, **(rule | {"aspect": None}))
    assert box.cut == ()
    assert all(holds(box, subject) for subject in subjects)


@MANY
@given(scene=scenes(40), rule=st.fixed_dictionaries(RULES), target=RATIOS)
@example(
    scene=(Size(10, 10), [PixelBox(0, 0, 10, 3)]),
    rule={"margin": 0.1},
    target=Target(1, 1, bare=True),
)
def test_a_subject_is_cut_only_where_no_box_of_the_ratio_holds_all_of_them(
    scene: tuple[Size, list[PixelBox]], rule: Any, target: Target
) -> None:
    size, subjects = scene
    box = crop_of(rows(subjects), size, **(rule | {"aspect": target}))
    need = box.around
    assert need is not None
    possible = [
        each
        for each in sizes_of_ratio(size, target)
        if each.width >= need.size.width and each.height >= need.size.height
    ]
    assert holds(box, need) or not possible
    assert box.cut == tuple(n for n, each in enumerate(subjects) if not holds(box, each))
    assert bool(box.cut) != holds(box, need)
    assert fits(box.size, target) or not any(sizes_of_ratio(size, target))


@MANY
@given(scene=SCENES, rule=st.fixed_dictionaries(RULES), margins=st.tuples(MARGINS, MARGINS))
def test_a_crop_is_never_smaller_for_a_larger_margin(
    scene: tuple[Size, list[PixelBox]], rule: Any, margins: tuple[float, float]
) -> None:
    size, subjects = scene
    small, large = (
        crop_of(rows(subjects), size, **(rule | {"margin": m})) for m in sorted(margins)
    )
    assert small.size.width <= large.size.width
    assert small.size.height <= large.size.height


@MANY
@given(scene=SCENES, rule=st.fixed_dictionaries(RULES), margins=st.tuples(MARGINS, MARGINS))
def test_a_crop_holds_the_one_of_a_smaller_margin(
    scene: tuple[Size, list[PixelBox]], rule: Any, margins: tuple[float, float]
) -> None:
    size, subjects = scene
    rule = rule | {"headroom": None}
    small, large = (
        crop_of(rows(subjects), size, **(rule | {"margin": m})) for m in sorted(margins)
    )
    assert holds(large, small)


@MANY
@given(scene=SCENES, margin=st.tuples(MARGINS, MARGINS, MARGINS, MARGINS))
def test_a_margin_is_what_was_asked_or_what_the_image_has(
    scene: tuple[Size, list[PixelBox]], margin: tuple[float, ...]
) -> None:
    size, subjects = scene
    box = crop_of(rows(subjects), size, margin=margin)
    inner = box.around
    assert inner is not None
    room = (inner.left, inner.top, size.width - inner.right, size.height - inner.bottom)
    extents = (inner.size.width, inner.size.height) * 2
    for has, there, share, extent, asked in zip(
        box.margins, room, margin, extents, box.asked, strict=True
    ):
        assert has == min(there, asked)
        assert abs(asked - share * extent) <= 0.5 + 1e-6 * extent
    assert box.is_shrunk == (box.margins != box.asked)


@MANY
@given(data=st.data(), image=sizes(40), target=RATIOS)
def test_what_covers_is_the_smallest_that_fits(
    data: st.DataObject, image: Size, target: Target
) -> None:
    least = data.draw(st.builds(Size, st.integers(1, image.width), st.integers(1, image.height)))
    size = covering(least, image, target)
    fitting = list(sizes_of_ratio(image, target))
    enough = [s for s in fitting if s.width >= least.width and s.height >= least.height]
    if enough:
        assert size.area == min(s.area for s in enough)
        assert size in enough
    elif fitting:
        assert size in fitting


def test_margins_are_fractions_of_the_subject_to_the_pixel() -> None:
    box = crop_of([FACE], margin=(0.1, 0.2, 0.3, 0.4))
    assert box.xyxy == (92, 60, 204, 220)
    assert box.margins == box.asked == (8, 20, 24, 40)
    assert crop_of([FACE], margin=0.1, headroom=0.5).xyxy == (92, 30, 188, 190)


def test_a_crop_of_a_ratio_grows_about_the_middle_and_moves_in_from_the_border() -> None:
    assert crop_of([FACE], margin=0, aspect="1:1").xyxy == (90, 80, 190, 180)
    assert crop_of([[0, 0, 50, 100]], margin=0, aspect="1:1").xyxy == (0, 0, 100, 100)
    assert crop_of([[350, 0, 400, 100]], margin=0, aspect=1.0).xyxy == (300, 0, 400, 100)


def test_margins_shrink_before_a_subject_is_cut() -> None:
    box = crop_of([[20, 100, 310, 250]], margin=1, aspect="1:1")
    assert box.xyxy == (15, 0, 315, 300)
    assert (box.cut, box.is_shrunk) == ((), True)
    assert "margin shrunk" in box.label


def test_a_subject_that_must_be_cut_is_cut_about_its_middle_and_named() -> None:
    box = crop_of([[0, 100, 400, 200], [190, 120, 200, 130]], aspect="1:1")
    assert box.xyxy == (50, 0, 350, 300)
    assert box.cut == (0,)
    assert box.label == "around 2 subjects · 1:1 · cuts 1"


def test_the_eyes_are_where_they_are_wanted() -> None:
    box = crop_of([FACE], margin=0.5, aspect="4:5", eye_line=0.4, eyes=0.5)
    assert box.size == Size(160, 200)
    assert 130 - box.top == 0.4 * 200


def test_a_crop_has_at_least_the_size_that_is_wanted_or_what_the_image_has() -> None:
    assert crop_of([FACE], min_size=200).size == Size(200, 200)
    assert crop_of([FACE], min_size=Size(2000, 50)).size == Size(400, 120)


def test_who_is_kept() -> None:
    boxes = np.array([[10, 10, 50, 50, 0.2], [60, 60, 160, 160, 0.5], [200, 20, 220, 40, 0.9]])
    kept = {
        "all": [(0, 1, 2)],
        "largest": [(1,)],
        "most-confident": [(2,)],
        "each": [(0,), (1,), (2,)],
        "cat": [(0, 2)],
        ("cat", "dog"): [(0, 1, 2)],
        "cow": [],
    }
    for keep, groups in kept.items():
        crops = cropkit.around(boxes, IMAGE, keep=keep, classes=["cat", "dog", "cat"])
        assert [crop.subjects for crop in crops] == groups


def test_of_several_targets_the_one_is_taken_that_costs_least() -> None:
    assert crop_of([FACE], targets="1:1,4:5,16:9").target == Target(4, 5, bare=True)
    wide = crop_of([[10, 140, 390, 160]], targets="1:1,16:9")
    assert (wide.target, wide.cut) == (Target(16, 9, bare=True), ())


def test_masks_and_polygons_count_by_what_bounds_them() -> None:
    mask = np.zeros((300, 400), bool)
    mask[80:180, 100:180] = True
    both = np.stack([mask, np.zeros_like(mask)])
    corners = [[100, 80], [180.0, 130], [140, 179.5]]
    for subjects in (mask, both, corners, [corners], [mask, corners], np.array(corners)):
        assert crop_of(subjects, margin=0).xyxy == tuple(FACE)


def test_a_subject_is_rounded_outward_and_ends_at_the_border() -> None:
    assert crop_of([[-3.5, 10.9, 20.1, 30.0]], margin=0).xyxy == (0, 10, 21, 30)
    assert crop_of([[5.0, 5.0, 5.0, 5.0]], margin=0).xyxy == (5, 5, 6, 6)


def test_tensors_are_brought_to_this_process_and_no_package_is_needed_for_it() -> None:
    class Tensor:
        def detach(self) -> "Tensor":
            return self

        def cpu(self) -> "np.ndarray[Any, Any]":
            return np.array([FACE])

    assert crop_of(Tensor(), margin=0).xyxy == tuple(FACE)


def test_without_subjects_there_is_no_box() -> None:
    nothings: tuple[Any, ...] = ([], np.zeros((0, 4)), np.zeros((0, 5)), np.zeros((300, 400), bool))
    for nothing in nothings:
        assert cropkit.around(nothing, IMAGE) == ()


def test_a_framed_box_is_equal_to_a_plain_one_and_travels() -> None:
    box = crop_of([FACE], margin=0, aspect="4:5")
    plain = PixelBox(*box.xyxy)
    assert (box, hash(box)) == (plain, hash(plain))
    assert plain == box
    assert box != PixelBox(0, 0, 1, 1)
    assert pickle.loads(pickle.dumps(box)).subjects == (0,)  # noqa: S301  (our own)


BAD: dict[str, tuple[Any, dict[str, Any], str]] = {
    "three columns": ([[1, 2, 3]], {}, "holds no boxes"),
    "text": ([["a", "b", "c", "d"]], {}, "holds no boxes"),
    "ragged": ([[1, 2, 3, 4], [1, 2]], {}, "no array can be made"),
    "inverted": ([[50, 50, 10, 80]], {}, "inverted: left, top, right, bottom"),
    "outside": ([[500, 0, 600, 80]], {}, "outside of the 400 x 300 image"),
    "not a number": ([[0, 0, float("nan"), 80]], {}, "no finite number"),
    "a mask of another image": (np.ones((3, 3), bool), {}, "is not of the 400 x 300"),
    "two points": ([[1, 2], [3, 4]], {}, "neither mask nor polygon"),
    "margin below 0": ([FACE], {"margin": -0.1}, "margin: -0.1 is no number"),
    "margin of text": ([FACE], {"margin": ("a",) * 4}, "margin: 'a' is no number"),
    "three margins": ([FACE], {"margin": (0, 0, 0)}, "one number or four, not 3"),
    "aspect of nan": ([FACE], {"aspect": float("nan")}, "aspect"),
    "both": ([FACE], {"aspect": "1:1", "targets": "4:5"}, "targets say the ratio"),
    "no confidence": ([FACE], {"keep": "most-confident"}, "no confidence is known"),
    "no classes": ([FACE], {"keep": "cat"}, "need `classes`"),
    "eye line outside": ([FACE], {"eye_line": 1.5}, "eye_line: 1.5"),
    "no size": ([FACE], {"min_size": 0}, "min_size"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_makes_no_sense_is_refused_in_plain_words(name: str) -> None:
    subjects, rule, reason = BAD[name]
    with pytest.raises(BadFraming, match=reason.replace("(", r"\(")):
        cropkit.around(subjects, IMAGE, **rule)


def test_a_ratio_that_cannot_be_read_is_a_bad_target() -> None:
    with pytest.raises(BadTarget):
        cropkit.around([FACE], IMAGE, aspect="wide")


def test_of_two_lengths_that_are_equally_near_the_one_is_taken_that_is_needed() -> None:
    ratio = Target(2, 3, bare=True)
    assert covering(Size(1, 2), Size(10, 10), ratio) == Size(1, 2)
    assert covering(Size(1, 1), Size(10, 10), ratio) == Size(1, 1)


# -- photographs ---------------------------------------------------------------------------------

# The training split of the Flickr Cropping Dataset (Chen et al., WACV 2017), beside the project:
# `crops.json` with one human crop for each photograph, in fractions.
FCDB = os.environ.get("CROPKIT_FCDB", "")
needs_photographs = pytest.mark.skipif(
    not FCDB, reason="CROPKIT_FCDB names no folder of the Flickr Cropping Dataset"
)


def photographs() -> Iterator[tuple[Size, PixelBox]]:
    """Yield the size of each photograph, and what a person has found to be its subject."""
    for row in json.loads((Path(FCDB) / "crops.json").read_text("utf-8")):
        size = Size(row["width"], row["height"])
        edges = (row[name] for name in ("left", "top", "right", "bottom"))
        yield size, cropkit.NormalizedBox(*edges).pixels(size)


def expected_margins(size: Size, inner: PixelBox, margin: float) -> tuple[int, ...]:
    """Work out what is asked, rounded half up, or what the image has on that side."""
    room = (inner.left, inner.top, size.width - inner.right, size.height - inner.bottom)
    sides = (inner.size.width, inner.size.height) * 2
    asked = (int(Fraction(str(margin)) * side + Fraction(1, 2)) for side in sides)
    return tuple(min(pair) for pair in zip(asked, room, strict=True))


@needs_photographs
@pytest.mark.parametrize("margin", [0.0, 0.05, 0.1, 0.25, 0.5, 1.0])
def test_margins_are_exact_on_photographs(margin: float) -> None:
    wrong = [
        (size, inner)
        for size, inner in photographs()
        if crop_of([inner.xyxy], size, margin=margin).margins
        != expected_margins(size, inner, margin)
    ]
    assert wrong == []


@needs_photographs
@pytest.mark.parametrize("aspect", ["1:1", "4:5", "3:2", "16:9"])
def test_on_photographs_a_crop_of_a_ratio_cuts_only_what_no_box_would_hold(aspect: str) -> None:
    target = cropkit.targets.targets(aspect)[0]
    for size, inner in photographs():
        crop = crop_of([inner.xyxy], size, margin=0.1, aspect=aspect)
        crop.within(size)
        assert fits(crop.size, target)
        largest = covering(size, size, target)
        holds = largest.width >= inner.size.width and largest.height >= inner.size.height
        assert bool(crop.cut) is not holds
