"""Who else is at work when a collection is joined to the one it lies in: nothing is lost."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import pictures
import pytest
from checks import what_is_wrong
from faults import Faulty
from patience import patient
from scenarios import EXACT, IN_PART, LAST, MERGE, OTHER, PART, Stage, crop, merge, undo, who_stands

from cropkit import collection as collections
from cropkit.audit import store_reader
from cropkit.cli import main
from cropkit.collection import Collection
from cropkit.engine.merging import in_turn
from cropkit.errors import AuditLocked, AuditUnavailable, CropkitError
from cropkit.geometry import PixelBox
from cropkit.system.home import HOME
from cropkit.system.scope import Scope, scope_of

CLONE = Path(__file__).resolve().parents[2]
Rival = Callable[[Path], object]
pytestmark = pytest.mark.timeout(patient(300))


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """A collection with another one inside, and what both become."""
    (tmp_path / "state").mkdir()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return Stage(MERGE, tmp_path / "world")


def opened(folder: Path) -> Collection:
    """Open as an impatient rival."""
    return Collection(folder, deadline=0.05, options=EXACT)


def merges(outer: Path) -> None:
    with opened(outer) as rival:
        merge(rival)


def works(folder: Path) -> None:
    with opened(folder) as rival:
        name = LAST if folder.name == PART else OTHER
        crop(f"{rival.scope.part}/{name}".strip("/"))(rival)
        undo(rival)


def works_inside(outer: Path) -> None:
    works(outer / PART)


def looks_inside(outer: Path) -> None:
    opened(outer / PART).close()


def rivalled(outer: Path, rival: Rival) -> list[CropkitError | None]:
    """Let a rival come, and keep how it ended: well, or with an error of ours."""
    try:
        rival(outer)
    except CropkitError as error:
        return [error]
    return [None]


def rivalling(outer: Path, rival: Rival) -> tuple[Faulty, list[CropkitError | None]]:
    """Return calls of the system before each change of which a rival comes, and how it ended."""
    ends: list[CropkitError | None] = []

    def come(name: str) -> None:
        if name != "open":
            system.armed = False  # the rival meets no rival
            ends.extend(rivalled(outer, rival))
            system.armed = True

    system = Faulty(1, come, persistent=True)
    return system, ends


@pytest.mark.parametrize("rival", [merges, looks_inside, works_inside, works])
def test_whoever_comes_between_any_two_steps_of_a_merge(stage: Stage, rival: Rival) -> None:
    outer = stage.fresh() / "collection"
    system, ends = rivalling(outer, rival)
    with Collection(outer, options=EXACT, system=system) as kit:
        system.armed = True
        with suppress(AuditUnavailable):
            merge(kit)
        system.armed = False
    assert len(ends) > 10
    assert {type(end) for end in ends} <= {AuditLocked, AuditUnavailable}
    assert what_is_wrong(stage, thorough=True) == []


def test_a_merge_at_any_step_of_an_opening_inside(stage: Stage) -> None:
    """Whoever opens the inner one opens it, or the outer one, or neither; none is made anew."""
    number, joined = 0, 0
    while True:
        outer, number, ends = stage.fresh() / "collection", number + 1, []
        system = Faulty(number, lambda _: ends.extend(rivalled(outer, merges)))  # noqa: B023  (called in this turn)
        system.armed = True
        with suppress(CropkitError):
            Collection(outer / PART, deadline=0.05, system=system).close()
        if not ends:
            break
        if ends == [None]:
            joined += 1
            assert not (outer / PART / HOME).exists(), number
        assert what_is_wrong(stage, success=ends == [None], thorough=number == 1) == [], number
    assert 0 < joined < number


def test_a_merge_before_an_opening_that_had_seen_the_inner_one(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    outer = stage.fresh() / "collection"

    def scope_and_then_a_merge(folder: Path, state: Path | None) -> Scope:
        scope = scope_of(folder, state)
        monkeypatch.undo()
        monkeypatch.setenv("XDG_STATE_HOME", str(stage.place.parent / "state"))
        merges(outer)
        return scope

    monkeypatch.setattr(collections, "scope_of", scope_and_then_a_merge)
    with pytest.raises(AuditUnavailable):
        Collection(outer / PART)
    assert not (outer / PART / HOME).exists()
    assert what_is_wrong(stage, success=True, thorough=True) == []


@pytest.mark.parametrize("part", ["", PART])
@pytest.mark.parametrize("kind", ["batch", "review"])
def test_a_run_at_work_is_not_joined_under_its_hands(stage: Stage, part: str, kind: str) -> None:
    outer = stage.fresh() / "collection"
    system, ends = rivalling(outer, merges)
    with Collection(outer / part, options=EXACT, system=system) as kit:
        kit.begin_run(kind)
        system.armed = True
        crop(LAST if part else OTHER)(kit)
        undo(kit)
        system.armed = False
    assert len(ends) > 10
    assert {type(end) for end in ends} == {AuditUnavailable}
    with Collection(outer) as kit:
        merge(kit)
        assert kit.fsck() == []


MERGE_IT = "import sys; from cropkit.cli import main; sys.exit(main(['merge', *sys.argv[1:]]))"
WORK = """\
import sys
from cropkit.cli import main
for _ in range(4):
    main(["crop", sys.argv[1] + "/c.jpg", "--box", "3,5,41,37"])
    main(["undo", sys.argv[1], "c.jpg"])
"""


def started(program: str, *arguments: str) -> "subprocess.Popen[str]":
    environment = {**os.environ, "PYTHONPATH": str(CLONE), "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize("others", [0, 2])
def test_processes_that_merge_and_work_at_once(stage: Stage, others: int) -> None:
    outer = stage.fresh() / "collection"
    here = [str(outer), str(outer / PART)]
    running = [started(MERGE_IT, *here) for _ in range(3)]
    running += [started(WORK, folder) for folder in here[:others]]
    for process in running:
        _, words = process.communicate(timeout=patient(120))
        assert process.returncode in (0, 1), words
        assert "Traceback" not in words
    with Collection(outer, options=EXACT) as kit:
        merge(kit)
        assert kit.fsck() == []
        assert (f"{PART}/{LAST}", "waiting") in who_stands(kit)
        while kit.trail.operations.undoable():
            undo(kit)
        assert kit.fsck() == []
    for name in IN_PART:
        assert kit.files.digest(f"{PART}/{name}") == stage.began[f"collection/{name}"]


# -- several merges into one collection ------------------------------------------------------------

PARTS = ("one", "two", "two/deep")


@pytest.fixture
def several(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A collection with three inside, of which one lies in another; all have crops."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    outer, lone = tmp_path / "outer", tmp_path / "lone"
    for part in ("", *PARTS):
        pictures.write_folder(lone)
        with Collection(lone, options=EXACT) as kit:
            assert kit.crop("b_stage2.png", PixelBox(1, 2, 30, 40)).ok
        (outer / part).parent.mkdir(parents=True, exist_ok=True)
        if (outer / part).exists():  # the folder of one that lies deeper
            shutil.rmtree(outer / part)
        lone.rename(outer / part)
    return outer


def merging(outer: Path, *parts: str) -> "list[subprocess.Popen[str]]":
    return [started(MERGE_IT, str(outer), str(outer / part)) for part in parts]


def each_ends_well(running: "list[subprocess.Popen[str]]") -> None:
    ends = [
        (process.communicate(timeout=patient(120))[1], process.returncode) for process in running
    ]
    assert [code for _, code in ends] == [0] * len(running), ends


def check_all_are_merged(outer: Path) -> None:
    with Collection(outer, options=EXACT) as kit:
        assert kit.fsck() == []
        joined = [row["path"] for row in kit.trail.events(kind="merged")]
        assert sorted(joined) == sorted(PARTS)
        undone = {each.path for each in kit.undo(everything=True) if each.ok}
        names = {f"{part}/b_stage2.png" for part in PARTS} | {"b_stage2.png"}
        assert undone == names
    original = pictures.write_folder(outer.parent / "as it was") / "b_stage2.png"
    assert {(outer / name).read_bytes() for name in names} == {original.read_bytes()}


@pytest.mark.parametrize("parts", [PARTS, (PARTS[0], PARTS[0], PARTS[1])])
def test_merges_at_once_wait_for_each_other(several: Path, parts: Sequence[str]) -> None:
    each_ends_well(merging(several, *parts))
    each_ends_well(merging(several, *(set(PARTS) - set(parts))))
    check_all_are_merged(several)


def test_merges_of_which_some_are_killed_end_with_all_merged(several: Path) -> None:
    for seconds in (0.7, 1.1, 1.6):
        running = merging(several, *PARTS, PARTS[0])
        time.sleep(patient(seconds))
        for process in running[:2]:
            process.kill()
        for process in running:
            _, words = process.communicate(timeout=patient(120))
            assert process.returncode in (0, 1, -signal.SIGKILL), words
            assert "Traceback" not in words
    for part in PARTS:
        each_ends_well(merging(several, part))
    check_all_are_merged(several)


def test_who_waits_too_long_is_told_to_try_again(
    several: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(store_reader, "DEADLINE", 0.05)
    with in_turn(several, 1):
        assert main(["merge", str(several), str(several / "one")]) == 1
    assert "try again when that has ended" in capsys.readouterr().err
    assert main(["merge", str(several), str(several / "one")]) == 0
