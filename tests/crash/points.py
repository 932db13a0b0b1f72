"""Death and failing calls at chosen system calls of each scenario, and in its recovery."""

import errno
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import disk
from checks import how_it_ended, what_is_wrong, what_is_wrong_at_once
from scenarios import Stage, Unsuccessful, heads, remember
from tracer import CHANGES, OPENS, READS, SYNCS, Ended, Stop, Then, Voice, Watch, trace

from cropkit.errors import AuditError, CropkitError, InDoubt

EFFECTS = (*CHANGES, *SYNCS)
_WRITES = tuple(name for name in CHANGES if name not in ("unlink", "unlinkat", "rmdir"))
FAULTS: dict[int, tuple[str, ...]] = {
    errno.EIO: (*EFFECTS, *READS),
    errno.ENOSPC: (*_WRITES, *SYNCS),
    errno.EDQUOT: (*_WRITES, *SYNCS),
    errno.EACCES: CHANGES,
    errno.EROFS: CHANGES,
    errno.EMFILE: OPENS,
}


@dataclass
class At:
    """Kill before the call with this number, among those that count."""

    number: int
    calls: Iterable[str] | None = CHANGES
    reached: int = 0

    def enter(self, stop: Stop) -> Then | int:
        if self.calls is not None and not stop.changes:
            return Then.GO
        self.reached += 1
        return Then.KILL if self.reached == self.number else Then.GO

    def leave(self, stop: Stop, result: int) -> None: ...

    def spoke(self) -> None: ...


@dataclass
class Fault:
    """Let the call with this number fail, all from there on if persistent; then maybe kill."""

    number: int
    error: int
    persistent: bool = False
    then_kill: int = 0
    reached: int = 0
    after: int = 0

    def enter(self, stop: Stop) -> Then | int:
        failed = self.reached >= self.number > 0
        if self._counts(stop):
            self.reached += 1
            if self.reached == self.number or (self.persistent and failed):
                return self.error
        if failed and self.then_kill and stop.changes:
            self.after += 1
            if self.after == self.then_kill:
                return Then.KILL
        return Then.GO

    def _counts(self, stop: Stop) -> bool:
        if stop.name not in FAULTS[self.error]:
            return False
        # a file that is only read can always be opened, but not without a free descriptor
        return (
            stop.name not in OPENS or stop.makes_a_file or self.error in (errno.EMFILE, errno.EIO)
        )

    def leave(self, stop: Stop, result: int) -> None: ...

    def spoke(self) -> None: ...


@dataclass
class Counter:
    """Count for several faults at once how many calls they could let fail, and let none."""

    faults: dict[int, Fault]

    def enter(self, stop: Stop) -> Then | int:
        for fault in self.faults.values():
            fault.enter(stop)
        return Then.GO

    def leave(self, stop: Stop, result: int) -> None: ...

    def spoke(self) -> None: ...


def act(stage: Stage, watch: Watch, calls: Iterable[str] | None) -> Ended:
    """Run the scenario's act in a process of its own, with its calls watched."""
    scenario, place = stage.scenario, stage.place

    def body(voice: Voice) -> None:
        if scenario.opens or scenario.mends:
            voice.arm()
            kit = scenario.run(place)
        else:
            kit = scenario.open(place)
            voice.arm()
            scenario.act(kit)
        voice.say("ok")
        if scenario.opens and kit is not None:
            kit.close()

    return trace(telling(body), watch, calls)


def recover(stage: Stage, watch: Watch, calls: Iterable[str] | None) -> Ended:
    """Carry on in a process of its own, with its calls watched from the start."""

    def body(voice: Voice) -> None:
        voice.arm()
        stage.scenario.carry_on(stage.place)

    return trace(telling(body), watch, calls)


def telling(body: Callable[[Voice], None]) -> Callable[[Voice], None]:
    def told(voice: Voice) -> None:
        try:
            body(voice)
        except (InDoubt, AuditError) as error:
            voice.say(f"doubt {type(error).__name__}: {error}")
        except CropkitError as error:
            voice.say(f"failed {type(error).__name__}: {error}")
        except Unsuccessful as error:
            code, status = error.args
            voice.say(f"{'doubt' if status == 'in-doubt' else 'failed'} {code}")

    return told


def kills(
    stage: Stage, share: int, *, everywhere: bool, seed: int
) -> Iterator[tuple[str, list[str]]]:
    """Kill before each `share`-th system call (of all, or of those that change the disk)."""
    calls = None if everywhere else CHANGES
    number = seed % share + 1
    while True:
        stage.fresh()
        ended = act(stage, At(number, calls), calls)
        if not ended.killed:
            yield (
                f"{stage.scenario.name}: calm",
                how_it_ended(ended) or what_is_wrong(stage, success=True),
            )
            return
        wrong = what_is_wrong(stage, success="ok" in ended.said, thorough=number % 7 == 0)
        yield (
            f"{stage.scenario.name}: killed at {number} of {'all' if everywhere else 'changes'}",
            wrong,
        )
        number += share


def kills_in_recovery(
    stage: Stage, first: int, share: int, seed: int
) -> Iterator[tuple[str, list[str]]]:
    """Kill before each `first`-th change, then before each `share`-th change of the recovery."""
    number = seed % first + 1
    while True:
        stage.fresh()
        if not act(stage, At(number), CHANGES).killed:
            return
        cut_off, known = disk.read(stage.place), heads()
        again = (seed + number) % share + 1
        while True:
            cut_off.write(stage.place)
            remember(known)
            if not recover(stage, At(again), CHANGES).killed:
                break
            thorough = (number + again) % 11 == 0
            wrong = what_is_wrong(stage, thorough=thorough)
            yield f"{stage.scenario.name}: killed at {number}, in recovery at {again}", wrong
            again += share
        number += first


def faults(stage: Stage, share: int, seed: int) -> Iterator[tuple[str, list[str]]]:
    """Let each `share`-th effect fail, with each error in turn: alone, and with all after it."""
    counts = _effects(stage)
    for persistent in (False, True):
        chance = random.Random(f"{seed} {stage.scenario.name} {persistent}")  # noqa: S311  (a sample, not a secret)
        for error in FAULTS:
            for number in range(chance.randrange(share) + 1, counts[error] + 1, share):
                fault = Fault(number, error, persistent)
                point = _failing(stage, fault)
                if fault.reached >= number:  # else this run had fewer calls than the calm one
                    yield point


def _effects(stage: Stage) -> dict[int, int]:
    """Return how many calls of a calm run may fail with each error."""
    stage.fresh()
    counter = Counter({error: Fault(0, error) for error in FAULTS})
    act(stage, counter, {name for names in FAULTS.values() for name in names})
    return {error: fault.reached for error, fault in counter.faults.items()}


def _failing(stage: Stage, watch: Fault) -> tuple[str, list[str]]:
    stage.fresh()
    ended = act(stage, watch, FAULTS[watch.error])
    wrong = how_it_ended(ended) or what_is_wrong_at_once(stage, ended.said)
    wrong = wrong or what_is_wrong(
        stage, success="ok" in ended.said, thorough=watch.number % 5 == 0
    )
    how = f"{errno.errorcode[watch.error]} at {watch.number}"
    after = " and from then on" if watch.persistent else ""
    return f"{stage.scenario.name}: {how}{after}: {ended.said}", wrong


def faults_then_kills(
    stage: Stage, share: int, later: int, seed: int
) -> Iterator[tuple[str, list[str]]]:
    """Let an effect fail, then kill at each `later`-th change after it."""
    calls = FAULTS[errno.EIO]
    number = seed % share + 1
    while True:
        kill = (seed + number) % later + 1
        while True:
            stage.fresh()
            watch = Fault(number, errno.EIO, then_kill=kill)
            ended = act(stage, watch, (*calls, *CHANGES))
            if not ended.killed:
                break
            wrong = what_is_wrong(stage, success="ok" in ended.said)
            yield f"{stage.scenario.name}: EIO at {number}, killed {kill} changes later", wrong
            kill += later
        if watch.reached < number:
            return
        number += share
