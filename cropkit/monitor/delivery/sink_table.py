"""Read one `[[sink]]` of a file that is trusted: what it is called, and what it wants."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cropkit.errors import BadConfiguration
from cropkit.monitor.delivery.sinks import (
    Command,
    Desktop,
    Email,
    Sink,
    Stderr,
    Webhook,
    is_loopback,
)

_SECURITY = ("starttls", "tls", "none")
_MOST_TRIES = 10
Table = dict[str, Any]


def described(table: object) -> str:
    """Tell in one line what a sink says, without looking at any variable it names."""
    if not isinstance(table, dict):
        return f"no table: {table!r}"
    pairs = ", ".join(f"{key} = {value!r}" for key, value in table.items() if key != "kind")
    variables = [str(value) for key, value in table.items() if key.endswith("_env")]
    sent = f"; uses the environment variables {', '.join(variables)}" if variables else ""
    return f"{table.get('kind')!s}{': ' if pairs else ''}{pairs}{sent}"


@dataclass(frozen=True, slots=True)
class SinkTable:
    """The tables of one file.

    Parameters
    ----------
    env : where credentials are: the file holds their names
    log : the sinks that `log` stands for
    """

    path: Path
    env: Mapping[str, str]
    log: tuple[Sink, ...]

    def read(self, number: int, table: object) -> tuple[Sink, ...]:
        """Return what a table configures.

        Parameters
        ----------
        number : which of the file's sinks it is, from 1

        Raises
        ------
        BadConfiguration
            It cannot be used; the other sinks can.
        """
        kind = table.get("kind") if isinstance(table, dict) else None
        name = f"sink {number} ({kind})" if isinstance(kind, str) else f"sink {number}"
        try:
            return self._sinks(table)
        except _Unusable as error:
            raise BadConfiguration(self.path, f"{name}: {error}") from None

    def _sinks(self, stated: object) -> tuple[Sink, ...]:
        if not isinstance(stated, dict):
            raise _Unusable("a sink is not a table: write [[sink]]")
        table = dict(stated)
        kind = table.pop("kind", None)
        reader = _KINDS.get(str(kind))
        if reader is None:
            raise _Unusable(f"no sink is called {kind!r}; {', '.join(_KINDS)}")
        sinks = reader(self, table)
        _must(not table, f"the sink {kind} has no {', '.join(sorted(table))}")
        return sinks

    def _log(self, _table: Table) -> tuple[Sink, ...]:
        return self.log

    def _stderr(self, _table: Table) -> tuple[Sink, ...]:
        return (Stderr(),)

    def _desktop(self, _table: Table) -> tuple[Sink, ...]:
        return (Desktop(),)

    def _webhook(self, table: Table) -> tuple[Sink, ...]:
        url = _text(table, "url") or self._secret(table, "url_env")
        token = self._secret(table, "token_env")
        try:
            parts = urlsplit(url)
            host = str(parts.hostname or "")
        except ValueError as error:
            raise _Unusable(f"a webhook's url: {error}") from None
        _must(parts.scheme in ("http", "https"), "a webhook's url is http:// or https://")
        _must(bool(host), "a webhook's url names no host")
        secure = parts.scheme == "https" or is_loopback(host)
        _must(secure or not token, "a webhook with a token is https://")
        tries = number_above_0(table.pop("tries", 3), "tries")
        _must(1 <= tries <= _MOST_TRIES, f"tries is 1 to {_MOST_TRIES}")
        return (Webhook(url, token, int(tries)),)

    def _command(self, table: Table) -> tuple[Sink, ...]:
        command = _text(table, "command")
        _must(bool(command.strip()), "a command sink has no command")
        return (Command(command),)

    def _email(self, table: Table) -> tuple[Sink, ...]:
        to = table.pop("to", [])
        listed = isinstance(to, list) and all(isinstance(each, str) for each in to)
        _must(listed and bool(to), 'an e-mail sink wants to = ["somebody@…"]')
        security = _text(table, "security") or "starttls"
        _must(security in _SECURITY, f"security is {', '.join(_SECURITY)}")
        port = number_above_0(table.pop("port", 587), "port")
        _must(port <= 65535, "port is 1 to 65535")  # noqa: PLR2004  (what TCP has)
        sink = Email(
            host=_text(table, "host"),
            sender=_text(table, "from"),
            to=tuple(to),
            port=int(port),
            security=security,
            user=self._secret(table, "user_env"),
            password=self._secret(table, "password_env"),
        )
        _must(bool(sink.host and sink.sender), "an e-mail sink wants host and from")
        clear = security == "none" and not is_loopback(sink.host)
        _must(not (clear and sink.password), "a password is not sent without encryption")
        return (sink,)

    def _secret(self, table: Table, key: str) -> str:
        """Read an environment variable: the file holds its name, never the credential."""
        name = _text(table, key)
        if not name:
            return ""
        _must(name in self.env, f"the environment variable {name} is not set")
        return self.env[name]


def number_above_0(value: object, key: str) -> float:
    """Return a number that a file states; raise `ValueError` where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise _Unusable(f"{key} is not a number above 0")
    return float(min(value, _MOST))


_MOST = 1e9  # whatever is larger is cut to it: no integer is too large for a float


class _Unusable(ValueError):
    """(complaint): told with the file and the sink that it is about."""


def _text(table: Table, key: str) -> str:
    value = table.pop(key, "")
    _must(isinstance(value, str), f"{key} is not a text")
    return str(value)


def _must(holds: bool, complaint: str) -> None:  # noqa: FBT001  (an assertion)
    if not holds:
        raise _Unusable(complaint)


_KINDS: Mapping[str, Callable[[SinkTable, Table], tuple[Sink, ...]]] = {
    "log": SinkTable._log,  # noqa: SLF001  (its own table)
    "stderr": SinkTable._stderr,  # noqa: SLF001  (its own table)
    "desktop": SinkTable._desktop,  # noqa: SLF001  (its own table)
    "webhook": SinkTable._webhook,  # noqa: SLF001  (its own table)
    "command": SinkTable._command,  # noqa: SLF001  (its own table)
    "email": SinkTable._email,  # noqa: SLF001  (its own table)
}
