"""What two trails become together, by steps that grow with them and not with their square."""

import json
from pathlib import Path
from typing import Any

from counting import calls

from cropkit.audit.adopting import Adoption
from cropkit.audit.operation import Operation, OperationKind, OperationState
from cropkit.audit.operations import to_row


class Told:
    """A trail that tells of moves, each from where the next one ends."""

    def __init__(self, *moves: Operation, at: str) -> None:
        self.moves, self.at = moves, at
        self.contents = self.decisions = self

    def events(self) -> list[dict[str, Any]]:
        return [
            {
                "seq": number,
                "event": "cropped",
                "at": self.at,
                "path": each.source,
                "body": json.dumps({"target": each.target, "operation": to_row(each)}),
            }
            for number, each in enumerate(self.moves, 1)
        ]

    def originals(self) -> dict[str, str]:
        return {}

    def table(self) -> list[dict[str, Any]]:
        return []


def move(source: str, target: str) -> Operation:
    names: dict[str, Any] = {"source": source, "target": target, "session": "s", "owner": "b" * 32}
    hashes = {"sha256_before": "1" * 64, "sha256_after": "2" * 64}
    return Operation(OperationKind.CROP, state=OperationState.DONE, **(names | hashes))


def ordered(length: int) -> tuple[int, int]:
    """Join a chain that one outer operation touches at its end.

    Return how many are put in order, and how many calls that takes.
    """
    inner = Told(*(move(f"{n}.png", f"{n + 1}.png") for n in range(length)), at="2026-01-01")
    outer = Told(move(f"{length}.png", f"{length}.png"), at="2026-01-02")
    adopting: Any = Adoption  # a trail that tells this much is enough for it
    adoption = adopting(outer, inner, Path("inner"), str)
    number = 0

    def order() -> None:
        nonlocal number
        number = len(adoption.after(0).order["operation"])

    cost = calls(order)
    return number, cost


def test_a_chain_of_names_is_followed_to_its_end_by_linear_steps() -> None:
    (few, short), (many, long) = ordered(250), ordered(2000)
    assert (few, many) == (251, 2001)
    assert long < 9 * short
