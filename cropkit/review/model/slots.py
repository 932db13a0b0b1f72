"""How the review tells the crops of one image apart; pure.

What is decided in a review is a crop, and each has a path of its own: that of its image, two
slashes, and the name of its slot, as `set/photo.png//face`. No image has such a path, and no slot
a slash in its name. A crop without a slot's name has the path of its image, so that where each
image has one crop nothing is any different.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

_BETWEEN = "//"


def keyed(image: str, slot: str) -> str:
    """Return the path of a crop."""
    return f"{image}{_BETWEEN}{slot}" if slot else image


def image_of(path: str) -> str:
    """Return the path of the image that a crop is of."""
    return path.partition(_BETWEEN)[0]


def slot_of(path: str) -> str:
    """Return the name of a crop's slot, '' where it has none."""
    return path.partition(_BETWEEN)[2]


def named(path: str) -> str:
    """Return a crop's path as a person reads it."""
    image, _, slot = path.partition(_BETWEEN)
    return f"{image} ({slot})" if slot else image


def is_beside(path: str, image: str) -> bool:
    """Whether a crop is one of an image, and not its first without a name."""
    return path.startswith(image + _BETWEEN)


def is_added(path: str, slots: Sequence[str]) -> bool:
    """Whether a crop is one that somebody added: numbered, and none of those that are wanted."""
    slot = slot_of(path)
    return slot.isdecimal() and slot not in slots


def added(known: Iterable[str], slots: Sequence[str]) -> dict[str, list[str]]:
    """Return the crops that were added to each image, in their order.

    Parameters
    ----------
    known : crops that there are decisions about
    """
    by_image: dict[str, list[str]] = {}
    for path in known:
        if _BETWEEN in path and is_added(path, slots):
            by_image.setdefault(image_of(path), []).append(path)
    return {image: sorted(paths, key=_number) for image, paths in by_image.items()}


def _number(path: str) -> tuple[int, str]:
    digits = slot_of(path).lstrip("0")  # too many for a number, where somebody wrote the row
    return len(digits), digits


def every_crop(
    images: Iterable[str], slots: Sequence[str], more: Mapping[str, Sequence[str]]
) -> Iterator[str]:
    """Yield the crops of each image: those that are wanted, then those that were added."""
    for image in images:
        yield from (keyed(image, slot) for slot in slots)
        yield from more.get(image, ())
