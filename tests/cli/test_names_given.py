"""An image is named relative to the collection or to where one stands, in every command alike."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pictures
import pytest
from shell import run

from cropkit.cli import main
from cropkit.collection import Collection
from cropkit.geometry import PixelBox

BOX = PixelBox(10, 20, 60, 90)
IMAGE = "sub/a_stage2.png"
# where one stands (relative to the test's folder), the collection's name from there, the image's
STANDS = {
    "above": (".", "collection", "collection/sub/a_stage2.png"),
    "in the collection": ("collection", ".", "sub/a_stage2.png"),
    "in its folder": ("collection/sub", "..", "a_stage2.png"),
    "elsewhere": ("elsewhere", "../collection", "../collection/sub/a_stage2.png"),
}
COMMANDS: dict[str, Callable[[str, str], list[str]]] = {
    "undo": lambda folder, image: ["undo", folder, image, "--json"],
    "history": lambda folder, image: ["history", folder, image, "--json"],
    "originals": lambda folder, image: ["originals", folder, image, "--json"],
    "accept-changes": lambda folder, image: ["accept-changes", folder, image, "--json"],
}
ANSWERS: dict[str, Callable[[Any], list[str]]] = {
    "undo": lambda answer: [result["path"] for result in answer["results"]],
    "history": lambda answer: sorted({event["path"] for event in answer["events"]}),
    "originals": lambda answer: [original["path"] for original in answer["originals"]],
    "accept-changes": lambda answer: [change["path"] for change in answer["accepted"]],
}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    folder = tmp_path / "collection"
    pictures.write_folder(folder / "sub")
    (tmp_path / "elsewhere").mkdir()
    with Collection(folder) as collection:
        collection.crop(IMAGE, BOX)
    return tmp_path


@pytest.mark.parametrize("is_there", ["there", "deleted"])
@pytest.mark.parametrize("stands", STANDS)
@pytest.mark.parametrize("command", COMMANDS)
def test_an_image_is_found_by_both_names(
    place: Path, command: str, stands: str, is_there: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    where, folder, image = STANDS[stands]
    if is_there == "deleted":
        (place / "collection" / IMAGE).unlink()
    elif command == "accept-changes":
        (place / "collection" / IMAGE).write_bytes(b"edited")
    monkeypatch.chdir(place / where)
    for name in dict.fromkeys((image, IMAGE)):
        if command in ("undo", "accept-changes") and name != IMAGE:
            continue  # done only once: by the other name in the test below
        assert answer(command, folder, name) == [IMAGE]


@pytest.mark.parametrize("stands", STANDS)
@pytest.mark.parametrize("command", ["undo", "accept-changes"])
def test_what_changes_something_finds_it_from_where_one_stands_too(
    place: Path, command: str, stands: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    where, folder, image = STANDS[stands]
    (place / "collection" / IMAGE).unlink()
    monkeypatch.chdir(place / where)
    assert answer(command, folder, image) == [IMAGE]


def answer(command: str, folder: str, name: str) -> list[str]:
    done = run(*COMMANDS[command](folder, name))
    assert done.returncode == 0, done.stderr
    return ANSWERS[command](json.loads(done.stdout))


def test_an_original_is_copied_to_where_one_stands(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(place / "elsewhere")
    assert main(["undo", "../collection", IMAGE, "--to", "original.png"]) == 0
    assert (place / "elsewhere" / "original.png").is_file()
    assert main(["undo", "../collection", IMAGE, "--to", "original.png"]) == 1
    assert "NameTaken" in capsys.readouterr().err
    assert main(["originals", "../collection", "--to", "out"]) == 0
    assert (place / "elsewhere" / "out" / IMAGE).is_file()


@pytest.mark.parametrize("arguments", [["--to", "x"], ["--last", "0"], ["--last", "-1"]])
def test_an_undo_that_cannot_be_meant_changes_nothing(place: Path, arguments: list[str]) -> None:
    before = (place / "collection" / IMAGE).read_bytes()
    try:
        code = main(["undo", str(place / "collection"), *arguments])
    except SystemExit as usage:
        code = int(str(usage.code))
    assert code == 2
    assert (place / "collection" / IMAGE).read_bytes() == before
