"""Somebody else settles a decision after it was made and before it is carried out."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from deciding import decided
from faults import contents

from cropkit.cli import main
from cropkit.collection import Collection
from cropkit.engine.executor import DecisionExecutor
from cropkit.errors import Overtaken, VerificationFailed
from cropkit.geometry import PixelBox
from cropkit.records import Status

IMAGE = "a_stage2.png"
BOX = PixelBox(10, 20, 60, 90)
Rival = Callable[[Collection, str], object]


def decides_otherwise(rival: Collection, _: str) -> None:
    decided(rival, IMAGE, box=PixelBox(0, 0, 30, 30))


def takes_it_back(rival: Collection, decision: str) -> None:
    rival.undoer.retract(decision)


def fails_at_it(rival: Collection, decision: str) -> None:
    rival.executor.give_up(decision, VerificationFailed(IMAGE, "read back other bytes"))


RIVALS = [
    (decides_otherwise, Status.SUPERSEDED, "somebody decided otherwise"),
    (takes_it_back, Status.RESTORED, "took this decision back"),
    (fails_at_it, Status.FAILED, "read back other bytes"),
]


@pytest.fixture(params=RIVALS, ids=[rival.__name__ for rival, _, _ in RIVALS])
def met(
    request: pytest.FixtureRequest, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Status, str]:
    """A rival at work whenever a decision is about to be carried out."""
    act, status, words = request.param
    carry_out = DecisionExecutor.decision

    def overtaken(executor: DecisionExecutor, decision: str) -> object:
        with Collection(folder, reviewer="rival") as rival:
            act(rival, decision)
        return carry_out(executor, decision)

    monkeypatch.setattr(DecisionExecutor, "decision", overtaken)
    return status, words


def test_a_crop_that_was_overtaken_is_an_error_and_the_file_stands(
    folder: Path, met: tuple[Status, str]
) -> None:
    before = contents(folder)
    with Collection(folder) as kit, pytest.raises(Overtaken, match=met[1]):
        kit.crop(IMAGE, BOX)
    assert contents(folder) == before


def test_the_shell_says_so_and_ends_with_1(
    folder: Path, met: tuple[Status, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["crop", str(folder / IMAGE), "--box", "10,20,60,90", "--json"]) == 1
    heard = capsys.readouterr()
    assert json.loads(heard.out)["code"] == "Overtaken"
    assert met[1] in heard.err


def test_a_result_of_what_was_overtaken_is_not_ok(folder: Path, met: tuple[Status, str]) -> None:
    with Collection(folder) as kit:
        result = kit.apply(decided(kit, IMAGE))
    assert (result.status, result.ok) == (met[0], False)
    assert result.message is not None
    assert met[1] in result.message
