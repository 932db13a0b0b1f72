"""What the commands share: describing options, opening a collection, telling what came of it."""

import argparse
import json
import os
import shlex
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TextIO, Unpack

from cropkit.bounds import Bounds
from cropkit.errors import CropkitError, NoCollection, PathOutsideRoot
from cropkit.geometry import Turn
from cropkit.names import all_escaped, escaped, printable
from cropkit.records import NEEDS_ADMINISTRATOR, CropResult
from cropkit.system.home import HOME

if TYPE_CHECKING:
    from cropkit.audit.integrity_reader import Progress
    from cropkit.audit.reader import TrailReader
    from cropkit.cli.ways import Opening
    from cropkit.collection import Collection
    from cropkit.system.scope import Scope

DONE, FAILED, USAGE = 0, 1, 2
STOPPED = 128  # and the number of the signal, as shells have it
_READING = (
    "review",
    "crop",
    "apply",
    "batch",
    "recut",
    "plan-review",
)  # what is a stranger's is read there
# argparse does not name the type of what add_subparsers returns
Commands = Any
Run = Callable[[argparse.Namespace], int]


def command(commands: Commands, name: str, text: str, run: Run) -> argparse.ArgumentParser:
    """Add a command; `run` returns its exit code."""
    bounds = Bounds.help() if name in _READING else None
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=text, description=text, epilog=bounds
    )
    parser.set_defaults(run=run, json=False, state=None, trail=None)
    return parser


def folder_command(commands: Commands, name: str, text: str, run: Run) -> argparse.ArgumentParser:
    """Add a command about one collection, with `--json`."""
    parser = command(commands, name, text, run)
    parser.add_argument("folder", type=Path, help="the collection's folder")
    add_state(parser)
    add_json(parser)
    return parser


def add_state(parser: argparse.ArgumentParser) -> None:
    """Give a command `--state` and `--trail`."""
    text = "folder that holds .cropkit, where that is not in the collection"
    parser.add_argument("--state", type=Path, metavar="DIR", help=text)
    text = "server of PostgreSQL that the trail is on, as postgresql://USER@HOST/DATABASE"
    parser.add_argument("--trail", metavar="URL", help=text)


@contextmanager
def trail_named(arguments: argparse.Namespace) -> "Iterator[None]":
    """Let all that a command starts ask the server that `--trail` names.

    Raises
    ------
    AuditUnavailable, BadTrail, NotInstalled
        It names none, or the collection has its trail in a file: nothing was opened.
    """
    if arguments.trail is None:
        yield
        return
    from cropkit.audit import places  # noqa: PLC0415  (database: not for `--help`)
    from cropkit.system.scope import scope_of  # noqa: PLC0415  (as above)

    places.check(arguments.trail)
    image, folder = getattr(arguments, "image", None), getattr(arguments, "folder", None)
    if folder is None and image is not None:
        folder = home_of(image)
    folders = folder if isinstance(folder, list) else [folder]
    states = [scope_of(each, arguments.state).state for each in folders if each and each.is_dir()]
    if len(states) == 1:
        places.known(states[0], arguments.trail)
    with places.said_for(states, arguments.trail):
        yield


def add_json(parser: argparse.ArgumentParser) -> None:
    """Give a command `--json`."""
    parser.add_argument("--json", action="store_true", help="print one JSON document on stdout")


def tell_degraded(folder: Path, session: str, state: Path | None = None) -> bool:
    """Tell, here and wherever alerts go, when a session was too degraded; return whether it was."""
    from cropkit.monitor import reporting  # noqa: PLC0415  (codecs and database: not for `--help`)

    alert = reporting.session_alert(folder, session, state)
    if alert is not None:
        say(str(alert))
        for failed in reporting.tell(folder, [alert], state):
            say(str(failed))
    return alert is not None


def crop_json(result: CropResult) -> dict[str, Any]:
    """Return a result as `crop --json` prints it."""
    fields = asdict(result)
    for name in ("box_asked", "box_applied"):
        box = getattr(result, name)
        fields[name] = list(box.xyxy) if box else None
    fields["dropped"] = [{"item": item, "reason": reason} for item, reason in result.dropped]
    return fields


def home_of(image: Path) -> Path:
    """Return the folder to open for an image: its own, which may be a part of a collection.

    Where its name leads out of the collection through a link, it is the collection, which refuses.
    """
    from cropkit.system import state_folder  # noqa: PLC0415  (only where it is needed)

    folder = image.absolute().parent
    outer = None if state_folder.exists(folder) else state_folder.above(folder)
    leads_out = outer is not None and not folder.resolve().is_relative_to(outer.resolve())
    return outer if outer is not None and leads_out else folder


def tell_results(arguments: argparse.Namespace, results: Sequence[CropResult]) -> int:
    """Print results, complain of those that failed, and return the exit code."""
    if arguments.json:
        counts = Counter(result.status.value for result in results)
        document({"results": [crop_json(result) for result in results], "counts": counts})
    else:
        for result in results:
            tell(line(result))
    for result in results:
        if not result.ok:
            say(result.message or str(result.code))
        say_degraded(result)
    return DONE if all(result.ok for result in results) else FAILED


def say_degraded(result: CropResult) -> None:
    """Tell in which way a result is worse than what was asked for, if it is."""
    if result.degraded is not None:
        say(f"{result.path}: {result.degraded}")
    for name in result.stale:
        say(f"{name}: {result.left_beside}")
    for item, reason in result.dropped:
        if reason == NEEDS_ADMINISTRATOR:
            say(f"{result.path}: without its {item}, which {reason}")


def line(result: CropResult) -> str:
    """Tell a result in one line."""
    where = f" -> {result.destination}" if result.destination else ""
    if result.box_applied is None:
        why = f": {result.message}" if result.status == "waiting" and result.ok else ""
        return f"{result.status} {result.path}{where}{why}"
    turn = Turn.from_text(result.turn)
    size = result.box_applied.size.turned(turn)
    words = f"{result.status} {result.path}{where}: {size.width} x {size.height} pixels"
    words += f", turned by {turn.angle:g} degrees" if turn.resamples else ""
    words += "" if turn.quarters.is_none else f", turned {turn.quarters.text}"
    if result.box_asked in (None, result.box_applied):
        return words
    asked, applied = (",".join(map(str, b.xyxy)) for b in (result.box_asked, result.box_applied))
    return f"{words}: {applied} for {asked}, by whole blocks"


def opened(folder: Path, **ways: Unpack["Opening"]) -> "Collection":
    """Open a collection for one command, and say where a new one is."""
    from cropkit.collection import Collection  # noqa: PLC0415  (codecs and database: not for `--help`)
    from cropkit.system.scope import scope_of  # noqa: PLC0415  (only where it is needed)

    is_new = not os.path.lexists(scope_of(folder, ways.get("state")).state / HOME)
    collection = Collection(folder, kind="shell", **ways)
    if not collection.scope.is_whole:
        say(str(collection.scope))
    elif is_new and collection.looking is None:
        say(f"{collection.scope.state / HOME} holds the trail and the originals from now on")
    if is_new and collection.scope.elsewhere is None:
        _say_whose(collection.root)
    for sentence in collection.trail.notices:
        say(sentence)
    return collection


def _say_whose(root: Path) -> None:
    """Tell the administrator that what they have made locks the owner of a folder out."""
    owner = root.stat().st_uid
    if os.geteuid() == 0 and owner != 0:
        mend = f"`chown -R {owner} {shlex.quote(str(root / HOME))}`"
        say(f"it is the administrator's: user {owner}, whose folder this is, needs {mend}")


def existing(folder: Path, state: Path | None = None) -> "Scope":
    """Return the collection that a folder is, or which part of one it is; write nothing.

    Raises
    ------
    NotAFolder, MissingFile, NoCollection
    """
    from cropkit.system import state_folder  # noqa: PLC0415  (only where it is needed)
    from cropkit.system.scope import scope_of  # noqa: PLC0415  (as above)

    scope = scope_of(folder, state)
    if scope.is_whole and not state_folder.exists(scope.state):
        raise NoCollection(folder)
    return scope


def opened_existing(folder: Path, **ways: Unpack["Opening"]) -> "Collection":
    """Open a collection that is there already, or a part of it."""
    existing(folder, ways.get("state"))
    return opened(folder, **ways)


def make_room(folder: Path) -> None:
    """Give the reserve back where nothing could be written, for a command that makes room."""
    from cropkit.system import disk_space, state_folder  # noqa: PLC0415  (only where it is needed)

    state_folder.check_is_folder(folder)
    state_folder.check(folder)
    lacking = disk_space.shortage(folder)
    if lacking and (freed := disk_space.give_back(folder)):
        say(f"{lacking}; the reserve, {freed}, is given back for this")


@contextmanager
def reading(folder: Path, state: Path | None = None) -> "Iterator[TrailReader]":
    """Read the trail of a collection, or of a part of it; nothing is written."""
    from cropkit.audit.reader import TrailReader  # noqa: PLC0415  (only where it is needed)
    from cropkit.audit.trust import FOREIGN  # noqa: PLC0415  (as above)
    from cropkit.system.files import Root  # noqa: PLC0415  (as above)

    scope = existing(folder, state)
    if not scope.is_whole:
        say(str(scope))
    with TrailReader(Root(scope.state), scope=scope) as trail:
        examined = trail.integrity.examined()
        if examined.foreign:
            say(FOREIGN)
        for reason in examined.forged[:1]:
            say(f"what follows is told by a trail that was forged, cut off or put back: {reason}")
        yield trail


@contextmanager
def progress_bar() -> "Iterator[Progress]":
    """Give out what shows how far long work is, on a terminal's stderr; elsewhere it is silent."""
    if not sys.stderr.isatty():
        yield lambda *_: None
        return
    from tqdm import tqdm  # noqa: PLC0415  (only where somebody sees it)

    with ExitStack() as open_bars:
        bars: dict[str, tqdm[NoReturn]] = {}

        def show(what: str, done: int, total: int) -> None:
            if what not in bars:
                open_bars.close()  # of what was gone through before
                bar = tqdm(desc=what, total=total, leave=False)
                bars[what] = open_bars.enter_context(bar)
            bars[what].update(done - bars[what].n)

        yield show


def name_in(trail: "TrailReader", image: Path) -> str:
    """Return an image's name in the collection.

    A person gives it relative to the collection or to where they are. Both are tried: what is
    there, or was there once, is what is meant.
    """
    from cropkit.system.files import split_beneath  # noqa: PLC0415  (only where it is needed)

    root, names = trail.scope.root, []
    for path in dict.fromkeys((image.absolute(), root / image)):
        with suppress(PathOutsideRoot):
            names.append(split_beneath(root, path))
    there = (n for n in names if os.path.lexists(root / n) or trail.contents.knows(n))
    return next(chain(there, reversed(names), [str(image.absolute())]))


def complain(error: CropkitError) -> None:
    """Tell an error by its name, on stderr."""
    say(f"{error.code}: {error}")


def document(value: dict[str, Any]) -> None:
    """Print the one JSON document."""
    write(json.dumps(all_escaped(value), indent=2, default=_text) + "\n")


def _text(value: object) -> str:
    return escaped(str(value))


def write(text: str) -> None:
    """Print on stdout what a program reads."""
    with _heard(sys.stdout):
        sys.stdout.write(text)


def tell(*lines: str) -> None:
    """Print lines on stdout for a person: nothing in them moves a cursor or ends a line."""
    with _heard(sys.stdout):
        sys.stdout.writelines(f"{_shown(line, sys.stdout)}\n" for line in lines)


def say(text: str) -> None:
    """Tell the person something in one line, on stderr, as harmlessly as `tell`."""
    with _heard(sys.stderr):
        sys.stderr.write(f"cropkit: {_shown(text, sys.stderr)}\n")


def say_lines(*lines: str) -> None:
    """Tell the person several lines, on stderr."""
    for text in lines:
        say(text)


def fill_streams() -> None:
    """Let streams that were closed (`>&-`) lead nowhere, before a file of ours gets their number.

    What a library prints, or a child that inherits them, would go into that file.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # its number is the least that is free: the one of the stream that was closed
            stream = Path(os.devnull).open(mode, encoding="utf-8")  # noqa: SIM115  (it stays open)
            os.set_inheritable(stream.fileno(), True)  # noqa: FBT003  (it has no name for it)
            setattr(sys, name, stream)


def finish(code: int) -> int:
    """Write out what is still to be written; return the exit code, which only a loss changes."""
    for stream in (sys.stdout, sys.stderr):
        with _heard(stream):
            stream.flush()
    lost = bool(_lost)
    _lost.clear()
    return FAILED if lost else code


_lost: list[str] = []


@contextmanager
def _heard(stream: TextIO) -> Iterator[None]:
    """Go on where nobody reads any more: what a command did stands, and so does its exit code."""
    try:
        yield
    except BrokenPipeError:
        _silence(stream)
    except OSError as error:
        _silence(stream)
        if stream is sys.stdout:
            _lost.append(str(error))
            say(f"stdout cannot be written: {error.strerror}")


def _silence(stream: TextIO) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _shown(text: str, stream: TextIO) -> str:
    """Return a text as this stream can show it: a terminal may know ASCII only."""
    encoding = stream.encoding or "utf-8"
    return printable(text).encode(encoding, "backslashreplace").decode(encoding)
