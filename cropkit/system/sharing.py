"""With whom this person shares a collection: a group, whose members may own what is in its state.

It is kept in the person's own state, never in the collection: who made that decides nothing. It is
said by `cropkit share FOLDER --group GROUP`, once by each of those who share.
"""

import grp
import os
import pwd
import stat
from functools import lru_cache
from pathlib import Path

from cropkit.errors import NotShareable, PersonalStateUnusable
from cropkit.names import printable
from cropkit.system import personal_state

_DOCUMENT = "shares"
_REMEMBERED = 1000  # answers of the system's user database, which may be on the network


def group_named(folder: Path, name: str) -> int:
    """Return the number of a group that this user belongs to; the administrator needs not.

    Raises
    ------
    NotShareable
        There is none, or they do not.
    """
    shown = printable(name)
    try:
        gid = grp.getgrnam(name).gr_gid
    except (KeyError, ValueError, UnicodeError):
        raise NotShareable(folder, f"there is no group {shown!r}") from None
    if os.geteuid() != 0 and gid not in (os.getegid(), *os.getgroups()):
        reason = f"you are not in the group {shown} (who was just put into it logs in anew)"
        raise NotShareable(folder, reason)
    return gid


def name_of(gid: int) -> str:
    """Return how a group is called; its number where the system does not know it."""
    try:
        return printable(grp.getgrgid(gid).gr_name)
    except KeyError:
        return str(gid)


def user_named(uid: int) -> str:
    """Return how a user is called; the number where the system does not know them."""
    try:
        return printable(pwd.getpwuid(uid).pw_name)
    except KeyError:
        return f"user {uid}"


@lru_cache(_REMEMBERED)
def is_member(uid: int, gid: int) -> bool:
    """Whether a user belongs to a group, as the system's user database says."""
    try:
        entry = pwd.getpwuid(uid)
        return gid in os.getgrouplist(entry.pw_name, entry.pw_gid)
    except (KeyError, OSError):
        return False


def group_of(collection: Path) -> int | None:
    """Return the group that this person shares a collection with; None: with nobody.

    Raises
    ------
    PersonalStateUnusable
        The person's own state cannot be believed.
    """
    gid = personal_state.read(_DOCUMENT).get(str(collection.resolve()))
    return gid if type(gid) is int else None


def remember(collection: Path, gid: int) -> None:
    """Let the members of a group own what is in the state of a collection, from now on.

    Raises
    ------
    PersonalStateUnusable
        It is not remembered.
    """
    if group_of(collection) != gid:
        with personal_state.changing(_DOCUMENT) as document:
            document[str(collection.resolve())] = gid


def forget(collection: Path) -> bool:
    """Let nobody else own anything in it any more; False where nobody could.

    Raises
    ------
    PersonalStateUnusable
        It is still remembered.
    """
    if group_of(collection) is None:
        return False
    with personal_state.changing(_DOCUMENT) as document:
        document.pop(str(collection.resolve()), None)
    return True


def objection(collection: Path, status: os.stat_result) -> str | None:
    """Say why somebody else's file is not one of those who share a collection; None: it is.

    Only a member of the group that this person has named may own it, and no other group write.
    """
    owner = f"it belongs to user {status.st_uid}"
    try:
        gid = group_of(collection)
    except PersonalStateUnusable as error:
        return f"{owner}, and with whom you share is not known: {error}"
    if gid is None:
        return f"{owner}, with whom you do not share it (`cropkit share` says that you do)"
    if not is_member(status.st_uid, gid):
        return f"{owner}, who is not in the group {name_of(gid)} that you share it with"
    if status.st_mode & stat.S_IWGRP and status.st_gid != gid:
        return f"{owner}, and group {status.st_gid}, which you do not share it with, may write"
    return None
