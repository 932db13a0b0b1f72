"""Exports of regions, read by the grammar of IIIF's Image API 3.0."""

import csv
import json
import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
import strategies
from exporting import expected, exported, made_up, recorded
from hypothesis import given

from cropkit.exports.iiif import in_percent
from cropkit.geometry import PixelBox, Size
from cropkit.names import unescaped

Capture = pytest.CaptureFixture[str]
_PIXELS = re.compile(r"(\d+),(\d+),(\d+),(\d+)")
_NUMBER = r"(\d+(?:\.\d+)?)"
_PERCENT = re.compile(f"pct:{_NUMBER},{_NUMBER},{_NUMBER},{_NUMBER}")


def box_of(region: str, size: Size) -> tuple[int, ...]:
    """Return the pixels that a region asks for."""
    if match := _PIXELS.fullmatch(region):
        x, y, width, height = map(int, match.groups())
        return x, y, x + width, y + height
    match = _PERCENT.fullmatch(region)
    assert match is not None, region
    left, top, w, h = (float(part) / 100 for part in match.groups())
    sides = (size.width, size.height) * 2
    edges = zip((left, top, left + w, top + h), sides, strict=True)
    return tuple(round(edge * side) for edge, side in edges)


def rows_of(out: Path) -> list[dict[str, Any]]:
    if out.suffix == ".csv":
        with out.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    return [json.loads(line) for line in out.read_text("utf-8").splitlines()]


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
@pytest.mark.parametrize("form", ["region", "region_pct"])
def test_a_region_is_the_box_in_pixels_and_in_percent(
    album: Path, tmp_path: Path, capsys: Capture, suffix: str, form: str
) -> None:
    out = tmp_path / f"r{suffix}"
    told = exported(capsys, album, "iiif", out, "--image-prefix", "https://host/iiif/3/")
    rows = rows_of(out)
    assert {
        (row["path"], row["label"], box_of(row[form], Size(int(row["width"]), int(row["height"]))))
        for row in rows
    } == expected()
    assert told["written"] == 5
    for row in rows:
        base, identifier, region, *rest = row["url"].rsplit("/", 5)
        assert (base, region) == ("https://host/iiif/3", row["region"])
        assert rest == ["max", "0", "default.jpg"]
        assert os.fsdecode(unquote_to_bytes(identifier)) == row["path"]


def test_an_identifier_has_no_slash_and_every_byte_of_the_name(
    tmp_path: Path, capsys: Capture
) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    name = os.fsdecode(b"a b/\xff?#\n%2F.png")
    recorded(folder, [made_up(name, Size(10, 10), PixelBox(1, 2, 3, 4))])
    exported(capsys, folder, "iiif", tmp_path / "r.jsonl")
    (row,) = rows_of(tmp_path / "r.jsonl")
    assert re.fullmatch(r"[\w%.-]+", row["identifier"], re.ASCII)
    assert os.fsdecode(unquote_to_bytes(row["identifier"])) == unescaped(row["path"]) == name


@given(case=strategies.sizes_with_boxes(100_000))
def test_percent_bring_the_pixels_back(case: tuple[Size, PixelBox]) -> None:
    size, box = case
    assert box_of(in_percent(box, size), size) == box.xyxy
