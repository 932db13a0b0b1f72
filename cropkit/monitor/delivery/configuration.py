"""Read `alerts.toml`: which sinks there are, and from where on a person is told.

The collection's own file, `FOLDER/.cropkit/alerts.toml`, comes before the person's,
`~/.config/cropkit/alerts.toml`. A collection may come from somebody else, so that a command is only
taken from the person's.
"""

import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cropkit.errors import BadConfiguration, ForeignState
from cropkit.monitor.delivery.sinks import (
    Command,
    Desktop,
    Email,
    LogFile,
    Sink,
    Stderr,
    Webhook,
    is_loopback,
)
from cropkit.monitor.health import Limits
from cropkit.system.home import ALERTS, HOME, LOG
from cropkit.system.state_folder import is_acceptable, reader

_SECURITY = ("starttls", "tls", "none")
_MOST_TRIES = 10
Table = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Configuration:
    """The sinks of a collection, its limits, and where they were read."""

    sinks: tuple[Sink, ...]
    limits: Limits = field(default_factory=Limits)
    path: Path | None = None


def configured(
    folder: Path, session: str, environment: Mapping[str, str] | None = None
) -> Configuration:
    """Return what is configured for a collection; without a file, its log alone.

    Raises
    ------
    BadConfiguration
        When a file says what nobody understands: no sink of it can be believed.
    """
    env = os.environ if environment is None else environment
    persons = _persons_folder(env) / "cropkit" / Path(ALERTS).name
    log = by_default(folder, session).sinks
    for path in (folder / ALERTS, persons) if is_acceptable(folder) else (persons,):
        table = _table(path)
        if table is not None:
            return _Reader(path, env, log, trusted=path == persons).read(table)
    return Configuration(log)


def by_default(folder: Path, session: str) -> Configuration:
    """Return the collection's log as the only sink; none where there is no collection."""
    there = is_acceptable(folder)
    return Configuration((LogFile(folder / LOG, session),) if there else ())


def _persons_folder(env: Mapping[str, str]) -> Path:
    return Path(env.get("XDG_CONFIG_HOME") or Path.home() / ".config")


def _table(path: Path) -> Table | None:
    try:
        return tomllib.loads(_text(path))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, ForeignState) as error:
        raise BadConfiguration(path, error) from error


def _text(path: Path) -> str:
    """Read a file; the person's own may be a link to where they keep such files."""
    if path.parent.name != HOME:
        return path.read_text(encoding="utf-8")
    with reader(path) as file:
        return file.read().decode()


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads one file; every complaint names it."""

    path: Path
    env: Mapping[str, str]
    log: tuple[Sink, ...]
    trusted: bool

    def read(self, table: Table) -> Configuration:
        days = self._number(table.pop("idle_days", 7), "idle_days")
        listed = table.pop("sink", [])
        self._must(isinstance(listed, list), "sink is not a list: write [[sink]]")
        self._must(not table, f"nothing is called {', '.join(sorted(table))}")
        sinks = [sink for each in listed for sink in self._sinks(each)]
        return Configuration(tuple(sinks), Limits(idle=timedelta(days=days)), self.path)

    def _sinks(self, table: Table) -> tuple[Sink, ...]:
        self._must(isinstance(table, dict), "a sink is not a table: write [[sink]]")
        kind = table.pop("kind", None)
        reader = _KINDS.get(str(kind))
        if reader is None:
            raise BadConfiguration(self.path, f"no sink is called {kind!r}; {', '.join(_KINDS)}")
        sinks = reader(self, table)
        self._must(not table, f"the sink {kind} has no {', '.join(sorted(table))}")
        return sinks

    def _log(self, _table: Table) -> tuple[Sink, ...]:
        return self.log

    def _stderr(self, _table: Table) -> tuple[Sink, ...]:
        return (Stderr(),)

    def _desktop(self, _table: Table) -> tuple[Sink, ...]:
        return (Desktop(),)

    def _webhook(self, table: Table) -> tuple[Sink, ...]:
        url = self._text(table, "url") or self._secret(table, "url_env")
        token = self._secret(table, "token_env")
        parts = urlsplit(url)
        self._must(parts.scheme in ("http", "https"), "a webhook's url is http:// or https://")
        self._must(bool(parts.hostname), "a webhook's url names no host")
        secure = parts.scheme == "https" or is_loopback(str(parts.hostname))
        self._must(secure or not token, "a webhook with a token is https://")
        tries = self._number(table.pop("tries", 3), "tries")
        self._must(1 <= tries <= _MOST_TRIES, f"tries is 1 to {_MOST_TRIES}")
        return (Webhook(url, token, int(tries)),)

    def _command(self, table: Table) -> tuple[Sink, ...]:
        command = self._text(table, "command")
        self._must(self.trusted, "a command is only taken from your own file, ~/.config/cropkit/")
        self._must(bool(command.strip()), "a command sink has no command")
        return (Command(command),)

    def _email(self, table: Table) -> tuple[Sink, ...]:
        to = table.pop("to", [])
        listed = isinstance(to, list) and all(isinstance(each, str) for each in to)
        self._must(listed and bool(to), 'an e-mail sink wants to = ["somebody@…"]')
        security = self._text(table, "security") or "starttls"
        self._must(security in _SECURITY, f"security is {', '.join(_SECURITY)}")
        port = int(self._number(table.pop("port", 587), "port"))
        sink = Email(
            host=self._text(table, "host"),
            sender=self._text(table, "from"),
            to=tuple(to),
            port=port,
            security=security,
            user=self._secret(table, "user_env"),
            password=self._secret(table, "password_env"),
        )
        self._must(bool(sink.host and sink.sender), "an e-mail sink wants host and from")
        clear = security == "none" and not is_loopback(sink.host)
        self._must(not (clear and sink.password), "a password is not sent without encryption")
        return (sink,)

    def _secret(self, table: Table, key: str) -> str:
        """Read an environment variable: the file holds its name, never the credential."""
        name = self._text(table, key)
        if not name:
            return ""
        self._must(name in self.env, f"the environment variable {name} is not set")
        return self.env[name]

    def _text(self, table: Table, key: str) -> str:
        value = table.pop(key, "")
        self._must(isinstance(value, str), f"{key} is not a text")
        return str(value)

    def _number(self, value: object, key: str) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
            raise BadConfiguration(self.path, f"{key} is not a number above 0")
        return float(value)

    def _must(self, holds: bool, complaint: str) -> None:  # noqa: FBT001  (an assertion)
        if not holds:
            raise BadConfiguration(self.path, complaint)


_KINDS: Mapping[str, Callable[[_Reader, Table], tuple[Sink, ...]]] = {
    "log": _Reader._log,  # noqa: SLF001  (its own table)
    "stderr": _Reader._stderr,  # noqa: SLF001  (its own table)
    "desktop": _Reader._desktop,  # noqa: SLF001  (its own table)
    "webhook": _Reader._webhook,  # noqa: SLF001  (its own table)
    "command": _Reader._command,  # noqa: SLF001  (its own table)
    "email": _Reader._email,  # noqa: SLF001  (its own table)
}
