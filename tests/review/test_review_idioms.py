"""What a notebook does with a review: observes, waits, runs a cell again; and nobody answers."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pictures
import pytest
from desktop import Browser, ManualLoop

from cropkit.review import Review
from cropkit.review.runtime import unanswered
from cropkit.review.runtime.unanswered import Publish, Unanswered, server_findings

Started = Callable[..., Browser]


def run_apart(work: Coroutine[Any, Any, Mapping[str, Any]]) -> Mapping[str, Any]:
    """Run on a loop of its own, also where the loop of a browser that others drive is running."""
    running = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    try:
        return asyncio.run(work)
    finally:
        asyncio._set_running_loop(running)


def test_decisions_are_a_trait_that_tells_what_stands(browser: Browser) -> None:
    review = browser.review
    assert review.traits(sync=True).keys() >= {"decisions"}
    changes: list[list[dict[str, Any]]] = []
    review.observe(lambda change: changes.append(change["new"]), "decisions")
    boxes = review.boxes
    browser.key("x")
    browser.key("Enter")
    browser.until(lambda: review.decisions)
    told = {each["path"]: each for each in review.decisions}
    assert len(told) == 3
    assert [each["verdict"] for each in review.decisions].count("reject") == 1
    assert [each["box"] for each in review.decisions][1:] == boxes[1:]
    assert {*review.decisions[0]} == {
        *("path", "slot", "verdict", "box", "target", "turn", "decided_at")
    }
    browser.written()
    browser.key("z")
    browser.until(lambda: not review.decisions)
    assert len(changes[0]) == 3
    assert changes[-1] == []


def test_the_trait_holds_the_latest_alone(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cropkit.review.widget._MOST_DECISIONS", 2)
    browser.key("Enter")
    browser.until(lambda: browser.review.decisions)
    assert len(browser.review.decisions) == 2
    assert len(browser.review.to_frame()) == 3


def test_a_cell_waits_until_all_is_decided_and_written(browser: Browser) -> None:
    review = browser.review

    async def waiting() -> Mapping[str, Any]:
        waits = asyncio.ensure_future(review.done())
        await asyncio.sleep(0)
        assert not waits.done()
        for _ in range(2):
            browser.shown()
            browser.key("Enter")
        browser.until(review._is_done)
        return await asyncio.wait_for(waits, 5)

    told = run_apart(waiting())
    assert told == review.progress
    assert (told["decided"], told["waiting"]) == (told["total"], 0)
    assert run_apart(review.done()) == told, "at once when there is nothing to wait for"


def test_whoever_waits_is_let_go_when_the_review_is_closed(browser: Browser) -> None:
    async def waiting() -> Mapping[str, Any]:
        waits = asyncio.ensure_future(browser.review.done())
        await asyncio.sleep(0)
        browser.review.close()
        return await asyncio.wait_for(waits, 5)

    assert run_apart(waiting())["decided"] == 0


# --- cells that are run again


@pytest.fixture
def run_cell(monkeypatch: pytest.MonkeyPatch) -> Any:
    def run(cell: str, number: int) -> None:
        parent = {"metadata": {"cellId": cell}, "header": {"msg_id": f"run {number}"}}
        shell = SimpleNamespace(kernel=SimpleNamespace(get_parent=lambda: parent))
        monkeypatch.setattr(unanswered, "get_ipython", lambda: shell)

    return run


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    return [pictures.write_folder(tmp_path / name) for name in ("a", "b")]


def test_a_cell_that_is_run_again_replaces_what_it_had_made(
    folders: list[Path], loop: ManualLoop, run_cell: Any
) -> None:
    run_cell("cell", 1)
    first, second = (Review(folder, loop=loop, apart=False) for folder in folders)
    run_cell("another", 2)
    assert not closed(first), "two reviews of one cell, and others, stand side by side"
    run_cell("cell", 3)
    third = Review(folders[1], loop=loop, apart=False)
    assert closed(first)
    assert closed(second)
    assert not closed(third)
    third.close()


def closed(review: Review) -> bool:
    return review._controller.closed


# --- when nobody answers


class Shown:
    """What stands below a cell."""

    def __init__(self) -> None:
        self.outputs: dict[str, str] = {}

    def __call__(self, data: Mapping[str, str], name: str, *, update: bool = False) -> None:
        assert update is (name in self.outputs)
        self.outputs[name] = data["text/plain"]

    @property
    def text(self) -> str:
        return "".join(self.outputs.values())


def test_a_review_that_no_page_shows_says_why_and_what_to_do_until_one_does(
    loop: ManualLoop,
) -> None:
    shown = Shown()
    missing = ["ipycanvas: its part for JupyterLab is not in /x. Cure: pip install ipycanvas"]
    note = Unanswered(loop, lambda: shown, lambda: missing)  # type: ignore[arg-type,return-value]
    note.displayed()
    loop.sleep(4.9)
    assert shown.text == ""
    loop.sleep(0.2)
    assert "within 5 seconds" in shown.text
    assert missing[0] in shown.text
    assert "reload the page" in shown.text
    note.answered()
    assert shown.text == ""


def test_nothing_is_said_when_a_page_is_there_in_time_or_the_review_has_ended(
    loop: ManualLoop,
) -> None:
    for way in ("answered", "cancel"):
        shown = Shown()
        note = Unanswered(loop, lambda shown=shown: shown, list)  # type: ignore[misc]
        note.displayed()
        loop.sleep(2)
        getattr(note, way)()
        note.displayed() if way == "answered" else None
        loop.sleep(10)
        assert shown.outputs == {}


def test_a_review_waits_for_its_page_from_when_it_is_displayed(
    start: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = Shown()
    monkeypatch.setattr("cropkit.review.widget.below_this_cell", lambda: shown)
    browser = start()
    browser.loop.sleep(20)
    assert shown.text == ""
    browser.review._repr_mimebundle_()
    browser.loop.sleep(6)
    assert "within 5 seconds" in shown.text
    browser.open()
    assert shown.text == ""


def test_it_is_sent_with_the_header_of_its_cell() -> None:
    sent: list[Any] = []
    session = SimpleNamespace(send=lambda *what, **how: sent.append((what, how)))
    publisher = SimpleNamespace(
        parent_header={"msg_id": "1"}, session=session, pub_socket="socket", topic=b"topic"
    )
    publish = Publish(publisher)
    publisher.parent_header = {"msg_id": "2"}
    publish({"text/plain": "x"}, "name")
    publish({"text/plain": ""}, "name", update=True)
    assert [what[1] for what, _ in sent] == ["display_data", "update_display_data"]
    assert [how["parent"] for _, how in sent] == [{"msg_id": "1"}] * 2
    assert sent[0][0][2]["transient"] == {"display_id": "name"}


def test_what_is_missing_where_the_server_runs_is_told_with_its_cure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert server_findings() == []
    monkeypatch.setattr("cropkit.monitor.doctor.labextensions", lambda _: (tmp_path,))
    lines = server_findings()
    assert [line.partition(":")[0] for line in lines] == ["ipycanvas", "anywidget", "ipywidgets"]
    assert all(" Cure: " in line for line in lines)


def test_outside_of_a_kernel_nothing_is_said() -> None:
    assert unanswered.below_this_cell() is None
    assert unanswered.running_cell() is None
