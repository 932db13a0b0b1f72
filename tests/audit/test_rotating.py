"""What is old in the export is packed, and nothing is lost at any moment of that."""

import errno
import json
import multiprocessing
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from trails import BOX, A, B, crop, rows

from cropkit.audit import export_reader, rotating, segments
from cropkit.audit.rotating import Moved
from cropkit.audit.store import Store
from cropkit.collection import Collection, rebuild
from cropkit.errors import (
    AuditCorrupt,
    AuditLocked,
    AuditUnavailable,
    Busy,
    LaterOperation,
    NoSpace,
    NothingToUndo,
)
from cropkit.system.files import Root
from cropkit.system.home import (
    COMPACT_LOCK,
    EXPORT,
    EXPORT_SHORTENED,
    HOME,
    WRITER_LOCK,
    segment,
    segment_being_made,
)
from cropkit.system.locks import exclusive, is_free


def told(folder: Path) -> list[str]:
    """Return the hashes of the events that the export tells."""
    return [event["hash"] for event in export_reader.events(folder / EXPORT)]


def known(folder: Path) -> list[str]:
    return [row["hash"] for row in rows(folder, "SELECT hash FROM audit ORDER BY seq")]


def numbers(folder: Path) -> list[int]:
    return segments.numbers(folder / HOME)


def open_events(folder: Path) -> list[int]:
    return [json.loads(line)["seq"] for line in (folder / EXPORT).read_bytes().splitlines()]


def rotate(kit: Collection, last: int | None = None) -> Moved:
    """Move what there is into segments, however little."""
    number = len(known(kit.root)) if last is None else last
    return kit.trail.store.rotate(number, least=0)


@pytest.fixture
def kit(folder: Path) -> Iterator[Collection]:
    crop(folder, A)
    with Collection(folder) as collection:
        collection.crop(B, BOX)
        yield collection


def test_what_is_old_is_packed_and_all_of_it_told_as_before(kit: Collection) -> None:
    before = told(kit.root)
    moved = rotate(kit)
    assert moved.names == ("trail-000001.jsonl.gz",)
    assert moved.events == len(before)
    assert told(kit.root) == before == known(kit.root)
    assert open_events(kit.root) == [len(before)]
    assert kit.fsck() == []
    assert kit.undo()[0].ok
    assert told(kit.root) == known(kit.root)
    rebuild_after(kit)


def rebuild_after(kit: Collection) -> None:
    kit.close()
    events = known(kit.root)
    assert rebuild(kit.root) == len(events)
    assert known(kit.root) == events
    with Collection(kit.root) as later:
        assert later.fsck() == []


def test_the_next_segment_goes_on_where_the_last_one_ended(kit: Collection) -> None:
    rotate(kit)
    kit.undo()
    moved = rotate(kit)
    assert numbers(kit.root) == [1, 2]
    lines = [len(list(segments.lines(kit.root / segment(n)))) for n in (1, 2)]
    assert sum(lines) == len(known(kit.root))
    assert lines[1] == moved.events
    assert told(kit.root) == known(kit.root)
    assert kit.fsck() == []


def test_each_segment_has_a_largest_size(kit: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "LARGEST", 2500)
    assert len(rotate(kit).names) > 2
    for number in numbers(kit.root):
        assert sum(map(len, segments.lines(kit.root / segment(number)))) <= 2500
    assert told(kit.root) == known(kit.root)


def test_what_a_power_cut_may_take_is_not_packed(kit: Collection) -> None:
    rotate(kit, last=4)
    assert open_events(kit.root) == [*range(4, len(known(kit.root)) + 1)]
    assert told(kit.root) == known(kit.root)
    rotate(kit, last=4)
    assert numbers(kit.root) == [1]


def test_little_is_left_as_it_is(kit: Collection) -> None:
    kit.compact()
    assert numbers(kit.root) == []


def test_an_export_that_was_written_whole_again_is_packed_from_where_the_segments_end(
    kit: Collection,
) -> None:
    rotate(kit)
    (kit.root / EXPORT).unlink()
    kit.undo()
    assert open_events(kit.root)[0] == 1
    rotate(kit)
    assert numbers(kit.root) == [1, 2]
    assert kit.fsck() == []
    assert told(kit.root) == known(kit.root)


def test_what_is_left_must_go_on_from_the_segments(kit: Collection) -> None:
    rotate(kit)
    kit.undo(last=2)
    path = kit.root / EXPORT
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[2:]))
    with pytest.raises(AuditCorrupt, match="are missing before it"):
        rotate(kit)
    assert numbers(kit.root) == [1]


def test_a_segment_with_the_last_number_lets_no_event_out_of_sight(kit: Collection) -> None:
    """Who may write to the state can put one there; the next one would not be read by its name."""
    rotate(kit)
    (kit.root / segment(1)).rename(kit.root / segment(segments.MOST))
    kit.undo(last=2)
    with pytest.raises(AuditCorrupt, match="no number is left"):
        rotate(kit)
    assert told(kit.root) == known(kit.root)
    assert kit.fsck() == []


# -- at every moment -----------------------------------------------------------------------------


@contextmanager
def at_each_effect(patch: pytest.MonkeyPatch, look: Callable[[], None]) -> Iterator[None]:
    """Have somebody look before and after everything that changes names or makes data durable."""

    def looking(real: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*arguments: object, **options: object) -> object:
            look()
            result = real(*arguments, **options)
            look()
            return result

        return watched

    with patch.context() as watching:
        for owner, name in ((Root, "replace"), (Root, "sync_folder"), (Root, "unlink")):
            watching.setattr(owner, name, looking(getattr(owner, name)))
        watching.setattr(os, "fsync", looking(os.fsync))
        yield


def test_at_every_moment_all_is_told(kit: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted, looks = known(kit.root), []

    def look() -> None:
        looks.append(told(kit.root))

    monkeypatch.setattr(segments, "LARGEST", 4000)
    with at_each_effect(monkeypatch, look):
        rotate(kit)
    assert len(looks) > 20
    assert all(each == wanted for each in looks)


def test_others_write_meanwhile_and_nothing_of_it_is_lost(
    kit: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "LARGEST", 4000)

    def work(_done: int, _total: int) -> None:
        with Collection(kit.root) as other:
            other.crop("d.jpg", BOX)
            other.undo()

    last = len(known(kit.root))
    kit.trail.store.rotate(last, work, least=0)
    assert open_events(kit.root)[0] == last < len(known(kit.root)) - 4
    assert told(kit.root) == known(kit.root)
    assert kit.fsck() == []


def test_nobody_writes_while_the_open_part_is_made_shorter(
    kit: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = []

    def look() -> None:
        if (kit.root / EXPORT_SHORTENED).exists():
            held.append(not is_free(kit.root / WRITER_LOCK))

    with at_each_effect(monkeypatch, look):
        rotate(kit)
    assert held
    assert all(held)


def test_what_takes_a_name_was_synced_before(
    kit: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What others have appended since is in the shorter export alone, once it has its name."""
    synced: set[int] = set()
    sync, replace = os.fsync, Root.replace

    def noted(fd: int) -> None:
        sync(fd)
        synced.add(os.fstat(fd).st_ino)

    def checked(root: Root, path: str, target: str) -> None:
        assert (root.path / path).stat().st_ino in synced
        replace(root, path, target)

    monkeypatch.setattr(os, "fsync", noted)
    monkeypatch.setattr(Root, "replace", checked)
    rotate(kit)


def test_an_export_that_is_another_one_meanwhile_is_left_alone(kit: Collection) -> None:
    def move_away(_done: int, _total: int) -> None:
        (kit.root / EXPORT).rename(kit.root / "away.jsonl")
        kit.undo()

    kit.trail.store.rotate(len(known(kit.root)), move_away, least=0)
    assert open_events(kit.root)[0] == 1
    assert told(kit.root) == known(kit.root)
    assert kit.fsck() == []


def test_one_that_was_cut_meanwhile_is_left_alone(kit: Collection) -> None:
    path = kit.root / EXPORT
    lines = path.read_bytes().splitlines(keepends=True)

    def cut(_done: int, _total: int) -> None:
        os.truncate(path, sum(map(len, lines[:-2])))

    kit.trail.store.rotate(len(lines), cut, least=0)
    assert open_events(kit.root) == [*range(1, len(lines) - 1)]
    assert told(kit.root) == known(kit.root)


@pytest.mark.parametrize("name", ["write_new", "lines"])
def test_a_segment_that_is_not_what_was_meant_gets_no_name(
    kit: Collection, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    before = (kit.root / EXPORT).read_bytes()
    other = segments.packed(b"something else\n")

    def wrongly(path: Path, *_lines: bytes) -> Iterator[bytes]:
        if name == "write_new":
            path.write_bytes(other)
        return iter([b"something else\n"])

    monkeypatch.setattr(segments, name, wrongly)
    with pytest.raises(AuditCorrupt, match="read back"):
        rotate(kit)
    assert (kit.root / EXPORT).read_bytes() == before
    assert [*(kit.root / HOME).glob("trail-*")] == []


def _work(folder: Path, rounds: int) -> None:
    with Collection(folder) as own:
        for _ in range(rounds):
            with suppress(NothingToUndo, LaterOperation, Busy):
                own.crop("d.jpg", BOX)
                own.undo("d.jpg")


def test_processes_that_work_and_some_that_pack_lose_nothing(folder: Path) -> None:
    """One of those that work is killed, and so are those that pack, wherever they are."""
    fork = multiprocessing.get_context("fork")
    crop(folder, A)
    workers = [fork.Process(target=_work, args=(folder, 12)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for number in range(8):
        packer = fork.Process(target=_pack, args=(folder,))
        packer.start()
        packer.join(0.05 * number)
        packer.kill()
        packer.join()
    workers[0].kill()
    for worker in workers:
        worker.join()
    with Collection(folder) as kit:
        rotate(kit)
        assert told(folder) == known(folder)
        assert kit.fsck() == []
    assert numbers(folder)


def _pack(folder: Path) -> None:
    with Collection(folder) as own:
        for _ in range(5):
            rotate(own)


def test_what_was_packed_by_somebody_who_was_cut_off_goes_from_the_open_part(
    kit: Collection,
) -> None:
    """Their segments stand; there is nothing to pack, and what is told twice goes."""
    whole = (kit.root / EXPORT).read_bytes()
    rotate(kit)
    (kit.root / EXPORT).write_bytes(whole)
    last = len(known(kit.root))
    kit.trail.store.rotate(last, least=len(whole))
    assert (kit.root / EXPORT).read_bytes() == whole, "that little is no trouble"
    rotate(kit)
    assert numbers(kit.root) == [1]
    assert open_events(kit.root) == [last]
    assert kit.fsck() == []


# -- who is cut off, and who comes at the same time ----------------------------------------------


def test_what_somebody_left_half_made_goes_at_the_next_opening(kit: Collection) -> None:
    shorter = kit.root / EXPORT_SHORTENED
    shorter.write_bytes(b"half")
    partial = kit.root / segment_being_made(1)
    partial.write_bytes(b"half")
    with exclusive(kit.root / COMPACT_LOCK, 1), Collection(kit.root):
        assert partial.exists(), "somebody is at work on it"
    with Collection(kit.root):
        assert not partial.exists()
        assert not shorter.exists()
    partial.write_bytes(b"half")
    rotate(kit)
    assert not partial.exists()
    assert numbers(kit.root) == [1]


def test_two_do_not_pack_at_once(kit: Collection) -> None:
    with exclusive(kit.root / COMPACT_LOCK, 1), pytest.raises(AuditLocked):
        kit.trail.store.rotate(len(known(kit.root)), least=0, deadline=0)
    assert numbers(kit.root) == []


def test_whoever_closes_a_collection_packs_what_has_become_long(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    crop(folder, A)
    monkeypatch.setitem(Store.rotate.__kwdefaults__ or {}, "least", 0)
    monkeypatch.setattr(rotating, "LONG", (folder / EXPORT).stat().st_size + 100)
    with Collection(folder):
        pass
    assert numbers(folder) == [], "nothing was written, nothing is packed"
    crop(folder, B)
    assert numbers(folder) == [1]
    assert rows(folder, "SELECT event FROM audit ORDER BY seq")[-1]["event"] == "session-ended"
    assert open_events(folder) == [len(known(folder))]
    assert told(folder) == known(folder)
    assert "packed" not in caplog.text


def test_where_it_cannot_be_packed_at_the_end_that_is_logged_and_no_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(rotating, "LONG", 100)
    (folder / HOME).mkdir(0o700)
    with exclusive(folder / COMPACT_LOCK, 1):
        crop(folder, A)
    assert numbers(folder) == []
    assert "the export was not packed" in caplog.text
    with Collection(folder) as later:
        assert later.fsck() == []


@pytest.mark.parametrize("what", ["numbers", "packed"])
def test_an_error_of_the_system_is_one_of_ours(
    kit: Collection, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    def refuse(_argument: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE), HOME)

    with monkeypatch.context() as failing:
        failing.setattr(segments, what, refuse)
        with pytest.raises(AuditUnavailable, match="Too many open files"):
            kit.trail.compact(least=0)
    assert told(kit.root) == known(kit.root)
    assert kit.fsck() == []


def test_what_would_use_up_the_room_is_not_begun(
    kit: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = known(kit.root)
    monkeypatch.setattr(Root, "free_bytes", lambda _root: 1000)
    with pytest.raises(NoSpace):
        kit.trail.compact(least=0)
    assert known(kit.root) == before
    with suppress(FileNotFoundError):
        assert numbers(kit.root) == []
