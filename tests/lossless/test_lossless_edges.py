from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cropkit.lossless import edges
from cropkit.lossless.edges import Visible

FINE = (1,) * 64
COARSE = tuple(int(4 + 3 * (n % 8 + n // 8)) for n in range(64))
VISIBLES = [Visible(c, r) for c in (1, 3, 7, 8) for r in (1, 5, 8) if (c, r) != (8, 8)]


def blocks(n: int = 40, seed: int = 0, strength: float = 300) -> Any:
    """Quantised blocks as photographs have them: strong low frequencies, faint high ones."""
    rng = np.random.default_rng(seed)
    fade = np.array([1 / (1 + (k % 8) + (k // 8)) ** 2 for k in range(64)])
    return np.rint(rng.normal(0, strength * fade, (n, 64)) / np.array(COARSE)).astype(np.int16)


@pytest.mark.parametrize("visible", VISIBLES, ids=str)
def test_what_is_seen_stays_within_what_rounding_allows(visible: Visible) -> None:
    before = blocks()
    after = edges.regenerated(before, COARSE, visible)
    norms = np.sqrt(np.square(edges.apart(before, after, COARSE, visible)).sum(axis=1))
    assert norms.max() <= edges.limit(COARSE)
    assert norms.max() < 0.7 * edges.limit(COARSE)  # the search does better than it must


@pytest.mark.parametrize("visible", VISIBLES, ids=str)
def test_the_search_comes_closer_than_an_encoder_that_repeats_the_edge(visible: Visible) -> None:
    before = blocks(seed=1)
    seen = visible.mask.reshape(8, 8)
    squares = edges.shown(before, COARSE).reshape(-1, 8, 8)[:, : visible.rows, : visible.columns]
    hidden = ((0, 0), (0, 8 - visible.rows), (0, 8 - visible.columns))
    repeated = np.pad(squares, hidden, mode="edge") - 128
    at = np.arange(8)
    one = np.cos((2 * at[None] + 1) * at[:, None] * np.pi / 16) / 2
    one[0] /= np.sqrt(2)
    coded = np.rint(np.einsum("ux,nyx,vy->nvu", one, repeated, one).reshape(-1, 64) / COARSE)
    plain = np.square(edges.apart(before, coded.astype(np.int16), COARSE, visible)).mean()
    after = edges.regenerated(before, COARSE, visible)
    searched = np.square(edges.apart(before, after, COARSE, visible)).mean()
    assert searched < plain or searched == 0
    assert seen.sum() == visible.columns * visible.rows


@given(seed=st.integers(0, 10_000), visible=st.sampled_from(VISIBLES))
def test_blocks_that_look_the_same_become_the_same_whatever_they_hid(
    seed: int, visible: Visible
) -> None:
    """Two scenes that differ in nothing but what the edge hides, in tables of ones: almost every
    such pair is shown the same, and those that are not say nothing here."""
    rng = np.random.default_rng(seed)
    scene = rng.integers(40, 215, (1, 8, 8)).astype(float)
    other = scene.copy()
    hidden = ~visible.mask.reshape(8, 8)
    other[:, hidden] = rng.integers(0, 255, hidden.sum())
    pair = [_coded(each) for each in (scene, other)]
    seen = [edges.shown(each, FINE)[:, visible.mask] for each in pair]
    assume(np.array_equal(seen[0], seen[1]))
    assert not np.array_equal(pair[0], pair[1])
    made = [edges.regenerated(each, FINE, visible) for each in pair]
    assert np.array_equal(made[0], made[1])


def _coded(scene: Any) -> Any:
    at = np.arange(8)
    one = np.cos((2 * at[None] + 1) * at[:, None] * np.pi / 16) / 2
    one[0] /= np.sqrt(2)
    return (
        np.rint(np.einsum("ux,nyx,vy->nvu", one, scene - 128, one)).reshape(-1, 64).astype(np.int16)
    )


def test_coefficients_stay_in_the_range_that_baseline_codes_can_write() -> None:
    extreme = np.full((3, 64), 32767, np.int16)
    assert np.abs(edges.regenerated(extreme, FINE, Visible(3, 8))).max() <= 1023


def test_no_blocks_are_no_trouble() -> None:
    assert edges.regenerated(np.zeros((0, 64), np.int16), FINE, Visible(3, 8)).shape == (0, 64)
