"""`taste`: what a collection's decisions teach, handed on to another one."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from cropkit.cli import learning
from cropkit.cli.shell import (
    DONE,
    FAILED,
    Commands,
    document,
    folder_command,
    opened,
    opened_existing,
    progress_bar,
    tell,
)
from cropkit.errors import BadTaste

if TYPE_CHECKING:
    from cropkit.taste.house import Taste

_TEXT = "what decisions teach, as a file for another collection: crop like the house"


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser("taste", help=_TEXT, description=_TEXT)
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    text = "write what the collection's decisions teach, and how well that met them, to a new file"
    export = folder_command(actions, "export", text, _export)
    export.add_argument("file", type=Path, metavar="FILE", help="the new file, a few kB of JSON")
    text = "learn from this reviewer's decisions only"
    export.add_argument("--reviewer", metavar="NAME", help=text)
    text = "begin reviews of this collection with what was exported of another one"
    taken = folder_command(actions, "import", text, _import)
    taken.add_argument("file", type=Path, metavar="FILE", help="what `export` wrote")
    folder_command(actions, "forget", "begin reviews with nothing learned elsewhere", _forget)


def _export(arguments: argparse.Namespace) -> int:
    if arguments.file.exists():
        raise BadTaste(arguments.file, "is there already, and nothing is written over")
    from cropkit.taste import house  # noqa: PLC0415  (codecs: not for `--help`)
    from cropkit.taste.examples import examples  # noqa: PLC0415  (as above)

    with progress_bar() as show:
        known = examples(arguments.folder, show, state=arguments.state)
    taste = house.learned_from(known, arguments.folder, arguments.reviewer)
    taste.write(arguments.file)
    if arguments.json:
        problems = learning.as_json(known.problems)
        document(_as_json(taste) | {"file": str(arguments.file), "problems": problems})
    else:
        tell(f"{arguments.file}: {taste.called}")
    learning.complain_of(known.problems)
    return FAILED if known.problems else DONE


def _import(arguments: argparse.Namespace) -> int:
    from cropkit.taste import house  # noqa: PLC0415  (as above)

    taste = house.read(arguments.file)
    with opened(arguments.folder, state=arguments.state) as collection:
        collection.keep_taste(taste)
    if arguments.json:
        document(_as_json(taste))
    else:
        begins = "reviews begin with it" if taste.leads else "it waits for ten decisions"
        tell(f"house taste, {taste.called}; {begins}")
    return DONE


def _forget(arguments: argparse.Namespace) -> int:
    with opened_existing(arguments.folder, state=arguments.state) as collection:
        collection.keep_taste(None)
    if arguments.json:
        document({"ok": True})
    else:
        tell("reviews begin with nothing learned elsewhere")
    return DONE


def _as_json(taste: "Taste") -> dict[str, object]:
    agreement = {name: mean.to_json() for name, mean in taste.agreement.items()}
    facts = {"reviews": taste.count, "way": taste.way, "model": taste.model}
    return {"ok": True} | facts | {"leads": taste.leads, "agreement": agreement}
