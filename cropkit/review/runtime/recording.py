"""Decisions become durable while the page behind them is drawn; nothing more is taken meanwhile.

A person who has pressed Enter waits for a page, not for a disk. So the pictures of the next page
are drawn at once, and the decisions are recorded beside that in a thread of their own. The session
is what it was until they are durable: no word says that they are decided, nobody carries them out,
and what would change the session waits in line (`in_turn`). Then the session is the new one. Where
they cannot be recorded, it stays as it was: the page comes back, and it is told why. So it is where
somebody else has decided meanwhile: none of them is recorded before the person knows. A kernel that
dies in between has decided nothing.
"""

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import ParamSpec

from cropkit.audit.decisions import Standing
from cropkit.review.model import ReviewState
from cropkit.review.runtime.background import BackgroundThread
from cropkit.review.runtime.guard import Guard
from cropkit.review.runtime.loop import Loop

Overtaken = tuple[Standing, ...]  # by what stands instead of decisions that are not recorded
P = ParamSpec("P")
_LATE = 0.3  # seconds: a disk usually takes a hundredth of it
NOT_DURABLE = "Not decided yet: the disk is slow to record it. Nothing more is taken until it is"


class Recording:
    """Records what a press decides, one press after the other.

    Parameters
    ----------
    apart : in a thread of its own; else at once, and the page is drawn after that
    """

    def __init__(self, loop: Loop, guard: Guard, *, apart: bool) -> None:
        self._loop, self._guard = loop, guard
        self._thread = BackgroundThread("cropkit-recording", loop, guard) if apart else None
        self._behind: deque[Callable[[], object]] = deque()
        self.ahead: ReviewState | None = None
        self.is_late = False
        self._recorded = 0
        self.comebacks = 0  # of pages of which nothing was recorded

    def in_turn(self, do: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
        """Do what changes the session: now, or when what is being recorded is durable."""
        if self.ahead is None:
            do(*args, **kwargs)
        else:
            self._behind.append(partial(do, *args, **kwargs))

    def record(
        self,
        decide: Callable[[], Overtaken],
        ahead: ReviewState,
        show: Callable[[], None],
        done: Callable[[Overtaken], None],
        failed: Callable[[], None],
    ) -> None:
        """Make decisions durable, and call `done`; or `failed`, and nothing is decided.

        Parameters
        ----------
        decide : does it, unless others have decided meanwhile, which `done` is told
        ahead : the session that they lead to
        show : draws it meanwhile
        """
        if self._thread is None:
            done(decide())
            return
        self.ahead = ahead
        self._recorded += 1
        self._loop.call_later(_LATE, self._guard.watch(self._tell_late), self._recorded)
        try:
            show()  # before the disk: what is computed in the meantime keeps this from being sent
        finally:
            self._thread.submit(
                "",
                decide,
                lambda overtaken: self._end(partial(done, overtaken)),
                partial(self._end, failed),
            )

    def close(self) -> None:
        """Wait until what was decided is durable; it is carried out by the next review."""
        if self._thread is not None:
            self._thread.finish()
            self._thread.close()

    def _tell_late(self, number: int) -> None:
        if self.ahead is not None and number == self._recorded:
            self.is_late = True
            self._guard.note(NOT_DURABLE)

    def _end(self, follow: Callable[[], None]) -> None:
        """Go on with the session that holds now, and with what has waited for that."""
        self.ahead = None
        if self.is_late:
            self.is_late = False
            self._guard.clear_note()
        try:
            follow()
        finally:
            while self._behind and self.ahead is None:
                self._guard.watch(self._behind.popleft())()
