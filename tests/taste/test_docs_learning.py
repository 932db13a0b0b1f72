"""Each command and each example of docs/learning.md is run as it stands there."""

import re
import shlex
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnx_models
import pytest
from deciding import decided
from scenes import around
from shell import run

from cropkit.collection import Collection

PAGE = (Path(__file__).parents[2] / "docs/learning.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a reviewed collection and one that nobody has reviewed."""
    for name, seed in (("reviewed", 70), ("photos", 71)):
        (tmp_path / name).mkdir()
        for number, image in enumerate(around(np.random.default_rng(seed), 12)[0]):
            image.save(tmp_path / name / f"{number:02}.png")
        with Collection(tmp_path / name) as collection:
            if name == "reviewed":
                for path in collection.images():
                    decided(collection, path)
    (tmp_path / "FILE.onnx").write_bytes(onnx_models.by_colour())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_all_of_it(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for language, block in BLOCKS:
        if language == "python":
            exec(compile(block, "learning.md", "exec"), {})  # noqa: S102  (a page of ours)
            continue
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            if "photos" in words and "--evaluate" in words:
                words[words.index("photos")] = "reviewed"  # of photos nothing is decided
            ended = run(*words[1:])
            if {"--vision", "seen.json", "FILE.onnx"} & set(words) and find_spec(
                "onnxruntime"
            ) is None:
                assert ended.returncode == 1, line  # an extra
                continue
            assert ended.returncode == 0, (line, ended.stderr)
    boxes = capsys.readouterr().out.splitlines()
    assert 1 <= len(boxes) <= 3
    assert all(line.endswith("12 decisions") for line in boxes)
    assert (here / "boxes.jsonl").read_text().count("\n") == 12
    assert (here / "house.json").stat().st_size < 40_000
