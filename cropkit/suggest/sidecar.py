"""The `.decision` sidecar that an AI wrote beside an image, in all its variants.

Two schemas share the suffix. An *image-level* sidecar ``<stem>.decision`` holds
``ai_crop_coords`` for its image, accepted or not, or says ``"ai_route": "manual"``. A *group-level*
one ``<stem up to the first _stage>.decision`` holds the ``images`` of a group and an
``ai_recommendation`` for the one that was selected. Coordinates are normalized left, top, right,
bottom.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from unicodedata import normalize

from cropkit.errors import BadSuggestion
from cropkit.geometry import NormalizedBox, Size
from cropkit.records import Problem, ProblemKind, Suggestion
from cropkit.suggest.jsonfile import JsonFiles
from cropkit.suggest.numbers import confidence, excerpt, four_numbers, normalized_box
from cropkit.suggest.suggested import NOTHING, Suggested, problem_of

SUFFIX = ".decision"
SOURCE = "decision-sidecar"
_STAGE = "_stage"
_NO_SIZE = Size(1, 1)  # coordinates are normalized: it makes no difference
_IMAGE_KEYS = frozenset(("needs_crop", "ai_crop_coords", "ai_route"))
_GROUP_KEYS = frozenset(("images", "ai_recommendation"))
_HALF = re.compile("[\ud800-\udfff]")  # JSON can write it, nothing else can
_MODEL = re.compile(r"\(([^()]{1,80})\)")  # "AI Model (Ranker v3) - stage2_upscaled"


@dataclass(frozen=True, slots=True)
class _Place:
    """One sidecar that may speak for an image."""

    path: str
    image: str
    for_group: bool


class Sidecars:
    """Suggestions from the `.decision` sidecars of one collection.

    A sidecar that is there and cannot be used is a problem of kind `SUGGESTION`, named by its own
    path. An image for which no sidecar exists at all gives one problem of kind `NO_SUGGESTION`,
    named by the image's path, every time it is asked for: also in a collection that never had any,
    because only the caller knows whether boxes were to be expected. A sidecar that offers no box
    ("manual", or another image of its group was selected) is neither.

    Reads stay beneath the collection, follow no links and are bounded.

    Parameters
    ----------
    root : folder of the collection
    """

    def __init__(self, root: Path) -> None:
        self._files = JsonFiles(root)

    def suggest(self, path: str, size: Size, sha256: str) -> Suggested:  # noqa: ARG002  (Suggester)
        """Propose what the image's own sidecar says, then what its group's says."""
        stated = [self._said(place) for place in _places(path)]
        answers = [answer for answer in stated if answer is not None]
        if not answers:
            return Suggested(problems=(Problem(ProblemKind.NO_SUGGESTION, path, "no sidecar"),))
        return Suggested(
            tuple(suggestion for answer in answers for suggestion in answer.suggestions),
            tuple(problem for answer in answers for problem in answer.problems),
        )

    def confidence(self, path: str) -> float | None:
        """Return the confidence of the box that would be proposed first."""
        suggestions = self.suggest(path, _NO_SIZE, "").suggestions
        return suggestions[0].confidence if suggestions else None

    def _said(self, place: _Place) -> Suggested | None:
        try:
            record = self._files.read(place.path)
            return None if record is None else _read(record, place)
        except BadSuggestion as error:
            return Suggested(problems=(problem_of(error),))


def group_of(stem: str) -> str | None:
    """Return the group that an image's stem belongs to, None when it names no stage."""
    group, stage, _ = stem.partition(_STAGE)
    return group if stage and group else None


def _places(path: str) -> Iterator[_Place]:
    image = PurePosixPath(path)
    group = group_of(image.stem)
    yield _Place(str(image.with_name(image.stem + SUFFIX)), image.name, for_group=False)
    if group is not None:
        yield _Place(str(image.with_name(group + SUFFIX)), image.name, for_group=True)


def _read(record: dict[str, Any], place: _Place) -> Suggested:
    if place.for_group and not record.keys() & _GROUP_KEYS:
        return NOTHING  # an image-level sidecar of the image that is called like the group
    names = _names(record, place)
    if names is not None and _plain(place.image) not in names:
        raise BadSuggestion(place.path, f"does not name {place.image} among its images")
    if record.get("ai_recommendation") is not None:
        return _group_level(record["ai_recommendation"], place)
    return _image_level(record, place)


def _image_level(record: dict[str, Any], place: _Place) -> Suggested:
    if not record.keys() & (_IMAGE_KEYS | _GROUP_KEYS):
        raise BadSuggestion(place.path, "holds nothing that a sidecar is known to hold")
    route, coords = record.get("ai_route"), record.get("ai_crop_coords")
    if coords is None or route == "manual":
        return NOTHING
    model = _model(record)
    suggested = _suggested(coords, model or (route if isinstance(route, str) else ""), place)
    return _with_confidence(suggested, record.get("confidence"), place)


def _group_level(recommendation: object, place: _Place) -> Suggested:
    if not isinstance(recommendation, dict):
        raise BadSuggestion(place.path, f"ai_recommendation is {excerpt(recommendation)}")
    coords, selected = recommendation.get("crop_coords"), recommendation.get("selected_image")
    if coords is None:
        return NOTHING
    if not isinstance(selected, str):
        raise BadSuggestion(place.path, "does not say which image its crop_coords are for")
    if _plain(selected) != _plain(place.image):
        return NOTHING
    suggested = _suggested(coords, _model(recommendation), place)
    return _with_confidence(suggested, recommendation.get("confidence"), place)


def _model(record: dict[str, Any]) -> str:
    """Return the name of the model that a reason ends with, '' where it names none."""
    model = _MODEL.search(str(record.get("reason") or ""))
    return model[1] if model else ""


def _with_confidence(suggested: Suggested, value: object, place: _Place) -> Suggested:
    """Add a confidence; a bad one costs the box nothing, but is reported."""
    (suggestion,) = suggested.suggestions
    if value is None:
        return suggested
    try:
        sure = confidence(value, place.path)
    except BadSuggestion as error:
        return Suggested((suggestion,), (problem_of(error),))
    return Suggested(
        (Suggestion(suggestion.box, suggestion.source, suggestion.version, suggestion.rank, sure),)
    )


def _suggested(coords: object, version: str, place: _Place) -> Suggested:
    if _HALF.search(version):
        raise BadSuggestion(place.path, f"holds half of a character: {excerpt(version)}")
    return Suggested((Suggestion(_box(coords, place), SOURCE, version),))


def _box(coords: object, place: _Place) -> NormalizedBox:
    return normalized_box(four_numbers(coords, place.path), place.path)


def _names(record: dict[str, Any], place: _Place) -> frozenset[str] | None:
    """Return the names of the images that a sidecar is for, None when it names none."""
    for key in ("filename", "image_path"):
        if record.get(key) is not None:
            return frozenset((_name(record[key], place),))
    images = record.get("images")
    if images is None:
        return None
    if not isinstance(images, list):
        raise BadSuggestion(place.path, f"images is {excerpt(images)}, not a list")
    return frozenset(_name(image, place) for image in images)


def _name(value: object, place: _Place) -> str:
    if isinstance(value, dict):
        value = value.get("filename")
    if not isinstance(value, str):
        raise BadSuggestion(place.path, f"names an image by {excerpt(value)}")
    return _plain(value)


def _plain(name: str) -> str:
    """Return the last component; NFC, as file systems disagree about composed letters."""
    return normalize("NFC", PurePosixPath(name.replace("\\", "/")).name)
