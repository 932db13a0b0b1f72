"""Where the CPU time of one crop goes, as shares of what Pillow takes without any proof.

    python benchmarks/shares.py [--task raw|deflate|lzw|webp] [--scale S]

One image after the other, by the whole protocol, on images that differ.
"""

import argparse
import functools
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import material
import rivals
from PIL import Image

from cropkit import formats
from cropkit.collection import Collection
from cropkit.geometry import PixelBox
from cropkit.system import files

IMAGES = 5
TASKS: dict[str, tuple[str, tuple[int, int], dict[str, Any]]] = {
    "raw": ("tif", (6000, 4000), {}),
    "deflate": ("tif", (6000, 4000), {"compression": "tiff_adobe_deflate"}),
    "lzw": ("tif", (6000, 4000), {"compression": "tiff_lzw"}),
    "webp": ("webp", (2000, 3000), {"quality": 90}),
}
PARTS = (
    (files.Root, "read", "read, digest"),
    (formats.Opened, "crop", "decode, encode"),
    (files.Root, "write_new", "write"),
    (files.Root, "sync", "sync"),
    (files.Root, "digest", "kept original"),
    (formats, "verify", "proof"),
)


def main() -> None:
    """Write a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", choices=TASKS)
    parser.add_argument("--scale", type=float, default=1.0, help="of the sides; small is quick")
    given = parser.parse_args()
    spent: dict[str, float] = {}
    for owner, name, label in PARTS:
        setattr(owner, name, _timed(getattr(owner, name), label, spent))
    heads = [label for _, _, label in PARTS]
    sys.stdout.write(f"| task | {' | '.join(heads)} | rest | all |\n|{'---|' * (len(heads) + 3)}\n")
    for task in [given.task] if given.task else TASKS:
        shares, whole = _shares(task, given.scale, spent)
        rest = whole - sum(shares.values())
        cells = [*(shares[head] for head in heads), rest, whole]
        sys.stdout.write(f"| {task} | {' | '.join(f'{cell:.2f}' for cell in cells)} |\n")


def _timed(
    call: Callable[..., object], label: str, spent: dict[str, float]
) -> Callable[..., object]:
    @functools.wraps(call)
    def timed(*args: object, **kwargs: object) -> object:
        began = time.process_time()
        try:
            return call(*args, **kwargs)
        finally:
            spent[label] = spent.get(label, 0.0) + time.process_time() - began

    return timed


def _shares(task: str, scale: float, spent: dict[str, float]) -> tuple[dict[str, float], float]:
    suffix, sides, options = TASKS[task]
    size = round(sides[0] * scale), round(sides[1] * scale)
    box = PixelBox(size[0] // 10, size[1] // 10, size[0] * 9 // 10, size[1] * 9 // 10)
    image = material.grained(*size)
    with tempfile.TemporaryDirectory(prefix="cropkit-benchmark-") as folder:
        for number in range(IMAGES):
            image.putpixel((0, 0), (number, number, number))
            image.save(Path(folder, f"{number}.{suffix}"), **options)
        naive = statistics.median(
            _spent(lambda: _naive(Path(folder, f"0.{suffix}"), box, options)) for _ in range(IMAGES)
        )
        with Collection(folder) as kit:
            made = [rivals.decision(kit, f"{n}.{suffix}", box) for n in range(IMAGES)]
            kit.decide(made)
            kit.apply(made[0].id)  # what is done once is no crop's
            spent.clear()
            whole = _spent(lambda: [kit.apply(one.id) for one in made[1:]])
    all_naive = naive * (IMAGES - 1)
    shares = {label: spent.get(label, 0.0) / all_naive for _, _, label in PARTS}
    return shares, whole / all_naive


def _naive(path: Path, box: PixelBox, options: dict[str, Any]) -> None:
    with Image.open(path) as image:
        image.crop(box.xyxy).save(path.with_name(f".naive{path.suffix}"), **options)


def _spent(run: Callable[[], object]) -> float:
    before = os.times()
    run()
    after = os.times()
    return after.user + after.system - before.user - before.system


if __name__ == "__main__":
    main()
