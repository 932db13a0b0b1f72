"""A learner goes on learning, however many decisions there were."""

from datetime import UTC, datetime

import numpy as np
import pytest
from scenes import MIDDLE

from cropkit.geometry import NormalizedBox, Size
from cropkit.records import Decision, Verdict
from cropkit.taste import learner
from cropkit.taste.learner import Learner

SIZE = Size(192, 128)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def decision(number: int) -> Decision:
    box = NormalizedBox(*np.array(MIDDLE).tolist()).pixels(SIZE)
    facts = (f"{number}.png", f"{number:064x}", SIZE, Verdict.ADJUSTED, box, "ann", "s")
    return Decision(*facts, shown_at=NOW, decided_at=NOW)


def test_new_decisions_count_where_as_many_old_ones_are_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(learner, "MOST_DECISIONS", 10)
    known = Learner()
    known.decided(*map(decision, range(10)))
    known.train()
    assert known.untrained == 0
    known.decided(*map(decision, range(10, 15)))
    known.decided(decision(14))
    known.undone("14.png")
    assert known.untrained == 7
    known.train()
    assert known.untrained == 0
