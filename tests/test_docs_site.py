"""The site of the documents: each page is in it, and it is built strictly where mkdocs is there."""

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
SITE: dict[str, Any] = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")


def pages(nav: Any) -> list[str]:
    if isinstance(nav, str):
        return [nav]
    each = nav.values() if isinstance(nav, dict) else nav
    return [page for part in each for page in pages(part)]


def test_each_page_is_in_the_site_once() -> None:
    there = sorted(str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md"))
    assert sorted(pages(SITE["nav"])) == there


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda page: page.stem)
def test_every_link_of_a_page_leads_to_a_file(page: Path) -> None:
    for target in LINK.findall(page.read_text("utf-8")):
        assert (page.parent / target).is_file(), target


def test_nothing_is_fetched_from_elsewhere() -> None:
    assert SITE["theme"]["font"] is False
    assert not {"extra_javascript", "extra_css"} & SITE.keys()


@pytest.mark.skipif(find_spec("material") is None, reason="the extra docs is not installed")
def test_the_site_is_built_strictly(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", str(tmp_path)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    assert len(list(tmp_path.rglob("*.html"))) > len(pages(SITE["nav"]))
