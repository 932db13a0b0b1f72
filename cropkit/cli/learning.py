"""`suggest --evaluate` and `--train-head`: how good boxes are, and what decisions teach."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cropkit.cli.shell import DONE, FAILED, USAGE, document, progress_bar, say, tell
from cropkit.errors import BadTaste
from cropkit.names import all_escaped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cropkit.records import Problem
    from cropkit.suggest.detections import Detections
    from cropkit.taste.curves import Point
    from cropkit.taste.evaluation import Evaluation, Figures, Predictions
    from cropkit.taste.examples import Examples
    from cropkit.taste.mean import Mean

_SHOWN = 20  # problems that are told one by one; `--json` has all
_EDGES = ("left", "top", "right", "bottom")
_COLUMNS = {
    "iou": ("IoU", 1),
    "displacement": ("displaced", 1),
    "within_2": ("≤ 2 %", 100),
    "within_5": ("≤ 5 %", 100),
    "within_10": ("≤ 10 %", 100),
    "edges_moved": ("edges moved", 1),
    "drag": ("drag", 1),
    "best_of_3_within_5": ("best of 3 ≤ 5 %", 100),
    "untouched": ("untouched %", 100),
    "seconds": ("seconds", 1),
}


def add(parser: argparse.ArgumentParser) -> None:
    """Give `suggest` what it does without a model; FOLDER may be a data set then."""
    text = "what `--train-head` wrote: its boxes are kept, or told how good they are"
    parser.add_argument("--head", type=Path, metavar="FILE", help=text)
    either = parser.add_mutually_exclusive_group()
    text = "tell how near boxes are to what was decided, in a collection or a data set"
    either.add_argument("--evaluate", action="store_true", help=text)
    text = "learn from a data set, or a collection, and write that to `--out`"
    either.add_argument("--train-head", action="store_true", help=text)
    text = "of a data set or collection: also by what models see (the extra vision)"
    parser.add_argument("--vision", action="store_true", help=text)
    text = "of `--evaluate`: a new file, a line for each image with up to three boxes"
    parser.add_argument("--predictions", type=Path, metavar="FILE", help=text)
    text = "of `--train-head`: the new file, a few kB of JSON"
    parser.add_argument("--out", type=Path, metavar="FILE", help=text)


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked; files are read, and nothing but what was named is written."""
    if arguments.train_head and arguments.out is None:
        say("suggest --train-head needs --out FILE")
        return USAGE
    out = arguments.out if arguments.train_head else arguments.predictions
    if out is not None and out.exists():
        raise BadTaste(out, "is there already, and nothing is written over")
    return (_train if arguments.train_head else _evaluate)(arguments)


def _train(arguments: argparse.Namespace) -> int:
    from cropkit.taste.examples import examples  # noqa: PLC0415  (codecs: not for `--help`)
    from cropkit.taste.head import Head  # noqa: PLC0415  (as above)
    from cropkit.taste.proposing import describe_by  # noqa: PLC0415  (as above)

    with progress_bar() as show:
        describe = describe_by(vision=arguments.vision)
        known = examples(arguments.folder, show, state=arguments.state, describe=describe)
    _check_has_some(known, arguments.folder)
    head = Head.fitted(known.history.features, known.history.wanted)
    head.write(arguments.out)
    if arguments.json:
        answer = {"ok": True, "head": str(arguments.out), "images": head.count}
        document(answer | {"constant": head.is_constant, "problems": as_json(known.problems)})
    else:
        nothing = "; nothing beyond its median box" if head.is_constant else ""
        tell(f"{arguments.out}: learned from {head.count:,} images{nothing}")
    complain_of(known.problems)
    return FAILED if known.problems else DONE


def _evaluate(arguments: argparse.Namespace) -> int:
    from cropkit.taste import head  # noqa: PLC0415  (as above)
    from cropkit.taste.report import evaluated  # noqa: PLC0415  (as above)

    chosen = head.read(arguments.head) if arguments.head else None
    with progress_bar() as show:
        report = evaluated(
            *(arguments.folder, arguments.state, chosen, show),
            vision=arguments.vision,
            model=_model(arguments),
        )
    known, result = report.known, report.evaluation
    _check_has_some(known, arguments.folder)
    if arguments.predictions is not None:
        _write(arguments.predictions, known.images, report.predictions)
    if arguments.json:
        document(
            {"ok": not known.problems} | result.to_json() | {"problems": as_json(known.problems)}
        )
    else:
        tell(*_table(result))
    complain_of(known.problems)
    return FAILED if known.problems else DONE


def _model(arguments: argparse.Namespace) -> "Detections | None":
    if arguments.onnx is None:
        return None
    from cropkit.suggest import onnx_model  # noqa: PLC0415  (as above)

    return onnx_model.suggester(arguments.onnx, arguments.name or "", arguments.version)


def _check_has_some(known: "Examples", folder: Path) -> None:
    if not known.images:
        complain_of(known.problems)
        raise BadTaste(folder, "has no image with a crop that was decided on")


def _write(path: Path, images: tuple[str, ...], predictions: "Predictions") -> None:
    with path.open("x", encoding="utf-8") as file:
        for image, boxes, source, confidence in zip(
            images,
            predictions.boxes,
            predictions.sources,
            predictions.confidences,
            strict=True,
        ):
            row = {
                "image": image,
                "boxes": boxes.round(6).tolist(),
                "source": source,
                "confidence": confidence,
            }
            file.write(json.dumps(all_escaped(row)) + "\n")


def _table(result: "Evaluation") -> list[str]:
    from cropkit.taste.report import rows_of  # noqa: PLC0415  (as above)

    head = f"{result.images:,} images, {result.how}; ± is half of a 95 % interval"
    columns = [title for title, _ in _COLUMNS.values()]
    lines = [head, *_aligned([("", *columns), *(_row(*row) for row in rows_of(result))])]
    if result.curve:
        after = [("after decisions", "IoU", "nothing learned"), *map(_point, result.curve)]
        lines += ["", *_aligned(after)]
    if result.edge_bias:
        moved = [("edges moved by", *_EDGES), *map(_bias, result.edge_bias.items())]
        lines += ["", *_aligned(moved)]
    return lines


def _aligned(rows: "Sequence[tuple[str, ...]]") -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in rows]
    return [line.rstrip() for line in lines]


def _row(name: str, figures: "Figures") -> tuple[str, ...]:
    cells = (_cell(figures.get(key), scale) for key, (_, scale) in _COLUMNS.items())
    return (name, *cells)


def _point(point: "Point") -> tuple[str, ...]:
    return f"{point.decisions:,}", _cell(point.learned, 1), _cell(point.constant, 1)


def _bias(row: "tuple[str, Figures]") -> tuple[str, ...]:
    name, edges = row
    return (name, *(_cell(edges[edge], 1) for edge in _EDGES))


def _cell(mean: "Mean | None", scale: int) -> str:
    if mean is None:
        return ""
    digits = 3 if scale == 1 else 1
    half = (mean.high - mean.low) / 2
    return f"{scale * mean.mean:.{digits}f} ± {scale * half:.{digits}f}"


def as_json(problems: "Sequence[Problem]") -> list[dict[str, Any]]:
    """Return problems as `--json` has them."""
    return [{"where": each.path, "reason": each.reason} for each in problems]


def complain_of(problems: "Sequence[Problem]") -> None:
    """Tell the first problems, and how many more there are."""
    for problem in problems[:_SHOWN]:
        say(f"{problem.path}: {problem.reason}")
    if len(problems) > _SHOWN:
        say(f"… and {len(problems) - _SHOWN} more (`--json` has all)")
