"""The operations whose crashes are tried, each on a small world of its own.

A world is a folder with a collection and, beside it, a destination outside of it.
"""

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import disk
import pictures
from disk import Disk
from faults import TwoDisks, as_first_format_6, as_format_1

from cropkit import clock
from cropkit.audit import export_reader, trust
from cropkit.collection import Collection, rebuild
from cropkit.errors import AuditBehind, AuditMissing, TrailForged
from cropkit.formats.options import Jpeg, Options
from cropkit.geometry import PixelBox, Turn
from cropkit.records import Decision, Verdict
from cropkit.system.files import Root
from cropkit.system.home import DATABASE, EXPORT, HOME
from cropkit.system.state_place import IDENTITY

# the protocol is under test, not the codec in a process of its own
EXACT = Options(jpeg=Jpeg.EXACT)
BOX = PixelBox(3, 5, 41, 37)
SMALLER = PixelBox(2, 3, 30, 29)
PNG, JPEG, OTHER = "a_stage2.png", "d.jpg", "c.jpg"
SECOND, LAST = "b_stage2.png", "e.jpeg"
PART, MOVED = "2024", "done"  # a collection inside the collection, and where its crops move to
SLOTS = ("face", "bust")
IN_PART = (PNG, SECOND, JPEG, OTHER, LAST)
REVIEWER = "tester"
BESIDE = (  # a world file, GDAL's auxiliary one, an overview
    b"0.5\n0.0\n0.0\n-0.5\n1000.25\n2000.75\n",
    b"<PAMDataset><GeoTransform>1000, .5, 0, 2000, 0, -.5</GeoTransform></PAMDataset>",
    b"II*\0 the whole scene",
)
STATE = "state"  # the folder that holds the state, where it is not the collection
Act = Callable[[Collection], object]


@dataclass(frozen=True)
class Scenario:
    """One operation: what was done before it, and what it does.

    `opens` is for acts whose opening of the kit is a part of them: it counts, too. `unsynced` says
    that the image was written anew just before, and never synced: a power cut may take it.
    `prepare` changes the world once the steps before are done. `mends` is for an act on a folder
    that cannot be opened before, and `several` for one that is whole for each image by itself.
    `far` makes the folder outside another file system, `copies` has copies made there, and `apart`
    puts the state on another one.
    """

    name: str
    act: Act
    before: tuple["Scenario", ...] = ()
    destination: str | None = None
    opens: bool = False
    unsynced: bool = False
    prepare: Callable[[Path], None] = lambda _world: None
    mends: Callable[[Path], object] | None = None
    far: bool = False
    copies: bool = False
    apart: bool = False
    several: bool = False

    @property
    def undoes(self) -> bool:
        return self.act in (undo, undo_the_older)

    @property
    def compacts(self) -> bool:
        return self.act is compact

    @property
    def merges(self) -> bool:
        return self.act is merge

    def carry_on(self, world: Path) -> None:
        """Come next: open, which recovers, and say again what has to be said again."""
        kit = self.open(world)
        if self.merges or self.compacts:
            self.act(kit)

    def run(self, world: Path) -> Collection | None:
        """Open, and act; the kit is left open."""
        if self.mends:
            self.mends(world / "collection")
            return None
        kit = self.open(world)
        self.act(kit)
        return kit

    def open(self, world: Path) -> Collection:
        """Open as who comes next does, who mends what cannot be opened."""
        folder = world / "collection"
        place = world / self.destination if self.destination else None
        ways: dict[str, Any] = {"copy_to" if self.copies else "destination": place}
        state = world / STATE if self.apart else None
        elsewhere = state or (world / "outside" if self.far else None)
        try:
            return Collection(
                folder,
                state=state,
                reviewer=REVIEWER,
                **ways,
                options=EXACT,
                system=TwoDisks(elsewhere) if elsewhere else os,
            )
        except (AuditMissing, AuditBehind, TrailForged):
            if not self.mends:
                raise
            self.mends(folder)
            return self.open(world)


def apart(scenario: Scenario) -> Scenario:
    """The same, with the state on another file system than the images."""
    before = tuple(map(apart, scenario.before))
    return replace(scenario, name=f"{scenario.name} (state elsewhere)", before=before, apart=True)


def home_of(world: Path) -> Path:
    """Return the folder that holds the state."""
    return world / (STATE if (world / STATE).exists() else "collection")


def crop(name: str, box: PixelBox = BOX) -> Act:
    return lambda kit: kit.crop(name, box)


def turn(kit: Collection) -> None:
    _succeeded(kit.crop(PNG, BOX, turn=Turn.of(90, "vertical")))


def straighten(kit: Collection) -> None:
    _succeeded(kit.crop(PNG, BOX, turn=Turn.of(angle=1.3)))


def crop_two_slots(kit: Collection) -> None:
    """Make two crops of one image."""
    for slot, box in zip(SLOTS, (SMALLER, BOX), strict=True):
        _succeeded(kit.crop(PNG, box, slot=slot))


def decide(kit: Collection, *, verdict: Verdict = Verdict.ADJUSTED, name: str = PNG) -> str:
    look = kit.look(name)
    moment = clock.now()
    made = Decision(
        path=name,
        sha256=look.sha256,
        size=look.size,
        verdict=verdict,
        box=BOX if verdict is Verdict.ADJUSTED else None,
        reviewer=kit.reviewer,
        session=kit.session,
        shown_at=moment,
        decided_at=moment,
    )
    kit.decide([made])
    return made.id


def reject(kit: Collection) -> None:
    reject_one(kit, PNG)


def reject_one(kit: Collection, name: str) -> None:
    _succeeded(kit.apply(decide(kit, verdict=Verdict.REJECT, name=name)))


def undo(kit: Collection) -> None:
    for result in kit.undo():
        _succeeded(result)


def undo_all(kit: Collection) -> None:
    while kit.trail.operations.undoable():
        undo(kit)


def undo_the_older(kit: Collection) -> None:
    oldest = kit.trail.operations.undoable()[0]
    for result in kit.undo_operation(oldest.id):
        _succeeded(result)


def redo(kit: Collection) -> None:
    for result in kit.redo():
        _succeeded(result)


def purge(kit: Collection) -> None:
    for result in kit.purge(keep_bytes=0):
        _succeeded(result)


def merge(kit: Collection) -> None:
    kit.merge(kit.root / PART)


def purge_what_was_merged(kit: Collection) -> None:
    for home in kit.undoer.merged.since():
        _succeeded(kit.undoer.merged.remove(home))


def compact(kit: Collection) -> None:
    kit.trail.compact(least=0)


def undo_the_part(kit: Collection) -> None:
    with Collection(kit.root / PART, reviewer=REVIEWER, options=EXACT) as part:
        for result in part.undo(everything=True):
            _succeeded(result)


def apply_a_group(kit: Collection) -> None:
    """Carry out three decisions together; those that wait already when it is done again."""
    if not kit.trail.decisions.waiting():
        for name in (PNG, JPEG, OTHER):
            decide(kit, name=name)
    for result in kit.apply_waiting():
        _succeeded(result)


def delete(world: Path, name: str) -> None:
    """Delete a crop, on purpose."""
    with Collection(world / "collection", destination=world / "outside") as kit:
        (kit.root / name).unlink()
        kit.accept_changes()


def make_a_part(world: Path) -> None:
    """Put a collection inside: cropped, undone, rejected, moved, one that waits; crop outside."""
    lone = world / "lone"
    lone.mkdir()
    for name in IN_PART:
        shutil.copy2(world / "collection" / name, lone / name)
    with Collection(lone, reviewer=REVIEWER, options=EXACT) as kit:
        crop(PNG)(kit)
        crop(OTHER)(kit)
        undo(kit)
        reject_one(kit, JPEG)
        decide(kit, name=LAST)
    with Collection(lone, reviewer=REVIEWER, options=EXACT, destination=lone / MOVED) as kit:
        crop(SECOND)(kit)
    with CROP_JPEG.open(world) as outer:
        CROP_JPEG.act(outer)
    lone.rename(world / "collection" / PART)


def make_a_merged_part(world: Path) -> None:
    make_a_part(world)
    with MERGE.open(world) as kit:
        merge(kit)


def is_apart(world: Path) -> bool:
    """Whether the collection inside has its state yet."""
    return (world / "collection" / PART / HOME).exists()


def put_companions_beside(folder: Path) -> None:
    """Put beside two images what is exchanged, two files of each, and what goes."""
    for image in (PNG, JPEG):
        stem, _, suffix = image.rpartition(".")
        names = (f"{stem}.{suffix[0]}{suffix[-1]}w", f"{image}.aux.xml", f"{image}.ovr")
        for name, data in zip(names, BESIDE, strict=True):
            (folder / name).write_bytes(data)
            (folder / name).chmod(0o640)
            os.utime(folder / name, ns=(1_600_000_001_123_456_789,) * 2)


def put_beside(world: Path) -> None:
    put_companions_beside(world / "collection")


def crop_with_companions(kit: Collection) -> None:
    """Crop what has companions, as a step before another one: they come with it."""
    put_companions_beside(kit.root)
    crop(PNG)(kit)


def lose_the_database(world: Path) -> None:
    for path in (home_of(world) / HOME).glob("cropkit.db*"):
        path.unlink()


def link_once_more(world: Path) -> None:
    (world / "outside" / "the same.png").hardlink_to(world / "collection" / PNG)


def make_it_old(world: Path) -> None:
    as_format_1(world / "collection")


def make_it_first_6(world: Path) -> None:
    as_first_format_6(world / "collection")


def bring_older_back(world: Path) -> None:
    """Leave an older database than the export, with its log, as a backup of an open one has it."""
    path = world / "collection" / ".cropkit" / "cropkit.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA wal_autocheckpoint = 0")
        db.execute("PRAGMA journal_mode = WAL")
        for number in range(40):
            row = (f"reviewer {number}", "a.png", "2026-01-01T00:00:00.000000Z")
            db.execute("INSERT INTO place VALUES (?, ?, ?)", row)
        left = {each: each.read_bytes() for each in path.parent.glob("cropkit.db*")}
    with Collection(world / "collection", reviewer=REVIEWER, options=EXACT) as kit:
        for name in (JPEG, OTHER):
            crop(name)(kit)
    for each, data in left.items():
        if not each.name.endswith("-shm"):
            each.write_bytes(data)


def put_a_backup_back(world: Path) -> None:
    """Put an earlier state back, of which the files know nothing later."""
    home, backup = world / "collection" / HOME, world / "backup"
    shutil.copytree(home, backup)
    with UNDO.open(world) as kit:
        crop(OTHER)(kit)
        undo(kit)
    shutil.rmtree(home)
    backup.rename(home)


def adopt(folder: Path) -> None:
    trust.adopt(Root(folder))


def let_a_stranger_go_on(world: Path) -> None:
    """Crop with another person's key, who is not known here."""
    mine, known = os.environ["XDG_STATE_HOME"], heads()
    os.environ["XDG_STATE_HOME"] = f"{mine}-of-a-stranger"
    try:
        with CROP_JPEG.open(world) as kit:
            CROP_JPEG.act(kit)
    finally:
        os.environ["XDG_STATE_HOME"] = mine
    remember(known)


def downloaded(kit: Collection) -> Collection:
    """Write the image anew, with the same bytes, as a program that never syncs."""
    path = kit.root / PNG
    kept, found = path.read_bytes(), path.stat()
    path.write_bytes(kept)
    os.utime(path, ns=(found.st_mtime_ns, found.st_mtime_ns))
    return kit


def nothing(_kit: Collection) -> None: ...


def _succeeded(result: object) -> None:
    """`apply` and `undo` tell of a failure in their result; a test wants to be told aloud."""
    status = str(getattr(result, "status", ""))
    if status not in ("cropped", "rejected", "restored", "purged"):
        raise Unsuccessful(str(getattr(result, "code", None)), status)


class Unsuccessful(Exception):
    """(code, status): the result says that it did not come to pass."""


CROP = Scenario("crop a PNG", crop(PNG))
CROP_JPEG = Scenario("crop a JPEG", crop(JPEG))
MOVE = Scenario("move a PNG", crop(PNG), destination="collection/moved")
MOVE_JPEG = Scenario("move a JPEG outside", crop(JPEG), destination="outside")
FAR = Scenario("move to another disk", crop(PNG), destination="outside", far=True)
REJECT = Scenario("reject", reject)
COPY = Scenario("copy a PNG outside", crop(PNG), destination="outside", copies=True)
COPY_IN = Scenario("copy a JPEG", crop(JPEG), destination="collection/copies", copies=True)
FAR_COPY = Scenario("copy to another disk", crop(PNG), destination="outside", far=True, copies=True)
UNDO_COPY = Scenario("undo a copy", undo, (COPY,), destination="outside", copies=True)
UNDO = Scenario("undo a crop", undo, (CROP,))
TURN = Scenario("crop and turn a PNG", turn)
STRAIGHTENED = replace(COPY, name="copy a PNG straightened", act=straighten)
GROUP = Scenario("crop a group", apply_a_group, several=True)
OPENED = Scenario("open, crop, close", crop(PNG), opens=True)
CROP_BESIDE = Scenario("crop with companions", crop(PNG), prepare=put_beside)
MOVE_BESIDE = replace(CROP_BESIDE, name="move with companions", destination="outside")
COPY_BESIDE = replace(MOVE_BESIDE, name="copy with companions", copies=True)
AFTER_BESIDE = Scenario("with companions", crop_with_companions)
AFTER_MOVE_BESIDE = replace(AFTER_BESIDE, destination="outside")
AFTER_COPY_BESIDE = replace(AFTER_MOVE_BESIDE, copies=True)
UNDO_BESIDE = Scenario("undo a crop with companions", undo, (AFTER_BESIDE,))
MERGE = Scenario("merge", merge, prepare=make_a_part)
COMPACT = Scenario("compact", compact, (CROP, UNDO))
SCENARIOS = (
    CROP,
    CROP_JPEG,
    MOVE,
    MOVE_JPEG,
    REJECT,
    UNDO,
    Scenario("undo a JPEG's crop", undo, (CROP_JPEG,)),
    TURN,
    Scenario("undo a turn", undo, (TURN,)),
    Scenario("undo a move", undo, (MOVE,)),
    Scenario("undo a move outside", undo, (MOVE_JPEG,)),
    Scenario("undo a reject", undo, (REJECT,)),
    FAR,
    Scenario("undo a move to another disk", undo, (FAR,), destination="outside", far=True),
    Scenario("crop again", crop(PNG, SMALLER), (CROP_JPEG, CROP)),
    Scenario("undo the older of two", undo_the_older, (CROP_JPEG, CROP)),
    Scenario("undo a crop that was deleted", undo, (CROP,), prepare=lambda w: delete(w, PNG)),
    Scenario(
        "undo a move that was deleted outside",
        undo,
        (MOVE_JPEG,),
        destination="outside",
        prepare=lambda world: delete(world, f"../outside/{JPEG}"),
    ),
    Scenario("redo a crop", redo, (CROP, UNDO)),
    COPY,
    COPY_IN,
    FAR_COPY,
    UNDO_COPY,
    STRAIGHTENED,
    Scenario("copy two slots", crop_two_slots, destination="outside", copies=True, several=True),
    Scenario("copy a group", apply_a_group, destination="outside", copies=True, several=True),
    Scenario("copy what stands", crop(PNG), (COPY,), destination="outside", copies=True),
    Scenario(
        "undo a copy on another disk",
        undo,
        (FAR_COPY,),
        destination="outside",
        far=True,
        copies=True,
    ),
    Scenario("redo a copy", redo, (COPY, UNDO_COPY), destination="outside", copies=True),
    CROP_BESIDE,
    replace(GROUP, name="crop a group with companions", prepare=put_beside),
    UNDO_BESIDE,
    Scenario("redo a crop with companions", redo, (AFTER_BESIDE, UNDO_BESIDE)),
    Scenario("crop with companions again", crop(PNG, SMALLER), (AFTER_BESIDE,)),
    MOVE_BESIDE,
    Scenario("undo a move with companions", undo, (AFTER_MOVE_BESIDE,), destination="outside"),
    COPY_BESIDE,
    Scenario(
        "undo a copy with companions",
        undo,
        (AFTER_COPY_BESIDE,),
        destination="outside",
        copies=True,
    ),
    Scenario("purge with companions", purge, (AFTER_BESIDE,)),
    Scenario("purge", purge, (CROP,)),
    GROUP,
    Scenario("move a group", apply_a_group, destination="collection/moved", several=True),
    Scenario("rebuild", nothing, (CROP, UNDO, REJECT), prepare=lose_the_database, mends=rebuild),
    Scenario("rebuild over a log", nothing, (CROP,), prepare=bring_older_back, mends=rebuild),
    Scenario("rebuild what is whole", nothing, (CROP,), mends=rebuild),
    Scenario("crop one of two names", crop(PNG), prepare=link_once_more),
    Scenario("migrate", nothing, (CROP,), opens=True, prepare=make_it_old),
    Scenario("migrate the first format 6", nothing, (CROP,), opens=True, prepare=make_it_first_6),
    Scenario("adopt a backup", nothing, (CROP,), prepare=put_a_backup_back, mends=adopt),
    Scenario("open a stranger's", nothing, (CROP,), opens=True, prepare=let_a_stranger_go_on),
    MERGE,
    Scenario("purge what was merged", purge_what_was_merged, prepare=make_a_merged_part),
    COMPACT,
    Scenario("compact again", compact, (CROP, COMPACT, UNDO)),
    Scenario("decide", decide),
    Scenario("first open", nothing, opens=True),
    OPENED,
    Scenario("move into a new folder", crop(PNG), destination="collection/new", opens=True),
    Scenario("move into a new folder outside", crop(PNG), destination="new/one", opens=True),
    *map(apart, (CROP, CROP_JPEG, MOVE, COPY, REJECT, UNDO, UNDO_COPY, GROUP, OPENED)),
    *map(apart, (CROP_BESIDE, UNDO_BESIDE)),
    apart(Scenario("undo a move", undo, (MOVE,))),
    apart(Scenario("redo a crop", redo, (CROP, UNDO))),
    apart(Scenario("crop again", crop(PNG, SMALLER), (CROP_JPEG, CROP))),
    apart(Scenario("purge", purge, (CROP,))),
    apart(Scenario("rebuild", nothing, (CROP, UNDO), prepare=lose_the_database, mends=rebuild)),
    apart(Scenario("first open", nothing, opens=True)),
)
WAITING: dict[Act, set[str]] = {  # behind the act
    decide: {PNG},
    merge: {f"{PART}/{LAST}"},
    purge_what_was_merged: {f"{PART}/{LAST}"},
}
DOWNLOADED = (
    Scenario("crop what was never synced", lambda kit: crop(PNG)(downloaded(kit)), unsynced=True),
    Scenario(
        "move what was never synced",
        lambda kit: crop(PNG)(downloaded(kit)),
        destination="collection/moved",
        unsynced=True,
    ),
    Scenario("reject what was never synced", lambda kit: reject(downloaded(kit)), unsynced=True),
)


class Found(NamedTuple):
    """A file as anybody can see it."""

    sha256: str
    mode: int
    mtime_ns: int


@dataclass(frozen=True)
class World:
    """What anybody can see of a world: its files and the decisions that stand."""

    files: dict[str, Found]
    standing: frozenset[tuple[str, str]] = frozenset()

    @property
    def contents(self) -> dict[str, str]:
        return {name: found.sha256 for name, found in self.files.items()}


@dataclass
class Stage:
    """A scenario with its states before and after, as a calm run makes them."""

    scenario: Scenario
    place: Path
    start: Disk = field(default_factory=Disk)
    heads: bytes | None = None
    before: World = field(default_factory=lambda: World({}))
    after: World = field(default_factory=lambda: World({}))
    recorded: frozenset[tuple[str, str, int]] = frozenset()
    began: dict[str, str] = field(default_factory=dict)
    exported: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        shutil.rmtree(self.place, ignore_errors=True)
        remember(None)
        forget_places()
        make_world(self.place)
        self.began = look(self.place).contents
        for step in self.scenario.before:
            with step.open(self.place) as kit:
                step.act(kit)
        self.scenario.prepare(self.place)
        self.start, self.heads = disk.read(self.place), heads()
        if self.scenario.compacts:
            self.exported = exported(self.place)
        with self.scenario.open(self.place) as kit:
            self.before = look(self.place, who_stands(kit))
            self.scenario.act(kit)
            self.after = look(self.place, who_stands(kit))
        waiting = {path for path, status in self.after.standing if status == "waiting"}
        assert waiting == WAITING.get(self.scenario.act, set())
        self.recorded = recorded(self.place)

    @property
    def originals(self) -> frozenset[str]:
        """SHA-256 of what nobody had cropped."""
        beside = (hashlib.sha256(data).hexdigest() for data in BESIDE)
        return frozenset((*self.began.values(), *beside))

    def fresh(self) -> Path:
        self.start.write(self.place)
        remember(self.heads)
        return self.place


def _heads_file() -> Path:
    return Path(os.environ["XDG_STATE_HOME"], "cropkit", "heads.json")


def heads() -> bytes | None:
    """What the person remembers of the trails that they saw: it is no part of the world."""
    return _heads_file().read_bytes() if _heads_file().exists() else None


def remember(known: bytes | None) -> None:
    """Let the person remember this, as they did when the world was as it is to be again."""
    if known is None:
        _heads_file().unlink(missing_ok=True)
    else:
        _heads_file().write_bytes(known)


def forget_places() -> None:
    """Let the person not know of a world that was, and had its state elsewhere."""
    _heads_file().with_name("states.json").unlink(missing_ok=True)


def make_world(place: Path) -> None:
    pictures.write_folder(place / "collection")
    (place / "outside").mkdir()
    for name, mode in ((PNG, 0o640), (JPEG, 0o604)):
        path = place / "collection" / name
        path.chmod(mode)
        os.setxattr(path, "user.note", b"kept")
        os.utime(path, ns=(1_600_000_000_123_456_789, 1_600_000_000_123_456_789))


def look(place: Path, standing: frozenset[tuple[str, str]] = frozenset()) -> World:
    """Every file outside the kit's own folder: SHA-256, mode, time."""
    files = {}
    for path in sorted(place.rglob("*")):
        is_ours = HOME in path.relative_to(place).parts[:-1] or path.name == IDENTITY
        if not is_ours and path.is_file():
            found = path.stat()
            sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
            name = path.relative_to(place).as_posix()
            files[name] = Found(sha256, found.st_mode, found.st_mtime_ns)
    return World(files, standing)


def who_stands(kit: Collection) -> frozenset[tuple[str, str]]:
    """Return each image that a decision stands for, a slot by its copy's name, and its status."""
    every = kit.trail.decisions.standing()
    return frozenset((_named(each.path, each.slot), each.status.value) for each in every)


def _named(path: str, slot: str) -> str:
    stem, dot, suffix = path.rpartition(".")
    return f"{stem}_{slot}{dot}{suffix}" if slot else path


def remove_second_names(place: Path) -> None:
    """Remove what half a rename has left, as a person is told to: what has two names is refused.

    Strict POSIX lets a power cut do that; file systems whose rename is atomic do not.
    """
    for path in (home_of(place) / HOME).glob("trail*.new"):
        if path.stat().st_nlink > 1:
            path.unlink()


def exported(place: Path) -> list[str]:
    """What the export tells without any recovery of ours: the hashes of its events."""
    path = home_of(place) / EXPORT
    return [str(event["hash"]) for event in export_reader.events(path)]


def recorded(place: Path) -> frozenset[tuple[str, str, int]]:
    """What the database says without any recovery of ours: finished operations and outcomes."""
    path = home_of(place) / DATABASE
    with closing(sqlite3.connect(path)) as db:
        done = "SELECT 'done', kind, count(*) FROM operation WHERE state = 'done' GROUP BY kind"
        told = "SELECT 'told', event, count(*) FROM audit WHERE operation NOT NULL GROUP BY event"
        decided = "SELECT 'queue', status, count(*) FROM queue GROUP BY status"
        return frozenset(row for query in (done, told, decided) for row in db.execute(query))
