"""A run's sign of life: a beat every ten seconds, by a thread of its own, in nobody's way."""

import threading
from collections.abc import Callable

from cropkit.errors import AuditError

PERIOD = 10.0  # seconds between beats
PATIENCE = 1.0  # seconds that a beat waits for a lock: a crop goes first


class Heartbeat:
    """Calls `beat` once in a period until it is stopped; what a beat missed by is told.

    Parameters
    ----------
    beat : one short transaction
    missed : what to do when it could not be written
    name : of the thread
    """

    def __init__(
        self,
        beat: Callable[[], object],
        missed: Callable[[AuditError], object],
        period: float = PERIOD,
        name: str = "cropkit-beat",
    ) -> None:
        self._beat, self._missed, self._period = beat, missed, period
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._go, name=name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Beat no more; the last beat has ended when this returns."""
        self._over.set()
        self._thread.join()

    def _go(self) -> None:
        while not self._over.wait(self._period):
            try:
                self._beat()
            except AuditError as error:
                self._missed(error)
