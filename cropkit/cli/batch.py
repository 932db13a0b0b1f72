"""The command that needs nobody: batch."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cropkit.cli import values
from cropkit.cli.executor import add_executor, check_executor
from cropkit.cli.shell import (
    DONE,
    FAILED,
    STOPPED,
    Commands,
    document,
    folder_command,
    say,
    tell,
    tell_degraded,
)
from cropkit.cli.ways import add_salvage, add_slots, add_ways, as_parameters
from cropkit.errors import BadParameter
from cropkit.system.scope import scope_of

if TYPE_CHECKING:
    from cropkit.batch.notebook_run import NotebookEnded
    from cropkit.batch.plan import Plan
    from cropkit.errors import CropkitError
    from cropkit.jupyter.notebooks import Literal

_TEXT = "crop a folder unattended, through the batch notebook"
_TAKEN = {"folder": "FOLDER", "run": "FOLDER", "state": "--state"}
_PATHS = ("destination", "copy_to", "suggestions")
_MOST = 20  # names that are printed; the record has all


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = folder_command(commands, "batch", _TEXT, _batch)
    parser.add_argument(
        *("-p", "--parameter"),
        nargs=2,
        action="append",
        default=[],
        metavar=("NAME", "VALUE"),
        help="a parameter of the notebook, such as: source suggestions",
    )
    parser.add_argument("-f", "--file", type=Path, metavar="YAML", help="parameters from a file")
    parser.add_argument(
        "--notebook", type=Path, metavar="PATH", help="another notebook of this kind"
    )
    text = "print what would be done and why something would be refused; write nothing"
    parser.add_argument("--dry-run", action="store_true", help=text)
    text = "threads that crop and verify (one for each processor)"
    parser.add_argument("--workers", type=values.from_one, metavar="N", help=text)
    add_executor(parser)
    add_salvage(parser)
    add_ways(parser)
    add_slots(parser)


def _batch(arguments: argparse.Namespace) -> int:
    from cropkit.batch.notebook_run import NOTEBOOK, run_notebook  # noqa: PLC0415  (as above)
    from cropkit.batch.parameters import from_yaml, typed  # noqa: PLC0415  (as above)
    from cropkit.jupyter import notebooks  # noqa: PLC0415  (Jupyter's libraries, for this command only)

    source = arguments.notebook or notebooks.notebook(NOTEBOOK)
    pairs = from_yaml(arguments.file) if arguments.file else []
    pairs += [(name, value) for name, value in arguments.parameter]
    pairs += [] if arguments.workers is None else [("workers", str(arguments.workers))]
    pairs += [] if arguments.executor is None else [("executor", arguments.executor)]
    for name, _ in pairs:
        if name in _TAKEN:
            raise BadParameter(source.name, name, f"{_TAKEN[name]} on the command line")
    parameters = _absolute(typed(source, pairs)) | as_parameters(arguments)
    scope = scope_of(arguments.folder, arguments.state)
    if not scope.is_whole:
        say(str(scope))
    if arguments.dry_run:
        return _dry_run(arguments, parameters)
    check_executor(parameters.get("executor"), scope)
    return _tell(arguments, run_notebook(arguments.folder, parameters, source, arguments.state))


def _absolute(parameters: "dict[str, Literal]") -> "dict[str, Literal]":
    """Take folders relative to where the person is; the kernel is elsewhere."""
    folders = {name: parameters.get(name) for name in _PATHS}
    wanted = {name: str(folder) for name, folder in folders.items() if folder}
    return parameters | {name: str(Path(folder).absolute()) for name, folder in wanted.items()}


def _tell(arguments: argparse.Namespace, ended: "NotebookEnded") -> int:
    if arguments.json:
        document(_json(ended))
    else:
        tell(ended.said, *(ended.run.promised if ended.run is not None else ()))
        _tell_unwell(ended)
    if ended.run is not None:
        say(f"report: {ended.folder / 'report.html'}")
    if ended.signal is not None:
        return STOPPED + ended.signal
    scope = scope_of(arguments.folder, arguments.state)
    well = ended.run is None or not tell_degraded(scope.root, ended.run.session, scope.elsewhere)
    return DONE if ended.ok and well else FAILED


def _tell_unwell(ended: "NotebookEnded") -> None:
    unwell = ended.run.unwell if ended.run is not None else ()
    for entry in unwell[:_MOST]:
        reason = ". ".join(filter(None, (entry.message, entry.cure)))
        tell(f"{entry.status:<11} {entry.path}  {reason}")
    if len(unwell) > _MOST:
        tell(f"and {len(unwell) - _MOST} more, in the report")


def _json(ended: "NotebookEnded") -> dict[str, Any]:
    run = ended.run
    answer: dict[str, Any] = {"ok": ended.ok, "said": ended.said, "folder": str(ended.folder)}
    if run is None:
        return answer
    unwell = [
        {"path": e.path, "status": e.status, "code": e.code, "message": e.message}
        for e in run.unwell
    ]
    return answer | {"state": run.state} | run.summary() | {"unwell": unwell}


def _dry_run(arguments: argparse.Namespace, parameters: "dict[str, Literal]") -> int:
    from cropkit.batch.dry_run import foreseen  # noqa: PLC0415  (as above)

    plan, in_the_way = foreseen(arguments.folder, parameters, arguments.state)
    if arguments.json:
        document(_plan_json(plan, in_the_way))
    else:
        tell(*_plan_lines(plan, in_the_way))
    return FAILED if plan.refused or in_the_way else DONE


def _plan_lines(plan: "Plan", in_the_way: "tuple[CropkitError, ...]") -> list[str]:
    from cropkit.batch.preflight import needed_bytes  # noqa: PLC0415  (as above)

    kinds = [item.kind.value for item in plan.ready]
    counts = ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds))
    return [
        f"would do: {counts or 'nothing'}",
        f"would refuse: {len(plan.refused)}; would leave alone: {len(plan.passed)}",
        f"read: {plan.size_bytes} bytes; room needed: at most {needed_bytes(plan.ready)} bytes",
        f"crops go: {', '.join(plan.destinations) or plan.placement.folder or 'in place'}",
        *(f"in the way: {error}" for error in in_the_way),
        *(f"refused: {error}" for _, error in plan.refused),
        *(f"left alone: {passed.path}: {passed.reason}" for passed in plan.passed[:_MOST]),
        *([f"and {len(plan.passed) - _MOST} more"] if len(plan.passed) > _MOST else []),
        "nothing was written",
    ]


def _plan_json(plan: "Plan", in_the_way: "tuple[CropkitError, ...]") -> dict[str, Any]:
    from cropkit.batch.preflight import needed_bytes  # noqa: PLC0415  (as above)

    return {
        "ok": not plan.refused and not in_the_way,
        "source": plan.source.value,
        "ready": [
            {"path": i.path, "kind": i.kind.value, "target": i.target, "bytes": i.size_bytes}
            for i in plan.ready
        ],
        "refused": [{"path": path, "code": e.code, "message": str(e)} for path, e in plan.refused],
        "left_alone": [{"path": passed.path, "reason": passed.reason} for passed in plan.passed],
        "in_the_way": [str(error) for error in in_the_way],
        "bytes": plan.size_bytes,
        "bytes_needed": needed_bytes(plan.ready),
        "destinations": list(plan.destinations),
    }
