"""The part of asyncio's event loop that the review needs: the kernel's main thread."""

from collections.abc import Callable
from typing import Protocol


class Timer(Protocol):
    """A call that was put off."""

    def cancel(self) -> None:
        """Do not call."""


class Loop(Protocol):
    """Calls from the main thread, where alone it is safe to draw."""

    def call_soon_threadsafe(self, callback: Callable[..., object], *args: object) -> object:
        """Call soon."""

    def call_later(self, delay: float, callback: Callable[..., object], *args: object) -> Timer:
        """Call after `delay` seconds."""

    def time(self) -> float:
        """Seconds on the loop's own clock."""
