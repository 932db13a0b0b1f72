"""What lies over the whole page: the sheet of keys, the report, which is also the end; pure."""

from collections.abc import Mapping

from cropkit.review.keys.actions import MOVED, NAMED
from cropkit.review.keys.keymap import shortened
from cropkit.review.view.html import at, keys, text
from cropkit.review.view.report import report
from cropkit.review.view.view_model import View
from cropkit.review.view.viewport import Rect


def over(view: View) -> str:
    """Return the sheet or the report where it is wanted, the end where it is reached, or ""."""
    if view.sheet:
        return _sheet(view)
    return report(view) if view.report or view.session.ended else ""


def _sheet(view: View) -> str:
    groups = "".join(
        _group(view, group, _sought_in(view, group, rows))
        for group, rows in view.keymap.grouped().items()
    )
    mouse = (
        "<div class='ck-group'><h3>Mouse</h3><div>Drag an edge, a corner or the whole box, "
        "with Shift to keep its ratio, with Alt its middle; beside it, a new box is drawn, "
        "and just outside of a corner the image is turned. "
        "Or click an edge or a corner, and then where it goes. The right button has a menu. "
        "The wheel zooms at the pointer, in a notebook with Ctrl; beside the box, a zoomed image "
        "is pulled along. "
        "In the grid, a click marks. "
        "A click on the verdict under an image accepts that image, one on a small picture below "
        "goes back to it.</div></div>"
    )
    layout = view.layout
    place = Rect(0, layout.board.y, layout.width, layout.height - layout.board.y)
    shown = groups + ("" if view.sought.strip() else mouse)
    none = "<p>No key has these words.</p>" if not shown else ""
    inner = f"{_seek(view)}{none}<div class='ck-columns'>{shown}</div>"
    return at(view.layout, place, inner, "ck-sheet ck-closes-sheet")


def _seek(view: View) -> str:
    """Return the line over the keys: what is looked for, or that one can."""
    words = "Type a word to find a key"
    line = f"Keys with: <b>{text(view.sought)}</b>" if view.sought else words
    return f"<p class='ck-seek' role='status'>{line}<span class='ck-caret'>▏</span></p>"


def _group(view: View, group: str, rows: Mapping[str, tuple[str, ...]]) -> str:
    lines = "".join(
        f"<div class='ck-row'>{keys(shortened(labels))}<span>{_does(view, label)}</span></div>"
        for label, labels in rows.items()
    )
    return f"<div class='ck-group'><h3>{text(group)}</h3>{lines}</div>" if lines else ""


def _sought_in(
    view: View, group: str, rows: Mapping[str, tuple[str, ...]]
) -> Mapping[str, tuple[str, ...]]:
    """Return the rows of a group, help text to keys, that have every word that is looked for."""
    words = view.sought.casefold().split()
    names = {NAMED[row.name].help: row.name for row in view.keymap.bindings}
    return {
        label: labels
        for label, labels in rows.items()
        if all(
            word in f"{label} {names[label]} {' '.join(labels)} {group}".casefold()
            for word in words
        )
    }


def _does(view: View, words: str) -> str:
    """Say what a key does; where copies are made, no image is moved away."""
    return text(words.replace(MOVED, "no crop of it") if view.session.copies else words)
