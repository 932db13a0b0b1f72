"""The images that a review does not know yet come from a thread of their own, chunk by chunk."""

from collections.abc import Callable
from functools import partial

from cropkit.review.model.images import Images
from cropkit.review.runtime.background import BackgroundThread
from cropkit.review.runtime.guard import Guard
from cropkit.review.runtime.image_stream import Chunk, ImageStream
from cropkit.review.runtime.loop import Loop

_PATIENCE = 1.0  # seconds for a folder that is being read: on a network it may take for ever


class BackgroundListing:
    """Asks for one chunk after the other; each is taken in before the next one is begun.

    Parameters
    ----------
    stream : None where everything is listed
    images : what the review knows, as it is now
    take : called with each chunk
    failed : called when no more will come; why is told by then
    in_turn : calls a function with what follows it, now or when the session may be changed again
    """

    def __init__(
        self,
        stream: ImageStream | None,
        loop: Loop,
        guard: Guard,
        *,
        images: Callable[[], Images],
        take: Callable[[Chunk], None],
        failed: Callable[[], None],
        in_turn: Callable[[Callable[[Chunk], None], Chunk], None],
    ) -> None:
        self._images, self._take, self._failed = images, take, failed
        self._in_turn = in_turn
        self._stream = stream
        if stream is not None:
            self._thread = BackgroundThread("cropkit-listing", loop, guard, _PATIENCE)

    def go_on(self) -> None:
        """Ask for the next chunk, if there is one."""
        if self._stream is not None:
            stream, images = self._stream, self._images()
            arrived = partial(self._in_turn, self._arrived)
            self._thread.submit("", lambda: stream.following(images), arrived, self._broke)

    def stand_back(self, *, free: bool) -> None:
        """Begin nothing for a moment unless this is `free`: somebody waits for a page."""
        if self._stream is not None:
            (self._thread.go_on if free else self._thread.stand_back)()

    def close(self) -> None:
        """List no further; a folder that is being read is left alone."""
        if self._stream is not None:
            self._stream = None
            self._thread.close()

    def _arrived(self, chunk: Chunk) -> None:
        try:
            self._take(chunk)
        except BaseException:
            self._broke()
            raise
        if chunk.earlier is not None:
            self.close()
        self.go_on()

    def _broke(self) -> None:
        self.close()
        self._failed()
