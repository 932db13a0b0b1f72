"""A choice of images: by folder, words of a name, label or filter; what is none is refused."""

from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from cropkit.errors import BadParameterValue
from cropkit.system.only import Only, read

FOLDERS = {"2019", "2020", "2020/spring", "part/2019"}
LABELLED = {"cat": ["2019/a.png", "c.png"], "Dog": ["2020/b.png"], "tabby; cat": ["c.png"]}
NAMES = ("2019/a.png", "2020/b.png", "2020/spring/beach c.png", "c.png", "2019.png", "20190/d.png")


SURE = {"2019/a.png": 0.2, "2020/b.png": 0.5, "c.png": 0.99}


class Imported:
    """Boxes of three images."""

    def __init__(self, labels: dict[str, list[str]], sure: dict[str, float]) -> None:
        self._labels, self._sure = labels, sure

    def labels(self) -> Iterable[str]:
        return self._labels

    def labelled(self, labels: Sequence[str]) -> Iterable[str]:
        return [path for label in labels for path in self._labels[label]]

    def sure(self, low: float, high: float) -> Iterable[str]:
        return [path for path, sure in self._sure.items() if low <= sure < high]


def chosen(given: object, part: str = "") -> Only | None:
    return read(given, part, FOLDERS.__contains__, lambda: Imported(LABELLED, SURE))


@pytest.mark.parametrize(
    ("given", "meant", "words"),
    [
        ("folder=2019", {"2019/a.png"}, "folder 2019"),
        ("2019/", {"2019/a.png"}, "folder 2019"),
        ("2020", {"2020/b.png", "2020/spring/beach c.png"}, "folder 2020"),
        ("2019; folder = 2020/spring ;", {NAMES[0], NAMES[2]}, "folder 2019 or 2020/spring"),
        ("label=cat", {"2019/a.png", "c.png"}, "label cat"),
        ("label=CAT;label=dog", {"2019/a.png", "c.png", "2020/b.png"}, "label Dog or cat"),
        ("label=cat; folder=2019", {"2019/a.png"}, "folder 2019, label cat"),
        ("name=BEACH spring", {"2020/spring/beach c.png"}, "name BEACH spring"),
        ("name=2019; name=2020", set(NAMES) - {"c.png"}, "name 2019 or 2020"),
        ({"label": "tabby; cat"}, {"c.png"}, "label tabby; cat"),
        ("filter=unsure", {"2019/a.png"}, "filter unsure"),
        ("filter=Certain", {"2020/b.png", "c.png"}, "filter certain"),
        ("filter=unsure; filter=certain", set(SURE), "filter unsure or certain"),
        ("filter=certain; folder=2020", {"2020/b.png"}, "folder 2020, filter certain"),
        ({"folder": ["2019", "2020"], "name": ("c.png",)}, {NAMES[2]}, None),
        ("label=cat; folder=2020", set(), "folder 2020, label cat"),
    ],
)
def test_a_choice_holds_what_it_says(given: Any, meant: set[str], words: str | None) -> None:
    only = chosen(given)
    assert only is not None
    assert {name for name in NAMES if only.holds(name)} == meant
    if words is not None:
        assert str(only) == words


@pytest.mark.parametrize("given", [None, "", " ; ", {}])
def test_no_choice_is_all(given: object) -> None:
    assert chosen(given) is None


def test_a_folder_is_one_in_the_part_that_was_named() -> None:
    only = chosen("2019", "part")
    assert only == Only(("part/2019",))
    with pytest.raises(BadParameterValue):
        chosen("2020", "part")


@pytest.mark.parametrize(
    "given",
    [
        *(
            "label=",
            "=cat",
            "colour=red",
            "folder=2021",
            "2019/../2020",
            "/2019",
            ".",
            "..",
            "a=b=c",
        ),
        *(".cropkit", "2019/.hidden", "label=bird", 7, 1.5, True, ["2019"], [], 0, False),
        *(
            {"colour": "red"},
            {"label": 7},
            {"label": [7]},
            {"label": ""},
            {"label": None},
            {1: "a"},
        ),
    ],
)
def test_what_is_no_choice_is_refused_by_name(given: object) -> None:
    with pytest.raises(BadParameterValue) as raised:
        chosen(given)
    assert "only" in str(raised.value)


def test_a_label_that_nobody_imported_is_told_with_those_that_there_are() -> None:
    with pytest.raises(BadParameterValue, match="label of imported boxes: Dog, cat, tabby; cat"):
        chosen("label=bird")
    with pytest.raises(BadParameterValue, match="none has one"):
        read("label=cat", "", FOLDERS.__contains__, lambda: Imported({}, {}))


def test_a_filter_that_there_is_not_or_that_nothing_tells_of_is_refused() -> None:
    with pytest.raises(BadParameterValue, match="filter: unsure or certain"):
        chosen("filter=rejected")
    with pytest.raises(BadParameterValue, match="no box that was imported says how sure it is"):
        read("filter=unsure", "", FOLDERS.__contains__, lambda: Imported(LABELLED, {}))
    only = read("filter=unsure", "", FOLDERS.__contains__, lambda: Imported({}, {"c.png": 0.9}))
    assert only is not None
    assert not only.holds("c.png"), "none is unsure: that is no mistake"
