import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import sizes_with_boxes

from cropkit.errors import BadSuggestion, MissingFile
from cropkit.geometry import NormalizedBox, PixelBox, Size
from cropkit.records import Problem, ProblemKind
from cropkit.suggest import Suggested, Table

SIZE = Size(100, 200)
BOX = PixelBox(10, 20, 90, 180)
HEADERS = {
    "xyxy": ["left,top,right,bottom", "x1,y1,x2,y2", "xmin,ymin,xmax,ymax", "X1, Y1, X2, Y2"],
    "xywh": ["x,y,w,h", "x,y,width,height", "left,top,width,height"],
    "cxcywh": ["cx,cy,w,h", "x_center,y_center,width,height"],
}
PIXELS = {"xyxy": "10,20,90,180", "xywh": "10,20,80,160", "cxcywh": "50,100,80,160"}
FRACTIONS = {"xyxy": "0.1,0.1,0.9,0.9", "xywh": "0.1,0.1,0.8,0.8", "cxcywh": "0.5,0.5,0.8,0.8"}


def csv(folder: Path, text: str, **convention: Any) -> Table:
    path = folder / "boxes.csv"
    path.write_text(text, encoding="utf-8")
    return Table.from_csv(path, **convention)


def asked(table: Table, path: str = "a.png", size: Size = SIZE) -> Suggested:
    return table.suggest(path, size, "0" * 64)


def pixels(found: Suggested, size: Size = SIZE) -> list[PixelBox]:
    return [suggestion.box.pixels(size) for suggestion in found.suggestions]


@pytest.mark.parametrize(("order", "header"), [(o, h) for o in HEADERS for h in HEADERS[o]])
@pytest.mark.parametrize(("units", "values"), [("pixels", PIXELS), ("normalized", FRACTIONS)])
def test_every_declared_convention_gives_the_same_box(
    tmp_path: Path, order: str, header: str, units: str, values: dict[str, str]
) -> None:
    text = f"filename,{header}\na.png,{values[order]}\n"
    assert pixels(asked(csv(tmp_path, text, order=order, units=units))) == [BOX]


@given(pair=sizes_with_boxes(), order=st.sampled_from(["xyxy", "xywh"]))
def test_any_pixel_box_comes_back_exactly(pair: tuple[Size, PixelBox], order: str) -> None:
    size, box = pair
    assume(box.xyxy != (0, 0, 1, 1))  # which normalized tables hold for the full image
    last = box.xyxy[2:] if order == "xyxy" else (box.size.width, box.size.height)
    names = ["x1", "y1", "x2", "y2"] if order == "xyxy" else ["x", "y", "w", "h"]
    row = dict(zip(["path", *names], ["a.png", box.left, box.top, *last], strict=True))
    table = Table.from_frame(pd.DataFrame([row]), order=order)
    assert pixels(asked(table, size=size), size) == [box]


@given(pair=sizes_with_boxes(), orientation=st.integers(1, 8))
def test_stored_boxes_are_turned_upright(pair: tuple[Size, PixelBox], orientation: int) -> None:
    size, box = pair
    assume(box.stored(size, orientation).xyxy != (0, 0, 1, 1))
    stored = box.stored(size, orientation)
    frame = pd.DataFrame([["a.jpg", *stored.xyxy]], columns=["path", "x1", "y1", "x2", "y2"])
    table = Table.from_frame(frame, frame="stored", orientation=lambda _: orientation)
    assert pixels(asked(table, "a.jpg", size), size) == [box]


def test_rows_of_one_image_are_ranked_by_confidence(tmp_path: Path) -> None:
    table = csv(
        tmp_path,
        "image,x1,y1,x2,y2,score,source,version\n"
        "a.png,0,0,10,10,0.2,detector,v1\na.png,0,0,20,20,,,\na.png,0,0,30,30,0.9,detector,v2\n",
    )
    found = asked(table).suggestions
    assert [(s.rank, s.confidence, s.source, s.version) for s in found] == [
        (0, 0.9, "detector", "v2"),
        (1, 0.2, "detector", "v1"),
        (2, None, "table", ""),
    ]


def test_a_rank_column_comes_before_confidence(tmp_path: Path) -> None:
    table = csv(
        tmp_path,
        "file,x1,y1,x2,y2,score,rank\na.png,0,0,10,10,0.9,2\na.png,0,0,20,20,0.1,1\n",
    )
    assert [box.right for box in pixels(asked(table))] == [20, 10]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("a.png,ten,20,90,180,", "x1 is 'ten', not a number"),
        ("a.png,,20,90,180,", "x1 is '', not a number"),
        ("a.png,1_0,20,90,180,", "not a number"),
        ("a.png,nan,20,90,180,", "not finite"),
        ("a.png,10,20,inf,180,", "not finite"),
        ("a.png,10,20", "x2 is missing"),
        ("a.png,90,20,10,180,", "is empty or inverted"),
        ("a.png,10,20,10,180,", "is empty or inverted"),
        ("a.png,10,20,101,180,", "reaches outside"),
        ("a.png,-1,20,90,180,", "reaches outside"),
        ("a.png,0.1,0.1,0.9,0.9,", "looks normalized where pixels are declared"),
        ("a.png,10,20,90,180,87", "confidence 87 is not in 0..1"),
        ("a.png,10,20,90,180,high", "score is 'high', not a number"),
    ],
)
def test_a_bad_row_is_reported_by_line_and_the_rest_is_used(
    tmp_path: Path, row: str, reason: str
) -> None:
    table = csv(tmp_path, f"path,x1,y1,x2,y2,score\nb.png,1,1,9,9,1\n{row}\nc.png,1,1,9,9,\n")
    found = asked(table)
    assert found.suggestions == ()
    assert [(p.kind, p.path) for p in found.problems] == [(ProblemKind.SUGGESTION, "boxes.csv:3")]
    assert reason in found.problems[0].reason
    assert len(pixels(asked(table, "b.png"))) == len(pixels(asked(table, "c.png"))) == 1
    assert table.problems == ()


def test_half_a_pixel_of_overshoot_is_clamped(tmp_path: Path) -> None:
    table = csv(tmp_path, "path,x1,y1,x2,y2\na.png,-0.4,-0.5,100.5,200.2\n")
    assert pixels(asked(table)) == [PixelBox.full(SIZE)]


def test_pixels_in_a_normalized_table_are_refused(tmp_path: Path) -> None:
    table = csv(tmp_path, "path,x1,y1,x2,y2\na.png,10,20,90,180\n", units="normalized")
    assert "looks like pixels" in asked(table).problems[0].reason


@pytest.mark.parametrize(
    "path", ["../a.png", "a/../../b.png", "/etc/a.png", "C:\\a.png", "\\\\host\\a.png", "", "  "]
)
def test_a_path_that_leaves_the_collection_belongs_to_no_image(tmp_path: Path, path: str) -> None:
    table = csv(tmp_path, f'path,x1,y1,x2,y2\n"{path}",1,1,9,9\na.png,1,1,9,9\n')
    assert [problem.path for problem in table.problems] == ["boxes.csv:2"]
    assert len(asked(table).suggestions) == 1


@pytest.mark.parametrize("path", ["sub\\a.png", "./sub/a.png", "sub//a.png", " sub/a.png "])
def test_paths_are_read_as_the_collection_lists_them(tmp_path: Path, path: str) -> None:
    table = csv(tmp_path, f"path,x1,y1,x2,y2\n{path},1,1,9,9\n")
    assert len(asked(table, "sub/a.png").suggestions) == 1


@pytest.mark.parametrize("before", ["", "./"])
def test_composed_and_decomposed_names_are_one(tmp_path: Path, before: str) -> None:
    table = csv(tmp_path, f"path,x1,y1,x2,y2\n{before}U\u0308.png,1,1,9,9\n")
    assert len(asked(table, "Ü.png").suggestions) == 1
    assert table.unmatched(["U\u0308.png"]) == ()


def test_rows_for_images_that_are_not_there_can_be_listed(tmp_path: Path) -> None:
    table = csv(tmp_path, "path,x1,y1,x2,y2\na.png,1,1,9,9\ngone.png,1,1,9,9\nbad.png,x,1,9,9\n")
    assert table.unmatched(["a.png"]) == (
        Problem(
            ProblemKind.SUGGESTION,
            "boxes.csv",
            "has rows for gone.png, which is not in the collection",
        ),
        Problem(
            ProblemKind.SUGGESTION,
            "boxes.csv",
            "has rows for bad.png, which is not in the collection",
        ),
    )


def test_an_image_without_a_row_is_told_apart_from_one_with_a_bad_row(tmp_path: Path) -> None:
    table = csv(tmp_path, "path,x1,y1,x2,y2\na.png,1,1,9,9\n")
    assert asked(table, "b.png").problems == (
        Problem(ProblemKind.NO_SUGGESTION, "b.png", "no row in boxes.csv"),
    )


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_spreadsheets_own_ways_of_csv_are_read(
    tmp_path: Path, separator: str, mark: str, end: str
) -> None:
    lines = ["path,x1,y1,x2,y2", '"a.png",10,20,90,180', ""]
    text = mark + end.join(lines).replace(",", separator)
    (tmp_path / "boxes.csv").write_bytes(text.encode())
    assert pixels(asked(Table.from_csv(tmp_path / "boxes.csv"))) == [BOX]


def test_columns_of_other_names_can_be_declared(tmp_path: Path) -> None:
    own = {"path": "img", "left": "a", "top": "b", "right": "c", "bottom": "d"}
    table = csv(tmp_path, "img,a,b,c,d\na.png,10,20,90,180\n", columns=own)
    assert pixels(asked(table)) == [BOX]


@pytest.mark.parametrize(
    ("text", "convention", "reason"),
    [
        ("", {}, "no columns for the image's path"),
        ("a.png,10,20,90,180\n", {}, "no columns for the image's path"),
        ("path,x,y,w,h\na.png,1,1,9,9\n", {}, "no columns for xyxy boxes"),
        ("path,x1,y1,x2,y2\n", {"order": "xywh"}, "no columns for xywh boxes"),
        ("path,x1,y1,x2,y2\n", {"columns": {"path": "img"}}, "no column 'img'"),
        ("path,x1,y1,x2,y2\n", {"order": "yxyx"}, "'yxyx' is none of"),
        ("path,x1,y1,x2,y2\n", {"units": "permille"}, "'permille' is none of"),
        ("path,x1,y1,x2,y2\n", {"frame": "stored"}, "need each image's orientation"),
    ],
)
def test_a_table_that_does_not_fit_its_convention_is_refused_whole(
    tmp_path: Path, text: str, convention: dict[str, Any], reason: str
) -> None:
    with pytest.raises(BadSuggestion, match=reason):
        csv(tmp_path, text, **convention)


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"path,x1,y1,x2,y2\n\xfc.png,1,1,9,9\n"])
def test_a_csv_that_is_not_utf_8_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "boxes.csv").write_bytes(data)
    with pytest.raises(BadSuggestion, match="is not UTF-8"):
        Table.from_csv(tmp_path / "boxes.csv")


def test_a_missing_csv_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingFile):
        Table.from_csv(tmp_path / "boxes.csv")
    with pytest.raises(BadSuggestion, match="cannot be read"):
        Table.from_csv(tmp_path)


def test_a_cell_too_long_for_csv_ends_the_reading_loudly(tmp_path: Path) -> None:
    table = csv(tmp_path, 'path,x1,y1,x2,y2\na.png,1,1,9,9\n"' + "x" * 200_000)
    assert len(asked(table).suggestions) == 1
    assert "nothing after it was read" in table.problems[0].reason


def test_a_frame_with_gaps_and_numpy_and_nullable_types_is_read() -> None:
    frame = pd.DataFrame(
        {
            "path": pd.Series(["a.png", None, "b.png"], dtype="string"),
            "x1": np.array([10, 1, 1], dtype=np.int32),
            "y1": pd.array([20, 1, 1], dtype="Int64"),
            "x2": np.array([90, 9, 9], dtype=np.float32),
            "y2": [180, 9, None],
            "confidence": pd.array([0.5, None, None], dtype="Float64"),
        }
    )
    table = Table.from_frame(frame)
    assert pixels(asked(table)) == [BOX]
    assert asked(table).suggestions[0].confidence == 0.5
    assert [p.path for p in table.problems] == ["DataFrame row 1"]
    assert [p.path for p in asked(table, "b.png").problems] == ["DataFrame row 2"]


@pytest.mark.parametrize("orientation", [0, 9, -1])
def test_an_orientation_that_exif_does_not_have_is_a_problem(
    tmp_path: Path, orientation: int
) -> None:
    text = "path,x1,y1,x2,y2\na.png,10,20,90,180\n"
    table = csv(tmp_path, text, frame="stored", orientation=lambda _: orientation)
    assert "is not 1 to 8" in asked(table).problems[0].reason


def test_an_orientation_that_cannot_be_found_is_a_problem(tmp_path: Path) -> None:
    def orientation(path: str) -> int:
        raise MissingFile(path)

    text = "path,x1,y1,x2,y2\na.png,10,20,90,180\n"
    table = csv(tmp_path, text, frame="stored", orientation=orientation)
    assert "a.png: no such file" in asked(table).problems[0].reason


@given(text=st.text(alphabet='a.png,;\t"\n\r0123456789-eE+\0é', max_size=200))
def test_whatever_the_rows_hold_a_table_never_stops_the_review(text: str) -> None:

    with tempfile.TemporaryDirectory() as folder:  # a fixture is made once for all examples
        table = csv(Path(folder), "path,x1,y1,x2,y2,score\n" + text)
    found = asked(table)
    assert all(s.box.pixels(SIZE).within(SIZE) for s in found.suggestions)
    assert all(p.reason for p in (*found.problems, *table.problems))


def test_the_full_box_in_normalized_units_is_the_whole_image(tmp_path: Path) -> None:
    table = csv(tmp_path, "path,x1,y1,x2,y2\na.png,0,0,1.0000004,1\n", units="normalized")
    assert asked(table).suggestions[0].box == NormalizedBox(0.0, 0.0, 1.0, 1.0)


def test_reading_suggestions_does_not_load_pandas() -> None:
    code = "import sys, cropkit.suggest; sys.exit('pandas' in sys.modules)"
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


def test_the_confidence_is_that_of_the_box_which_comes_first(tmp_path: Path) -> None:
    rows = "a.png,0.2\na.png,0.8\nb.png,\nc.png,0.1\n".replace(",", ",0,0,9,9,")
    table = csv(tmp_path, f"filename,x1,y1,x2,y2,confidence\n{rows}")
    sure = {path: table.confidence(path) for path in ("a.png", "b.png", "c.png", "d.png")}
    assert sure == {"a.png": 0.8, "b.png": None, "c.png": 0.1, "d.png": None}
    first = asked(table).suggestions[0]
    assert first.confidence == 0.8


def test_a_box_that_cannot_be_used_costs_the_next_one_of_its_image_nothing(tmp_path: Path) -> None:
    table = csv(
        tmp_path,
        "path,x1,y1,x2,y2,score\na.png,0,0,9999,9999,0.9\na.png,10,20,90,180,0.5\n",
    )
    found = table.suggest("a.png", Size(100, 200), "0" * 64)
    assert [one.confidence for one in found.suggestions] == [0.5]
    assert [one.kind for one in found.problems] == [ProblemKind.SUGGESTION]
