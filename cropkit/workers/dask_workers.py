"""Workers of Dask, by its scheduler: the only module that knows `distributed`.

What goes there and comes back are pickles, of values of ours alone. Dask runs a task again when the
worker that had it is gone, and gives it up after some deaths (`KilledWorker`).
"""

import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from cropkit.errors import CropkitError, UnfitWorker, WorkersUnavailable
from cropkit.extras import needed
from cropkit.system.elsewhere import TaskDied
from cropkit.workers.executors import AHEAD, explained

if TYPE_CHECKING:
    from concurrent.futures import Future

    from distributed import Client
    from distributed import Future as Task

_Answer = TypeVar("_Answer")
_CONNECT_SECONDS = 5.0
_HEAD, _LONGEST_GREETING = 8, 1 << 20  # bytes
_NOBODY_SECONDS = 60.0  # a nanny starts a worker that was killed again in some seconds
_KNOWN_SECONDS = 1.0  # how long it is believed who works


@contextmanager
def connected(address: str) -> "Iterator[Client]":
    """Connect to a scheduler, as Dask's own configuration says (`tls`, for one).

    Raises
    ------
    NotInstalled
        The extra `dask` is not.
    WorkersUnavailable
        No scheduler answered within seconds.
    """
    needed("dask")
    client = _connected(address)
    try:
        yield client
    finally:
        client.close(_CONNECT_SECONDS)


def _connected(address: str) -> "Client":
    from distributed import Client  # noqa: PLC0415  (seconds, for who names a scheduler)

    name = f"dask://{address}"
    try:
        _check_answers(address)
        return Client(address, timeout=_CONNECT_SECONDS, set_as_default=False, name="cropkit")
    except (OSError, ValueError) as error:
        reason = str(error) or "it says nothing"
        raise WorkersUnavailable(name, f"no scheduler of Dask answers ({reason})") from error


def _check_answers(address: str) -> None:
    """Look whether a scheduler is there: Dask tries one that refuses for long, and waits for ever.

    The first that each side sends is the length of its greeting, of 8 bytes (distributed's TCP
    protocol). Who is greeted otherwise by Dask's configuration (`tls`) waits as Dask does.

    Raises
    ------
    OSError
        Nobody is, or somebody else.
    """
    import dask  # noqa: PLC0415  (an extra)

    host, _, port = address.rpartition(":")
    place = host.strip("[]"), int(port)
    with socket.create_connection(place, _CONNECT_SECONDS) as line:
        if dask.config.get("distributed.comm.default-scheme") != "tcp":
            return
        head = line.recv(_HEAD, socket.MSG_WAITALL)
    if len(head) < _HEAD or int.from_bytes(head, "little") > _LONGEST_GREETING:
        raise ConnectionError("what answers there is another program")


async def _tell(task: "Task[Any]", told: "Future[Any]") -> None:
    """Tell who waits how a task ended, however that is.

    Dask's own executor tells nothing where it raises while it fetches the answer of a task whose
    workers have died meanwhile: whoever waits for that would wait for ever.
    """
    try:
        answer = await task
    except BaseException as error:  # noqa: BLE001  (all of it is told)
        if task.cancelled():
            told.cancel()
            told.set_running_or_notify_cancel()
        else:
            told.set_exception(error)
    else:
        told.set_result(answer)


class DaskWorkers:
    """The workers of a scheduler, as `workers.executors.Workers` has them."""

    def __init__(self, client: "Client", name: str) -> None:
        self._client, self.name = client, name
        self._threads, self._counted_at = 0, 0.0
        self._nobody_since: float | None = None

    @property
    def most(self) -> int:
        """How many tasks may be under way: there may be more workers now, or fewer."""
        return AHEAD * max(1, self._there())

    def submit(self, function: Callable[..., _Answer], /, *arguments: object) -> "Future[_Answer]":
        """Submit it.

        Raises
        ------
        WorkersUnavailable
            The connection is gone.
        """
        from concurrent.futures import Future  # noqa: PLC0415  (it is loaded by now)

        told: Future[_Answer] = Future()
        with explained(self.name, RuntimeError, OSError):
            task = self._client.submit(function, *arguments, pure=False)
            if self._client.loop is None:
                raise RuntimeError("its client is closed")
            self._client.loop.add_callback(_tell, task, told)
        return told

    def result(self, future: "Future[_Answer]") -> _Answer:
        """Return what came of a task.

        Raises
        ------
        TaskDied
            It was run again until that seemed to be its own fault.
        WorkersUnavailable
            The scheduler is gone.
        """
        from distributed import KilledWorker  # noqa: PLC0415  (it is loaded by now)

        with explained(self.name):
            try:
                return future.result()
            except KilledWorker as error:
                raise TaskDied from error

    def ask_each(self, function: Callable[..., None], /, *arguments: object) -> None:
        """Ask all that are there.

        Raises
        ------
        WorkersUnavailable
            There are none.
        UnfitWorker
            One cannot even say whether it can work, as it has no cropkit.
        """
        with explained(self.name, RuntimeError, OSError):
            answers = self._client.run(function, *arguments, on_error="return")
        gone = [worker for worker, answer in answers.items() if isinstance(answer, OSError)]
        if len(gone) == len(answers):  # who died while it was asked is started again, and looks
            raise WorkersUnavailable(self.name, "its scheduler has no workers")
        for worker, answer in answers.items():
            if isinstance(answer, CropkitError):
                raise answer
            if isinstance(answer, BaseException) and worker not in gone:
                raise UnfitWorker(worker, f"{type(answer).__name__}: {answer}")

    def check_there(self) -> None:
        """Look whether anybody works, while nothing comes back.

        Raises
        ------
        WorkersUnavailable
            The scheduler is gone, or has had no workers for a minute.
        """
        if self._there():
            return
        self._nobody_since = self._nobody_since or time.monotonic()
        if time.monotonic() - self._nobody_since > _NOBODY_SECONDS:
            reason = f"its scheduler has had no workers for {_NOBODY_SECONDS:.0f} s"
            raise WorkersUnavailable(self.name, reason)

    def let_go(self, _futures: Iterable["Future[object]"]) -> None:
        """Do nothing: to cancel a task of Dask is to know no more of one that goes on."""

    def _there(self) -> int:
        """Count the threads of workers, and not more often than they change."""
        if time.monotonic() - self._counted_at > _KNOWN_SECONDS:
            with explained(self.name, RuntimeError, OSError):
                workers = self._client.scheduler_info(n_workers=-1)["workers"]
            self._threads = sum(int(each["nthreads"]) for each in workers.values())
            self._counted_at = time.monotonic()
            self._nobody_since = None if self._threads else self._nobody_since
        return self._threads
