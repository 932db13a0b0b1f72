"""`verify`: a data set proven from manifest, crops and sources alone; nothing is written."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cropkit.cli import values
from cropkit.cli.executor import add_executor, reach
from cropkit.cli.shell import (
    DONE,
    FAILED,
    USAGE,
    Commands,
    add_json,
    command,
    complain,
    document,
    progress_bar,
    say,
    tell,
    write,
)
from cropkit.errors import BadInput, MissingFile, NotAFolder, NotRegularFile
from cropkit.names import all_escaped

if TYPE_CHECKING:
    from cropkit.verification.differences import Verification
    from cropkit.verification.judging import Judged

_TEXT = "prove from the outside that crops are what a manifest says: pixels, captions, all of them"


def add(commands: Commands) -> None:
    """Describe `verify`."""
    parser = command(commands, "verify", _TEXT, _verify)
    parser.add_argument("dataset", type=Path, metavar="DATASET", help="folder of the crops")
    text = "where it is not manifest.jsonl, .csv or .parquet in that folder"
    parser.add_argument("--manifest", type=Path, metavar="FILE", help=text)
    text = "where sources lie, by name or by content; a collection has its kept originals, too"
    parser.add_argument(
        "--sources", type=Path, metavar="DIR", nargs="+", action="extend", default=[], help=text
    )
    text = "where crops lie that the manifest names in full, beside DATASET"
    parser.add_argument(
        "--crops", type=Path, metavar="DIR", nargs="+", action="extend", default=[], help=text
    )
    text = "what the manifest must have, as it was published"
    parser.add_argument("--manifest-sha256", metavar="HEX", help=text)
    text = "prove the pixels of N random rows; of the others, that their files are there"
    parser.add_argument("--sample", type=values.from_one, metavar="N", help=text)
    text = "of the sample, to have the same again"
    parser.add_argument("--seed", type=int, metavar="SEED", help=text)
    text = "processes (one for each core)"
    parser.add_argument("--jobs", type=values.from_one, metavar="N", help=text)
    add_executor(parser)
    text = "print one JSON object a line: one for each row, with its proof, and then the counts"
    parser.add_argument("--json-lines", action="store_true", help=text)
    add_json(parser)


def _verify(arguments: argparse.Namespace) -> int:
    from cropkit.verification.running import verify  # noqa: PLC0415  (codecs: not for `--help`)

    try:
        with progress_bar() as show:
            result = verify(
                arguments.dataset,
                manifest=arguments.manifest,
                sources=arguments.sources,
                crops=arguments.crops,
                manifest_sha256=arguments.manifest_sha256,
                sample=arguments.sample,
                seed=arguments.seed,
                jobs=arguments.jobs,
                reach=reach(arguments.executor),
                show=show,
                told=_line if arguments.json_lines else None,
            )
    except (BadInput, MissingFile, NotAFolder, NotRegularFile) as error:
        complain(error)
        if arguments.json or arguments.json_lines:
            document({"ok": False, "code": error.code, "message": str(error)})
        return USAGE
    _tell(arguments, result)
    return DONE if result.ok else FAILED


def _tell(arguments: argparse.Namespace, result: "Verification") -> None:
    if arguments.json:
        document(result.to_json())
        return
    if arguments.json_lines:
        _write_line({"summary": result.to_json()})
        return
    for difference in result.differences:
        where = "" if difference.line is None else f" (row at line {difference.line})"
        tell(f"{difference.kind}: {difference.path}{where}: {difference.reason}")
    left_off = sum(result.counts.values()) - len(result.differences)
    if left_off:
        say(f"{left_off:,} more differences are not listed")
    for what, number in result.by_content.items():
        say(f"{number:,} {what} were found by their content, under other names")
    for kind, number in result.by_proof.items():
        say(f"{number:,} by {kind}")
    tell(f"manifest: {result.manifest_sha256}  {result.manifest}", str(result))


def _line(judged: "Judged") -> None:
    """Print what became of a row."""
    proof = None if judged.proof is None else judged.proof.words
    differences = [difference.to_json() for difference in judged.differences]
    row = {"crop": judged.claim.crop, "line": judged.line, "proven": judged.is_proven}
    _write_line(row | {"proof": proof, "differences": differences})


def _write_line(value: dict[str, Any]) -> None:
    write(json.dumps(all_escaped(value), ensure_ascii=True) + "\n")
