"""`doctor`: what is wrong with where cropkit runs, and the cure of each."""

import argparse
from pathlib import Path

from cropkit.cli.shell import DONE, FAILED, Commands, add_json, command, document, tell


def add(commands: Commands) -> None:
    """Describe `doctor`."""
    text = "look at this environment, and at a folder's place, for what is in the way; the cures"
    parser = command(commands, "doctor", text, _doctor)
    parser.add_argument("folder", nargs="?", type=Path, help="a folder of images, too")
    add_json(parser)


def _doctor(arguments: argparse.Namespace) -> int:
    from cropkit.monitor.doctor import doctor  # noqa: PLC0415  (only where it is needed)

    diagnosis = doctor(arguments.folder)
    if arguments.json:
        document(diagnosis.to_json())
    else:
        tell(*map(str, diagnosis.findings))
    return DONE if diagnosis.ok else FAILED
