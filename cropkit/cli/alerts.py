"""The command about a collection's own `alerts.toml`, which may come from somebody else."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cropkit.cli.shell import DONE, FAILED, Commands, document, folder_command, say, tell
from cropkit.errors import MissingFile
from cropkit.system.home import ALERTS

if TYPE_CHECKING:
    from cropkit.monitor.delivery.alerts_file import AlertsFile
    from cropkit.monitor.delivery.configuration import Configuration

_TEXT = "where a collection's alerts go, and whether you have approved its own alerts.toml"


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser("alerts", help=_TEXT, description=_TEXT)
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    folder_command(actions, "show", "tell what is in force, and from which file", _show)
    text = "show the collection's file, then let its sinks be used as they are now"
    approve = folder_command(actions, "approve", text, _approve)
    approve.add_argument("--yes", action="store_true", help="do not ask, at a terminal either")
    folder_command(actions, "revoke", "use its sinks no longer", _revoke)


def _show(arguments: argparse.Namespace) -> int:
    from cropkit import clock  # noqa: PLC0415  (only where it is needed)
    from cropkit.monitor.delivery import configured  # noqa: PLC0415  (codecs and database: not for `--help`)

    state = _home(arguments)
    configuration = configured(state, clock.session_name(clock.now()))
    if arguments.json:
        document(_json(arguments.folder, state, configuration))
    else:
        limits = ", ".join(f"{name} = {value:g}" for name, value in _limits(configuration).items())
        tell(
            f"limits: {limits}, from {configuration.limits_from or 'the default'}",
            *(f"sink: {sink.name}" for sink in configuration.sinks),
            f"sinks from {configuration.sinks_from or 'the default'}",
        )
        for problem in configuration.problems:
            say(str(problem))
    return FAILED if configuration.problems else DONE


def _limits(configuration: "Configuration") -> dict[str, float]:
    from cropkit.monitor.delivery.alerts_file import LIMITS  # noqa: PLC0415  (as above)

    chosen = configuration.limits
    return {name: getattr(chosen, limit.field) / limit.unit for name, limit in LIMITS.items()}


def _json(folder: Path, state: Path, configuration: "Configuration") -> dict[str, Any]:
    return {
        "ok": not configuration.problems,
        "folder": str(folder),
        "sinks": [sink.name for sink in configuration.sinks],
        "sinks_from": str(configuration.sinks_from) if configuration.sinks_from else None,
        **_limits(configuration),
        "limits_from": str(configuration.limits_from) if configuration.limits_from else None,
        "approved": configuration.sinks_from == state / ALERTS,
        "problems": [problem.to_json() for problem in configuration.problems],
    }


def _approve(arguments: argparse.Namespace) -> int:
    from cropkit.monitor.delivery import alerts_file  # noqa: PLC0415  (as above)

    state = _home(arguments)
    file = alerts_file.of_collection(state)
    if file is None:
        raise MissingFile(state / ALERTS)
    sinks = _described(file)
    if not arguments.json:
        _tell_content(file, sinks)
    approved = bool(sinks) and (arguments.yes or arguments.json or _agreed())
    if approved:
        alerts_file.approve(file)
    if arguments.json:
        summary = {"ok": True, "file": str(file.path), "sha256": file.sha256, "sinks": sinks}
        document(summary | {"approved": approved, "content": file.data.decode()})
    elif approved:
        tell(f"approved: {file.path} as it is now (SHA-256 {file.sha256})")
    else:
        say("nothing was approved")
    return DONE if approved or not sinks else FAILED


def _described(file: "AlertsFile") -> list[str]:
    from cropkit.monitor.delivery.sink_table import described  # noqa: PLC0415  (as above)

    return [described(table) for table in file.table.get("sink", ())]


def _tell_content(file: "AlertsFile", sinks: list[str]) -> None:
    lines = file.data.decode().splitlines()
    tell(f"{file.path}:", *(f"    {line}" for line in lines))
    if sinks:
        tell("alerts of this collection would go to:", *(f"    {sink}" for sink in sinks))
    else:
        tell("it names no sinks: its limits are used without an approval")


def _agreed() -> bool:
    """Ask whoever sits at a terminal; whoever runs it from a script has said so there."""
    if not sys.stdin.isatty():
        return True
    sys.stdout.write("Approve it? [y/N] ")
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _revoke(arguments: argparse.Namespace) -> int:
    from cropkit.monitor.delivery import alerts_file  # noqa: PLC0415  (as above)

    revoked = alerts_file.revoke(_place(arguments))
    if arguments.json:
        document({"ok": True, "folder": str(arguments.folder), "revoked": revoked})
    else:
        tell("revoked: its sinks are used no longer" if revoked else "it was not approved")
    return DONE


def _home(arguments: argparse.Namespace) -> Path:
    """Return the folder that holds the collection's `.cropkit`, which may be opened."""
    from cropkit.system import state_folder  # noqa: PLC0415  (as above)

    state_folder.check_is_folder(arguments.folder)
    state = _place(arguments)
    state_folder.check(state)
    return state


def _place(arguments: argparse.Namespace) -> Path:
    """Return where that is; of a part of a collection, the folder itself, as it was named."""
    from cropkit.system.scope import scope_of  # noqa: PLC0415  (as above)

    folder: Path = arguments.folder
    if not folder.is_dir():  # an approval outlives its folder
        return folder
    scope = scope_of(folder, arguments.state)
    return scope.elsewhere if scope.elsewhere is not None and scope.is_whole else folder
