"""An image that has no suggestion and is kept as it is: told, recorded and counted as that."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pictures
import pytest
from desktop import Browser, entries, standing

from cropkit.audit.decisions import from_row, to_row
from cropkit.collection import Collection
from cropkit.errors import BadDecision
from cropkit.geometry import NormalizedBox, PixelBox, Size
from cropkit.monitor.stats import stats
from cropkit.records import Decision, Suggestion, Verdict, verdict_of
from cropkit.review.model import Open

Started = Callable[..., Browser]
SIZE = Size(200, 100)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
SUGGESTION = Suggestion(NormalizedBox(0, 0, 1, 1), "model")


def decision(verdict: Verdict, box: PixelBox, suggestion: Suggestion | None = None) -> Decision:
    names = ("a.png", "a" * 64, SIZE, verdict, box, "ann", "session", NOW, NOW)
    return Decision(*names, suggestion=suggestion)


def test_a_whole_image_without_a_suggestion_is_kept_whole_whoever_says_adjusted() -> None:
    whole = decision(Verdict.ADJUSTED, PixelBox.full(SIZE))
    assert whole.verdict is Verdict.KEPT_WHOLE
    part = decision(Verdict.ADJUSTED, PixelBox(0, 0, 199, 100))
    asked = decision(Verdict.ADJUSTED, PixelBox.full(SIZE), SUGGESTION)
    assert (part.verdict, asked.verdict) == (Verdict.ADJUSTED, Verdict.ADJUSTED)
    with pytest.raises(BadDecision, match="kept whole with a box"):
        decision(Verdict.KEPT_WHOLE, PixelBox(0, 0, 199, 100))


def test_a_row_is_that_of_before_and_is_read_as_kept_whole() -> None:
    whole = decision(Verdict.KEPT_WHOLE, PixelBox.full(SIZE))
    row = to_row(whole)
    assert row["verdict"] == "adjusted", "the format of the trail is that of earlier versions"
    assert from_row(row) == whole
    assert verdict_of(row) == "kept-whole"
    assert verdict_of(to_row(decision(Verdict.ADJUSTED, PixelBox(0, 0, 9, 9)))) == "adjusted"


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    folder = pictures.write_folder(tmp_path / "bare")
    for sidecar in folder.rglob("*.decision"):
        sidecar.unlink()
    return folder


def test_it_is_told_recorded_and_counted_apart_today_and_tomorrow(
    bare: Path, start: Started
) -> None:
    """A8: it was "adjusted", "cropped" and "written", and the file was the same."""
    browser = start(bare)
    browser.open()
    browser.shown()
    before = {p.name: p.read_bytes() for p in bare.glob("*.*") if p.is_file()}
    first = entries(browser)[0]
    assert isinstance(first, Open)
    assert first.verdict is Verdict.KEPT_WHOLE
    assert "whole image" in browser.words
    browser.press("2")
    browser.press("ArrowLeft", ctrl=True, shift=True)
    browser.press("Enter")
    browser.written()
    assert "kept whole <b>2</b>" in browser.words
    assert "written <b>1</b>" in browser.words
    assert before[first.path] == (bare / first.path).read_bytes()
    collection = browser.review.collection
    held = browser.review.to_frame()
    assert sorted(held["verdict"]) == ["adjusted", "kept-whole", "kept-whole"]
    assert set(collection.decisions()["verdict"]) == {"adjusted", "kept-whole"}
    assert {each.verdict for each in collection.trail.decisions.standing()} == {
        Verdict.ADJUSTED,
        Verdict.KEPT_WHOLE,
    }
    assert len(standing(browser)) == 3
    browser.review.close()
    again = start(Collection(bare))
    again.open()
    again.shown()
    assert "kept whole <b>2</b>" in again.words
    assert "written <b>1</b>" in again.words


def test_stats_count_it_apart(bare: Path, start: Started) -> None:
    browser = start(bare)
    browser.open()
    browser.shown()
    browser.press("Enter")
    browser.written()
    total = stats(browser.review.collection.trail.decisions.table()).total
    assert (total.kept_whole, total.adjusted) == (3, 0)
    assert total.to_json()["kept_whole_share"] == 1
