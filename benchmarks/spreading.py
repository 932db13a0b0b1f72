"""A batch by 1, 2 and 4 processes of an executor, and 100 claimants of one database.

    python benchmarks/spreading.py [--images N] [--side PIXELS] [--workers 1,2,4] [--dask]
    python benchmarks/spreading.py --claimants 100 [--chunks N] [--together N] [--work SECONDS]
                                   [--postgres]

Crops a second are told as ratios to one process; a crop is the work of a codec, so that no more
processes help than there are cores, of which the machine's number is told. Claimants have sessions
of their own and no images: each claims a chunk of decisions that another one wants as well,
prepares and finishes what it got, and goes on. What is told is how many claims were made in a
second, and how long a claim and a whole chunk took. `--postgres` has their trail on a PostgreSQL
that is started for it on this machine, in the same folder of temporary files, and waits for its
disk as SQLite does.
"""

import argparse
import multiprocessing
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import postgres

from cropkit import clock
from cropkit.audit import places
from cropkit.audit.operation import Operation, OperationKind
from cropkit.audit.trail import AuditTrail, ClaimOutcome
from cropkit.batch import Batch
from cropkit.collection import Collection
from cropkit.geometry import PixelBox, Size
from cropkit.records import Decision, Verdict
from cropkit.system.files import Root

SPAWN = multiprocessing.get_context("spawn")
SIZE, BOX = Size(16, 16), PixelBox(2, 2, 12, 12)
PROCESSES = 4  # that the claimants are in, a thread each
OPENING_SECONDS = 0.1  # of a session, while others open theirs


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--side", type=int, default=2000)
    parser.add_argument("--workers", default="1,2,4")
    parser.add_argument("--dask", action="store_true")
    parser.add_argument("--claimants", type=int, default=0)
    parser.add_argument("--chunks", type=int, default=10, help="of each claimant")
    parser.add_argument("--work", type=float, default=0.0, help="seconds that a chunk is worked at")
    parser.add_argument("--together", type=int, default=16)
    parser.add_argument("--postgres", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        if asked.postgres:
            server = stack.enter_context(postgres.served(fsync=True))
            os.environ[places.VARIABLE] = server.url()  # for their processes, too
        if asked.claimants:
            trial = Trial(Path(name), asked.claimants, asked.chunks, asked.together, asked.work)
            _claim(trial)
        else:
            counts = [int(word) for word in asked.workers.split(",")]
            _spread(Path(name), asked, counts)


# -- throughput ----------------------------------------------------------------------------------


def _spread(place: Path, asked: argparse.Namespace, counts: list[int]) -> None:
    cores = len(os.sched_getaffinity(0))
    sys.stdout.write(f"{asked.images} PNGs of {asked.side} x {asked.side}, {cores} cores\n")
    one = _rate(place / "threads", asked, None)
    sys.stdout.write(f"{'threads of one process':24} {one:8.1f} crops/s\n")
    first = 0.0
    for count in counts:
        with _executor(count, dask=asked.dask) as executor:
            rate = _rate(place / str(count), asked, executor, count)
        first = first or rate
        words = f"{count} process{'es' if count > 1 else ''}"
        sys.stdout.write(f"{words:24} {rate:8.1f} crops/s {rate / first:6.2f}\n")


def _rate(folder: Path, asked: argparse.Namespace, executor: Any, workers: int = 0) -> float:  # noqa: ANN401  (any executor)
    _photos(folder, asked.images, asked.side)
    with Batch(folder, executor=executor, workers=workers) as batch:
        assert len(batch.plan.ready) == asked.images  # noqa: S101  (planned before it is timed)
        begun = time.perf_counter()
        batch.apply()
        seconds = time.perf_counter() - begun
        batch.result()
    return float(asked.images / seconds)


def _photos(folder: Path, count: int, side: int) -> None:
    folder.mkdir()
    noise = np.random.default_rng(1).integers(0, 24, (side, side, 3))
    y, x = np.mgrid[0:side, 0:side]
    base = np.stack([x, y, x + y], axis=-1) * 200 // (2 * side)
    pixels = Image.fromarray((base + noise).astype(np.uint8), "RGB")
    for number in range(count):
        pixels.putpixel((0, 0), (number % 256, number // 256, 0))
        pixels.save(folder / f"{number:05}.png", compress_level=1)
    box = PixelBox(side // 10, side // 10, side - side // 10, side - side // 10)
    with Collection(folder) as kit:
        kit.decide([_decision(kit, name, box) for name in kit.images()])


def _decision(kit: Collection, name: str, box: PixelBox) -> Decision:
    look, moment = kit.look(name), clock.now()
    who = (kit.reviewer, kit.session)
    facts = (look.path, look.sha256, look.size, Verdict.ADJUSTED, box, *who)
    return Decision(*facts, shown_at=moment, decided_at=moment)


@contextmanager
def _executor(count: int, *, dask: bool) -> Iterator[Any]:
    """Start processes, which have loaded all that they need."""
    if dask:
        from distributed import Client, LocalCluster  # noqa: PLC0415  (an extra)

        with (
            LocalCluster(
                n_workers=count, threads_per_worker=1, processes=True, dashboard_address=":0"
            ) as cluster,
            Client(cluster, set_as_default=False) as client,
        ):
            _warm(client.get_executor(pure=False), 4 * count)
            yield client
        return
    with ProcessPoolExecutor(count, SPAWN) as pool:
        _warm(pool, 4 * count)
        yield pool


def _warm(executor: Executor, count: int) -> None:
    for future in [executor.submit(_loaded, n) for n in range(count)]:
        future.result()


def _loaded(_number: int) -> None:
    from cropkit import formats  # noqa: PLC0415  (there)
    from cropkit.workers import chunk  # noqa: F401, PLC0415  (as above)

    formats.load()
    time.sleep(0.2)


# -- claims --------------------------------------------------------------------------------------


class Claimed(NamedTuple):
    """What a process's claimants came to: seconds of claims and of chunks, and what they got.

    Parameters
    ----------
    moments : when they began and when they had ended
    """

    claims: list[float]
    chunks: list[float]
    outcomes: list[str]
    moments: tuple[float, float] = (0.0, 0.0)


class Trial(NamedTuple):
    """How many claimants claim how many chunks each, of how many decisions, and work at them."""

    place: Path
    claimants: int
    chunks: int
    together: int
    work: float


def _claim(trial: Trial) -> None:
    folder = trial.place / "c"
    folder.mkdir()
    processes = min(PROCESSES, trial.claimants)
    each = trial.claimants // processes
    decisions = _decided(folder, each * processes * trial.chunks * trial.together // 2)
    share = [decisions[n::processes] for n in range(processes)]
    wanted = [share[n] + share[(n + 1) % processes] for n in range(processes)]
    begin = time.time() + 3.0 + trial.claimants * OPENING_SECONDS
    with ProcessPoolExecutor(processes, SPAWN) as pool:
        told = [
            pool.submit(_claimants, folder, _parted(some, trial.together), each, trial.work, begin)
            for some in wanted
        ]
        results = [future.result() for future in told]
    _tell(results, each * processes, trial.together)


def _parted(decisions: list[Decision], together: int) -> list[list[Decision]]:
    return [decisions[start : start + together] for start in range(0, len(decisions), together)]


def _decided(folder: Path, count: int) -> list[Decision]:
    trail = AuditTrail(Root(folder), "decider", kind="batch")
    moment = clock.now()
    made = []
    for number in range(count):
        name = f"{number:07}.png"
        who = (trail.reviewer, trail.session)
        content = sha256(name.encode()).hexdigest()
        facts = (name, content, SIZE, Verdict.ADJUSTED, BOX, *who)
        made.append(Decision(*facts, shown_at=moment, decided_at=moment))
    for start in range(0, count, 500):
        trail.decide(made[start : start + 500])
    trail.close()
    return made


def _claimants(
    folder: Path, chunks: list[list[Decision]], number: int, work: float, begin: float
) -> Claimed:
    """Be some claimants, a thread and a session each, from a moment on until all is claimed."""
    trails = [AuditTrail(Root(folder), f"claimant {n}", kind="applier") for n in range(number)]
    result = Claimed([], [], [])
    time.sleep(max(0.0, begin - time.time()))
    began = time.time()
    with ThreadPoolExecutor(number) as threads:
        working = [
            threads.submit(_work, trail, chunks[n::number], work, result)
            for n, trail in enumerate(trails)
        ]
    for future in working:
        future.result()
    ended = time.time()
    for trail in trails:
        trail.close()
    return result._replace(moments=(began, ended))


def _work(trail: AuditTrail, chunks: list[list[Decision]], work: float, result: Claimed) -> None:
    for chunk in chunks:
        begun = time.perf_counter()
        planned = [_planned(trail, decision) for decision in chunk]
        outcomes = trail.plan([(each, ()) for each in planned])
        result.claims.append(time.perf_counter() - begun)
        pairs = zip(planned, outcomes, strict=True)
        mine = [each for each, outcome in pairs if outcome is ClaimOutcome.MINE]
        if mine:
            time.sleep(work)  # as a codec, which asks the database nothing
            trail.prepare(mine)
            trail.finish(mine)
        result.chunks.append(time.perf_counter() - begun)
        result.outcomes.extend(outcome.name for outcome in outcomes)


def _planned(trail: AuditTrail, decision: Decision) -> Operation:
    return Operation(
        kind=OperationKind.CROP,
        source=decision.path,
        target=decision.path,
        session=trail.session,
        owner=trail.owner,
        sha256_before=decision.sha256,
        sha256_after=sha256(decision.sha256.encode()).hexdigest(),
        box=decision.box,
        decision=decision.id,
    )


def _tell(results: list[Claimed], claimants: int, together: int) -> None:
    claims = np.array([each for result in results for each in result.claims])
    chunks = np.array([each for result in results for each in result.chunks])
    outcomes = Counter(name for result in results for name in result.outcomes)
    began, ended = zip(*(result.moments for result in results), strict=True)
    took = max(ended) - min(began)
    sys.stdout.write(
        f"{claimants} claimants, {together} decisions a claim, {len(claims)} claims\n"
        f"claims a second    {len(claims) / took:8.1f}\n"
        f"decisions a second {outcomes['MINE'] / took:8.1f}\n"
        f"ms of a claim      p50 {_ms(claims, 50):8.1f}  p99 {_ms(claims, 99):8.1f}\n"
        f"ms of a chunk      p50 {_ms(chunks, 50):8.1f}  p99 {_ms(chunks, 99):8.1f}\n"
        f"outcomes           {dict(outcomes)}\n"
    )


def _ms(seconds: "np.ndarray[Any, Any]", percent: int) -> float:
    return float(np.percentile(seconds, percent)) * 1000


if __name__ == "__main__":
    main()
