"""Four processes, the same decisions, random deaths: each file is cropped exactly once."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from campaigns import FULL, TOLD
from patience import patient
from PIL import Image
from scenarios import decide

from cropkit.collection import Collection
from cropkit.geometry import Size

CLONE = Path(__file__).resolve().parents[2]
WORKERS, FILES, DEATHS = 4, 60 if FULL else 16, 40 if FULL else 8
WORK = """\
import random, sys
from cropkit.collection import Collection
with Collection(sys.argv[1]) as kit:
    waiting = kit.trail.decisions.waiting()
    random.Random(sys.argv[2]).shuffle(waiting)
    for made in waiting:
        kit.apply(made)
"""
pytestmark = pytest.mark.timeout(0 if FULL else patient(300))


def worker(folder: Path, number: int) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, "PYTHONPATH": str(CLONE), "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-c", WORK, str(folder), str(number)]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)


def test_each_file_is_cropped_exactly_once(tmp_path: Path) -> None:
    folder = tmp_path / "collection"
    folder.mkdir()
    names = [f"{number:03}.png" for number in range(FILES)]
    for number, name in enumerate(names):
        # pairs of twins: their originals are one
        colour = (number // 2, 40, 90)
        Image.linear_gradient("L").convert("RGB").resize((64, 64)).save(folder / name)
        with Image.open(folder / name) as image:
            image.paste(colour, (0, 0, 8, 8))
            image.save(folder / name)
    originals = {name: (folder / name).read_bytes() for name in names}
    with Collection(folder) as kit:
        for name in names:
            decide(kit, name=name)
    deaths = run_and_kill(folder)
    with Collection(folder) as kit:
        kit.apply_waiting()
        cropped = sorted(e["path"] for e in kit.trail.events() if e["event"] == "cropped")
        assert cropped == names
        assert kit.fsck() == []
        for name in names:
            assert kit.look(name).size == Size(38, 32)
        kit.undo(everything=True)
        assert {name: (folder / name).read_bytes() for name in names} == originals
    TOLD.append(f"race: {WORKERS} processes, {FILES} files, {deaths} killed: each cropped once")


def run_and_kill(folder: Path) -> int:
    chance, deaths = random.Random(1), 0  # noqa: S311  (no secret)
    running = [worker(folder, number) for number in range(WORKERS)]
    while deaths < DEATHS:
        time.sleep(chance.uniform(0.3, 0.9))
        victim = chance.randrange(WORKERS)
        if running[victim].poll() is None:
            running[victim].send_signal(signal.SIGKILL)
            deaths += 1
        _, said = running[victim].communicate()
        assert running[victim].returncode in (0, -signal.SIGKILL), said.decode()
        running[victim] = worker(folder, 100 + deaths)
    for each in running:
        _, said = each.communicate(timeout=patient(120))
        assert each.returncode == 0, said.decode()
    return deaths
