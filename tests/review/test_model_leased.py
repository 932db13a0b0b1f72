"""Pages of which others have all are passed over, as long as any other is left."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moving import on, opened

from cropkit.audit.leases import MOST_CROPS, MOST_OWNERS
from cropkit.records import Status, Verdict
from cropkit.review.model import (
    AddCrop,
    Decided,
    DecidePage,
    GoTo,
    Leased,
    LeasesKnown,
    Listed,
    ListedAll,
    NextUnreviewed,
    Open,
    Rest,
    ReviewState,
    TurnPage,
    advance,
    begin,
)
from cropkit.review.model.slots import keyed
from cropkit.wanted import Wanted

PATHS = tuple(f"{n}.png" for n in range(12))
CROPPED = Decided(Verdict.ADJUSTED, Status.CROPPED)


def have(who: str, *numbers: int) -> Leased:
    return Leased(who, frozenset(PATHS[n] for n in numbers))


def known(state: ReviewState, *leases: Leased, arriving: bool = False) -> ReviewState:
    return advance(state, LeasesKnown(leases, arriving)).session


def fresh(*leases: Leased, **options: object) -> ReviewState:
    return known(opened(begin(PATHS, 3, **options)), *leases)  # type: ignore[arg-type]


def here(state: ReviewState) -> tuple[str, ...]:
    return tuple(entry.path for entry in state.entries)


def test_enter_passes_over_a_page_that_another_has() -> None:
    step = advance(fresh(have("Ben", 3, 4, 5)), DecidePage())
    assert here(step.session) == PATHS[6:9]
    assert step.note == ""
    assert len(step.decisions) == 3


def test_a_page_of_which_one_image_is_free_is_gone_to() -> None:
    after = opened(on(fresh(have("Ben", 3, 5)), DecidePage()))
    assert here(after) == PATHS[3:6]
    assert after.taken_words == "Ben has 2 of these"


def test_where_nothing_else_is_left_it_goes_there_and_says_so() -> None:
    state = fresh(have("Ben", 3, 4, 5), have("Cat", 6, 7, 8, 9, 10, 11))
    step = advance(state, DecidePage())
    assert here(step.session) == PATHS[3:6]
    assert step.note == "Nothing else is left: Ben has 3 of these. You may decide here, too"
    assert not step.session.ended
    again = advance(opened(step.session), NextUnreviewed())
    assert here(again.session) == PATHS[6:9]
    assert "Cat has 3 of these" in again.note


def test_what_was_passed_over_comes_when_it_is_free_again() -> None:
    state = opened(on(fresh(have("Ben", 3, 4, 5)), DecidePage()))
    state = opened(on(known(state), DecidePage()))
    assert here(state) == PATHS[9:]
    state = on(state, DecidePage())
    assert here(state) == PATHS[3:6], "forwards, and then from the start"


def test_whoever_turns_the_page_themselves_sees_it_and_may_decide_there() -> None:
    state = opened(on(fresh(have("Ben", 3, 4, 5)), TurnPage(1)))
    assert here(state) == PATHS[3:6]
    assert state.taken_words == "Ben has 3 of these"
    assert len(advance(state, DecidePage()).decisions) == 3
    assert here(on(state, GoTo(PATHS[4]))) == PATHS[3:6]


def test_a_review_that_begins_where_another_is_begins_with_the_next_page() -> None:
    begun = begin(PATHS, 3, place=PATHS[3])
    step = advance(begun, LeasesKnown((have("Ben", 3, 4, 5),), arriving=True))
    assert here(step.session) == PATHS[6:9]
    assert "with somebody else now" in step.note
    assert here(known(begun, have("Ben", 3, 4, 5))) == PATHS[3:6], "it is seen already"
    alone = begin(PATHS[:3], 3)
    stays = advance(alone, LeasesKnown((have("Ben", 0, 1, 2),), arriving=True))
    assert here(stays.session) == PATHS[:3], "nothing else is left"
    assert stays.note == ""


def test_where_it_was_left_is_passed_over_also_where_that_is_listed_later() -> None:
    state = begin(PATHS[:6], 3, place=PATHS[9], rest=Rest.COMING)
    state = known(state, have("Ben", 6, 7, 8), have("Cat", 9, 10, 11))
    assert state.resuming
    listed = on(state, Listed(PATHS[6:]))
    assert here(listed) == PATHS[:3]
    assert here(on(listed, ListedAll(listed.images.earlier(())))) == PATHS[:3]


def test_what_is_leased_and_not_listed_yet_counts_when_it_is() -> None:
    state = opened(begin(PATHS[:3], 3, rest=Rest.COMING))
    state = known(state, have("Ben", 3, 4, 5), Leased("Cat", frozenset({"no/such.png"})))
    waiting = on(state, DecidePage())
    assert here(on(waiting, Listed(PATHS[3:]))) == PATHS[6:9]


def test_what_others_have_decided_meanwhile_is_not_said_to_be_theirs() -> None:
    state = fresh(have("Ben", 0, 1), settled={PATHS[0]: CROPPED})
    assert state.taken_words == "Ben has 1 of these"
    assert fresh(have("Ben", 7)).taken_words == ""


def test_it_is_told_who_has_most_and_three_of_many() -> None:
    crowd = [have(name, *range(n)) for n, name in enumerate(("", "Ben", "Cat", "Dan", "Eve"))]
    state = known(opened(begin(PATHS, 9)), *crowd)
    words = "Eve has 4 of these · Dan has 3 of these · Cat has 2 of these · and 1 more have some"
    assert state.taken_words == words
    assert fresh(have("", 0, 1)).taken_words == "you have 2 of these in another review"


def test_the_page_and_what_comes_next_is_leased_and_nothing_of_others() -> None:
    state = fresh(have("Ben", 3, 4))
    assert state.to_lease == (*PATHS[:3], PATHS[5])
    assert fresh(have("Ben", 3, 4, 5)).to_lease == (*PATHS[:3], *PATHS[6:9])
    assert fresh(have("Ben", *range(12))).to_lease == PATHS[:3], "and what one sits on"
    decided = on(fresh(settled=dict.fromkeys(PATHS[:3], CROPPED)), TurnPage(-1))
    assert here(decided) == PATHS[:3]
    assert decided.to_lease == PATHS[3:6]


def test_at_the_end_nothing_is_leased() -> None:
    state = opened(begin(PATHS[:3], 3))
    state = on(state, DecidePage())
    assert state.ended
    assert state.to_lease == ()


def test_a_crop_of_a_slot_is_leased_and_not_its_image() -> None:
    wanted = (Wanted("face"), Wanted("bust"))
    state = opened(begin(PATHS[:4], 2, wanted=wanted, copies=True))
    face = frozenset({keyed(PATHS[1], "face")})
    state = known(state, Leased("Ben", face))
    after = on(state, DecidePage())
    assert here(after) == (keyed(PATHS[1], "face"), keyed(PATHS[1], "bust"))
    both = known(state, Leased("Ben", face | {keyed(PATHS[1], "bust"), PATHS[2]}))
    assert here(on(both, DecidePage()))[0] == keyed(PATHS[2], "face")


def test_a_crop_that_is_added_moves_no_lease() -> None:
    state = opened(begin(PATHS, 3, copies=True))
    state = known(on(state, AddCrop()), have("Ben", 2, 3, 4))
    after = on(opened(state), DecidePage())
    assert PATHS[5] in here(after)


def test_as_many_leases_as_are_read_are_walked_once_forwards_and_once_from_the_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    most = MOST_OWNERS * MOST_CROPS
    paths = tuple(f"{n:05}.png" for n in range(most + 6))
    eve = Leased("Eve", frozenset(paths[3:-3]))
    state = known(opened(begin(paths, 3)), eve)
    asked: list[int] = []
    search = ReviewState._undecided_from

    def counted(state: ReviewState, place: int) -> int | None:
        asked.append(place)
        return search(state, place)

    monkeypatch.setattr(ReviewState, "_undecided_from", counted)
    assert state.next_undecided_page() == len(paths) // 3 - 1
    assert len(asked) <= most + 1 <= 5_121


@pytest.mark.parametrize("arriving", [True, False])
@given(
    taken=st.frozensets(st.sampled_from(PATHS)),
    decided=st.frozensets(st.sampled_from(PATHS)),
    per_page=st.integers(1, 5),
)
def test_no_image_is_ever_hidden(
    taken: frozenset[str], decided: frozenset[str], per_page: int, *, arriving: bool
) -> None:
    """Whatever others have, Enter comes to every image once, and to nothing twice."""
    state = begin(PATHS, per_page, dict.fromkeys(decided, CROPPED))
    state = known(state, Leased("Ben", taken), arriving=arriving)
    came: list[str] = []
    for _ in range(20):
        if state.ended:
            break
        state = opened(state)
        page = state.next_undecided_page()
        undecided = [p for p in range(state.pages) if state.open_on(p)]
        free = [p for p in undecided if not state.is_with_others(p)]
        assert page in (free or undecided)
        came += [e.path for e in state.entries if isinstance(e, Open)]
        state = on(state, DecidePage())
    assert state.ended
    assert sorted(came) == sorted(set(PATHS) - decided)
    assert replace(state, leases=(), taken=frozenset()).next_undecided_page() is None
