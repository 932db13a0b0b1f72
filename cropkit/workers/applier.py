"""Decisions are carried out in a process of its own, so that no codec holds the reviewer's.

The process opens the collection for itself, as any other session does. What it is to do is durable
before it hears of it, and claims keep two from doing it at once: it may die at any moment, and is
started again. Trail and protocol stay where they are; between the two processes go the id of a
decision and its result.
"""

import atexit
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from cropkit.collection import Collection
from cropkit.errors import ApplierDied, ApplierStopped, CropkitError
from cropkit.formats import load
from cropkit.records import CropResult, Problem, ProblemKind, Status
from cropkit.system.signals import SIGNALS
from cropkit.workers.child import ChildDied, ChildProcess
from cropkit.workers.opening import Opening, count_here

_log = logging.getLogger("cropkit.workers.applier")
_ATTEMPTS = 2
_NICE = 10  # whoever looks at a page comes first
Errand = tuple[Literal["apply", "retract"], str]


class ApplierProcess:
    """Carries out decisions of one `Collection` elsewhere, one at a time; thread-safe."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection
        self._mutex = threading.RLock()
        self._opening = self._wanted()
        self._process = self._new()
        atexit.register(self._process.hang_up)

    @property
    def pid(self) -> int | None:
        """Of the process, while there is one."""
        return self._process.pid

    def start(self) -> None:
        """Start the process before it is needed; another one where options have changed."""
        with self._mutex:
            if self._opening != self._wanted():
                self.close()
                self._opening = self._wanted()
                self._process = self._new()
                atexit.register(self._process.hang_up)
            self._process.start()

    def apply(self, decision: str) -> CropResult:
        """Carry out a decision as `Collection.apply` does; one the process dies on twice fails.

        One during which somebody stops the process, as the end of a kernel does, waits on.

        Raises
        ------
        AuditError
            Work must stop.
        """
        died = self._ask(("apply", decision))
        if isinstance(died, CropResult):
            return died
        path = self._collection.trail.decisions.by_id(decision)[0].path
        stopped = _stopping_signal(died)
        if stopped is not None:  # nothing is wrong with the image: the decision waits
            error = ApplierStopped(path, stopped)
            return CropResult(Status.WAITING, path, error.code, str(error))
        return self._collection.executor.give_up(decision, ApplierDied(path, *died.args))

    def retract(self, decision: str) -> CropResult:
        """Take a decision back, as `DecisionExecutor.retract` does.

        Raises
        ------
        AuditError
            Work must stop.
        """
        died = self._ask(("retract", decision))
        if isinstance(died, CropResult):
            return died
        path = self._collection.trail.decisions.by_id(decision)[0].path
        error = ApplierDied(path, *died.args)
        return CropResult(Status(error.status), path, error.code, str(error))

    def close(self) -> None:
        """End the process when it has finished what it is at."""
        with self._mutex:
            atexit.unregister(self._process.hang_up)
            self._process.close()

    def _ask(self, errand: Errand) -> CropResult | ChildDied:
        for _ in range(_ATTEMPTS):
            try:
                return self._told(errand)
            except ChildDied as died:
                last = died
                self._settle(errand[1], died)
            if _stopping_signal(last) is not None:
                break
            standing = self._collection.trail.decisions.by_id(errand[1])[1]
            if errand[0] == "retract" and standing.status is Status.RESTORED:
                # it had come that far
                return CropResult(Status.RESTORED, standing.path, box_asked=standing.box)
        return last

    def _told(self, errand: Errand) -> CropResult:
        with self._mutex:
            self.start()
            result = self._process.ask(errand)
        count_here(self._collection, result)
        return result

    def _settle(self, decision: str, died: ChildDied) -> None:
        """Tell that the process died; the files are settled before anybody looks again."""
        if _stopping_signal(died) is None:
            path = self._collection.trail.decisions.by_id(decision)[0].path
            (code,) = died.args
            reason = f"the process that writes crops ended (exit code {code}) and is started again"
            self._collection.problems.report(Problem(ProblemKind.APPLIER_DIED, path, reason))
        self._collection.recover()

    def _wanted(self) -> Opening:
        return Opening.of(self._collection)

    def _new(self) -> ChildProcess[Errand, CropResult]:
        return ChildProcess("cropkit-apply", _NICE, _opened, self._opening)


def _stopping_signal(died: ChildDied) -> str | None:
    """Name the signal by which somebody ended the process; None where it died of its work."""
    (code,) = died.args
    return next((number.name for number in SIGNALS if code == -number), None)


@contextmanager
def _opened(opening: Opening) -> Iterator[Callable[[Errand], CropResult]]:
    load()  # now, not while a reviewer waits for the first crop
    with opening.opened() as collection:
        verbs = {"apply": collection.apply, "retract": collection.undoer.retract}

        def done(errand: Errand) -> CropResult:
            what, decision = errand
            try:
                return verbs[what](decision)
            except CropkitError:
                raise
            except BaseException:
                _log.exception("decision %s ends the process that writes crops", decision)
                raise

        yield done
