"""Second opinions of a share of the images: given without seeing the first, before any crop.

An image of the share stays as it is until two people agree about it, or a third has decided, too:
so each of them sees the image, and its suggestion, as it was. Whatever they decide is a decision
like any other, and the latest is carried out.
"""

import secrets
from collections import Counter
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from cropkit.audit import decisions, rows, settings
from cropkit.opinions import SETTING, Doubling, is_opinion, lacking
from cropkit.records import Decision, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from cropkit.audit.decisions import Standing
    from cropkit.audit.store_reader import StoreReader


class SecondOpinions:
    """Which decisions wait for somebody else's, and whom these are hidden from."""

    def __init__(self, store: "StoreReader") -> None:
        self._store = store

    def lacking(self, decided: Decision) -> str:
        """Say what a decision waits for that is not to be carried out yet; '' where it can be.

        Raises
        ------
        AuditCorrupt
            Nobody of ours wrote the setting. It can be chosen anew.
        """
        if not is_opinion(decided):
            return ""
        with self._store.reading() as db:
            doubling = _kept(settings.all_of(db))
            if doubling is None or not doubling.holds(decided.path):
                return ""
            return lacking(decisions.of_content(db, decided.path, decided.slot, decided.sha256))

    def shown_to(self, reviewer: str, standing: "Iterable[Standing]") -> "list[Standing]":
        """Return decisions but for those that a reviewer must not know before they decide, too."""
        with self._store.reading() as db:
            return shown(db, reviewer, standing)

    def waiting(self, wanted: "Callable[[str], bool]") -> dict[str, int]:
        """Return how many crops of the wanted images wait for what, in words."""
        with self._store.reading() as db:
            doubling = _kept(settings.all_of(db))
            standing = decisions.standing(db)[0] if doubling else []
            latest = {(each.path, each.slot): each for each in standing if wanted(each.path)}
            return Counter(
                why
                for each in latest.values()
                if doubling and doubling.holds(each.path) and _left_the_image(each)
                if (why := _lacking(db, each))
            )


def _lacking(db: Connection, standing: "Standing") -> str:
    opinions = decisions.of_content(db, standing.path, standing.slot, standing.sha256)
    is_one = any(each.id == standing.decision and is_opinion(each) for each in opinions)
    return lacking(opinions) if is_one else ""


def shown(db: Connection, reviewer: str, standing: "Iterable[Standing]") -> "list[Standing]":
    """Return the same, of the moment of a connection."""
    every, doubling = list(standing), _kept(settings.all_of(db))
    if doubling is None:
        return every
    return [
        each for each in every if not (doubling.holds(each.path) and _is_hidden(db, reviewer, each))
    ]


def _is_hidden(db: Connection, reviewer: str, standing: "Standing") -> bool:
    if standing.reviewer == reviewer or not _left_the_image(standing):
        return False
    opinions = decisions.of_content(db, standing.path, standing.slot, standing.sha256)
    is_opinion_missing = all(each.reviewer != reviewer for each in opinions)
    is_one = any(each.id == standing.decision and is_opinion(each) for each in opinions)
    return is_one and is_opinion_missing and bool(lacking(opinions))


def share(kept: "Mapping[str, str]") -> float:
    """Return which share of the images two people decide about, by the settings of a collection.

    Raises
    ------
    AuditCorrupt
        As in `SecondOpinions.lacking`.
    """
    doubling = _kept(kept)
    return doubling.share if doubling else 0.0


def _kept(chosen: "Mapping[str, str]") -> Doubling | None:
    text = chosen.get(SETTING, "")
    with rows.read(f"the setting {SETTING!r}"):
        doubling = Doubling.from_text(text) if text else None
    return doubling if doubling and doubling.share else None


def chosen(before: "Mapping[str, str]", share: float) -> dict[str, str]:
    """Return the setting for another share of the images, of the seed that there was."""
    try:
        seed = Doubling.from_text(before.get(SETTING, "")).seed
    except ValueError:
        seed = secrets.token_hex(8)
    return {SETTING: Doubling(share, seed).text}


def _left_the_image(standing: "Standing") -> bool:
    """Whether nothing was done with the image itself."""
    is_told = standing.status in (Status.SKIPPED, Status.REJECTED) and standing.operation is None
    return standing.status is Status.WAITING or is_told
