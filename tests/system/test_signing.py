"""Whether this person signs, and with which files: what is theirs is believed, and nothing else."""

from pathlib import Path

import pytest

from cropkit.errors import PersonalStateUnusable
from cropkit.system import personal_state, signing
from cropkit.system.signing import SigningFiles


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in which a person names certificate and key."""
    for name in (signing.CERTIFICATE, signing.KEY):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "cropkit").mkdir(mode=0o700)
    return tmp_path / "cropkit/signing.toml"


FILES = 'certificate = "/a/chain.pem"\nkey = "/a/key.pem"\n'


def test_a_file_of_the_persons_names_them(config: Path) -> None:
    assert signing.configured() is None
    config.write_text(FILES)
    assert signing.configured() == SigningFiles(Path("/a/chain.pem"), Path("/a/key.pem"))


def test_the_environment_comes_first(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config.write_text(FILES)
    monkeypatch.setenv(signing.CERTIFICATE, "/b/c.pem")
    monkeypatch.setenv(signing.KEY, "~/k.pem")
    monkeypatch.setenv("HOME", "/somewhere")
    assert signing.configured() == SigningFiles(Path("/b/c.pem"), Path("/somewhere/k.pem"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('certificate = "/a/c.pem"\n', "no certificate and key"),
        ('certificate = "c.pem"\nkey = "/k"\n', "absolute"),
        ('certificate = 7\nkey = "/k"\n', "no certificate and key"),
        (FILES + 'password = "secret"\n', "no setting 'password'"),
        ("certificate =", "signing.toml"),
    ],
)
def test_what_makes_no_sense_is_said(config: Path, text: str, words: str) -> None:
    config.write_text(text)
    with pytest.raises(PersonalStateUnusable, match=words):
        signing.configured()


def test_a_file_that_others_may_write_to_is_not_believed(config: Path) -> None:
    config.write_text(FILES)
    config.chmod(0o666)
    with pytest.raises(PersonalStateUnusable, match="others may write"):
        signing.configured()


def test_a_key_that_others_may_read_is_none(tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.write_bytes(b"key")
    key.chmod(0o600)
    assert signing.read(key, secret=True) == b"key"
    for mode in (0o640, 0o604, 0o610):
        key.chmod(mode)
        with pytest.raises(PersonalStateUnusable, match="chmod 600"):
            signing.read(key, secret=True)
    key.chmod(0o644)
    assert signing.read(key, secret=False) == b"key"
    key.chmod(0o664)
    with pytest.raises(PersonalStateUnusable, match="others may write"):
        signing.read(key, secret=False)


def test_only_a_file_of_some_size_is_read(tmp_path: Path) -> None:
    large = tmp_path / "large.pem"
    large.write_bytes(bytes(signing.LARGEST + 1))
    with pytest.raises(PersonalStateUnusable, match="larger than"):
        signing.read(large, secret=False)
    for path in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(PersonalStateUnusable):
            signing.read(path, secret=False)


def test_the_choice_is_kept_for_one_collection_and_taken_back(config: Path, tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    signing.want(one, wanted=True)
    assert (signing.is_wanted(one), signing.is_wanted(other)) == (True, False)
    signing.want(one, wanted=False)
    assert not signing.is_wanted(one)
    with personal_state.changing("signing") as document:
        document[str(other)] = "yes"
    assert not signing.is_wanted(other)
    assert not config.exists()
