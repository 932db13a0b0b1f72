"""The ids of the decisions that stand, by crop: sixteen bytes for each."""

import re
from collections.abc import Iterable

from cropkit.review.model.listing import Index

_WIDTH = 16
_USUAL = re.compile(r"(?!0+$)[0-9a-f]{32}")


class DecisionIds:
    """Knows by which id each decision is carried out and taken back.

    Parameters
    ----------
    index : the crops that the review begins with; few come later, but for those of the listing
    ids : path and id of each decision
    """

    def __init__(self, index: Index, ids: Iterable[tuple[str, str]] = ()) -> None:
        self._index = index
        self._records = bytearray(_WIDTH * len(index))
        self._others: dict[str, str] = {}
        self.update(ids)

    def follow(self, index: Index) -> None:
        """Keep the ids of more crops of the listing as small; none has another number yet."""
        self._index = Index(index.begun)
        self._records.extend(bytes(_WIDTH * len(self._index) - len(self._records)))

    def update(self, ids: Iterable[tuple[str, str]]) -> None:
        """Take over the ids of newer decisions."""
        for path, decision in ids:
            place = self._place(path)
            fits = place is not None and bool(_USUAL.fullmatch(decision))
            self._others.pop(path, None)
            if place is not None:
                self._records[place] = bytes.fromhex(decision) if fits else bytes(_WIDTH)
            if not fits:
                self._others[path] = decision

    def get(self, path: str) -> str | None:
        """Return the id of the decision about an image, None where there is none."""
        place = self._place(path)
        record = b"" if place is None else self._records[place]
        return record.hex() if any(record) else self._others.get(path)

    def __getitem__(self, path: str) -> str:
        decision = self.get(path)
        if decision is None:
            raise KeyError(path)
        return decision

    def _place(self, path: str) -> slice | None:
        number = self._index.number(path)
        return None if number is None else slice(_WIDTH * number, _WIDTH * (number + 1))
