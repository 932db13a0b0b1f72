"""What the tests of reviews in a real browser share: one JupyterLab for all of them."""

import signal
from collections.abc import Iterator

import pytest
from browser.reviewing import Running, running


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """`cropkit review` as a person starts it, on its demo; its JupyterLab takes other reviews."""
    with running(tmp_path_factory.mktemp("demo") / "home", ending=signal.SIGTERM) as review:
        yield review
