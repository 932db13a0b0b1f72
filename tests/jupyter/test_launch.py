"""The launcher's parts: a server of our own, cells run in its kernel, errors told in one line.

A person's whole way, from the shell to the page, is in tests/browser.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import nbformat
import pytest
from nbformat import NotebookNode

from cropkit.cli import main
from cropkit.errors import AuditLocked, CellFailed, LabUnavailable
from cropkit.jupyter import launch as launching
from cropkit.jupyter import notebooks
from cropkit.jupyter.kernel import LiveKernel
from cropkit.jupyter.server import Lab

LOOPBACK = "0100007F"
LISTENING = "0A"


def book_of(*sources: str) -> NotebookNode:
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    book: NotebookNode = nbformat.v4.new_notebook(cells=cells)
    return book


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server = Lab(tmp_path_factory.mktemp("session"), port)
        server.wait_until_ready()
        assert server.address != f"http://127.0.0.1:{port}"
    yield server
    server.stop()
    assert not server.alive


@pytest.fixture(scope="module")
def kernel(lab: Lab) -> Iterator[LiveKernel]:
    with LiveKernel(lab.start_kernel("test.ipynb")) as client:
        client.wait_until_ready()
        yield client


def port_of(lab: Lab) -> int:
    return int(lab.address.rpartition(":")[2])


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/net")
def test_the_server_listens_on_this_machine_only(lab: Lab) -> None:
    hexadecimal = f"{port_of(lab):04X}"
    tables = list(Path("/proc/net").glob("tcp*"))
    rows = [row.split() for table in tables for row in table.read_text().splitlines()]
    local = [row[1] for row in rows if row[3] == LISTENING]
    assert [address for address in local if address.endswith(f":{hexadecimal}")] == [
        f"{LOOPBACK}:{hexadecimal}"
    ]


def test_nobody_gets_in_without_the_token_and_no_process_list_shows_it(lab: Lab) -> None:
    with pytest.raises(HTTPError, match="403"):
        urlopen(f"{lab.address}/api/sessions")  # noqa: S310  (our own server)
    listed = subprocess.run(
        ["ps", "axww", "-o", "args"], capture_output=True, text=True, check=True
    )
    assert lab.token not in listed.stdout
    config = lab.session / "config" / "jupyter_server_config.json"
    assert lab.token in config.read_text()
    assert config.stat().st_mode & 0o077 == 0


def test_outputs_and_counts_are_kept_as_the_cells_ran(kernel: LiveKernel) -> None:
    book = book_of("x = 6\nprint('said')", "x * 7")
    kernel.run(book, Path("answer.ipynb"))
    assert [cell.execution_count for cell in book.cells] == [1, 2]
    assert book.cells[0].outputs[0].text == "said\n"
    assert book.cells[1].outputs[0].data["text/plain"] == "42"
    nbformat.validate(book)


def test_the_kernel_runs_the_cropkit_that_launched_it(kernel: LiveKernel) -> None:
    book = book_of("import cropkit, sys", "(sys.executable, cropkit.__file__)")
    kernel.run(book, Path("where.ipynb"))
    told = book.cells[1].outputs[0].data["text/plain"]
    assert sys.executable in told
    assert str(Path(launching.__file__).parents[1] / "__init__.py") in told


def test_an_error_of_ours_is_told_in_its_own_words(kernel: LiveKernel) -> None:
    source = "from cropkit.errors import AuditLocked\nraise AuditLocked('photos', 5.0)"
    with pytest.raises(CellFailed) as raised:
        kernel.run(book_of(source, "reached = True"), Path("1_review.ipynb"))
    assert str(raised.value) == str(AuditLocked("photos", 5.0))
    with pytest.raises(CellFailed, match="NameError"):
        kernel.run(book_of("reached"), Path("1_review.ipynb"))


def test_an_unknown_error_comes_with_its_traceback(kernel: LiveKernel) -> None:
    with pytest.raises(CellFailed, match=r"ZeroDivisionError: division by zero\n(.|\n)*1 / 0"):
        kernel.run(book_of("1 / 0"), Path("1_review.ipynb"))


def test_a_kernel_that_dies_is_noticed(lab: Lab) -> None:
    with LiveKernel(lab.start_kernel("dying.ipynb")) as dying:
        dying.wait_until_ready()
        with pytest.raises(CellFailed, match="the kernel died"):
            dying.run(book_of("import os", "os._exit(1)", "1"), Path("1_review.ipynb"))


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    server = Lab(tmp_path, port=8888)
    server.stop()
    server.log.write_text("one\ntwo\n")
    with pytest.raises(LabUnavailable, match=r"JupyterLab did not start: one \| two"):
        server.wait_until_ready()


def test_a_review_that_fails_to_open_is_one_line_and_exit_code_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    book = notebooks.read(notebooks.notebook(launching.NOTEBOOK))
    book.cells[-1].source = "from cropkit.errors import *\nraise AuditLocked(folder, 5.0)"
    stand_in = tmp_path / "stand-in.ipynb"
    notebooks.write(book_of_parameters_and(book), stand_in)
    monkeypatch.setattr(notebooks, "notebook", lambda _name: stand_in)
    monkeypatch.setenv("TMPDIR", os.fspath(tmp_path))
    folder = tmp_path / "br{2024} ü"
    folder.mkdir()
    assert launching.launch(folder, browser=False) == 1
    said = capfd.readouterr().err.splitlines()
    assert said[1:] == [f"cropkit: {AuditLocked(folder, 5.0)}"]


def test_a_table_that_does_not_fit_is_refused_before_jupyterlab_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(launching, "Lab", None)
    table = tmp_path / "bad.csv"
    table.write_text("file,a,b,c,d\nx.png,1,2,3,4\n")
    assert launching.launch(tmp_path, suggestions=table, browser=False) == 1
    (line,) = capfd.readouterr().err.splitlines()
    assert "bad.csv" in line
    assert "give columns their usual names" in line
    assert not (tmp_path / ".cropkit").exists()


@pytest.mark.parametrize("around", ["margin=nonsense", "portrait"])
def test_what_is_no_rule_is_refused_before_a_state_is_made(
    around: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(launching, "Lab", None)
    assert launching.launch(tmp_path, around=around, browser=False) == 1
    assert launching.launch(None, around=around, browser=False) == 1
    first, second = capfd.readouterr().err.splitlines()
    assert first == second
    assert not (tmp_path / ".cropkit").exists()


def test_what_is_no_choice_of_images_is_refused_before_jupyterlab_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(launching, "Lab", None)
    assert main(["review", str(tmp_path), "--only", "label=cat", "--only", "2019"]) == 1
    assert main(["review", str(tmp_path), "--only", "label=cat"]) == 1
    first, second = capfd.readouterr().err.splitlines()
    assert "only cannot be 'folder=2019'" in first
    assert "only cannot be 'label=cat'" in second
    assert not (tmp_path / ".cropkit").exists()


def book_of_parameters_and(book: NotebookNode) -> NotebookNode:
    book.cells = [notebooks.tagged(book, "parameters"), book.cells[-1]]
    return book


def test_the_page_that_holds_the_token_is_for_this_user_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def open_page(url: str) -> bool:
        opened.append(url)
        return True

    monkeypatch.setattr("webbrowser.open", open_page)
    before = os.umask(0)
    try:
        launching.open_page(tmp_path, "http://127.0.0.1/doc?token=secret", browser=True)
    finally:
        os.umask(before)
    page = tmp_path / "open.html"
    assert opened == [page.as_uri()]
    assert "token=secret" in page.read_text("utf-8")
    assert page.stat().st_mode & 0o777 == 0o600


URL = "http://127.0.0.1:8890/doc?token=secret"
TUNNEL = "ssh -N -L 8890:127.0.0.1:8890 ada@"


@pytest.fixture
def opening(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """Open a page as somebody's environment has it; return what is said."""
    monkeypatch.setenv("LOGNAME", "ada")
    for name in ("SSH_CONNECTION", "JUPYTERHUB_SERVICE_PREFIX"):
        monkeypatch.delenv(name, raising=False)

    def opened(*, can: bool = True, wanted: bool = True, **environment: str) -> str:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("webbrowser.open", lambda _: can)
        launching.open_page(tmp_path, URL, browser=wanted)
        return capsys.readouterr().err

    return opened


def test_where_a_browser_opens_no_other_way_is_spoken_of(opening: Callable[..., str]) -> None:
    said = opening()
    assert URL in said
    assert "ssh" not in said


@pytest.mark.parametrize(
    "how",
    [
        {"can": False},
        {"wanted": False},
        {"SSH_CONNECTION": "1"},
        {"can": False, "SSH_CONNECTION": "1"},
    ],
)
def test_without_a_browser_here_the_way_from_another_machine_is_told(
    opening: Callable[..., str], how: dict[str, Any]
) -> None:
    assert opening(**how).count(TUNNEL) == 1


def test_in_a_hub_it_is_told_that_the_address_leads_nowhere_there(
    opening: Callable[..., str],
) -> None:
    said = opening(wanted=False, JUPYTERHUB_SERVICE_PREFIX="/user/ada/")
    assert "Crop review" in said
    assert "ssh" not in said


def test_nothing_of_a_review_stays_behind_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[Path] = []

    def show(session: Path, *_: object, **__: object) -> None:
        (session / "config").mkdir()
        (session / "config" / "token").touch()
        left.append(session)
        raise LabUnavailable("no")

    monkeypatch.setattr(launching, "_show", show)
    assert launching.launch(tmp_path, browser=False) == 1
    assert [folder.exists() for folder in left] == [False]


def test_what_is_no_folder_of_images_is_said_before_jupyterlab_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(launching, "Lab", None)
    image = tmp_path / "a.jpg"
    image.write_bytes(b"an image")
    assert launching.launch(image, browser=False) == 1
    assert launching.launch(tmp_path / "mistyped", browser=False) == 1
    of_image, mistyped = capfd.readouterr().err.splitlines()
    assert of_image == f"cropkit: {image}: not a folder. Name the folder that holds the images"
    assert mistyped == f"cropkit: {tmp_path / 'mistyped'}: no such file or folder"
    assert list(tmp_path.iterdir()) == [image]
