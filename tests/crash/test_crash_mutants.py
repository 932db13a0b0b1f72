"""The harness bites: bugs seeded into the protocol, one line each, are noticed."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from campaigns import FULL, TOLD, experiment
from mutants import MUTANTS, Mutant

CLONE = Path(__file__).resolve().parents[2]
CHEAP = ("no intent at all", "files are never synced", "an error at done is swallowed")
CHOSEN = [one for one in MUTANTS if FULL or one.name in CHEAP]
HOW = {
    "power": ["power", "--limit", "250"],
    "every power": ["power"],
    "kills": ["kills", "--share", "2"],
    "faults": ["faults", "--share", "7"],
    "faults-then-kills": ["faults-then-kills", "--first", "3", "--share", "5"],
}
pytestmark = pytest.mark.timeout(0 if FULL else 600)


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Which class noticed each bug, '' where none did."""
    top = tmp_path_factory.mktemp("mutants")

    def judged(number: int) -> tuple[str, str]:
        copy = top / str(number)
        try:
            return CHOSEN[number].name, noticed_by(CHOSEN[number], copy)
        finally:
            shutil.rmtree(copy, ignore_errors=True)

    with ThreadPoolExecutor(2) as pool:
        yield dict(pool.map(judged, range(len(CHOSEN))))


def noticed_by(mutant: Mutant, copy: Path) -> str:
    for name in ("cropkit", "tests"):
        shutil.copytree(CLONE / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(CLONE / "pyproject.toml", copy)
    mutate(mutant, copy / "cropkit" / mutant.file)
    return next((kind for kind, only in mutant.tries if is_noticed(kind, only, copy)), "")


def mutate(mutant: Mutant, path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(mutant.old) == 1, f"{mutant.name}: the engine has changed, and this list must"
    path.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")


def is_noticed(kind: str, only: str | None, copy: Path) -> bool:
    if kind == "calls":
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
        tests = only or "tests/crash/test_crash_rivals.py"
        ended = subprocess.run([*command, tests], cwd=copy, capture_output=True, check=False)
        assert ended.returncode in (0, 1), ended.stdout.decode()[-2000:]
        return ended.returncode == 1
    chosen = ["--only", only] if only else []
    environment = {"CROPKIT_CRASH_PACKAGE": str(copy)}
    found = experiment(*HOW[kind], "--enough", "1", *chosen, **environment)
    return bool(found["violations"])


@pytest.mark.parametrize("mutant", CHOSEN, ids=[one.name for one in CHOSEN])
def test_a_seeded_bug_is_noticed(verdicts: dict[str, str], mutant: Mutant) -> None:
    assert bool(verdicts[mutant.name]) == (mutant.harmless is None)


def test_nearly_every_seeded_bug_is_noticed(verdicts: dict[str, str]) -> None:
    survivors = [one for one in CHOSEN if not verdicts[one.name]]
    TOLD.append(f"seeded bugs: {len(CHOSEN) - len(survivors)} of {len(CHOSEN)} noticed")
    TOLD.extend(f"    not: {one.name} ({one.harmless or 'WHY?'})" for one in survivors)
    assert len(survivors) <= len(CHOSEN) * 0.05
    if FULL:
        assert len(CHOSEN) >= 30


def test_every_seeded_bug_still_fits_the_engine() -> None:
    for one in MUTANTS:
        text = (CLONE / "cropkit" / one.file).read_text(encoding="utf-8")
        assert text.count(one.old) == 1, one.name
        assert one.new not in ("", one.old) or one.old
        compile(text.replace(one.old, one.new), one.file, "exec")
