"""A collection may come from an enemy: its own `alerts.toml` sends nothing anywhere, unapproved."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pictures
import pytest

from cropkit import clock
from cropkit.cli import main
from cropkit.collection import Collection
from cropkit.geometry import PixelBox
from cropkit.monitor import reporting
from cropkit.monitor.health import Alert

SECRET = "wJalrXUtnFEMI"  # noqa: S105  (what must not arrive)
ROOT = Path(__file__).parents[2]


@dataclass
class Enemy:
    """A server that keeps whatever arrives."""

    url: str = ""
    got: list[tuple[str | None, str]] = field(default_factory=list)


@pytest.fixture
def enemy() -> Iterator[Enemy]:
    heard = Enemy()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            heard.got.append((self.headers["Authorization"], body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    heard.url = f"http://127.0.0.1:{server.server_port}/"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield heard
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def _person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)


@pytest.fixture
def album(tmp_path: Path, enemy: Enemy) -> Path:
    """A collection with an alert to tell, whose own file wants a secret sent to the enemy."""
    folder = pictures.write_folder(tmp_path / "collection")
    with Collection(folder) as collection:
        collection.crop("a_stage2.png", PixelBox(0, 0, 48, 48))
    hostile(folder, enemy)
    return folder


def hostile(folder: Path, enemy: Enemy, extra: str = "") -> None:
    (folder / ".cropkit" / "alerts.toml").write_text(
        f'idle_days = 0.000000001\n{extra}[[sink]]\nkind = "webhook"\nurl = "{enemy.url}"\n'
        'token_env = "AWS_SECRET_ACCESS_KEY"\ntries = 1\n'
    )


def own(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config" / "cropkit" / "alerts.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o600)


def codes(folder: Path) -> list[str]:
    """Look an hour later: a clock that is set back meanwhile makes no difference."""
    later = clock.now() + timedelta(hours=1)
    return [alert.code for alert in reporting.look(folder, tell=True, at=later).alerts]


# -- nothing arrives ------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [[], ["--test-alert"], ["--json"], ["--prometheus"]])
def test_health_sends_no_secret_where_a_collection_says(
    album: Path, enemy: Enemy, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["health", str(album), *arguments]) == 1
    told = "".join(capsys.readouterr())
    assert enemy.got == []
    assert SECRET not in told
    if "--prometheus" not in arguments:
        assert "names sinks and is not approved" in told
        assert f"{album}/.cropkit/alerts.toml" in told
        assert "cropkit alerts approve FOLDER" in told
        assert ": :" not in told


def test_its_limits_are_used_and_it_is_told_once(album: Path) -> None:
    assert codes(album) == ["idle", "unapproved"]


def test_the_alerts_of_a_review_and_of_a_batch_go_nowhere_either(album: Path, enemy: Enemy) -> None:
    told = reporting.tell(album, [Alert("degraded", str(album), "too many")])
    assert [alert.code for alert in told] == ["unapproved"]
    assert enemy.got == []


def test_what_stands_in_the_persons_own_file_is_used_instead(
    album: Path, enemy: Enemy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own(tmp_path, '[[sink]]\nkind = "stderr"\n')
    assert main(["health", str(album)]) == 1
    assert "idle: " in capsys.readouterr().err
    assert enemy.got == []


def test_no_command_is_run(album: Path, tmp_path: Path, enemy: Enemy) -> None:
    hostile(album, enemy, f'[[sink]]\nkind = "command"\ncommand = "touch {tmp_path}/OWNED"\n')
    assert "unapproved" in codes(album)
    assert not (tmp_path / "OWNED").exists()


# -- approved -------------------------------------------------------------------------------------


def test_it_is_shown_approved_used_and_revoked(
    album: Path, enemy: Enemy, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["alerts", "approve", str(album), "--yes"]) == 0
    told = capsys.readouterr().out
    assert f'    url = "{enemy.url}"\n' in told
    assert "uses the environment variables AWS_SECRET_ACCESS_KEY" in told
    assert SECRET not in told
    assert codes(album) == ["idle"]
    assert [token for token, _ in enemy.got] == [f"Bearer {SECRET}"]
    assert main(["alerts", "revoke", str(album)]) == 0
    assert codes(album) == ["idle", "unapproved"]
    assert len(enemy.got) == 1


def test_a_file_that_was_changed_since_is_unapproved_again(album: Path, enemy: Enemy) -> None:
    main(["alerts", "approve", str(album), "--yes"])
    hostile(album, enemy, "# one line more\n")
    assert "unapproved" in codes(album)
    assert enemy.got == []


def test_an_approval_is_of_one_collection(album: Path, enemy: Enemy, tmp_path: Path) -> None:
    main(["alerts", "approve", str(album), "--yes"])
    album.rename(tmp_path / "elsewhere")
    assert "unapproved" in codes(tmp_path / "elsewhere")
    assert enemy.got == []


def test_an_approval_is_of_one_person(
    album: Path, enemy: Enemy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    main(["alerts", "approve", str(album), "--yes"])
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "another person's"))
    assert "unapproved" in codes(album)
    assert enemy.got == []


def test_approvals_that_others_may_write_are_not_believed(
    album: Path, enemy: Enemy, tmp_path: Path
) -> None:
    main(["alerts", "approve", str(album), "--yes"])
    (tmp_path / "state" / "cropkit").chmod(0o777)
    assert codes(album) == ["idle", "configuration", "unapproved"]
    assert enemy.got == []


@pytest.mark.parametrize("answer", ["", "n\n", "no\n", "\n", "y\n"])
def test_at_a_terminal_it_is_asked_for(album: Path, enemy: Enemy, answer: str) -> None:
    """Whoever only follows the cure of the alert sees what they would allow."""
    script = (
        "import sys\nfrom cropkit.cli import main\n"
        "sys.stdin.isatty = lambda: True\nsys.exit(main(sys.argv[1:]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "alerts", "approve", str(album)],
        input=answer,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.stdout.index("webhook: url") < done.stdout.index("[y/N]")
    assert done.returncode == (0 if answer == "y\n" else 1)
    allowed = answer == "y\n"
    assert codes(album) == (["idle"] if allowed else ["idle", "unapproved"])
    assert len(enemy.got) == allowed


def test_what_a_file_holds_is_shown_as_text_only(
    album: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (album / ".cropkit" / "alerts.toml").write_text(
        '# \u202egnihton\r\n[[sink]]\nkind = "webhook"\n'
        'url = "http://x.example/\\u001b[2J"\ntoken_env = "A\\nB"\n'
    )
    assert main(["alerts", "approve", str(album), "--yes"]) == 0
    told = capsys.readouterr().out
    assert not set(told) & {"\x1b", "\r", "\u202e"}
    assert "\\x1b[2J" in told


def test_a_link_or_too_much_is_not_approved(
    album: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = album / ".cropkit" / "alerts.toml"
    path.write_text("# " + "x" * 100_000)
    assert main(["alerts", "approve", str(album), "--yes"]) == 1
    assert "larger than" in capsys.readouterr().err
    path.rename(tmp_path / "alerts.toml")
    path.symlink_to(tmp_path / "alerts.toml")
    for action in ("approve", "show"):
        assert main(["alerts", action, str(album)]) == 1
        assert "ForeignState" in capsys.readouterr().err


def test_show_tells_what_is_in_force(
    album: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own(tmp_path, '[[sink]]\nkind = "stderr"\n')
    path = str(album / ".cropkit" / "alerts.toml")
    assert main(["alerts", "show", str(album), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["sinks"], told["approved"], told["limits_from"]) == (["stderr"], False, path)
    assert [problem["code"] for problem in told["problems"]] == ["unapproved"]
    assert main(["alerts", "approve", str(album), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["approved"] is True
    assert main(["alerts", "show", str(album), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["sinks"], told["approved"]) == (["webhook 127.0.0.1"], True)
    assert told["sinks_from"] == path
    assert main(["alerts", "show", str(album)]) == 0
    assert "sink: webhook 127.0.0.1" in capsys.readouterr().out
    assert main(["alerts", "revoke", str(album), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["revoked"] is True


def test_a_file_without_sinks_needs_no_approval(
    album: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (album / ".cropkit" / "alerts.toml").write_text("idle_days = 3\n")
    assert main(["alerts", "approve", str(album)]) == 0
    assert "names no sinks" in capsys.readouterr().out
    (album / ".cropkit" / "alerts.toml").unlink()
    assert main(["alerts", "approve", str(album)]) == 1
    assert "alerts.toml: no such file" in capsys.readouterr().err
