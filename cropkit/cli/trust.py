"""Whose a trail is: `heads` keeps what it ends with elsewhere, `adopt` makes it one's own."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cropkit.cli.shell import DONE, Commands, document, existing, folder_command, reading, say, tell
from cropkit.errors import AuditBehind, AuditMissing

if TYPE_CHECKING:
    from cropkit.audit.operation import Operation
    from cropkit.audit.trust import Examined
    from cropkit.audit.unvouched import Unvouched
    from cropkit.system.files import Root


def add(commands: Commands) -> None:
    """Describe both."""
    text = "print what a trail ends with, to be kept elsewhere"
    parser = folder_command(commands, "heads", text, _heads)
    text = "add it to this file, as a line that `cropkit fsck --against` reads"
    parser.add_argument("--to", type=Path, metavar="FILE", help=text)
    text = "make a .cropkit your own that somebody else may have made"
    parser = folder_command(commands, "adopt", text, _adopt)
    text = "do it; without, what it would do is shown"
    parser.add_argument("--yes", action="store_true", help=text)


def _heads(arguments: argparse.Namespace) -> int:
    from cropkit.audit import kept_heads  # noqa: PLC0415  (a database, not for `--help`)

    with reading(arguments.folder, arguments.state) as trail:
        last = trail.integrity.last()
    if last is not None and arguments.to:
        kept_heads.append(arguments.to, last)
    if arguments.json:
        document({"head": last and last._asdict(), "to": arguments.to and str(arguments.to)})
    elif last is None:
        say(f"{arguments.folder}: the trail holds nothing yet")
    elif not arguments.to:
        tell(kept_heads.line(last))
    return DONE


@dataclass(frozen=True, slots=True)
class _Shown:
    """What a person sees of a state before they make it theirs."""

    root: "Root"
    examined: "Examined"
    harms: list[str]
    operations: "list[Operation]"
    left_alone: "list[Unvouched]"

    @property
    def is_own(self) -> bool:
        waits = any(each.is_adoptable for each in self.left_alone)
        return not (self.examined.foreign or self.examined.forged or waits)


def _adopt(arguments: argparse.Namespace) -> int:
    from cropkit.audit import trust  # noqa: PLC0415  (a database, not for `--help`)

    shown = _looked_at(arguments)
    adopts = arguments.yes and not shown.is_own
    if not arguments.json:
        _show(shown)
    if adopts:
        trust.adopt(shown.root)
    if arguments.json:
        document(_as_json(shown) | {"adopted": adopts})
    elif shown.is_own:
        say(f"{arguments.folder}: it is yours already")
    else:
        say("it is yours now" if adopts else "nothing was done: `--yes` makes it yours")
    return DONE


def _looked_at(arguments: argparse.Namespace) -> _Shown:
    """Look at a state; where its database is lost or old, let it be made anew from any export."""
    from cropkit.audit import trust  # noqa: PLC0415  (a database, not for `--help`)

    try:
        with reading(arguments.folder, arguments.state) as trail:
            trail.integrity.check_export()
            settled = trail.integrity.would_be_settled()
            return _Shown(
                trail.root,
                trail.integrity.examined(),
                trail.integrity.harms(),
                settled,
                trail.operations.left_alone(),
            )
    except (AuditMissing, AuditBehind):
        if arguments.yes:
            trust.forget(existing(arguments.folder, arguments.state).state)
            say("what you saw of its trail is forgotten, so that it can be made anew")
        raise


def _show(shown: _Shown) -> None:
    tell(*shown.examined.forged, *shown.harms, *(each.said for each in shown.left_alone))
    for each in shown.operations:
        tell(f"would settle: {each.kind} of {', '.join(each.names)} ({each.state})")


def _as_json(shown: _Shown) -> dict[str, object]:
    settles = [
        {"operation": each.id, "kind": each.kind, "state": each.state, "names": list(each.names)}
        for each in shown.operations
    ]
    return {
        "foreign": shown.examined.foreign,
        "forged": list(shown.examined.forged),
        "reasons": shown.harms,
        "left_alone": [each.said for each in shown.left_alone],
        "settles": settles,
    }
