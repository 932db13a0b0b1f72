"""The first minute: from a fresh clone to the first page, and how much room that takes.

    python benchmarks/set_up.py [--rounds N] [--json]

Each round clones this repository into a new folder and gives it a HOME with nothing in it, so that
every package is fetched. Then, in seconds of wall time: until the environment is made, until the
first page of `cropkit review` is drawn in Chromium, and the same when it is started once more. The
room is that of the environment, as files and on the disk. What is timed includes the network and
all else that the machine does: its load is told beside the figures.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from browser import chromium
from browser.reviewing import Desk, free_port
from playwright.sync_api import Browser

ROOT = Path(__file__).resolve().parents[1]
BASE = str(getattr(sys, "_base_executable", sys.executable))
BLOCK = 512  # bytes, of `st_blocks`
MEGABYTE = 1_000_000
MILLISECONDS = 300_000  # for a page that does not come
TARGETS = {
    "environment s": 15.0,
    "first page s": 35.0,
    "second start s": 6.0,
    "environment MB": 450.0,
}


def clone(folder: Path) -> Path:
    """Clone what is committed here."""
    place = folder / "clone"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(place)], check=True)  # noqa: S603, S607  (our own)
    return place


@contextmanager
def review(place: Path, home: Path) -> Iterator[Iterator[tuple[float, str]]]:
    """Start `cropkit review`; give each line that it says, with the seconds since its start."""
    kept = ("PATH", "SSL_CERT_FILE", "PIP_CERT", "LANG")
    named = {name: os.environ[name] for name in kept if name in os.environ}
    command = [BASE, "-m", "cropkit", "review", "--no-browser", "--port", str(free_port())]
    began = time.monotonic()
    with subprocess.Popen(  # noqa: S603  (our own, no shell)
        command, cwd=place, env={**named, "HOME": str(home)}, stderr=subprocess.PIPE, text=True
    ) as running:
        try:
            yield ((time.monotonic() - began, line.strip()) for line in running.stderr or ())
        finally:
            running.terminate()  # in the background of a script, it would not hear Ctrl-C


def start(browser: Browser, place: Path, home: Path) -> dict[str, float]:
    """Start a review and look at it; return the seconds until each thing was there."""
    times: dict[str, float] = {}
    with review(place, home) as lines:
        for at, line in lines:
            if line.startswith("cropkit: set up in"):
                times["environment"] = at
            if address := re.match(r"http://\S+", line):
                break
        times["address"], began = at, time.monotonic()
        context = browser.new_context(viewport={"width": 1500, "height": 1000})
        desk = Desk(context.new_page())
        desk.page.goto(address[0], wait_until="domcontentloaded")
        desk.wait(lambda status: status.shown != "loading", "the page is drawn", MILLISECONDS)
        times["page"] = at + time.monotonic() - began
        context.close()
    return times


def room(place: Path) -> tuple[float, float]:
    """Return the megabytes of an environment: of its files, and on the disk."""
    files = [each.lstat() for each in (place / ".venv").resolve().rglob("*")]
    return (
        sum(each.st_size for each in files) / MEGABYTE,
        sum(each.st_blocks * BLOCK for each in files) / MEGABYTE,
    )


def measured(browser: Browser) -> dict[str, float]:
    """Return the figures of one fresh clone."""
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="set-up-") as folder:
        place, home = clone(Path(folder)), Path(folder, "home")
        home.mkdir()
        first = start(browser, place, home)
        second = start(browser, place, home)
        files, disk = room(place)
    return {
        "environment s": first["environment"],
        "first address s": first["address"],
        "first page s": first["page"],
        "second address s": second["address"],
        "second start s": second["page"],
        "environment MB": files,
        "environment MB on disk": disk,
        "load": max(load, os.getloadavg()[0]),
    }


def table(rounds: list[dict[str, float]]) -> str:
    """Return the medians, all rounds, and what they are to be at most."""
    lines = [f"{'':<24}{'median':>9}{'at most':>9}   rounds"]
    for name in rounds[0]:
        values = [each[name] for each in rounds]
        target = f"{TARGETS[name]:9.0f}" if name in TARGETS else " " * 9
        every = "  ".join(f"{value:.1f}" for value in values)
        lines.append(f"{name:<24}{statistics.median(values):9.1f}{target}   {every}")
    return "\n".join(lines)


def main() -> int:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print all figures as JSON")
    arguments = parser.parse_args()
    with chromium.launched() as browser:
        rounds = [measured(browser) for _ in range(arguments.rounds)]
    sys.stdout.write(f"{json.dumps(rounds, indent=2) if arguments.json else table(rounds)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
