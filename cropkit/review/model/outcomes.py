"""What was decided about each image, compact and persistent: eighteen bytes for most of them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from struct import Struct
from typing import TypeVar

from cropkit.geometry import NO_TURN, PixelBox, Turn
from cropkit.records import Status, Verdict
from cropkit.review.model.decided import Decided
from cropkit.review.model.tree import NumberSet, Shift, Tree

_VERDICTS: tuple[Verdict | None, ...] = (None, *Verdict)
_STATUSES = tuple(Status)
_LARGEST = (1 << 32) - 1
_NONE, _WITHOUT_BOX, _WITH_BOX = range(3)
_RECORD = Struct("<BB4I")  # which verdict and whether a box, which status and turn, edges
_ROW_BITS = 6
_IN_A_ROW = 1 << _ROW_BITS

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class Column:
    """Records of one width by number, packed; all zeros where there is none."""

    width: int
    rows: Tree[bytes] = field(default_factory=Tree)

    @classmethod
    def of(cls, width: int, records: bytes | bytearray) -> "Column":
        """Return records as they follow one another from number 0."""
        return cls(width, Tree.of(_rows(width, 0, records)))

    def joined(self, start: int, records: bytes | bytearray) -> "Column":
        """Return the records with others, as they follow one another from a number on.

        There are none yet from that number on.
        """
        key, before = start >> _ROW_BITS, self.width * (start & (_IN_A_ROW - 1))
        row = (self.rows.get(key) or bytes(before))[:before]
        return replace(self, rows=self.rows.joined(_rows(self.width, key, row + records)))

    def flat(self) -> bytes:
        """Return all records, one after the other."""
        rows = dict(self.rows.items())
        empty = bytes(self.width * _IN_A_ROW)
        return b"".join(rows.get(key, empty) for key in range(max(rows, default=-1) + 1))

    def shifted(self, shift: Shift) -> "Column":
        """Return the same records by numbers that have moved."""
        flat, at = self.flat(), shift.at * self.width
        new = bytes(self.width) if shift.by > 0 else b""
        rest = at if shift.by > 0 else at + self.width
        return Column.of(self.width, flat[:at] + new + flat[rest:])

    def get(self, number: int) -> bytes:
        """Return a record, empty or zeros where there is none."""
        at = self.width * (number & (_IN_A_ROW - 1))
        return (self.rows.get(number >> _ROW_BITS) or b"")[at : at + self.width]

    def put(self, number: int, record: bytes) -> "Column":
        """Return the records with another one."""
        key, at = number >> _ROW_BITS, self.width * (number & (_IN_A_ROW - 1))
        row = self.rows.get(key) or bytes(self.width * _IN_A_ROW)
        return replace(self, rows=self.rows.put(key, row[:at] + record + row[at + self.width :]))

    def written(self, records: Mapping[int, bytes]) -> "Column":
        """Return the records with others, by number: a row is written once for all in it."""
        rows: dict[int, bytearray] = {}
        for number, record in records.items():
            key, at = number >> _ROW_BITS, self.width * (number & (_IN_A_ROW - 1))
            if key not in rows:
                rows[key] = bytearray(self.rows.get(key) or bytes(self.width * _IN_A_ROW))
            rows[key][at : at + self.width] = record
        return replace(self, rows=self.rows.joined((key, bytes(row)) for key, row in rows.items()))


def _rows(width: int, first: int, records: bytes | bytearray) -> Iterator[tuple[int, bytes]]:
    """Yield the rows of records, but for empty ones, with their keys: the first has `first`."""
    row = width * _IN_A_ROW
    for at in range(0, len(records), row):
        some = bytes(records[at : at + row]).ljust(row, b"\0")
        if any(some):
            yield first + at // row, some


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The decisions that stand, by the number of their image, counted by what became of them.

    Parameters
    ----------
    loose : what does not fit into a record: a reason, an angle, or a box beyond any image
    by_target : those that are meant for a target, by its name
    whole : those of images that are kept whole, carried out
    """

    records: Column = field(default_factory=lambda: Column(_RECORD.size))
    loose: Tree[Decided] = field(default_factory=Tree)
    numbers: NumberSet = field(default_factory=NumberSet)
    by_status: dict[Status, NumberSet] = field(default_factory=dict)
    by_target: dict[str, NumberSet] = field(default_factory=dict)
    whole: NumberSet = field(default_factory=NumberSet)

    @classmethod
    def of(cls, decisions: Iterable[tuple[int, Decided]]) -> "Outcomes":
        """Return the outcomes of decisions by number, each once."""
        return cls().joined(decisions, 0)

    def joined(self, decisions: Iterable[tuple[int, Decided]], start: int) -> "Outcomes":
        """Return the outcomes with others by number, each once.

        Parameters
        ----------
        start : no number is below it, and none that has an outcome is not
        """
        records, loose, whole = bytearray(), [], []
        having: list[list[int]] = [[] for _ in _STATUSES]
        meant: dict[str, list[int]] = {}
        for number, decided in decisions:
            end, packed = (number - start + 1) * _RECORD.size, _packed(decided)
            if len(records) < end:
                records.extend(bytes(end - len(records)))
            if packed is None:
                loose.append((number, decided))
            else:
                records[end - _RECORD.size : end] = packed
            having[_STATUSES.index(decided.status)].append(number)
            if decided.is_whole:
                whole.append(number)
            if decided.target:
                meant.setdefault(decided.target, []).append(number)
        return Outcomes(
            self.records.joined(start, records),
            self.loose.joined(loose),
            self.numbers | NumberSet.of(chain.from_iterable(having)),
            _with_more(self.by_status, zip(_STATUSES, having, strict=True)),
            _with_more(self.by_target, meant.items()),
            self.whole | NumberSet.of(whole),
        )

    def get(self, number: int) -> Decided | None:
        """Return the decision about an image."""
        if number not in self.numbers:
            return None
        decided = self.loose.get(number) or _unpacked(self.records.get(number))
        meant = (target for target, numbers in self.by_target.items() if number in numbers)
        target = next(meant, "")
        return replace(decided, target=target) if target else decided

    def put(self, number: int, decided: Decided) -> "Outcomes":
        """Return the outcomes with another decision about an image."""
        before, packed = self.without(number), _packed(decided)
        same = before.by_status.get(decided.status) or NumberSet()
        return Outcomes(
            before.records if packed is None else before.records.put(number, packed),
            before.loose.put(number, decided) if packed is None else before.loose,
            before.numbers.put(number),
            {**before.by_status, decided.status: same.put(number)},
            before.meant_for(decided.target, number),
            before.whole.put(number, there=decided.is_whole),
        )

    def meant_for(self, target: str, number: int) -> dict[str, NumberSet]:
        """Return what is meant for each target, with one more."""
        if not target:
            return self.by_target
        same = self.by_target.get(target) or NumberSet()
        return {**self.by_target, target: same.put(number)}

    def without(self, number: int) -> "Outcomes":
        """Return the outcomes without one about an image."""
        decided = self.get(number)
        if decided is None:
            return self
        with_others = self.by_status | {
            decided.status: self.by_status[decided.status].without(number)
        }
        return replace(
            self,
            loose=self.loose.without(number),
            numbers=self.numbers.without(number),
            whole=self.whole.without(number),
            by_status=_those_that_are(with_others.items()),
            by_target=_those_that_are(
                (target, numbers.without(number)) for target, numbers in self.by_target.items()
            ),
        )

    def shifted(self, shift: Shift) -> "Outcomes":
        """Return the same decisions by numbers that have moved."""
        return Outcomes(
            self.records.shifted(shift),
            self.loose.shifted(shift),
            self.numbers.shifted(shift),
            {status: numbers.shifted(shift) for status, numbers in self.by_status.items()},
            {target: numbers.shifted(shift) for target, numbers in self.by_target.items()},
            self.whole.shifted(shift),
        )

    def having(self, status: Status) -> NumberSet:
        """Return the images with a status."""
        return self.by_status.get(status) or NumberSet()

    @property
    def failed(self) -> NumberSet:
        """The images whose decision could not be carried out."""
        failed = NumberSet()
        for status, numbers in self.by_status.items():
            failed = failed | numbers if status.is_failure else failed
        return failed

    def crops_by_target(self) -> Counter[str]:
        """Return how many crops are made, or wait to be, for each target."""
        failed = self.failed if self.by_target else NumberSet()
        sets = self.by_target.items()
        return Counter({target: len(numbers - failed) for target, numbers in sets})

    def counts(self) -> Counter[Status]:
        """Return how many images have each status."""
        return Counter({status: len(numbers) for status, numbers in self.by_status.items()})

    def __iter__(self) -> Iterator[int]:
        return iter(self.numbers)

    def __len__(self) -> int:
        return len(self.numbers)


def _with_more(
    sets: Mapping[K, NumberSet], more: Iterable[tuple[K, list[int]]]
) -> dict[K, NumberSet]:
    joined = {key: sets.get(key, NumberSet()) | NumberSet.of(some) for key, some in more if some}
    return {**sets, **joined}


def _those_that_are(sets: Iterable[tuple[K, NumberSet]]) -> dict[K, NumberSet]:
    return {key: numbers for key, numbers in sets if numbers}


def _packed(decided: Decided) -> bytes | None:
    """Return a decision as a record, None where it does not fit."""
    box = decided.box
    is_large = box is not None and max(box.right, box.bottom) > _LARGEST
    if decided.reason or is_large or decided.turn.resamples:
        return None
    verdict, status = _VERDICTS.index(decided.verdict), _STATUSES.index(decided.status)
    status += len(_STATUSES) * (decided.turn.orientation - 1)
    if box is None:
        return _RECORD.pack(3 * verdict + _WITHOUT_BOX, status, 0, 0, 0, 0)
    return _RECORD.pack(3 * verdict + _WITH_BOX, status, *box.xyxy)


def _unpacked(record: bytes) -> Decided:
    both, status, *edges = _RECORD.unpack(record)
    verdict, box = divmod(both, 3)
    turned, status = divmod(status, len(_STATUSES))
    return Decided(
        _VERDICTS[verdict],
        _STATUSES[status],
        PixelBox(*edges) if box == _WITH_BOX else None,
        turn=Turn(turned + 1) if turned else NO_TURN,
    )
