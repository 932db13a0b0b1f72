"""What the documents name of the code is there under that name."""

import re
from pathlib import Path

import pytest
import refresh_docs

from cropkit.system import plugins

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
FOLDERS = "cropkit|tests|benchmarks|docs|notebooks"
# Names that something had once; the changelog alone may tell of them.
GONE = r"`(?:Kit|Carrier|Work|Pace|Trail|Desk|Hands|Eyes|Sight|Ruling|Settled|Looked|Company)\b"

GROUPS = (plugins.WRITERS, plugins.READERS, plugins.SUGGESTERS)  # of entry points


def text(document: Path) -> str:
    return document.read_text("utf-8")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_and_folder_that_it_names_is_there(document: Path) -> None:
    named = re.findall(rf"`(?:python )?((?:{FOLDERS})/[\w./*]*)`?", text(document))
    missing = [name for name in named if name != "tests/ROOM/" and not list(ROOT.glob(name))]
    assert missing == []


@pytest.mark.parametrize(
    "document", [d for d in DOCUMENTS if d.name != "CHANGELOG.md"], ids=lambda path: path.name
)
def test_every_dotted_name_that_it_uses_is_there(document: Path) -> None:
    groups = (plugins.READERS, plugins.SUGGESTERS, plugins.WRITERS)  # of entry points
    plugged = [group.partition(".")[2] for group in groups]
    endings = ("db", "log", "toml", "jsonl", "prom", "ipynb", *plugged)
    for name in re.findall(r"(?<![\w./-])cropkit\.([a-zA-Z_][\w.]*\w)", text(document)):
        if name.split(".")[0] not in endings and f"cropkit.{name}" not in GROUPS:
            assert refresh_docs.resolved(name) is not None
    assert re.findall(GONE, text(document)) == []
