"""A distribution brings a reader and a model; both work by name; what is broken says why."""

import sys
from pathlib import Path

import pictures
import pytest
import shell

import cropkit
from cropkit.geometry import PixelBox, Size

SIZE, BOX = Size(96, 64), PixelBox(8, 4, 40, 20)
MODULE = '''
"""Boxes in a format of one's own: a line an image, ``name=left+top+right+bottom``."""

from cropkit.labels.label import Label


def read(path):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        name, _, numbers = line.partition("=")
        left, top, right, bottom = map(float, numbers.split("+"))
        yield Label(f"{path.name}:{number}", name, (left, top, right, bottom))


def find(image):
    """A model: the middle half of each image."""
    width, height = image.size
    return [[width / 4, height / 4, width * 3 / 4, height * 3 / 4, 0.5]]


def other(path):
    yield "no label"


NO_READER = 7
'''
POINTS = """
[cropkit.readers]
plus = example_boxes:read
other = example_boxes:other
seven = example_boxes:NO_READER
gone = example_nowhere:read

[cropkit.suggesters]
middle = example_boxes:find
gone = example_boxes:nothing
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install the example as a wheel is: a module, and what describes it; return a folder."""
    site = tmp_path / "site"
    info = site / "example_boxes-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: example-boxes\nVersion: 1\n")
    (info / "entry_points.txt").write_text(POINTS)
    (site / "example_boxes.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.delitem(sys.modules, "example_boxes", raising=False)
    folder = tmp_path / "set"
    folder.mkdir()
    pictures.write_jpeg(folder / "a.jpg")
    return folder


def shown(folder: Path) -> list[PixelBox]:
    with cropkit.open(folder) as collection:
        suggestions = collection.suggestions(collection.look("a.jpg"))
    return [each.box.pixels(SIZE) for each in suggestions]


def test_a_reader_of_a_plug_in_is_found_by_its_name(installed: Path) -> None:
    path = installed.parent / "boxes.plus"
    path.write_text("a.jpg=8+4+40+20\n")
    ended = shell.run("import", installed, path, "--format", "plus")
    assert (ended.returncode, ended.stdout) == (0, "boxes.plus: 1 box for 1 image (plus)\n")
    assert shown(installed) == [BOX]


def test_a_model_of_a_plug_in_is_found_by_its_name(installed: Path) -> None:
    assert shell.run("suggest", installed, "--with", "middle").returncode == 0
    assert shown(installed) == [PixelBox(24, 16, 72, 48)]


def test_nothing_of_a_plug_in_is_loaded_that_nobody_named(installed: Path) -> None:
    path = installed.parent / "boxes.csv"
    path.write_text("file,x1,y1,x2,y2\na.jpg,8,4,40,20\n")
    assert shell.run("import", installed, path).returncode == 0
    assert "example_boxes" not in sys.modules


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("plus", "a.jpg=8+4\n", "plus raised ValueError"),
        ("other", "", "other yields str, not cropkit.labels.label.Label"),
        ("seven", "", "cannot be called"),
        ("gone", "", "example_nowhere:read cannot be loaded"),
        ("nobody", "", "plus"),
    ],
)
def test_a_reader_that_does_not_work_says_why(
    installed: Path, name: str, text: str, expected: str
) -> None:
    path = installed.parent / "boxes.plus"
    path.write_text(text)
    ended = shell.run("import", installed, path, "--format", name)
    assert (ended.returncode, expected in ended.stderr) == (1, True), ended.stderr


@pytest.mark.parametrize("name", ["gone", "nobody"])
def test_a_model_that_does_not_load_says_why(installed: Path, name: str) -> None:
    ended = shell.run("suggest", installed, "--with", name)
    assert (ended.returncode, "BadParameterValue" in ended.stderr) == (1, True)
    assert not (installed / ".cropkit").exists()
