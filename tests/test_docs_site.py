"""The site of the documents: each page is in it, built strictly, and asks nobody elsewhere."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import notebook_pages
import pytest
import yaml

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
SITE: dict[str, Any] = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))
ELSEWHERE = re.compile(
    r"""<(?:script|img|link|iframe|source)\b[^>]*\b(?:src|href)=["']?https?:[^>]*>"""
)
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")


def pages(nav: Any) -> list[str]:
    if isinstance(nav, str):
        return [nav]
    each = nav.values() if isinstance(nav, dict) else nav
    return [page for part in each for page in pages(part)]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", str(folder)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return folder


def test_each_page_is_in_the_site_once() -> None:
    there = [path.relative_to(DOCS) for path in DOCS.rglob("*.md")]
    there += [path.relative_to(DOCS).with_suffix(".md") for path in DOCS.rglob("*.ipynb")]
    assert sorted(pages(SITE["nav"])) == sorted(map(str, there))


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda page: page.stem)
def test_every_link_of_a_page_leads_to_a_file(page: Path) -> None:
    for target in LINK.findall(page.read_text("utf-8")):
        there = page.parent / target
        assert there.is_file() or there.with_suffix(".ipynb").is_file(), target


def test_the_site_is_built_strictly_with_all_its_pages(site: Path) -> None:
    for page in pages(SITE["nav"]):
        assert (site / page).with_suffix(".html").is_file(), page


def test_no_page_fetches_anything_from_elsewhere(site: Path) -> None:
    assert SITE["theme"]["font"] is False
    for page in site.rglob("*.html"):
        assert not ELSEWHERE.findall(page.read_text("utf-8")), page.name


def test_the_tutorial_shows_the_outputs_that_are_held_to(site: Path) -> None:
    page = (site / "tutorial.html").read_text("utf-8")
    assert "TemporaryDirectory" in page
    assert "PixelBox" in page
    assert 'src="data:image/png;base64,' in page
    assert "<th>event</th>" in page


def test_a_table_and_a_link_have_the_form_of_the_site() -> None:
    style = "<style scoped>\nx {}\n</style>\n"
    html = f'<div>\n{style}<table border="1" class="a">\n<tr></tr></table></div>'
    assert notebook_pages.plain_table(html) == "<div>\n<table>\n<tr></tr></table></div>"
    led = notebook_pages.on_page_markdown("[A](how-to/a.ipynb) [B](b.md)", page=None)
    assert led == "[A](how-to/a.md) [B](b.md)"


def test_a_notebook_becomes_a_page_with_what_its_cells_show() -> None:
    code = nbformat.v4.new_code_cell("1 + 1")
    code.outputs = [
        nbformat.v4.new_output("stream", text="said\n"),
        nbformat.v4.new_output("execute_result", {"text/plain": "2"}),
        nbformat.v4.new_output("display_data", {"text/plain": "<b>", "image/png": "AAAA\n"}),
    ]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Title"), code])
    assert notebook_pages.page(nbformat.writes(book)) == (
        "# Title\n\n```python\n1 + 1\n```\n\n```text\nsaid\n```\n\n```text\n2\n```\n\n"
        '<img alt="&lt;b&gt;" src="data:image/png;base64,AAAA">\n'
    )
