"""A star and a line about an image: kept at once, seen the next day, exported with the decision."""

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import Started  # type: ignore[attr-defined]  # (several conftest.py)
from desktop import Browser, entries
from hypothesis import given
from hypothesis import strategies as st
from moving import on

from cropkit.audit.decisions import Slot
from cropkit.audit.notes import NOTED
from cropkit.errors import IllegalMove
from cropkit.geometry import Size
from cropkit.records import LONGEST_NOTE, Note
from cropkit.review.model import LoadFailed, NotesKnown, ToggleStar, WriteNote, advance
from cropkit.review.model import begin as begun

PATHS = ("a.png", "b.png", "c.png")


def typed(browser: Browser, text: str) -> None:
    browser.key('"')
    for letter in text:
        browser.strike(letter)
    browser.key("Enter")


def known(browser: Browser) -> None:
    browser.until(lambda: len(browser.controller.session.notes) == len(entries(browser)))


def seen(start: Started, folder: Path) -> Browser:
    browser: Browser = start(folder)
    browser.open()
    browser.shown()
    known(browser)
    return browser


def test_a_star_and_a_line_are_kept_seen_again_and_exported_with_the_decision(
    start: Started, folder: Path, tmp_path: Path
) -> None:
    browser = seen(start, folder)
    browser.key("*")
    typed(browser, "a <b> & ;=c")
    assert "★❝" in browser.words
    assert "a &lt;b&gt; &amp; ;=c" in browser.words
    browser.key("Enter")
    browser.written()
    browser.review.close()
    again = seen(start, folder)
    again.key("Backspace")
    again.shown()
    known(again)
    path = entries(again)[0].path
    assert again.controller.session.notes[path] == Note(star=True, text="a <b> & ;=c")
    kit = again.review.collection
    for kind in ("csv", "jsonl"):
        kit.export(kind, tmp_path / f"out.{kind}")
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        by_path = {row["path"]: row for row in csv.DictReader(file)}
    lines = (tmp_path / "out.jsonl").read_text("utf-8").splitlines()
    in_json = {row["path"]: row for row in map(json.loads, lines)}
    assert (by_path[path]["star"], by_path[path]["note"]) == ("True", "a <b> & ;=c")
    assert (in_json[path]["star"], in_json[path]["note"]) == (True, "a <b> & ;=c")
    others = [row for other, row in in_json.items() if other != path]
    assert [(row["star"], row["note"]) for row in others] == [(False, None)] * 2
    frame = again.review.to_frame().set_index("path")
    assert (frame.loc[path, "star"], frame.loc[path, "note"]) == (True, "a <b> & ;=c")


def test_what_was_noted_is_offered_to_be_changed_and_nothing_takes_it_away(
    browser: Browser,
) -> None:
    known(browser)
    typed(browser, "soft")
    typed(browser, "er")
    path = entries(browser)[0].path
    assert browser.controller.session.notes[path].text == "softer"
    browser.key('"')
    for _ in "softer":
        browser.strike("Backspace")
    browser.key("Enter")
    assert browser.review.collection.trail.notes() == {}
    assert len(browser.review.collection.trail.events(kind=NOTED)) == 3


def test_all_that_are_selected_get_a_star_and_each_keeps_its_line() -> None:
    notes = {"a.png": Note(text="x"), "b.png": Note(star=True), "c.png": Note()}
    session = on(begun(PATHS), NotesKnown(notes))
    paths = frozenset(PATHS)
    step = advance(session, ToggleStar())
    assert step.noted == (("a.png", Note(star=True, text="x")),)
    for path in PATHS:
        session = on(session, LoadFailed(path, "animated", "b" * 64, Size(9, 9)))
    picked = replace(session, picked=paths)
    starred = advance(picked, ToggleStar())
    assert dict(starred.noted) == {"a.png": Note(star=True, text="x"), "c.png": Note(star=True)}
    assert all(not n.star for n in on(starred.session, ToggleStar()).notes.values())
    assert {n.text for n in on(picked, WriteNote(" new\n line ")).notes.values()} == {"new line"}


def test_nothing_is_noted_before_it_is_known_what_is() -> None:
    for move in (ToggleStar(), WriteNote("x")):
        with pytest.raises(IllegalMove, match="is being read"):
            advance(begun(PATHS), move)
    session = on(begun(PATHS), NotesKnown(dict.fromkeys(PATHS, Note())), WriteNote("mine"))
    late = on(session, NotesKnown({"a.png": Note(text="older"), "elsewhere.png": Note()}))
    assert late.notes == session.notes


@given(st.booleans() | st.integers() | st.text(), st.text() | st.integers() | st.none())
def test_a_note_is_a_line_whatever_somebody_says(star: object, text: object) -> None:
    note = Note.of(star, text)
    assert note.star is (star is True)
    assert len(note.text) <= LONGEST_NOTE
    assert note.text.isprintable()
    assert note.text.encode().decode() == note.text.strip()
    assert Note.of(note.star, note.text) == note


def test_a_long_text_is_cut_before_it_is_looked_through() -> None:
    assert len(Note.of(star=False, text="x" * 10**6).text) == LONGEST_NOTE


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"slot": "", "star": True},
        {"slot": ["x"], "star": {}, "note": []},
        {"slot": "", "star": 1, "note": {"a": 1}},
    ],
    ids=json.dumps,
)
def test_an_event_of_an_enemys_notes_nothing(browser: Browser, body: Any) -> None:
    trail = browser.review.collection.trail
    trail.note("a.png", "", Note(star=True))
    with trail._writing() as db:
        trail._append(db, NOTED, path="a.png", body=body)
    notes = trail.notes()
    assert all(isinstance(note, Note) for note in notes.values())
    assert notes.get(Slot("a.png", ""), Note()).text == ""
