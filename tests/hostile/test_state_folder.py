"""A `.cropkit` that somebody else made leads nowhere: links, pipes, other owners are refused."""

import logging
import os
import shutil
import signal
import socket
import stat
import struct
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pictures
import pytest

from cropkit.audit.reader import TrailReader
from cropkit.audit.trail_copy import copied_trail
from cropkit.cli import main
from cropkit.collection import Collection, rebuild
from cropkit.errors import AuditUnavailable, DeliveryFailed, ForeignState
from cropkit.geometry import PixelBox
from cropkit.monitor import reporting
from cropkit.monitor.delivery.sinks import LogFile
from cropkit.monitor.health import Alert
from cropkit.runs import run_folder
from cropkit.system import log
from cropkit.system.files import Root
from cropkit.system.scope import Scope
from cropkit.workers.previews import Cache

BOX = PixelBox(0, 0, 48, 48)
FILES = (
    "trail.jsonl",
    "trail-000001.jsonl.gz",
    "cropkit.log",
    "cropkit.db",
    "cropkit.db-wal",
    "cropkit.db-shm",
    "cropkit.db.new",
    "writer.lock",
    "recover.lock",
    "compact.lock",
    "merge.lock",
    "cropkit.lock",
    "alerts.toml",
)
FOLDERS = ("owners", "stage", "originals", "previews", "runs", "rejected", "merged")
COMMANDS: dict[str, Callable[[Path], list[str]]] = {
    "history": lambda f: ["history", str(f)],
    "crop": lambda f: ["crop", str(f / "b_stage2.png"), "--box", "0,0,48,48"],
    "undo": lambda f: ["undo", str(f)],
    "apply": lambda f: ["apply", str(f)],
    "fsck": lambda f: ["fsck", str(f)],
    "rebuild": lambda f: ["fsck", str(f), "--rebuild"],
    "recover": lambda f: ["recover", str(f)],
    "stats": lambda f: ["stats", str(f)],
    "health": lambda f: ["health", str(f)],
    "acknowledge": lambda f: ["health", str(f), "--acknowledge"],
    "settings": lambda f: ["settings", str(f)],
    "purge": lambda f: ["purge", str(f), "--older-than", "0d"],
    "compact": lambda f: ["compact", str(f)],
    "batch": lambda f: ["batch", str(f), "--dry-run"],
}


@pytest.fixture(scope="module")
def pattern(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A collection in which something was done, with all that may be in its state."""
    folder = pictures.write_folder(tmp_path_factory.mktemp("pattern") / "collection")
    with Collection(folder) as collection:
        collection.crop("a_stage2.png", BOX)
    for name in FOLDERS:
        (folder / ".cropkit" / name).mkdir(mode=0o700, exist_ok=True)
    return folder


@pytest.fixture
def album(pattern: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(pattern, tmp_path / "collection"))


@pytest.fixture
def public(pattern: Path) -> Iterator[Path]:
    """The same where every user may look."""
    place = Path(tempfile.mkdtemp(prefix="cropkit-public-"))
    place.chmod(0o755)
    yield Path(shutil.copytree(pattern, place / "collection"))
    shutil.rmtree(place)


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    path = tmp_path / "home of the person"
    path.mkdir()
    (path / "diary.txt").write_text("dear diary, nobody else may write here\n")
    return path


def everything(place: Path) -> dict[str, tuple[int, bytes]]:
    """What is in a place, with each file's time: whoever only read it changed nothing."""
    return {
        str(path): (path.lstat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
        for path in sorted((place, *place.rglob("*")))
    }


@contextmanager
def no_hang(seconds: int) -> Iterator[None]:
    """A pipe that nobody writes to must not be waited for."""

    def give_up(*_: object) -> None:
        raise TimeoutError("it waits for a pipe")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def refused(command: str, album: Path, named: str, capsys: pytest.CaptureFixture[str]) -> None:
    with no_hang(20):
        assert main(COMMANDS[command](album)) == 1
    told = "".join(capsys.readouterr())
    assert "ForeignState" in told or "foreign-state" in told, told
    assert named in told


def in_its_place(home: Path, name: str, put: Callable[[Path], object]) -> None:
    path = home / name
    if path.is_dir():
        path.rename(home.parent.parent / f"was {name}")
    path.unlink(missing_ok=True)
    put(path)


@pytest.mark.parametrize("command", COMMANDS)
def test_an_export_that_is_a_link_is_not_written_through(
    album: Path, victim: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    in_its_place(album / ".cropkit", "trail.jsonl", lambda p: p.symlink_to(victim / "diary.txt"))
    before = everything(victim), everything(album)
    refused(command, album, "trail.jsonl", capsys)
    assert (everything(victim), everything(album)) == before


@pytest.mark.parametrize("command", COMMANDS)
def test_a_log_that_is_a_link_gets_no_line(
    album: Path, victim: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    hostile = album / "$(touch PWNED).png"
    hostile.write_bytes(b"no image")
    in_its_place(album / ".cropkit", "cropkit.log", lambda p: p.symlink_to(victim / ".bashrc"))
    refused(command, album, "cropkit.log", capsys)
    assert not (victim / ".bashrc").exists()


@pytest.mark.parametrize("name", [*FILES, *FOLDERS])
def test_no_name_in_the_state_may_be_a_link(
    album: Path, victim: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    target = victim / "diary.txt" if name in FILES else victim
    in_its_place(album / ".cropkit", name, lambda p: p.symlink_to(target))
    before = everything(victim), everything(album)
    for command in ("history", "health", "crop", "rebuild"):
        refused(command, album, name, capsys)
    assert (everything(victim), everything(album)) == before


@pytest.mark.parametrize("name", [*FILES, *FOLDERS])
@pytest.mark.parametrize("kind", ["pipe", "socket", "device", "link to nowhere", "second name"])
def test_nor_anything_else_that_is_no_file_or_folder_of_its_own(
    album: Path, victim: Path, name: str, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def a_socket(path: Path) -> None:
        folder = os.open(path.parent, os.O_PATH)
        with socket.socket(socket.AF_UNIX) as bound:
            # an address has room for 107 bytes only
            bound.bind(f"/proc/self/fd/{folder}/{path.name}")
        os.close(folder)

    def a_device(path: Path) -> None:
        if os.geteuid() != 0:
            pytest.skip("only the administrator makes devices")
        os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 3))

    make: dict[str, Callable[[Path], object]] = {
        "pipe": os.mkfifo,
        "socket": a_socket,
        "device": a_device,
        "link to nowhere": lambda p: p.symlink_to(victim / "nothing"),
        "second name": lambda p: p.hardlink_to(victim / "diary.txt"),
    }
    in_its_place(album / ".cropkit", name, make[kind])
    before = everything(victim)
    for command in ("history", "health"):
        refused(command, album, name, capsys)
    assert everything(victim) == before


@pytest.mark.parametrize("name", FILES)
def test_a_folder_where_a_file_belongs_is_refused_by_its_name(
    album: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    in_its_place(album / ".cropkit", name, Path.mkdir)
    refused("history", album, name, capsys)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_state_that_is_itself_a_link_is_not_entered(
    album: Path, victim: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (album / ".cropkit").rename(victim / "state")
    (album / ".cropkit").symlink_to(victim / "state")
    before = everything(victim)
    refused(command, album, ".cropkit", capsys)
    assert everything(victim) == before


@pytest.mark.parametrize("name", ["", *FILES, *FOLDERS])
def test_what_belongs_to_another_user_is_refused(
    album: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only the administrator gives files away")
    path = album / ".cropkit" / name
    if not path.exists():
        path.write_bytes(b"")
    os.chown(path, 1234, -1)
    refused("history", album, path.name, capsys)
    refused("health", album, "1234", capsys)


@pytest.mark.parametrize("name", ["", *FILES, *FOLDERS])
def test_what_everybody_may_write_to_is_refused(
    album: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = album / ".cropkit" / name
    if not path.exists():
        path.write_bytes(b"")
    path.chmod(path.stat().st_mode | stat.S_IWOTH)
    refused("history", album, path.name, capsys)


def test_another_persons_state_is_a_sentence_and_no_traceback(
    public: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The administrator's is not refused for its owner, but may not be looked into."""
    if os.geteuid() != 0:
        pytest.skip("permissions apply to all but the administrator")
    os.seteuid(65534)
    try:
        for command, arguments in COMMANDS.items():
            assert main(arguments(public)) == 1
            told = "".join(capsys.readouterr())
            assert "ermission" in told, (command, told)
    finally:
        os.seteuid(0)


def test_a_crashed_session_of_the_administrator_locks_nobody_out(public: Path) -> None:
    """Its owner file may be read, so that its lock can be asked for."""
    if os.geteuid() != 0:
        pytest.skip("only the administrator has two users")
    owner = public / ".cropkit" / "owners" / ("a" * 32)
    for path in (public, *public.rglob("*")):
        os.chown(path, 65534, -1)
    owner.write_text("a session")
    owner.chmod(0o600)
    os.seteuid(65534)
    try:
        with Collection(public) as collection:
            assert collection.crop("b_stage2.png", BOX).ok
    finally:
        os.seteuid(0)


# -- every opener ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "opener",
    [
        Collection,
        rebuild,
        reporting.figures,
        lambda f: TrailReader(Root(f)),
        lambda f: log.attach(f / ".cropkit" / "cropkit.log", "s"),
        lambda f: copied_trail(Scope(f)).__enter__(),
        run_folder.new_folder,
    ],
)
def test_every_opener_looks_first(
    album: Path, victim: Path, opener: Callable[[Path], object]
) -> None:
    in_its_place(album / ".cropkit", "runs", lambda p: p.symlink_to(victim))
    with pytest.raises(ForeignState, match="runs"):
        opener(album)
    assert [path.name for path in victim.iterdir()] == ["diary.txt"]


def test_alerts_of_a_foreign_state_are_told_without_its_log_and_its_file(
    album: Path, victim: Path
) -> None:
    (album / ".cropkit" / "alerts.toml").write_text('[[sink]]\nkind = "stderr"\n')
    in_its_place(album / ".cropkit", "cropkit.log", lambda p: p.symlink_to(victim / "log"))
    found = reporting.look(album, tell=True)
    assert [alert.code for alert in found.alerts] == ["foreign-state"]
    assert not (victim / "log").exists()


def test_a_preview_goes_through_no_link(tmp_path: Path, victim: Path) -> None:
    folder = tmp_path / ".cropkit" / "previews"
    folder.mkdir(parents=True)
    cache = Cache(folder)
    (folder / f".one.{os.getpid()}").symlink_to(victim / "diary.txt")
    (folder / "two").symlink_to(victim / "diary.txt")
    before = everything(victim)
    cache.put("one", b"a picture")
    assert cache.get("one") == b"a picture"
    assert cache.get("two") is None
    folder.rename(tmp_path / "moved")
    folder.symlink_to(victim)
    cache.put("three", b"a picture")
    assert everything(victim) == before


# -- after the check ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["trail.jsonl", "writer.lock", "cropkit.log", "cropkit.db"])
def test_a_link_that_is_put_there_after_the_check_is_not_followed(
    album: Path, victim: Path, name: str
) -> None:
    collection = Collection(album)
    (album / ".cropkit" / name).unlink(missing_ok=True)
    (album / ".cropkit" / name).symlink_to(victim / "diary.txt")
    before = everything(victim)
    with suppress(ForeignState, AuditUnavailable):  # an export or a log may fall behind
        collection.crop("b_stage2.png", BOX)
    logging.getLogger("cropkit").error("something that is logged")
    assert everything(victim) == before
    with suppress(ForeignState, AuditUnavailable):
        collection.close()
    assert everything(victim) == before


def test_the_folder_of_the_locks_may_not_be_swapped_either(album: Path, victim: Path) -> None:
    collection = Collection(album)
    (album / ".cropkit").rename(album / "was")
    (album / ".cropkit").symlink_to(victim)
    with pytest.raises((ForeignState, AuditUnavailable)):
        collection.crop("b_stage2.png", BOX)
    assert [path.name for path in victim.iterdir()] == ["diary.txt"]
    (album / ".cropkit").unlink()
    (album / "was").rename(album / ".cropkit")
    collection.close()


def test_a_sink_that_would_write_through_a_link_says_so(album: Path, victim: Path) -> None:
    path = album / ".cropkit" / "cropkit.log"
    in_its_place(album / ".cropkit", "cropkit.log", lambda p: p.symlink_to(victim / "log"))
    with pytest.raises(DeliveryFailed, match=r"cropkit\.log"):
        LogFile(path, "s").send([Alert("test", str(album), "told")])
    assert not (victim / "log").exists()


def journal_that_names(victim: Path, database: Path) -> bytes:
    """Build a hot rollback journal with the name of a super-journal, as SQLite reads it."""
    magic = bytes.fromhex("d9d505f920a163d7")
    data, name = database.read_bytes(), os.fsencode(victim)
    size = int.from_bytes(data[16:18], "big")
    head = magic + struct.pack(">IIIII", 0, 1, len(data) // size, 512, size)
    lock_page = struct.pack(">I", 0x40000000 // size + 1)
    end = struct.pack(">II", len(name), sum(name)) + magic
    return head.ljust(512, b"\0") + lock_page + name + end


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("of", ["cropkit.db", "cropkit.db.new"])
def test_a_journal_deletes_no_other_file(
    tmp_path: Path, command: str, of: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = pictures.write_folder(tmp_path / "collection")
    with Collection(folder) as collection:
        collection.crop("a_stage2.png", BOX)
    victim = tmp_path / "precious"
    victim.write_bytes(b"precious")
    database = folder / ".cropkit" / "cropkit.db"
    journal = database.with_name(f"{of}-journal")
    journal.write_bytes(journal_that_names(victim, database))
    main(COMMANDS[command](folder))
    assert victim.read_bytes() == b"precious"
    assert "Traceback" not in capsys.readouterr().err
