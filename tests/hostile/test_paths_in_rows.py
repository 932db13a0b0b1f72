"""Whatever a row says, nothing outside the collection is touched but where this person sends crops.

Each row is one that an enemy wrote into a database that is right in all else.
"""

import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pictures
import pytest
from deciding import decision
from faults import contents
from trails import vouch

from cropkit.cli import main
from cropkit.collection import Collection
from cropkit.errors import AuditCorrupt, BadDestination, CropkitError, StateNotAdopted
from cropkit.geometry import PixelBox
from cropkit.records import Status
from cropkit.system.home import HOME, kept

BOX = PixelBox(10, 20, 60, 90)
IMAGE = "b_stage2.png"
CROPPED = "a_stage2.png"
SINK = b'[[sink]]\nkind = "command"\ncommand = ["touch", "/tmp/never"]\n'


@dataclass(frozen=True)
class Scene:
    """A collection, and beside it what belongs to the person alone."""

    folder: Path
    outside: Path

    @property
    def known(self) -> Path:
        return self.outside / "known.txt"

    @property
    def new(self) -> Path:
        return self.outside / "config" / "alerts.toml"

    def rows(self, statement: str, *values: object) -> None:
        with closing(sqlite3.connect(self.folder / HOME / "cropkit.db")) as db, db:
            db.execute(statement, values)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    folder = pictures.write_folder(tmp_path / "collection")
    outside = tmp_path / "outside"
    (outside / "config").mkdir(parents=True)
    (outside / "known.txt").write_bytes(b"what everybody knows")
    made = Scene(folder, outside)
    with Collection(folder) as collection:
        collection.crop(CROPPED, BOX)
    before = contents(outside)
    yield made
    assert contents(outside) == before


def digest(data: bytes) -> str:
    return sha256(data).hexdigest()


def plant(scene: Scene, **columns: object) -> None:
    """Write an operation of a dead owner, cut off after it was prepared, and vouched for.

    Who may write to `.cropkit` and has the key, too, gets no further.
    """
    data = (scene.folder / IMAGE).read_bytes()
    row: dict[str, object] = {
        "id": "a" * 32,
        "kind": "crop",
        "state": "prepared",
        "owner": "b" * 32,
        "session": "s",
        "source": IMAGE,
        "target": IMAGE,
        "before": digest(data),
        "after": digest(data),
        "plan": plan(),
        "planned_at": "2026-01-01T00:00:00.000000Z",
    } | columns
    names = ", ".join(row)
    marks = ", ".join("?" for _ in row)
    statement = f"INSERT INTO operation ({names}) VALUES ({marks})"  # noqa: S608  (names of ours)
    scene.rows(statement, *row.values())
    vouch(scene.folder)


def plan(*companions: dict[str, object], **attributes: object) -> str:
    return json.dumps(
        {
            "box": None,
            "companions": list(companions),
            "attributes": attributes or None,
            "report": {},
        }
    )


def follower(source: str, target: str, data: bytes) -> dict[str, object]:
    return {"source": source, "target": target, "sha256": digest(data), "keeps_source": False}


def plants_a_file(scene: Scene) -> None:
    (scene.folder / "innocent.txt").write_bytes(SINK)
    plant(scene, plan=plan(follower("innocent.txt", str(scene.new), SINK)))


def deletes_a_file(scene: Scene) -> None:
    data = scene.known.read_bytes()
    plant(scene, plan=plan(follower(str(scene.known), "mine.txt", data)))


def takes_a_file_for_its_image(scene: Scene) -> None:
    known = digest(scene.known.read_bytes())
    plant(scene, kind="reject", source=str(scene.known), target="x.png", before=known, after=known)


def puts_a_file_back(scene: Scene) -> None:
    known = digest(scene.known.read_bytes())
    (scene.folder / HOME / "originals" / digest(SINK)).write_bytes(SINK)
    plant(
        scene,
        state="aborting",
        source=str(scene.known),
        target=str(scene.known),
        before=digest(SINK),
        after=known,
        plan=plan(mode=0o644, uid=0, gid=0, mtime_ns=0, atime_ns=0, xattrs=[]),
    )


def purges_a_file(scene: Scene) -> None:
    known = digest(scene.known.read_bytes())
    plant(scene, kind="purge", source=str(scene.known), target=str(scene.known), before=known)


def goes_up(scene: Scene) -> None:
    (scene.folder / "innocent.txt").write_bytes(SINK)
    plant(scene, plan=plan(follower("innocent.txt", "../outside/config/alerts.toml", SINK)))


def goes_through_a_link(scene: Scene) -> None:
    (scene.folder / "album").symlink_to(scene.outside / "config")
    (scene.folder / "innocent.txt").write_bytes(SINK)
    plant(scene, plan=plan(follower("innocent.txt", "album/alerts.toml", SINK)))


def is_named_by_a_path(scene: Scene) -> None:
    plant(scene, id="../../outside/config/x" + "a" * 10)


def is_owned_by_a_path(scene: Scene) -> None:
    plant(scene, owner="../../../outside/known.txt")


def has_a_path_for_a_hash(scene: Scene) -> None:
    plant(scene, state="aborting", before="../../../outside/known.txt")


def has_no_attributes(scene: Scene) -> None:
    original = digest(SINK)
    (scene.folder / HOME / "originals" / original).write_bytes(SINK)
    after = digest((scene.folder / IMAGE).read_bytes())
    plant(scene, state="aborting", before=original, after=after)


ROWS = (
    plants_a_file,
    deletes_a_file,
    takes_a_file_for_its_image,
    puts_a_file_back,
    purges_a_file,
    goes_up,
    goes_through_a_link,
    is_named_by_a_path,
    is_owned_by_a_path,
    has_a_path_for_a_hash,
    has_no_attributes,
)
COMMANDS = (
    ("history", "{}"),
    ("undo", "{}", "--all"),
    ("recover", "{}", "--conflicts"),
    ("apply", "{}"),
    ("purge", "{}", "--older-than", "0d"),
)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("enemy", ROWS, ids=lambda enemy: enemy.__name__)
def test_no_row_of_a_cut_off_operation_leads_out(
    scene: Scene, enemy: Callable[[Scene], None], command: tuple[str, ...]
) -> None:
    enemy(scene)
    with suppress(SystemExit):
        main([part.format(scene.folder) for part in command])


def test_an_operation_that_leads_out_is_a_conflict_and_the_others_go_on(scene: Scene) -> None:
    plants_a_file(scene)
    with Collection(scene.folder) as collection:
        (recovered,) = collection.recovered
        assert recovered.outcome == "conflict"
        assert str(scene.new) in (recovered.reason or "")
        assert collection.undo()[0].status is Status.RESTORED


def test_nothing_of_an_operation_happens_when_one_of_its_names_leads_out(scene: Scene) -> None:
    (scene.folder / "one.txt").write_bytes(b"one")
    (scene.folder / "two.txt").write_bytes(SINK)
    names = follower("one.txt", "first.txt", b"one"), follower("two.txt", str(scene.new), SINK)
    plant(scene, plan=plan(*names))
    before = contents(scene.folder)
    Collection(scene.folder).close()
    assert contents(scene.folder) == before


@pytest.mark.parametrize("name", ["alerts.toml", "stage/x", "../.cropkit/alerts.toml"])
def test_no_row_puts_a_file_among_cropkits_own(scene: Scene, name: str) -> None:
    (scene.folder / "innocent.txt").write_bytes(SINK)
    plant(scene, plan=plan(follower("innocent.txt", f"{HOME}/{name}", SINK)))
    Collection(scene.folder).close()
    assert (scene.folder / "innocent.txt").read_bytes() == SINK
    assert not (scene.folder / HOME / "alerts.toml").exists()


def test_undo_of_a_row_that_leads_out_writes_nothing(scene: Scene) -> None:
    scene.rows("UPDATE operation SET source = ?", str(scene.new))
    with Collection(scene.folder) as collection, suppress(CropkitError):
        results = collection.undo(everything=True)
        assert not any(result.ok for result in results)


@pytest.mark.parametrize("where", ["{outside}/config", "../outside", ".cropkit/stage", "album"])
def test_a_waiting_decision_sends_no_crop_elsewhere(scene: Scene, where: str) -> None:
    (scene.folder / "album").symlink_to(scene.outside / "config")
    destination = where.format(outside=scene.outside)
    with Collection(scene.folder) as collection:  # the trail tells so: a row alone is refused
        collection.decide([decision(collection, IMAGE, BOX, destination=destination)])
    before = (scene.folder / IMAGE).read_bytes()
    with Collection(scene.folder) as collection:
        (result,) = collection.apply_waiting()
        assert result.status is Status.REFUSED
        assert result.code == "PathOutsideRoot"
    assert (scene.folder / IMAGE).read_bytes() == before


@pytest.mark.parametrize("mode", [0o4755, 0o2777, 0o7777])
def test_undo_gives_no_set_id_bit_and_no_owner(scene: Scene, mode: int) -> None:
    owner = os.geteuid()
    with closing(sqlite3.connect(scene.folder / HOME / "cropkit.db")) as db, db:
        ((text,),) = db.execute("SELECT plan FROM operation").fetchall()
        known = json.loads(text)
        known["attributes"] |= {"mode": mode, "uid": 12345, "gid": 12345}
        known["attributes"]["xattrs"] = [["security.capability", "AQAAAgAgAAAAAAAAAAAAAAAAAAA="]]
        db.execute("UPDATE operation SET plan = ?", [json.dumps(known)])
    with Collection(scene.folder) as collection, suppress(AuditCorrupt):
        collection.undo()
    found = (scene.folder / CROPPED).stat()
    assert found.st_mode & 0o7000 == 0
    assert found.st_uid == owner
    assert os.listxattr(scene.folder / CROPPED) == []


@pytest.mark.parametrize("where", ["../outside/config/alerts.toml", "{outside}/config/alerts.toml"])
def test_no_original_is_copied_out_to_where_a_row_says(
    scene: Scene, tmp_path: Path, where: str
) -> None:
    scene.rows("UPDATE operation SET source = ?", where.format(outside=scene.outside))
    assert main(["originals", str(scene.folder), "--to", str(tmp_path / "out")]) == 1


# -- what this person sends elsewhere --------------------------------------------------------------


@pytest.fixture
def moved(tmp_path: Path) -> tuple[Path, Path]:
    """A collection of which one crop went to a folder beside it."""
    folder, beside = pictures.write_folder(tmp_path / "collection"), tmp_path / "crops"
    with Collection(folder, destination=beside) as collection:
        collection.crop(IMAGE, BOX)
    assert (beside / IMAGE).is_file()
    return folder, beside


def test_a_destination_is_remembered_for_whoever_named_it(moved: tuple[Path, Path]) -> None:
    folder, beside = moved
    with Collection(folder) as collection:
        assert collection.undo()[0].status is Status.RESTORED
    assert (folder / IMAGE).is_file()
    assert not (beside / IMAGE).exists()


def test_another_person_names_it_first(
    moved: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder, beside = moved
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "of another"))
    with pytest.raises(StateNotAdopted, match="leads out of the collection"):
        Collection(folder)
    assert main(["adopt", str(folder), "--yes"]) == 0
    with Collection(folder) as collection:
        (result,) = collection.undo()
        assert (result.status, result.code) == (Status.REFUSED, "PathOutsideRoot")
        assert "cropkit destinations" in (result.message or "")
    assert (beside / IMAGE).is_file()
    assert main(["destinations", str(folder), "--allow", str(beside)]) == 0
    assert str(beside) in capsys.readouterr().out
    with Collection(folder) as collection:
        assert collection.undo()[0].status is Status.RESTORED


def test_a_destination_that_is_forgotten_is_none(
    moved: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, beside = moved
    assert main(["destinations", str(folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "folder": str(folder),
        "destinations": [str(beside)],
    }
    assert main(["destinations", str(folder), "--forget", str(beside)]) == 0
    assert main(["destinations", str(folder), "--forget", str(beside)]) == 1
    with Collection(folder) as collection:
        assert collection.undo()[0].code == "PathOutsideRoot"


def test_one_that_cannot_be_remembered_is_told_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = pictures.write_folder(tmp_path / "collection")
    (tmp_path / "state" / "cropkit").mkdir(parents=True)
    (tmp_path / "state" / "cropkit").chmod(0o777)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with Collection(folder, destination=tmp_path / "crops") as collection:
        assert collection.crop(IMAGE, BOX).ok
        assert collection.counts().degraded == 1
        (event,) = [e for e in collection.trail.events() if e["event"] == "degraded"]
        assert str(tmp_path / "state") in event["body"]


@pytest.mark.parametrize("inside", [".cropkit/stage", "sub/.cropkit", ".CROPKIT"])
def test_no_crop_goes_among_cropkits_own_files(tmp_path: Path, inside: str) -> None:
    folder = pictures.write_folder(tmp_path / "collection")
    with pytest.raises(BadDestination, match="cropkit's own"):
        Collection(folder, destination=folder / inside)
    assert not (folder / HOME).exists()


def test_an_original_of_any_name_is_kept_under_its_hash(scene: Scene) -> None:
    before = digest((scene.folder / IMAGE).read_bytes())
    with Collection(scene.folder) as collection:
        collection.crop(IMAGE, BOX)
    assert (scene.folder / kept(before)).is_file()
