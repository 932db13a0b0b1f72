"""Every key as a small button, for whoever prefers the mouse; pure."""

import re

from cropkit.review.keys.actions import NAMED
from cropkit.review.view.html import at, button, text
from cropkit.review.view.view_model import View

_ARROWS = {"left": "←", "right": "→", "up": "↑", "down": "↓"}
_STEP = re.compile(r"(nudge|resize)-(left|right|up|down)-(\d+)")
_EDGES = {"nudge": "box", "resize": "edge"}
_BY_CLICK = ("choose-", "release")  # a click on the image does it, and one beside the review


def buttons(view: View) -> str:
    """Return the strip of buttons where it is wanted, group by group."""
    if not view.layout.buttons:
        return ""
    names = dict.fromkeys(row.name for row in view.keymap.bindings)
    groups: dict[str, list[str]] = {}
    for name in (name for name in names if not name.startswith(_BY_CLICK)):
        groups.setdefault(NAMED[name].group, []).append(_button(view, name))
    inner = "".join(
        f"<span class='ck-quiet'>{text(group)}</span>{''.join(each)}"
        for group, each in groups.items()
    )
    return at(view.layout, view.layout.button_strip, inner, "ck-strip")


def _button(view: View, name: str) -> str:
    action, key = NAMED[name], view.keymap.label(name)
    return button(name, text(words(name)), f"{action.help} ({key})")


def words(name: str) -> str:
    """Return what is written on the button of an action."""
    step = _STEP.fullmatch(name)
    if step is None:
        return name.replace("-", " ")
    verb, to, by = step.groups()
    return f"{_EDGES[verb]} {_ARROWS[to]}{'' if by == '1' else by}"
