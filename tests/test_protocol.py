"""Each effect of each operation fails once, or the process dies there: the file is whole.

The effects are those of the file-system seam. After each run the folder must hold the original or
the verified crop, and after recovery database and disk agree.
"""

import errno
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from engine import Faulty, contents, nowhere
from test_kit import decided

from cropkit.errors import CropkitError
from cropkit.geometry import PixelBox
from cropkit.kit import Kit
from cropkit.records import Verdict

FULL = os.environ.get("CROPKIT_CRASH_FULL") == "1"
BOX = PixelBox(3, 5, 41, 37)
IMAGE = "a_stage2.png"
JPEG = "d.jpg"
ERRORS = (errno.ENOSPC, errno.EIO, errno.EACCES, errno.EROFS, errno.EDQUOT, errno.EMFILE)


def crop_in_place(kit: Kit) -> None:
    kit.crop(IMAGE, BOX)


def crop_jpeg(kit: Kit) -> None:
    kit.crop(JPEG, BOX)


def crop_and_move(kit: Kit) -> None:
    kit.destination = "moved"
    kit.crop(IMAGE, BOX)


def reject(kit: Kit) -> None:
    kit.apply(decided(kit, IMAGE, Verdict.REJECT, None))


def undo(kit: Kit) -> None:
    kit.undo()


SCENARIOS: dict[str, tuple[Callable[[Kit], None] | None, Callable[[Kit], None]]] = {
    "crop": (None, crop_in_place),
    "crop a JPEG": (None, crop_jpeg),
    "move": (None, crop_and_move),
    "reject": (None, reject),
    "undo a crop": (crop_in_place, undo),
    "undo a move": (crop_and_move, undo),
    "undo a reject": (reject, undo),
}


@pytest.fixture(params=SCENARIOS)
def scenario(request: pytest.FixtureRequest, folder: Path) -> "Scenario":
    before, act = SCENARIOS[request.param]
    if before:
        with Kit(folder) as kit:
            before(kit)
    return Scenario(folder, act)


class Scenario:
    """A prepared folder, copied afresh for each point."""

    def __init__(self, prepared: Path, act: Callable[[Kit], None]) -> None:
        self.prepared = prepared
        self.act = act
        self.before = contents(prepared)
        self.effects, self.after = self._calm()

    def fresh(self) -> Path:
        place = self.prepared.with_name("point")
        shutil.rmtree(place, ignore_errors=True)
        return Path(shutil.copytree(self.prepared, place))

    def _calm(self) -> tuple[int, dict[str, str]]:
        place, system = self.fresh(), nowhere()
        with Kit(place, system=system) as kit:
            system.armed = True
            self.act(kit)
            system.armed = False
        return len(system.calls), contents(place)

    def points(self, first: int, share: int) -> range:
        """Every effect in a full run, else every `share`-th."""
        return range(first, self.effects + 1, 1 if FULL else share)

    def check(self, place: Path) -> None:
        """The folder holds one of the two whole states, and the trail agrees."""
        with Kit(place) as kit:
            assert [(d.kind, d.path, d.reason) for d in kit.fsck()] == []
            assert kit.trail.unsettled() == []
        assert contents(place) in (self.before, self.after)

    def check_that_it_can_be_done_again(self, place: Path) -> None:
        if contents(place) == self.before:
            with Kit(place) as kit:
                self.act(kit)
            assert contents(place) == self.after


@pytest.mark.parametrize("persistent", [False, True], ids=["once", "from then on"])
def test_a_failing_effect_leaves_a_whole_file(
    scenario: Scenario,
    persistent: bool,  # noqa: FBT001  (a parameter of the test)
) -> None:
    for number in scenario.points(2 if persistent else 1, 6):
        error = ERRORS[number % len(ERRORS)]

        def fail(_name: str, error: int = error) -> None:
            raise OSError(error, os.strerror(error))

        place = scenario.fresh()
        system = Faulty(number, fail, persistent=persistent)
        with Kit(place, system=system) as kit:
            system.armed = True
            with suppress(CropkitError):
                scenario.act(kit)
            system.armed = False
        scenario.check(place)


def test_a_failure_says_so_or_the_work_is_done(scenario: Scenario) -> None:
    """No error swallowed: where the result is not there, somebody was told."""
    for number in scenario.points(3, 8):

        def fail(_name: str) -> None:
            raise OSError(errno.EIO, "Input/output error")

        place = scenario.fresh()
        system = Faulty(number, fail)
        with Kit(place, system=system) as kit:
            system.armed = True
            told = None
            try:
                scenario.act(kit)
            except CropkitError as error:
                told = error
            system.armed = False
            if contents(place) != scenario.after:
                ends = {e["event"] for e in kit.trail.events()}
                assert told or ends & {"failed", "refused", "in-doubt"}


def test_a_death_at_any_effect_is_recovered_from(scenario: Scenario) -> None:
    for number in scenario.points(1, 4):
        place = scenario.fresh()
        assert _die_at(place, number, scenario.act) == 9
        scenario.check(place)
        if number % 5 == 0:
            scenario.check_that_it_can_be_done_again(place)


def test_a_death_in_recovery_is_recovered_from(scenario: Scenario) -> None:
    for number in scenario.points(5, 13):
        for second in range(1, 30, 2 if FULL else 9):
            place = scenario.fresh()
            _die_at(place, number, scenario.act)
            _die_at(place, second, lambda _kit: None, from_the_start=True)
            scenario.check(place)


def _die_at(
    place: Path, number: int, act: Callable[[Kit], None], *, from_the_start: bool = False
) -> int:
    child = os.fork()
    if child == 0:
        try:
            system = Faulty(number, lambda _name: os._exit(9))
            system.armed = from_the_start
            kit = Kit(place, system=system)
            system.armed = True
            act(kit)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)
