"""The review, driven as a browser drives it, on a real collection."""

import json
import re
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import plans
import pytest
from desktop import Browser, ManualLoop, entries, standing
from ipycanvas import canvas as ipycanvas
from ipywidgets import Widget
from ipywidgets.widgets import widget
from PIL import Image

from cropkit import clock
from cropkit.collection import Collection
from cropkit.errors import CannotShow, MissingFile
from cropkit.records import CropResult, Decision, Status, Verdict
from cropkit.review import Review
from cropkit.review.canvas.pen import batched
from cropkit.review.model import Done, Filter, GoTo, Mark, Open, Restoring
from cropkit.review.model.box_editing import HANDLES, Grip
from cropkit.review.runtime.review_store import ReviewStore
from cropkit.review.view.layout import ClickTarget
from cropkit.review.view.viewport import Rect
from cropkit.suggest import Sidecars, Table
from cropkit.system.home import PLAN
from cropkit.taste import review_plan

Started = Callable[..., Browser]


def contents(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}


# --- the job


def test_a_page_shows_its_images_with_their_suggested_boxes(browser: Browser) -> None:
    assert browser.status.count("page 1/2 shown chosen 1") == 1
    assert all(isinstance(e, Open) and e.box == e.offered for e in entries(browser))
    assert browser.review.boxes == [list(e.box.xyxy) for e in entries(browser)]
    assert len(browser.named("drawImage")) >= 6  # into hidden canvases, and from there


def test_each_thread_of_a_review_has_a_name_of_its_own(browser: Browser) -> None:
    assert not browser.controller.closed
    names = [each.name for each in threading.enumerate() if each.name.startswith("cropkit-")]
    assert {"cropkit-decisions", "cropkit-side"} <= set(names)
    assert len(set(names)) == len(names)


def test_images_and_pages_are_numbered_from_one(browser: Browser) -> None:
    numbers = re.findall(r"<span class='ck-key'>(\d+)</span><span class='ck-name", browser.words)
    assert numbers == ["1", "2", "3"]
    assert "page 1 of 2<" in browser.words
    browser.key("Enter")
    browser.shown()
    assert "page 2 of 2<" in browser.words


def test_the_time_left_follows_from_the_pace(start: Started, folder: Path) -> None:
    for number in range(7):
        Image.new("RGB", (40, 40)).save(folder / f"more{number}.png")
    browser = start(per_page=6)
    browser.open()
    browser.shown()
    browser.loop.sleep(30 * 60)
    browser.key("Enter")
    browser.shown()
    assert "12 an hour · 30 min left" in browser.words
    browser.key("Enter")
    browser.until(lambda: browser.controller.session.ended)
    browser.key("PageUp")
    assert "page 2 of 2, done" in browser.words
    assert " an hour" in browser.words
    assert " left</span>" not in browser.words, "nothing is left to decide"


def test_enter_writes_exactly_the_boxes_that_were_shown(browser: Browser, folder: Path) -> None:
    browser.key("ArrowRight")
    shown = {e.path: e.box for e in entries(browser)}
    pixels = {
        path: Image.open(folder / path).convert("RGB").crop(box.xyxy)
        for path, box in shown.items()
        if path.endswith(".png")
    }
    browser.key("Enter")
    browser.shown()
    browser.written()
    assert set(standing(browser)) == set(shown)
    assert set(standing(browser).values()) == {Status.CROPPED}
    for path, expected in pixels.items():
        assert Image.open(folder / path).convert("RGB").tobytes() == expected.tobytes()
    assert "page 2/2" in browser.status
    assert browser.review.index == 1
    assert browser.review.progress["written"] == len(shown)


def test_the_decisions_in_force_are_a_frame(browser: Browser) -> None:
    assert len(browser.review.to_frame()) == 0
    boxes = [e.box for e in entries(browser) if isinstance(e, Open)]
    browser.key("Enter")
    browser.shown()
    held = browser.review.to_frame()
    edges = held[["left", "top", "right", "bottom"]].itertuples(index=False, name=None)
    assert sorted(edges) == sorted(box.xyxy for box in boxes)
    assert set(held["verdict"]) == {"accept"}
    browser.key("z")
    browser.shown()
    assert len(browser.review.to_frame()) == 0, "what one key decided"


def test_the_counts_on_the_screen_are_those_of_the_trail(browser: Browser) -> None:
    browser.key("x")
    browser.key("2")
    browser.key("s")
    browser.key("Enter")
    browser.shown()
    browser.written()
    assert browser.controller.counts == browser.review.collection.counts()
    browser.key("z")
    browser.written()
    browser.shown()
    of_trail = browser.review.collection.counts()  # which was listed while one was rejected
    assert replace(of_trail, total=of_trail.total + 1) == browser.controller.counts


def test_an_image_that_failed_does_not_count_as_decided(start: Started, folder: Path) -> None:
    browser = start()
    browser.open()
    browser.shown()
    (folder / entries(browser)[1].path).unlink()
    browser.key("Enter")
    browser.shown()
    browser.written()
    counts = browser.controller.counts
    assert (counts.decided, counts.failed) == (2, 1)
    assert counts == browser.review.collection.counts()


def test_undo_brings_the_file_back_byte_for_byte_and_shows_it_with_its_box(
    browser: Browser, folder: Path
) -> None:
    before = contents(folder)
    told: list[CropResult] = []
    browser.review.on_undo(told.append)
    browser.key("ArrowDown", shift=True)
    box = entries(browser)[0].box
    browser.key(" ")
    browser.written()
    assert contents(folder) != before
    browser.key("z")
    assert isinstance(entries(browser)[0], Restoring)
    browser.written()
    browser.shown()
    assert contents(folder) == before
    assert entries(browser)[0].box == box
    assert [result.status for result in told] == [Status.RESTORED]


def test_keys_wait_until_an_image_is_restored(browser: Browser) -> None:
    browser.key(" ")
    browser.written()
    browser.key("z")
    browser.strike("x")
    assert "Not taken" in browser.messages.note
    browser.written()
    browser.shown()
    assert entries(browser)[0].mark is Mark.KEEP


def test_a_drag_moves_the_edge_that_is_held(browser: Browser) -> None:
    box = entries(browser)[1].box
    browser.drag(browser.review.screen_point(1, Grip.RIGHT), (-30, 0))
    after = entries(browser)[1].box
    assert after.right < box.right
    assert (after.left, after.top, after.bottom) == (box.left, box.top, box.bottom)
    assert "chosen 2" in browser.status


@pytest.mark.parametrize("grip", [*HANDLES, Grip.WHOLE])
def test_a_drag_far_out_of_the_canvas_ends_at_the_border(browser: Browser, grip: Grip) -> None:
    start = browser.review.screen_point(0, grip)
    browser.mouse("down", start)
    browser.mouse("out", (-4000.0, 9000.0))
    entry = entries(browser)[0]
    entry.box.within(entry.size)
    left_behind = entry.box
    browser.mouse("move", (300.0, 300.0))
    assert entries(browser)[0].box == left_behind


@pytest.mark.parametrize("event", ["down", "move", "up", "out"])
def test_an_event_of_a_canvas_that_is_not_to_be_seen_lets_go(browser: Browser, event: str) -> None:
    before = browser.review.boxes
    x, y = browser.review.screen_point(0, Grip.BOTTOM_RIGHT)
    browser.mouse("down", (x, y))
    browser._event({"event": f"mouse_{event}", "x": None, "y": None})
    browser._event({"event": "touch_start", "touches": [{"x": None, "y": None}]})
    browser.mouse("move", (x - 40, y - 40))
    assert browser.review.boxes == before
    assert "message none" in browser.status


def test_a_finger_drags_as_the_mouse_does_and_a_second_one_lets_go(browser: Browser) -> None:
    focused: list[bool] = []
    browser.controller.screen.canvases.canvas.focus = lambda: focused.append(True)
    box = entries(browser)[1].box
    x, y = browser.review.screen_point(1, Grip.RIGHT)
    browser.touch("start", (x, y))
    browser.touch("move", (x - 40, y))
    after = entries(browser)[1].box
    assert (after.left, after.top, after.bottom) == (box.left, box.top, box.bottom)
    assert after.right < box.right
    browser.touch("start", (x, y), (x + 90, y))
    browser.touch("move", (x - 90, y), (x, y))
    browser.touch("end", (x - 90, y))
    browser.touch("move", (x - 95, y))
    assert entries(browser)[1].box == after
    browser.touch("end")
    assert focused
    browser.touch("start", browser.review.screen_point(0, ClickTarget.CHIP), (x, y))
    assert standing(browser) == {}


def test_a_hand_that_holds_a_box_while_the_page_turns_does_not_move_another(
    browser: Browser,
) -> None:
    browser.mouse("down", browser.review.screen_point(0, Grip.WHOLE))
    browser.key("Enter")
    browser.shown()
    before = entries(browser)
    browser.mouse("move", (300.0, 300.0))
    browser.mouse("up", (300.0, 300.0))
    assert entries(browser) == before
    assert browser.messages.kind == "none"


def test_a_box_that_the_browser_draws_is_the_kernels_again_when_the_page_turns(
    browser: Browser,
) -> None:
    browser.controller.screen.canvases.live_drag.there = True
    browser.mouse("down", browser.review.screen_point(2, Grip.BOTTOM_RIGHT))
    before = browser.controller.screen.canvases.live_drag.held
    browser.key("Enter")
    browser.shown()
    assert len(entries(browser)) < 3
    assert (before, browser.controller.screen.canvases.live_drag.held) == (2, None)
    assert "message none" in browser.status
    browser.written()


def test_a_click_on_a_verdict_accepts_that_image_alone(browser: Browser) -> None:
    browser.mouse("down", browser.review.screen_point(1, ClickTarget.CHIP))
    browser.written()
    assert list(standing(browser)) == [entries(browser)[1].path]
    assert isinstance(entries(browser)[1], Done)


def test_a_rejected_image_leaves_the_folder_and_undo_brings_it_back(
    browser: Browser, folder: Path
) -> None:
    before, path = contents(folder), entries(browser)[0].path
    browser.key("x")
    browser.key(" ")
    browser.written()
    assert not (folder / path).exists()
    browser.key("z")
    browser.written()
    browser.shown()
    assert contents(folder) == before


def test_the_end_says_what_was_done_and_what_failed(start: Started, folder: Path) -> None:
    (folder / "zzz.png").write_bytes(b"")
    browser = start(per_page=9)
    browser.open()
    browser.shown()
    browser.key("Enter")
    browser.written()
    assert "end" in browser.status
    assert "Nothing is left to decide" in browser.words
    assert "zzz.png" in browser.words
    assert "the file is empty" in browser.words
    assert "failed 0 changed 0 broken 1" in browser.status, "what has no crop has not failed"
    assert "No crop:" in browser.words
    assert "Failed:" not in browser.words
    browser.key("Enter")
    assert "everything has been decided" in browser.messages.note


def test_the_end_counts_what_was_rejected_apart_from_what_was_skipped(start: Started) -> None:
    browser = start(per_page=5)
    browser.open()
    browser.shown()
    browser.key("x")
    browser.key("2")
    browser.key("x")
    browser.key("3")
    browser.key("s")
    browser.key("Enter")
    browser.written()
    for pill in ("decided <b>5</b>", "written <b>2</b>", "rejected <b>2</b>", "skipped <b>1</b>"):
        assert pill in browser.words


def test_decisions_are_told_with_times_and_names(browser: Browser) -> None:
    told: list[tuple[Decision, ...]] = []
    browser.review.on_submit(told.append)
    browser.key(" ")
    ((decision,),) = told
    assert decision.verdict is Verdict.ACCEPT
    assert decision.suggestion is not None
    assert decision.shown_at <= decision.decided_at
    assert (decision.reviewer, decision.session) == (
        browser.review.collection.reviewer,
        browser.review.collection.session,
    )


def test_an_image_is_shown_from_when_its_page_is_on_the_screen(start: Started) -> None:
    told: list[tuple[Decision, ...]] = []
    browser = start()
    browser.review.on_submit(told.append)
    before = clock.now()
    browser.open()
    browser.shown()
    shown = clock.now()
    browser.key(" ")
    browser.shown()
    browser.key("PageDown")
    browser.shown()
    turned = clock.now()
    browser.key("PageUp")
    browser.shown()
    again = clock.now()
    browser.key(" ")
    (first,), (second,) = told
    assert before <= first.shown_at <= shown <= first.decided_at
    assert turned <= second.shown_at <= again <= second.decided_at


def test_deferred_decisions_are_only_queued(start: Started, folder: Path) -> None:
    before = contents(folder)
    browser = start(defer=True)
    browser.open()
    browser.shown()
    browser.key("Enter")
    browser.until(lambda: "page 2/2 shown" in browser.status)
    browser.written()
    assert set(standing(browser).values()) == {Status.WAITING}
    assert contents(folder) == before


# --- resuming


def test_a_review_started_again_is_at_the_same_place_with_the_same_undo_stack(
    browser: Browser, start: Started
) -> None:
    browser.key("Enter")
    browser.shown()
    browser.written()
    undo = browser.controller.session.undo
    again = start()
    assert browser.controller.closed
    assert again.controller.session.undo == undo
    again.open()
    again.shown()
    assert "page 2/2" in again.status
    again.key("z")
    again.written()
    assert len(standing(again)) == 2


def test_an_image_rejected_in_an_earlier_session_is_brought_back_into_the_listing(
    browser: Browser, start: Started, folder: Path
) -> None:
    path = entries(browser)[0].path
    browser.key("x")
    browser.key(" ")
    browser.written()
    again = start()
    again.open()
    again.shown()
    assert path not in again.controller.session.paths
    again.key("z")
    again.written()
    again.shown()
    assert (folder / path).exists()
    assert entries(again)[again.controller.session.chosen].path == path


def test_what_an_earlier_kernel_left_waiting_is_carried_out(start: Started) -> None:
    deferred = start(defer=True)
    deferred.open()
    deferred.shown()
    deferred.key("Enter")
    browser = start()
    assert set(standing(browser).values()) == {Status.WAITING}
    browser.open()
    browser.until(lambda: set(standing(browser).values()) == {Status.CROPPED})


def test_a_kit_that_was_passed_in_stays_open(start: Started, folder: Path) -> None:
    kit = Collection(folder)
    browser = start(kit)
    browser.review.close()
    assert kit.counts().total == 5
    kit.close()


# --- being a good widget


def test_nothing_is_read_sent_or_applied_before_a_browser_is_there(start: Started) -> None:
    browser = start()
    browser.loop.sleep(5)
    assert browser.drawn == []
    assert browser.review.boxes == [None, None, None]
    assert ReviewStore(browser.review.collection).place() is None


def test_a_model_proposes_boxes_in_a_thread_of_its_own_and_may_raise(
    start: Started, folder: Path
) -> None:
    threads: list[str] = []

    def model(image: Image.Image) -> list[list[int]]:
        threads.append(threading.current_thread().name)
        if len(threads) == 2:
            raise RuntimeError("no memory")
        return [[1, 2, image.width - 3, image.height - 4]]

    browser = start(folder, suggest=model)
    browser.open()
    browser.shown()
    proposed = [box[:2] == [1, 2] for box in browser.review.boxes]
    assert sorted(proposed) == [False, True, True]
    assert {name.partition("_")[0] for name in threads} == {"cropkit-suggest"}
    assert browser.review.collection.counts().degraded == 1


def test_its_text_is_the_same_on_every_run(start: Started, folder: Path) -> None:
    assert repr(start(folder).review) == "Review(5 images, 3 a page)"


def test_pages_make_no_widgets(browser: Browser) -> None:
    before = len(_widgets())
    for key in ("Enter", "Backspace", "PageDown", "PageUp", "?", "?"):
        browser.key(key)
        browser.shown()
    assert len(_widgets()) == before


def test_there_is_nothing_to_focus_but_the_canvas(browser: Browser) -> None:
    kinds = {type(child).__name__ for child in browser.review.children}
    assert kinds == {"HTML", "NamedCanvas", "LiveDragModel"}  # the last one shows nothing
    browser.key("?")
    for tag in ("<a ", "<button", "<input", "tabindex", "<select"):
        assert tag not in browser.words


def test_a_drawing_that_raises_lets_go_of_the_canvas(browser: Browser) -> None:
    with pytest.raises(ValueError, match="not finite"), batched():
        browser.controller.screen.canvases.boxes.fill("#ffffff", Rect(0, float("nan"), 1, 1))
    assert ipycanvas._CANVAS_MANAGER._caching is False
    drawn = len(browser.drawn)
    browser.key("ArrowLeft", ctrl=True)
    assert len(browser.drawn) > drawn


def test_a_preview_that_is_no_jpeg_never_reaches_the_browser(browser: Browser) -> None:
    canvases = browser.controller.screen.canvases
    with pytest.raises(ValueError, match="not a JPEG"):
        canvases.upload(canvases.buffers[0][0], "x", (b"<svg>", entries(browser)[0].size), print)


def _widgets() -> dict[str, Widget]:
    return dict(widget._instances)


def test_the_status_is_one_line_for_programs(browser: Browser) -> None:
    assert browser.status == (
        "<div>page 1/2 shown chosen 1 waiting 0 written 0 failed 0 changed 0 broken 0 "
        "message none seen as page</div>"
    )
    assert json.dumps(browser.review.progress)


def test_a_kit_is_needed_or_a_folder(tmp_path: Path, loop: ManualLoop) -> None:
    with pytest.raises(MissingFile):
        Review(tmp_path / "nowhere", loop=loop)


# --- going back, folders, filters


def test_the_last_decisions_are_shown_and_a_click_goes_back_to_one(browser: Browser) -> None:
    browser.key("x")
    browser.key("Enter")
    browser.shown()
    browser.written()
    second = browser.controller.session.undo[1]
    assert browser.words.count("<img alt=") == 3
    assert browser.words.count("data:image/jpeg;base64,/9j/") == 3
    assert "✖" in browser.words
    assert "page 2/2" in browser.status
    browser.mouse("down", browser.review.screen_point(1, ClickTarget.STRIP))
    browser.shown()
    assert "page 1/2" in browser.status
    assert entries(browser)[browser.controller.session.chosen].path == second


def test_a_click_on_a_line_that_is_typed_takes_nothing_that_it_hides(browser: Browser) -> None:
    browser.key("Enter")
    browser.shown()
    browser.written()
    place = browser.review.screen_point(1, ClickTarget.STRIP)
    browser.key("g")
    assert "ck-place" not in browser.words
    browser.mouse("down", place)
    assert "page 2/2" in browser.status
    browser.mouse("down", place)  # the line is gone, and what lay under it is seen
    browser.shown()
    assert "page 1/2" in browser.status


def test_redo_decides_again_what_was_undone(browser: Browser, folder: Path) -> None:
    browser.key(" ")
    browser.written()
    cropped = contents(folder)
    browser.key("z")
    browser.written()
    browser.shown()
    browser.key("y")
    browser.written()
    assert contents(folder) == cropped


def test_a_crop_that_would_be_too_small_is_marked_before_it_is_accepted(start: Started) -> None:
    browser = start(minimum=60)
    browser.open()
    browser.shown()
    before = browser.words
    small = [entry.box.size.height < 60 for entry in entries(browser)]
    assert before.count("ck-small") == small.count(True) == 1
    browser.key(str(small.index(True) + 1))
    browser.key("f")
    assert browser.words.count("ck-small") == before.count("ck-small") - 1


def test_several_folders_are_one_collection_and_each_has_its_own_count(
    start: Started, folder: Path
) -> None:
    other = folder / "b"
    other.mkdir()
    (other / "f.png").write_bytes((folder / "a_stage2.png").read_bytes())
    browser = start()
    browser.open()
    browser.shown()
    assert "in no folder of it · 0 of 5" in browser.words
    assert "data-does='folder-0'" in browser.words
    browser.key(" ")
    assert "in no folder of it · 1 of 5" in browser.words
    browser.key("PageDown", shift=True)
    browser.shown()
    assert ">b</span></span> · 0 of 1" in browser.words


def test_a_press_of_a_folder_in_the_header_goes_to_its_first_image(
    start: Started, folder: Path
) -> None:
    for name in ("2024/june", "2024/may <b>"):
        (folder / name).mkdir(parents=True)
        for number in range(3):
            copied = (folder / "a_stage2.png").read_bytes()
            (folder / name / f"{number}.png").write_bytes(copied)
    browser = start(per_page=2)
    browser.open()
    browser.shown()

    def press(depth: int) -> str:
        widget: Any = browser.controller.screen.live_drag_widget
        widget._handle_custom_msg({"do": [f"folder-{depth}", -1, -1]}, [])
        browser.loop.run()
        browser.shown()
        session = browser.controller.session
        path: str = session.entries[session.chosen].path
        return path

    browser.controller.take(GoTo("2024/may <b>/2.png"))
    browser.shown()
    assert "data-does='folder-1'>2024</span>" in browser.words
    assert "data-does='folder-2'>may &lt;b&gt;</span>" in browser.words
    assert press(2) == "2024/may <b>/0.png"
    assert press(1) == "2024/june/0.png"
    assert press(9) == "2024/june/0.png"
    first: str = browser.controller.session.listing[0]
    assert press(0) == first


def test_a_filter_is_named_beside_the_page(browser: Browser) -> None:
    browser.key(" ")
    browser.written()
    browser.key("i")
    browser.shown()
    assert "unreviewed only · page 1 of 2" in browser.words
    assert len(browser.controller.session.paths) == 4


def unsure_of(sure: Mapping[str, float | None]) -> Table:
    rows = [
        {"filename": path, "x1": 0, "y1": 0, "x2": 30, "y2": 30, "confidence": confidence}
        for path, confidence in sure.items()
    ]
    return Table.from_frame(pd.DataFrame(rows, dtype=object))


def test_the_images_whose_box_is_not_sure_are_found_beside_the_work(
    start: Started, folder: Path, loop: ManualLoop
) -> None:
    with Collection(folder) as kit:
        paths = list(kit.images())
    sure = dict(zip(paths, (0.9, 0.69, None, 0.7, 0.0), strict=True))
    with Collection(folder, suggesters=[unsure_of(sure)]) as kit:
        browser = start(kit, min_confidence=0.7)
        browser.open()
        browser.shown()
        browser.written()
        while browser.controller.session.filter is not Filter.UNSURE:
            browser.key("i")
            loop.sleep(2)
        assert browser.controller.session.paths == (paths[1], paths[4])
        browser.shown()
        assert "unsure only · page 1 of 1" in browser.words


@pytest.mark.parametrize("reviewer", ["ann", "bob"])
def test_what_a_plan_of_the_reviewer_sets_aside_is_found_with_the_unsure(
    start: Started, folder: Path, loop: ManualLoop, reviewer: str
) -> None:
    for number in range(10):
        Image.new("RGB", (40, 40)).save(folder / f"more{number}.png")
    with Collection(folder, reviewer="ann") as kit:
        paths = kit.images()
        plan = plans.of_anything(reviewer, paths[::-1])
        review_plan.write(plan, folder)
        browser = start(kit)
        browser.open()
        browser.shown()
        browser.written()
        seen: set[str] = set()
        for _ in range(12):
            browser.key("i")
            loop.sleep(2)
            if browser.controller.session.filter is Filter.UNSURE:
                seen |= set(browser.controller.session.paths)
    sample = set(paths[-plans.needed(plan) :])
    assert len(sample) < len(paths)
    assert seen == (sample if reviewer == "ann" else set())


def test_a_plan_that_cannot_be_read_is_told_and_counted_and_the_review_goes_on(
    start: Started, folder: Path
) -> None:
    with Collection(folder) as kit:
        (folder / PLAN).write_text("{")
        browser = start(kit)
        browser.open()
        browser.shown()
        browser.written()
        assert kit.counts().degraded == 1


def test_a_suggester_that_fails_when_asked_how_sure_it_is_is_shown(
    start: Started, folder: Path
) -> None:
    class Broken(Sidecars):
        def confidence(self, path: str) -> float | None:
            raise RuntimeError(path)

    with Collection(folder, suggesters=[Broken(folder)]) as kit:
        browser = start(kit)
        browser.open()
        browser.shown()
        browser.written()
        assert "RuntimeError" in browser.words


def test_another_review_of_the_folder_is_told_of_once_while_it_lives(
    start: Started, folder: Path
) -> None:
    with Collection(folder, reviewer="ada") as kit:
        first = start(kit)
        first.open()
        first.written()
        assert first.messages.problems == ()
        with Collection(folder, reviewer="bob") as theirs:
            run = theirs.begin_run("review")
            for key in ("PageDown", "PageUp", "PageDown"):
                first.key(key)
                first.written()
            (told,) = first.messages.problems
            assert "under review elsewhere, too, by bob on" in told.text
            assert told.times == 1
            assert [one.reviewer for one in ReviewStore(kit).others()] == ["bob"]
            assert kit.trail.others("batch") == []
            run.end()
            assert ReviewStore(kit).others() == []
            theirs.begin_run("review")
        assert ReviewStore(kit).others() == []
        first.review.close()


def test_marimo_is_refused_by_name_before_a_collection_is_opened(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "marimo", SimpleNamespace(running_in_notebook=lambda: True))
    with pytest.raises(CannotShow, match="marimo cannot show a review"):
        Review(folder)
    assert not (folder / ".cropkit").exists()


def test_a_marimo_that_is_only_imported_is_none_of_ours(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "marimo", SimpleNamespace(running_in_notebook=lambda: False))
    Review(folder, loop=ManualLoop(), apart=False).close()
