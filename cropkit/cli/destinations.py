"""`destinations`: the folders elsewhere that this person lets a collection's crops go to."""

import argparse
from pathlib import Path

from cropkit.cli.shell import DONE, FAILED, Commands, document, folder_command, say, tell
from cropkit.system.scope import scope_of


def add(commands: Commands) -> None:
    """Describe `destinations`."""
    text = "the folders elsewhere that crops may go to and come back from"
    parser = folder_command(commands, "destinations", text, _destinations)
    change = parser.add_mutually_exclusive_group()
    change.add_argument("--allow", type=Path, metavar="DIR", help="let them go there")
    change.add_argument("--forget", type=Path, metavar="DIR", help="let them go there no more")


def _destinations(arguments: argparse.Namespace) -> int:
    from cropkit.system import destinations  # noqa: PLC0415  (only where it is needed)

    scope = scope_of(arguments.folder, arguments.state)
    if not scope.is_whole:
        say(f"{scope.folder} is a part of {scope.root}: this holds for all of it")
    collection = scope.root
    was_named = True
    if arguments.allow:
        destinations.remember(collection, destinations.resolved(arguments.allow))
    if arguments.forget:
        was_named = destinations.forget(collection, arguments.forget.resolve())
    folders = [str(folder) for folder in destinations.named(collection)]
    if arguments.json:
        document({"folder": str(collection), "destinations": folders})
    else:
        tell(*(folders or ["none: crops stay in the collection"]))
    if not was_named:
        say(f"{arguments.forget} was none of them")
    return DONE if was_named else FAILED
