"""Names that a terminal or a browser would obey are written out wherever the review shows them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from desktop import Browser
from hostile_names import NAMES, text, write

OBEYED = set("\x1b\x9b\x7f\u202e\u2066\u2028\r\t\n") | {chr(0xDC80 + n) for n in range(128)}


@pytest.mark.parametrize("name", ["escape", "bidi", "newline", "latin-1", "C1", "line separator"])
def test_a_hostile_name_is_shown_in_every_band_and_logged_harmlessly(
    tmp_path: Path, start: Callable[..., Browser], name: str
) -> None:
    path = write(tmp_path / "album", NAMES[name])
    (tmp_path / "album" / path).with_suffix(".decision").write_text("{broken")
    browser = start(tmp_path / "album", per_page=1)
    browser.open()
    browser.shown()
    browser.until(lambda: browser.messages.problems)
    browser.controller.guard.problem("went wrong", text(NAMES[name]))
    for key in ("?", "Escape", "g", "Escape", " "):
        browser.key(key)
        assert not set(browser.words + browser.status) & OBEYED, key
    lines = (tmp_path / "album" / ".cropkit" / "cropkit.log").read_text("utf-8").splitlines()
    assert lines
    for line in lines:
        entry = json.loads(line)
        assert not set(entry["message"]) & OBEYED
        assert not set(entry.get("traceback", "")) & (OBEYED - {"\n"})
