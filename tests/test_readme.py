"""The README is true: its tables are made from the code, its commands are run as they stand."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cropkit import errors
from cropkit.cli import commands_markdown
from cropkit.review import keys_markdown

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [README, *((p.read_text(encoding="utf-8")) for p in (ROOT / "docs").glob("*.md"))]


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("readme")


def _run(command: list[str], folder: Path) -> str:
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("name", "table"), [("keys", keys_markdown()), ("commands", commands_markdown())]
)
def test_the_tables_are_those_of_the_code(name: str, table: str) -> None:
    found = re.search(rf"<!-- {name} -->\n(.*?)\n<!-- /{name} -->", README, re.DOTALL)
    assert found
    assert found[1].strip() == table.strip(), f"put this into the README:\n{table}"


def test_the_commands_and_the_python_example_run_as_they_stand(workplace: Path) -> None:
    commands = [line for block in _blocks("sh") for line in block.splitlines()]
    inside = [line.split()[1:] for line in commands if line.startswith("cropkit ")]
    shell, unattended = ["demo", "crop", "history", "fsck", "undo"], ["demo", *["batch"] * 3]
    given = ["crop", "export", "verify"]
    assert [words[0] for words in inside] == [*shell, *given, *unattended]
    for words in inside:
        _run([sys.executable, "-m", "cropkit", *words], workplace)
    model, example = _blocks("python")
    assert "NormalizedBox" in _run([sys.executable, "-c", model], workplace)
    said = _run([sys.executable, "-c", example], workplace)
    assert "cropped" in said


def test_it_answers_in_the_order_of_a_readers_questions() -> None:
    titles = re.findall(r"^## (.+)$", README, re.MULTILINE)
    assert titles[:4] == ["Use it", "Keys", "What is promised", "Shell"]
    first = README.partition("## Keys")[0]
    assert first.index("![") < first.index("python3 -m cropkit review") < first.index("def model")


def test_the_two_commands_of_the_set_up_are_these() -> None:
    lines = [line for block in _blocks("sh") for line in block.splitlines()]
    set_up = [line for line in lines if line.startswith("python3")]
    assert set_up == ["python3 -m cropkit review FOLDER", "python3 -m cropkit test"]


def test_every_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).is_file(), target


def test_every_error_that_the_documents_name_is_in_the_tree() -> None:
    names = {n for text in DOCUMENTS for n in re.findall(r"`([A-Z]\w+[a-z]\w*)`", text)}
    known = {n for n in names if hasattr(errors, n)}
    assert {"VerificationFailed", "StaleDecision", "AuditLocked"} <= known
