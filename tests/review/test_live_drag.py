"""The part of the review that runs in the browser, seen from the kernel."""

import re
import sys
from pathlib import Path

import pytest

from cropkit.review.canvas import live_drag
from cropkit.review.canvas.live_drag import LiveDrag
from cropkit.review.view.layout import PageLayout


def test_where_anywidget_is_missing_nothing_of_it_is_imported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "cropkit.review.canvas.live_drag_model", raising=False)
    monkeypatch.setitem(sys.modules, "anywidget", None)
    part = LiveDrag()
    part.show(PageLayout(), (), live=True)
    part.close()
    assert part.widget is None
    assert "cropkit.review.canvas.live_drag_model" not in sys.modules


def test_where_it_is_installed_the_browser_gets_script_and_scene() -> None:
    part = LiveDrag()
    part.show(PageLayout(), (None,), live=True)
    assert "export default" in part.widget._esm
    assert part.widget.scene["cells"] == [None]
    part.close()


def test_the_script_has_no_colour_and_no_size_of_its_own_for_what_the_kernel_paints() -> None:
    script = Path(live_drag.__file__).with_name("live_drag.js").read_text(encoding="utf-8")
    assert not re.findall(r"#[0-9a-fA-F]{3,8}\b|rgba?\(|\d+px", script)
    drawing = script[script.index("// --- what is drawn") : script.index("class Hand")]
    numbers = set(re.findall(r"(?<![\w.])\d+(?:\.\d+)?", drawing))
    assert numbers <= {"0", "1", "2"}, "halves, and both sides of something"
