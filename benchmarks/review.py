"""The review in a real Chromium: how long a person waits, and what it costs in memory.

    python benchmarks/review.py [--kind png|jpeg] [--pages N] [--latency MS] [--no-front]
                                [--long PAGES]

Times are from the browser's own clock: from the input event's time stamp to the frame in which the
pixels of every picture of the next page are there, or to the first redraw of the box. `--latency`
puts a proxy in between that delays each way by half of it. `--no-front` leaves the drawing of drags
to the kernel, as where the browser's own part is not installed. `--long` walks through so many
pages of small images, and tells memory and decisions an hour. Other work on the machine counts: its
load is told, too.
"""

import argparse
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import pictures
from browser import chromium
from browser.reviewing import Desk, Running, desk, running
from playwright.sync_api import Browser
from slow_line import slowed

Ask = Callable[[str], Any]

PER_PAGE = 3
SIZES = {"png": (3072, 3072), "jpeg": (6000, 4000), "small": (240, 320)}
COLOURS = ((220, 40, 40), (40, 200, 60), (50, 70, 220), (230, 210, 40), (200, 60, 210))
LEAST_PAGES = 6
SOON = 0.5  # seconds: a quick glance; a press that comes sooner is a held key's
APART = 1.3  # seconds: no press is taken for a held key
MOVES = 80
LOCKS = 7  # presses of the key that holds a ratio, until none is held again
_NEXT = "(review._controller.screen.page_display._generation + 1) % 2"
_AHEAD = f"review._controller.screen.canvases.buffers[{_NEXT}][:{PER_PAGE}]"
_SESSION = "review._controller.session"
_COMING = f"set({_SESSION}.on_page({_SESSION}.page + 1))"
_OTHERS = f"set({_SESSION}.paths) - {{entry.path for entry in {_SESSION}.entries}}"
_FRONT = "review._controller.screen.canvases.live_drag"
_LAYOUT = "__import__('cropkit.review.view.layout', fromlist=['x'])"
_EDITING = "__import__('cropkit.review.model.box_editing', fromlist=['x'])"
# What is asked of the review in its kernel; a test asks it of one without a browser.
ASKED = {
    "stages": f"[review.screen_point(p, {_LAYOUT}.ClickTarget.STAGE) for p in range({PER_PAGE})]",
    "grip": f"review.screen_point(0, {_EDITING}.Grip.WHOLE)",
    "is read ahead": f"all(slot.holds and not slot.busy for slot in {_AHEAD}) and {{"
    f"slot.holds.split(' ', 1)[1] for slot in {_AHEAD}}} == {_COMING} and review.idle",
    "forget what was read": f"[review._controller.prefetch.forget(p) for p in {_OTHERS}] and 0",
    "forget what is in the browser": f"[setattr(s, 'holds', None) for s in {_AHEAD}] and 0",
    "is the browser's part there": f"{_FRONT}.there",
    "be without the browser's part": f"setattr({_FRONT}, 'there', False)",
}
_WIDGETS = "len(__import__('ipywidgets').widgets.widget._instances)"
_WATCH = """([points, colour]) => {
    const canvas = document.querySelector('.cropkit-canvas canvas, canvas.cropkit-canvas');
    const context = canvas.getContext('2d');
    const read = () => points.map(p => [...context.getImageData(p[0], p[1], 1, 1).data]);
    const near = seen => colour.every((value, i) => Math.abs(value - seen[i]) < 40);
    window.painted = new Promise(resolve => {
        addEventListener('keydown', event => {
            const began = event.timeStamp;
            const look = () => read().every(near)
                ? resolve(performance.now() - began) : requestAnimationFrame(look);
            requestAnimationFrame(look);
        }, {capture: true, once: true});
    });
}"""
_REDRAWS = """() => {
    const canvas = document.querySelector('.cropkit-canvas canvas, canvas.cropkit-canvas');
    const {drawImage: draw, clearRect: clear} = CanvasRenderingContext2D.prototype;
    let began = null;
    window.lags = [];
    const redrawn = () => {
        if (began !== null) window.lags.push(performance.now() - began);
        began = null;
    };
    CanvasRenderingContext2D.prototype.drawImage = function (...given) {
        draw.apply(this, given);
        if (this.canvas === canvas) redrawn();
    };
    CanvasRenderingContext2D.prototype.clearRect = function (...given) {
        clear.apply(this, given);
        if (this.canvas.className === 'cropkit-front') redrawn();
    };
    const remove = Element.prototype.remove;
    Element.prototype.remove = function () {
        remove.call(this);
        if (this.className === 'cropkit-front') redrawn();  // what was there before is right again
    };
    for (const kind of ['mousemove', 'keydown'])
        addEventListener(kind, event => { began = event.timeStamp; }, {capture: true});
}"""


def main() -> None:
    """Measure what was asked for, and write it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", choices=("png", "jpeg"), default="png")
    parser.add_argument("--pages", type=int, default=12)
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--no-front", action="store_true")
    parser.add_argument("--long", type=int, default=0)
    given = parser.parse_args()
    if given.pages < LEAST_PAGES:
        parser.error(f"--pages is at least {LEAST_PAGES}: a percentile needs two presses")
    with tempfile.TemporaryDirectory() as name, chromium.launched() as browser:
        kind, pages = ("small", given.long) if given.long else (given.kind, given.pages)
        folder = make_folder(Path(name, "images"), kind, pages)
        with _opened(Path(name), folder, given.latency, browser) as (page, ask):
            if given.no_front:
                ask(ASKED["be without the browser's part"])
                page.press("ArrowRight", "r")
            found = _long(page, ask, pages) if given.long else _short(page, ask, folder, pages)
            load = round(os.getloadavg()[0], 1)
            said = {"kind": kind, "pages": pages, "latency_ms": given.latency, "load": load}
            said["front"] = ask(ASKED["is the browser's part there"])
            sys.stdout.write(json.dumps(said | found, indent=2) + "\n")


@contextmanager
def _opened(
    home: Path, folder: Path, latency: float, browser: Browser
) -> Iterator[tuple[Desk, Ask]]:
    with (
        running(home / "home", str(folder)) as review,
        _address(review, latency) as url,
        desk(browser, url) as page,
    ):

        def ask(expression: str) -> Any:  # noqa: ANN401  (whatever is asked for)
            """Evaluate in the kernel; by a new client: one long unread misses answers."""
            with review.probe() as probe:
                return probe.value(expression)

        yield page, ask


@contextmanager
def _address(review: Running, latency: float) -> Iterator[str]:
    if not latency:
        yield review.url
        return
    with slowed(review.url, latency / 2000) as url:
        yield url


def make_folder(folder: Path, kind: str, pages: int) -> Path:
    """Make images whose middle tells the page; every content is another one."""
    folder.mkdir(parents=True)
    grounds = [pictures.photo(*SIZES[kind], seed) for seed in range(PER_PAGE)]
    for number in range(pages * PER_PAGE):
        image = np.array(grounds[number % PER_PAGE])
        page, (height, width, _) = number // PER_PAGE, image.shape
        middle = (slice(height // 3, -height // 3), slice(width // 3, -width // 3))
        image[middle] = COLOURS[page % len(COLOURS)]
        image[0, 0] = (number % 256, number // 256, 7)
        name = folder / f"{number:05}.{'jpg' if kind == 'jpeg' else 'png'}"
        Image.fromarray(image).save(name, quality=90, compress_level=1)
        pictures.write_sidecar(name, [0.15, 0.2, 0.85, 0.9])
    return folder


# --- what a person waits for


def _short(page: Desk, ask: Ask, folder: Path, pages: int) -> dict[str, object]:
    box = _box_lags(page, ask)
    half = (pages - 1) // 2
    ahead = [_turned(page, ask, lambda: _until_read_ahead(ask)) for _ in range(half)]
    cold = [_turned(page, ask, lambda: _forget(ask, folder)) for _ in range(pages - 1 - half)]
    found = {"enter_ms": ahead, "enter_cold_ms": cold} | box
    return {name: _summary(values) for name, values in found.items()}


def _turned(page: Desk, ask: Ask, first: Callable[[], None] = lambda: None) -> float:
    """Milliseconds from Enter to the next page."""
    at = page.wait(lambda s: s.shown == "shown", "the page is shown").page
    time.sleep(APART + random.uniform(0, 0.05))  # noqa: S311  (out of step with the frames)
    points = ask(ASKED["stages"])
    whole = [[round(x), round(y)] for x, y in points]
    page.page.evaluate(_WATCH, [whole, COLOURS[at % len(COLOURS)]])  # pages count from 1
    first()
    page.press("Enter")
    took: float = page.page.evaluate("() => window.painted")
    page.wait(lambda s: s.page == at + 1 and s.shown == "shown", "the next page is shown")
    return took


def _until_read_ahead(ask: Ask) -> None:
    """Wait until the browser has the pictures of the next page, and the crops are written."""
    while not ask(ASKED["is read ahead"]):
        time.sleep(0.1)


def _forget(ask: Ask, folder: Path) -> None:
    """Forget what was read ahead, in the kernel, in the browser and on disk."""
    ask(ASKED["forget what was read"])
    ask(ASKED["forget what is in the browser"])
    for cached in folder.glob(".cropkit/previews/*"):
        cached.unlink()


def _box_lags(page: Desk, ask: Ask) -> dict[str, list[float]]:
    """Milliseconds from a move of the mouse, or a key, to the redraw."""
    x, y = page.on_screen(ask(ASKED["grip"]))
    page.page.evaluate(_REDRAWS)
    page.page.mouse.move(x, y)
    page.page.mouse.down()
    page.settled()
    drags = _lags(page, lambda n: page.page.mouse.move(x + n % 20, y + n % 15))
    page.page.mouse.up()
    page.settled()
    keys = _lags(page, lambda n: page.press("ArrowLeft" if n % 2 else "ArrowRight"))
    page.settled()
    # a square image has ratios that change nothing: there is no redraw to wait for
    ratios = _lags(page, lambda _: page.press("l"), drawn=lambda _: page.settled())
    page.press(*["l"] * (-MOVES % LOCKS), "r")
    page.settled()
    return {"drag_ms": drags, "key_ms": keys, "ratio_key_ms": ratios}


def _lags(
    page: Desk, do: Callable[[int], None], drawn: Callable[[int], None] | None = None
) -> list[float]:
    """Do something again and again; return how late what it changed was drawn, each time."""

    def as_many(number: int) -> None:
        page.page.wait_for_function(f"() => window.lags.length >= {number}")

    page.page.evaluate("() => { window.lags = []; }")
    for number in range(1, MOVES + 1):
        do(number)
        (drawn or as_many)(number)
        time.sleep(random.uniform(0.02, 0.06))  # noqa: S311  (out of step with the frames)
    found: list[float] = page.page.evaluate("() => window.lags")
    return found


# --- what it costs


def _long(page: Desk, ask: Ask, pages: int) -> dict[str, object]:
    kernel = ask("__import__('os').getpid()")
    before = _megabytes(kernel), _browser_megabytes()
    widgets = ask(_WIDGETS)
    began = time.monotonic()
    for number in range(1, pages):
        time.sleep(SOON)
        page.press("Enter")
        page.wait(lambda s, n=number: s.page > n and s.shown == "shown", f"page {number + 1}")
    took = time.monotonic() - began
    page.until_idle()
    return {
        "decisions_an_hour": round((pages - 1) * PER_PAGE / took * 3600),
        "kernel_mb": [before[0], _megabytes(kernel)],
        "browser_mb": [before[1], _browser_megabytes()],
        "widgets": [widgets, ask(_WIDGETS)],
    }


def _megabytes(pid: int) -> int:
    """Proportional set size of a process."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) // 1024
    return 0


def _browser_megabytes() -> int:
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = stat.read_text().rpartition(")")
        except (FileNotFoundError, ProcessLookupError):
            continue
        parents[int(stat.parent.name)] = (int(rest.split()[1]), name)
    ours = {pid for pid in parents if _is_beneath(pid, os.getpid(), parents)}
    return sum(_megabytes(pid) for pid in ours if "chrom" in parents[pid][1])


def _is_beneath(pid: int, above: int, parents: dict[int, tuple[int, str]]) -> bool:
    while pid in parents and pid != above:
        pid = parents[pid][0]
    return pid == above


def _summary(values: list[float]) -> dict[str, float]:
    p95 = statistics.quantiles(values, n=20, method="inclusive")[-1]
    return {
        "median": round(statistics.median(values), 1),
        "p95": round(p95, 1),
        "max": round(max(values), 1),
        "count": len(values),
    }


if __name__ == "__main__":
    main()
