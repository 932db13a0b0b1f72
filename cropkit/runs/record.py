"""The record of one run, as `run.json` holds it."""

import json
import os
import platform
import sys
from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from cropkit import clock
from cropkit._version import __version__
from cropkit.errors import MissingFile, RunIncomplete
from cropkit.names import all_escaped, all_unescaped
from cropkit.records import Status
from cropkit.runs.run_folder import RECORD, make_file
from cropkit.system import state_folder

_FORMAT = 1
_PACKAGES = ("pillow", "numpy", "papermill", "sqlalchemy", "zlib-ng")

OVERTAKEN = "overtaken"  # a person decided otherwise meanwhile: nothing of ours is open
UNFINISHED = "unfinished"  # planned, and the trail holds no end of it
WELL = (Status.CROPPED.value, Status.REJECTED.value, OVERTAKEN)

LARGEST = 1 << 30  # bytes: some 1,000,000 images
NOT_OURS = (ValueError, TypeError, LookupError, AttributeError, RecursionError, ArithmeticError)

RUNNING, FINISHED, STOPPED = "running", "finished", "stopped"
Four = tuple[float, float, float, float]


def _versions() -> dict[str, str]:
    versions = {"cropkit": __version__, "python": sys.version.split()[0]}
    return versions | {name: version(name) for name in _PACKAGES}


@dataclass(frozen=True, slots=True)
class Entry:
    """One crop of a run; boxes in upright pixels, times as the trail writes them.

    Parameters
    ----------
    target : name of the file that it goes to
    slot, aim : which crop of its image it is, and the size or ratio that it is meant for
    copied : whether the image itself stays as it is
    kept, patched, dropped : parts of the file besides its pixels, as a `CropResult` has them
    without_credentials : whether the crop was made without the content credentials of its image
    """

    path: str
    verdict: str
    decision: str | None = None
    status: str = UNFINISHED
    code: str | None = None
    message: str | None = None
    cure: str | None = None
    target: str | None = None
    size: tuple[int, int] | None = None
    box: Four | None = None
    suggested: Four | None = None
    suggestion_source: str | None = None
    confidence: float | None = None
    iou: float | None = None
    operation: str | None = None
    session: str | None = None
    sha256_before: str | None = None
    sha256_after: str | None = None
    bytes_before: int = 0
    bytes_after: int | None = None
    degraded: str | None = None
    ended_at: str | None = None
    slot: str = ""
    aim: str | None = None
    copied: bool = False
    without_credentials: bool = False
    kept: tuple[str, ...] = ()
    patched: tuple[str, ...] = ()
    dropped: tuple[tuple[str, str], ...] = ()

    @property
    def well(self) -> bool:
        """Whether nothing is to be done about it."""
        return self.status in WELL


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run, as `run.json` holds it.

    Parameters
    ----------
    folder : of the collection
    part : the folder in it that was meant; '' for all of it
    promised : as in `plan.Plan`
    """

    folder: str
    source: str
    parameters: dict[str, Any]
    session: str
    started_at: str
    state: str = RUNNING
    reason: str | None = None
    ended_at: str | None = None
    destination: str | None = None
    entries: tuple[Entry, ...] = ()
    passed: tuple[tuple[str, str], ...] = ()
    problems: tuple[tuple[str, str], ...] = ()
    part: str = ""
    promised: tuple[str, ...] = ()
    versions: dict[str, str] = field(default_factory=_versions)
    host: str = field(default_factory=platform.node)
    format: int = _FORMAT

    @property
    def counts(self) -> dict[str, int]:
        """How many items ended how; every way is there, also with 0."""
        numbers = Counter(entry.status for entry in self.entries)
        ways = [status.value for status in (Status.CROPPED, Status.REJECTED)]
        ways += [status.value for status in (Status.REFUSED, Status.FAILED, Status.STALE)]
        ways += [Status.IN_DOUBT.value, UNFINISHED, OVERTAKEN]
        return {way: numbers[way] for way in ways}

    @property
    def by_aim(self) -> dict[str, int]:
        """How many crops were made for each size or ratio, the most first."""
        done = (entry.aim for entry in self.entries if entry.status == Status.CROPPED.value)
        return dict(Counter(aim for aim in done if aim is not None).most_common())

    @property
    def ok(self) -> bool:
        """Whether the run came to its end and every item ended well."""
        return self.state == FINISHED and all(entry.well for entry in self.entries)

    @property
    def unwell(self) -> tuple[Entry, ...]:
        """Items that a person has to see."""
        return tuple(entry for entry in self.entries if not entry.well)

    @property
    def degraded(self) -> tuple[Entry, ...]:
        """Items that were carried out, in a worse way than the settings ask for."""
        return tuple(entry for entry in self.entries if entry.degraded)

    @property
    def unsigned(self) -> tuple[Entry, ...]:
        """Items that were cropped without their content credentials."""
        return tuple(entry for entry in self.entries if entry.without_credentials)

    def summary(self) -> dict[str, Any]:
        """Return what a notebook's last cell shows."""
        promised = {"promised": list(self.promised)} if self.promised else {}
        return {
            "ok": self.ok,
            "source": self.source,
            "planned": len(self.entries),
            **{way.replace("-", "_"): number for way, number in self.counts.items()},
            "passed_over": len(self.passed),
            "degraded": len(self.problems) + len(self.degraded),
            **promised,
        }

    def verdict(self) -> str:
        """Say in one line how it went."""
        counts = [f"{number} {way}" for way, number in self.counts.items() if number]
        text = ", ".join(counts) or "nothing to do"
        if self.problems:
            text += f"; suggestions that could not be used: {len(self.problems)}"
        if self.degraded:
            text += f"; not cropped without loss: {len(self.degraded)}"
        if self.unsigned:
            text += f"; without content credentials: {len(self.unsigned)}"
        return text if self.state == FINISHED else f"{self.state}: {self.reason or ''}; {text}"


def ended(run: RunRecord, state: str, reason: str | None = None) -> RunRecord:
    """End a record."""
    return replace(run, state=state, reason=reason, ended_at=clock.written(clock.now()))


def write(run: RunRecord, folder: Path) -> Path:
    """Write the record; a reader sees the old one whole or the new one whole."""
    path, new = folder / RECORD, make_file(folder / f"{RECORD}.new")
    document = all_escaped({"ok": run.ok, "counts": run.counts, **asdict(run)})
    new.write_text(json.dumps(document, indent=1, ensure_ascii=True), encoding="utf-8")
    os.replace(new, path)  # noqa: PTH105  (a rename over the name, as in `files`)
    return path


def read(folder: Path) -> RunRecord | None:
    """Read a record; None when there is none.

    Raises
    ------
    RunIncomplete
        It is larger than any that a batch writes, or none of ours: the trail knows what was done.
    ForeignState
        It is a link, pipe or device, or somebody else's: it was not read.
    """
    path = folder / RECORD
    try:
        with state_folder.reader(path) as file:
            data = file.read(LARGEST + 1)
    except (FileNotFoundError, MissingFile):
        return None
    if len(data) > LARGEST:
        raise RunIncomplete(path, f"larger than {LARGEST} bytes, which are all that is read")
    try:
        return _record(json.loads(data))
    except NOT_OURS as error:
        raise RunIncomplete(path, f"is no record of a run: {error}") from error


def _record(written: Any) -> RunRecord:  # noqa: ANN401  (JSON)
    document = all_unescaped(written)
    for computed in ("ok", "counts"):
        document.pop(computed)
    document["entries"] = tuple(_entry(entry) for entry in document["entries"])
    for name in ("passed", "problems"):
        document[name] = tuple((path, reason) for path, reason in document[name])
    document["promised"] = tuple(map(str, document.get("promised", ())))
    return RunRecord(**document)


def _entry(document: dict[str, Any]) -> Entry:
    rows = ("size", "box", "suggested", "kept", "patched")
    facts: dict[str, Any] = {
        name: tuple(value) if name in rows and value is not None else value
        for name, value in document.items()
    }
    facts["dropped"] = tuple((part, reason) for part, reason in document.get("dropped", ()))
    return Entry(**facts)
