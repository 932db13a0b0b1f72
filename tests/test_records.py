from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, cast

import pytest
from hypothesis import given

from cropkit.errors import BadBox, BadDecision
from cropkit.geometry import NormalizedBox, PixelBox, Size
from cropkit.records import (
    KEPT,
    CropResult,
    Decision,
    Problem,
    ProblemKind,
    Status,
    Suggestion,
    Verdict,
)

SHOWN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SUGGESTION = Suggestion(NormalizedBox(0.1, 0.1, 0.9, 0.9), source="decision-sidecar")


def a_decision(**changes: Any) -> Decision:
    facts: dict[str, Any] = {
        "path": "a.png",
        "sha256": "0" * 64,
        "size": Size(100, 200),
        "verdict": Verdict.ACCEPT,
        "box": PixelBox(10, 20, 90, 180),
        "reviewer": "ada",
        "session": "crop_20260102_030405_ab12",
        "shown_at": SHOWN,
        "decided_at": SHOWN + timedelta(seconds=3),
        "suggestion": SUGGESTION,
    }
    return Decision(**(facts | changes))


@given(decision=...)
def test_for_any_decision_the_statistics_agree_with_the_verdict(decision: Decision) -> None:
    if decision.verdict is Verdict.ACCEPT:
        assert decision.iou == 1
        assert decision.edges_within_5_percent is True
    if decision.box is None or decision.suggestion is None:
        assert decision.iou is None
        assert decision.edges_within_5_percent is None


def test_ids_are_unique_and_kept_by_a_copy() -> None:
    one, other = a_decision(), a_decision()
    assert one.id != other.id
    assert replace(one, reviewer="grace").id == one.id


def test_iou_and_edges_are_measured_against_the_suggestion() -> None:
    near = a_decision(verdict=Verdict.ADJUSTED, box=PixelBox(15, 20, 90, 180))
    far = a_decision(verdict=Verdict.ADJUSTED, box=PixelBox(16, 20, 90, 180))
    assert near.suggested == PixelBox(10, 20, 90, 180)
    assert near.iou == pytest.approx(75 / 80)
    assert near.edges_within_5_percent is True
    assert far.edges_within_5_percent is False


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"shown_at": datetime(2026, 1, 2)}, "not UTC"),  # noqa: DTZ001  (naive on purpose)
        ({"decided_at": datetime(2026, 1, 3)}, "not UTC"),  # noqa: DTZ001
        ({"decided_at": (SHOWN + timedelta(1)).astimezone(timezone(timedelta(hours=2)))}, "UTC"),
        ({"decided_at": SHOWN - timedelta(microseconds=1)}, "before it was shown"),
        ({"suggestion": None}, "without a suggestion"),
        ({"box": None}, "do not go together"),
        ({"verdict": Verdict.REJECT}, "do not go together"),
        ({"verdict": Verdict.SKIP}, "do not go together"),
        ({"verdict": Verdict.ADJUSTED, "box": None}, "do not go together"),
        ({"sha256": ""}, "no content hash"),
        ({"sha256": "0" * 63}, "no content hash"),
        ({"reviewer": ""}, "no reviewer"),
        ({"session": ""}, "no reviewer or session"),
    ],
)
def test_a_decision_that_makes_no_sense_is_refused_by_file_and_reason(
    changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(BadDecision, match=rf"^a\.png: .*{reason}"):
        a_decision(**changes)


def test_a_box_outside_the_size_is_refused() -> None:
    with pytest.raises(BadBox, match="outside the 100 x 200 image"):
        a_decision(box=PixelBox(10, 20, 101, 180))


def test_a_size_of_zero_by_zero_never_comes_as_far_as_a_decision() -> None:
    with pytest.raises(BadBox):
        a_decision(size=Size(0, 0))


def test_a_verdict_says_whether_it_keeps_a_box() -> None:
    assert {v for v in Verdict if v.keeps_a_box} == set(KEPT)


def test_a_result_is_ok_only_without_an_error_code() -> None:
    assert CropResult(Status.CROPPED, "a.png").ok
    assert not CropResult(Status.REFUSED, "a.png", code="StaleDecision").ok


def test_a_failure_is_what_could_not_be_carried_out_and_a_stale_file_is_none() -> None:
    failures = {status for status in Status if status.is_failure}
    assert failures == {Status.REFUSED, Status.FAILED, Status.IN_DOUBT}


def test_the_words_that_the_trail_keeps_for_kinds_of_problem_stay() -> None:
    assert [kind.value for kind in ProblemKind] == [
        "suggestion",
        "no-suggestion",
        "box",
        "preview",
        "folder",
        "listing",
        "decision",
        "beat",
        "user-interface",
        "destination",
        "applier-died",
        "no-lossless",
        "encoded-anew",
        "salvaged",
        "lease",
        "companion",
    ]
    assert [kind for kind in ProblemKind if kind.is_harmless] == [ProblemKind.NO_SUGGESTION]


def test_a_problem_of_no_kind_is_refused_and_a_word_becomes_its_kind() -> None:
    word: Any = "suggestion"
    assert Problem(word, "a.png", "no JSON").kind is ProblemKind.SUGGESTION
    with pytest.raises(ValueError, match="sugestion"):
        Problem(cast("Any", "sugestion"), "a.png", "no JSON")
