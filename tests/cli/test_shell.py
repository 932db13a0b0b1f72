"""The commands in this process: what they take, what they print, and how they end."""

import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from faults import contents
from queueing import collection, decide_all

from cropkit.audit.operation import Operation, OperationKind, OperationState
from cropkit.cli import main, shell
from cropkit.collection import Collection
from cropkit.geometry import PixelBox
from cropkit.records import CropResult, Status
from cropkit.system.scope import Scope, scope_of

BOX = PixelBox(0, 0, 48, 48)


def test_a_line_tells_width_before_height() -> None:
    result = CropResult(Status.CROPPED, "a.png", box_applied=PixelBox(0, 0, 30, 20))
    assert shell.line(result) == "cropped a.png: 30 x 20 pixels"


def test_a_line_tells_where_a_corner_moved() -> None:
    asked, applied = PixelBox(10, 10, 200, 200), PixelBox(0, 0, 200, 200)
    result = CropResult(Status.CROPPED, "b.jpg", box_asked=asked, box_applied=applied)
    assert shell.line(result).endswith("200 pixels: 0,0,200,200 for 10,10,200,200, by whole blocks")
    same = CropResult(Status.CROPPED, "b.jpg", box_asked=asked, box_applied=asked)
    assert shell.line(same) == "cropped b.jpg: 190 x 190 pixels"


def test_an_image_belongs_to_the_nearest_collection_or_to_its_own_folder(tmp_path: Path) -> None:
    for home in (tmp_path, tmp_path / "in"):
        (home / ".cropkit").mkdir(parents=True)
    (tmp_path / "in" / "deep").mkdir()
    inner = shell.home_of(tmp_path / "in" / "deep" / "a.png")
    assert scope_of(inner) == Scope(tmp_path / "in", "deep")
    assert scope_of(shell.home_of(tmp_path / "a.png")) == Scope(tmp_path)


def test_an_image_that_a_link_leads_to_is_for_the_collection_to_refuse(tmp_path: Path) -> None:
    (tmp_path / "photos" / ".cropkit").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "photos" / "link").symlink_to(tmp_path / "elsewhere")
    home = shell.home_of(tmp_path / "photos" / "link" / "a.png")
    assert scope_of(home) == Scope(tmp_path / "photos")


def test_one_that_failed_is_enough_to_end_with_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = collection(tmp_path / "c", 2)
    decide_all(folder)
    (folder / "0001.png").write_bytes(b"written by somebody else")
    assert main(["apply", str(folder)]) == 1
    said = capsys.readouterr()
    assert "cropped 0000.png" in said.out
    assert "0001.png" in said.err


def test_as_many_are_undone_as_are_asked_for(tmp_path: Path) -> None:
    folder = collection(tmp_path / "c", 3)
    before = contents(folder)
    with Collection(folder) as kit:
        for name in kit.images():
            kit.crop(name, BOX)
        cropped = contents(folder)
    assert main(["undo", str(folder), "--last", "2"]) == 0
    assert contents(folder) == before | {"0000.png": cropped["0000.png"]}


def test_a_conflict_that_is_left_ends_recover_with_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = collection(tmp_path / "c", 1)
    with Collection(folder) as kit:
        planned = Operation(
            OperationKind.CROP, "0000.png", "0000.png", kit.session, kit.trail.owner, "0" * 64
        )
        planned = replace(planned, sha256_after="1" * 64)
        kit.trail.plan([(planned, [])])
        kit.trail.prepare([planned])
        found = CropResult(Status.IN_DOUBT, "0000.png", "InDoubt", "somebody else's content")
        kit.trail.abandon(planned, OperationState.CONFLICT, found)
    assert main(["recover", str(folder)]) == 1
    assert "0000.png: in conflict" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_an_interrupted_command_tells_by_its_exit_code_what_interrupted_it(
    tmp_path: Path, monkeypatch: Any, capsys: Any, sent: signal.Signals, code: int
) -> None:
    def interrupted(_folder: Path, _state: Path | None) -> None:
        os.kill(os.getpid(), sent)

    monkeypatch.setattr("cropkit.cli.settings.reading", interrupted)
    assert main(["settings", str(tmp_path)]) == code
    assert capsys.readouterr().err.startswith("cropkit: stopped; ")


def test_a_review_gets_what_was_typed(tmp_path: Path, monkeypatch: Any) -> None:
    given: dict[str, object] = {}

    def launch(folder: Path, **options: object) -> int:
        given.update(options, folder=folder)
        return 0

    monkeypatch.setattr("cropkit.jupyter.launch.launch", launch)
    typed = {
        "state": "elsewhere",
        "per-page": "2",
        "keys": "vim",
        "minimum": "64",
        "min-confidence": "0.25",
        "move-to": "there",
        "reviewer": "ann",
        "only": "label=cat",
        "suggestions": "boxes.csv",
        "order": "cxcywh",
        "units": "normalized",
        "port": "9000",
    }
    flags = ["--defer", "--no-browser", "--no-learning", "--no-vision"]
    options = [part for name, value in typed.items() for part in (f"--{name}", value)]
    assert main(["review", str(tmp_path), *options, *flags, "--only", "2019"]) == 0
    assert given == {
        "folder": tmp_path,
        "state": Path("elsewhere"),
        "per_page": 2,
        "keys": "vim",
        "minimum": 64,
        "min_confidence": 0.25,
        "around": "",
        "only": "label=cat; 2019",
        "learn": False,
        "vision": False,
        "crops": {"destination": str(Path("there").resolve())},
        "defer": True,
        "reviewer": "ann",
        "suggestions": Path("boxes.csv"),
        "order": "cxcywh",
        "units": "normalized",
        "port": 9000,
        "browser": False,
    }
    copies = ["--copy-to", "out", "--slots", "face", "--format", "png", "--targets", "4:5"]
    main(["review", str(tmp_path), *copies])
    assert given["crops"] == {
        "copy_to": str(Path("out").resolve()),
        "copies": "format=png",
        "slots": "face",
        "targets": "4:5",
    }
    main(["review", str(tmp_path)])
    assert (given["browser"], given["defer"], given["per_page"]) == (True, False, 0)


@pytest.mark.parametrize("share", ["101%", "half", "-5%"])
def test_a_share_of_images_is_a_percentage(
    share: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["review", str(tmp_path), f"--double={share}"])
    assert f"{share!r} is not a percentage from 0 to 100" in capsys.readouterr().err


def test_the_share_of_second_opinions_is_kept_and_among_the_settings(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cropkit.jupyter.launch.launch", lambda *_, **__: 0)
    assert main(["review", "--double", "2.5%"]) == 2
    assert "name it" in capsys.readouterr().err
    assert main(["review", str(folder), "--double", "2.5%"]) == 0
    assert main(["settings", str(folder)]) == 0
    assert "double: 2.5 %\n" in capsys.readouterr().out


def test_what_was_to_be_left_out_is_refused_again(tmp_path: Path) -> None:
    folder = collection(tmp_path / "c", 1)
    assert main(["settings", str(folder), "--drop", "gain-map"]) == 0
    with Collection(folder) as kit:
        assert kit.options.to_settings()["drop"] == "gain-map"
    assert main(["settings", str(folder), "--drop-nothing"]) == 0
    with Collection(folder) as kit:
        assert kit.options.to_settings()["drop"] == ""


def test_by_content_is_another_word_for_leaving_the_extension_out(tmp_path: Path) -> None:
    folder = collection(tmp_path / "c", 1)
    (folder / "0000.png").rename(folder / "0000.jpg")
    assert main(["crop", str(folder / "0000.jpg"), "--box", "0,0,16,16"]) == 1
    assert main(["settings", str(folder), "--by-content", "--drop", "motion"]) == 0
    assert main(["crop", str(folder / "0000.jpg"), "--box", "0,0,16,16"]) == 0
    assert (folder / "0000.jpg").read_bytes().startswith(b"\x89PNG")
    with Collection(folder) as kit:
        assert kit.options.drop == {"extension", "motion"}


def test_health_is_quiet_of_what_is_well_and_of_nothing_else(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Collection(folder) as made:
        made.crop("a_stage2.png", BOX)
    assert main(["health", "--quiet", str(folder)]) == 0
    assert tuple(capsys.readouterr()) == ("", "")
    assert main(["health", "--quiet", str(folder), str(folder / "nowhere")]) == 1
    told = capsys.readouterr().out
    assert "unreadable" in told
    assert f"{folder}: well" not in told
