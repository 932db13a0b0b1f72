"""The ids of the decisions that stand, by image: sixteen bytes for each."""

import re
from collections.abc import Iterable

from cropkit.review.model.listing import Index

_WIDTH = 16
_USUAL = re.compile(r"(?!0+$)[0-9a-f]{32}")


class DecisionIds:
    """Knows by which id each decision is carried out and taken back.

    Parameters
    ----------
    index : all images that there can be decisions about
    ids : path and id of each decision
    """

    def __init__(self, index: Index, ids: Iterable[tuple[str, str]] = ()) -> None:
        self._index = index
        self._records = bytearray(_WIDTH * len(index))
        self._unusual: dict[str, str] = {}
        self.update(ids)

    def update(self, ids: Iterable[tuple[str, str]]) -> None:
        """Take over the ids of newer decisions."""
        for path, decision in ids:
            usual = bool(_USUAL.fullmatch(decision))
            self._records[self._place(path)] = bytes.fromhex(decision) if usual else bytes(_WIDTH)
            self._unusual.pop(path, None)
            if not usual:
                self._unusual[path] = decision

    def get(self, path: str) -> str | None:
        """Return the id of the decision about an image, None where there is none."""
        record = self._records[self._place(path)]
        return record.hex() if any(record) else self._unusual.get(path)

    def __getitem__(self, path: str) -> str:
        decision = self.get(path)
        if decision is None:
            raise KeyError(path)
        return decision

    def _place(self, path: str) -> slice:
        start = _WIDTH * self._index.known(path)
        return slice(start, start + _WIDTH)
