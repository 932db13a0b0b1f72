"""Tasks as Label Studio imports them, with the boxes as annotations or as predictions.

Sources: labelstud.io, "Label Studio JSON format of annotated tasks" (guide/task_format) and "Import
pre-annotated data" (guide/predictions); tags/rectanglelabels, "Sample Results JSON": x, y, width
and height are percent of the image, whose size stands beside them. guide/storage, "Local storage",
for the address of a file on the server: `/data/local-files/?d=` and its path, quoted.
"""

import os
from collections.abc import Iterator
from typing import IO, Any
from urllib.parse import quote

from cropkit.exports.files import write_list
from cropkit.exports.registry import Writer
from cropkit.exports.rows import Boxed, Decisions, boxes, by_image, category
from cropkit.geometry import Size
from cropkit.straightening import top_left

LOCAL_FILES = "/data/local-files/?d="
_OF_CONFIG = {"from_name": "label", "to_name": "image", "type": "rectanglelabels"}


def _write(file: IO[str], rows: Decisions) -> None:
    write_list(file, _tasks(rows))
    file.write("\n")


def _tasks(rows: Decisions) -> Iterator[dict[str, Any]]:
    options = rows.place.options
    prefix = LOCAL_FILES if options.image_prefix is None else options.image_prefix
    for image in by_image(rows, rotated=True):
        data = {"image": prefix + quote(os.fsencode(image.path))}
        result = [_region(boxed, image.size) for boxed in boxes(image)]
        if options.label_as == "predictions":
            yield {"data": data, "predictions": [{"model_version": "cropkit", "result": result}]}
        else:
            yield {"data": data, "annotations": [{"result": result, "was_cancelled": False}]}


def _region(boxed: Boxed, size: Size) -> dict[str, Any]:
    box, turn = boxed.box, boxed.decision.turn
    left, top = top_left(box, turn)
    value = {
        "x": 100 * left / size.width,
        "y": 100 * top / size.height,
        "width": 100 * box.size.width / size.width,
        "height": 100 * box.size.height / size.height,
        "rotation": -turn.angle % 360 if turn.resamples else 0,
        "rectanglelabels": [category(boxed.decision)],
    }
    return {
        "id": boxed.decision.id,
        **_OF_CONFIG,
        "original_width": size.width,
        "original_height": size.height,
        "image_rotation": 0,
        "value": value,
    }


WRITER = Writer(
    _write, (".json",), takes=frozenset(("verdicts", "slot", "image_prefix", "label_as"))
)
