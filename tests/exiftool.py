"""exiftool, as the judge of what files say: a program that shares no line of code with us."""

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

PROGRAM = shutil.which("exiftool")
NOT_TRIED = (
    "NOT TRIED: exiftool is not installed, so nothing but our own code was asked whether the "
    "metadata survives (Debian: apt install libimage-exiftool-perl)"
)
COMPARED: list[str] = []
MISSED: list[str] = []
# What it says about a file's name and times, or works out from other tags.
_OF_THE_FILE = ("ExifTool", "System", "Composite", "SourceFile")


def needed() -> None:
    """Skip a test that cannot ask it, and remember to say so at the end."""
    if PROGRAM is None:
        MISSED.append("")
        pytest.skip(NOT_TRIED)


def summarise(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what it was asked, or that it was not."""
    kinds = {kind: COMPARED.count(kind) for kind in sorted(set(COMPARED))}
    files = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
    if MISSED or files:
        terminalreporter.section("what exiftool says of the metadata")
    if files:
        terminalreporter.write_line(f"every tag before and after the crop was compared in: {files}")
    if MISSED:
        terminalreporter.write_line(f"{NOT_TRIED}; {len(MISSED)} tests were skipped", bold=True)


def tags(paths: Sequence[Path]) -> list[Mapping[str, Any]]:
    """Every tag of each file by its group, with unknown ones and binary values."""
    options = ("-json", "-G1:4", "-a", "-u", "-struct", "-b", "-n")
    command = [str(PROGRAM), *options, *map(str, paths)]
    ended = subprocess.run(command, capture_output=True, check=False)
    return [
        {key: value for key, value in one.items() if not key.startswith(_OF_THE_FILE)}
        for one in json.loads(ended.stdout)
    ]


def write(path: Path, *assignments: str) -> None:
    """Have exiftool write tags into a file."""
    command = [str(PROGRAM), "-q", "-m", "-overwrite_original", *assignments, str(path)]
    subprocess.run(command, check=True)
