"""Data sets made by the real engine, with their manifests, to be proven from the outside."""

import json
import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pictures
from PIL import Image

import cropkit
from cropkit.formats.account import Candidate
from cropkit.formats.sniff import EXTENSIONS
from cropkit.geometry import PixelBox
from cropkit.verification.differences import Verification
from cropkit.verification.judging import Judged, Task, judged
from cropkit.verification.places import Folders

Row = dict[str, Any]
Rows = list[Row]
SUFFIXES = {form: suffix for suffix, form in reversed(EXTENSIONS.items())}
BOX = PixelBox(9, 5, 58, 70)


class DataSet:
    """A folder of images, and a set of crops that was made of it.

    Parameters
    ----------
    above : where both are made, as `photos` and `set`
    """

    def __init__(self, above: Path) -> None:
        self.photos, self.folder = above / "photos", above / "set"
        self.photos.mkdir(parents=True)

    @property
    def manifest(self) -> Path:
        return self.folder / "manifest.jsonl"

    def copy(self, *names: str, box: PixelBox = BOX, **ways: Any) -> None:
        """Copy a crop of each image into the set."""
        with cropkit.open(self.photos, copy_to=self.folder, reviewer="eva", **ways) as collection:
            for name in names:
                assert collection.crop(name, box).ok

    def export(self, out: Path | None = None) -> None:
        with cropkit.open(self.photos) as collection:
            collection.export("manifest", out or self.manifest)

    def rows(self) -> Rows:
        return [json.loads(line) for line in self.manifest.read_text("utf-8").splitlines()]

    def write(self, rows: Rows) -> None:
        lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        self.manifest.write_text("".join(lines), "utf-8")

    def restate(self, change: Callable[[dict[str, Any]], None], at: int = 0) -> None:
        """Falsify a row of the manifest."""
        rows = self.rows()
        change(rows[at])
        self.write(rows)

    def crop(self, at: int = 0) -> Path:
        return self.folder / str(self.rows()[at]["crop"])

    def verify(self, **ways: Any) -> Verification:
        return verified(self.folder, sources=[self.photos], **ways)


def verified(folder: Path, **ways: Any) -> Verification:
    return cropkit.verify(folder, **({"jobs": 1} | ways))


def kinds(result: Verification) -> list[tuple[str, str]]:
    return [(each.kind.value, each.path) for each in result.differences]


def reasons(result: Verification) -> list[str]:
    return [f"{each.kind}: {each.path}: {each.reason}" for each in result.differences]


def photo(path: Path, seed: int = 0, *, size: tuple[int, int] = (96, 80), **options: Any) -> Path:
    pictures.photo(*size, seed).save(path, **options)
    return path


def transparent(size: tuple[int, int] = (96, 80), seed: int = 0) -> Image.Image:
    """A picture whose opacity falls from left to right."""
    picture = pictures.photo(*size, seed).convert("RGBA")
    ramp = np.linspace(255, 0, size[0]).astype(np.uint8)
    picture.putalpha(Image.fromarray(np.tile(ramp, (size[1], 1))))
    return picture


def deep(size: tuple[int, int] = (96, 80), seed: int = 0, channels: int = 3) -> Any:
    """Samples of 16 bits, whose lower ones matter."""
    rng = np.random.default_rng(seed)
    base = np.asarray(pictures.photo(*size, seed)).astype(np.uint16) * 257
    grain = rng.integers(0, 200, base.shape, dtype=np.uint16)
    return (np.minimum(base, 65535 - 200) + grain)[..., :channels]


def write_set(
    folder: Path, source: Path, candidate: Candidate, copying: str = "", turn: str | None = None
) -> Row:
    """Write one crop that was made and proven, with its manifest; return its row."""
    (folder / "set").mkdir(exist_ok=True)
    name = f"{source.stem}{SUFFIXES[candidate.format]}"
    (folder / "set" / name).write_bytes(candidate.data)
    patched = (word for word in candidate.patched if word.startswith("size: "))
    row: Row = {
        "mode": "copy",
        "source": source.name,
        "source_sha256": sha256(source.read_bytes()).hexdigest(),
        "crop": name,
        "crop_sha256": sha256(candidate.data).hexdigest(),
        "box_asked": candidate.box_asked.xyxy,
        "box_applied": candidate.box_applied.xyxy,
        "resampling": next(patched, None),
        "copying": copying,
        "psnr": candidate.psnr,
        "turn": turn,
    }
    write_manifest(folder, row)
    return row


def write_manifest(folder: Path, row: Row) -> None:
    (folder / "set" / "manifest.jsonl").write_text(json.dumps(row) + "\n")


def ending(task: Task, folders: Folders) -> Judged:
    """Prove a row, but let one file end the process that decodes it."""
    if task.claim.crop == "b.png":
        os._exit(3)
    return judged(task, folders)


def raising(task: Task, folders: Folders) -> Judged:
    """Prove a row, but let one file raise what nobody foresaw."""
    if task.claim.crop == "b.png":
        raise AttributeError("of a decoder")
    return judged(task, folders)
