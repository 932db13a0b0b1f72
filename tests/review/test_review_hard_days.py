"""Whatever happens to an open review, each file is its original or the crop that was decided."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pictures
from browser import album
from desktop import Browser, ManualLoop, entries, standing

from cropkit.collection import Collection
from cropkit.records import Decision, Status
from cropkit.review.model import Open
from cropkit.system.home import HOME

Started = Callable[..., Browser]
PNGS = "*.png"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob(PNGS)}


def check_whole(folder: Path, before: dict[str, bytes]) -> list[str]:
    """Hold each PNG to being what it was, or its decided box of that; return which are crops."""
    with Collection(folder) as kit:
        boxes = {
            path: each.box
            for path, each in kit.trail.decisions.standing_by_path().items()
            if each.status is Status.CROPPED
        }
        assert kit.fsck() == []
    cropped = [name for name, now in contents(folder).items() if now != before[name]]
    for name in cropped:
        box = boxes[name]
        assert box is not None
        album.check_is_crop((folder / name).read_bytes(), before[name], box.xyxy)
    return cropped


def more_images(folder: Path, count: int) -> None:
    for number in range(count):
        path = pictures.write_png(folder / f"x{number:02}.png", pictures.photo(60, 40, number))
        pictures.write_sidecar(path, [0.1, 0.2, 0.9, 0.8])


def test_thirty_enters_in_a_second_decide_only_what_was_seen(
    start: Started, folder: Path, loop: ManualLoop
) -> None:
    more_images(folder, 30)
    before = contents(folder)
    browser = start()
    browser.open()
    browser.shown()
    collection, seen = browser.review.collection, list[bool]()
    decide = collection.decide_as_seen

    def watched(decisions: Sequence[Decision], known: Sequence[str | None]) -> Any:
        here = {entry.path for entry in entries(browser)}
        is_shown = browser.controller.screen.acknowledged
        seen.append(is_shown and {each.path for each in decisions} <= here)
        return decide(decisions, known)

    collection.decide_as_seen = watched  # type: ignore[assignment, method-assign]  # (what is seen at that moment)
    for press in range(30):
        browser.press("Enter")
        loop.sleep(1 / 30)
        if press % 4 == 3:  # the browser is slower than the hand
            browser.acknowledge()
    browser.written()
    decided = standing(browser)
    assert len(seen) > 1
    assert all(seen)
    assert set(decided.values()) == {Status.CROPPED}
    browser.review.close()
    cropped = check_whole(folder, before)
    assert set(cropped) == {path for path in decided if path.endswith(".png")}


def test_a_state_that_is_deleted_stops_the_review_and_no_image_is_touched(
    browser: Browser, folder: Path, tmp_path: Path
) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    (folder / HOME).rename(tmp_path / "deleted")
    browser.loop.sleep(1)
    browser.until(lambda: "Stopped" in browser.words)
    for key in ("Enter", " ", "x", "z"):
        browser.key(key)
    assert all(isinstance(entry, Open) for entry in entries(browser))
    now = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    assert now == before
    assert not (folder / HOME).exists()
    (tmp_path / "deleted").rename(folder / HOME)  # so that all can be closed


def test_two_reviews_in_one_notebook_each_decide_their_own(
    start: Started, folder: Path, tmp_path: Path
) -> None:
    other = pictures.write_folder(tmp_path / "another")
    before, of_other = contents(folder), contents(other)
    first, second = start(folder, per_page=9), start(other, per_page=9)
    for browser in (first, second):
        browser.open()
        browser.shown()
    first.key("ArrowLeft", ctrl=True)
    boxes = [entry.box for entry in entries(second)]
    first.key("Enter")
    first.written()
    assert [entry.box for entry in entries(second)] == boxes
    assert contents(other) == of_other
    second.key("Enter")
    second.written()
    for browser in (first, second):
        assert set(standing(browser).values()) == {Status.CROPPED}
        browser.review.close()
    assert check_whole(folder, before)
    assert check_whole(other, of_other)


def test_a_cell_that_is_run_again_in_the_middle_of_crops_loses_none(
    start: Started, folder: Path
) -> None:
    more_images(folder, 6)
    before = contents(folder)
    first = start(per_page=9)
    first.open()
    first.shown()
    decided = {entry.path for entry in entries(first)}
    first.press("Enter")
    again = start(per_page=9)  # nothing of that is waited for
    assert first.controller.closed
    again.open()
    again.shown()
    again.written()
    assert standing(again) == dict.fromkeys(decided, Status.CROPPED)
    again.review.close()
    assert set(check_whole(folder, before)) == {path for path in decided if path.endswith(".png")}
