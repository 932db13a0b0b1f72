import os
import pickle
import re
from collections.abc import Iterator
from itertools import count

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from strategies import boxes_in, sizes_with_boxes

from cropkit.errors import BadBox, BadTarget, TooSmall
from cropkit.geometry import PixelBox, Size
from cropkit.targets import Target, buckets, by_rule, fit, nearest, snapped, targets

# `CROPKIT_TARGET_CASES=100000` tries more of each property than the usual ones.
MANY = settings(max_examples=int(os.environ.get("CROPKIT_TARGET_CASES", "100")))
SIDES = st.integers(1, 4096) | st.integers(1, 12) | st.integers(1, 65535)
TARGETS = st.builds(Target, SIDES, SIDES) | st.builds(
    lambda w, h: Target(w, h, bare=True), SIDES, SIDES
)
PLACES = sizes_with_boxes(300) | sizes_with_boxes(20_000)
SQUARE = Target(512, 512)
TIMES = "\N{MULTIPLICATION SIGN}"


def shapes(image: Size, target: Target) -> Iterator[Size]:
    """Yield every size in an image that fits a target, by trying all of them."""
    for width in range(1, image.width + 1):
        for height in range(1, image.height + 1):
            if off(Size(width, height), target) <= 0.5:
                yield Size(width, height)


def off(size: Size, target: Target) -> float:
    """Return by how many pixels the long side is not what the short side asks for."""
    if target.width > target.height:
        size, target = size.swapped, Target(target.height, target.width)
    return abs(size.height - size.width * target.height / target.width)


@MANY
@given(place=PLACES, target=TARGETS)
@example(place=(Size(100, 100), PixelBox(0, 0, 10, 10)), target=Target(1, 1000))
@example(place=(Size(9, 20), PixelBox(0, 0, 5, 20)), target=Target(1, 10))
def test_a_snapped_box_is_inside_and_snapping_it_again_returns_it(
    place: tuple[Size, PixelBox], target: Target
) -> None:
    image, box = place
    once = snapped(box, image, target)
    assert once.within(image) == once
    assert snapped(once, image, target) == once
    assert fit(once, image, target).lost == 0


@MANY
@given(place=PLACES, target=TARGETS)
def test_no_other_length_of_the_long_side_is_nearer_to_the_ratio(
    place: tuple[Size, PixelBox], target: Target
) -> None:
    image, box = place
    size = snapped(box, image, target).size
    longest = (image.width, size.width) if target.width > target.height else None
    limit, long_side = longest or (image.height, size.height)
    # In the narrowest box alone the ratio asks for more than the image may have.
    assert off(size, target) <= 0.5 or (long_side == limit and min(size.width, size.height) == 1)


@MANY
@given(place=sizes_with_boxes(40), target=TARGETS)
def test_of_all_sizes_that_fit_none_is_nearer_to_its_area(
    place: tuple[Size, PixelBox], target: Target
) -> None:
    image, box = place
    size = snapped(box, image, target).size
    fitting = list(shapes(image, target))
    if not fitting:
        assert min(size.width, size.height) == 1
        return
    assert size in fitting
    area = box.size.area
    assert abs(size.area - area) == min(abs(other.area - area) for other in fitting)


@MANY
@given(place=PLACES, target=TARGETS)
def test_the_centre_moves_by_half_a_pixel_or_by_what_the_image_needs(
    place: tuple[Size, PixelBox], target: Target
) -> None:
    image, box = place
    after = snapped(box, image, target)
    spans = ((0, 2, image.width), (1, 3, image.height))
    for low, high, extent in spans:
        a, b = (box.xyxy[low], box.xyxy[high]), (after.xyxy[low], after.xyxy[high])
        half = (b[1] - b[0]) / 2
        wanted = min(max(sum(a) / 2, half), extent - half)
        assert abs(sum(b) / 2 - wanted) <= 0.5


@MANY
@given(data=st.data(), image=st.builds(Size, SIDES, SIDES), target=TARGETS)
def test_a_box_that_fits_is_left_as_it_is(data: st.DataObject, image: Size, target: Target) -> None:
    if target.size is not None and target.width <= image.width and target.height <= image.height:
        x = data.draw(st.integers(0, image.width - target.width))
        y = data.draw(st.integers(0, image.height - target.height))
        box = PixelBox.from_xywh(x, y, target.width, target.height)
        fitted = fit(box, image, target)
        assert (fitted.box, fitted.lost, fitted.scale, fitted.short) == (box, 0, 1.0, 0)
        assert target.within(image, "a.png") is target


@MANY
@given(place=PLACES, among=st.lists(TARGETS, min_size=1, max_size=6))
def test_nearest_loses_the_least_area_and_does_not_depend_on_ties(
    place: tuple[Size, PixelBox], among: list[Target]
) -> None:
    image, box = place
    chosen = nearest(box, image, among)
    losses = [fit(box, image, target).lost for target in among]
    assert chosen.lost == min(losses)
    assert chosen.target in among
    assert nearest(box, image, among) == chosen
    distinct = list(dict.fromkeys(among))
    again = nearest(box, image, distinct[::-1])
    assert (again.lost, again.is_upscale, again.scale) == (
        chosen.lost,
        chosen.is_upscale,
        chosen.scale,
    )


@MANY
@given(place=PLACES, target=TARGETS)
def test_mirrored_and_turned_images_give_boxes_of_the_same_size(
    place: tuple[Size, PixelBox], target: Target
) -> None:
    image, box = place
    after = snapped(box, image, target)
    turned = PixelBox(box.top, box.left, box.bottom, box.right)
    other = Target(target.height, target.width, bare=target.bare)
    x, y = snapped(turned, image.swapped, other).xyxy[:2]
    assert (after.left, after.top) == (y, x)
    mirrored = PixelBox(image.width - box.right, box.top, image.width - box.left, box.bottom)
    assert snapped(mirrored, image, target).size == after.size


@MANY
@given(place=PLACES, target=TARGETS)
def test_a_fit_says_whether_the_crop_would_be_enlarged(
    place: tuple[Size, PixelBox], target: Target
) -> None:
    image, box = place
    fitted = fit(box, image, target)
    crop, size = fitted.box.size, target.size
    enlarged = size is not None and (size.width > crop.width or size.height > crop.height)
    assert fitted.is_upscale is enlarged is (fitted.scale > 1) is (fitted.short > 0)
    assert 0 <= fitted.lost <= box.size.area
    if enlarged:
        with pytest.raises(TooSmall, match=r"a\.png: the crop, .* enlarged"):
            fitted.without_upscaling("a.png")
    else:
        assert fitted.without_upscaling("a.png") is fitted


def test_ties_go_to_what_is_not_enlarged_then_to_the_largest_then_to_the_first() -> None:
    image, box = Size(3000, 3000), PixelBox(0, 0, 800, 800)
    wanted = targets("2048x2048,1024x1024,256x256,512x512")
    assert nearest(box, image, wanted).target.name == "512x512"
    assert nearest(PixelBox(0, 0, 100, 100), image, wanted).target.name == "256x256"
    assert nearest(PixelBox(0, 0, 1500, 1500), image, wanted).target.name == "1024x1024"
    ratios = (Target(1, 1, bare=True, name="square"), Target(2, 2, bare=True, name="also"))
    assert nearest(box, image, ratios).target.name == "square"
    with pytest.raises(BadTarget, match="none to choose from"):
        nearest(box, image, ())


def test_by_hand() -> None:
    image, portrait = Size(2000, 3000), Target(832, 1216)
    box = PixelBox(500, 500, 1500, 1900)
    fitted = fit(box, image, portrait)
    assert fitted.box.size == Size(979, 1431)
    assert fitted.box.xyxy == (510, 484, 1489, 1915)
    assert fitted.lost == 21 * 1400
    assert fitted.label == f"832{TIMES}1216 · 2 % cut · {TIMES}0.85"
    small = fit(PixelBox(500, 500, 1134, 1427), image, portrait)
    assert small.box.size == Size(634, 927)
    assert small.label == f"832{TIMES}1216 · 0 % cut · {TIMES}1.31: 289 px short"
    assert fit(box, image, Target(4, 5, bare=True)).label == "4:5 · 6 % cut"
    assert (
        fit(PixelBox(0, 0, 999, 1000), image, SQUARE).label
        == f"512{TIMES}512 · <1 % cut · {TIMES}0.51"
    )


def test_at_the_edge_a_box_moves_inwards_and_shrinks_only_where_there_is_no_room() -> None:
    image = Size(1000, 600)
    assert snapped(PixelBox(0, 0, 200, 400), image, SQUARE).xyxy == (0, 58, 283, 341)
    assert snapped(PixelBox(0, 0, 1000, 600), image, SQUARE).xyxy == (200, 0, 800, 600)
    with pytest.raises(BadBox, match="reaches outside"):
        snapped(PixelBox(0, 0, 1001, 600), image, SQUARE)


def test_sizes_and_ratios_are_read_in_their_order() -> None:
    read = targets(f"1024x1024, 832{TIMES}1216 ,1216 x 832,8:10,1.91:1")
    assert [t.name for t in read] == ["1024x1024", "832x1216", "1216x832", "8:10", "1.91:1"]
    assert [t.size for t in read[3:]] == [None, None]
    assert (read[3].width, read[3].height) == (4, 5)
    assert (read[4].width, read[4].height) == (191, 100)
    assert targets([read[0], "4:5"]) == (read[0], Target(4, 5, bare=True))
    assert pickle.loads(pickle.dumps(read)) == read  # noqa: S301  (what a process is sent)


@given(wanted=st.lists(TARGETS, min_size=1, max_size=20, unique=True))
def test_what_is_written_is_read_again(wanted: list[Target]) -> None:
    assert targets(",".join(target.name for target in wanted)) == tuple(wanted)


BAD = {
    "0x512": "a side is a whole number from 1 to 65535",
    "-5x10": "a side is a whole number from 1 to 65535",
    "1.5x10": "a side is a whole number from 1 to 65535",
    "100x65536": "a side is a whole number from 1 to 65535",
    "9" * 30 + "x1": "a side is a whole number from 1 to 65535",
    "large": "it is neither a size nor a ratio",
    "\u0661x\u0661": "it is neither a size nor a ratio",
    "1e9:1": "it is neither a size nor a ratio",
    "": "it is neither a size nor a ratio",
    "1x1,": "it is neither a size nor a ratio",
    "1x1" * 100: "it is neither a size nor a ratio",
    "1:0": "its terms are numbers above 0",
    "1.2.3:1": "its terms are numbers above 0",
    "0:1": "a side is a whole number",
    "-1:1": "a side is a whole number",
    "1:0.00001": "a side is a whole number",
    "4:5,8:10": "'4:5, 8:10': these are the same",
    "5x5,5X5": "'5x5, 5x5': these are the same",
    ",".join(f"{n}x1" for n in range(1, 1002)): "'1x1, …': these are more than 1000",
}


@pytest.mark.parametrize("text", BAD, ids=lambda text: text[:20])
def test_a_target_that_makes_no_sense_is_refused_with_its_name_and_the_cure(text: str) -> None:
    with pytest.raises(BadTarget, match=re.escape(BAD[text])) as caught:
        targets(text)
    message = str(caught.value)
    assert "Write 1024x1024" in message
    assert len(message) < 250


def test_an_endless_list_is_not_read_to_its_end() -> None:
    read = []
    with pytest.raises(BadTarget, match="more than 1000"):
        targets(read.append(n) or f"{n}x1" for n in count(1))  # type: ignore[func-returns-value]
    assert len(read) == 1001
    with pytest.raises(BadTarget, match="none is named"):
        targets([])


@pytest.mark.parametrize("side", [True, 1.0, "1", None, 0])
def test_a_target_is_made_of_whole_numbers(side: object) -> None:
    with pytest.raises(BadTarget, match="a side is a whole number"):
        Target(side, 5)  # type: ignore[arg-type]


def test_a_target_larger_than_the_image_names_the_file_and_the_factor() -> None:
    said = r"b/a\.png: the image, 800x600, would be enlarged 1\.50 times to be 1200x900"
    with pytest.raises(TooSmall, match=said):
        Target(1200, 900).within(Size(800, 600), "b/a.png")
    with pytest.raises(TooSmall, match=r"the image, 1300x600, would be enlarged 1\.50 times"):
        Target(1200, 900).within(Size(1300, 600), "b/a.png")
    assert Target(12, 9, bare=True).within(Size(8, 6), "b/a.png").name == "12:9"


def test_sdxls_buckets_keep_to_its_area_in_steps_of_64() -> None:
    sizes = buckets(" SDXL ")
    assert len(sizes) == 40
    assert all(t.width % 64 == t.height % 64 == 0 for t in sizes)
    assert all(0.88 <= t.width * t.height / 1024**2 <= 1.01 for t in sizes)
    ratios = [t.aspect_ratio for t in sizes]
    assert ratios == sorted(ratios, reverse=True)
    assert (ratios[0], ratios[-1]) == (4, 0.25)
    turned = {Target(t.height, t.width) for t in sizes}
    assert set(sizes) - turned == {Target(1344, 704)}


def test_the_rule_gives_kohyas_buckets() -> None:
    # What sd-scripts prints for --resolution 512 --min_bucket_reso 256 --max_bucket_reso 1024.
    expected = "256x1024,320x768,384x640,448x576,512x512,576x448,640x384,768x320,1024x256"
    assert {t.name for t in by_rule(step=64, area=512 * 512, shortest=256, longest=1024)} >= set(
        expected.split(",")
    )


@given(
    step=st.integers(1, 96),
    area=st.integers(1, 300_000),
    limits=st.tuples(st.integers(1, 900), st.integers(1, 900)).map(sorted),
)
def test_a_rule_gives_all_sizes_that_no_step_would_bring_nearer_to_the_area(
    step: int, area: int, limits: list[int]
) -> None:
    sides = range(-(-limits[0] // step) * step, limits[1] + 1, step)
    expected = set()
    for width in sides:
        heights = [height for height in sides if width * height <= area]
        expected |= {(width, h) for h in heights[-1:]} | {(h, width) for h in heights[-1:]}
    squares = [side for side in range(step, limits[1] + step, step) if side * side <= area]
    expected |= {(side, side) for side in squares[-1:] if side in sides}
    if not expected:
        with pytest.raises(BadTarget, match="no size comes of it"):
            by_rule(step=step, area=area, shortest=limits[0], longest=limits[1])
        return
    if len(expected) <= 1000:
        sizes = by_rule(step=step, area=area, shortest=limits[0], longest=limits[1])
        assert [(t.width, t.height) for t in sizes] == sorted(expected)


def test_a_rule_is_read_in_any_order_and_its_area_in_either_form() -> None:
    expected = by_rule(step=64, area=1024 * 1024, shortest=512, longest=2048)
    assert buckets("step=64,area=1024x1024,min=512,max=2048") == expected
    assert buckets("max=2048, min=512, area = 1048576 ,step=64") == expected
    assert {t.name for t in buckets("sdxl")} - {t.name for t in expected}  # by no rule


BAD_RULES = {
    "sd15": "'sd15': it is not one of sdxl, step, area, min, max",
    "": "'': it is not one of sdxl, step, area, min, max",
    "step=64": "it also has to say area, min, max",
    "step=0,area=1x1,min=1,max=2": "its numbers are whole and above 0",
    "step=-1,area=1x1,min=1,max=2": "'step=-1': it is not a whole number",
    "step=2x2,area=1x1,min=1,max=2": "'step=2x2': it is not a whole number",
    "step=99999999999,area=1,min=1,max=2": "it is not a whole number",
    "step=1,area=9,min=5,max=2": "min is at most max",
    "step=1,area=9,min=1,max=65536": "max at most 65535",
    "step=1,area=9999x9999,min=1,max=65535": "these are more than 1000",
    "step=1,area=99999,min=1,max=999": "these are more than 1000",
    "step=64,area=9,min=64,max=128": "no size comes of it",
    "step=64,area=9,min=65,max=127": "no size comes of it",
    ",".join(["step=1"] * 100): "it is not a whole number",
}


@pytest.mark.parametrize("text", BAD_RULES, ids=lambda text: text[:40])
def test_a_rule_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(BadTarget, match=re.escape(BAD_RULES[text])) as caught:
        buckets(text)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize("wrong", [True, 1.5, "64", None])
def test_a_rule_is_made_of_whole_numbers(wrong: object) -> None:
    with pytest.raises(BadTarget, match="whole and above 0"):
        by_rule(step=wrong, area=100, shortest=1, longest=9)  # type: ignore[arg-type]


@MANY
@given(data=st.data(), image=st.builds(Size, st.integers(1, 50), st.integers(1, 50)))
def test_no_box_of_the_same_width_or_height_is_nearer_to_the_ratio(
    data: st.DataObject, image: Size
) -> None:
    box = data.draw(boxes_in(image))
    sides = st.integers(1, 9)
    target = Target(data.draw(sides), data.draw(sides), bare=True)
    size = snapped(box, image, target).size
    ratio = target.width / target.height
    others_high = [abs(h * ratio - size.width) for h in range(1, image.height + 1)]
    others_wide = [abs(w / ratio - size.height) for w in range(1, image.width + 1)]
    assert abs(size.height * ratio - size.width) <= min(others_high) + 1e-9
    assert abs(size.width / ratio - size.height) <= min(others_wide) + 1e-9
