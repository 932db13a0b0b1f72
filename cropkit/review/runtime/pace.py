"""How fast a reviewer decides, and how long it has taken."""

from collections.abc import Callable

_ENOUGH_FOR_A_RATE = 6
_PAUSE = 120.0  # seconds between two decisions; what is longer is no work on them


class Pace:
    """Counts decisions from the first page that is on the screen.

    Parameters
    ----------
    clock : seconds, from whenever
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._started: float | None = None
        self._last = 0.0
        self._decided = 0
        self.spent = 0.0  # seconds that went into deciding

    def start(self) -> bool:
        """Begin; return whether it had not begun."""
        first = self._started is None
        if first:
            self._started = self._last = self._clock()
        return first

    def decided(self, number: int) -> None:
        """Count decisions of one key."""
        before, self._last = self._last, self._clock()
        self._decided += number
        self.spent += min(_PAUSE, self._last - before)

    @property
    def rate(self) -> float | None:
        """Decisions an hour, as soon as there are enough of them."""
        if self._started is None or self._decided < _ENOUGH_FOR_A_RATE:
            return None
        return self._decided / max(1.0, self._clock() - self._started) * 3600
