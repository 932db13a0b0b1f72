"""CPU of a crop in place that is verified, durable and keeps the metadata, against other tools.

    python benchmarks/formats.py [--task WORD] [--rounds N] [--images N] [--scale X] [--json]

All figures are ratios of CPU time, children included, in runs that take turns: a machine that is
busy with other things slows all of them. Each round gives every tool fresh copies of the same
files; the figures are medians over the rounds, the first of which only warms up.

*group* carries out decisions as a batch does, *one* looks, decides and crops image by image; both
are the whole protocol on real files. *codec* crops and proves in memory, against Pillow in memory.
*size* is the crop's length over the original's scaled by area. *threads* is how much sooner two
threads are done than none, by the clock: it says something only where two cores are idle.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import PIL
import rivals
from material import MOST_IMAGES, TASKS, Task

from cropkit.errors import Refused

Measure = Mapping[str, float]
_HEAD = ("task", "group ms", "group / Pillow", "one / Pillow", "codec / Pillow")
_TAIL = ("group / mogrify", "group / jpegtran", "size", "Pillow's size", "threads")


def main() -> int:
    """Print the table, or the document."""
    given = _arguments()
    tasks = [task.scaled(given.scale) for task in TASKS if given.task.lower() in task.name.lower()]
    if not tasks:
        sys.stderr.write(f"no task is called {given.task!r}\n")
        return 2
    for tool in rivals.missing():
        sys.stderr.write(f"NOT INSTALLED, so not compared with: {tool}\n")
    rows = [_row(task, given) for task in _told(tasks)]
    found = {"machine": _machine(), "missing": rivals.missing(), "rows": rows}
    sys.stdout.write(json.dumps(found, indent=1) + "\n" if given.json else _table(found))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--task", default="", help="only those whose name has this word")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--images", type=int, default=2, choices=range(1, MOST_IMAGES + 1))
    parser.add_argument("--scale", type=float, default=1.0, help="of the sides; small is quick")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def _told(tasks: Sequence[Task]) -> Iterator[Task]:
    for number, task in enumerate(tasks, 1):
        sys.stderr.write(f"{number} of {len(tasks)}: {task.name}\n")
        yield task


def _row(task: Task, given: argparse.Namespace) -> dict[str, Any]:
    """Measure one task; a refusal is told in place of figures."""
    files, box = list(task.files(given.images)), task.box()
    ways: dict[str, rivals.Rival] = {
        "group": rivals.grouped,
        "one": rivals.single,
        "codec": rivals.in_memory,
        "Pillow in memory": rivals.pillow_in_memory,
        **rivals.rivals(task.suffix),
    }
    area = box.size.area / (task.size[0] * task.size[1])
    scaled = sum(map(len, files)) * area
    try:
        cpu, sizes = _in_turns(ways, task, files, given.rounds)
        threads = _threads(task, files, given.rounds)
    except (Refused, rivals.NotCropped) as error:
        return {"task": task.name, "refused": str(error)}
    return {
        "task": task.name,
        "targets": dict(task.targets),
        "group ms": 1000 * cpu["group"] / len(files),
        "one / Pillow": cpu["one"] / cpu["Pillow"],
        "codec / Pillow": cpu["codec"] / cpu["Pillow in memory"],
        **{f"group / {tool}": cpu["group"] / cpu[tool] for tool in rivals.rivals(task.suffix)},
        "size": sizes["group"] / scaled,
        "Pillow's size": sizes["Pillow"] / scaled,
        "threads": threads,
    }


def _in_turns(
    ways: Mapping[str, rivals.Rival], task: Task, files: Sequence[bytes], rounds: int
) -> tuple[Measure, Measure]:
    """Return the median CPU seconds of each way, and the bytes that it left."""
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    sizes: dict[str, float] = {}
    for _ in range(rounds + 1):
        for way, rival in ways.items():
            with _copies(task, files) as paths, rival(paths, task.box()) as run:
                seconds[way].append(_spent(_cpu, run))
                sizes[way] = sum(path.stat().st_size for path in paths)
    return {way: statistics.median(spent[1:]) for way, spent in seconds.items()}, sizes


def _threads(task: Task, files: Sequence[bytes], rounds: int) -> float:
    """Return how much sooner a group is done by two threads."""
    ratios = []
    with ThreadPoolExecutor(2) as pool:
        for _ in range(rounds):
            with _copies(task, files) as paths, rivals.grouped(paths, task.box()) as run:
                alone = _spent(time.perf_counter, run)
            both = partial(rivals.grouped, threads=pool)
            with _copies(task, files) as paths, both(paths, task.box()) as run:
                ratios.append(alone / _spent(time.perf_counter, run))
    return statistics.median(ratios)


@contextmanager
def _copies(task: Task, files: Sequence[bytes]) -> Iterator[list[Path]]:
    with tempfile.TemporaryDirectory(prefix="cropkit-benchmark-") as folder:
        paths = [Path(folder, f"{number}.{task.suffix}") for number in range(len(files))]
        for path, data in zip(paths, files, strict=True):
            path.write_bytes(data)
        yield paths


def _spent(read: Callable[[], float], run: rivals.Run) -> float:
    before = read()
    run()
    return read() - before


def _cpu() -> float:
    """Return the CPU seconds of this process, of children that ended, and of those that live."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime + _living()


def _living() -> float:
    """JPEG is cropped in processes that stay for the next one (proc(5): stat, fields 14 to 17)."""
    ticks = 0
    for tasks in Path("/proc/self/task").glob("*/children"):
        for child in tasks.read_text(encoding="ascii").split():
            with suppress(OSError):
                stat = Path("/proc", child, "stat").read_text(encoding="utf-8")
                ticks += sum(int(field) for field in stat.rpartition(")")[2].split()[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


def _machine() -> dict[str, Any]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": os.cpu_count(),
        "memory GiB": round(memory / (1 << 30)),
        "architecture": platform.machine(),
        "Python": platform.python_version(),
        "Pillow": PIL.__version__,
        "load": round(os.getloadavg()[0], 1),
    }


def _table(found: Mapping[str, Any]) -> str:
    heads = [*_HEAD, *_TAIL]
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    for row in found["rows"]:
        cells = [row["task"], *(_cell(row, head) for head in heads[1:])]
        lines.append(f"| {' | '.join(cells)} |")
    shape = ", ".join(f"{name} {value}" for name, value in found["machine"].items())
    absent = "".join(f"\nNOT INSTALLED, so not compared with: {m}" for m in found["missing"])
    return "\n".join(lines) + f"\n\n{shape}{absent}\n"


def _cell(row: Mapping[str, Any], head: str) -> str:
    if "refused" in row:
        return "refused"
    if head not in row:
        return "-"
    if head.endswith(" ms"):
        return f"{row[head]:.0f}"
    target = row["targets"].get(head.removeprefix("group / "))
    shown = f"{row[head]:.3f}" if row[head] < 1 else f"{row[head]:.2f}"
    return f"{shown} (≤ {target})" if target else shown


if __name__ == "__main__":
    sys.exit(main())
