"""The set-up, run for real on a clone in small: one package, from a folder, without a network."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from patience import patient

from cropkit import __main__ as front
from cropkit.bootstrap import SetupFailed, building, child, installers, postgres, selftest
from cropkit.bootstrap import install as installing
from cropkit.bootstrap.clone import Clone, Environment, building_lock

ROOT = Path(__file__).parents[2]
BASE = str(getattr(sys, "_base_executable", sys.executable))
SECONDS = patient(60)

# What it requires is in no index: the lock is taken as it is, and nothing is looked for.
METADATA = "Metadata-Version: 2.1\nName: tinypack\nRequires-Dist: elsewhere[more]>=1\n"
PROJECT = """\
[project]
dependencies = ["tinypack>=1,<2"]
[tool.cropkit]
tried = [["tinypack"]]
"""
WHEEL = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
COMMAND_LINE = """\
import json, os, pathlib, sys, time
def is_lock(descriptor):
    stamp = pathlib.Path(sys.prefix) / "cropkit-stamp"
    try:
        return os.path.sameopenfile(descriptor, os.open(stamp, os.O_RDONLY))
    except OSError:
        return False
def main(argv):
    if argv == ["--help"]:
        sys.stdout.write("help")
        return 0
    import tinypack
    inherited = [each for each in range(3, 20) if is_lock(each) and os.get_inheritable(each)]
    answer = {"prefix": sys.prefix, "version": tinypack.VERSION, "argv": argv}
    json.dump({**answer, "inherited": len(inherited)}, sys.stdout)
    sys.stdout.write("\\n")
    sys.stdout.flush()
    if argv[:1] == ["stay"]:
        sys.stdin.read()
        del sys.modules["tinypack"]
        import tinypack
        sys.stdout.write(tinypack.VERSION)
    return 7
"""
FAKE_UV = """\
import os, pathlib, re, sys, time
if sys.argv[1] == "--version":
    sys.exit(0)
if sys.argv[1] == "python":
    sys.exit(1)
given = dict(zip(sys.argv, sys.argv[1:]))
assert {"--require-hashes", "--no-deps"} <= set(sys.argv)
assert "--compile-bytecode" not in sys.argv
with open(os.environ["UV_LOG"], "a") as log:
    log.write("installing\\n")
site, = pathlib.Path(given["--python"]).parent.parent.glob("lib/python*/site-packages")
site.joinpath("half").touch()
time.sleep(float(os.environ.get("UV_SLEEP", "0")))
if os.environ.get("UV_FAILS"):
    sys.exit("uv cannot")
locks = [value for key, value in zip(sys.argv, sys.argv[1:]) if key == "--requirement"]
version = re.search("tinypack==([0-9.]+)", open(locks[0]).read())[1]
site.joinpath("half").unlink()
site.joinpath("tinypack.py").write_text(os.environ.get("UV_WRITES", f"VERSION = '{version}'"))
for lock in locks:
    site.joinpath(pathlib.Path(lock).name).touch()
"""


@dataclass
class Small:
    """A clone in small, and how to run it."""

    root: Path
    wheels: Path
    programs: Path
    environment: dict[str, str] = field(default_factory=dict)

    def start(self, *arguments: str, python: str = BASE) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [python, "-m", "cropkit", *arguments],
            cwd=self.root,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
        )

    def run(self, *arguments: str) -> "Ended":
        return ended(self.start(*arguments))

    def lock(self, version: str, more: dict[str, str] | None = None) -> None:
        """Lock the small package, as `uv pip compile` would."""
        wheel = make_wheel(self.wheels, version, more=more)
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        locked = f"tinypack=={version} \\\n    --hash=sha256:{digest}\n"
        (self.root / "requirements.lock").write_text(locked)

    def use_fake_uv(self) -> None:
        """Put a uv on PATH that is quick, and can be told to be slow or to fail."""
        script = self.programs / "uv.py"
        script.write_text(FAKE_UV)
        uv = self.programs / "uv"
        uv.write_text(f'#!/bin/sh\nexec "{BASE}" "{script}" "$@"\n')
        uv.chmod(0o755)

    def serve_uv(self) -> None:
        """Let pip find a uv that is locked: it is the fake one, in a wheel."""
        files = {"uv-9.data/scripts/uv": f"#!{BASE}\n{FAKE_UV}"}
        wheel = make_wheel(self.wheels, "9", "uv", files)
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        text = f"uv==9 \\\n    --hash=sha256:{digest}\n"
        (self.root / "requirements-uv.lock").write_text(text)

    def environments(self) -> list[Path]:
        return [each for each in (self.root / ".venv.d").iterdir() if each.name != "uv"]

    def half_made(self) -> bool:
        return list(self.root.glob(".venv.d/*/lib/python*/site-packages/half")) != []

    def times_installed(self) -> int:
        return Path(self.environment["UV_LOG"]).read_text().count("installing")

    @property
    def venv(self) -> Path:
        return self.root / ".venv"

    @property
    def prefix(self) -> str:
        """The environment in force, by its own name."""
        return str(self.venv.resolve())


@dataclass
class Ended:
    code: int
    out: str
    err: str

    @property
    def answer(self) -> dict[str, object]:
        found: dict[str, object] = json.loads(self.out)
        return found


def ended(process: subprocess.Popen[str]) -> Ended:
    out, err = process.communicate(timeout=SECONDS)
    return Ended(process.returncode, out, err)


def make_wheel(
    folder: Path, version: str, package: str = "tinypack", more: dict[str, str] | None = None
) -> Path:
    name = f"{package}-{version}"
    wheel = folder / f"{name}-py3-none-any.whl"
    metadata = METADATA.replace("tinypack", package)
    files = {
        f"{package}.py": f"VERSION = '{version}'\n",
        f"{name}.dist-info/METADATA": f"{metadata}Version: {version}\n",
        f"{name}.dist-info/WHEEL": WHEEL,
        f"{name}.dist-info/RECORD": "",
    }
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in (files | (more or {})).items():
            entry = zipfile.ZipInfo(path)
            entry.external_attr = 0o100755 << 16  # a program keeps its right to run
            archive.writestr(entry, text)
    return wheel


def eventually(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)


@pytest.fixture
def small(tmp_path: Path) -> Small:
    root = tmp_path / "a clone {of} ü"
    shutil.copytree(ROOT / "cropkit" / "bootstrap", root / "cropkit" / "bootstrap")
    for name in ("__init__.py", "__main__.py", "_version.py"):
        shutil.copy(ROOT / "cropkit" / name, root / "cropkit" / name)
    (root / "cropkit" / "cli.py").write_text(COMMAND_LINE)
    (root / "pyproject.toml").write_text(PROJECT)
    (root / "requirements-test.lock").write_text("")
    (root / "requirements-uv.lock").write_text("uv==9 --hash=sha256:00\n")
    wheels, programs = tmp_path / "wheels", tmp_path / "programs"
    wheels.mkdir()
    programs.mkdir()
    made = Small(root, wheels, programs)
    made.environment = {
        "HOME": "",
        "PATH": f"{programs}{os.pathsep}/usr/bin{os.pathsep}/bin",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(wheels),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUTF8": "1",
        "UV_LOG": str(tmp_path / "uv.log"),
    }
    made.lock("1.0")
    return made


@pytest.fixture
def quick(small: Small) -> Small:
    small.use_fake_uv()
    return small


def test_a_first_run_makes_the_environment_by_pip_and_runs_there(small: Small) -> None:
    first = small.run("crop", "{} ü")
    assert (first.answer["prefix"], first.answer["version"]) == (small.prefix, "1.0")
    assert first.answer["argv"] == ["crop", "{} ü"]
    assert first.code == 7
    assert "setting up" in first.err
    assert "no uv, so pip installs" in first.err
    second = small.run("crop")
    assert (second.answer["prefix"], second.err) == (small.prefix, "")


def test_what_is_tried_is_compiled_and_nothing_else(small: Small) -> None:
    shutil.rmtree(small.wheels)
    small.wheels.mkdir()
    small.lock("1.0", {"seldom.py": ""})
    small.run("crop")
    compiled = {each.name.partition(".")[0] for each in Path(small.prefix).rglob("*.pyc")}
    assert "tinypack" in compiled, "whatever PYTHONDONTWRITEBYTECODE says"
    assert "seldom" not in compiled


def test_how_long_it_is_tried_is_told_meanwhile(quick: Small) -> None:
    quick.environment["UV_WRITES"] = "import time; time.sleep(2.5); VERSION = '1.0'"
    assert "trying what was installed, 1 s" in quick.run("crop").err


def test_an_environment_that_cannot_be_imported_does_not_take_the_name(quick: Small) -> None:
    quick.environment["UV_WRITES"] = "import nothing_of_this_name"
    ran = quick.run("crop")
    assert (ran.code, ran.out) == (1, "")
    assert "No module named 'nothing_of_this_name'" in ran.err
    assert not quick.venv.exists()
    assert quick.environments() == []


def test_what_nobody_loads_is_not_kept(tmp_path: Path) -> None:
    site = tmp_path / "lib/python3.11/site-packages"
    kept = [site / name for name in ("numpy/testing/tests.py", "tinypack/tests/a.py", "numpy/a.py")]
    kept += [site / "widgetsnbextension/_version.py", tmp_path / "share/jupyter/labextensions/a"]
    gone = [site / name for name in ("numpy/tests/a.py", "numpy/core/tests/tests/a.py")]
    gone += [site / "pandas/tests/data/a.csv", site / "widgetsnbextension/static/extension.js"]
    gone += [tmp_path / "share/jupyter/nbextensions/a/extension.js"]
    for path in (*kept, *gone):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    building.shed(Environment(tmp_path))
    assert [path for path in (*kept, *gone) if path.exists()] == kept
    assert not (site / "pandas/tests").exists()


def test_uv_is_used_when_it_is_on_path(quick: Small) -> None:
    assert quick.run("crop").answer["version"] == "1.0"
    assert quick.times_installed() == 1


def test_a_uv_on_path_that_does_not_start_is_passed_over(small: Small) -> None:
    program(small.programs, "uv", 127)
    ran = small.run("crop")
    assert ran.answer["version"] == "1.0"
    assert "uv ended with" not in ran.err


def test_uv_is_fetched_once_where_there_is_none(small: Small) -> None:
    small.serve_uv()
    first = small.run("crop")
    assert first.answer["version"] == "1.0"
    assert "no uv" not in first.err
    assert small.times_installed() == 1
    (small.wheels / "uv-9-py3-none-any.whl").unlink()
    small.lock("1.1")
    again = small.run("crop")
    assert (again.answer["version"], small.times_installed()) == ("1.1", 2)
    assert "no uv" not in again.err


def test_a_uv_that_does_not_have_the_locked_hash_is_not_run(small: Small) -> None:
    small.serve_uv()
    lock = small.root / "requirements-uv.lock"
    lock.write_text(lock.read_text()[:-9] + "00000000\n")
    ran = small.run("crop")
    assert "no uv, so pip installs" in ran.err
    assert ran.answer["version"] == "1.0"
    assert not Path(small.environment["UV_LOG"]).exists()


def test_what_needs_no_tests_is_installed_without_them_and_tests_add_to_it(quick: Small) -> None:
    (quick.root / "tests").mkdir()
    quick.run("crop")
    assert [*Path(quick.prefix).rglob("requirements*.lock")] != []
    assert [*Path(quick.prefix).rglob("requirements-test.lock")] == []
    quick.run("test")
    assert [*Path(quick.prefix).rglob("requirements-test.lock")] != []
    quick.run("crop")
    assert quick.times_installed() == 2, "an environment with more does"


def test_what_was_made_for_tests_is_made_anew_for_them(quick: Small) -> None:
    (quick.root / "tests").mkdir()
    quick.run("test")
    quick.lock("1.1")
    assert quick.run("crop").answer["version"] == "1.1"
    assert [*Path(quick.prefix).rglob("requirements-test.lock")] != []


def test_uv_asks_where_pip_was_told_to_ask(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [each for each in os.environ if each.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    pip = installers.Pip(BASE, ())
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    assert installers.indexes(pip) == {}, "where nothing else is said, uv asks the usual index, too"
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror.invalid/simple")
    asked = installers.indexes(pip)
    assert asked["UV_DEFAULT_INDEX"] == "https://mirror.invalid/simple"
    assert asked["UV_FIND_LINKS"] == str(tmp_path)
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://other.invalid/simple")
    assert installers.indexes(pip) == {}


def test_where_uv_fails_pip_is_asked(quick: Small) -> None:
    quick.environment["UV_FAILS"] = "1"
    ran = quick.run("crop")
    assert "uv cannot" in ran.err
    assert ran.answer["version"] == "1.0"


def test_help_needs_no_set_up(small: Small) -> None:
    assert small.run("--help").out == "help"
    assert small.run("test", "--help").out == selftest.USAGE
    assert not small.venv.exists()


def test_where_everything_is_installed_it_runs_at_once(small: Small, tmp_path: Path) -> None:
    with zipfile.ZipFile(make_wheel(small.wheels, "1.5")) as wheel:
        wheel.extractall(tmp_path / "installed")
    small.environment["PYTHONPATH"] = str(tmp_path / "installed")
    ran = small.run("crop")
    assert (ran.answer["version"], ran.err) == ("1.5", "")
    assert not small.venv.exists()


def test_an_installed_version_out_of_range_does_not_do(quick: Small, tmp_path: Path) -> None:
    with zipfile.ZipFile(make_wheel(quick.wheels, "2.0")) as wheel:
        wheel.extractall(tmp_path / "installed")
    quick.environment["PYTHONPATH"] = str(tmp_path / "installed")
    assert quick.run("crop").answer["prefix"] == quick.prefix


def test_a_set_up_that_was_killed_is_made_again(quick: Small) -> None:
    quick.environment["UV_SLEEP"] = "60"
    killed = quick.start("crop")
    eventually(quick.half_made)
    os.killpg(killed.pid, signal.SIGKILL)
    ended(killed)
    quick.environment["UV_SLEEP"] = "0"
    assert quick.run("crop").answer["version"] == "1.0"
    assert not quick.half_made()
    assert quick.times_installed() == 2


def test_an_interrupted_set_up_says_that_the_next_run_begins_again(quick: Small) -> None:
    quick.environment["UV_SLEEP"] = "60"
    running = quick.start("crop")
    eventually(quick.half_made)
    os.killpg(running.pid, signal.SIGINT)
    stopped = ended(running)
    assert (stopped.code, stopped.out) == (1, "")
    assert "the next run begins it again" in stopped.err
    assert "Traceback" not in stopped.err.partition("cropkit: set-up interrupted")[2]


def test_two_first_runs_at_once_make_one_environment(quick: Small) -> None:
    quick.environment["UV_SLEEP"] = "0.5"
    both = [ended(process) for process in [quick.start("crop"), quick.start("crop")]]
    assert [each.answer["version"] for each in both] == ["1.0", "1.0"]
    assert quick.times_installed() == 1
    assert sorted("waiting for another" in each.err for each in both) == [False, True]


def test_an_orphaned_installer_keeps_the_next_run_waiting(quick: Small) -> None:
    quick.environment["UV_SLEEP"] = "1"
    killed = quick.start("crop")
    eventually(quick.half_made)
    killed.kill()  # the installer lives on
    ran = quick.run("crop")
    killed.communicate(timeout=SECONDS)
    assert ran.answer["version"] == "1.0"
    assert "waiting for another" in ran.err


def test_another_lock_makes_another_environment(quick: Small) -> None:
    quick.run("crop")
    before = quick.prefix
    quick.lock("1.1")
    assert quick.run("crop").answer["version"] == "1.1"
    assert [str(each) for each in quick.environments()] == [quick.prefix] != [before]


def test_an_upgrade_that_fails_leaves_the_environment_of_before_and_says_so(small: Small) -> None:
    small.run("crop")
    small.lock("1.1")
    for wheel in small.wheels.iterdir():
        wheel.unlink()
    ran = small.run("crop")
    assert (ran.code, ran.answer["version"], ran.answer["prefix"]) == (7, "1.0", small.prefix)
    assert "goes on in the environment of before" in ran.err
    assert ran.err.count("could not be installed") == 1, "it tries once a command"
    assert len(small.environments()) == 1


def test_an_upgrade_that_is_interrupted_leaves_the_environment_of_before(quick: Small) -> None:
    quick.run("crop")
    before = quick.prefix
    quick.lock("1.1")
    quick.environment["UV_SLEEP"] = "60"
    killed = quick.start("crop")
    eventually(quick.half_made)
    os.killpg(killed.pid, signal.SIGKILL)
    ended(killed)
    assert quick.prefix == before
    assert Clone(quick.root).current() is not None


def test_tests_do_not_go_on_in_an_environment_of_before(quick: Small) -> None:
    (quick.root / "tests").mkdir()
    quick.run("crop")
    for wheel in quick.wheels.iterdir():
        wheel.unlink()
    quick.environment["UV_FAILS"] = "1"
    ran = quick.run("test")
    assert ran.code == 1
    assert "goes on" not in ran.err


def test_an_environment_of_before_there_were_links_is_used_until_it_is_replaced(
    quick: Small,
) -> None:
    quick.run("crop")
    folder = Path(quick.prefix)
    quick.venv.unlink()
    folder.rename(quick.venv)
    stamp = quick.venv / "cropkit-stamp"
    lock, _, *others = stamp.read_text().splitlines()
    stamp.write_text("\n".join([f"{lock[:-1]}x", *others]) + "\n")
    quick.environment["UV_FAILS"] = "1"
    lost = quick.wheels / "tinypack-1.0-py3-none-any.whl"
    kept = lost.rename(lost.with_suffix(".kept"))
    assert quick.run("crop").answer["prefix"] == str(quick.venv)
    kept.rename(lost)
    assert quick.run("crop").answer["prefix"] == quick.prefix != str(quick.venv)
    assert len(quick.environments()) == 1


def test_another_python_makes_another_environment(quick: Small) -> None:
    quick.run("crop")
    stamp = quick.venv / "cropkit-stamp"
    stamp.write_text(stamp.read_text().replace("CPython 3.", "CPython 2."))
    quick.run("crop")
    assert quick.times_installed() == 2


def test_a_clone_that_was_moved_makes_another_environment(quick: Small) -> None:
    quick.run("crop")
    quick.root = quick.root.rename(quick.root.with_name("moved"))
    assert quick.run("crop").answer["prefix"] == quick.prefix
    assert quick.times_installed() == 2, "its scripts name the old place"


def test_the_lock_is_not_let_go_of_on_the_way_into_the_environment(quick: Small) -> None:
    assert quick.run("crop").answer["inherited"] == 1
    assert quick.run("crop").answer["inherited"] == 1


def test_an_environment_in_use_stays_until_its_user_ends(quick: Small) -> None:
    quick.run("crop")
    before = Path(quick.prefix)
    user = quick.start("stay")
    assert user.stdout is not None
    assert user.stdout.read(1) == "{", "it runs"
    quick.lock("1.1")
    assert quick.run("crop").answer["version"] == "1.1", "nobody has to wait"
    assert before.is_dir()
    out, _ = user.communicate("", timeout=SECONDS)
    assert out.endswith("1.0"), "what it imports late is its own"
    quick.lock("1.2")
    quick.run("crop")
    assert not before.exists()


def test_who_runs_by_the_links_name_keeps_to_the_environment_itself(quick: Small) -> None:
    quick.run("crop")
    before = quick.prefix
    user = quick.start("stay", python=str(quick.venv / "bin" / "python"))
    assert user.stdout is not None
    answer = user.stdout.readline()
    assert json.loads(answer)["prefix"] == before
    quick.lock("1.1")
    quick.run("crop")
    assert quick.prefix != before
    out, _ = user.communicate("", timeout=SECONDS)
    assert out.endswith("1.0"), "what it imports late is not what the link leads to now"


def test_a_shell_that_has_activated_it_gets_the_next_one(quick: Small) -> None:
    quick.run("crop")
    activate = (quick.venv / "bin" / "activate").read_text()
    assert str(quick.venv) in activate
    assert quick.prefix not in activate


def test_the_environment_run_directly_repairs_itself(quick: Small) -> None:
    quick.run("crop")
    quick.lock("1.1")
    inside = subprocess.run(
        [quick.venv / "bin" / "python", "-m", "cropkit", "crop"],
        cwd=quick.root.parent,
        env=quick.environment,
        capture_output=True,
        check=False,
    )
    # Its .pth finds the clone from any folder.
    assert json.loads(inside.stdout)["version"] == "1.1"


@pytest.mark.parametrize("script", ["cropkit", "jupyter-cropkit"])
def test_the_environment_holds_the_scripts_of_an_installed_cropkit(
    quick: Small, script: str
) -> None:
    quick.run("crop")
    ran = subprocess.run(
        [quick.venv / "bin" / script, "crop", "a b"],
        cwd=quick.root.parent,
        env=quick.environment,
        capture_output=True,
        check=False,
    )
    assert (json.loads(ran.stdout)["argv"], ran.returncode) == (["crop", "a b"], 7)


def test_an_environment_of_somebody_else_is_moved_aside_not_removed(quick: Small) -> None:
    quick.venv.mkdir()
    (quick.venv / "theirs").write_text("precious")
    assert "moved to" in quick.run("crop").err
    (kept,) = quick.root.glob(".venv.[0-9a-f]*/theirs")
    assert kept.read_text() == "precious"


def test_without_the_package_index_it_says_what_failed(small: Small) -> None:
    for wheel in small.wheels.iterdir():
        wheel.unlink()
    failed = small.run("crop")
    assert (failed.code, failed.out) == (1, "")
    assert "No matching distribution found for tinypack==1.0" in failed.err
    assert "Is the package index reachable?" in failed.err
    assert "Traceback" not in failed.err


def test_a_package_that_does_not_have_the_locked_hash_is_not_installed(small: Small) -> None:
    lock = small.root / "requirements.lock"
    lock.write_text(lock.read_text()[:-9] + "00000000\n")
    failed = small.run("crop")
    assert failed.code == 1
    assert "DO NOT MATCH THE HASHES" in failed.err


def test_without_pip_and_uv_it_names_the_command_that_installs_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(installers, "succeeds", lambda *_: False)
    (tmp_path / "requirements-uv.lock").touch()
    with pytest.raises(SetupFailed, match="apt install python3-pip"):
        installing.install(Clone(tmp_path), Environment(tmp_path), [], held=())


def test_a_clone_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(SetupFailed, match=r"cannot set up in .*nowhere"):
        building_lock(Clone(tmp_path / "nowhere"))


def test_a_python_that_is_too_old_is_told_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(front, "OLDEST", (3, 99))
    assert front.main(["crop"]) == 2
    assert "needs Python 3.99" in capsys.readouterr().err


def test_installers_are_not_led_astray_by_the_users_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PIP_TARGET", "elsewhere")
    monkeypatch.setenv("PIP_USER", "1")
    monkeypatch.setenv("HOME", "/nonexistent")
    given = child.child_environment()
    assert "PIP_TARGET" not in given
    assert (given["PIP_USER"], given["PIP_NO_CACHE_DIR"], given["UV_NO_CACHE"]) == ("0", "1", "1")


def test_outside_a_clone_the_tests_are_refused(small: Small) -> None:
    (small.root / "requirements.lock").unlink()
    refused = small.run("test")
    assert (refused.code, refused.out) == (2, "")
    assert "live in a clone" in refused.err


def test_an_installed_cropkit_names_what_it_misses(small: Small, tmp_path: Path) -> None:
    (small.root / "requirements.lock").unlink()
    metadata = tmp_path / "site" / "cropkit-1.dist-info" / "METADATA"
    metadata.parent.mkdir(parents=True)
    metadata.write_text("Name: cropkit\nVersion: 1\nRequires-Dist: tinypack<2,>=1\n")
    small.environment["PYTHONPATH"] = str(tmp_path / "site")
    run = small.run("crop")
    assert "missing here: tinypack<2,>=1" in run.err
    assert "-m pip install 'tinypack<2,>=1'" in run.err


def program(folder: Path, name: str, code: int) -> Path:
    made = folder / name
    made.write_text(f"#!/bin/sh\nexit {code}\n")
    made.chmod(0o755)
    return made


def test_a_chromium_that_does_not_start_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(selftest.CHROMIUM, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    program(tmp_path, "chromium", 1)
    works = program(tmp_path, "google-chrome", 0)
    assert selftest.provide_chromium() == str(works)


def test_without_a_chromium_the_run_fails_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(selftest.CHROMIUM, str(program(tmp_path, "broken", 1)))
    monkeypatch.setattr(selftest, "pytest", lambda *_: pytest.fail("no test may run"))
    assert selftest.run([]) == 1
    assert "the run has failed: no Chromium" in capsys.readouterr().err


def test_without_a_driver_for_it_the_run_fails_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(selftest.CHROMIUM, str(program(tmp_path, "browser", 0)))
    monkeypatch.setenv("PATH", str(tmp_path))  # no apt-get there
    monkeypatch.setattr(sys, "executable", str(program(tmp_path, "python", 127)))
    monkeypatch.setattr(selftest, "pytest", lambda *_: pytest.fail("no test may run"))
    assert selftest.run([]) == 1
    assert "apt install libatomic1" in capsys.readouterr().err


@pytest.fixture
def debian(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Debian of one folder without a PostgreSQL; its apt says what it was told, and installs."""
    made = tmp_path / "debian"
    made.mkdir()
    monkeypatch.delenv(postgres.VARIABLE, raising=False)
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("PATH", str(made))
    monkeypatch.setattr(postgres, "OF_DEBIAN", made / "lib")
    monkeypatch.setattr(postgres, "NO_CLUSTER", made / "etc" / "cropkit-tests.conf")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    apt = program(made, "apt-get", 0)
    script = """#!/bin/sh
cd "${0%/*}"
echo $* >> told
/bin/cat etc/*.conf >> seen
for name in initdb postgres; do echo '#!/bin/sh' > $name; /bin/chmod 755 $name; done
"""
    apt.write_text(script)
    return made


def test_the_newest_postgresql_that_starts_is_found(debian: Path) -> None:
    for version, code in (("9", 0), ("15", 0), ("17", 1)):
        folder = debian / "lib" / version / "bin"
        folder.mkdir(parents=True)
        for name in postgres.PROGRAMS:
            program(folder, name, code)
    assert postgres.programs() == debian / "lib/15/bin"
    assert postgres.provide()
    assert not (debian / "told").exists(), "nothing is installed where there is one"


def test_debians_postgresql_is_installed_without_a_cluster_of_its_own(
    debian: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert postgres.provide()
    assert "install --yes --no-install-recommends postgresql" in (debian / "told").read_text()
    assert "create_main_cluster = false" in (debian / "seen").read_text()
    assert not postgres.NO_CLUSTER.exists(), "the next one may have a cluster"
    assert f"start {debian / 'postgres'}" in capsys.readouterr().err


def test_without_a_postgresql_it_is_said_and_the_tests_run(
    debian: Path, runs: "Runs", monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program(debian, "apt-get", 100)
    monkeypatch.setattr(postgres, "programs", lambda: None)
    monkeypatch.setattr(selftest, "what_stops_the_driver", lambda: None)
    assert selftest.run([]) == 5
    assert "NOT TRIED: no PostgreSQL" in capsys.readouterr().err
    assert len(runs) == 1


def test_in_ci_a_run_without_a_postgresql_fails(
    debian: Path, runs: "Runs", monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program(debian, "apt-get", 100)
    monkeypatch.setattr(postgres, "programs", lambda: None)
    monkeypatch.setattr(selftest, "what_stops_the_driver", lambda: None)
    monkeypatch.setenv("CI", "true")
    assert selftest.run([]) == 1
    assert "CI is set, so the run has failed" in capsys.readouterr().err
    assert runs == []


def test_a_database_that_somebody_names_is_used_and_its_password_not_said(
    debian: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(postgres.VARIABLE, "postgresql://me:secret@there/x")
    assert postgres.provide()
    assert "secret" not in capsys.readouterr().err
    assert not (debian / "told").exists()


Runs = list[tuple[list[str], dict[str, str]]]


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runs:
    """What pytest was run with, by a Chromium that works and without a home to write to."""
    seen: Runs = []

    def fake_pytest(arguments: list[str], environment: dict[str, str]) -> int:
        assert Path(environment["HOME"]).is_dir(), "kernels need a home to write to"
        seen.append((arguments, environment))
        return 5

    monkeypatch.setenv(selftest.CHROMIUM, str(program(tmp_path, "browser", 0)))
    monkeypatch.setenv("HOME", "")
    monkeypatch.setattr(postgres, "programs", lambda: tmp_path)
    for name in selftest.VARIABLES.values():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(selftest, "pytest", fake_pytest)
    return seen


def test_pytest_gets_the_chromium_and_all_arguments_but_our_own(runs: Runs, tmp_path: Path) -> None:
    assert selftest.run(["-k", "x", "--crash-full", "--soak", "--mutants"]) == 5
    ((arguments, environment),) = runs
    assert arguments[-3:] == ["-k", "x", "--soak"]
    assert environment[selftest.CHROMIUM] == str(tmp_path / "browser")
    assert {environment[name] for name in selftest.VARIABLES.values()} == {"1"}


def test_there_is_a_worker_more_than_cores_and_a_person_may_say_otherwise(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    for cores, count in ((1, "2"), (2, "3"), (64, "8")):
        monkeypatch.setattr(os, "sched_getaffinity", lambda _, cores=cores: set(range(cores)))
        selftest.run(["-n", "0"])
        arguments, environment = runs[-1]
        assert arguments == ["-n", count, "--dist", "loadfile", "--durations=10", "-n", "0"]
        assert not set(selftest.VARIABLES.values()) & environment.keys()


@pytest.mark.parametrize("named", ["tests/test_style.py", "tests/test_style.py::test_x", "--pdb"])
def test_a_named_file_and_a_debugger_have_no_workers(runs: Runs, named: str) -> None:
    selftest.run(["-x", named])
    assert runs[0][0] == ["--durations=10", "-x", named]


def test_a_fast_run_needs_no_chromium(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selftest, "provide_chromium", lambda: pytest.fail("nothing needs it"))
    assert selftest.run(["--fast"]) == 5
    assert runs[0][0][-1] == "--fast"


def test_tests_run_in_another_python_with_an_environment_of_its_own(quick: Small) -> None:
    (quick.root / "tests").mkdir()
    quick.run("crop")
    version = ".".join(map(str, sys.version_info[:2]))
    wrapper = program(quick.programs, f"python{version}", 0)
    wrapper.write_text(f'#!/bin/sh\necho "$CROPKIT_VENV $@" >> {quick.programs}/log\n')
    other = f"3.{sys.version_info.minor + 1}"
    wrapper.rename(quick.programs / f"python{other}")
    ran = quick.run("test", "-x", "--python", other, "tests/some.py")
    assert ran.code == 0, ran.err
    log = (quick.programs / "log").read_text().splitlines()
    assert log[-1] == f".venv.{other} -m cropkit test -x tests/some.py"
    same = quick.run("test", f"--python={version}")
    assert len((quick.programs / "log").read_text().splitlines()) == len(log), same.err
    assert Clone(quick.root).venv.name == ".venv"


def test_an_environment_of_another_name_leaves_the_usual_one(quick: Small) -> None:
    quick.run("crop")
    usual = quick.prefix
    quick.environment["CROPKIT_VENV"] = ".venv.3.99"
    assert quick.run("crop").answer["prefix"] != usual
    assert (quick.prefix, len(quick.environments())) == (usual, 2)


@pytest.mark.parametrize("words", [["--python"], ["--python", "three"], ["--python=2.7"]])
def test_a_version_that_is_none_is_a_usage_error(quick: Small, words: list[str]) -> None:
    (quick.root / "tests").mkdir()
    refused = quick.run("test", *words)
    assert (refused.code, refused.out) == (2, "")
    assert "--python takes a version, such as 3.13" in refused.err


def test_a_python_that_is_not_to_be_had_is_one_sentence(quick: Small) -> None:
    (quick.root / "tests").mkdir()
    program(quick.programs, "python3.98", 1)
    quick.environment["UV_FAILS"] = "1"
    refused = quick.run("test", "--python", "3.98")
    assert (refused.code, refused.out) == (2, "")
    assert "no Python 3.98 on PATH, and none that uv can bring here" in refused.err
