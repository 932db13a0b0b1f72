"""How long a test waits for what must come: one multiplier makes a slow machine slow, not red.

``CROPKIT_PATIENCE=4`` waits four times as long before anything that never comes is a failure, as is
done where ``CI`` is set: whose machine that is, and what else it does, nobody knows. What comes is
taken at once, so patience costs a green run nothing.
"""

import os
from collections.abc import Mapping

VARIABLE = "CROPKIT_PATIENCE"
IN_CI = "4"


def times_of(environment: Mapping[str, str]) -> float:
    """Return how many times longer than on an idle machine a test waits."""
    return float(environment.get(VARIABLE, IN_CI if environment.get("CI") else "1"))


TIMES = times_of(os.environ)


def patient(seconds: float) -> float:
    """Return how long to wait for what takes at most so long on an idle machine."""
    return seconds * TIMES
