"""The decisions in force as a DataFrame."""

from datetime import UTC
from pathlib import Path

import pandas as pd
from exporting import DECIDED, expected

import cropkit
from cropkit.exports.frame import frame


def test_a_row_for_each_decision_in_force_with_columns_of_one_type(album: Path) -> None:
    with cropkit.open(album) as kit:
        held = frame(kit.trail, kit.root)
    boxed = held[held["left"].notna()]
    assert {
        (row.path, row.slot or (row.target if isinstance(row.target, str) else "crop"), edges)
        for row in boxed.itertuples()
        for edges in [(row.left, row.top, row.right, row.bottom)]
    } == expected()
    twice_more = ["a_stage2.png"] * 2
    assert sorted(held["path"]) == sorted([*DECIDED, *twice_more, "b_stage2.png", "f.png"])
    assert str(held["verdict"].dtype) == "category"
    assert set(held["verdict"]) == {"accept", "adjusted", "kept-whole", "reject", "skip"}
    for name in ("left", "right", "upright_width", "suggestion_rank", "crop_top"):
        assert held[name].dtype == pd.Int64Dtype(), name
    for name in ("path", "slot", "target", "reviewer"):
        assert isinstance(held[name].dtype, pd.StringDtype), name
    for name in ("iou", "normalized_left", "suggestion_confidence"):
        assert held[name].dtype == "float64", name
    for name in ("shown_at", "decided_at"):
        assert isinstance(held[name].dtype, pd.DatetimeTZDtype), name
        assert held[name].dt.tz is UTC or str(held[name].dt.tz) == "UTC"
    assert held["before_crop"].dtype == bool


def test_an_empty_collection_has_the_same_columns_of_the_same_types(
    album: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    with cropkit.open(album) as kit, cropkit.open(tmp_path / "empty") as none:
        full, empty = frame(kit.trail, kit.root), frame(none.trail, none.root)
    assert len(empty) == 0
    assert [*empty.columns] == [*full.columns]
    assert [str(kind) for kind in empty.dtypes] == [str(kind) for kind in full.dtypes]
