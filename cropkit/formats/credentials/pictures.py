"""Pictures of the old frame in content credentials: found, so that they are redacted, or refused.

An assertion of an older manifest can be redacted without breaking what that signs (C2PA 2.2, 6.8),
but for those that say what was done, and to which bytes.
"""

from collections.abc import Iterable, Iterator

from cropkit.errors import UnfitCredentials
from cropkit.formats.credentials import jumbf
from cropkit.formats.credentials.jumbf import Box
from cropkit.formats.metadata import inspection
from cropkit.formats.metadata.crop_change import SHOWS_MORE

_ASSERTIONS = "c2pa.assertions"
_FILE = b"bidb"  # the bytes of an embedded file
_BINARY = ("c2pa.", "stds.", "cawg.")  # of their standards it is known what they hold
_NEEDED = ("c2pa.actions", "c2pa.hash.", "c2pa.ingredient")


def redactable(store: bytes, name: str) -> tuple[str, ...]:
    """Return the addresses of the assertions that show, or may show, the old frame.

    Raises
    ------
    CorruptImage, UnfitCredentials
        They cannot be looked through.
    """
    return tuple(
        f"self#jumbf=/c2pa/{manifest}/{_ASSERTIONS}/{assertion.label}"
        for manifest, assertion in _assertions(store, name)
        if _may_show(assertion) and not assertion.label.startswith(_NEEDED)
    )


def check(store: bytes, name: str) -> None:
    """Refuse a store that shows the old frame, or may.

    Raises
    ------
    CorruptImage, UnfitCredentials
    """
    for _, assertion in _assertions(store, name):
        if _may_show(assertion):
            raise UnfitCredentials(name, f"{assertion.label} may show the old frame")
    # each by itself: lengths of boxes look like the marks of some videos
    if any(inspection.unfit(each) == SHOWS_MORE for each in _contents(jumbf.parsed(store, name))):
        raise UnfitCredentials(name, "a picture in them cannot be taken out")


def _contents(boxes: Iterable[Box]) -> Iterator[bytes]:
    """Yield what is in all boxes that hold no others."""
    for box in boxes:
        if box.kind == jumbf.SUPERBOX:
            yield box.description
            yield from _contents(box.boxes)
        else:
            yield box.content


def _assertions(store: bytes, name: str) -> Iterator[tuple[str, Box]]:
    """Yield each assertion with the label of its manifest."""
    for whole in jumbf.parsed(store, name):
        for manifest in whole.boxes:
            stores = [box for box in manifest.boxes if box.label == _ASSERTIONS]
            if not stores:  # packed, say
                raise UnfitCredentials(name, "a manifest that cannot be looked through")
            yield from ((manifest.label, box) for each in stores for box in each.boxes)


def _may_show(assertion: Box) -> bool:
    if any(box.kind == _FILE for box in assertion.boxes):
        return True
    reasons = {inspection.unfit(box.content) for box in assertion.boxes}
    known = assertion.label.startswith(_BINARY)
    return SHOWS_MORE in reasons or (inspection.UNSEEN in reasons and not known)
