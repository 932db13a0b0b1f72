"""Agreement of reviewers: pairs, verdicts, overlaps, edges; intervals as textbooks have them."""

import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cropkit import clock
from cropkit.audit import schema
from cropkit.audit.decisions import to_row
from cropkit.cli import main
from cropkit.collection import Collection
from cropkit.geometry import PixelBox, Size, Turn
from cropkit.monitor.agreement import MOST, Agreement, agreements, frame
from cropkit.monitor.intervals import mean_of, share_of, student
from cropkit.monitor.stats import Stats, stats
from cropkit.opinions import Pair, pairs
from cropkit.records import Decision, Verdict, batch_of

SIZE, SHA256 = Size(100, 200), "a" * 64
BOX = PixelBox(10, 10, 90, 190)
START = clock.now()


def opinion(
    reviewer: str, at: int, box: PixelBox | None = BOX, verdict: Verdict = Verdict.ADJUSTED
) -> Decision:
    shown = START + timedelta(seconds=at)
    moments = (shown, shown + timedelta(seconds=1))
    kind = verdict if box is None else Verdict.ADJUSTED
    return Decision("a.png", SHA256, SIZE, kind, box, reviewer, "s", *moments)


REJECTED = (None, Verdict.REJECT)


def shifted(pixels: int) -> PixelBox:
    return PixelBox(10 + pixels, 10, 90, 190)


@pytest.mark.parametrize(
    ("freedom", "quantile"), [(1, 12.706), (2, 4.303), (9, 2.262), (30, 2.042)]
)
def test_students_quantiles_are_those_of_the_tables(freedom: int, quantile: float) -> None:
    assert student(freedom) == pytest.approx(quantile, abs=5e-4)


@given(st.integers(1, 999))
def test_the_fewer_values_the_wider(freedom: int) -> None:
    assert student(freedom) > student(freedom + 1) > 1.9599


@given(st.lists(st.floats(0, 1), max_size=30))
def test_a_mean_lies_in_its_interval_which_is_of_what_a_mean_can_be(values: list[float]) -> None:
    mean = mean_of(values)
    if len(values) < 2:
        assert mean is None or (mean.low, mean.high) == (None, None)
        return
    assert mean is not None
    assert mean.low is not None
    assert mean.high is not None
    assert 0 <= mean.low <= mean.value + 1e-12
    assert mean.value - 1e-12 <= mean.high <= 1


def test_an_interval_of_a_mean_holds_it_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(1_000):
        mean = mean_of(rng.beta(8, 2, 20).tolist())
        assert mean is not None
        assert mean.low is not None
        assert mean.high is not None
        held += mean.low <= 0.8 <= mean.high
    assert 0.92 < held / 1_000 < 0.98


@given(st.lists(st.booleans(), min_size=1, max_size=50))
@example([True] * 9)
def test_a_share_lies_in_its_interval(flags: list[bool]) -> None:
    share = share_of(flags)
    assert share is not None
    assert share.low is not None
    assert share.high is not None
    assert 0 <= share.low <= share.value <= share.high <= 1
    assert share.low < share.high


@pytest.mark.parametrize(("pixels", "near"), [(0, True), (5, True), (6, False)])
def test_edges_are_near_within_5_percent_of_the_side(pixels: int, *, near: bool) -> None:
    pair = Pair(opinion("anna", 0), opinion("ben", 0, shifted(pixels)))
    assert pair.are_edges_near is near
    assert pair.is_agreed is near
    assert pair.iou == pytest.approx((80 - pixels) / 80)


def test_boxes_that_are_turned_otherwise_are_not_alike() -> None:
    first = opinion("anna", 0)
    moments = (first.shown_at, first.decided_at)
    facts = ("a.png", SHA256, SIZE, Verdict.ADJUSTED, BOX, "ben", "s", *moments)
    assert not Pair(first, Decision(*facts, turn=Turn.of(90))).is_agreed


def test_a_verdict_is_compared_without_boxes_and_a_rejection_has_none() -> None:
    (told,) = agreements(
        [
            [opinion("anna", 0), opinion("ben", 5, shifted(20))],
            [opinion("anna", 0, *REJECTED), opinion("ben", 5, *REJECTED)],
            [opinion("ben", 0, None, Verdict.SKIP), opinion("anna", 5, *REJECTED)],
        ]
    )
    assert told.reviewers == ("anna", "ben")
    assert told.crops == 3
    assert told.same_verdict is not None
    assert told.same_verdict.value == pytest.approx(2 / 3)
    assert told.iou is not None
    assert (told.iou.count, told.iou.low) == (1, None)
    assert told.iou.value == pytest.approx(0.75)
    assert told.agreed is not None
    assert told.agreed.value == pytest.approx(1 / 3)


def test_of_who_decided_several_times_the_last_before_the_other_counts() -> None:
    first, second, other, late = (
        *(opinion("anna", 0), opinion("anna", 1, shifted(3))),
        *(opinion("ben", 2), opinion("anna", 3, shifted(9))),
    )
    assert list(pairs([first, second, other, late])) == [Pair(second, other)]


def test_what_programs_decide_is_no_opinion() -> None:
    by_batch = opinion(batch_of("ben"), 1)
    moment = START
    facts = ("a.png", SHA256, SIZE, Verdict.ADJUSTED, BOX, "ben", "s")
    assert not list(pairs([opinion("anna", 0), by_batch, Decision(*facts, moment, moment)]))


people = st.sampled_from(["anna", "ben", "carl"])
boxes = st.one_of(st.none(), st.integers(0, 30).map(shifted))
crops = st.lists(st.tuples(people, boxes), max_size=8)


def decided(crop: Sequence[tuple[str, PixelBox | None]]) -> list[Decision]:
    return [opinion(who, at, box, Verdict.SKIP) for at, (who, box) in enumerate(crop)]


@given(st.lists(crops, max_size=5))
def test_each_two_people_are_a_pair_of_a_crop_once(
    several: list[list[tuple[str, PixelBox]]],
) -> None:
    told = agreements(map(decided, several))
    wanted = 0
    for crop in several:
        number = len({who for who, _ in crop})
        wanted += number * (number - 1) // 2
    assert sum(each.crops for each in told) == wanted
    assert len({each.reviewers for each in told}) == len(told)
    for each in told:
        assert each.agreed is not None
        assert each.same_verdict is not None
        assert each.agreed.value <= each.same_verdict.value
        assert each.agreed.count == each.crops
        assert (each.iou is None) == (each.edges_within_5_percent is None)


def reviewed(folder: Path, reviewer: str, box: PixelBox) -> None:
    with Collection(folder, reviewer=reviewer) as kit:
        look = kit.look(kit.images()[0])
        shown = clock.now() - timedelta(seconds=1)
        facts = (look.path, look.sha256, look.size, Verdict.ADJUSTED, box, kit.reviewer)
        kit.decide([Decision(*facts, kit.session, shown, clock.now())])


def told_of(folder: Path) -> tuple[Agreement, ...]:
    with Collection(folder) as kit:
        return kit.stats().agreement


def test_a_collection_tells_who_agrees_and_the_shell_the_same(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reviewed(folder, "anna", PixelBox(0, 0, 40, 40))
    assert told_of(folder) == ()
    reviewed(folder, "ben\n\u202e<b>", PixelBox(0, 0, 40, 40))
    assert main(["stats", str(folder)]) == 0
    (line,) = (line for line in capsys.readouterr().out.splitlines() if "decided by both" in line)
    assert "\u202e" not in line
    assert "1 decided by both, the same verdict in 100 % of 1 (21 to 100 %)" in line
    assert "mean IoU 1.00 of 1, all edges within 5 % in 100 % of 1 (21 to 100 %)" in line
    assert main(["stats", str(folder), "--json"]) == 0
    (each,) = json.loads(capsys.readouterr().out)["agreement"]
    assert (each["crops"], each["iou"]["value"], each["iou"]["low"]) == (1, 1.0, None)


def test_the_table_has_a_row_for_each_two_and_the_same_columns_without_any(folder: Path) -> None:
    reviewed(folder, "anna", PixelBox(0, 0, 40, 40))
    reviewed(folder, "<b>\u202e", PixelBox(0, 0, 40, 41))
    with Collection(folder) as kit:
        table = kit.stats().agreement_frame()
    assert list(table.columns) == list(frame(()).columns)
    assert len(table) == 1
    shown = table.to_html()
    assert "<b>" not in shown
    assert "\u202e" not in shown


def test_a_crop_that_a_crowd_has_decided_about_is_told_and_not_compared() -> None:
    def decided_by(people: int) -> Stats:
        empty = dict.fromkeys(column.name for column in schema.decision.c)
        return stats(empty | to_row(opinion(f"{who:02}", who)) for who in range(people))

    assert len(decided_by(MOST).agreement) == MOST * (MOST - 1) // 2
    crowd = decided_by(MOST + 1)
    assert crowd.agreement == ()
    (sentence,) = crowd.crowded
    assert sentence == "a.png: 21 people have decided about it, and no more than 20 are compared"
    assert crowd.unreadable == ()
