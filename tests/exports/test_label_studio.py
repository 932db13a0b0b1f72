"""Exports to Label Studio, read by the rules of its task format."""

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from export_readers import Named, pixels
from exporting import DECIDED, expected, exported, made_up, recorded

from cropkit.geometry import PixelBox, Size

Capture = pytest.CaptureFixture[str]
PREFIX = "/data/local-files/?d="


def read(out: Path, where: str = "annotations", prefix: str = PREFIX) -> Named:
    tasks: list[dict[str, Any]] = json.loads(out.read_text("utf-8"))
    return {
        (path, *pixels(each))
        for task in tasks
        for path in [os.fsdecode(unquote_to_bytes(task["data"]["image"].removeprefix(prefix)))]
        for said in task[where]
        for each in said["result"]
    }


def test_a_task_has_the_boxes_of_its_image(album: Path, tmp_path: Path, capsys: Capture) -> None:
    told = exported(capsys, album, "label-studio", tmp_path / "t.json")
    assert read(tmp_path / "t.json") == expected()
    assert told["written"] == 5
    tasks = json.loads((tmp_path / "t.json").read_text("utf-8"))
    assert len(tasks) == len(DECIDED)
    regions = [each for task in tasks for said in task["annotations"] for each in said["result"]]
    assert {(r["type"], r["from_name"], r["to_name"]) for r in regions} == {
        ("rectanglelabels", "label", "image")
    }


def test_boxes_may_be_proposals_and_images_lie_elsewhere(
    album: Path, tmp_path: Path, capsys: Capture
) -> None:
    words = ["--as", "predictions", "--image-prefix", "https://host/set/"]
    exported(capsys, album, "label-studio", tmp_path / "t.json", *words)
    assert read(tmp_path / "t.json", "predictions", "https://host/set/") == expected()


def test_bytes_of_a_name_are_quoted(tmp_path: Path, capsys: Capture) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    name = os.fsdecode(b"a b/\xff&?d=#\n%.png")
    recorded(folder, [made_up(name, Size(10, 10), PixelBox(1, 2, 3, 4))])
    exported(capsys, folder, "label-studio", tmp_path / "t.json")
    assert read(tmp_path / "t.json") == {(name, "crop", (1, 2, 3, 4))}
