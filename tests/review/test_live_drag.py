"""The part of the review that runs in the browser, seen from the kernel."""

import sys

import pytest

from cropkit.review.canvas.live_drag import LiveDrag


def test_where_anywidget_is_missing_nothing_of_it_is_imported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "cropkit.review.canvas.live_drag_model", raising=False)
    monkeypatch.setitem(sys.modules, "anywidget", None)
    live_drag = LiveDrag()
    live_drag.show((), live=True)
    live_drag.close()
    assert live_drag.widget is None
    assert "cropkit.review.canvas.live_drag_model" not in sys.modules


def test_where_it_is_installed_the_browser_gets_script_and_scene() -> None:
    live_drag = LiveDrag()
    live_drag.show((None,), live=True)
    assert "export default" in live_drag.widget._esm
    assert live_drag.widget.scene["cells"] == [None]
    live_drag.close()
