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


def test_ids_of_what_is_listed_later_are_kept_as_small() -> None:
    index, pairs = Index.of(PATHS[:1]), [(path, f"{n + 1:032x}") for n, path in enumerate(PATHS)]
    kept = DecisionIds(index, pairs[:1])
    kept.follow(index.with_listed(PATHS[1:]).added("later.png"))
    kept.update([*pairs[1:], ("later.png", "7" * 32)])
    assert [kept[path] for path in PATHS] == [decision for _, decision in pairs]
    assert kept["later.png"] == "7" * 32
    assert len(kept._others) == 1


def test_an_image_without_a_decision_has_no_id() -> None:
    kept = DecisionIds(Index.of(PATHS))
    with pytest.raises(KeyError, match=r"a\.png"):
        _ = kept["a.png"]
