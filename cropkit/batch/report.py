"""The report of a run: one HTML file that needs nothing else, escaped everywhere, without script.

What a person has to see comes first: the verdict, then what did not end well and why, then numbers,
then pictures. Every failure is named; of what went well a sample is shown, so that the page of a
hundred thousand images still opens at once. All of it is in `run.json`.
"""

from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from cropkit import clock
from cropkit.batch import statistics
from cropkit.batch.record import FINISHED, UNFINISHED, Entry, RunRecord
from cropkit.batch.run_folder import REPORT, make_file
from cropkit.monitor import figures
from cropkit.names import printable

_NAMED = 500  # failures with their reasons
_FAILURES_SHOWN = 24  # of these also the picture
_SHOWN = 36  # pairs of what was cropped
_LISTED = 200  # names of what was left alone
_PAGE = "page.html"


@dataclass(frozen=True, slots=True)
class Pictures:
    """Small JPEGs of one image: as it was, and as it is; None where there is none."""

    before: bytes | None
    after: bytes | None


Depict = Callable[[Entry], Pictures]


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry with what the page shows of it."""

    entry: Entry
    before: str | None = None
    after: str | None = None

    @property
    def reason(self) -> str:
        """Why it did not end well, without the name that stands beside it."""
        if self.entry.message:
            message = self.entry.message.removeprefix(f"{self.entry.path}: ")
            return message[:1].upper() + message[1:]
        if self.entry.status == UNFINISHED:
            return "The trail holds no end of it: it waits, and the next batch takes it up"
        return "No reason was recorded"

    @property
    def frame(self) -> str:
        """The box on the whole picture, as percentages for CSS; numbers only."""
        if self.entry.box is None or self.entry.size is None:
            return ""
        (left, top, right, bottom), (width, height) = self.entry.box, self.entry.size
        return (
            f"left:{100 * left / width:.2f}%;top:{100 * top / height:.2f}%;"
            f"width:{100 * (right - left) / width:.2f}%;"
            f"height:{100 * (bottom - top) / height:.2f}%"
        )


def write(run: RunRecord, folder: Path, depict: Depict) -> Path:
    """Write the report beside the run's record."""
    path = make_file(folder / REPORT)
    links = [p.name for p in sorted(folder.glob("*.ipynb"))]
    path.write_text(page(run, depict, links), encoding="utf-8", errors="backslashreplace")
    return path


def page(run: RunRecord, depict: Depict, notebooks: Sequence[str] = ()) -> str:
    """Return the report as one page of HTML."""
    cropped = statistics.cropped(run)
    return _template().render(
        run=run,
        counts={way: number for way, number in run.counts.items() if number},
        headline=_headline(run),
        unwell=[
            _shown(e, depict, pictured=n < _FAILURES_SHOWN)
            for n, e in enumerate(run.unwell[:_NAMED])
        ],
        sheet=[_shown(entry, depict, pictured=True) for entry in sample(cropped)],
        cropped=len(cropped),
        passed=run.passed[:_LISTED],
        problems=run.problems[:_LISTED],
        degraded=run.degraded[:_LISTED],
        unsigned=run.unsigned[:_LISTED],
        throughput=statistics.throughput(run),
        figures=_figures(run, cropped),
        notebooks=notebooks,
        started=_moment(run.started_at),
        ended=_moment(run.ended_at),
    )


def _headline(run: RunRecord) -> str:
    bad = len(run.unwell)
    if run.state != FINISHED:
        return "The run stopped before its end"
    if bad:
        return f"{bad} of {len(run.entries)} did not end well"
    return f"All {len(run.entries)} ended well" if run.entries else "Nothing was to be done"


def sample(entries: Sequence[Entry]) -> list[Entry]:
    """Choose what to show: the boxes that moved most, then evenly spaced ones, in their order."""
    if len(entries) <= _SHOWN:
        return list(entries)
    moved = sorted((e for e in entries if e.iou is not None), key=lambda e: e.iou or 0.0)
    chosen = {entry.path for entry in moved[: _SHOWN // 3] if (entry.iou or 1.0) < 1.0}
    rest = [entry for entry in entries if entry.path not in chosen]
    wanted = _SHOWN - len(chosen)
    chosen |= {rest[n * len(rest) // wanted].path for n in range(wanted)}
    return [entry for entry in entries if entry.path in chosen]


def _shown_text(value: object) -> object:
    """Let no text of a file's turn or end a line of the page; what is HTML already stays."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _shown(entry: Entry, depict: Depict, *, pictured: bool) -> Shown:
    if not pictured:
        return Shown(entry)
    pictures = depict(entry)
    return Shown(entry, _data_uri(pictures.before), _data_uri(pictures.after))


def _data_uri(jpeg: bytes | None) -> str | None:
    return None if jpeg is None else f"data:image/jpeg;base64,{b64encode(jpeg).decode('ascii')}"


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing with its caption and its numbers in words."""

    title: str
    summary: str
    svg: Markup


def _figures(run: RunRecord, cropped: Sequence[Entry]) -> list[Figure]:
    drawn = [
        _histogram("Agreement with the suggestion", "IoU", statistics.ious(cropped), (0.0, 1.0)),
        _histogram("Area kept", "share of the image", statistics.areas(cropped), (0.0, 1.0)),
        _histogram("Shape of the crops", "width / height", statistics.aspects(cropped), None),
    ]
    seconds, done = statistics.timeline(run)
    if len(done) > 2:  # noqa: PLR2004  (a line needs two outcomes)
        rate = statistics.throughput(run).images_per_second
        summary = f"{done[-1]} images, {rate:.1f} a second"
        drawn.append(Figure("Progress", summary, _safe(figures.curve(seconds, done))))
    return [figure for figure in drawn if figure is not None]


def _histogram(
    title: str, unit: str, values: Sequence[float], bounds: tuple[float, float] | None
) -> Figure | None:
    spread = statistics.spread(values)
    if spread is None:
        return None
    summary = f"median {spread.middle:.2f}, 90 % in {spread.low:.2f} to {spread.high:.2f}"
    around = bounds or (min(0.5, *values), max(2.0, *values))
    return Figure(title, summary, _safe(figures.histogram(values, unit, around)))


def _safe(svg: str) -> Markup:
    return Markup(svg)  # noqa: S704  (drawn from numbers: no text of anybody's is in it)


def _moment(written: str | None) -> datetime | None:
    return None if written is None else clock.read(written).astimezone(UTC)


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("cropkit.batch", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown_text,
    )
    environment.filters["size"] = _size
    return environment.get_template(_PAGE)


def _size(count: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if abs(count) < 1000:  # noqa: PLR2004  (SI)
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
