"""A review in somebody's own notebook: a cell that waits for it takes no key from it."""

from pathlib import Path

import pytest
from browser.reviewing import SLOW, Running, desk
from playwright.sync_api import Browser

from cropkit.demo import make_demo

RUN = """source => {
    const panel = jupyterapp.shell.currentWidget, book = panel.content;
    const at = book.widgets.length;
    book.model.sharedModel.insertCell(at, {cell_type: "code", source, metadata: {}});
    book.activeCellIndex = at;
    jupyterapp.commands.execute("notebook:run-cell");
}"""


def test_a_cell_waits_until_the_review_is_done_while_keys_are_taken(
    demo: Running, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = make_demo(Path(tmp_path_factory.mktemp("idioms")) / "photos", 2)
    with (
        demo.reviewing(folder, "idioms", 1, adapted=True) as review,
        desk(browser, review.url, viewport={"width": 1400, "height": 1000}) as page,
    ):
        page.until_shown()
        page.page.evaluate(RUN, "print('was done:', (await review.done())['decided'])")
        page.page.wait_for_timeout(1000)
        assert page.page.get_by_text("was done: 2", exact=True).count() == 0
        for number in (1, 2):
            page.until_page(number)
            page.canvas.focus()
            page.press("Enter")
        page.page.get_by_text("was done: 2", exact=True).wait_for(timeout=SLOW)
        assert not page.errors
