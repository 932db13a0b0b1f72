"""How long a test waits for what must come: one multiplier makes a slow machine slow, not red.

``CROPKIT_PATIENCE=4`` waits four times as long before anything that never comes is a failure. What
comes is taken at once, so patience costs a green run nothing.
"""

import os

VARIABLE = "CROPKIT_PATIENCE"
TIMES = float(os.environ.get(VARIABLE, "1"))


def patient(seconds: float) -> float:
    """Return how long to wait for what takes at most so long on an idle machine."""
    return seconds * TIMES
