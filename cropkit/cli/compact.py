"""`compact`: let the trail of a collection take less room, with all that it tells."""

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from cropkit.cli.shell import (
    DONE,
    FAILED,
    Commands,
    document,
    existing,
    folder_command,
    make_room,
    opened_existing,
    progress_bar,
    reading,
    say,
    tell,
)

if TYPE_CHECKING:
    from cropkit.audit.compacting import Compacted


def add(commands: Commands) -> None:
    """Describe `compact`."""
    text = "let the trail take less room: pack its export, and write the database anew"
    parser = folder_command(commands, "compact", text, _compact)
    text = "print what would be packed; write nothing"
    parser.add_argument("--dry-run", action="store_true", help=text)


def _compact(arguments: argparse.Namespace) -> int:
    return _foreseen(arguments) if arguments.dry_run else _done(arguments)


def _foreseen(arguments: argparse.Namespace) -> int:
    from cropkit.audit import compacting, rotating  # noqa: PLC0415  (a database, not for `--help`)
    from cropkit.system.home import EXPORT  # noqa: PLC0415  (as above)

    with reading(arguments.folder, arguments.state) as trail:
        trail.scope.check_is_whole()
        folder = trail.root.path
        before, moved = compacting.sizes(folder), rotating.foreseen(folder / EXPORT)
    export = before.export - moved.lines + moved.packed
    if arguments.json:
        after = {"database": None, "export": export}
        _document(before=asdict(before), after=after, events=moved.events, dry_run=True)
    else:
        tell(f"export: {before.export:,} bytes -> {export:,}, {moved.events:,} events packed")
        tell(f"database: {before.database:,} bytes; how much less, shows when it is written anew")
    say("nothing was written")
    return DONE


def _done(arguments: argparse.Namespace) -> int:
    make_room(existing(arguments.folder, arguments.state).state)
    with (
        opened_existing(arguments.folder, state=arguments.state) as collection,
        progress_bar() as show,
    ):
        done = collection.compact(lambda *numbers: show("bytes of the export", *numbers))
    if arguments.json:
        _document(**_as_json(done))
    else:
        tell(*_lines(done))
    if done.left:
        say(f"the database is as it was: {done.left}")
    return FAILED if done.left else DONE


def _document(**fields: Any) -> None:  # noqa: ANN401  (whatever JSON holds)
    document({"ok": True, "dry_run": False, "segments": [], "left": None} | fields)


def _as_json(done: "Compacted") -> dict[str, Any]:
    return {
        "ok": done.left is None,
        "before": asdict(done.before),
        "after": asdict(done.after),
        "events": done.moved.events,
        "segments": list(done.moved.names),
        "left": done.left,
    }


def _lines(done: "Compacted") -> list[str]:
    before, after, moved = done.before, done.after, done.moved
    packed = f"{moved.events:,} events packed, new segments: {len(moved.names)}"
    return [
        f"export: {before.export:,} bytes -> {after.export:,}, {packed}",
        f"database: {before.database:,} bytes -> {after.database:,}",
    ]
