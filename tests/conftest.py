"""Fixtures and Hypothesis profiles that every test shares."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import campaigns
import exiftool
import pictures
import pytest
import strategies as strategies  # noqa: PLC0414  (imported to register the domain types)
from hypothesis import settings
from PIL import Image

# A shared machine's clock is no reason to fail; a red run must be red again for whoever looks.
settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, database=None, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")

# A shell starts what it puts in the background deaf to Ctrl-C, and so are all that it starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was tried beyond single tests, and what could not be."""
    campaigns.summarise(terminalreporter)
    exiftool.summarise(terminalreporter)


@pytest.fixture
def photo() -> Callable[..., Image.Image]:
    """``photo(width, height, seed=0)``: a photographic-looking picture."""
    return pictures.photo


@pytest.fixture
def write_png() -> Callable[..., Path]:
    return pictures.write_png


@pytest.fixture
def write_jpeg() -> Callable[..., Path]:
    return pictures.write_jpeg


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A collection of five images, each with a sidecar."""
    return pictures.write_folder(tmp_path / "collection")
