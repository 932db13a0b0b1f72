"""One of several reviewers of one collection, as a process: the review's own rules, and no browser.

``leasing.py FOLDER NAME SEED leased|not`` decides page after page until all is decided, as a review
does: it hears what others have decided, goes where `next_undecided_page` says, and decides what is
open there. It prints how often it decided, and how many decisions were refused since somebody was
sooner, as JSON.
"""

import json
import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from deciding import decision

from cropkit.audit.decisions import Standing
from cropkit.audit.leases import Leases
from cropkit.collection import Collection
from cropkit.geometry import PixelBox
from cropkit.records import Problem
from cropkit.review.model import (
    DecidedElsewhere,
    DecidePage,
    ImageLoaded,
    Loading,
    ReviewState,
    advance,
)
from cropkit.review.runtime.image_stream import decided_by
from cropkit.review.runtime.page_leases import claimed
from cropkit.review.runtime.review_store import ReviewStore
from cropkit.system.home import OWNERS

BOX = PixelBox(2, 2, 12, 12)
PAGE, THINKING = 3, 0.03  # images; seconds at most


class Reviewer:
    """A session of the model, and what a kernel does for it."""

    def __init__(self, kit: Collection, seed: str, *, leased: bool) -> None:
        self.kit, self.store = kit, ReviewStore(kit)
        self.chance = random.Random(seed)  # noqa: S311  (no secret)
        folder, presence = kit.root, kit.trail.presence
        self.leases = Leases(folder, presence, _failed, _failed) if leased else None
        resumed = self.store.resumed(PAGE, 0)
        self.session = resumed.session
        while resumed.rest is not None and not self.session.whole:  # a slow machine lists in parts
            move = resumed.rest.following(self.session.images).move
            self.session = advance(self.session, move).session
        self.decided = self.refused = 0
        self.claim(arriving=True)

    def claim(self, *, arriving: bool = False) -> None:
        if self.leases is not None:
            known = claimed(self.leases, self.session, self.kit.reviewer, arriving=arriving)
            self.session = advance(self.session, known).session

    def hear(self, *standing: Standing) -> None:
        for each in standing:
            move = DecidedElsewhere(each.path, decided_by(each))
            self.session = advance(self.session, move).session

    def look(self) -> None:
        """Show the page, and learn what others have done, as each second of a review does."""
        self.session = arrived(self.session)
        news = self.store.changed_elsewhere().images
        self.hear(*self.store.standing_of(news).values())
        self.claim()

    def decide(self) -> None:
        step = advance(self.session, DecidePage())
        made = [decision(self.kit, each.path, BOX) for each in step.decisions]
        overtaken = self.kit.decide_as_seen(made, [None] * len(made)) if made else ()
        self.refused += len(overtaken)
        if overtaken:
            self.hear(*overtaken)
        else:
            self.decided += len(made)
            self.session = step.session

    def work(self) -> None:
        while not self.session.ended:
            self.look()
            time.sleep(self.chance.uniform(0.001, THINKING))
            self.decide()


def arrived(session: ReviewState) -> ReviewState:
    for entry in session.entries:
        if isinstance(entry, Loading):
            session = advance(session, ImageLoaded(entry.path, "a" * 64, BOX.size)).session
    return session


def _failed(problem: Problem) -> None:
    """Fail, but for a lock that was not to be had in time, where a machine has much to do."""
    if problem.path != OWNERS:
        raise AssertionError(problem)


def main(folder: str, name: str, seed: str, how: str) -> None:
    """Review all of it."""
    with Collection(folder, reviewer=name) as kit:
        reviewer = Reviewer(kit, seed, leased=how == "leased")
        reviewer.work()
    print(json.dumps({"decided": reviewer.decided, "refused": reviewer.refused}))  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
