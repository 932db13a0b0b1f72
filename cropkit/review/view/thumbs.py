"""Small pictures of decided images as HTML: whole, with the box on it, or the crop; pure."""

from base64 import b64encode

from cropkit.geometry import PixelBox, Size
from cropkit.review.model.decided import Cut
from cropkit.review.view.html import text
from cropkit.review.view.turning import angle, matrix


def crop_of(thumb: bytes, name: str, cut: Cut, room: float) -> str:
    """Return the part of a small picture that is kept, turned, as large as it fits.

    Parameters
    ----------
    room : width over height of the place that it fills one way
    """
    box, size, seen = cut.seen, cut.size, cut.size.turned(cut.turn)
    across, down = 100 * size.width / box.size.width, 100 * size.height / box.size.height
    # it is turned about its middle, which stays
    x = 100 * ((seen.width - size.width) / 2 - box.left) / box.size.width
    y = 100 * ((seen.height - size.height) / 2 - box.top) / box.size.height
    place = f"width:{across:.2f}%;height:{down:.2f}%;left:{x:.2f}%;top:{y:.2f}%"
    if not cut.turn.is_none:
        place += f";transform:{_transform(cut)}"
    picture = _picture(thumb, name, place)
    return f"<span class='ck-small-crop' style='{_shape(box.size, room)}'>{picture}</span>"


def _transform(cut: Cut) -> str:
    """Return how CSS turns the picture about its middle, and by a fine angle about the box's."""
    quarters = f"matrix({','.join(map(str, matrix(cut.turn)))},0,0)"
    if not cut.turn.resamples:
        return quarters
    box, seen = cut.seen, cut.size.turned(cut.turn)
    x = 50 * (box.left + box.right - seen.width) / cut.size.width
    y = 50 * (box.top + box.bottom - seen.height) / cut.size.height
    fine = f"rotate({angle(cut.turn):g}deg)"
    return f"translate({x:.2f}%,{y:.2f}%) {fine} translate({-x:.2f}%,{-y:.2f}%) {quarters}"


def whole_of(thumb: bytes, name: str, box: PixelBox | None, size: Size, room: float) -> str:
    """Return a small picture with the box that was decided, as large as it fits.

    Parameters
    ----------
    box, size : in pixels of the image, before any turn
    room : as in `crop_of`
    """
    lines = ""
    if box is not None:
        left, top = 100 * box.left / size.width, 100 * box.top / size.height
        wide, high = 100 * box.size.width / size.width, 100 * box.size.height / size.height
        edges = f"left:{left:.2f}%;top:{top:.2f}%;width:{wide:.2f}%;height:{high:.2f}%"
        lines = f"<span class='ck-small-box' style='{edges}'></span>"
    picture = _picture(thumb, name, "width:100%;height:100%")
    return f"<span class='ck-small-whole' style='{_shape(size, room)}'>{picture}{lines}</span>"


def _shape(size: Size, room: float) -> str:
    """Return the style of something of a shape in a room of another one."""
    along = "width:100%" if size.aspect_ratio > room else "height:100%"
    return f"{along};aspect-ratio:{size.width}/{size.height}"


def _picture(thumb: bytes, name: str, style: str) -> str:
    data = b64encode(thumb).decode()
    return f"<img alt='{text(name)}' style='{style}' src='data:image/jpeg;base64,{data}'>"
