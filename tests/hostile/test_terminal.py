"""What a folder holds reaches a terminal only as text: no cursor is moved, no line is forged."""

import logging
import os
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from hostile_names import NAMES, text, write

from cropkit.cli import main
from cropkit.collection import Collection

ROOT = Path(__file__).parents[2]
# what a worker of the tests reports to the others must be text: no log with half characters
pytestmark = pytest.mark.usefixtures("no_log")
SHOWN = ("newline", "return", "escape", "C1", "DEL", "bidi", "line separator", "latin-1", "tab")
BIDI = {"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"}


@pytest.fixture
def no_log() -> Iterator[None]:
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


def harmless(shown: str) -> bool:
    """Whether nothing but line ends of our own is left that a terminal would obey."""
    return not any(
        unicodedata.category(each) in ("Cc", "Cs", "Zl", "Zp")
        or unicodedata.bidirectional(each) in BIDI
        for each in shown.replace("\n", "")
    )


@pytest.mark.parametrize("name", SHOWN)
def test_every_command_shows_a_hostile_name_harmlessly(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    folder = tmp_path / "album"
    image = folder / write(folder, NAMES[name], sidecar=True)
    told = {}
    commands: dict[str, list[str]] = {
        "crop": ["crop", str(image), "--box", "1,1,40,40"],
        "refused": ["crop", str(image), "--box", "1,1,9999,40"],
        "missing": ["crop", f"{image}.gone", "--box", "1,1,9,9"],
        "history": ["history", str(folder)],
        "fsck": ["fsck", str(folder)],
        "batch": ["batch", str(folder), "--dry-run", "-p", "source", "suggestions"],
        "undo": ["undo", str(folder), "--all"],
        "apply": ["apply", str(folder)],
        "stats": ["stats", str(folder)],
        "recover": ["recover", str(folder)],
    }
    for command, arguments in commands.items():
        main(arguments)
        told[command] = capsys.readouterr()
    image.unlink()
    main(["fsck", str(folder)])
    told["fsck of a loss"] = capsys.readouterr()
    for command, (out, err) in told.items():
        assert harmless(out), (command, out)
        assert harmless(err), (command, err)
    (cropped,) = told["crop"].out.splitlines()
    assert cropped.startswith("cropped ")
    assert len(told["undo"].out.splitlines()) == 1, "no line is forged"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8:strict", "ascii:strict"])
def test_a_crop_that_is_made_is_told_whatever_the_terminal_can_show(
    tmp_path: Path, encoding: str
) -> None:
    for name in (text(NAMES["latin-1"]), "ü ☃.png"):
        path = write(tmp_path, os.fsencode(name))
        Collection(tmp_path).close()
        done = subprocess.run(
            [sys.executable, "-m", "cropkit", "crop", path, "--box", "1,1,9,9"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": encoding},
            capture_output=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, b"")
        assert done.stdout.startswith(b"cropped ")
