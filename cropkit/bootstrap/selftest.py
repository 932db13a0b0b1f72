"""``cropkit test``: run the whole suite, with the browser that its tests need.

Nothing is skipped in silence: without a Chromium, or a Playwright that can drive it, the run fails
before the first test; without exiftool the run says, first and last, what it could not ask, and so
it does without a PostgreSQL, which fails the run where ``CI`` is set.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cropkit import bootstrap
from cropkit.bootstrap.child import TAIL_LINES, home_is_writable

USAGE = """\
usage: python3 -m cropkit test [--fast] [--soak] [--film] [--crash-full] [--mutants]
                               [--python VERSION] [PYTEST ARGUMENT ...]

Run the test suite of this clone, after setting up .venv and a Chromium where they are missing.

  --fast         in a minute: without the files that take long (browser, crashes, hostile input,
                 notebooks, batches, processes, merges, sharing, growth, learning, large formats,
                 seeded bugs, set-ups, tools), which it lists at the end; 20 cases of a property
  --soak         500 pages in a browser instead of 60
  --film         try to make the README's pictures, whether or not what they show has changed
  --crash-full   every crash point instead of a sample (CROPKIT_CRASH_FULL=1 for the tests)
  --mutants      every seeded bug instead of three (CROPKIT_MUTANTS=1 for the tests)
  --python VERSION
                 in that Python (such as 3.13), with an environment of its own, .venv.VERSION: one
                 on PATH, else one that uv finds or brings

All other arguments go to pytest. Where none of them names a file, workers (one more than there are
cores, at most 8) take the files in turn; -n 0 runs all in one process. Temporary folders are in
memory where /dev/shm has room; --basetemp=FOLDER has them on a disk. CROPKIT_CHROMIUM names a
Chromium to use, CROPKIT_TEST_POSTGRES the URL of a PostgreSQL's database instead of one that is
started for the tests, CROPKIT_PATIENCE=4 waits four times as long on a slow machine before anything
is a failure, as is done where CI is set. What fails in the browser, or since a kernel lost a port
to another, is tried once more, three tests of a run at most: the closing line counts them as rerun,
and their failures are told in full.
"""
CHROMIUM = "CROPKIT_CHROMIUM"
FAST = "--fast"
OPTION = "--python"
# What reaches the tests as a variable, because they ask for it while they are collected.
VARIABLES = {"--crash-full": "CROPKIT_CRASH_FULL", "--mutants": "CROPKIT_MUTANTS"}
LEAST_WORKERS, MOST_WORKERS = 2, 8
ONE_PROCESS = ("--pdb", "--trace", "-s", "--capture=no", "--collect-only", "--co")
ON_PATH = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome-headless-shell",
    "headless_shell",
    "chromium-headless-shell",
)
DEBIAN_BROWSER = ("chromium", "fonts-dejavu-core")
DEBIAN_DRIVER = ("libatomic1",)  # Playwright's own node needs it, and a minimal Debian lacks it
DEBIAN_JUDGES = {"exiftool": "libimage-exiftool-perl"}
ASK_PLAYWRIGHT = """\
import sys
from playwright.sync_api import sync_playwright
with sync_playwright() as driver:
    sys.stdout.write(driver.chromium.executable_path)
"""
ANSWER_SECONDS = 60


def answer_without_setup(arguments: Sequence[str]) -> int | None:
    """Answer what needs no environment: help, and a place without tests. None for a real run.

    Where another Python is asked for, this process becomes that.
    """
    if {"-h", "--help"} & set(arguments):
        sys.stdout.write(USAGE)
        return 0
    if suite() is None:
        bootstrap.say("the tests live in a clone of the source, which this is not: clone it first")
        return 2
    if any(each.partition("=")[0] == OPTION for each in arguments):
        return in_another_python(arguments)
    return None


def in_another_python(arguments: Sequence[str]) -> int | None:
    """Become the tests in the Python that is asked for; None where this one is it."""
    from cropkit.bootstrap import pythons  # noqa: PLC0415  (only where asked)

    clone = bootstrap.find_clone(Path(__file__).resolve().parents[1])
    try:
        version, others = pythons.asked_for(arguments)
        if version is not None and clone is not None:
            pythons.run_in(version, clone, others)
    except bootstrap.SetupFailed as failure:
        bootstrap.say(str(failure))
        return 2
    return None


def suite() -> Path | None:
    """Find the folder that pytest runs in."""
    clone = bootstrap.find_clone(Path(__file__).resolve().parents[1])
    return clone.root if clone is not None and (clone.root / "tests").is_dir() else None


def run(arguments: Sequence[str]) -> int:
    """Run pytest, whose closing line is the last line of output; return its exit code."""
    from cropkit.bootstrap import postgres  # noqa: PLC0415  (for this command only)

    settings = {VARIABLES[each]: "1" for each in arguments if each in VARIABLES}
    if FAST not in arguments:
        chromium = driven_chromium()
        if chromium is None:
            return 1
        settings[CHROMIUM] = chromium
        provide_judges()
        if not postgres.provide() and os.environ.get("CI"):
            bootstrap.say("CI is set, so the run has failed: nothing there is left out unseen")
            return 1
    asked = pytest_arguments(arguments)
    with writable_home() as home:
        environment = {**os.environ, **settings, **home}
        return pytest([*workers(asked), "--durations=10", *asked], environment)


def pytest_arguments(arguments: Sequence[str]) -> list[str]:
    """Leave out what is ours."""
    from cropkit.bootstrap import pythons  # noqa: PLC0415  (for this command only)

    return [each for each in pythons.asked_for(arguments)[1] if each not in VARIABLES]


def driven_chromium() -> str | None:
    """Provide a Chromium and what drives it; None, and the reason told, when one is missing."""
    chromium = provide_chromium()
    missing = (
        f"no Chromium: install one (Debian: apt install chromium), or name one in {CHROMIUM}"
        if chromium is None
        else what_stops_the_driver()
    )
    if missing:
        bootstrap.say(f"the browser tests cannot run, so the run has failed: {missing}")
        return None
    bootstrap.say(f"browser tests use {chromium}")
    return chromium


def workers(asked: Sequence[str]) -> list[str]:
    """Arguments for workers; none where a file is named, or a person takes part.

    One for each core, and one more: the browser's worker waits most of its time.
    """
    root = suite() or Path()
    named = any((root / each.partition("::")[0]).exists() for each in asked if each)
    if named or set(ONE_PROCESS) & set(asked):
        return []
    count = min(max(len(os.sched_getaffinity(0)) + 1, LEAST_WORKERS), MOST_WORKERS)
    return ["-n", str(count), "--dist", "loadfile"]


def pytest(arguments: Sequence[str], environment: dict[str, str]) -> int:
    """Run pytest in the clone's root; on Ctrl-C, wait for it to end in its own way."""
    command = [sys.executable, "-m", "pytest", *arguments]
    sys.stdout.flush()
    with subprocess.Popen(command, cwd=suite(), env=environment) as running:  # noqa: S603  (pytest, no shell)
        while True:
            try:
                return running.wait()
            except KeyboardInterrupt:
                continue


@contextmanager
def writable_home() -> Iterator[dict[str, str]]:
    """Lend a temporary HOME where there is none: kernels and browsers write to it."""
    if home_is_writable():
        yield {}
        return
    with tempfile.TemporaryDirectory(prefix="cropkit-home-", ignore_cleanup_errors=True) as home:
        yield {"HOME": home}


def provide_chromium() -> str | None:
    """Find a Chromium that starts, or install one; None when there is none to be had."""
    named = os.environ.get(CHROMIUM)
    if named:
        return named if starts(named) else None
    ways: tuple[Callable[[], str | None], ...] = (on_path, from_playwright, from_debian)
    return next((program for way in ways if (program := way())), None)


def starts(*program: str) -> bool:
    """Whether it runs at all: a wrapper for another package manager, or missing libraries, do not.

    A tool's own time-out is no: it would hold up every browser test.
    """
    try:
        ended = subprocess.run(  # noqa: S603  (a browser that was found, no shell)
            [*program, "--version"], capture_output=True, check=False, timeout=ANSWER_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return ended.returncode == 0


def on_path() -> str | None:
    """Find a Chromium on PATH."""
    programs = (shutil.which(name) for name in ON_PATH)
    return next((each for each in programs if each and starts(each)), None)


def from_playwright() -> str | None:
    """Find Playwright's own Chromium, after installing it where it is missing."""
    path = playwright_path()
    if path and not Path(path).exists():
        bootstrap.say("no Chromium on PATH: asking Playwright for its own")
        tell(sys.executable, "-m", "playwright", "install", "chromium")
    return path if path and starts(path) else None


def playwright_path() -> str | None:
    """Ask where Playwright's Chromium is, or would be."""
    asked = subprocess.run(  # noqa: S603  (our own interpreter, no shell)
        [sys.executable, "-c", ASK_PLAYWRIGHT], capture_output=True, text=True, check=False
    )
    return asked.stdout.strip() if asked.returncode == 0 else None


def from_debian() -> str | None:
    """Install Debian's Chromium, as root only."""
    return on_path() if install_from_debian(*DEBIAN_BROWSER) else None


def provide_judges() -> None:
    """Install the programs that tests ask for a second opinion; say which are not to be had."""
    for program, package in DEBIAN_JUDGES.items():
        if shutil.which(program) is None:
            install_from_debian(package)
        if shutil.which(program) is None:
            bootstrap.say(f"NOT TRIED: no {program}, so its tests are skipped (Debian: {package})")


def what_stops_the_driver() -> str | None:
    """Make sure that Playwright itself starts; return the reason when it does not, else None."""
    if driver_starts() or (install_from_debian(*DEBIAN_DRIVER) and driver_starts()):
        return None
    return f"Playwright does not start (Debian: apt install {' '.join(DEBIAN_DRIVER)})"


def driver_starts() -> bool:
    """Whether Playwright's driver, a program of its own, runs here."""
    return starts(sys.executable, "-m", "playwright")


def install_from_debian(*packages: str) -> bool:
    """Install packages where we may; return whether we may."""
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        return False
    bootstrap.say(f"installing Debian's packages: {' '.join(packages)}")
    tell("apt-get", "update")
    tell("apt-get", "install", "--yes", "--no-install-recommends", *packages)
    return True


def tell(*command: str) -> None:
    """Run an installer quietly; when it fails, show the end of what it said."""
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    ended = subprocess.run(  # noqa: S603  (fixed programs, no shell)
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, env=quiet
    )
    if ended.returncode != 0:
        lines = ended.stdout.decode("utf-8", "replace").splitlines()[-TAIL_LINES:]
        bootstrap.say("\n".join([f"{' '.join(command)} ended with {ended.returncode}:", *lines]))
