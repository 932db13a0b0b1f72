import pytest

from cropkit.lossless.edges import Visible
from cropkit.lossless.windows import grid_of, windows

QUARTERED = [(2, 2), (1, 1), (1, 1)]
INSIDE = (True, True)


@pytest.mark.parametrize(
    ("sampling", "step"),
    [
        ([(1, 1)], (8, 8)),
        ([(2, 2)], (8, 8)),
        ([(1, 1), (1, 1), (1, 1)], (8, 8)),
        ([(2, 1), (2, 1), (2, 1)], (8, 8)),
        ([(2, 1), (1, 1), (1, 1)], (16, 8)),
        ([(1, 2), (1, 1), (1, 1)], (8, 16)),
        (QUARTERED, (16, 16)),
        ([(4, 1), (1, 1), (1, 1)], (32, 8)),
        ([(3, 1), (2, 1), (2, 1)], (24, 8)),
        ([(4, 2), (2, 1), (2, 2)], (16, 16)),
    ],
)
def test_the_grid_is_where_every_component_has_a_corner(
    sampling: list[tuple[int, int]], step: tuple[int, int]
) -> None:
    assert grid_of(sampling) == step


def test_a_window_counts_in_blocks_of_its_own_component() -> None:
    luma, chroma, _ = windows(QUARTERED, (32, 16, 141, 103), INSIDE)
    assert (luma.left, luma.top, luma.columns, luma.rows) == (4, 2, 14, 11)
    assert (chroma.left, chroma.top, chroma.columns, chroma.rows) == (2, 1, 7, 6)
    assert (luma.last, chroma.last) == (Visible(5, 7), Visible(7, 4))


def test_strips_cover_the_cut_edge_each_block_once() -> None:
    (window,) = windows([(1, 1)], (0, 0, 21, 12), INSIDE)
    places = [(r, c) for strip in window.strips() for r in strip.rows for c in strip.columns]
    assert sorted(places) == [(0, 2), (1, 0), (1, 1), (1, 2)]
    assert [strip.visible for strip in window.strips()] == [
        Visible(5, 8),
        Visible(8, 4),
        Visible(5, 4),
    ]


@pytest.mark.parametrize(
    ("box", "beyond"),
    [((0, 0, 24, 16), INSIDE), ((0, 0, 21, 12), (False, False))],
    ids=["the box ends with blocks", "the image ends there"],
)
def test_nothing_is_made_anew_where_nothing_is_hidden(
    box: tuple[int, int, int, int], beyond: tuple[bool, bool]
) -> None:
    (window,) = windows([(1, 1)], box, beyond)
    assert list(window.strips()) == []
    assert (window.whole_columns, window.whole_rows) == (window.columns, window.rows)


@pytest.mark.parametrize("beyond", [(True, False), (False, True)])
def test_each_side_is_cut_only_where_the_scene_goes_on(beyond: tuple[bool, bool]) -> None:
    (window,) = windows([(1, 1)], (0, 0, 21, 12), beyond)
    assert (window.cut_right, window.cut_bottom) == beyond
    assert (window.whole_columns, window.whole_rows) == (3 - beyond[0], 2 - beyond[1])
