"""Hypothesis strategies, one for each domain type, registered so that a test says "for any box"."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from cropkit.geometry import NormalizedBox, PixelBox, Size
from cropkit.records import Decision, Suggestion, Verdict

SIDE = 5000


def sizes(largest: int = SIDE) -> st.SearchStrategy[Size]:
    side = st.integers(1, largest)
    return st.builds(Size, side, side)


def spans(extent: int) -> st.SearchStrategy[tuple[int, int]]:
    """Draw a non-empty half-open span of whole numbers inside 0..extent."""
    return st.integers(0, extent - 1).flatmap(
        lambda low: st.tuples(st.just(low), st.integers(low + 1, extent))
    )


def boxes_in(size: Size) -> st.SearchStrategy[PixelBox]:
    return st.builds(
        lambda x, y: PixelBox(x[0], y[0], x[1], y[1]), spans(size.width), spans(size.height)
    )


def sizes_with_boxes(largest: int = SIDE) -> st.SearchStrategy[tuple[Size, PixelBox]]:
    """Draw a size and a box inside it."""
    return sizes(largest).flatmap(lambda size: st.tuples(st.just(size), boxes_in(size)))


def fractions() -> st.SearchStrategy[tuple[float, float]]:
    """Draw an ordered pair of different numbers in 0..1."""
    return (
        st.tuples(st.floats(0, 1), st.floats(0, 1))
        .filter(lambda pair: pair[0] != pair[1])
        .map(lambda pair: (min(pair), max(pair)))
    )


def normalized_boxes() -> st.SearchStrategy[NormalizedBox]:
    return st.builds(lambda x, y: NormalizedBox(x[0], y[0], x[1], y[1]), fractions(), fractions())


def moments() -> st.SearchStrategy[datetime]:
    return st.datetimes(
        min_value=datetime(2025, 1, 1),  # noqa: DTZ001  (hypothesis adds the zone itself)
        max_value=datetime(2035, 1, 1),  # noqa: DTZ001
        timezones=st.just(UTC),
    )


def digests() -> st.SearchStrategy[str]:
    return st.binary(min_size=32, max_size=32).map(bytes.hex)


def paths() -> st.SearchStrategy[str]:
    """Draw paths as a collection lists them: relative, with forward slashes."""
    part = st.text("abcXYZ019_-. äß漢", min_size=1, max_size=8).filter(lambda p: p.strip(". "))
    suffix = st.sampled_from([".png", ".jpg", ".JPEG"])
    return st.builds(
        lambda parts, end: "/".join(parts) + end, st.lists(part, min_size=1, max_size=3), suffix
    )


def suggestions() -> st.SearchStrategy[Suggestion]:
    return st.builds(
        Suggestion,
        box=normalized_boxes(),
        source=st.sampled_from(["decision-sidecar", "table", "centre"]),
        version=st.sampled_from(["", "Ranker v3", "suggestion"]),
        rank=st.integers(0, 5),
        confidence=st.none() | st.floats(0, 1),
    )


@st.composite
def decisions(draw: st.DrawFn) -> Decision:
    size, drawn = draw(sizes_with_boxes())
    verdict = draw(st.sampled_from(Verdict))
    suggestion = draw(suggestions() if verdict is Verdict.ACCEPT else st.none() | suggestions())
    box: PixelBox | None = drawn if verdict.keeps_a_box else None
    if verdict is Verdict.ACCEPT and suggestion is not None:
        box = suggestion.box.pixels(size)
    if verdict is Verdict.KEPT_WHOLE:
        suggestion, box = None, PixelBox.full(size)
    shown = draw(moments())
    return Decision(
        path=draw(paths()),
        sha256=draw(digests()),
        size=size,
        verdict=verdict,
        box=box,
        reviewer=draw(st.sampled_from(["ada", "grace"])),
        session="crop_20260102_030405_ab12",
        shown_at=shown,
        decided_at=shown + timedelta(seconds=draw(st.floats(0, 600))),
        suggestion=suggestion,
    )


st.register_type_strategy(Size, sizes())
st.register_type_strategy(PixelBox, sizes_with_boxes().map(lambda pair: pair[1]))
st.register_type_strategy(NormalizedBox, normalized_boxes())
st.register_type_strategy(Verdict, st.sampled_from(Verdict))
st.register_type_strategy(Suggestion, suggestions())
st.register_type_strategy(Decision, decisions())
