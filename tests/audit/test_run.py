"""Runs and their heartbeat, on a real trail: what is written, when, and what is never held up."""

import errno
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pictures
import pytest
import trails
from patience import patient

from cropkit import clock
from cropkit.audit.reader import TrailReader
from cropkit.audit.run import Run
from cropkit.audit.tally import SessionRow, Tally
from cropkit.cli import main
from cropkit.collection import Collection, rebuild
from cropkit.errors import AuditLocked, BadBox, CropkitError
from cropkit.geometry import PixelBox
from cropkit.records import Decision, Problem, ProblemKind, Status, Suggestion, Verdict
from cropkit.review.runtime.review_store import ReviewStore
from cropkit.system import log

ROOT = Path(__file__).parents[2]
BOX = PixelBox(10, 20, 60, 90)


def until(reached: Callable[[], object], seconds: float = 20) -> None:
    end = time.monotonic() + patient(seconds)
    while not reached():
        assert time.monotonic() < end, "never came"
        time.sleep(0.01)


def row(kit: Collection) -> SessionRow:
    (mine,) = (one for one in kit.trail.sessions() if one.id == kit.session)
    return mine


def events(kit: Collection) -> list[str]:
    return [event["event"] for event in kit.trail.events()]


def lines(folder: Path) -> list[dict[str, object]]:
    text = (folder / ".cropkit" / "cropkit.log").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


# -- rows ----------------------------------------------------------------------------------------


def test_a_run_is_a_session_row_from_its_first_moment(folder: Path) -> None:
    before = clock.now()
    with Collection(folder, reviewer="anna") as kit:
        run = kit.begin_run("review")
        mine = row(kit)
        assert (mine.kind, mine.reviewer, mine.id) == ("review", "anna", kit.session)
        assert mine.host
        assert mine.version
        assert mine.beat_at is not None
        assert before <= mine.started_at <= mine.beat_at
        assert (mine.ended_at, mine.ended_how) == (None, None)
        run.end()
        assert row(kit).ended_how == "closed"
        assert row(kit).ended_at is not None
        assert events(kit) == ["session-started", "run-started", "run-ended"]


def test_who_only_looks_has_no_row_and_no_beat(folder: Path) -> None:
    with Collection(folder) as kit:
        kit.look("a_stage2.png")
        kit.counts()
        assert kit.trail.sessions() == []
    assert not any(t.name == "cropkit-beat" for t in threading.enumerate())


def test_a_short_command_has_a_row_that_nobody_expects_to_beat(folder: Path) -> None:
    with Collection(folder) as kit:
        kit.crop("a_stage2.png", BOX)
        assert row(kit).beat_at is None
    with Collection(folder) as kit:
        (earlier,) = kit.trail.sessions()
        assert earlier.tally == Tally(adjusted=1, cropped=1)


def test_a_failed_run_says_so(folder: Path) -> None:
    def crash(kit: Collection) -> None:
        with kit.begin_run("apply"):
            raise KeyboardInterrupt

    with Collection(folder) as kit:
        with pytest.raises(KeyboardInterrupt):
            crash(kit)
        assert row(kit).ended_how == "failed"


def test_closing_the_kit_ends_its_run(folder: Path) -> None:
    with Collection(folder) as kit:
        kit.begin_run("review")
    assert not any(t.name == "cropkit-beat" for t in threading.enumerate())
    assert [line["message"] for line in lines(folder)] == ["heartbeat"]
    with Collection(folder) as kit:
        assert [one.ended_how for one in kit.trail.sessions()] == ["closed"]
        assert events(kit)[-2:] == ["run-ended", "session-ended"]


def test_a_run_in_a_database_made_anew_is_the_same(folder: Path) -> None:
    with Collection(folder, reviewer="anna") as kit:
        kit.begin_run("apply")
        kit.crop("a_stage2.png", BOX)
    with Collection(folder) as kit:
        (told,) = kit.trail.sessions()
    for path in (folder / ".cropkit").glob("cropkit.db*"):
        path.unlink()
    rebuild(folder)
    with Collection(folder) as kit:
        (again,) = kit.trail.sessions()
        assert (again.id, again.kind, again.tally) == (told.id, told.kind, told.tally)
        assert again.ended_how == "closed"
        assert again.beat_at is not None


# -- the beat ------------------------------------------------------------------------------------


def test_it_beats_while_it_lasts_and_no_longer(folder: Path) -> None:
    with Collection(folder) as kit:
        run = Run(kit.trail, "review", period=0.01)
        first = row(kit).beat_at
        until(lambda: row(kit).beat_at != first)
        ReviewStore(kit).shown(3)
        until(lambda: row(kit).tally.shown == 3)
        run.end()
        last = row(kit).beat_at
        time.sleep(0.05)
        assert row(kit).beat_at == last
        assert events(kit).count("run-ended") == 1


def test_a_beat_waits_for_a_lock_a_second_only_and_is_counted_as_missed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cropkit.audit.heartbeat.PATIENCE", 0.02)
    with Collection(folder) as kit, Collection(folder) as rival:
        run = Run(kit.trail, "review", period=0.01)
        with rival.trail.store.transaction():
            begun = time.monotonic()
            with pytest.raises(AuditLocked):
                kit.trail.beat(0.02)
            assert time.monotonic() - begun < patient(5)
            time.sleep(0.1)
        until(lambda: kit.trail.presence.tally.degraded.get(ProblemKind.BEAT))
        run.end()
        kinds = [e for e in kit.trail.events() if e["event"] == "degraded"]
        assert kinds
        assert all('"kind":"beat"' in e["body"] for e in kinds)


def test_a_beat_does_not_wait_for_another_program_that_holds_the_database(folder: Path) -> None:
    with Collection(folder) as kit:
        kit.crop("a_stage2.png", BOX)
        with trails.held(folder):
            begun = time.monotonic()
            with pytest.raises(AuditLocked):
                kit.trail.beat(0.05)
            assert time.monotonic() - begun < patient(5)
        kit.trail.beat(1)


def test_a_crop_is_carried_out_while_the_heart_races(folder: Path) -> None:
    with Collection(folder) as kit:
        run = Run(kit.trail, "review", period=0.0005)
        for name in ("a_stage2.png", "b_stage2.png", "c.jpg", "d.jpg"):
            assert kit.crop(name, PixelBox(0, 0, 48, 48)).ok
        run.end()
        assert kit.trail.presence.tally.cropped == 4
        assert kit.fsck() == []


KILLED = """
import sys, time
from cropkit.collection import Collection
kit = Collection(sys.argv[1])
kit.begin_run("review")
print("begun", flush=True)
if sys.argv[2] == "wait":
    time.sleep(60)
"""


def begun(folder: Path, what: str) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(folder), what],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "begun\n"
    return child


def test_a_process_that_ends_in_an_orderly_way_ends_its_run(folder: Path) -> None:
    with begun(folder, "end") as child:
        assert child.wait() == 0
    with Collection(folder) as kit:
        (one,) = kit.trail.sessions()
        assert one.ended_how == "its process ended"


def test_a_process_that_is_killed_leaves_a_run_without_an_end(folder: Path) -> None:
    with begun(folder, "wait") as child:
        child.send_signal(signal.SIGKILL)
    with Collection(folder) as kit:
        (one,) = kit.trail.sessions()
        assert one.beat_at is not None
        assert one.ended_at is None


FORKED = """
import os, sys
from cropkit.collection import Collection
with Collection(sys.argv[1]) as kit:
    kit.begin_run("batch")
    child = os.fork()
    if child == 0:
        sys.exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert [row.ended_how for row in kit.trail.sessions()] == [None]
    with Collection(sys.argv[1]) as other:
        assert [row.id for row in other.trail.others("batch")] == [kit.session]
"""


def test_a_forked_child_that_ends_does_not_end_its_parents_run(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORKED, str(folder)],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    with Collection(folder) as kit:
        assert events(kit).count("run-ended") == 1
        assert [one.ended_how for one in kit.trail.sessions()] == ["closed"]


# -- whether it moves ----------------------------------------------------------------------------


def test_a_run_that_hangs_beats_on_and_says_since_when(folder: Path) -> None:
    with Collection(folder) as kit:
        run = Run(kit.trail, "batch", period=0.01)
        kit.crop("a_stage2.png", BOX)
        until(lambda: row(kit).tally.cropped == 1)
        moved_at, beat_at = row(kit).moved_at, row(kit).beat_at
        until(lambda: row(kit).beat_at != beat_at)
        assert moved_at is not None
        assert row(kit).moved_at == moved_at
        kit.crop("b_stage2.png", BOX)
        until(lambda: row(kit).moved_at != moved_at)
        run.end()


def test_a_run_whose_work_may_rest_asks_the_thread_that_works(folder: Path) -> None:
    asked: list[Callable[[], None]] = []
    with Collection(folder) as kit:
        run = Run(kit.trail, "review", period=0.01, ask=asked.append)
        until(lambda: len(asked) > 2)
        moved_at = row(kit).moved_at
        asked[-1]()
        until(lambda: row(kit).moved_at != moved_at)
        run.end()


def test_health_tells_a_batch_whose_thread_is_stuck(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Collection(folder) as kit:
        run = Run(kit.trail, "batch", period=0.01)
        kit.crop("a_stage2.png", BOX)
        until(lambda: row(kit).tally.cropped == 1)
        (folder / ".cropkit" / "alerts.toml").write_text("hang_minutes = 0.00001\n")
        time.sleep(0.05)
        assert main(["health", str(folder)]) == 1
        assert "hangs: batch" in capsys.readouterr().out
        run.end()
    assert main(["health", str(folder)]) == 0


# -- counts --------------------------------------------------------------------------------------


def test_a_session_counts_what_it_did(folder: Path) -> None:
    def made(path: str, verdict: Verdict) -> Decision:
        look, at = kit.look(path), clock.now()
        box = PixelBox(0, 0, 48, 48) if verdict.keeps_a_box else None
        whole = PixelBox(0, 0, 48, 48).normalized(look.size)
        return Decision(
            *(path, look.sha256, look.size, verdict, box, kit.reviewer, kit.session, at, at),
            suggestion=Suggestion(whole, "test"),
        )

    with Collection(folder) as kit:
        decisions = [
            made("a_stage2.png", Verdict.ACCEPT),
            made("b_stage2.png", Verdict.REJECT),
            made("c.jpg", Verdict.SKIP),
            made("d.jpg", Verdict.ADJUSTED),
        ]
        kit.decide(decisions)
        (folder / "d.jpg").write_bytes((folder / "c.jpg").read_bytes())
        kit.apply_waiting()
        kit.undo("a_stage2.png")
        kit.problems.report(Problem(ProblemKind.NO_SUGGESTION, "c.jpg", "nobody wrote one"))
        with pytest.raises(BadBox):
            kit.crop("c.jpg", PixelBox(0, 0, 9999, 9999))
        assert kit.trail.presence.tally == Tally(
            accepted=1,
            adjusted=1,
            rejected=1,
            skipped=1,
            cropped=1,
            set_aside=1,
            restored=1,
            stale=1,
            failed=1,
            degraded={ProblemKind.BOX: 1},
        )


def test_every_outcome_and_every_verdict_is_counted_or_known_not_to_be() -> None:
    for verdict in Verdict:
        assert Tally().with_verdict(verdict).decided == 1
    uncounted = {s for s in Status if Tally().with_outcome(s) == Tally()}
    assert uncounted == {Status.WAITING, Status.SKIPPED, Status.SUPERSEDED}


def test_an_image_that_is_shown_decided_and_cropped_is_one_operation() -> None:
    tally = Tally(shown=12, accepted=10, adjusted=1, cropped=9, failed=1)
    assert tally.operations == 12
    assert Tally(degraded={"suggestion": 5}).operations == 5
    # unattended: 90 were cropped, one of whose boxes was refused, 10 had no usable suggestion
    unattended = Tally(accepted=90, cropped=89, failed=1, degraded={"suggestion": 10, "box": 1})
    assert unattended.operations == 100
    assert Tally(degraded={"box": 3}).operations == 3


def test_counts_of_a_later_version_are_read_as_far_as_they_are_known() -> None:
    tally = Tally(shown=3, degraded={"box": 1})
    kept = json.dumps({**tally.to_json(), "dreamt": 7})
    assert Tally.from_text(kept) == tally
    assert Tally.from_text(None) == Tally()


# -- the log -------------------------------------------------------------------------------------


def test_a_run_that_ends_well_logs_its_counts_as_one_line(folder: Path) -> None:
    with Collection(folder) as kit:
        with kit.begin_run("apply"):
            kit.crop("a_stage2.png", BOX)
        (line,) = lines(folder)
        assert line["message"] == "heartbeat"
        assert (line["run"], line["how"], line["session"]) == ("apply", "closed", kit.session)
        assert line["counts"] == kit.trail.presence.tally.to_json()


def test_every_line_names_its_session_and_its_operation(folder: Path, tmp_path: Path) -> None:
    taken = tmp_path / "out"
    taken.mkdir()
    (taken / "a_stage2.png").write_bytes(b"in the way")
    with Collection(folder, destination=taken) as kit:
        with pytest.raises(CropkitError):
            kit.crop("a_stage2.png", BOX)
        kit.problems.report(Problem(ProblemKind.PREVIEW, "c.jpg", "a reason"))
        failed, other = lines(folder)
        assert "NameTaken" in str(failed["message"])
        assert failed["operation"] == kit.trail.events("a_stage2.png")[-1]["operation"]
        assert {failed["session"], other["session"]} == {kit.session}
        assert other["operation"] is None


def test_two_collections_in_one_process_keep_their_lines_apart(
    folder: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with Collection(folder) as one, Collection(other) as two:
        one.problems.report(Problem(ProblemKind.PREVIEW, "one", "of the first"))
        two.problems.report(Problem(ProblemKind.PREVIEW, "two", "of the second"))
    assert [line["message"] for line in lines(folder)] == ["preview: one: of the first"]
    assert [line["message"] for line in lines(other)] == ["preview: two: of the second"]


def test_credentials_and_the_content_of_files_stay_out_of_the_log(tmp_path: Path) -> None:
    log.mask("hunter2-token")
    handler = log.attach(tmp_path / "a.log", "s")
    content = bytes(range(40, 120))

    def decode(data: bytes) -> None:
        raise ValueError(data)

    try:
        decode(content)
    except ValueError:
        logging.getLogger("cropkit.test").exception("sent hunter2-token with %r", content)
    log.detach(handler)
    text = (tmp_path / "a.log").read_text(encoding="utf-8")
    assert "hunter2" not in text
    assert "89:;" not in text
    assert "(bytes)" in text
    assert "ValueError" in text


def test_a_log_that_is_out_of_reach_is_told_once_and_stops_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It may be another collection's: its folder was closed, or its disk taken away."""
    handler = log.attach(tmp_path / "a.log", "s")
    told = logging.getLogger("cropkit.test")
    told.warning("within reach")

    def closed(path: Path) -> os.stat_result:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "stat", closed)
        told.warning("out of reach")
        told.warning("out of reach")
    told.warning("within reach again")
    log.detach(handler)
    messages = [
        json.loads(line)["message"] for line in (tmp_path / "a.log").read_text().splitlines()
    ]
    assert messages == ["within reach", "within reach again"]
    assert capsys.readouterr().err == (
        f"cropkit: {tmp_path / 'a.log'} cannot be written: Permission denied\n"
    )
    assert isinstance(handler.failure, PermissionError)


def test_the_log_is_set_aside_once_however_many_write_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "LARGEST", 3000)
    path = tmp_path / "a.log"
    handlers = [log.attach(path, f"session {n}") for n in range(3)]
    told = logging.getLogger("cropkit.test")
    for number in range(60):
        told.warning("line %d", number, extra={"session": f"session {number % 3}"})
    for handler in handlers:
        log.detach(handler)
    kept = "".join(p.read_text() for p in sorted(tmp_path.glob("a.log*"), reverse=True))
    numbers = [int(json.loads(line)["message"].split()[1]) for line in kept.splitlines()]
    assert numbers == list(range(60))
    assert path.stat().st_size < 3000
    assert (tmp_path / "a.log.1").exists()


def test_only_what_begins_a_run_beats(folder: Path) -> None:
    def beating() -> bool:
        return any(t.name == "cropkit-beat" for t in threading.enumerate())

    with Collection(folder) as kit:
        kit.crop("a_stage2.png", BOX)
        assert not beating()
        with kit.begin_run("apply"):
            assert beating()
        assert not beating()


def test_a_reader_sees_what_is_written_and_leaves_no_owner(folder: Path) -> None:
    with Collection(folder) as kit:
        owners = folder / ".cropkit" / "owners"
        with TrailReader(kit.files) as reader:
            kit.crop("a_stage2.png", BOX)
            assert reader.events() == kit.trail.events()
            assert list(owners.iterdir()) == [owners / kit.trail.owner]
        assert list(owners.iterdir()) == [owners / kit.trail.owner]


# -- the exit code -------------------------------------------------------------------------------


@pytest.mark.parametrize(("degraded", "code"), [(1, 0), (2, 1)])
def test_an_apply_that_is_too_degraded_ends_with_1_and_says_so(
    folder: Path,
    degraded: int,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    real = Collection.apply_waiting

    def apply_waiting(kit: Collection, *given: Any, **more: Any) -> Any:
        results = real(kit, *given, **more)
        ReviewStore(kit).shown(10)
        for number in range(degraded):
            kit.problems.report(Problem(ProblemKind.BEAT, str(number), "locked"))
        return results

    monkeypatch.setattr(Collection, "apply_waiting", apply_waiting)
    Collection(folder).close()
    assert main(["apply", str(folder)]) == code
    told = capsys.readouterr().err
    assert ("2 of 10 operations (20.0 %)" in told) is bool(code)
    logged = (folder / ".cropkit" / "cropkit.log").read_text(encoding="utf-8")
    assert ('"code": "degraded"' in logged) is bool(code)


def test_a_batch_that_is_too_degraded_ends_with_1_although_every_crop_is_well(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(8):
        image = pictures.write_png(folder / f"x{number}.png", pictures.photo(60, 50, number))
        pictures.write_sidecar(image, [0.1, 0.1, 0.9, 0.9])
    for number in range(2):
        (folder / f"x{number}.decision").write_text("{broken")
    assert main(["batch", str(folder), "-p", "source", "suggestions", "--json"]) == 1
    captured = capsys.readouterr()
    assert json.loads(captured.out)["ok"]
    assert "2 of 13 operations (15.4 %) were degraded: 2 suggestion" in captured.err
