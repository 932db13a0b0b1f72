"""The survey of confidences, on a worker that works at once."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from desktop import ManualLoop

from cropkit.review.model import ConfidenceScanned
from cropkit.review.runtime.confidence_scan import ConfidenceScan

if TYPE_CHECKING:
    from cropkit.review.runtime.background import BackgroundThread
    from cropkit.review.runtime.guard import Guard
    from cropkit.review.runtime.review_store import ReviewStore

PATHS = [f"{number}.png" for number in range(2345)]


class AtOnce:
    def submit(self, _: str, work: Callable[[], Any], then: Callable[[Any], None]) -> None:
        then(work())


class Sure:
    set_aside: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self.asked: list[str] = []

    def confidence(self, path: str) -> float | None:
        self.asked.append(path)
        return int(path.removesuffix(".png")) % 10 / 10


class Plain:
    def watch(self, callback: Callable[[], None]) -> Callable[[], None]:
        return callback


def scan(loop: ManualLoop, kit: Sure) -> ConfidenceScan:
    return ConfidenceScan(
        cast("ReviewStore", kit),
        cast("BackgroundThread", AtOnce()),
        loop,
        cast("Guard", Plain()),
        least=0.2,
    )


def test_images_that_are_listed_later_are_asked_about_once_too() -> None:
    loop, kit, told = ManualLoop(), Sure(), list[ConfidenceScanned]()
    survey = scan(loop, kit)
    survey.follow(PATHS[:20])
    assert not kit.asked, "it has not begun"
    survey.begin(PATHS[:70], told.append)
    for count in (110, 110, 120, len(PATHS)):
        for _ in range(10):
            loop.sleep(0.1)
        survey.follow(PATHS[:count])
    for _ in range(100):
        loop.sleep(0.1)
    assert kit.asked == PATHS
    found = [path for part in told for path in part.unsure]
    assert sorted(found) == sorted(path for path in PATHS if path[-5] in "01")


def test_each_image_is_asked_about_once_and_what_is_found_is_told_in_few_parts() -> None:
    loop, kit, told = ManualLoop(), Sure(), list[ConfidenceScanned]()
    survey = scan(loop, kit)
    for _ in range(2):
        survey.begin(PATHS, told.append)
    assert len(kit.asked) < 100, "the rest waits for its turn"
    for _ in range(100):
        loop.sleep(0.1)
    assert kit.asked == PATHS
    assert [len(part.unsure) for part in told] == [200, 200, 70]
    assert [len(part.sure) for part in told] == [1000, 1000, 345]
    assert [part.whole for part in told] == [False, False, True]
    found = [path for part in told for path in sorted(part.unsure)]
    assert sorted(found) == sorted(path for path in PATHS if path[-5] in "01")
