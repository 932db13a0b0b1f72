"""Several crops of one image, as the model of the review has them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moving import on, opened, plain

from cropkit.errors import IllegalMove
from cropkit.geometry import NormalizedBox, PixelBox, Size
from cropkit.records import Status, Suggestion, Verdict
from cropkit.review.model import (
    AddCrop,
    Applied,
    CarryBox,
    Choose,
    Decide,
    Decided,
    DecidePage,
    Done,
    Find,
    ImageLoaded,
    LoadFailed,
    Loading,
    Mark,
    NextFilter,
    NextSlot,
    Nudge,
    Open,
    Redo,
    RemoveCrop,
    ResetBox,
    Restored,
    ReviewState,
    SetBox,
    ToggleMark,
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
    assert tuple(every_crop(PATHS, ("",), {})) == PATHS
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
    assert step.undone == ("a/0.png//face",)
    state = opened(on(step.session, Restored("a/0.png//face")))
    assert [type(entry) for entry in state.entries] == [Open, Done, Open]
    step = advance(state, Redo())
    assert [each.path for each in step.decisions] == ["a/0.png//face"]


def test_the_box_that_is_carried_on_is_the_last_of_the_same_slot() -> None:
    box, other = PixelBox(1, 2, 300, 400), PixelBox(5, 6, 700, 800)
    state = on(fresh(), SetBox(box), Choose(1), SetBox(other))
    state = opened(on(state, Decide(0), Decide(1), TurnPage(1)))
    for position, expected in enumerate((box, other)):
        entry = on(state, Choose(position), CarryBox()).entries[position]
        assert isinstance(entry, Open)
        assert entry.box == expected
    with pytest.raises(IllegalMove, match="no box has been decided yet for full"):
        on(state, Choose(2), CarryBox())


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


# --- crops that are added


def copying(**kept: object) -> ReviewState:
    return opened(begin(PATHS, 3, copies=True, **kept))  # type: ignore[arg-type]  # (fields by name)


def test_another_crop_stands_beside_its_image_with_the_same_box() -> None:
    box = PixelBox(1, 2, 300, 400)
    state = opened(on(copying(), Choose(1), SetBox(box), AddCrop()))
    assert state.listing == ("a/0.png", "a/1.png", "a/1.png//2", "b/2.png")
    assert [entry.path for entry in state.entries] == list(state.listing[:3])
    assert state.chosen == 2
    assert [entry.box for entry in state.entries if isinstance(entry, Open)][1:] == [box, box]
    state = opened(on(state, AddCrop()))
    assert state.listing[2:4] == ("a/1.png//2", "a/1.png//3")
    assert state.entries[state.chosen].path == "a/1.png//3"


def test_what_was_known_of_others_is_known_where_they_are_now() -> None:
    state = on(copying(), Choose(2), Nudge(-3, 0), Decide(2), Choose(1), ToggleMark(Mark.REJECT))
    state = on(state, Applied("b/2.png", Status.CROPPED), Choose(0))
    before = state.settled["b/2.png"]
    state = opened(on(state, AddCrop()))
    assert dict(state.settled) == {"b/2.png": before}
    assert state.undo[:] == ("b/2.png",)
    assert state.decision("b/2.png").path == "b/2.png"
    (marked,) = [e for e in state.entries if e.path == "a/1.png"]
    assert isinstance(marked, Open)
    assert marked.mark is Mark.REJECT
    assert (state.decided, state.total, state.images.image_count) == (1, 4, 3)
    assert state.images.whole_count == 1


def test_an_added_crop_is_decided_undone_and_done_again_by_itself() -> None:
    state = opened(on(copying(), AddCrop()))
    step = advance(state, Decide())
    assert [each.path for each in step.decisions] == ["a/0.png//2"]
    state = on(step.session, Applied("a/0.png//2", Status.CROPPED))
    assert state.images.whole_count == 0
    state = opened(on(state, Undo(), Restored("a/0.png//2")))
    assert [each.path for each in advance(state, Redo()).decisions] == ["a/0.png//2"]


def test_an_added_crop_is_removed_while_it_is_not_decided() -> None:
    begun = copying()
    state = opened(on(begun, AddCrop(), RemoveCrop()))
    assert (state.listing[:], state.chosen) == (PATHS, 0)
    state = opened(on(begun, AddCrop()))
    with pytest.raises(IllegalMove, match=r"0\.png \(2\) is decided already"):
        on(state, Decide(), Choose(1), RemoveCrop())
    with pytest.raises(IllegalMove, match=r"0\.png was not added"):
        on(state, Choose(0), RemoveCrop())
    undone = opened(on(state, Decide(), Undo(), Restored("a/0.png//2"), RemoveCrop()))
    assert (undone.redo[:], undone.listing[:]) == ((), PATHS)
    assert on(undone, AddCrop()).listing[1] == "a/0.png//2"


def test_where_crops_are_no_copies_an_image_has_one() -> None:
    with pytest.raises(IllegalMove, match="--copy-to"):
        on(opened(begin(PATHS)), AddCrop())
    with pytest.raises(IllegalMove, match="is not there to be cropped"):
        on(begin(PATHS, copies=True), AddCrop())


def test_added_crops_come_again_the_next_day_once_they_are_decided() -> None:
    settled = {keyed(PATHS[0], slot): CROPPED for slot in ("10", "2", "face")}
    state = copying(settled=settled)
    assert state.listing == ("a/0.png", "a/0.png//2", "a/0.png//10", "a/1.png", "b/2.png")
    assert state.images.required == ("",)
    assert state.total == 6  # that of a slot which nobody wants now stands, too
    nonsense = {keyed(PATHS[0], "9" * 5000): CROPPED}  # a row that somebody wrote
    assert copying(settled=settled | nonsense).listing[3] == keyed(PATHS[0], "9" * 5000)
    state = fresh(settled=settled)
    assert state.listing[:5] == tuple(
        keyed(PATHS[0], slot) for slot in ("face", "bust", "full", "2", "10")
    )


def test_a_crop_of_an_image_that_is_elsewhere_is_added_where_that_is() -> None:
    state = copying(settled={"gone.png": CROPPED}, undo=("gone.png",))
    state = on(state, Undo(), Restored("gone.png"))
    state = opened(on(opened(state), AddCrop()))
    assert state.listing == (*PATHS, "gone.png", "gone.png//2")
    assert opened(on(state, RemoveCrop())).listing == (*PATHS, "gone.png")


def test_under_a_filter_an_added_crop_is_shown() -> None:
    state = opened(on(opened(on(copying(), Decide(0), NextFilter())), AddCrop()))
    assert state.paths == ("a/1.png", "a/1.png//2", "b/2.png")
    assert opened(on(state, RemoveCrop())).paths == ("a/1.png", "b/2.png")
