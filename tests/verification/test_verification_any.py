"""For any crop and any falsification of it: what was made is proven, what was falsified never."""

from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pictures
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from sets_of_crops import Row, kinds, reasons, verified, write_manifest, write_set
from strategies import boxes_in

from cropkit.formats.copies import copied, verify_copied
from cropkit.formats.copy_options import CopyOptions
from cropkit.geometry import PixelBox, Size

SIZE = Size(72, 60)
FORMS = ("png", "jpg", "webp", "bmp", "tif")
WAYS = ("", "format=png", "long-side=24", "format=jpeg quality=85", "format=webp quality=80")
EXACT = ("", "format=png")


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, int, str, PixelBox]:
    """Draw a format, an orientation, how the crop is made, and a box."""
    form = draw(st.sampled_from(FORMS))
    orientation = draw(st.integers(1, 8)) if form in ("png", "jpg", "webp") else 1
    way = draw(
        st.sampled_from([w for w in WAYS if form in ("png", "jpg", "webp") or "long" not in w])
    )
    return form, orientation, way, draw(boxes_in(SIZE.oriented(orientation)))


def made(folder: Path, case: tuple[str, int, str, PixelBox]) -> Row:
    """Make source, crop and manifest in a new folder; return the row."""
    form, orientation, way, box = case
    options: dict[str, Any] = {"webp": {"lossless": True}}.get(form, {})
    if orientation != 1:
        options["exif"] = pictures.exif_bytes(orientation=orientation)
    (folder / "photos").mkdir(parents=True)
    source = folder / "photos" / f"a.{form}"
    pictures.photo(SIZE.width, SIZE.height, 3).save(source, **options)
    how = CopyOptions.from_text(f"{way} allow-upscale=yes")
    unproven = copied(source.read_bytes(), source.name, box, how)
    candidate = verify_copied(unproven.data, unproven, source.name)
    return write_set(folder, source, candidate, way)


@given(cases())
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_crop_is_proven(tmp_path_factory: pytest.TempPathFactory, case: Any) -> None:
    folder = tmp_path_factory.mktemp("any")
    made(folder, case)
    result = verified(folder / "set", sources=[folder / "photos"])
    assert reasons(result) == []


def changed_pixel(folder: Path, row: Row, data: st.DataObject) -> None:
    """Change one sample of a crop that is exact, and state its new hash."""
    crop = folder / "set" / row["crop"]
    with Image.open(BytesIO(crop.read_bytes())) as picture:
        options = {"exif": picture.info["exif"]} if "exif" in picture.info else {}
        pixels = np.asarray(picture).copy()
    y, x = (data.draw(st.integers(0, side - 1)) for side in pixels.shape[:2])
    pixels[y, x, data.draw(st.integers(0, 2))] ^= 1 << data.draw(st.integers(0, 7))
    Image.fromarray(pixels).save(crop, lossless=True, **options)
    row["crop_sha256"] = sha256(crop.read_bytes()).hexdigest()


def changed_byte(folder: Path, row: Row, data: st.DataObject) -> None:
    crop = folder / "set" / row["crop"]
    content = bytearray(crop.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    crop.write_bytes(content)


def moved_box(_: Path, row: Row, data: st.DataObject) -> None:
    across, down = data.draw(
        st.tuples(st.integers(-3, 3), st.integers(-3, 3)).filter(lambda by: by != (0, 0))
    )
    for field in ("box_asked", "box_applied"):
        left, top, right, bottom = row[field]
        row[field] = [left + across, top + down, right + across, bottom + down]


def moved_edge(_: Path, row: Row, data: st.DataObject) -> None:
    at, by = data.draw(st.integers(0, 3)), data.draw(st.sampled_from([-2, -1, 1, 2]))
    for field in ("box_asked", "box_applied"):
        row[field] = [edge + by * (n == at) for n, edge in enumerate(row[field])]


def another_hash(_: Path, row: Row, data: st.DataObject) -> None:
    field = data.draw(st.sampled_from(["crop_sha256", "source_sha256"]))
    digit = data.draw(st.integers(0, 63))
    new = "0" if row[field][digit] != "0" else "1"
    row[field] = row[field][:digit] + new + row[field][digit + 1 :]


FALSIFICATIONS = (changed_pixel, changed_byte, moved_box, moved_edge, another_hash)


@given(cases(), st.sampled_from(FALSIFICATIONS), st.data())
@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_falsification_passes(
    tmp_path_factory: pytest.TempPathFactory, case: Any, falsify: Any, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("any")
    form, orientation, way, box = case
    if falsify is changed_pixel and (way not in EXACT or (form, way) == ("jpg", "")):
        case = ("png", orientation, "format=png", box)
    if falsify is moved_box and (way not in EXACT or (form, way) == ("jpg", "")):
        case = (form, orientation, "format=png", box)
    row = made(folder, case)
    if falsify is moved_edge and row["resampling"]:
        return  # of a box that is a pixel larger the same few pixels may be made
    falsify(folder, row, data)
    write_manifest(folder, row)
    result = verified(folder / "set", sources=[folder / "photos"])
    assert not result.ok, row
    assert len(kinds(result)) == 1
