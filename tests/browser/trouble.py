"""Photograph what a person sees when things go wrong: one picture and one text for each trouble.

Bad sidecars, a locked database, a file system that became read-only, a full disk, a killed kernel.
Two of them have a small ext4 of their own, so that this needs root.

    python tests/browser/trouble.py FOLDER [TROUBLE…]
"""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from browser import chromium
from browser.reviewing import ROOT, Desk, Running, Status, desk

from cropkit.demo import make_demo

SIZE = {"width": 1440, "height": 900}


def _shows(number: int) -> Callable[[Status], bool]:
    return lambda s: s.page == number and s.shown == "shown"


Trouble = Callable[[Desk, Path, Running], None]


def bad_sidecars(page: Desk, folder: Path, _review: Running) -> None:
    """Seven of twelve sidecars are broken: each is named, and the session is too degraded."""
    for number in (2, 3, 4):
        page.page.wait_for_timeout(500)
        page.press("PageDown")
        page.wait(_shows(number), "the page is shown")
    page.page.wait_for_timeout(1500)
    assert len(list(folder.glob("*.decision"))) > 7


def locked(page: Desk, folder: Path, _review: Running) -> None:
    """Another program holds the database, and the reviewer presses Enter."""
    with closing(sqlite3.connect(folder / ".cropkit" / "cropkit.db")) as rival:
        rival.execute("BEGIN IMMEDIATE")
        page.press("Enter")
        page.page.wait_for_timeout(33_000)
        rival.rollback()


def read_only(page: Desk, folder: Path, _review: Running) -> None:
    """The file system turns read-only under the review, and the reviewer presses Enter."""
    state = Path(f"/sys/fs/ext4/{device(folder.parent)}/trigger_fs_error")
    state.write_text("1")  # errors=remount-ro
    page.press("Enter")
    page.page.wait_for_timeout(4000)


def full(page: Desk, folder: Path, _review: Running) -> None:
    """The disk fills up, and the reviewer presses Enter."""
    room = shutil.disk_usage(folder).free
    with (folder.parent / "ballast").open("wb") as ballast:
        ballast.write(bytes(max(0, room - 200_000)))
    page.press("Enter")
    page.page.wait_for_timeout(4000)


def killed(page: Desk, _folder: Path, review: Running) -> None:
    """The kernel is killed, as when memory is short."""
    with review.probe() as probe:
        pid = int(probe.value("__import__('os').getpid()"))
    os.kill(pid, signal.SIGKILL)
    page.page.wait_for_timeout(31_000)  # three beats and a second


TROUBLES: dict[str, tuple[Trouble, int]] = {
    "bad-sidecars": (bad_sidecars, 0),
    "locked": (locked, 0),
    "read-only": (read_only, 64),
    "full": (full, 64),
    "killed": (killed, 0),
}


def device(place: Path) -> str:
    found = subprocess.run(
        ["findmnt", "-n", "-o", "SOURCE", place], capture_output=True, text=True, check=True
    )
    return Path(found.stdout.strip()).name


def told(*command: str) -> None:
    subprocess.run(command, check=False)


@contextmanager
def disk(place: Path, megabytes: int) -> Iterator[Path]:
    """Lend a folder, on a small file system of its own where that is asked for."""
    place.mkdir()
    if not megabytes:
        yield place
        return
    image = place.with_suffix(".img")
    with image.open("wb") as file:
        file.truncate(megabytes << 20)
    subprocess.run(["mkfs.ext4", "-q", image], check=True)
    subprocess.run(["mount", "-o", "loop,errors=remount-ro", image, place], check=True)
    try:
        yield place
    finally:
        told("umount", "-l", str(place))


def photograph(name: str, out: Path) -> None:
    trouble, megabytes = TROUBLES[name]
    with tempfile.TemporaryDirectory() as where, disk(Path(where) / "disk", megabytes) as place:
        folder = make_demo(place / "pictures", 12)
        if trouble is bad_sidecars:
            for sidecar in sorted(folder.glob("*.decision"))[:7]:
                sidecar.write_text("{broken")
        home = Path(where) / "home"
        (home / "tmp").mkdir(parents=True)
        review = Running(home, str(folder))
        try:
            with chromium.launched() as browser, desk(browser, review.url, viewport=SIZE) as page:
                trouble(page, folder, review)
                page.page.screenshot(path=out / f"{name}.png")
                (out / f"{name}.txt").write_text(page.text())
        finally:
            review.stop(signal.SIGINT)
        (out / f"{name}.terminal.txt").write_text(review.said())
        health = subprocess.run(
            [sys.executable, "-m", "cropkit", "health", folder],
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
        )
        said = f"{health.stdout}{health.stderr}exit code {health.returncode}\n"
        (out / f"{name}.health.txt").write_text(said)


def main(arguments: list[str]) -> None:
    out = Path(arguments[0])
    out.mkdir(parents=True, exist_ok=True)
    for name in arguments[1:] or TROUBLES:
        photograph(name, out)


if __name__ == "__main__":
    main(sys.argv[1:])
