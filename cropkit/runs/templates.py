"""The pages that are made of runs: what is written into one is escaped, for HTML and as a line."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from cropkit.names import printable


@cache
def template(name: str) -> Template:
    """Return a page of this folder, in which a name that is not given is an error."""
    environment = Environment(
        loader=PackageLoader("cropkit.runs", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown_text,
    )
    environment.filters["size"] = _size
    return environment.get_template(name)


def _shown_text(value: object) -> object:
    """Let no text of a file's turn or end a line of the page; what is HTML already stays."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _size(count: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if abs(count) < 1000:  # noqa: PLR2004  (SI)
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
