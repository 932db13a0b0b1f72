"""Images that nobody here made: those that installed packages ship, Python's and the system's."""

import hashlib
import os
import sys
import sysconfig
from collections import Counter
from collections.abc import Iterator
from io import BytesIO
from itertools import zip_longest
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cropkit import errors, formats
from cropkit.formats import capabilities
from cropkit.formats.preview import preview
from cropkit.geometry import PixelBox, Size

ROOTS = (Path(sys.prefix), Path(sysconfig.get_path("stdlib")), Path("/usr/share"))
MOST_FILES, MOST_BYTES = 240, 4_000_000
# What a refusal may be for: the file is of a kind that cannot be cropped, and was found to be so.
OF_A_KIND = (errors.UnsupportedImage, errors.UnreadableImage)


def named_as_images() -> Iterator[Path]:
    """Walk through a hundred thousand names: each is looked at as text, not as a path."""
    for root in dict.fromkeys(ROOTS):
        for folder, folders, names in os.walk(root):
            folders.sort()
            for name in sorted(names):
                if os.path.splitext(name)[1].lower() in formats.EXTENSIONS:  # noqa: PTH122  (as said)
                    yield Path(folder, name)


def found() -> list[Path]:
    """Different images of this machine, the same ones each time, some of each folder and kind."""
    by_place: dict[tuple[Path, str], list[Path]] = {}
    seen: set[bytes] = set()
    for path in named_as_images():
        if path.is_file() and not path.is_symlink():
            by_place.setdefault((path.parent, path.suffix.lower()), []).append(path)
    # one of each folder and kind, then the next one of each: a thousand icons do not crowd it out
    in_turn = (path for row in zip_longest(*by_place.values()) for path in row if path)
    chosen: list[Path] = []
    for path in in_turn:
        digest = hashlib.sha256(path.read_bytes()).digest()
        if digest not in seen and 0 < path.stat().st_size < MOST_BYTES:
            seen.add(digest)
            chosen.append(path)
        if len(chosen) == MOST_FILES:
            break
    return chosen


FILES = found()


def test_there_are_images_to_try() -> None:
    """What is asked for here is there wherever the requirements are: they ship some themselves."""
    assert len(FILES) > 20


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_an_installed_image_is_cropped_with_proof_or_refused_by_name(path: Path) -> None:
    data = path.read_bytes()
    try:
        size = formats.read_header(data, path.name).size
        box = PixelBox(size.width // 5, size.height // 7, size.width, size.height)
        candidate = formats.crop(data, path.name, box)
    except OF_A_KIND as error:
        assert type(error) in capabilities.REFUSALS  # noqa: PT017  (both ways out are right)
        assert path.name in str(error)  # noqa: PT017
        return
    formats.verify(candidate.data, candidate, path.name)
    assert formats.read_header(candidate.data, path.name).size == candidate.box_applied.size
    assert preview(candidate.data, path.name, Size(64, 64))
    assert _agrees(data, candidate)


def test_of_what_pillow_reads_as_a_still_nearly_all_is_cropped() -> None:
    endings = Counter(_ending(path) for path in FILES)
    refused = {code: n for code, n in endings.items() if code not in ("cropped", "no still")}
    still = endings["cropped"] + sum(refused.values())
    assert endings["cropped"] >= 0.99 * still, refused


def _ending(path: Path) -> str:
    if path.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        return "no still"
    data = path.read_bytes()
    try:
        picture = Image.open(BytesIO(data))
        if getattr(picture, "n_frames", 1) > 1:
            return "no still"
        picture.load()
    except Exception:  # noqa: BLE001  (Pillow raises anything on a damaged file)
        return "no still"
    try:
        header = formats.read_header(data, path.name)
    except errors.Refused as error:
        return error.code
    return "cropped" if header.size.area else "empty"


def _agrees(data: bytes, candidate: formats.Candidate) -> bool:
    """Let Pillow compare, where it sees the same pixels that we do."""
    source, written = Image.open(BytesIO(data)), Image.open(BytesIO(candidate.data))
    assert written.mode == source.mode
    turned = formats.read_header(candidate.data, f"a.{candidate.format}").orientation > 1
    if candidate.format in ("jpeg", "webp") or turned:
        return True
    box = candidate.box_applied
    return np.array_equal(np.asarray(source.crop(box.xyxy)), np.asarray(written))
