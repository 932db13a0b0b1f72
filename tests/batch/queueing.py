"""What the tests of unattended runs share: collections that a reviewer has decided about."""

from pathlib import Path

import deciding
import numpy as np
import pictures
from PIL import Image

from cropkit.collection import Collection
from cropkit.geometry import PixelBox
from cropkit.records import Decision

BOX = PixelBox(5, 7, 61, 90)


def pattern(width: int, height: int, seed: int) -> Image.Image:
    """A picture in whole numbers: the same pixels on every machine, and no two rows alike."""
    y, x = np.mgrid[0:height, 0:width]
    channels = [x * 3 + y * 5 + seed * 17, x * y // 7 + seed * 5, (x ^ y) + seed * 29]
    return Image.fromarray((np.stack(channels, axis=-1) % 251).astype(np.uint8), "RGB")


def collection(folder: Path, count: int, *, sidecars: bool = False) -> Path:
    """Small PNGs with generation text, every third one a JPEG."""
    folder.mkdir(parents=True)
    for number in range(count):
        picture = pattern(96, 128, number)
        if number % 3 == 2:
            path = pictures.write_jpeg(folder / f"{number:04}.jpg", picture, orientation=6)
        else:
            text = {"parameters": pictures.PARAMETERS}
            path = pictures.write_png(folder / f"{number:04}.png", picture, text=text)
        if sidecars:
            pictures.write_sidecar(path, [0.125, 0.25, 0.875, 0.75])
    return folder


def decision(kit: Collection, path: str, box: PixelBox | None = BOX, **fields: object) -> Decision:
    return deciding.decision(kit, path, box, **fields)


def decide_all(folder: Path, box: PixelBox | None = BOX) -> list[str]:
    """Let a reviewer accept a box for each image, and crop none."""
    with Collection(folder, reviewer="ann", kind="review") as kit:
        made = [decision(kit, path, box) for path in kit.images()]
        kit.decide(made)
    return [one.id for one in made]


HOSTILE = "<img src=x onerror=alert(1)>.png"
SCRIPT = "\"'><script>window.hacked=1<\u2215script>{{7*7}}$(id).png"


def troubled(folder: Path) -> Path:
    """A reviewed collection in which, after the review, much has gone wrong."""
    collection(folder, 6)
    (folder / "0000.png").rename(folder / HOSTILE)
    (folder / "0001.png").rename(folder / SCRIPT)
    decide_all(folder)
    (folder / HOSTILE).write_bytes(b"written by somebody else")
    (folder / "0002.jpg").unlink()
    damaged = bytearray((folder / "0003.png").read_bytes())
    damaged[len(damaged) // 2] ^= 0xFF
    (folder / "0003.png").write_bytes(damaged)
    return folder
