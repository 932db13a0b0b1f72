"""Other reviews of the same folder: told once each, as soon as a page is turned."""

from pathlib import Path
from typing import TYPE_CHECKING

from cropkit.audit.tally import SessionRow
from cropkit.review.runtime.review_store import ReviewStore

if TYPE_CHECKING:
    from cropkit.collection import Collection


class OtherReviews:
    """Knows who else reviews a collection, and whom the reviewer has heard of."""

    def __init__(self, collection: "Collection") -> None:
        self._collection = collection
        self._met: set[str] = set()

    def newcomers(self) -> list[str]:
        """Return a sentence for each review that was not there the last time."""
        new = [
            review
            for review in ReviewStore(self._collection).others()
            if review.id not in self._met
        ]
        self._met.update(review.id for review in new)
        return [_sentence(review, Path(self._collection.root).name) for review in new]


def _sentence(other: SessionRow, folder: str) -> str:
    since = f"{other.started_at.astimezone():%H:%M}"
    return (
        f"{folder} is under review elsewhere, too, by {other.reviewer} on {other.host} since "
        f"{since}. No image is cropped twice, and what is decided there is seen here"
    )
