"""Stop a process at chosen system calls, to kill it there or to let the call fail; ptrace, ctypes.

A seccomp filter picks the calls, so that all others run at full speed. x86-64 Linux only.
"""

import ctypes
import errno
import os
import signal
import struct
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Protocol

from patience import patient

CALLS = {
    "read": 0,
    "write": 1,
    "open": 2,
    "pread64": 17,
    "pwrite64": 18,
    "writev": 20,
    "sendfile": 40,
    "fsync": 74,
    "fdatasync": 75,
    "truncate": 76,
    "ftruncate": 77,
    "rename": 82,
    "mkdir": 83,
    "rmdir": 84,
    "creat": 85,
    "link": 86,
    "unlink": 87,
    "symlink": 88,
    "chmod": 90,
    "fchmod": 91,
    "chown": 92,
    "fchown": 93,
    "setxattr": 188,
    "lsetxattr": 189,
    "fsetxattr": 190,
    "fremovexattr": 199,
    "openat": 257,
    "mkdirat": 258,
    "unlinkat": 263,
    "renameat": 264,
    "linkat": 265,
    "symlinkat": 266,
    "fchmodat": 268,
    "utimensat": 280,
    "fallocate": 285,
    "pwritev": 296,
    "syncfs": 306,
    "renameat2": 316,
    "copy_file_range": 326,
}
NAMES = {number: name for name, number in CALLS.items()}
SYNCS = ("fsync", "fdatasync", "syncfs")
READS = ("read", "pread64")
OPENS = ("open", "openat", "creat")
CHANGES = tuple(name for name in CALLS if name not in (*SYNCS, *READS))
VOICE = 1000  # the descriptor through which a traced child speaks: never counted

_TRACEME, _PEEK_INFO, _CONT, _SYSCALL, _SETOPTIONS, _POKEUSER = 0, 0x420E, 7, 24, 0x4200, 6
_OPTIONS = 0x1 | 0x8 | 0x80 | 0x100000  # SYSGOOD, CLONE, SECCOMP, EXITKILL
_EVENT_SECCOMP, _WALL = 7, 0x40000000
_ORIG_RAX, _RAX = 15 * 8, 10 * 8
_TRACE, _ALLOW = 0x7FF00000, 0x7FFF0000
_DEADLINE = round(patient(120))

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
_libc.ptrace.restype = ctypes.c_long
_libc.syscall.restype = ctypes.c_long


class Then(Enum):
    """What happens to a process that stopped at a system call."""

    GO = "it goes on"
    KILL = "it is killed before the call"
    LOOK = "it goes on and stops again when the call has returned"


@dataclass(frozen=True)
class Stop:
    """A system call that is about to happen."""

    thread: int
    number: int
    args: tuple[int, ...]

    @property
    def name(self) -> str:
        return NAMES.get(self.number, f"call {self.number}")

    @cached_property
    def makes_a_file(self) -> bool:
        """Whether an open may create or empty a file."""
        if self.name not in OPENS:
            return False
        flags = self.args[2] if self.name == "openat" else self.args[1]
        return self.name == "creat" or bool(flags & (os.O_CREAT | os.O_TRUNC))

    @property
    def changes(self) -> bool:
        """Whether the call may change the disk."""
        if self.name in OPENS:
            return self.makes_a_file
        return self.name in CHANGES

    def memory(self, address: int, length: int) -> bytes:
        fd = os.open(f"/proc/{self.thread}/mem", os.O_RDONLY)
        try:
            return os.pread(fd, length, address)
        finally:
            os.close(fd)

    def text(self, address: int) -> str:
        # a string may end right before a page that is not mapped
        found = b""
        while b"\0" not in found:
            there = address + len(found)
            found += self.memory(there, 4096 - there % 4096)
        return os.fsdecode(found.partition(b"\0")[0])


class Watch(Protocol):
    """Decides at each stop; an errno lets the call fail instead of happening."""

    def enter(self, stop: Stop) -> Then | int: ...

    def leave(self, stop: Stop, result: int) -> None: ...

    def spoke(self) -> None: ...


@dataclass
class Ended:
    """How a traced process ended, and what it said."""

    said: list[str] = field(default_factory=list)
    killed: bool = False
    status: int | None = None
    hung: bool = False


class TracerUnavailable(Exception):
    """This machine does not let us trace a process."""


class Voice:
    """The child's side: speaks to the tracer, and says when the system calls count."""

    def __init__(self, calls: Iterable[str] | None) -> None:
        self._program = _filter(calls)

    def say(self, text: str) -> None:
        os.write(VOICE, f"{text}\n".encode())

    def arm(self) -> None:
        _libc.prctl(38, 1, 0, 0, 0)  # no new privileges: what a filter asks for
        if _libc.syscall(317, 1, 1, ctypes.byref(self._program)) != 0:  # TSYNC: all threads
            raise TracerUnavailable(os.strerror(ctypes.get_errno()))


def check_that_it_works() -> None:
    """Raise TracerUnavailable where a process cannot be stopped and killed at a system call."""
    if sys.platform != "linux" or os.uname().machine != "x86_64":
        raise TracerUnavailable(f"{sys.platform} on {os.uname().machine}")

    class First:
        def enter(self, _stop: Stop) -> Then:
            return Then.KILL

        def leave(self, _stop: Stop, _result: int) -> None: ...

        def spoke(self) -> None: ...

    def body(voice: Voice) -> None:
        voice.arm()
        os.open("/", os.O_RDONLY)
        voice.say("not stopped")

    ended = trace(body, First(), ["openat"])
    if not ended.killed or ended.said:
        raise TracerUnavailable(f"ptrace with seccomp does not stop a process: {ended.said}")


def trace(body: Callable[[Voice], None], watch: Watch, calls: Iterable[str] | None) -> Ended:
    """Run `body` in a child, asking `watch` at each of `calls` (None: at all) once it is armed."""
    voice = Voice(calls)
    hear, speak = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(hear)
        _live(body, voice, speak)
    with suppress(PermissionError):  # the child was the quicker one
        os.setpgid(pid, pid)
    os.close(speak)
    ended = Ended()
    signal.signal(signal.SIGALRM, _too_long)
    signal.alarm(_DEADLINE)
    try:
        _follow(pid, watch, ended)
    except TimeoutError:
        ended.hung = True
        _kill(pid)
    except BaseException:  # of who watches: a child that is stopped would never let go of the pipe
        _kill(pid)
        raise
    finally:
        signal.alarm(0)
        with os.fdopen(hear, "rb") as heard:
            ended.said = heard.read().decode().splitlines()
    return ended


def _live(body: Callable[[Voice], None], voice: Voice, speak: int) -> None:
    try:
        os.setpgid(0, 0)  # only its group is waited for: whoever traces has other children, too
        os.dup2(speak, VOICE)
        os.close(speak)
        if _libc.ptrace(_TRACEME, 0, None, None) != 0:
            voice.say("ptrace is not permitted")
            os._exit(3)
        os.kill(os.getpid(), signal.SIGSTOP)
        body(voice)
    except BaseException as error:  # noqa: BLE001  (told to the tracer, in full)
        voice.say(f"crash {type(error).__name__}: {error}")
    finally:
        os._exit(0)


def _follow(pid: int, watch: Watch, ended: Ended) -> None:
    looking: dict[int, Stop] = {}
    first = True
    while True:
        thread, status = os.waitpid(-pid, _WALL)
        if not os.WIFSTOPPED(status):
            if thread == pid:
                ended.status = os.waitstatus_to_exitcode(status)
                ended.killed = ended.status == -signal.SIGKILL
                return
            continue
        if first:
            first = False
            _call(_SETOPTIONS, pid, 0, _OPTIONS)
            _call(_CONT, thread, 0, 0)
        else:
            _answer(pid, thread, status, watch, looking)


def _answer(pid: int, thread: int, status: int, watch: Watch, looking: dict[int, Stop]) -> None:
    caught, event = os.WSTOPSIG(status), status >> 16
    if event == _EVENT_SECCOMP:
        _at_call(pid, thread, watch, looking)
    elif caught == signal.SIGTRAP | 0x80:
        stop = looking.get(thread)
        info = _info(thread)
        if stop is not None and info[0] == 2:  # 1 is the entry, seen after the filter's own stop
            watch.leave(looking.pop(thread), struct.unpack_from("<q", info, 24)[0])
        _call(_SYSCALL if thread in looking else _CONT, thread, 0, 0)
    elif event or caught in (signal.SIGSTOP, signal.SIGTRAP):
        _call(_CONT, thread, 0, 0)
    else:
        _call(_CONT, thread, 0, caught)


def _at_call(pid: int, thread: int, watch: Watch, looking: dict[int, Stop]) -> None:
    number, *args = struct.unpack_from("<7Q", _info(thread), 24)
    stop = Stop(thread, number, tuple(args))
    if stop.name == "write" and args[0] == VOICE:
        watch.spoke()
        then: Then | int = Then.GO
    else:
        then = watch.enter(stop)
    if then is Then.KILL:
        os.kill(pid, signal.SIGKILL)
        return
    if then is Then.LOOK:
        looking[thread] = stop
        _call(_SYSCALL, thread, 0, 0)
        return
    if isinstance(then, int):
        _call(_POKEUSER, thread, _ORIG_RAX, -1)
        _call(_POKEUSER, thread, _RAX, -then)
    _call(_CONT, thread, 0, 0)


def _info(thread: int) -> bytes:
    room = ctypes.create_string_buffer(88)
    _call(_PEEK_INFO, thread, 88, ctypes.addressof(room))
    return room.raw


def _call(request: int, thread: int, address: int, data: int) -> None:
    if _libc.ptrace(request, thread, address, data) < 0:
        failed = ctypes.get_errno()
        if failed != errno.ESRCH:  # it died in between, and waitpid will say so
            raise OSError(failed, f"ptrace request {request:#x}: {os.strerror(failed)}")


def _kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    while True:
        thread, status = os.waitpid(-pid, _WALL)
        if thread == pid and not os.WIFSTOPPED(status):
            return


def _too_long(_signal: int, _frame: object) -> None:
    raise TimeoutError


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_void_p))


def _filter(calls: Iterable[str] | None) -> _Program:
    numbers = [] if calls is None else sorted(CALLS[name] for name in calls)
    code = [struct.pack("<HBBI", 0x20, 0, 0, 0)]  # load the call's number
    for place, number in enumerate(numbers):
        code.append(struct.pack("<HBBI", 0x15, len(numbers) - place, 0, number))
    code.append(struct.pack("<HBBI", 0x06, 0, 0, _TRACE if calls is None else _ALLOW))
    code.append(struct.pack("<HBBI", 0x06, 0, 0, _TRACE))
    program = _Program(len(code), 0)
    program.held = ctypes.create_string_buffer(b"".join(code))
    program.code = ctypes.addressof(program.held)
    return program
