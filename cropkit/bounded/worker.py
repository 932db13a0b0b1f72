"""The process that reads for another one: it answers one question after another, within bounds."""

import os
import signal
import sys
from contextlib import suppress
from typing import BinaryIO

from cropkit.bounded import here
from cropkit.bounded.process import Question, receive, send
from cropkit.bounds import enforced
from cropkit.errors import CropkitError
from cropkit.formats import load


def main() -> None:
    """Serve until the other side closes its end."""
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    load()  # or the first file would pay for it
    with suppress(EOFError, BrokenPipeError), _answers() as out:
        while True:
            send(out, _answer(receive(sys.stdin.buffer)))


def _answers() -> BinaryIO:
    """Keep the pipe for answers alone: what a decoder prints goes to stderr."""
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return out


def _answer(question: Question) -> object:
    function, arguments, named, bounds = question
    bounds.to_environment()  # they may have changed since this process began
    try:
        with enforced(bounds):
            return here(bounds, function, *arguments, **named)
    except CropkitError as error:
        return error
