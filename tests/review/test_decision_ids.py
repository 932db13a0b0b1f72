"""Ids of decisions are kept small, and come back as they were."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cropkit.review.model.listing import Index
from cropkit.review.runtime.decision_ids import DecisionIds

PATHS = ("a.png", "b.png", "c.png")
ids = st.one_of(
    st.uuids().map(lambda each: each.hex),
    st.sampled_from(["0" * 32, "A" * 32, "7", "an id\nof another tool", "f" * 31 + "\n"]),
)


@given(st.lists(st.tuples(st.sampled_from(PATHS), ids)), st.lists(st.sampled_from(PATHS)))
def test_the_latest_id_of_an_image_is_the_one(
    decisions: list[tuple[str, str]], asked: list[str]
) -> None:
    latest = dict(decisions)
    for cut in range(len(decisions) + 1):
        kept = DecisionIds(Index.of(PATHS), decisions[:cut])
        kept.update(decisions[cut:])
        assert [kept.get(path) for path in asked] == [latest.get(path) for path in asked]


def test_an_image_without_a_decision_has_no_id() -> None:
    kept = DecisionIds(Index.of(PATHS))
    with pytest.raises(KeyError, match=r"a\.png"):
        _ = kept["a.png"]
