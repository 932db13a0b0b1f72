"""Read images ahead of the reviewer, in threads; only small pictures are kept."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from cropkit import formats
from cropkit.errors import CropkitError, Provenance, Refused, UnsuitableFormat, UnsuitableTurn
from cropkit.formats import Header
from cropkit.formats.copy_options import CopyOptions
from cropkit.geometry import PixelBox, Size
from cropkit.records import Problem, ProblemKind, Suggestion
from cropkit.review.model import ImageLoaded, LoadFailed, Open, ReviewState
from cropkit.review.model.decided import Cut
from cropkit.review.model.slots import image_of
from cropkit.review.runtime.loop import Loop
from cropkit.review.runtime.review_store import ReviewStore
from cropkit.workers.previews import Preview, PreviewReader

if TYPE_CHECKING:
    from cropkit.collection import Collection

THREADS = 2
# The image that the thread at hand reads: what it reports is about that, whatever file it names.
READING: ContextVar[str] = ContextVar("READING", default="")
_CLOSER = 4  # larger pictures that are kept here


@dataclass(frozen=True, slots=True)
class Arrival:
    """An image that was read: its facts, what was suggested for it, and a JPEG to show.

    Parameters
    ----------
    hindrance : why it cannot be cropped, '' where it can; then there is a header
    code : name of the error that the hindrance is
    """

    path: str
    sha256: str
    size: Size
    suggestions: tuple[Suggestion, ...]
    cropped: bool
    jpeg: bytes
    header: Header | None
    thumb: bytes
    hindrance: str = ""
    code: str = ""

    @property
    def name(self) -> str:
        """What its picture is called in the browser: another content is another picture."""
        return f"{self.sha256} {self.path}"

    def move(self, crop: str) -> ImageLoaded | LoadFailed:
        """Return what it means to the session, for one of its crops."""
        if self.hindrance:
            return LoadFailed(crop, self.hindrance, self.sha256, self.size, self.code)
        return ImageLoaded(crop, self.sha256, self.size, self.suggestions, self.cropped)


@dataclass(frozen=True, slots=True)
class Absence:
    """An image that could not be read, and why."""

    path: str
    reason: str

    def move(self, crop: str) -> LoadFailed:
        """Return what it means to the session, for one of its crops."""
        return LoadFailed(crop, self.reason)


class Prefetch:
    """Images read or being read; those that are no longer wanted are let go.

    They are asked for by the paths of crops: all crops of an image share what was read of it.

    Parameters
    ----------
    see : told of each image that is to be cropped: content, preview, what is suggested
    where : the file that is read for an image: another one where it was moved away
    """

    def __init__(
        self,
        collection: "Collection",
        fit: Size,
        loop: Loop,
        arrived: Callable[[str], None],
        caught: Callable[[BaseException, str], None],
        *,
        reader: PreviewReader,
        see: Callable[[str, bytes, Sequence[Suggestion]], object] = lambda *_: None,
        where: Callable[[str], str] = lambda path: path,
    ) -> None:
        self._see = see
        self._collection, self.fit, self._loop, self._reader = collection, fit, loop, reader
        self._store = ReviewStore(collection)
        self._arrived, self._caught, self._where = arrived, caught, where
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="cropkit-preview")
        self._reading: dict[str, Future[Arrival | Absence]] = {}
        self._read: dict[str, Arrival | Absence] = {}
        self._closer: dict[tuple[str, Size], Future[Preview]] = {}

    def start(self) -> None:
        """Be ready to read before the first image is wanted."""
        self._reader.start()

    def enlarge(self, fit: Size) -> None:
        """Read larger pictures from now on; those that are there are not large enough."""
        self.fit = fit
        self.keep(set())

    def want(self, paths: Iterable[str], *, boxes: bool = True) -> None:
        """Read what is not there yet; without `boxes` no suggestions are asked for."""
        for path in map(image_of, paths):
            if path not in self._read and path not in self._reading:
                future = self._pool.submit(self._load, path, self._where(path), boxes=boxes)
                self._reading[path] = future
                future.add_done_callback(partial(self._post, path))

    def keep(self, paths: set[str]) -> None:
        """Let go of everything else: this is what bounds the memory."""
        for path in (self._read.keys() | self._reading.keys()) - set(map(image_of, paths)):
            self.forget(path)

    def forget(self, path: str) -> None:
        """Read it again when it is wanted next."""
        image = image_of(path)
        self._read.pop(image, None)
        future = self._reading.pop(image, None)
        if future is not None:
            future.cancel()

    def read_anew(self) -> None:
        """Read images for the crops that are meant now: those with credentials once more."""
        self._reader.headers = self._collection.headers
        signed = (path for path, read in self._read.items() if _is_signed(read))
        for path in {*signed, *self._reading}:
            self.forget(path)

    @property
    def is_reading(self) -> bool:
        """Whether an image is being read, or is to be."""
        return bool(self._reading)

    def get(self, path: str) -> Arrival | Absence | None:
        """Return what is there."""
        return self._read.get(image_of(path))

    def closer(self, arrival: Arrival, fit: Size) -> bytes | None:
        """Return a larger picture of an image if it is there; else have it read."""
        wanted = (arrival.name, fit)
        future = self._closer.get(wanted)
        if future is None:
            while len(self._closer) >= _CLOSER:
                self._closer.pop(next(iter(self._closer))).cancel()
            future = self._pool.submit(self._reader.read, self._where(arrival.path), fit)
            self._closer[wanted] = future
            future.add_done_callback(partial(self._post_closer, arrival.path))
        if not future.done() or future.cancelled() or future.exception():
            return None
        preview = future.result()
        return preview.jpeg if preview.sha256 == arrival.sha256 else None

    def _post_closer(self, path: str, future: Future[Preview]) -> None:
        if not future.cancelled():
            self._loop.call_soon_threadsafe(self._deliver_closer, path, future)

    def _deliver_closer(self, path: str, future: Future[Preview]) -> None:
        error = future.exception()
        if error is not None:
            self._caught(error, path)
        else:
            self._arrived(path)

    def applied(self, path: str, cut: Cut) -> PixelBox:
        """Return the box that a crop will hold: larger where a corner has to move out.

        It is one of the image before any turn, as that of `cut` is.
        """
        arrival = self.get(path)
        if not isinstance(arrival, Arrival) or arrival.header is None:
            return cut.box
        return formats.applied(arrival.header, cut.box, self._collection.options, cut.turn)

    def shown(self, path: str, sha256: str, cut: Cut) -> PixelBox | None:
        """Return what `applied` returned of a content, None where that is not here any more."""
        arrival = self.get(path)
        if not isinstance(arrival, Arrival) or arrival.sha256 != sha256:
            return None
        return self.applied(path, cut)

    def unturnable(self, session: ReviewState) -> dict[str, str]:
        """Return why files of the page cannot be turned as their images are, and the cure."""
        turned = (e for e in session.entries if isinstance(e, Open) and not e.turn.is_none)
        why = {e.path: self._hindered(e) for e in turned if e.verdict.keeps_a_box}
        return {path: words for path, words in why.items() if words}

    def may_straighten(self, entry: Open) -> bool:
        """Whether a fine angle may be written of an image, so that it can be offered."""
        fine = replace(entry, turn=replace(entry.turn, hundredths=1))
        return not self._hindered(fine)

    def _hindered(self, entry: Open) -> str:
        arrival = self.get(entry.path)
        if not isinstance(arrival, Arrival) or arrival.header is None:
            return ""
        try:
            self._check_turn(arrival.header, entry)
        except (UnsuitableTurn, UnsuitableFormat) as error:
            return str(error).removeprefix(f"{entry.path}: ")
        return ""

    def _check_turn(self, header: Header, entry: Open) -> None:
        copying, options = self._collection.placement.copying, self._collection.options
        if entry.turn.resamples and copying is not None:
            CopyOptions.from_text(copying).coded(header.format, entry.path)
        else:
            formats.check_turn(header, entry.cut.box, options, entry.turn, entry.path)

    def close(self) -> None:
        """Read nothing more."""
        self._reading.clear()
        self._pool.shutdown(cancel_futures=True)
        self._reader.close()

    def _load(self, path: str, at: str, *, boxes: bool) -> Arrival | Absence:
        READING.set(path)
        try:
            preview = self._reader.read(at, self.fit)
        except Refused as refused:
            self._report(path, str(refused), boxes=boxes)
            return Absence(path, str(refused))
        if preview.hindrance:
            self._report(path, preview.hindrance, boxes=boxes)
        look = self._store.looked(path, preview.sha256, preview.size)
        asked = boxes and not look.cropped and not preview.hindrance
        suggestions = self._collection.suggestions(look) if asked else ()
        if asked:
            self._see(look.sha256, preview.jpeg, suggestions)
        return Arrival(
            path=path,
            sha256=look.sha256,
            size=look.size,
            suggestions=tuple(suggestions),
            cropped=look.cropped,
            jpeg=preview.jpeg,
            header=preview.header,
            thumb=preview.thumb,
            hindrance=preview.hindrance,
            code=preview.code,
        )

    def _report(self, path: str, reason: str, *, boxes: bool) -> None:
        if boxes:  # that the file of a decided image is elsewhere is as it should be
            self._collection.problems.report_once((Problem(ProblemKind.PREVIEW, path, reason),))

    def _post(self, path: str, future: Future[Arrival | Absence]) -> None:
        if not future.cancelled():
            self._loop.call_soon_threadsafe(self._deliver, path, future)

    def _deliver(self, path: str, future: Future[Arrival | Absence]) -> None:
        if self._reading.get(path) is not future:  # forgotten meanwhile
            return
        del self._reading[path]
        error = future.exception()
        if error is not None:
            self._caught(error, path)
            reason = str(error) if isinstance(error, CropkitError) else repr(error)
            self._read[path] = Absence(path, reason)
        else:
            self._read[path] = future.result()
        self._arrived(path)


def _is_signed(read: Arrival | Absence) -> bool:
    """Whether content credentials kept an image from being cropped when it was read."""
    return isinstance(read, Arrival) and read.code == Provenance.__name__
