"""Commands that work on a collection: crop, undo, history, apply, purge, recover, fsck."""

import argparse
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

from cropkit.cli.shell import (
    DONE,
    FAILED,
    USAGE,
    Commands,
    add_json,
    command,
    complain,
    crop_json,
    document,
    folder_command,
    home_of,
    line,
    named,
    opened,
    relative,
    say,
    tell,
    tell_degraded,
    tell_results,
)
from cropkit.errors import CropkitError
from cropkit.geometry import PixelBox
from cropkit.records import CropResult

_AGES = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_SIZES = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def add_crop(commands: Commands) -> None:
    """Describe `crop`."""
    one = command(commands, "crop", "crop one image in place, verified and undoable", _crop)
    one.add_argument("image", type=Path)
    text = "upright pixels: left,top,right,bottom"
    one.add_argument("--box", required=True, type=_edges, metavar="L,T,R,B", help=text)
    one.add_argument("--move-to", type=Path, metavar="DIR", help="move it there when cropped")
    add_json(one)


def add(commands: Commands) -> None:
    """Describe the others."""
    one = folder_command(commands, "undo", "bring files back byte for byte", _undo)
    one.add_argument("image", nargs="*", type=Path, help="only these images")
    one.add_argument("--last", type=int, default=1, metavar="N", help="how many (1)")
    one.add_argument("--all", action="store_true", help="everything, down to the originals")
    one.add_argument("--operation", metavar="ID", help="only this one, whenever it was")
    text = "with --operation: first what stands on it"
    one.add_argument("--with-later", action="store_true", help=text)
    one.add_argument("--redo", action="store_true", help="take undos back instead")
    one = folder_command(commands, "history", "show the audit trail", _history)
    one.add_argument("image", nargs="?", type=Path, help="only this image")
    one = folder_command(commands, "apply", "carry out the decisions that wait", _apply)
    one.add_argument("--move-to", type=Path, metavar="DIR", help="cropped images move there")
    one = folder_command(commands, "purge", "remove kept originals on purpose", _purge)
    one.add_argument("--older-than", type=_age, metavar="30d", help="not needed for longer")
    one.add_argument("--keep-size", type=_bytes, metavar="20GB", help="then until the rest fits")
    one = folder_command(commands, "settings", "how crops of a collection are made", _settings)
    text = "move the corner out to a whole block, or encode anew"
    one.add_argument("--jpeg", metavar="lossless|exact", help=text)
    text = "leave this out of a crop instead of refusing the file"
    one.add_argument("--drop", action="append", metavar="ITEM", help=text)
    text = "refuse again, whatever was to be left out"
    one.add_argument("--drop-nothing", action="store_true", help=text)
    one = folder_command(commands, "recover", "settle what a crash left open", _recover)
    text = "take operations in conflict back, now that the foreign content is elsewhere"
    one.add_argument("--conflicts", action="store_true", help=text)
    one = folder_command(commands, "fsck", "prove that database and disk agree", _fsck)
    text = "make a lost database anew from the trail's export first"
    one.add_argument("--rebuild", action="store_true", help=text)


def _edges(text: str) -> tuple[int, int, int, int]:
    try:
        left, top, right, bottom = (int(part) for part in text.split(","))
    except ValueError:
        said = f"{text!r} is not four whole numbers: left,top,right,bottom"
        raise argparse.ArgumentTypeError(said) from None
    return left, top, right, bottom


def _age(text: str) -> timedelta:
    number, unit = text[:-1], text[-1:]
    if unit not in _AGES or not number.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not an age such as 30d, 12h or 4w")
    return int(number) * _AGES[unit]


def _bytes(text: str) -> int:
    number = text.rstrip("BGKMTbgkmt")
    unit = text[len(number) :].upper().removesuffix("B")
    if unit not in _SIZES or not number.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a size such as 20GB or 500MB")
    return int(number) * _SIZES[unit]


def _crop(given: argparse.Namespace) -> int:
    try:
        with opened(home_of(given.image), destination=given.move_to) as collection:
            box = PixelBox(*given.box)
            result = collection.crop(given.image.absolute(), box)
    except CropkitError as error:
        complain(error)
        if given.json:
            document(_refused_json(given, error))
        return FAILED
    if given.json:
        document(crop_json(result))
    else:
        tell(line(result))
    return DONE


def _undo(given: argparse.Namespace) -> int:
    with opened(given.folder) as collection:
        images = [named(given.folder, image) for image in given.image]
        if given.operation:
            results = collection.undo_operation(given.operation, with_later=given.with_later)
        elif given.redo:
            results = collection.redo(*images, last=given.last)
        else:
            results = collection.undo(*images, last=given.last, everything=given.all)
    return tell_results(given, results)


def _purge(given: argparse.Namespace) -> int:
    if given.older_than is None and given.keep_size is None:
        say("purge needs --older-than or --keep-size: nothing is removed unasked")
        return USAGE
    with opened(given.folder) as collection:
        results = collection.purge(older_than=given.older_than, keep_bytes=given.keep_size)
    return tell_results(given, results)


def _history(given: argparse.Namespace) -> int:
    from cropkit.audit.chain import body_of  # noqa: PLC0415  (a database, not for `--help`)

    with opened(given.folder) as collection:
        name = None if given.image is None else relative(collection, given.folder, given.image)
        events = [e | {"body": body_of(e)} for e in collection.trail.events(name)]
    if given.json:
        document({"events": events})
    else:
        for one in events:
            tell(f"{one['at']}  {one['event']:<16} {one['path'] or ''}")
    return DONE


def _apply(given: argparse.Namespace) -> int:
    with (
        opened(given.folder, destination=given.move_to) as collection,
        collection.begin_run("apply"),
    ):
        results = collection.apply_waiting()
        session = collection.session
    told = tell_results(given, results)
    return FAILED if tell_degraded(given.folder, session) else told


def _settings(given: argparse.Namespace) -> int:
    from cropkit.formats.options import Options  # noqa: PLC0415  (only where it is needed)

    with opened(given.folder) as collection:
        chosen = collection.options.to_settings()
        if given.jpeg:
            chosen["jpeg"] = given.jpeg
        if given.drop or given.drop_nothing:
            chosen["drop"] = " ".join(given.drop or ())
        if chosen != collection.options.to_settings():
            collection.choose(Options.from_settings(chosen))
    if given.json:
        document({"settings": chosen})
    else:
        tell(*(f"{name}: {value}" for name, value in chosen.items()))
    return DONE


def _recover(given: argparse.Namespace) -> int:
    with opened(given.folder) as collection:
        done = [
            *collection.recovered,
            *(collection.recover(conflicts=True) if given.conflicts else ()),
        ]
        conflicts = [one.source for one in collection.trail.unsettled() if one.state == "conflict"]
    if given.json:
        document({"recovered": [asdict(one) for one in done], "conflicts": conflicts})
    for one in done:
        say(f"{one.path}: {one.kind} {one.outcome} {one.reason or ''}".rstrip())
    for path in conflicts:
        say(f"{path}: in conflict; `cropkit fsck` names it")
    if not done and not conflicts:
        say("nothing was open")
    return FAILED if conflicts else DONE


def _fsck(given: argparse.Namespace) -> int:
    if given.rebuild:
        from cropkit.collection import rebuild  # noqa: PLC0415  (a database, not for `--help`)

        say(f"{rebuild(given.folder)} events played into a new database")
    with opened(given.folder) as collection:
        differences = collection.fsck()
        head, database = collection.trail.head(), collection.trail.store.version
    if given.json:
        found = [asdict(one) for one in differences]
        document({"ok": not differences, "differences": found, "head": head, "database": database})
    for one in differences:
        say(f"{one.kind}: {one.path}: {one.reason}")
    if not differences:
        say(f"database and disk agree; the trail ends with {head}")
    say(database)
    return FAILED if differences else DONE


def _refused_json(given: argparse.Namespace, error: CropkitError) -> dict[str, Any]:
    from cropkit.records import Status  # noqa: PLC0415  (only where it is needed)

    result = CropResult(Status(error.status), str(given.image), error.code, str(error))
    return crop_json(result) | {"box_asked": list(given.box)}
