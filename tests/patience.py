"""How long a test waits for what must come: one multiplier makes a slow machine slow, not red.

``CROPKIT_PATIENCE=4`` waits four times as long before anything that never comes is a failure. What
comes is taken at once, so patience costs a green run nothing.
"""

import os
import time
from collections.abc import Callable

VARIABLE = "CROPKIT_PATIENCE"
TIMES = float(os.environ.get(VARIABLE, "1"))
POLL_SECONDS = 0.02


def patient(seconds: float) -> float:
    """Return how long to wait for what takes at most so long on an idle machine."""
    return seconds * TIMES


def until(condition: Callable[[], object], seconds: float, what: str = "it") -> None:
    """Wait until something holds; fail, in words, when it does not in that time."""
    end = time.monotonic() + patient(seconds)
    while not condition():
        assert time.monotonic() < end, f"waited in vain until {what} came"
        time.sleep(POLL_SECONDS)
