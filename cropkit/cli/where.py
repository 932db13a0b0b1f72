"""`where`: which state a folder has, where that lies, and why it is the one that is used."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from cropkit.cli.shell import DONE, FAILED, Commands, document, folder_command, say, tell

if TYPE_CHECKING:
    from cropkit.system.state_place import StatePlace


def add(commands: Commands) -> None:
    """Describe `where`."""
    text = "which state is used for a folder, and why; writes nothing, but what its options say"
    parser = folder_command(commands, "where", text, _where)
    text = "let the state named by --state crop in place, though the folder has another one"
    parser.add_argument("--second", action="store_true", help=text)
    text = "say that the trail on a server is that of this folder: it was moved, or brought back"
    parser.add_argument("--moved", action="store_true", help=text)


def _where(arguments: argparse.Namespace) -> int:
    from cropkit.system import mounts, state_folder, state_place  # noqa: PLC0415  (only where it is needed)
    from cropkit.system.scope import scope_at  # noqa: PLC0415  (as above)

    state_folder.check_is_folder(arguments.folder)
    place = state_place.located(arguments.folder.resolve(), arguments.state)
    scope = scope_at(arguments.folder, place)
    if arguments.second:
        state_place.permit_second(place.state)
    if arguments.moved:
        _say_moved(place.state, arguments.trail)
    others = state_place.others(place.folder, place.state)
    second_to = state_place.is_second(place.folder, place.state)
    nearest = next(each for each in (place.state, *place.state.parents) if each.is_dir())
    if arguments.json:
        document(
            {
                "ok": second_to is None,
                "folder": str(place.folder),
                "part": scope.part,
                "state": str(place.state),
                "exists": state_folder.exists(place.state),
                "why": place.why.name.lower().replace("_", "-"),
                "file_system": mounts.file_system_type(nearest),
                "others": [str(each) for each in others],
                "second_to": None if second_to is None else str(second_to),
            }
        )
    else:
        _tell(place, others, second_to)
    return DONE if second_to is None else FAILED


def _say_moved(state: Path, trail: str | None) -> None:
    from cropkit.audit import opening  # noqa: PLC0415  (a database, not for `--help`)
    from cropkit.system.files import Root  # noqa: PLC0415  (as above)

    server = opening.moved_here(Root(state), trail)
    if server is None:
        say("its trail is in a file in it, and has moved with it: nothing was to be said")
    else:
        say(f"the trail on {server} is that of this folder from now on")


def _tell(place: "StatePlace", others: tuple[Path, ...], second_to: Path | None) -> None:
    tell(str(place.state))
    say(f"{place.folder}: its state, since {place.why}")
    for other in others:
        say(f"{place.folder} has another state, too: {other}")
    if second_to is not None:
        say(f"nothing is cropped in place from this one, since {second_to} was first")
