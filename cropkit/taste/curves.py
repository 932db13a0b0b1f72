"""What so many decisions teach, and by how much each edge is corrected."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cropkit.taste import boxes
from cropkit.taste.boxes import Array
from cropkit.taste.examples import Examples
from cropkit.taste.head import Head
from cropkit.taste.mean import Mean
from cropkit.taste.portfolio import CENTRE, History

EDGES = ("left", "top", "right", "bottom")
Places = npt.NDArray[np.int_]
_STEPS = (0, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)
_HELD_OUT = 5  # one of so many images is not learned from
_FEWEST = 5  # images that a point is drawn for


@dataclass(frozen=True, slots=True)
class Point:
    """The overlap after so many decisions, and that of what is shown where nothing is learned."""

    decisions: int
    learned: Mean
    constant: Mean

    def to_json(self) -> dict[str, Any]:
        """Return it as `--json` has it."""
        means = {"learned": self.learned.to_json(), "constant": self.constant.to_json()}
        return {"decisions": self.decisions} | means


def of_review(known: History, shown: Array) -> tuple[Point, ...]:
    """Return points of a review, each of the images between two of them.

    Parameters
    ----------
    known : decisions, oldest first, with a model's boxes where there were some
    shown : what was, or would have been, shown (N, 4)
    """
    base = np.where(known.has_suggestion[:, None], known.suggested, CENTRE)
    learned, constant = (boxes.iou(each, known.wanted) for each in (shown, base))
    ends = (*_STEPS[1:], len(known))
    spans = [slice(start, end) for start, end in zip(_STEPS, ends, strict=True)]
    points = (_point(each.start, learned[each], constant[each]) for each in spans)
    return tuple(each for each in points if each is not None)


def of_heads(known: History) -> tuple[Point, ...]:
    """Return points of a data set: heads of some of its images, on others; and their median."""
    if len(known) < _FEWEST:
        return ()
    order = np.random.default_rng(0).permutation(len(known))
    asked, pool = order[: len(known) // _HELD_OUT or 1], order[len(known) // _HELD_OUT or 1 :]
    sizes = [size for size in _STEPS[1:] if size < len(pool)] + [len(pool)]
    points = (_of_size(known, pool[:size], asked) for size in sizes)
    return tuple(each for each in points if each is not None)


def edge_bias(of: Examples) -> dict[str, Mapping[str, Mean | None]]:
    """Return what was decided less what a model proposed, as fractions of the side, by model."""
    names = np.array([f"{each.suggestion} {each.version}".strip() for each in of.sources])
    return dict(_biases(of.of_models, names))


def _biases(known: History, names: Any) -> Iterator[tuple[str, Mapping[str, Mean | None]]]:  # noqa: ANN401  (texts)
    proposed = known.has_suggestion
    moved = known.wanted - known.suggested
    for name in np.unique(names[proposed]):
        chosen = moved[proposed & (names == name)]
        yield str(name), {edge: Mean.of(chosen[:, at]) for at, edge in enumerate(EDGES)}


def _of_size(known: History, learned_from: Places, asked: Places) -> Point | None:
    head = Head.fitted(known.features[learned_from], known.wanted[learned_from])
    best = boxes.snapped(head.predicted(known.features[asked]))
    wanted = known.wanted[asked]
    return _point(len(learned_from), boxes.iou(best, wanted), boxes.iou(head.median, wanted))


def _point(decisions: int, learned: Array, constant: Array) -> Point | None:
    means = Mean.of(learned), Mean.of(constant)
    if len(learned) < _FEWEST or means[0] is None or means[1] is None:
        return None
    return Point(decisions, means[0], means[1])
