"""`cropkit review` as a person starts it, and its page as a person uses it.

A `Probe` is a second client of the review's kernel: it reads what the widget holds. Everything that
a test does to the review goes through the mouse and the keyboard of a real browser.
"""

import ast
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from urllib.request import Request, urlopen

import nbformat
from patience import patient
from playwright.sync_api import Browser, Error, Page

from cropkit.jupyter import notebooks
from cropkit.jupyter.kernel import LiveKernel

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = patient(90)
STOP_SECONDS = patient(30)
WAIT = round(patient(20_000))  # milliseconds, for each thing waited for
SLOW = 3 * WAIT
APART = 400  # milliseconds: two presses, not a held key
STATUS = re.compile(
    r"page (?P<page>\d+)/(?P<pages>\d+) (?P<shown>\w+) chosen (?P<chosen>\d+) "
    r"waiting (?P<waiting>\d+) written (?P<written>\d+) "
    r"failed (?P<failed>\d+) changed (?P<changed>\d+) broken (?P<broken>\d+) "
    r"message (?P<message>\w+)"
)
CANVAS = ".cropkit-canvas canvas, canvas.cropkit-canvas"
# Where a launcher is just leaving, the current one may be another for a moment.
PANEL = """[...window.jupyterapp.shell.widgets("main")]
    .find(each => each.node.querySelector(".cropkit-review"))
    ?? window.jupyterapp.shell.currentWidget"""


class Review:
    """A review in a JupyterLab: its folder, its page's address, and its kernel."""

    def __init__(self, folder: Path, url: str, connection: Path) -> None:
        self.folder, self.url = folder, url
        self._connection = connection

    def errors(self) -> list[str]:
        """What the review has in its log of things that went wrong inside it, in one line each."""
        lines = (self.folder / ".cropkit/cropkit.log").read_text(encoding="utf-8").splitlines()
        said = map(json.loads, lines)
        wrong = (
            one for one in said if (one["logger"], one["level"]) == ("cropkit.review", "error")
        )
        return [one["message"] for one in wrong]

    @contextmanager
    def probe(self) -> Iterator["Probe"]:
        with LiveKernel(str(self._connection)) as kernel:
            kernel.wait_until_ready()
            yield Probe(kernel)


class Running(Review):
    """A `cropkit review` process with a home of its own; its JupyterLab takes more reviews."""

    def __init__(self, home: Path, *arguments: str) -> None:
        self.home = home
        self._log = home / "said.txt"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "cropkit", "review", *arguments),
                    *("--no-browser", "--port", str(free_port())),
                ],
                cwd=ROOT,
                env=_environment(home),
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        url = self._address()
        [session] = home.glob("tmp/cropkit-*")
        [connection] = session.glob("runtime/kernel-*.json")
        super().__init__(self._told_folder(), url, connection)
        self._session = session

    @contextmanager
    def reviewing(
        self,
        folder: Path,
        name: str,
        per_page: int = 3,
        *,
        prepared: str = "",
        adapted: bool = False,
        **parameters: notebooks.Literal,
    ) -> Iterator[Review]:
        """Review another folder in this JupyterLab, in a kernel and a workspace of its own.

        Parameters
        ----------
        prepared : code that the kernel runs before the notebook
        adapted : with its cells open to be edited, as in a JupyterLab of one's own
        parameters : more of the notebook's
        """
        file = f"{name}.ipynb"
        kernel = {"name": "python3"}
        asked = {"path": file, "name": file, "type": "notebook", "kernel": kernel}
        session = self.ask("POST", "/api/sessions", asked)
        connection = self._session / "runtime" / f"kernel-{session['kernel']['id']}.json"
        path = self._session / "notebooks" / file
        book = notebooks.filled(
            notebooks.notebook("1_review"),
            {"folder": str(folder), "per_page": per_page, **parameters},
        )
        book = book if adapted else notebooks.guarded(book)
        with LiveKernel(str(connection)) as client:
            client.wait_until_ready()
            cell = nbformat.v4.new_code_cell(prepared)
            client.run(nbformat.v4.new_notebook(cells=[cell]), Path("prepared"))
            client.run(book, path)
        notebooks.write(book, path)
        self.ask("POST", f"/api/contents/{file}/trust")
        there = f"/doc/workspaces/{name}/tree/{file}"
        yield Review(folder, urlsplit(self.url)._replace(path=there).geturl(), connection)
        self.ask("DELETE", f"/api/sessions/{session['id']}")

    @property
    def notebooks(self) -> Path:
        """The folder that its JupyterLab shows."""
        return self._session / "notebooks"

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Call its JupyterLab's REST interface."""
        page = urlsplit(self.url)
        request = Request(  # noqa: S310  (our own server)
            page._replace(path=path, query="").geturl(),
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"token {parse_qs(page.query)['token'][0]}"},
        )
        with urlopen(request) as answer:  # noqa: S310  (our own server)
            content = answer.read()
        return json.loads(content) if content else None

    def said(self) -> str:
        return self._log.read_text(encoding="utf-8")

    def _address(self) -> str:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            found = re.search(r"http://\S+", self.said())
            if found:
                return found[0]
            time.sleep(0.05)
        message = f"the review did not start: {self.said()}"
        raise RuntimeError(message)

    def _told_folder(self) -> Path:
        found = re.search(r"starting JupyterLab on (.+) …", self.said())
        assert found
        return Path(found[1])

    def stop(self, number: int) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(STOP_SECONDS)


@contextmanager
def running(home: Path, *arguments: str, ending: int = signal.SIGINT) -> Iterator[Running]:
    """Start a review; it ends well by Ctrl-C and by SIGTERM, and leaves nothing behind."""
    (home / "tmp").mkdir(parents=True)
    review = Running(home, *arguments)
    try:
        yield review
    finally:
        code = review.stop(ending)
    assert code == 0, review.said()
    assert not list(home.glob("tmp/cropkit-*")), "the session's folder was left behind"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def installed_extension(data: Path) -> Path:
    """Put the part for JupyterLab's launcher where a wheel has it put; return its folder."""
    build = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]
    for source, place in build["targets"]["wheel"]["shared-data"].items():
        target = data / place.removeprefix("share/jupyter/")
        copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
        copy(ROOT / source, target)
    return data / "labextensions" / "cropkit"


def _environment(home: Path) -> dict[str, str]:
    installed_extension(home / "data")
    config = home / "jupyter"
    config.mkdir(exist_ok=True)
    exposed = {"LabApp": {"expose_app_in_browser": True}}  # so that tests can ask Lab for its keys
    (config / "jupyter_server_config.json").write_text(json.dumps(exposed))
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "IPYTHON"))}
    own = {"HOME": str(home), "TMPDIR": str(home / "tmp"), "JUPYTER_CONFIG_PATH": str(config)}
    own["JUPYTER_PATH"] = str(home / "data")
    return inherited | own


@dataclass(frozen=True)
class Probe:
    kernel: LiveKernel

    def value(self, expression: str) -> Any:
        """Evaluate in the review's kernel; the value has a literal's form."""
        cell = nbformat.v4.new_code_cell(expression)
        self.kernel.run(nbformat.v4.new_notebook(cells=[cell]), Path("probe"))
        return ast.literal_eval(cell.outputs[0].data["text/plain"]) if cell.outputs else None

    def boxes(self) -> list[tuple[int, int, int, int]]:
        """The box of each image of the page; of zeros for one that has none."""
        return [tuple(box or (0, 0, 0, 0)) for box in self.value("review.boxes")]

    def grip(self, position: int, name: str) -> tuple[float, float]:
        """Where a grip of a box is, in pixels of the canvas."""
        found: tuple[float, float] = self.value(
            f"review.screen_point({position}, "
            f"__import__('cropkit.review.model.box_editing', fromlist=['Grip']).Grip.{name})"
        )
        return found

    def paths(self) -> list[str]:
        found: list[str] = self.value("[e.path for e in review._controller.session.entries]")
        return found


@dataclass(frozen=True)
class Status:
    page: int
    pages: int
    shown: str
    chosen: int
    waiting: int
    written: int
    failed: int
    changed: int
    broken: int
    message: str


class Desk:
    """The page in the browser; every wait has its own deadline."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.errors: list[str] = []
        page.set_default_timeout(WAIT)
        page.on("pageerror", lambda error: self.errors.append(_described(error)))

    def open(self, url: str) -> "Desk":
        self.page.goto(url, wait_until="domcontentloaded")
        return self.until_replayed()

    def until_replayed(self) -> "Desk":
        """Wait until the review has noticed this page, and has brought its pictures to it.

        What a fresh page shows first is the state from before it came.
        """
        self.wait(lambda _: True, "the page has a review")
        self.canvas.wait_for()
        self.page.wait_for_timeout(300)
        self.settled()
        self.until_shown()
        self.page.wait_for_function(
            "() => document.activeElement?.closest('.cropkit-review') !== null"
        )
        return self

    def until_shown(self) -> "Desk":
        self.wait(lambda s: s.shown != "loading", "the page is shown")
        return self

    @cached_property
    def canvas(self) -> Any:
        return self.page.locator(CANVAS).first

    def text(self) -> str:
        return self.page.locator(".cropkit-review").first.inner_text()

    def status(self) -> Status | None:
        found = self.page.locator(".cropkit-status")
        if found.count() != 1:
            return None
        match = STATUS.search(found.text_content() or "")
        if match is None:
            return None
        said = match.groupdict()
        return Status(**{k: int(v) if v.isdigit() else v for k, v in said.items()})  # type: ignore[arg-type]  # as matched

    def wait(self, fits: Callable[[Status], bool], what: str, patience: int = WAIT) -> Status:
        deadline = time.monotonic() + patience / 1000
        status = None
        while time.monotonic() < deadline:
            status = self.status()
            if status is not None and fits(status):
                return status
            self.page.wait_for_timeout(20)
        message = f"waited in vain until {what}: {status}\n{self.errors}\n{self.text()}"
        raise AssertionError(message)

    def until_idle(self) -> Status:
        """Wait for the process that writes, which stands back for everything else."""
        return self.wait(lambda s: s.waiting == 0, "the worker has finished", SLOW)

    def until_page(self, number: int, patience: int = WAIT) -> Status:
        def fits(status: Status) -> bool:
            return status.page == number and status.shown == "shown"

        return self.wait(fits, f"page {number} is shown", patience)

    def acknowledge_all(self) -> None:
        """Acknowledge what the message line says, until it says no problem any more."""
        for _ in range(20):
            status = self.wait(lambda _: True, "there is a review")
            if status.message != "problem":
                return
            self.press("a")
            self.page.wait_for_timeout(APART)
            self.settled()
        raise AssertionError(f"always another problem: {self.text()}")

    def settled(self) -> None:
        """Wait until the kernel has taken everything that the page has sent."""
        self.page.evaluate(
            f"""async () => {{
                const panel = {PANEL};
                const kernel = panel.sessionContext.session.kernel;
                // What widgets send goes by another thread: first that one, then the main one.
                const [comm] = kernel._comms.values();
                await comm.send({{method: "update", state: {{}}, buffer_paths: []}}).done;
                const asked = {{code: "", silent: true, store_history: false}};
                await kernel.requestExecute(asked).done;
            }}"""
        )

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def on_screen(self, point: tuple[float, float]) -> tuple[float, float]:
        """Where a point of the canvas is in the window."""
        where = self._steady()
        width, height = self.canvas.evaluate("c => [c.width, c.height]")
        return (
            where["x"] + point[0] * where["width"] / width,
            where["y"] + point[1] * where["height"] / height,
        )

    def _steady(self) -> Any:
        """Where the canvas is, once Lab has stopped laying out the cells above it."""
        where = None
        for _ in range(100):
            before, where = where, self.canvas.bounding_box()
            if where is not None and where == before:
                return where
            self.page.wait_for_timeout(60)
        raise AssertionError("the canvas does not come to rest")

    def click(self, point: tuple[float, float]) -> None:
        self.page.mouse.click(*self.on_screen(point))

    def drag(self, start: tuple[float, float], dx: float, dy: float) -> None:
        """Drag by so many pixels of the window."""
        x, y = self.on_screen(start)
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move(x + dx, y + dy, steps=6)
        self.page.mouse.up()

    def cells(self) -> list[dict[str, Any]]:
        """The notebook's document as Lab holds it: order, types, sources, outputs present."""
        found: list[dict[str, Any]] = self.page.evaluate(
            f"""() => {{
                const panel = {PANEL};
                return panel.content.model.toJSON().cells.map(cell => ({{
                    id: cell.id, type: cell.cell_type, source: cell.source,
                    outputs: (cell.outputs || []).length,
                }}));
            }}"""
        )
        return found


def _described(error: Error) -> str:
    return f"{error.message}\n{error.stack}"


@contextmanager
def desk(browser: Browser, url: str, **options: Any) -> Iterator[Desk]:
    """Open the review in a browser of its own."""
    options = {"viewport": {"width": 1500, "height": 1000}} | options
    context = browser.new_context(**options)
    try:
        yield Desk(context.new_page()).open(url)
    finally:
        context.close()
