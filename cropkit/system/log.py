"""The error log of a collection: `.cropkit/cropkit.log`, one JSON object a line, times in UTC.

Every line names its session, and its operation where it belongs to one. What a credential holds is
masked, and bytes are never written out: they may be the content of an image. Names are written as
people read them, harmlessly, and not to be read back: the trail has the true ones.
"""

import errno
import json
import logging
import os
import re
import sys
from contextlib import suppress
from datetime import UTC, datetime
from io import BufferedWriter, FileIO, TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from cropkit import clock
from cropkit.errors import ForeignState
from cropkit.names import all_printable, printable, printable_lines
from cropkit.system import state_folder
from cropkit.system.home import HOME
from cropkit.system.locks import LockHeld, exclusive

LARGEST = 5_000_000  # bytes, then the file is set aside as cropkit.log.1
LONGEST = 4_000  # characters of one message
_COPIES = 3
_PATIENCE = 5.0
_BYTES = re.compile(r"""\bb(?P<quote>['"])(?:\\.|(?!(?P=quote)).){32,}?(?P=quote)""", re.DOTALL)
_secrets: set[str] = set()


def mask(secret: str) -> None:
    """Keep a credential out of every line from now on."""
    if secret:
        _secrets.add(secret)


def masked(text: str) -> str:
    """Return a text without credentials and without the content of files."""
    for secret in _secrets:
        text = text.replace(secret, "***")
    return _BYTES.sub("(bytes)", text)


class JsonLines(logging.Formatter):
    """Writes a record with its session, its operation and its traceback."""

    def __init__(self, session: str) -> None:
        super().__init__()
        self.session = session

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        entry: dict[str, object] = {
            "at": clock.written(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "session": self.session,
            "operation": getattr(record, "operation", None),
            "message": printable(masked(record.getMessage())[:LONGEST]),
            **all_printable(getattr(record, "facts", {})),
        }
        if record.exc_info:
            traceback = masked(self.formatException(record.exc_info))[-LONGEST:]
            entry["traceback"] = printable_lines(traceback)
        return json.dumps(entry)


class SharedFile(RotatingFileHandler):
    """A file that several sessions write to, any of which may set it aside."""

    failure: OSError | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line into the file that has the name now."""
        try:
            if self.stream is not None and not self._is_current():
                self.stream.close()
                self.stream = None  # opened again when something is written
        except OSError:
            self.handleError(record)
        else:
            super().emit(record)

    def _open(self) -> TextIOWrapper:
        """Open the file that has the name now, and nothing that a link leads to."""
        fd = state_folder.open_file(Path(self.baseFilename), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        return TextIOWrapper(BufferedWriter(FileIO(fd, "a")), encoding=self.encoding)

    def doRollover(self) -> None:  # noqa: N802  (logging's name)
        """Set the file aside, unless another session has just done so."""
        path = Path(self.baseFilename)
        with suppress(LockHeld), exclusive(path.with_suffix(".lock"), _PATIENCE):
            if self._is_current() and path.stat().st_size > self.maxBytes // 2:
                super().doRollover()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  (logging's name)
        """Say once that the log cannot be written; the work is told elsewhere, and goes on."""
        error = sys.exc_info()[1]
        if isinstance(error, ForeignState):
            error = OSError(errno.EPERM, str(error))
        if not isinstance(error, OSError):
            super().handleError(record)
            return
        if self.failure is None:
            sys.stderr.write(f"cropkit: {self.baseFilename} cannot be written: {error.strerror}\n")
        self.failure = error

    def close(self) -> None:
        """Let go of the file, also where what is left cannot be written any more."""
        try:
            super().close()
        except OSError as error:
            self.failure = error

    def _is_current(self) -> bool:
        if self.stream is None:
            return False
        try:
            named = Path(self.baseFilename).stat()
        except FileNotFoundError:
            return False
        return os.path.samestat(named, os.fstat(self.stream.fileno()))


def attach(path: Path, session: str) -> SharedFile:
    """Let what cropkit logs reach a file, until `detach`; not what another session logs.

    Raises
    ------
    ForeignState
        Somebody else made the state that it is in; nothing was written.
    """
    if path.parent.name == HOME:
        state_folder.check(path.parent.parent)
    handler = SharedFile(path, maxBytes=LARGEST, backupCount=_COPIES, encoding="utf-8", delay=True)
    handler.setLevel(logging.INFO)
    handler.setFormatter(JsonLines(session))
    handler.addFilter(lambda record: getattr(record, "session", session) == session)
    logger = logging.getLogger("cropkit")
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.INFO)  # heartbeats are no warnings
    logger.addHandler(handler)
    return handler


def detach(handler: logging.Handler) -> None:
    """End what `attach` began."""
    logging.getLogger("cropkit").removeHandler(handler)
    handler.close()
