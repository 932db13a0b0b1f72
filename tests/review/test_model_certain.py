"""What a plan lets through, in the grid: only as it was planned, when shown and when decided."""

import moving
import pytest
from moving import on

from cropkit.geometry import NormalizedBox, Size
from cropkit.records import Suggestion
from cropkit.review.model import (
    AddCrop,
    Arrange,
    Arrangement,
    DecidePage,
    Filter,
    ImageLoaded,
    Mark,
    NextFilter,
    Nudge,
    Open,
    PlanKnown,
    ReviewState,
    ToggleMark,
    advance,
    begin,
)
from cropkit.review.model.remembering import as_left, way

PATHS = tuple(f"{n:02}.png" for n in range(24))
CERTAIN = frozenset(PATHS[2:])
OTHER = PATHS[4]  # its content, or what is suggested, is not what was planned
SIZE = Size(200, 100)
SUGGESTION = Suggestion(NormalizedBox(0.1, 0.1, 0.6, 0.7), "sidecar")
BOX = SUGGESTION.box.pixels(SIZE)
PROMISE = "at most 1 of these 22 would be changed"


def arriving(path: str) -> ImageLoaded:
    planned = BOX if path in CERTAIN - {OTHER} else None
    return ImageLoaded(path, "a" * 64, SIZE, (SUGGESTION,), planned=planned)


def opened(state: ReviewState) -> ReviewState:
    return moving.opened(state, arriving)


def known(state: ReviewState | None = None) -> ReviewState:
    return on(state or opened(begin(PATHS, 3)), PlanKnown(CERTAIN, PROMISE, anew=True))


def certain() -> ReviewState:
    return _to(Filter.CERTAIN, known())


def _to(chosen: Filter, state: ReviewState) -> ReviewState:
    for _ in Filter:
        if state.filter is not chosen:
            state = on(state, NextFilter())
    assert state.filter is chosen
    return opened(state)


def marks(state: ReviewState) -> dict[str, Mark]:
    return {e.path: e.mark for e in state.entries if isinstance(e, Open)}


def accepted(state: ReviewState) -> tuple[ReviewState, set[str]]:
    step = advance(state, DecidePage())
    return opened(step.session), {each.path for each in step.decisions}


def test_it_shows_the_undecided_images_of_the_plan_in_the_grid() -> None:
    state = certain()
    assert (state.arrangement, state.promise) == (Arrangement.GRID, PROMISE)
    assert tuple(state.paths) == PATHS[2:]
    assert len(state.entries) == state.grid


def test_without_a_plan_it_is_not_offered() -> None:
    state, seen = opened(begin(PATHS, 3)), set[Filter]()
    for _ in Filter:
        state = on(state, NextFilter())
        seen.add(state.filter)
    assert Filter.CERTAIN not in seen
    assert state.arrangement is Arrangement.PAGE


def test_the_next_filter_is_looked_at_as_before() -> None:
    state = on(certain(), NextFilter())
    assert (state.filter, state.arrangement) == (Filter.ALL, Arrangement.PAGE)
    alone = opened(on(known(), Arrange(Arrangement.SINGLE)))
    assert on(_to(Filter.CERTAIN, alone), NextFilter()).arrangement is Arrangement.SINGLE


def test_what_is_not_as_it_was_planned_is_marked_and_enter_sets_it_aside() -> None:
    state = certain()
    assert marks(state)[OTHER] is Mark.LATER
    assert {mark for path, mark in marks(state).items() if path != OTHER} == {Mark.KEEP}
    on_page = set(marks(state))
    state, decided = accepted(state)
    assert decided == on_page - {OTHER}
    assert (state.filter, tuple(state.paths)) == (Filter.ASIDE, (OTHER,))
    state, decided = accepted(state)
    assert decided == {OTHER}, "it was seen by itself"
    assert (state.filter, state.arrangement) == (Filter.CERTAIN, Arrangement.GRID)


@pytest.mark.parametrize("arrangement", [Arrangement.GRID, Arrangement.PAGE])
def test_no_mark_that_is_taken_away_accepts_what_is_not_as_planned(
    arrangement: Arrangement,
) -> None:
    state = certain()
    if arrangement is Arrangement.GRID:
        position = [e.path for e in state.entries].index(OTHER)
        state = on(state, ToggleMark(Mark.LATER, position))
    else:
        state = opened(on(state, Arrange(arrangement)))
        assert OTHER in marks(state)
    assert marks(state)[OTHER] is Mark.KEEP
    state, decided = accepted(state)
    assert OTHER not in decided
    assert state.filter is Filter.ASIDE


def test_what_the_reviewer_has_changed_is_theirs() -> None:
    state = on(certain(), Nudge(3, 3))
    path = state.entries[state.chosen].path
    assert path in accepted(state)[1]


def test_a_promise_that_is_withdrawn_lets_nothing_through() -> None:
    state = on(certain(), PlanKnown(frozenset(), "", anew=True))
    _, decided = accepted(state)
    assert decided == set()


def test_when_all_are_accepted_the_rest_is_looked_at_as_before() -> None:
    state, decided = certain(), set[str]()
    while state.filter is not Filter.ALL:
        state, some = accepted(state)
        decided |= some
    assert decided == CERTAIN
    assert state.arrangement is Arrangement.PAGE
    assert state.undecided(state.entries[0].path)


def test_under_other_filters_nothing_is_held_back() -> None:
    state = known(opened(on(begin(PATHS, 3), Arrange(Arrangement.GRID))))
    assert set(marks(state).values()) == {Mark.KEEP}
    assert OTHER in accepted(state)[1]


def test_parts_of_a_plan_add_up_and_what_is_not_listed_takes_no_number() -> None:
    state = known()
    state = on(state, PlanKnown(frozenset({"none.png", PATHS[0]}), PROMISE))
    assert tuple(_to(Filter.CERTAIN, state).paths) == (PATHS[0], *PATHS[2:])
    assert "none.png" not in state.listing


def test_the_numbers_follow_a_crop_that_is_added() -> None:
    state = known(opened(begin(PATHS, 3, copies=True)))
    state = on(state, AddCrop())
    assert tuple(_to(Filter.CERTAIN, state).paths) == PATHS[2:]


def test_how_it_was_looked_at_before_is_what_is_remembered() -> None:
    document = way(certain())
    assert document["filter"] == "all"
    assert document["arrangement"] == "page"
    fresh = as_left(begin(PATHS, 3), document | {"filter": "certain"})
    assert fresh.filter is Filter.ALL
