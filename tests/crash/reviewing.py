"""One of several reviewers, or of those who carry out what they decide, as a process.

``reviewing.py review FOLDER NAME SEED`` decides page after page of what is open, as soon as any
other does, and tells each attempt as a line of JSON. ``reviewing.py apply FOLDER`` carries out what
waits until its stdin ends.
"""

import json
import random
import select
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from deciding import decision

from cropkit import clock
from cropkit.collection import Collection
from cropkit.errors import BadBox
from cropkit.geometry import PixelBox
from cropkit.review.runtime.review_store import ReviewStore

BOX = PixelBox(2, 2, 12, 12)
PAGE, THINKING = 3, 0.02  # images; seconds at most


def review(folder: str, name: str, seed: str) -> None:
    """Look at each page once, and decide what is open on it."""
    chance = random.Random(seed)  # noqa: S311  (no secret)
    with Collection(folder, reviewer=name) as kit:
        images = kit.images()
        for at in range(0, len(images), PAGE):
            for attempt in attempts(kit, images[at : at + PAGE], chance):
                sys.stdout.write(f"{json.dumps(attempt)}\n")


def attempts(
    kit: Collection, page: Sequence[str], chance: random.Random
) -> Iterator[dict[str, Any]]:
    """Decide what is open on a page; again where somebody was sooner."""
    store = ReviewStore(kit)
    while left := [path for path in page if path not in store.standing_of(page)]:
        shown = clock.now()
        time.sleep(chance.uniform(0.001, THINKING))
        try:
            drafts = [decision(kit, path, BOX, shown_at=shown) for path in left]
        except BadBox:  # it has been cropped since, and is smaller
            continue
        begun = time.perf_counter()
        overtaken = kit.decide_as_seen(drafts, [None] * len(drafts))
        waited = time.perf_counter() - begun
        recorded = [] if overtaken else [each.id for each in drafts]
        yield {"recorded": recorded, "overtaken": len(overtaken), "waited": waited}


def apply(folder: str) -> None:
    """Carry out what waits, and what still does when nothing more comes."""
    with Collection(folder) as kit:
        while not select.select([sys.stdin], [], [], 0.05)[0]:
            kit.apply_waiting()
        kit.apply_waiting()


if __name__ == "__main__":
    review(*sys.argv[2:]) if sys.argv[1] == "review" else apply(*sys.argv[2:])
