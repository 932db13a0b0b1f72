"""Figures of reviews: active time, seconds an image, shares; computed by hand beside the code."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


def parts(plot: plots.Plot) -> list[list[tuple[str, float]]]:
    """Return the bars of a plot, each as colours with their lengths in hundredths of the room."""
    rows: dict[str, list[tuple[str, float]]] = {}
    for bar in ET.fromstring(plot.svg).iter("rect"):  # noqa: S314  (our own)
        if bar.attrib["height"] == "15":
            share = round(100 * float(bar.attrib["width"]) / 330, 1)
            rows.setdefault(bar.attrib["y"], []).append((bar.attrib["fill"], share))
    return list(rows.values())


def test_plots_are_pictures_with_their_words_whatever_the_names_are() -> None:
    rows = [row(0, 5, reviewer="$\\frac{<b>\u202e", session=f"s{n}") for n in range(3)]
    found = stats(rows)
    for plot in (plots.pace(found), plots.shares(found, "reviewer"), plots.seconds(found)):
        shown = ET.fromstring(plot._repr_html_())  # noqa: S314  (our own)
        (drawn,) = shown.iter("svg")
        assert (drawn.attrib["role"], drawn.attrib["aria-label"]) == ("img", plot.words)
        assert repr(plot) == f"{plot.title}: {plot.words}"
        assert "\u202e" not in plot._repr_html_()


def test_a_plot_of_nothing_says_so() -> None:
    nothing = stats([])
    for plot in (plots.pace(nothing), plots.shares(nothing, "session"), plots.seconds(nothing)):
        assert "no decisions yet" in plot._repr_html_()
        assert plot.words == "no decisions yet"


def test_colours_are_told_from_a_white_page_and_from_a_dark_one() -> None:
    for colour in plots.COLOURS.values():
        for ground in ("#ffffff", "#111111"):
            light, dark = sorted((luminance(colour), luminance(ground)), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 3, (colour, ground)


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour (WCAG 2.2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_each_verdict_is_drawn_in_its_colour_as_long_as_its_share() -> None:
    verdicts = ["accept"] * 5 + ["adjusted"] * 3 + ["reject", "skip"]
    rows = [row(n, n + 1, verdict=one) for n, one in enumerate(verdicts)]
    plot = plots.shares(stats(rows), "session")
    colours = plots.COLOURS
    assert parts(plot) == [
        [
            (colours["accept"], 50),
            (colours["adjusted"], 30),
            (colours["kept-whole"], 0),
            (colours["reject"], 10),
            (colours["skip"], 10),
        ]
    ]
    starts = [float(bar.attrib["x"]) for bar in ET.fromstring(plot.svg).iter("rect")][5:]  # noqa: S314  (our own)
    assert [round((start - 230) / 3.3) for start in starts] == [0, 50, 80, 80, 90]
    assert plot.words.endswith("50 % accept, 30 % adjusted, 10 % reject, 10 % skip")


def test_pace_is_drawn_in_decisions_an_hour_of_the_latest_sessions() -> None:
    rows = [row(100 * n, 100 * n + n + 10, session=f"s{n:02}") for n in range(25)]
    found = stats(rows)
    plot = plots.pace(found)
    hours = [one.decisions_an_hour or 0 for one in found.by("session")][-20:]
    lengths = [share for ((_, share),) in parts(plot)]
    assert lengths == [pytest.approx(100 * hour / max(hours), abs=0.1) for hour in hours]
    assert [told.rpartition(": ")[2] for told in plot.words.split("; ")] == [
        f"{hour:,.0f}" for hour in hours
    ]


def test_sessions_are_named_by_who_decided_and_when() -> None:
    rows = [row(0, 5, session="20261025-1"), row(9, 15, session="20261025-1")]
    for plot in (plots.pace(stats(rows)), plots.shares(stats(rows), "session")):
        assert plot.words.startswith("anna, 2026-10-25 00:59: ")
        assert "20261025-1" not in plot._repr_html_()


def test_one_session_that_was_faster_by_far_does_not_flatten_the_others() -> None:
    taken = {"s1": 10.0, "s2": 12.0, "s3": 0.01}
    rows = [row(0, seconds, session=name) for name, seconds in taken.items()]
    lengths = [share for ((_, share),) in parts(plots.pace(stats(rows)))]
    assert max(lengths) == 100
    assert min(lengths) > 20


def test_what_came_after_a_break_is_in_no_bar_of_seconds() -> None:
    found = stats([row(0, 10), row(10, 20), row(20, 20 + 2 * BREAK.total_seconds())])
    assert plots.seconds(found).words.startswith("2 images, ")


def test_an_image_that_took_long_is_in_the_last_bar_and_told() -> None:
    ends = [4, 9, 15, 20, 270]
    rows = [row(start, end) for start, end in zip([0, *ends], ends, strict=False)]
    plot = plots.seconds(stats(rows))
    assert plot.words.endswith("; 1 took more than 15 s, up to 250: last bar")
    assert "H248.00V107" in plot.svg, "there is a bar at the end"
    assert ">15<" in plot.svg, "the axis ends there"


def test_a_time_that_nobody_of_ours_wrote_is_in_no_figure() -> None:
    row = {"shown_at": "yesterday", "decided_at": "2026-01-01T00:00:00.000000Z"}
    for at in ("yesterday", None, b"2026", 7):
        nothing = stats([row | {"shown_at": at}])
        assert (nothing.decisions, nothing.unattended) == ((), 0)
