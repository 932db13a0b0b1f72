"""What an operator meets on a bad day is a sentence with a cure, and the right exit code."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pictures
import pytest

from cropkit.cli import BEGIN, WHAT, main
from cropkit.collection import Collection
from cropkit.geometry import PixelBox
from cropkit.jupyter import launch, server

BOX = PixelBox(0, 0, 48, 48)
ROOT = Path(__file__).parents[2]
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def album(tmp_path: Path) -> Path:
    folder = pictures.write_folder(tmp_path / "collection")
    with Collection(folder) as collection:
        collection.crop("a_stage2.png", BOX)
    return folder


def cropkit(*arguments: str, then: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command in a shell that tells its exit code last, whatever reads its output."""
    line = f'"$0" -m cropkit "$@" {then}; echo "exit ${{PIPESTATUS[0]}}"'
    return subprocess.run(
        ["bash", "-c", line, sys.executable, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


# -- who reads ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["health", "--json"], 0), (["health"], 0), (["history"], 0), (["health", "nowhere"], 1)],
)
def test_a_closed_pipe_changes_no_exit_code(album: Path, arguments: list[str], code: int) -> None:
    done = cropkit(arguments[0], str(album), *arguments[1:], then="| true")
    assert f"exit {code}" in done.stdout
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


def test_a_crop_whose_report_nobody_reads_is_made(album: Path) -> None:
    done = cropkit("crop", str(album / "b_stage2.png"), "--box", "0,0,48,48", then="| true")
    assert ("exit 0" in done.stdout, done.stderr) == (True, "")
    with Collection(album) as collection:
        assert collection.counts().written == 2


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_stream_that_is_closed_changes_no_exit_code(album: Path, closed: str) -> None:
    done = cropkit("crop", str(album / "b_stage2.png"), "--box", "0,0,48,48", then=closed)
    assert ("exit 0" in done.stdout, done.stderr) == (True, "")
    for arguments in (["history", "--json"], ["fsck"], ["undo"]):
        done = cropkit(arguments[0], str(album), *arguments[1:], then=closed)
        assert ("exit 0" in done.stdout, "Traceback" in done.stderr) == (True, False)


def test_no_file_gets_the_number_of_a_stream_that_is_closed(tmp_path: Path) -> None:
    ask = "import os; from cropkit.cli.shell import fill_streams; fill_streams(); "
    ask += "print(os.open('/', 0), file=open('number', 'w'))"
    command = ["bash", "-c", '"$0" -c "$1" <&- >&- 2>&-', sys.executable, ask]
    subprocess.run(command, check=True, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert int((tmp_path / "number").read_text(encoding="utf-8")) > 2


def test_a_report_that_cannot_be_written_is_told(album: Path) -> None:
    if not os.path.exists("/dev/full"):  # noqa: PTH110  (a device)
        pytest.skip("only Linux has a device that is full")
    done = cropkit("history", str(album), then="> /dev/full")
    assert "exit 1" in done.stdout
    assert done.stderr == "cropkit: stdout cannot be written: No space left on device\n"


# -- words ----------------------------------------------------------------------------------------


def test_without_a_command_it_says_what_it_is(capsys: Capture) -> None:
    assert main([]) == 2
    told = capsys.readouterr()
    assert told.err.splitlines() == [f"cropkit: {WHAT}", f"cropkit: {BEGIN}"]
    assert told.out == ""


def test_the_demo_answers_in_json(tmp_path: Path, capsys: Capture) -> None:
    assert main(["demo", str(tmp_path / "new"), "--count", "1", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {"ok": True, "folder": str(tmp_path / "new"), "count": 1}


def test_a_queue_that_is_empty_is_told(album: Path, capsys: Capture) -> None:
    assert main(["apply", str(album)]) == 0
    assert "no decision waits" in capsys.readouterr().err


@pytest.mark.parametrize("box", ["-5,0,10,10", "9,9,9,20", "0,0,99999,10", "10,10,0,0"])
def test_a_bad_box_names_its_file_and_makes_nothing(album: Path, box: str, capsys: Capture) -> None:
    image = album / "b_stage2.png"
    assert main(["crop", str(image), "--box", box]) == 1
    told = capsys.readouterr().err
    assert told.startswith("cropkit: BadBox: ")
    assert "b_stage2.png: crop box (" in told
    assert main(["crop", str(image), "--box", box, "--json"]) == 1
    assert "b_stage2.png" in json.loads(capsys.readouterr().out)["message"]


def test_a_box_that_is_none_makes_no_collection(tmp_path: Path) -> None:
    folder = pictures.write_folder(tmp_path / "plain")
    assert main(["crop", str(folder / "a_stage2.png"), "--box", "9,9,9,20"]) == 1
    assert not (folder / ".cropkit").exists()


def test_the_root_of_the_file_system_is_no_image(capsys: Capture) -> None:
    assert main(["crop", "/", "--box", "9,9,9,20"]) == 1
    assert "Traceback" not in capsys.readouterr().err


FOLDER_COMMANDS = [
    "history",
    "undo",
    "apply",
    "fsck",
    "purge",
    "recover",
    "stats",
    "settings",
    "destinations",
]


@pytest.mark.parametrize("command", [*FOLDER_COMMANDS, "batch", "health", "review", "alerts"])
@pytest.mark.parametrize("what", ["a file", "nothing"])
def test_a_file_is_not_a_missing_folder(
    command: str, what: str, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "Lab", None)  # JupyterLab is not started
    place = tmp_path / "named"
    if what == "a file":
        place.write_text("not a folder")
    before = list(tmp_path.iterdir())
    extra = {"purge": ["--older-than", "1d"], "batch": ["--dry-run"], "review": ["--no-browser"]}
    first = ["alerts", "show"] if command == "alerts" else [command]
    assert main([*first, str(place), *extra.get(command, [])]) == 1
    told = "".join(capsys.readouterr())
    assert ("not a folder" if what == "a file" else "no such file") in told
    assert list(tmp_path.iterdir()) == before


# -- a state that one may not read ----------------------------------------------------------------


def test_a_review_of_anothers_state_ends_before_jupyter_begins(
    album: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() != 0:
        pytest.skip("permissions apply to all but the administrator")
    monkeypatch.setattr(launch, "Lab", None)
    os.chown(album / ".cropkit", 1234, -1)
    assert main(["review", str(album), "--no-browser"]) == 1
    assert "1234" in capsys.readouterr().err
    assert server.Lab is not None


# -- what is missing ------------------------------------------------------------------------------


def test_a_package_that_is_missing_stops_what_needs_it_and_nothing_else(
    album: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "papermill", None)
    assert main(["history", str(album)]) == 0
    capsys.readouterr()
    assert main(["batch", str(album), "--json"]) == 1
    told = capsys.readouterr()
    assert "NotInstalled: papermill (of cropkit[batch]): not installed for " in told.err
    assert f"{sys.executable} -m pip install 'papermill>=" in told.err
    assert json.loads(told.out)["code"] == "NotInstalled"


def test_what_the_system_refuses_beside_images_is_a_sentence(
    tmp_path: Path, capsys: Capture
) -> None:
    (tmp_path / "file").write_text("in the way")
    assert main(["demo", str(tmp_path / "file" / "demo"), "--json"]) == 1
    told = capsys.readouterr()
    assert "SystemRefused: " in told.err
    assert f"{tmp_path}/file" in told.err
    assert json.loads(told.out)["ok"] is False


COMMANDS = {
    "health": ["health"],
    "history": ["history"],
    "fsck": ["fsck"],
    "stats": ["stats"],
    "alerts": ["alerts", "show"],
    "undo": ["undo"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_user_without_a_name_and_a_home_may_work(
    command: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a container that is given any user id."""
    if os.geteuid() != 0:
        pytest.skip("only the administrator becomes somebody else")
    for name in ("HOME", "USER", "LOGNAME", "LNAME", "USERNAME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    place = Path(tempfile.mkdtemp(prefix="cropkit-nobody-"))
    folder = pictures.write_folder(place / "collection")
    for path in (place, folder, *folder.rglob("*")):
        os.chown(path, 54321, 54321)
    os.seteuid(54321)
    try:
        with Collection(folder) as collection:
            assert collection.crop("a_stage2.png", BOX).ok
        code = main([*COMMANDS[command], str(folder)])
        told = "".join(capsys.readouterr())
        assert (code, "Traceback" in told) == (0, False), told
    finally:
        os.seteuid(0)
        shutil.rmtree(place)
