"""The runbook is complete, and true: its commands are run on a collection in each state.

The drill: `cropkit health` sees every state, with its alert, exit code 1 and a link to an entry.
"""

import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
import states
from states import ALERTS, ELSEWHERE, ERRORS, Place
from test_errors import EVERY_ERROR

from cropkit.cli import main
from cropkit.collection import Collection
from cropkit.monitor import reporting
from cropkit.monitor.health import KINDS

ROOT = Path(__file__).parent.parent
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
FAMILIES = {
    "CropkitError",
    "Refused",
    "Failed",
    "AuditError",
    "BadInput",
    "NotWorking",
    "UnreadableImage",
    "UnsupportedImage",
}
# What a check shows, where it is not the name of the entry itself.
SHOWN = {
    "ApplierStopped": '"event": "decided"',
    "Overtaken": '"event": "decided"',
    "BadSuggestion": "not JSON",
    "NotReady": "needs",
    "NoImages": "NoImages",
    "InDoubt": "in-doubt",
    "Conflict": "conflict",
    "RunIncomplete": "VerificationFailed",
    "DeliveryFailed": "webhook 127.0.0.1",
    "BadConfiguration": "no sink is called",
    "sink-failed": "webhook 127.0.0.1",
    "test": "arrived",
}
# What is cured while one is still nobody: permissions do not apply to the administrator.
BY_PERMISSION = (
    "unreadable",
    "database-unavailable",
    "ReadOnly",
    "SourceReadOnly",
    "OnlyLooking",
    "DiskFull",
)
# Checks that tell of something in the trail: looking at it is no failure.
TOLD_CALMLY = {
    "BadDecision",
    "BadSuggestion",
    "ApplierDied",
    "ApplierStopped",
    "Overtaken",
    "RunIncomplete",
    "InDoubt",
    "test",
}


def entries() -> dict[str, str]:
    parts = re.split(r"^### (.+)$", RUNBOOK, flags=re.MULTILINE)[1:]
    texts = (re.split(r"^## ", part, maxsplit=1, flags=re.MULTILINE)[0] for part in parts[1::2])
    return dict(zip(parts[::2], texts, strict=True))


def commands(entry: str) -> tuple[list[str], list[str]]:
    """Return the commands of the check and those of the cure."""
    lines = [
        line
        for block in re.findall(r"^```sh\n(.*?)^```", entry, re.MULTILINE | re.DOTALL)
        for line in block.splitlines()
    ]
    cure = next((n for n, line in enumerate(lines) if line.startswith("# cure")), len(lines))
    check, mend = lines[:cure], lines[cure:]
    return [c for c in check if c[0] != "#"], [c for c in mend if c[0] != "#"]


def test_every_alert_and_every_error_has_an_entry_and_nothing_else_has() -> None:
    names = {error.__name__ for error in EVERY_ERROR} - FAMILIES
    assert entries().keys() == KINDS.keys() | names
    assert len(re.findall(r"^### ", RUNBOOK, re.MULTILINE)) == len(entries())
    for family in FAMILIES:
        assert f"`{family}`" in RUNBOOK


def test_every_entry_is_tried_or_says_why_not() -> None:
    names = {error.__name__ for error in EVERY_ERROR} - FAMILIES
    assert ALERTS.keys() == KINDS.keys()
    assert ERRORS.keys() | ELSEWHERE.keys() == names
    assert not ERRORS.keys() & ELSEWHERE.keys()
    for name in ELSEWHERE:
        assert commands(entries()[name]) == ([], [])


def test_every_entry_tells_the_cause_before_its_commands() -> None:
    for name, entry in entries().items():
        cause = entry.partition("```")[0].strip()
        assert len(cause) > 20, name


def test_every_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", RUNBOOK):
        assert (ROOT / "docs" / target).is_file(), target


# -- running it ----------------------------------------------------------------------------------


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    root = Path(tempfile.mkdtemp(prefix="cropkit-runbook-")).resolve()
    monkeypatch.chdir(root)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(root / "config"))
    for function in (Collection.__init__, reporting.look):
        assert function.__kwdefaults__
    monkeypatch.setitem(Collection.__init__.__kwdefaults__, "deadline", 0.3)  # type: ignore[arg-type]  # (asserted)
    monkeypatch.setitem(reporting.look.__kwdefaults__, "patience", 0.3)  # type: ignore[arg-type]  # (asserted)
    yield states.make(root, monkeypatch)
    monkeypatch.chdir("/")
    subprocess.run(["chmod", "-R", "u+rwX", root], check=False)
    shutil.rmtree(root)


@contextmanager
def begun(state: states.Begun) -> Iterator[None]:
    """Put the place into its state; the end lets it do what is to be done by hand."""
    next(state)
    yield
    with suppress(StopIteration):
        next(state)


def run(command: str, place: Place) -> tuple[int, str]:
    for name, value in place.names.items():
        command = command.replace(name, value)
    command = command.replace("/backup/", f"{place.backup}/")
    if not command.startswith("cropkit "):
        ended = subprocess.run(
            ["bash", "-c", command], capture_output=True, text=True, check=False, cwd=place.root
        )
        return ended.returncode, ended.stdout + ended.stderr
    said = StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        code = main(shlex.split(command)[1:])
    return code, said.getvalue()


def checked(name: str, place: Place) -> None:
    told = [run(command, place) for command in commands(entries()[name])[0]]
    everything = "\n".join(said for _, said in told)
    assert SHOWN.get(name, name) in everything
    assert "Traceback" not in everything
    assert any(code == 1 for code, _ in told) is (name not in TOLD_CALMLY), told


def cured(name: str, place: Place) -> None:
    for command in commands(entries()[name])[1]:
        code, said = run(command, place)
        assert code == 0, (command, said)


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_is_shown_by_its_check_and_ended_by_its_cure(name: str, place: Place) -> None:
    with begun(ERRORS[name](place)):
        checked(name, place)
        if name in BY_PERMISSION:
            cured(name, place)
    if name not in BY_PERMISSION:
        cured(name, place)


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_is_shown_by_its_check_and_ended_by_its_cure(name: str, place: Place) -> None:
    with begun(ALERTS[name](place)):
        checked(name, place)
        if name in BY_PERMISSION:
            cured(name, place)
    if name not in BY_PERMISSION:
        cured(name, place)
    watched = "local" if name == "sqlite" else "pictures"
    _, said = run(f"cropkit health {watched} --json {'--deep' * (name == 'difference')}", place)
    (found,) = states.as_json(said)["folders"]
    assert name not in [alert["code"] for alert in found["alerts"]]


@pytest.mark.parametrize("name", [name for name in ALERTS if name != "test"])
def test_the_drill(name: str, place: Place) -> None:
    with begun(ALERTS[name](place)):
        before = {p: p.stat().st_mtime_ns for p in place.root.rglob("*") if p.is_file()}
        deep = "--deep " if name == "difference" else ""
        idle = ""
        if name == "sink-failed":  # something has to be told
            place.later(timedelta(days=2))
            idle = "--idle-days 1"
        code, said = run(f"cropkit health pictures --json {deep}{idle}", place)
        assert code == 1
        (found,) = states.as_json(said)["folders"]
        (alert, *_) = (one for one in found["alerts"] if one["code"] == name)
        anchor = alert["link"].partition("#")[2]
        assert anchor in entries()
        assert alert["said"]
        assert alert["cure"]
        after = {p: p.stat().st_mtime_ns for p in place.root.rglob("*") if p.is_file()}
        changed = {p.name for p in after if after[p] != before.get(p)}
        assert changed <= {"cropkit.log", "cropkit.lock", "cropkit.db-wal", "cropkit.db-shm"}
