"""Whose page is whose: a lease holds as long as its process lives and renews it, and no longer."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from patience import patient

from cropkit.audit import leases
from cropkit.audit.leases import (
    LEASE,
    MOST_BYTES,
    MOST_CROPS,
    MOST_IN_ALL,
    MOST_OWNERS,
    RENEWED,
    BadLease,
    Lease,
    Leases,
    line,
    of_others,
    read_line,
)
from cropkit.audit.presence import Presence, alone, living, sessions_there
from cropkit.errors import ForeignState
from cropkit.records import Problem, ProblemKind
from cropkit.system.home import LEASES_LOCK, OWNERS
from cropkit.system.locks import exclusive, said_by_holder

MOMENT = datetime(2026, 11, 30, 20, tzinfo=UTC)
any_text = st.text(st.characters(exclude_categories=()), max_size=30)
moments = st.integers(0, 10**9).map(lambda n: MOMENT + timedelta(milliseconds=n))


def proven(text: bytes) -> bytes:
    return b"%s %s\n" % (sha256(text).hexdigest()[:16].encode(), text)


class Desk:
    """A review of a collection, with clocks that the test sets."""

    def __init__(self, folder: Path, name: str) -> None:
        self.presence = Presence(folder, name)
        self.file = folder / OWNERS / self.presence.owner
        self.now, self.ticks = MOMENT, 100.0
        self.told: list[Problem] = []
        self.own: list[Problem] = []
        self.leases = Leases(
            *(folder, self.presence, self.told.append, self.own.append),
            now=lambda: self.now,
            ticks=lambda: self.ticks,
        )

    def take(self, *crops: str) -> tuple[Lease, ...]:
        return self.leases.claim(lambda _: crops)

    def sees(self) -> dict[str, tuple[str, ...]]:
        return {each.reviewer: each.crops for each in self.leases.others()}

    def pass_by(self, seconds: float, *, clock: float | None = None) -> None:
        """Let time pass; by the clock on the wall, another time."""
        self.ticks += seconds
        self.now += timedelta(seconds=seconds if clock is None else clock)


@contextmanager
def desk(folder: Path, name: str) -> Iterator[Desk]:
    one = Desk(folder, name)
    yield one
    if one.presence.is_here:
        one.presence.leave()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / OWNERS).mkdir(parents=True)
    return tmp_path


@pytest.fixture
def ann(folder: Path) -> Iterator[Desk]:
    with desk(folder, "Ann") as ann:
        yield ann


@pytest.fixture
def ben(folder: Path) -> Iterator[Desk]:
    with desk(folder, "Ben") as ben:
        yield ben


@given(reviewer=any_text.filter(bool), until=moments, crops=st.lists(any_text))
def test_any_lease_is_read_as_it_was_written(
    reviewer: str, until: datetime, crops: list[str]
) -> None:
    written = line(Lease(reviewer, until, tuple(crops)))
    assert written.count(b"\n") == 1
    as_files = [os.fsdecode(os.fsencode(c)) if _is_name(c) else c for c in crops]
    if all(map(_is_name, (reviewer, *crops))):
        assert read_line(written) == Lease(reviewer, until, tuple(as_files))


def _is_name(text: str) -> bool:
    """Whether a text can be a name of a file: other surrogates are in none."""
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return False
    return True


@given(st.binary(max_size=200))
def test_any_other_bytes_are_refused(written: bytes) -> None:
    with pytest.raises(BadLease):
        read_line(written)


@pytest.mark.parametrize(
    "facts",
    [
        [],
        {"reviewer": "Ben", "until": "2026-11-30T20:00:00.000000Z"},
        {"reviewer": "", "until": "2026-11-30T20:00:00.000000Z", "crops": []},
        {"reviewer": "B" * 201, "until": "2026-11-30T20:00:00.000000Z", "crops": []},
        {"reviewer": 7, "until": "2026-11-30T20:00:00.000000Z", "crops": []},
        {"reviewer": "Ben", "until": "2026-11-30T20:00:00", "crops": []},
        {"reviewer": "Ben", "until": 7, "crops": []},
        {"reviewer": "Ben", "until": "2026-11-30T20:00:00.000000Z", "crops": "a.png"},
        {"reviewer": "Ben", "until": "2026-11-30T20:00:00.000000Z", "crops": [["a.png"]]},
        {
            "reviewer": "Ben",
            "until": "2026-11-30T20:00:00.000000Z",
            "crops": ["a"] * (MOST_CROPS + 1),
        },
    ],
)
def test_what_proves_itself_and_is_no_lease_is_refused(facts: object) -> None:
    text = json.dumps(facts).encode()
    with pytest.raises(BadLease):
        read_line(proven(text))


def test_lists_nested_without_end_are_refused() -> None:
    with pytest.raises(BadLease):
        read_line(proven(b"[" * 100_000))


@given(st.integers(0, 400), st.data())
def test_a_line_that_is_half_another_is_never_taken_for_a_lease(
    cut: int, data: st.DataObject
) -> None:
    one, other = (
        line(Lease(name, MOMENT, tuple(data.draw(st.lists(any_text, max_size=9)))))
        for name in ("Ann", "Ben")
    )
    torn = one[:cut] + other[cut:]
    if torn not in (one, other):
        with pytest.raises(BadLease):
            read_line(torn)


def test_a_page_without_end_is_leased_as_far_as_the_bound_goes() -> None:
    written = line(Lease("Ann", MOMENT, tuple(f"{n}/{'é' * 2000}.png" for n in range(2_000))))
    assert len(written) <= MOST_BYTES
    assert 0 < len(read_line(written).crops) < 2_000
    few = line(Lease("Ann", MOMENT, tuple(map(str, range(2_000)))))
    assert len(read_line(few).crops) == MOST_CROPS


def test_what_one_has_others_see_and_not_oneself(ann: Desk, ben: Desk) -> None:
    assert ann.take("a.png", "b.png") == ()
    assert ben.sees() == {"Ann": ("a.png", "b.png")}
    assert ann.sees() == {}
    (lease,) = ben.take("c.png")
    assert lease.until == MOMENT + LEASE
    ann.leases.let_go()
    assert ben.sees() == {}
    assert ann.sees() == {"Ben": ("c.png",)}
    assert ann.told == ben.told == []


def test_the_name_of_the_session_stays_the_first_line(folder: Path, ann: Desk) -> None:
    ann.take(*map(str, range(50)))
    ann.take("a.png")
    assert sessions_there(folder) == {ann.presence.session}
    assert ann.file.read_bytes().count(b"\n") == 2
    ann.leases.let_go()
    assert sessions_there(folder) == {ann.presence.session}


def test_a_lease_ends_three_minutes_after_it_was_renewed_last(ann: Desk, ben: Desk) -> None:
    ann.take("a.png")
    for _ in range(10):
        ann.pass_by(RENEWED)
        ben.pass_by(RENEWED)
        ann.take("a.png")
        assert ben.sees() == {"Ann": ("a.png",)}
    ben.pass_by(LEASE.total_seconds() - 1)
    assert ben.sees() == {"Ann": ("a.png",)}
    ben.pass_by(2)
    assert ben.sees() == {}, "whoever hangs has it no more"
    assert ben.sees() == {}


def test_one_that_stays_is_written_twice_a_minute_and_not_each_second(ann: Desk) -> None:
    ann.take("a.png")
    before = ann.file.read_bytes()
    ann.pass_by(RENEWED - 1)
    ann.take("a.png")
    assert ann.file.read_bytes() == before
    ann.pass_by(1)
    ann.take("a.png")
    assert ann.file.read_bytes() != before


def test_a_clock_that_is_set_back_prolongs_nothing(ann: Desk, ben: Desk) -> None:
    ann.take("a.png")
    hour = -3600.0
    assert ben.sees() == {"Ann": ("a.png",)}
    ben.pass_by(10, clock=hour)
    assert ben.sees() == {"Ann": ("a.png",)}
    ben.pass_by(LEASE.total_seconds() - 11)
    assert ben.sees() == {"Ann": ("a.png",)}
    ben.pass_by(2)
    for _ in range(3):
        assert ben.sees() == {}, "it was seen unchanged for three minutes"
    ann.pass_by(RENEWED, clock=hour)
    ann.take("a.png")
    assert ben.sees() == {"Ann": ("a.png",)}, "she is there, and has renewed it"


def test_a_clock_that_is_set_on_is_right_again_with_the_next_renewal(ann: Desk, ben: Desk) -> None:
    ann.take("a.png")
    ben.pass_by(1, clock=3600)
    assert ben.sees() == {}
    ann.pass_by(RENEWED, clock=3600)
    ann.take("a.png")
    assert ben.sees() == {"Ann": ("a.png",)}


HOLDER = """
import sys, time
from pathlib import Path
from cropkit.audit.leases import Leases
from cropkit.audit.presence import Presence
folder = Path(sys.argv[1])
leases = Leases(folder, Presence(folder, "Cat"), print, print)
leases.claim(lambda _: ("a.png",))
print("held", flush=True)
while True:
    time.sleep(0.05)
    leases.claim(lambda _: ("a.png",))
"""


def test_who_is_killed_has_nothing_from_then_on_and_who_is_stopped_until_it_ends(
    folder: Path, ben: Desk
) -> None:
    ben.now = datetime.now(UTC)
    command = [sys.executable, "-c", HOLDER, str(folder)]
    with ExitStack() as stack, subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as cat:
        assert cat.stdout is not None
        assert cat.stdout.readline() == "held\n"
        assert ben.sees() == {"Cat": ("a.png",)}
        cat.send_signal(signal.SIGSTOP)
        assert ben.sees() == {"Cat": ("a.png",)}
        ben.pass_by(LEASE.total_seconds() + 60)
        assert ben.sees() == {}
        ben = stack.enter_context(desk(folder, "Dan"))
        ben.now = datetime.now(UTC)
        assert ben.sees() == {"Cat": ("a.png",)}
        cat.kill()
        cat.wait()
        assert ben.sees() == {}
    assert ben.told == []


def test_who_is_stopped_while_others_wait_keeps_nobody_from_leasing(
    folder: Path, ben: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "_PATIENCE", 0.05)
    with exclusive(folder / LEASES_LOCK, 1.0):
        assert ben.take("a.png") == ()
        assert ben.take("b.png") == ()
    (problem,) = ben.told
    assert problem.kind is ProblemKind.LEASE
    assert "holds the lock" in problem.reason
    assert read_line(ben.file.read_bytes().partition(b"\n")[2]).crops == ("b.png",)


def test_of_many_who_go_on_at_once_no_two_lease_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "_PATIENCE", patient(20.0))  # none of them thinks
    desks = [Desk(folder, f"{n}") for n in range(8)]
    names = [f"{n}.png" for n in range(300)]
    done = set[str]()

    def work(desk: Desk) -> None:
        def first_free(others: tuple[Lease, ...]) -> tuple[str, ...]:
            taken = {crop for each in others for crop in each.crops} | done
            chosen.append(next(name for name in names if name not in taken))
            return (chosen[-1],)

        chosen: list[str] = []
        for _ in range(30):
            desk.leases.claim(first_free)
            mine = chosen[-1]
            assert mine not in done, "somebody else had it at the same time"
            done.add(mine)

    failed: list[BaseException] = []

    def watched(desk: Desk) -> None:
        try:
            work(desk)
        except BaseException as error:  # noqa: BLE001  (told by the test)
            failed.append(error)

    threads = [threading.Thread(target=watched, args=(desk,)) for desk in desks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert [desk.told for desk in desks] == [[]] * 8
    for desk in desks:
        desk.presence.leave()


@pytest.mark.parametrize(
    "said", [b"\n", b"\nnonsense", b"\nnonsense\n", b"\n" + b"\xff" * 300_000, b"\n[]\n", b"\n\n\n"]
)
def test_a_line_of_an_enemy_is_told_once_and_changes_nothing(
    said: bytes, folder: Path, ann: Desk, ben: Desk
) -> None:
    ann.take("a.png")
    with ExitStack() as stack:
        enemy = Presence(folder, "enemy")
        stack.callback(enemy.leave)
        (folder / OWNERS / enemy.owner).write_bytes(b"session" + said)
        for _ in range(3):
            assert ben.sees() == {"Ann": ("a.png",)}
    expected = [] if said == b"\n" else [f"{OWNERS}/{enemy.owner}"]
    assert [problem.path for problem in ben.told] == expected


def test_a_link_and_a_pipe_among_the_owners_are_told_and_not_opened(
    folder: Path, ann: Desk, ben: Desk
) -> None:
    ann.take("a.png")
    (folder / OWNERS / "link").symlink_to(ann.file)
    os.mkfifo(folder / OWNERS / "pipe")
    (folder / OWNERS / "folder").mkdir()
    assert ben.sees() == {"Ann": ("a.png",)}
    assert {problem.path for problem in ben.told} == {
        f"{OWNERS}/{name}" for name in ("link", "pipe", "folder")
    }


def test_a_foreign_entry_is_passed_over_by_who_tells_of_others_alone(
    folder: Path, ann: Desk, ben: Desk
) -> None:
    """It can be the file of somebody alive: whoever settles or removes something stops at it."""
    (folder / OWNERS / "second name").hardlink_to(ann.file)
    foreign: list[ForeignState] = []
    assert sessions_there(folder, foreign) == {ben.presence.session}
    assert sorted(Path(error.args[0]).name for error in foreign) == sorted(
        ("second name", ann.presence.owner)
    )
    with pytest.raises(ForeignState):
        living(folder)
    with pytest.raises(ForeignState):
        sessions_there(folder)
    with pytest.raises(ForeignState), alone(folder, 1.0):
        raise AssertionError("she is at work on it")


def test_owners_without_end_are_looked_at_as_far_as_the_bound_goes(folder: Path, ben: Desk) -> None:
    for number in range(20 * MOST_OWNERS):
        (folder / OWNERS / f"{number}").write_bytes(b"session\nnonsense\n")
    looked: list[Path] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "cropkit.audit.leases.said_by_holder",
            lambda path, most: looked.append(path) or said_by_holder(path, most),  # type: ignore[func-returns-value]  # (to be seen)
        )
        assert ben.sees() == {}
    assert len(looked) <= MOST_OWNERS
    (problem,) = ben.told
    assert f"more than {MOST_OWNERS}" in problem.reason


class Reading:
    """What a look reads, and takes apart."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.bytes = 0
        self.lines: list[bytes] = []
        patch.setattr(leases, "said_by_holder", self._said)
        patch.setattr(leases, "read_line", self._line)

    def _said(self, path: Path, most: int) -> bytes | None:
        said = said_by_holder(path, most)
        self.bytes += len(said or b"")
        return said

    def _line(self, written: bytes) -> Lease:
        self.lines.append(written)
        return read_line(written)


@contextmanager
def forged(folder: Path, count: int, text: bytes) -> Iterator[list[Path]]:
    """Have owners who live and say something that proves itself."""
    paths = [folder / OWNERS / f"{number:032x}" for number in range(count)]
    with ExitStack() as held:
        for path in paths:
            path.write_bytes(b"session\n" + proven(text))
            file = held.enter_context(path.open("rb"))
            fcntl.flock(file, fcntl.LOCK_EX)
        yield paths


def filled(begin: bytes, size: int) -> bytes:
    """Return a JSON text of an enemy, of some bytes and one name to unescape."""
    lists = b",".join([b"[]"] * ((size - len(begin) - 100) // 3))
    return b'%s,"\\u0041":[%s]}' % (begin, lists)


NO_CROPS = b'{"reviewer":"Eve","until":"9999-01-01T00:00:00.000000Z","crops":7'


def test_what_one_look_reads_is_bounded_over_all_owners(
    folder: Path, ben: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading = Reading(monkeypatch)
    with forged(folder, MOST_OWNERS - 1, filled(NO_CROPS, MOST_BYTES)):
        for _ in range(3):
            reading.bytes = 0
            assert ben.sees() == {}
            assert MOST_IN_ALL <= reading.bytes <= MOST_IN_ALL + 3 * MOST_BYTES
    assert len(reading.lines) <= MOST_IN_ALL // MOST_BYTES + 1, "each of them once"
    assert max(map(len, reading.lines)) <= MOST_BYTES
    paths = [problem.path for problem in ben.told]
    assert len(paths) == len(set(paths)) == len(reading.lines) + 1
    assert sum(f"more than {MOST_IN_ALL:,} bytes" in each.reason for each in ben.told) == 1


def test_a_file_without_end_is_read_as_far_as_the_bound_goes(
    folder: Path, ben: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading = Reading(monkeypatch)
    with forged(folder, 1, filled(NO_CROPS, 256 << 10)):
        assert ben.sees() == {}
    assert 0 < reading.bytes <= 2 * MOST_BYTES


def test_nothing_is_unescaped_of_what_names_no_images(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(leases, "unescaped", asked.append)
    for crops in (b"7", b"[%s]" % b",".join([b'"\\u00e9"'] * (MOST_CROPS + 1)), b'["a",[]]'):
        begin = NO_CROPS.replace(b"7", crops)
        with pytest.raises(BadLease, match="does not name images"):
            read_line(proven(filled(begin, 9_000)))
    assert asked == []


def test_what_was_read_before_is_not_taken_apart_again(
    folder: Path, ann: Desk, ben: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading = Reading(monkeypatch)
    ann.take("a.png")
    with forged(folder, 1, b"[]") as (eve,):
        for _ in range(5):
            assert ben.sees() == {"Ann": ("a.png",)}
        assert len(reading.lines) == 2
        assert len(ben.told) == 1
        ann.take("b.png")
        eve.write_bytes(b"session\n" + proven(b"[7]"))
        for _ in range(5):
            assert ben.sees() == {"Ann": ("b.png",)}
    assert len(reading.lines) == 2 + 2 + 1, "and what Ann has looked at when she went on"
    assert len(ben.told) == 1


def test_a_line_that_is_written_while_it_is_read_is_read_again(
    ann: Desk, ben: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann.take("a.png")
    whole = ann.file.read_bytes()
    answers = [whole[:-9], whole]
    monkeypatch.setattr(leases, "said_by_holder", lambda _path, _most: answers.pop(0))
    assert ben.sees() == {"Ann": ("a.png",)}
    assert (answers, ben.told) == ([], [])


def test_the_end_of_a_longer_line_that_is_not_cut_off_yet_is_no_part_of_it(
    ann: Desk, ben: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann.take(*map(str, range(20)))
    monkeypatch.setattr(os, "ftruncate", lambda *_: None)
    ann.take("a.png")
    assert ann.file.read_bytes().count(b"\n") > 2
    assert ben.sees() == {"Ann": ("a.png",)}
    assert ben.told == []


def test_a_lease_that_cannot_be_written_is_told_once(
    ann: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ann.presence, "say", full)
    for name in "abc":
        ann.take(name)
    (problem,) = ann.own
    assert problem.kind is ProblemKind.LEASE
    assert "No space left" in problem.reason
    assert ann.told == []


def test_where_the_owners_are_gone_it_is_told_and_the_work_goes_on(folder: Path, ann: Desk) -> None:
    (folder / OWNERS).rename(folder / "gone")
    assert ann.take("a.png") == ()
    assert [problem.path for problem in ann.told] == [OWNERS]


def test_who_has_left_says_nothing_any_more(folder: Path, ann: Desk) -> None:
    ann.presence.leave()
    with (folder / "other").open("wb") as other:  # may have the number of what was closed
        ann.take("a.png")
        assert os.fstat(other.fileno()).st_size == 0


def test_one_name_has_one_lease_and_ones_own_has_none() -> None:
    several = [Lease(name, MOMENT, (f"{n}.png",)) for n, name in enumerate(("Ben", "Ann", "Ben"))]
    assert of_others(several, "Ann") == (
        ("", frozenset({"1.png"})),
        ("Ben", frozenset({"0.png", "2.png"})),
    )


def test_who_asks_whether_an_owner_lives_is_taken_for_no_owner(folder: Path) -> None:
    """A hundred askers at once: the dead stay dead, and who comes is not kept out."""
    (folder / OWNERS / "dead").write_text("its session", encoding="utf-8")
    over, seen = threading.Event(), list[list[str]]()

    def ask() -> None:
        while not over.is_set():
            seen.append([name for name in living(folder) if name == "dead"])

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    until = time.monotonic() + patient(1.0)
    while time.monotonic() < until:
        Presence(folder, "Ann").leave()
    over.set()
    for thread in threads:
        thread.join()
    assert len(seen) > 100
    assert not any(seen)
