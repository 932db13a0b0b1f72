"""Commands that work on a collection: crop, history, apply, purge, recover, fsck."""

import argparse
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cropkit.cli import values
from cropkit.cli.shell import (
    DONE,
    FAILED,
    USAGE,
    Commands,
    add_json,
    add_state,
    command,
    complain,
    crop_json,
    document,
    existing,
    folder_command,
    home_of,
    line,
    make_room,
    name_in,
    opened,
    opened_existing,
    progress_bar,
    reading,
    say,
    say_degraded,
    tell,
    tell_degraded,
    tell_results,
)
from cropkit.cli.ways import add_salvage, add_ways, ways
from cropkit.errors import AuditCorrupt, BadBox, CropkitError, MissingFile, NotRegularFile
from cropkit.geometry import PixelBox, Turn
from cropkit.records import CropResult, are_credentials_lost

if TYPE_CHECKING:
    from cropkit.collection import Collection
    from cropkit.engine.fsck import Difference

_UNSIGNED = ", without its content credentials"


def add_crop(commands: Commands) -> None:
    """Describe `crop`."""
    parser = command(commands, "crop", "crop one image, verified and undoable", _crop)
    parser.add_argument("image", type=Path)
    text = "upright pixels: left,top,right,bottom"
    parser.add_argument("--box", required=True, type=values.edges, metavar="L,T,R,B", help=text)
    text = "turn what the box holds clockwise: 0, 90, 180 or 270"
    parser.add_argument("--turn", type=int, default=0, metavar="DEGREES", help=text)
    text = "straighten: turn a copy clockwise by up to 45 degrees, as -1.3, about the box's middle"
    parser.add_argument("--angle", default="0", metavar="DEGREES", help=text)
    text = "mirror what the box holds: horizontal or vertical"
    parser.add_argument("--flip", metavar="WAY", help=text)
    add_salvage(parser)
    add_ways(parser)
    text = "which crop of the image it is, a part of the copy's name"
    parser.add_argument("--slot", default="", metavar="NAME", help=text)
    add_state(parser)
    add_json(parser)


def add(commands: Commands) -> None:
    """Describe the others."""
    parser = folder_command(commands, "history", "show the audit trail", _history)
    parser.add_argument("image", nargs="?", type=Path, help="only this image")
    parser = folder_command(commands, "apply", "carry out the decisions that wait", _apply)
    add_ways(parser)
    parser = folder_command(
        commands, "purge", "remove kept originals, and what merges left, on purpose", _purge
    )
    parser.add_argument(
        "--older-than", type=values.age, metavar="30d", help="not needed for longer"
    )
    parser.add_argument(
        "--keep-size", type=values.size, metavar="20GB", help="then until the rest fits"
    )
    parser = folder_command(commands, "recover", "settle what a crash left open", _recover)
    text = "take operations in conflict back, now that the foreign content is elsewhere"
    parser.add_argument("--conflicts", action="store_true", help=text)
    parser = folder_command(commands, "fsck", "prove that database and disk agree", _fsck)
    text = "make a lost database anew from the trail's export first"
    parser.add_argument("--rebuild", action="store_true", help=text)
    text = "do not read again what an fsck that was cut off has read and found right"
    parser.add_argument("--resume", action="store_true", help=text)
    text = "also hold the trail against a head kept elsewhere, or a file of them"
    parser.add_argument("--against", metavar="SEQ:HASH|FILE", help=text)


def _crop(arguments: argparse.Namespace) -> int:
    try:
        box = _box(arguments)
        _check_is_file(arguments.image)
        with opened(home_of(arguments.image), **ways(arguments)) as collection:
            turn = Turn.of(arguments.turn, arguments.flip, arguments.angle)
            image = arguments.image.absolute()
            result = collection.crop(image, box, turn=turn, slot=arguments.slot)
    except CropkitError as error:
        complain(error)
        if arguments.json:
            document(_refused_json(arguments, error))
        return FAILED
    say_degraded(result)
    if arguments.json:
        document(crop_json(result))
    else:
        tell(line(result))
    return DONE


def _check_is_file(image: Path) -> None:
    """Refuse what is no image before a collection is made for it."""
    if not image.name or not os.path.lexists(image):
        raise MissingFile(str(image))
    if not stat.S_ISREG(image.lstat().st_mode):
        raise NotRegularFile(str(image))


def _box(arguments: argparse.Namespace) -> PixelBox:
    try:
        return PixelBox(*arguments.box)
    except BadBox as error:
        raise error.about(str(arguments.image)) from None


def _purge(arguments: argparse.Namespace) -> int:
    if arguments.older_than is None and arguments.keep_size is None:
        say("purge needs --older-than or --keep-size: nothing is removed unasked")
        return USAGE
    make_room(existing(arguments.folder, arguments.state).state)
    with opened(arguments.folder, state=arguments.state) as collection:
        results = collection.purge(older_than=arguments.older_than, keep_bytes=arguments.keep_size)
    return tell_results(arguments, results)


def _history(arguments: argparse.Namespace) -> int:
    from cropkit.audit.chain import body_of  # noqa: PLC0415  (a database, not for `--help`)

    with reading(arguments.folder, arguments.state) as trail:
        name = None if arguments.image is None else name_in(trail, arguments.image)
        rows, lost = trail.events_looked_through(name)
    events = []
    for row in rows:
        try:
            events.append(row | {"body": _facts(body_of(row))})
        except (AuditCorrupt, TypeError) as error:
            lost.append(f"event {row['seq']} cannot be read: {error}")
    for sentence in lost:
        say(sentence)
    if arguments.json:
        document({"events": events, "lost": lost})
    else:
        slots = {event["body"].get("id"): event["body"].get("slot") for event in events}
        for event in events:
            slot = slots.get(event["body"].get("decision")) or event["body"].get("slot")
            which = f" ({slot})" if slot else ""
            less = _UNSIGNED if _lost_credentials(event["body"]) else ""
            tell(f"{event['at']}  {event['event']:<16} {event['path'] or ''}{which}{less}")
    return FAILED if lost else DONE


def _facts(body: object) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise TypeError("it tells no facts")
    return body


def _lost_credentials(body: dict[str, Any]) -> bool:
    """Whether an event tells of a crop without its content credentials; it may be anybody's."""
    from cropkit.audit import operations  # noqa: PLC0415  (a database, not for `--help`)

    try:
        report = operations.from_row(body["operation"]).report
        return are_credentials_lost(report.get("dropped", ()))
    except (KeyError, TypeError, AuditCorrupt):  # no operation, or none of ours: `fsck` names it
        return False


def _apply(arguments: argparse.Namespace) -> int:
    with (
        opened_existing(arguments.folder, **ways(arguments)) as collection,
        collection.begin_run("apply"),
    ):
        results = _carried_out(collection)
        session, root = collection.session, collection.root
        state = collection.scope.elsewhere
    if not results:
        say(f"{arguments.folder}: no decision waits; nothing to carry out")
    code = tell_results(arguments, results)
    return FAILED if tell_degraded(root, session, state) else code


def _carried_out(collection: "Collection") -> list[CropResult]:
    waiting = collection.trail.decisions.waiting()
    numbers = count(1)
    with progress_bar() as show:
        return collection.apply_waiting(
            lambda _: show("decisions", next(numbers), len(waiting)), decisions=waiting
        )


def _recover(arguments: argparse.Namespace) -> int:
    with opened_existing(arguments.folder, state=arguments.state) as collection:
        done = [
            *collection.recovered,
            *(collection.recover(conflicts=True) if arguments.conflicts else ()),
        ]
        others = {each.operation.id: each.said for each in collection.trail.operations.left_alone()}
        conflicts = [
            operation.source
            for operation in collection.trail.operations.unsettled()
            if operation.state == "conflict" and collection.scope.holds(operation.source)
            if operation.id not in others
        ]
    if arguments.json:
        entries = [asdict(settled) for settled in done]
        answer = {"recovered": entries, "conflicts": conflicts}
        document(answer | {"left_alone": list(others.values())})
    for settled in done:
        say(f"{settled.path}: {settled.kind} {settled.outcome} {settled.reason or ''}".rstrip())
    for path in conflicts:
        say(f"{path}: in conflict; `cropkit fsck` names it")
    if not (done or conflicts or others):
        say("nothing was open")
    return FAILED if conflicts or others else DONE


def _fsck(arguments: argparse.Namespace) -> int:
    from cropkit.audit import kept_heads  # noqa: PLC0415  (a database, not for `--help`)
    from cropkit.engine.fsck import elsewhere, fsck, proven  # noqa: PLC0415  (as above)
    from cropkit.engine.locations import locations_of  # noqa: PLC0415  (as above)

    kept = kept_heads.read(arguments.against) if arguments.against else ()
    if arguments.rebuild:
        from cropkit.collection import rebuild  # noqa: PLC0415  (a database, not for `--help`)

        say(f"{rebuild(arguments.folder, arguments.state)} events played into a new database")
    with reading(arguments.folder, arguments.state) as trail, progress_bar() as show:
        locations = locations_of(trail)
        read = proven(locations, trail, resume=arguments.resume)
        with _telling(read.notices), read:
            differences = fsck(locations, trail, show, read)
        differences += [*elsewhere(trail, kept), *_imported(trail.scope.state)]
        facts = {"head": trail.integrity.head(), "database": trail.store.version}
        examined = trail.integrity.examined()
    if arguments.json:
        entries = [asdict(difference) for difference in differences]
        answer = {"ok": not differences, "differences": entries, "unverified": examined.unverified}
        document(answer | facts | {"foreign": examined.foreign, "resumed": read.resumed})
    for difference in differences:
        say(f"{difference.kind}: {difference.path}: {difference.reason}")
    if not differences:
        say(f"database and disk agree; the trail ends with {facts['head']}")
    for sentence in examined.unverified:
        say(f"cannot be verified: {sentence}")
    say(facts["database"])
    return FAILED if differences else DONE


def _imported(state: Path) -> "list[Difference]":
    """Tell of imported boxes that cannot be used."""
    from cropkit.engine.fsck import Difference  # noqa: PLC0415  (not for `--help`)
    from cropkit.labels.store import Imported  # noqa: PLC0415  (as above)
    from cropkit.system.home import SUGGESTIONS  # noqa: PLC0415  (as above)

    reason = Imported(state).damage(deep=True)
    return [] if reason is None else [Difference("suggestions", SUGGESTIONS, reason)]


@contextmanager
def _telling(notices: list[str]) -> Iterator[None]:
    """Say what there is to say before long work, and what has come up in it, however it ended."""
    before = list(notices)
    for notice in before:
        say(notice)
    try:
        yield
    finally:
        for notice in notices[len(before) :]:
            say(notice)


def _refused_json(arguments: argparse.Namespace, error: CropkitError) -> dict[str, Any]:
    from cropkit.records import Status  # noqa: PLC0415  (only where it is needed)

    result = CropResult(Status(error.status), str(arguments.image), error.code, str(error))
    return crop_json(result) | {"box_asked": list(arguments.box)}
