"""A collection to try a review on, made on the spot: the same each time, on every processor.

Twenty-three pictures are rendered: subjects on backgrounds with the grain that a codec meets in
photographs. One is a photograph: ``grace_hopper.jpg``, a portrait of Grace Hopper by James S.
Davis, a work of the United States Navy and as such in the public domain, which matplotlib ships in
its sample data.

PNGs carry generation text, JPEGs orientation, ICC profile, position and thumbnail. Each image has a
`.decision` sidecar, two of them broken on purpose; some have a caption and settings as companions.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count as numbers
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

from cropkit.demo import metadata, scenes
from cropkit.demo.paint import Frame, developed
from cropkit.demo.plan import PALETTES, PLAN, Picture
from cropkit.demo.props import Box
from cropkit.errors import NameTaken
from cropkit.geometry import NormalizedBox, Size
from cropkit.monitor.plots import matplotlib_data

_SOURCES = """\
grace_hopper.jpg  Portrait of Grace Hopper by James S. Davis, United States Navy: public domain.
                  Shipped with matplotlib (mpl-data/sample_data/grace_hopper.jpg).
All other images  Rendered by cropkit (BSD-3-Clause, as cropkit itself).
Two sidecars are broken on purpose, to show what a review does with them.
"""
_FACE = NormalizedBox(0.11, 0.02, 0.85, 0.76)
_RENDERED_SIDE = 560  # pixels; the rest is enlarged, as a lens would blur it
_QUALITY = 90
_TURNED = {  # what undoes Pillow's exif_transpose
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    6: Image.Transpose.ROTATE_90,
    8: Image.Transpose.ROTATE_270,
}


def make_demo(folder: Path, count: int = len(PLAN)) -> Path:
    """Make a demo collection and return its folder.

    Parameters
    ----------
    count : how many images; beyond the first two dozen, further renderings of the same subjects

    Raises
    ------
    NameTaken
        When the folder holds anything: nothing was written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    taken = next(folder.iterdir(), None)
    if taken is not None:
        raise NameTaken(folder, taken.name)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda job: _make(folder, *job), islice(_jobs(), count)))
    (folder / "SOURCES.txt").write_text(_SOURCES, encoding="utf-8")
    return folder


def _jobs() -> Iterator[tuple[Picture, int]]:
    for again in numbers():
        for place, picture in enumerate(PLAN):
            name = f"{again}_{picture.name}" if again else picture.name
            yield replace(picture, name=name), again * len(PLAN) + place


def _make(folder: Path, picture: Picture, seed: int) -> None:
    path = folder / picture.name
    if picture.scene == "photograph":
        path.write_bytes(_photograph())
        box = _FACE
    else:
        image, box = _rendered(picture, seed)
        _save(image, path, picture, seed)
    group = path.stem.partition("_stage")[0]
    text = metadata.sidecar(picture.sidecar, path.name, group, box)
    stem = group if picture.sidecar == "group" else path.stem
    path.with_name(f"{stem}.decision").write_text(text, encoding="utf-8")
    if picture.text:
        _companions(path, picture, seed)


def _rendered(picture: Picture, seed: int) -> tuple[Image.Image, NormalizedBox]:
    size = picture.size
    scale = _RENDERED_SIDE / min(size.width, size.height)
    frame = Frame(
        Size(round(size.width * scale), round(size.height * scale)), np.random.default_rng(seed)
    )
    scene: scenes.Scene = getattr(scenes, picture.scene)
    pixels, subject = scene(frame, PALETTES[picture.scene][picture.palette])
    return developed(frame, pixels, size), _box_around(subject, frame)


def _box_around(subject: Box, frame: Frame) -> NormalizedBox:
    """Fit a box of about the image's aspect around a subject, as a crop model does."""
    left, top, right, bottom = subject
    share = min(0.96, max((right - left) / frame.width, (bottom - top) / frame.height))
    across, down = share * frame.near(0.98, 1.02), share * frame.near(0.98, 1.02)
    x = _inside((left + right) / 2 / frame.width, across)
    y = _inside((top + bottom) / 2 / frame.height, down)
    return NormalizedBox(x, y, x + across, y + down)


def _inside(middle: float, share: float) -> float:
    return min(1 - share, max(0.0, middle - share / 2))


def _save(image: Image.Image, path: Path, picture: Picture, seed: int) -> None:
    profile = {"icc_profile": metadata.srgb_profile()} if picture.icc else {}
    if path.suffix == ".png":
        info = metadata.png_text(picture.text, seed, picture.size)
        image.save(path, "PNG", pnginfo=info, compress_level=1, **profile)
        return
    thumbnail = image.copy()
    thumbnail.thumbnail((160, 160))
    turn = _TURNED.get(picture.orientation)
    stored = image if turn is None else image.transpose(turn)
    small = thumbnail if turn is None else thumbnail.transpose(turn)
    exif = metadata.exif(picture.orientation, small, gps=picture.gps)
    scanned = path.suffix == ".jpeg"
    stored.save(
        path,
        "JPEG",
        quality=_QUALITY,
        exif=exif,
        progressive=scanned,
        subsampling="4:4:4" if scanned else "4:2:0",
        **profile,
    )


def _companions(path: Path, picture: Picture, seed: int) -> None:
    settings = f"seed: {seed}\nwidth: {picture.size.width}\nheight: {picture.size.height}\n"
    path.with_suffix(".yaml").write_text(settings, encoding="utf-8")
    if picture.text != "workflow":
        path.with_suffix(".caption").write_text(f"{picture.text}\n", encoding="utf-8")


def _photograph() -> bytes:
    return matplotlib_data("sample_data", "grace_hopper.jpg").read_bytes()
