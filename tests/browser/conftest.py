"""What the tests in a real browser share: one Chromium, and one JupyterLab for all reviews."""

import signal
from collections.abc import Iterator

import pytest
from browser import chromium
from browser.reviewing import Running, running
from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium.launched() as found:
        yield found


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """`cropkit review` as a person starts it, on its demo; its JupyterLab takes other reviews."""
    with running(tmp_path_factory.mktemp("demo") / "home", ending=signal.SIGTERM) as review:
        yield review
