"""What one file may cost: bounds of CPU time, memory and output, declared here and nowhere else.

A bound of time that holds in C code, too, can only be the death of its process: the kernel's own
clock for the CPU (`ITIMER_PROF`) ends the process by SIGPROF, which nobody else sends. So what may
be costly is done in processes that others can do without, and how one ended says whether it was
the bound. The bound of memory (`RLIMIT_DATA`) counts from what the process has before it begins.
"""

import os
import re
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cropkit.errors import BadSetting, TooCostly

SECONDS, MEMORY, OUTPUT = "CROPKIT_MAX_SECONDS", "CROPKIT_MAX_MEMORY", "CROPKIT_MAX_OUTPUT"
_NUMBER = re.compile(r"\d{1,9}(?:\.\d{1,6})?")
_BYTES = re.compile(r"(\d{1,15})([KMGT]?)")
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_STATM = Path("/proc/self/statm")
_DATA = 5  # field of statm: data and stacks, in pages
# The last two are those of zlib and of Pillow.
_SAYS_MEMORY = re.compile(
    r"out.?of.?memory|(?:insufficient|not enough) memory|memory alloc|allocate|error -[49]\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What each step of reading one file (decode, encode, prove) may cost.

    Parameters
    ----------
    seconds : of CPU, in all threads
    memory : bytes, on top of what a process has that reads nothing
    output : bytes of one crop
    """

    seconds: float = 20.0
    memory: int = 2 << 30
    output: int = 1 << 30

    @classmethod
    def from_environment(cls) -> "Bounds":
        """Return the bounds that the environment sets, and the usual ones where it sets none.

        Raises
        ------
        BadSetting
            A value that is none: no bound that is guessed.
        """
        usual = cls()
        return cls(
            _seconds(os.environ.get(SECONDS, ""), usual.seconds),
            _bytes(MEMORY, usual.memory),
            _bytes(OUTPUT, usual.output),
        )

    @classmethod
    def help(cls) -> str:
        """Return the sentence of `--help`."""
        usual = cls()
        return (
            f"Each step of reading one file may cost {usual.seconds:g} s of CPU ({SECONDS}),"
            f" {_shown(usual.memory)} of memory ({MEMORY}, as 4G), {_shown(usual.output)} of output"
            f" ({OUTPUT}): the environment sets others."
        )

    def to_environment(self) -> None:
        """Let all that this process asks, and the processes that it starts, have these bounds."""
        values = (f"{self.seconds:.6f}", str(self.memory), str(self.output))
        os.environ.update(zip((SECONDS, MEMORY, OUTPUT), values, strict=True))

    def too_long(self, name: str) -> TooCostly:
        """Return the refusal of a file that costs more CPU."""
        return TooCostly(name, f"{self.seconds:g} s of CPU", SECONDS)

    def too_much_memory(self, name: str) -> TooCostly:
        """Return the refusal of a file that costs more memory."""
        words = f"{_shown(self.memory)} of memory, or all that there is"
        return TooCostly(name, words, MEMORY)

    def check_output(self, name: str, size: int) -> None:
        """Raise `TooCostly` where a crop has more bytes."""
        if size > self.output:
            raise TooCostly(name, f"{_shown(self.output)} of output", OUTPUT)


def _seconds(text: str, usual: float) -> float:
    if not text:
        return usual
    if not _NUMBER.fullmatch(text) or not float(text):
        raise BadSetting(SECONDS, text, "numbers above 0")
    return float(text)


def _bytes(variable: str, usual: int) -> int:
    text = os.environ.get(variable, "")
    if not text:
        return usual
    size = _BYTES.fullmatch(text)
    if size is None or not int(size[1]):
        raise BadSetting(variable, text, "bytes above 0, as 500M or 2G")
    return int(size[1]) * _UNITS[size[2]]


def _shown(size: int) -> str:
    unit = next((unit for unit in "GM" if size % _UNITS[unit] == 0), "")
    return f"{size // _UNITS[unit]} {unit}iB" if unit else f"{size} bytes"


@contextmanager
def enforced(bounds: Bounds) -> Iterator[None]:
    """Hold this process to the bounds in the block: it dies of the one of time, by SIGPROF.

    At the one of memory what allocates fails, as it does where a machine has no more.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if _STATM.exists():
        wanted = _used() + bounds.memory
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (most, hard))
    signal.setitimer(signal.ITIMER_PROF, bounds.seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _used() -> int:
    return int(_STATM.read_text().split()[_DATA]) * resource.getpagesize()


def ended_by_time(exit_code: int | None) -> bool:
    """Whether a process ended because it was at the bound of time."""
    return exit_code == -signal.SIGPROF


def is_of_memory(words: str) -> bool:
    """Whether a decoder's words say that it got no memory."""
    return _SAYS_MEMORY.search(words) is not None
