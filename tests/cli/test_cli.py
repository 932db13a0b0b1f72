"""The shell as a person uses it: by exit code, stdout and stderr."""

import json
import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from faults import contents
from shell import run

from cropkit.cli import parser
from cropkit.cli.shell import home_of
from cropkit.system.scope import Scope, scope_of

ROOT = Path(__file__).parents[2]


def run_apart(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "cropkit", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def document(*arguments: str | Path, code: int = 0) -> dict[str, Any]:
    done = run(*arguments, "--json")
    assert done.returncode == code, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def commands() -> list[str]:
    (actions,) = (a for a in parser()._actions if a.dest == "command")  # noqa: SLF001  (no other way)
    assert isinstance(actions.choices, dict)
    return list(actions.choices)


def test_every_command_of_the_public_interface_is_there() -> None:
    assert set(commands()) == {
        *("review", "test", "demo", "crop", "undo", "history", "apply", "recover", "fsck", "purge"),
        *("compact", "migrate-trail"),
        *(
            "settings",
            "originals",
            "accept-changes",
            "destinations",
            "heads",
            "adopt",
            "batch",
            "health",
            "stats",
            "alerts",
            "doctor",
            "recut",
            "merge",
            "share",
            "where",
            "export",
            "verify",
            "import",
            "suggest",
            "plan-review",
            "taste",
        ),
    }


@pytest.mark.parametrize("command", ["crop", "review", "fsck", "batch"])
def test_every_command_explains_itself(command: str) -> None:
    done = run_apart(command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "usage: cropkit" in done.stdout


def test_usage_errors_end_with_2(folder: Path) -> None:
    for arguments in ([], ["no-such-command"], ["crop", "a.png"], ["crop", "a", "--box", "1,2,3"]):
        assert run(*arguments, folder=folder).returncode == 2


def test_crop_history_fsck_and_undo_in_json(folder: Path) -> None:
    before = contents(folder)
    said = document("crop", folder / "a_stage2.png", "--box", "10,20,60,90")
    assert said["status"] == "cropped"
    assert said["code"] is None
    assert said["path"] == "a_stage2.png"
    assert said["box_asked"] == said["box_applied"] == [10, 20, 60, 90]
    assert said["sha256_before"] == before["a_stage2.png"]
    assert said["sha256_after"] == contents(folder)["a_stage2.png"]
    assert any("parameters" in item for item in said["kept"])
    assert isinstance(said["patched"], list)
    assert isinstance(said["dropped"], list)
    assert said["seconds"] > 0

    events = document("history", folder, "a_stage2.png")["events"]
    assert [e["event"] for e in events] == ["decided", "cropped"]
    proven = document("fsck", folder)
    assert (proven["ok"], proven["differences"]) == (True, [])
    assert len(proven["head"]) == 64
    assert proven["database"].startswith(f"SQLite {sqlite3.sqlite_version}")

    (undone,) = document("undo", folder)["results"]
    assert (undone["status"], undone["path"]) == ("restored", "a_stage2.png")
    assert contents(folder) == before


def test_a_refusal_is_on_stderr_in_the_json_and_in_the_exit_code(folder: Path) -> None:
    (folder / "text.png").write_text("not an image, but long enough to look at")
    done = run_apart("crop", folder / "text.png", "--box", "0,0,5,5", "--json")
    assert done.returncode == 1
    assert "text.png" in done.stderr
    assert "Traceback" not in done.stderr
    said = json.loads(done.stdout)
    assert (said["status"], said["code"]) == ("refused", "UnknownFormat")
    assert said["box_asked"] == [0, 0, 5, 5]


@pytest.mark.parametrize("box", ["5,5,5,9", "9,9,5,5", "0,0,5000,10", "-1,0,5,5"])
def test_a_bad_box_is_refused(folder: Path, box: str) -> None:
    before = contents(folder)
    said = document("crop", folder / "a_stage2.png", f"--box={box}", code=1)
    assert (said["status"], said["code"]) == ("refused", "BadBox")
    assert contents(folder) == before


def test_fsck_finds_what_was_changed_behind_its_back(folder: Path) -> None:
    document("crop", folder / "a_stage2.png", "--box", "10,20,60,90")
    (folder / "a_stage2.png").write_bytes(b"changed")
    said = document("fsck", folder, code=1)
    assert not said["ok"]
    assert [d["path"] for d in said["differences"]] == ["a_stage2.png"]


def test_an_image_belongs_to_the_nearest_collection_above_it(folder: Path) -> None:
    inner = folder / "b" / "c"
    inner.mkdir(parents=True)
    assert scope_of(home_of(inner / "x.png")) == Scope(inner)
    (folder / ".cropkit").mkdir()
    assert scope_of(home_of(inner / "x.png")) == Scope(folder, "b/c")
    (inner / ".cropkit").mkdir()
    assert scope_of(home_of(inner / "x.png")) == Scope(inner)


def test_images_are_named_as_the_shell_completes_them(folder: Path) -> None:
    run("crop", "a_stage2.png", "--box", "0,0,50,50", folder=folder)
    done = run("history", ".", "a_stage2.png", folder=folder)
    assert re.findall(r"Z  (\w+)", done.stdout) == ["decided", "cropped"]
    assert run("undo", ".", "a_stage2.png", folder=folder).returncode == 0
    assert run("undo", ".", "a_stage2.png", folder=folder).returncode == 1


def test_cropped_images_move_when_they_are_told_to(folder: Path, tmp_path: Path) -> None:
    there = tmp_path / "out"
    said = document("crop", folder / "a_stage2.png", "--box", "0,0,50,50", "--move-to", there)
    assert said["destination"] == str(there / "a_stage2.png")
    assert (there / "a_stage2.decision").exists()


def test_purge_removes_originals_on_purpose_only(folder: Path) -> None:
    document("crop", folder / "a_stage2.png", "--box", "10,20,60,90")
    assert run("purge", folder).returncode == 2
    assert document("purge", folder, "--older-than", "30d") == {"results": [], "counts": {}}
    (purged,) = document("purge", folder, "--keep-size", "0MB")["results"]
    assert purged["status"] == "purged"
    assert document("fsck", folder)["ok"]
    (refused,) = document("undo", folder, code=1)["results"]
    assert refused["code"] == "OriginalPurged"


def test_an_undo_can_be_taken_back(folder: Path) -> None:
    cropped = document("crop", folder / "a_stage2.png", "--box", "10,20,60,90")
    document("undo", folder)
    (again,) = document("undo", folder, "--redo")["results"]
    assert again["sha256_after"] == cropped["sha256_after"] == contents(folder)["a_stage2.png"]
    assert document("fsck", folder)["ok"]


def test_apply_and_recover_with_nothing_to_do_say_so(folder: Path) -> None:
    document("crop", folder / "a_stage2.png", "--box", "10,20,60,90")
    assert document("apply", folder) == {"results": [], "counts": {}}
    assert document("recover", folder) == {"recovered": [], "conflicts": [], "left_alone": []}


def test_no_folder_is_an_error_without_a_traceback(tmp_path: Path) -> None:
    done = run_apart("fsck", tmp_path / "none", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["code"] == "MissingFile"
    assert "Traceback" not in done.stderr


def test_settings_are_kept_with_the_collection_and_told_by_the_trail(folder: Path) -> None:
    assert document("settings", folder)["settings"] == {
        "jpeg": "lossless",
        "drop": "",
        "salvage": "",
        "companions": "transform",
        "heic": "refuse",
    }
    document("settings", folder, "--jpeg", "exact", "--drop", "gain-map")
    kept = document("settings", folder)["settings"]
    usual = {"salvage": "", "companions": "transform", "heic": "refuse"}
    assert kept == {"jpeg": "exact", "drop": "gain-map", **usual}
    (event,) = (e for e in document("history", folder)["events"] if e["event"] == "settings")
    assert event["body"] == kept
    document("settings", folder, "--drop-nothing")
    assert document("settings", folder)["settings"] == {
        "jpeg": "exact",
        "drop": "",
        "salvage": "",
        "companions": "transform",
        "heic": "refuse",
    }


def test_a_setting_that_there_is_not_is_refused_with_what_there_is(folder: Path) -> None:
    said = document("settings", folder, "--jpeg", "better", code=1)
    assert said["code"] == "BadSetting"
    assert "lossless, lossless-or-exact, exact" in said["message"]
    assert document("settings", folder)["settings"]["jpeg"] == "lossless"
