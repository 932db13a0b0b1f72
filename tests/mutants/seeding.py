"""Seed bugs of one line into copies of the tree, and see whether the tests of them notice."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

import pytest

CLONE = Path(__file__).resolve().parents[2]
NOTICED = 0.95  # of all bugs, at least
TOLD: list[str] = []
_COPIED = ("cropkit", "tests")
_TOGETHER = 2
_SECONDS = 120  # that one test may take


@dataclass(frozen=True)
class Mutant:
    """One change of the package.

    `tries` says what should notice, the cheapest first: test files, or, for the write protocol,
    classes of crashes. `harmless` is the reason of one that cannot be noticed.
    """

    name: str
    file: str
    old: str
    new: str
    tries: tuple[str, ...]
    harmless: str | None = None


def mutant(
    name: str, file: str, old: str, new: str, *tries: str, harmless: str | None = None
) -> Mutant:
    return Mutant(name, file, old, new, tries, harmless)


Notices = Callable[[str, Path], bool]


class NotJudged(Exception):
    """The tests of a bug neither passed nor failed."""


def mutated(bug: Mutant) -> str:
    """Return the text of the bug's file with the bug in it."""
    text = (CLONE / "cropkit" / bug.file).read_text(encoding="utf-8")
    assert text.count(bug.old) == 1, f"{bug.name}: the code has changed, and this list must"
    assert bug.old != bug.new, bug.name
    return text.replace(bug.old, bug.new)


def copy_tree(to: Path) -> Path:
    """Copy the package and its tests, and link what they read besides."""
    for name in _COPIED:
        shutil.copytree(CLONE / name, to / name)
    for beside in CLONE.iterdir():
        if beside.name not in _COPIED and not beside.name.startswith("."):
            (to / beside.name).symlink_to(beside)
    return to


@contextmanager
def seeded(bug: Mutant, copy: Path) -> Iterator[None]:
    """Have the bug in a copy of the tree inside the block."""
    path = copy / "cropkit" / bug.file
    path.write_text(mutated(bug), encoding="utf-8")
    try:
        yield
    finally:
        shutil.copyfile(CLONE / "cropkit" / bug.file, path)


def verdicts(bugs: Sequence[Mutant], top: Path, notices: Notices) -> dict[str, str]:
    """Return which of its tries noticed each bug, '' where none did; two bugs at a time."""
    copies: SimpleQueue[Path] = SimpleQueue()
    for number in range(_TOGETHER):
        copies.put(copy_tree(top / str(number)))

    def judged(bug: Mutant) -> tuple[str, str]:
        copy = copies.get()
        try:
            with seeded(bug, copy):
                return bug.name, next((t for t in bug.tries if notices(t, copy)), "")
        except NotJudged as why:  # one of hundreds: the others are judged
            TOLD.append(f"    could not be judged: {bug.name}: {why}")
            return bug.name, ""
        finally:
            copies.put(copy)

    with ThreadPoolExecutor(_TOGETHER) as pool:
        return dict(pool.map(judged, bugs))


def noticed_by_tests(tests: str, copy: Path) -> bool:
    """Whether tests of a copy fail; the copy's package is the one that they and others import.

    Raises
    ------
    NotJudged
    """
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
    ours = {"PYTHONPATH": str(copy), "CI": "1"}  # where it is set, Hypothesis tries the same again
    ended = subprocess.run(
        [*command, f"--timeout={_SECONDS}", tests],
        cwd=copy,
        env={**os.environ, **ours},
        capture_output=True,
        check=False,
    )
    if ended.returncode not in (0, 1):
        raise NotJudged(f"{tests} ended with {ended.returncode}: {ended.stdout[-500:]!r}")
    return ended.returncode == 1


def tell(what: str, bugs: Iterable[Mutant], found: dict[str, str]) -> list[Mutant]:
    """Put into the summary how many were noticed, and why the others were not; return those."""
    every = list(bugs)
    survivors = [bug for bug in every if not found[bug.name]]
    TOLD.append(f"{what}: {len(every) - len(survivors)} of {len(every)} noticed")
    TOLD.extend(f"    not: {bug.name} ({bug.harmless or 'WHY?'})" for bug in survivors)
    return survivors


def check_fits(bugs: Sequence[Mutant]) -> None:
    """Hold that each bug is one, can be compiled, and is looked for by tests that are there."""
    names = [bug.name for bug in bugs]
    assert len(names) == len(set(names))
    for bug in bugs:
        compile(mutated(bug), bug.file, "exec")
        for name, _, test in (tried.partition("::") for tried in bug.tries):
            if name.startswith("tests/"):
                assert f"def {test or 'test_'}" in (CLONE / name).read_text("utf-8"), bug.name


def summarise(terminalreporter: pytest.TerminalReporter) -> None:
    if TOLD:
        terminalreporter.section("bugs that were seeded")
        for line in TOLD:
            terminalreporter.write_line(line)
