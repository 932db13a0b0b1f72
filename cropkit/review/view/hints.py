"""Three hints for a first review, each where it belongs until it was done once; pure."""

from cropkit.review.model import Arrangement, Mark, Open
from cropkit.review.view.html import at, keys, text
from cropkit.review.view.layout import PLACE
from cropkit.review.view.view_model import View
from cropkit.review.view.viewport import Rect, Viewport

DRAG, ACCEPT, UNDO = "drag", "accept", "undo"
HINTS = (DRAG, ACCEPT, UNDO)
_WIDE, _HIGH = 270, 28  # of a hint, in canvas units
_LEAST = (225, 64)  # of a box that has room for one between its handles
_DRAG = "Drag an edge to change it"


def hints(view: View) -> str:
    """Return the hints whose turn it is."""
    session = view.session
    covered = view.sheet or view.report or view.prompt is not None
    if session.ended or not session.entries or covered:
        return ""
    below = []
    if ACCEPT in view.hints and session.arrangement is not Arrangement.GRID:
        below.append(f"{_key(view, 'accept-page')} accepts this page")
    if UNDO in view.hints and session.undo:
        below.append(f"{_key(view, 'undo')} takes the last one back")
    return (_on_box(view) if DRAG in view.hints else "") + _in_strip(view, below)


def _on_box(view: View) -> str:
    """Say in the middle of the chosen box what a hand can do with it, where it has room."""
    session, layout = view.session, view.layout
    entry = session.entries[session.chosen]
    if not isinstance(entry, Open) or entry.mark is not Mark.KEEP or layout.tight:
        return ""
    edges = Viewport(layout.stage(session.chosen), entry.size).edges(entry.box)
    width, height = edges[2] - edges[0], edges[3] - edges[1]
    if width < _LEAST[0] or height < _LEAST[1]:
        return ""
    x, y = (edges[0] + edges[2] - _LEAST[0]) / 2, (edges[1] + edges[3] - _HIGH) / 2
    return at(layout, Rect(x, y, _LEAST[0], _HIGH), text(_DRAG), "ck-hint")


def _in_strip(view: View, words: list[str]) -> str:
    """Say it beside the last decisions, the first that has no room there over the message's end."""
    layout = view.layout
    x = 6.0 + min(len(view.session.undo), layout.places) * PLACE
    shown = []
    for each in words:
        beside = x + _WIDE <= layout.strip.right
        if not beside and not _leaves_room(view):
            break
        left = x if beside else layout.width - _WIDE - 6
        place = Rect(left, layout.strip.y + 8, _WIDE, _HIGH)
        shown.append(at(layout, place, f"<span>{each}</span>", "ck-hint"))
        if not beside:
            break
        x += _WIDE + 10
    return "".join(shown)


def _leaves_room(view: View) -> bool:
    """Whether the end of the message line may be covered."""
    kind, width = view.messages.kind, view.layout.message.width
    return kind == "none" or (kind == "note" and width > 2 * _WIDE)


def _key(view: View, action: str) -> str:
    return keys((view.keymap.label(action),))
