"""The report: what it says, what names in it can do, how large it gets, how it opens."""

import json
import re
from base64 import b64decode
from dataclasses import replace
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import pytest
from pictures import encoded
from PIL import Image
from playwright.sync_api import Browser, ViewportSize
from queueing import HOSTILE, SCRIPT, collection, decide_all, pattern, troubled

from cropkit.batch import Batch
from cropkit.errors import RunIncomplete
from cropkit.geometry import PixelBox
from cropkit.runs import record, report, statistics
from cropkit.runs.record import FINISHED, RUNNING, STOPPED, Entry, RunRecord
from cropkit.runs.report import Pictures

NOTHING = Pictures(None, None)
MOST_BYTES = 15_000_000
MOST_ELEMENTS = 10_000  # of a page that opens at once: not one for each item


@pytest.fixture(scope="module")
def trouble(tmp_path_factory: pytest.TempPathFactory) -> Batch:
    """A batch over files with hostile names, half of which went wrong meanwhile."""
    batch = Batch(troubled(tmp_path_factory.mktemp("trouble") / "c"))
    batch.apply()
    with pytest.raises(RunIncomplete):
        batch.result()
    return batch


def entry(number: int, **facts: object) -> Entry:
    known: dict[str, object] = {
        "path": f"folder/{number:05}.png",
        "verdict": "accept",
        "decision": f"{number}",
        "status": "cropped",
        "size": (832, 1216),
        "box": (100, 100, 500, 700),
        "suggested": (100, 100, 500, 800),
        "iou": 0.5 + (number % 50) / 100,
        "operation": f"o{number}",
        "session": "s",
        "bytes_before": 1_000_000,
        "bytes_after": 400_000,
        "ended_at": f"2026-01-01T00:{number // 60 % 60:02}:{number % 60:02}.000000Z",
    }
    return Entry(**(known | facts))  # type: ignore[arg-type]  # (a bag of facts)


def run(*entries: Entry, state: str = FINISHED, reason: str | None = None) -> RunRecord:
    return RunRecord(
        folder="/photos",
        source="queue",
        parameters={"workers": 2},
        session="s",
        started_at="2026-01-01T00:00:00.000000Z",
        ended_at="2026-01-01T01:00:00.000000Z",
        state=state,
        reason=reason,
        entries=entries,
    )


def page(of: RunRecord) -> str:
    return report.page(of, lambda _entry: NOTHING)


def text(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html[html.index("<body>") :]))


def test_the_verdict_comes_first_then_failures_then_numbers_then_pictures() -> None:
    bad = entry(2, status="failed", code="VerificationFailed", message="a pixel", cure="Look")
    said = text(page(run(entry(1), bad)))
    order = ["1 of 2 did not end well", "To be looked at", "Boxes and speed", "Before and after"]
    places = [said.index(part) for part in [*order, "The run"]]
    assert places == sorted(places)


def test_each_failure_is_named_with_reason_and_cure() -> None:
    path = "folder/00002.png"
    bad = entry(2, status="stale", message=f"{path}: changed on disk", cure="Look at it again")
    assert "stale folder/00002.png Changed on disk. Look at it again." in text(page(run(bad)))


@pytest.mark.parametrize(
    ("of", "headline"),
    [
        (run(entry(1)), "All 1 ended well"),
        (run(), "Nothing was to be done"),
        (run(entry(1), state=STOPPED, reason="the disk is full"), "The run stopped before its end"),
        (run(entry(1), state=RUNNING), "The run stopped before its end"),
        (run(entry(1, status="unfinished")), "1 of 1 did not end well"),
    ],
)
def test_the_headline_is_the_verdict(of: RunRecord, headline: str) -> None:
    html = page(of)
    assert f"<h1>{headline}</h1>" in html
    assert ('class="verdict good"' in html) is of.ok
    assert (of.reason or "") in html


def test_numbers_are_right() -> None:
    entries = [entry(n, iou=n / 100, box=(0, 0, 416, 608)) for n in range(101)]
    of = run(*entries, entry(200, session="another", bytes_before=5))
    assert statistics.spread(statistics.ious(entries)) == statistics.Spread(101, 0.05, 0.5, 0.95)
    assert set(statistics.areas(entries)) == {0.25}
    assert set(statistics.aspects(entries)) == {416 / 608}
    found = statistics.throughput(of)
    assert (found.images, found.seconds, found.read_bytes) == (101, 3600, 101_000_000)
    assert found.freed_bytes == 101 * 600_000
    assert statistics.timeline(of)[0][-1] == 100
    assert statistics.spread([]) is None


def test_names_are_data_in_the_page(trouble: Batch) -> None:
    html = (trouble.folder / "report.html").read_text("utf-8")
    assert HOSTILE not in html
    assert "&lt;img src=x onerror=alert(1)&gt;.png" in html
    assert "<script" not in html
    assert "{{7*7}}" in html, "a name is no template"
    assert not re.search(r"<[^>]+\son\w+=", html)


def test_names_are_data_in_tables_and_logs(trouble: Batch) -> None:
    for table in (trouble.planned(), trouble.table()):
        assert HOSTILE in set(table["path"])
        assert "<img" not in table._repr_html_()  # type: ignore[operator]
        assert "<script" not in table._repr_html_()  # type: ignore[operator]
    log = (trouble.collection.root / ".cropkit" / "cropkit.log").read_text("utf-8")
    assert [json.loads(line) for line in log.splitlines()]
    assert HOSTILE in log


def test_a_page_that_a_browser_opens_asks_for_nothing_and_runs_nothing(
    trouble: Batch, browser: Browser
) -> None:
    with browser.new_page() as tab:
        asked: list[str] = []
        told: list[str] = []
        tab.on("request", lambda request: asked.append(request.url))
        tab.on("dialog", lambda dialog: told.append(dialog.message))
        tab.on("console", lambda message: told.append(message.text))
        address = (trouble.folder / "report.html").as_uri()
        tab.goto(address)
        assert [url for url in asked if not url.startswith("data:")] == [address]
        assert told == []
        assert tab.evaluate("window.hacked") is None
        names = tab.locator(".path").all_inner_texts()
        assert HOSTILE in names
        assert SCRIPT in names
        assert tab.locator("img").count() >= 6
        broken = "images => images.filter(i => !i.naturalWidth).length"
        assert tab.locator("img").evaluate_all(broken) == 0


@pytest.mark.parametrize("width", [360, 1280])
def test_a_page_fits_a_phone_and_a_desk_and_is_dark_where_that_is_liked(
    trouble: Batch, browser: Browser, width: int
) -> None:
    grounds = []
    for scheme in ("light", "dark"):
        viewport: ViewportSize = {"width": width, "height": 800}
        with browser.new_page(viewport=viewport, color_scheme=scheme) as tab:
            tab.goto((trouble.folder / "report.html").as_uri())
            assert tab.evaluate("document.documentElement.scrollWidth") <= width
            grounds.append(tab.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert grounds[0] != grounds[1]


def test_five_thousand_items_stay_small_and_open_at_once(tmp_path: Path, browser: Browser) -> None:
    jpeg = encoded(pattern(220, 220, 1), "JPEG", quality=85)
    bad = [entry(n, status="failed", message="no " * 40, cure="Look") for n in range(0, 5000, 5)]
    good = [entry(n) for n in range(5000) if n % 5]
    of = replace(run(*bad, *good), passed=tuple((f"{n}.png", "no suggestion") for n in range(5000)))
    path = report.write(of, tmp_path, lambda _entry: Pictures(jpeg, jpeg))
    assert path.stat().st_size < MOST_BYTES
    with browser.new_page() as tab:
        tab.goto(path.as_uri())
        elements = tab.evaluate("document.querySelectorAll('*').length")
        said = tab.inner_text("body")
    assert 0 < elements < MOST_ELEMENTS
    assert "the first 500 of 1000" in said
    assert "36 of 4000" in said


def test_what_is_shown_is_chosen_by_what_moved_most_and_evenly() -> None:
    entries = [entry(n, iou=0.1 if n in (7, 4000) else 1.0) for n in range(5000)]
    chosen = report.sample(entries)
    assert len(chosen) == 36
    assert {entries[7].path, entries[4000].path} <= {one.path for one in chosen}
    assert [one.path for one in chosen] == sorted(one.path for one in chosen)
    gaps = [int(b.path[7:12]) - int(a.path[7:12]) for a, b in pairwise(chosen)]
    assert max(gaps) < 400


def test_a_record_is_read_as_it_was_written(tmp_path: Path, trouble: Batch) -> None:
    record.write(trouble.run, tmp_path)
    assert record.read(tmp_path) == trouble.run
    said = json.loads((tmp_path / "run.json").read_text("utf-8"))
    assert said["ok"] is False
    assert said["counts"]["stale"] == 2
    assert said["started_at"].endswith("Z")
    assert {"python", "cropkit", "pillow"} <= set(said["versions"])


def test_a_notebook_beside_the_report_is_linked(tmp_path: Path) -> None:
    (tmp_path / "2_batch & more.ipynb").touch()
    html = report.write(run(), tmp_path, lambda _: NOTHING).read_text("utf-8")
    assert 'href="2_batch%20%26%20more.ipynb"' in html
    assert 'href="run.json"' in html


def test_what_was_planned_passed_over_and_degraded_is_counted_apart() -> None:
    bad = entry(2, status="failed", code="VerificationFailed", message="a pixel")
    passed, problems = (("a.png", "no suggestion"),) * 3, (("b.decision", "is not JSON"),) * 4
    of = replace(run(entry(1), bad), passed=passed, problems=problems)
    said = of.summary()
    assert (said["planned"], said["passed_over"], said["degraded"]) == (2, 3, 4)
    assert (said["cropped"], said["failed"], said["ok"]) == (1, 1, False)


def test_a_run_that_stopped_is_not_well_although_each_of_its_items_is() -> None:
    assert run(entry(1)).ok
    assert not run(entry(1), state=STOPPED, reason="the disk is full").ok


def test_the_box_lies_on_the_picture_where_it_lies_in_the_image() -> None:
    shown = report.Shown(entry(1, size=(800, 400), box=(80, 100, 480, 300)))
    assert shown.frame == "left:10.00%;top:25.00%;width:50.00%;height:50.00%"


def test_before_stands_before_after(tmp_path: Path) -> None:
    folder = collection(tmp_path / "c", 1)
    decide_all(folder, PixelBox(0, 0, 96, 24))
    with Batch(folder) as batch:
        batch.apply()
    html = (batch.folder / "report.html").read_text("utf-8")
    found = re.findall(r'alt="[^"]* (before|after)" src="data:image/jpeg;base64,([^"]+)"', html)
    shapes = {}
    for side, data in found:
        with Image.open(BytesIO(b64decode(data))) as picture:
            shapes[side] = round(picture.width / picture.height, 2)
    assert shapes == {"before": 0.75, "after": 4.0}


def test_sizes_are_told_in_the_unit_that_reads_well() -> None:
    many = [entry(n, bytes_before=3_000_000, bytes_after=2_000_000) for n in range(4)]
    said = text(page(run(*many)))
    assert "12.0 MB" in said
    assert "4.0 MB" in said


def test_what_others_ended_meanwhile_is_not_in_the_curve() -> None:
    of = run(entry(1), entry(2), entry(3, session="another"))
    assert statistics.timeline(of)[1] == [0, 1, 2]
