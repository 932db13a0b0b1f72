"""`heads`: what a trail ends with, to be kept elsewhere."""

import argparse
from pathlib import Path

from cropkit.cli.shell import DONE, Commands, document, folder_command, reading, say, tell


def add(commands: Commands) -> None:
    """Describe `heads`."""
    text = "print what a trail ends with, to be kept elsewhere"
    parser = folder_command(commands, "heads", text, _heads)
    text = "add it to this file, as a line that `cropkit fsck --against` reads"
    parser.add_argument("--to", type=Path, metavar="FILE", help=text)


def _heads(arguments: argparse.Namespace) -> int:
    from cropkit.audit import kept_heads  # noqa: PLC0415  (a database, not for `--help`)

    with reading(arguments.folder) as trail:
        last = trail.last()
    if last is not None and arguments.to:
        kept_heads.append(arguments.to, last)
    if arguments.json:
        document({"head": last and last._asdict(), "to": arguments.to and str(arguments.to)})
    elif last is None:
        say(f"{arguments.folder}: the trail holds nothing yet")
    elif not arguments.to:
        tell(kept_heads.line(last))
    return DONE
