"""How good learned boxes are, beside constants and published figures, on photographs of a crowd.

    python benchmarks/suggest.py FOLDER [--vision] [--part NAME ...] [--images N] [--json]

FOLDER, or CROPKIT_FCDB, is a data set with `crops.json`, such as the training split of the Flickr
Cropping Dataset (Chen et al., WACV 2017). It is read and nothing is kept of it; where there is
none, that is said and nothing is measured. Each figure is of images that were not learned from,
with a 95 % interval. The published ones are of that dataset's test split, which this never sees:
other images, so that a difference of 0.01 says nothing. With --vision (the extra) it is learned by
what models see, too, and a house's rule on faces is tried. OPENBLAS_NUM_THREADS=1 for the times:
threads that wait for each other count as CPU time.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from cropkit.taste import boxes, evaluation, features
from cropkit.taste.alternatives import alternatives
from cropkit.taste.boxes import Array
from cropkit.taste.evaluation import replayed
from cropkit.taste.examples import Describe, examples
from cropkit.taste.head import Head
from cropkit.taste.mean import Mean
from cropkit.taste.portfolio import CENTRE, Choice, History
from cropkit.taste.proposing import describe_by

PUBLISHED = (  # overlap and displacement, of their papers or as later ones compare them
    ("A2-RL", 0.663, 0.089, "Li et al., CVPR 2018"),
    ("VFN", 0.684, 0.084, "Chen et al., ACM MM 2017"),
    ("GAIC", 0.673, None, "Zeng et al., CVPR 2019"),
    ("VPN", 0.711, 0.073, "Wei et al., CVPR 2018"),
    ("CACNet", 0.718, 0.069, "Hong et al., CVPR 2021"),
    ("MARS, aspect given", 0.735, None, "Li et al., CVPR 2020"),
)
SIZES = (20, 50, 100, 200, 500, 1000)
DRAWS, HELD_OUT = 6, 5  # draws of each size; one of so many images is not learned from
STREAM, WINDOW = 525, 75
BIAS = np.array([0.05, 0.07, -0.04, -0.08])
MINDED = 0.75  # of a reviewer's boxes: the model's with their own correction; others are free
NEAR = 0.05
LEARNED = 150  # decisions after which a rule is looked at

Row = tuple[str, dict[str, Any]]
Part = Callable[["Crowd"], Iterator[Row]]


@dataclass(frozen=True)
class Crowd:
    """A data set's decisions, and each image predicted by a head that has not seen it."""

    history: History
    predicted: Array


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    text = "a data set; else CROPKIT_FCDB"
    parser.add_argument("folder", nargs="?", default=os.environ.get("CROPKIT_FCDB"), help=text)
    parser.add_argument("--part", action="append", choices=PARTS, help="no more than this one")
    parser.add_argument("--images", type=int, help="no more than so many; few are quick")
    parser.add_argument("--vision", action="store_true", help="learn by what models see, too")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if given.folder is None or not Path(given.folder, "crops.json").is_file():
        place = given.folder or "CROPKIT_FCDB names no folder"
        sys.stdout.write(f"not measured: no data set with crops.json is there ({place})\n")
        return
    describe = describe_by(vision=given.vision)
    crowd = crowd_of(Path(given.folder), given.images, describe)
    parts = given.part or [part for part in PARTS if given.vision or part != "faces"]
    answers = {part: dict(PARTS[part](crowd)) for part in parts}
    if given.json:
        json.dump(answers, sys.stdout, indent=1)
    else:
        sys.stdout.write("".join(table(part, rows) for part, rows in answers.items()))


def crowd_of(folder: Path, most: int | None, describe: Describe) -> Crowd:
    """Read the data set, in an order of its own."""
    known = examples(folder, describe=describe).history
    order = np.random.default_rng(0).permutation(len(known))[:most]
    history = picked(known, order)
    return Crowd(history, evaluation.cross_validated(history).best)


def picked(known: History, order: Array) -> History:
    """Return decisions in another order."""
    chosen = (known.features[order], known.wanted[order], known.aspect[order])
    return History(*chosen, known.suggested[order])


def figures(of: Array, wanted: Array, every: list[Array] | None = None) -> dict[str, Any]:
    """Return the figures of boxes, as JSON has them."""
    means = evaluation.figures(of, wanted, every)
    return {name: mean.to_json() for name, mean in means.items() if mean is not None}


def mean(of: Array) -> dict[str, Any]:
    """Return a mean with its interval."""
    known = Mean.of(of)
    return {} if known is None else known.to_json()


# -- parts ---------------------------------------------------------------------------------------


def cross_validation(crowd: Crowd) -> Iterator[Row]:
    """Yield what is learned from four fifths, free and with the aspect given, and constants."""
    known, wanted = crowd.history, crowd.history.wanted
    learned = evaluation.cross_validated(known)
    yield "learned, free", figures(learned.best, wanted, list(learned.boxes))
    sides = wanted[:, 2:] - wanted[:, :2]
    ratio = sides[:, 0] / sides[:, 1]
    yield "learned, aspect given", figures(boxes.with_ratio(learned.best, ratio), wanted)
    constants = {"median": np.median(wanted, axis=0), "centre 0.9": CENTRE, "whole": boxes.WHOLE}
    for name, box in constants.items():
        yield f"constant: {name}", figures(np.tile(box, (len(wanted), 1)), wanted)
    for name, overlap, displacement, source in PUBLISHED:
        shown = {"iou": overlap, "displacement": displacement}
        yield f"published: {name}", {"source": f"{source}; test split"} | shown


def curve(crowd: Crowd) -> Iterator[Row]:
    """Yield what so many decisions teach, and the median of as many."""
    known = crowd.history
    is_asked = np.arange(len(known)) % HELD_OUT == 0
    asked, pool = known.some(is_asked), known.some(~is_asked)
    for size in (each for each in SIZES if each <= len(pool)):
        drawn = [_drawn(pool, asked, size, seed) for seed in range(DRAWS)]
        for place, name in enumerate(("learned", "median")):
            parts = [figures_of_each(each[place], asked.wanted) for each in drawn]
            rows = {
                name: mean(np.mean([each[name] for each in parts], axis=0)) for name in parts[0]
            }
            if name == "learned":
                rows["best_of_3_within_5"] = mean(np.mean([each[2] for each in drawn], axis=0))
            yield f"{size} decisions, {name}", rows


def _drawn(pool: History, asked: History, size: int, seed: int) -> tuple[Array, Array, Array]:
    chosen = picked(pool, np.random.default_rng(seed).permutation(len(pool))[:size])
    head = Head.fitted(chosen.features, chosen.wanted)
    best = boxes.snapped(head.predicted(asked.features))
    pairs = zip(best, asked.wanted, strict=True)
    hits = [
        boxes.edges_within(alternatives(box, head.residuals), wanted, NEAR).any()
        for box, wanted in pairs
    ]
    return best, np.tile(head.median, (len(asked), 1)), np.array(hits, dtype=np.float64)


def figures_of_each(of: Array, wanted: Array) -> dict[str, Array]:
    """Return an image's figures, for each image."""
    return {
        "iou": boxes.iou(of, wanted),
        "displacement": boxes.displacement(of, wanted),
        "within_5": boxes.edges_within(of, wanted, NEAR).astype(float),
    }


def stream(crowd: Crowd) -> Iterator[Row]:
    """Yield what a review gains over the constant that it replaces, and its worst window."""
    for name, change in (("crowd", lambda known: known), ("aspect-locked", locked)):
        for seed in range(2):
            known = change(shuffled(crowd.history, seed))
            centre = np.tile(CENTRE, (len(known), 1))
            yield f"{name}, order {seed + 1}", gained(known, replayed(known).best, centre)


def locked(known: History) -> History:
    """Return the decisions as those of a reviewer who keeps each image's own ratio."""
    return replace(known, wanted=boxes.with_ratio(known.wanted, np.ones(len(known))))


def shuffled(known: History, seed: int) -> History:
    """Return some decisions in another order, as many as a stream has."""
    return picked(known, np.random.default_rng(seed).permutation(len(known))[:STREAM])


def gained(known: History, shown: Array, base: Array) -> dict[str, Any]:
    """Return what boxes are worth, and what they gain over others: in the mean, and at worst."""
    differences = boxes.iou(shown, known.wanted) - boxes.iou(base, known.wanted)
    later = slice(min(225, len(known) // 2), None)
    width = min(WINDOW, len(known))
    windows = np.convolve(differences, np.ones(width) / width, "valid")
    return {
        **figures(shown[later], known.wanted[later]),
        "base_iou": mean(boxes.iou(base, known.wanted)[later]),
        "gain_iou": mean(differences),
        "worst_window": float(windows.min()),
    }


def models(crowd: Crowd) -> Iterator[Row]:
    """Yield what corrections of a model's boxes gain: of one with a bias, and of one without."""
    known = replace(crowd.history, suggested=crowd.predicted)
    order = np.random.default_rng(1).permutation(len(known))[:STREAM]
    unbiased = picked(known, order)
    yield "no bias", _of_model(unbiased)
    rng = np.random.default_rng(2)
    is_minded = rng.random(len(unbiased)) < MINDED
    meant = boxes.valid(unbiased.suggested + BIAS + rng.normal(0, 0.01, (len(unbiased), 4)))
    wanted = np.where(is_minded[:, None], meant, unbiased.wanted)
    yield "bias", _of_model(replace(unbiased, wanted=wanted))


def _of_model(known: History) -> dict[str, Any]:
    shown = replayed(known).best
    answers = gained(known, shown, known.suggested)
    for name, of in (("model", known.suggested), ("shown", shown)):
        near = boxes.edges_within(of, known.wanted, NEAR).astype(float)
        answers[f"{name}_within_5_after_20"] = mean(near[20:])
    return answers


def faces(crowd: Crowd) -> Iterator[Row]:
    """Yield how soon a house's rule on faces is learned: by what models see, and without.

    The rule is invented: the face at 0.38 of a crop of four times its height, in the image's own
    ratio; where there is no face, 0.8 of the image; with errors of a hundredth of the side.
    """
    every = shuffled(crowd.history, 3)
    if every.features.shape[1] == features.COUNT:
        yield "not measured: needs --vision", {}
        return
    wanted = portraits(every.features[:, features.LARGEST_FACE])
    noise = np.random.default_rng(4).normal(0, 0.01, wanted.shape)
    known = replace(
        every, wanted=boxes.with_ratio(boxes.valid(wanted + noise), np.ones(len(every)))
    )
    has_face = every.features[:, features.LARGEST_FACE.start - 2] > 0
    for name, width in (("by what models see", None), ("without", features.COUNT)):
        asked = replace(known, features=known.features[:, :width])
        shown = replayed(asked).best
        near = boxes.edges_within(shown, known.wanted, NEAR).astype(float)
        centre = np.tile(CENTRE, (len(known), 1))
        for which, chosen in (("all", np.ones(len(known), bool)), ("with a face", has_face)):
            later = chosen & (np.arange(len(known)) >= LEARNED)
            row = {
                "within_5": mean(near[later]),
                "iou": mean(boxes.iou(shown, known.wanted)[later]),
            }
            yield (
                f"{name}, {which}, after {LEARNED}",
                row
                | {
                    "centre_within_5": mean(
                        boxes.edges_within(centre, known.wanted, NEAR)[later].astype(float)
                    )
                },
            )


def portraits(face: Array) -> Array:
    """Return the crops of a house's rule (N, 4) for the largest faces (N, 4), nought for none."""
    height = np.clip(4 * (face[:, 3] - face[:, 1]), 0.3, 1)
    left = np.clip((face[:, 0] + face[:, 2]) / 2 - height / 2, 0, 1 - height)
    top = np.clip((face[:, 1] + face[:, 3]) / 2 - 0.38 * height, 0, 1 - height)
    meant = np.stack([left, top, left + height, top + height], axis=1)
    return np.where(face[:, 2:3] > 0, meant, np.array([0.1, 0.1, 0.9, 0.9]))


def cost(crowd: Crowd) -> Iterator[Row]:
    """Yield the time of features beyond decoding, and of learning anew, in ms of this machine."""
    image = _noise()
    yield "features", {"ms": _ms(lambda: features.features(image), 50)}
    known = crowd.history.some(slice(-1000, None))
    yield (
        f"a head of {len(known)}",
        {"ms": _ms(lambda: Head.fitted(known.features, known.wanted), 3)},
    )
    yield f"a choice by {len(known)}", {"ms": _ms(lambda: Choice().again(known), 1)}


def _noise() -> Any:  # noqa: ANN401  (Pillow's)
    from PIL import Image  # noqa: PLC0415  (only here)

    pixels = np.random.default_rng(0).integers(0, 255, (256, 256, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def _ms(call: Callable[[], object], times: int) -> float:
    """Return the CPU time of a call, the least of several."""
    spent = []
    for _ in range(times):
        began = time.process_time()
        call()
        spent.append(time.process_time() - began)
    return 1000 * min(spent)


PARTS: dict[str, Part] = {
    "cross-validation": cross_validation,
    "curve": curve,
    "stream": stream,
    "models": models,
    "faces": faces,
    "cost": cost,
}


# -- telling -------------------------------------------------------------------------------------


def table(part: str, rows: dict[str, dict[str, Any]]) -> str:
    """Return a part as a table in Markdown."""
    names = list(dict.fromkeys(name for row in rows.values() for name in row))
    lines = [f"\n## {part}\n", f"| | {' | '.join(names)} |", f"|---|{'---|' * len(names)}"]
    for name, row in rows.items():
        lines.append(f"| {name} | {' | '.join(_cell(row.get(each)) for each in names)} |")
    return "\n".join(lines) + "\n"


def _cell(value: Any) -> str:  # noqa: ANN401  (a figure of some kind)
    if isinstance(value, dict) and value:
        half = (value["high"] - value["low"]) / 2
        return f"{value['mean']:.3f} ± {half:.3f}"
    if isinstance(value, float):
        return f"{value:.3f}"
    return str(value or "")


if __name__ == "__main__":
    main()
