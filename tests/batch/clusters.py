"""A scheduler of Dask with its workers, in processes of their own, as it is beside a batch.

Started as a program, it is the cluster: its address on a line, until its input ends.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
WHERE = os.pathsep.join(map(str, (TESTS.parent, TESTS, TESTS / "batch")))


@contextmanager
def cluster(workers: int, **variables: str) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """Start one; give its address, as a batch takes it, and the process of its scheduler."""
    with subprocess.Popen(
        [sys.executable, __file__, str(workers)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": WHERE, **variables},
        text=True,
        cwd="/",
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        yield process.stdout.readline().strip().replace("tcp://", "dask://"), process
        process.stdin.close()


def main(workers: int) -> None:
    """Be a cluster whose workers are started again when they were killed, however long that takes.

    Dask gives one up for good that is not there again after its `lost-worker-timeout`, 15 s.
    """
    import dask  # noqa: PLC0415  (seconds, for this process)
    from distributed import LocalCluster  # noqa: PLC0415

    dask.config.set({"distributed.deploy.lost-worker-timeout": "1 hour"})
    with LocalCluster(
        n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=":0"
    ) as made:
        sys.stdout.write(f"{made.scheduler_address}\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main(int(sys.argv[1]))
