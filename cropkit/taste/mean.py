"""A mean, and how sure it is.

An interval holds 95 % of means of the same values drawn again with replacement: bootstrap (Efron
and Tibshirani, "An Introduction to the Bootstrap", 1993).
"""

from dataclasses import dataclass, fields

import numpy as np

from cropkit.taste.boxes import Array

_DRAWN = 1000


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean with its interval, and of how many images."""

    mean: float
    low: float
    high: float
    images: int

    @classmethod
    def of(cls, values: Array) -> "Mean | None":
        """Return the mean of values that are numbers; None where there are none."""
        known = values[~np.isnan(values)]
        if not len(known):
            return None
        drawn = np.random.default_rng(0).integers(0, len(known), (_DRAWN, len(known)))
        low, high = np.quantile(known[drawn].mean(axis=1), (0.025, 0.975))
        return cls(float(known.mean()), float(low), float(high), len(known))

    def to_json(self) -> dict[str, float | int]:
        """Return it as `--json` has it."""
        return {each.name: getattr(self, each.name) for each in fields(self)}
