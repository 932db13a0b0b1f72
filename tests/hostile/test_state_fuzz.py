"""A `.cropkit` that anybody may have written: whatever is in it, nothing outside changes.

Each case takes a small collection, changes something in its state by a number, and runs commands.
Each of them ends by itself, soon, with a sentence; the files beside the collection stay.
`CROPKIT_STATE_FUZZ_CASES=5000` tries more than the usual ones.
"""

import gzip
import hashlib
import json
import os
import random
import shutil
import signal
import sqlite3
import string
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, redirect_stderr, redirect_stdout, suppress
from datetime import timedelta
from functools import partial
from io import StringIO
from pathlib import Path
from types import FrameType

import pictures
import pytest
from deciding import decision
from patience import patient
from trails import vouch

from cropkit.audit import rotating
from cropkit.audit.trail import AuditTrail
from cropkit.batch.dry_run import foreseen
from cropkit.cli import main
from cropkit.collection import Collection
from cropkit.errors import CropkitError
from cropkit.geometry import PixelBox

CASES = int(os.environ.get("CROPKIT_STATE_FUZZ_CASES", "300"))
EACH = 25  # cases of one test
LONGEST = patient(20)  # seconds of one command
BOX = PixelBox(2, 2, 20, 20)
IN_A_SEGMENT = 5  # events
OF_AN_INNER_ONE = {"missing", "changed", "original", "left over"}  # it may have lost files before
Change = Callable[[Path, random.Random], object]


# -- the world ------------------------------------------------------------------------------------


def make_world(world: Path) -> None:
    """Make a collection with crops, an undo and a decision that waits, and a neighbour."""
    album, neighbour = world / "album", world / "neighbour"
    album.mkdir(parents=True)
    (neighbour / "folder").mkdir(parents=True)
    for number, name in enumerate(("a.png", "b.png", "c.png", "d.png")):
        pictures.write_png(album / name, pictures.photo(32, 32, number))
    pictures.write_png(neighbour / "kept.png", pictures.photo(32, 32, 9))
    (neighbour / "diary.txt").write_text("words\n", encoding="utf-8")
    (neighbour / "folder" / "more.txt").write_text("more\n", encoding="utf-8")
    with Collection(album, reviewer="ann") as collection:
        for name in ("a.png", "b.png"):
            collection.crop(name, BOX)
        collection.undo("b.png")
        collection.trail.store.rotate(IN_A_SEGMENT, least=0)
        collection.decide([decision(collection, "c.png", BOX)])


@pytest.fixture(autouse=True)
def packed_however_little(monkeypatch: pytest.MonkeyPatch) -> None:
    for function in (AuditTrail.compact, rotating.foreseen):
        monkeypatch.setitem(function.__kwdefaults__, "least", 0)  # type: ignore[arg-type]  # (they have one)


@pytest.fixture(scope="module")
def world() -> Iterator[Path]:
    """Make it in memory where that can be: nothing here is about power cuts."""
    above = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108  (a fresh folder in it)
    with tempfile.TemporaryDirectory(prefix="cropkit-fuzz-", dir=above) as made:
        make_world(Path(made) / "world")
        yield Path(made) / "world"


def seen(world: Path) -> dict[str, object]:
    """Return all that stands beside the collection, and what a change of it would show."""
    found: dict[str, object] = {"": sorted(path.name for path in world.iterdir())}
    for path in (world / "neighbour").rglob("*"):
        status = path.lstat()
        digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        found[str(path.relative_to(world))] = (
            status.st_mode,
            status.st_uid,
            status.st_nlink,
            digest,
        )
    return found


# -- what is changed ------------------------------------------------------------------------------

SEGMENT = "trail-000001.jsonl.gz"
BYTES = ("cropkit.db", "trail.jsonl", SEGMENT, "cropkit.log", "writer.lock", "cropkit.db-wal")
TABLES = (
    "decision",
    "queue",
    "operation",
    "claim",
    "audit",
    "session",
    "setting",
    "place",
    "problem",
)


def nasty(world: Path, dice: random.Random) -> object:
    """Return a value that no column of ours holds."""
    neighbour = world / "neighbour"
    inside = {"box": [-5, -5, 10**9, 3], "companions": "x", "attributes": [], "report": 7}
    return dice.choice(
        [
            *(None, "", -1, 0, 2**63 - 1, 1.5e300, b"\xff\xfe", "x" * 100_000, "\ud7ff\x00\x1b[2J"),
            *(
                "a.png",
                "d.png",
                "../neighbour/kept.png",
                str(neighbour / "kept.png"),
                "/",
                ".",
                "..",
            ),
            *(str(neighbour / "new.txt"), "../neighbour/new.txt", ".cropkit/cropkit.db", "a/../b"),
            *("{", "[]", "{}", "null", "1e400", "[" * 5_000, "1" * 5_000, json.dumps(inside)),
            *("prepared", "planned", "done", "aborting", "conflict", "waiting", "crop", "restore"),
            *(
                "0" * 64,
                "f" * 64,
                "2026-01-01T00:00:00.000000Z",
                "yesterday",
                "U+10F7FF",
                "\U0010f7ff",
            ),
        ]
    )


def flip(world: Path, dice: random.Random) -> None:
    path = chosen_file(world, dice)
    data = bytearray(path.read_bytes())
    for _ in range(dice.choice((1, 1, 4, 64))):
        if data:
            data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    path.write_bytes(data)


def truncate(world: Path, dice: random.Random) -> None:
    path = chosen_file(world, dice)
    os.truncate(path, dice.randrange(path.stat().st_size + 1))


def extend(world: Path, dice: random.Random) -> None:
    with chosen_file(world, dice).open("ab") as file:
        tail = (
            dice.randbytes(100),
            bytes(5000),
            b"{}\n",
            b"[" * 10_000 + b"\n",
            b'{"seq": 1e400}\n',
        )
        file.write(dice.choice(tail))


def chosen_file(world: Path, dice: random.Random) -> Path:
    home = world / "album" / ".cropkit"
    path = home / dice.choice(BYTES[:3] + BYTES)
    path.touch()
    return regular(path)


def regular(path: Path) -> Path:
    """Return a file that reading does not wait for: another change may have made it a pipe."""
    if not path.is_file():
        raise FileNotFoundError(path)
    return path


def line(world: Path, dice: random.Random) -> None:
    """Change one line of the export as who knows its form would."""
    name = dice.choice(("trail.jsonl", SEGMENT))
    path = regular(world / "album" / ".cropkit" / name)
    data = path.read_bytes()
    lines = (gzip.decompress(data) if name == SEGMENT else data).decode().splitlines()
    number = dice.randrange(len(lines))
    row = json.loads(lines[number])
    row[dice.choice([*row, "more"])] = dice.choice((None, -1, "x", [], {}, 10**30, row["body"]))
    lines[number] = json.dumps(row)
    written = ("\n".join(lines) + dice.choice(("\n", ""))).encode()
    path.write_bytes(gzip.compress(written) if name == SEGMENT else written)


@contextmanager
def database(world: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(world / "album" / ".cropkit" / "cropkit.db")) as db:
        db.execute("PRAGMA ignore_check_constraints = ON")
        db.execute("PRAGMA foreign_keys = OFF")
        with suppress(sqlite3.Error):
            yield db
        db.commit()


def cell(world: Path, dice: random.Random) -> None:
    with database(world) as db:
        table = dice.choice(TABLES)
        columns = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
        where = dice.choice(("", " WHERE rowid = (SELECT max(rowid) FROM {0})")).format(table)
        column, value = dice.choice(columns), nasty(world, dice)
        db.execute(f"UPDATE {table} SET {column} = ?{where}", (value,))  # noqa: S608  (our own names)


def plan(world: Path, dice: random.Random) -> None:
    """Change what an operation says of itself."""
    with database(world) as db:
        (text,) = db.execute("SELECT plan FROM operation ORDER BY seq DESC").fetchone()
        said = json.loads(text)
        said[dice.choice([*said, "more"])] = nasty_json(dice)
        db.execute("UPDATE operation SET plan = ?", (json.dumps(said),))
        with suppress(sqlite3.Error):
            state = dice.choice(("planned", "prepared", "aborting", "conflict", "done"))
            db.execute("UPDATE operation SET state = ? WHERE seq = 1", (state,))


def nasty_json(dice: random.Random) -> object:
    companion = {"source": "d.png", "target": "e.png", "sha256": "0" * 64, "keeps_source": False}
    mode: dict[str, object] = {
        "mode": 0o6777,
        "uid": 0,
        "gid": 0,
        "mtime_ns": 10**30,
        "atime_ns": None,
        "xattrs": [],
    }
    report = {"kept": 7, "dropped": [1], "psnr": "x", "box_applied": "x"}
    plain: tuple[object, ...] = (None, 7, "x", [], {}, [1, 2], [0, 0, -3, 10**9], [*"abcd"])
    return dice.choice((*plain, [companion], [{"source": 1}], mode, {"mode": "x"}, report))


def unsettled(world: Path, dice: random.Random) -> None:
    with database(world) as db:
        state = dice.choice(("planned", "prepared", "aborting", "conflict", "aborted", "else"))
        which = dice.choice(("1", "seq = 1", "seq = 2", "kind = 'restore'"))
        db.execute(f"UPDATE operation SET state = ? WHERE {which}", (state,))  # noqa: S608  (as above)


def vouched(world: Path, dice: random.Random) -> None:
    """Let operations be open that the trail knows nothing of, and this person's own: of the dead.

    Recovery acts on such a one alone, and on files, where names and content are what is there.
    """
    album = world / "album"
    with database(world) as db:
        for (seq,) in db.execute("SELECT seq FROM operation").fetchall():
            facts = _facts(world, dice)
            sets = ", ".join(f"{column} = ?" for column in facts)
            values = (*facts.values(), seq)
            db.execute(f"UPDATE operation SET {sets} WHERE seq = ?", values)  # noqa: S608  (our own names)
    vouch(album)


def _facts(world: Path, dice: random.Random) -> dict[str, object]:
    album, neighbour = world / "album", world / "neighbour"
    there = [
        path.read_bytes() for path in (album / "a.png", album / "d.png", neighbour / "kept.png")
    ]
    contents = [hashlib.sha256(data).hexdigest() for data in there]
    contents += [path.name for path in (album / ".cropkit" / "originals").iterdir()]
    names = ["a.png", "b.png", "d.png", "new.png", f".cropkit/originals/{contents[0]}"]
    names += ["../neighbour/kept.png", "../neighbour/new.png", str(neighbour / "new.png")]
    source, target, sha256 = dice.choice(names), dice.choice(names), dice.choice(contents)
    companion: dict[str, object] = {"source": source, "target": target, "sha256": sha256}
    companion["keeps_source"] = dice.random() < 0.5
    told = {"box": [2, 2, 20, 20], "companions": [companion], "attributes": None, "report": {}}
    more: dict[str, object] = {
        "kind": dice.choice(("crop", "reject", "restore", "purge")),
        "source": dice.choice(names),
        "target": dice.choice(names),
        "before": dice.choice(contents),
        "after": dice.choice(contents),
        "undoes": dice.choice((None, "f" * 32)),
        "plan": json.dumps(told | dice.choice(({}, {"companions": []}, {"report": 7}))),
    }
    chosen = dice.sample(sorted(more), k=dice.randrange(len(more)))
    state = dice.choice(("planned", "prepared", "prepared", "aborting", "conflict"))
    ours = {"id": f"{dice.getrandbits(128):032x}", "owner": "e" * 32, "state": state}
    return ours | {column: more[column] for column in chosen}


def rows(world: Path, dice: random.Random) -> None:
    with database(world) as db:
        table = dice.choice(TABLES)
        db.execute(f"DELETE FROM {table} WHERE {dice.choice(('1', 'rowid = 1', 'rowid > 1'))}")  # noqa: S608  (as above)


def scheme(world: Path, dice: random.Random) -> None:
    table = dice.choice(TABLES)
    statements = (
        f"CREATE TRIGGER t AFTER INSERT ON {table} BEGIN DELETE FROM audit; END",  # noqa: S608  (as above)
        f"CREATE TRIGGER t BEFORE UPDATE ON {table} BEGIN SELECT RAISE(ABORT, 'no'); END",
        f"CREATE VIEW v AS SELECT * FROM {table}",  # noqa: S608  (as above)
        f"ALTER TABLE {table} RENAME TO was_{table}",
        f"DROP TABLE {table}",
        f"ALTER TABLE {table} ADD COLUMN more TEXT DEFAULT 'x'",
        "CREATE TABLE more (a, b)",
        f"CREATE INDEX more ON {table} (rowid)",
        f"PRAGMA user_version = {dice.choice((-1, 0, 1, 2, 3, 99, 2**31 - 1))}",
        f"PRAGMA application_id = {dice.choice((1, 7))}",
        "PRAGMA journal_mode = DELETE",
        "PRAGMA encoding = 'UTF-16'",
        "VACUUM",
    )
    with database(world) as db:
        db.execute(dice.choice(statements))


def view(world: Path, dice: random.Random) -> None:
    """Let a view stand where a table was."""
    table = dice.choice(TABLES)
    with database(world) as db:
        db.execute(f"ALTER TABLE {table} RENAME TO was_{table}")
        db.execute(f"CREATE VIEW {table} AS SELECT * FROM was_{table}")  # noqa: S608  (as above)


def links(world: Path, dice: random.Random) -> None:
    home, neighbour = world / "album" / ".cropkit", world / "neighbour"
    path = home / dice.choice(
        [*BYTES, "alerts.toml", "originals", "stage", "owners", "runs", "previews", "trail.jsonl"]
    )
    remove(path)
    target = dice.choice((neighbour / "diary.txt", neighbour / "folder", neighbour / "kept.png"))
    with suppress(OSError):
        dice.choice((path.symlink_to, path.hardlink_to))(target)


def kinds(world: Path, dice: random.Random) -> None:
    home = world / "album" / ".cropkit"
    there = sorted(path.name for path in home.iterdir())
    path = home / dice.choice([*there, "alerts.toml", "runs"])
    remove(path)
    dice.choice((os.mkfifo, os.mkdir, Path.touch, str))(path)


def remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def modes(world: Path, dice: random.Random) -> None:
    home = world / "album" / ".cropkit"
    path = dice.choice([home, *home.rglob("*")])
    if dice.random() < 0.5 or os.geteuid() != 0:
        path.chmod(dice.choice((0, 0o400, 0o444, 0o777, 0o2777, 0o6755)))
    else:
        os.chown(path, dice.choice((0, 1234)), 1234)


def leftovers(world: Path, dice: random.Random) -> None:
    """Put files where ours are, change one, or take it away."""
    home = world / "album" / ".cropkit"
    for folder in ("originals", "stage", "owners"):
        name = "".join(dice.choices(string.hexdigits.lower(), k=dice.choice((8, 32, 64))))
        if dice.random() < 0.5:
            (home / folder / f"{name}{dice.choice(('', '.new', '.part'))}").write_bytes(b"else")
    for path in sorted((home / "originals").glob("*")):
        act = dice.choice((str, Path.unlink, lambda p: p.write_bytes(b"other")))
        act(path)


def toml(world: Path, dice: random.Random) -> None:
    texts = (
        '[[sink]]\nkind = "command"\ncommand = ["touch", "{0}/neighbour/new.txt"]\n',
        '[[sink]]\nkind = "webhook"\nurl = "http://127.0.0.1:9/"\ntoken_env = "HOME"\n',
        "idle_days = -1\n",
        "idle_days = nan\n",
        "a" + ".a" * 20_000 + " = 1\n",
        "\0",
        "sink = 7\n",
        '[[sink]]\nkind = "file"\npath = "{0}/neighbour/new.txt"\n',
    )
    text = dice.choice(texts).replace("{0}", str(world))
    (world / "album" / ".cropkit" / "alerts.toml").write_text(text, encoding="utf-8")


CHANGES: tuple[Change, ...] = (
    *(flip, flip, truncate, extend, line, line, cell, cell, cell, cell, plan, plan, unsettled),
    *(
        vouched,
        vouched,
        vouched,
        rows,
        scheme,
        scheme,
        view,
        links,
        links,
        kinds,
        modes,
        leftovers,
        toml,
    ),
)


# -- what is run ----------------------------------------------------------------------------------


def commands(album: Path) -> list[list[str]]:
    folder = str(album)
    return [
        ["history", folder],
        ["history", folder, "--json"],
        ["crop", str(album / "d.png"), "--box", "2,2,20,20"],
        ["crop", str(album / "a.png"), "--box", "1,1,9,9", "--json"],
        ["undo", folder],
        ["undo", folder, "--all"],
        ["apply", folder],
        ["fsck", folder],
        ["fsck", folder, "--rebuild"],
        ["health", folder],
        ["health", folder, "--deep", "--json"],
        ["recover", folder],
        ["recover", folder, "--conflicts"],
        ["stats", folder],
        ["settings", folder],
        ["purge", folder, "--older-than", "0d"],
        ["compact", folder, "--dry-run"],
        ["compact", folder, "--json"],
    ]


class Hung(BaseException):
    """A command did not end by itself."""


def ring(_number: int, _frame: FrameType | None) -> None:
    raise Hung


@contextmanager
def watched() -> Iterator[None]:
    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, LONGEST)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def run(arguments: Sequence[str]) -> str:
    """Run a command; return what is wrong with how it ended, '' for nothing."""
    said = StringIO()
    try:
        with watched(), redirect_stdout(said), redirect_stderr(said):
            code = main(arguments)
    except BaseException as error:  # noqa: BLE001  (whatever a person would see as a traceback)
        return f"{arguments[0]}: {type(error).__name__}: {str(error)[:200]}"
    if code not in (0, 1):
        return f"{arguments[0]}: exit code {code}: {said.getvalue()[-200:]}"
    return f"{arguments[0]}: {said.getvalue()[-200:]}" if "Traceback" in said.getvalue() else ""


def used(album: Path) -> None:
    with Collection(album) as collection:
        collection.history()
        collection.counts()
        collection.decisions()
        collection.redo("b.png")


def planned(album: Path) -> None:
    """Do what a dry run of a batch does, without the notebook."""
    foreseen(album, {"source": "queue"})
    foreseen(album, {"source": "suggestions"})


def joined(album: Path) -> None:
    """Lay it into another collection, join it to that one, and remove what the merge leaves."""
    outer = album.parent.parent / "outer"
    outer.mkdir()
    pictures.write_png(outer / "e.png", pictures.photo(32, 32, 5))
    with Collection(outer) as collection:
        collection.crop("e.png", BOX)
    inner = album.rename(outer / "inner")
    try:
        with Collection(outer) as collection:
            try:
                collection.merge(inner)
            finally:
                differences = [each for each in collection.fsck() if each.kind != "nested"]
                assert {each.kind for each in differences} <= OF_AN_INNER_ONE, differences
                collection.undo("e.png")
            collection.purge(older_than=timedelta(0))
    finally:
        inner.rename(album)


def called(work: Callable[[Path], None], album: Path) -> str:
    """Do in Python what the commands do."""
    try:
        with watched():
            work(album)
    except CropkitError:
        return ""
    except BaseException as error:  # noqa: BLE001  (as above)
        return f"{work.__name__}: {type(error).__name__}: {str(error)[:200]}"
    return ""


def tried(world: Path, number: int) -> list[str]:
    """Try one case; return what went wrong."""
    dice = random.Random(number)  # noqa: S311  (the same each time)
    with tempfile.TemporaryDirectory(dir=world.parent) as made:
        copy = Path(made) / "world"
        shutil.copytree(world, copy)
        changes = dice.choices(CHANGES, k=dice.choice((1, 1, 2)))
        for change in changes:
            with suppress(LookupError, sqlite3.Error, OSError, ValueError):
                change(copy, dice)
        before = seen(copy)
        album = copy / "album"
        acts: list[Callable[[], str]] = [partial(run, one) for one in commands(album)]
        acts += [partial(called, work, album) for work in (used, planned, joined)]
        wrong = [dice.choice(acts)()]
        wrong += [f"beside: {seen(copy)} was {before}"] if seen(copy) != before else []
        unlock(copy)
        names = ", ".join(change.__name__ for change in changes)
        return [f"case {number} ({names}): {one}" for one in wrong if one]


def unlock(world: Path) -> None:
    """Let what was locked away be removed."""
    for path in [world / "album" / ".cropkit", *(world / "album" / ".cropkit").rglob("*")]:
        if path.exists() and not path.is_symlink():
            path.chmod(0o700)


@pytest.mark.filterwarnings("default")  # what a torn state leaves open is closed by the collector
@pytest.mark.parametrize("first", range(0, CASES, EACH))
def test_nothing_outside_changes_and_every_command_ends_with_a_sentence(
    world: Path, monkeypatch: pytest.MonkeyPatch, first: int
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(world.parent / "config"))
    monkeypatch.setitem(Collection.__init__.__kwdefaults__, "deadline", 1.0)  # type: ignore[arg-type]  # (it has some)
    wrong = [one for number in range(first, first + EACH) for one in tried(world, number)]
    assert not wrong, "\n".join(wrong)


def test_each_way_to_change_a_state_is_tried_often() -> None:
    dice = random.Random(0)  # noqa: S311  (the same each time)
    counted = Counter(change.__name__ for change in dice.choices(CHANGES, k=300))
    assert counted.keys() == {change.__name__ for change in CHANGES}


def test_recovery_works_on_files_in_many_of_them(world: Path) -> None:
    acted = Counter[str]()
    for number in range(40):
        with tempfile.TemporaryDirectory(dir=world.parent) as made:
            copy = Path(made) / "world"
            shutil.copytree(world, copy)
            vouched(copy, random.Random(number))  # noqa: S311  (the same each time)
            before = seen(copy)
            with suppress(CropkitError), Collection(copy / "album") as collection:
                acted.update(each.outcome for each in collection.recovered)
            assert seen(copy) == before
    assert all(acted[state] > 3 for state in ("done", "aborted", "conflict")), acted
