"""Who carries decisions out and who reads images: processes of their own, or this kernel."""

from typing import TYPE_CHECKING, NamedTuple, Protocol

from cropkit.records import CropResult
from cropkit.review.runtime.prefetch import THREADS
from cropkit.workers.applier import ApplierProcess
from cropkit.workers.previews import PreviewProcesses, PreviewReader, PreviewReaderInThread

if TYPE_CHECKING:
    from cropkit.collection import Collection


class DecisionApplier(Protocol):
    """Who carries decisions out: `ApplierProcess` or `ApplierInKernel`."""

    def start(self) -> None:
        """Be ready before the first decision."""

    def apply(self, decision: str) -> CropResult:
        """Carry a decision out."""

    def retract(self, decision: str) -> CropResult:
        """Take a decision back."""

    def close(self) -> None:
        """Finish what has begun."""


class ApplierInKernel:
    """Carries decisions out in the thread that asks."""

    def __init__(self, collection: "Collection") -> None:
        self.apply, self.retract = collection.apply, collection.undoer.retract

    def start(self) -> None:
        """Need no preparation."""

    def close(self) -> None:
        """Hold nothing: the collection is somebody else's."""


class Workers(NamedTuple):
    """Who applies decisions, None where they are only queued, and who reads images.

    Parameters
    ----------
    apart : the kernel's main thread waits for no disk, either
    """

    applier: DecisionApplier | None
    reader: PreviewReader
    apart: bool = False


def workers_in_processes(collection: "Collection", *, defer: bool) -> Workers:
    """Have decisions applied and images read in processes of their own."""
    applier = None if defer else ApplierProcess(collection)
    reader = PreviewProcesses(collection.scope.unchosen, THREADS, collection.headers)
    return Workers(applier, reader, apart=True)


def workers_in_kernel(collection: "Collection", *, defer: bool) -> Workers:
    """Have decisions applied and images read in threads of this process."""
    applier = None if defer else ApplierInKernel(collection)
    return Workers(applier, PreviewReaderInThread(collection.scope, collection.headers))
