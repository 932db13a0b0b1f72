"""Pictures of how good boxes are, for a notebook."""

from math import log10

from cropkit.monitor import figures
from cropkit.monitor.figures import Interval
from cropkit.monitor.plots import NOTHING, Plot
from cropkit.names import printable
from cropkit.taste.curves import EDGES, Point
from cropkit.taste.evaluation import Evaluation
from cropkit.taste.mean import Mean

_NARROW = 420  # pixels


def curve(of: Evaluation) -> Plot:
    """Draw the overlap after so many decisions, and that where nothing is learned (dashed)."""
    title = "Overlap (IoU) by decisions; dashed: nothing learned"
    if not of.curve:
        return Plot(title, NOTHING, "")
    words = "; ".join(map(_told, of.curve))
    lines = [
        [_interval(log10(max(1, point.decisions)), mean) for point, mean in pairs]
        for pairs in (
            [(point, point.learned) for point in of.curve],
            [(point, point.constant) for point in of.curve],
        )
    ]
    drawn = figures.trends(lines, ("decisions", "IoU"), logarithmic=True)
    return Plot(title, words, _bare(drawn), _NARROW)


def edge_bias(of: Evaluation) -> Plot:
    """Draw by how much each edge of the model is moved that proposed most of the boxes."""
    known = {name: edges for name, edges in of.edge_bias.items() if edges["left"] is not None}
    if not known:
        return Plot("Edges moved", NOTHING, "")
    name = max(known, key=lambda each: _images(known[each]["left"]))
    means = [(edge, mean) for edge in EDGES if (mean := known[name][edge]) is not None]
    words = "; ".join(f"{edge} {mean.mean:+.3f} of the side" for edge, mean in means)
    rows = [(edge, _interval(0, mean)) for edge, mean in means]
    drawn = figures.intervals(rows, "moved, of the side: right and down")
    title = f"Edges of {printable(name)}, as they are moved"
    return Plot(title, words, _bare(drawn), _NARROW)


def _images(mean: Mean | None) -> int:
    return mean.images if mean else 0


def _interval(at: float, mean: Mean) -> Interval:
    return Interval(at, mean.low, mean.mean, mean.high)


def _told(point: Point) -> str:
    means = f"{point.learned.mean:.3f}, without {point.constant.mean:.3f}"
    return f"{point.decisions:,}: {means}"


def _bare(drawn: str) -> str:
    return drawn.replace(' role="img"', "", 1)
