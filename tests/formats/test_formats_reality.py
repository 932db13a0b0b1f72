"""Images that nobody here made: those that installed packages ship."""

import hashlib
import sysconfig
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cropkit import errors, formats
from cropkit.geometry import PixelBox, Size

NAMES = ("purelib", "data")
MOST_FILES, MOST_BYTES = 120, 4_000_000


def found() -> list[Path]:
    """Different PNG and JPEG files of this environment, the same ones each time."""
    roots = [Path(sysconfig.get_path(name)) for name in NAMES]
    suffixes = (".png", ".jpg", ".jpeg")
    paths = [p for root in roots for p in sorted(root.rglob("*")) if p.suffix.lower() in suffixes]
    small = (p for p in paths if p.is_file() and 0 < p.stat().st_size < MOST_BYTES)
    different = {hashlib.sha256(p.read_bytes()).digest(): p for p in small}
    return list(different.values())[:MOST_FILES]


FILES = found()
pytestmark = pytest.mark.skipif(not FILES, reason="no installed package ships an image")


def test_installed_images_are_cropped_with_proof() -> None:
    refused = [path for path in FILES if not _cropped(path)]
    assert len(refused) <= len(FILES) // 20, refused


def _cropped(path: Path) -> bool:
    data = path.read_bytes()
    try:
        size = formats.read_header(data, path.name).size
        box = PixelBox(size.width // 5, size.height // 7, size.width, size.height)
        candidate = formats.crop(data, path.name, box)
    except errors.Refused:
        return False
    formats.verify(candidate.data, candidate, path.name)
    assert formats.read_header(candidate.data, path.name).size == candidate.box_applied.size
    assert formats.preview(candidate.data, path.name, Size(64, 64))
    return _agrees(data, candidate.data, box)


def _agrees(data: bytes, after: bytes, box: PixelBox) -> bool:
    """Let Pillow compare, where it sees the same pixels that we do."""
    source, written = Image.open(BytesIO(data)), Image.open(BytesIO(after))
    assert written.mode == source.mode
    if source.format != "PNG" or "exif" in source.info:
        return True
    return np.array_equal(np.asarray(source.crop(box.xyxy)), np.asarray(written))
