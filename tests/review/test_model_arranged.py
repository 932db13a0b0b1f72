"""One image, a page or a grid: the same review, and in the grid the marked are decided last."""

from dataclasses import replace

import moving
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cropkit.errors import IllegalMove
from cropkit.geometry import NormalizedBox, Size
from cropkit.records import Suggestion, Verdict
from cropkit.review.model import (
    GRID,
    MOST_IN_GRID,
    Arrange,
    Arrangement,
    Choose,
    Decide,
    DecidePage,
    Filter,
    FitGrid,
    ImageLoaded,
    Mark,
    Move,
    Nudge,
    Open,
    Restored,
    ReviewState,
    ToggleMark,
    TurnPage,
    Undo,
    advance,
    begin,
)

PATHS = tuple(f"{n:02}.png" for n in range(30))
BOX = Suggestion(NormalizedBox(0.1, 0.1, 0.6, 0.7), "sidecar", "v3")
GRIDDED = Arrange(Arrangement.GRID)
ALONE = Arrange(Arrangement.SINGLE)


def looked(path: str) -> ImageLoaded:
    return ImageLoaded(path, "a" * 64, Size(200, 100), (BOX,))


def opened(session: ReviewState) -> ReviewState:
    return moving.opened(session, looked)


def on(session: ReviewState, *moves: Move) -> ReviewState:
    for move in moves:
        session = opened(advance(session, move).session)
    return session


def fresh(per_page: int = 3) -> ReviewState:
    return opened(begin(PATHS, per_page))


def marked(*positions: int) -> list[Move]:
    return [ToggleMark(Mark.LATER, position) for position in positions]


def paths(session: ReviewState) -> list[str]:
    return [one.path for one in session.entries]


def test_the_image_that_was_chosen_stays_chosen_in_every_arrangement() -> None:
    session = on(fresh(), TurnPage(1), Choose(2))
    for move, count in ((ALONE, 1), (GRIDDED, GRID), (GRIDDED, 3), (ALONE, 1), (ALONE, 3)):
        session = on(session, move)
        assert session.entries[session.chosen].path == "05.png"
        assert len(session.entries) == count


def test_the_grid_has_as_many_images_as_have_room_and_the_chosen_one_stays() -> None:
    session = on(fresh(), TurnPage(2), Choose(1), FitGrid(14), GRIDDED)
    assert len(session.entries) == 14
    assert session.entries[session.chosen].path == "07.png"
    smaller = on(session, FitGrid(3))
    assert len(smaller.entries) == GRID
    assert smaller.entries[smaller.chosen].path == "07.png"
    assert on(smaller, FitGrid(500)).per_page == MOST_IN_GRID
    assert len(on(session, GRIDDED).entries) == 3


def test_a_window_of_another_size_changes_nothing_else() -> None:
    session = replace(on(fresh(), TurnPage(1), Choose(2)), resuming="later.png")
    fitted = advance(session, FitGrid(20)).session
    assert fitted == replace(session, grid=20)


def test_a_box_that_was_changed_is_the_same_in_another_arrangement() -> None:
    session = on(fresh(), Nudge(7, 3))
    box = session.entries[0]
    assert on(session, ALONE, ALONE, GRIDDED).entries[0] == box


def test_alone_enter_accepts_one_image_and_shows_the_next() -> None:
    step = advance(on(fresh(), Choose(1), ALONE), DecidePage())
    assert [decision.path for decision in step.decisions] == ["01.png"]
    assert paths(step.session) == ["02.png"]


def test_in_the_grid_enter_accepts_all_but_the_marked_which_are_shown_next() -> None:
    step = advance(on(fresh(), GRIDDED, *marked(2, 4)), DecidePage())
    assert [decision.path for decision in step.decisions] == [
        path for path in PATHS[:GRID] if path not in ("02.png", "04.png")
    ]
    session = opened(step.session)
    assert paths(session) == ["02.png", "04.png"]
    assert (session.arrangement, session.filter) == (Arrangement.PAGE, Filter.ASIDE)
    assert all(isinstance(one, Open) and one.mark is Mark.KEEP for one in session.entries)
    after = advance(session, DecidePage())
    assert [decision.path for decision in after.decisions] == ["02.png", "04.png"]
    assert paths(after.session) == list(PATHS[GRID : 2 * GRID])
    assert (after.session.arrangement, after.session.filter) == (Arrangement.GRID, Filter.ALL)


def test_the_only_marked_one_is_shown_alone() -> None:
    session = on(fresh(), GRIDDED, *marked(8), DecidePage())
    assert (session.arrangement, paths(session)) == (Arrangement.SINGLE, ["08.png"])


def test_a_mark_is_taken_away_by_marking_again_and_reject_is_a_verdict() -> None:
    session = on(fresh(), GRIDDED, *marked(0, 0), ToggleMark(Mark.REJECT, 1))
    decisions = advance(session, DecidePage()).decisions
    assert [decision.verdict for decision in decisions[:2]] == [Verdict.ACCEPT, Verdict.REJECT]
    assert len(decisions) == GRID


def test_what_is_marked_for_a_closer_look_cannot_be_accepted_by_itself() -> None:
    session = on(fresh(), GRIDDED, *marked(0))
    with pytest.raises(IllegalMove, match="marked for a closer look"):
        advance(session, Decide(0))
    with pytest.raises(IllegalMove, match="for the grid"):
        advance(fresh(), ToggleMark(Mark.LATER))


def test_who_leaves_the_marked_undecided_comes_to_them_again() -> None:
    session = on(fresh(), GRIDDED, *marked(3), DecidePage(), GRIDDED)
    assert paths(session) == ["03.png"]
    session = on(fresh(), GRIDDED, *marked(*range(GRID)), DecidePage(), TurnPage(1), DecidePage())
    assert paths(session) == list(PATHS[6:9])


def test_undo_goes_back_to_an_image_of_the_grid() -> None:
    session = on(fresh(), GRIDDED, *marked(3), DecidePage())
    step = advance(session, Undo())
    assert set(step.undone) == {*PATHS[:3], *PATHS[4:9]}, "all that the press decided"
    session = on(step.session, *map(Restored, step.undone))
    assert (session.arrangement, session.chosen) == (Arrangement.GRID, 0)
    assert paths(session) == list(PATHS[:9])


@settings(max_examples=25)
@given(st.lists(st.sets(st.integers(0, GRID - 1)), min_size=1, max_size=6), st.integers(1, 12))
def test_whatever_is_marked_every_image_is_decided_exactly_once(
    pages: list[set[int]], per_page: int
) -> None:
    session, decided, marks = on(fresh(per_page), GRIDDED), [], iter(pages)
    for _ in range(4 * len(PATHS)):
        if session.ended:
            break
        grid = session.arrangement is Arrangement.GRID and session.filter is Filter.ALL
        chosen = next(marks, set()) if grid else set()
        for position in chosen & set(range(len(session.entries))):
            if isinstance(session.entries[position], Open):
                session = on(session, ToggleMark(Mark.LATER, position))
        step = advance(session, DecidePage())
        decided += [decision.path for decision in step.decisions]
        session = opened(step.session)
    assert session.ended
    assert sorted(decided) == list(PATHS)
