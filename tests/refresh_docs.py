"""Write again what documents show of the code: the one way to do it.

    python tests/refresh_docs.py

The API page, the options of the tests, the tables of keys, commands and formats. A second run
changes no byte; tests hold each of them to the code.
"""

import sys
from importlib import import_module
from pathlib import Path

import api_page

from cropkit.bootstrap import selftest
from cropkit.cli import commands_markdown
from cropkit.formats import capabilities
from cropkit.review import keys_markdown
from cropkit.review.keys.keymap import actions_markdown

ROOT = Path(__file__).resolve().parent.parent
API = ROOT / "docs" / "api.md"


def options() -> str:
    """Return what `cropkit test --help` says."""
    return f"```text\n{selftest.USAGE.strip()}\n```"


def formats_tables() -> str:
    """Return what becomes of each feature of each format, and what each refusal means."""
    return "\n".join(capabilities.page())


BLOCKS = {
    "README.md": {"keys": keys_markdown, "commands": commands_markdown},
    "CONTRIBUTING.md": {"options": options},
    "docs/formats.md": {"capabilities": formats_tables},
    "docs/keys.md": {"actions": actions_markdown},
}


def block(text: str, name: str) -> str:
    """Return what stands between the marks of a name."""
    before, after = f"<!-- {name} -->\n", f"\n<!-- /{name} -->"
    return text.partition(before)[2].partition(after)[0]


def with_block(text: str, name: str, shown: str) -> str:
    """Return the text with something else between the marks of a name."""
    head, mark, rest = text.partition(f"<!-- {name} -->\n")
    tail = rest[rest.index(f"<!-- /{name} -->") :]
    return f"{head}{mark}{shown.strip()}\n{tail}"


def resolved(name: str) -> object:
    """Return what a dotted name beneath `cropkit` stands for: a module, or something in one."""
    found: object = import_module("cropkit")
    for part in name.split("."):
        path = getattr(found, "__name__", "")
        found = getattr(found, part, None) or import_module(f"{path}.{part}")
    return found


def main() -> int:
    for name, blocks in BLOCKS.items():
        path = ROOT / name
        text = path.read_text("utf-8")
        for mark, made in blocks.items():
            text = with_block(text, mark, made())
        path.write_text(text, "utf-8")
        sys.stdout.write(f"{name}\n")
    API.write_text(api_page.page(), "utf-8")
    sys.stdout.write("docs/api.md\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
