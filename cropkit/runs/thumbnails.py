"""Small pictures of an image as it was and as it is, for a report."""

from pathlib import Path

from cropkit import bounded
from cropkit.bounds import Bounds
from cropkit.engine.locations import Locations
from cropkit.errors import CropkitError
from cropkit.formats.preview import preview
from cropkit.geometry import Size
from cropkit.runs.record import Entry
from cropkit.runs.report import Pictures
from cropkit.system.home import kept

_FIT = Size(220, 220)


class Thumbnails:
    """Reads images of one collection; one that cannot be read or decoded has no picture."""

    def __init__(self, locations: Locations) -> None:
        self._locations = locations

    def __call__(self, entry: Entry) -> Pictures:
        """Return the pictures of one item."""
        if entry.operation is None:
            return Pictures(self._small(entry.path, entry.path), None)
        now = entry.target or entry.path
        if entry.sha256_before == entry.sha256_after:
            return Pictures(self._small(now, now), self._small(now, now))
        return Pictures(self._before(entry), self._small(now, now))

    def files(self, entry: Entry) -> tuple[Path | None, Path | None]:
        """Return where the image as it was and as it is lie; None of what is not there."""
        now = entry.target or entry.path
        was = entry.path if entry.copied or entry.operation is None else kept(_hash_of(entry))
        return self._file(was), self._file(now) if entry.operation is not None else None

    def _file(self, name: str) -> Path | None:
        root, path = self._locations.locate(name)
        return root.path / path if root.identity(path) is not None else None

    def _before(self, entry: Entry) -> bytes | None:
        """Return the picture of the original: kept, or where it is if a copy was made of it."""
        if not entry.copied:
            return self._small(kept(_hash_of(entry)), entry.path)
        return self._small(entry.path, entry.path, entry.sha256_before)

    def _small(self, name: str, image: str, sha256: str | None = None) -> bytes | None:
        try:
            root, path = self._locations.locate(name)
            content = root.read(path, Bounds.from_environment())
            is_other = sha256 is not None and content.sha256 != sha256
            return None if is_other else bounded.done(preview, content.data, image, _FIT)
        except CropkitError:  # purged, changed, or no image at all: the entry says what is wrong
            return None


def _hash_of(entry: Entry) -> str:
    return entry.sha256_before or ""
