"""The shell: one small function for each command, every one with `--help`.

Exit codes: 0 done, 1 something failed, was refused or had changed since it was decided (the reason
is on stderr, and in the JSON), 2 usage, 128 and the signal's number stopped. With `--json`, stdout
holds one JSON document and nothing else.
"""

import argparse
import re
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NamedTuple, NoReturn

from cropkit._version import __version__
from cropkit.cli.shell import (
    FAILED,
    STOPPED,
    USAGE,
    complain,
    document,
    fill_streams,
    finish,
    say,
    say_lines,
    trail_named,
)
from cropkit.errors import CropkitError, SystemRefused
from cropkit.system.signals import number_of, stoppable

WHAT = "Review crop boxes in Jupyter; crop images in place, verified, recorded and undoable."
# of an address: what is before its last @, or among its parameters
_PASSWORD = re.compile(r"(postgres(?:ql)?://[^\s:@/]*:)\S*(?=@)|((?:ssl)?password=)[^\s&]*")
BEGIN = (
    "Begin with `cropkit review FOLDER` (without FOLDER: a demo); `cropkit --help` has the rest."
)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong with a command without the password of an address that is in it."""

    def error(self, message: str) -> NoReturn:
        super().error(_PASSWORD.sub(r"\1\2***", message))


class _Group(NamedTuple):
    """Commands that are described together, and by which function of which file of this room."""

    module: str
    describe: str
    names: tuple[str, ...]


_GROUPS = (  # in the order of the help
    _Group("start", "add", ("review", "test")),
    _Group("collection", "add_crop", ("crop",)),
    _Group("start", "add_demo", ("demo",)),
    _Group("undo", "add", ("undo",)),
    _Group("collection", "add", ("history", "apply", "purge", "recover", "fsck")),
    _Group("settings", "add", ("settings",)),
    _Group("compact", "add", ("compact",)),
    _Group("move_trail", "add", ("migrate-trail",)),
    _Group("trust", "add", ("heads", "adopt")),
    _Group("undo", "add_originals", ("originals", "accept-changes")),
    _Group("destinations", "add", ("destinations",)),
    _Group("where", "add", ("where",)),
    _Group("recut", "add", ("recut",)),
    _Group("labels", "add", ("import", "suggest")),
    _Group("taste", "add", ("taste",)),
    _Group("planning", "add", ("plan-review",)),
    _Group("export", "add", ("export",)),
    _Group("verify", "add", ("verify",)),
    _Group("share", "add", ("share",)),
    _Group("merge", "add", ("merge",)),
    _Group("batch", "add", ("batch",)),
    _Group("health", "add", ("health", "stats")),
    _Group("alerts", "add", ("alerts",)),
    _Group("doctor", "add", ("doctor",)),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    fill_streams()
    words = sys.argv[1:] if argv is None else argv
    if not words:
        say_lines(WHAT, BEGIN)
        return USAGE
    arguments = parser(words[0]).parse_args(_with_boxes_joined(words))
    return finish(_run(arguments))


def _run(arguments: argparse.Namespace) -> int:
    try:
        with stoppable(), trail_named(arguments):
            return int(arguments.run(arguments))
    except CropkitError as error:
        return _refuse(arguments, error)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "cropkit":
            raise
        from cropkit.extras import explained  # noqa: PLC0415  (only where something is missing)

        return _refuse(arguments, explained(error))
    except OSError as error:
        place = error.filename or getattr(arguments, "folder", None) or "the system"
        return _refuse(arguments, SystemRefused(place, error.strerror or error))
    except KeyboardInterrupt as interrupt:
        say("stopped; what was decided is kept, and what was begun is done or as it was")
        return STOPPED + number_of(interrupt)


def _refuse(arguments: argparse.Namespace, error: CropkitError) -> int:
    complain(error)
    if arguments.json:
        document({"ok": False, "code": error.code, "message": str(error)})
    return FAILED


def _with_boxes_joined(arguments: Sequence[str]) -> list[str]:
    """Let a box begin with a minus, which else would begin an option: the crop refuses it."""
    joined: list[str] = []
    for argument in arguments:
        if joined and joined[-1] == "--box":
            joined[-1] = f"--box={argument}"
        else:
            joined.append(argument)
    return joined


def parser(only: str | None = None) -> argparse.ArgumentParser:
    """Describe every command; the README's list and its test are made from this.

    Parameters
    ----------
    only : describe no more than this command and its neighbours, and load their file alone; all
        of them where there is no such command
    """
    top = _Parser(prog="cropkit", description=WHAT, epilog=BEGIN)
    top.add_argument("--version", action="version", version=f"cropkit {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    named = [group for group in _GROUPS if only in group.names]
    for group in named or _GROUPS:
        getattr(import_module(f"cropkit.cli.{group.module}"), group.describe)(commands)
    return top


def commands_markdown() -> str:
    """Return the commands as the README's table."""
    lines = ["| Command | Does |", "|---|---|"]
    for action in parser()._actions:  # noqa: SLF001  (argparse has no other way)
        choices = getattr(action, "_choices_actions", ())
        lines += [f"| `{choice.dest}` | {choice.help} |" for choice in choices]
    return "\n".join(lines)
