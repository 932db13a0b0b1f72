"""Figures of reviews: active time, seconds an image, shares; computed by hand beside the code."""

import json
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_hex
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from cropkit import clock
from cropkit.cli import main
from cropkit.collection import Collection
from cropkit.geometry import PixelBox
from cropkit.monitor import plots
from cropkit.monitor.stats import BREAK, NO_SLOT, NO_SOURCE, NO_TARGET, Stats, stats
from cropkit.records import Decision, Verdict

START = datetime(2026, 10, 25, 0, 59, tzinfo=UTC)  # an hour later some places turn their clocks


def row(shown: float, decided: float, **what: Any) -> dict[str, Any]:
    return {
        "session": "s1",
        "reviewer": "anna",
        "suggestion_source": "sidecar",
        "suggestion_version": "v3",
        "verdict": "accept",
        "shown_at": clock.written(START + timedelta(seconds=shown)),
        "decided_at": clock.written(START + timedelta(seconds=decided)),
        **what,
    }


def test_slots_and_targets_are_told_apart() -> None:
    rows = [row(0, 5, slot="face", target="1024x1024"), row(0, 5, slot="bust"), row(6, 8)]
    figures = stats(rows)
    assert [group.name for group in figures.by("slot")] == ["face", "bust", NO_SLOT]
    assert [group.name for group in figures.by("target")] == ["1024x1024", NO_TARGET]
    assert [group["decisions"] for group in figures.to_json()["by_target"]] == [1, 2]


def test_time_is_from_the_first_look_to_each_decision_and_shared_by_a_page() -> None:
    page = [row(0, 9), row(0, 9), row(0, 9)]
    total = stats([*page, row(10, 15), row(16, 25)]).total
    # 3 s for each of the page's three, then 15 - 9 = 6 s, then 25 - 15 = 10 s
    assert total.decisions == total.timed == 5
    assert total.active_seconds == 25
    assert total.decisions_an_hour == 5 * 3600 / 25
    assert total.median_seconds == 3
    assert total.p90_seconds == 10


@pytest.mark.parametrize("kind", ["batch", "shell"])
def test_what_a_batch_or_a_command_decided_is_in_no_figure(kind: str) -> None:
    rows = [row(0, 5), row(0, 0.5, session="s2"), row(0.5, 0.6, session="s2")]
    figures = stats(rows, {"s1": "review", "s2": kind})
    assert (figures.total.decisions, figures.unattended) == (1, 2)
    assert [group.name for group in figures.by("session")] == ["s1"]


@pytest.mark.parametrize(
    ("gap", "timed"),
    [(BREAK.total_seconds() - 1, 2), (BREAK.total_seconds(), 2), (BREAK.total_seconds() + 1, 1)],
)
def test_a_gap_of_more_than_five_minutes_is_a_break(gap: float, timed: int) -> None:
    total = stats([row(0, 10), row(10, 10 + gap)]).total
    assert (total.decisions, total.timed) == (2, timed)
    assert total.active_seconds == 10 + (gap if timed == 2 else 0)


def test_what_a_program_decided_is_in_no_figure() -> None:
    found = stats([row(0, 10), row(20, 20, reviewer="cron")])
    assert found.unattended == 1
    assert [group.name for group in found.by("reviewer")] == ["anna"]
    assert found.total.decisions == 1


def test_sessions_at_the_same_time_do_not_disturb_each_other() -> None:
    mine = [row(0, 10), row(10, 20)]
    hers = [row(5, 12, session="s2", reviewer="bea"), row(12, 18, session="s2", reviewer="bea")]
    one, two = stats([*mine, *hers]).by("session")
    assert (one.active_seconds, two.active_seconds) == (20, 13)


def test_shares_are_of_all_decisions_by_session_reviewer_and_source() -> None:
    rows = [
        row(0, 1),
        row(1, 2, verdict="adjusted"),
        row(2, 3, verdict="reject", suggestion_source=None, suggestion_version=None),
        row(3, 4, verdict="skip", reviewer="bea", session="s2"),
    ]
    found = stats(rows)
    assert [found.total.share(v) for v in ("accept", "adjusted", "reject", "skip")] == [0.25] * 4
    assert [group.name for group in found.by("source")] == ["sidecar v3", NO_SOURCE]
    anna, bea = found.by("reviewer")
    assert (anna.share("accept"), bea.share("skip")) == (1 / 3, 1)


def test_nothing_decided_is_nothing_told() -> None:
    total = stats([]).total
    assert total.decisions_an_hour is total.median_seconds is total.p90_seconds is None
    assert total.share("accept") is None
    assert stats([]).by("session") == ()


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(1, 4)), min_size=1, max_size=12))
def test_parts_add_up_to_the_whole(pages: list[tuple[int, int]]) -> None:
    rows, now = [], 0
    for number, (gap, size) in enumerate(pages):
        shown, now = now, now + gap + 1
        name = f"s{number % 3}"
        rows += [row(shown, now, session=name, reviewer=f"r{number % 2}")] * size
    found = stats(rows)
    for way in ("session", "reviewer", "source"):
        groups = found.by(way)
        assert sum(g.decisions for g in groups) == found.total.decisions == len(rows)
        assert sum(g.timed for g in groups) == found.total.timed
        assert sum(g.active_seconds for g in groups) == pytest.approx(found.total.active_seconds)


@given(st.lists(st.integers(1, 300), min_size=1, max_size=40))
def test_nine_in_ten_are_not_slower_than_the_ninetieth_percentile(gaps: list[int]) -> None:
    rows, now = [], 0
    for gap in gaps:
        rows.append(row(now, now + gap))
        now += gap
    total = stats(rows).total
    assert total.p90_seconds in gaps
    assert sum(gap <= (total.p90_seconds or 0) for gap in gaps) >= 0.9 * len(gaps)
    assert sum(gap < (total.p90_seconds or 0) for gap in gaps) < 0.9 * len(gaps)


# -- from a real collection ----------------------------------------------------------------------


def review(folder: Path) -> Stats:
    with Collection(folder, reviewer="anna") as kit:
        for number, path in enumerate(kit.images()[:3]):
            look = kit.look(path)
            shown = START + timedelta(seconds=10 * number)
            made = Decision(
                *(path, look.sha256, look.size, Verdict.ADJUSTED, PixelBox(0, 0, 40, 40)),
                *(kit.reviewer, kit.session, shown, shown + timedelta(seconds=10)),
            )
            kit.decide([made])
        kit.crop(kit.images()[3], PixelBox(0, 0, 48, 48))
        return kit.stats()


def test_a_kit_tells_its_figures_and_the_shell_the_same(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = review(folder)
    assert found.total.decisions_an_hour == 360
    assert found.unattended == 1
    assert main(["stats", str(folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(found.to_json()))
    assert main(["stats", str(folder)]) == 0
    said = capsys.readouterr().out
    assert "anna: 3 decisions, 360.0 an hour, 10.0 s an image" in said
    assert "adjusted 100 %" in said
    assert "in no figure: 1" in said


def test_a_folder_that_was_never_reviewed_is_said_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["stats", str(tmp_path)]) == 1
    assert "NoCollection" in capsys.readouterr().err
    assert not (tmp_path / ".cropkit").exists()


def test_tables_have_a_row_for_each_and_the_same_columns_without_any(folder: Path) -> None:
    frame = review(folder).frame("reviewer")
    assert list(frame["reviewer"]) == ["anna"]
    assert list(frame.columns) == list(stats([]).frame("reviewer").columns)


def test_plots_are_pictures_whatever_the_names_are() -> None:
    rows = [row(0, 5, reviewer="$\\frac{<b>", session=f"s{n}") for n in range(3)]
    for found in (stats(rows), stats([])):
        for plot in (plots.pace(found), plots.shares(found, "reviewer"), plots.seconds(found)):
            with Image.open(BytesIO(plot.png)) as image:
                assert image.width > 400
            assert plot.png == plot._repr_png_()
            assert repr(plot).startswith("Plot('")


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """Every figure that is drawn, as matplotlib keeps it."""
    figures: list[Figure] = []
    save = Figure.savefig

    def keep(figure: Figure, *where: Any, **how: Any) -> None:
        figures.append(figure)
        save(figure, *where, **how)

    monkeypatch.setattr(Figure, "savefig", keep)
    return figures


def bars(figure: Figure) -> dict[str, list[tuple[float, float, str]]]:
    """Label -> where each bar begins, how long it is, and its colour."""
    return {
        str(container.get_label()): [
            (round(bar.get_x(), 6), round(bar.get_width(), 6), to_hex(bar.get_facecolor()))
            for bar in container
        ]
        for container in figure.axes[0].containers
        if isinstance(container, BarContainer)
    }


def test_each_verdict_is_drawn_in_its_colour_as_long_as_its_share(drawn: list[Figure]) -> None:
    verdicts = ["accept"] * 5 + ["adjusted"] * 3 + ["reject", "skip"]
    plots.shares(stats([row(n, n + 1, verdict=one) for n, one in enumerate(verdicts)]), "session")
    assert bars(drawn[0]) == {
        "accept": [(0, 50, "#1b7837")],
        "adjusted": [(50, 30, "#2166ac")],
        "kept-whole": [(80, 0, "#e08214")],
        "reject": [(80, 10, "#b2182b")],
        "skip": [(90, 10, "#999999")],
    }


def test_pace_is_drawn_in_decisions_an_hour_of_the_latest_sessions(drawn: list[Figure]) -> None:
    rows = [row(100 * n, 100 * n + n + 1, session=f"s{n:02}") for n in range(25)]
    found = stats(rows)
    plots.pace(found)
    (long,) = bars(drawn[0]).values()
    hours = [one.decisions_an_hour for one in found.by("session")]
    assert [length for _, length, _ in long] == [round(hour or 0, 6) for hour in hours[-20:]]
    names = [label.get_text() for label in drawn[0].axes[0].get_yticklabels()]
    assert (names[0], names[-1]) == ("s05", "s24")


def test_what_came_after_a_break_is_in_no_bar_of_seconds(drawn: list[Figure]) -> None:
    found = stats([row(0, 10), row(10, 20), row(20, 20 + 2 * BREAK.total_seconds())])
    plots.seconds(found)
    patches = drawn[0].axes[0].patches
    assert sum(bar.get_height() for bar in patches if isinstance(bar, Rectangle)) == 2


def test_a_time_that_nobody_of_ours_wrote_is_in_no_figure() -> None:
    row = {"shown_at": "yesterday", "decided_at": "2026-01-01T00:00:00.000000Z"}
    for at in ("yesterday", None, b"2026", 7):
        nothing = stats([row | {"shown_at": at}])
        assert (nothing.decisions, nothing.unattended) == ((), 0)
