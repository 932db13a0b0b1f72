"""Settle what a crash, a power cut or a failing disk left open. Idempotent; may be cut off itself.

Theory of operation. Recovery knows three things only: the row of an operation, whether its owner
lives, and the content under its names. The row is durable from *prepared* on, before any name
changes, and holds both hashes; the owner holds a lock that the kernel lets go of at any death; the
content is hashed now. From these the way follows, and nothing else is remembered, so that recovery
can be cut off anywhere and begun again: each step looks whether it was taken before.

The commit point is that the target stands for the crop. Past it the work is finished, because that
is the shorter way and the crop was verified; before it, the original is what the name stands for,
and what was staged goes. *Aborting* is written before names are put back: a transaction that failed
may come back from the log after a power cut, and the later row wins. Content that is neither of the
two belongs to somebody else, who decides: it is touched neither forward nor back.

=========================  =====================================================================
planned                    nothing was switched: what was staged goes; the decision waits again
prepared, target is after  the commit point was passed: forward to done
prepared, otherwise        not passed: back to what was before
aborting                   undoing was decided: back
foreign content            conflict: nothing is touched, the names stay claimed, an alert is due
cannot be settled now      set aside: it stays open and is told; the others are settled
not vouched for            left alone, whatever it is: nobody of ours planned it, or it has ended
                           (`audit.unvouched`)
cannot be read             left alone, too; nothing is swept that it may need (`audit.unsettled`)
done, and taken back       an interrupt could do that to older versions: the trail is told of it
conflict, when asked       back to what was before, once the foreign content is elsewhere
=========================  =====================================================================
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial

from cropkit.audit import rotating
from cropkit.audit.operation import Operation, OperationState
from cropkit.audit.presence import recovering
from cropkit.audit.trail import AuditTrail
from cropkit.engine.locations import Locations
from cropkit.engine.ownership import Ownership, give_back
from cropkit.engine.publish import Publisher
from cropkit.errors import (
    AuditError,
    AuditLocked,
    AuditUnavailable,
    Conflict,
    CropkitError,
    InDoubt,
    Refused,
    TakenOver,
    WriteFailed,
)
from cropkit.records import CropResult, Status
from cropkit.system.files import Root
from cropkit.system.home import (
    HOME,
    OPEN_AND_REMOVED,
    ORIGINALS,
    OWNERS,
    REBUILDING,
    STAGE,
    kept,
    leaving,
)
from cropkit.system.signals import held_off

_AWAKE = "its owner is at work again, or another settles it"


@dataclass(frozen=True, slots=True)
class Recovered:
    """What recovery did with one operation."""

    operation: str
    path: str
    kind: str
    outcome: OperationState
    reason: str | None = None


def recover(
    locations: Locations, trail: AuditTrail, *, opening: bool = False, conflicts: bool = False
) -> list[Recovered]:
    """Settle the operations whose owner is dead; return what was done to each.

    With `conflicts` those in conflict are tried again: a person has moved the foreign content. Of a
    part of the collection only its own; what a crash left is settled wherever it is. On opening,
    when somebody died and nobody else is at work, originals that no operation needs are removed,
    too: whoever opens the collection later waits for the lock that is held here. Who left in the
    usual way leaves none, and to look for them takes as long as there are originals.
    """
    root = locations.state
    with recovering(root.path, trail.store.deadline):
        left_over = _stage_files(root)  # before the rows are read: a live row precedes its file
        operations = trail.operations.vouched()
        mine = [o for o in operations if _is_ours(trail, o, conflicts=conflicts)]
        take_over = cache(trail.store.take_over)  # once for all that one owner has begun
        done = [_settle(locations, trail, operation, take_over) for operation in mine]
        done += [_mend(locations, trail, operation) for operation in trail.operations.taken_back()]
        _sweep_rebuilding(root)
        rotating.sweep(root)
        if trail.operations.unreadable():  # nobody knows what of all the rest such a one needs
            return done
        _sweep(root, trail, left_over)
        dead, living = _owners(trail)
        if not (dead or done):  # nobody left anything, and an opening asks no more
            return done
        sweeps = opening and not living and not trail.contents.needs_unknown()
        if sweeps:
            _sweep_originals(locations, trail)
        # last: who is cut off before this comes back to all of it. Where nothing was swept one of
        # them stays, which tells the next one to open that somebody died
        for owner in dead if sweeps else dead[1:]:
            _remove(root, f"{OWNERS}/{owner}")
        return done


def _is_ours(trail: AuditTrail, operation: Operation, *, conflicts: bool) -> bool:
    wanted = conflicts and trail.scope.holds(operation.source)
    asked = wanted or operation.state is not OperationState.CONFLICT
    return asked and trail.is_dead(operation.owner)


def _settle(
    locations: Locations,
    trail: AuditTrail,
    operation: Operation,
    take_over: Callable[[str], bool],
) -> Recovered:
    publisher = Publisher(locations, Ownership.of(trail.store))
    try:
        locations.check(operation)
        if not take_over(operation.owner):
            return _said(operation, operation.state, _AWAKE)
        with held_off():
            if trail.store.may_come_back:
                publisher.fence(operation)
            outcome = _forward_or_back(publisher, trail, operation)
    except (AuditLocked, AuditUnavailable, TakenOver):
        raise
    except CropkitError as error:
        if operation.state is OperationState.PLANNED or isinstance(error, AuditError):
            return _said(operation, operation.state, str(error))  # set aside
        doubt = error if isinstance(error, InDoubt) else _as_conflict(operation, error)
        trail.abandon(
            operation, OperationState.CONFLICT, _result(operation, Status.IN_DOUBT, doubt)
        )
        return _said(operation, OperationState.CONFLICT, str(doubt))
    return _said(operation, outcome)


def _mend(locations: Locations, trail: AuditTrail, operation: Operation) -> Recovered:
    """Let trail and tables agree again on an operation that was taken back after it was done.

    What the file holds decides; where it holds neither content, everything is left as it is.
    """
    try:
        with held_off():
            if locations.holds(operation.target, operation.sha256_after):
                trail.reinstate(operation)
                return _said(operation, OperationState.DONE, "it stands, as the trail says")
            if locations.holds(operation.source, operation.sha256_before):
                trail.record_taken_back(operation)
                return _said(operation, OperationState.ABORTED, "it had been taken back")
    except (AuditLocked, AuditUnavailable, TakenOver):
        raise
    except CropkitError as error:
        return _said(operation, operation.state, str(error))
    return _said(operation, operation.state, "its image holds neither content")


def _forward_or_back(
    publisher: Publisher, trail: AuditTrail, operation: Operation
) -> OperationState:
    if operation.state is OperationState.PREPARED and publisher.has_passed(operation):
        publisher.set_aside(operation)
        publisher.publish(operation, again=True)
        # before the syncs, because nobody looks for them once it is done
        publisher.clean_partials(operation)
        publisher.sync(operation, new_names=True)
        publisher.retire(operation)
        publisher.sync(operation, new_names=False)
        trail.finish([operation], recovered=True)
        publisher.clean(operation)
        return OperationState.DONE
    if operation.state is OperationState.PLANNED or operation.sha256_before is None:
        publisher.clean(operation)
    else:
        publisher.put_back(operation)
    publisher.originals.let_go(operation, is_needed=trail.contents.is_needed)
    trail.abandon(operation, OperationState.ABORTED, _result(operation, Status.WAITING, None))
    return OperationState.ABORTED


def _as_conflict(operation: Operation, error: CropkitError) -> Conflict:
    conflict = Conflict(operation.source, operation.id, str(error))
    conflict.__cause__ = error
    return conflict


def _result(operation: Operation, status: Status, error: CropkitError | None) -> CropResult:
    return CropResult(
        status=status,
        path=operation.source,
        code=error.code if error else None,
        message=str(error) if error else None,
        operation=operation.id,
    )


def _said(operation: Operation, outcome: OperationState, reason: str | None = None) -> Recovered:
    return Recovered(operation.id, operation.source, operation.kind.value, outcome, reason)


def _stage_files(root: Root) -> set[str]:
    return {p.name for p in (root.path / STAGE).iterdir()}


def _sweep(root: Root, trail: AuditTrail, names: set[str]) -> None:
    """Remove what no operation has staged; an original that went too late goes back."""
    live = {operation.id for operation in trail.operations.unsettled()}
    for name in sorted(n for n in names if n.partition(".")[0] not in live):
        path = f"{STAGE}/{name}"
        sha256 = root.digest(path) if path == leaving(name.partition(".")[0]) else None
        if sha256 is not None and trail.contents.is_needed(sha256):
            give_back(root, path, kept(sha256))
        _remove(root, path)


def _remove(root: Root, name: str) -> None:
    """Remove a file that nobody needs."""
    with _open_and_removed(name):
        root.unlink(name, missing_ok=True)


@contextmanager
def _open_and_removed(name: str) -> Iterator[None]:
    """Let it be that a `.nfs…` stays: NFS removes it when the last one closes it.

    It gives that name to a file that was removed here while somebody had it open, and refuses to
    have it removed before they are done.
    """
    try:
        yield
    except WriteFailed:
        if not name.rpartition("/")[2].startswith(OPEN_AND_REMOVED):
            raise


def _sweep_rebuilding(root: Root) -> None:
    """Remove what a rebuild that was cut off left beside the database."""
    for path in (root.path / HOME).glob(f"{REBUILDING.rpartition('/')[2]}*"):
        root.unlink(f"{HOME}/{path.name}", missing_ok=True)


def _owners(trail: AuditTrail) -> tuple[list[str], list[str]]:
    """Return who has died, and who lives beside this process."""
    others = [
        path.name for path in (trail.root.path / OWNERS).iterdir() if path.name != trail.owner
    ]
    dead = [owner for owner in others if trail.is_dead(owner)]
    return dead, [owner for owner in others if owner not in dead]


def _sweep_originals(locations: Locations, trail: AuditTrail) -> None:
    """Remove originals that no operation needs, as long as the content stands elsewhere, too.

    One that is the last of its content stays, whatever the database says: the database may be the
    thing that was lost. `fsck` names it.
    """
    root, ownership = locations.state, Ownership.of(trail.store)
    needed = {
        *trail.contents.originals(),
        *(operation.sha256_before for operation in trail.operations.unsettled()),
    }
    for path in (root.path / ORIGINALS).iterdir():
        name = path.name
        if name not in needed and _stands_elsewhere(locations, trail, name):
            with _open_and_removed(name):
                ownership.drop(
                    root, kept(name), leaving(name), is_needed=partial(_is_needed, trail, name)
                )


def _is_needed(trail: AuditTrail, sha256: str) -> bool:
    """Whether an operation needs this original, or one that is under way may have kept it."""
    under_way = trail.operations.unsettled()  # first: what ends meanwhile is seen behind it
    may_have = any(each.sha256_before in (None, sha256) for each in under_way)
    return may_have or trail.contents.is_needed(sha256)


def _stands_elsewhere(locations: Locations, trail: AuditTrail, sha256: str) -> bool:
    entry = locations.state.identity(kept(sha256))
    if entry is not None and entry.links > 1:
        return True
    return any(_holds(locations, name, sha256) for name in trail.contents.names_of(sha256))


def _holds(locations: Locations, name: str, sha256: str) -> bool:
    """Whether a name stands for this content; where one may not or cannot look, it does not."""
    try:
        return locations.holds(name, sha256)
    except Refused:
        return False
