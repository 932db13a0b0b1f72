"""What is beside an image is listed once for many images, and never from before a change."""

import time
from pathlib import Path

import pytest

from cropkit.engine.kept_listing import SETTLED
from cropkit.engine.listing import companions, described_by
from cropkit.engine.names_beside import NamesBeside
from cropkit.system import mounts
from cropkit.system.files import Root

COUNT = 40
SIXTY_SECONDS = 60 * 10**9


@pytest.fixture
def flat(tmp_path: Path) -> Path:
    """A folder of images, each with its caption, and one group with the sidecar of all."""
    folder = tmp_path / "flat"
    folder.mkdir()
    for number in range(COUNT):
        (folder / f"{number:02}.png").touch()
        (folder / f"{number:02}.txt").touch()
    for name in (
        "g_stage1.png",
        "g_stage2.png",
        "g.decision",
        "g_stage1.x.txt",
        "a.b.png",
        "a.b.txt",
    ):
        (folder / name).touch()
    return folder


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names the images for which a folder was listed; a minute has passed since it changed."""
    calls: list[str] = []
    whole = Root.beside

    def beside(root: Root, path: str) -> list[str]:
        calls.append(path)
        return whole(root, path)

    monkeypatch.setattr(Root, "beside", beside)
    monkeypatch.setattr(mounts, "times_tell", lambda _folder: True)
    let_a_minute_pass(monkeypatch)
    return calls


def let_a_minute_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time_ns
    monkeypatch.setattr("cropkit.engine.names_beside.time.time_ns", lambda: now() + SIXTY_SECONDS)


def test_a_folder_that_stays_as_it_is_is_listed_once(flat: Path, listed: list[str]) -> None:
    beside = NamesBeside(Root(flat))
    for number in range(COUNT):
        assert described_by(beside, f"{number:02}.png") == [f"{number:02}.txt"]
    assert len(listed) == 1


def test_what_comes_later_is_seen(flat: Path, listed: list[str]) -> None:
    beside = NamesBeside(Root(flat))
    before = [described_by(beside, "01.png") for _ in range(3)]
    time.sleep(0.02)  # a tick of the file system's clock
    (flat / "01.json").touch()
    assert described_by(beside, "01.png") == ["01.json", "01.txt"]
    assert before == [["01.txt"]] * 3
    assert len(listed) == 2


def test_what_changed_a_moment_ago_is_not_kept(flat: Path, listed: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        just_now = flat.stat().st_ctime_ns + int(SETTLED * 1e9) - 1
        patch.setattr("cropkit.engine.names_beside.time.time_ns", lambda: just_now)
        beside = NamesBeside(Root(flat))
        assert described_by(beside, "01.png") == described_by(beside, "01.png")
    assert len(listed) == 2


def test_where_times_do_not_tell_nothing_is_kept(
    flat: Path, listed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mounts, "times_tell", lambda _folder: False)
    beside = NamesBeside(Root(flat))
    assert described_by(beside, "01.png") == described_by(beside, "01.png") == ["01.txt"]
    assert len(listed) == 2


@pytest.mark.parametrize("image", ["g_stage1.png", "g_stage2.png", "a.b.png", "00.png"])
def test_what_is_kept_gives_what_a_listing_gives(flat: Path, listed: list[str], image: str) -> None:
    beside = NamesBeside(Root(flat))
    anew = companions(beside, image)
    assert companions(beside, image) == anew
    assert len(listed) == 1
    assert anew  # each has something that follows it


def test_another_folder_has_names_of_its_own(flat: Path, listed: list[str]) -> None:
    (flat / "sub").mkdir()
    (flat / "sub/01.png").touch()
    (flat / "sub/01.md").touch()
    beside = NamesBeside(Root(flat))
    for _ in range(2):
        assert described_by(beside, "01.png") == ["01.txt"]
        assert described_by(beside, "sub/01.png") == ["sub/01.md"]
    assert len(listed) == 4
