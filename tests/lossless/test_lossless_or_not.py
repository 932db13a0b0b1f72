"""A JPEG is cropped without loss or not at all, and what is worse is told wherever one looks."""

import errno
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from desktop import Browser, ManualLoop
from ipycanvas import canvas as ipycanvas
from pictures import encoded, photo, write_jpeg
from processes import running

from cropkit import clock
from cropkit.batch import Batch
from cropkit.cli import main
from cropkit.collection import Collection
from cropkit.errors import RunIncomplete, StaleBox
from cropkit.formats import Options
from cropkit.formats.options import Jpeg
from cropkit.geometry import PixelBox
from cropkit.lossless import library, process
from cropkit.lossless.process import LibjpegProcess, Pool
from cropkit.monitor.reporting import look
from cropkit.records import Decision, Status, Verdict
from cropkit.review import Review
from cropkit.review.keys.keymap import keymap

BOX = PixelBox(37, 27, 141, 103)
SNAPPED = PixelBox(32, 16, 141, 103)
EXACT, OR_EXACT = Options(Jpeg.EXACT), Options(Jpeg.LOSSLESS_OR_EXACT)
Break = Callable[[pytest.MonkeyPatch], None]


@pytest.fixture(autouse=True)
def pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pool]:
    made = Pool(2)
    monkeypatch.setattr(process, "pool", lambda: made)
    yield made
    made.close()


@pytest.fixture
def album(tmp_path: Path) -> Path:
    folder = tmp_path / "album"
    folder.mkdir()
    for number in range(3):
        write_jpeg(folder / f"{number}.jpg", photo(160, 120, number))
    return folder


def without_a_library(broken: pytest.MonkeyPatch) -> None:
    broken.setattr(library, "candidates", tuple)


def without_descriptors(broken: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    broken.setattr(LibjpegProcess, "__init__", full)


def killed(broken: pytest.MonkeyPatch) -> None:
    started = LibjpegProcess.__init__

    def doomed(self: LibjpegProcess, *libraries: Path) -> None:
        started(self, *libraries)
        os.kill(self.pid, signal.SIGKILL)

    broken.setattr(LibjpegProcess, "__init__", doomed)


BREAKS = [without_a_library, without_descriptors, killed]


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.jpg")}


def decision(collection: Collection, path: str, box: PixelBox, **facts: Any) -> Decision:
    seen, moment = collection.look(path), clock.now()
    return Decision(
        path=path,
        sha256=seen.sha256,
        size=seen.size,
        verdict=Verdict.ADJUSTED,
        box=box,
        reviewer="ann",
        session=collection.session,
        shown_at=moment,
        decided_at=moment,
        **facts,
    )


def decide(folder: Path, shown: PixelBox | None = None) -> str:
    with Collection(folder) as collection:
        made = decision(collection, "0.jpg", BOX, shown=shown)
        collection.decide([made])
    return made.id


@pytest.mark.parametrize("gone", BREAKS)
def test_a_crop_is_refused_by_name_nothing_is_written_and_the_next_one_is_without_loss(
    album: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], gone: Break
) -> None:
    before = content(album)
    with monkeypatch.context() as broken:
        gone(broken)
        assert main(["crop", str(album / "0.jpg"), "--box", "37,27,141,103"]) == 1
    told = capsys.readouterr().err
    assert "LosslessUnavailable: 0.jpg: cannot be cropped without loss now" in told
    assert "--jpeg lossless-or-exact" in told
    assert content(album) == before
    assert main(["crop", str(album / "0.jpg"), "--box", "37,27,141,103", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["psnr"], found["degraded"]) == (None, None)
    assert found["box_applied"] == list(SNAPPED.xyxy)


@pytest.mark.parametrize("gone", BREAKS)
def test_a_decision_waits_is_counted_and_is_carried_out_when_libjpeg_is_back(
    album: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], gone: Break
) -> None:
    decide(album)
    with monkeypatch.context() as broken:
        gone(broken)
        assert main(["apply", str(album)]) == 1
    assert "cannot be cropped without loss now" in capsys.readouterr().err
    with Collection(album) as collection:
        assert collection.counts().waiting == 1
        (row,) = collection.trail.decisions.table()
        assert (row["status"], row["code"]) == ("waiting", "LosslessUnavailable")
        assert [
            one.tally.degraded for one in collection.trail.sessions() if one.kind == "apply"
        ] == [{"no-lossless": 1}]
    assert main(["apply", str(album)]) == 0
    assert "cropped 0.jpg: 109 x 87 pixels" in capsys.readouterr().out


def test_who_says_so_gets_a_crop_that_is_told_to_be_worse(
    album: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["settings", str(album), "--jpeg", "lossless-or-exact"]) == 0
    without_a_library(monkeypatch)
    assert main(["crop", str(album / "0.jpg"), "--box", "37,27,141,103", "--json"]) == 0
    out, err = capsys.readouterr()
    assert "0.jpg: encoded anew, it could not be cropped without loss: no libjpeg" in err
    found = json.loads(out[out.index("{") :])
    assert found["degraded"].startswith("encoded anew")
    assert found["box_applied"] == list(SNAPPED.xyxy)
    with Collection(album) as collection:
        events = [e["event"] for e in collection.trail.events("0.jpg")]
    assert events == ["decided", "cropped", "degraded"]


def test_a_file_that_libjpeg_cannot_copy_is_told_and_counted_under_the_default(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    progressive = encoded(photo(160, 120), "JPEG", progressive=True, quality=50)
    scan = progressive.index(b"\xff\xda", progressive.index(b"\xff\xda") + 2)
    table = b"\xff\xdb\0\x43\0" + bytes([99] * 64)
    (tmp_path / "a.jpg").write_bytes(progressive[:scan] + table + progressive[scan:])
    assert main(["crop", str(tmp_path / "a.jpg"), "--box", "37,27,141,103"]) == 0
    assert "a.jpg: encoded anew, it could not be cropped without loss" in capsys.readouterr().err
    with Collection(tmp_path) as collection:
        (event,) = [e for e in collection.trail.events() if e["event"] == "degraded"]
    assert (event["path"], "encoded-anew" in event["body"]) == ("a.jpg", True)


def test_a_batch_leaves_them_waiting_and_names_each(
    album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide(album)
    with monkeypatch.context() as broken:
        without_descriptors(broken)
        batch = Batch(album)
        batch.apply()
        with pytest.raises(RunIncomplete):
            batch.result()
    (entry,) = batch.run.unwell
    assert (entry.code, entry.status) == ("LosslessUnavailable", "unfinished")
    page = (batch.folder / "report.html").read_text(encoding="utf-8")
    assert "annot be cropped without loss now" in page
    again = Batch(album)
    again.apply()
    assert again.result()["cropped"] == 1


def test_a_batch_tells_what_it_encoded_anew(album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Collection(album) as collection:
        collection.choose(OR_EXACT)
    decide(album)
    without_a_library(monkeypatch)
    batch = Batch(album)
    batch.apply()
    assert batch.result() | {"degraded": 1, "ok": True} == batch.run.summary()
    assert "not cropped without loss: 1" in batch.run.verdict()
    page = (batch.folder / "report.html").read_text(encoding="utf-8")
    assert "Not cropped without loss: 1" in page
    assert json.loads((batch.folder / "run.json").read_text())["entries"][0]["degraded"]


def test_health_has_the_alert_of_a_session_that_had_too_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(10):
        write_jpeg(folder / f"{number}.jpg", photo(80, 60, number))
    without_a_library(monkeypatch)
    with Collection(folder) as collection, collection.begin_run("apply"):
        for name in collection.images():
            collection.decide([decision(collection, name, PixelBox(3, 3, 50, 50))])
        assert {one.code for one in collection.apply_waiting()} == {"LosslessUnavailable"}
    (alert,) = [one for one in look(folder, tell=False).alerts if one.code == "degraded"]
    assert "10 of 10 operations (100.0 %) were degraded: 10 no-lossless" in alert.said


# -- the box that was seen ------------------------------------------------------------------------


def test_another_box_than_the_one_that_was_shown_is_stale(album: Path) -> None:
    before = content(album)
    made = decide(album, shown=SNAPPED)
    with Collection(album) as collection:
        collection.choose(EXACT)
        result = collection.apply(made)
    assert (result.status, result.code) == (Status.STALE, StaleBox.__name__)
    assert "was shown with the box (32, 16, 141, 103)" in str(result.message)
    assert content(album) == before


def test_the_box_that_was_shown_survives_a_lost_database(album: Path) -> None:
    made = decide(album, shown=SNAPPED)
    (album / ".cropkit" / "cropkit.db").unlink()
    assert main(["fsck", str(album), "--rebuild"]) == 0
    with Collection(album) as collection:
        assert collection.trail.decisions.by_id(made)[0].shown == SNAPPED


def test_the_setting_that_cures_makes_nothing_stale(
    album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = decide(album, shown=SNAPPED)
    without_a_library(monkeypatch)
    with Collection(album) as collection:
        assert collection.apply(made).status is Status.WAITING
        collection.choose(OR_EXACT)
        result = collection.apply(made)
    assert (result.status, result.box_applied) == (Status.CROPPED, SNAPPED)


def test_a_dry_run_foresees_it(album: Path, capsys: pytest.CaptureFixture[str]) -> None:
    decide(album, shown=SNAPPED)
    main(["settings", str(album), "--jpeg", "exact"])
    assert main(["batch", str(album), "--dry-run"]) == 1
    assert "refused: 0.jpg: was shown with the box" in capsys.readouterr().out


# -- the review -----------------------------------------------------------------------------------


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Browser]]:
    reviews: list[Review] = []

    def begin(collection: Collection, *, apart: bool) -> Browser:
        loop = ManualLoop()
        review = Review(collection, loop=loop, apart=apart)
        reviews.append(review)
        browser = Browser(review, loop)
        monkeypatch.setattr(ipycanvas._CANVAS_MANAGER, "send", browser.receive)  # noqa: SLF001  (as the review's tests do)
        browser.open()
        browser.shown()
        return browser

    yield begin
    for review in reviews:
        review.close()
        review.collection.close()


def accept_first(browser: Browser) -> None:
    for key in "ff":
        browser.key(key)
    for _ in range(13):
        browser.key("ArrowLeft", ctrl=True, shift=True)
    browser.key("ArrowRight")
    browser.key(" ")
    browser.until(lambda: browser.review.idle)


def test_a_review_says_what_waits_for_libjpeg_and_what_was_shown(
    album: Path, monkeypatch: pytest.MonkeyPatch, start: Callable[..., Browser]
) -> None:
    browser = start(Collection(album), apart=False)
    without_a_library(monkeypatch)
    accept_first(browser)
    review = browser.review
    collection = review.collection
    (waiting,) = [
        one for one in collection.trail.decisions.standing() if one.status is Status.WAITING
    ]
    assert waiting.code == "LosslessUnavailable"
    made, _ = collection.trail.decisions.by_id(waiting.decision)
    assert made.shown is not None
    assert made.box is not None
    assert made.shown.xyxy != made.box.xyxy
    assert (
        "cannot be cropped without loss now" in browser.controller.guard.messages.problems[0].text
    )
    assert ("not lossless", 1) in review_view(browser).troubles
    assert collection.trail.presence.tally.degraded == {"no-lossless": 1}


def test_a_review_says_what_was_encoded_anew(
    album: Path, monkeypatch: pytest.MonkeyPatch, start: Callable[..., Browser]
) -> None:
    browser = start(Collection(album, options=OR_EXACT), apart=False)
    without_a_library(monkeypatch)
    accept_first(browser)
    assert "encoded anew" in first_message(browser)
    assert ("not lossless", 1) in review_view(browser).troubles


def test_a_review_hears_of_it_from_the_process_that_writes(
    album: Path, start: Callable[..., Browser]
) -> None:
    browser = start(Collection(album), apart=True)
    with libjpeg_killed():
        accept_first(browser)
        browser.until(lambda: bool(browser.controller.guard.messages.problems))
    assert (
        "cannot be cropped without loss now" in browser.controller.guard.messages.problems[0].text
    )
    assert ("not lossless", 1) in review_view(browser).troubles
    assert browser.review.collection.trail.presence.tally.degraded == {"no-lossless": 1}


def first_message(browser: Browser) -> str:
    return browser.controller.guard.messages.problems[0].text


def review_view(browser: Browser) -> Any:
    return browser.controller.view(keymap("default"), sheet=False, prompt=None)


@contextmanager
def libjpeg_killed() -> Iterator[None]:
    """Kill every process of libjpeg that starts here, or in a process that was started here."""
    over = threading.Event()

    def kill() -> None:
        while not over.is_set():
            for pid in running(b"cropkit.lossless.worker"):
                with suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.002)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield
    finally:
        over.set()
        killer.join()
