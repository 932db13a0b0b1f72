"""Power loss: what a file system that keeps only its promises may have left of an operation.

One run is recorded with its data. From the record come the disk states that strict POSIX allows at
every moment: what was synced is there, and any subset of the rest. Data, names and attributes are
independent of each other; a rename is one step in that the old name never goes before the new one
has come; a folder has one name at any time. Stores into SQLite's shared memory are left out: it is
made anew after a crash.
"""

import os
import random
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import disk
from checks import what_is_wrong
from disk import SHARED_MEMORY, Disk, Inode
from points import act
from scenarios import Stage, remember
from tracer import CHANGES, SYNCS, Ended, Stop, Then

SECTOR = 512


@dataclass(frozen=True)
class Change:
    """A change of one inode: of a file's data or attributes, or of a folder's names."""

    inode: int


@dataclass(frozen=True)
class Wrote(Change):
    offset: int
    data: bytes

    def on(self, there: Disk) -> None:
        old = there.inodes[self.inode].data.ljust(self.offset, b"\0")
        new = old[: self.offset] + self.data + old[self.offset + len(self.data) :]
        there.change(self.inode, data=new)

    def torn(self) -> "Wrote":
        return Wrote(self.inode, self.offset, self.data[: max(SECTOR, len(self.data) // 2)])


@dataclass(frozen=True)
class Cut(Change):
    size: int

    def on(self, there: Disk) -> None:
        there.change(
            self.inode, data=there.inodes[self.inode].data[: self.size].ljust(self.size, b"\0")
        )


@dataclass(frozen=True)
class Attributed(Change):
    mode: int
    mtime_ns: int | None
    xattrs: tuple[tuple[str, bytes], ...]

    def on(self, there: Disk) -> None:
        there.change(self.inode, mode=self.mode, mtime_ns=self.mtime_ns, xattrs=self.xattrs)


@dataclass(frozen=True)
class Named(Change):
    name: str
    target: int

    def on(self, there: Disk) -> None:
        there.names[self.inode, self.name] = self.target


@dataclass(frozen=True)
class Unnamed(Change):
    """`after`: the number of the event that gave the new name, in a rename."""

    name: str
    after: int | None = None

    def on(self, there: Disk) -> None:
        there.names.pop((self.inode, self.name), None)


@dataclass(frozen=True)
class Synced:
    inode: int
    what: str


Event = Wrote | Cut | Attributed | Named | Unnamed | Synced


@dataclass
class Recorder:
    """Watches one run and writes down what it does to the disk."""

    place: Path
    base: Disk | None = None
    numbers: dict[int, int] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    success: int | None = None
    pending: dict[int, "_Before"] = field(default_factory=dict)

    def spoke(self) -> None:
        self.success = len(self.events) if self.success is None else self.success

    def enter(self, stop: Stop) -> Then:
        if self.base is None:
            self.base, self.numbers = disk.read_with_numbers(self.place)
        if not stop.changes and stop.name not in SYNCS:
            return Then.GO
        self.pending[stop.thread] = _Before(stop)
        return Then.LOOK

    def leave(self, stop: Stop, result: int) -> None:
        before = self.pending.pop(stop.thread)
        if result >= 0:
            _TELLERS[stop.name](self, before, result)

    def number(self, inode: int | None) -> int | None:
        return None if inode is None else self.numbers.get(inode)

    def forget(self, inode: int) -> None:
        """Its number may come back for another file."""
        self.numbers.pop(inode, None)

    def add(self, event: Event) -> int:
        self.events.append(event)
        return len(self.events) - 1


class _Before:
    """What a call is about, looked at before it happens."""

    def __init__(self, stop: Stop) -> None:
        self.stop, self.args = stop, stop.args
        self.proc = Path(f"/proc/{stop.thread}")

    def fd(self, place: int = 0) -> int | None:
        """Inode of an open file."""
        return self.proc.joinpath("fd", str(_signed(self.args[place]))).stat().st_ino

    def position(self) -> int:
        said = self.proc.joinpath("fdinfo", str(self.args[0])).read_text()
        return int(said.split()[1])

    def path(self, text: int, folder: int | None = None) -> Path:
        """The path that an argument means, through the folder that another one has open."""
        given = self.stop.text(self.args[text])
        if folder is None or _signed(self.args[folder]) == -100:
            return (
                self.proc / "root" / given.lstrip("/")
                if given[0] == "/"
                else self.proc / "cwd" / given
            )
        return self.proc / "fd" / str(_signed(self.args[folder])) / given


def _signed(value: int) -> int:
    value &= 0xFFFFFFFF
    return value - (1 << 32) if value >> 31 else value


def _inode(path: Path) -> int | None:
    try:
        return path.lstat().st_ino
    except FileNotFoundError:
        return None


def _parent(recorder: Recorder, path: Path) -> int | None:
    return recorder.number(path.parent.stat().st_ino)


def _opened(recorder: Recorder, before: _Before, result: int) -> None:
    at = before.stop.name == "openat"
    path = before.path(1, 0) if at else before.path(0)
    found = before.proc.joinpath("fd", str(result)).stat()
    folder = _parent(recorder, path)
    if folder is None or path.name.endswith(SHARED_MEMORY) or not stat.S_ISREG(found.st_mode):
        return
    flags = before.args[2] if at else before.args[1]
    known = recorder.number(found.st_ino)
    if known is None:
        _born(recorder, folder, path, found)
    elif flags & os.O_TRUNC:
        recorder.add(Cut(known, 0))


def _born(recorder: Recorder, folder: int, path: Path, found: os.stat_result) -> None:
    assert recorder.base is not None
    number = len(recorder.base.inodes)
    recorder.numbers[found.st_ino] = number
    is_folder = stat.S_ISDIR(found.st_mode)
    recorder.base.inodes[number] = Inode(is_folder, stat.S_IMODE(found.st_mode))
    recorder.add(Named(folder, path.name, number))


def _wrote(recorder: Recorder, before: _Before, result: int) -> None:
    inode = recorder.number(before.fd())
    if inode is None:
        return
    data = before.stop.memory(before.args[1], result)
    # by now the position is behind what was written
    offset = before.args[3] if before.stop.name == "pwrite64" else before.position() - result
    recorder.add(Wrote(inode, offset, data))


def _cut(recorder: Recorder, before: _Before, _result: int) -> None:
    if (inode := recorder.number(before.fd())) is not None:
        recorder.add(Cut(inode, before.args[1]))


def _reserved(recorder: Recorder, before: _Before, _result: int) -> None:
    if (inode := recorder.number(before.fd())) is not None:
        _descriptor, _mode, offset, length = before.args[:4]
        recorder.add(Cut(inode, offset + length))


def _synced(recorder: Recorder, before: _Before, _result: int) -> None:
    if (inode := recorder.number(before.fd())) is not None:
        path = (before.proc / "fd" / str(before.args[0])).readlink()
        recorder.add(Synced(inode, os.path.relpath(path, recorder.place)))


def _attributed(recorder: Recorder, before: _Before, _result: int) -> None:
    by_name = before.stop.name in ("utimensat", "fchmodat") and before.args[1]
    path = before.path(1, 0) if by_name else before.proc / "fd" / str(before.args[0])
    found = path.lstat() if by_name else path.stat()
    if (inode := recorder.number(found.st_ino)) is not None:
        now = disk.inode_of(path, found, data=False)
        recorder.add(Attributed(inode, now.mode, now.mtime_ns, now.xattrs))


def _linked(recorder: Recorder, before: _Before, _result: int) -> None:
    path = before.path(3, 2)
    inode, folder = recorder.number(_inode(path)), _parent(recorder, path)
    assert inode is not None
    assert folder is not None
    recorder.add(Named(folder, path.name, inode))


def _renamed(recorder: Recorder, before: _Before, _result: int) -> None:
    at = before.stop.name != "rename"
    old, new = (before.path(1, 0), before.path(3, 2)) if at else (before.path(0), before.path(1))
    inode, folder = recorder.number(_inode(new)), _parent(recorder, new)
    source = _parent(recorder, old)
    if inode is None or folder is None or source is None:
        return
    given = recorder.add(Named(folder, new.name, inode))
    recorder.add(Unnamed(source, old.name, given))


def _unlinked(recorder: Recorder, before: _Before, _result: int) -> None:
    path = before.path(1, 0) if before.stop.name == "unlinkat" else before.path(0)
    folder = _parent(recorder, path)
    if folder is not None and not path.name.endswith(SHARED_MEMORY):
        recorder.add(Unnamed(folder, path.name))


def _made(recorder: Recorder, before: _Before, _result: int) -> None:
    path = before.path(1, 0) if before.stop.name == "mkdirat" else before.path(0)
    folder = _parent(recorder, path)
    if folder is not None:
        _born(recorder, folder, path, path.stat())


_TELLERS = (
    dict.fromkeys(("open", "openat", "creat"), _opened)
    | dict.fromkeys(("write", "pwrite64"), _wrote)
    | dict.fromkeys(("ftruncate",), _cut)
    | dict.fromkeys(("fallocate",), _reserved)
    | dict.fromkeys(("fsync", "fdatasync"), _synced)
    | dict.fromkeys(
        ("fchmod", "fchown", "fsetxattr", "setxattr", "utimensat", "fchmodat"), _attributed
    )
    | dict.fromkeys(("linkat",), _linked)
    | dict.fromkeys(("rename", "renameat", "renameat2"), _renamed)
    | dict.fromkeys(("unlink", "unlinkat", "rmdir"), _unlinked)
    | dict.fromkeys(("mkdir", "mkdirat"), _made)
)


@dataclass(frozen=True)
class Left:
    """A disk state: the changes on the disk, the one that is there by half, and the promise."""

    changes: frozenset[int]
    torn: int | None
    success: bool


@dataclass
class Record:
    """One run: the disk it began with, and what happened to it."""

    base: Disk
    events: list[Event]
    success: int | None

    def disk(self, left: Left) -> Disk:
        there = self.base.copy()
        for number in sorted(left.changes):
            event = self.events[number]
            assert not isinstance(event, Synced)
            if number == left.torn and isinstance(event, Wrote):
                event = event.torn()
            event.on(there)
        return there

    def whole(self) -> Left:
        changes = (n for n, e in enumerate(self.events) if not isinstance(e, Synced))
        return Left(frozenset(changes), None, success=True)

    def states(self, seed: int, without: int | None = None) -> Iterator[Left]:
        """Every legal state at every moment, or what is legal when one sync does not happen."""
        chance = random.Random(seed)  # noqa: S311  (a sample, not a secret)
        seen: set[Left] = set()
        for moment in range(len(self.events) + 1):
            success = self.success is not None and moment >= self.success
            for changes, torn in self._subsets(moment, without, chance):
                left = Left(self._with_new_names(changes), torn, success)
                if left not in seen:
                    seen.add(left)
                    yield left

    def _subsets(
        self, moment: int, without: int | None, chance: random.Random
    ) -> Iterator[tuple[frozenset[int], int | None]]:
        sure, open_ = self._synced(moment, without)
        every = sure | set(open_)
        yield sure, None
        yield every, None
        for number in open_:
            yield sure | {number}, None
            yield every - {number}, None
        for length in range(1, len(open_)):
            yield sure | set(open_[:length]), None
        for _ in range(min(len(open_), 8)):
            yield sure | {n for n in open_ if chance.random() < 0.5}, None
        writes = [n for n in open_ if isinstance(self.events[n], Wrote)]
        for number in writes[-2:]:
            yield every, number
            yield sure | {number}, number

    def _synced(self, moment: int, without: int | None) -> tuple[frozenset[int], list[int]]:
        """The changes before a moment: those that are sure, and the others."""
        last_sync: dict[int, int] = {}
        for number, event in enumerate(self.events[:moment]):
            if isinstance(event, Synced) and number != without:
                last_sync[event.inode] = number
        sure, open_ = set(), []
        for number, event in enumerate(self.events[:moment]):
            if isinstance(event, Synced):
                continue
            if last_sync.get(event.inode, -1) > number:
                sure.add(number)
            else:
                open_.append(number)
        return frozenset(sure), open_

    def _with_new_names(self, changes: frozenset[int]) -> frozenset[int]:
        events = ((n, self.events[n]) for n in changes)
        new = {e.after for _, e in events if isinstance(e, Unnamed) and e.after is not None}
        both = changes | frozenset(new)
        return both | {old for old, new in self._moved_folders.items() if new in both}

    @cached_property
    def _moved_folders(self) -> dict[int, int]:
        """Which event takes a folder's old name, and which one gave the new one."""
        return {
            number: event.after
            for number, event in enumerate(self.events)
            if isinstance(event, Unnamed)
            and event.after is not None
            and self._is_folder(event.after)
        }

    def _is_folder(self, number: int) -> bool:
        event = self.events[number]
        return isinstance(event, Named) and self.base.inodes[event.target].folder


def record(stage: Stage) -> tuple[Record, list[str]]:
    """Run a scenario once; also tell where the record does not explain what is on the disk."""
    stage.fresh()
    watch = Recorder(stage.place)
    ended: Ended = act(stage, watch, (*CHANGES, *SYNCS))
    assert watch.base is not None
    made = Record(watch.base, watch.events, watch.success)
    if "ok" not in ended.said:
        return made, [f"the recorded run ended with {ended.said}"]
    return made, _unexplained(made.disk(made.whole()), disk.read(stage.place))


def _unexplained(told: Disk, found: Disk) -> list[str]:
    def files(of: Disk) -> dict[str, tuple[int, bytes]]:
        return {
            path: (of.inodes[number].mode, of.inodes[number].data)
            for path, number in of.walk()
            if not path.endswith(SHARED_MEMORY)
        }

    differing = {path for path, _ in files(told).items() ^ files(found).items()}
    return [f"the record does not explain {path}" for path in sorted(differing)]


def losses(stage: Stage, limit: int | None, seed: int) -> Iterator[tuple[str, list[str]]]:
    """Recover from a sample of the states that a power cut may leave."""
    made, wrong = record(stage)
    if wrong:
        yield f"{stage.scenario.name}: record", wrong
        return
    states = list(made.states(seed))
    if limit is not None and len(states) > limit:
        states = random.Random(seed).sample(states, limit)  # noqa: S311
    for number, left in enumerate(states):
        yield _point(stage, left), judge(stage, made, left, thorough=number % 9 == 0)


def judge(stage: Stage, made: Record, left: Left, *, thorough: bool = False) -> list[str]:
    made.disk(left).write(stage.place)
    remember(stage.heads)  # what was seen before it: later heads are not in the record
    thorough = thorough or stage.scenario.unsynced
    return what_is_wrong(stage, success=left.success, thorough=thorough, power_was_lost=True)


def _point(stage: Stage, left: Left) -> str:
    return f"{stage.scenario.name}: {len(left.changes)} changes, {left.torn} torn, {left.success}"


def without_each_sync(stage: Stage, tries: int, seed: int) -> Iterator[tuple[str, bool, int]]:
    """For each sync of a run: what it syncs, whether its loss shows, and after how many states."""
    made, _ = record(stage)
    legal = set(made.states(seed))
    for number, event in enumerate(made.events):
        if isinstance(event, Synced):
            new = [left for left in made.states(seed, number) if left not in legal]
            random.Random(seed).shuffle(new)  # noqa: S311
            tried = 0
            for left in new[:tries]:
                tried += 1  # noqa: SIM113  (it is told, also when there is none)
                if judge(stage, made, left, thorough=True):
                    yield event.what, True, tried
                    break
            else:
                yield event.what, False, tried
