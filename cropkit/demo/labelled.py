"""A demo collection, and beside it the file of a detector that has looked at it."""

import json
from pathlib import Path

from cropkit.collection import Collection
from cropkit.demo import make_demo
from cropkit.geometry import Size
from cropkit.suggest.sidecar import SUFFIX

_IMAGES = 8
_STALE = 3  # the place of the image that has another size in the file


def labelled_demo(place: Path) -> tuple[Path, Path]:
    """Make the demo in a new folder, with a COCO file of subjects instead of its sidecars.

    One image has another size in the file than on the disk, as when it was scaled since.

    Returns
    -------
    folder, file : of the images, and of their boxes
    """
    folder, file = make_demo(place / "images", _IMAGES), place / "detections.json"
    images, annotations = [], []
    with Collection(folder, kind="demo") as collection:
        for number, path in enumerate(collection.images()):
            look = collection.look(path)
            size = Size(look.size.width + (number == _STALE), look.size.height)
            image = {"id": number, "file_name": path, "width": size.width, "height": size.height}
            images.append(image)
            for suggestion in collection.suggestions(look):
                left, top, right, bottom = suggestion.box.pixels(look.size).xyxy
                inward = ((right - left) // 5, (bottom - top) // 5)
                box = [left + inward[0], top + inward[1], right - left - 2 * inward[0],
                       bottom - top - 2 * inward[1]]  # fmt: skip
                annotations.append({"image_id": number, "bbox": box, "score": 0.9})
    for sidecar in folder.glob(f"*{SUFFIX}"):
        sidecar.unlink()
    content = {"images": images, "annotations": annotations, "categories": []}
    file.write_text(json.dumps(content), encoding="utf-8")
    return folder, file
