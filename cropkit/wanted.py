"""Which crops are wanted of each image: one, or several by name, each for targets of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cropkit.errors import BadSlot
from cropkit.geometry import PixelBox, Size
from cropkit.records import check_slot
from cropkit.targets import Fit, Target, buckets, nearest, targets

Targets = str | Sequence[str | Target]
Slots = str | Sequence[str] | Mapping[str, Targets]
_ALTERNATIVE = "|"


@dataclass(frozen=True, slots=True)
class Wanted:
    """One crop that is wanted of each image.

    Parameters
    ----------
    slot : its name, a part of the copy's name; '' where there is only one
    targets : sizes or ratios, of which its box takes the nearest; none: any box will do
    """

    slot: str = ""
    targets: tuple[Target, ...] = ()


def wanted(slots: Slots | None, among: Targets | None = None) -> tuple[Wanted, ...]:
    """Return what is wanted of each image, in the order in which it is shown.

    Parameters
    ----------
    slots : names; or the targets of each name; None: one crop without a name. As text:
        ``face,bust``, or with targets ``square=1:1,tall=4:5|832x1216``
    among : targets of those that name none

    Raises
    ------
    BadSlot, BadTarget
        Nothing was begun.
    """
    common = () if among is None else read(among)
    if slots is None:
        return (Wanted("", common),)
    if isinstance(slots, str):
        slots = _named(slots)
    _check_names(tuple(slots))
    if isinstance(slots, Mapping):
        return tuple(Wanted(name, read(each) or common) for name, each in slots.items())
    return tuple(Wanted(name, common) for name in slots)


def of_slot(slot: str, crops: Sequence[Wanted]) -> Wanted:
    """Return what is wanted in a slot: in one that nobody named, what any other one may be for.

    So each crop of a training set has one of its sizes, also one more of an image.
    """
    named = next((each for each in crops if each.slot == slot), None)
    every = (target for each in crops for target in each.targets)
    return named or Wanted(slot, tuple(dict.fromkeys(every)))


def written(crops: Sequence[Wanted]) -> tuple[str, str]:
    """Return slots and targets as text, as `wanted` reads them."""
    names = [(crop.slot, _ALTERNATIVE.join(t.name for t in crop.targets)) for crop in crops]
    if not crops[0].slot:
        return "", ",".join(target.name for target in crops[0].targets)
    return ",".join(f"{name}={among}" if among else name for name, among in names), ""


def _named(text: str) -> dict[str, Targets]:
    pairs = (part.partition("=") for part in text.split(","))
    read = [(name.strip(), among.strip()) for name, _, among in pairs]
    _check_names([name for name, _ in read])
    return {name: among.split(_ALTERNATIVE) if among else "" for name, among in read}


def fitted(box: PixelBox, image: Size, crop: Wanted) -> Fit | None:
    """Return the box that fits the nearest of a crop's targets; None where any box will do."""
    return nearest(box, image, crop.targets) if crop.targets else None


def read(among: Targets) -> tuple[Target, ...]:
    """Read targets, or the sizes of a table or a rule where one is named; '' is none.

    Raises
    ------
    BadTarget
        One cannot be read.
    """
    if isinstance(among, str):
        if not among.strip():
            return ()
        return buckets(among) if "=" in among or among.strip().isalpha() else targets(among)
    return targets(among)


def _check_names(names: Sequence[str]) -> None:
    if not names:
        raise BadSlot("", "none is named")
    if not all(names):
        raise BadSlot("", "it has no name")
    for name in names:
        check_slot(name)
    folded = [name.casefold() for name in names]  # some file systems know no case
    for name in names:
        if folded.count(name.casefold()) > 1:
            raise BadSlot(name, "two are called so")
