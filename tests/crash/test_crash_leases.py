"""Eight reviewers of one collection: with leases hardly any of them decides what another does."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from campaigns import FULL, TOLD
from patience import patient
from PIL import Image

from cropkit.collection import Collection

CLONE = Path(__file__).resolve().parents[2]
PROGRAM = Path(__file__).with_name("leasing.py")
REVIEWERS, IMAGES = 8, 10_000 if FULL else 2_000
pytestmark = pytest.mark.timeout(0 if FULL else patient(300))


def collection(folder: Path) -> Path:
    folder.mkdir()
    for number in range(IMAGES):
        Image.new("RGB", (16, 16), (number % 256, number // 256, 90)).save(
            folder / f"{number:05}.bmp"
        )
    Collection(folder).close()
    return folder


def reviewed(folder: Path, how: str) -> Counter[str]:
    """Have everything decided; return how much was, and how much was refused."""
    environment = {**os.environ, "PYTHONPATH": str(CLONE), "OPENBLAS_NUM_THREADS": "1"}
    people = [
        subprocess.Popen(
            [sys.executable, str(PROGRAM), str(folder), f"person{n}", str(n), how],
            env=environment,
            stdout=subprocess.PIPE,
        )
        for n in range(REVIEWERS)
    ]
    told = [each.communicate()[0] for each in people]
    assert [each.returncode for each in people] == [0] * REVIEWERS
    return sum((Counter(json.loads(each)) for each in told), Counter[str]())


def test_with_leases_few_decisions_are_refused_and_none_is_lost(tmp_path: Path) -> None:
    counts = {}
    for how in ("not", "leased"):
        folder = collection(tmp_path / how)
        counts[how] = reviewed(folder, how)
        with Collection(folder) as kit:
            by = Counter(row["path"] for row in kit.trail.decisions.table())
            assert by == dict.fromkeys(kit.images(), 1), "each is decided once"
            assert counts[how]["decided"] == IMAGES
            assert kit.fsck() == []
    without, leased = counts["not"]["refused"], counts["leased"]["refused"]
    TOLD.append(
        f"leases: {REVIEWERS} reviewers of {IMAGES:,} images; refused since another was sooner"
        f" {leased:,} decisions with leases, {without:,} without"
    )
    assert without > IMAGES / 2, "they do get into each other's way"
    assert leased < without / 20
