"""Kill a batch at random moments until it ends by itself; what is left must be as of one clean run.

python tests/batch/killing.py [--images N] [--kills N] [--seed N] [--papermill]
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

if __name__ == "__main__":
    ROOT = Path(__file__).resolve().parents[2]
    sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "batch")]

from faults import contents
from processes import descendants
from queueing import collection, decide_all

from cropkit.collection import Collection

CLONE = Path(__file__).resolve().parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(CLONE)}
ENGINE = (
    "import sys; from cropkit.batch import Batch\n"
    "batch = Batch(sys.argv[1], source=sys.argv[2], workers=2)\n"
    "batch.plan; print('planned', flush=True)\n"
    "batch.apply(); print('applied', flush=True); batch.result()"
)


@dataclass
class Killed:
    """What came of it: at which moments it was killed, and what is wrong; nothing, that is."""

    images: int
    kills: int = 0
    runs: int = 0
    at_work: int = 0  # kills that met an operation under way
    done_at: list[int] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Trial:
    """One batch that is killed again and again."""

    place: Path
    images: int
    kills: int
    source: str
    papermill: bool = False

    def run(self, chance: random.Random) -> Killed:
        """Kill it; compare with a clean run."""
        clean, killed = self.place / "clean", self.place / "killed"
        collection(clean, self.images, sidecars=True)
        shutil.copytree(clean, killed)
        for folder in (clean, killed):
            if self.source == "queue":
                decide_all(folder)
        self._finish(clean)
        found = Killed(self.images)
        while found.kills < self.kills:
            self._kill_once(killed, found, chance)
        found.runs += 1
        self._finish(killed)
        found.wrong += differences(clean, killed, self.images)
        return found

    def _command(self, folder: Path) -> list[str]:
        if self.papermill:
            chosen = ["-p", "source", self.source, "--workers", "2"]
            return [sys.executable, "-m", "cropkit", "batch", str(folder), *chosen]
        return [sys.executable, "-c", ENGINE, str(folder), self.source]

    def _begin(self, folder: Path) -> "subprocess.Popen[bytes]":
        """Start it, and return when the crops begin."""
        process = subprocess.Popen(
            self._command(folder),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=ENVIRONMENT,
            cwd="/",
            start_new_session=True,
        )
        _wait_until_at_work(folder, process, self.papermill)
        return process

    def _finish(self, folder: Path) -> None:
        done = subprocess.run(
            self._command(folder),
            check=False,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            cwd="/",
        )
        if done.returncode:
            message = f"exit code {done.returncode}: {done.stdout}{done.stderr}"
            raise RuntimeError(message)

    def _kill_once(self, folder: Path, found: Killed, chance: random.Random) -> None:
        """Let it do a random part of what is left for each kill, then end all of it.

        By what is done, not by the clock: a machine may be busier now than a moment ago.
        """
        before = _done(folder)
        process = self._begin(folder)
        left = max(1, self.kills - found.kills)
        enough = before + chance.uniform(0, 2 * (self.images - before) / left)
        while _done(folder) < min(enough, self.images - 1) and process.poll() is None:
            time.sleep(0.002)
        for pid in [process.pid, *descendants(process.pid)]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        process.wait()
        _close(process)
        found.runs += 1
        found.kills += 1
        found.done_at.append(_done(folder))
        found.at_work += any((folder / ".cropkit" / "stage").iterdir())


def _close(process: "subprocess.Popen[bytes]") -> None:
    if process.stdout is not None:
        process.stdout.close()


def _wait_until_at_work(
    folder: Path,
    process: "subprocess.Popen[bytes]",
    papermill: bool,  # noqa: FBT001  (private)
) -> None:
    if not papermill and process.stdout is not None:
        process.stdout.readline()
        return
    known = set(folder.glob(".cropkit/runs/*/run.json"))
    while not set(folder.glob(".cropkit/runs/*/run.json")) - known:
        if process.poll() is not None:
            return
        time.sleep(0.01)


def _done(folder: Path) -> int:
    kept = folder / ".cropkit" / "originals"
    return len(list(kept.iterdir())) if kept.is_dir() else 0


def differences(clean: Path, killed: Path, images: int) -> list[str]:
    """Name everything that differs from a clean run."""
    wrong = []
    if contents(clean) != contents(killed):
        wrong.append("the files are not those of a clean run")
    with Collection(killed) as kit:
        wrong += [f"fsck: {one}" for one in kit.fsck()]
        crops = Counter(e["path"] for e in kit.trail.events() if e["event"] == "cropped")
        decided = Counter(row["path"] for row in kit.trail.decisions.table())
    wrong += [f"{path} was cropped {n} times" for path, n in crops.items() if n != 1]
    wrong += [f"{path} was decided {n} times" for path, n in decided.items() if n != 1]
    if len(crops) != images:
        wrong.append(f"{len(crops)} of {images} were cropped")
    return wrong


def main() -> int:
    """Run one trial as asked on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=300)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10**6)
    parser.add_argument("--source", default="queue", choices=["queue", "suggestions"])
    parser.add_argument("--papermill", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        trial = Trial(Path(name), given.images, given.kills, given.source, given.papermill)
        found = trial.run(random.Random(given.seed))  # noqa: S311  (no secret)
    sys.stdout.write(f"seed {given.seed}: {found}\n")
    return 1 if found.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
