"""Pictures of figures, for a notebook: SVG in the colours of the page, and with their words.

Whoever does not see them, or opens a notebook that shows no pictures, has the numbers in words.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from importlib.util import find_spec
from pathlib import Path
from statistics import median

from cropkit.extras import lacking
from cropkit.monitor import figures
from cropkit.monitor.stats import VERDICTS, Group, Stats
from cropkit.names import printable

# Each is told from a white page and from a dark one (WCAG 2.2, 1.4.11: 3 to 1).
COLOURS = {
    "accept": "#2b8a4e",
    "adjusted": "#3b7dc4",
    "kept-whole": "#c9780f",
    "reject": "#cf4a4a",
    "skip": "#868686",
}
_ACCENT = COLOURS["adjusted"]
_LONGEST = 34  # signs of a name
_MOST = 20  # sessions that are drawn, the latest
_WIDTH, _LEFT, _RIGHT, _ROW, _BAR = 640, 230, 560, 24, 15  # pixels
_NARROW = 420  # pixels, of a histogram
_FAR = 3.0  # times the median: a longer bar is cut there, and its number says how long it is
_TEXT = 'font-size="12" style="fill:currentColor"'
NOTHING = "no decisions yet"


@dataclass(frozen=True, slots=True)
class Plot:
    """A picture that a notebook shows; its text is the same on every run.

    Parameters
    ----------
    words : what it shows, for who does not see it
    width : of the drawing at most, in pixels
    """

    title: str
    words: str
    svg: str
    width: int = _WIDTH

    def __repr__(self) -> str:
        return f"{self.title}: {self.words}"

    def _repr_html_(self) -> str:
        caption = f"<figcaption><b>{escape(self.title)}</b></figcaption>"
        label = f'role="img" aria-label="{escape(self.words)}"'
        body = self.svg.replace("<svg ", f"<svg {label} ", 1) if self.svg else escape(self.words)
        style = f"margin:0;max-width:{self.width}px;--accent:{_ACCENT}"
        return f'<figure style="{style}">{caption}{body}</figure>'


@dataclass(frozen=True, slots=True)
class _Bar:
    """One row: parts by colour, whose lengths are shares of the room."""

    name: str
    told: str
    parts: tuple[tuple[str, float], ...]


def pace(stats: Stats) -> Plot:
    """Draw the decisions in an hour of active time, by session."""
    groups = stats.by("session")[-_MOST:]
    paces = [group.decisions_an_hour or 0 for group in groups]
    longest = min(max(paces, default=0), _FAR * (median(filter(None, paces)) if any(paces) else 0))
    bars = [
        _Bar(name, f"{pace:,.0f}", ((_ACCENT, min(pace / longest, 1.0) if longest else 0.0),))
        for name, pace in zip(_sessions(stats, groups), paces, strict=True)
    ]
    return _plot("Decisions in an hour of active time, by session", bars)


def shares(stats: Stats, way: str) -> Plot:
    """Draw which part had which verdict, by session, reviewer or source."""
    groups = stats.by(way)[-_MOST:]
    names = _sessions(stats, groups) if way == "session" else [group.name for group in groups]
    bars = [
        _Bar(
            name,
            f"of {group.decisions:,}",
            tuple((COLOURS[verdict], group.share(verdict) or 0.0) for verdict in VERDICTS),
        )
        for name, group in zip(names, groups, strict=True)
    ]
    return _plot(f"Verdicts by {way}", bars, [_shares_told(group) for group in groups], _legend())


def seconds(stats: Stats) -> Plot:
    """Draw how many seconds an image takes; the few that took much longer are in the last bar."""
    values = [decision.seconds for decision in stats.decisions if decision.seconds is not None]
    title = "Active seconds an image"
    if not values:
        return Plot(title, NOTHING, "")
    total = stats.total
    end = max(1.0, min(max(values), _FAR * (total.median_seconds or 0.0)))
    beyond = [value for value in values if value > end]
    words = (
        f"{len(values):,} images, median {total.median_seconds:.1f} s,"
        f" 90 % within {total.p90_seconds:.1f} s"
    )
    if beyond:
        words += f"; {len(beyond):,} took more than {end:.0f} s, up to {max(beyond):.0f}: last bar"
    drawn = figures.histogram([min(value, end) for value in values], "seconds", (0.0, end))
    return Plot(title, words, drawn.replace(' role="img"', "", 1), _NARROW)


def _sessions(stats: Stats, groups: Sequence[Group]) -> list[str]:
    """Name sessions by who decided in them, and when they began to."""
    first = {made.session: made for made in reversed(stats.decisions)}
    each = (first[group.name] for group in groups)
    return [f"{made.reviewer}, {made.decided_at:%Y-%m-%d %H:%M}" for made in each]


def _shares_told(group: Group) -> str:
    parts = ((verdict, group.share(verdict)) for verdict in VERDICTS)
    return ", ".join(f"{100 * share:.0f} % {verdict}" for verdict, share in parts if share)


def _plot(
    title: str, bars: Sequence[_Bar], told: Sequence[str] | None = None, above: str = ""
) -> Plot:
    if not bars:
        return Plot(title, NOTHING, "")
    words = told or [bar.told for bar in bars]
    names = (printable(bar.name) for bar in bars)
    sentence = "; ".join(f"{name}: {word}" for name, word in zip(names, words, strict=True))
    top = _ROW if above else 0
    rows = "".join(_row(top + number * _ROW, bar) for number, bar in enumerate(bars))
    size = f'viewBox="0 0 {_WIDTH} {top + _ROW * len(bars)}" width="100%"'
    return Plot(title, sentence, f"<svg {size}>{above}{rows}</svg>")


def _row(top: int, bar: _Bar) -> str:
    base = top + _BAR
    name = printable(bar.name)
    shown = escape(name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…")
    label = f'<text x="{_LEFT - 8}" y="{base}" text-anchor="end" {_TEXT}>{shown}</text>'
    at, parts = float(_LEFT), []
    for colour, share in bar.parts:
        width = share * (_RIGHT - _LEFT)
        parts.append(
            f'<rect x="{at:.1f}" y="{top + 3}" width="{width:.1f}" height="{_BAR}"'
            f' fill="{colour}"/>'
        )
        at += width
    number = f'<text x="{at + 6:.1f}" y="{base}" {_TEXT}>{escape(bar.told)}</text>'
    return label + "".join(parts) + number


def _legend() -> str:
    step = (_RIGHT - _LEFT) // len(VERDICTS) + 12
    return "".join(
        f'<rect x="{_LEFT + place * step}" y="5" width="10" height="10" fill="{COLOURS[verdict]}"/>'
        f'<text x="{_LEFT + place * step + 14}" y="{_BAR}" {_TEXT}>{verdict}</text>'
        for place, verdict in enumerate(VERDICTS)
    )


def matplotlib_data(*parts: str) -> Path:
    """Return a file that matplotlib ships, found without an import, which takes a second.

    Raises
    ------
    NotInstalled
        When there is no matplotlib; nothing was written.
    """
    spec = find_spec("matplotlib")
    if spec is None or spec.origin is None:
        raise lacking("batch", ["matplotlib"])
    return Path(spec.origin).parent.joinpath("mpl-data", *parts)
