"""The batch notebook through papermill, and a verdict that does not take its word for it.

The notebook runs in a kernel of its own. Whatever becomes of that, the run is judged here, from the
outside, by the collection's trail: a kernel that was killed, a notebook that swallows an error or
one that does nothing at all cannot pass for a success.
"""

import logging
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from cropkit.batch import outcome
from cropkit.batch.batch import size_of
from cropkit.batch.progress import followed
from cropkit.collection import Collection
from cropkit.errors import BadParameter, MissingFile
from cropkit.extras import needed
from cropkit.jupyter import notebooks
from cropkit.jupyter.notebooks import Literal
from cropkit.labels.model import CALLED_FROM
from cropkit.names import escaped
from cropkit.runs import record, report, run_folder
from cropkit.runs.record import RunRecord
from cropkit.runs.thumbnails import Thumbnails
from cropkit.system import disk_space, state_place
from cropkit.system.scope import Scope, scope_of
from cropkit.system.signals import number_of

_log = logging.getLogger("cropkit")

NOTEBOOK = "2_batch"
_NEEDED = ("folder", "run")
_POLL_SECONDS = 0.25
# A port is chosen, let go of and taken by the kernel: another may be sooner (jupyter_client #487).
_STARTS = 3


@dataclass(frozen=True, slots=True)
class NotebookEnded:
    """How a run ended, judged from outside.

    Parameters
    ----------
    run : None when the notebook never came so far as to begin one
    stopped : what ended the notebook before its end
    signal : the one that did, by number
    """

    folder: Path
    run: RunRecord | None
    stopped: str | None = None
    signal: int | None = None

    @property
    def ok(self) -> bool:
        """Whether the trail proves that everything planned was done."""
        return self.run is not None and self.run.ok

    @property
    def said(self) -> str:
        """How it went, in one line."""
        if self.run is None:
            return f"the notebook left no record of a run: {self.stopped or 'it began none'}"
        return self.run.verdict()


def run_notebook(
    path: Path,
    parameters: Mapping[str, Literal],
    notebook: Path | None = None,
    state: Path | None = None,
) -> NotebookEnded:
    """Run a batch notebook on a collection, or a part of one, and judge it by the trail.

    Parameters
    ----------
    parameters : those besides `folder` and `run`, of the types that the notebook declares
    notebook : one that declares `folder` and `run`; the one of cropkit when not given
    state : the folder that holds `.cropkit`; None: where it is found. Where it lies elsewhere, the
        notebook declares `state`, too

    Raises
    ------
    BadParameter
        A name that it does not declare: nothing was run.
    NotInstalled
        The extra `batch` is not: nothing was run.
    NoSpace, ReadOnly, WriteFailed
        What it writes about the run could not be written; the trail tells what was cropped.
    """
    needed("batch")
    scope = scope_of(path, state)
    source = notebook or notebooks.notebook(NOTEBOOK)
    _check_declares(source, [*_NEEDED, *parameters, *(["state"] if scope.elsewhere else [])])
    with disk_space.translated(scope.state):
        return _run_notebook(scope, parameters, source)


def _run_notebook(scope: Scope, parameters: Mapping[str, Literal], source: Path) -> NotebookEnded:
    if scope.elsewhere is not None:
        state_place.make(scope.root, scope.elsewhere)
    folder = run_folder.new_folder(scope.state)
    with (
        _followed(folder),
        _in_unicode(scope.state) as named_state,
        _in_unicode(scope.folder) as named,
    ):
        run = named_state / folder.relative_to(scope.state)
        run_folder.make_file(folder / source.name)
        where = {"state": str(named_state)} if scope.elsewhere else {}
        injected = {**parameters, **where, "folder": str(named), "run": str(run)}
        stopped, number = _execute(source, run / source.name, injected, folder)
    return replace(settled(scope.folder, folder, stopped, scope.elsewhere), signal=number)


def settled(
    path: Path, folder: Path, stopped: str | None, state: Path | None = None
) -> NotebookEnded:
    """Judge a run by the trail, and write its record and report as that says."""
    begun = record.read(folder)
    (folder / run_folder.PROGRESS).unlink(missing_ok=True)
    if begun is None:
        return NotebookEnded(folder, None, stopped)
    with Collection(path, state=state, kind="batch") as collection:
        run = outcome.judged(begun, collection.trail, lambda name: size_of(collection, name))
        if run.state == record.RUNNING:
            reason = stopped or "the notebook ended before its end"
            run = record.ended(run, record.STOPPED, reason)
        elif stopped is not None and run.ok:
            run = replace(run, state=record.STOPPED, reason=stopped)
        record.write(run, folder)
        pictures = Thumbnails(collection.locations)
        report.write(run, folder, pictures, pictures.files)
    return NotebookEnded(folder, run, stopped)


def _check_declares(source: Path, names: list[str]) -> None:
    if not source.is_file():
        raise MissingFile(str(source))
    known = notebooks.parameters(notebooks.read(source))
    for name in names:
        if name not in known:
            raise BadParameter(source.name, name, ", ".join(known))


def _execute(
    source: Path, output: Path, parameters: Mapping[str, Literal], folder: Path
) -> tuple[str | None, int | None]:
    """Run a notebook; return what stopped it and by which signal, None when it came to its end.

    A kernel that does not come up has run nothing, and another is started.
    """
    for start in range(1, _STARTS + 1):
        try:
            return _execute_once(source, output, parameters)
        except RuntimeError as error:  # of nbclient: what a cell raises is PapermillExecutionError
            stopped = f"the kernel did not start: {error}"
        if record.read(folder) is not None:
            break
        _log.warning("%s (%d of %d tries)", stopped, start, _STARTS)
    return stopped, None


def _execute_once(
    source: Path, output: Path, parameters: Mapping[str, Literal]
) -> tuple[str | None, int | None]:
    import papermill  # noqa: PLC0415  (seconds that `--help` does not need)
    from jupyter_client.kernelspec import NoSuchKernel  # noqa: PLC0415  (as above)
    from nbclient.exceptions import CellControlSignal, DeadKernelError  # noqa: PLC0415  (as above)
    from papermill.exceptions import PapermillException  # noqa: PLC0415  (as above)
    from traitlets.config import Config  # noqa: PLC0415  (as above)

    try:
        with _environment():
            papermill.execute_notebook(
                _braced(source),
                _braced(output),
                dict(parameters),
                kernel_name="python3",
                progress_bar=False,
                cwd=str(output.parent),
                config=Config({"KernelManager": {"transport_encryption": "auto"}}),
            )
    except papermill.PapermillExecutionError as error:
        return f"{error.ename}: {error.evalue}", None
    except DeadKernelError:
        return "the kernel died; was memory short?", None
    except (PapermillException, CellControlSignal, NoSuchKernel) as error:
        return f"{type(error).__name__}: {error}", None
    except KeyboardInterrupt as interrupt:
        return "interrupted", number_of(interrupt)
    return None, None


@contextmanager
def _in_unicode(path: Path) -> Iterator[Path]:
    """Give a folder a second name that a notebook can hold, where its own is not UTF-8."""
    if escaped(str(path)) == str(path):
        yield path
        return
    with TemporaryDirectory(prefix="cropkit-name-") as place:
        named = Path(place) / "folder"
        named.symlink_to(path)
        yield named


def _braced(path: Path) -> str:
    """Double the braces: papermill formats its paths."""
    return str(path).replace("{", "{{").replace("}", "}}")


@contextmanager
def _environment() -> Iterator[None]:
    """Let the kernel be this Python's, and find this cropkit, also in a clone."""
    clone = Path(__file__).resolve().parents[2]
    own = {"JUPYTER_PREFER_ENV_PATH": "1", CALLED_FROM: str(Path.cwd())}
    if (clone / "pyproject.toml").is_file():
        others = os.environ.get("PYTHONPATH", "")
        own["PYTHONPATH"] = os.pathsep.join(filter(None, (str(clone), others)))
    before = {name: os.environ.get(name) for name in own}
    os.environ.update(own)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


@contextmanager
def _followed(folder: Path) -> Iterator[None]:
    """Show a bar on a terminal while the kernel works."""
    if not sys.stderr.isatty():
        yield
        return
    stop = threading.Event()

    def stopped() -> Iterator[bool]:
        while True:
            yield stop.wait(_POLL_SECONDS)

    shown = threading.Thread(target=followed, args=(folder, stopped()), daemon=True)
    shown.start()
    try:
        yield
    finally:
        stop.set()
        shown.join()
