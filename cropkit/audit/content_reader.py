"""What a trail tells of contents and names: whose crop they are, and who needs them."""

from cropkit.audit import decisions, operations, surveying
from cropkit.audit.store_reader import StoreReader


class ContentReader:
    """Every question about a content or a name, of the whole collection."""

    def __init__(self, store: StoreReader) -> None:
        self._store = store

    def is_crop(self, sha256: str, name: str) -> bool:
        """Whether what an image holds is the outcome of a crop that stands."""
        with self._store.reading() as db:
            return operations.is_crop(db, sha256, name)

    def is_needed(self, sha256: str) -> bool:
        """Whether a kept original is needed for undoing."""
        with self._store.reading() as db:
            return operations.needed_since(db, sha256) is not None

    def was_purged(self, sha256: str) -> bool:
        """Whether a kept original was ever removed on purpose."""
        with self._store.reading() as db:
            return operations.was_purged(db, sha256)

    def knows(self, name: str) -> bool:
        """Whether an image of this name was ever decided about or worked on."""
        with self._store.reading() as db:
            return decisions.knows(db, name) or operations.knows(db, name)

    def originals(self) -> dict[str, str]:
        """Return the kept originals that are needed for undoing: SHA-256 -> when last needed."""
        with self._store.reading() as db:
            return operations.originals(db)

    def needs_unknown(self) -> bool:
        """Whether any of those may be one of all that are kept: its row is damaged."""
        with self._store.reading() as db:
            return operations.needs_unknown(db)

    def originals_between(self, low: str, high: str) -> list[str]:
        """Return those whose SHA-256 lies from one text to another."""
        with self._store.reading() as db:
            return operations.originals_between(db, low, high)

    def names_of(self, sha256: str) -> list[str]:
        """Return the names under which some content was seen or written."""
        with self._store.reading() as db:
            return [*decisions.names_of(db, sha256), *operations.names_of(db, sha256)]

    def known_names(self) -> set[str]:
        """Return the names of images that a decision stands for or that operations gave."""
        with self._store.reading() as db:
            return set(surveying.known_names(db))
