"""The tracer itself: who watches may fail, and is heard."""

import os

import pytest
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
    with pytest.raises(KeyError, match="fsync"):
        trace(body, Broken(where), ["fsync"])
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
