"""The figures of a report, as SVG that takes its colours from the page; no name is ever in one."""

import re
from collections.abc import Sequence
from io import StringIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Two colours that nobody draws with; in the page they become the text's and the accent's.
_INK, _ACCENT = "#010203", "#010305"
_SIZE = (3.6, 1.9)  # inches
_STYLE: Any = {  # matplotlib types its three hundred keys one by one
    "svg.fonttype": "none",
    "svg.hashsalt": "cropkit",
    "font.family": "sans-serif",
    "font.size": 8,
    "text.color": _INK,
    "axes.edgecolor": _INK,
    "axes.labelcolor": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
}


def histogram(values: Sequence[float], unit: str, bounds: tuple[float, float]) -> str:
    """Draw how often each value occurs."""

    def draw(axes: "Axes") -> None:
        axes.hist(values, bins=24, range=bounds, color=_ACCENT)
        axes.set_xlabel(unit)
        axes.set_ylabel("images")

    return _drawn(draw)


def curve(seconds: Sequence[float], done: Sequence[int]) -> str:
    """Draw how many images were done by when."""

    def draw(axes: "Axes") -> None:
        axes.plot(seconds, done, color=_ACCENT, linewidth=1.6, drawstyle="steps-post")
        axes.fill_between(seconds, done, color=_ACCENT, alpha=0.15, linewidth=0, step="post")
        axes.set_xlabel("seconds")
        axes.set_ylabel("images done")
        axes.set_ylim(bottom=0)

    return _drawn(draw)


def _drawn(draw: Any) -> str:  # noqa: ANN401  (a function of axes, known to type checkers only)
    import matplotlib as mpl  # noqa: PLC0415  (a second that nothing else needs)
    from matplotlib.figure import Figure  # noqa: PLC0415  (as above; no window, no global state)
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415  (as above)

    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=_SIZE, layout="constrained")
        axes = figure.subplots()
        draw(axes)
        axes.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
        figure.patch.set_alpha(0)
        axes.patch.set_alpha(0)
        out = StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    return _inline(out.getvalue())


def _inline(svg: str) -> str:
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r'^<svg [^>]*?viewBox="([^"]*)"[^>]*>', r'<svg viewBox="\1" role="img">', body)
    body = re.sub(r"font: ([\d.]+)px [^;\"]*", r"font-size: \1px", body)
    return body.replace(_INK, "currentColor").replace(_ACCENT, "var(--accent)")
