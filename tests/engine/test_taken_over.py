"""An owner who is stopped for longer than its lease, and comes back after another took over."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from hashlib import sha256
from pathlib import Path
from typing import Any, NoReturn

import pictures
import pytest
from faults import contents
from patience import patient

from cropkit.audit.operation import Operation
from cropkit.audit.postgres import owners
from cropkit.collection import Collection
from cropkit.engine import recovery
from cropkit.engine.publish import Publisher
from cropkit.errors import TakenOver
from cropkit.geometry import PixelBox
from cropkit.system.home import ORIGINALS

NAME, NEXT, CAPTION = "a_stage2.png", "b_stage2.png", "a_stage2.txt"
LEASE = 1.5
OTHER = PixelBox(0, 0, 10, 10)
STAGED = ".cropkit/stage/"
# Crops one image, fails to, undoes its crop, or purges its original, and stops itself just before,
# or behind, one act on a name.
_OWNER = """
import json, os, signal, sys
from cropkit.audit.operation import Operation
from cropkit.audit.postgres import owners
from cropkit.collection import Collection
from cropkit.engine.originals import Originals
from cropkit.errors import CropkitError, VerificationFailed
from cropkit.geometry import PixelBox
from cropkit.system.files import Root

folder, url, does, act, when, name, lease, first, second = sys.argv[1:]
owners.LEASE, owners.LONGEST = float(lease), float(lease)
real = getattr(Root, act)

def stopping(self, path, *others, **more):
    stops = name in path and not stopping.done
    stopping.done = stopping.done or stops
    if stops and when.startswith("before"):
        os.kill(os.getpid(), signal.SIGSTOP)
    result = real(self, path, *others, **more)
    if stops and when == "after":
        os.kill(os.getpid(), signal.SIGSTOP)
    if stops and when == "before, and dies":
        os.kill(os.getpid(), signal.SIGKILL)
    return result

stopping.done = False
said = {}
kit = Collection(folder, trail=url, destination=folder + "/out" if does == "move" else None)
setattr(Root, act, stopping)

def failing(self, operation):
    raise VerificationFailed(first, "the disk has lost it")

if does == "fail":
    Originals.check = failing
try:
    if does in ("crop", "move", "fail"):
        result = kit.crop(first, PixelBox(5, 5, 20, 20))
    elif does == "undo":
        result = kit.undo(first)[0]
    else:
        result = kit.purge(keep_bytes=0)[0]
    said = {"status": result.status, "code": result.code, "message": result.message}
except CropkitError as error:
    said = {"raised": type(error).__name__}
try:
    kit.crop(second, PixelBox(5, 5, 20, 20))
    said["goes on"] = True
except CropkitError as error:
    said["goes on"] = type(error).__name__
kit.close()
print(json.dumps(said))
"""


# Opens the collection, and stops itself just before one act on a name in what it settles.
_SETTLER = """
import json, os, signal, sys, time
from cropkit.audit.postgres import owners
from cropkit.collection import Collection
from cropkit.errors import CropkitError
from cropkit.system.files import Root

folder, url, act, name, lease = sys.argv[1:]
owners.LONGEST, owners.host = float(lease), lambda: "a third"
real = getattr(Root, act)

def stopping(self, path, *others, **more):
    if name in path and not stopping.done:
        stopping.done = True
        os.kill(os.getpid(), signal.SIGSTOP)
    return real(self, path, *others, **more)

stopping.done = False
setattr(Root, act, stopping)
said = {}
try:
    while not stopping.done:
        Collection(folder, trail=url).close()
        time.sleep(0.1)
except CropkitError as error:
    said = {"raised": type(error).__name__}
print(json.dumps(said))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return pictures.write_folder(tmp_path / "images")


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be another machine, which knows nothing of the locks of this one."""
    monkeypatch.setattr(owners, "host", lambda: "another")


@contextmanager
def stopped(
    folder: Path, url: str, act: str, when: str, name: str, *, does: str = "crop"
) -> Iterator[Callable[[], dict[str, Any]]]:
    """Have an owner at work that has stopped itself; what is yielded lets it go on."""
    arguments = (folder, url, does, act, when, name, LEASE, NAME, NEXT)
    with stopped_by_itself(_OWNER, *arguments) as go_on:
        yield go_on


@contextmanager
def stopped_by_itself(program: str, *arguments: object) -> Iterator[Callable[[], dict[str, Any]]]:
    """Run a program until it has stopped itself; what is yielded lets it go on."""
    command = [sys.executable, "-c", program, *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as owner:

        def go_on() -> dict[str, Any]:
            owner.send_signal(signal.SIGCONT)
            said, _ = owner.communicate(timeout=patient(60))
            found: dict[str, Any] = json.loads(said or "{}")
            return found

        try:
            until = time.monotonic() + patient(60)
            while _state(owner.pid) != "T":
                assert owner.poll() is None, "it has ended, and was never stopped"
                assert time.monotonic() < until
                time.sleep(0.01)
            yield go_on
        finally:
            owner.kill()


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def until_taken(folder: Path, url: str) -> Collection:
    """Open the collection when the lease of the other has run out; it settles what that began."""
    until = time.monotonic() + patient(60)
    while True:
        kit = Collection(folder, trail=url)
        if not kit.trail.operations.unsettled():
            return kit
        kit.close()
        assert time.monotonic() < until
        time.sleep(0.1)


# act on a name, when, part of what is renamed; whether the crop stands after that
POINTS = {
    "before anything is kept": ("write_new", "before", STAGED, False),
    "staged": ("write_new", "after", STAGED, False),
    "just before the rename": ("replace", "before", STAGED, False),
    "just behind the rename": ("replace", "after", STAGED, True),
}


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize("point", POINTS)
def test_who_comes_back_late_gives_nothing_a_name_and_tells_the_trail_nothing(
    folder: Path, postgres_url: str, point: str
) -> None:
    act, when, name, stands = POINTS[point]
    before = (folder / NAME).read_bytes()
    with stopped(folder, postgres_url, act, when, name) as go_on:
        with until_taken(folder, postgres_url) as kit:
            assert ((folder / NAME).read_bytes() != before) == stands
            assert kit.crop(NAME, OTHER).ok
            crop = (folder / NAME).read_bytes()
            said = go_on()
            assert (folder / NAME).read_bytes() == crop
            kit.recover()  # what was staged since is swept
            assert kit.fsck() == []
            assert not kit.trail.operations.unsettled()
            assert (said.get("status") == "cropped") == stands
            assert (said.get("raised") in {"InDoubt", "TakenOver"}) == (not stands)
            assert said["goes on"] == "TakenOver"
            kit.undo(NAME, last=2 if stands else 1)
            assert NEXT not in {row["path"] for row in kit.trail.events(kind="cropped")}
        assert (folder / NAME).read_bytes() == before


@pytest.mark.usefixtures("elsewhere")
def test_an_undo_that_comes_back_late_takes_nothing_back(folder: Path, postgres_url: str) -> None:
    before = (folder / NAME).read_bytes()
    with Collection(folder, trail=postgres_url) as kit:
        assert kit.crop(NAME, OTHER).ok
    with (
        stopped(folder, postgres_url, "replace", "before", STAGED, does="undo") as go_on,
        until_taken(folder, postgres_url) as kit,
    ):
        kit.undo(NAME)
        assert (folder / NAME).read_bytes() == before
        assert kit.crop(NAME, PixelBox(2, 2, 9, 9)).ok
        crop = (folder / NAME).read_bytes()
        said = go_on()
        assert (said["status"], said["goes on"]) == ("in-doubt", "TakenOver")
        assert (folder / NAME).read_bytes() == crop != before
        assert kit.fsck() == []


@pytest.mark.usefixtures("elsewhere")
def test_who_comes_back_while_all_is_put_back_finds_nothing_to_rename(
    folder: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, clean = (folder / NAME).read_bytes(), Publisher.clean
    with stopped(folder, postgres_url, "replace", "before", STAGED) as go_on:

        def cleaned(self: Publisher, operation: Operation) -> None:
            monkeypatch.undo()
            assert go_on()["raised"] == "InDoubt"
            clean(self, operation)

        monkeypatch.setattr(Publisher, "clean", cleaned)
        with until_taken(folder, postgres_url) as kit:
            assert (folder / NAME).read_bytes() == before
            assert kit.fsck() == []


def test_nothing_gets_a_name_when_another_took_over_whatever_the_own_clock_says(
    folder: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All clocks of a virtual machine stand while it is paused, or moved to another host."""
    before = contents(folder)
    with Collection(folder, trail=postgres_url) as kit:
        prepare = kit.trail.prepare

        def prepared(ready: Sequence[Operation]) -> None:
            prepare(ready)
            with kit.trail.store.transaction() as db:
                assert owners.take(db, kit.trail.owner, "f" * 32, lambda _: False)

        monkeypatch.setattr(kit.trail, "prepare", prepared)
        with pytest.raises(TakenOver):
            kit.crop(NAME, OTHER)
        assert contents(folder) == before
    until_taken(folder, postgres_url).close()
    assert contents(folder) == before


def test_what_another_has_taken_over_is_left_as_it_is(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Collection(folder, trail="sqlite") as kit:

        def taken(*_: object) -> NoReturn:
            raise TakenOver(folder, 60)

        monkeypatch.setattr(kit.trail, "prepare", taken)
        monkeypatch.setattr(kit.trail.store, "check_owner", taken)
        with pytest.raises(TakenOver):
            kit.crop(NAME, OTHER)
        assert list((folder / STAGED).iterdir())
        assert list((folder / ORIGINALS).iterdir())


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize(
    ("act", "name"), [("replace", NAME), ("replace", CAPTION), ("link", CAPTION)]
)
@pytest.mark.parametrize("is_undone", [True, False])
def test_a_move_that_comes_back_late_takes_no_name_away_and_gives_none(
    folder: Path, postgres_url: str, act: str, name: str, *, is_undone: bool
) -> None:
    """Stopped behind its last question, before the call that changes a name."""
    (folder / CAPTION).write_text("a caption")
    before = contents(folder)
    with (
        stopped(folder, postgres_url, act, "before", name, does="move") as go_on,
        until_taken(folder, postgres_url) as kit,
    ):
        if is_undone:
            kit.undo(NAME)
        now = contents(folder)
        said = go_on()
        assert said["goes on"] == "TakenOver"
        kit.recover()
        assert contents(folder) == now
        assert (now == before) == is_undone
        assert kit.fsck() == []


@pytest.mark.usefixtures("elsewhere")
def test_a_purge_that_comes_back_late_leaves_the_original(folder: Path, postgres_url: str) -> None:
    before = (folder / NAME).read_bytes()
    with Collection(folder, trail=postgres_url) as kit:
        assert kit.crop(NAME, OTHER).ok
    with (
        stopped(folder, postgres_url, "replace", "before", ORIGINALS, does="purge") as go_on,
        until_taken(folder, postgres_url) as kit,
    ):
        assert go_on()["goes on"] == "TakenOver"
        kit.recover()  # what is in the stage goes
        kit.undo(NAME)
        assert (folder / NAME).read_bytes() == before


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize("when", ["before", "before, and dies"])
def test_a_crop_that_failed_lets_no_original_go_that_another_needs_by_then(
    folder: Path, postgres_url: str, when: str
) -> None:
    before = (folder / NAME).read_bytes()
    with (
        stopped(folder, postgres_url, "replace", when, ORIGINALS, does="fail") as go_on,
        until_taken(folder, postgres_url) as kit,
    ):
        assert kit.crop(NAME, OTHER).ok
        assert go_on().get("goes on") == ("TakenOver" if when == "before" else None)
        kit.recover()  # what is in the stage goes
        assert kit.fsck() == []
        kit.undo(NAME)
        assert (folder / NAME).read_bytes() == before


@pytest.fixture
def unlocked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the lock of a recovery be lost: a server of NFS lets go of that of who is cut off."""
    monkeypatch.setattr(recovery, "recovering", lambda *_: nullcontext())


@pytest.mark.usefixtures("elsewhere", "unlocked")
@pytest.mark.parametrize("is_undone", [True, False])
def test_who_comes_back_in_the_middle_of_settling_for_another_changes_no_name(
    folder: Path, postgres_url: str, *, is_undone: bool
) -> None:
    before = contents(folder)
    with stopped(folder, postgres_url, "replace", "before", NAME, does="move"):
        pass  # killed, when one of its two names was there
    arguments = (folder, postgres_url, "replace", NAME, LEASE)
    with stopped_by_itself(_SETTLER, *arguments) as go_on, until_taken(folder, postgres_url) as kit:
        if is_undone:
            kit.undo(NAME)
        now = contents(folder)
        assert go_on()["raised"] == "TakenOver"
        assert contents(folder) == now
        assert (now == before) == is_undone
        assert kit.fsck() == []


@pytest.mark.usefixtures("elsewhere", "unlocked")
@pytest.mark.parametrize("is_under_way", [False, True])
def test_who_looked_for_originals_alone_lets_none_go_that_is_needed_by_now(
    folder: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch, *, is_under_way: bool
) -> None:
    before = (folder / NEXT).read_bytes()
    with stopped(folder, postgres_url, "replace", "before", STAGED):
        pass  # killed
    unneeded = f"{ORIGINALS}/{sha256(before).hexdigest()}"
    (folder / unneeded).hardlink_to(folder / NEXT)
    arguments = (folder, postgres_url, "replace", unneeded, LEASE)
    with stopped_by_itself(_SETTLER, *arguments) as go_on:
        with Collection(folder, trail=postgres_url) as kit:
            prepare = kit.trail.prepare

            def prepared(ready: Sequence[Operation]) -> None:
                assert not is_under_way or go_on() == {}
                prepare(ready)

            monkeypatch.setattr(kit.trail, "prepare", prepared)
            assert kit.crop(NEXT, OTHER).ok
        assert is_under_way or go_on() == {}
        with Collection(folder, trail=postgres_url) as kit:
            assert kit.fsck() == []
            kit.undo(NEXT)
        assert (folder / NEXT).read_bytes() == before


@pytest.mark.usefixtures("elsewhere", "unlocked")
def test_what_another_settles_who_lives_is_left_to_them(folder: Path, postgres_url: str) -> None:
    with stopped(folder, postgres_url, "replace", "before", NAME, does="move"):
        pass  # killed
    arguments = (folder, postgres_url, "replace", NAME, 60)
    with stopped_by_itself(_SETTLER, *arguments) as go_on:
        with Collection(folder, trail=postgres_url) as kit:
            assert kit.trail.operations.unsettled(), "another settles it"
        assert go_on() == {}
    with Collection(folder, trail=postgres_url) as kit:
        assert not kit.trail.operations.unsettled()
        assert kit.fsck() == []


def test_who_is_only_slow_is_not_taken_over(folder: Path, postgres_url: str) -> None:
    with stopped(folder, postgres_url, "replace", "before", STAGED) as go_on:
        with Collection(folder, trail=postgres_url) as kit:
            assert kit.trail.operations.unsettled(), "its lease has not run out"
        assert go_on() == {"status": "cropped", "code": None, "message": None, "goes on": True}


def test_who_is_stopped_on_this_machine_is_waited_for(folder: Path, postgres_url: str) -> None:
    with stopped(folder, postgres_url, "replace", "before", STAGED) as go_on:
        time.sleep(2 * LEASE)
        with Collection(folder, trail=postgres_url) as kit:
            assert kit.trail.operations.unsettled(), "its lock says that it lives"
        assert go_on()["status"] == "cropped"


def test_who_is_dead_on_this_machine_is_known_to_be_so_at_once(
    folder: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (folder / NAME).read_bytes()
    monkeypatch.setattr(sys.modules[__name__], "LEASE", 1_000)
    with stopped(folder, postgres_url, "replace", "before", STAGED):
        pass  # killed
    with Collection(folder, trail=postgres_url) as kit:
        assert not kit.trail.operations.unsettled()
    assert (folder / NAME).read_bytes() == before


@pytest.mark.usefixtures("elsewhere")
def test_who_is_dead_on_another_machine_is_so_when_its_lease_has_run_out(
    folder: Path, postgres_url: str
) -> None:
    with stopped(folder, postgres_url, "replace", "after", STAGED):
        pass  # killed
    with Collection(folder, trail=postgres_url) as kit:
        assert kit.trail.operations.unsettled(), "it may live there"
    until_taken(folder, postgres_url).close()


@pytest.mark.usefixtures("elsewhere")
def test_a_lease_that_would_last_for_hours_is_none(
    folder: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server's clock was set back since it was made; who lives makes another in seconds."""
    monkeypatch.setattr(sys.modules[__name__], "LEASE", 10_000)
    with stopped(folder, postgres_url, "replace", "before", STAGED):
        pass  # killed
    until_taken(folder, postgres_url).close()


def test_a_lease_is_renewed_while_nothing_is_done(
    folder: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owners, "LONGEST", 0.6)
    with (
        Collection(folder, trail=postgres_url) as kit,
        Collection(folder, trail=postgres_url) as other,
    ):
        time.sleep(2)
        assert other.trail.store.lives(kit.trail.owner)
        assert kit.crop(NAME, OTHER).ok
        name = kit.trail.owner
    with Collection(folder, trail=postgres_url) as other:
        assert not other.trail.store.lives(name)
