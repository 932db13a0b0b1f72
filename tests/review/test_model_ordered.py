"""The least certain first: where every image is, where one goes on, and when they are sorted."""

from moving import on, opened, undone

from cropkit.records import Status, Verdict
from cropkit.review.model import (
    AddCrop,
    Applied,
    Arrange,
    Arrangement,
    ConfidenceScanned,
    Decided,
    DecidePage,
    Filter,
    Find,
    GoTo,
    JumpTo,
    Listed,
    ListedAll,
    NextFilter,
    NextUnreviewed,
    Open,
    Ordering,
    RemoveCrop,
    Reopen,
    Rest,
    Restored,
    ReviewState,
    ToggleOrder,
    TurnFolder,
    TurnPage,
    advance,
    begin,
)
from cropkit.review.model.remembering import as_left, way

PATHS = tuple(f"{n % 2}/{n:02}.png" for n in (*range(0, 20, 2), *range(1, 20, 2)))
SURE = {path: int(path[2:4]) * 7 % 20 / 20 for path in PATHS[:-2]}
UNKNOWN = PATHS[-2:]
SORTED = (*sorted(SURE, key=lambda path: SURE[path]), *UNKNOWN)
SCANNED = ConfidenceScanned(frozenset(), SURE, whole=True)


def known(per_page: int = 3) -> ReviewState:
    return on(opened(begin(PATHS, per_page)), SCANNED)


def least_certain() -> ReviewState:
    return opened(on(known(), ToggleOrder()))


def page(state: ReviewState) -> tuple[str, ...]:
    return tuple(entry.path for entry in state.entries)


def test_the_least_certain_come_first_and_what_says_nothing_last() -> None:
    state = least_certain()
    assert tuple(state.paths) == SORTED == state.paths[:]
    assert page(state) == SORTED[:3]
    assert [state.paths.place(path) for path in SORTED] == [*range(len(SORTED))]
    assert [state.paths[n] for n in (0, 7, -1)] == [SORTED[0], SORTED[7], SORTED[-1]]
    assert tuple(state.listing) == PATHS, "the collection itself is as it was"


def test_enter_goes_on_in_that_order_and_the_last_one_comes_back_to_what_was_passed() -> None:
    state = least_certain()
    assert page(on(state, DecidePage())) == SORTED[3:6]
    state = opened(on(state, TurnPage(1), TurnPage(1)))
    assert page(state) == SORTED[6:9]
    for start in (*range(9, len(SORTED), 3), 0):
        state = opened(on(state, DecidePage()))
        assert page(state) == SORTED[start : start + 3]
    state = opened(on(state, DecidePage()))
    assert page(state) == SORTED[3:6]
    assert on(state, DecidePage()).ended


def test_places_names_and_folders_lead_there() -> None:
    state = least_certain()
    assert page(opened(on(state, JumpTo(10))))[10 % 3] == SORTED[10]
    for path in (SORTED[11], SORTED[4]):
        for move in (Find(path), GoTo(path)):
            there = on(state, move)
            assert there.entries[there.chosen].path == path
    there = on(on(state, GoTo(PATHS[0])), TurnFolder(1))
    assert there.entries[there.chosen].path == PATHS[10]
    other = on(state, Arrange(Arrangement.GRID))
    assert page(other) == SORTED[: other.per_page]


def test_a_filter_shows_its_images_in_that_order() -> None:
    state = on(opened(on(least_certain(), DecidePage())), NextFilter())
    assert state.filter is Filter.UNREVIEWED
    assert tuple(state.paths) == SORTED[3:]


def test_asked_for_again_they_are_as_listed_at_the_same_image() -> None:
    state = opened(on(least_certain(), JumpTo(9)))
    here = state.entries[state.chosen].path
    back = on(state, ToggleOrder())
    assert tuple(back.paths) == PATHS
    assert back.entries[back.chosen].path == here
    assert way(back)["order"] == "as listed"


def test_it_goes_to_what_is_undecided_and_says_of_how_many_it_knows() -> None:
    first = begin(PATHS, 3)
    state = on(opened(on(opened(first), GoTo(SORTED[0]))), SCANNED)
    decided = set(page(state))
    step = advance(on(state, DecidePage()), ToggleOrder())
    assert not decided.issuperset(page(step.session))
    assert step.note == "least certain first: 18 of 20 suggestions say how sure they are"
    early = advance(opened(first), ToggleOrder())
    assert early.note == "least certain first: 0 of 20 suggestions say how sure they are so far"
    assert tuple(early.session.paths) == PATHS


def test_more_that_is_known_sorts_them_between_two_pages_and_not_while_one_looks() -> None:
    state = opened(on(opened(begin(PATHS, 3)), ToggleOrder()))
    few = dict(list(SURE.items())[:4])
    state = on(state, ConfidenceScanned(frozenset(), few))
    assert page(state) == PATHS[:3], "nobody's page moves"
    state = opened(on(state, DecidePage()))
    left = [path for path in sorted(few, key=lambda p: few[p]) if path not in PATHS[:3]]
    assert not set(PATHS[:3]).issuperset(page(state))
    assert left[0] in page(state)
    one_more = dict(list(SURE.items())[4:5])
    state = on(state, ConfidenceScanned(frozenset(), one_more))
    assert not state.sorts, "one more is no reason"
    state = on(state, SCANNED)
    assert state.sorts
    state = on(state, NextUnreviewed())
    assert tuple(state.paths) == SORTED
    assert not state.sorts


def test_it_is_remembered_and_the_page_where_one_was_is_found_again() -> None:
    state = opened(on(least_certain(), JumpTo(7)))
    place = page(state)[0]
    again = as_left(begin(PATHS, 3, place=place), way(state), place)
    assert again.ordering is Ordering.LEAST_CERTAIN
    assert place in page(again)
    again = opened(on(opened(again), SCANNED, DecidePage()))
    assert tuple(again.paths) == SORTED
    assert page(again) == SORTED[:3]


def test_what_is_listed_later_or_comes_back_follows() -> None:
    state = opened(begin(PATHS[:10], 3, rest=Rest.COMING))
    state = on(state, ConfidenceScanned(frozenset(), SURE), ToggleOrder())
    before = tuple(state.paths)
    assert before == tuple(path for path in SORTED if path in PATHS[:10])
    state = on(state, Listed(PATHS[10:]))
    assert tuple(state.paths) == (*before, *PATHS[10:])
    state = on(state, ListedAll(state.images.earlier(())), SCANNED)
    state = opened(on(opened(state), NextUnreviewed()))
    assert tuple(state.paths) == SORTED


def test_what_is_taken_back_is_at_its_place_and_to_be_looked_at_again() -> None:
    state = undone(least_certain())
    assert tuple(state.paths) == SORTED
    assert on(state, NextUnreviewed()).page != state.page
    state = opened(on(least_certain(), DecidePage()))
    path = SORTED[0]
    state = on(state, GoTo(path), Reopen(), Restored(path))
    assert state.images.order.next_left(0) == 0


def test_a_rejected_image_that_comes_back_is_the_last() -> None:
    gone = Decided(Verdict.REJECT, Status.REJECTED)
    state = opened(begin(PATHS[1:], 3, settled={PATHS[0]: gone}, undo=(PATHS[0],)))
    state = opened(on(state, SCANNED, ToggleOrder()))
    state = on(state, Applied(PATHS[0], Status.STALE))
    assert tuple(state.paths) == (*(path for path in SORTED if path != PATHS[0]), PATHS[0])
    assert state.images.order.next_left(len(PATHS) - 1) == len(PATHS) - 1


def test_another_crop_of_an_image_is_beside_it() -> None:
    state = opened(on(begin(PATHS, 3, copies=True), SCANNED))
    state = opened(on(state, SCANNED, ToggleOrder()))
    path = page(state)[1]
    state = opened(on(state, GoTo(path), AddCrop()))
    assert [*state.paths[:4]][1] == path
    assert state.paths[2].startswith(path)
    assert len(state.paths) == len(PATHS) + 1
    state = on(state, RemoveCrop())
    assert tuple(state.paths) == SORTED
    assert all(isinstance(entry, Open) for entry in opened(state).entries)
