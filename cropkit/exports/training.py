"""Folders of crops as trainers of diffusion models read them, one for each slot and target.

A folder has links to the crops and their captions, so that it holds them and nothing else, and what
a trainer keeps beside them does not come among the crops.

Sources: kohya-ss/sd-scripts, docs/config_README-en.md, "Data set specific options" and
"DreamBooth-specific options": images lie directly in `image_dir`, captions beside them;
`bucket_no_upscale` takes an image's own size, down to a step, where its area is not larger than
that of `resolution`; library/train_util.py, `IMAGE_EXTENSIONS`. TOML 1.0, "String" (basic strings).
Nerogar/OneTrainer, modules/util/config/ConceptConfig.py and BaseConfig.py (`from_dict`: what is not
there has its default), path_util.py (`SUPPORTED_IMAGE_EXTENSIONS`), docs/QuickStartGuide.md,
"Preparing a Dataset" (a `.txt` beside each image).
"""

import json
from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cropkit.exports.crops import Crop, each_crop
from cropkit.exports.files import as_json, written_new
from cropkit.exports.registry import Writer
from cropkit.exports.rows import Crops
from cropkit.geometry import Size
from cropkit.names import escaped
from cropkit.system import parameters

_CAPTION = ".txt"
_BY_KOHYA = frozenset((".png", ".jpg", ".jpeg", ".webp", ".bmp"))
_BY_ONETRAINER = _BY_KOHYA | {".tif", ".tiff"}
_STEM = 180  # bytes of a link's name before its id and suffix: a name has at most 255
_ID = 12  # digits of an operation that make a name its own


@dataclass(slots=True)
class _Group:
    """The crops of a folder, counted."""

    name: str
    count: int = 0
    captions: int = 0
    largest: Size = Size(1, 1)  # noqa: RUF009  (frozen)

    def add(self, crop: Crop) -> None:
        self.count += 1
        self.captions += crop.caption is not None
        self.largest = max(self.largest, crop.size, key=lambda size: size.area)


def _write_kohya(folder: Path, rows: Crops) -> None:
    groups = _linked(folder, rows, _BY_KOHYA)
    lines = [_KOHYA, *(_dataset(rows.place.out, group) for group in groups)]
    written_new(folder / "dataset.toml", "".join(lines))


_KOHYA = f"""[general]
caption_extension = "{_CAPTION}"
enable_bucket = true
bucket_no_upscale = true
bucket_reso_steps = 64
"""


def _dataset(out: Path, group: _Group) -> str:
    lacking = group.count - group.captions
    about = f"# {group.count} crops"
    if lacking:
        about += f", {lacking} of them without a caption: the trainer needs class_tokens for them"
    return f"""
{about}
[[datasets]]
resolution = [{group.largest.width}, {group.largest.height}]

  [[datasets.subsets]]
  image_dir = {toml_string(str(out / group.name))}
  num_repeats = 1
"""


def toml_string(text: str) -> str:
    """Return a basic string of TOML; JSON's differ from it by what they let stand."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _write_onetrainer(folder: Path, rows: Crops) -> None:
    groups = _linked(folder, rows, _BY_ONETRAINER)
    concepts = [_concept(rows.place.out, group) for group in groups]
    text = ",\n".join(map(as_json, concepts))
    written_new(folder / "concepts.json", f"[\n{text}\n]\n")


def _concept(out: Path, group: _Group) -> dict[str, Any]:
    return {
        "name": group.name,
        "path": str(out / group.name),
        "enabled": True,
        "include_subdirectories": False,
        "image": {"enable_crop_jitter": False, "enable_random_flip": False},
        "text": {"prompt_source": "sample"},
    }


def _linked(folder: Path, rows: Crops, suffixes: Container[str]) -> list[_Group]:
    """Link to all crops and captions, and count them by folder, in the order of names."""
    if escaped(str(rows.place.out)) != str(rows.place.out):
        raise parameters.wrong("out", str(rows.place.out), "path in UTF-8")
    groups: dict[str, _Group] = {}
    for crop in each_crop(rows, suffixes):
        group = groups.setdefault(crop.group, _Group(crop.group))
        place = folder / crop.group
        place.mkdir(exist_ok=True)
        for name, file in _links(crop):
            (place / name).symlink_to(file)
        group.add(crop)
    return [groups[name] for name in sorted(groups)]


def _links(crop: Crop) -> Iterator[tuple[str, Path]]:
    """Yield the names of links, by which captions belong to their crops, and what they lead to."""
    stem = crop.file.stem.encode("utf-8", "surrogateescape")[:_STEM].decode("utf-8", "ignore")
    stem = f"{stem}.{crop.row['operation'][:_ID]}"
    yield f"{stem}{crop.file.suffix.lower()}", crop.file
    if crop.caption is not None:
        yield f"{stem}{_CAPTION}", crop.caption


KOHYA = Writer(_write_kohya, of="crops", takes=frozenset(("slot", "beneath")))
ONETRAINER = Writer(_write_onetrainer, of="crops", takes=frozenset(("slot", "beneath")))
