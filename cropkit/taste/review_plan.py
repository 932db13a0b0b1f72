"""A plan of what a person has to see, as it was drawn: kept in the collection's `.cropkit`.

It holds the undecided images that have a box, in an order that was drawn by chance, each with the
box that would be accepted and how likely this reviewer is to leave it. None of that changes once it
is drawn: what a sample promises is only true of what was laid down before it was decided. So the
key of whoever draws it vouches for it, and a plan for which yours does not is believed by nobody.
"""

import hmac
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from cropkit.audit import keys
from cropkit.audit.decisions import InForce
from cropkit.audit.reader import TrailReader
from cropkit.errors import BadPlan, MissingFile
from cropkit.geometry import PixelBox, Size, largest_edge_shift
from cropkit.names import all_escaped, all_unescaped
from cropkit.records import Decision, is_batch
from cropkit.system import state_folder
from cropkit.system.home import PLAN
from cropkit.taste import documents
from cropkit.taste.assurance import Counts
from cropkit.taste.promise import Fate, Promise, Terms, promise

_FORM = "cropkit review plan 1"
_LARGEST = 1 << 30  # bytes: some four million images
_NOISE = 1e-9
_OF_NONSENSE = (ValueError, TypeError, KeyError, AttributeError, OverflowError)
_NOT_YOURS = (
    "was not drawn with your key, so its promise may be anybody's; "
    "`cropkit plan-review FOLDER --anew` draws your own (CROPKIT_KEY names a key that is shared)"
)


class Planned(NamedTuple):
    """One image of a plan, with the box that would be accepted for it.

    Parameters
    ----------
    box : upright pixels of `size`
    sure : how likely the reviewer leaves it as it is, 0 to 1
    """

    path: str
    sha256: str
    size: Size
    box: PixelBox
    sure: float


@dataclass(frozen=True, slots=True)
class ReviewPlan:
    """A plan.

    Parameters
    ----------
    number : how many plans this collection had, with it
    seed : that the order was drawn by
    images : in the order drawn
    """

    reviewer: str
    drawn_at: str
    number: int
    seed: int
    terms: Terms
    images: tuple[Planned, ...]

    @property
    def places(self) -> Counts:
        """Where each image stands among all, the most certain first (N,)."""
        paths = [each.path for each in self.images]
        ranked = sorted(range(len(paths)), key=lambda n: (-self.images[n].sure, paths[n]))
        places = np.empty(len(paths), dtype=np.int64)
        places[ranked] = np.arange(len(paths))
        return places

    def at(self, places: Counts) -> tuple[Planned, ...]:
        """Return the images of some places in the order drawn."""
        return tuple(self.images[place] for place in places.tolist())


def shuffled(images: Sequence[Planned], seed: int) -> tuple[Planned, ...]:
    """Return images in an order that is drawn by chance; the same of the same seed."""
    ordered = sorted(images, key=lambda each: each.path)
    order = np.random.default_rng(seed).permutation(len(ordered))
    return tuple(ordered[place] for place in order.tolist())


# -- what became of it ---------------------------------------------------------------------------


def promised(plan: ReviewPlan, trail: TrailReader) -> Promise:
    """Return what the decisions in force promise of the others."""
    known = {each.path for each in plan.images}
    decided = {each.path: each for each in in_force(trail) if each.path in known and not each.slot}
    root = trail.scope.root
    fates = [_fate(plan, each, decided.get(each.path), root) for each in plan.images]
    return promise(np.array(fates, dtype=np.int64), plan.places, plan.terms)


def of_reviewer(trail: TrailReader, reviewer: str) -> tuple[ReviewPlan, Promise] | None:
    """Return a reviewer's plan with what it promises; None where there is none of theirs.

    Raises
    ------
    BadPlan
        It cannot be read, or is not of their key.
    """
    kept = _kept(trail.scope.state)
    if kept is None or kept.plan.reviewer != reviewer or not trail.scope.is_whole:
        return None
    plan = kept.believed()
    return plan, promised(plan, trail)


def in_words(terms: Terms, promise: Promise) -> str:
    """Say in one sentence what is promised of the images that may be accepted now; '' if none."""
    count, sure = len(promise.accepted), percent(terms.confidence)
    if not count:
        return ""
    most = min(promise.at_most, count)  # of those that a batch has accepted, too
    share = percent(most / count)
    return f"at most {most:,} of these {count:,} ({share}) would be changed, at {sure}"


def percent(share: float) -> str:
    """Write a share as people read it."""
    return f"{100 * share:.3g} %"


def in_force(trail: TrailReader) -> list[Decision]:
    """Return the decisions in force that can be read; the others prove nothing."""
    every = trail.decisions.numbered(trail.decisions.in_force())
    return [each.decision for each in every if isinstance(each, InForce)]


def _fate(plan: ReviewPlan, image: Planned, decision: Decision | None, root: Path) -> Fate:
    if decision is None:
        return Fate.OPEN if os.path.lexists(root / image.path) else Fate.UNKNOWN
    if is_batch(decision.reviewer):
        return Fate.UNATTENDED
    is_same = (decision.sha256, decision.size) == (image.sha256, image.size)
    if decision.reviewer != plan.reviewer or not is_same:
        return Fate.UNKNOWN
    if decision.box is None:
        return Fate.CHANGED
    if is_within(decision.box, image.box, image.size, plan.terms.within):
        return Fate.KEPT
    # whoever was shown another box, a learned one, has not been asked about this
    return Fate.CHANGED if _is_shown(decision, image) else Fate.UNKNOWN


def _is_shown(decision: Decision, image: Planned) -> bool:
    proposed = decision.suggestion
    return proposed is not None and proposed.box.pixels(image.size) == image.box


def is_within(box: PixelBox, proposed: PixelBox, size: Size, within: float) -> bool:
    """Whether no edge is farther from the one proposed than a share of width or height."""
    return largest_edge_shift(box, proposed, size) <= within + _NOISE


# -- kept ----------------------------------------------------------------------------------------


class _Kept(NamedTuple):
    """A plan that can be read, and whether this person's key vouches for it."""

    path: Path
    plan: ReviewPlan
    vouched: bool

    def believed(self) -> ReviewPlan:
        if not self.vouched:
            raise BadPlan(self.path, _NOT_YOURS)
        return self.plan


def write(plan: ReviewPlan, state: Path) -> None:
    """Keep a plan in a collection's state, in place of an earlier one; this person's key vouches.

    Raises
    ------
    BadPlan, KeyUnusable, ForeignState, OSError
        There is no key, or nothing can be written: what was there stands.
    """
    state_folder.check(state)
    path, key = state / PLAN, keys.of_person(make=True)
    if not key.secret:
        raise BadPlan(path, f"cannot be vouched for: {key.lack}")
    document = {"form": _FORM} | asdict(plan) | {"images": [_row(each) for each in plan.images]}
    document["terms"] = plan.terms._asdict()
    document = all_escaped(document)
    document["mac"] = key.mac_of(_vouched(document))
    new = state_folder.make_file(path.with_name(f"{path.name}.new"), 0o666)
    new.write_text(json.dumps(document), encoding="utf-8")
    os.replace(new, path)  # noqa: PTH105  (a rename over the name, as in `files`)


def read(state: Path) -> ReviewPlan | None:
    """Return the plan of a collection; None where there is none.

    Raises
    ------
    BadPlan
        What is there is none, whoever wrote it, or not of this person's key.
    """
    kept = _kept(state)
    return None if kept is None else kept.believed()


def _kept(state: Path) -> _Kept | None:
    path = state / PLAN
    state_folder.check(state)
    try:
        with state_folder.reader(path) as file:
            text = file.read(_LARGEST + 1)
    except (FileNotFoundError, MissingFile):
        return None
    except OSError as error:
        raise BadPlan(path, error.strerror or type(error).__name__) from error
    if len(text) > _LARGEST:
        raise BadPlan(path, f"is larger than {_LARGEST:,} bytes")
    try:
        document = documents.parsed(text)
        mac = _text(document.pop("mac", ""))
        is_vouched = _is_mac(mac, document)
        return _Kept(path, _plan(all_unescaped(document)), is_vouched)
    except (
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        OverflowError,
        RecursionError,
    ) as error:
        raise BadPlan(path, f"is no plan: {error}") from error


def _is_mac(mac: str, document: Mapping[str, Any]) -> bool:
    key = keys.of_person()
    right = key.mac_of(_vouched(document))
    return bool(key.secret) and hmac.compare_digest(right.encode(), mac.encode())


def _vouched(document: Mapping[str, Any]) -> bytes:
    """Return the text that a key vouches for, which is no text of another purpose."""
    return _FORM.encode() + b"\n" + json.dumps(document, sort_keys=True).encode()


def count(state: Path) -> int:
    """Return how many plans a collection had; one that cannot be read counts as the first."""
    try:
        plan = read(state)
    except BadPlan:
        return 1
    return 0 if plan is None else plan.number


def _row(image: Planned) -> list[Any]:
    size = (image.size.width, image.size.height)
    return [image.path, image.sha256, *size, *image.box.xyxy, image.sure]


def _plan(document: Mapping[str, Any]) -> ReviewPlan:
    if document["form"] != _FORM:
        raise ValueError(f"not {_FORM}")
    terms = _terms(**document["terms"])
    images = tuple(_image(*row) for row in document["images"])
    if len({each.path for each in images}) < len(images):
        raise ValueError("an image is there twice")
    facts = (_text(document["reviewer"]), _text(document["drawn_at"]))
    return ReviewPlan(*facts, int(document["number"]), int(document["seed"]), terms, images)


def _image(path: Any, sha256: Any, width: Any, height: Any, *rest: Any) -> Planned:  # noqa: ANN401  (whatever JSON holds)
    *edges, sure = rest
    size, box = Size(width, height), PixelBox(*edges)
    box.within(size)
    return Planned(_text(path), _text(sha256), size, box, _share(sure))


def _terms(*, within: float, error: float, confidence: float) -> Terms:
    if not (0 < _share(error) < 1 and 0 < _share(confidence) < 1):
        raise ValueError("its terms can never hold, or always do")
    return Terms(_share(within), error, confidence)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a text is none")
    return value


def _share(value: object) -> float:
    if not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError("a share is not from 0 to 1")
    return float(value)
