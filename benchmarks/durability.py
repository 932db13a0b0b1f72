"""Crops a second, one by one against groups that share their syncs; ratios of one run.

    python benchmarks/durability.py [--delay MICROSECONDS] [--images N]

With `--delay` every fsync of the process, SQLite's included, takes that much longer (by strace's
fault injection, which has to be installed): a disk that really writes, on a machine whose disk only
says so.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from cropkit import clock
from cropkit.collection import Collection
from cropkit.engine.groups import GroupSize
from cropkit.geometry import PixelBox
from cropkit.records import Decision, Verdict

SIDE, GROUP = 160, 64
BOX = PixelBox(8, 8, 120, 130)


def main() -> None:
    """Run both ways, under strace when a delay is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--delay", type=int, default=0)
    parser.add_argument("--images", type=int, default=64)
    given = parser.parse_args()
    if given.delay:
        sys.exit(_delayed(given.delay, given.images))
    with tempfile.TemporaryDirectory() as name:
        single = _rate(Path(name, "single"), given.images, group=1)
        grouped = _rate(Path(name, "grouped"), given.images, group=GROUP)
    sys.stdout.write(
        f"one by one  {single:8.1f} crops/s\n"
        f"groups      {grouped:8.1f} crops/s\n"
        f"ratio       {grouped / single:8.2f}\n"
    )


def _delayed(microseconds: int, images: int) -> int:
    strace = shutil.which("strace")
    if strace is None:
        sys.stderr.write("--delay needs strace\n")
        return 2
    inject = f"inject=fsync,fdatasync:delay_exit={microseconds}"
    command = [strace, "-f", "-qq", "--seccomp-bpf", "-o", "/dev/null", "-e"]
    command += ["trace=fsync,fdatasync", "-e", inject, sys.executable, __file__]
    return subprocess.run([*command, "--images", str(images)], check=False).returncode  # noqa: S603  (our own words)


def _rate(folder: Path, images: int, *, group: int) -> float:
    _make(folder, images)
    with Collection(folder, group_size=GroupSize(3600, GROUP, first=GROUP)) as kit:
        made = [_decision(kit, path) for path in kit.images()]
        kit.decide(made)
        started = time.perf_counter()
        single = group == 1
        results = [kit.apply(one.id) for one in made] if single else kit.apply_waiting()
        seconds = time.perf_counter() - started
    if not all(one.ok for one in results):
        sys.exit("a crop failed")
    return images / seconds


def _make(folder: Path, images: int) -> None:
    folder.mkdir()
    rng = np.random.default_rng(1)
    for number in range(images):
        pixels = rng.integers(0, 255, (SIDE, SIDE, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png", compress_level=1)


def _decision(kit: Collection, path: str) -> Decision:
    look, moment = kit.look(path), clock.now()
    return Decision(
        path=path,
        sha256=look.sha256,
        size=look.size,
        verdict=Verdict.ADJUSTED,
        box=BOX,
        reviewer=kit.reviewer,
        session=kit.session,
        shown_at=moment,
        decided_at=moment,
    )


if __name__ == "__main__":
    main()
