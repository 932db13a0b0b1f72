"""Writers that other distributions bring: asked for by name, and named where they are broken."""

import json
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from zipfile import ZipFile

import pytest
from exporting import expected

from cropkit.errors import BadParameterValue
from cropkit.exports import registry

EXAMPLE = Path(__file__).parent / "example_writer"


def installed(package: Path, target: Path) -> Path:
    """Build a package as its `pyproject.toml` says, and install it into a folder."""
    wheels = target.with_name("wheels")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(wheels)]
    subprocess.run(build, cwd=package, check=True, capture_output=True)
    (wheel,) = wheels.iterdir()
    with ZipFile(wheel) as archive:
        archive.extractall(target)
    return target


def broken(folder: Path, **points: str) -> Path:
    """Make a distribution that promises writers."""
    info = folder / "promising-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: promising\nVersion: 1.0\n")
    lines = "".join(f"{name} = {value}\n" for name, value in points.items())
    (info / "entry_points.txt").write_text(f"[cropkit.writers]\n{lines}")
    return folder


def test_a_writer_that_is_installed_is_used_by_its_name(album: Path, tmp_path: Path) -> None:
    target = installed(EXAMPLE, tmp_path / "target")
    out = tmp_path / "boxes.txt"
    command = [sys.executable, "-m", "cropkit", "export", str(album), "--to", "lines", "--json"]
    ended = subprocess.run(
        [*command, "--out", str(out), "--slot", ""],
        env=os.environ | {"PYTHONPATH": str(target)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout)
    lines = [line.split("\t") for line in out.read_text("utf-8").splitlines()]
    assert {(path, name, tuple(map(int, edges))) for path, name, *edges in lines} == {
        each for each in expected() if each[0] != "a_stage2.png"
    }
    assert (told["to"], told["written"]) == ("lines", 2)
    assert told["left_out"]["of another slot"] == 3


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("no_such_module_at_all:WRITER", "No module named 'no_such_module_at_all'"),
        ("json:WRITER", "has no attribute 'WRITER'"),
        ("json:dumps", r"is no cropkit\.exports\.registry\.Writer"),
        ("raises_at_import:WRITER", "not today"),
        ("no_python:WRITER", "invalid syntax"),
    ],
)
def test_a_broken_writer_is_named_with_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str, why: str
) -> None:
    (tmp_path / "raises_at_import.py").write_text("raise RuntimeError('not today')\n")
    (tmp_path / "no_python.py").write_text("a b\n")
    monkeypatch.syspath_prepend(broken(tmp_path, lines=value))
    with pytest.raises(BadParameterValue, match=why) as told:
        registry.writer("lines")
    assert "lines" in str(told.value)


def test_a_name_that_nobody_writes_is_answered_with_all_that_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(broken(tmp_path, another="nowhere:W"))
    with pytest.raises(BadParameterValue, match=r"coco, .*csv, .*another"):
        registry.writer("parquet")


def test_ours_is_taken_before_anybodys_and_nothing_installed_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(broken(tmp_path, coco="nowhere:W"))
    monkeypatch.setattr(metadata, "entry_points", lambda **_: pytest.fail("it was looked for"))
    assert registry.writer("coco").suffixes == (".json",)
