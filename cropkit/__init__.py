"""Review image crops in Jupyter; write each one in place, verified, audited and undoable.

Everything in `__all__` is public. ``import cropkit`` loads nothing heavy:
the bootstrap in ``__main__`` runs before anything is installed, and a kernel should not wait for a
codec that it may never need. This file is kept readable by Python 3.8, as that one is.
"""

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from cropkit._version import __version__

if sys.platform != "linux":
    # Locks, links and attributes are Linux's own here; elsewhere nothing of the promises was tried.
    raise ImportError("cropkit runs on Linux alone, and this is " + sys.platform)

if TYPE_CHECKING:
    from cropkit import errors as errors
    from cropkit import geometry as geometry
    from cropkit import straightening as straightening
    from cropkit import targets as targets
    from cropkit.batch.batch import Batch as Batch
    from cropkit.collection import Collection as Collection
    from cropkit.collection import Collection as open  # noqa: N813  (reads like the built-in)
    from cropkit.formats.options import Options as Options
    from cropkit.framing import Framed as Framed
    from cropkit.framing import around as around
    from cropkit.geometry import NormalizedBox as NormalizedBox
    from cropkit.geometry import PixelBox as PixelBox
    from cropkit.geometry import Size as Size
    from cropkit.geometry import Turn as Turn
    from cropkit.labels.around_frame import around_frame as around_frame
    from cropkit.labels.labelled import Labelled as Labelled
    from cropkit.levelling import Level as Level
    from cropkit.levelling import level as level
    from cropkit.monitor.doctor import doctor as doctor
    from cropkit.monitor.reporting import look as look
    from cropkit.records import CropResult as CropResult
    from cropkit.records import Decision as Decision
    from cropkit.records import Problem as Problem
    from cropkit.records import ProblemKind as ProblemKind
    from cropkit.records import Status as Status
    from cropkit.records import Suggestion as Suggestion
    from cropkit.records import Verdict as Verdict
    from cropkit.review.widget import Review as Review
    from cropkit.suggest import Sidecars as Sidecars
    from cropkit.suggest import Suggester as Suggester
    from cropkit.suggest import Table as Table
    from cropkit.suggest.detections import Detections as Detections
    from cropkit.targets import Fit as Fit
    from cropkit.targets import Target as Target
    from cropkit.taste.proposing import learned as learned
    from cropkit.verification.differences import Difference as Difference
    from cropkit.verification.differences import Verification as Verification
    from cropkit.verification.running import verify as verify

# name -> where it is defined: module, and the name there (None for the module itself)
_LAZY = {
    "Batch": ("cropkit.batch.batch", "Batch"),
    "Collection": ("cropkit.collection", "Collection"),
    "CropResult": ("cropkit.records", "CropResult"),
    "Decision": ("cropkit.records", "Decision"),
    "Detections": ("cropkit.suggest.detections", "Detections"),
    "Difference": ("cropkit.verification.differences", "Difference"),
    "Fit": ("cropkit.targets", "Fit"),
    "Framed": ("cropkit.framing", "Framed"),
    "Labelled": ("cropkit.labels.labelled", "Labelled"),
    "Level": ("cropkit.levelling", "Level"),
    "NormalizedBox": ("cropkit.geometry", "NormalizedBox"),
    "Options": ("cropkit.formats.options", "Options"),
    "PixelBox": ("cropkit.geometry", "PixelBox"),
    "Problem": ("cropkit.records", "Problem"),
    "ProblemKind": ("cropkit.records", "ProblemKind"),
    "Review": ("cropkit.review.widget", "Review"),
    "Sidecars": ("cropkit.suggest", "Sidecars"),
    "Size": ("cropkit.geometry", "Size"),
    "Status": ("cropkit.records", "Status"),
    "Suggester": ("cropkit.suggest", "Suggester"),
    "Suggestion": ("cropkit.records", "Suggestion"),
    "Table": ("cropkit.suggest", "Table"),
    "Target": ("cropkit.targets", "Target"),
    "Turn": ("cropkit.geometry", "Turn"),
    "Verdict": ("cropkit.records", "Verdict"),
    "Verification": ("cropkit.verification.differences", "Verification"),
    "around": ("cropkit.framing", "around"),
    "around_frame": ("cropkit.labels.around_frame", "around_frame"),
    "doctor": ("cropkit.monitor.doctor", "doctor"),
    "errors": ("cropkit.errors", None),
    "geometry": ("cropkit.geometry", None),
    "learned": ("cropkit.taste.proposing", "learned"),
    "level": ("cropkit.levelling", "level"),
    "look": ("cropkit.monitor.reporting", "look"),
    "open": ("cropkit.collection", "Collection"),
    "straightening": ("cropkit.straightening", None),
    "targets": ("cropkit.targets", None),
    "verify": ("cropkit.verification.running", "verify"),
}
_RENAMED = {"Kit": "Collection"}  # old names, for one release

__all__ = [
    "Batch",
    "Collection",
    "CropResult",
    "Decision",
    "Detections",
    "Difference",
    "Fit",
    "Framed",
    "Labelled",
    "Level",
    "NormalizedBox",
    "Options",
    "PixelBox",
    "Problem",
    "ProblemKind",
    "Review",
    "Sidecars",
    "Size",
    "Status",
    "Suggester",
    "Suggestion",
    "Table",
    "Target",
    "Turn",
    "Verdict",
    "Verification",
    "__version__",
    "around",
    "around_frame",
    "doctor",
    "errors",
    "geometry",
    "learned",
    "level",
    "look",
    "open",
    "straightening",
    "targets",
    "verify",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401  (a module's attributes have no common type)
    if name in _RENAMED:
        import warnings  # noqa: PLC0415  (for who uses an old name only)

        message = f"cropkit.{name} is called cropkit.{_RENAMED[name]} now; the old name will go"
        warnings.warn(message, DeprecationWarning, stacklevel=2)
        name = _RENAMED[name]
    if name not in _LAZY:
        msg = f"module 'cropkit' has no attribute {name!r}"
        raise AttributeError(msg)
    module, attribute = _LAZY[name]
    try:
        loaded = import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "cropkit":
            raise
        from cropkit.extras import explained  # noqa: PLC0415  (not readable by Python 3.8)

        raise explained(error) from error
    return loaded if attribute is None else getattr(loaded, attribute)


def __dir__() -> "list[str]":
    return sorted(__all__)
