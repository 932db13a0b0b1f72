"""A contact sheet: images with the boxes that are proposed for them, for people who look."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Protocol

from PIL import Image, ImageDraw

from cropkit import bounded
from cropkit.bounds import Bounds
from cropkit.errors import CropkitError
from cropkit.formats.preview import upright
from cropkit.geometry import PixelBox, Size
from cropkit.labels.importing import Looked
from cropkit.records import Suggestion
from cropkit.system.files import Root

_SIDE, _GAP, _ACROSS = 240, 8, 4  # pixels; images side by side
_PAPER, _BEST, _OTHER = "#ffffff", "#e8590c", "#868e96"


class Proposing(Protocol):
    """What a sheet asks of a collection."""

    files: Root

    def images(self) -> tuple[str, ...]:
        """Return the images, in order."""
        ...

    def look(self, path: str) -> Looked:
        """Read an image."""
        ...

    def suggestions(self, look: Any, /) -> tuple[Suggestion, ...]:  # noqa: ANN401  (its own)
        """Return what is proposed for it, best first."""
        ...


@dataclass(frozen=True, slots=True, repr=False)
class Sheet:
    """A picture that a notebook shows.

    Parameters
    ----------
    images : how many are on it
    """

    image: Image.Image
    images: int

    def __repr__(self) -> str:
        return f"a sheet of {self.images} images"

    def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, Any], dict[str, Any]]:
        out = BytesIO()
        self.image.save(out, "PNG")
        shown = b64encode(out.getvalue()).decode("ascii")
        alt = f"{self}: the best box of each thick, its other candidates thin"
        return {"text/plain": repr(self), "image/png": shown}, {"image/png": {"alt": alt}}


def sheet(collection: Proposing, count: int = 12) -> Sheet:
    """Draw the first images with what is proposed: the best box thick, the others thin.

    Images that cannot be read are left out.

    Parameters
    ----------
    count : how many images
    """
    cells: list[Image.Image] = []
    for path in collection.images():
        if len(cells) == count:
            break
        try:
            look = collection.look(path)
            boxes = [each.box.pixels(look.size) for each in collection.suggestions(look)]
            content = collection.files.read(path, Bounds.from_environment())
            picture = bounded.done(upright, content.data, path, look.size)
        except CropkitError:
            continue
        cells.append(_cell(picture, boxes, look.size))
    return Sheet(_together(cells), len(cells))


def _cell(picture: Image.Image, boxes: Sequence[PixelBox], size: Size) -> Image.Image:
    picture.thumbnail((_SIDE, _SIDE))
    scale = picture.width / size.width
    draw = ImageDraw.Draw(picture)
    for rank, box in reversed(tuple(enumerate(boxes))):
        left, top, right, bottom = (round(edge * scale) for edge in box.xyxy)
        edges = (left, top, max(left, right - 1), max(top, bottom - 1))
        draw.rectangle(edges, outline=_OTHER if rank else _BEST, width=1 if rank else 3)
    return picture


def _together(cells: Sequence[Image.Image]) -> Image.Image:
    step = _SIDE + _GAP
    rows = -(-len(cells) // _ACROSS) or 1
    across = min(len(cells), _ACROSS) or 1
    paper = Image.new("RGB", (across * step + _GAP, rows * step + _GAP), _PAPER)
    for place, cell in enumerate(cells):
        x, y = _GAP + place % _ACROSS * step, _GAP + place // _ACROSS * step
        paper.paste(cell, (x + (_SIDE - cell.width) // 2, y + (_SIDE - cell.height) // 2))
    return paper
