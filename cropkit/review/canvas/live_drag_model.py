"""The browser's part as anywidget sees it; imported only where that is installed."""

from pathlib import Path
from typing import Any

from anywidget import AnyWidget
from traitlets import Dict, Int, List

from cropkit.review.canvas.paint import BRUSH


class LiveDragModel(AnyWidget):
    """What is told: `scene` and `brush` go to the browser, `pixels` comes back.

    `canvases` are the ids of those that a page must have before anything is drawn.
    """

    _esm = Path(__file__).with_name("live_drag.js").read_text(encoding="utf-8")
    canvases: Any = List().tag(sync=True)
    pixels = Int(0).tag(sync=True)
    brush: Any = Dict(dict(BRUSH)).tag(sync=True)
    scene: Any = Dict({"live": False, "held": None, "cells": []}).tag(sync=True)
