"""The tracer itself: who watches may fail, and is heard."""

import os
import subprocess

import pytest
from processes import descendants
from tracer import Stop, Then, TracerUnavailable, Voice, check_that_it_works, trace


class Broken:
    """Does not know the call that it is asked about."""

    def __init__(self, where: str) -> None:
        self.where = where

    def enter(self, stop: Stop) -> Then:
        if self.where == "enter":
            raise KeyError(stop.name)
        return Then.LOOK

    def leave(self, stop: Stop, result: int) -> None:
        raise KeyError(f"{stop.name} {result}")

    def spoke(self) -> None:
        raise KeyError("spoke")


def body(voice: Voice) -> None:
    voice.say(str(os.getpid()))
    voice.arm()
    os.fsync(os.open("/", os.O_RDONLY))
    voice.say("went on")


@pytest.mark.timeout(30)
@pytest.mark.parametrize("where", ["enter", "leave"])
def test_a_watch_that_raises_ends_the_child_and_is_heard(where: str) -> None:
    try:
        check_that_it_works()
    except TracerUnavailable as error:
        pytest.skip(str(error))
    before = descendants()  # other tests of this process may have left theirs
    with pytest.raises(KeyError, match="fsync"):
        trace(body, Broken(where), ["fsync"])
    assert set(descendants()) <= set(before)


def nothing(voice: Voice) -> None:
    voice.arm()
    os.fsync(os.open("/", os.O_RDONLY))


class Idle:
    """Lets every call go."""

    def enter(self, _stop: Stop) -> Then:
        return Then.GO

    def leave(self, _stop: Stop, _result: int) -> None:
        """Never asked for."""

    def spoke(self) -> None:
        """Nothing is to be known of it."""


@pytest.mark.timeout(30)
def test_how_another_child_ended_is_left_for_whoever_began_it() -> None:
    try:
        check_that_it_works()
    except TracerUnavailable as error:
        pytest.skip(str(error))
    with subprocess.Popen(["sh", "-c", "exit 7"]) as other:
        os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and can be asked
        assert trace(nothing, Idle(), ["fsync"]).status == 0
        assert other.wait() == 7
