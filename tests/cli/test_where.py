"""One collection for each picture; looking changes nothing, and a typo makes no collection."""

import json
from hashlib import sha256
from pathlib import Path

import pictures
import pytest

from cropkit.cli import main
from cropkit.collection import Collection
from cropkit.errors import InsideCollection
from cropkit.geometry import PixelBox
from cropkit.system.home import HOME

BOX = PixelBox(10, 20, 60, 90)
READING = ("history", "fsck", "settings", "stats", "health")
SETTLED = ("undo", "originals", "accept-changes", "apply", "recover")


def contents(folder: Path) -> dict[str, str]:
    """Every file with its content, but for what SQLite needs to read a database at all."""
    return {
        str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(("-wal", "-shm"))
    }


@pytest.fixture
def outer(tmp_path: Path) -> Path:
    """A collection of which a crop lies in a folder and one beside it."""
    folder = pictures.write_folder(tmp_path / "photos")
    pictures.write_folder(folder / "2024")
    with Collection(folder) as collection:
        collection.crop("2024/a_stage2.png", BOX)
        collection.crop("b_stage2.png", BOX)
    return folder


@pytest.mark.parametrize("command", [*READING, *SETTLED])
def test_no_command_but_those_that_work_makes_a_collection(
    tmp_path: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = pictures.write_folder(tmp_path / "plain")
    assert main([command, str(folder)]) == (0 if command == "settings" else 1)
    assert not (folder / HOME).exists()
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("command", READING)
def test_a_command_that_looks_writes_nothing(outer: Path, command: str) -> None:
    before = contents(outer)
    main([command, str(outer)])
    assert contents(outer) == before


@pytest.mark.parametrize("folder", ["2024", "2024/deeper"])
def test_no_collection_is_made_inside_another(outer: Path, folder: str) -> None:
    pictures.write_folder(outer / folder)
    with Collection(outer / folder) as collection:
        assert collection.root == outer
    assert main(["batch", str(outer / folder), "--dry-run"]) == 0
    assert main(["settings", str(outer / folder), "--jpeg", "exact"]) == 1
    assert main(["crop", str(outer / folder / "c.jpg"), "--box", "0,0,50,50"]) == 0
    assert [path.parent for path in outer.rglob(HOME)] == [outer]


@pytest.mark.parametrize("folder", [".cropkit/runs", ".hidden", "2024/.hidden/deep"])
def test_what_is_hidden_in_a_collection_is_no_part_of_it(outer: Path, folder: str) -> None:
    (outer / folder).mkdir(parents=True, exist_ok=True)
    with pytest.raises(InsideCollection, match="hidden"):
        Collection(outer / folder)
    assert [path.parent for path in outer.rglob(HOME)] == [outer]


def test_a_collection_of_somebody_else_above_is_none(
    tmp_path: Path,
) -> None:
    (tmp_path / HOME).mkdir(mode=0o777)
    (tmp_path / HOME).chmod(0o777)
    folder = pictures.write_folder(tmp_path / "photos")
    Collection(folder).close()
    assert (folder / HOME).is_dir()


def test_a_part_of_a_collection_is_meant_by_its_folder(
    outer: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    part = str(outer / "2024")

    def answer(*command: str) -> dict[str, object]:
        main([*command, part, "--json"])
        captured = capsys.readouterr()
        assert f"{part} is a part of the collection {outer}" in captured.err
        document: dict[str, object] = json.loads(captured.out)
        return document

    events = answer("history")["events"]
    assert isinstance(events, list)
    assert {event["path"] for event in events} == {"2024/a_stage2.png"}
    (outer / "b_stage2.png").unlink()
    assert answer("fsck")["ok"] is True
    assert answer("accept-changes")["accepted"] == []
    originals = answer("originals")["originals"]
    assert isinstance(originals, list)
    assert [each["path"] for each in originals] == ["2024/a_stage2.png"]
    results = answer("undo", "--all")["results"]
    assert isinstance(results, list)
    assert [each["path"] for each in results] == ["2024/a_stage2.png"]
    assert not (outer / "2024" / HOME).exists()


@pytest.mark.parametrize("image", ["", ".", "photos", "nothing.png", "/"])
def test_a_crop_of_what_is_no_image_makes_no_collection(
    tmp_path: Path, image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures.write_folder(tmp_path / "photos")
    monkeypatch.chdir(tmp_path)
    assert main(["crop", image, "--box", "0,0,10,10"]) == 1
    assert list(tmp_path.rglob(HOME)) == []


def test_who_begins_a_collection_is_told_where(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = pictures.write_folder(tmp_path / "photos")
    assert main(["crop", str(folder / "b_stage2.png"), "--box", "10,20,60,90"]) == 0
    assert str(folder / HOME) in capsys.readouterr().err
    assert main(["crop", str(folder / "a_stage2.png"), "--box", "10,20,60,90"]) == 0
    assert HOME not in capsys.readouterr().err
