"""What one reviewer's decisions teach, while they review: boxes for the next images.

Features are taken from the small picture that is shown anyway, and kept by the content that they
are of, beside what a model had proposed for it: with the decisions in the trail that is all that is
needed to learn again.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from threading import Lock
from typing import NamedTuple
from zipfile import BadZipFile

import numpy as np
from PIL import Image

from cropkit.geometry import NormalizedBox
from cropkit.records import Decision, Suggestion
from cropkit.suggest.control import is_control
from cropkit.taste import boxes, features
from cropkit.taste.boxes import Array
from cropkit.taste.example import MOST_DECISIONS
from cropkit.taste.house import Taste
from cropkit.taste.portfolio import (
    FIRST,
    HOUSE,
    LEAST,
    Choice,
    History,
    Predict,
    named,
)

_MOST_IMAGES = 20_000  # whose features are kept: 8 MB
_ALIKE = 0.005  # of the side: nobody tells two boxes apart that are so near
_EVERY = 5  # decisions
_DIGEST = 32  # bytes


class Seen(NamedTuple):
    """What is kept of one content: its features (COUNT,), and the box of a model (4,) or NaN."""

    features: Array
    suggested: Array


@dataclass(frozen=True, slots=True)
class _Taught:
    """One decision: the content, and the box."""

    sha256: str
    box: Array


class Learner:
    """Learns from decisions and proposes boxes; thread-safe.

    Parameters
    ----------
    taste : what was learned elsewhere, to begin with
    """

    def __init__(self, taste: Taste | None = None) -> None:
        self._taste = taste
        self._model = ""  # whose boxes are proposed
        self._seen: OrderedDict[str, Seen] = OrderedDict()
        self._taught: OrderedDict[str, _Taught] = OrderedDict()
        self._choice = Choice()
        self._untrained = 0
        self._predict: Predict | None = None
        self._lock = Lock()

    # -- what is known --------------------------------------------------------------------------

    def see(self, sha256: str, jpeg: bytes, suggestions: Sequence[Suggestion]) -> None:
        """Take the features of an image from its preview, once for each content."""
        with self._lock:
            known = self._seen.get(sha256)
        best = np.array(suggestions[0].box.xyxy) if suggestions else np.full(4, np.nan)
        numbers = _features(jpeg) if known is None else known.features
        with self._lock:
            self._keep(sha256, Seen(numbers, best))
            self._model = suggestions[0].source if suggestions else self._model

    def decided(self, *decisions: Decision) -> None:
        """Learn from decisions, at the next training; without a box one takes an earlier back."""
        with self._lock:
            self._untrained += len(decisions)
            for decision in decisions:
                self._taught.pop(decision.path, None)
                if decision.box is not None and not decision.slot:
                    box = np.array(decision.box.normalized(decision.size).xyxy)
                    self._taught[decision.path] = _Taught(decision.sha256, box)
            while len(self._taught) > MOST_DECISIONS:
                self._taught.popitem(last=False)

    def undone(self, path: str) -> None:
        """Forget a decision."""
        with self._lock:
            self._untrained += 1
            self._taught.pop(path, None)

    @property
    def untrained(self) -> int:
        """How many decisions were made or taken back since the last training."""
        return self._untrained

    @property
    def is_due(self) -> bool:
        """Whether to train: each time while a house may lead, which is one comparison."""
        return self._untrained >= (_EVERY if len(self._taught) >= LEAST else 1)

    def _keep(self, sha256: str, seen: Seen) -> None:
        self._seen[sha256] = seen
        self._seen.move_to_end(sha256)
        while len(self._seen) > _MOST_IMAGES:
            self._seen.popitem(last=False)

    # -- learning -------------------------------------------------------------------------------

    def train(self) -> None:
        """Choose a predictor anew, and learn from all decisions; some hundredths of a second."""
        with self._lock:
            self._untrained = 0
            pairs = [(self._seen.get(each.sha256), each.box) for each in self._taught.values()]
            house = None if self._taste is None else self._taste.house(self._model)
        rows = [(seen, box) for seen, box in pairs if seen is not None]
        known = _history([seen for seen, _ in rows], [box for _, box in rows])
        choice = self._choice.again(known, house)
        predict = choice.predictor(known, house)
        with self._lock:
            self._choice, self._predict = choice, predict

    # -- proposing ------------------------------------------------------------------------------

    def improved(self, sha256: str, suggestions: tuple[Suggestion, ...]) -> tuple[Suggestion, ...]:
        """Put what was learned before what is suggested, where something was.

        One image in twenty, by its content, is left as it is: by these the saving is measured.
        """
        with self._lock:
            seen, predict, choice = self._seen.get(sha256), self._predict, self._choice
        if seen is None or predict is None or choice.name == FIRST or is_control(sha256):
            return suggestions
        if self._taste and choice.name == HOUSE and choice.count < LEAST:  # whose box is it here?
            house = self._taste.house(suggestions[0].source if suggestions else "")
            predict = choice.predictor(_history([], []), house)
        box = predict(_history([seen], [np.full(4, np.nan)]))[0]
        if suggestions and boxes.edges_within(box, np.array(suggestions[0].box.xyxy), _ALIKE):
            return suggestions
        count = self._taste.count if self._taste and choice.name == HOUSE else choice.count
        model = (suggestions[0].source, suggestions[0].version) if suggestions else None
        source, version = named(choice.name, count, model)
        edges = NormalizedBox(*map(float, box))
        learned = Suggestion(edges, source, version, confidence=choice.sure)
        every = (learned, *suggestions)
        return tuple(replace(each, rank=rank) for rank, each in enumerate(every))

    # -- keeping --------------------------------------------------------------------------------

    def to_bytes(self) -> bytes:
        """Return what is kept of images, for `recall`; decisions are in the trail."""
        with self._lock:
            digests = [bytes.fromhex(sha256) for sha256 in self._seen]
            rows = list(self._seen.values())
        file = BytesIO()
        np.savez(
            file,
            version=np.array(features.VERSION),
            sha256=np.frombuffer(b"".join(digests), dtype=np.uint8).reshape(-1, _DIGEST),
            features=np.array([each.features for each in rows], dtype=np.float32),
            suggested=np.array([each.suggested for each in rows], dtype=np.float32),
        )
        return file.getvalue()

    def recall(self, kept: bytes) -> None:
        """Know again what was kept; of other features nothing is.

        Raises
        ------
        ValueError
            It is none of ours.
        """
        try:
            arrays = _arrays(kept)
        except (EOFError, KeyError, OSError, BadZipFile) as error:
            raise ValueError("no arrays are there") from error
        if int(arrays["version"]) != features.VERSION:
            return
        digests = arrays["sha256"].reshape(-1, _DIGEST)
        numbers = arrays["features"].astype(np.float64).reshape(len(digests), features.COUNT)
        suggested = arrays["suggested"].astype(np.float64).reshape(len(digests), 4)
        if not np.isfinite(numbers).all():
            raise ValueError("features that are no numbers")
        with self._lock:
            for digest, row, box in zip(digests, numbers, suggested, strict=True):
                self._keep(digest.tobytes().hex(), Seen(row, box))


def _features(jpeg: bytes) -> Array:
    """Return the features of a preview, which is decoded no larger than they need it."""
    picture = Image.open(BytesIO(jpeg), formats=("JPEG",))
    ratio = picture.width / picture.height
    picture.draft("RGB", (2 * features.SIDE, 2 * features.SIDE))
    return features.features(picture, ratio)


def _arrays(kept: bytes) -> dict[str, Array]:
    with np.load(BytesIO(kept), allow_pickle=False) as file:
        return {name: file[name] for name in ("version", "sha256", "features", "suggested")}


def _history(seen: Sequence[Seen], wanted: Sequence[Array]) -> History:
    table = np.array([each.features for each in seen]).reshape(-1, features.COUNT)
    return History(
        table,
        np.array(wanted, dtype=np.float64).reshape(-1, 4),
        features.aspect(table),
        np.array([each.suggested for each in seen], dtype=np.float64).reshape(-1, 4),
    )
