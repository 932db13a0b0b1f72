"""The browser's part as anywidget sees it; imported only where that is installed."""

from pathlib import Path
from typing import Any

from anywidget import AnyWidget
from traitlets import Dict, Int


class LiveDragModel(AnyWidget):
    """What kernel and browser tell each other: `scene` goes there, `pixels` comes back."""

    _esm = Path(__file__).with_name("live_drag.js").read_text(encoding="utf-8")
    pixels = Int(0).tag(sync=True)
    scene: Any = Dict({"live": False, "held": None, "cells": []}).tag(sync=True)
