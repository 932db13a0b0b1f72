"""What one reviewer's decisions teach, while they review: boxes for the next images.

Features are taken from the small picture that is shown anyway, and kept by the content that they
are of, beside what a model had proposed for it: with the decisions in the trail that is all that is
needed to learn again.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
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
    House,
    Predict,
    named,
)

_MOST_IMAGES = 20_000  # whose features are kept: 12 MB
_ALIKE = 0.005  # of the side: nobody tells two boxes apart that are so near
_EVERY = 5  # decisions
_DIGEST = 32  # bytes
_PART = 0.5  # of the decisions: of so many models must have seen the image, to learn from these

Look = Callable[[Image.Image], Array]


class Seen(NamedTuple):
    """What is kept of one content.

    Parameters
    ----------
    features : (COUNT,)
    suggested : the box of a model (4,), or NaN
    sight : what models have seen of it, beside that (SEEN,); None: none has looked
    """

    features: Array
    suggested: Array
    sight: Array | None = None

    @property
    def whole(self) -> Array:
        """All that is known of it: (COUNT,), or (COUNT + SEEN,) where models have looked."""
        return self.features if self.sight is None else np.append(self.features, self.sight)


class Fit(NamedTuple):
    """What was learned, as it leads, and what predicts by it; None before there is anything."""

    choice: Choice = Choice()
    predict: Predict | None = None


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
        self._untrained = 0
        self._fit, self._fit_by_sight = Fit(), Fit()
        self._lock = Lock()

    # -- what is known --------------------------------------------------------------------------

    def see(self, sha256: str, jpeg: bytes, suggestions: Sequence[Suggestion]) -> None:
        """Take the features of an image from its preview, once for each content."""
        with self._lock:
            known = self._seen.get(sha256)
        best = np.array(suggestions[0].box.xyxy) if suggestions else np.full(4, np.nan)
        numbers = _features(jpeg) if known is None else known.features
        with self._lock:
            before = self._seen.get(sha256)
            self._keep(sha256, Seen(numbers, best, before.sight if before else None))
            self._model = suggestions[0].source if suggestions else self._model

    def look(self, sha256: str, jpeg: bytes, models: Look) -> None:
        """Have models look at an image that was seen, once for each content; a tenth of a second.

        Parameters
        ----------
        models : returns what they see of an upright RGB image (SEEN,)
        """
        with self._lock:
            known = self._seen.get(sha256)
        if known is None or known.sight is not None:
            return
        with Image.open(BytesIO(jpeg), formats=("JPEG",)) as picture:
            sight = models(picture.convert("RGB"))
        with self._lock:
            known = self._seen.get(sha256)
            if known is not None:
                self._seen[sha256] = known._replace(sight=sight)

    @property
    def has_enough(self) -> bool:
        """Whether there are as many decisions as anything is learned from."""
        return len(self._taught) >= LEAST

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
        looked_at = [(seen, box) for seen, box in rows if seen.sight is not None]
        plain = [(seen._replace(sight=None), box) for seen, box in rows]
        fit, by_sight = _fitted(self._fit, plain, house), Fit()
        if len(looked_at) >= max(LEAST, _PART * len(rows)):
            by_sight = _fitted(self._fit_by_sight, looked_at, house)
        with self._lock:
            self._fit, self._fit_by_sight = fit, by_sight

    # -- proposing ------------------------------------------------------------------------------

    def improved(self, sha256: str, suggestions: tuple[Suggestion, ...]) -> tuple[Suggestion, ...]:
        """Put what was learned before what is suggested, where something was.

        One image in twenty, by its content, is left as it is: by these the saving is measured.
        """
        with self._lock:
            seen = self._seen.get(sha256)
            by_sight = self._fit_by_sight.predict is not None and _is_looked_at(seen)
            choice, predict = self._fit_by_sight if by_sight else self._fit
        if seen is None or predict is None or choice.name == FIRST or is_control(sha256):
            return suggestions
        if self._taste and choice.name == HOUSE and choice.count < LEAST:  # whose box is it here?
            house = self._taste.house(suggestions[0].source if suggestions else "")
            predict = choice.predictor(_history([], []), house)
        seen = seen if by_sight else seen._replace(sight=None)
        box = predict(_history([seen], [np.full(4, np.nan)]))[0]
        if suggestions and boxes.edges_within(box, np.array(suggestions[0].box.xyxy), _ALIKE):
            return suggestions
        count = self._taste.count if self._taste and choice.name == HOUSE else choice.count
        model = (suggestions[0].source, suggestions[0].version) if suggestions else None
        source, version = named(choice.name, count, model, by_sight=by_sight)
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
            sight=np.array([_sight(each) for each in rows], dtype=np.float32),
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
        sights = arrays["sight"].astype(np.float64).reshape(len(digests), features.SEEN)
        if not np.isfinite(numbers).all():
            raise ValueError("features that are no numbers")
        with self._lock:
            for digest, row, box, sight in zip(digests, numbers, suggested, sights, strict=True):
                looked_at = sight if np.isfinite(sight).all() else None
                self._keep(digest.tobytes().hex(), Seen(row, box, looked_at))


def _features(jpeg: bytes) -> Array:
    """Return the features of a preview, which is decoded no larger than they need it."""
    picture = Image.open(BytesIO(jpeg), formats=("JPEG",))
    ratio = picture.width / picture.height
    picture.draft("RGB", (2 * features.SIDE, 2 * features.SIDE))
    return features.features(picture, ratio)


def _arrays(kept: bytes) -> dict[str, Array]:
    with np.load(BytesIO(kept), allow_pickle=False) as file:
        arrays = {name: file[name] for name in ("version", "sha256", "features", "suggested")}
        none = np.full((len(arrays["features"]), features.SEEN), np.nan)
        return arrays | {"sight": file["sight"] if "sight" in file.files else none}


def _sight(of: Seen) -> Array:
    return np.full(features.SEEN, np.nan) if of.sight is None else of.sight


def _is_looked_at(seen: Seen | None) -> bool:
    return seen is not None and seen.sight is not None


def _fitted(before: Fit, rows: Sequence[tuple[Seen, Array]], house: House | None) -> Fit:
    """Learn from what was decided; of all rows the same is known."""
    known = _history([seen for seen, _ in rows], [box for _, box in rows])
    choice = before.choice.again(known, house)
    return Fit(choice, choice.predictor(known, house))


def _history(seen: Sequence[Seen], wanted: Sequence[Array]) -> History:
    width = len(seen[0].whole) if seen else features.COUNT
    table = np.array([each.whole for each in seen]).reshape(-1, width)
    return History(
        table,
        np.array(wanted, dtype=np.float64).reshape(-1, 4),
        features.aspect(table),
        np.array([each.suggested for each in seen], dtype=np.float64).reshape(-1, 4),
    )
