"""A hook of mkdocs: each notebook of the documents becomes a page, with the outputs it has stored.

Nothing is run here, and nothing is fetched from elsewhere when the page is read: nbval holds the
outputs, and pictures are part of the page.
"""

import re
from collections.abc import Iterator, Mapping
from html import escape
from typing import TYPE_CHECKING, Any

import nbformat

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

FENCE = "```"


def on_files(files: "Files", config: "MkDocsConfig") -> "Files":
    """Put a page beside each notebook, which can be had as it is, too."""
    from mkdocs.structure.files import File  # noqa: PLC0415  (mkdocs alone calls this)

    for file in [each for each in files if each.src_uri.endswith(".ipynb")]:
        name = file.src_uri.removesuffix("ipynb") + "md"
        files.append(File.generated(config, name, content=page(file.content_string)))
    return files


def on_page_markdown(markdown: str, **_: object) -> str:
    """Have a link to a notebook lead to its page."""
    return re.sub(r"\]\(([\w./-]+)\.ipynb\)", r"](\1.md)", markdown)


def page(notebook: str) -> str:
    """Return a notebook as Markdown."""
    book = nbformat.reads(notebook, as_version=4)
    return "\n\n".join(part for cell in book.cells for part in parts(cell)) + "\n"


def parts(cell: Mapping[str, Any]) -> Iterator[str]:
    """Yield a cell's text, or its code and what that shows."""
    if cell["cell_type"] == "markdown":
        yield cell["source"]
        return
    yield fenced(cell["source"], "python")
    for output in cell["outputs"]:
        yield shown(output)


def shown(output: Mapping[str, Any]) -> str:
    """Return the best form that a page has for an output; text where there is no other."""
    data: Mapping[str, str] = output.get("data", {"text/plain": output.get("text", "")})
    if "image/png" in data:
        words = escape(data["text/plain"], quote=True)
        return f'<img alt="{words}" src="data:image/png;base64,{data["image/png"].strip()}">'
    if "text/html" in data:
        return plain_table(data["text/html"])
    return fenced(data["text/plain"], "text")


def plain_table(html: str) -> str:
    """Return a table without a look of its own: it has the site's."""
    return re.sub(r"(?s)<style.*?</style>\n?|(?<=<table)[^>]*", "", html)


def fenced(text: str, language: str) -> str:
    """Return text as it stands."""
    return f"{FENCE}{language}\n{text.strip()}\n{FENCE}"
