"""Many boxes at once: fractions of their images, left, top, right, bottom; shape (…, 4)."""

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

WHOLE = np.array([0.0, 0.0, 1.0, 1.0])
LEAST = 0.02  # of a side, that a box has at least
_SNAP = 0.01  # of a side: a box this near to a border is meant to reach it


def iou(a: Array, b: Array) -> Array:
    """Return intersection over union of boxes (…, 4) and (…, 4)."""
    low, high = np.maximum(a[..., :2], b[..., :2]), np.minimum(a[..., 2:], b[..., 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=-1)
    return np.asarray(shared / (area(a) + area(b) - shared))


def area(of: Array) -> Array:
    """Return the areas of boxes (…, 4), as fractions of their images'."""
    return np.asarray(np.prod(of[..., 2:] - of[..., :2], axis=-1))


def displacement(a: Array, b: Array) -> Array:
    """Return the mean distance of the four edges: BDE, boundary displacement error."""
    return np.asarray(np.abs(a - b).mean(axis=-1))


def edges_within(a: Array, b: Array, fraction: float) -> Flags:
    """Return whether all four edges are within a fraction of the side."""
    return np.asarray(np.abs(a - b).max(axis=-1) <= fraction)


def edges_moved(a: Array, b: Array, fraction: float) -> Array:
    """Return how many of the four edges are farther away than a fraction of the side."""
    return np.asarray((np.abs(a - b) > fraction).sum(axis=-1), dtype=np.float64)


def valid(of: Array) -> Array:
    """Return boxes (…, 4) brought inside of their images, each with a least width and height."""
    low = np.clip(of[..., :2], 0, 1 - LEAST)
    return np.concatenate([low, np.clip(of[..., 2:], low + LEAST, 1)], axis=-1)


def snapped(of: Array) -> Array:
    """Return boxes whose edges reach the borders that they nearly reach."""
    low = np.where(of[..., :2] < _SNAP, 0.0, of[..., :2])
    return np.concatenate([low, np.where(of[..., 2:] > 1 - _SNAP, 1.0, of[..., 2:])], axis=-1)


def mirrored(of: Array) -> Array:
    """Return boxes (…, 4) as they are in the image turned left to right."""
    left, top, right, bottom = np.moveaxis(of, -1, 0)
    return np.stack([1 - right, top, 1 - left, bottom], axis=-1)


def with_ratio(of: Array, ratio: Array) -> Array:
    """Return boxes of the same centre and area with other ratios, moved and shrunk to fit inside.

    Parameters
    ----------
    of : boxes (N, 4)
    ratio : width to height, both as fractions of their sides (N,): 1 is the image's own ratio
    """
    size = np.sqrt(area(of))[:, None] * np.stack([ratio, 1 / ratio], axis=-1) ** 0.5
    size = size / np.maximum(size.max(axis=-1, keepdims=True), 1)
    centre = (of[:, :2] + of[:, 2:]) / 2
    low = np.clip(centre - size / 2, 0, 1 - size)
    return np.concatenate([low, low + size], axis=-1)
