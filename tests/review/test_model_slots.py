"""Several crops of one image, as the model of the review has them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moving import on, opened, plain

from cropkit.errors import IllegalMove
from cropkit.geometry import NormalizedBox, PixelBox, Size
from cropkit.records import Status, Suggestion, Verdict
from cropkit.review.model import (
    Applied,
    Choose,
    Decide,
    Decided,
    DecidePage,
    Done,
    Find,
    ImageLoaded,
    LoadFailed,
    Loading,
    NextFilter,
    NextSlot,
    Nudge,
    Open,
    Redo,
    ResetBox,
    Restored,
    ReviewState,
    SetBox,
    TurnPage,
    Undo,
    advance,
    begin,
    folder_of,
)
from cropkit.review.model.slots import every_crop, image_of, keyed, named, slot_of
from cropkit.wanted import Wanted

SLOTS = ("face", "bust", "full")
PATHS = ("a/0.png", "a/1.png", "b/2.png")
WANTED = tuple(map(Wanted, SLOTS))
CROPPED = Decided(Verdict.ADJUSTED, Status.CROPPED, PixelBox(1, 2, 30, 40))


def fresh(per_page: int = 3, **kept: object) -> ReviewState:
    return opened(begin(PATHS, per_page, wanted=WANTED, **kept))  # type: ignore[arg-type]  # (fields by name)


def slots(state: ReviewState) -> list[str]:
    return [slot_of(entry.path) for entry in state.entries]


names = st.text(st.characters(exclude_characters="/\0"), min_size=1, max_size=9)


@given(st.lists(names, min_size=1, max_size=3).map("/".join), st.sampled_from(["", "face", "a b"]))
def test_a_crop_is_told_by_its_image_and_its_slot(image: str, slot: str) -> None:
    path = keyed(image, slot)
    assert (image_of(path), slot_of(path)) == (image, slot)
    assert folder_of(path) == folder_of(image)
    assert named(path) == (f"{image} ({slot})" if slot else image)


def test_where_each_image_has_one_crop_nothing_is_any_different() -> None:
    assert tuple(every_crop(PATHS, ("",), ())) == PATHS
    images = begin(PATHS).images
    assert (images.required, images.image_count, images.whole_count) == ((), 0, 0)


def test_the_crops_of_an_image_stand_side_by_side_in_the_order_in_which_they_are_wanted() -> None:
    state = fresh()
    assert slots(state) == list(SLOTS)
    assert {image_of(entry.path) for entry in state.entries} == {PATHS[0]}
    assert (state.total, state.images.image_count) == (9, 3)


def test_each_slot_has_its_own_box_verdict_and_decision() -> None:
    state = on(fresh(), Choose(1), SetBox(PixelBox(1, 2, 300, 400)))
    face, bust, _ = state.entries
    assert isinstance(face, Open)
    assert isinstance(bust, Open)
    assert (face.box, bust.box) == (PixelBox.full(face.size), PixelBox(1, 2, 300, 400))
    step = advance(state, Decide(1))
    assert [each.path for each in step.decisions] == ["a/0.png//bust"]
    assert isinstance(step.session.entries[0], Open)
    assert isinstance(step.session.entries[1], Done)


def test_an_image_is_decided_when_its_slots_are() -> None:
    state = on(fresh(), Decide(0), Decide(1))
    assert state.images.whole_count == 0
    state = on(state, Decide(2))
    assert state.images.whole_count == 1
    state = on(state, Undo())
    assert state.images.whole_count == 0


def test_undo_and_redo_are_of_one_slot() -> None:
    state = on(fresh(), Choose(1), Nudge(0, 0), Decide(1), Decide(0))
    state = on(state, Applied("a/0.png//bust", Status.CROPPED))
    step = advance(state, Undo())
    assert step.undone == "a/0.png//face"
    state = opened(on(step.session, Restored("a/0.png//face")))
    assert [type(entry) for entry in state.entries] == [Open, Done, Open]
    step = advance(state, Redo())
    assert [each.path for each in step.decisions] == ["a/0.png//face"]


def test_the_next_slot_is_chosen_round_the_image_and_on_another_page() -> None:
    state = on(fresh(2), NextSlot())
    assert (state.page, state.chosen) == (0, 1)
    state = opened(on(state, NextSlot()))
    assert (state.page, slots(state)[state.chosen]) == (1, "full")
    state = on(state, NextSlot())
    assert (state.page, slots(state)[state.chosen]) == (0, "face")
    with pytest.raises(IllegalMove, match=r"0\.png is the only crop"):
        on(opened(begin(PATHS)), NextSlot())


def test_a_search_goes_from_image_to_image_and_reads_no_slot() -> None:
    state = on(fresh(), Find("png"))
    assert state.entries[state.chosen].path == "a/1.png//face"
    with pytest.raises(IllegalMove, match="no image is called"):
        on(state, Find("bust"))


def test_a_review_is_taken_up_slot_by_slot() -> None:
    settled = {keyed(PATHS[0], slot): CROPPED for slot in ("face", "full")}
    state = fresh(settled=settled, undo=(keyed(PATHS[0], "face"),), place=PATHS[0])
    assert [type(entry) for entry in state.entries] == [Done, Open, Done]
    assert (state.decided, state.undo[:]) == (2, ("a/0.png//face",))
    assert fresh(settled=settled, place=PATHS[2]).page == 2


def test_filters_let_slots_through() -> None:
    state = on(fresh(), Decide(0), NextFilter())
    assert state.paths[0] == "a/0.png//bust"
    assert len(state.paths) == 8


def test_a_file_that_changed_is_looked_at_again_for_each_of_its_crops() -> None:
    state = on(fresh(), Decide(1), Applied("a/0.png//bust", Status.STALE))
    assert [type(entry) for entry in state.entries] == [Loading, Loading, Loading]
    assert state.stale == ("a/0.png//bust",)
    again = opened(state, lambda path: ImageLoaded(path, "b" * 64, Size(40, 30)))
    decisions = advance(again, DecidePage()).decisions
    assert {each.sha256 for each in decisions} == {"b" * 64}


def test_what_cannot_be_shown_or_decided_is_named_with_its_slot() -> None:
    state = begin(PATHS, wanted=WANTED)
    state = on(state, plain(state.entries[0].path), LoadFailed("a/0.png//bust", "truncated"))
    assert state.broken == {"a/0.png//bust": "truncated"}
    with pytest.raises(IllegalMove, match=r"a/0\.png \(bust\) could not be shown"):
        on(state, Choose(1), ResetBox())
    with pytest.raises(IllegalMove, match=r"a/0\.png \(full\) is still loading"):
        on(state, Choose(2), ResetBox())


def test_a_slot_begins_with_the_suggestion_whose_source_has_its_name() -> None:
    def arrive(path: str) -> ImageLoaded:
        boxes = [NormalizedBox(0.1 * n, 0.1, 0.9, 0.9) for n in range(3)]
        sources = ("sidecar", "Bust", "face")
        some = map(Suggestion, boxes, sources)
        return ImageLoaded(path, "a" * 64, Size(400, 300), tuple(some))

    state = opened(begin(PATHS, 3, wanted=WANTED), arrive)
    offered = [entry.suggestion for entry in state.entries if isinstance(entry, Open)]
    assert [each and each.source for each in offered] == ["face", "Bust", "sidecar"]
    state = opened(on(state, TurnPage(1), TurnPage(-1)), arrive)
    assert not state.images.drafts
    undone = opened(on(state, Decide(1), Undo(), Restored("a/0.png//bust")), arrive)
    entry = undone.entries[1]
    assert isinstance(entry, Open)
    assert entry.verdict is Verdict.ACCEPT
