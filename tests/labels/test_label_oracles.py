"""Files that another program wrote, and exports of ours, are read as what they are."""

import json
from collections.abc import Callable
from pathlib import Path

import globox
import pictures
import pytest
import shell
from deciding import decided
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import boxes_in

import cropkit
from cropkit.geometry import PixelBox, Size
from cropkit.labels.labelled import Labelled

SIZES = {"a.jpg": Size(640, 480), "b.jpg": Size(101, 977), "c.jpg": Size(4032, 3024)}
Boxes = dict[str, list[PixelBox]]
BOXES = st.fixed_dictionaries(
    {name: st.lists(boxes_in(size), min_size=1, max_size=3) for name, size in SIZES.items()}
)
Save = Callable[[globox.AnnotationSet, Path], object]
# format of ours: how globox writes it, and by how many pixels its corner begins elsewhere
WRITERS: dict[str, tuple[Save, int]] = {
    "coco": (lambda every, to: every.save_coco(to / "coco.json", auto_ids=True), 0),
    "yolo": (lambda every, to: every.save_yolo_v5(to, label_to_id={"dog": 1}), 0),
    # globox counts from 0 what the development kit counts from 1
    "voc": (lambda every, to: every.save_pascal_voc(to), 1),
    "cvat": (lambda every, to: every.save_cvat(to / "cvat.xml"), 0),
    "labelme": (lambda every, to: every.save_labelme(to), 0),
}


def by_globox(boxes: Boxes) -> globox.AnnotationSet:
    return globox.AnnotationSet(
        globox.Annotation(
            name,
            (SIZES[name].width, SIZES[name].height),
            [
                globox.BoundingBox(
                    label="dog", xmin=b.left, ymin=b.top, xmax=b.right, ymax=b.bottom
                )
                for b in of_image
            ],
        )
        for name, of_image in boxes.items()
    )


def read(path: Path, *, away: int = 0) -> Boxes:
    """Return what we read, moved to where globox' corner is."""
    labels = Labelled(path).of(None, lambda: SIZES)  # type: ignore[arg-type]  # no orientation is asked for
    assert (labels.problems, labels.strange()) == ((), ())
    result: Boxes = {}
    for name, size in SIZES.items():
        suggested = labels.suggest(name, size, "")
        assert not suggested.problems
        pixels = [each.box.pixels(size) for each in suggested.suggestions]
        result[name] = [PixelBox(b.left + away, b.top + away, b.right, b.bottom) for b in pixels]
    return result


@pytest.mark.parametrize("kind", WRITERS)
@settings(max_examples=25)
@given(boxes=BOXES)
def test_what_globox_writes_is_read_to_the_pixel(
    tmp_path_factory: pytest.TempPathFactory, kind: str, boxes: Boxes
) -> None:
    save, away = WRITERS[kind]
    if away:  # such a box would begin outside of the image
        boxes = {
            name: [b for b in of_image if b.left > 0 and b.top > 0] or [PixelBox(1, 1, 9, 9)]
            for name, of_image in boxes.items()
        }
    folder = tmp_path_factory.mktemp("globox")
    save(by_globox(boxes), folder)
    assert read(folder, away=away) == boxes


@pytest.mark.parametrize("kind", ["coco", "yolo", "voc", "label-studio", "csv", "jsonl"])
def test_what_we_export_we_import(tmp_path: Path, kind: str) -> None:
    """Through the commands: decided, exported, imported elsewhere, and proposed there."""
    first, second = tmp_path / "first/x", tmp_path / "second/x"
    for folder in (first, second):
        folder.mkdir(parents=True)
        pictures.write_jpeg(folder / "a.jpg", pictures.photo(96, 64, 1))
        pictures.write_jpeg(folder / "b.jpg", pictures.photo(64, 96, 2), orientation=6)
    boxes = {"x/a.jpg": PixelBox(7, 3, 41, 22), "x/b.jpg": PixelBox(1, 2, 95, 63)}
    with cropkit.open(first.parent) as collection:
        for name, box in boxes.items():
            decided(collection, name, box=box)
    suffix = {"coco": ".json", "label-studio": ".json", "csv": ".csv", "jsonl": ".jsonl"}
    out = tmp_path / f"out{suffix.get(kind, '')}"
    assert shell.run("export", first.parent, "--to", kind, "--out", out).returncode == 0
    told = json.loads(shell.run("import", second.parent, out, "--json").stdout)
    assert (told["ok"], told["boxes"], told["strange"]) == (True, 2, [])
    with cropkit.open(second.parent) as collection:
        for name, box in boxes.items():
            look = collection.look(name)
            (suggestion,) = collection.suggestions(look)
            assert suggestion.box.pixels(look.size) == box
