"""Names that go, where whoever takes them away may have been taken over without knowing.

With the trail on a server an owner can be stopped for longer than its lease, and go on. A call that
removes a name cannot be taken back, and it may come a minute behind the last question; a rename can
be. So a name goes by another one, and back again where somebody needs it by then.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from cropkit.audit.store import Store
from cropkit.errors import AuditError, MissingFile, NameTaken
from cropkit.system.files import Root


@dataclass(frozen=True, slots=True)
class Ownership:
    """Who changes names, as far as the trail's store tells.

    Parameters
    ----------
    check : raises where another owner may have taken over; to be asked before each name changes
    may_be_late : whether this owner can be stopped, taken over, and go on
    """

    check: Callable[[], None]
    may_be_late: bool

    @classmethod
    def of(cls, store: Store) -> "Ownership":
        """Return that of whoever writes by this store."""
        return cls(store.check_owner, store.may_come_back)

    def drop(
        self, root: Root, path: str, by: str, *, is_needed: Callable[[], bool] | None = None
    ) -> None:
        """Take a name away; where that may come late by another name in the same file system.

        Parameters
        ----------
        is_needed : asked, too, where nothing keeps others from beginning to need it meanwhile

        Raises
        ------
        AuditError
            Another has taken over, or nobody can tell: the name is there, unless that one took it.
        """
        if not self.may_be_late:
            root.unlink(path, missing_ok=True)
            return
        self.leave(root, path, by)
        if is_needed is not None and is_needed():
            give_back(root, by, path)
            return
        root.unlink(by, missing_ok=True)

    def leave(self, root: Root, path: str, by: str) -> None:
        """Give what has a name another one instead; back again where another has taken over by now.

        Raises
        ------
        AuditError
            As `drop`.
        """
        with suppress(MissingFile):
            root.replace(path, by)
        try:
            self.check()
        except AuditError:
            give_back(root, by, path)
            raise


def give_back(root: Root, by: str, path: str) -> None:
    """Give a file the name back that it had, unless another one has that by now."""
    with suppress(MissingFile, NameTaken):
        if root.link(by, root, path):
            root.unlink(by, missing_ok=True)
        elif root.identity(path) is None:  # no file has two names there
            root.replace(by, path)
