"""What a person is told of a collection, at each limit, by a clock that is given."""

import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from cropkit.audit.tally import SessionRow, Tally
from cropkit.monitor import health, prometheus
from cropkit.monitor.health import KINDS, Alert, Event, Facts, Limits

NOW = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)  # summer time begins in some places
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
TICK = timedelta(microseconds=1)


def codes(facts: Facts, limits: Limits | None = None) -> list[str]:
    return [alert.code for alert in health.alerts(facts, NOW, limits)]


def session(**what: object) -> SessionRow:
    known = {"id": "crop_1", "kind": "review", "host": "h", "reviewer": "anna", "version": "1"}
    return SessionRow(**{**known, "started_at": NOW, **what})  # type: ignore[arg-type]  # (test data)


def test_a_collection_that_is_well_has_nothing_to_tell() -> None:
    assert codes(Facts("f", free_bytes=10**12)) == []


# -- degraded ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("degraded", "operations", "alerts"),
    [
        (100, 1000, False),  # 10.0 %
        (101, 1000, True),  # 10.1 %
        (10_000, 100_000, False),
        (10_001, 100_000, True),
        (1, 9, False),  # 11 % of too few
        (9, 9, False),
        (1, 10, False),
        (2, 10, True),
        (10, 10, True),
        (0, 10, False),
        (10, 0, True),  # each of them is an operation
    ],
)
def test_more_than_ten_per_cent_of_at_least_ten_operations_is_too_much(
    degraded: int, operations: int, alerts: int
) -> None:
    tally = Tally(shown=operations, degraded={"suggestion": degraded})
    assert health.too_degraded(tally) is alerts
    assert codes(Facts("f", sessions=[session(tally=tally)])) == ["degraded"] * alerts


@given(st.integers(10, 10**9))
def test_ten_per_cent_is_exact_however_many_operations_there_are(operations: int) -> None:
    most = operations // 10
    assert not health.too_degraded(Tally(shown=operations, degraded={"box": most}))
    assert health.too_degraded(Tally(shown=operations, degraded={"box": most + 1}))


def test_the_kinds_are_added_up_and_named() -> None:
    tally = Tally(cropped=17, failed=1, degraded={"suggestion": 2, "box": 1})
    (alert,) = health.alerts(Facts("f", sessions=[session(kind="batch", tally=tally)]), NOW)
    assert "3 of 20 operations (15.0 %)" in alert.said
    assert "1 box, 2 suggestion" in alert.said
    assert alert.said.endswith("; batch crop_1")


# -- heartbeat -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age", "alerts"),
    [(timedelta(0), False), (30 * SECOND, False), (30 * SECOND + TICK, True)],
)
def test_a_beat_older_than_three_periods_is_missed(age: timedelta, alerts: int) -> None:
    facts = Facts("f", sessions=[session(beat_at=NOW - age)])
    assert codes(facts) == ["vanished"] * alerts


@pytest.mark.parametrize(
    ("age", "alerts"), [(10 * MINUTE, []), (10 * MINUTE + TICK, ["hangs"])], ids=["moves", "hangs"]
)
def test_a_run_that_beats_and_does_not_move_hangs(age: timedelta, alerts: list[str]) -> None:
    stuck = session(beat_at=NOW, moved_at=NOW - age, tally=Tally(accepted=5, cropped=3))
    assert codes(Facts("f", sessions=[stuck])) == alerts
    assert codes(Facts("f", sessions=[replace(stuck, ended_at=NOW, ended_how="closed")])) == []
    for alert in health.alerts(Facts("f", sessions=[stuck]), NOW):
        assert "has not moved for 10 min: 5 decided, 3 carried out" in alert.said


def test_how_long_a_run_may_stand_still_can_be_set() -> None:
    stuck = session(beat_at=NOW, moved_at=NOW - 20 * MINUTE)
    limits = Limits(hang=timedelta(minutes=30))
    assert health.alerts(Facts("f", sessions=[stuck]), NOW, limits) == ()


@pytest.mark.parametrize(("age", "alerts"), [(5, []), (11, ["hangs"])])
def test_a_run_that_was_stopped_or_put_to_sleep_has_not_vanished(
    age: int, alerts: list[str]
) -> None:
    asleep = session(beat_at=NOW - age * MINUTE, alive=True)
    assert codes(Facts("f", sessions=[asleep])) == alerts


def test_who_has_ended_or_was_never_to_beat_is_not_missed() -> None:
    long_ago = NOW - timedelta(days=30)
    ended = session(beat_at=long_ago, ended_at=long_ago, ended_how="closed")
    assert codes(Facts("f", sessions=[ended, session(started_at=long_ago)])) == []


def test_a_beat_from_a_clock_that_is_ahead_is_no_alert() -> None:
    assert codes(Facts("f", sessions=[session(beat_at=NOW + timedelta(hours=2))])) == []


def test_the_alert_names_the_run_its_person_and_its_machine() -> None:
    (alert,) = health.alerts(
        Facts("f", sessions=[session(beat_at=NOW - timedelta(minutes=5), host="box")]), NOW
    )
    for word in ("crop_1", "anna", "box", "5 min ago", "review"):
        assert word in alert.said


# -- idle ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age", "alerts"),
    [
        (timedelta(days=7) - SECOND, False),
        (timedelta(days=7), False),
        (timedelta(days=7) + SECOND, True),
    ],
)
@pytest.mark.parametrize("what", [{"waiting": 1}, {"unreviewed": 1}])
@pytest.mark.parametrize("since", ["last_crop_at", "began_at"])
def test_no_crop_for_seven_days_while_there_is_work(
    age: timedelta, alerts: int, what: dict[str, int], since: str
) -> None:
    assert codes(Facts("f", **{since: NOW - age}, **what)) == ["idle"] * alerts  # type: ignore[arg-type]  # (test data)


def test_without_work_or_without_a_beginning_nobody_is_late() -> None:
    assert codes(Facts("f", last_crop_at=NOW - timedelta(days=99))) == []
    assert codes(Facts("f", unreviewed=5)) == []


def test_how_long_is_long_can_be_chosen() -> None:
    facts = Facts("f", waiting=1, last_crop_at=NOW - timedelta(days=2))
    assert codes(facts) == []
    assert codes(facts, Limits(idle=timedelta(days=1))) == ["idle"]


# -- room ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("free", "batch", "alerts"),
    [
        (200_000_000, 100_000_000, False),
        (199_999_999, 100_000_000, True),
        (10_000_000, 0, False),  # what the trail itself may need
        (9_999_999, 0, True),
        (None, 10**9, False),
    ],
)
def test_room_for_twice_the_largest_batch(free: int | None, batch: int, alerts: int) -> None:
    facts = Facts("f", free_bytes=free, largest_batch=batch)
    assert codes(facts) == ["disk-space"] * alerts


# -- the rest ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        (Facts("f", damage=["row 3 is missing"]), "database-corrupt"),
        (Facts("f", broken_links=["event 2 was changed", "event 5"]), "chain-broken"),
        (Facts("f", conflicts=[Event("a.png", "x")]), "conflict"),
        (Facts("f", in_doubt=[Event("a.png", "x")]), "in-doubt"),
        (Facts("f", unsettled=[Event("a.png", "x")]), "unsettled"),
        (Facts("f", left_alone=["crop 01234567 of a.png"]), "unvouched"),
        (Facts("f", recovered=[Event("op", "a.png was carried on")]), "recovered"),
        (Facts("f", bad_originals=[Event("o", "changed")]), "original-damaged"),
        (Facts("f", differences=[Event("a.png", "missing")]), "difference"),
        (Facts("f", sqlite="3.40.1", sqlite_is_dangerous=True, lock_excludes=False), "sqlite"),
        (Facts("f", failure=Event("database-locked", "by another")), "database-locked"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_thing_that_is_wrong_has_its_alert(facts: Facts, code: str) -> None:
    assert codes(facts) == [code]


def test_a_dangerous_sqlite_behind_its_lock_is_not_dangerous() -> None:
    assert codes(Facts("f", sqlite="3.40.1", sqlite_is_dangerous=True)) == []
    assert codes(Facts("f", sqlite="3.51.3", lock_excludes=False)) == []


def test_a_conflict_is_not_told_twice_as_a_doubt() -> None:
    one = [Event("a.png", "x")]
    assert codes(Facts("f", conflicts=one, in_doubt=one)) == ["conflict"]


def test_what_happened_can_be_acknowledged_and_what_is_cannot() -> None:
    facts = Facts(
        "f",
        sessions=[session(beat_at=NOW - timedelta(hours=1), tally=Tally(degraded={"box": 99}))],
        recovered=[Event("op", "x")],
        conflicts=[Event("a.png", "x")],
        waiting=1,
        began_at=NOW - timedelta(days=8),
        free_bytes=0,
    )
    told = health.alerts(facts, NOW)
    keys = frozenset(alert.key for alert in told if alert.key)
    assert {alert.code for alert in told if alert.key} == {
        code for code, kind in KINDS.items() if kind.happened
    }
    seen = replace(facts, acknowledged=keys)
    assert codes(seen) == ["conflict", "disk-space", "idle"]


def test_every_alert_says_what_to_do_and_where_to_read_on() -> None:
    for code, kind in KINDS.items():
        alert = Alert(code, "f", "found")
        assert kind.cure
        assert kind.cure in str(alert)
        assert f"docs/runbook.md#{code}" in str(alert)


# -- the sample ----------------------------------------------------------------------------------


def hours(count: int) -> Iterator[datetime]:
    return (NOW + timedelta(hours=n) for n in range(count))


@given(st.integers(1, 400))
def test_in_time_every_original_is_read(number: int) -> None:
    names = [sha256(f"{n}".encode()).hexdigest() for n in range(number)]
    runs = math.ceil(number / health.SAMPLE)
    samples = [having_their_turn(names, at) for at in hours(runs)]
    read = [name for sample in samples for name in sample]
    assert len(read) == number  # and not two lists: to tell how they differ would take hours
    assert not set(names) - set(read)
    assert all(len(sample) <= 2 * health.SAMPLE for sample in samples)


def having_their_turn(names: list[str], at: datetime) -> list[str]:
    low, high = health.turn_of_hashes(len(names), at)
    return [name for name in names if low <= name < high]


@given(st.integers(1, 10**7), st.text("0123456789abcdef", min_size=64, max_size=64))
def test_no_hash_has_its_turn_in_two_of_the_hours(number: int, name: str) -> None:
    runs = min(1000, math.ceil(number / health.SAMPLE))
    turns = [health.turn_of_hashes(number, at) for at in hours(runs)]
    assert sum(low <= name < high for low, high in turns) <= 1


def test_a_sample_is_another_one_in_the_next_hour() -> None:
    samples = [health.turn_of_hashes(1000, at) for at in hours(4)]
    assert all(one != other for one, other in pairwise(samples))


# -- Prometheus ----------------------------------------------------------------------------------


def test_the_metrics_are_read_by_prometheus_own_parser() -> None:
    strange = 'a "folder"\\with\nall'
    facts = Facts(
        strange,
        sessions=[
            session(beat_at=NOW - timedelta(hours=1)),
            session(beat_at=NOW, tally=Tally(shown=20, degraded={"box": 3})),
        ],
        last_crop_at=NOW,
        waiting=4,
        free_bytes=10**12,
    )
    told = health.alerts(facts, NOW)
    gone = Facts("gone", failure=Event("unreadable", "no such folder"))
    text = prometheus.exposition([(facts, told), (gone, health.alerts(gone, NOW))], NOW, Limits())
    found = {
        (sample.name, sample.labels["folder"], sample.labels.get("code", "")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert found["cropkit_up", strange, ""] == 1
    assert found["cropkit_up", "gone", ""] == 0
    assert found["cropkit_alerts", strange, "degraded"] == 1
    assert found["cropkit_alerts", strange, "vanished"] == 1
    assert found["cropkit_alerts", "gone", "unreadable"] == 1
    assert found["cropkit_decisions_waiting", strange, ""] == 4
    assert found["cropkit_runs_alive", strange, ""] == 1
    assert found["cropkit_runs_vanished", strange, ""] == 1
    assert found["cropkit_last_run_degraded_ratio", strange, ""] == pytest.approx(0.15)
    assert found["cropkit_last_crop_timestamp_seconds", strange, ""] == NOW.timestamp()
    assert ("cropkit_decisions_waiting", "gone", "") not in found


def test_who_cropped_lately_is_not_late_however_long_ago_the_review_began() -> None:
    long_ago, lately = NOW - timedelta(days=99), NOW - timedelta(hours=1)
    assert codes(Facts("f", began_at=long_ago, last_crop_at=lately, waiting=1)) == []
    assert codes(Facts("f", began_at=lately, last_crop_at=long_ago, waiting=1)) == ["idle"]
