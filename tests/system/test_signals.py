import os
import signal
import threading
from types import FrameType

import pytest

from cropkit.system.signals import held_off


def press_ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_a_signal_waits_for_the_end_of_the_block() -> None:
    done = []

    def block() -> None:
        with held_off():
            press_ctrl_c()
            done.append("the rest of the block")

    with pytest.raises(KeyboardInterrupt):
        block()
    assert done
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_it_can_be_delivered_on_the_way_and_then_only_once() -> None:
    with held_off() as held:
        press_ctrl_c()
        with pytest.raises(KeyboardInterrupt):
            held.deliver()
        held.deliver()


def test_blocks_within_a_block_end_together() -> None:
    done = []

    def block() -> None:
        with held_off():
            with held_off():
                press_ctrl_c()
            done.append("the outer block goes on")

    with pytest.raises(KeyboardInterrupt):
        block()
    assert done


def test_whoever_handled_a_signal_before_handles_it_then() -> None:
    came = []

    def handler(number: int, _frame: FrameType | None) -> None:
        came.append(number)

    before = signal.signal(signal.SIGTERM, handler)
    try:
        with held_off():
            os.kill(os.getpid(), signal.SIGTERM)
            assert came == []
        assert came == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)


def test_other_threads_have_nothing_to_hold_off() -> None:
    done = []

    def work() -> None:
        with held_off():
            done.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [signal.default_int_handler]


def test_an_error_of_the_block_is_not_lost_behind_the_interrupt() -> None:
    def block() -> None:
        with held_off():
            press_ctrl_c()
            raise ValueError

    with pytest.raises(KeyboardInterrupt) as interrupted:
        block()
    assert isinstance(interrupted.value.__context__, ValueError)
