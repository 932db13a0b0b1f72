"""What learning has saved is told beside the random control, with intervals."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from cropkit import clock
from cropkit.monitor.saving import Saving, Share, saving
from cropkit.monitor.stats import Stats, stats
from cropkit.suggest.control import is_control, is_learned, reviews
from cropkit.taste.portfolio import named

LEARNED, CONTROL = "1" * 64, "0" * 64


def test_the_intervals_are_those_of_the_textbooks() -> None:
    """Newcombe 1998: 56 of 70 and 48 of 80, whose difference is 0.2 (0.0524 to 0.3339)."""
    of, to = Share.of([True] * 56 + [False] * 14), Share.of([True] * 48 + [False] * 32)
    assert of is not None
    assert to is not None
    assert Saving(of, to).gain == pytest.approx(0.2)
    assert Saving(of, to).interval == pytest.approx((0.0524, 0.3339), abs=5e-5)
    none = Share.of([False] * 10)
    assert none is not None
    assert (none.low, none.high) == pytest.approx((0, 0.2775), abs=5e-5)


def test_an_interval_holds_the_difference_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(400):
        seen = saving((rng.random(190) < 0.6).tolist(), (rng.random(10) < 0.3).tolist())
        assert seen is not None
        low, high = seen.interval
        held += low <= 0.3 <= high
    assert held / 400 > 0.92


def row(at: int, verdict: str, sha256: str, **what: Any) -> dict[str, Any]:
    moments = (clock.now() + timedelta(seconds=at + each) for each in (0, 1))
    shown, decided = map(clock.written, moments)
    learned = sha256 == LEARNED
    return {
        "session": "s",
        "reviewer": "ann",
        "sha256": sha256,
        "suggestion_source": "your median" if learned else "detector",
        "suggestion_version": "12 reviews" if learned else "v3",
        "verdict": verdict,
        "shown_at": shown,
        "decided_at": decided,
        **what,
    }


def told(*rows: dict[str, Any]) -> Stats:
    return stats(rows, {"s": "review"})


def test_what_was_left_as_shown_is_counted_from_the_first_learned_box_on() -> None:
    figures = told(
        row(0, "accept", CONTROL),  # nothing was learned yet
        row(10, "accept", LEARNED),  # the first, which is no control, whatever chance says
        row(20, "accept", LEARNED),
        row(30, "accept", "2" * 64),  # what was learned was the model's own box
        row(40, "adjusted", LEARNED),
        row(50, "adjusted", CONTROL),
        row(60, "accept", CONTROL),
        row(70, "adjusted", CONTROL),
        row(80, "reject", CONTROL),
        row(90, "accept", CONTROL, reviewer="bob"),  # who was shown nothing learned
        row(95, "accept", CONTROL, slot="face"),
    )
    assert figures.saving is not None
    assert (figures.saving.learned.untouched, figures.saving.learned.decisions) == (2, 3)
    assert (figures.saving.control.untouched, figures.saving.control.decisions) == (1, 3)
    assert figures.to_json()["saving"]["gain"] == pytest.approx(1 / 3)
    assert "67 % of 3" in str(figures.saving)
    assert "33 % of 3" in str(figures.saving)


def test_without_a_control_nothing_is_said() -> None:
    figures = told(row(0, "accept", LEARNED), row(10, "accept", LEARNED))
    assert figures.saving is None
    assert figures.to_json()["saving"] is None


def test_a_row_whose_hash_is_none_is_named_and_in_no_figure() -> None:
    figures = told(row(0, "accept", "no hash"), row(0, "accept", LEARNED))
    assert len(figures.decisions) == 1
    assert len(figures.unreadable) == 1


def test_what_is_learned_is_known_by_its_name() -> None:
    assert is_learned(named("your edges", 1_204, ("detector", "v3"))[1])
    assert is_learned(named("learned", 20, None)[1])
    assert not any(map(is_learned, ("v3", "", "3 reviews of Mr. X", "reviews")))
    assert reviews(1_204) == "1,204 reviews"
    assert (is_control(CONTROL), is_control(LEARNED)) == (True, False)
