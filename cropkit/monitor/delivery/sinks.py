"""Where alerts go: one class for each kind of sink.

A sink raises `DeliveryFailed` when the other side did not take the alerts, and only then returns.
What is configured as the name of an environment variable is read when it is used, and masked in
every log.
"""

import json
import logging
import os
import smtplib
import ssl
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Protocol
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from cropkit.errors import AuditError, DeliveryFailed, NotInstalled
from cropkit.extras import needed
from cropkit.monitor.health import Alert
from cropkit.names import printable
from cropkit.system import log

_SECONDS = 15.0
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_NOTIFIED = 3  # alerts that a desktop notification names
_BUSY = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.REQUEST_TIMEOUT)


class Sink(Protocol):
    """Something that takes alerts to a person."""

    @property
    def name(self) -> str:
        """How it is called when it fails; no credential is in it."""

    def send(self, alerts: Sequence[Alert]) -> None:
        """Deliver, or raise `DeliveryFailed`."""


@dataclass(frozen=True)
class LogFile:
    """The collection's own log."""

    path: Path
    session: str
    name: str = "log"

    def send(self, alerts: Sequence[Alert]) -> None:
        """Append a line for each alert."""
        if not os.access(self.path.parent, os.W_OK, effective_ids=True):
            raise DeliveryFailed(self.name, f"{self.path.parent} cannot be written")
        try:
            handler = log.attach(self.path, self.session)
        except AuditError as error:
            raise DeliveryFailed(self.name, str(error)) from error
        logger = logging.getLogger("cropkit.monitor.health")
        for alert in alerts:
            logger.error(
                "%s", alert, extra={"session": self.session, "facts": {"code": alert.code}}
            )
        log.detach(handler)
        if handler.failure is not None:
            raise DeliveryFailed(self.name, handler.failure.strerror)


@dataclass(frozen=True)
class Stderr:
    """What a terminal, cron or a systemd unit keeps."""

    name: str = "stderr"

    def send(self, alerts: Sequence[Alert]) -> None:
        """Write a line for each alert."""
        try:
            for alert in alerts:
                sys.stderr.write(f"cropkit: {printable(f'{alert.folder}: {alert}')}\n")
            sys.stderr.flush()
        except OSError as error:
            raise DeliveryFailed(self.name, error.strerror or error) from error


@dataclass(frozen=True)
class Desktop:
    """A notification on the desktop of whoever is logged in."""

    name: str = "desktop"

    def send(self, alerts: Sequence[Alert]) -> None:
        """Show one notification, which a desktop must have taken."""
        try:
            needed("desktop")
        except NotInstalled as lack:
            raise DeliveryFailed(self.name, str(lack)) from lack
        from cropkit.monitor.delivery.desktop import notify  # noqa: PLC0415  (D-Bus: where it is used)

        number = len(alerts)
        title = f"cropkit: {number} alert{'s' if number > 1 else ''}"
        shown = "\n".join(str(alert) for alert in alerts[:_NOTIFIED])
        reason = notify(title, shown, _SECONDS)
        if reason:
            raise DeliveryFailed(self.name, reason)


@dataclass(frozen=True)
class Webhook:
    """An address that takes alerts as JSON by POST.

    Parameters
    ----------
    url : may be a secret itself: only its host is ever told
    token : sent as `Authorization: Bearer`
    tries : how often, when the other side is down or busy
    pause : seconds before the second try, twice as long before each next one
    """

    url: str
    token: str = ""
    tries: int = 3
    pause: float = 1.0

    @property
    def name(self) -> str:
        """Its host."""
        return f"webhook {urlsplit(self.url).hostname}"

    def send(self, alerts: Sequence[Alert]) -> None:
        """Post until it is taken; follows no redirect, since that would drop the body."""
        log.mask(self.token)
        body = json.dumps({"alerts": [alert.to_json() for alert in alerts]}).encode()
        headers = {"Content-Type": "application/json", "User-Agent": "cropkit"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        request = Request(self.url, body, headers, method="POST")  # noqa: S310  (http or https: checked when read)
        for number in range(self.tries):
            reason, final = _posted(request)
            if not reason:
                return
            if final or number == self.tries - 1:
                raise DeliveryFailed(self.name, reason)
            time.sleep(self.pause * 2**number)


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """Let the redirect be an answer that is not a success."""


def _posted(request: Request) -> tuple[str, bool]:
    """Post once; return why it was not taken ('' when it was), and whether that is final."""
    try:
        answer: HTTPResponse
        with build_opener(_NoRedirect).open(request, timeout=_SECONDS) as answer:
            answer.read(1 << 16)
            return "", True
    except HTTPError as error:
        error.close()
        again = error.code >= HTTPStatus.INTERNAL_SERVER_ERROR or error.code in _BUSY
        return f"HTTP {error.code}", not again
    except HTTPException as error:
        return type(error).__name__, False  # its words may repeat the address
    except (URLError, OSError) as error:
        return f"{type(error).__name__}: {getattr(error, 'reason', error)}", False


@dataclass(frozen=True)
class Command:
    """A shell command of the person's own; it gets the alerts as JSON on its standard input."""

    command: str
    seconds: float = 60.0

    @property
    def name(self) -> str:
        """Its first word: the others may hold a credential."""
        return f"command {self.command.split()[0]}"

    def send(self, alerts: Sequence[Alert]) -> None:
        """Run it; nothing of an alert becomes a part of the command."""
        document = json.dumps({"alerts": [alert.to_json() for alert in alerts]})
        try:
            ended = subprocess.run(  # noqa: S602  (the person's own configuration, and no other)
                self.command,
                shell=True,
                input=document,
                text=True,
                capture_output=True,
                timeout=self.seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise DeliveryFailed(self.name, f"still running after {self.seconds:g} s") from None
        if ended.returncode:
            raise DeliveryFailed(self.name, f"exit code {ended.returncode}")


@dataclass(frozen=True)
class Email:
    """A letter through an SMTP server.

    Parameters
    ----------
    security : starttls, tls or none
    """

    host: str
    sender: str
    to: tuple[str, ...]
    port: int = 587
    security: str = "starttls"
    user: str = ""
    password: str = ""

    @property
    def name(self) -> str:
        """Its server."""
        return f"e-mail by {self.host}"

    def send(self, alerts: Sequence[Alert]) -> None:
        """Hand it to the server, which must take every address."""
        log.mask(self.password)
        try:
            with self._connected() as server:
                if self.user:
                    server.login(self.user, self.password)
                refused = server.send_message(self._letter(alerts))
        except (smtplib.SMTPException, OSError) as error:
            raise DeliveryFailed(self.name, log.masked(_smtp_words(error))) from error
        if refused:
            raise DeliveryFailed(self.name, f"refused for {', '.join(sorted(refused))}")

    def _connected(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self.security == "tls":
            return smtplib.SMTP_SSL(self.host, self.port, timeout=_SECONDS, context=context)
        server = smtplib.SMTP(self.host, self.port, timeout=_SECONDS)
        if self.security == "starttls":
            try:
                server.starttls(context=context)
            except BaseException:
                with suppress(smtplib.SMTPException, OSError):
                    server.quit()
                raise
        return server

    def _letter(self, alerts: Sequence[Alert]) -> EmailMessage:
        letter = EmailMessage()
        codes = ", ".join(dict.fromkeys(alert.code for alert in alerts))
        letter["Subject"] = f"cropkit: {codes}"[:200]
        letter["From"], letter["To"] = self.sender, ", ".join(self.to)
        letter.set_content("\n\n".join(f"{alert.folder}\n{alert}" for alert in alerts))
        return letter


def _smtp_words(error: Exception) -> str:
    """Say what the server said; a code and a class, since its words may repeat what was sent."""
    code = getattr(error, "smtp_code", None)
    if code is not None:
        return f"{type(error).__name__} {code}"
    return f"{type(error).__name__}: {getattr(error, 'strerror', None) or error}"


def is_loopback(host: str) -> bool:
    """Whether a credential in the clear would not leave this machine."""
    return host in _LOOPBACK
