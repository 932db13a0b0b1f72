"""Commands about what was before: undo, originals, accept-changes."""

import argparse
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from cropkit.cli import values
from cropkit.cli.shell import (
    DONE,
    FAILED,
    USAGE,
    Commands,
    document,
    folder_command,
    name_in,
    opened_existing,
    reading,
    say,
    tell,
    tell_results,
)

if TYPE_CHECKING:
    from cropkit.audit.operation import Operation
    from cropkit.collection import Collection
    from cropkit.engine.locations import Locations


def add(commands: Commands) -> None:
    """Describe `undo`."""
    parser = folder_command(commands, "undo", "bring files back byte for byte", _undo)
    parser.add_argument("image", nargs="*", type=Path, help="only these images")
    parser.add_argument("--last", type=values.from_one, default=1, metavar="N", help="how many (1)")
    parser.add_argument("--all", action="store_true", help="everything, down to the originals")
    parser.add_argument("--operation", metavar="ID", help="only this one, whenever it was")
    text = "with --operation: first what stands on it"
    parser.add_argument("--with-later", action="store_true", help=text)
    parser.add_argument("--redo", action="store_true", help="take undos back instead")
    text = "set files aside that were changed since, instead of refusing"
    parser.add_argument("--keep-current", action="store_true", help=text)
    text = "write the original of one image to a new file; nothing else changes"
    parser.add_argument("--to", type=Path, metavar="FILE", help=text)


def add_originals(commands: Commands) -> None:
    """Describe `originals` and `accept-changes`."""
    text = "list the originals that are kept, or copy them out"
    parser = folder_command(commands, "originals", text, _originals)
    parser.add_argument("image", nargs="*", type=Path, help="only of these images")
    text = "copy the first original of each image into this folder"
    parser.add_argument("--to", type=Path, metavar="DIR", help=text)
    text = "say that images were deleted, renamed or edited on purpose"
    parser = folder_command(commands, "accept-changes", text, _accept_changes)
    parser.add_argument("image", nargs="*", type=Path, help="only these images")


def _undo(arguments: argparse.Namespace) -> int:
    if arguments.to and len(arguments.image) != 1:
        say("--to writes the original of one image: name it")
        return USAGE
    with opened_existing(arguments.folder, state=arguments.state) as collection:
        images = [name_in(collection.trail, image) for image in arguments.image]
        if arguments.to:
            return _write_original(arguments, collection, images[0])
        if arguments.operation:
            results = collection.undo_operation(
                arguments.operation, with_later=arguments.with_later
            )
        elif arguments.redo:
            results = collection.redo(*images, last=arguments.last)
        else:
            results = collection.undo(
                *images,
                last=arguments.last,
                everything=arguments.all,
                keep_current=arguments.keep_current,
            )
    return tell_results(arguments, results)


def _write_original(arguments: argparse.Namespace, collection: "Collection", image: str) -> int:
    copy = collection.copy_original(image, arguments.to)
    if arguments.json:
        document({"path": image, "original": str(copy)})
    else:
        tell(f"original of {image}: {copy}")
    return DONE


def _originals(arguments: argparse.Namespace) -> int:
    from cropkit.engine import copying_out  # noqa: PLC0415  (only where it is needed)
    from cropkit.engine.locations import locations_of  # noqa: PLC0415  (as above)

    with reading(arguments.folder, arguments.state) as trail:
        locations = locations_of(trail)
        names = {name_in(trail, image) for image in arguments.image}
        every, unreadable = trail.operations.looked_through()
        operations = [each for each in every if not names or each.image in names]
        lost = {e.args[0]: str(e) for e in unreadable if not names or e.args[0] in names}
        for sentence in lost.values():
            say(sentence)
        if arguments.to:
            return _copy(arguments, locations, operations, lost)
        originals = copying_out.listed(locations, operations)
    if arguments.json:
        document({"originals": [asdict(original) for original in originals], "lost": lost})
    for original in () if arguments.json else originals:
        size = "purged" if original.size is None else f"{original.size} bytes"
        tell(f"{original.operation[:8]}  {original.sha256[:12]}  {size:>16}  {original.path}")
    return FAILED if lost else DONE


def _copy(
    arguments: argparse.Namespace,
    locations: "Locations",
    operations: "list[Operation]",
    lost: Mapping[str, str],
) -> int:
    from cropkit.engine import copying_out  # noqa: PLC0415  (only where it is needed)
    from cropkit.errors import CropkitError  # noqa: PLC0415  (as above)

    copies, failed = {}, dict(lost)  # which original of those is the first nobody can tell
    those = (each for each in reversed(operations) if each.image not in lost)
    changing = (operation for operation in those if operation.kept_its_original)
    for path, first in {operation.image: operation for operation in changing}.items():
        try:
            copies[path] = str(copying_out.copied(locations, first, arguments.to, path))
        except CropkitError as error:
            failed[path] = str(error)
            say(str(error))
    if arguments.json:
        document({"copies": copies, "failed": failed})
    for copy in () if arguments.json else copies.values():
        tell(copy)
    return FAILED if failed else DONE


def _accept_changes(arguments: argparse.Namespace) -> int:
    with opened_existing(arguments.folder, state=arguments.state) as collection:
        images = [name_in(collection.trail, image) for image in arguments.image]
        changes = collection.accept_changes(*images)
        hidden = [] if images else sorted(collection.hidden_images())
    for path in hidden:
        say(f"{path}: not accepted, since it may be there: is a disk not mounted? Else name it")
    if arguments.json:
        document({"accepted": [asdict(change) for change in changes], "hidden": hidden})
        return FAILED if hidden else DONE
    for change in changes:
        tell(f"accepted {change.path}: {'changed' if change.now else 'gone'}")
    if not (changes or hidden):
        say("nothing was changed since it was cropped")
    return FAILED if hidden else DONE
