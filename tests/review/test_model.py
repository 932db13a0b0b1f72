"""The review as a state machine: what holds for any sequence of moves."""

from collections import Counter
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

import moving
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from moving import on
from strategies import suggestions

from cropkit.errors import IllegalMove
from cropkit.framing import around
from cropkit.geometry import NormalizedBox, PixelBox, Size, Turn
from cropkit.records import Note, Status, Suggestion, Verdict
from cropkit.review.keys.actions import Command
from cropkit.review.keys.keymap import Binding, conflicts, preset
from cropkit.review.model import (
    FREE,
    OF_BOX,
    OF_IMAGE,
    AddCrop,
    Applied,
    Arrange,
    Arrangement,
    Broken,
    CarryBox,
    CarryOn,
    Choose,
    ChooseNext,
    ConfidenceScanned,
    Decide,
    Decided,
    DecidePage,
    Done,
    Drag,
    DropCredentials,
    Filter,
    Find,
    FitSubjects,
    FullImage,
    GoTo,
    ImageLoaded,
    JumpTo,
    LoadFailed,
    Loading,
    Mark,
    MoreOnPage,
    Move,
    NextCandidate,
    NextFilter,
    NextSlot,
    NextUnreviewed,
    NotesKnown,
    Nudge,
    Open,
    OpenFolder,
    Pick,
    PickAll,
    PickNone,
    PickTo,
    PlanKnown,
    Redo,
    RemoveCrop,
    ResetBox,
    Resize,
    Restored,
    RestoreFailed,
    Restoring,
    ReviewState,
    SetBox,
    SetLongerSide,
    SetPart,
    SetRatio,
    SetSize,
    ShareBox,
    TakeCandidate,
    ToggleLock,
    ToggleMark,
    ToggleStar,
    ToggleTargets,
    TurnFolder,
    TurnImage,
    TurnLock,
    TurnPage,
    Undo,
    WriteNote,
    advance,
    begin,
)
from cropkit.review.model.box_editing import Grip
from cropkit.review.model.decided import Cut
from cropkit.review.model.slots import keyed
from cropkit.straightening import is_inside
from cropkit.targets import snapped
from cropkit.wanted import Wanted, wanted

KEYS = preset("default").bindings
PATHS = tuple(f"{n}.png" for n in range(7))
SIZE = Size(200, 100)
TWO_SUBJECTS = [(20, 10, 60, 50), (100, 40, 140, 80)]
BOX = NormalizedBox(0.1, 0.1, 0.6, 0.7)
SUGGESTION = Suggestion(BOX, "sidecar", "v3", confidence=0.9)
SHA = "a" * 64


def looked(path: str, **changes: object) -> ImageLoaded:
    return replace(ImageLoaded(path, SHA, SIZE, (SUGGESTION,)), **changes)  # type: ignore[arg-type]  # fields by name


def opened(session: ReviewState) -> ReviewState:
    return moving.opened(session, looked)


def fresh(per_page: int = 3) -> ReviewState:
    return opened(begin(PATHS, per_page))


def entry(session: ReviewState, position: int | None = None) -> Open:
    found = session.entries[session.chosen if position is None else position]
    assert isinstance(found, Open)
    return found


# --- any sequence of moves

own_moves = st.one_of(
    st.builds(Choose, st.integers(-1, 4)),
    st.builds(ChooseNext, st.sampled_from([1, -1])),
    st.builds(Nudge, st.integers(-300, 300), st.integers(-300, 300)),
    st.builds(Resize, st.integers(-300, 300), st.integers(-300, 300)),
    st.builds(
        Drag,
        st.integers(0, 3),
        st.sampled_from(Grip),
        st.just(PixelBox(10, 10, 60, 60)),
        st.floats(-300, 300),
        st.floats(-300, 300),
    ),
    st.builds(ToggleMark, st.sampled_from([Mark.REJECT, Mark.SKIP]), st.none() | st.integers(0, 3)),
    st.sampled_from([ResetBox(), FullImage(), ToggleLock(), Undo(), DecidePage(), DecidePage()]),
    st.builds(Decide, st.none() | st.integers(0, 3)),
    st.builds(TurnPage, st.sampled_from([1, -1])),
    st.sampled_from(
        [TurnLock(), NextCandidate(), FitSubjects(), CarryBox(), NextUnreviewed(), NextFilter()]
    ),
    st.sampled_from([AddCrop(), RemoveCrop(), NextSlot(), ToggleTargets()]),
    st.sampled_from([Redo(), Undo(), NextFilter(), DropCredentials()]),
    st.builds(Arrange, st.sampled_from(Arrangement)),
    st.builds(Pick, st.none() | st.integers(-1, 8)),
    st.builds(PickTo, st.integers(-1, 8), st.integers(-1, 8)),
    st.sampled_from([PickAll(), PickNone(), ShareBox(), CarryOn(), ToggleStar(), WriteNote("x")]),
    st.builds(TakeCandidate, st.integers(-1, 2)),
    st.builds(MoreOnPage, st.sampled_from([1, -1])),
    st.builds(ToggleMark, st.just(Mark.LATER), st.none() | st.integers(0, 8)),
    st.builds(TurnFolder, st.sampled_from([1, -1])),
    st.builds(OpenFolder, st.sampled_from(["", "a", "b"])),
    st.builds(JumpTo, st.integers(-1, 8)),
    st.builds(Find, st.sampled_from(["", "3", "PNG", "nowhere"])),
    st.builds(GoTo, st.sampled_from((*PATHS, "elsewhere.png"))),
    st.builds(SetRatio, st.integers(0, 20), st.integers(0, 20)),
    st.builds(SetLongerSide, st.integers(1, 300)),
    st.builds(SetPart, st.integers(1, 100)),
    st.builds(TurnImage, st.builds(Turn, st.integers(1, 8), st.sampled_from([0, 0, 10, -700]))),
    st.builds(SetSize, st.builds(Size, st.integers(1, 300), st.integers(1, 300))),
    st.builds(SetBox, st.sampled_from([PixelBox(3, 4, 50, 60), PixelBox(0, 0, 300, 5)])),
)
SLOTS = ("face", "bust", "full")
WAYS = {
    "one crop": (Wanted(),),
    "slots": tuple(map(Wanted, SLOTS)),
    "targets": wanted(None, "64x64, 40x80, 4:5"),
    "slots for targets": wanted({"face": "1:1", "bust": "832x1216, 1216x832", "full": ""}),
}
CROPS = tuple(keyed(path, slot) for path in PATHS[:2] for slot in SLOTS)
any_path = st.sampled_from((*PATHS, "elsewhere.png", *CROPS))
told_moves = st.one_of(
    st.builds(
        ImageLoaded,
        any_path,
        st.sampled_from([SHA, "b" * 64]),
        st.builds(Size, st.integers(60, 200), st.integers(60, 200)),
        st.lists(suggestions(), max_size=2).map(tuple),
        st.booleans(),
    ),
    st.builds(LoadFailed, any_path, st.just("truncated")),
    st.builds(
        *(LoadFailed, any_path, st.just("signed"), st.just(SHA), st.just(SIZE)),
        st.just("Provenance"),
    ),
    st.builds(Applied, any_path, st.sampled_from(Status), st.just("why")),
    st.builds(Restored, any_path),
    st.builds(RestoreFailed, any_path),
    st.builds(ConfidenceScanned, st.frozensets(any_path)),
    st.builds(PlanKnown, st.frozensets(any_path), st.just("promised"), st.booleans()),
)


class Reviews(RuleBasedStateMachine):
    """Any mixture of a reviewer's moves and what shell and worker tell."""

    @initialize(per_page=st.integers(1, 4), way=st.sampled_from(sorted(WAYS)), copies=st.booleans())
    def start(self, per_page: int, way: str, *, copies: bool) -> None:
        gone = ("elsewhere.png",)
        self.session = begin(
            *(PATHS, per_page, {gone[0]: WRITTEN}, gone), wanted=WAYS[way], copies=copies
        )
        self.standing, self.is_apart = {"elsewhere.png"}, False

    @rule(move=own_moves | told_moves)
    def move(self, move: Move) -> None:
        before = deepcopy(self.session)
        try:
            step = advance(self.session, move)
        except IllegalMove:
            assert self.session == before
            return
        assert self.session == before, "a move changed the session that it was given"
        for decision in step.decisions:
            assert decision.path not in self.standing, "decided twice"
            assert decision.verdict.keeps_a_box == (decision.box is not None)
            self.standing.add(decision.path)
        if step.undone:
            self.standing -= set(step.undone)
        self.session = step.session
        self.standing |= self.session.settled.keys()  # cropped already, or an undo that failed
        self.standing &= self.session.settled.keys()  # stale

    @rule()
    def everything_arrives(self) -> None:
        self.session = opened(self.session)

    @invariant()
    def the_page_is_its_slice_of_the_listing(self) -> None:
        session = self.session
        assert tuple(e.path for e in session.entries) == session.on_page(session.page)
        assert 0 <= session.chosen < max(1, len(session.entries))

    @invariant()
    def what_is_signed_is_broken(self) -> None:
        images = self.session.images
        assert all(number in images.broken for number in images.signed)

    @invariant()
    def every_box_is_inside_its_image(self) -> None:
        for one in self.session.entries:
            if isinstance(one, Open):
                assert one.box.within(one.size)
                assert is_inside(one.cut.box, one.cut.size, one.turn)

    @invariant()
    def every_box_that_is_held_fits_its_target(self) -> None:
        self.is_apart |= self.session.picked_lock is not None  # some have a ratio of their own
        for shown in self.session.entries:
            if isinstance(shown, Open):
                aims = self.session.aims(shown.path, shown.size)
                assert shown.aims == aims or self.is_apart
                assert (shown.fit is None) is not bool(shown.aims)
            if isinstance(shown, Open) and shown.fit:
                assert shown.fit.box == shown.box
                assert snapped(shown.box, shown.size, shown.fit.target) == shown.box

    @invariant()
    def crops_are_counted_by_their_target(self) -> None:
        stand = [each for each in self.session.settled.values() if not each.status.is_failure]
        counts = self.session.images.outcomes.crops_by_target()
        assert +counts == Counter(each.target for each in stand if each.target)

    @invariant()
    def what_is_undoable_stands_once(self) -> None:
        session = self.session
        assert len(set(session.undo)) == len(session.undo)
        assert set(session.undo) <= session.settled.keys()
        assert not session.settled.keys() & session.restoring.keys()

    @invariant()
    def the_total_is_everything_once(self) -> None:
        session = self.session
        assert session.total == len({*session.listing, *session.settled})

    @invariant()
    def every_image_is_listed_once_and_pages_show_a_part_in_order(self) -> None:
        listing, paths = self.session.listing, self.session.paths
        assert len(set(listing)) == len(listing)
        assert [path for path in listing if path in paths] == list(paths)
        assert self.session.filter is not Filter.ALL or paths == listing


WRITTEN = Decided(Verdict.ADJUSTED, Status.CROPPED, PixelBox(1, 2, 30, 40))
TestAnySequenceOfMoves = Reviews.TestCase
TestAnySequenceOfMoves.settings = settings(max_examples=60, stateful_step_count=30)


# --- every key of the table


def _nothing(_: ReviewState) -> tuple[Move, ...]:
    return ()


_FIRST: Mapping[str, Callable[[ReviewState], tuple[Move, ...]]] = {
    "share": lambda _: (Choose(0), SetBox(PixelBox(5, 6, 70, 80)), Pick(1)),
    "star": lambda s: (NotesKnown(dict.fromkeys(s.on_page(s.page), Note())),),
}


@pytest.mark.parametrize("binding", [b for b in KEYS if not isinstance(b.does, Command)], ids=str)
def test_every_key_of_the_table_does_something(binding: Binding) -> None:
    """In the middle of a review with folders, candidates, slots and undone decisions."""
    assert not isinstance(binding.does, Command)
    paths = tuple(f"{folder}/{n}.png" for folder in "abc" for n in range(9))
    other = Suggestion(NormalizedBox(0.2, 0.2, 0.9, 0.9), "median", "v1")
    way = {"next-slot": "slots", "targets": "targets"}.get(binding.name, "one crop")
    session = begin(paths, 9, wanted=WAYS[way], copies=True)
    for page in range(3):
        session = session if page == 0 else on(session, TurnPage(1))
        for path in session.on_page(page):
            session = on(session, looked(path, suggestions=(SUGGESTION, other)))
        if page == 0:
            session = on(session, SetBox(PixelBox(9, 9, 90, 90)), Decide(0), Decide(1), Undo())
            session = on(session, Restored(session.paths[1]))
    session = on(session, TurnPage(-1))
    for path in session.on_page(1):
        session = on(session, looked(path, suggestions=(SUGGESTION, other)))
    if binding.name != "redo":  # which a change would end
        session = on(session, SetRatio(3, 2), Nudge(1, 1))
    chosen = Choose(8 if binding.name == "choose-1" else 0)
    if binding.name == "remove-crop":
        chosen = Choose(1)
        session = on(session, Choose(0), AddCrop())
    if binding.name == "reopen":
        session = on(session, TurnPage(-1))
    session = on(session, *_FIRST.get(binding.name, _nothing)(session))
    if binding.name == "look":
        session = opened(on(session, Arrange(Arrangement.GRID)))
    assert advance(on(session, chosen), binding.does).session != on(session, chosen)


def test_no_key_is_claimed_twice() -> None:
    assert conflicts(KEYS) == []
    twin = replace(KEYS[0], name="skip")
    assert conflicts((*KEYS, twin)) == [(KEYS[0], twin)]


# --- accepting


def test_enter_decides_each_open_image_as_it_is_marked_and_goes_on() -> None:
    session = on(fresh(), Choose(1), Nudge(3, 0), Choose(2), ToggleMark(Mark.REJECT))
    step = advance(session, DecidePage())
    assert [each.verdict for each in step.decisions] == [
        Verdict.ACCEPT,
        Verdict.ADJUSTED,
        Verdict.REJECT,
    ]
    assert step.decisions[0].box == BOX.pixels(SIZE)
    assert step.decisions[2].box is None
    assert step.decisions[2].suggestion == SUGGESTION
    assert step.session.page == 1


def test_an_image_that_failed_to_load_gets_no_decision_and_stays_visible_as_failed() -> None:
    session = begin(PATHS, 2)
    session = on(session, looked(PATHS[0]), LoadFailed(PATHS[1], "truncated"))
    step = advance(session, DecidePage())
    assert [each.path for each in step.decisions] == [PATHS[0]]
    assert step.session.broken == {PATHS[1]: "truncated"}
    assert isinstance(session.entries[1], Broken)


def test_what_cannot_be_cropped_is_decided_only_as_it_is_marked() -> None:
    failed = LoadFailed(PATHS[1], "animated", SHA, SIZE)
    session = on(begin(PATHS, 2), looked(PATHS[0]), failed)
    assert [each.path for each in advance(session, DecidePage()).decisions] == [PATHS[0]]
    with pytest.raises(IllegalMove, match="cannot be cropped"):
        advance(session, Decide(1))
    with pytest.raises(IllegalMove, match="cannot be cropped"):
        advance(session, ToggleMark(Mark.LATER, 1))
    with pytest.raises(IllegalMove, match="cannot be cropped"):
        advance(replace(session, chosen=1), ResetBox())
    for mark, verdict in ((Mark.REJECT, Verdict.REJECT), (Mark.SKIP, Verdict.SKIP)):
        marked = advance(session, ToggleMark(mark, 1)).session
        (decision,) = advance(marked, Decide(1)).decisions
        assert (decision.verdict, decision.box, decision.sha256) == (verdict, None, SHA)
        step = advance(marked, DecidePage())
        assert [each.verdict for each in step.decisions] == [Verdict.ACCEPT, verdict]
        assert not step.session.broken, "it is decided"
        back = advance(advance(step.session, TurnPage(-1)).session, Undo()).session
        assert PATHS[1] in back.restoring
    twice = on(session, ToggleMark(Mark.SKIP, 1), ToggleMark(Mark.SKIP, 1))
    assert twice.entries == session.entries
    assert on(twice, Undo(), Undo()).entries == session.entries


def test_the_mark_of_what_cannot_be_cropped_is_there_when_the_page_comes_again() -> None:
    failed = LoadFailed(PATHS[0], "animated", SHA, SIZE)
    session = on(begin(PATHS, 1), failed, ToggleMark(Mark.REJECT, 0), TurnPage(1), TurnPage(-1))
    assert on(session, failed).entries[0].mark is Mark.REJECT  # type: ignore[union-attr]  # it is broken
    other = LoadFailed(PATHS[0], "animated", "0" * 64, SIZE)
    assert on(session, other).entries[0].mark is Mark.KEEP  # type: ignore[union-attr]  # it is broken


def test_what_is_not_even_read_is_not_decided() -> None:
    session = on(begin(PATHS, 1), LoadFailed(PATHS[0], "no such file"))
    for move in (ToggleMark(Mark.REJECT), Decide(), ToggleMark(Mark.SKIP)):
        with pytest.raises(IllegalMove, match="could not be shown"):
            advance(session, move)


def test_an_image_that_was_cropped_already_is_not_offered_its_box_again() -> None:
    session = on(begin(PATHS, 1), looked(PATHS[0], cropped=True))
    assert isinstance(session.entries[0], Done)
    assert advance(session, DecidePage()).decisions == ()
    with pytest.raises(IllegalMove, match="decided already"):
        advance(session, ResetBox())


def test_without_a_suggestion_the_full_image_is_offered_and_accepting_it_keeps_it_whole() -> None:
    session = on(begin(PATHS, 1), looked(PATHS[0], suggestions=()))
    assert entry(session).box == PixelBox.full(SIZE)
    (decision,) = advance(session, Decide()).decisions
    assert (decision.verdict, decision.box, decision.suggestion) == (
        Verdict.KEPT_WHOLE,
        PixelBox.full(SIZE),
        None,
    )


def test_a_box_brought_back_to_the_suggestion_counts_as_accepted() -> None:
    session = on(fresh(), Nudge(5, 5), ResetBox())
    assert entry(session).verdict is Verdict.ACCEPT


def test_a_page_that_is_still_loading_cannot_be_accepted() -> None:
    session = on(begin(PATHS, 2), looked(PATHS[0]))
    with pytest.raises(IllegalMove, match="still loading"):
        advance(session, DecidePage())


def test_accepting_one_image_chooses_the_next_open_one() -> None:
    step = advance(fresh(), Decide())
    assert [each.path for each in step.decisions] == [PATHS[0]]
    assert step.session.chosen == 1
    assert step.session.page == 0


def test_after_the_last_page_the_review_goes_back_to_what_was_left_out() -> None:
    session = opened(on(fresh(), TurnPage(1)))
    session = opened(on(session, DecidePage()))
    assert session.page == 2
    session = on(session, DecidePage())
    assert (session.page, session.ended) == (0, False)


def test_the_end_comes_when_everything_is_decided_and_enter_is_then_refused() -> None:
    session = fresh(7)
    session = on(session, DecidePage())
    assert session.ended
    for move in (DecidePage(), Nudge(1, 0), Decide()):
        with pytest.raises(IllegalMove, match="everything has been decided"):
            advance(session, move)
    assert not on(session, TurnPage(-1)).ended


# --- marks and edits


def test_marks_toggle() -> None:
    session = on(fresh(), ToggleMark(Mark.REJECT))
    assert entry(session).verdict is Verdict.REJECT
    assert entry(on(session, ToggleMark(Mark.SKIP))).verdict is Verdict.SKIP
    assert entry(on(session, ToggleMark(Mark.REJECT))).verdict is Verdict.ACCEPT


def test_working_on_a_box_takes_the_mark_away() -> None:
    session = on(fresh(), ToggleMark(Mark.REJECT), Nudge(1, 0))
    assert entry(session).verdict is Verdict.ADJUSTED


def test_the_lock_holds_the_shape_of_the_box_then_of_the_image_then_presets_then_nothing() -> None:
    session = on(fresh(), ToggleLock())
    assert session.lock == OF_BOX
    ratio = entry(session).box.size.aspect_ratio
    assert entry(on(session, Resize(40, 0))).box.size.aspect_ratio == pytest.approx(ratio, 0.02)
    session = on(session, ToggleLock())
    assert session.lock == OF_IMAGE
    assert entry(on(session, Resize(-20, 0))).box.size.aspect_ratio == pytest.approx(2, 0.05)
    assert entry(on(session, *[ToggleLock()] * 5)).ratio is None


def test_the_lock_is_kept_on_the_next_page() -> None:
    session = opened(on(fresh(), ToggleLock(), DecidePage()))
    assert entry(session).ratio is not None


def test_the_ratio_of_a_preset_is_held_and_can_be_stood_on_end() -> None:
    session = on(fresh(), *[ToggleLock()] * 5)  # 3:2
    assert str(session.lock) == "3:2"
    wide = entry(on(session, Resize(9, 1))).box.size
    assert wide.aspect_ratio == pytest.approx(3 / 2, 0.02)
    session = on(session, TurnLock())
    assert str(session.lock) == "2:3"
    assert entry(session).box.size.aspect_ratio == pytest.approx(2 / 3, 0.03)
    assert entry(on(session, FullImage())).box.size.height == SIZE.height
    assert entry(on(session, FullImage())).box.size.aspect_ratio == pytest.approx(2 / 3, 0.02)


def test_a_ratio_of_ones_own_is_given_to_the_box_and_held() -> None:
    before = entry(fresh()).box
    session = on(fresh(), SetRatio(7, 5))
    after = entry(session).box
    assert after.size.aspect_ratio == pytest.approx(1.4, 0.02)
    assert (after.size.width, after.size.height) <= (before.size.width, before.size.height)
    assert str(opened(on(session, DecidePage())).lock) == "7:5"
    session = on(session, ToggleLock())
    assert session.lock == FREE


def test_exact_edges_and_an_exact_size_are_set_or_refused() -> None:
    box = PixelBox(11, 13, 171, 97)
    assert entry(on(fresh(), SetBox(box))).box == box
    sized = entry(on(fresh(), SetBox(box), SetSize(Size(100, 60)))).box
    assert (sized.size, sized.left, sized.top) == (Size(100, 60), 41, 25)
    with pytest.raises(IllegalMove, match="200 x 100"):
        on(fresh(), SetBox(PixelBox(0, 0, 201, 10)))
    with pytest.raises(IllegalMove, match="200 x 100"):
        on(fresh(), SetSize(Size(20, 101)))


def test_a_box_is_given_its_longer_side_and_a_part_of_the_image_on_its_middle() -> None:
    wide = on(fresh(), SetBox(PixelBox(40, 30, 160, 70)), SetLongerSide(60))
    assert entry(wide).box == PixelBox(70, 40, 130, 60)
    high = on(fresh(), SetBox(PixelBox(90, 10, 110, 90)), SetLongerSide(40))
    assert entry(high).box == PixelBox(95, 30, 105, 70)
    assert entry(on(wide, SetPart(50))).box == PixelBox(50, 25, 150, 75)
    assert entry(on(wide, SetPart(100))).box == PixelBox(0, 0, 200, 100)
    with pytest.raises(IllegalMove, match="outside of the image"):
        on(wide, SetLongerSide(201))


def test_candidates_are_offered_in_turn_and_one_taken_as_it_stands_is_accepted() -> None:
    other = Suggestion(NormalizedBox(0.2, 0.2, 0.9, 0.9), "median", "v1")
    session = begin(PATHS)
    for path in session.on_page(0):
        session = on(session, looked(path, suggestions=(SUGGESTION, other)))
    session = on(session, NextCandidate())
    assert entry(session).suggestion == other
    assert entry(session).box == other.box.pixels(SIZE)
    decision = advance(session, Decide()).decisions[0]
    assert (decision.verdict, decision.suggestion) == (Verdict.ACCEPT, other)
    assert entry(on(session, NextCandidate())) == entry(on(session, Nudge(1, 1), ResetBox(),
        NextCandidate()))  # fmt: skip
    with pytest.raises(IllegalMove, match="no other suggestion"):
        on(fresh(), NextCandidate())


def test_a_box_is_put_around_all_subjects_and_then_around_each() -> None:
    """The suggestions are 200 x 100 pixels' worth of subjects; the rule is the collection's."""
    subjects = [(20, 10, 60, 50), (100, 40, 140, 80)]
    suggestions = tuple(
        Suggestion(PixelBox(*each).normalized(SIZE), "faces", "1") for each in subjects
    )
    rule: dict[str, Any] = {"margin": 0.25, "headroom": 0.1}
    session = begin(PATHS, around={"": rule})
    for path in session.on_page(0):
        session = on(session, looked(path, suggestions=suggestions))
    first = around(subjects, SIZE, **rule)
    each = around(subjects, SIZE, keep="each", **rule)
    for crop in (*first, *each, *first):
        session = on(session, FitSubjects())
        assert entry(session).box == crop
        assert entry(session).framed == crop.label
        assert entry(session).verdict is Verdict.ADJUSTED
    nudged = entry(on(session, Nudge(1, 0)))
    assert nudged.framed == ""
    assert entry(on(session, Nudge(1, 0), FitSubjects())).box == first[0]
    square = on(session, SetRatio(1, 1), FitSubjects())
    assert entry(square).box == around(subjects, SIZE, aspect=1.0, **rule)[0]
    assert entry(square).ratio == 1
    bare = begin(PATHS)
    for path in bare.on_page(0):
        bare = on(bare, looked(path, suggestions=()))
    with pytest.raises(IllegalMove, match="no suggestion to be around"):
        on(bare, FitSubjects())


def beginning(rules: dict[str, dict[str, Any]], among: str | None = None) -> ReviewState:
    """Return a review of images with two suggestions, and rules to put boxes around them."""
    suggestions = tuple(
        Suggestion(PixelBox(*each).normalized(SIZE), "faces", "1") for each in TWO_SUBJECTS
    )
    session = begin(PATHS, around=rules, wanted=wanted(None, among))
    for path in session.on_page(0):
        session = on(session, looked(path, suggestions=suggestions))
    return session


def test_rules_with_names_are_gone_through_and_the_caption_says_which_one_it_is() -> None:
    usual: dict[str, Any] = {"margin": 0.25}
    tight: dict[str, Any] = {"margin": 0}
    by_class = {"keep": ["face"]}  # no subject has a class here
    session = beginning({"": usual, "tight": tight, "same": usual, "faces": by_class})
    told = []
    for _ in range(7):
        session = on(session, FitSubjects())
        told.append((entry(session).box, entry(session).framed))
    boxes = [
        *(around(TWO_SUBJECTS, SIZE, **rule)[0] for rule in (usual, tight)),
        *around(TWO_SUBJECTS, SIZE, keep="each", **usual),
        *around(TWO_SUBJECTS, SIZE, keep="each", **tight),
    ]
    assert [box for box, _ in told] == [*boxes, boxes[0]]
    names = [label.partition(" ")[0] for _, label in told]
    assert names == ["around", "tight", "around", "around", "tight", "tight", "around"]
    with pytest.raises(IllegalMove, match="classes"):
        on(beginning({"faces": by_class}), FitSubjects())


def test_what_targets_make_the_same_is_gone_through_once() -> None:
    near = {"margin": [0.25, 0.26, 0.25, 0.25]}
    session = beginning({"": {"margin": 0.25}, "near": near}, "4:1")
    seen = []
    for _ in range(8):
        session = on(session, FitSubjects())
        seen.append(entry(session).box)
    assert len(set(seen)) == len(set(seen[: len(set(seen))]))  # each once, before any comes again
    assert seen[len(set(seen))] == seen[0]


def test_the_last_box_is_carried_to_other_sizes_as_the_same_parts() -> None:
    with pytest.raises(IllegalMove, match="no box has been decided"):
        on(fresh(), CarryBox())
    box = PixelBox(1, 2, 120, 90)
    session = on(fresh(), SetBox(box), Decide(), CarryBox())
    assert entry(session, 1).box == box
    session = begin(("a.png", "b.png"), 1)
    session = on(session, looked("a.png"))
    was = entry(session).box
    session = on(on(session, DecidePage()), looked("b.png", size=Size(100, 300)))
    left, top, right, bottom = was.xyxy
    halved = PixelBox(left // 2, 3 * top, right // 2, 3 * bottom)
    assert entry(on(session, CarryBox())).box == halved


def test_a_drag_meets_a_border_that_is_near() -> None:
    origin = entry(fresh()).box  # 20, 10, 120, 70 of 200 x 100
    near = Drag(0, Grip.WHOLE, origin, -17.0, 28.0, snap=4)
    assert entry(on(fresh(), near)).box.xyxy == (0, 40, 100, 100)
    edge = Drag(0, Grip.RIGHT, origin, 77.0, 50.0, snap=4)
    assert entry(on(fresh(), edge)).box.xyxy == (20, 10, 200, 70)
    far = Drag(0, Grip.RIGHT, origin, 75.0, 0.0, snap=4)
    assert entry(on(fresh(), far)).box.right == 195


def test_a_box_below_the_minimum_is_known_before_it_is_accepted() -> None:
    session = opened(begin(PATHS, minimum=50))
    assert not session.too_small(entry(session))
    session = on(session, SetSize(Size(100, 49)))
    assert session.too_small(entry(session))
    assert not on(session, ToggleMark(Mark.REJECT)).too_small(entry(session, 1))


FOLDERS = (*(f"a/{n}.png" for n in range(7)), *(f"b/{n}.png" for n in range(4)))


def test_eleven_images_in_two_folders_are_shown_each_exactly_once() -> None:
    session, shown = begin(FOLDERS, 3), []
    while not session.ended:
        shown += [e.path for e in session.entries]
        session = on(opened(session), DecidePage())
    assert shown == list(FOLDERS)
    assert session.decided == session.total == 11


def test_folders_numbers_and_names_are_gone_to() -> None:
    session = opened(begin(FOLDERS, 3))

    def here(session: ReviewState) -> str:
        return session.entries[session.chosen].path

    assert here(on(session, TurnFolder(1))) == "b/0.png"
    assert here(on(session, TurnFolder(1), TurnFolder(-1))) == "a/0.png"
    with pytest.raises(IllegalMove, match="last folder"):
        on(session, TurnFolder(1), TurnFolder(1))
    assert here(on(session, JumpTo(10))) == "b/3.png"
    with pytest.raises(IllegalMove, match="no image 12 of 11"):
        on(session, JumpTo(11))
    assert here(on(session, Find("B/"))) == "b/0.png"
    assert here(on(session, Find("3.PNG"))) == "a/3.png"
    assert here(on(session, Find("3.PNG"), Find("3.png"))) == "b/3.png"
    assert here(on(session, Find("0.png"), Find("0.png"))) == "a/0.png"
    assert here(on(session, Find("10"))) == "b/2.png", "a number that an image has"
    assert here(on(session, Find("png b 2"))) == "b/2.png", "all the words, in any order"
    with pytest.raises(IllegalMove, match="no image is called"):
        on(session, Find("zebra"))
    with pytest.raises(IllegalMove, match="there are 11 images, and no image is called '12'"):
        on(session, Find("12"))
    assert here(on(opened(begin(("IMG_0412.png", "IMG_0413.png"), 3)), Find("img 413"))).endswith(
        "13.png"
    )
    assert here(on(opened(begin(("x1.png", "y02.png"), 3)), Find("02"))) == "y02.png"


def test_a_folder_of_the_path_at_hand_is_gone_to() -> None:
    paths = ("0.png", "a/b/0.png", "a/b/1.png", "a/c/0.png", "a/c/1.png", "ab/0.png")
    session = on(opened(begin(paths, 2)), JumpTo(4))

    def here(folder: str) -> str:
        after = on(session, OpenFolder(folder))
        return after.entries[after.chosen].path

    assert here("a/c") == "a/c/0.png"
    assert here("a") == "a/b/0.png", "it has none of its own: the first beneath it"
    assert here("") == "0.png"
    with pytest.raises(IllegalMove, match="not in ab"):
        here("ab")
    with pytest.raises(IllegalMove, match="not in a"):
        on(session, JumpTo(5), OpenFolder("a"))


def test_the_next_unreviewed_page_is_gone_to() -> None:
    session = opened(on(fresh(), DecidePage()))
    session = opened(on(session, TurnPage(-1)))
    assert on(session, NextUnreviewed()).page == 1


def test_a_filter_shows_what_passes_it_and_enter_leads_out_of_it_at_its_end() -> None:
    session = on(fresh(), ToggleMark(Mark.REJECT), Decide())
    session = on(session, Applied(PATHS[0], Status.REJECTED), DecidePage())
    session = on(opened(session), NextFilter())
    assert (session.filter, tuple(session.paths)) == (Filter.UNREVIEWED, PATHS[3:])
    assert session.total == len(PATHS)
    session = on(session, NextFilter())
    assert (session.filter, tuple(session.paths)) == (Filter.REJECTED, PATHS[:1])
    session = on(session, DecidePage())
    assert (session.filter, session.page) == (Filter.ALL, 1)


def test_what_changed_since_it_was_shown_and_what_failed_can_be_filtered() -> None:
    session = on(fresh(), DecidePage())
    session = on(session, Applied(PATHS[0], Status.STALE), Applied(PATHS[1], Status.FAILED, "why"))
    while session.filter is not Filter.FAILED:
        session = on(session, NextFilter())
    assert session.paths == PATHS[1:2]
    session = on(session, NextFilter())
    assert (session.filter, tuple(session.paths)) == (Filter.STALE, PATHS[:1])


def test_the_box_that_is_carried_is_that_of_the_last_image_of_a_page() -> None:
    first, last = PixelBox(1, 2, 60, 50), PixelBox(7, 9, 120, 90)
    session = on(fresh(2), SetBox(first), Choose(1), SetBox(last), DecidePage())
    assert session.carried == {"": Cut(last, SIZE)}


def test_what_cannot_be_shown_is_not_among_what_failed() -> None:
    session = on(begin(PATHS, 2), LoadFailed(PATHS[0], "cut off"))
    assert session.shows(PATHS[0], Filter.BROKEN)
    assert not session.shows(PATHS[0], Filter.FAILED)


def test_the_unsure_are_those_that_are_still_to_be_decided() -> None:
    session = on(
        fresh(), ConfidenceScanned(frozenset(PATHS[:2])), ConfidenceScanned(frozenset(PATHS[3:4]))
    )
    session = opened(on(session, Decide(0)))
    while session.filter is not Filter.UNSURE:
        session = on(session, NextFilter())
    assert session.paths == (PATHS[1], PATHS[3])
    after = on(opened(session), DecidePage())
    assert (after.filter, after.ended) == (Filter.ALL, False)


def test_what_turns_out_stale_outside_of_the_filter_is_still_listed_once() -> None:
    session = opened(on(fresh(), DecidePage()))
    session = opened(on(session, NextFilter()))
    after = on(session, Applied(PATHS[0], Status.STALE))
    assert after.listing == PATHS
    assert (after.paths, after.page, after.filter) == (session.paths, session.page, session.filter)
    assert PATHS[0] in after.stale


def test_redo_decides_again_as_was_decided_and_a_new_decision_ends_it() -> None:
    box = PixelBox(1, 2, 120, 90)
    session = on(fresh(), SetBox(box), Decide(), Decide())
    first, second = PATHS[:2]
    session = on(session, Undo(), Restored(second), Undo(), Restored(first))
    step = advance(opened(session), Redo())
    assert [(d.path, d.box, d.verdict) for d in step.decisions] == [(first, box, Verdict.ADJUSTED)]
    again = advance(step.session, Redo())
    assert again.decisions[0].path == second
    assert again.session.undo == (first, second)
    with pytest.raises(IllegalMove, match="nothing was undone"):
        advance(again.session, Redo())
    session = on(opened(session), Decide())
    with pytest.raises(IllegalMove, match="nothing was undone"):
        advance(session, Redo())


def test_what_is_still_being_restored_is_not_decided_again() -> None:
    session = on(fresh(), Decide(), Undo())
    with pytest.raises(IllegalMove, match="still being restored"):
        on(session, Redo())


def test_an_image_outside_of_the_filter_is_gone_to_without_it() -> None:
    session = on(fresh(), DecidePage())
    session = on(opened(session), NextFilter(), GoTo(PATHS[0]))
    assert (session.filter, session.page, session.chosen) == (Filter.ALL, 0, 0)


def test_what_was_changed_is_still_there_after_turning_back() -> None:
    session = on(fresh(), Nudge(7, 3), Choose(2), ToggleMark(Mark.SKIP))
    boxes = [entry(session, n).box for n in range(3)]
    session = opened(on(opened(on(session, TurnPage(1))), TurnPage(-1)))
    assert [entry(session, n).box for n in range(3)] == boxes
    assert entry(session, 2).mark is Mark.SKIP


def test_a_change_is_forgotten_when_the_file_is_another_by_now() -> None:
    session = on(fresh(1), Nudge(7, 3), TurnPage(1), TurnPage(-1))
    session = on(session, looked(PATHS[0], sha256="b" * 64))
    assert entry(session).box == BOX.pixels(SIZE)


# --- undo and outcomes


def test_undo_takes_back_what_the_last_press_decided_and_shows_its_page() -> None:
    session = opened(on(fresh(), Nudge(4, 4), DecidePage()))
    step = advance(session, Undo())
    assert step.undone == (PATHS[2], PATHS[1], PATHS[0])
    assert (step.session.page, step.session.chosen) == (0, 0)
    assert all(isinstance(each, Restoring) for each in step.session.entries)
    with pytest.raises(IllegalMove, match="restored"):
        advance(step.session, Nudge(1, 1))


def test_an_image_that_was_restored_is_shown_with_its_box_and_without_its_mark() -> None:
    session = on(fresh(1), Nudge(4, 4))
    box = entry(session).box
    session = on(session, DecidePage(), Undo(), Restored(PATHS[0]), looked(PATHS[0]))
    assert (entry(session).box, entry(session).mark) == (box, Mark.KEEP)
    assert session.undo == ()


def test_an_undo_that_failed_leaves_the_decision_standing() -> None:
    session = on(fresh(1), DecidePage(), Undo(), RestoreFailed(PATHS[0]))
    assert isinstance(session.entries[0], Done)
    assert PATHS[0] in session.settled


def test_an_image_that_is_not_listed_any_more_comes_back_at_the_end_of_the_listing() -> None:
    session = begin(PATHS, 3, {"gone.png": WRITTEN}, ("gone.png",))
    session = on(session, Undo())
    assert session.paths == (*PATHS, "gone.png")
    assert session.entries[session.chosen] == Restoring("gone.png")


def test_nothing_to_undo_is_refused() -> None:
    with pytest.raises(IllegalMove, match="nothing is left"):
        advance(fresh(), Undo())


def test_a_stale_decision_is_shown_again() -> None:
    session = on(fresh(1), DecidePage(), Applied(PATHS[0], Status.STALE, "changed"))
    assert PATHS[0] not in session.settled
    assert session.undo == ()
    assert on(session, TurnPage(-1)).entries == (Loading(PATHS[0]),)


def test_a_failed_decision_is_not_asked_about_again_but_can_be_decided_anew() -> None:
    session = on(fresh(1), Nudge(2, 2))
    box = entry(session).box
    session = on(session, DecidePage(), Applied(PATHS[0], Status.FAILED, "no space"))
    assert not session.undecided(PATHS[0])
    assert session.undo == ()
    session = on(session, TurnPage(-1), looked(PATHS[0]))
    assert entry(session).box == box
    assert advance(session, Decide()).decisions[0].path == PATHS[0]


def test_an_outcome_that_comes_after_its_undo_changes_nothing() -> None:
    session = on(fresh(1), DecidePage(), Undo())
    assert on(session, Applied(PATHS[0], Status.CROPPED)) == session


# --- beginning


def test_a_review_resumes_at_the_page_of_its_place() -> None:
    session = begin(PATHS, 3, {PATHS[0]: WRITTEN}, (PATHS[0],), place=PATHS[3])
    assert (session.page, tuple(session.undo)) == (1, (PATHS[0],))


def test_a_review_without_a_place_begins_with_the_first_undecided_page() -> None:
    done = dict.fromkeys(PATHS[:3], WRITTEN)
    assert begin(PATHS, 3, done).page == 1


def test_a_review_of_what_is_decided_begins_at_the_end() -> None:
    assert begin(PATHS, 3, dict.fromkeys(PATHS, WRITTEN)).ended


@given(st.integers(-3, 0))
def test_a_page_of_no_images_is_refused(per_page: int) -> None:
    with pytest.raises(IllegalMove):
        begin(PATHS, per_page)


def test_seven_images_and_four_are_eleven() -> None:
    paths = tuple(f"a/{n}.png" for n in range(7)) + tuple(f"b/{n}.png" for n in range(4))
    session, seen = opened(begin(paths, 3)), []
    while not session.ended:
        step = advance(session, DecidePage())
        seen += [each.path for each in step.decisions]
        session = opened(step.session)
    assert seen == list(paths)


def test_no_page_follows_the_last_and_none_is_before_the_first() -> None:
    session = begin([f"{n}.png" for n in range(6)], per_page=3)
    with pytest.raises(IllegalMove, match="this is the first page"):
        advance(session, TurnPage(-1))
    last = advance(session, TurnPage(1)).session
    assert last.page == 1
    with pytest.raises(IllegalMove, match="no page follows"):
        advance(last, TurnPage(1))


def test_letters_are_found_in_whatever_case() -> None:
    session = begin(["a.png", "B.png", "c.png"], per_page=1)
    assert advance(session, Find("b")).session.page == 1
    assert advance(session, Find("C")).session.page == 2
