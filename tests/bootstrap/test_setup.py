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
from cropkit.bootstrap import SetupFailed, selftest
from cropkit.bootstrap import install as installing
from cropkit.bootstrap.clone import Clone, EnvironmentLock

ROOT = Path(__file__).parents[2]
BASE = str(getattr(sys, "_base_executable", sys.executable))
SECONDS = patient(60)

# What it requires is in no index: the lock is taken as it is, and nothing is looked for.
METADATA = "Metadata-Version: 2.1\nName: tinypack\nRequires-Dist: elsewhere[more]>=1\n"
WHEEL = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
COMMAND_LINE = """\
import json, os, pathlib, sys, time
def is_lock(descriptor):
    lock = pathlib.Path(__file__).parents[1] / ".venv.lock"
    try:
        return os.path.sameopenfile(descriptor, os.open(lock, os.O_RDONLY))
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
    sys.stdout.flush()
    time.sleep(float(argv[1]) if argv[:1] == ["sleep"] else 0)
    return 7
"""
FAKE_UV = """\
import os, pathlib, re, sys, time
given = dict(zip(sys.argv, sys.argv[1:]))
assert {"--require-hashes", "--no-deps", "--compile-bytecode"} <= set(sys.argv)
with open(os.environ["UV_LOG"], "a") as log:
    log.write("installing\\n")
site, = pathlib.Path(given["--python"]).parent.parent.glob("lib/python*/site-packages")
site.joinpath("half").touch()
time.sleep(float(os.environ.get("UV_SLEEP", "0")))
if os.environ.get("UV_FAILS"):
    sys.exit("uv cannot")
version = re.search("tinypack==([0-9.]+)", open(given["--requirement"]).read())[1]
site.joinpath("half").unlink()
site.joinpath("tinypack.py").write_text(f"VERSION = '{version}'")
"""


@dataclass
class Small:
    """A clone in small, and how to run it."""

    root: Path
    wheels: Path
    programs: Path
    environment: dict[str, str] = field(default_factory=dict)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [BASE, "-m", "cropkit", *arguments],
            cwd=self.root,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
        )

    def run(self, *arguments: str) -> "Ended":
        return ended(self.start(*arguments))

    def lock(self, version: str) -> None:
        """Lock the small package, as `uv pip compile` would."""
        wheel = make_wheel(self.wheels, version)
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

    def times_installed(self) -> int:
        return Path(self.environment["UV_LOG"]).read_text().count("installing")

    @property
    def venv(self) -> Path:
        return self.root / ".venv"


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


def make_wheel(folder: Path, version: str) -> Path:
    name = f"tinypack-{version}"
    wheel = folder / f"{name}-py3-none-any.whl"
    files = {
        "tinypack.py": f"VERSION = '{version}'\n",
        f"{name}.dist-info/METADATA": f"{METADATA}Version: {version}\n",
        f"{name}.dist-info/WHEEL": WHEEL,
        f"{name}.dist-info/RECORD": "",
    }
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
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
    (root / "pyproject.toml").write_text('[project]\ndependencies = ["tinypack>=1,<2"]\n')
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
    assert (first.answer["prefix"], first.answer["version"]) == (str(small.venv), "1.0")
    assert first.answer["argv"] == ["crop", "{} ü"]
    assert first.code == 7
    assert "setting up" in first.err
    assert list(small.venv.rglob("tinypack.*.pyc")), "pip compiles, whatever the setting says"
    second = small.run("crop")
    assert (second.answer["prefix"], second.err) == (str(small.venv), "")


def test_uv_is_used_when_it_is_on_path(quick: Small) -> None:
    assert quick.run("crop").answer["version"] == "1.0"
    assert quick.times_installed() == 1


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
    assert quick.run("crop").answer["prefix"] == str(quick.venv)


def test_a_set_up_that_was_killed_is_made_again(quick: Small) -> None:
    quick.environment["UV_SLEEP"] = "60"
    killed = quick.start("crop")
    eventually(lambda: list(quick.venv.rglob("half")) != [])
    os.killpg(killed.pid, signal.SIGKILL)
    ended(killed)
    quick.environment["UV_SLEEP"] = "0"
    assert quick.run("crop").answer["version"] == "1.0"
    assert list(quick.venv.rglob("half")) == []
    assert quick.times_installed() == 2


def test_an_interrupted_set_up_says_that_the_next_run_begins_again(quick: Small) -> None:
    quick.environment["UV_SLEEP"] = "60"
    running = quick.start("crop")
    eventually(lambda: list(quick.venv.rglob("half")) != [])
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
    eventually(lambda: list(quick.venv.rglob("half")) != [])
    killed.kill()  # the installer lives on
    ran = quick.run("crop")
    killed.communicate(timeout=SECONDS)
    assert ran.answer["version"] == "1.0"
    assert "waiting for another" in ran.err


def test_another_lock_makes_another_environment(quick: Small) -> None:
    quick.run("crop")
    (quick.venv / "old").touch()
    quick.lock("1.1")
    assert quick.run("crop").answer["version"] == "1.1"
    assert not (quick.venv / "old").exists()


def test_another_python_makes_another_environment(quick: Small) -> None:
    quick.run("crop")
    stamp = quick.venv / "cropkit-stamp"
    stamp.write_text(stamp.read_text().replace("CPython 3.", "CPython 2."))
    quick.run("crop")
    assert quick.times_installed() == 2


def test_a_clone_that_was_moved_makes_another_environment(quick: Small) -> None:
    quick.run("crop")
    quick.root = quick.root.rename(quick.root.with_name("moved"))
    assert quick.run("crop").answer["prefix"] == str(quick.venv)
    assert quick.times_installed() == 2, "its scripts name the old place"


def test_the_lock_is_not_let_go_of_on_the_way_into_the_environment(quick: Small) -> None:
    assert quick.run("crop").answer["inherited"] == 1
    assert quick.run("crop").answer["inherited"] == 1


def test_an_environment_in_use_is_not_replaced_under_its_user(quick: Small) -> None:
    quick.run("crop")
    user = quick.start("sleep", "2")
    assert user.stdout is not None
    assert user.stdout.read(1) == "{", "it runs"
    quick.lock("1.1")
    rival = quick.run("crop")
    assert user.poll() == 7, "the rival had to wait"
    ended(user)
    assert "waiting for another" in rival.err
    assert rival.answer["version"] == "1.1"


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
    (kept,) = quick.root.glob(".venv.*/theirs")
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
    monkeypatch.setattr(installing, "succeeds", lambda *_: False)
    with pytest.raises(SetupFailed, match="apt install python3-pip"):
        installing.install(Clone(tmp_path), held=())


def test_a_clone_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(SetupFailed, match=r"cannot set up in .*nowhere"):
        EnvironmentLock(Clone(tmp_path / "nowhere"))


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
    given = installing.child_environment()
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
