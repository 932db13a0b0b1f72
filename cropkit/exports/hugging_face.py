"""The description of a folder of crops that Hugging Face's `datasets` reads as `imagefolder`.

Source: huggingface.co/docs/datasets, "Create an image dataset", "ImageFolder": `metadata.jsonl`
beside or above the images, with `file_name` relative to it; all other fields are columns.
"""

from pathlib import Path
from typing import IO, Any

from cropkit.exports.crops import Crop, each_beneath
from cropkit.exports.files import as_json
from cropkit.exports.registry import Writer
from cropkit.exports.rows import Crops
from cropkit.system import parameters

NAME = "metadata.jsonl"
_FIELDS = (
    *("source", "source_sha256", "crop_sha256", "upright_width", "upright_height"),
    *("box_applied", "slot", "target", "verdict", "reviewer", "decided_at", "turn"),
)
# Of every row, in this order.
FIELDS = ("file_name", "text", "original_size", "crop_top_left", "target_size", *_FIELDS)


def _write(file: IO[str], rows: Crops) -> None:
    if rows.place.out.name != NAME:
        raise parameters.wrong("out", str(rows.place.out), f"file called {NAME}")
    for name, crop in each_beneath(rows):
        file.write(as_json(_row(name, crop)) + "\n")


def _row(name: str, crop: Crop) -> dict[str, Any]:
    told = (None,) * 3 if crop.told is None else map(list, crop.told)
    values = (name, crop.text, *told, *(crop.row[field] for field in _FIELDS))
    return dict(zip(FIELDS, values, strict=True))


WRITER = Writer(_write, (Path(NAME).suffix,), of="crops", takes=frozenset(("slot",)))
