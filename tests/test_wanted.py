"""Which crops are wanted of each image."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

import cropkit
from cropkit.errors import BadSlot, BadTarget, CopiesOnly
from cropkit.system.home import HOME
from cropkit.targets import Target, buckets, targets
from cropkit.wanted import Targets, Wanted, of_slot, wanted

SQUARE = Target(1024, 1024)
TALL = Target(4, 5, bare=True)


@pytest.mark.parametrize(
    ("slots", "among", "expected"),
    [
        (None, None, [Wanted()]),
        (None, "1024x1024,4:5", [Wanted("", (SQUARE, TALL))]),
        (["face", "bust"], None, [Wanted("face"), Wanted("bust")]),
        ("face, bust", None, [Wanted("face"), Wanted("bust")]),
        (["face"], [SQUARE], [Wanted("face", (SQUARE,))]),
        (
            {"face": "1024x1024", "any": ""},
            "4:5",
            [Wanted("face", (SQUARE,)), Wanted("any", (TALL,))],
        ),
        (None, "sdxl", [Wanted("", buckets("sdxl"))]),
    ],
)
def test_what_is_wanted_is_read(
    slots: Sequence[str] | Mapping[str, Targets] | None,
    among: Targets | None,
    expected: list[Wanted],
) -> None:
    assert list(wanted(slots, among)) == expected


def test_a_rule_is_read_as_such() -> None:
    rule = "step=64,area=1024x1024,min=512,max=2048"
    assert wanted(None, rule)[0].targets == buckets(rule)


@pytest.mark.parametrize(
    "slots", [[], [""], ["face", "face"], ["face", "Face"], ["a/b"], {"": "1:1"}]
)
def test_what_no_slot_can_be_is_refused(slots: Sequence[str] | Mapping[str, Targets]) -> None:
    with pytest.raises(BadSlot):
        wanted(slots)


@pytest.mark.parametrize("among", ["0x5", "x", "step=64", "1024x1024,1024x1024"])
def test_what_no_target_can_be_is_refused(among: str) -> None:
    with pytest.raises(BadTarget):
        wanted(None, among)


def test_several_crops_of_an_image_are_copies(folder: Path) -> None:
    with pytest.raises(CopiesOnly, match="2 crops of one image"):
        cropkit.open(folder, slots=["face", "bust"])
    assert not (folder / HOME).exists()


def test_a_slot_that_nobody_named_is_for_what_any_other_one_is() -> None:
    several = wanted({"face": "1:1", "wide": "16:9, 1:1", "any": ""})
    square, broad = targets("1:1, 16:9")
    assert of_slot("face", several).targets == (square,)
    assert of_slot("any", several).targets == ()
    assert of_slot("2", several) == Wanted("2", (square, broad))
    assert of_slot("2", (Wanted("", (square,)),)) == Wanted("2", (square,))
    assert of_slot("2", (Wanted(),)) == Wanted("2")
