"""One place for every callback's exception, and one thread for every callback.

ipycanvas and ipywidgets swallow what a callback raises: it is in no cell and no log. Each callback
of the review therefore goes through `Guard.watch`, and so does every future and timer.

JupyterLab 4.4 and later has what a widget's page sends handled in a thread of the kernel's own, a
subshell (https://jupyter.org/enhancement-proposals/91-kernel-subshells/kernel-subshells.html), a
new one for each page that is opened. What comes there is handed on to the thread of the review.
"""

import logging
from collections.abc import Callable
from functools import partial
from threading import get_ident
from typing import TYPE_CHECKING, ParamSpec

from cropkit.errors import AuditError, CropkitError, IllegalMove, InDoubt
from cropkit.records import Problem, ProblemKind
from cropkit.review.model.messages import Message, Messages
from cropkit.review.model.slots import image_of, named, slot_of
from cropkit.review.runtime.loop import Loop

if TYPE_CHECKING:
    from cropkit.collection import Collection

P = ParamSpec("P")
Watch = Callable[[Callable[..., object]], Callable[..., None]]
logging.getLogger("cropkit").addHandler(logging.NullHandler())
_log = logging.getLogger("cropkit.review")


class Guard:
    """Shows, logs and counts what goes wrong; after an `AuditError` nothing is taken any more.

    It is made in the thread of `loop`, and everything that it watches runs there.
    """

    def __init__(self, collection: "Collection", changed: Callable[[], None], loop: Loop) -> None:
        self._collection, self._changed, self._loop = collection, changed, loop
        self._thread = get_ident()
        self.messages = Messages()

    @property
    def stopped(self) -> bool:
        """Whether the review may not go on: no audit, no work."""
        return bool(self.messages.stopped)

    def watch(self, callback: Callable[P, object], about: str = "") -> Callable[P, None]:
        """Return the callback with this guard round it; `about` names the file it deals with.

        Called in another thread, it runs soon, in the order of the calls.
        """

        def watched(*args: P.args, **kwargs: P.kwargs) -> None:
            if get_ident() != self._thread:
                self._loop.call_soon_threadsafe(partial(watched, *args, **kwargs))
                return
            try:
                callback(*args, **kwargs)
            except Exception as error:  # noqa: BLE001  (shown, logged, counted)
                self.caught(error, about)

        return watched

    def caught(self, error: BaseException, about: str = "") -> None:
        """Deal with an exception, by what it means for the reviewer."""
        if isinstance(error, IllegalMove):
            self.note(str(error))
        elif isinstance(error, AuditError):
            self.stop(error)
        else:
            self.count(error, about)
            text = str(error) if isinstance(error, CropkitError) else _unexpected(error)
            self.problem(text, about)

    def problem(self, text: str, about: str = "", kind: str = "") -> None:
        """Show something that went wrong, until it is acknowledged.

        Parameters
        ----------
        kind : of what it is one more: a word of `view.messages`, or '' where it stands for itself
        """
        if slot_of(about):
            text = text.removeprefix(f"{image_of(about)}: ")
        self.messages = self.messages.with_problem(Message(text, named(about), kind=kind))
        self._changed()

    def over(self, about: str, kind: str) -> None:
        """Show a problem no longer that is over, though nobody has acknowledged it."""
        self.messages = self.messages.without(named(about), kind)
        self._changed()

    def note(self, text: str) -> None:
        """Say something in passing."""
        self.messages = self.messages.with_note(text)
        self._changed()

    def clear_note(self) -> None:
        """Say no longer what was said in passing."""
        if self.messages.note:
            self.note("")

    def acknowledge(self) -> None:
        """Keep in the trail that the problems in front were seen, and show the next ones."""
        for seen in self.messages.front:
            facts = {"problem": seen.text, "about": seen.about, "times": seen.times}
            self._collection.trail.acknowledge(facts)
        self.messages = self.messages.acknowledged()
        self._changed()

    def stop(self, error: BaseException) -> None:
        """Stop the review, visibly and for good."""
        _log.error("the review stops", exc_info=error, extra={"session": self._collection.session})
        self.messages = Messages(self.messages.problems, stopped=str(error))
        self._changed()

    def count(self, error: BaseException, about: str = "") -> None:
        """Log and count an exception; showing it is the caller's part."""
        known = {"session": self._collection.session, "operation": _operation(error)}
        _log.error("%s: %s", about or "review", error, exc_info=error, extra=known)
        try:
            text = f"{type(error).__name__}: {error}"
            self._collection.problems.report(Problem(ProblemKind.INTERFACE, about, text))
        except AuditError as no_audit:
            self.stop(no_audit)


def _operation(error: BaseException) -> str | None:
    return str(error.args[1]) if isinstance(error, InDoubt) else None


def _unexpected(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}. Nothing was decided by it; the log has the details"
