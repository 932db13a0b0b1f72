"""What learning has saved: images that could be shown a learned box, beside the random control.

All images count from a reviewer's first learned box on, whatever they were shown, since only then
chance alone tells the two apart. Intervals hold 95 %: Wilson's of a share (1927), and Newcombe's
hybrid score interval of a difference (Statistics in Medicine 17, 1998, method 10).
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from math import hypot
from typing import Any

from cropkit.monitor.intervals import wilson


@dataclass(frozen=True, slots=True)
class Share:
    """A share of some decisions, with its interval."""

    decisions: int
    untouched: int
    share: float
    low: float
    high: float

    @classmethod
    def of(cls, untouched: Iterable[bool]) -> "Share | None":
        """Return the share of those that are true; None of nothing."""
        every = list(untouched)
        count, hits = len(every), sum(every)
        if not count:
            return None
        return cls(count, hits, hits / count, *wilson(hits, count))


@dataclass(frozen=True, slots=True)
class Saving:
    """How many boxes were left as shown: where a learned one could be, and in the control."""

    learned: Share
    control: Share

    @property
    def gain(self) -> float:
        """The difference of the shares."""
        return self.learned.share - self.control.share

    @property
    def interval(self) -> tuple[float, float]:
        """Where the difference is, with 95 %."""
        of, to = self.learned, self.control
        down = hypot(of.share - of.low, to.high - to.share)
        up = hypot(of.high - of.share, to.share - to.low)
        return self.gain - down, self.gain + up

    def to_json(self) -> dict[str, Any]:
        """Return it as `cropkit stats --json` prints it."""
        return {**asdict(self), "gain": self.gain, "interval": list(self.interval)}

    def __str__(self) -> str:
        low, high = self.interval
        return (
            f"left as shown: {_words(self.learned)} where something learned could be shown,"
            f" {_words(self.control)} of the random control; a gain of {100 * self.gain:.0f} %"
            f" ({100 * low:.0f} to {100 * high:.0f} %)"
        )


def saving(learned: Iterable[bool], control: Iterable[bool]) -> Saving | None:
    """Return what was saved, by what was left as shown; None where there is nothing to compare."""
    of, to = Share.of(learned), Share.of(control)
    return None if of is None or to is None else Saving(of, to)


def _words(share: Share) -> str:
    low, high = 100 * share.low, 100 * share.high
    return f"{100 * share.share:.0f} % of {share.decisions} ({low:.0f} to {high:.0f} %)"
