"""Make docs/review.png, the README's picture: the review of the demo in JupyterLab.

python tests/browser/screenshot.py [PICTURE]
"""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from browser import chromium
from browser.reviewing import ROOT, Desk, desk, running

PICTURE = ROOT / "docs" / "review.png"
SIZE = {"width": 1440, "height": 900}
PER_PAGE = 3


def make_presentable(page: Desk) -> None:
    """Show a review under way: a page is written, a box has been corrected."""
    page.press("Enter")
    page.wait(lambda s: s.page == 2 and s.shown == "shown", "the second page is shown")
    page.wait(lambda s: s.written == PER_PAGE, "the first page is written")
    page.press("1", *["Shift+ArrowRight"] * 3, *["Control+Shift+ArrowDown"] * 2)
    page.settled()
    page.page.locator(".cropkit-review").first.scroll_into_view_if_needed()
    page.page.wait_for_timeout(500)


def photograph(page: Desk, picture: Path) -> None:
    make_presentable(page)
    page.page.screenshot(path=picture)


def main(arguments: list[str]) -> None:
    picture = Path(arguments[0]) if arguments else PICTURE
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder) / "home") as review,
        chromium.launched() as browser,
        desk(browser, review.url, viewport=SIZE) as page,
    ):
        photograph(page, picture)


if __name__ == "__main__":
    main(sys.argv[1:])
