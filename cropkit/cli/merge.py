"""`merge`: join a collection that was made inside another to the outer one."""

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from cropkit.cli.shell import (
    DONE,
    Commands,
    add_json,
    command,
    document,
    existing,
    opened_existing,
    progress_bar,
    reading,
    say,
    tell,
)

if TYPE_CHECKING:
    from cropkit.engine.merging import Merged


def add(commands: Commands) -> None:
    """Describe `merge`."""
    text = "join a collection that was made inside another to the outer one"
    parser = command(commands, "merge", text, _merge)
    parser.add_argument("folder", type=Path, metavar="OUTER", help="the outer collection")
    parser.add_argument("inner", type=Path, metavar="INNER", help="the collection inside it")
    text = "print what would be joined; write nothing"
    parser.add_argument("--dry-run", action="store_true", help=text)
    add_json(parser)


def _merge(arguments: argparse.Namespace) -> int:
    merged = _foreseen(arguments) if arguments.dry_run else _done(arguments)
    if arguments.json:
        document({"ok": True, "dry_run": arguments.dry_run} | asdict(merged))
    else:
        tell(*_lines(merged))
    if arguments.dry_run:
        say("nothing was written")
    return DONE


def _foreseen(arguments: argparse.Namespace) -> "Merged":
    from cropkit.engine import merging  # noqa: PLC0415  (a database, not for `--help`)

    with reading(arguments.folder) as trail:
        trail.scope.check_is_whole()
        trail.scope.check_is_inside(arguments.inner)
        return merging.foreseen(trail, arguments.inner)


def _done(arguments: argparse.Namespace) -> "Merged":
    from cropkit.audit.store_reader import DEADLINE  # noqa: PLC0415  (a database, not for `--help`)
    from cropkit.engine import merging  # noqa: PLC0415  (as above)

    outer = existing(arguments.folder, arguments.state).state
    with (
        merging.in_turn(outer, DEADLINE),
        opened_existing(arguments.folder, state=arguments.state) as collection,
        progress_bar() as show,
    ):
        return collection.merge(arguments.inner, lambda *numbers: show("files moved", *numbers))


def _lines(merged: "Merged") -> list[str]:
    return [
        f"{merged.part}: {merged.events} events, {len(merged.files)} files",
        *(f"decided in both, the later decision stands: {name}" for name in merged.shared),
        *(f"lost or damaged before: {name}" for name in merged.damaged),
        *merged.unverified,
        f"its own state: {merged.aside}",
    ]
