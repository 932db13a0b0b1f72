from dataclasses import dataclass
from pathlib import Path

from cropkit.geometry import NormalizedBox, Size
from cropkit.records import Problem, ProblemKind, Suggestion
from cropkit.suggest import NOTHING, Sidecars, Suggested, confidence_of, gather
from cropkit.suggest.detections import Detections
from cropkit.suggest.suggested import Meter, Pace, told_of

BROKEN = Problem(ProblemKind.SUGGESTION, "a.decision", "is not JSON")
MISSING = Problem(ProblemKind.NO_SUGGESTION, "a.png", "no sidecar")


@dataclass
class Fixed:
    answer: Suggested

    def suggest(self, path: str, size: Size, sha256: str) -> Suggested:
        assert (path, size, sha256) == ("a.png", Size(8, 8), "0" * 64)
        return self.answer


def boxes(source: str, *ranks: int) -> Suggested:
    box = NormalizedBox(0.0, 0.0, 0.5, 0.5)
    return Suggested(tuple(Suggestion(box, source, rank=rank) for rank in ranks))


def gathered(*answers: Suggested) -> Suggested:
    return gather([Fixed(answer) for answer in answers], "a.png", Size(8, 8), "0" * 64)


def test_suggestions_are_merged_by_rank_and_then_by_suggester() -> None:
    found = gathered(boxes("first", 0, 1), boxes("second", 0, 7), NOTHING)
    assert [(s.source, s.rank) for s in found.suggestions] == [
        ("first", 0),
        ("second", 1),
        ("first", 2),
        ("second", 3),
    ]


def test_that_one_has_nothing_is_no_problem_when_another_has() -> None:
    assert gathered(Suggested(problems=(MISSING,)), boxes("second", 0)).problems == ()
    assert gathered(Suggested(problems=(MISSING,)), NOTHING).problems == (MISSING,)


def test_a_broken_suggestion_stays_a_problem_and_is_told_once() -> None:
    broken = Suggested(problems=(BROKEN,))
    assert gathered(broken, boxes("second", 0), broken).problems == (BROKEN,)


@dataclass
class Sure(Fixed):
    how: float | None

    def confidence(self, path: str) -> float | None:
        assert path == "a.png"
        return self.how


def test_the_first_that_says_how_sure_it_is_is_heard() -> None:
    said = [Fixed(NOTHING), Sure(NOTHING, None), Sure(NOTHING, 0.0), Sure(NOTHING, 0.9)]
    assert confidence_of(said, "a.png") == 0.0
    assert confidence_of(said[:2], "a.png") is None


def test_without_suggesters_there_is_nothing() -> None:
    assert gathered() == NOTHING


def test_what_there_is_to_tell_is_how_fast_a_model_is_and_what_was_clipped() -> None:
    size = Size(100, 50)
    clipping = Detections({"a.png": [[-3, 0, 50, 50]]}, name="yard")
    clipping.suggest("a.png", size, "")
    meter = Meter()
    meter.add(1, 0.5)
    meter.add(8, 2.5)

    class Model:
        name, pace = "m", meter.pace

        def suggest(self, path: str, size: Size, sha256: str) -> Suggested:  # noqa: ARG002  (Suggester)
            return NOTHING

    assert told_of((Model(), clipping)) == (
        "m asked about 9 images at 3/s",
        "1 box clipped at the border, at most 3 px",
    )
    assert told_of((Sidecars(Path()),)) == ()
    assert str(Pace(1)) == "asked about 1 image"
