"""By which angle the images of a page are level, looked for beside everything else.

It is told from the small picture that is shown, which is here already: no file is read for it, and
nothing waits for it. Of its own accord it looks at what is on the screen and may be straightened,
one image after the other, while none is read for the next page; at anything else where it is asked.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from io import BytesIO
from itertools import islice

from PIL import Image

from cropkit.geometry import Turn
from cropkit.review.model import Arrangement, Entry, LevelImages, Mark, Open, ReviewState
from cropkit.review.runtime.background import BackgroundThread
from cropkit.review.runtime.guard import Guard
from cropkit.review.runtime.loop import Loop
from cropkit.review.runtime.prefetch import Arrival, Prefetch

_LEAST = 30  # hundredths of a degree: less askew than that hardly anybody sees
_NEEDED = (768, 768)  # what `cropkit.levelling` looks at, at most
_KEPT = 1000  # images whose angle is remembered
_LOOKING = "Looking for lines that are to be level or upright"
_ELSEWHERE = "Not levelled: another image was chosen meanwhile"
_UNREAD = "Not levelled: its file is another one now, or cannot be read"

Looked = tuple[Turn | None] | None  # None: nobody wanted it any more


class Levelling:
    """Knows by which turn images are level, by the hash of their content; None: lines do not say.

    Where looking fails, that is shown and counted, and the image counts as one without lines.

    Parameters
    ----------
    changed : called where more may be offered
    take : makes a move of the reviewer's
    """

    def __init__(
        self,
        prefetch: Prefetch,
        loop: Loop,
        guard: Guard,
        *,
        session: Callable[[], ReviewState],
        changed: Callable[[], object],
        take: Callable[[LevelImages], object],
    ) -> None:
        self._prefetch, self._guard = prefetch, guard
        self._session, self._changed, self._take = session, changed, take
        self._thread = BackgroundThread("cropkit-level", loop, guard)
        self._turns: dict[str, Turn | None] = {}
        self._asked = set[str]()
        self._here = frozenset[str]()  # contents of the page
        self._due: frozenset[str] | None = None  # images that a key was pressed for
        self._go_on = guard.watch(self._level_due)

    @property
    def idle(self) -> bool:
        """Whether everything was looked at that was to be."""
        return not self._thread.pending

    def follow(self) -> None:
        """Look at what may be offered on this page, and no more at what has left it.

        In the grid nothing is offered: boxes are only looked at there.
        """
        self._here = _contents(self._session().entries)
        self._go_on()
        self._look_on()

    def level(self) -> None:
        """Straighten the images at hand by their own lines, as soon as these were looked at."""
        self._here = _contents(self._session().entries)
        self._due = _paths(self._at_hand)
        self._go_on()
        if self._due is not None:
            self._guard.note(_LOOKING)

    def offered(self) -> dict[str, Turn]:
        """Return by which turns images of the page may be levelled, by path."""
        session = self._session()
        if session.arrangement is Arrangement.GRID:
            return {}
        each = ((e, self._turns.get(e.sha256)) for e in session.entries if isinstance(e, Open))
        return {
            entry.path: replace(entry.turn, hundredths=turn.hundredths)
            for entry, turn in each
            if turn and abs(turn.hundredths) >= _LEAST and self._is_free(entry)
        }

    def close(self) -> None:
        """Look at nothing more."""
        self._thread.close()

    @property
    def _at_hand(self) -> list[Entry]:
        session = self._session()
        return [session.entries[at] for at in session.at_hand] if session.entries else []

    def _level_due(self) -> None:
        """Do what the key was pressed for, if all was looked at; or say why it is not done."""
        here, why = self._at_hand, ""
        if self._due is None:
            return
        unknown = [e for e in here if isinstance(e, Open) and e.sha256 not in self._turns]
        if self._due != _paths(here):
            why = _ELSEWHERE
        elif any(map(self._is_unread, unknown)):
            why = _UNREAD
        elif unknown:
            self._look(unknown)  # as soon as their pictures are here
            return
        self._due = None
        self._guard.note(why)
        if not why:
            turns = {sha256: self._turns[sha256] for sha256 in _contents(here)}
            self._take(LevelImages(turns))

    def _is_unread(self, entry: Open) -> bool:
        """Whether what was read last of an image is not what is on the page."""
        read = self._prefetch.get(entry.path)
        is_same = isinstance(read, Arrival) and read.sha256 == entry.sha256
        return read is not None and not is_same

    def _look_on(self) -> None:
        """Look at the next image of the page, where there is time for it."""
        session = self._session()
        is_busy = bool(self._asked) or self._prefetch.is_reading
        if is_busy or session.arrangement is Arrangement.GRID:
            return
        here = (e for e in session.entries if isinstance(e, Open) and e.sha256 in self._here)
        unknown = (e for e in here if e.sha256 not in self._turns and self._is_free(e))
        self._look(islice(unknown, 1))

    def _is_free(self, entry: Open) -> bool:
        """Whether an image is to be cropped, nobody has straightened it, and its file may be."""
        if entry.turn.resamples or entry.mark is not Mark.KEEP:
            return False
        return self._prefetch.may_straighten(entry)

    def _look(self, entries: Iterable[Open]) -> None:
        for entry in entries:
            sha256, arrival = entry.sha256, self._prefetch.get(entry.path)
            is_known = sha256 in self._turns or sha256 in self._asked
            if is_known or not isinstance(arrival, Arrival) or arrival.sha256 != sha256:
                continue
            self._asked.add(sha256)
            work = partial(self._looked_at, sha256, arrival.jpeg)
            failed = partial(self._know, sha256, (None,))
            self._thread.submit(entry.path, work, partial(self._know, sha256), failed)

    def _looked_at(self, sha256: str, jpeg: bytes) -> Looked:
        """Look at a picture, in the thread for that, unless its page is gone."""
        return (_level(jpeg),) if sha256 in self._here else None

    def _know(self, sha256: str, looked: Looked) -> None:
        self._asked.discard(sha256)
        if looked is not None:
            self._turns[sha256] = looked[0]
            while len(self._turns) > _KEPT:
                self._turns.pop(next(iter(self._turns)))
        self._go_on()
        self._look_on()
        self._changed()


def _paths(entries: Iterable[Entry]) -> frozenset[str]:
    return frozenset(entry.path for entry in entries)


def _contents(entries: Iterable[Entry]) -> frozenset[str]:
    return frozenset(entry.sha256 for entry in entries if isinstance(entry, Open))


def _level(jpeg: bytes) -> Turn | None:
    import numpy as np  # noqa: PLC0415  (for what is looked at only)

    from cropkit.levelling import level  # noqa: PLC0415  (the same)

    with Image.open(BytesIO(jpeg), formats=("JPEG",)) as picture:
        picture.draft("L", _NEEDED)
        offered = level(np.asarray(picture.convert("L")))
    return None if offered is None else offered.turn
