"""A contact sheet shows the images that can be read, the best box in its colour."""

from base64 import b64decode
from io import BytesIO
from pathlib import Path

import numpy as np
import pictures
from PIL import Image

import cropkit
from cropkit.labels.sheet import sheet

BEST = (0xE8, 0x59, 0x0C)


def test_a_sheet_has_each_image_with_its_best_box(tmp_path: Path) -> None:
    grey = Image.new("RGB", (480, 240), (100, 100, 100))
    pictures.write_jpeg(tmp_path / "a.jpg", grey)
    pictures.write_png(tmp_path / "b.png", grey)
    (tmp_path / "c.png").write_bytes(b"no picture")
    boxes = {"a.jpg": [[120, 60, 360, 180, 0.9], [0, 0, 480, 240, 0.1]]}
    with cropkit.open(tmp_path, suggest=boxes) as collection:
        drawn = sheet(collection)
        first = sheet(collection, count=1)
    assert (repr(drawn), repr(first)) == ("a sheet of 2 images", "a sheet of 1 images")
    data, metadata = drawn._repr_mimebundle_()
    assert metadata["image/png"]["alt"].startswith("a sheet of 2 images: ")
    shown = np.asarray(Image.open(BytesIO(b64decode(data["image/png"]))))
    rows, columns = np.nonzero((shown == BEST).all(axis=2))
    # 480 x 240 became 240 x 120, in the middle of a cell that begins at 8, 8
    assert (columns.min(), columns.max()) == (8 + 60, 8 + 179)
    assert (rows.min(), rows.max()) == (8 + 60 + 30, 8 + 60 + 89)


def test_a_sheet_of_nothing_is_a_sheet(tmp_path: Path) -> None:
    (tmp_path / "c.png").write_bytes(b"no picture")
    with cropkit.open(tmp_path) as collection:
        assert repr(sheet(collection)) == "a sheet of 0 images"
