"""Second opinions of a share of the images: given without seeing the first, before any crop.

An image of the share stays as it is until two people agree about it, or a third has decided, too:
so each of them sees the image, and its suggestion, as it was. Whatever they decide is a decision
like any other, and the latest is carried out.
"""

import secrets
from typing import TYPE_CHECKING

from cropkit.audit import rows
from cropkit.opinions import SETTING, Doubling, is_opinion, lacking
from cropkit.records import Decision, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cropkit.audit.decisions import Standing
    from cropkit.audit.reader import TrailReader


class SecondOpinions:
    """Which decisions wait for somebody else's, and whom these are hidden from."""

    def __init__(self, trail: "TrailReader") -> None:
        self._trail = trail

    def doubling(self) -> Doubling | None:
        """Return which images two people decide about, as it is now; None: none of them.

        Raises
        ------
        AuditCorrupt
            Nobody of ours wrote the setting. It can be chosen anew.
        """
        return _kept(self._trail.settings())

    def lacking(self, decided: Decision) -> str:
        """Say what a decision waits for that is not to be carried out yet; '' where it can be."""
        doubling = self.doubling() if is_opinion(decided) else None
        if doubling is None or not doubling.holds(decided.path):
            return ""
        return lacking(self._of(decided.path, decided.slot, decided.sha256))

    def shown_to(self, reviewer: str, standing: "Iterable[Standing]") -> "list[Standing]":
        """Return decisions but for those that a reviewer must not know before they decide, too."""
        every, doubling = list(standing), self.doubling()
        if doubling is None:
            return every
        return [
            each
            for each in every
            if not (doubling.holds(each.path) and self._is_hidden(reviewer, each))
        ]

    def _is_hidden(self, reviewer: str, standing: "Standing") -> bool:
        if standing.reviewer == reviewer or not _left_the_image(standing):
            return False
        opinions = self._of(standing.path, standing.slot, standing.sha256)
        is_opinion_missing = all(each.reviewer != reviewer for each in opinions)
        is_one = any(each.id == standing.decision and is_opinion(each) for each in opinions)
        return is_one and is_opinion_missing and bool(lacking(opinions))

    def _of(self, path: str, slot: str, sha256: str) -> list[Decision]:
        return self._trail.decisions.of_content(path, slot, sha256)


def share(settings: "Mapping[str, str]") -> float:
    """Return which share of the images two people decide about, by the settings of a collection.

    Raises
    ------
    AuditCorrupt
        As in `SecondOpinions.doubling`.
    """
    doubling = _kept(settings)
    return doubling.share if doubling else 0.0


def _kept(settings: "Mapping[str, str]") -> Doubling | None:
    text = settings.get(SETTING, "")
    with rows.read(f"the setting {SETTING!r}"):
        doubling = Doubling.from_text(text) if text else None
    return doubling if doubling and doubling.share else None


def chosen(settings: "Mapping[str, str]", share: float) -> dict[str, str]:
    """Return the setting for another share of the images, of the seed that there was."""
    try:
        before = Doubling.from_text(settings.get(SETTING, ""))
    except ValueError:
        before = Doubling(share, secrets.token_hex(8))
    return {SETTING: Doubling(share, before.seed).text}


def _left_the_image(standing: "Standing") -> bool:
    """Whether nothing was done with the image itself."""
    is_told = standing.status in (Status.SKIPPED, Status.REJECTED) and standing.operation is None
    return standing.status is Status.WAITING or is_told
