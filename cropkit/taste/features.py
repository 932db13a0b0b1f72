"""What is learned from an image: some hundred numbers of a thumbnail, no model, no download.

Three maps of 64 x 64 tell where something is to be seen: the spectral residual (Hou and Zhang,
"Saliency Detection: A Spectral Residual Approach", CVPR 2007), the gradient, and what differs from
the mean colour (Achanta et al., "Frequency-tuned Salient Region Detection", CVPR 2009). Of each,
quantiles along both axes say where its mass lies, and marginals in eight bins how it is spread.
"""

import numpy as np
from PIL import Image

from cropkit.taste.boxes import Array

VERSION = 1
SIDE = 64  # pixels of the thumbnail
_BINS = 8
_QUANTILES = np.array([0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98])  # symmetric: a mirror needs it
_MAPS = 3
_TINY = 1e-9
_PER_AXIS = len(_QUANTILES) + _BINS
_OF_MAPS = _MAPS * 2 * _PER_AXIS
COUNT = _OF_MAPS + 7
_OF_MAP = 2 * _PER_AXIS
_FACES = 11  # whether, how many, the largest, all of them: boxes, and the logarithm of an area
SEEN = _OF_MAP + 2 + _FACES
"""How many more there are of an image whose subjects and faces a model has looked for."""
LARGEST_FACE = slice(COUNT + SEEN - _FACES + 2, COUNT + SEEN - _FACES + 6)
"""Where among them the box of the largest face is; noughts, where there is none."""


def features(image: Image.Image, ratio: float | None = None) -> Array:
    """Return the features of an upright image: shape (COUNT,).

    Parameters
    ----------
    image : RGB, of any size
    ratio : width to height of the original; None: of `image`, where that is not much reduced
    """
    small = image.resize((SIDE, SIDE), Image.Resampling.BILINEAR, reducing_gap=2.0)
    pixels = np.asarray(small.convert("RGB"), dtype=np.float64)
    grey = pixels.mean(axis=2)
    maps = (_residual(grey), _gradient(grey), _colour_contrast(pixels, grey))
    spread = [_along(each, axis) for each in maps for axis in (0, 1)]
    shape = np.log(ratio or image.width / image.height)
    levels = [each.mean() for each in (grey, *maps[1:])] + [grey.std(), _peak(maps[0])]
    return np.concatenate([*spread, np.log1p(levels), [shape, abs(shape)]])


def aspect(of: Array) -> Array:
    """Return the ratios of images, width to height, (N,) from their features (N, COUNT)."""
    return np.asarray(np.exp(of[:, COUNT - 2]))


def of_map(subject: Array) -> Array:
    """Return where a map (SIDE, SIDE) from 0 to 1 has its mass, and how much: for `seen`."""
    spread = [_along(subject, axis) for axis in (0, 1)]
    return np.concatenate([*spread, [np.log1p(subject.mean()), np.log1p(_peak(subject))]])


def of_faces(faces: Array) -> Array:
    """Return where faces are, as numbers (_FACES,).

    Parameters
    ----------
    faces : boxes (N, 4), largest first
    """
    if not len(faces):
        return np.zeros(_FACES)
    whole = np.concatenate([faces[:, :2].min(axis=0), faces[:, 2:].max(axis=0)])
    area = float(np.prod(faces[0, 2:] - faces[0, :2]))
    return np.array([1, np.log1p(len(faces)), *faces[0], *whole, np.log(area + 1e-4)])


def mirrored(of: Array) -> Array:
    """Return features (N, COUNT) or (N, COUNT + SEEN) as of the images turned left to right."""
    turned = of.copy()
    across = turned[:, :_OF_MAPS].reshape(len(of), _MAPS, 2, _PER_AXIS)[:, :, 0]
    across[...] = _reversed(across)
    if of.shape[1] > COUNT:
        seen = turned[:, COUNT:]
        seen[:, :_PER_AXIS] = _reversed(seen[:, :_PER_AXIS])
        has_face = seen[:, -_FACES] > 0
        for at in (-9, -5):  # left and right of a box
            left, right = seen[:, at].copy(), seen[:, at + 2].copy()
            seen[:, at] = np.where(has_face, 1 - right, 0)
            seen[:, at + 2] = np.where(has_face, 1 - left, 0)
    return turned


def _reversed(across: Array) -> Array:
    """Return quantiles and bins along the horizontal axis, from its other end."""
    quantiles, bins = np.split(across, [len(_QUANTILES)], axis=-1)
    return np.concatenate([1 - quantiles[..., ::-1], bins[..., ::-1]], axis=-1)


def _along(of: Array, axis: int) -> Array:
    """Return where the mass of a map lies along an axis, and how it is spread."""
    mass = np.maximum(of, 0).sum(axis=axis) + _TINY
    ends = np.concatenate([[0.0], np.cumsum(mass) / mass.sum()])
    quantiles = np.interp(_QUANTILES, ends, np.linspace(0, 1, SIDE + 1))
    bins = mass.reshape(_BINS, -1).mean(axis=1)
    return np.concatenate([quantiles, bins / bins.mean()])


def _residual(grey: Array) -> Array:
    spectrum = np.fft.fft2(grey)
    logarithm = np.log(np.abs(spectrum) + _TINY)
    phase = np.angle(spectrum)
    unexpected = np.exp(logarithm - _mean_of_3(logarithm) + 1j * phase)
    return _blurred(np.abs(np.fft.ifft2(unexpected)) ** 2, 2.5)


def _gradient(grey: Array) -> Array:
    return np.asarray(sum(np.abs(each) for each in np.gradient(grey)))


def _colour_contrast(pixels: Array, grey: Array) -> Array:
    red, green, blue = np.moveaxis(pixels, -1, 0)
    opponents = (grey, 1.2 * (red - green), (red + green) / 2 - blue)
    squares = ((_blurred(each, 1.5) - each.mean()) ** 2 for each in opponents)
    return np.asarray(np.sqrt(sum(squares)))


def _peak(of: Array) -> float:
    return float(of.max() / (of.mean() + _TINY))


def _mean_of_3(of: Array) -> Array:
    return _convolved(of, np.full(3, 1 / 3))


def _blurred(of: Array, sigma: float) -> Array:
    reach = int(3 * sigma + 0.5)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    return _convolved(of, weights / weights.sum())


def _convolved(of: Array, weights: Array) -> Array:
    """Convolve along both axes, the borders reflected."""
    reach = len(weights) // 2
    padded = np.pad(of, reach, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, len(weights), axis=0)
    rows = windows @ weights
    return np.asarray(
        np.lib.stride_tricks.sliding_window_view(rows, len(weights), axis=1) @ weights
    )
