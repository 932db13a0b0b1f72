"""What goes wrong around a review, and that a person is told: files, folders, trail and browser."""

import json
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

import pytest
from deciding import decided
from desktop import Browser, ManualLoop, entries, standing
from faults import deny
from misfits import MANY, MISFITS
from PIL import Image

from cropkit.collection import Collection
from cropkit.engine.executor import DecisionExecutor
from cropkit.engine.request import Outcome
from cropkit.errors import AuditUnavailable, NoSpace
from cropkit.geometry import PixelBox, Size
from cropkit.records import Status
from cropkit.review.model import Broken, Done, Mark, Open
from cropkit.review.view.layout import ClickTarget
from cropkit.system.files import Root

Started = Callable[..., Browser]


def test_an_exception_in_a_callback_is_shown_logged_and_counted(
    browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: object) -> None:
        raise RuntimeError("not today")

    browser.review.on_submit(broken)
    before = browser.review.collection.counts().degraded
    browser.key(" ")
    assert "RuntimeError: not today" in browser.words
    assert "message problem" in browser.status
    assert browser.review.collection.counts().degraded == before + 1
    assert any(r.exc_info for r in caplog.records if r.name == "cropkit.review")
    browser.key("a")
    assert "message none" in browser.status


def test_what_comes_in_a_thread_of_the_kernel_is_taken_in_that_of_the_review(
    browser: Browser, loop: ManualLoop
) -> None:
    before = browser.review.boxes
    for _ in range(3):
        subshell = Thread(target=browser.send_key, args=("ArrowRight",), kwargs={"ctrl": True})
        subshell.start()
        subshell.join()
    assert browser.review.boxes == before
    loop.run()
    assert browser.review.boxes[0][2] == before[0][2] + 3


def test_problems_queue_up_and_are_acknowledged_one_by_one(browser: Browser) -> None:
    for name in ("a.png", "b.png", "b.png"):
        browser.controller.guard.problem("went wrong", name)
    assert "1 more" in browser.words
    browser.mouse("down", browser.review.screen_point(0, ClickTarget.ACKNOWLEDGE))
    assert "b.png" in browser.words
    assert "(2 times)" in browser.words
    browser.mouse("down", browser.review.screen_point(0, ClickTarget.ACKNOWLEDGE))
    assert "message none" in browser.status


def test_the_last_few_problems_are_in_sight_and_acknowledging_is_in_the_trail(
    browser: Browser,
) -> None:
    for name in ("a.png", "b.png", "c.png", "d.png"):
        browser.controller.guard.problem(f"{name}: went <wrong>", name)
    for name in ("a.png", "b.png", "c.png"):
        assert f"{name}</span> went &lt;wrong&gt;" in browser.words
    assert "d.png</span>" not in browser.words
    assert "3 more" in browser.words
    browser.key("a")
    assert "d.png</span>" in browser.words
    assert "a.png</span> went" not in browser.words
    (event,) = (e for e in browser.review.collection.trail.events() if e["event"] == "acknowledged")
    seen = json.loads(event["body"])
    assert (seen["about"], seen["problem"], seen["times"]) == ("a.png", "a.png: went <wrong>", 1)
    assert seen["reviewer"] == browser.review.collection.reviewer


def test_a_decision_that_somebody_else_overtakes_is_told_and_the_image_is_shown_again(
    browser: Browser, folder: Path
) -> None:
    name = entries(browser)[0].path
    hold = browser.controller.collection.executor
    carry_out = hold.decision

    def overtaken(decision: str) -> Outcome:
        with Collection(folder, reviewer="rival") as rival:
            decided(rival, name, box=PixelBox(0, 0, 30, 30))
        return carry_out(decision)

    hold.decision = overtaken  # type: ignore[method-assign]  # (a rival at work)
    browser.key(" ")
    browser.written()
    assert "somebody decided otherwise" in browser.words
    assert name not in browser.controller.session.settled


def test_a_decision_that_the_reviewer_made_anew_is_no_problem(browser: Browser) -> None:
    name = entries(browser)[0].path
    hold, may_go_on = browser.controller.collection.executor, Event()
    carry_out = hold.decision

    def waits(decision: str) -> Outcome:
        may_go_on.wait()
        return carry_out(decision)

    hold.decision = waits  # type: ignore[method-assign]  # (a slow disk)
    browser.key(" ")
    browser.key("1")
    browser.key(" ")
    may_go_on.set()
    browser.written()
    assert standing(browser)[name] is Status.CROPPED
    assert browser.messages.problems == ()


def test_a_session_that_is_too_degraded_is_told_at_once_here_and_wherever_alerts_go(
    start: Started, folder: Path
) -> None:
    for number in range(12):
        Image.new("RGB", (60, 40)).save(folder / f"x{number:02}.png")
    for number in range(2):
        (folder / f"x{number:02}.decision").write_text("{broken")
    browser = start(per_page=9)
    browser.open()
    browser.shown()
    browser.until(lambda: len(browser.messages.problems) == 2)
    assert "whoever runs this collection is told" not in browser.words  # 2 of 9 are few
    browser.key("PageDown")
    browser.shown()
    browser.until(lambda: len(browser.messages.problems) == 3)
    words = browser.messages.problems[2].text
    assert "whoever runs this collection is told" in words
    assert "%" not in words
    assert browser.review.collection.session not in words
    log = folder / ".cropkit" / "cropkit.log"
    text = log.read_text(encoding="utf-8")
    assert "2 of 17 operations (11.8 %)" in text
    assert "docs/runbook.md#degraded" in text
    browser.until(lambda: '"code": "degraded"' in log.read_text(encoding="utf-8"))


def test_a_review_is_a_run_from_the_first_browser_to_its_end(start: Started, folder: Path) -> None:
    browser = start()
    kit = browser.review.collection
    assert kit.trail.sessions() == []
    browser.open()
    browser.shown()
    (run,) = kit.trail.sessions()
    assert run.kind == "review"
    assert run.beat_at is not None
    assert kit.trail.presence.tally.shown == 3
    browser.key("Enter")
    browser.written()
    browser.review.close()
    with Collection(folder) as later:
        (run, *_) = later.trail.sessions()
        assert run.ended_how == "closed"
        assert (run.tally.accepted, run.tally.cropped) == (3, 3)


def test_without_an_audit_trail_the_review_stops(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AuditUnavailable("collection", "disk full")

    monkeypatch.setattr(browser.review.collection, "decide_as_seen", refuse)
    browser.until(lambda: browser.controller.session.notes)  # read beside, they may come late
    before = browser.controller.session
    browser.key("Enter")
    assert browser.controller.session == before
    assert "Stopped" in browser.words
    assert "disk full" in browser.words
    monkeypatch.undo()
    browser.key("Enter")
    browser.mouse("down", browser.review.screen_point(0, ClickTarget.CHIP))
    assert standing(browser) == {}


def test_a_file_that_changed_after_it_was_shown_is_not_cropped_and_shown_again(
    browser: Browser, folder: Path
) -> None:
    path = entries(browser)[0].path
    Image.new("RGB", (50, 50)).save(folder / path)
    changed = (folder / path).read_bytes()
    browser.key(" ")
    browser.until(lambda: browser.messages.problems)
    browser.shown()
    assert (folder / path).read_bytes() == changed
    assert "changed on disk" in browser.words
    assert isinstance(entries(browser)[0], Open)


def test_a_file_that_vanishes_is_named_and_the_rest_goes_on(start: Started, folder: Path) -> None:
    browser = start()
    browser.open()
    browser.shown()
    path = entries(browser)[1].path
    (folder / path).unlink()
    browser.key("Enter")
    browser.until(lambda: browser.messages.problems)
    browser.written()
    assert path in browser.words
    assert sum(s is Status.CROPPED for s in standing(browser).values()) == 2


def test_an_undo_that_fails_leaves_the_decision_and_is_told(browser: Browser, folder: Path) -> None:
    path = entries(browser)[0].path
    browser.key(" ")
    browser.written()
    (folder / path).write_bytes(b"somebody else's")
    browser.key("z")
    browser.until(lambda: browser.messages.problems)
    browser.written()
    assert path in browser.words
    assert isinstance(entries(browser)[0], Done)
    assert standing(browser) == {path: Status.CROPPED}


def test_a_folder_that_cannot_be_read_is_named_and_the_rest_is_reviewable(
    start: Started, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = folder / "closed"
    closed.mkdir()
    (closed / "z.png").write_bytes(b"")
    deny(monkeypatch, "closed")
    browser = start()
    browser.open()
    browser.shown()
    assert "closed" in browser.words
    assert "the folder cannot be read (Permission denied)" in browser.words
    assert browser.review.collection.counts().degraded == 1
    browser.key(" ")
    browser.written()


def test_an_image_that_cannot_be_read_is_named_and_the_rest_is_reviewable(
    start: Started, folder: Path
) -> None:
    (folder / "0.png").write_bytes(b"text")
    browser = start()
    browser.open()
    browser.shown()
    assert "no crop" in browser.words
    assert "not an image of a known format" in browser.words
    assert browser.review.boxes[0] is None
    browser.key("Enter")
    assert len(standing(browser)) == 2


def test_what_cannot_be_cropped_is_rejected_and_skipped_by_keys_and_not_accepted(
    start: Started, folder: Path
) -> None:
    for name in ("0.png", "00.png"):
        (folder / name).write_bytes(MISFITS["animation.png"][0]())
    browser = start(per_page=2)
    browser.open()
    browser.shown()
    first, second = entries(browser)
    assert isinstance(first, Broken)
    assert (first.size, second.size) == (Size(*MANY), Size(*MANY))
    browser.key("1")
    browser.key(" ")
    assert "cannot be cropped: reject it, skip it, or let it be" in browser.messages.note
    assert standing(browser) == {}
    browser.key("x")
    browser.key("2")
    browser.key("s")
    browser.key("Enter")
    browser.written()
    assert standing(browser) == {"0.png": Status.REJECTED, "00.png": Status.SKIPPED}
    assert not (folder / "0.png").exists()
    assert (folder / "00.png").exists()
    for _ in range(2):
        browser.key("z")
        browser.written()
    assert (folder / "0.png").read_bytes() == MISFITS["animation.png"][0]()


def test_a_click_marks_what_cannot_be_cropped(start: Started, folder: Path) -> None:
    (folder / "0.png").write_bytes(MISFITS["animation.png"][0]())
    browser = start()
    browser.open()
    browser.shown()
    seen = []
    for _ in range(3):
        browser.mouse("down", browser.review.screen_point(0, ClickTarget.CHIP))
        seen.append(entries(browser)[0].mark)
    assert seen == [Mark.REJECT, Mark.SKIP, Mark.KEEP]
    assert standing(browser) == {}


def test_a_hostile_file_name_is_only_text(start: Started, folder: Path) -> None:
    name = "<img src=x onerror=alert(1)>&'\".png"
    Image.new("RGB", (40, 40)).save(folder / name)
    (folder / "<script>.png").write_bytes(b"")
    browser = start(per_page=9)
    browser.open()
    browser.shown()
    browser.controller.guard.problem("<b>bold</b>", "<i>name</i>")
    for hostile in ("<img", "<script", "<b>bold", "<i>name", "alert(1)>"):
        assert hostile not in browser.words
    assert "&lt;img src=x" in browser.words


def test_a_hostile_file_name_is_only_text_at_the_end(start: Started, folder: Path) -> None:
    (folder / "<script>.png").write_bytes(b"")
    browser = start(per_page=9)
    browser.open()
    browser.shown()
    browser.key("Enter")
    browser.written()
    assert "end" in browser.status
    assert "<script" not in browser.words
    assert "<li><b>&lt;script&gt;.png</b>" in browser.words


def test_a_browser_that_never_draws_is_mentioned(start: Started) -> None:
    browser = start()
    browser.open()
    browser.until(lambda: browser.controller.session.ready, acknowledging=False)
    browser.loop.sleep(6)
    assert "has not drawn the page" in browser.messages.note


def test_a_sidecar_that_cannot_be_used_is_named_until_it_is_acknowledged(
    folder: Path, start: Started
) -> None:
    (folder / "b_stage2.decision").write_text("{broken")
    browser = start(per_page=9)
    browser.open()
    browser.shown()
    browser.until(lambda: browser.messages.problems)
    (problem,) = browser.messages.problems
    assert problem.about == "b_stage2.decision"
    assert "not JSON" in problem.text
    assert "b_stage2.decision" in browser.words
    browser.key("a")
    assert browser.messages.problems == ()


def test_a_sidecar_that_cannot_be_used_is_named_when_its_image_is_on_the_page(
    folder: Path, start: Started
) -> None:
    browser = start(per_page=1)
    here, ahead, *_ = browser.controller.session.listing
    (folder / ahead).with_suffix(".decision").write_text("{broken")
    browser.open()
    browser.shown()
    browser.until(lambda: browser.controller.prefetch.get(ahead))
    browser.loop.sleep(1)
    assert browser.messages.problems == (), f"{here} is looked at"
    browser.key("PageDown")
    browser.shown()
    (problem,) = browser.messages.problems
    assert "not JSON" in problem.text
    browser.key("a")
    browser.key("PageUp")
    browser.key("PageDown")
    assert browser.messages.problems == (), "once is enough"


def test_a_picture_that_goes_for_a_moment_keeps_keys_waiting_until_it_is_back(
    browser: Browser,
) -> None:
    """What was acknowledged before the picture went is no proof that it is there again."""
    browser.key("Enter")
    browser.shown()
    browser.written()
    for _ in range(3):
        browser.key("z")
        browser.written()
    path = entries(browser)[0].path
    browser.controller.prefetch.forget(path)
    browser.controller.follow()
    browser.until(lambda: browser.controller.prefetch.get(path), acknowledging=False)
    browser.controller.follow()
    assert not browser.controller.screen.acknowledged
    browser.strike("Enter")
    assert standing(browser) == {}
    browser.shown()


def test_nothing_is_drawn_before_the_page_has_made_every_canvas(start: Started) -> None:
    browser = start()
    *first, last = browser.canvases
    for canvas in first:
        canvas._handle_frontend_event(canvas, {"event": "client_ready"}, [])
        browser.loop.sleep(0.2)
    assert browser.drawn == []
    last._handle_frontend_event(last, {"event": "client_ready"}, [])
    browser.shown()


def test_a_page_whose_canvases_are_not_all_announced_is_drawn_after_a_while(
    start: Started,
) -> None:
    browser = start()
    canvas = browser.canvases[0]
    canvas._handle_frontend_event(canvas, {"event": "client_ready"}, [])
    browser.loop.sleep(4)
    browser.shown()


def test_a_page_that_was_lost_on_the_way_is_sent_again(start: Started) -> None:
    browser = start()
    browser.open()
    browser.until(lambda: browser.controller.session.ready, acknowledging=False)
    browser.controller.screen.canvases.fence.forget()  # the acknowledgement never comes
    browser.loop.sleep(6)
    assert "has not drawn the page" in browser.messages.note
    browser.strike("Enter")
    assert "Not taken" in browser.messages.note
    assert standing(browser) == {}
    browser.shown()
    browser.key("Enter")
    assert len(standing(browser)) == 3


# --- what was in the way, and is so no more


class FullDisk:
    """A disk without room for a crop, until there is."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.room, self.tried = False, list[str]()
        real = Root.check_room

        def check_room(root: Root, path: str, needed: int) -> None:
            self.tried.append(path)
            if not self.room:
                raise NoSpace(path, needed, 0)
            real(root, path, needed)

        patch.setattr(Root, "check_room", check_room)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> FullDisk:
    return FullDisk(monkeypatch)


def test_what_a_full_disk_has_stopped_is_tried_again_less_and_less_often(
    browser: Browser, disk: FullDisk, loop: ManualLoop
) -> None:
    browser.key("Enter")
    browser.until(lambda: len(disk.tried) == 3)
    browser.until(lambda: browser.review.idle)
    told = browser.messages.problems
    assert sum(seen.times for seen in told) == 3
    for number, pause in enumerate((5, 10, 20, 40)):
        loop.sleep(pause - 0.7)
        browser.until(lambda: browser.review.idle)
        assert len(disk.tried) == 3 + number
        loop.sleep(1)
        browser.until(lambda many=4 + number: len(disk.tried) == many)  # type: ignore[misc]
        browser.until(lambda: browser.review.idle)
    assert disk.tried[3:] == [*disk.tried[:3], disk.tried[0]], "in turn"
    assert browser.messages.problems == told


def test_where_there_is_room_again_all_that_waits_is_carried_out_and_it_is_said(
    browser: Browser, disk: FullDisk, loop: ManualLoop
) -> None:
    browser.key("Enter")
    browser.until(lambda: len(disk.tried) == 3)
    assert browser.review.collection.counts().waiting == 3
    disk.room = True
    loop.sleep(6)
    browser.until(lambda: browser.review.collection.counts().written == 3)
    browser.until(lambda: not browser.messages.problems, acknowledging=False)
    assert "What was in the way is gone" in browser.words
    assert browser.review.collection.counts().waiting == 0


def test_what_was_taken_back_meanwhile_is_not_tried_again(
    browser: Browser, disk: FullDisk, loop: ManualLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser.key(" ")
    browser.until(lambda: len(disk.tried) == 1)
    browser.key("z")
    browser.until(lambda: not standing(browser))
    carried_out: list[str] = []
    monkeypatch.setattr(
        DecisionExecutor, "decision", lambda _, decision: carried_out.append(decision)
    )
    loop.sleep(60)
    browser.until(lambda: browser.review.idle)
    assert not carried_out
