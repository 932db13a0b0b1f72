"""`recut`: new crops of what was decided, for other targets."""

import argparse
import os
import shlex
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from cropkit.cli import values
from cropkit.cli.shell import (
    DONE,
    FAILED,
    Commands,
    document,
    existing,
    folder_command,
    opened_existing,
    progress_bar,
    say,
    tell,
    tell_degraded,
)
from cropkit.cli.ways import add_copies, as_parameters, of_copies, ways

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cropkit.engine.recutting import Recut, Step

_SHOWN = 20  # of each kind, on a terminal; `--json` has the first 10,000


def add(commands: Commands) -> None:
    """Describe the command."""
    text = "make new crops of decided images for other targets, unattended where the box holds"
    parser = folder_command(commands, "recut", text, _recut)
    text = "of the new crops: a part of their slots (the folder's name)"
    parser.add_argument("--as", dest="called", metavar="NAME", help=text)
    text = "only decisions about crops of this name; '' for those without one"
    parser.add_argument("--slot", metavar="NAME", help=text)
    text = "part of what was decided that a crop may lose, from 0 to 1 (0)"
    parser.add_argument("--most-cut", type=values.share, default=0.0, metavar="X", help=text)
    text = "say what would be done and what a person has to see; write nothing"
    parser.add_argument("--dry-run", action="store_true", help=text)
    text = "threads that crop and verify (one for each processor)"
    parser.add_argument("--workers", type=values.from_one, metavar="N", help=text)
    add_copies(parser)


def _recut(arguments: argparse.Namespace) -> int:
    existing(arguments.folder, arguments.state)
    if arguments.dry_run:
        return _dry_run(arguments)
    workers, how = arguments.workers or len(os.sched_getaffinity(0)), ways(arguments)
    with (
        ThreadPoolExecutor(workers, "cropkit-recut") as threads,
        opened_existing(arguments.folder, **how | {"threads": threads}) as collection,
        collection.begin_run("recut"),
        progress_bar() as show,
    ):
        result = collection.recut(
            name=arguments.called,
            slot=arguments.slot,
            most_cut=arguments.most_cut,
            progress=show,
        )
        session, root, state = collection.session, collection.root, collection.scope.elsewhere
    _tell(arguments, result)
    well = not tell_degraded(root, session, state)
    return DONE if result.ok and well else FAILED


def _dry_run(arguments: argparse.Namespace) -> int:
    from cropkit import clock  # noqa: PLC0415  (not for `--help`)
    from cropkit.audit.presence import whoami  # noqa: PLC0415  (a database: as above)
    from cropkit.batch.dry_run import asked_by, looked_at  # noqa: PLC0415  (as above)
    from cropkit.engine import recutting  # noqa: PLC0415  (as above)

    asked = asked_by(as_parameters(arguments))
    with (
        looked_at(arguments.folder, asked, arguments.state) as scene,
        progress_bar() as show,
    ):
        wish = recutting.wish_of(
            scene.trail,
            scene.ways,
            scene.placement.folder,
            name=arguments.called,
            slot=arguments.slot,
            most_cut=arguments.most_cut,
        )
        session = clock.session_name(clock.now())
        recutter = recutting.Recutter(
            scene.trail, scene.locations, wish, whoami(), session, reads=True
        )
        steps = recutter.steps(lambda done, total: show("decisions", done, total))
        result = recutting.foreseen(recutting.Recut(wish.name), steps)
    _tell(arguments, result)
    return DONE if result.ok else FAILED


def _tell(arguments: argparse.Namespace, result: "Recut") -> None:
    if arguments.json:
        lists = {"shown": _entries(result.shown), "failures": _entries(result.failures)}
        document(result.summary() | {"dry_run": arguments.dry_run} | lists)
        return
    made = "would be made" if arguments.dry_run else "made"
    tell(f"{result.name}: {result.made} {made}, {result.before} were made before")
    _list("failed", result.failures, result.failed)
    _list("to be seen", result.shown, result.to_show)
    if result.stopped:
        say(f"stopped: {result.stopped}")
    if any(step.stands and step.decision for step in result.shown) and not arguments.dry_run:
        say(f"to see them: {_review(arguments, result)}")
    if arguments.dry_run:
        say("nothing was written")


def _list(what: str, steps: "Sequence[Step]", count: int) -> None:
    for step in steps[:_SHOWN]:
        tell(f"{what:<10}  {step.path}{f' ({step.slot})' if step.slot else ''}  {step.why}")
    if count > _SHOWN:
        tell(f"and {count - _SHOWN} more {what} (`--json` has them)")


def _entries(steps: "Sequence[Step]") -> list[dict[str, Any]]:
    return [_entry(step) for step in steps]


def _entry(step: "Step") -> dict[str, Any]:
    entry: dict[str, Any] = {"path": step.path, "slot": step.slot, "why": step.why}
    if step.decision is None or step.decision.box is None:
        return entry
    near = {"target": step.decision.target, "nearest": list(step.decision.box.xyxy)}
    decided = step.decision.suggested
    of = {"decided": list(decided.xyxy)} if decided else {}
    return entry | near | of | {"image_stands": step.stands}


def _review(arguments: argparse.Namespace, result: "Recut") -> str:
    """Return the command that shows what a person has to see."""
    slots = dict.fromkeys(step.slot for step in result.shown if step.stands and step.decision)
    among = (arguments.targets or arguments.buckets or "").replace(",", "|")
    names = ",".join(f"{slot}={among}" if arguments.targets else slot for slot in slots)
    words = ["cropkit", "review", str(arguments.folder), "--slots", names]
    words += ["--buckets", arguments.buckets] if arguments.buckets else []
    words += ["--state", str(arguments.state)] if arguments.state else []
    return shlex.join([*words, *of_copies(arguments)])
