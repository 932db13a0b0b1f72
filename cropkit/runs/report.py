"""The report of a run: one HTML file that needs nothing else, escaped everywhere, without script.

What a person has to see comes first: the verdict, then what did not end well and why, then numbers,
then pictures. Every failure is named; of what went well a sample is shown, so that the page of a
hundred thousand images still opens at once. All of it is in `run.json`.
"""

import os
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from cropkit import clock
from cropkit.monitor import figures
from cropkit.runs import all_runs, statistics
from cropkit.runs.record import FINISHED, UNFINISHED, Entry, RunRecord
from cropkit.runs.run_folder import REPORT, make_file
from cropkit.runs.templates import template

_NAMED = 500  # failures with their reasons
_FAILURES_SHOWN = 24  # of these also the picture
_SHOWN = 36  # pairs of what was cropped
_LISTED = 200  # names of what was left alone
SUGGESTED = "suggestions"  # of runs in which nobody was asked
_PAGE = "page.html"


@dataclass(frozen=True, slots=True)
class Pictures:
    """Small JPEGs of one image: as it was, and as it is; None where there is none."""

    before: bytes | None
    after: bytes | None


Depict = Callable[[Entry], Pictures]
Located = Callable[[Entry], tuple[str | None, str | None]]  # addresses: as it was, as it is

Files = Callable[[Entry], tuple[Path | None, Path | None]]


def nowhere(_entry: Entry) -> tuple[str | None, str | None]:
    """Return no address: of a report whose files are not known."""
    return None, None


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry with what the page shows of it."""

    entry: Entry
    before: str | None = None
    after: str | None = None
    source: str | None = None  # addresses, from where the report lies: the image as it was,
    file: str | None = None  # and what stands there now
    ranks: str = ""  # places by each way of sorting, as properties for CSS

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


def write(run: RunRecord, folder: Path, depict: Depict, files: Files | None = None) -> Path:
    """Write the report beside the run's record, and the list of all runs anew.

    Parameters
    ----------
    files : where an item's image lies, as it was and as it is
    """
    path = make_file(folder / REPORT)
    links = [p.name for p in sorted(folder.glob("*.ipynb"))]
    listed = all_runs.write(folder.parent) if all_runs.are_in(folder.parent) else None

    def located(entry: Entry) -> tuple[str | None, str | None]:
        before, after = files(entry) if files else (None, None)
        return _address(before, folder), _address(after, folder)

    text = page(run, depict, links, located, listed=listed is not None)
    path.write_text(text, encoding="utf-8", errors="backslashreplace")
    return path


def _address(file: Path | None, folder: Path) -> str | None:
    """Return the address of a file from where the report lies: relative, and no scheme in it."""
    if file is None:
        return None
    return quote(os.fsencode(f"./{os.path.relpath(file, folder)}"))


def page(
    run: RunRecord,
    depict: Depict,
    notebooks: Sequence[str] = (),
    located: Located = nowhere,
    *,
    listed: bool = False,
) -> str:
    """Return the report as one page of HTML.

    Parameters
    ----------
    listed : whether there is a list of all runs beside its folder
    """
    cropped = statistics.cropped(run)
    return template(_PAGE).render(
        run=run,
        counts={way: number for way, number in run.counts.items() if number},
        headline=_headline(run),
        unwell=[
            _shown(e, depict, located, pictured=n < _FAILURES_SHOWN)
            for n, e in enumerate(run.unwell[:_NAMED])
        ],
        sheet=ranked([_shown(e, depict, located, pictured=True) for e in sample(cropped)]),
        asked=run.source != SUGGESTED,
        listed=listed,
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


def _shown(entry: Entry, depict: Depict, located: Located, *, pictured: bool) -> Shown:
    source, file = located(entry)
    pictures = depict(entry) if pictured else Pictures(None, None)
    before, after = _data_uri(pictures.before), _data_uri(pictures.after)
    return Shown(entry, before, after, source, file)


def ranked(sheet: Sequence[Shown]) -> list[Shown]:
    """Give each its place by each way of sorting; the page takes one of them without a script."""
    places = {
        way: {id(shown): place for place, shown in enumerate(sorted(sheet, key=key))}
        for way, key in _SORTED.items()
    }
    return [
        replace(shown, ranks="".join(f"--{way}:{places[way][id(shown)]};" for way in places))
        for shown in sheet
    ]


def _share(entry: Entry) -> float:
    if entry.box is None or entry.size is None:
        return 1.0
    (left, top, right, bottom), (width, height) = entry.box, entry.size
    return (right - left) * (bottom - top) / (width * height)


_SORTED: Mapping[str, Callable[[Shown], Any]] = {
    "name": lambda shown: shown.entry.path,
    "moved": lambda shown: 1.0 if shown.entry.iou is None else shown.entry.iou,
    "area": lambda shown: _share(shown.entry),
    "lost": lambda shown: -len(shown.entry.dropped),
}


def _data_uri(jpeg: bytes | None) -> str | None:
    return None if jpeg is None else f"data:image/jpeg;base64,{b64encode(jpeg).decode('ascii')}"


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing with its caption and its numbers in words."""

    title: str
    summary: str
    svg: Markup


def _figures(run: RunRecord, cropped: Sequence[Entry]) -> list[Figure]:
    # what nobody was asked about agrees with itself
    ious = statistics.ious(cropped) if run.source != SUGGESTED else []
    drawn = [
        _histogram("Agreement with the suggestion", "IoU", ious, (0.0, 1.0)),
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
