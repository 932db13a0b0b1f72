"""Alerts arrive: at a real web server, a real mail server, a shell, a desktop's bus, a log."""

import asyncio
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from cropkit.collection import Collection
from cropkit.errors import DeliveryFailed
from cropkit.monitor.delivery import alerts_file, configured, deliver, trial
from cropkit.monitor.delivery.sinks import Command, Desktop, Email, LogFile, Stderr, Webhook
from cropkit.monitor.health import Alert
from cropkit.system import log

ALERT = Alert("conflict", "photos", "a.png: content that is not ours")
ROOT = Path(__file__).parents[2]


# -- a web server --------------------------------------------------------------------------------


@dataclass
class Web:
    """A server that answers with the codes it was given, then with 200."""

    codes: list[int] = field(default_factory=list)
    got: list[tuple[str, str | None, Any]] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def web() -> Iterator[Web]:
    heard = Web()

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            heard.got.append((self.path, self.headers["Authorization"], body))
            code = heard.codes.pop(0) if heard.codes else 200
            self.send_response(code)
            if code in (301, 302, 307):
                self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_GET(self) -> None:
            """Be where a redirect leads: all is well there, and no alert arrives."""
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        heard.url = f"http://127.0.0.1:{server.server_port}/hook"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield heard
        server.shutdown()


def free_port() -> int:
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        return int(chosen.getsockname()[1])


def test_a_webhook_gets_the_alerts_as_json_with_its_token(web: Web) -> None:
    Webhook(web.url, "t0ken").send([ALERT, ALERT])
    ((path, authorization, body),) = web.got
    assert path == "/hook"
    assert authorization == "Bearer t0ken"
    assert body == {"alerts": [ALERT.to_json()] * 2}


@pytest.mark.parametrize("codes", [[503], [500, 429], [502, 503]])
def test_a_webhook_that_is_down_or_busy_is_tried_again(web: Web, codes: list[int]) -> None:
    web.codes = list(codes)
    Webhook(web.url, pause=0.001).send([ALERT])
    assert len(web.got) == len(codes) + 1


def test_a_webhook_is_tried_so_often_and_no_more(web: Web) -> None:
    web.codes = [503] * 9
    with pytest.raises(DeliveryFailed, match=r"webhook 127\.0\.0\.1: HTTP 503"):
        Webhook(web.url, tries=4, pause=0.001).send([ALERT])
    assert len(web.got) == 4


@pytest.mark.parametrize("code", [400, 401, 404, 302, 307])
def test_an_answer_that_will_not_change_is_final(web: Web, code: int) -> None:
    web.codes = [code]
    with pytest.raises(DeliveryFailed, match=str(code)):
        Webhook(web.url, pause=0.001).send([ALERT])
    assert len(web.got) == 1


def test_nobody_listening_is_said_so_without_the_secret_in_the_address() -> None:
    url = f"http://127.0.0.1:{free_port()}/services/s3cret"
    with pytest.raises(DeliveryFailed, match="refused") as failed:
        Webhook(url, tries=2, pause=0.001).send([ALERT])
    assert "s3cret" not in str(failed.value)


# -- a mail server -------------------------------------------------------------------------------


@dataclass
class Mail:
    """A server that keeps what it gets, from the one who knows the password."""

    letters: list[Any] = field(default_factory=list)
    refuses: str = ""
    port: int = 0

    async def handle_RCPT(  # noqa: N802  (aiosmtpd's name)
        self, _server: object, _session: object, envelope: Any, address: str, _options: object
    ) -> str:
        if address == self.refuses:
            return "550 nobody of that name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:  # noqa: N802  (aiosmtpd's name)
        self.letters.append(envelope)
        return "250 OK"


def _authenticated(_s: object, _session: object, _e: object, _m: str, given: object) -> AuthResult:
    assert isinstance(given, LoginPassword)
    known = (given.login, given.password) == (b"anna", b"hunter2")
    return AuthResult(success=known, handled=False)


@pytest.fixture
def mail() -> Iterator[Mail]:
    heard = Mail(port=free_port())
    server = Controller(
        heard,
        hostname="127.0.0.1",
        port=heard.port,
        auth_require_tls=False,
        authenticator=_authenticated,
    )
    server.start()
    yield heard
    server.stop()


def letter(mail: Mail, **what: Any) -> Email:
    known = {"host": "127.0.0.1", "port": mail.port, "security": "none", "sender": "c@x.example"}
    return Email(**{"to": ("a@x.example", "b@x.example"), **known, **what})


def test_a_letter_arrives_with_what_to_do_and_where_to_read_on(mail: Mail) -> None:
    letter(mail, user="anna", password="hunter2").send([ALERT])  # noqa: S106  (the test server's)
    (envelope,) = mail.letters
    text = envelope.content.decode()
    assert envelope.rcpt_tos == ["a@x.example", "b@x.example"]
    assert "Subject: cropkit: conflict" in text
    assert "a.png: content that is not ours" in text
    assert "docs/runbook.md#conflict" in text


def test_a_wrong_password_is_said_so_and_is_not_told(mail: Mail) -> None:
    with pytest.raises(DeliveryFailed, match="535") as failed:
        letter(mail, user="anna", password="wr0ng").send([ALERT])  # noqa: S106  (as above)
    assert "wr0ng" not in str(failed.value)


@pytest.mark.parametrize("everyone", [True, False])
def test_an_address_that_the_server_refuses_is_no_success(mail: Mail, everyone: object) -> None:
    mail.refuses = "b@x.example"
    to = ("b@x.example",) if everyone else ("a@x.example", "b@x.example")
    with pytest.raises(DeliveryFailed):
        letter(mail, to=to).send([ALERT])


def test_a_server_without_encryption_gets_nothing_where_encryption_is_wanted(mail: Mail) -> None:
    with pytest.raises(DeliveryFailed):
        letter(mail, security="starttls").send([ALERT])
    assert mail.letters == []


def test_a_mail_server_that_is_not_there_is_said_so() -> None:
    with pytest.raises(DeliveryFailed, match="e-mail by 127"):
        letter(Mail(port=free_port())).send([ALERT])


# -- a shell, a terminal, a log ------------------------------------------------------------------


def test_a_command_gets_the_alerts_on_its_standard_input(tmp_path: Path) -> None:
    out = tmp_path / "out"
    hostile = Alert("conflict", "photos", "$(touch pwned); `touch pwned` ' \" && touch pwned")
    Command(f"cd {tmp_path} && cat > {out}").send([hostile])
    assert json.loads(out.read_text()) == {"alerts": [hostile.to_json()]}
    assert not (tmp_path / "pwned").exists()


def test_a_command_that_fails_or_hangs_is_an_error_that_names_its_first_word() -> None:
    with pytest.raises(DeliveryFailed, match="command exit: exit code 3"):
        Command("exit 3  # s3cret").send([ALERT])
    with pytest.raises(DeliveryFailed, match=r"still running after 0\.1 s"):
        Command("sleep 30", seconds=0.1).send([ALERT])


def test_a_terminal_gets_a_line_for_each(capsys: pytest.CaptureFixture[str]) -> None:
    Stderr().send([ALERT, ALERT])
    assert capsys.readouterr().err.count("cropkit: photos: conflict: a.png") == 2


def test_the_log_gets_a_line_for_each(tmp_path: Path) -> None:
    LogFile(tmp_path / "a.log", "s1").send([ALERT])
    line = json.loads((tmp_path / "a.log").read_text())
    assert (line["code"], line["session"], line["level"]) == ("conflict", "s1", "error")


FULL = Path("/dev/full")  # a device on which no room is ever left


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full here")
def test_a_log_without_room_is_an_error_and_no_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.log").symlink_to(FULL)
    with pytest.raises(DeliveryFailed, match="log: No space left on device"):
        LogFile(tmp_path / "a.log", "s").send([ALERT, ALERT])
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "a.log cannot be written: No space left on device" in said


# -- a desktop -----------------------------------------------------------------------------------

NOTIFIED = """
import asyncio, json, sys
from dbus_fast.aio import MessageBus
from dbus_fast.service import ServiceInterface, method

class Server(ServiceInterface):
    @method()
    def Notify(self, app: "s", old: "u", icon: "s", title: "s", body: "s", actions: "as",
               hints: "a{sv}", timeout: "i") -> "u":
        print(json.dumps([app, title, body]), flush=True)
        return 1
    @method()
    def GetCapabilities(self) -> "as":
        return ["body"]
    @method()
    def GetServerInformation(self) -> "ssss":
        return ["test", "test", "1", "1.2"]
    @method()
    def CloseNotification(self, number: "u"):
        pass

async def main():
    bus = await MessageBus().connect()
    bus.export("/org/freedesktop/Notifications", Server("org.freedesktop.Notifications"))
    await bus.request_name("org.freedesktop.Notifications")
    print("ready", flush=True)
    await bus.wait_for_disconnect()

asyncio.run(main())
"""


@contextmanager
def a_bus(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    daemon = ["dbus-daemon", "--session", "--nofork", "--print-address=1"]
    with subprocess.Popen(daemon, stdout=subprocess.PIPE, text=True) as bus:
        assert bus.stdout is not None
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", bus.stdout.readline().strip())
        try:
            yield
        finally:
            bus.terminate()


needs_a_bus = pytest.mark.skipif(
    shutil.which("dbus-daemon") is None, reason="no dbus-daemon here (Debian: dbus-daemon)"
)


@needs_a_bus
def test_a_desktop_shows_a_notification(monkeypatch: pytest.MonkeyPatch) -> None:
    with a_bus(monkeypatch):
        command = [sys.executable, "-c", NOTIFIED]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            assert server.stdout.readline() == "ready\n"
            Desktop().send([ALERT])
            app, title, body = json.loads(server.stdout.readline())
            server.terminate()
    assert (app, title) == ("cropkit", "cropkit: 1 alert")
    assert "a.png: content that is not ours" in body


@needs_a_bus
def test_a_bus_without_a_desktop_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with a_bus(monkeypatch), pytest.raises(DeliveryFailed, match="ServiceUnknown"):
        Desktop().send([ALERT])


def test_no_desktop_at_all_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/at/all")
    with pytest.raises(DeliveryFailed, match="desktop: FileNotFoundError"):
        Desktop().send([ALERT])


def test_a_kernel_can_notify_while_its_loop_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/at/all")

    async def in_a_kernel() -> None:
        with pytest.raises(DeliveryFailed):
            Desktop().send([ALERT])

    with ThreadPoolExecutor(1) as elsewhere:  # a browser's driver may have a loop in this thread
        elsewhere.submit(asyncio.run, in_a_kernel()).result()


# -- all of them ---------------------------------------------------------------------------------


def test_a_sink_that_fails_is_an_alert_in_the_others(web: Web, tmp_path: Path) -> None:
    sinks = (Webhook(web.url), Command("exit 1"), LogFile(tmp_path / "a.log", "s"))
    (failed,) = deliver([ALERT], sinks)
    assert (failed.code, failed.said) == ("sink-failed", "command exit: exit code 1")
    assert [[a["code"] for a in body["alerts"]] for _, _, body in web.got] == [
        ["conflict"],
        ["sink-failed"],
    ]
    assert "sink-failed" in (tmp_path / "a.log").read_text()


def test_a_sink_that_fails_on_the_news_is_told_too(web: Web) -> None:
    web.codes = [200, 404]
    failed = deliver([ALERT], (Command("exit 1"), Webhook(web.url)))
    assert [alert.said for alert in failed] == [
        "command exit: exit code 1",
        "webhook 127.0.0.1: HTTP 404",
    ]


def test_nothing_is_sent_when_there_is_nothing_to_tell(web: Web) -> None:
    assert deliver([], (Webhook(web.url),)) == []
    assert web.got == []


def test_the_trial_tells_of_each_sink_by_itself(web: Web, mail: Mail) -> None:
    told = trial("photos", (Webhook(web.url), letter(mail), Command("exit 1")))
    assert told == [
        ("webhook 127.0.0.1", ""),
        ("e-mail by 127.0.0.1", ""),
        ("command exit", "command exit: exit code 1"),
    ]
    assert web.got[0][2]["alerts"][0]["code"] == "test"
    assert len(mail.letters) == 1


# -- alerts.toml ---------------------------------------------------------------------------------


def own(folder: Path, text: str) -> Path:
    (folder / ".cropkit").mkdir(parents=True, exist_ok=True)
    path = folder / ".cropkit" / "alerts.toml"
    path.write_text(text, encoding="utf-8")
    return folder


def approved(folder: Path) -> None:
    file = alerts_file.of_collection(folder)
    assert file is not None
    alerts_file.approve(file)


def persons(tmp_path: Path, text: str) -> dict[str, str]:
    path = tmp_path / "config" / "cropkit" / "alerts.toml"
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return {
        "XDG_STATE_HOME": os.environ["XDG_STATE_HOME"],
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
    }


EVERY_SINK = """
idle_days = 3

[[sink]]
kind = "log"

[[sink]]
kind = "stderr"

[[sink]]
kind = "desktop"

[[sink]]
kind = "webhook"
url_env = "HOOK"
token_env = "TOKEN"
tries = 5

[[sink]]
kind = "email"
host = "mail.x.example"
from = "c@x.example"
to = ["a@x.example"]
user_env = "MAIL_USER"
password_env = "MAIL_PASSWORD"
"""


def test_every_sink_can_be_configured_and_credentials_come_by_name(tmp_path: Path) -> None:
    env = {"HOOK": "https://x.example/h", "TOKEN": "t", "MAIL_USER": "u", "MAIL_PASSWORD": "p"}
    (tmp_path / ".cropkit").mkdir()
    found = configured(tmp_path, "s", env | persons(tmp_path, EVERY_SINK))
    assert found.problems == ()
    assert found.limits.idle.days == 3
    kinds = [type(sink) for sink in found.sinks]
    assert kinds == [LogFile, Stderr, Desktop, Webhook, Email]
    assert found.sinks[3] == Webhook("https://x.example/h", "t", 5)
    assert found.sinks[4] == Email(
        "mail.x.example",
        "c@x.example",
        ("a@x.example",),
        user="u",
        password="p",  # noqa: S106  (as above)
    )


def test_without_a_file_the_log_is_the_sink(tmp_path: Path) -> None:
    env = {"XDG_CONFIG_HOME": str(tmp_path / "none")}
    assert configured(tmp_path, "s", env).sinks == ()
    (tmp_path / ".cropkit").mkdir()
    assert configured(tmp_path, "s", env).sinks == (
        LogFile(tmp_path / ".cropkit" / "cropkit.log", "s"),
    )


def test_a_collections_file_that_was_approved_comes_before_the_persons(tmp_path: Path) -> None:
    env = persons(tmp_path, 'idle_days = 9\n[[sink]]\nkind = "command"\ncommand = "cat"\n')
    folder = tmp_path / "photos"
    folder.mkdir()
    assert configured(folder, "s", env).sinks == (Command("cat"),)
    own(folder, 'idle_days = 2\n[[sink]]\nkind = "stderr"\n')
    found = configured(folder, "s", env)
    assert (found.sinks, found.limits.idle.days) == ((Command("cat"),), 2)
    approved(folder)
    found = configured(folder, "s", env)
    assert (found.sinks, found.limits.idle.days, found.problems) == ((Stderr(),), 2, ())


def test_a_collections_file_with_limits_alone_leaves_the_persons_sinks(tmp_path: Path) -> None:
    env = persons(tmp_path, 'idle_days = 9\n[[sink]]\nkind = "stderr"\n')
    found = configured(own(tmp_path / "photos", "idle_days = 2\n"), "s", env)
    assert (found.sinks, found.limits.idle.days, found.problems) == ((Stderr(),), 2, ())


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("not toml at all", "alerts.toml"),
        ('[[sink]]\nkind = "pigeon"', "no sink is called 'pigeon'"),
        ('[[sink]]\nkind = "stderr"\ncolour = 1', "the sink stderr has no colour"),
        ("colour = 1", "nothing is called colour"),
        ("idle_days = 0", "idle_days is not a number above 0"),
        ("idle_days = true", "idle_days is not a number above 0"),
        ("sink = 3", "sink is not a list"),
        ("sink = [3]", "a sink is not a table"),
        ('[[sink]]\nkind = "command"\ncommand = " "', "a command sink has no command"),
        ('[[sink]]\nkind = "webhook"\nurl = "http://[::1"', "sink 1 .webhook.: a webhook's url"),
        (f"a = {'[' * 20_000}", "alerts.toml"),
        (f"# {'x' * 70_000}", "larger than"),
        ('[[sink]]\nkind = "stderr"\n' * 21, "more than 20 sinks"),
        ("idle_days = nan", "idle_days is not a number above 0"),
        ('[[sink]]\nkind = "webhook"\nurl = "file:///etc/passwd"', "http:// or https://"),
        ('[[sink]]\nkind = "webhook"\nurl_env = "NOT_SET"', "NOT_SET is not set"),
        ('[[sink]]\nkind = "webhook"\nurl = "http://x.example"\ntoken_env = "T"', "is https://"),
        ('[[sink]]\nkind = "webhook"\nurl = "http://x.example"\ntries = 99', "tries is 1 to 10"),
        ('[[sink]]\nkind = "email"\nhost = "x"\nfrom = "a"', "wants to"),
        ('[[sink]]\nkind = "email"\nto = ["b"]', "wants host and from"),
        (
            '[[sink]]\nkind = "email"\nhost = "x"\nfrom = "a"\nto = ["b"]\nsecurity = "no"',
            "security is",
        ),
        (
            '[[sink]]\nkind = "email"\nhost = "x"\nfrom = "a"\nto = ["b"]\n'  # noqa: ISC004  (one text)
            'security = "none"\npassword_env = "T"',
            "not sent without encryption",
        ),
    ],
)
def test_what_nobody_understands_is_refused_by_name(
    tmp_path: Path, text: str, complaint: str
) -> None:
    found = configured(own(tmp_path / "a", ""), "s", persons(tmp_path, text) | {"T": "t0ken"})
    (problem,) = found.problems
    assert problem.code == "configuration"
    assert re.search(complaint, problem.said)
    assert "alerts.toml" in problem.said
    assert "t0ken" not in problem.said
    assert [sink.name for sink in found.sinks] in (["log"], ["stderr"])


@pytest.mark.parametrize("days", ["1e300", "inf", "9" * 400])
def test_a_limit_may_be_as_large_as_it_likes(tmp_path: Path, days: str) -> None:
    found = configured(own(tmp_path, f"idle_days = {days}"), "s", {})
    assert (found.limits.idle.days, found.problems) == (36_500, ())


def test_one_sink_that_cannot_be_configured_silences_no_other(tmp_path: Path) -> None:
    env = persons(tmp_path, EVERY_SINK) | {"HOOK": "https://x.example/h", "TOKEN": "t"}
    (tmp_path / ".cropkit").mkdir()
    found = configured(tmp_path, "s", env)
    assert [type(sink) for sink in found.sinks] == [LogFile, Stderr, Desktop, Webhook]
    (problem,) = found.problems
    assert "sink 5 (email): the environment variable MAIL_USER is not set" in problem.said


@pytest.mark.parametrize("mode", [0o666, 0o602])
def test_a_persons_file_that_everybody_may_write_is_not_used(tmp_path: Path, mode: int) -> None:
    env = persons(tmp_path, '[[sink]]\nkind = "command"\ncommand = "cat"\n')
    (tmp_path / "config" / "cropkit" / "alerts.toml").chmod(mode)
    found = configured(tmp_path, "s", env)
    assert found.sinks == ()
    assert "everybody may write" in found.problems[0].said


# -- in the shell --------------------------------------------------------------------------------


def cropkit(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cropkit", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), **env},
    )


def test_health_sends_what_it_finds_and_proves_that_it_can(
    folder: Path, web: Web, mail: Mail
) -> None:
    with Collection(folder):
        pass
    own(
        folder,
        'idle_days = 0.0000001\n[[sink]]\nkind = "webhook"\nurl_env = "HOOK"\n'
        'token_env = "TOKEN"\n'
        f'[[sink]]\nkind = "email"\nhost = "127.0.0.1"\nport = {mail.port}\nsecurity = "none"\n'
        'from = "c@x.example"\nto = ["a@x.example"]\n[[sink]]\nkind = "log"\n',
    )
    approved(folder)
    env = {"HOOK": web.url, "TOKEN": "t0ken-of-the-hook"}
    done = cropkit("health", str(folder), "--test-alert", **env)
    assert (done.returncode, done.stdout.count(": arrived\n")) == (0, 3), done
    with Collection(folder) as kit:
        kit.crop("a_stage2.png", kit_box())
    done = cropkit("health", str(folder), **env)
    assert done.returncode == 1
    assert [body["alerts"][0]["code"] for _, _, body in web.got] == ["test", "idle"]
    assert len(mail.letters) == 2
    logged = (folder / ".cropkit" / "cropkit.log").read_text(encoding="utf-8")
    assert "t0ken-of-the-hook" not in logged + done.stdout + done.stderr
    assert '"code": "idle"' in logged


def kit_box() -> Any:
    from cropkit.geometry import PixelBox  # noqa: PLC0415  (one test needs it)

    return PixelBox(0, 0, 50, 50)


def test_a_configuration_that_cannot_be_read_is_an_alert_in_the_log(folder: Path) -> None:
    with Collection(folder):
        pass
    approved(own(folder, '[[sink]]\nkind = "pigeon"\n'))
    done = cropkit("health", str(folder))
    assert done.returncode == 1
    assert "configuration" in done.stdout
    assert "pigeon" in (folder / ".cropkit" / "cropkit.log").read_text(encoding="utf-8")
    done = cropkit("health", str(folder), "--test-alert")
    assert done.returncode == 1
    assert ": :" not in done.stdout


@pytest.mark.parametrize("trusted", [False, True])
def test_what_the_documentation_shows_is_understood(tmp_path: Path, trusted: object) -> None:
    text = (ROOT / "docs" / "alerts.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```toml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    env = {
        "CROPKIT_WEBHOOK": "https://x.example/h",
        "CROPKIT_TOKEN": "t",
        "CROPKIT_MAIL_USER": "u",
        "CROPKIT_MAIL_PASSWORD": "p",
    }
    if trusted:
        found = configured(tmp_path, "s", env | persons(tmp_path, "".join(blocks)))
        (tmp_path / ".cropkit").mkdir()
    else:
        approved(own(tmp_path, blocks[0]))
        found = configured(tmp_path, "s", env | {"XDG_STATE_HOME": os.environ["XDG_STATE_HOME"]})
    kinds = {type(sink) for sink in found.sinks}
    assert {Stderr, Desktop, Webhook, Email} <= kinds
    assert (Command in kinds) is bool(trusted)


def test_a_token_that_was_used_is_in_no_line_of_a_log() -> None:
    webhook = Webhook(f"http://127.0.0.1:{free_port()}/", "used-and-masked", tries=1)
    with pytest.raises(DeliveryFailed):
        webhook.send([Alert("test", "f", "said")])
    assert log.masked("Bearer used-and-masked") == "Bearer ***"
