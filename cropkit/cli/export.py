"""`export`: what was cropped, of what and how, in a file for others; the trail is only read."""

import argparse
from pathlib import Path

from cropkit.cli.shell import DONE, FAILED, Commands, document, folder_command, reading, say, tell


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
        lost: list[str] = []
        folder, root = out.parent.resolve(), trail.scope.root
        rows = manifest.rows(trail, root, folder, lambda error: lost.append(str(error)))
        count = manifest.written(out, rows)
    for sentence in lost:
        say(f"not among them: {sentence}")
    if arguments.json:
        facts = {"to": arguments.to, "out": str(out), "crops": count, "lost": lost}
        document({"ok": not lost} | facts)
    else:
        tell(f"{out}: {count} {'crop' if count == 1 else 'crops'}")
    return FAILED if lost else DONE
