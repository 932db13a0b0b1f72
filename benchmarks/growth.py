"""How figures grow with a collection: an exponent, and a table of Markdown."""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np


def exponent(sizes: Sequence[int], took: Sequence[float]) -> float:
    """Return the slope of log(figure) over log(n), by least squares."""
    if len(sizes) == 1:
        return math.nan
    return float(np.polyfit(np.log(sizes), np.log(np.maximum(took, 1e-6)), 1)[0])


def row(name: str, sizes: Sequence[int], seconds: Sequence[float]) -> list[str]:
    """Return the cells of a task: milliseconds at each size, and how they grow."""
    cells = [f"{1000 * each:.1f}" for each in seconds]
    return [name, *cells, f"n^{exponent(sizes, seconds):.1f}"]


def table(sizes: Sequence[int], tasks: Mapping[str, Iterable[str]], *more: str) -> str:
    """Return rows as a table.

    Parameters
    ----------
    tasks : the cells of each row, by any name
    more : heads of the columns that follow those of the sizes
    """
    heads = ["ms of CPU", *(f"{size:,}" for size in sizes), "grows", *more]
    lines = [heads, ["---"] * len(heads), *map(list, tasks.values())]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
