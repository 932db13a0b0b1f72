"""Up to three boxes for an image: the best one, and what covers most of what else is likely."""

import numpy as np

from cropkit.taste import boxes
from cropkit.taste.boxes import Array

_NEAR = 0.05  # of the side: what a reviewer takes as it is
_SLOPE = 4.0  # how sharp that is
_OVERLAP = 0.02  # worth of overlap, where nothing is near
_ALIKE = 0.01  # of the side: two boxes that nobody tells apart


def alternatives(best: Array, residuals: Array, count: int = 3) -> Array:
    """Return boxes for one image, best first; fewer than `count` where the others are alike.

    What a person would draw is imagined as the best box and an error that was seen before, each as
    likely as another. After the best box comes, again and again, the one of these that is near to
    most of those that none is near to yet.

    Parameters
    ----------
    best : box (4,)
    residuals : errors that were seen (R, 4)
    """
    likely = boxes.snapped(boxes.valid(best + residuals))
    worth = _worth(likely, likely)
    chosen = [best]
    covered = _worth(best[None], likely)[0]
    for _ in range(count - 1):
        next_best = int(np.maximum(worth, covered).mean(axis=1).argmax())
        if any(boxes.edges_within(likely[next_best], each, _ALIKE) for each in chosen):
            break
        chosen.append(likely[next_best])
        covered = np.maximum(covered, worth[next_best])
    return np.array(chosen)


def _worth(of: Array, to: Array) -> Array:
    """Return what each box is worth (A, B), would each of the others be what is wanted."""
    farthest = np.abs(of[:, None] - to[None]).max(axis=-1)
    steep = np.clip((farthest / _NEAR - 1) * _SLOPE, -30, 30)
    return np.asarray(1 / (1 + np.exp(steep)) + _OVERLAP * boxes.iou(of[:, None], to[None]))
