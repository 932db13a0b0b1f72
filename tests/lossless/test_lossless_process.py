"""libjpeg in processes of its own: what it does there must not reach the process that asks."""

import errno
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pictures
import pytest

from cropkit import errors, formats
from cropkit.formats.options import Jpeg
from cropkit.geometry import PixelBox
from cropkit.lossless import library, process, specimen
from cropkit.lossless.process import (
    CannotCopy,
    Ended,
    LibjpegProcess,
    Pool,
    TookTooLong,
    Unavailable,
)

OR_EXACT = formats.Options(Jpeg.LOSSLESS_OR_EXACT)
BOX = PixelBox(37, 27, 141, 103)
CROP = {"do": "crop", "box": [16, 16, 40, 40], "beyond": [True, False], "optimize": True}
REQUEST = {**CROP, "scans": []}
SOURCE = pictures.encoded(pictures.photo(160, 120), "JPEG", quality=90)


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pool]:
    made = Pool(2)
    monkeypatch.setattr(process, "pool", lambda: made)
    yield made
    made.close()


def workers(pool: Pool) -> list[LibjpegProcess]:
    return list(pool._idle)  # noqa: SLF001  (which process it was is nobody else's business)


def cropped() -> formats.Candidate:
    candidate = formats.crop(SOURCE, "a.jpg", BOX)
    formats.verify(candidate.data, candidate, "a.jpg")
    return candidate


def test_a_process_keeps_the_settings_of_its_users_memory(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GLIBC_TUNABLES", "glibc.malloc.perturb=0")
    cropped()
    (worker, *_) = workers(pool)
    environment = Path(f"/proc/{worker.pid}/environ").read_bytes()
    assert b"GLIBC_TUNABLES=glibc.malloc.perturb=0" in environment
    assert environment.count(b"glibc.malloc.") > 1, "ours are added"


def test_this_environment_brings_two_builds_of_libjpeg() -> None:
    """Pillow's and another: one writes, the other reads back."""
    assert len(library.candidates()) >= 2


def test_a_process_is_kept_for_the_next_request(pool: Pool) -> None:
    cropped()
    first = [worker.pid for worker in workers(pool)]
    cropped()
    assert [worker.pid for worker in workers(pool)] == first
    assert len(first) == 1


def test_a_process_that_was_killed_is_replaced(pool: Pool) -> None:
    cropped()
    (worker,) = workers(pool)
    os.kill(worker.pid, signal.SIGKILL)
    while worker.alive:
        pass
    assert cropped().box_applied == PixelBox(32, 16, 141, 103)
    assert [each.pid for each in workers(pool)] != [worker.pid]


def killed_when_asked(worker: LibjpegProcess, how: int = signal.SIGKILL) -> None:
    """Stop a process, so that it is asked, and then end it under the request."""
    os.kill(worker.pid, signal.SIGSTOP)
    threading.Timer(0.3, os.kill, [worker.pid, how]).start()


def test_a_process_that_is_killed_under_a_request_is_asked_again_elsewhere(
    pool: Pool, caplog: pytest.LogCaptureFixture
) -> None:
    cropped()
    (worker,) = workers(pool)
    killed_when_asked(worker)
    assert cropped().box_applied == PixelBox(32, 16, 141, 103)
    assert "asking again: libjpeg ended its process: -9" in caplog.text


def test_a_crash_at_every_try_is_a_refusal_by_name_and_the_next_picture_is_cropped(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = LibjpegProcess.__init__

    def doomed(self: LibjpegProcess, *libraries: Path) -> None:
        started(self, *libraries)
        killed_when_asked(self)

    with monkeypatch.context() as broken:
        broken.setattr(LibjpegProcess, "__init__", doomed)
        with pytest.raises(errors.LosslessUnavailable, match="libjpeg ended its process: -9"):
            formats.crop(SOURCE, "a.jpg", BOX)
    assert workers(pool) == []
    assert cropped().psnr is None


def test_what_libjpeg_cannot_go_on_after_reaches_nobody(pool: Pool) -> None:
    with pytest.raises(Ended, match="SOF"):
        pool.ask(REQUEST, specimen.jpeg().replace(b"\xff\xc0", b"\xff\xc5"), 0)
    told, _ = pool.ask(REQUEST, specimen.jpeg(), 0)
    assert told["warnings"] == 0


def test_a_file_that_libjpeg_cannot_copy_is_encoded_anew_and_says_so(pool: Pool) -> None:
    """Two components of one table number, with another table between their scans: libjpeg can
    decode that, and cannot write it."""
    assert not workers(pool)
    red = pictures.encoded(pictures.photo(64, 48), "JPEG", progressive=True, quality=50)
    scan = red.index(b"\xff\xda", red.index(b"\xff\xda") + 2)
    other = b"\xff\xdb\0\x43\0" + bytes([99] * 64)
    candidate = formats.crop(red[:scan] + other + red[scan:], "a.jpg", PixelBox(3, 3, 40, 40))
    formats.verify(candidate.data, candidate, "a.jpg")
    assert "cannot be copied" in candidate.patched[0]
    assert str(candidate.degraded).startswith("encoded anew, it could not be cropped without loss:")
    assert candidate.box_applied == PixelBox(0, 0, 40, 40)


def test_a_process_that_does_not_answer_is_ended_and_the_file_refused(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    cropped()
    (worker,) = workers(pool)
    os.kill(worker.pid, signal.SIGSTOP)
    monkeypatch.setattr(process, "_LEAST_SECONDS", 0.2)
    with pytest.raises(errors.CorruptImage, match="no answer within 0 s"):
        formats.crop(SOURCE, "a.jpg", BOX)
    monkeypatch.setattr(process, "_LEAST_SECONDS", 30.0)
    cropped()
    assert [each.pid for each in workers(pool)] != [worker.pid]


def test_an_answer_that_comes_late_is_no_answer(pool: Pool) -> None:
    cropped()
    (worker,) = workers(pool)
    with pytest.raises(TookTooLong):
        worker.ask(REQUEST, specimen.jpeg(), 0.0)


def test_threads_share_the_processes(pool: Pool) -> None:
    seen = set()
    with ThreadPoolExecutor(6) as threads:
        for candidate in threads.map(lambda _: cropped(), range(24)):
            seen.add(candidate.data)
    assert len(seen) == 1
    assert len(workers(pool)) <= 2


def test_processes_have_processes_of_their_own() -> None:
    with ProcessPoolExecutor(2, get_context("spawn")) as executor:
        made = list(executor.map(_data, range(4)))
    assert set(made) == {cropped().data}


def _data(_: int) -> bytes:
    return cropped().data


def test_a_forked_child_does_not_speak_to_its_parents_processes() -> None:
    """Both would read from one pipe: the child starts a process of its own."""
    script = """
import os, sys
sys.path[:0] = sys.argv[1:]
import pictures
from cropkit import formats
from cropkit.geometry import PixelBox
from cropkit.lossless.process import pool
source = pictures.encoded(pictures.photo(160, 120), "JPEG", quality=90)
def cropped():
    return formats.crop(source, "a.jpg", PixelBox(37, 27, 141, 103)).data
first = cropped()
parents = [w.pid for w in pool()._idle]
child = os.fork()
if child == 0:
    same = cropped() == first and [w.pid for w in pool()._idle] != parents
    pool().close()
    os._exit(0 if same else 1)
_, status = os.waitpid(child, 0)
assert cropped() == first and [w.pid for w in pool()._idle] == parents
sys.exit(os.waitstatus_to_exitcode(status))
"""
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", script, str(root), str(root / "tests")]
    assert subprocess.run(command, check=False, timeout=120).returncode == 0


def test_nothing_is_left_when_the_program_ends() -> None:
    script = """
import sys
sys.path[:0] = sys.argv[1:]
import test_lossless_process as t
from cropkit.lossless.process import pool
t.cropped()
print(pool()._idle[0].pid)
"""
    root = Path(__file__).parents[2]
    path = [str(root), str(root / "tests"), str(Path(__file__).parent)]
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", script, *path]
    ended = subprocess.run(command, check=True, capture_output=True, timeout=120)
    assert ended.stderr == b""
    with pytest.raises(ProcessLookupError):
        os.kill(int(ended.stdout), 0)


def test_a_thread_that_starts_others_does_not_hand_them_the_pipes(pool: Pool) -> None:
    """Else a worker would live on in whoever inherited the end that was to be closed."""
    cropped()
    (worker,) = workers(pool)
    with subprocess.Popen(["sleep", "60"], close_fds=False) as other:
        pool.close()
        with pytest.raises(ProcessLookupError):
            os.kill(worker.pid, 0)
        other.kill()


def test_its_memory_is_bounded(pool: Pool) -> None:
    cropped()
    limits = Path(f"/proc/{workers(pool)[0].pid}/limits").read_text(encoding="ascii")
    (line,) = (each for each in limits.splitlines() if each.startswith("Max address space"))
    assert line.split()[3].isdecimal()


def test_without_a_libjpeg_a_jpeg_is_refused_by_name(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "candidates", tuple)
    with pytest.raises(errors.LosslessUnavailable, match=r"a\.jpg: .* no libjpeg that") as told:
        formats.crop(SOURCE, "a.jpg", BOX)
    assert "--jpeg lossless-or-exact" in told.value.cure
    with pytest.raises(Unavailable):
        pool.ask(REQUEST, specimen.jpeg(), 0)


def test_who_says_so_has_the_same_box_encoded_anew_and_is_told(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not workers(pool)
    monkeypatch.setattr(library, "candidates", tuple)
    candidate = formats.crop(SOURCE, "a.jpg", BOX, OR_EXACT)
    formats.verify(candidate.data, candidate, "a.jpg")
    assert candidate.patched[0].startswith(
        "pixels: encoded anew, they cannot be copied: no libjpeg"
    )
    assert str(candidate.degraded).startswith("encoded anew, it could not be cropped without loss:")
    assert (candidate.box_asked, candidate.box_applied) == (BOX, PixelBox(32, 16, 141, 103))
    assert candidate.psnr is not None


@pytest.mark.parametrize("options", [formats.Options(), OR_EXACT])
def test_the_box_that_is_shown_does_not_depend_on_what_is_there_at_the_moment(
    pool: Pool, monkeypatch: pytest.MonkeyPatch, options: formats.Options
) -> None:
    header = formats.read_header(SOURCE, "a.jpg")
    shown = formats.applied(header, BOX, options)
    assert formats.crop(SOURCE, "a.jpg", BOX, options).box_applied == shown
    monkeypatch.setattr(library, "candidates", tuple)
    pool.close()
    assert formats.applied(header, BOX, options) == shown


def test_what_cannot_be_started_is_tried_once_more_for_each_picture_after_a_pause(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[float] = []

    def full(*_: object) -> None:
        tries.append(time.monotonic())
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as broken:
        broken.setattr(LibjpegProcess, "__init__", full)
        with pytest.raises(errors.LosslessUnavailable, match="Too many open files"):
            formats.crop(SOURCE, "a.jpg", BOX)
    assert len(tries) == 2
    assert tries[1] - tries[0] > 0.4
    assert cropped().box_applied == PixelBox(32, 16, 141, 103)
    assert len(workers(pool)) == 1


def test_a_moment_without_descriptors_costs_no_picture(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not workers(pool)
    found = library.candidates()
    moments = iter([OSError(errno.EMFILE, "Too many open files")])

    def looked() -> tuple[Path, ...]:
        for error in moments:
            raise error
        return found

    monkeypatch.setattr(library, "candidates", looked)
    assert cropped().degraded is None


def test_descriptors_that_are_really_out_are_a_refusal(pool: Pool) -> None:
    assert not workers(pool)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.open("/dev/null", os.O_RDONLY)
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
    try:
        with pytest.raises(errors.LosslessUnavailable, match="Too many open files"):
            formats.crop(SOURCE, "a.jpg", BOX)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert cropped().degraded is None


def test_what_cannot_be_read_back_now_is_no_failure_of_the_picture(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    candidate = cropped()
    monkeypatch.setattr(library, "candidates", tuple)
    pool.close()
    with pytest.raises(errors.LosslessUnavailable):
        formats.verify(candidate.data, candidate, "a.jpg")


def test_memory_that_is_short_is_not_blamed_on_the_file(pool: Pool) -> None:
    cropped()
    (worker,) = workers(pool)
    status = Path(f"/proc/{worker.pid}/status").read_text(encoding="ascii")
    (now,) = (int(line.split()[1]) << 10 for line in status.splitlines() if "VmSize" in line)
    resource.prlimit(worker.pid, resource.RLIMIT_AS, (now + (4 << 20), now + (4 << 20)))
    large = pictures.encoded(pictures.photo(4000, 3000), "JPEG", quality=30)
    with pytest.raises(Ended, match="memory") as told:
        worker.ask(REQUEST, large, 30.0)
    assert not isinstance(told.value, CannotCopy)


def test_a_library_that_is_none_is_passed_over(
    pool: Pool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "libjpeg.so.62"
    broken.write_bytes(b"no library")
    found = (broken, *library.candidates())
    monkeypatch.setattr(library, "candidates", lambda: found)
    assert cropped().box_applied == PixelBox(32, 16, 141, 103)
    assert workers(pool)


def test_one_build_alone_will_do(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    for alone in library.candidates():
        monkeypatch.setattr(library, "candidates", lambda alone=alone: (alone,))
        pool.close()
        assert cropped().psnr is None


def test_an_interrupt_leaves_no_half_answer_for_the_next(pool: Pool) -> None:
    cropped()
    (worker,) = workers(pool)
    stopped = threading.Event()

    class Interrupted(BaseException):
        pass

    def interrupted(*_: object) -> None:
        stopped.set()
        raise Interrupted

    worker.ask = interrupted  # type: ignore[method-assign,assignment]
    with pytest.raises(Interrupted):
        pool.ask(REQUEST, specimen.jpeg(), 0)
    assert stopped.is_set()
    assert workers(pool) == []
    cropped()
