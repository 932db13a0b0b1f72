"""Whether a trail is whole and the one that it was, as far as can be told from it."""

from collections.abc import Callable, Sequence

from cropkit.audit import chain, comparing, export, export_reader, heads, kept_heads, links, trust
from cropkit.audit.comparing import Disagreement
from cropkit.audit.kept_heads import KeptHead
from cropkit.audit.keys import Key
from cropkit.audit.operation import Operation
from cropkit.audit.store_reader import StoreReader
from cropkit.system.home import EXPORT
from cropkit.system.scope import Scope

# Told of long work: what is gone through, how much of it is done, and how much there is.
Progress = Callable[[str, int, int], object]


class IntegrityReader:
    """Holds a trail against its chain, its tables, its export, its seals and what was kept of it.

    Parameters
    ----------
    whose : returns the key of whoever asks
    """

    def __init__(self, store: StoreReader, scope: Scope, whose: Callable[[], Key]) -> None:
        self._store, self._scope, self._whose = store, scope, whose

    def first(self) -> str:
        """Return the hash of the first event, which tells this trail from others; '': none."""
        with self._store.reading() as db:
            return heads.first(db)

    def broken_links(self, progress: Progress | None = None) -> list[str]:
        """Name every event of the chain that does not fit."""
        with self._store.reading() as db:
            between = self._between("links", chain.length(db), progress)
            return [link.said for link in links.broken(db, between)]

    def disagreements(self, progress: Progress | None = None) -> list[Disagreement]:
        """Play the trail again, and name every row of the tables that it does not lead to."""
        with self._store.reading() as db:
            between = self._between("events", chain.length(db), progress)
            return comparing.disagreements(db, between)

    def _between(self, what: str, total: int, progress: Progress | None) -> Callable[[int], None]:
        """Return what is done now and then in a long read: it can be ended, and tells of itself."""

        def between(done: int) -> None:
            self._store.let_through()
            if progress is not None:
                progress(what, done, total)

        return between

    def export_differences(self) -> list[tuple[str, str]]:
        """Tell where the export is not what the database holds: in which file, and how."""
        with self._store.reading() as db:
            return list(export_reader.differences(db, self._scope.state / EXPORT))

    def check_export(self) -> None:
        """Raise `AuditBehind` when the export tells of more than the database."""
        with self._store.reading() as db:
            export.check(db, self._scope.state / EXPORT)

    def head(self) -> str:
        """Hash of the last event."""
        with self._store.reading() as db:
            return chain.head(db)

    def last(self) -> KeptHead | None:
        """Return what the trail ends with, as it can be kept elsewhere; None of an empty one."""
        with self._store.reading() as db:
            return kept_heads.newest(db)

    def missed(self, kept: Sequence[KeptHead]) -> list[str]:
        """Name the heads kept elsewhere that the trail does not hold."""
        with self._store.reading() as db:
            return list(kept_heads.missed(db, kept))

    def examined(self) -> trust.Examined:
        """Hold the trail against seals, key and memory of whoever asks; no key is made.

        Raises
        ------
        KeyUnusable
            `CROPKIT_KEY` names none.
        AuditCorrupt
            A row is no seal.
        """
        with self._store.reading() as db:
            return trust.examine(db, self._scope.state, self._whose())

    def harms(self) -> list[str]:
        """Tell what the trail's state could do that its events do not account for."""
        with self._store.reading() as db:
            return list(trust.harms(db, self._scope.root))

    def would_be_settled(self) -> list[Operation]:
        """Return the open operations that whoever opens the collection settles."""
        with self._store.reading() as db:
            return trust.would_be_settled(db, self._scope.state)
