"""The walk down to a folder, one component at a time: the only one, for images and for the state.

A descriptor is closed once, wherever an exception comes between two lines: a number that is closed
twice may be another thread's file by then, and that thread would write into nothing.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

_Step = TypeVar("_Step")


@contextmanager
def walked(top: int, steps: Iterable[_Step], opened: Callable[[_Step, int], int]) -> Iterator[int]:
    """Hold the lowest folder open inside the block, and none of those above it.

    Parameters
    ----------
    top : descriptor of the folder to begin at, which is the walk's from now on
    opened : opens what a step names in the folder of a descriptor

    Raises
    ------
    OSError
        What `opened` raises. No descriptor is left open.
    """
    fd = top
    try:
        for step in steps:
            above, fd = fd, opened(step, fd)  # at once: an exception after it closes the lower one
            os.close(above)
        yield fd
    finally:
        os.close(fd)
