"""The doctor, shown environments that are broken: each is named, with its cure."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

import cropkit
from cropkit.cli import main
from cropkit.lossless import library
from cropkit.monitor import doctor as looking
from cropkit.monitor.doctor import Diagnosis, Finding, State, doctor
from cropkit.system import mounts

OK, WARN, BAD = State.OK, State.WARN, State.BAD


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "album"
    made.mkdir()
    return made


def of(diagnosis: Diagnosis, what: str) -> Finding:
    (finding,) = (each for each in diagnosis.findings if each.what == what)
    return finding


def before(folder: Path) -> list[str]:
    return sorted(str(each) for each in folder.rglob("*"))


def test_where_all_is_well_it_says_so_and_writes_nothing(folder: Path) -> None:
    diagnosis = doctor(folder)
    assert diagnosis.ok, repr(diagnosis)
    assert {each.what for each in diagnosis.findings if each.state is BAD} == set()
    assert of(diagnosis, "state").text.startswith(str(folder))
    assert of(diagnosis, "libjpeg").state is OK
    assert int(of(diagnosis, "packages").text.split()[0]) > 12, "what a clone asks for"
    assert before(folder) == []


def test_a_server_without_ipycanvas_is_named_with_its_python(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    server = tmp_path / "server"
    extensions = server / "share/jupyter/labextensions"
    for name in ("anywidget", "@jupyter-widgets/jupyterlab-manager"):
        (extensions / name).mkdir(parents=True)
        (extensions / name / "package.json").write_text("{}")
    monkeypatch.setattr(looking, "server_prefix", lambda: server)
    monkeypatch.setattr(looking, "_shared", lambda: ())
    diagnosis = doctor()
    assert not diagnosis.ok
    finding = of(diagnosis, "ipycanvas")
    assert finding.state is BAD
    assert finding.cure.startswith(f"{server}/bin/python -m pip install ipycanvas")
    assert [each.what for each in diagnosis.findings if each.state is BAD] == ["ipycanvas"]


def test_an_entry_that_the_launcher_lacks_is_no_more_than_a_warning(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(looking, "_shared", lambda: ())
    assert not [each for each in doctor().findings if each.what == "launcher"], "of a clone"
    monkeypatch.setattr(looking, "server_prefix", lambda: tmp_path)
    lacking = of(doctor(), "launcher")
    assert (lacking.state, "cropkit's wheel" in lacking.cure) == (WARN, True)
    extension = tmp_path / "share/jupyter/labextensions/cropkit"
    shutil.copytree(Path(cropkit.__file__).parent / "jupyter/labextension", extension)
    assert of(doctor(), "launcher").state is OK


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Path]:
    """A process that was started as an environment's own Python."""
    python = tmp_path / "env" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(Path(sys.executable).resolve())
    command = [str(python), "-c", "print(flush=True); input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        running.stdout.readline()
        (tmp_path / "pid").write_text(str(running.pid))
        yield tmp_path
        running.communicate(b"\n")


def test_in_a_kernel_the_environment_is_that_of_its_server(
    server: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JPY_PARENT_PID", (server / "pid").read_text())
    assert looking.server_prefix() == server / "env"
    monkeypatch.setenv("JPY_PARENT_PID", "999999999")
    assert looking.server_prefix() is None
    assert of(doctor(), "server").state is WARN


def test_a_network_file_system_is_in_the_way(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mounts, "mount_of", lambda _: mounts.Mount("nfs4"))
    finding = of(doctor(folder), "file system")
    assert finding.state is BAD
    assert "nfs4" in finding.text
    assert "--state" in finding.text, "the error's own cure"


@pytest.mark.parametrize(("free", "state"), [(1000, BAD), (1 << 29, WARN), (1 << 40, OK)])
def test_little_room_is_a_warning_and_none_is_in_the_way(
    folder: Path, monkeypatch: pytest.MonkeyPatch, free: int, state: State
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    assert of(doctor(folder), "free space").state is state


def test_without_a_libjpeg_it_is_a_warning_with_the_packages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(library, "candidates", lambda: ())
    finding = of(doctor(), "libjpeg")
    assert (finding.state, "no libjpeg" in finding.text) == (WARN, True)
    assert "pillow imagecodecs" in finding.cure


def test_a_package_out_of_its_range_is_named_with_the_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(looking, "wanted", lambda *_, **__: ["numpy>=99", "pillow>=1"])
    finding = of(doctor(), "packages")
    assert (finding.state, finding.text) == (BAD, "missing or out of range: numpy>=99")
    assert finding.cure == f"{sys.executable} -m pip install 'numpy>=99'"


def test_an_extra_that_is_missing_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "papermill", None)
    diagnosis = doctor()
    assert (diagnosis.ok, of(diagnosis, "batch").state) == (True, WARN)
    assert "pip install 'papermill" in of(diagnosis, "batch").cure


def test_ports_that_are_all_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "PORTS", 0)
    assert of(doctor(), "ports").state is BAD


def test_a_state_of_a_stranger_is_in_the_way(folder: Path) -> None:
    (folder / "elsewhere").mkdir()
    (folder / ".cropkit").symlink_to(folder / "elsewhere")
    finding = of(doctor(folder), "state")
    assert (finding.state, ".cropkit" in finding.text) == (BAD, True)


def test_a_place_that_cannot_be_written_is_in_the_way(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_, **__: False)
    assert of(doctor(folder), "rights").state is BAD


def test_the_command_ends_with_1_only_where_something_is_in_the_way(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", str(folder)]) == 0
    assert "ok   kernel: cropkit" in capsys.readouterr().out
    assert main(["doctor", str(folder / "none"), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is False
    (bad,) = (each for each in told["findings"] if each["state"] == "bad")
    assert (bad["what"], bad["cure"]) == ("folder", "name a folder of images")


def test_in_a_notebook_it_is_its_text_and_names_are_harmless(tmp_path: Path) -> None:
    folder = tmp_path / "a\x1b[31m"
    assert "\x1b" not in repr(cropkit.doctor(folder))
    assert "bad  folder:" in repr(cropkit.doctor(folder))
