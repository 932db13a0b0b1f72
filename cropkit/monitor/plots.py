"""Pictures of figures, for a notebook."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from cropkit.extras import lacking, needed
from cropkit.monitor.stats import VERDICTS, Group, Stats
from cropkit.names import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = {
    "accept": "#1b7837",
    "adjusted": "#2166ac",
    "kept-whole": "#e08214",
    "reject": "#b2182b",
    "skip": "#999999",
}
_WIDTH, _HEIGHT, _LONGEST = 7.5, 0.45, 28
_MOST = 20  # sessions that are drawn, the latest


@dataclass(frozen=True, slots=True)
class Plot:
    """A picture that a notebook shows; its text is the same on every run."""

    title: str
    png: bytes

    def __repr__(self) -> str:
        return f"Plot({self.title!r})"

    def _repr_png_(self) -> bytes:
        return self.png


def pace(stats: Stats) -> Plot:
    """Draw the decisions in an hour of active time, by session."""
    groups = stats.by("session")[-_MOST:]

    def draw(axes: "Axes") -> None:
        axes.barh(
            _names(groups), [group.decisions_an_hour or 0 for group in groups], color="#2166ac"
        )
        axes.set_xlabel("decisions in an hour of active time")

    return _drawn("pace by session", draw, len(groups))


def shares(stats: Stats, way: str) -> Plot:
    """Draw which part had which verdict, by session, reviewer or source."""
    groups = stats.by(way)[-_MOST:]

    def draw(axes: "Axes") -> None:
        left = [0.0] * len(groups)
        for verdict in VERDICTS:
            parts = [100 * (group.share(verdict) or 0) for group in groups]
            axes.barh(_names(groups), parts, left=left, color=_COLOURS[verdict], label=verdict)
            left = [a + b for a, b in zip(left, parts, strict=True)]
        axes.set_xlim(0, 100)
        axes.set_xlabel("% of decisions")
        axes.legend(ncols=len(VERDICTS), loc="lower center", bbox_to_anchor=(0.5, 1), frameon=False)

    return _drawn(f"verdicts by {way}", draw, len(groups))


def seconds(stats: Stats) -> Plot:
    """Draw how many seconds an image takes."""
    values = [decision.seconds for decision in stats.decisions if decision.seconds is not None]

    def draw(axes: "Axes") -> None:
        axes.hist(values, bins=30, color="#2166ac")
        axes.set_xlabel("active seconds an image")
        axes.set_ylabel("images")

    return _drawn("seconds an image", draw, 5 if values else 0)


def _names(groups: tuple[Group, ...]) -> list[str]:
    return [printable(group.name)[:_LONGEST].replace("$", r"\$") for group in groups]


def _drawn(title: str, draw: Callable[["Axes"], None], rows: int) -> Plot:
    needed("batch")
    from matplotlib.figure import Figure  # noqa: PLC0415  (a second that nothing else needs)

    figure = Figure(figsize=(_WIDTH, 1.2 + _HEIGHT * max(rows, 1)), layout="constrained")
    axes = figure.subplots()
    if rows:
        draw(axes)
        axes.spines[["top", "right"]].set_visible(False)
    else:
        axes.set_axis_off()
        axes.text(0.5, 0.5, "no decisions yet", ha="center", va="center")
    out = BytesIO()
    figure.savefig(out, format="png", dpi=110, metadata={"Software": None})
    return Plot(title, out.getvalue())


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
