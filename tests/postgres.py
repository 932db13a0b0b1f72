"""A real PostgreSQL for tests: a server of their own, in memory, gone with them whatever happens.

A cluster is made and started in half a second, so each process of a run has one when it first asks,
and shares it with nobody. It listens on a socket in a folder that nobody else may enter, and on
127.0.0.1 with a password drawn for it: on a machine of many users it is nobody's way in.
``CROPKIT_TEST_POSTGRES=URL`` names a server to use instead, by all tests that do not kill theirs.
"""

import os
import pwd
import random
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import quote

import pytest
from patience import patient

from cropkit.bootstrap import postgres as provision

if TYPE_CHECKING:
    import psycopg

NOT_TRIED = (
    "NOT TRIED: there is no PostgreSQL that could be started here, so a trail on one was not asked "
    "anything"
)
MISSED: list[str] = []
DATABASE = "cropkit"
SECONDS = patient(30)
_OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",
    "shared_buffers": "16MB",
    "min_wal_size": "32MB",
    "max_wal_size": "128MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "full_page_writes": "off",
    "log_min_messages": "warning",
}
_PORTS = range(20_000, 32_000)  # below those that the system gives to whoever asks for any
# Reads to the end of a pipe that dies with the tests, then leaves nothing of the server.
_GUARD = """\
cat > /dev/null
for round in 1 2 3; do
  for each in /proc/[0-9]*; do
    case "$(readlink "$each/cwd")" in "$1/data"*) kill -9 "${each#/proc/}" ;; esac
  done 2> /dev/null
done
rm -rf "$1"
"""


class NoServer(Exception):
    """No server can be had here, and why."""


def summarise(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what could not be asked."""
    if MISSED:
        terminalreporter.section("the trail on PostgreSQL")
        for reason in sorted(set(MISSED)):
            count = MISSED.count(reason)
            terminalreporter.write_line(
                f"{NOT_TRIED}: {reason}; {count} tests were skipped", bold=True
            )


def url() -> str:
    """Return the URL of a database on the server of this process; skip where there is none."""
    return os.environ.get(provision.VARIABLE) or own().url()


def own() -> "Server":
    """Return the server of this process, which no test may hurt; skip where there is none."""
    try:
        return _of_this_process()
    except NoServer as error:
        _skip(error)


@contextmanager
def served(*, fsync: bool = False) -> Iterator["Server"]:
    """Start a server for one test, which may do with it what it likes; skip where there is none.

    Parameters
    ----------
    fsync : wait for the disk. What the death of a server leaves does not depend on it: only a power
        cut takes from the kernel what was handed to it
    """
    try:
        server = Server(fsync=fsync)
    except NoServer as error:
        _skip(error)
    try:
        yield server
    finally:
        server.remove()


def end() -> None:
    """Leave nothing of the server of this process."""
    if _started.cache_info().currsize and isinstance(server := _started(), Server):
        server.remove()
        _started.cache_clear()


def _skip(error: NoServer) -> NoReturn:
    MISSED.append(str(error))
    pytest.skip(f"{NOT_TRIED}: {error}")


@cache
def _started() -> "Server | NoServer":
    try:
        return Server()
    except NoServer as error:
        return error


def _of_this_process() -> "Server":
    started = _started()
    if isinstance(started, NoServer):
        raise started
    return started


class Server:
    """A cluster with the database `cropkit`, and its server, which can be killed, held, restarted.

    Raises
    ------
    NoServer
        There are no programs, or they do not run here.
    """

    def __init__(self, *, fsync: bool = False) -> None:
        programs = provision.programs()
        if programs is None:
            raise NoServer("its programs are not installed (Debian: apt install postgresql)")
        if find_spec("psycopg") is None:
            raise NoServer("psycopg is not installed (pip install 'psycopg[binary]')")
        self._programs = programs
        self._who = _unprivileged()
        self._options = _OPTIONS | {"fsync": "on" if fsync else "off"}
        self.password = secrets.token_urlsafe(12)
        self.folder = _folder(self._who)
        self._guard = subprocess.Popen(
            ["/bin/sh", "-c", _GUARD, "sh", str(self.folder)],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            self._make()
            self.port = self._begin()
            self.run(f"CREATE DATABASE {DATABASE}", database="postgres")
        except BaseException:
            self.remove()
            raise

    # -- where it is ---------------------------------------------------------------------------

    def url(self, database: str = DATABASE, *, port: int | None = None) -> str:
        """Return the URL over TCP, with the password; of another port where a proxy listens."""
        return f"postgresql://cropkit:{self.password}@127.0.0.1:{port or self.port}/{database}"

    def socket_url(self, database: str = DATABASE) -> str:
        """Return the URL of the socket, where no password is asked for."""
        where = quote(str(self.folder), safe="")
        return f"postgresql://cropkit@/{database}?host={where}&port={self.port}"

    def connect(self, database: str = DATABASE, **more: Any) -> "psycopg.Connection[Any]":
        """Return a connection of psycopg that commits each statement."""
        import psycopg  # noqa: PLC0415  (only where there is a server)

        where: dict[str, Any] = {"host": str(self.folder), "port": self.port, "user": "cropkit"}
        return psycopg.connect(dbname=database, autocommit=True, **(where | more))

    def run(self, *statements: str, database: str = DATABASE) -> list[tuple[Any, ...]]:
        """Run statements as the administrator; return the rows of the last one."""
        rows: list[tuple[Any, ...]] = []
        with self.connect(database) as db:
            for each in statements:
                cursor = db.execute(each.encode())
                rows = cursor.fetchall() if cursor.description else []
        return rows

    def another_database(self) -> str:
        """Return the URL of an empty database that nobody else has."""
        name = f"of_{secrets.token_hex(6)}"
        self.run(f"CREATE DATABASE {name}", database="postgres")
        return self.url(name)

    # -- what can happen to it -----------------------------------------------------------------

    def kill(self) -> None:
        """Kill every process of it at once: what its programs held is lost."""
        self._signal(signal.SIGKILL)
        self._reap()

    def hold(self) -> None:
        """Stop every process where it is: connections stand, and nothing is answered."""
        self._signal(signal.SIGSTOP)

    def let_go(self) -> None:
        """Let a held server go on."""
        self._signal(signal.SIGCONT)

    def stop(self) -> None:
        """Shut down in order, without waiting for those who are connected."""
        self._running.send_signal(signal.SIGINT)
        self._reap()

    def restart(self, **options: str) -> None:
        """Start again after a kill or a stop, on the same port.

        Parameters
        ----------
        options : settings from now on, such as ``default_transaction_read_only="on"``
        """
        self._options |= options
        (self.folder / "data" / "postmaster.pid").unlink(missing_ok=True)
        if not self._start(self.port):
            raise NoServer(self.log()[-2000:])

    def remove(self) -> None:
        """Leave nothing of it."""
        assert self._guard.stdin is not None
        self._guard.stdin.close()
        self._guard.wait()
        if hasattr(self, "_running"):
            self._running.wait()

    def log(self) -> str:
        """Return what it has said."""
        with suppress(FileNotFoundError):
            return (self.folder / "log").read_text("utf-8", "replace")
        return ""

    # -- starting ------------------------------------------------------------------------------

    def _make(self) -> None:
        secret = self.folder / "password"
        secret.write_text(self.password)
        secret.chmod(0o644)  # in a folder that nobody else may enter
        made = subprocess.run(
            [
                *(str(self._programs / "initdb"), "--pgdata", str(self.folder / "data")),
                *("--username", "cropkit", "--pwfile", str(secret)),
                *("--auth-local", "trust", "--auth-host", "scram-sha-256"),
                *("--encoding", "UTF8", "--no-locale", "--no-sync"),
            ],
            **self._as_nobody(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        secret.unlink()
        if made.returncode != 0:
            raise NoServer(f"initdb ended with {made.returncode}: {made.stdout[-500:]}")

    def _begin(self) -> int:
        """Start on a port that is free; another may take it meanwhile."""
        for port in random.sample(_PORTS, 20):
            if _is_free(port) and self._start(port):
                return port
        raise NoServer(f"it does not start: {self.log()[-500:]}")

    def _start(self, port: int) -> bool:
        program, data = [str(self._programs / "postgres")], str(self.folder / "data")
        settings = [
            word for name, value in self._options.items() for word in ("-c", f"{name}={value}")
        ]
        with (self.folder / "log").open("ab") as log:
            self._running = subprocess.Popen(
                [*program, "-D", data, "-k", str(self.folder), "-p", str(port), *settings],
                **self._as_nobody(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + SECONDS
        while self._running.poll() is None:
            if self._is_ready():
                return True
            if time.monotonic() > deadline:
                self.kill()
            time.sleep(0.01)
        return False

    def _is_ready(self) -> bool:
        with suppress(OSError, IndexError):
            lines = (self.folder / "data" / "postmaster.pid").read_text().splitlines()
            return lines[0] == str(self._running.pid) and lines[7].strip() == "ready"
        return False

    def _as_nobody(self) -> dict[str, Any]:
        who = self._who
        named = {"LC_ALL": "C", "PATH": "/usr/bin:/bin", "TZ": "UTC"}
        given = {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []} if who else {}
        return {"cwd": "/", "env": named, "umask": 0o077, **given}

    # -- its processes -------------------------------------------------------------------------

    def _signal(self, number: signal.Signals) -> None:
        """Reach the first process before those it might start, then all that there are."""
        self._running.send_signal(number)
        for pid in self._processes():
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def _processes(self) -> Sequence[int]:
        """Return all that work in the cluster, as each process of PostgreSQL does."""
        data, found = str(self.folder / "data"), []
        for each in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if (each / "cwd").readlink() == Path(data):
                    found.append(int(each.name))
        return found

    def _reap(self) -> None:
        self._running.wait(SECONDS)
        deadline = time.monotonic() + SECONDS
        while self._processes() and time.monotonic() < deadline:
            time.sleep(0.01)


def _unprivileged() -> pwd.struct_passwd | None:
    """Return whom the server runs as where we are root, whom PostgreSQL refuses; None: as us."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name)
    raise NoServer("root may not run one, and there is no user that could")


def _folder(who: pwd.struct_passwd | None) -> Path:
    """Make a folder that the server's user alone may enter, by a name short enough for a socket."""
    usual = [os.environ.get("PYTEST_DEBUG_TEMPROOT", ""), tempfile.gettempdir(), "/tmp"]  # noqa: S108  (a folder of our own in it)
    places = [Path(each) for each in usual if each and len(each) < 60]
    for place in places:
        if who is None or all(each.stat().st_mode & 0o001 for each in (place, *place.parents)):
            made = Path(tempfile.mkdtemp(prefix="cropkit-postgres-", dir=place))
            if who is not None:
                shutil.chown(made, who.pw_uid, who.pw_gid)
            return made
    raise NoServer(f"no temporary folder that {who.pw_name if who else 'we'} may enter")


def _is_free(port: int) -> bool:
    with socket.socket() as tried, suppress(OSError):
        tried.bind(("127.0.0.1", port))
        return True
    return False
