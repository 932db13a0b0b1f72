"""Labels as Ultralytics' YOLO reads them, beside links to the images, which stay where they are.

Sources: docs.ultralytics.com, "Object Detection Datasets Overview", "Ultralytics YOLO format": a
text file for each image, a line `class x_center y_center width height` for each box, in fractions;
an empty file is an image without a box. `ultralytics/data/utils.py`, `img2label_paths`: a label is
looked for where the last `/images/` of the image's path is `/labels/`, and `data/base.py`,
`get_img_files`: a list of images has one a line, and `./` at its beginning is the list's folder.
`data/utils.py`, `VID_FORMATS`: a GIF is a video.
"""

from pathlib import Path, PurePosixPath

from cropkit.exports.files import mirrored, opened_new, written_new
from cropkit.exports.registry import Writer
from cropkit.exports.rows import (
    LEADS_OUT,
    TAKEN,
    Decisions,
    Image,
    boxes,
    by_image,
    categories,
    category,
    leave_out_image,
)
from cropkit.geometry import PixelBox, Size
from cropkit.names import escaped

_IMAGES = "images"
_VIDEOS = (".gif",)
_NO_LINE = "its name cannot stand in a list of lines"
_NOT_READ = "a format that Ultralytics does not read"


def _write(folder: Path, rows: Decisions) -> None:
    numbers = {name: number for number, name in enumerate(categories(rows))}
    (folder / _IMAGES).mkdir()
    (folder / "labels").mkdir()
    with opened_new(folder / "train.txt") as listed:
        for image in by_image(rows):
            lines = [line(numbers[category(d)], box, image.size) for d, box in boxes(image)]
            place = _place(image)
            if not isinstance(place, PurePosixPath):
                leave_out_image(rows, image, place)
            elif not written_new(_label(folder, place), "".join(lines)):
                leave_out_image(rows, image, TAKEN)
            else:
                _link(folder / _IMAGES / place, rows.place.root / image.path)
                listed.write(f"./{_IMAGES}/{place}\n")
    written_new(folder / "data.yaml", _described(rows.place.out, list(numbers)))


def line(number: int, box: PixelBox, size: Size) -> str:
    """Return a box as YOLO writes it; the pixels come back also in 32-bit fractions.

    An edge of 100,000 pixels is then off by some thousandths of one.
    """
    x, y = (box.left + box.right) / (2 * size.width), (box.top + box.bottom) / (2 * size.height)
    width, height = box.size.width / size.width, box.size.height / size.height
    return f"{number} {x!r} {y!r} {width!r} {height!r}\n"


def _place(image: Image) -> PurePosixPath | str:
    """Return where an image is linked to, beneath `images/`, or why it cannot be in the list."""
    path = PurePosixPath(image.path)
    if mirrored(image.path, ".txt") is None:
        return LEADS_OUT
    if path.suffix.lower() in _VIDEOS:
        return _NOT_READ
    is_one_line = len(image.path.splitlines()) == 1 and image.path == image.path.strip()
    if not is_one_line or escaped(image.path) != image.path or "./" in image.path:
        return _NO_LINE
    folders = [f"{name}_" if name == _IMAGES else name for name in path.parent.parts]
    return PurePosixPath(*folders, path.name)


def _label(folder: Path, place: PurePosixPath) -> Path:
    return folder / "labels" / place.with_suffix(".txt")


def _link(link: Path, image: Path) -> None:
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(image)


def _described(out: Path, names: list[str]) -> str:
    """Return the description of the data set, which Ultralytics asks a list to validate for."""
    import yaml  # noqa: PLC0415  (no other format needs it)

    told = {
        "path": escaped(str(out)),
        "train": "train.txt",
        "val": "train.txt",
        "names": {number: escaped(name) for number, name in enumerate(names)},
    }
    text: str = yaml.safe_dump(told, allow_unicode=True, sort_keys=False)
    return f"# No split was asked for: the same list stands for both.\n{text}"


WRITER = Writer(_write)
