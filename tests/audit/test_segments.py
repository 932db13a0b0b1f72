"""The export in several files: closed segments and the open part are read as one chain."""

import gzip
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pictures
import pytest
from deciding import decision
from shell import run
from trails import BOX, A, B, crop, rows

from cropkit.audit import export, export_reader, segments, trust
from cropkit.audit.chain import GENESIS, digest
from cropkit.collection import Collection, rebuild
from cropkit.errors import AuditBehind, AuditCorrupt, AuditMissing, ForeignState
from cropkit.system import home, state_folder
from cropkit.system.home import DATABASE, EXPORT, HOME


def lines_of(folder: Path) -> list[bytes]:
    return (folder / EXPORT).read_bytes().splitlines(keepends=True)


def segment(folder: Path, number: int) -> Path:
    return folder / home.segment(number)


def close(folder: Path, number: int, lines: Sequence[bytes]) -> None:
    segment(folder, number).write_bytes(segments.packed(b"".join(lines)))


@pytest.fixture
def parted(folder: Path) -> Path:
    """A collection whose export is two segments of three events each, and the rest."""
    for name in (A, B):
        crop(folder, name)
    lines = lines_of(folder)
    close(folder, 1, lines[:3])
    close(folder, 2, lines[3:6])
    (folder / EXPORT).write_bytes(b"".join(lines[5:]))  # the last one of a segment is there, too
    return folder


def differences(folder: Path) -> list[tuple[str, str]]:
    with Collection(folder) as kit:
        return [(each.path, each.reason) for each in kit.fsck()]


def test_segments_and_what_is_left_are_one_chain(parted: Path) -> None:
    hashes = [event["hash"] for event in export_reader.events(parted / EXPORT)]
    known = [row["hash"] for row in rows(parted, "SELECT hash FROM audit ORDER BY seq")]
    assert hashes == known
    assert differences(parted) == []


def test_a_database_is_made_anew_from_all_of_it(parted: Path) -> None:
    before = rows(parted, "SELECT * FROM audit ORDER BY seq")
    (parted / DATABASE).unlink()
    with pytest.raises(AuditMissing):
        Collection(parted)
    assert rebuild(parted) == len(before)
    assert rows(parted, "SELECT * FROM audit ORDER BY seq") == before
    assert differences(parted) == []
    with Collection(parted) as kit:
        assert kit.undo(A)[0].ok


def test_a_database_is_missed_where_segments_alone_tell_of_it(parted: Path) -> None:
    for path in (parted / DATABASE, parted / EXPORT):
        path.unlink()
    shutil.rmtree(parted / HOME / "originals")
    (parted / HOME / "originals").mkdir()
    with pytest.raises(AuditMissing):
        Collection(parted)


def test_a_database_that_is_older_than_the_first_open_line_is_noticed(
    folder: Path, tmp_path: Path
) -> None:
    crop(folder, A)
    older = tmp_path / "older.db"
    shutil.copy(folder / DATABASE, older)
    crop(folder, B)
    lines = lines_of(folder)
    close(folder, 1, lines)
    (folder / EXPORT).write_bytes(lines[-1])
    shutil.copy(older, folder / DATABASE)
    with pytest.raises(AuditBehind):
        Collection(folder)
    assert rebuild(folder) == len(lines)
    assert differences(folder) == []


def test_an_export_that_was_moved_away_is_written_whole_beside_its_segments(parted: Path) -> None:
    (parted / EXPORT).unlink()
    assert differences(parted) == []
    assert json.loads(lines_of(parted)[0])["seq"] == 1
    (parted / DATABASE).unlink()
    rebuild(parted)
    assert differences(parted) == []


def swap(folder: Path) -> None:
    segment(folder, 1).rename(folder / "between")
    segment(folder, 2).rename(segment(folder, 1))
    (folder / "between").rename(segment(folder, 2))


def change_an_event(folder: Path) -> None:
    event = json.loads(next(segments.lines(segment(folder, 1))))
    event["previous"], event["at"] = GENESIS, "2020"
    close(folder, 1, [json.dumps(event | {"hash": digest(event)}).encode() + b"\n"])


WRONG: dict[str, tuple[Callable[[Path], object], int, str]] = {
    "missing": (lambda f: segment(f, 1).unlink(), 2, "events 1 to 3 are missing"),
    "the last one missing": (lambda f: segment(f, 2).unlink(), 0, "events 4 to 5 are missing"),
    "doubled": (
        lambda f: shutil.copy(segment(f, 1), segment(f, 3)),
        3,
        "in an earlier segment already",
    ),
    "reordered": (swap, 1, "events 1 to 3 are missing"),
    "another's": (change_an_event, 1, "is not event 1 of the database"),
    "empty": (lambda f: segment(f, 3).write_bytes(b""), 3, "no event is in it"),
    "of nothing": (lambda f: close(f, 3, []), 3, "no event is in it"),
    "no gzip": (lambda f: segment(f, 2).write_bytes(b"PK\3\4"), 2, "cannot be unpacked"),
    "cut off": (
        lambda f: segment(f, 2).write_bytes(segment(f, 2).read_bytes()[:-9]),
        2,
        "cannot be unpacked",
    ),
    "of half a line": (lambda f: close(f, 2, [b"half"]), 2, "within a line"),
    "of something else": (lambda f: close(f, 2, [b"[]\n"]), 2, "not an event"),
}


@pytest.mark.parametrize("how", WRONG)
def test_a_segment_that_is_wrong_is_named_with_its_cure(parted: Path, how: str) -> None:
    spoil, number, words = WRONG[how]
    spoil(parted)
    name = Path(home.segment(number)).name if number else "trail.jsonl"
    ((path, reason),) = differences(parted)
    assert path == name
    assert words in reason
    assert "move trail.jsonl and all of trail-*.jsonl.gz away" in reason
    for each in [*(parted / HOME).glob("trail-*.jsonl.gz"), parted / EXPORT]:
        each.unlink()
    assert differences(parted) == []


Lines = list[bytes]


def of_another(folder: Path) -> Lines:
    """Return the export of a collection with other events and the same numbers."""
    another = folder.parent / "another"
    if not another.exists():
        for name in (A, B, "c.jpg"):
            crop(pictures.write_folder(another) if name == A else another, name)
    return lines_of(another)


def alike(name: str) -> Callable[[Path, Lines], object]:
    return lambda folder, _: shutil.copy(segment(folder, 2), folder / HOME / name)


# Where a file comes from, whether a rebuild can do without a look at it.
PLANTED: dict[str, tuple[Callable[[Path, Lines], object], str, bool]] = {
    "the same": (lambda f, _: shutil.copy(segment(f, 2), segment(f, 3)), "trail-000003", True),
    "one over two": (lambda f, lines: close(f, 3, lines[1:5]), "trail-000003", True),
    "over the open part": (lambda f, lines: close(f, 3, lines[4:7]), "trail-000003", True),
    "behind a gap": (lambda f, lines: close(f, 3, lines[7:8]), "trail-000003", False),
    "another's": (lambda f, _: close(f, 3, of_another(f)[:3]), "trail-000003", False),
    "of number 0": (lambda f, _: close(f, 0, of_another(f)[:3]), "trail-000000", True),
    "in capitals": (alike("TRAIL-000002.JSONL.GZ"), "TRAIL-000002", True),
    "half in capitals": (alike("Trail-000002.jsonl.gz"), "Trail-000002", True),
    "not packed": (alike("trail-000002.jsonl"), "trail-000002.jsonl", True),
    "of fewer digits": (alike("trail-2.jsonl.gz"), "trail-2", True),
    "of more digits": (alike("trail-0000002.jsonl.gz"), "trail-0000002", True),
    "without a number": (alike("trail.jsonl.gz"), "trail.jsonl.gz", True),
}


def packs(folder: Path) -> bool:
    """Whether a packing is made; what refuses it leaves all files as they are."""
    before = {path: path.read_bytes() for path in (folder / HOME).glob("trail*")}
    with Collection(folder) as kit:
        try:
            kit.trail.store.rotate(len(rows(folder, "SELECT seq FROM audit")), least=0)
        except AuditCorrupt:
            assert all(path.read_bytes() == data for path, data in before.items())
            return False
    return True


@pytest.mark.parametrize("how", PLANTED)
def test_a_file_that_was_planted_is_named_and_nothing_is_lost(parted: Path, how: str) -> None:
    plant, named, harmless = PLANTED[how]
    plant(parted, list(export_lines(parted)))
    planted = {path for path, _ in differences(parted)}
    assert {name[: len(named)] for name in planted} == {named}
    packs(parted)
    with Collection(parted) as kit:
        assert kit.crop("c.jpg", BOX).ok
    packs(parted)
    known = [row["hash"] for row in rows(parted, "SELECT hash FROM audit ORDER BY seq")]
    (parted / DATABASE).unlink()
    if not harmless:
        with pytest.raises(AuditCorrupt, match="trail"):
            rebuild(parted)
        for name in planted:
            (parted / HOME / name).unlink()
    assert rebuild(parted) == len(known)
    hashes = [event["hash"] for event in export_reader.events(parted / EXPORT)]
    assert hashes[: len(known)] == known
    is_part = any(path == name for path, _ in differences(parted) for name in _parts(parted))
    for name in (*_parts(parted), "trail.jsonl") if is_part else planted:
        (parted / HOME / name).unlink(missing_ok=True)
    assert differences(parted) == []
    assert packs(parted)
    assert differences(parted) == []


def _parts(folder: Path) -> list[str]:
    return [Path(home.segment(number)).name for number in segments.numbers(folder / HOME)]


def export_lines(folder: Path) -> Iterator[bytes]:
    for event in export_reader.events(folder / EXPORT):
        yield json.dumps(event).encode() + b"\n"


@pytest.mark.parametrize("name", ["TRAIL-000002.JSONL.GZ", "trail-2.jsonl.gz"])
def test_a_segment_that_was_renamed_is_named_with_what_is_missing(parted: Path, name: str) -> None:
    segment(parted, 2).rename(parted / HOME / name)
    told = dict(differences(parted))
    assert told.keys() == {name, "trail.jsonl"}
    assert "give it such a name where events are missing" in told[name]
    (parted / HOME / name).rename(segment(parted, 2))
    assert differences(parted) == []


@pytest.mark.parametrize("how", [how for how in WRONG if how not in ("doubled", "another's")])
def test_no_database_is_made_of_segments_that_are_wrong(parted: Path, how: str) -> None:
    WRONG[how][0](parted)
    before = (parted / DATABASE).read_bytes()
    with pytest.raises(AuditCorrupt):
        rebuild(parted)
    assert (parted / DATABASE).read_bytes() == before


def test_what_is_there_twice_is_one_event_only_if_it_is_the_same(parted: Path) -> None:
    shutil.copy(segment(parted, 1), segment(parted, 3))
    assert rebuild(parted) == len(rows(parted, "SELECT seq FROM audit"))
    event = json.loads(next(segments.lines(segment(parted, 1)))) | {"at": "2020"}
    close(parted, 3, [json.dumps(event | {"hash": digest(event)}).encode() + b"\n"])
    with pytest.raises(AuditCorrupt, match="line 1 is another event 1 than the one before"):
        rebuild(parted)


def test_an_opening_reads_one_line_of_the_last_segment_and_the_end_of_what_is_open(
    parted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    real = os.open

    def noted(path: str, *arguments: int, **options: int) -> int:
        opened.append(os.fspath(path))
        return real(path, *arguments, **options)

    monkeypatch.setattr(os, "open", noted)
    unpacked: list[int] = []
    real_lines = segments.lines

    def counted(path: Path) -> Generator[bytes, None, None]:
        for line in real_lines(path):
            unpacked.append(len(line))
            yield line

    monkeypatch.setattr(segments, "lines", counted)
    with Collection(parted):
        pass
    assert "trail.jsonl" in opened
    assert [name for name in opened if name.endswith(".gz")] == [segment(parted, 2).name]
    assert len(unpacked) == 1


def test_an_opening_reads_the_end_of_a_long_open_part(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Collection(folder) as kit:
        kit.decide([decision(kit, A, BOX)])
        kit.trail.store.rotate(2, least=0)
        for at in range(0, 600, 100):
            each = [decision(kit, A, BOX) for _ in range(100)]
            kit.decide([replace(d, path=f"{at + n}.png") for n, d in enumerate(each)])
    looked_at: list[int] = []
    for name in ("pread", "preadv", "read"):
        real = getattr(os, name)

        def noted(fd: int, *arguments: Any, real: Callable[..., Any] = real) -> Any:
            done = real(fd, *arguments)
            looked_at.append(done if isinstance(done, int) else len(done))
            return done

        monkeypatch.setattr(os, name, noted)
    monkeypatch.setattr(export, "_AT_RISK", 1000)
    with Collection(folder):
        pass
    assert (folder / EXPORT).stat().st_size > 400_000
    assert 0 < sum(looked_at) < 300_000


# -- a backup that was put back ------------------------------------------------------------------


@pytest.fixture
def put_back(folder: Path) -> Path:
    """A collection whose database and open part are older than its last segments.

    The backup was made within the first segment that it lacks, or before it.
    """
    crop(folder, A)
    backup = {name: (folder / name).read_bytes() for name in (DATABASE, EXPORT)}
    crop(folder, B)
    lines = lines_of(folder)
    close(folder, 1, lines[:6])
    close(folder, 2, lines[6:])
    for name, data in backup.items():
        (folder / name).write_bytes(data)
    assert len(lines) == 8
    return folder


def pictures_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize("last", [1, 2])
@pytest.mark.parametrize("open_part", [True, False])
def test_a_database_that_is_older_than_a_segment_is_not_opened(
    put_back: Path, last: int, *, open_part: bool
) -> None:
    if last == 1:
        segment(put_back, 2).unlink()
        trust.forget(put_back)  # who remembers that one is told so
    if not open_part:
        (put_back / EXPORT).unlink()
    before, images = (put_back / DATABASE).read_bytes(), pictures_of(put_back)
    *_, newest = (json.loads(line) for line in segments.lines(segment(put_back, last)))
    (mine,) = rows(put_back, "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")
    with pytest.raises(AuditBehind) as raised:
        Collection(put_back)
    for head in (newest, mine):
        assert f"event {head['seq']} ({head['hash'][:12]})" in str(raised.value)
    ended = run("health", str(put_back), "--json")
    assert [each["code"] for each in json.loads(ended.stdout)["folders"][0]["alerts"]] == [
        "database-behind"
    ]
    assert (put_back / DATABASE).read_bytes() == before
    assert rebuild(put_back) == newest["seq"]
    assert pictures_of(put_back) == images
    with Collection(put_back) as kit:
        assert [each.image for each in kit.trail.operations.undoable()][:1] == [A]


def test_work_that_went_on_from_a_backup_can_be_kept_as_well(put_back: Path) -> None:
    """As a version did that looked at no segment: two trails go on from one event."""
    aside = put_back.parent / "aside"
    aside.mkdir()
    for number in (1, 2):
        segment(put_back, number).rename(aside / str(number))
    trust.forget(put_back)
    crop(put_back, "c.jpg")
    for number in (1, 2):
        (aside / str(number)).rename(segment(put_back, number))
    images = pictures_of(put_back)
    with pytest.raises(AuditBehind):
        Collection(put_back)
    with pytest.raises(AuditCorrupt, match=r"trail\.jsonl"):
        rebuild(put_back)
    whole = shutil.copytree(put_back, put_back.parent / "whole")
    for number in (1, 2):
        segment(put_back, number).unlink()
    with Collection(put_back) as kit:  # what the database tells
        assert kit.undo("c.jpg")[0].ok
        assert [each for each in kit.fsck() if each.kind == "audit"] == []
    (whole / EXPORT).unlink()
    rebuild(whole)
    with Collection(whole) as kit:  # what the segments tell
        assert {each.image for each in kit.trail.operations.undoable()} == {A, B}
        assert [each for each in kit.fsck() if each.kind == "audit"] == []
    assert pictures_of(whole) == images


def test_a_segment_of_another_collection_that_goes_further_is_not_gone_on_with(
    parted: Path,
) -> None:
    close(parted, 3, of_another(parted)[6:8])
    with pytest.raises(AuditBehind, match=r"trail-000003\.jsonl\.gz tells of event 8"):
        Collection(parted)
    with pytest.raises(AuditCorrupt, match=r"trail-000003"):
        rebuild(parted)
    segment(parted, 3).unlink()
    assert differences(parted) == []


# -- what an enemy may plant ---------------------------------------------------------------------


@pytest.mark.parametrize("line", [b"x" * 1000 + b"\n", b"x" * (segments.LONGEST_LINE + 2)])
def test_a_segment_unpacks_to_some_times_its_size_at_most(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "trail-000001.jsonl.gz"
    data = gzip.compress(line * max(1, segments.LARGEST // len(line) // 2))
    path.write_bytes(data)
    unpacked: list[int] = []
    with pytest.raises(AuditCorrupt, match="more than a segment"):
        unpacked.extend(map(len, segments.lines(path)))
    assert sum(unpacked) <= segments.MOST_UNPACKED * len(data)


def test_a_segment_has_a_largest_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "trail-000001.jsonl.gz"
    path.write_bytes(gzip.compress(b"short\n" * 20, 0))
    monkeypatch.setattr(segments, "LARGEST", 100)
    unpacking = segments.lines(path)
    with pytest.raises(AuditCorrupt, match="more than a segment"):
        list(unpacking)


def test_what_packs_too_well_is_wrapped_and_read_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "trail-000001.jsonl.gz"
    well = b"x" * 100_000 + b"\n"
    segments.write_new(path, well)
    assert path.stat().st_size > len(well)
    assert list(segments.lines(path)) == [well]


@pytest.mark.parametrize("number", [1, 2])
def test_a_segment_that_is_a_link_is_not_followed(
    parted: Path, tmp_path: Path, number: int
) -> None:
    segment(parted, number).rename(tmp_path / "elsewhere")
    segment(parted, number).symlink_to(tmp_path / "elsewhere")
    for act in (Collection, rebuild, lambda f: list(export_reader.events(f / EXPORT))):
        with pytest.raises(ForeignState, match=home.segment(number)):
            act(parted)


def test_a_segment_that_is_a_folder_is_refused(parted: Path) -> None:
    segment(parted, 1).unlink()
    segment(parted, 1).mkdir()
    with pytest.raises(ForeignState):
        Collection(parted)


@pytest.mark.parametrize("name", [home.EXPORT_SHORTENED, f"{HOME}/trailing.new"])
def test_a_folder_where_a_packing_leaves_files_is_refused_by_name(parted: Path, name: str) -> None:
    (parted / name).mkdir()
    for ask in (Collection, state_folder.check):
        with pytest.raises(ForeignState, match=Path(name).name):
            ask(parted)


def test_zcat_and_cat_show_the_trail(parted: Path) -> None:
    script = "zcat trail-*.jsonl.gz; cat trail.jsonl"
    shown = subprocess.run(
        ["bash", "-c", script], cwd=parted / HOME, capture_output=True, check=True
    )
    events = [json.loads(line) for line in shown.stdout.splitlines()]
    assert [event["seq"] for event in events[:6]] == [1, 2, 3, 4, 5, 6]


def test_the_same_lines_are_packed_the_same() -> None:
    assert segments.packed(b"a line\n") == segments.packed(b"a line\n")
    assert segments.packed(b"a line\n")[4:8] == bytes(4)  # RFC 1952: no time
