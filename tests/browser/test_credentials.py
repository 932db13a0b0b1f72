"""Images with content credentials, in a real browser: one key, a question, and they are cropped."""

import json
import subprocess
import sys
from pathlib import Path

import pictures
from browser.reviewing import Desk, Running, desk
from misfits import MISFITS
from playwright.sync_api import Browser

SIGNED = ("a.jpg", "b.jpg", "d.jpg")


def narrowed(found: Desk, *numbers: str) -> None:
    """Move the right edge of some boxes, so that there is something to crop."""
    for number in numbers:
        found.press(number)
        found.settled()
        found.press("Control+Shift+ArrowLeft")
        found.settled()


def settings(folder: Path, *options: str) -> dict[str, str]:
    command = [sys.executable, "-m", "cropkit", "settings", str(folder), "--json", *options]
    done = subprocess.run(command, capture_output=True, check=True)
    chosen: dict[str, str] = json.loads(done.stdout)["settings"]
    return chosen


def test_one_key_asked_once_crops_all_of_them_on_this_page_and_on_the_next(
    tmp_path: Path, browser: Browser, demo: Running
) -> None:
    folder = tmp_path / "signed"
    folder.mkdir()
    for name in SIGNED:
        (folder / name).write_bytes(MISFITS["signed.jpg"][0]())
    pictures.write_png(folder / "c.png", pictures.photo(400, 300, 9))
    with (
        demo.reviewing(folder, "signed", per_page=3) as review,
        desk(browser, review.url, viewport={"width": 1440, "height": 900}) as found,
    ):
        found.until_shown().wait(lambda s: s.broken == 2, "both are read")
        found.page.wait_for_timeout(500)
        found.acknowledge_all()
        assert "W crop all without them" in found.text().replace("\n", " ")
        found.press("w")
        found.settled()
        assert "Crop every image here without content credentials" in found.text()
        assert settings(folder)["drop"] == ""
        found.press("Enter")
        found.wait(lambda s: s.broken == 0 and s.shown == "shown", "they can be cropped")
        assert settings(folder)["drop"] == "provenance"
        narrowed(found, "1", "2")
        found.press("Enter")
        found.until_page(2)
        narrowed(found, "1")
        found.press("Enter")
        found.until_idle()
        last = found.wait(lambda s: s.written == 4, "all are cropped")
        assert (last.broken, last.failed) == (0, 0)
        assert "without credentials 3" in " ".join(found.text().split())
        assert not found.errors
    assert all(b"c2pa" not in (folder / name).read_bytes() for name in SIGNED)
    assert settings(folder, "--drop-nothing")["drop"] == ""
