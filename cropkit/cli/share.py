"""`share`: one collection for the users of a group, each of whom says so."""

import argparse
from typing import TYPE_CHECKING

from cropkit.cli.shell import DONE, FAILED, USAGE, Commands, document, folder_command, say, tell

if TYPE_CHECKING:
    from cropkit.engine.sharing import Shared, Standing


def add(commands: Commands) -> None:
    """Describe `share`."""
    text = "share a collection with the users of a group, each of whom runs this once"
    parser = folder_command(commands, "share", text, _share)
    change = parser.add_mutually_exclusive_group()
    text = "the owner gives it to them; who runs this trusts them, in this collection alone"
    change.add_argument("--group", metavar="GROUP", help=text)
    text = "trust nobody else any more; the owner takes it back, with nobody at work on it"
    change.add_argument("--stop", action="store_true", help=text)


def _share(arguments: argparse.Namespace) -> int:
    from cropkit.engine import sharing  # noqa: PLC0415  (codecs and database: not for `--help`)

    if arguments.group == "":
        say("--group needs the name of a group")
        return USAGE
    if not (arguments.group or arguments.stop):
        now = sharing.standing(arguments.folder, arguments.state)
        if arguments.json:
            document(_as_json(now))
        else:
            tell(*_lines(now))
        return DONE
    changed = (
        sharing.stop(arguments.folder, arguments.state)
        if arguments.stop
        else sharing.share(arguments.folder, arguments.group, arguments.state)
    )
    _show(changed, as_json=arguments.json)
    return FAILED if changed.left else DONE


def _show(shared: "Shared", *, as_json: bool) -> None:
    if as_json:
        left = [{"name": name, "reason": reason} for name, reason in shared.left]
        changes = {
            "ok": not shared.left,
            "changed": shared.changed,
            "left": left,
            "beyond": list(shared.beyond),
        }
        document(_as_json(shared.standing) | changes)
    else:
        tell(*_lines(shared.standing), f"folders and files changed: {shared.changed}")
    for name, reason in shared.left:
        say(f"{name} is left as it is: {reason}")
    for sentence in shared.beyond:
        say(sentence)


def _lines(now: "Standing") -> list[str]:
    from cropkit.system import sharing  # noqa: PLC0415  (only where it is needed)

    owner = "you" if now.is_own else sharing.user_named(now.owner)
    may = "alone" if now.group is None else f"and may be used by the group {_group(now.group)}"
    trusts = "nobody else" if now.declared is None else f"the group {_group(now.declared)}"
    return [f"{now.folder}: its .cropkit belongs to {owner}, {may}", f"you trust {trusts} with it"]


def _group(gid: int) -> str:
    from cropkit.system import sharing  # noqa: PLC0415  (only where it is needed)

    return sharing.name_of(gid)


def _as_json(now: "Standing") -> dict[str, object]:
    from cropkit.system import sharing  # noqa: PLC0415  (only where it is needed)

    return {
        "ok": True,
        "folder": str(now.folder),
        "owner": sharing.user_named(now.owner),
        "group": None if now.group is None else _group(now.group),
        "trusted": None if now.declared is None else _group(now.declared),
    }
