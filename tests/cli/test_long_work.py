"""Long commands tell how far they are, on a terminal, and can be ended."""

import os
import pty
import signal
import subprocess
import sys
import termios
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from deciding import BOX, decision
from shell import run

from cropkit.audit import links, replay
from cropkit.audit.integrity_reader import Progress
from cropkit.audit.reader import TrailReader
from cropkit.collection import Collection

Told = tuple[str, int, int]


@pytest.fixture
def decided_about(folder: Path) -> Path:
    """Decisions that wait for three images."""
    with Collection(folder) as kit:
        names = sorted(kit.images())[:3]
        kit.decide([decision(kit, name, BOX) for name in names])
    return folder


def on_a_terminal(*words: str) -> str:
    """Run a command whose stderr is a terminal; return what it shows there."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 100))
    command = [sys.executable, "-m", "cropkit", *words]
    at_once = os.environ | {"TQDM_MININTERVAL": "0", "TQDM_MINITERS": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=theirs, env=at_once
    ) as process:
        os.close(theirs)
        shown = b""
        with suppress(OSError):  # how a terminal tells that nobody is there any more
            while some := os.read(ours, 4096):
                shown += some
    os.close(ours)
    assert process.returncode == 0, shown
    return shown.decode()


def test_a_terminal_shows_how_far_apply_and_fsck_are(decided_about: Path) -> None:
    assert "decisions: 100%" in on_a_terminal("apply", str(decided_about))
    shown = on_a_terminal("fsck", str(decided_about))
    for what in ("images", "originals", "events"):
        assert f"{what}: 100%" in shown


def test_elsewhere_nothing_is_shown(decided_about: Path) -> None:
    for command in ("apply", "fsck"):
        assert "%" not in run(command, str(decided_about)).stderr


def test_a_program_is_told_the_same(decided_about: Path) -> None:
    told: list[Told] = []
    with Collection(decided_about) as kit:
        kit.apply_waiting()
        kit.fsck(lambda *each: told.append(each))
    last = {what: (done, total) for what, done, total in told}
    assert {what: done for what, (done, _) in last.items()} == {
        what: total for what, (_, total) in last.items()
    }
    assert last.keys() == {"images", "originals", "events"}
    assert last["images"] == (3, 3)


READS: dict[str, Callable[[TrailReader, Progress], object]] = {
    "events": lambda trail, tell: trail.integrity.disagreements(tell),
    "links": lambda trail, tell: trail.integrity.broken_links(tell),
}


@pytest.mark.parametrize("name", READS)
def test_ctrl_c_ends_a_long_read_where_it_can_stop(
    decided_about: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A trail is read as a whole, and no signal comes between two steps of it."""
    monkeypatch.setattr(replay, "_AT_ONCE", 1)
    monkeypatch.setattr(links, "_NOW_AND_THEN", 1)
    left: list[int] = []

    def press(_what: str, done: int, total: int) -> None:
        left.append(total - done)
        os.kill(os.getpid(), signal.SIGINT)

    with Collection(decided_about) as kit, pytest.raises(KeyboardInterrupt):
        READS[name](kit.trail, press)
    assert left[-1] > 0, "it went on to the end"
    with Collection(decided_about) as kit:
        assert kit.fsck() == []
