"""What is found in a real collection, and that an alert about it is told and acknowledged once."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from queueing import decision

from cropkit import clock
from cropkit.audit.operation import Operation, OperationKind, OperationState
from cropkit.cli import main
from cropkit.collection import Collection
from cropkit.geometry import PixelBox
from cropkit.monitor import inspection, reporting
from cropkit.monitor.health import Alert, Facts
from cropkit.records import CropResult, Problem, ProblemKind, Status, Verdict

BOX = PixelBox(0, 0, 48, 48)


def facts(folder: Path) -> Facts:
    return inspection.examine(folder, clock.now())


def degraded(folder: Path) -> str:
    """Leave a session in which every operation was degraded; return its name."""
    with Collection(folder) as kit:
        with kit.begin_run("apply"):
            for number in range(10):
                problem = Problem(ProblemKind.SUGGESTION, f"{number}.png", "is not JSON")
                kit.problems.report(problem)
        return kit.session


def logged(folder: Path) -> int:
    lines = (folder / ".cropkit" / "cropkit.log").read_text("utf-8").splitlines()
    return sum(json.loads(line)["logger"] == "cropkit.monitor.health" for line in lines)


def test_the_last_crop_is_the_latest_and_an_image_set_aside_counts_as_one(folder: Path) -> None:
    with Collection(folder) as kit:
        kit.crop("a_stage2.png", BOX)
        first = facts(folder).last_crop_at
        kit.decide([decision(kit, "b_stage2.png", None, verdict=Verdict.REJECT)])
        kit.apply_waiting()
        last = [clock.read(e["at"]) for e in kit.trail.events() if e["event"] == "rejected"]
    assert first is not None
    assert first < last[0]
    assert facts(folder).last_crop_at == last[0]


def test_an_operation_is_cut_off_when_its_session_is_gone_and_not_before(folder: Path) -> None:
    with Collection(folder) as kit:
        planned = Operation(
            OperationKind.CROP, "d.jpg", "d.jpg", kit.session, kit.trail.owner, box=BOX
        )
        kit.trail.plan([(planned, [])])
        assert facts(folder).unsettled == []
    assert [one.name for one in facts(folder).unsettled] == ["d.jpg"]


def test_what_recovery_carried_on_and_what_it_took_back_are_both_told(folder: Path) -> None:
    with Collection(folder) as kit:
        crops = [
            Operation(OperationKind.CROP, name, name, kit.session, kit.trail.owner, box=BOX)
            for name in ("a_stage2.png", "d.jpg", "c.jpg")
        ]
        forward, back, failed = (
            replace(each, sha256_before=2 * f"{n}" * 32, sha256_after="b" * 64)
            for n, each in enumerate(crops)
        )
        kit.trail.plan([(each, []) for each in crops])
        kit.trail.prepare([forward, back, failed])
        kit.trail.finish([forward], recovered=True)
        for each, status, code in (
            (back, Status.WAITING, None),
            (failed, Status.FAILED, "WriteFailed"),
        ):
            result = CropResult(status=status, path=each.source, code=code, operation=each.id)
            kit.trail.abandon(each, OperationState.ABORTED, result)
    recovered = facts(folder).recovered
    settled = [(event.name, event.said.partition(" was ")[2][:10]) for event in recovered]
    assert settled == [(forward.id, "carried on"), (back.id, "taken back")]
    assert recovered[1].said.startswith("d.jpg: operation ")


def test_the_alert_of_a_session_is_its_own(folder: Path) -> None:
    bad = degraded(folder)
    with Collection(folder) as kit:
        kit.crop("a_stage2.png", BOX)
        good = kit.session
    assert reporting.session_alert(folder, good) is None
    alert = reporting.session_alert(folder, bad)
    assert alert is not None
    assert alert.key == f"degraded:{bad}"


def test_an_acknowledgement_is_kept_in_the_trail(folder: Path) -> None:
    bad = degraded(folder)
    seen = [Alert("degraded", str(folder), "", f"degraded:{bad}"), Alert("idle", str(folder), "")]
    assert reporting.acknowledge(folder, seen) == [f"degraded:{bad}"]
    assert facts(folder).acknowledged == {f"degraded:{bad}"}


def test_who_acknowledges_an_alert_is_told_of_it_no_more(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    degraded(folder)
    assert main(["health", str(folder)]) == 1
    assert logged(folder) == 1
    assert main(["health", str(folder), "--acknowledge"]) == 0
    assert "1 acknowledged" in capsys.readouterr().err
    assert main(["health", str(folder)]) == 0
    assert logged(folder) == 1
