"""COCO: images, and boxes that name them by id; and results, which are a bare list of boxes.

Format: cocodataset.org, "Data format" and "Results format": ``bbox`` is left, top, width, height in
pixels from 0. A category's name is looked up by its id.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cropkit.errors import BadSuggestion
from cropkit.geometry import Size
from cropkit.labels.documents import each_object
from cropkit.labels.label import Label, Labels, four, stated_size, sure, text
from cropkit.suggest.convention import xyxy
from cropkit.suggest.numbers import excerpt

Document = Mapping[str, Any]


def is_coco(document: object) -> bool:
    """Whether a document has images and annotations."""
    return isinstance(document, dict) and document.keys() >= {"images", "annotations"}


def is_results(document: object) -> bool:
    """Whether a document is a list of boxes that name images by id."""
    first = document[0] if isinstance(document, list) and document else None
    return isinstance(first, dict) and first.keys() >= {"image_id", "bbox"}


def read(document: Document, where: str) -> Labels:
    """Yield the boxes of annotations."""
    known = _Known()
    yield from known.fill(document, where)
    yield from each_object(document["annotations"], f"{where}: annotations", known.box)


def read_results(document: list[Any], where: str, images: Document | None) -> Labels:
    """Yield the boxes of results.

    Parameters
    ----------
    images : the COCO document whose ids they have; without one, an id has to be an image's name
    """
    known = _Known()
    if images is not None:
        yield from known.fill(images, "images")
    yield from each_object(document, where, known.box)


@dataclass(slots=True)
class _Known:
    """The images and categories of a document, by their ids."""

    images: dict[int | str, tuple[str, Size | None]] = field(default_factory=dict)
    categories: dict[int | str, str] = field(default_factory=dict)

    def fill(self, document: Document, where: str) -> Labels:
        """Learn what a document holds; yield what is wrong with it."""
        yield from each_object(document.get("images"), f"{where}: images", self._add_image)
        yield from each_object(
            document.get("categories") or [], f"{where}: categories", self._add_category
        )

    def _add_image(self, entry: dict[str, Any], where: str) -> Labels:
        name, key = entry.get("file_name"), _key(entry.get("id"), where)
        if not isinstance(name, str):
            raise BadSuggestion(where, f"names its file by {excerpt(name)}")
        if key in self.images:
            raise BadSuggestion(where, f"id {excerpt(key)} is there twice")
        self.images[key] = name, stated_size(entry.get("width"), entry.get("height"), where)
        yield from ()

    def _add_category(self, entry: dict[str, Any], where: str) -> Labels:
        self.categories[_key(entry.get("id"), where)] = text(entry.get("name"))
        yield from ()

    def box(self, entry: dict[str, Any], where: str) -> Labels:
        """Yield one box."""
        name, size = self._image(_key(entry.get("image_id"), where), where)
        category = entry.get("category_id")
        named = self.categories.get(category) if isinstance(category, int | str) else None
        edges = xyxy("xywh", four(entry.get("bbox"), where))
        confidence = sure(entry.get("score"), where)
        called = text(category) if named is None else named
        yield Label(where, name, edges, size=size, confidence=confidence, category=called)

    def _image(self, key: int | str, where: str) -> tuple[str, Size | None]:
        if key in self.images:
            return self.images[key]
        if isinstance(key, str) and not self.images:
            return key, None
        cure = "" if self.images else " (`--images` names the COCO file whose ids these are)"
        raise BadSuggestion(where, f"is of image_id {excerpt(key)}, which is not there{cure}")


def _key(value: object, where: str) -> int | str:
    if not isinstance(value, int | str):
        raise BadSuggestion(where, f"has an id that is no number and no text: {excerpt(value)}")
    return value
