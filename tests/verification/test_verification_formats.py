"""Every file that was made for a row of the table of formats: cropped as it is, and as a PNG."""

import shutil
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pictures
import pytest
import samples_png
import test_formats_features as features
from PIL import Image
from sets_of_crops import reasons, verified, write_set

from cropkit import formats, straightening
from cropkit.errors import BadBox, Refused, UnsuitableTurn
from cropkit.formats.account import Candidate
from cropkit.formats.capabilities import CAPABILITIES, REFUSED, Capability
from cropkit.formats.copies import copied, verify_copied
from cropkit.formats.copy_options import CopyOptions
from cropkit.geometry import Turn

ROWS = [row for row in CAPABILITIES if row.outcome != REFUSED]


_ENOUGH = 200  # samples, for another turn not to be as good by chance
DAMAGED = "pixels whose chunk has a wrong checksum"


def written(folder: Path, row: Capability, data: bytes) -> Path:
    source = folder / f"picture{features.SUFFIXES[row.format]}"
    source.write_bytes(data)
    return source


def proven(
    folder: Path, source: Path, candidate: Candidate, copying: str = "", turn: str | None = None
) -> list[str]:
    shutil.rmtree(folder / "set", ignore_errors=True)
    write_set(folder, source, candidate, copying, turn)
    return reasons(verified(folder / "set", sources=[folder]))


def assert_proven(told: list[str], row: Capability) -> None:
    """Of a source that its own checksum calls damaged nothing is proven, and it says so."""
    if row.feature == DAMAGED:
        assert all("the checksum of b'IDAT' is wrong" in reason for reason in told)
        assert told
    else:
        assert told == []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.format}: {row.feature}")
def test_a_crop_in_its_own_format_is_proven(row: Capability, tmp_path: Path) -> None:
    for data in features.samples(row):
        source, chosen = written(tmp_path, row, data), features.options(row)
        size = formats.read_header(data, source.name, chosen).size
        candidate = formats.crop(data, source.name, features.middle(size), chosen)
        candidate = formats.verify(candidate.data, candidate, source.name)
        assert_proven(proven(tmp_path, source, candidate), row)


@pytest.mark.parametrize("turn", [Turn.of(90), Turn.of(0, "vertical")], ids=lambda t: t.text)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.format}: {row.feature}")
def test_a_crop_that_was_turned_is_proven(row: Capability, turn: Turn, tmp_path: Path) -> None:
    for data in features.samples(row):
        source, chosen = written(tmp_path, row, data), features.options(row)
        size = formats.read_header(data, source.name, chosen).size
        box = features.middle(size)
        try:
            candidate = formats.crop(data, source.name, box, chosen, turn)
        except UnsuitableTurn:
            assert row.format == "jpeg"
            continue
        candidate = formats.verify(candidate.data, candidate, source.name)
        assert_proven(proven(tmp_path, source, candidate, turn=turn.text), row)
        mirrored = turn.then(Turn.of(0, "horizontal")).text
        is_told_apart = min(box.size.width, box.size.height) > 4
        assert not is_told_apart or proven(tmp_path, source, candidate, turn=mirrored) != []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.format}: {row.feature}")
def test_a_copy_in_another_format_is_proven(row: Capability, tmp_path: Path) -> None:
    for data in features.samples(row):
        source, chosen = written(tmp_path, row, data), features.options(row)
        size = formats.read_header(data, source.name, chosen).size
        for way in ("format=png", "format=webp", "format=jpeg quality=90"):
            how = CopyOptions.from_text(way)
            try:
                candidate = copied(data, source.name, features.middle(size), how, chosen)
                candidate = verify_copied(candidate.data, candidate, source.name)
            except Refused:
                continue
            assert_proven(proven(tmp_path, source, candidate, way), row)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.format}: {row.feature}")
def test_a_copy_that_was_straightened_is_proven(row: Capability, tmp_path: Path) -> None:
    turn = Turn.of(90, angle="-4.5")
    for data in features.samples(row):
        source, chosen = written(tmp_path, row, data), features.options(row)
        size = formats.read_header(data, source.name, chosen).size
        for way in ("", "format=png"):
            how = CopyOptions.from_text(way)
            try:
                box = straightening.nearest(features.middle(size), size, turn)
                candidate = copied(data, source.name, box, how, chosen, turn=turn)
                candidate = verify_copied(candidate.data, candidate, source.name)
            except (Refused, BadBox):
                continue
            assert_proven(proven(tmp_path, source, candidate, way, turn.text), row)
            falsified = turn.then(Turn.of(180)).text
            with Image.open(BytesIO(candidate.data)) as picture:
                values = np.asarray(picture)
            if not np.array_equal(values, values[::-1, ::-1]) and values.size > _ENOUGH:
                assert proven(tmp_path, source, candidate, way, falsified) != []


@pytest.mark.parametrize("at", [(0, 0), (1, 20), (9, 7)])
def test_a_bit_of_alpha_that_is_not_the_sources_is_noticed(
    at: tuple[int, int], tmp_path: Path
) -> None:
    data = samples_png.SAMPLES["generation data in alpha (stealth PNG info)"]
    assert isinstance(data, bytes)
    source = tmp_path / "picture.png"
    source.write_bytes(data)
    size = formats.read_header(data, source.name).size
    candidate = formats.crop(data, source.name, features.middle(size))
    assert proven(tmp_path, source, candidate) == []
    with Image.open(BytesIO(candidate.data)) as picture:
        pixels = np.asarray(picture).copy()
    pixels[*at, 3] ^= 1
    falsified = replace(candidate, data=pictures.encoded(Image.fromarray(pixels), "PNG"))
    (reason,) = proven(tmp_path, source, falsified)
    assert reason.startswith("pixels: picture.png")
