"""Run the committed notebooks and store their outputs: the one way to do it.

Nothing that changes from run to run is kept, so a second run changes no byte. It refuses while
`ruff check notebooks` complains, since stored outputs belong to the code that was reviewed.

    python tests/refresh.py [NOTEBOOK…]
"""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from traitlets.config import Config

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted([*(ROOT / "notebooks").glob("*.ipynb"), *(ROOT / "docs").rglob("*.ipynb")])

METADATA = {
    "kernelspec": {
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
        "name": "python3",
    },
    "language_info": {"name": "python"},
}
KEPT_OF_A_CELL = ("tags",)
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"  # its model's id is new in every kernel
SILENT_KERNEL = Config({"KernelManager": {"transport_encryption": "auto"}})


def lint_passes(folder: Path) -> bool:
    return (
        subprocess.run([sys.executable, "-m", "ruff", "check", folder], check=False).returncode == 0
    )


def run(path: Path) -> NotebookNode:
    os.environ["PYTHONPATH"] = str(ROOT)  # the kernel's, whichever cropkit is installed
    book: NotebookNode = nbformat.read(path, as_version=4)
    client = NotebookClient(
        book,
        config=SILENT_KERNEL,
        kernel_name="python3",
        record_timing=False,
        store_widget_state=False,
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.execute()
    return book


def without_what_changes(book: NotebookNode) -> NotebookNode:
    book.metadata = nbformat.from_dict(METADATA)
    for cell in book.cells:
        kept = {key: cell.metadata[key] for key in KEPT_OF_A_CELL if key in cell.metadata}
        cell.metadata = nbformat.from_dict(kept)
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET_VIEW, None)
    return book


def refresh(path: Path) -> None:
    nbformat.write(without_what_changes(run(path)), path)


def main(arguments: list[str]) -> int:
    paths = [Path(argument) for argument in arguments] or NOTEBOOKS
    if not all(lint_passes(path) for path in paths):
        sys.stderr.write("refresh: nothing was run; let ruff pass first\n")
        return 1
    for path in paths:
        refresh(path)
        sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
