"""`destinations`: the folders elsewhere that this person lets a collection's crops go to."""

import argparse
from pathlib import Path

from cropkit.cli.shell import DONE, FAILED, Commands, document, folder_command, say, tell
from cropkit.system.state_folder import check_is_folder


def add(commands: Commands) -> None:
    """Describe `destinations`."""
    text = "the folders elsewhere that crops may go to and come back from"
    parser = folder_command(commands, "destinations", text, _destinations)
    change = parser.add_mutually_exclusive_group()
    change.add_argument("--allow", type=Path, metavar="DIR", help="let them go there")
    change.add_argument("--forget", type=Path, metavar="DIR", help="let them go there no more")


def _destinations(given: argparse.Namespace) -> int:
    from cropkit.engine import destinations  # noqa: PLC0415  (codecs: not for `--help`)

    check_is_folder(given.folder)
    collection = given.folder.resolve()
    was_named = True
    if given.allow:
        destinations.remember(collection, destinations.resolved(given.allow))
    if given.forget:
        was_named = destinations.forget(collection, given.forget.resolve())
    folders = [str(folder) for folder in destinations.named(collection)]
    if given.json:
        document({"folder": str(collection), "destinations": folders})
    else:
        tell(*(folders or ["none: crops stay in the collection"]))
    if not was_named:
        say(f"{given.forget} was none of them")
    return DONE if was_named else FAILED
