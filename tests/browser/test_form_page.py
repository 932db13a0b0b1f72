"""The notebooks in a JupyterLab of one's own: cells to be edited, and a form that writes one."""

from collections.abc import Iterator

import pytest
from browser.reviewing import SLOW, Desk, Review, Running, desk
from playwright.sync_api import Browser

from cropkit.demo import make_demo

SOURCE = """() => jupyterapp.shell.currentWidget.content.widgets
    .find(cell => (cell.model.getMetadata("tags") ?? []).includes("parameters"))
    .model.sharedModel.getSource()"""


@pytest.fixture(scope="module")
def adapted(demo: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Review]:
    folder = make_demo(tmp_path_factory.mktemp("adapted") / "photos", 3)
    with demo.reviewing(folder, "adapted", adapted=True) as review:
        yield review


def until(page: Desk, text: str) -> None:
    page.page.wait_for_function(f"text => ({SOURCE})().includes(text)", arg=text, timeout=SLOW)


def test_the_form_writes_the_cell_of_parameters_which_a_person_can_edit_too(
    adapted: Review, browser: Browser
) -> None:
    with desk(browser, adapted.url, viewport={"width": 1400, "height": 1000}) as page:
        field = page.page.locator(".widget-text", has_text="per_page").locator("input")
        field.wait_for(timeout=SLOW)
        cell = page.page.locator(".jp-CodeCell .cm-content").first
        assert cell.get_attribute("contenteditable") == "true"
        field.fill("2")
        field.press("Enter")
        until(page, "per_page: int = 2  # Images on a page; 0 for as many as you chose last")
        page.page.get_by_text("Run the cells below again then").wait_for()
        with adapted.probe() as probe:
            assert probe.value("per_page") == 2
        cell.click()
        page.page.keyboard.press("Control+End")
        page.page.keyboard.type("  ")
        field.fill("4")
        field.press("Enter")
        page.page.get_by_text("could not be written").wait_for()
        until(page, "per_page: int = 2")
        assert not page.errors
