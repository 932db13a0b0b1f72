"""Rules from subjects to crops that a collection keeps by name; what is kept may be anybody's."""

import json
from pathlib import Path

import pictures
import pytest
import shell
from hypothesis import given
from hypothesis import strategies as st

import cropkit
from cropkit.engine.ways import AROUND, AROUND_NAMED
from cropkit.errors import BadFraming, BadTarget
from cropkit.geometry import PixelBox
from cropkit.labels import framing_rule
from cropkit.labels.framing_rule import MOST, USUAL, chosen, named_rules, split, with_another

PORTRAIT = "margin=0.5 aspect=1:1"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "set").mkdir()
    pictures.write_png(tmp_path / "set" / "a.png", pictures.photo(200, 100))
    return tmp_path / "set"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("margin=0.1", (USUAL, "margin=0.1")),
        ("aspect=4:5", (USUAL, "aspect=4:5")),
        ("aspect 4:5 margin 0.1", (USUAL, "aspect 4:5 margin 0.1")),
        ("portrait: aspect=4:5", ("portrait", "aspect=4:5")),
        ("portrait:aspect=4:5", ("portrait", "aspect=4:5")),
        ("größe-2 :margin=0", ("größe-2", "margin=0")),
        ("portrait:", ("portrait", "")),
        ("", (USUAL, "")),
    ],
)
def test_a_name_stands_before_a_colon(text: str, parts: tuple[str, str]) -> None:
    assert split(text) == parts


def test_a_parameter_is_no_name_of_a_rule() -> None:
    with pytest.raises(BadFraming, match="is a parameter"):
        split("margin: 0.1")


def test_a_collection_keeps_rules_by_name_and_forgets_them(folder: Path) -> None:
    with cropkit.open(folder) as kit:
        kit.keep_around("margin=0.2")
        kit.keep_around(f"portrait: {PORTRAIT}")
        assert kit.rules() == {"": {"margin": 0.2}, "portrait": {"margin": 0.5, "aspect": "1:1"}}
        assert kit.rule("portrait") == kit.rules()["portrait"]
        assert kit.rule("margin=1") == {"margin": 1}
        with pytest.raises(BadFraming, match="it has portrait"):
            kit.rule("potrait")
        with pytest.raises(BadTarget):
            kit.keep_around("wide: aspect=nonsense")
        kit.keep_around("portrait:")
        assert kit.rules() == {"": {"margin": 0.2}}


def test_no_more_are_kept_than_a_key_can_go_through() -> None:
    kept = ""
    for number in range(MOST):
        kept = with_another(kept, f"r{number}", "margin=0")
    assert len(named_rules(with_another(kept, "r0", "margin=1"))[0]) == MOST
    with pytest.raises(BadFraming, match="already"):
        with_another(kept, "one-more", "margin=0")


HOSTILE = [
    "{",
    "[" * 100_000,
    "[]",
    '"x"',
    '{"a": 1}',
    '{"../a": "margin=0"}',
    '{"margin": "margin=0"}',
    '{"a\\u001b[2J": "margin=0"}',
    json.dumps({"a": "margin=1e999"}),
    json.dumps({"a": "aspect=" + "9" * 10_000}),
    json.dumps({f"r{number}": "margin=0" for number in range(1000)}),
]


@pytest.mark.parametrize("setting", HOSTILE, ids=range(len(HOSTILE)))
def test_what_a_stranger_has_kept_is_a_rule_or_told(folder: Path, setting: str) -> None:
    rules, bad = named_rules(setting)
    assert len(rules) + len(bad) <= MOST
    with cropkit.open(folder) as kit:
        kit.trail.choose({AROUND_NAMED: setting, AROUND: "nonsense"})
        assert kit.rules() == {"": {}} | rules
        assert kit.counts().degraded == len({*bad, "the usual one"})


@given(st.text())
def test_a_text_is_a_rule_or_refused(text: str) -> None:
    for read in (framing_rule.read, split, lambda each: chosen(each, {"a": {}})):
        try:
            read(text)
        except (BadFraming, BadTarget):
            continue


def test_a_name_is_understood_by_every_command(folder: Path) -> None:
    boxes = folder.parent / "boxes.csv"
    boxes.write_text("path,x1,y1,x2,y2\na.png,80,40,100,60\n", encoding="utf-8")
    kept = shell.run("settings", folder, "--around", f"portrait: {PORTRAIT}")
    assert f"around portrait: {PORTRAIT}" in kept.stdout
    ended = shell.run("import", folder, boxes, "--around", "portrait")
    assert ended.returncode == 0
    with cropkit.open(folder) as kit:
        (crop,) = kit.suggestions(kit.look("a.png"))
        assert crop.box.pixels(kit.look("a.png").size) == PixelBox(70, 30, 110, 70)
        kit.keep_around("portrait:")
    refused = shell.run("import", folder, boxes, "--around", "portrait")
    assert (refused.returncode, "is no rule of this collection" in refused.stderr) == (1, True)


def test_a_name_that_nothing_has_makes_no_collection(folder: Path) -> None:
    boxes = folder.parent / "boxes.csv"
    boxes.write_text("path,x1,y1,x2,y2\na.png,80,40,100,60\n", encoding="utf-8")
    assert shell.run("import", folder, boxes, "--around", "portrait").returncode == 1
    assert not (folder / ".cropkit").exists()
