"""Fixtures and Hypothesis profiles that every test shares."""

import gc
import logging
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from pathlib import Path
from typing import Any

import campaigns
import exiftool
import pictures
import postgres
import pytest
import running
import second_go
import seeding
import stores
import strategies as strategies  # noqa: PLC0414  (imported to register the domain types)
import style_tools
from browser import chromium
from hypothesis import settings
from patience import TIMES, patient
from PIL import Image
from playwright.sync_api import Browser

# A shared machine's clock is no reason to fail; a red run must be red again for whoever looks.
settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, database=None, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")

# Without compiled modules, each of the thousand processes of a run would compile ours anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

running.keep_in_memory()

# Tests stay to the end: nobody looks for garbage among them, while they are collected or later.
gc.disable()

# A shell starts what it puts in the background deaf to Ctrl-C, nohup to a lost terminal, and so are
# all that these start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


# What tests say beyond their outcome; workers hand it to the process that prints.
TOLD = {
    "told": campaigns.TOLD,
    "seeded": seeding.TOLD,
    "compared": exiftool.COMPARED,
    "missed": exiftool.MISSED,
    "serverless": postgres.MISSED,
    "of one store": stores.KEPT_BACK,
}


def pytest_addoption(parser: pytest.Parser) -> None:
    running.add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    running.be_fast(config)
    style_tools.start_beside(config)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Long ones first; on a slow machine each may take longer."""
    running.put_long_ones_first(items)
    second_go.give(config, items)
    if TIMES != 1:
        longest = patient(float(config.getini("timeout")))
        for item in items:
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(longest))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Go on to the tests, whose garbage is looked for as in any program."""
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    return running.scheduler(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, Any, Any]:
    """Let a worker tell of names that are not UTF-8: what it sends has to be."""
    return utf_8((yield))


def utf_8(told: Any) -> Any:
    """Return the same, with the escape of what cannot be encoded."""
    if isinstance(told, str):
        return told.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(told, dict):
        return {utf_8(name): utf_8(value) for name, value in told.items()}
    if isinstance(told, list | tuple):
        return type(told)(map(utf_8, told))
    return told


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Leave no server behind; on a worker: hand over what was told."""
    postgres.end()
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput |= TOLD


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Where workers report to: take what one of them has told."""
    for name, lines in TOLD.items():
        lines.extend(getattr(node, "workeroutput", {}).get(name, []))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was tried beyond single tests, what could not be, and how long each part took."""
    campaigns.summarise(terminalreporter)
    seeding.summarise(terminalreporter)
    exiftool.summarise(terminalreporter)
    postgres.summarise(terminalreporter)
    stores.summarise(terminalreporter)
    running.tell_parts(terminalreporter)


@pytest.hookimpl(wrapper=True)
def pytest_pycollect_makeitem(collector: pytest.Collector) -> Generator[None, Any, Any]:
    """Have what is about the trail and the engine a second time, on PostgreSQL."""
    return stores.doubled(collector, (yield))


@pytest.fixture(autouse=True)
def _store(request: pytest.FixtureRequest) -> Iterator[None]:
    """A trail is where the test says: on a server, if that is the one on PostgreSQL."""
    with stores.named(request):
        yield


@pytest.fixture(autouse=True)
def _no_log_is_left() -> Iterator[None]:
    """A collection that a test leaves open hears what the tests after it log, and may fail them."""
    logger = logging.getLogger("cropkit")
    before = list(logger.handlers)
    yield
    new = [handler for handler in logger.handlers if handler not in before]
    left = [handler for handler in new if isinstance(handler, logging.FileHandler)]
    for handler in left:
        logger.removeHandler(handler)
    assert not left, "the test has left a collection open"


@pytest.fixture(scope="session", autouse=True)
def _own_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What a test approves or declares is not in the home of whoever runs it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module", autouse=True)
def _nothing_seen() -> Iterator[None]:
    """What a person saw of a thousand tests' collections is read whenever they open one more.

    How they look at reviews, and what they have learned, is another module's, too.
    """
    yield
    for name in ("heads", "checked", "review", "hints"):
        Path(os.environ["XDG_STATE_HOME"], "cropkit", f"{name}.json").unlink(missing_ok=True)


@pytest.fixture(autouse=True)
def _nothing_chosen() -> Iterator[None]:
    """How a test looks at images is not how the next one begins."""
    yield
    Path(os.environ["XDG_STATE_HOME"], "cropkit", "review.json").unlink(missing_ok=True)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for each worker: its driver's event loop allows no second one beside it."""
    with chromium.launched() as launched:
        yield launched


@pytest.fixture(scope="session")
def postgres_url() -> str:
    """The URL of a database that tests share, on a real PostgreSQL."""
    return postgres.url()


@pytest.fixture
def postgres_server() -> Iterator[postgres.Server]:
    """A PostgreSQL of this test alone, which it may kill."""
    with postgres.served() as server:
        yield server


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


@pytest.fixture(scope="module")
def processes() -> Iterator[Executor]:
    """Return an executor of two processes, which share nothing with this one."""
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        yield pool
