"""Pieces of HTML that lie over the canvas; pure.

Whatever comes from files, errors or people goes through `text`, here and nowhere else.
"""

from html import escape

from cropkit.names import printable
from cropkit.review.model.slots import image_of
from cropkit.review.view.layout import PageLayout
from cropkit.review.view.viewport import Rect

_TAIL = 13
FOLDER = "folder-"  # and how deep: what the press of a folder in the header does


def text(words: object) -> str:
    """Return words as HTML that says just them, in one line and in one direction."""
    return escape(printable(words))


def file_name(path: str) -> str:
    """Return the name of the file that a crop is of."""
    return image_of(path).rpartition("/")[2]


def keys(labels: tuple[str, ...]) -> str:
    """Return keys as they look on a keyboard."""
    return " ".join(f"<span class='ck-key'>{text(label)}</span>" for label in labels if label)


def button(action: str, inner: str, tip: str = "") -> str:
    """Return something to press that does an action, where the browser's own part is there.

    It takes no focus: keys stay with the canvas, and each action has one.
    """
    title = f" title='{text(tip)}'" if tip else ""
    return f"<span class='ck-does' role='button' data-does='{action}'{title}>{inner}</span>"


def pill(word: str, number: int, *, bad: bool = False, more: str = "") -> str:
    """Return a count with its name; `more` of the name goes where there is little room."""
    name = word + (f"<span class='ck-more'>{more}</span>" if more else "")
    return f"<span class='ck-pill{' ck-bad' if bad else ''}'>{name} <b>{number:,}</b></span>"


def at(layout: PageLayout, rect: Rect, inner: str, classes: str = "") -> str:
    """Lay a box over a part of the canvas, in per cent: it scales with the canvas."""
    width, height = layout.width, layout.height
    place = (
        f"left:{100 * rect.x / width:.3f}%;top:{100 * rect.y / height:.3f}%;"
        f"width:{100 * rect.width / width:.3f}%;height:{100 * rect.height / height:.3f}%"
    )
    return f"<div class='ck-at {classes}' style='{place}'>{inner}</div>"


def cut_inside(name: str, tail: int = _TAIL) -> str:
    """Let a name that is too long lose its middle: generated names differ at the end."""
    kept = min(tail, len(name) // 2)
    return cut_before(name[: len(name) - kept], name[len(name) - kept :])


def cut_before(words: str, tail: str) -> str:
    """Let words that are too long lose their end, before a tail that stays."""
    return f"<span class='ck-cut'>{text(words)}</span><span>{text(tail)}</span>"
