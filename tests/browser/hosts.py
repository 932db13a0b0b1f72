"""Try the review notebook in other hosts, with mouse and keys, and photograph it.

JupyterLab of another version, the same below the prefix that a JupyterHub gives a user, Notebook 7,
Voila. PYTHON is the interpreter of an environment that has cropkit and them.

    python tests/browser/hosts.py PYTHON PICTURES [lab] [hub] [notebook] [voila]
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from browser import album, chromium
from browser.reviewing import ROOT, SLOW, WAIT, Desk, Probe, free_port
from playwright.sync_api import Page, ViewportSize

from cropkit.demo import make_demo
from cropkit.jupyter.kernel import LiveKernel

SIZE: ViewportSize = {"width": 1440, "height": 900}
START_SECONDS = 60
PER_PAGE = 3
TURN, MOST_TURNS = 300, 30  # pixels of a wheel
OPEN_DOOR = "--IdentityProvider.token="


@dataclass(frozen=True)
class Host:
    """A program that shows notebooks: how it starts, and how a person has the cells run."""

    command: tuple[str, ...]
    path: str
    run: Callable[[Page], None]


def _run_all_cells(page: Page) -> None:
    page.locator(".jp-Notebook").wait_for(timeout=SLOW)
    shown = page.get_by_text("Python 3 (ipykernel)").locator("visible=true")
    shown.first.wait_for(timeout=SLOW)
    page.wait_for_timeout(4000)  # what is run while the kernel starts is dropped
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()


def _nothing(_page: Page) -> None:
    """Voila runs the cells by itself."""


PREFIX = "hub/user/alice/"

HOSTS = {
    "lab": Host(("jupyterlab", "--no-browser", OPEN_DOOR), "lab/tree/review.ipynb", _run_all_cells),
    "hub": Host(
        ("jupyterlab", "--no-browser", OPEN_DOOR, f"--ServerApp.base_url=/{PREFIX}"),
        f"{PREFIX}lab/tree/review.ipynb",
        _run_all_cells,
    ),
    "notebook": Host(
        ("notebook", "--no-browser", OPEN_DOOR), "notebooks/review.ipynb", _run_all_cells
    ),
    "voila": Host(("voila", "--no-browser", OPEN_DOOR), "voila/render/review.ipynb", _nothing),
}


def _copied_notebook(home: Path, folder: Path) -> None:
    notebook = json.loads((ROOT / "notebooks" / "1_review.ipynb").read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"]).replace(
            'folder: str = ""', f"folder: str = {str(folder)!r}"
        )
    (home / "review.ipynb").write_text(json.dumps(notebook), encoding="utf-8")


@contextmanager
def serving(python: str, host: Host, home: Path) -> Iterator[str]:
    port = free_port()
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "IPYTHON"))}
    own = {"HOME": str(home), "TMPDIR": str(home), "JUPYTER_RUNTIME_DIR": str(home / "runtime")}
    with (home / "said.txt").open("wb") as log:
        command = [python, "-m", *host.command, f"--port={port}"]
        if os.geteuid() == 0 and host.command[0] in ("notebook", "jupyterlab"):
            command.append("--allow-root")
        server = subprocess.Popen(command, cwd=home, env=inherited | own, stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{port}/"
        _until_answers(url, server, home / "said.txt")
        yield url + host.path
    finally:
        server.terminate()
        server.wait(START_SECONDS)


def _until_answers(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = monotonic() + START_SECONDS
    while monotonic() < deadline and server.poll() is None:
        try:
            urlopen(url).close()  # noqa: S310  (our own)
        except HTTPError:  # of a server that has its pages below a prefix
            return
        except URLError:
            sleep(0.2)
        else:
            return
    raise RuntimeError(log.read_text(encoding="utf-8"))


@contextmanager
def _probe(home: Path) -> Iterator[Probe]:
    connection = max(home.glob("*/kernel-*.json"), key=lambda path: path.stat().st_mtime)
    with LiveKernel(str(connection)) as kernel:
        kernel.wait_until_ready()
        yield Probe(kernel)


def review(page: Desk, home: Path, picture: Callable[[str], None]) -> None:
    """Drag an edge, nudge, accept, undo: each is held against the kernel and the files."""
    folder = home / "demo"
    before = album.contents(folder)
    page.until_page(1, SLOW)
    _scroll_to_canvas(page)
    page.page.wait_for_timeout(2000)
    picture("first")
    with _probe(home) as probe:
        boxes, paths = _corrected(page, probe)
    picture("corrected")
    page.press("Enter")
    page.until_page(2)
    _until_written(page, PER_PAGE)
    for path, box in zip(paths, boxes, strict=True):
        album.check_is_crop((folder / path).read_bytes(), before[path], box)
    picture("written")
    page.press("z")
    _until_written(page, 0)
    page.until_page(1)
    after = album.contents(folder)
    assert all(after[path] == before[path] for path in paths), "undo does not bring bytes back"
    picture("undone")


def _scroll_to_canvas(page: Desk) -> None:
    """Turn the wheel as a person does: JupyterLab 4.4 draws no cell that is out of sight."""
    page.page.mouse.move(SIZE["width"] / 2, SIZE["height"] / 2)
    for _ in range(MOST_TURNS):
        if page.canvas.is_visible():
            break
        page.page.mouse.wheel(0, TURN)
        page.page.wait_for_timeout(200)
    page.canvas.scroll_into_view_if_needed()


def _until_written(page: Desk, count: int) -> None:
    page.wait(lambda s: s.written == count, f"{count} are written", SLOW)


def _corrected(page: Desk, probe: Probe) -> tuple[list[tuple[int, int, int, int]], list[str]]:
    boxes = probe.boxes()
    page.drag(probe.grip(0, "RIGHT"), -30, 0)
    page.page.wait_for_timeout(1000)
    dragged = probe.boxes()
    assert dragged[0][2] < boxes[0][2], f"the drag did nothing: {boxes[0]} {dragged[0]}"
    assert dragged[1:] == boxes[1:]
    page.press("ArrowRight")
    page.page.wait_for_timeout(1000)
    nudged = probe.boxes()
    assert nudged[0][0] > dragged[0][0], f"the nudge did nothing: {dragged[0]} {nudged[0]}"
    return nudged, probe.paths()[:PER_PAGE]


def reload(page: Desk, host: Host, picture: Callable[[str], None]) -> None:
    """Load the page again and, where a person has to, run the cells again."""
    page.page.reload(wait_until="domcontentloaded")
    host.run(page.page)
    page.until_page(1, SLOW)
    _scroll_to_canvas(page)
    page.page.wait_for_timeout(2000)
    picture("reloaded")
    page.canvas.focus()
    page.press("Enter")
    page.until_page(2)
    page.wait(lambda s: s.waiting == 0, "the worker has finished", SLOW)


def attempt(python: str, name: str, pictures: Path) -> None:
    host = HOSTS[name]
    with (
        tempfile.TemporaryDirectory() as folder,
        chromium.launched() as browser,
    ):
        home = Path(folder)
        make_demo(home / "demo")
        _copied_notebook(home, home / "demo")
        with serving(python, host, home) as url:
            shown = browser.new_page(viewport=SIZE)
            shown.set_default_timeout(WAIT)
            page = Desk(shown)

            def picture(moment: str) -> None:
                shown.screenshot(path=pictures / f"{name}-{moment}.png")

            try:
                shown.goto(url, wait_until="domcontentloaded")
                host.run(shown)
                review(page, home, picture)
                reload(page, host, picture)
            finally:
                picture("last")
                sys.stderr.write((home / "said.txt").read_text()[-3000:])
            sys.stdout.write(f"{name}: as it should be; errors in the page: {page.errors}\n")


def main(arguments: list[str]) -> None:
    python, pictures, *names = arguments
    Path(pictures).mkdir(parents=True, exist_ok=True)
    for name in names or HOSTS:
        attempt(python, name, Path(pictures))


if __name__ == "__main__":
    main(sys.argv[1:])
