"""`export`: what was cropped, of what and how, in a file for others; the trail is only read."""

import argparse
from pathlib import Path

from cropkit.cli.shell import DONE, Commands, document, folder_command, reading, tell


def add(commands: Commands) -> None:
    """Describe `export`."""
    text = "write what each crop was made of, and how, to a file for others"
    parser = folder_command(commands, "export", text, _export)
    text = "manifest: a row for each crop, with hashes, boxes, decision and suggestion"
    parser.add_argument("--to", choices=("manifest",), required=True, help=text)
    text = "new file; its form is that of its name"
    parser.add_argument("--out", type=Path, metavar="FILE.jsonl|FILE.csv", required=True, help=text)


def _export(arguments: argparse.Namespace) -> int:
    from cropkit.engine import manifest  # noqa: PLC0415  (a database: not for `--help`)

    manifest.writer_of(arguments.out)
    out = arguments.out.absolute()
    with reading(arguments.folder, arguments.state) as trail:
        rows = manifest.rows(trail, trail.scope.root, out.parent.resolve())
        count = manifest.written(out, rows)
    if arguments.json:
        document({"ok": True, "to": arguments.to, "out": str(out), "crops": count})
    else:
        tell(f"{out}: {count} {'crop' if count == 1 else 'crops'}")
    return DONE
