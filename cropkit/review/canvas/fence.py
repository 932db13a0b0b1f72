"""Know when a drawing has reached the screen, which ipycanvas does not tell.

Drawing is a message without an answer. The kernel sends commands into a comm; whether the page has
carried them out, has them waiting, or was closed meanwhile, is nowhere to be read. A review that
took a key for a page which nobody has seen yet would record decisions that no person made.

How it works
------------
Commands are carried out in the order in which they are sent, over all canvases of a page. So a
canvas of one pixel, never displayed, is filled with a colour after everything that matters; the
browser sends that pixel's colour back (`sync_image_data`), and the colour is a number. When number
*n* is back, everything before *n* was drawn, and each callback up to *n* is called, in order.
16,777,215 numbers come round in years; zero is left out, as it is what an empty canvas has.

Why it can be silent, and what is done
--------------------------------------
The browser reads the pixel in the background and one reading may overtake another, so that of two
marks in quick succession only the older may come back. `ask_again` sets another mark for nothing
but its acknowledgement, which covers all that came before it. When it is asked, and after how
long a page is drawn anew instead, is for `page_display` to say. A page that was closed or reloaded
will never answer: `forget` drops what is waited for, so that a late answer calls nobody.
"""

from collections.abc import Callable

from ipycanvas import Canvas
from ipywidgets import Layout

from cropkit.review.canvas.pen import batched
from cropkit.review.runtime.guard import Watch

_COLOURS = 1 << 24


class Fence:
    """Tells when the browser has carried out everything that was drawn before a mark.

    A canvas of one pixel, never displayed, is filled with a number as its colour; the browser
    sends the pixel back after the drawing that came before.
    """

    def __init__(self, layout: Layout, guard: Watch) -> None:
        self.canvas = Canvas(width=1, height=1, layout=layout, sync_image_data=True)
        self.canvas.observe(guard(self._returned), "image_data")
        self._last = 0
        self._waiting: dict[int, Callable[[], None]] = {}

    def mark(self, done: Callable[[], None]) -> None:
        """Call `done` when the browser has drawn everything up to here."""
        self._last = self._last % (_COLOURS - 1) + 1
        self._waiting[self._last] = done
        self.canvas.fill_style = f"#{self._last:06x}"
        self.canvas.fill_rect(0, 0, 1, 1)

    @property
    def oldest(self) -> int | None:
        """The mark that has been waited for longest."""
        return next(iter(self._waiting), None)

    def ask_again(self) -> None:
        """Have everything up to here acknowledged again.

        The browser reads its pixels in the background, and only its last word comes while the
        kernel is busy: where two are read at a time, the older one may be that.
        """
        with batched():
            self.mark(lambda: None)

    def forget(self) -> None:
        """Expect nothing any more: the page that was drawn on is gone."""
        self._waiting.clear()

    def reached(self, number: int) -> None:
        """Take an acknowledgement: everything up to that mark is drawn."""
        if number in self._waiting:
            for earlier in list(self._waiting):
                self._waiting.pop(earlier)()
                if earlier == number:
                    return

    def _returned(self, _: object) -> None:
        if self.canvas.image_data:
            red, green, blue = (int(value) for value in self.canvas.get_image_data()[0, 0][:3])
            self.reached(red << 16 | green << 8 | blue)
