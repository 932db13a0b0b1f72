"""A trail on a server, and a client, a line or a server that dies at any point of the work."""

import multiprocessing
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bad_line
import pictures
import postgres
import pytest
from bad_line import BadLine, Cut
from campaigns import FULL
from faults import Faulty, contents
from patience import patient
from postgres import Server

from cropkit.collection import Collection
from cropkit.errors import CropkitError
from cropkit.geometry import PixelBox

NAME, BOX = "a.png", PixelBox(8, 8, 40, 40)
EACH = 1 if FULL else 4  # effect of a client
MOST = 400  # effects or commits of a crop and its undo: there are fewer
Work = Callable[..., Any]
pytestmark = pytest.mark.timeout(patient(300))


def crop(folder: Path, url: str, **options: Any) -> bool:
    with Collection(folder, trail=url, **options) as kit:
        return kit.crop(NAME, BOX).ok


def undo(folder: Path, url: str, **options: Any) -> bool:
    with Collection(folder, trail=url, **options) as kit:
        return all(result.ok for result in kit.undo(NAME))


WORKS: dict[str, Work] = {"crop": crop, "undo": undo}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The SHA-256 of the image before and after a crop."""
    folder = begun(tmp_path_factory.mktemp("outcomes") / "c", "undo", postgres.own().url())
    after = contents(folder)[NAME]
    assert undo(folder, postgres.own().url())
    return {"before": contents(folder)[NAME], "after": after}


def begun(folder: Path, work: str, url: str) -> Path:
    """Make a collection whose trail is on a server, at the moment before some work."""
    folder.mkdir()
    pictures.write_png(folder / NAME)
    Collection(folder, trail=url).close()
    if work == "undo":
        assert crop(folder, url)
    return folder


def check(folder: Path, url: str, outcomes: dict[str, str], done: str | None = None) -> None:
    """Open it, and see that the image is whole, that the trail knows which it is, and go on."""
    with Collection(folder, trail=url) as kit:
        (sha256,) = contents(folder).values()
        assert sha256 in outcomes.values(), "the image is neither"
        assert done is None or sha256 == outcomes[done], "what was told is done"
        assert kit.fsck() == []
        if sha256 == outcomes["after"]:
            assert all(result.ok for result in kit.undo(NAME))
        assert kit.crop(NAME, BOX).ok
        assert contents(folder)[NAME] == outcomes["after"]
        assert kit.fsck() == []


# -- the client ------------------------------------------------------------------------------------


def dies(work: Work, folder: Path, url: str, effect: int) -> bool:
    """Do some work in a process that is killed at an effect; return whether it came to that."""

    def child() -> None:
        system = Faulty(effect, lambda _name: os._exit(9))
        system.armed = True
        work(folder, url, system=system)
        os._exit(0)

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    process.join()
    assert process.exitcode in (0, 9)
    return process.exitcode == 9


@pytest.mark.parametrize("work", WORKS)
def test_a_client_that_is_killed_leaves_an_image_that_is_whole(
    tmp_path: Path, outcomes: dict[str, str], work: str
) -> None:
    url, effect, died = postgres.own().url(), 0, True
    while died:
        effect += EACH
        assert effect < MOST
        folder = begun(tmp_path / str(effect), work, url)
        died = dies(WORKS[work], folder, url, effect)
        check(folder, url, outcomes)
    assert effect > 10


# -- the line --------------------------------------------------------------------------------------


@pytest.fixture
def line() -> Iterator[BadLine]:
    with bad_line.bad_line(postgres.own().port) as made:
        yield made


@pytest.mark.parametrize("where", list(Cut))
@pytest.mark.parametrize("work", WORKS)
def test_a_line_that_is_lost_at_any_commit_loses_nothing_and_tells_nothing_wrong(
    tmp_path: Path, outcomes: dict[str, str], line: BadLine, work: str, where: Cut
) -> None:
    url = postgres.own().url()
    for commit in range(MOST):
        folder = begun(tmp_path / str(commit), work, url)
        line.cut_at(b"COMMIT", where, skip=commit)
        cuts = line.cuts
        done = tried(WORKS[work], folder, postgres.own().url(port=line.port))
        wanted = {"crop": "after", "undo": "before"}[work]
        check(folder, url, outcomes, wanted if done else None)
        if line.cuts == cuts:
            assert done
            break
    assert commit > 2
    line.mend()


def tried(work: Work, folder: Path, url: str) -> bool:
    """Return whether it was told that some work is done."""
    try:
        return bool(work(folder, url))
    except CropkitError:
        return False


# -- the server ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mortal() -> Iterator[Server]:
    with postgres.served() as server:
        yield server


@pytest.mark.parametrize("work", WORKS)
def test_a_server_that_is_killed_at_any_commit_and_comes_back_has_what_was_told(
    tmp_path: Path, outcomes: dict[str, str], mortal: Server, work: str
) -> None:
    wanted = {"crop": "after", "undo": "before"}[work]

    def die() -> None:
        mortal.kill()
        mortal.restart()

    for commit in range(MOST):
        folder = begun(tmp_path / str(commit), work, mortal.url())
        with bad_line.bad_line(mortal.port) as line:
            line.at(b"COMMIT", die, skip=commit)
            done = tried(WORKS[work], folder, mortal.url(port=line.port))
            killed = line.cuts > 0
        check(folder, mortal.url(), outcomes, wanted if done else None)
        if not killed:
            assert done
            break
    assert commit > 2
