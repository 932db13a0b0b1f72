"""Files beside an image: world files, GDAL's, YOLO's boxes and sidecars say what the crop shows."""

import pytest
from counting import calls
from hypothesis import given
from hypothesis import strategies as st

from cropkit.formats.companions import Followed, Frame, Outcome, followed, names
from cropkit.geometry import PixelBox, Size

SIZE = Size(640, 480)
BOX = PixelBox(160, 120, 480, 360)
FRAME = Frame(SIZE, 1, BOX)


def after(name: str, text: str, frame: Frame = FRAME) -> Followed:
    return followed(name, text.encode(), frame)


WORLD = "0.5\n0.0\n0.0\n-0.5\n1000.25\n2000.75\n"


@pytest.mark.parametrize("name", ["a.tfw", "a.PGW", "a.jgw", "a.tifw", "a.wld"])
def test_a_world_file_says_where_the_new_corner_is(name: str) -> None:
    moved = after(name, WORLD)
    assert moved == Followed(Outcome.PATCHED, b"0.5\n0.0\n0.0\n-0.5\n1080.25\n1940.75\n")


@given(st.tuples(*[st.floats(-1e6, 1e6)] * 6), st.integers(0, 300), st.integers(0, 200))
def test_every_pixel_stays_where_it_was_on_the_ground(
    numbers: tuple[float, ...], left: int, top: int
) -> None:
    a, d, b, e, c, f = numbers
    text = "\n".join(map(repr, numbers))
    moved = after("a.tfw", text, Frame(SIZE, 1, PixelBox(left, top, 640, 480)))
    assert moved.data is not None
    a2, d2, b2, e2, c2, f2 = map(float, moved.data.split())
    x, y = left + 7, top + 5
    assert a * x + b * y + c == pytest.approx(a2 * 7 + b2 * 5 + c2, rel=1e-9, abs=1e-3)
    assert d * x + e * y + f == pytest.approx(d2 * 7 + e2 * 5 + f2, rel=1e-9, abs=1e-3)


def test_a_world_file_is_of_the_stored_pixels() -> None:
    turned = Frame(SIZE, 6, PixelBox(0, 100, 480, 640))  # upright 480 x 640
    moved = after("a.jgw", "1\n0\n0\n1\n0\n0\n", turned)
    assert moved.data is not None
    left, top = turned.change.box.left, turned.change.box.top
    assert [float(w) for w in moved.data.split()] == [1, 0, 0, 1, left, top]
    assert (left, top) != (0, 100)


PAM = """<PAMDataset>
  <GeoTransform>  1.0e+03, 5.0e-01, 0.0, 2.0e+03, 0.0,-5.0e-01</GeoTransform>
  <GCPList><GCP Id="" Pixel="200.5" Line="130.0" X="1" Y="2"/></GCPList>
  <PAMRasterBand band="1">
    <Histograms><HistItem><HistCounts>1|2|3</HistCounts></HistItem></Histograms>
    <Metadata><MDI key="STATISTICS_MEAN">4.2</MDI><MDI key="UNIT">m</MDI></Metadata>
  </PAMRasterBand>
</PAMDataset>"""


def test_an_auxiliary_file_moves_and_counts_nothing_any_more() -> None:
    moved = after("a.tif.aux.xml", PAM)
    assert moved.outcome is Outcome.PATCHED
    assert moved.data is not None
    assert b"<GeoTransform>1080.0, 5.0e-01, 0.0,1940.0, 0.0,-5.0e-01</GeoTransform>" in moved.data
    assert b'Pixel="40.5" Line="10.0"' in moved.data
    assert b"Histograms" not in moved.data
    assert b"STATISTICS" not in moved.data
    assert b'<MDI key="UNIT">m</MDI>' in moved.data
    assert moved.notes == ("statistics of the whole image",)


def test_an_overview_goes() -> None:
    assert after("a.tif.ovr", "II*").outcome is Outcome.DROPPED


def test_boxes_of_yolo_move_and_those_outside_go() -> None:
    text = "0 0.5 0.5 0.1 0.2\n3 0.01 0.01 0.01 0.01\n7 0.25 0.5 0.2 0.2 0.9\n"
    moved = after("a.txt", text)
    assert moved.data == (
        b"0 0.500000 0.500000 0.200000 0.400000\n7 0.100000 0.500000 0.200000 0.400000 0.9\n"
    )
    assert moved.notes == ("1 boxes that were cropped out",)


def test_boxes_of_yolo_are_of_the_upright_image() -> None:
    turned = Frame(SIZE, 6, PixelBox(0, 320, 480, 640))
    assert after("a.txt", "0 0.5 0.75 0.5 0.5\n", turned).data == (
        b"0 0.500000 0.500000 0.500000 1.000000\n"
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", "0 0.1 0.1 0.2 0.1 0.2 0.2\n"),  # a polygon, or a pose
        ("a.json", '{"shapes": []}'),
        ("a.json", '{"annotations": []}'),
        ("a.xml", "<annotation><object><bndbox></bndbox></object></annotation>"),
        ("a.tif.msk", "II*"),
        ("a.tfw", "no world file"),
        ("a.tif.aux.xml", "<GeoTransform>1,2,3</GeoTransform>"),
        ("a.xmp", "<x GDepth:Data='iVBO'/>"),
    ],
)
def test_what_a_crop_makes_wrong_and_is_not_written_here_is_recognised(
    name: str, text: str
) -> None:
    assert after(name, text) == Followed(Outcome.WRONG, text.encode())


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", "a lighthouse at dusk, 3 gulls, 0.5 of them white"),
        ("a.txt", ""),
        ("a.json", '{"prompt": "a lighthouse"}'),
        ("a.decision", "{}"),
        ("a.md", "0 0.5 0.5 0.1 0.2"),
    ],
)
def test_what_speaks_of_no_pixels_stays(name: str, text: str) -> None:
    assert after(name, text) == Followed(Outcome.KEPT, text.encode())


def test_a_whole_image_changes_no_companion() -> None:
    whole = Frame(SIZE, 1, PixelBox.full(SIZE))
    for name, text in (("a.tfw", WORLD), ("a.ovr", "II*"), ("a.txt", "0 0.5 0.5 0.1 0.2")):
        assert after(name, text, whole) == Followed(Outcome.KEPT, text.encode())


def test_a_sidecar_moves_as_the_packet_in_a_file_does() -> None:
    moved = after("a.xmp", "<x tiff:ImageWidth='640' tiff:ImageLength='480'/>")
    assert moved.data == b"<x tiff:ImageWidth='320' tiff:ImageLength='240'/>"


def test_the_names_of_companions_are_those_that_programs_give() -> None:
    assert set(names("a.tif")) >= {"a.tfw", "a.tifw", "a.tif.aux.xml", "a.tif.ovr", "a.txt"}
    assert set(names("b.JPG")) >= {"b.JGw", "b.JPG.aux.xml", "b.xmp", "b.JPG.xmp"}


@pytest.mark.parametrize(
    ("name", "piece"),
    [
        ("a.aux.xml", b"<Histograms>"),
        ("a.aux.xml", b'<MDI key="STATISTICS_'),
        ("a.aux.xml", b'<GCP Pixel="1'),
        ("a.aux.xml", b'<GCP Pixel="1" '),
        ("a.txt", b"0 0.5 0.5 0.1 0.2\n"),
        ("a.txt", b"0 "),
        ("a.tfw", b"1 "),
        ("a.tfw", b"1"),
    ],
)
def test_a_companion_is_gone_through_once(name: str, piece: bytes) -> None:
    few, many = (piece * (size // len(piece)) for size in (1 << 14, 1 << 16))
    work = [calls(lambda data=data: followed(name, data, FRAME)) for data in (few, many)]  # type: ignore[misc]  # (bound at once)
    assert work[1] <= 4.2 * work[0] + 200
