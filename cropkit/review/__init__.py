"""The review widget: `Review` shows pages of crop boxes on an ipycanvas and takes decisions.

Rooms, from below; imports point down only, and import-linter holds that:

- `model`: what a review is at one moment, and the moves that change it; no clock, no file but
  where a review is taken up again (`progress`)
- `keys`: which key does what, as tables
- `view`: layout, words and colours, as values and HTML; beside it
- `runtime`: threads and timers, what is read ahead, who applies decisions, who else is at work
- `canvas`: the only place with ipycanvas and anywidget: pictures and boxes on the screen
- `screen`: how the page is seen, what is drawn when, and the browser page that came
- `controller`: makes moves and what follows from them; the one that knows all of the above
- `input`: keys, pointer and wheel become moves of the controller
- `widget`: what a notebook sees

The names are loaded when they are first asked for, so that `review.model` needs no canvas.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cropkit.review.keys.keymap import keys_markdown as keys_markdown
    from cropkit.review.widget import Review as Review

_LAZY = {
    "Review": "cropkit.review.widget",
    "keys_markdown": "cropkit.review.keys.keymap",
}
__all__ = ["Review", "keys_markdown"]


def __getattr__(name: str) -> Any:  # noqa: ANN401  (a module's attributes have no common type)
    if name not in _LAZY:
        msg = f"module 'cropkit.review' has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(_LAZY[name]), name)
