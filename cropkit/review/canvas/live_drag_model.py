"""The browser's part as anywidget sees it; imported only where that is installed."""

from pathlib import Path
from typing import Any

from anywidget import AnyWidget
from traitlets import Bool, Dict, List

from cropkit.review.canvas.paint import BRUSH

_SCRIPTS = ("live_drag.js", "nudges.js", "browser.js")  # one module: the later use the earlier


class LiveDragModel(AnyWidget):
    """What the browser is told: what a hand can take hold of, how that is painted, and where.

    `canvases` are the ids of those that a page must have before anything is drawn.
    What it tells comes as messages: `room`, `keys`, `do` and `up` (see `browser.js`).
    """

    _esm = "\n".join(
        Path(__file__).with_name(name).read_text(encoding="utf-8") for name in _SCRIPTS
    )
    canvases: Any = List().tag(sync=True)
    filling = Bool(help="Whether the review takes the whole window.").tag(sync=True)
    spots: Any = List(help="What can be pressed, and words for it.").tag(sync=True)
    menu: Any = List(help="Actions of the menu: name, words, key.").tag(sync=True)
    holds: Any = List(help="Keys that do something until they are let go.").tag(sync=True)
    alone = Bool(help="Whether nothing else in the notebook is a person's.").tag(sync=True)
    brush: Any = Dict(dict(BRUSH)).tag(sync=True)
    scene: Any = Dict({"live": False, "held": None, "cells": []}).tag(sync=True)
