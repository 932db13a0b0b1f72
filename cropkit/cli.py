"""The shell: one small function for each command, every one with `--help`.

Exit codes: 0 done, 1 something failed or was refused (the reason is on stderr, and in the JSON),
2 usage. With `--json`, stdout holds one JSON document and nothing else.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cropkit import __version__
from cropkit.errors import CropkitError
from cropkit.geometry import PixelBox
from cropkit.records import CropResult

if TYPE_CHECKING:
    from cropkit.kit import Kit

DONE, FAILED, USAGE = 0, 1, 2
# argparse does not name the type of what add_subparsers returns
Commands = Any
_HOME = ".cropkit"
_AGES = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_SIZES = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_NOT_YET = {
    "health": "alerts, heartbeat and degraded rates of a collection",
    "suggest": "crop boxes for images that have none",
    "import": "suggestions or decisions from other tools",
    "export": "decisions for other tools",
    "batch": "crop a folder unattended, through the batch notebook",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    given = parser().parse_args(argv)
    try:
        return int(given.run(given))
    except CropkitError as error:
        _complain(error)
        if given.json:
            _document({"ok": False, "code": error.code, "message": str(error)})
        return FAILED
    except KeyboardInterrupt:
        _say("stopped; what was decided is kept, what was begun is settled at the next start")
        return FAILED


def parser() -> argparse.ArgumentParser:
    """Describe every command; the README's list and its test are made from this."""
    top = argparse.ArgumentParser(prog="cropkit", description=__doc__.split("\n", 1)[0])
    top.add_argument("--version", action="version", version=f"cropkit {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_review(commands)
    _add_test(commands)
    _add_crop(commands)
    _add_collection_commands(commands)
    for name, text in _NOT_YET.items():
        one = _command(commands, name, f"{text} (not yet)", _not_yet)
        one.add_argument("anything", nargs="*", help=argparse.SUPPRESS)
    return top


def commands_markdown() -> str:
    """Return the commands as the README's table."""
    lines = ["| Command | Does |", "|---|---|"]
    for action in parser()._actions:  # noqa: SLF001  (argparse has no other way)
        choices = getattr(action, "_choices_actions", ())
        lines += [f"| `{choice.dest}` | {choice.help} |" for choice in choices]
    return "\n".join(lines)


# -- describing ----------------------------------------------------------------------------------


def _command(
    commands: Commands,
    name: str,
    text: str,
    run: Callable[[argparse.Namespace], int],
) -> argparse.ArgumentParser:
    one: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    one.set_defaults(run=run, json=False)
    return one


def _add_json(one: argparse.ArgumentParser) -> None:
    one.add_argument("--json", action="store_true", help="print one JSON document on stdout")


def _add_review(commands: Commands) -> None:
    one = _command(commands, "review", "review the crop boxes of a folder in JupyterLab", _review)
    one.add_argument("folder", nargs="?", type=Path, help="folder of images; without it, a demo")
    one.add_argument("--per-page", type=int, default=3, metavar="N", help="images side by side")
    one.add_argument("--move-to", type=Path, metavar="DIR", help="cropped images move there")
    one.add_argument("--defer", action="store_true", help="only record decisions; apply later")
    one.add_argument("--reviewer", default="", metavar="NAME", help="who decides")
    one.add_argument("--suggestions", type=Path, metavar="CSV", help="boxes instead of sidecars")
    orders, units = ("xyxy", "xywh", "cxcywh"), ("pixels", "normalized")
    one.add_argument("--order", choices=orders, default="xyxy", help="of the CSV's four numbers")
    one.add_argument("--units", choices=units, default="pixels", help="of the CSV's numbers")
    one.add_argument("--port", type=int, default=8888, help="the first port to try")
    one.add_argument("--no-browser", action="store_true", help="only print the address")


def _add_test(commands: Commands) -> None:
    text = "run the project's own tests, in a clone (arguments go to pytest)"
    _command(commands, "test", text, _test)


def _add_crop(commands: Commands) -> None:
    one = _command(commands, "crop", "crop one image in place, verified and undoable", _crop)
    one.add_argument("image", type=Path)
    text = "upright pixels: left,top,right,bottom"
    one.add_argument("--box", required=True, type=_edges, metavar="L,T,R,B", help=text)
    one.add_argument("--move-to", type=Path, metavar="DIR", help="move it there when cropped")
    _add_json(one)


def _add_collection_commands(commands: Commands) -> None:
    one = _command(commands, "demo", "make the demo collection in a folder", _demo)
    one.add_argument("folder", type=Path, help="a new or empty folder")
    one.add_argument("--count", type=int, default=24, help="how many images")
    one = _folder_command(commands, "undo", "bring files back byte for byte", _undo)
    one.add_argument("image", nargs="*", type=Path, help="only these images")
    one.add_argument("--last", type=int, default=1, metavar="N", help="how many (1)")
    one.add_argument("--all", action="store_true", help="everything, down to the originals")
    one.add_argument("--redo", action="store_true", help="take undos back instead")
    one = _folder_command(commands, "history", "show the audit trail", _history)
    one.add_argument("image", nargs="?", type=Path, help="only this image")
    one = _folder_command(commands, "apply", "carry out the decisions that wait", _apply)
    one.add_argument("--move-to", type=Path, metavar="DIR", help="cropped images move there")
    one = _folder_command(commands, "purge", "remove kept originals on purpose", _purge)
    one.add_argument("--older-than", type=_age, metavar="30d", help="not needed for longer")
    one.add_argument("--keep-size", type=_bytes, metavar="20GB", help="then until the rest fits")
    _folder_command(commands, "recover", "settle what a crash left open", _recover)
    one = _folder_command(commands, "fsck", "prove that database and disk agree", _fsck)
    text = "make a lost database anew from the trail's export first"
    one.add_argument("--rebuild", action="store_true", help=text)


def _folder_command(
    commands: Commands,
    name: str,
    text: str,
    run: Callable[[argparse.Namespace], int],
) -> argparse.ArgumentParser:
    one = _command(commands, name, text, run)
    one.add_argument("folder", type=Path, help="the collection's folder")
    _add_json(one)
    return one


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


# -- carrying out --------------------------------------------------------------------------------


def _review(given: argparse.Namespace) -> int:
    from cropkit.launch import launch  # noqa: PLC0415  (JupyterLab, for this command only)

    return launch(
        given.folder,
        per_page=given.per_page,
        destination=given.move_to,
        defer=given.defer,
        reviewer=given.reviewer,
        suggestions=given.suggestions,
        order=given.order,
        units=given.units,
        port=given.port,
        browser=not given.no_browser,
    )


def _test(_given: argparse.Namespace) -> int:
    _say("the tests run in a clone of the project: python3 -m cropkit test")
    return USAGE


def _demo(given: argparse.Namespace) -> int:
    from cropkit.demo import make_demo  # noqa: PLC0415  (only where it is needed)

    _write(f"{make_demo(given.folder, given.count)}\n")
    return DONE


def _crop(given: argparse.Namespace) -> int:
    try:
        with _opened(home_of(given.image), destination=given.move_to) as kit:
            box = PixelBox(*given.box)
            result = kit.crop(given.image.absolute(), box)
    except CropkitError as error:
        _complain(error)
        if given.json:
            _document(_refused_json(given, error))
        return FAILED
    if given.json:
        _document(crop_json(result))
    else:
        _write(f"{_line(result)}\n")
    return DONE


def _undo(given: argparse.Namespace) -> int:
    with _opened(given.folder) as kit:
        images = [_named(given.folder, image) for image in given.image]
        if given.redo:
            results = kit.redo(*images, last=given.last)
        else:
            results = kit.undo(*images, last=given.last, everything=given.all)
    return _results(given, results)


def _purge(given: argparse.Namespace) -> int:
    if given.older_than is None and given.keep_size is None:
        _say("purge needs --older-than or --keep-size: nothing is removed unasked")
        return USAGE
    with _opened(given.folder) as kit:
        results = kit.purge(older_than=given.older_than, keep_bytes=given.keep_size)
    return _results(given, results)


def _history(given: argparse.Namespace) -> int:
    with _opened(given.folder) as kit:
        name = None if given.image is None else _relative(kit, given.folder, given.image)
        events = [e | {"body": json.loads(e["body"])} for e in kit.trail.events(name)]
    if given.json:
        _document({"events": events})
    else:
        for one in events:
            _write(f"{one['at']}  {one['event']:<16} {one['path'] or ''}\n")
    return DONE


def _apply(given: argparse.Namespace) -> int:
    with _opened(given.folder, destination=given.move_to) as kit:
        results = kit.apply_waiting()
    return _results(given, results)


def _recover(given: argparse.Namespace) -> int:
    with _opened(given.folder) as kit:
        done = kit.recovered
        conflicts = [one.source for one in kit.trail.unsettled() if one.state == "conflict"]
    if given.json:
        _document({"recovered": [asdict(one) for one in done], "conflicts": conflicts})
    for one in done:
        _say(f"{one.path}: {one.kind} {one.outcome} {one.reason or ''}".rstrip())
    for path in conflicts:
        _say(f"{path}: in conflict; `cropkit fsck` names it")
    if not done and not conflicts:
        _say("nothing was open")
    return FAILED if conflicts else DONE


def _fsck(given: argparse.Namespace) -> int:
    if given.rebuild:
        from cropkit.kit import rebuild  # noqa: PLC0415  (a database, not for `--help`)

        _say(f"{rebuild(given.folder)} events played into a new database")
    with _opened(given.folder) as kit:
        differences = kit.fsck()
        head = kit.trail.head()
    if given.json:
        found = [asdict(one) for one in differences]
        _document({"ok": not differences, "differences": found, "head": head})
    for one in differences:
        _say(f"{one.kind}: {one.path}: {one.reason}")
    if not differences:
        _say(f"database and disk agree; the trail ends with {head}")
    return FAILED if differences else DONE


def _not_yet(given: argparse.Namespace) -> int:
    _say(f"{given.command} is not there yet")
    return USAGE


# -- telling -------------------------------------------------------------------------------------


def crop_json(result: CropResult) -> dict[str, Any]:
    """Return a result as `crop --json` prints it."""
    said = asdict(result)
    for name in ("box_asked", "box_applied"):
        box = getattr(result, name)
        said[name] = list(box.xyxy) if box else None
    said["dropped"] = [{"item": item, "reason": reason} for item, reason in result.dropped]
    return said


def home_of(image: Path) -> Path:
    """Return the nearest folder above an image that is a collection, else its own folder."""
    above = image.absolute().parents
    return next((folder for folder in above if (folder / _HOME).is_dir()), above[0])


def _refused_json(given: argparse.Namespace, error: CropkitError) -> dict[str, Any]:
    from cropkit.records import Status  # noqa: PLC0415  (only where it is needed)

    result = CropResult(Status(error.status), str(given.image), error.code, str(error))
    return crop_json(result) | {"box_asked": list(given.box)}


def _results(given: argparse.Namespace, results: Sequence[CropResult]) -> int:
    if given.json:
        _document({"results": [crop_json(one) for one in results]})
    else:
        for one in results:
            _write(f"{_line(one)}\n")
    for one in results:
        if not one.ok:
            _say(one.message or str(one.code))
    return DONE if all(one.ok for one in results) else FAILED


def _line(result: CropResult) -> str:
    where = f" -> {result.destination}" if result.destination else ""
    if result.box_applied is None:
        return f"{result.status} {result.path}{where}"
    size = result.box_applied.size
    return f"{result.status} {result.path}{where}: {size.width} x {size.height} pixels"


def _opened(folder: Path, destination: Path | None = None) -> "Kit":
    from cropkit.kit import Kit  # noqa: PLC0415  (codecs and database: not for `--help`)

    return Kit(folder, destination=destination, kind="shell")


def _named(folder: Path, image: Path) -> Path:
    """Take an image relative to the folder, or as the shell's completion gives it."""
    return image.absolute() if image.exists() or image.is_absolute() else folder / image


def _relative(kit: "Kit", folder: Path, image: Path) -> str:
    from cropkit.files import split_beneath  # noqa: PLC0415  (only where it is needed)

    return split_beneath(kit.root, _named(folder, image).absolute())


def _complain(error: CropkitError) -> None:
    _say(f"{error.code}: {error}")


def _document(value: dict[str, Any]) -> None:
    _write(json.dumps(value, indent=2, default=str) + "\n")


def _write(text: str) -> None:
    sys.stdout.write(text)


def _say(text: str) -> None:
    sys.stderr.write(f"cropkit: {text}\n")
