"""The how-to pages are true: every command in them runs as it stands, in the order of the page."""

import re
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
import shell

ROOT = Path(__file__).parent.parent
PAGES = sorted([*(ROOT / "docs/how-to").glob("*.md"), *(ROOT / "docs/coming-from").glob("*.md")])
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture
def reviews(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What reviews were started with: a page's commands are run without a JupyterLab."""
    started: list[dict[str, Any]] = []

    def launch(folder: Path | None, **how: Any) -> int:
        started.append({"folder": folder, **how})
        return 0

    monkeypatch.setattr("cropkit.jupyter.launch.launch", launch)
    return started


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_of_a_page_runs(
    page: Path, tmp_path: Path, reviews: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    blocks = BLOCK.findall(page.read_text("utf-8"))
    lines = [line for kind, text in blocks if kind == "sh" for line in text.splitlines()]
    for kind, text in blocks:
        if kind == "python":
            (tmp_path / "faces.py").write_text(text, encoding="utf-8")
            exec(text, {})  # noqa: S102  (our own page)
            continue
        for line in text.splitlines():
            program, *words = shlex.split(line)
            assert program == "cropkit", line
            done = shell.run(*words)
            assert done.returncode == 0, (line, done.stdout, done.stderr)
    assert len(reviews) == sum(line.startswith("cropkit review") for line in lines)
    assert len(lines) >= 4


def test_there_is_a_page_for_each_that_the_first_one_names() -> None:
    first = (ROOT / "docs/index.md").read_text("utf-8")
    named = {ROOT / "docs" / name for name in re.findall(r"\]\(([\w/-]+\.md)\)", first)}
    assert set(PAGES) <= named
    assert all(path.is_file() for path in named)
