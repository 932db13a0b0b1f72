"""Scenes with one bright subject, and the crop that a person with a rule would want of each."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

from cropkit.taste import boxes, features
from cropkit.taste.boxes import Array
from cropkit.taste.portfolio import History

MIDDLE = np.array([0.2, 0.2, 0.8, 0.8])
SIZE = (192, 128)
NOTHING = np.nan
EDGES = ("left", "top", "right", "bottom")


def scene(
    rng: np.random.Generator, subject: Array, size: tuple[int, int] = (192, 128)
) -> Image.Image:
    """Draw a bright subject on a dim, slightly noisy ground."""
    pixels = rng.normal(70, 6, (size[1], size[0], 3))
    left, top, right, bottom = (subject * [*size, *size]).astype(int)
    pixels[top:bottom, left:right] = rng.normal(190, 25, (bottom - top, right - left, 3))
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def around(rng: np.random.Generator, count: int) -> tuple[list[Image.Image], Array]:
    """Draw scenes; the wanted crop is the subject and a tenth of the image on each side."""
    low = rng.uniform(0.12, 0.45, (count, 2))
    subjects = np.concatenate([low, low + rng.uniform(0.2, 0.4, (count, 2))], axis=1)
    wanted = boxes.valid(subjects + np.array([-0.1, -0.1, 0.1, 0.1]))
    return [scene(rng, each) for each in subjects], wanted


def learned(seed: int, count: int) -> tuple[Array, Array]:
    images, wanted = around(np.random.default_rng(seed), count)
    return np.array([features.features(each) for each in images]), wanted


def history(of: Array, wanted: Array, suggested: Array | None = None) -> History:
    none = np.full(wanted.shape, NOTHING)
    aspect = features.aspect(of)
    return History(of, wanted, aspect, none if suggested is None else suggested)


def worst_window(of: Array, width: int = 75) -> float:
    """Return the lowest mean of so many values in a row."""
    return float(np.convolve(of, np.ones(width) / width, "valid").min())


def data_set(folder: Path, rng: np.random.Generator, count: int) -> None:
    """Write scenes into a folder, with the crop of each that is wanted."""
    rows = []
    for number, (image, box) in enumerate(zip(*around(rng, count), strict=True)):
        image.save(folder / f"{number:03}.png")
        edges = dict(zip(EDGES, box.tolist(), strict=True))
        rows.append({"image": f"{number:03}.png", "width": 1920, "height": 1280} | edges)
    (folder / "crops.json").write_text(json.dumps(rows))
