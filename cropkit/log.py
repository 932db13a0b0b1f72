"""The error log of a collection: `.cropkit/cropkit.log`, one JSON object a line, times in UTC."""

import json
import logging
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path

from cropkit import clock

LARGEST = 5_000_000  # bytes, then the file is set aside as cropkit.log.1
_COPIES = 3


class JsonLines(logging.Formatter):
    """Writes a record with its session and traceback; never image content."""

    def __init__(self, session: str) -> None:
        super().__init__()
        self.session = session

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        said = {
            "at": clock.written(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "session": self.session,
            "message": record.getMessage(),
        }
        if record.exc_info:
            said["traceback"] = self.formatException(record.exc_info)
        return json.dumps(said)


def attach(path: Path, session: str) -> logging.Handler:
    """Let what cropkit logs reach a file, until `detach`."""
    handler = RotatingFileHandler(
        path, maxBytes=LARGEST, backupCount=_COPIES, encoding="utf-8", delay=True
    )
    handler.setLevel(logging.INFO)
    handler.setFormatter(JsonLines(session))
    logging.getLogger("cropkit").addHandler(handler)
    return handler


def detach(handler: logging.Handler) -> None:
    """End what `attach` began."""
    logging.getLogger("cropkit").removeHandler(handler)
    handler.close()
