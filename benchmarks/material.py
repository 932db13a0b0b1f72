"""The images that the benchmarks crop: made, the same bytes each time, no two of one content."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from cropkit.geometry import PixelBox

_PARAMETERS = "a lighthouse at dusk, film grain\nSteps: 30, Sampler: DPM++ 2M, Seed: 1234567890"
# Ways to turn a picture into another one that costs the same.
_TURNS = (
    None,
    Image.Transpose.FLIP_LEFT_RIGHT,
    Image.Transpose.FLIP_TOP_BOTTOM,
    Image.Transpose.ROTATE_180,
)
MOST_IMAGES = len(_TURNS)


@dataclass(frozen=True, slots=True)
class Task:
    """A kind of file; the targets are the highest ratios to Pillow, mogrify and jpegtran."""

    name: str
    suffix: str
    size: tuple[int, int]
    paint: Callable[[int, int], Image.Image]
    options: Mapping[str, Any]
    targets: Mapping[str, float]

    def scaled(self, scale: float) -> "Task":
        """Return the same task on pictures whose sides are that much shorter."""
        width, height = (max(64, round(side * scale)) for side in self.size)
        return Task(self.name, self.suffix, (width, height), self.paint, self.options, self.targets)

    def files(self, count: int) -> Iterator[bytes]:
        """Make that many different files."""
        picture = self.paint(*self.size)
        for turn in _TURNS[:count]:
            yield self._saved(picture if turn is None else picture.transpose(turn))

    def box(self) -> PixelBox:
        """Return the middle, 0.8 of each side, at an odd offset."""
        width, height = self.size
        left, top = width // 10 + 1, height // 10 + 1
        return PixelBox(left, top, left + width * 8 // 10, top + height * 8 // 10)

    def _saved(self, picture: Image.Image) -> bytes:
        out = BytesIO()
        options = dict(self.options)
        if self.suffix == "png":
            options["pnginfo"] = PngInfo()
            options["pnginfo"].add_text("parameters", _PARAMETERS)
        picture.save(out, _PILLOW_NAMES[self.suffix], **options)
        return out.getvalue()


_PILLOW_NAMES = {"png": "PNG", "jpg": "JPEG", "webp": "WEBP", "tif": "TIFF"}


def grained(width: int, height: int) -> Image.Image:
    """Paint light, edges and texture with the grain of a sensor, each channel its own."""
    rng = np.random.default_rng(7)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    light = 110 + 60 * np.sin(x / 91) * np.cos(y / 77) + 25 * np.sin((x + y) / 9)
    light += 50 * ((x - width / 2) ** 2 + (y - height / 2) ** 2 < (height / 3) ** 2)
    scene = np.stack([light, light * 0.8 + 20, light * 0.6 + 50], axis=-1)
    scene += rng.normal(0, 2.2, scene.shape).astype(np.float32)
    return Image.fromarray(scene.clip(0, 255).astype(np.uint8))


def smooth(width: int, height: int) -> Image.Image:
    """Paint as a generator does before any grain is added: soft shapes, few edges."""
    small = grained(max(16, width // 3), max(16, height // 3))
    return small.resize((width, height), Image.Resampling.BICUBIC)


def screenshot(width: int, height: int) -> Image.Image:
    """Paint flat panels and lines of glyph-like marks."""
    rng = np.random.default_rng(7)
    page = np.full((height, width, 3), 245, np.uint8)
    page[:, : width // 5] = (40, 44, 52)
    page[: height // 20] = (220, 224, 230)
    glyphs = rng.integers(0, 2, (40, 12, 7), dtype=np.uint8) * 200
    for top in range(height // 16, height - 20, 18):
        for left in range(width // 4, width - 80 - int(rng.integers(0, width // 3)), 8):
            page[top : top + 12, left : left + 7] -= glyphs[rng.integers(0, 40)][:, :, None]
    return Image.fromarray(page)


def window(width: int, height: int) -> Image.Image:
    """Paint a window that holds a photograph: half of it is flat, half is not."""
    page = screenshot(width, height)
    inner = grained(width * 2 // 5, height // 2)
    page.paste(inner, (width // 2, height // 4))
    return page


_PNG = {1024: 0.18, 2048: 0.16, 3072: 0.15}
_FLAT = {"Pillow": 1.3, "mogrify": 1.1}
_JPEG = {"Pillow": 1.3, "mogrify": 0.6, "jpegtran": 1.45}
_CAMERA = (6000, 4000)
_jpeg = partial(dict[str, Any], quality=92)

TASKS = (
    *(
        Task(f"PNG, photograph, {side}²", "png", (side, side), grained, {}, {"Pillow": aim})
        for side, aim in _PNG.items()
    ),
    Task("PNG, smooth, 2048²", "png", (2048, 2048), smooth, {}, {}),
    Task("PNG, screenshot", "png", (1920, 1080), screenshot, {}, _FLAT),
    Task("PNG, screenshot with a photograph", "png", (1920, 1080), window, {}, _FLAT),
    Task("JPEG, 24 MP, 4:2:0", "jpg", _CAMERA, grained, _jpeg(), _JPEG),
    Task("JPEG, 24 MP, 4:2:2", "jpg", _CAMERA, grained, _jpeg(subsampling="4:2:2"), _JPEG),
    Task(
        "JPEG, 24 MP, progressive",
        "jpg",
        _CAMERA,
        grained,
        _jpeg(progressive=True),
        {"Pillow": 1.8},
    ),
    Task(
        "WebP, lossy, 2000 x 3000",
        "webp",
        (2000, 3000),
        grained,
        {"quality": 80},
        {"Pillow": 1.3, "mogrify": 1.0},
    ),
    Task(
        "TIFF, deflate, 24 MP",
        "tif",
        _CAMERA,
        grained,
        {"compression": "tiff_adobe_deflate"},
        {"Pillow": 0.45},
    ),
    Task("TIFF, LZW, 24 MP", "tif", _CAMERA, grained, {"compression": "tiff_lzw"}, {"Pillow": 1.5}),
    Task("TIFF, raw, 24 MP", "tif", _CAMERA, grained, {}, {"Pillow": 2.0}),
)
