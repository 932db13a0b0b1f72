"""A batch that is killed is run again and finishes: no image twice, the bytes of a clean run."""

import os
import random
from pathlib import Path

import pytest
from killing import Trial

FULL = bool(os.environ.get("CROPKIT_FULL_KILLS"))
IMAGES = 300  # more than a fast machine crops in one group
KILLS = 20 if FULL else 3
SOURCES = ["suggestions", "queue"] if FULL else ["suggestions"]


@pytest.mark.parametrize("source", SOURCES)
def test_a_batch_that_is_killed_again_and_again_ends_as_one_that_was_not(
    tmp_path: Path, source: str
) -> None:
    found = Trial(tmp_path, IMAGES, KILLS, source).run(random.Random(20))  # noqa: S311  (no secret)
    assert found.wrong == []
    assert found.kills == KILLS
    assert 0 < max(found.done_at) <= IMAGES
    assert any(done < IMAGES for done in found.done_at), "it was killed at work"
