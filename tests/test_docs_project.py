"""What a repository says of itself: each document is there, and true where a test can ask."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import refresh_docs
import yaml

import cropkit
from cropkit import errors
from cropkit.bootstrap import selftest
from cropkit.errors import BadInput, CropkitError, NotWorking

ROOT = Path(__file__).parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
DOCUMENTS = ("CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "CITATION.cff")
TEXTS = {name: (ROOT / name).read_text("utf-8") for name in DOCUMENTS}
CITATION: dict[str, Any] = yaml.safe_load(TEXTS["CITATION.cff"])
# Of the schema of the Citation File Format 1.2.0 (https://doi.org/10.5281/zenodo.5171937).
NEEDED = {"cff-version", "message", "title", "authors"}
KNOWN = NEEDED | {"type", "abstract", "version", "license", "keywords"}
CHANGES = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")


@pytest.mark.parametrize("name", [name for name in DOCUMENTS if name.endswith(".md")])
def test_every_link_leads_somewhere(name: str) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)(?:#[\w-]+)?\)", TEXTS[name])
    assert targets
    for target in targets:
        assert (ROOT / target).is_file(), target


@pytest.mark.parametrize("name", [*DOCUMENTS[:1], *DOCUMENTS[2:3]])
def test_every_folder_and_file_that_it_names_exists(name: str) -> None:
    named = re.findall(r"`((?:docs|tests|cropkit|notebooks)/[\w./]*)`", TEXTS[name])
    for path in named:
        assert path == "tests/ROOM/" or (ROOT / path).exists(), path


def test_the_citation_has_what_its_format_asks_for_and_nothing_unknown() -> None:
    assert NEEDED <= CITATION.keys() <= KNOWN
    assert CITATION["cff-version"] == "1.2.0"
    assert CITATION["type"] == "software"
    assert all(set(author) == {"name"} for author in CITATION["authors"])  # an entity


def test_the_citation_is_of_this_version_under_this_licence() -> None:
    assert CITATION["version"] == cropkit.__version__
    assert CITATION["license"] == PROJECT["license"]
    assert CITATION["title"] == PROJECT["name"]


def test_the_changelog_begins_with_what_is_not_released_yet() -> None:
    headings = re.findall(r"^##+ (.+)$", TEXTS["CHANGELOG.md"], re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    assert set(headings[1:]) <= set(CHANGES)
    assert cropkit.__version__ in TEXTS["CHANGELOG.md"]


def test_the_changelog_names_the_errors_that_hang_elsewhere_now() -> None:
    for branch in (BadInput, NotWorking):
        leaves = ", ".join(f"`{leaf}`" for leaf in names_beneath(branch))
        assert f"| `{branch.__name__}` | {leaves} |" in TEXTS["CHANGELOG.md"]


def names_beneath(branch: type[CropkitError]) -> list[str]:
    return [name for name, kind in vars(errors).items() if kind in branch.__subclasses__()]


def test_the_changelog_tells_of_names_that_exist() -> None:
    table = TEXTS["CHANGELOG.md"].partition("| old | new |")[2]
    for _, new in re.findall(r"^  \| (.+) \| (.+) \|$", table, re.MULTILINE)[1:]:
        for name in re.findall(r"`cropkit\.([\w.]+)`", new):
            assert refresh_docs.resolved(name) is not None


def test_contributing_shows_the_options_of_the_tests() -> None:
    text = TEXTS["CONTRIBUTING.md"]
    shown = refresh_docs.block(text, "options")
    assert shown == refresh_docs.options()
    assert selftest.USAGE.strip() in shown


def test_contributing_names_every_part_of_the_tests() -> None:
    text = TEXTS["CONTRIBUTING.md"]
    for folder in ("formats", "crash", "browser"):
        assert f"`tests/{folder}/`" in text
    assert len(re.findall(r"^\d+\. ", text.partition("## Style")[2], re.MULTILINE)) == 10
