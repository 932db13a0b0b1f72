"""CPU of a verified crop, as a ratio to naive Pillow (and to ``mogrify -crop`` where installed).

Run ``python benchmarks/formats.py [ROUNDS]``. Each round times every tool once, in turn, so that a
busy machine slows all of them; the table shows medians. Ours includes reading the header, the crop,
and the proof by decoding; naive Pillow proves nothing and loses the metadata.
"""

import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from cropkit import formats
from cropkit.geometry import PixelBox

_ROUNDS = 5
Task = Callable[[], int]


def grained(width: int, height: int) -> Image.Image:
    """Render light, edges and texture with the grain of a sensor, each channel its own."""
    rng = np.random.default_rng(7)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    light = 110 + 60 * np.sin(x / 91) * np.cos(y / 77) + 25 * np.sin((x + y) / 9)
    light += 50 * ((x - width / 2) ** 2 + (y - height / 2) ** 2 < (height / 3) ** 2)
    scene = np.stack([light, light * 0.8 + 20, light * 0.6 + 50], axis=-1)
    scene += rng.normal(0, 2.2, scene.shape).astype(np.float32)
    return Image.fromarray(scene.clip(0, 255).astype(np.uint8))


def screenshot(width: int, height: int) -> Image.Image:
    """Flat panels, lines of glyph-like marks and a few gradients."""
    rng = np.random.default_rng(7)
    page = np.full((height, width, 3), 245, np.uint8)
    page[:, : width // 5] = (40, 44, 52)
    page[: height // 20] = (220, 224, 230)
    glyphs = rng.integers(0, 2, (40, 12, 7), dtype=np.uint8) * 200
    for top in range(height // 16, height - 20, 18):
        for left in range(width // 4, width - 80 - int(rng.integers(0, width // 3)), 8):
            page[top : top + 12, left : left + 7] -= glyphs[rng.integers(0, 40)][:, :, None]
    return Image.fromarray(page)


def sources() -> Mapping[str, tuple[str, bytes]]:
    """Name of each task, with a file name and the file."""
    made = {
        f"PNG photographic {side}²": ("a.png", grained(side, side)) for side in (1024, 2048, 3072)
    }
    made["PNG screenshot 1920 x 1080"] = ("a.png", screenshot(1920, 1080))
    found = {task: (name, _saved(image, name)) for task, (name, image) in made.items()}
    for task, options in (
        ("4:2:0", {}),
        ("4:4:4", {"subsampling": "4:4:4"}),
        ("progressive", {"progressive": True}),
    ):
        found[f"JPEG 12 MP {task}"] = (
            "a.jpg",
            _saved(grained(4000, 3000), "a.jpg", quality=92, **options),
        )
    return found


def _saved(image: Image.Image, name: str, **options: Any) -> bytes:  # noqa: ANN401  (Pillow takes any)
    out = BytesIO()
    image.save(out, "PNG" if name.endswith("png") else "JPEG", **options)
    return out.getvalue()


def _box(data: bytes) -> PixelBox:
    width, height = Image.open(BytesIO(data)).size
    left, top = width // 10 + 1, height // 10 + 1
    return PixelBox(left, top, left + width * 8 // 10, top + height * 8 // 10)


def ours(name: str, data: bytes) -> int:
    """Crop with proof; return the bytes of the crop."""
    candidate = formats.crop(data, name, _box(data))
    formats.verify(candidate.data, candidate, name)
    return len(candidate.data)


def naive(name: str, data: bytes) -> int:
    """Crop as most scripts do."""
    return len(_saved(Image.open(BytesIO(data)).crop(_box(data).xyxy), name))


def mogrify(name: str, data: bytes) -> int:
    """Crop a copy in place with ImageMagick."""
    box = _box(data)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(data)
        geometry = f"{box.size.width}x{box.size.height}+{box.left}+{box.top}"
        command = ["mogrify", "-crop", geometry, "+repage", str(path)]
        subprocess.run(command, check=True)  # noqa: S603  (our own words)
        return path.stat().st_size


def _cpu() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _timed(task: Task) -> tuple[float, int]:
    before = _cpu()
    size = task()
    return _cpu() - before, size


def measured(name: str, data: bytes, rounds: int) -> dict[str, tuple[float, int]]:
    """Return median seconds of CPU and bytes for each tool, after one warm round."""
    tools = {"cropkit": ours, "Pillow": naive}
    if shutil.which("mogrify"):
        tools["mogrify"] = mogrify
    runs = [
        {tool: _timed(lambda run=run: run(name, data)) for tool, run in tools.items()}  # type: ignore[misc]  # mypy does not infer a lambda's default
        for _ in range(rounds + 1)
    ][1:]
    return {
        tool: (statistics.median(run[tool][0] for run in runs), runs[0][tool][1]) for tool in tools
    }


def main() -> None:
    """Print the table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else _ROUNDS
    out = sys.stdout.write
    out(
        "| task | cropkit ms | / Pillow | / mogrify | bytes / Pillow | bytes / original by area |\n"
    )
    out("|---|---|---|---|---|---|\n")
    for task, (name, data) in sources().items():
        found = measured(name, data, rounds)
        seconds, size = found["cropkit"]
        width, height = Image.open(BytesIO(data)).size
        scaled = size / (len(data) * _box(data).size.area / (width * height))
        against = [
            f"{seconds / found[tool][0]:.2f}" if tool in found else "-"
            for tool in ("Pillow", "mogrify")
        ]
        cells = [
            task,
            f"{seconds * 1000:.0f}",
            *against,
            f"{size / found['Pillow'][1]:.2f}",
            f"{scaled:.3f}",
        ]
        out(f"| {' | '.join(cells)} |\n")


if __name__ == "__main__":
    main()
