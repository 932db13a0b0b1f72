"""A learner goes on learning, however many decisions there were."""

from datetime import UTC, datetime
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from scenes import MIDDLE

from cropkit.geometry import NormalizedBox, Size
from cropkit.records import Decision, Verdict
from cropkit.taste import features, learner
from cropkit.taste.boxes import Array
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


def jpeg() -> bytes:
    file = BytesIO()
    Image.new("RGB", (SIZE.width, SIZE.height), "teal").save(file, "JPEG")
    return file.getvalue()


def test_what_models_have_seen_is_asked_for_once_and_kept() -> None:
    known, looks = Learner(), list[Image.Image]()

    def sight(image: Image.Image) -> Array:
        looks.append(image)
        return np.arange(features.SEEN) / features.SEEN

    first = decision(0).sha256
    known.look(first, jpeg(), sight)
    assert not looks, "it was not seen"
    for _ in range(2):
        for number in (0, 1):
            known.see(decision(number).sha256, jpeg(), ())
        known.look(first, jpeg(), sight)
    assert [image.size for image in looks] == [(192, 128)]
    again = Learner()
    again.recall(known.to_bytes())
    seen = [again._seen[decision(number).sha256] for number in (0, 1)]  # noqa: SLF001  (what is kept)
    assert [each.sight is None for each in seen] == [False, True]
    assert len(seen[0].whole) == features.COUNT + features.SEEN


def test_what_was_kept_before_there_were_models_is_known_again() -> None:
    known = Learner()
    known.see(decision(0).sha256, jpeg(), ())
    with np.load(BytesIO(known.to_bytes())) as file:
        arrays = {name: file[name] for name in file.files if name != "sight"}
    old = BytesIO()
    np.savez(old, **arrays)
    again = Learner()
    again.recall(old.getvalue())
    assert again._seen[decision(0).sha256].sight is None  # noqa: SLF001  (as above)
