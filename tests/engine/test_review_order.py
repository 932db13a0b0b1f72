"""What is shown first is known before all names are compared, and the order is the same."""

from collections.abc import Callable
from itertools import chain
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cropkit.engine import review_order
from cropkit.engine.listing import listed, streamed
from cropkit.engine.review_order import in_turn, runs
from cropkit.system.scope import Scope

RUN = 64
MANY = 4_000
FAMILIES: dict[str, Callable[[int], str]] = {
    "a time": lambda n: f"20260105_{n:06d}_stage{n % 3}_image.jpg",
    "a number": lambda n: f"IMG_{n}.jpg",
    "a number after another": lambda n: f"COCO_val2014_{n:012d}.jpg",
    "two kinds": lambda n: f"COCO_{('train', 'val')[n % 2]}2014_{n:012d}.jpg",
    "a hash": lambda n: f"{Random(n).getrandbits(128):032x}.jpg",  # noqa: S311  (names)
    "a word": lambda n: f"{'abcdefgh'[n % 8]}{'ABCDEFGH'[n // 8 % 8]} of {n // 64}.png",
}

parts = st.sampled_from(
    ["a", "A", "\u00df", "ss", "-", "_", "1", "01", "2", "10", "20260105_101010", "_stage2"]
)
names = st.lists(st.lists(parts, min_size=1, max_size=6).map("".join), unique=True, max_size=40)


def whole(names: list[str]) -> list[str]:
    return sorted(names, key=lambda name: (review_order.review_order(name), name))


@given(names, st.integers(1, 9), st.integers(0, 5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_some_at_a_time_they_are_in_the_same_order(
    monkeypatch: pytest.MonkeyPatch, names: list[str], run: int, levels: int
) -> None:
    monkeypatch.setattr(review_order, "RUN", run)
    assert [*chain(*in_turn(names, levels))] == whole(names)


@given(st.lists(st.text(min_size=1).filter(lambda text: "/" not in text), unique=True))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_names_are_in_the_same_order(monkeypatch: pytest.MonkeyPatch, names: list[str]) -> None:
    monkeypatch.setattr(review_order, "RUN", 2)
    assert [*chain(*in_turn(names))] == whole(names)


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of which a whole key is made."""
    keys: list[str] = []
    real = review_order.natural

    def natural(text: str) -> review_order.Natural:
        keys.append(text)
        return real(text)

    monkeypatch.setattr(review_order, "natural", natural)
    monkeypatch.setattr(review_order, "RUN", RUN)
    return keys


@pytest.mark.parametrize("family", FAMILIES)
def test_the_first_of_many_are_known_before_the_others_are_compared(
    compared: list[str], family: str
) -> None:
    many = [FAMILIES[family](number) for number in range(MANY)]
    Random(1).shuffle(many)  # noqa: S311  (names)
    coming = in_turn(many)
    first = next(coming)
    assert len(compared) <= 2 * RUN
    assert RUN <= len(first) <= 2 * RUN
    assert [*chain(first, *coming)] == whole(many)


def test_names_that_differ_as_late_as_they_can_are_looked_at_a_few_times(
    compared: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[str] = []
    real = review_order._first  # noqa: SLF001  (each look takes it)

    def first(name: str) -> tuple[str, float]:
        looks.append(name)
        return real(name)

    monkeypatch.setattr(review_order, "_first", first)
    late = [f"{'A1' * (n % 100)}{'a1' * (100 - n % 100)}x{n}.png" for n in range(MANY)]
    assert [*chain(*in_turn(late))] == whole(late)
    assert len(looks) <= 7 * MANY
    assert len(compared) <= 3 * MANY


def test_names_that_come_are_told_as_they_come() -> None:
    assert [*runs([])] == [[]]
    assert [*map(len, runs(map(str, range(review_order.RUN + 1))))] == [review_order.RUN, 1]


def test_a_large_folder_comes_in_runs_and_is_the_list(compared: list[str], tmp_path: Path) -> None:
    for number in range(10 * RUN):
        (tmp_path / FAMILIES["a number"](number)).touch()
    stretches = streamed(Scope(tmp_path))
    first = next(stretches).images
    assert len(compared) <= 2 * RUN
    rest = [stretch.images for stretch in stretches]
    assert max(map(len, rest)) <= 2 * RUN
    assert [*first, *chain(*rest)] == listed(Scope(tmp_path)).images
