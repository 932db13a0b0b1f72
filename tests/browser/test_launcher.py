"""Crop review, from JupyterLab's launcher: a folder is chosen, and its review is there."""

import re
from urllib.parse import urlsplit

from browser.album import contents
from browser.reviewing import SLOW, Desk, Running
from playwright.sync_api import Browser

from cropkit.demo import make_demo
from cropkit.jupyter import notebooks

NAME = 'my "photos" $&'  # nothing in a name is code, or a pattern


def test_a_folder_chosen_from_the_launcher_is_reviewed(demo: Running, browser: Browser) -> None:
    work = demo.notebooks / "work"
    folder = make_demo(work / NAME, 2)
    before = contents(folder)
    (work / "crop-review.ipynb").write_text("somebody's own")
    url = urlsplit(demo.url)._replace(path="/lab/workspaces/launcher/tree/work").geturl()
    page = Desk(browser.new_page(viewport={"width": 1400, "height": 900}))
    try:
        page.page.goto(url, wait_until="domcontentloaded")
        page.page.locator(".jp-LauncherCard", has_text="Crop review").click(timeout=SLOW)
        dialog = page.page.locator(".jp-Dialog")
        dialog.locator(".jp-DirListing-item", has_text=NAME).click()
        dialog.locator("button.jp-mod-accept").click()
        page.until_page(1, SLOW)
        page.until_replayed()
        page.press("Enter")
        page.wait(lambda status: status.written == 2, "the page is written", SLOW)
        assert not page.errors
    finally:
        page.page.context.close()
        for session in demo.ask("GET", "/api/sessions"):
            if session["path"].startswith("work/"):
                demo.ask("DELETE", f"/api/sessions/{session['id']}")
    after = contents(folder)
    assert before.keys() == after.keys()
    assert all(after[name] != was for name, was in before.items() if name.endswith(".png"))
    assert (work / "crop-review.ipynb").read_text() == "somebody's own"
    cell = notebooks.tagged(notebooks.read(work / "crop-review-1.ipynb"), "parameters")
    assert cell is not None
    assert re.search(r'^folder: str = "my \\"photos\\" \$&"  # ', cell.source)
