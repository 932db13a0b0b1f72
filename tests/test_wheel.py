"""The wheel: what it holds, and that it works away from the clone."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from cropkit import __version__

ROOT = Path(__file__).parent.parent
HEAVY = {"PIL", "numpy", "pandas", "ipywidgets", "ipycanvas", "sqlalchemy", "matplotlib", "IPython"}


def ran(*command: str, cwd: Path) -> str:
    ended = subprocess.run(
        command, cwd=cwd, capture_output=True, check=False, env={"PYTHONUTF8": "1"}
    )
    said = ended.stdout.decode()
    assert ended.returncode == 0, said + ended.stderr.decode()
    return said


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    built = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory"]
    ran(*build, str(built), cwd=ROOT)
    (made,) = built.glob("cropkit-*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unpack the wheel, which is what installing a pure one to a folder does."""
    target = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    return target


def test_the_wheel_holds_every_notebook_of_the_clone(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = {
            name.rpartition("/")[2]: archive.read(name)
            for name in archive.namelist()
            if name.startswith("cropkit/notebooks/")
        }
    clone = {path.name: path.read_bytes() for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert clone
    assert held == clone


def test_the_wheel_holds_every_module_and_nothing_but_the_package(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "cropkit").rglob("*.py")}
    assert modules <= names
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"cropkit"}
    assert not [name for name in names if "test_" in name or "__pycache__" in name]


def test_the_wheel_states_licence_types_and_scripts(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = {name.rpartition("/")[2]: name for name in archive.namelist()}
        scripts = archive.read(held["entry_points.txt"]).decode()
        metadata = archive.read(held["METADATA"]).decode()
    assert {"LICENSE", "py.typed"} <= held.keys()
    assert "License-Expression: BSD-3-Clause" in metadata
    assert "cropkit = cropkit.__main__:main" in scripts
    assert "jupyter-cropkit = cropkit.__main__:main" in scripts


def imported(installed: Path, statement: str, cwd: Path) -> list[str]:
    code = f"import sys; sys.path.insert(0, sys.argv[1]); {statement}; print(cropkit.__file__)"
    said = ran(sys.executable, "-I", "-c", f"{code}; print(*sys.modules)", str(installed), cwd=cwd)
    file, modules = said.splitlines()
    assert Path(file).is_relative_to(installed), "the clone is not what was imported"
    return modules.split()


def test_jupyterlab_lists_the_part_that_its_launcher_has(installed: Path, tmp_path: Path) -> None:
    [share] = installed.glob("cropkit-*.data/data/share/jupyter")
    extension = share / "labextensions/cropkit"
    book = extension / "static/review.ipynb"
    assert book.read_bytes() == (ROOT / "notebooks/1_review.ipynb").read_bytes()
    ended = subprocess.run(
        [sys.executable, "-m", "jupyterlab.labextensions", "list"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        env={"JUPYTER_PATH": str(share), "HOME": str(tmp_path)},
    )
    listed = re.sub(r"\x1b\[\d+m", "", ended.stderr)
    assert f"cropkit v{__version__} enabled OK (python, cropkit)" in listed


def test_an_alert_of_an_installed_cropkit_leads_to_a_runbook_that_is_there(
    installed: Path, tmp_path: Path
) -> None:
    code = "from cropkit.monitor.health import Alert; print(Alert('test', '', '').link)"
    path = f"import sys; sys.path.insert(0, {str(installed)!r}); {code}"
    place, _, entry = ran(sys.executable, "-I", "-c", path, cwd=tmp_path).strip().partition("#")
    assert Path(place).is_relative_to(installed)
    assert f"\n### {entry}\n" in Path(place).read_text("utf-8")
    assert (Path(place).parent / "alerts.md").is_file()


def test_it_imports_from_another_folder_and_loads_nothing_heavy(
    installed: Path, tmp_path: Path
) -> None:
    modules = imported(installed, "import cropkit", tmp_path)
    bare = ran(sys.executable, "-I", "-c", "import sys; print(*sys.modules)", cwd=tmp_path).split()
    ours = set(modules) - set(bare)
    assert not HEAVY & ours
    assert len(ours) < 100, sorted(ours)


def test_what_a_person_first_types_does_load(installed: Path, tmp_path: Path) -> None:
    assert "sqlalchemy" in imported(installed, "import cropkit; cropkit.open", tmp_path)


def test_an_installed_cropkit_shows_help_and_makes_no_environment(
    installed: Path, tmp_path: Path
) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv.pop(1)); from cropkit.__main__ import main; main()"
    )
    said = ran(sys.executable, "-I", "-c", code, str(installed), "--help", cwd=tmp_path)
    assert "review" in said
    assert not list(installed.rglob(".venv*"))
