"""Run a notebook's cells in a kernel that a server has started, and keep what they show.

JupyterLab runs no cell when it opens a notebook. Cells that ran before, in the very kernel that the
page will find, are what makes a review live without a click.
"""

import re
from pathlib import Path
from queue import Empty
from typing import Any, Self

import nbformat
from jupyter_client.blocking.client import BlockingKernelClient
from nbformat import NotebookNode

from cropkit.errors import CellFailed, LabUnavailable

_READY_SECONDS = 60.0
_ATTEMPTS = 5
_POLL_SECONDS = 1.0
_SHOWN = ("stream", "display_data", "execute_result", "error")
_COLOURS = re.compile(r"\x1b\[[\d;]*m")


class LiveKernel:
    """A client of one running kernel, made from its connection file; close it after use."""

    def __init__(self, connection_file: str) -> None:
        self._client = BlockingKernelClient(connection_file=connection_file)
        self._client.load_connection_file()
        self._client.start_channels()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.stop_channels()

    def wait_until_ready(self) -> None:
        """Wait until the kernel answers.

        Raises
        ------
        LabUnavailable
            When it does not.
        """
        reason = ""
        for _ in range(_ATTEMPTS):
            try:
                self._client.wait_for_ready(timeout=_READY_SECONDS)
            except RuntimeError as error:  # also said of one that has not answered yet
                reason = str(error)
            else:
                return
        raise LabUnavailable(reason)

    def run(self, book: NotebookNode, path: Path) -> None:
        """Run every code cell in order; their outputs are stored in `book`.

        Raises
        ------
        CellFailed
            At the first cell that raises, or when the kernel dies.
        """
        code = [cell for cell in book.cells if cell.cell_type == "code"]
        for number, cell in enumerate(code, start=1):
            cell.execution_count = number
            cell.outputs = self._outputs(cell.source, path)
            for output in cell.outputs:
                if output.output_type == "error":
                    raise _failure(output, path)

    def _outputs(self, source: str, path: Path) -> list[NotebookNode]:
        asked = self._client.execute(source, store_history=True, stop_on_error=True)
        outputs: list[NotebookNode] = []
        while True:
            message = self._next(path)
            kind, content = message["msg_type"], message["content"]
            if message["parent_header"].get("msg_id") != asked:
                continue
            if kind == "status" and content["execution_state"] == "idle":
                return outputs
            if kind in _SHOWN:
                outputs.append(nbformat.v4.output_from_msg(message))

    def _next(self, path: Path) -> dict[str, Any]:
        while True:
            try:
                message: dict[str, Any] = self._client.get_iopub_msg(timeout=_POLL_SECONDS)
            except Empty:
                if not self._client.is_alive():
                    raise _death(path) from None
            else:
                if _says_starting(message):  # the server has put a new kernel in its place
                    raise _death(path)
                return message


def _says_starting(message: dict[str, Any]) -> bool:
    return bool(message["content"].get("execution_state") == "starting")


def _failure(output: NotebookNode, path: Path) -> CellFailed:
    traceback = _COLOURS.sub("", "\n".join(output.traceback))
    return CellFailed(path.name, output.ename, output.evalue, traceback)


def _death(path: Path) -> CellFailed:
    return CellFailed(path.name, "DeadKernel", "the kernel died; was memory short?", "")
