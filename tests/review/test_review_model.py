"""A review whose boxes come from a model: what it proposes, and what the header tells of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from desktop import Browser, entries

import cropkit
from cropkit.review.keys.keymap import keymap
from cropkit.review.view.bands import header

Started = Callable[..., Browser]


def too_wide(image: Any) -> list[list[float]]:
    """Propose a box that begins two pixels outside."""
    return [[-2, 0, image.width / 2, image.height / 2, 0.75]]


def test_the_header_tells_how_fast_a_model_is_and_what_was_clipped(
    folder: Path, start: Started
) -> None:
    browser = start(cropkit.open(folder, suggest=too_wide))
    browser.open()
    browser.shown()
    drawn = browser.controller.view(keymap("default"), sheet=False, prompt=None)
    asked, clipped = drawn.proposing
    assert asked.startswith("too_wide asked about ")
    assert asked.endswith("/s")
    assert clipped.endswith("boxes clipped at the border, at most 2 px")
    assert asked in header(drawn)
    assert all(entry.box.left == 0 for entry in entries(browser))


def test_sidecars_have_nothing_to_tell(browser: Browser) -> None:
    drawn = browser.controller.view(keymap("default"), sheet=False, prompt=None)
    assert drawn.proposing == ()
    assert "asked about" not in header(drawn)
