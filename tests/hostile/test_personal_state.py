"""What a person approved is theirs alone, and is believed only where nobody else may write."""

import json
import os
import pwd
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cropkit.errors import PersonalStateUnusable
from cropkit.review.keys.keymap import keymap
from cropkit.system import personal_state

NAME = "approved"
NOBODY = 65534


@pytest.fixture
def state(tmp_path: Path) -> dict[str, str]:
    return {"XDG_STATE_HOME": str(tmp_path / "state")}


def folder(state: dict[str, str]) -> Path:
    return Path(state["XDG_STATE_HOME"], "cropkit")


def keep(state: dict[str, str], **said: object) -> Path:
    with personal_state.changing(NAME, state) as document:
        document.update(said)
    return folder(state) / f"{NAME}.json"


def test_nothing_was_said_yet_and_reading_makes_nothing(state: dict[str, str]) -> None:
    assert personal_state.read(NAME, state) == {}
    assert not folder(state).exists()


def test_what_is_kept_is_read_again_and_is_the_persons_alone(state: dict[str, str]) -> None:
    before = os.umask(0)
    try:
        path = keep(state, one=1)
    finally:
        os.umask(before)
    keep(state, two="zwei")
    assert personal_state.read(NAME, state) == {"one": 1, "two": "zwei"}
    assert {stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()} == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert sorted(each.name for each in path.parent.iterdir()) == [path.name, "lock"]


def test_after_an_exception_what_was_there_stands(state: dict[str, str]) -> None:
    path = keep(state, one=1)
    with pytest.raises(KeyError), personal_state.changing(NAME, state) as document:
        document["one"] = document["another"]
    assert personal_state.read(NAME, state) == {"one": 1}
    assert sorted(each.name for each in path.parent.iterdir()) == [path.name, "lock"]


def test_programs_that_change_it_at_once_lose_nothing(state: dict[str, str]) -> None:
    script = (
        "import sys\nfrom cropkit.system.personal_state import changing\n"
        "for n in range(20):\n"
        f"    with changing({NAME!r}) as document: document[sys.argv[1] + str(n)] = n\n"
    )
    environment = os.environ | state
    command = [sys.executable, "-c", script]
    started = [subprocess.Popen([*command, who], env=environment) for who in "abc"]
    assert [one.wait() for one in started] == [0, 0, 0]
    assert len(personal_state.read(NAME, state)) == 60


def a_link(path: Path) -> None:
    target = path.with_name("elsewhere")
    path.rename(target)
    path.symlink_to(target)


def a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def another_owner(path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only the administrator gives files away")
    os.chown(path, 1234, -1)


SPOILT: dict[str, Callable[[Path], object]] = {
    "link": a_link,
    "pipe": a_pipe,
    "another owner": another_owner,
    "group may write": lambda p: p.chmod(0o620),
    "everybody may write": lambda p: p.chmod(0o602),
    "too large": lambda p: p.write_text(json.dumps({"a": "x" * personal_state.LARGEST})),
    "no JSON": lambda p: p.write_text("[[["),
    "too deep": lambda p: p.write_text("[" * 200_000),
    "no object": lambda p: p.write_text("[]"),
    "no text": lambda p: p.write_bytes(b"\xff\xfe{"),
}


@pytest.mark.parametrize("how", SPOILT)
def test_a_document_that_is_not_the_persons_own_is_not_believed(
    state: dict[str, str], how: str
) -> None:
    path = keep(state, one=1)
    SPOILT[how](path)
    with pytest.raises(PersonalStateUnusable, match=f"{NAME}.json"):
        personal_state.read(NAME, state)
    with pytest.raises(PersonalStateUnusable, match=f"{NAME}.json"):
        keep(state, two=2)


@pytest.mark.parametrize("how", ["link", "another owner", "group may write", "everybody may write"])
def test_nor_is_a_folder(state: dict[str, str], how: str) -> None:
    place = keep(state, one=1).parent
    SPOILT[how](place)
    for attempt in (personal_state.read, lambda *_: keep(state, two=2)):
        with pytest.raises(PersonalStateUnusable, match="cropkit"):
            attempt(NAME, state)


def test_a_document_that_would_be_too_large_is_not_kept(state: dict[str, str]) -> None:
    keep(state, one=1)
    with pytest.raises(PersonalStateUnusable, match="larger"):
        keep(state, much="x" * personal_state.LARGEST)
    assert personal_state.read(NAME, state) == {"one": 1}


# -- where it is ----------------------------------------------------------------------------------


def test_it_is_in_the_home_unless_another_place_is_stated(tmp_path: Path) -> None:
    assert personal_state.folder({"HOME": str(tmp_path)}) == tmp_path / ".local/state/cropkit"
    account = Path(pwd.getpwuid(os.geteuid()).pw_dir)
    assert personal_state.folder({}) == account / ".local/state/cropkit"
    assert personal_state.folder({"HOME": ""}) == account / ".local/state/cropkit"


def test_a_place_relative_to_wherever_one_stands_is_refused() -> None:
    with pytest.raises(PersonalStateUnusable, match="no absolute path"):
        personal_state.folder({"XDG_STATE_HOME": "state"})


@pytest.fixture
def stranger() -> Iterator[None]:
    """A user whom no list knows, as containers have."""
    if os.geteuid() != 0:
        pytest.skip("only the administrator becomes somebody else")
    os.seteuid(54321)
    yield
    os.seteuid(0)


@pytest.mark.usefixtures("stranger")
def test_a_user_without_a_home_said_nothing_and_is_told_where_to_say_it() -> None:
    assert personal_state.read(NAME, {}) == {}
    with pytest.raises(PersonalStateUnusable, match="XDG_STATE_HOME"):
        keep({})


@pytest.mark.usefixtures("stranger")
def test_a_home_that_is_not_there_is_an_error_by_name() -> None:
    nowhere = {"HOME": "/nonexistent"}
    assert personal_state.read(NAME, nowhere) == {}
    with (
        pytest.raises(PersonalStateUnusable, match="/nonexistent"),
        personal_state.changing(NAME, nowhere),
    ):
        pass


def test_the_administrator_makes_nothing_in_another_persons_home() -> None:
    if os.geteuid() != 0:
        pytest.skip("only the administrator could")
    home = Path(tempfile.mkdtemp(prefix="cropkit-home-"))
    os.chown(home, NOBODY, -1)
    with (
        pytest.raises(PersonalStateUnusable, match=f"belongs to user {NOBODY}"),
        personal_state.changing(NAME, {"HOME": str(home)}),
    ):
        pass
    assert list(home.iterdir()) == []
    home.rmdir()


def test_a_keymap_is_not_looked_for_relative_to_where_one_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here" / "cropkit").mkdir(parents=True)
    (tmp_path / "here" / "cropkit" / "keys.toml").write_text('preset = "vim"')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", "here")
    with pytest.raises(PersonalStateUnusable, match="XDG_CONFIG_HOME is no absolute path"):
        keymap()
    assert keymap("vim").bindings, "what is named needs no file"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "here"))
    assert keymap().bindings == keymap("vim").bindings
