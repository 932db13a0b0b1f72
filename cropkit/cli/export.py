"""`export`: what was decided and cropped, in the forms of other programs; it reads only."""

import argparse
import shlex
from pathlib import Path

from cropkit.cli.shell import DONE, FAILED, Commands, document, folder_command, reading, say, tell
from cropkit.exports.registry import KINDS, LABEL_AS, options
from cropkit.records import KEPT

_MANIFEST = "manifest"


def add(commands: Commands) -> None:
    """Describe `export`."""
    text = "write what was decided and cropped in the forms of other programs"
    parser = folder_command(commands, "export", text, _export)
    kinds = "; ".join(f"{name}: {what}" for name, what in _described())
    text = f"{kinds}; or a format whose writer is installed"
    parser.add_argument("--to", metavar="FORMAT", required=True, help=text.replace("%", "%%"))
    text = "new file, whose form is that of its name, or new folder where the format is one"
    parser.add_argument("--out", type=Path, metavar="PATH", required=True, help=text)
    text = "of the decisions that are written, with commas between (default: %(default)s)"
    kept = ",".join(KEPT)
    parser.add_argument("--verdicts", metavar="WORDS", default=kept, help=text)
    parser.add_argument("--slot", metavar="NAME", help="only the crops of this name")
    text = "coco-results: COCO file whose ids of images and categories count"
    parser.add_argument("--images", type=Path, metavar="FILE.json", help=text)
    text = "label-studio, iiif: what stands before the path of each image"
    parser.add_argument("--image-prefix", metavar="TEXT", help=text)
    text = "label-studio: whether boxes are what people said, or proposals to correct"
    parser.add_argument("--as", dest="label_as", choices=LABEL_AS, help=text)
    text = "only crops that lie beneath the folder of PATH, of a collection with crops in several"
    parser.add_argument("--beneath", action="store_true", help=text)


def _proving(manifest: Path, collection: Path) -> str:
    """Return the command that proves the crops of a manifest, as far as they lie in its folder."""
    words = ["cropkit", "verify", str(manifest.parent), "--sources", str(collection.absolute())]
    is_usual = manifest.stem == _MANIFEST
    return shlex.join(words if is_usual else [*words, "--manifest", str(manifest)])


def _described() -> list[tuple[str, str]]:
    return [(name, about[0]) for name, about in KINDS.items()]


def _export(arguments: argparse.Namespace) -> int:
    from cropkit.exports.exporting import export  # noqa: PLC0415  (a database: not for `--help`)

    out = arguments.out.absolute()
    chosen = options(
        arguments.verdicts.split(","),
        arguments.slot,
        arguments.images,
        arguments.image_prefix,
        arguments.label_as,
        beneath=arguments.beneath,
    )
    with reading(arguments.folder, arguments.state) as trail:
        exported = export(trail, trail.scope.root, arguments.to, out, chosen)
    for sentence in exported.lost:
        say(f"not among them: {sentence}")
    if arguments.json:
        counts = {"written": exported.written, "left_out": dict(exported.left_out)}
        counts |= {"before_crop": exported.before_crop, "lost": list(exported.lost)}
        document({"ok": not exported.lost, "to": arguments.to, "out": str(out)} | counts)
    else:
        tell(f"{out}: {exported.sentence}")
        if arguments.to == _MANIFEST and exported.written:
            say(f"to prove it: {_proving(out, arguments.folder)}")
    return FAILED if exported.lost else DONE
