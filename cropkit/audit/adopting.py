"""What the trail of a collection inside another becomes in the trail of the outer one.

Each event of the inner trail is appended to the outer one as it was, with its time, session and
reviewer, and with names that begin with the inner folder; the tables follow from that as from any
other event. One event more, `merged`, tells where they came from, and what the mere order of events
does not: of an image that was decided about in both, the later decision stands.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from cropkit.audit import chain, operations, rows
from cropkit.audit.operation import OUTCOMES, Operation, OperationKind
from cropkit.audit.reader import TrailReader
from cropkit.errors import NotMergeable, PathOutsideRoot
from cropkit.records import Status
from cropkit.system.home import ORIGINALS

Event = dict[str, Any]
Rename = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Adopted:
    """What is to be appended to the outer trail, and what stands of images decided in both.

    Parameters
    ----------
    events : of the inner trail, with the outer's names; a body is what `chain.body_of` returns
    order : table -> ids, the earliest first, of rows that come behind all others
    settled : decision -> status
    shared : images that were decided about in both
    """

    events: Sequence[Event]
    order: Mapping[str, Sequence[str]]
    settled: Mapping[str, str]
    shared: Sequence[str]


class _Timed(NamedTuple):
    at: str
    is_inner: bool
    operation: Operation


@dataclass(frozen=True, slots=True)
class Adoption:
    """Two trails, of which the inner one is to become a part of the outer one.

    Parameters
    ----------
    folder : of the inner collection
    rename : returns the outer's name of a file that the inner one names, or refuses it
    """

    outer: TrailReader
    inner: TrailReader
    folder: Path
    rename: Rename

    def after(self, seq: int) -> Adopted:
        """Return what the inner trail's events behind one of them become.

        Raises
        ------
        NotMergeable
            They hold the same ids, or what was purged does not let them be put in order.
        AuditCorrupt, PathOutsideRoot
            An event is none of ours, or is about a file elsewhere.
        """
        kept = self.outer.contents.originals().keys()
        new = [event for event in self.inner.events() if event["seq"] > seq]
        events = [self._renamed(event) for event in new if _counts_for_both(event, kept)]
        decisions = self._decisions(events)
        order = {"decision": [row["id"] for row in decisions], "operation": self._order(events)}
        shared = sorted({row["path"] for row in decisions})
        return Adopted(events, order, _settled(decisions), shared)

    def _renamed(self, event: Event) -> Event:
        with rows.read(f"event {event['seq']!r}"):
            body = chain.body_of(event)
            done = operations.from_row(body["operation"]) if event["event"] in OUTCOMES else None
            about = (body["path"], body.get("destination")) if event["event"] == "decided" else None
        if done is not None:
            operation = renamed(done, self.rename)
            row = operations.to_row(operation)
            body = body | {"target": operation.target, "operation": row}
        if about is not None:
            path, where = about
            names = {"path": self.rename(path), "destination": where and self.rename(where)}
            body = body | names
        return event | {"path": event["path"] and self._told(event["path"]), "body": body}

    def _told(self, path: str) -> str:
        """Rename what an event is about; it may be a file that was refused for where it lies."""
        try:
            return self.rename(path)
        except PathOutsideRoot:
            return path

    def _decisions(self, events: Sequence[Event]) -> list[dict[str, Any]]:
        """Return the decisions of both about the same images, the earliest first."""
        new = [event["body"]["id"] for event in events if event["event"] == "decided"]
        mine = self.outer.decisions.table()
        self._check_apart({row["id"] for row in mine}, new)
        added = set(new)
        theirs = [
            row | {"path": self.rename(row["path"])}
            for row in self.inner.decisions.table()
            if row["id"] in added
        ]
        shared = {row["path"] for row in mine} & {row["path"] for row in theirs}
        both = [row for row in (*mine, *theirs) if row["path"] in shared]
        return sorted(both, key=lambda row: str(row["decided_at"]))

    def _order(self, events: Sequence[Event]) -> list[str]:
        """Return the operations of both on the same names, the earliest first.

        Nothing where they are in order as they are appended.
        """
        mine, theirs = _timed(self.outer.events()), _timed(events, is_inner=True)
        ids = [each.operation.id for each in theirs]
        self._check_apart({each.operation.id for each in mine}, ids)
        both = _tied([*mine, *theirs], _names(mine) & _names(theirs))
        latest = max((each.at for each in both if not each.is_inner), default="")
        if all(each.at > latest for each in both if each.is_inner):
            return []
        purged = {e.operation.sha256_before for e in (*mine, *theirs) if _is_purge(e.operation)}
        for each in both:
            if each.operation.sha256_before in purged:
                reason = f"{each.operation.image} was cropped in both, and an original was purged"
                raise NotMergeable(self.folder, reason)
        return [each.operation.id for each in sorted(both, key=lambda timed: timed.at)]

    def _check_apart(self, mine: Collection[str], theirs: Sequence[str]) -> None:
        twice = any(number > 1 for number in Counter(theirs).values())
        if twice or not set(theirs).isdisjoint(mine):
            raise NotMergeable(self.folder, "it is a copy of what is in the outer collection")


def renamed(operation: Operation, rename: Rename) -> Operation:
    """Return an operation with other names."""
    companions = tuple(
        replace(
            each,
            source=rename(each.source),
            target=rename(each.target),
            aside=each.aside and rename(each.aside),
        )
        for each in operation.companions
    )
    source, target = rename(operation.source), rename(operation.target)
    return replace(operation, source=source, target=target, companions=companions)


def _counts_for_both(event: Event, kept: Collection[str]) -> bool:
    """Whether an event is one of the outer trail, too.

    How the inner one was set is its own; and what the outer one keeps is not purged there.
    """
    if event["event"] != "purged":
        return bool(event["event"] != "settings")
    with rows.read(f"event {event['seq']!r}"):
        return str(chain.body_of(event)["sha256_before"]) not in kept


def _settled(decisions: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Let the latest decision about an image wait, if it does, and no earlier one."""
    latest = {(row["path"], row["slot"]): row["id"] for row in decisions}
    waiting = [row for row in decisions if row["status"] == Status.WAITING]
    stands = {True: Status.WAITING.value, False: Status.SUPERSEDED.value}
    return {row["id"]: stands[latest[row["path"], row["slot"]] == row["id"]] for row in waiting}


def _timed(events: Iterable[Event], *, is_inner: bool = False) -> list[_Timed]:
    timed = []
    for event in events:
        if event["event"] in OUTCOMES:
            with rows.read(f"event {event['seq']!r}"):
                body = event["body"] if is_inner else chain.body_of(event)
                operation = operations.from_row(body["operation"])
                timed.append(_Timed(event["at"], is_inner, operation))
    return timed


def _tied(timed: Sequence[_Timed], shared: set[str]) -> list[_Timed]:
    """Return the operations on shared names, and on each name that one of those gave or took."""
    using: dict[str, list[int]] = {}
    for number, each in enumerate(timed):
        for name in _names([each]):
            using.setdefault(name, []).append(number)
    tied, left = set[int](), [*shared]
    while left:
        new = [number for number in using.pop(left.pop(), ()) if number not in tied]
        tied.update(new)
        left += _names(timed[number] for number in new)
    return [timed[number] for number in sorted(tied)]


def _names(timed: Iterable[_Timed]) -> set[str]:
    """Return the names of images; an original is everybody's who has that content."""
    each_name = (n for each in timed for n in each.operation.names)
    return {name for name in each_name if not name.startswith(f"{ORIGINALS}/")}


def _is_purge(operation: Operation) -> bool:
    return operation.kind is OperationKind.PURGE
