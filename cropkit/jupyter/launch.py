"""Open a review in JupyterLab without a click: `cropkit review FOLDER`.

A copy of the review notebook gets its parameters, runs in a kernel of a server that is started for
it, and only then does the browser open on it. Everything the server needs is in one temporary
folder of this user's, which goes when the review ends; decisions are in the collection.
"""

import os
import shlex
import shutil
import socket
import sys
import time
import webbrowser
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from types import MappingProxyType
from urllib.parse import urlsplit

from cropkit.errors import CropkitError
from cropkit.extras import needed
from cropkit.jupyter import notebooks
from cropkit.jupyter.kernel import LiveKernel
from cropkit.jupyter.server import Lab
from cropkit.names import printable_lines
from cropkit.system import state_folder
from cropkit.system.scope import scope_of
from cropkit.system.signals import stoppable

NOTEBOOK = "1_review"
_FILE = f"{NOTEBOOK}.ipynb"
_AGAIN = "The same command goes on where you were"
_WAIT_SECONDS = 1.0
_LET_GO_SECONDS = 6.0
_RETRY_SECONDS = 0.1

_FROM_ELSEWHERE = "SSH_CONNECTION"  # set by sshd
_HUB = "JUPYTERHUB_SERVICE_PREFIX"  # set by JupyterHub for a person's server, and in its terminals
_IN_A_HUB = (
    "a JupyterHub leads to its own servers alone, not to this one: take Crop review in the launcher"
    " of its JupyterLab, or a cell with cropkit.Review(FOLDER)"
)

_REDIRECT = """<!doctype html>
<meta charset="utf-8"><meta http-equiv="refresh" content="0; url={url}">
<title>cropkit</title><a href="{url}">Open the review</a>
"""


def launch(
    folder: Path | None,
    *,
    state: Path | None = None,
    per_page: int = 0,
    keys: str = "",
    minimum: int = 0,
    min_confidence: float = 0.5,
    learn: bool = True,
    vision: bool = True,
    crops: Mapping[str, notebooks.Literal] = MappingProxyType({}),
    defer: bool = False,
    reviewer: str | None = None,
    suggestions: Path | None = None,
    around: str = "",
    only: str = "",
    order: str = "",
    units: str = "",
    port: int = 8888,
    browser: bool = True,
) -> int:
    """Show the review of a folder in JupyterLab until the person stops it; return the exit code.

    Parameters
    ----------
    folder : None shows a demo that goes with the review
    state : the folder that holds its `.cropkit`; None: where it is found
    per_page : images on a page; 0: as many as this person has chosen last, else 3
    keys : preset; the person's own keymap, else the default, when not given
    minimum, min_confidence, learn, vision, around, only, defer : as a `cropkit.Review` takes them
    crops : where they go, how copies are made and which, as the notebook takes it
    suggestions : file or folder of boxes, instead of what was imported and of the sidecars
    order, units : what four numbers mean where their names do not tell, as in `cropkit.Labelled`
    port, browser : the first to try, and whether to open one; the address is printed either way
    """
    named = {"keys": keys, "reviewer": reviewer or "", "around": around, "only": only}
    labels = {"suggestions": _absolute(suggestions), "order": order, "units": units}
    parameters: dict[str, notebooks.Literal] = {
        "state": _absolute(state),
        "per_page": per_page,
        "minimum": minimum,
        "min_confidence": min_confidence,
        "learn": learn,
        "vision": vision,
        **crops,
        "defer": defer,
        **named,
        **labels,
    }
    with stoppable():
        try:
            _check(folder, state, (around, only), (suggestions, order, units))
            return _begin({"folder": _absolute(folder), **parameters}, port, browser=browser)
        except CropkitError as error:
            _say(str(error))
            return 1
        except KeyboardInterrupt:
            _say("stopped; every decision made is kept")
    return 0


def _begin(parameters: Mapping[str, notebooks.Literal], port: int, *, browser: bool) -> int:
    """Show the review until JupyterLab ends; say how that was, and return the exit code."""
    with _temporary_folder() as session:
        code = _show(session, parameters, port, browser=browser)
    if not code:
        _say("JupyterLab was shut down; every decision made is kept")
        return 0
    _say(f"JupyterLab ended by itself (exit code {code}); every decision made is kept. {_AGAIN}")
    return 1


def _check_labels(suggestions: Path | None, order: str, units: str) -> None:
    """Refuse a file of boxes before JupyterLab is started for it."""
    if suggestions is None:
        return
    from cropkit.labels.labelled import Labelled  # noqa: PLC0415  (only where it is needed)

    Labelled(suggestions, order=order or None, units=units or None)  # type: ignore[arg-type]  # they are checked there


def _check(
    folder: Path | None,
    state: Path | None,
    asked: tuple[str, str],
    labels: tuple[Path | None, str, str],
) -> None:
    """Refuse in a second what else the notebook would, and say where only a part is meant.

    Parameters
    ----------
    asked : how boxes are put around subjects, and which images are meant
    labels : a file or folder of boxes, and what four numbers mean there: order and units
    """
    around, only = asked
    _check_labels(*labels)
    needed("lab")
    _check_rule(folder, state, around)
    if folder is None:
        return
    from cropkit.collection import Collection  # noqa: PLC0415  (codecs and database: not for a demo)

    with Collection(folder, state=state, only=only, kind="shell") as collection:
        if around:
            collection.rule(around)
        if not collection.scope.is_whole:
            _say(str(collection.scope))
        if collection.looking is not None:
            _say(str(collection.looking))


def _check_rule(folder: Path | None, state: Path | None, around: str) -> None:
    """Refuse what is no rule where none has a name yet, before a state is made."""
    if around and not (folder and state_folder.exists(scope_of(folder, state).state)):
        from cropkit.labels import framing_rule  # noqa: PLC0415  (only where it is needed)

        framing_rule.chosen(around, {})


def _show(
    session: Path, parameters: Mapping[str, notebooks.Literal], port: int, *, browser: bool
) -> int:
    """Show the review; return the exit code of the server, which somebody ended, or which died."""
    demo = session / "demo"
    folder = parameters["folder"] or str(demo)
    given = {**parameters, "folder": folder, "fill_window": True}
    book = notebooks.guarded(notebooks.filled(notebooks.notebook(NOTEBOOK), given))
    _say(f"starting JupyterLab on {folder} …")
    lab = Lab(session, port)
    try:
        if not parameters["folder"]:  # while the server starts
            _make_demo(demo)
        lab.wait_until_ready()
        path = session / "notebooks" / _FILE
        with LiveKernel(lab.start_kernel(_FILE)) as kernel:
            kernel.wait_until_ready()
            kernel.run(book, path)
        notebooks.write(book, path)
        lab.trust(_FILE)
        open_page(session, lab.url(_FILE), browser=browser)
        while (code := lab.wait(_WAIT_SECONDS)) is None:
            pass
    finally:
        lab.stop()
    return code


def _make_demo(folder: Path) -> None:
    from cropkit.demo import make_demo  # noqa: PLC0415  (codecs and numpy, for the demo only)

    make_demo(folder)


def open_page(session: Path, url: str, *, browser: bool) -> None:
    """Tell the address, and show it in a browser where one is wanted."""
    _say(f"the review is at\n    {url}\nPress Ctrl-C here when you have finished.")
    opened = browser and _opened(session, url)
    if browser and not opened:
        _say("no browser could be opened; copy the address above into one")
    if os.environ.get(_HUB):
        _say(_IN_A_HUB)
    elif not opened or os.environ.get(_FROM_ELSEWHERE):
        _say(_tunnel(url))


def _opened(session: Path, url: str) -> bool:
    page = session / "open.html"  # the token stays out of the process list
    page.touch(mode=0o600)
    page.write_text(_REDIRECT.format(url=url), encoding="utf-8")
    return webbrowser.open(page.as_uri())


def _tunnel(url: str) -> str:
    """Say how a browser of another machine comes here: the server answers this machine alone."""
    from cropkit.audit import presence  # noqa: PLC0415  (only where it is needed)

    port = urlsplit(url).port
    there = shlex.quote(f"{presence.whoami()}@{socket.gethostname()}")
    return f"from another machine, first: ssh -N -L {port}:127.0.0.1:{port} {there}"


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    """Make a folder that goes at the end, when the last process of the review has let go of it."""
    folder = Path(mkdtemp(prefix="cropkit-")).resolve()
    try:
        yield folder
    finally:
        until = time.monotonic() + _LET_GO_SECONDS
        while folder.exists() and time.monotonic() < until:
            shutil.rmtree(folder, ignore_errors=True)
            time.sleep(_RETRY_SECONDS)


def _absolute(path: Path | None) -> str:
    return "" if path is None else str(path.resolve())


def _say(text: str) -> None:
    sys.stderr.write(f"cropkit: {printable_lines(text)}\n")
    sys.stderr.flush()
