"""How far a batch is: a bar for whoever looks, and a small file for whoever waits elsewhere."""

import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from cropkit.batch.planning import LookProgress
from cropkit.names import printable
from cropkit.records import CropResult
from cropkit.runs.run_folder import PROGRESS, make_file
from cropkit.system.scope import Scope

_EVERY = 0.2  # seconds
_IN_LAB = "JPY_SESSION_NAME"  # set by a Jupyter server for its kernels, not by papermill or nbval


def bar(total: int, what: str) -> Any:  # noqa: ANN401  (tqdm has no types)
    """Make a bar with rate and time left: in Lab a widget, on a terminal text, elsewhere none.

    An output that is compared later, as nbval does, must not hold rates.
    """
    if _IN_LAB in os.environ and not sys.stderr.isatty():
        from tqdm.auto import tqdm as shown  # noqa: PLC0415  (a widget, for Lab only)

        return shown(total=total, desc=what, unit="image")
    from tqdm import tqdm  # noqa: PLC0415  (not for `--help`)

    return tqdm(total=total, desc=what, unit="image", disable=None)  # None: not a terminal, no bar


def tell_part(scope: Scope) -> None:
    """Say what is meant, where that is a part of a collection only."""
    if not scope.is_whole:
        sys.stderr.write(f"{printable(str(scope))}\n")


class LookBar(LookProgress):
    """Shows the images that are looked at."""

    def each(self, names: Sequence[str]) -> Iterable[str]:
        """Go through names and count them."""
        with bar(len(names), "looking") as shown:
            for name in names:
                yield name
                shown.update()


class Progress:
    """Counts what has ended, in a bar and in a run's folder."""

    def __init__(self, folder: Path, total: int) -> None:
        self._path, self._total, self._done = make_file(folder / PROGRESS), total, 0
        self._bar, self._told_at = bar(total, "cropping"), 0.0
        self._tell()

    def ended(self, _result: CropResult) -> None:
        """Count one."""
        self._done += 1
        self._bar.update()
        if time.monotonic() - self._told_at > _EVERY:
            self._tell()

    def close(self) -> None:
        """End the bar."""
        self._tell()
        self._bar.close()

    def _tell(self) -> None:
        self._told_at = time.monotonic()
        self._path.write_text(f"{self._done} {self._total}\n", encoding="ascii")


def told(folder: Path) -> tuple[int, int] | None:
    """Read how far a run is: done, and of how many; None before it begins."""
    try:
        done, total = (folder / PROGRESS).read_text(encoding="ascii").split()
    except (FileNotFoundError, ValueError):  # not there yet, or being written
        return None
    return int(done), int(total)


def followed(folder: Path, stop: "Iterator[bool]") -> None:
    """Show a bar of a run that goes on in another process, until `stop` says so."""
    shown = None
    for stopped in stop:
        now = told(folder)
        if now is not None:
            shown = shown or bar(now[1], "cropping")
            shown.update(now[0] - shown.n)
        if stopped:
            break
    if shown is not None:
        shown.close()
