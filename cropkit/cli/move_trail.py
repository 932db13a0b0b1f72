"""`migrate-trail`: bring the trail of a collection to a server, or back into a file."""

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING

from cropkit.cli.shell import (
    DONE,
    Commands,
    document,
    existing,
    folder_command,
    opened_existing,
    progress_bar,
    say,
    tell,
)

if TYPE_CHECKING:
    from cropkit.audit.moving import Moved
    from cropkit.system.scope import Scope


def add(commands: Commands) -> None:
    """Describe `migrate-trail`."""
    text = "bring the trail to a PostgreSQL, or back into a file of the collection's own"
    parser = folder_command(commands, "migrate-trail", text, _move)
    text = "postgresql://USER@HOST/DATABASE (the password in ~/.pgpass or PGPASSWORD), or sqlite"
    parser.add_argument("--to", required=True, metavar="URL", help=text)


def _move(arguments: argparse.Namespace) -> int:
    scope = existing(arguments.folder, arguments.state)
    scope.check_is_whole()
    moved = _moved(arguments, scope)
    if arguments.json:
        document({"ok": True} | asdict(moved))
    else:
        tell(
            f"{moved.events:,} events, {moved.rows:,} rows: {moved.source} -> {moved.target}",
            f"the old one is kept: {moved.kept}",
        )
    for sentence in moved.left:
        say(sentence)
    return DONE


def _moved(arguments: argparse.Namespace, scope: "Scope") -> "Moved":
    from cropkit.audit import moving  # noqa: PLC0415  (a database, not for `--help`)
    from cropkit.audit.places import SQLITE, Address  # noqa: PLC0415  (as above)
    from cropkit.system.files import Root  # noqa: PLC0415  (as above)

    root, said = Root(scope.state), getattr(arguments, "trail", None)
    address = None if arguments.to == SQLITE else Address(arguments.to)
    if moving.is_cut_off(scope.state):
        finished = moving.finish(root, address)
        if address is not None:
            return finished
        say(f"an earlier move had been cut off; what it left is kept: {finished.kept}")
    opened_existing(arguments.folder, state=arguments.state).close()  # what a crash left is settled
    with progress_bar() as show:

        def progress(*numbers: int) -> None:
            show("rows", *numbers)

        if address is None:
            return moving.to_file(root, said, progress=progress)
        return moving.to_server(root, address, progress=progress)
