"""Draw the boxes of a session: what is left out is dimmed, lines are two-toned."""

from cropkit.editing import HANDLES
from cropkit.geometry import PixelBox
from cropkit.review.faces import Face
from cropkit.review.layout import HANDLE, PageLayout, Rect, Viewport, grip_point
from cropkit.review.surface import Pen
from cropkit.session import Done, Mark, Open

LIGHT, DARK = "#ffffff", "#10151c"
_DIM = "rgba(8, 12, 18, 0.58)"
_DIM_CHOSEN = "rgba(8, 12, 18, 0.50)"
_VEIL = "rgba(8, 12, 18, 0.72)"
_GUIDE = "rgba(255, 255, 255, 0.55)"
_GUIDE_SHADE = "rgba(16, 21, 28, 0.45)"
_SHADE = "rgba(16, 21, 28, 0.70)"
_WARNING = "#ffb74d"
_LABEL = "rgba(10, 14, 20, 0.82)"
_STAGE = "rgba(127, 135, 145, 0.10)"
_DIGIT_WIDTH, _LABEL_HEIGHT = 9.3, 28


def paint_stages(pen: Pen, layout: PageLayout, count: int) -> None:
    """Lay a quiet ground where pictures come."""
    pen.fill(_STAGE, *(layout.stage(position) for position in range(count)))


def paint_face(pen: Pen, cell: Rect, stage: Rect, face: Face | None) -> None:
    """Paint one image's cell anew; None: wipe it."""
    pen.wipe(cell)
    entry = face.entry if face is not None else None
    if face is not None and isinstance(entry, Open):
        view, boxes = Viewport(stage, entry.size), (entry.box, face.written or entry.box)
        _paint_open(pen, view, entry.mark, boxes, chosen=face.chosen)
        if entry.mark is Mark.KEEP:
            _readout(pen, view, boxes, face.least)
    elif isinstance(entry, Done) and entry.size:
        _paint_done(pen, Viewport(stage, entry.size), entry.settled.box)


def _paint_open(
    pen: Pen, view: Viewport, mark: Mark, boxes: tuple[PixelBox, PixelBox], *, chosen: bool
) -> None:
    if mark is Mark.KEEP:
        _paint_box(pen, view, boxes, chosen=chosen)
    else:
        _paint_mark(pen, view.frame, mark)


def _paint_done(pen: Pen, view: Viewport, box: PixelBox | None) -> None:
    if box is None:
        pen.fill(_DIM, view.frame)
        return
    _dim(pen, view, box, _VEIL)
    _two_toned(pen, _rect(view, box), 1)


def _paint_box(pen: Pen, view: Viewport, boxes: tuple[PixelBox, PixelBox], *, chosen: bool) -> None:
    """Draw the box that was drawn, and thinly the one that will be written where it is larger."""
    box, written = boxes
    _dim(pen, view, written, _DIM_CHOSEN if chosen else _DIM)
    if written != box:
        _thin(pen, _rect(view, written))
    rect = _rect(view, box)
    if chosen:
        _thirds(pen, rect)
    _two_toned(pen, rect, 2)
    for grip in HANDLES:
        _handle(pen, *grip_point(view, box, grip), chosen=chosen)


def _dim(pen: Pen, view: Viewport, box: PixelBox, colour: str) -> None:
    frame, kept = view.frame, _rect(view, box)
    pen.fill(
        colour,
        Rect(frame.x, frame.y, frame.width, kept.y - frame.y),
        Rect(frame.x, kept.bottom, frame.width, frame.bottom - kept.bottom),
        Rect(frame.x, kept.y, kept.x - frame.x, kept.height),
        Rect(kept.right, kept.y, frame.right - kept.right, kept.height),
    )


def _two_toned(pen: Pen, rect: Rect, width: float) -> None:
    # Dark outside and light inside: one of the two stands out from any picture.
    pen.frame(DARK, width + 2, rect)
    pen.frame(LIGHT, width, rect)


def _thin(pen: Pen, rect: Rect) -> None:
    pen.frame(_SHADE, 1, rect.inset(-1))
    pen.frame(LIGHT, 1, rect)


def _thirds(pen: Pen, rect: Rect) -> None:
    for part in (1 / 3, 2 / 3):
        x, y = rect.x + rect.width * part, rect.y + rect.height * part
        for shift, colour in ((1, _GUIDE_SHADE), (0, _GUIDE)):
            pen.line(colour, 1, (x + shift, rect.y, x + shift, rect.bottom))
            pen.line(colour, 1, (rect.x, y + shift, rect.right, y + shift))


def _handle(pen: Pen, x: float, y: float, *, chosen: bool) -> None:
    half = HANDLE / 2 if chosen else HANDLE / 2 - 1
    outer = Rect(x - half, y - half, 2 * half, 2 * half)
    pen.fill(DARK, outer.inset(-1.5))
    pen.fill(LIGHT, outer)


def _readout(pen: Pen, view: Viewport, boxes: tuple[PixelBox, PixelBox], least: int) -> None:
    """Write size and aspect of the crop on it, what is written instead, and if it is too small."""
    box, written = boxes
    text = f"{_size(box)} · {box.size.aspect_ratio:.2f}"
    if written != box:
        text += f" \N{RIGHTWARDS ARROW} {_size(written)}"
    text += f" · below {least}" if least else ""
    width = len(text) * _DIGIT_WIDTH + 14
    frame, rect = view.frame, _rect(view, box)
    x = max(frame.x, min(rect.x + 12, frame.right - width))
    below = rect.bottom - _LABEL_HEIGHT - 12
    y = max(frame.y, below) if rect.height > 3 * _LABEL_HEIGHT else _beside(frame, rect)
    pen.fill(_LABEL, Rect(x, y, width, _LABEL_HEIGHT))
    pen.words(text, (x + 7, y + _LABEL_HEIGHT / 2 + 1), _WARNING if least else LIGHT)


def _size(box: PixelBox) -> str:
    return f"{box.size.width} \N{MULTIPLICATION SIGN} {box.size.height}"


def _beside(frame: Rect, rect: Rect) -> float:
    """Where the label of a low box goes: under it, or above where there is no room."""
    under = rect.bottom + 12
    return under if under + _LABEL_HEIGHT <= frame.bottom else max(frame.y, rect.y - 38)


def _paint_mark(pen: Pen, frame: Rect, mark: Mark) -> None:
    pen.fill(_VEIL, frame)
    if mark is Mark.REJECT:
        for ends in (
            (frame.x, frame.y, frame.right, frame.bottom),
            (frame.x, frame.bottom, frame.right, frame.y),
        ):
            pen.line(DARK, 4, ends)
            pen.line(LIGHT, 2, ends)
    else:
        _two_toned(pen, frame.inset(2), 2)


def _rect(view: Viewport, box: PixelBox) -> Rect:
    left, top, right, bottom = view.edges(box)
    return Rect(left, top, right - left, bottom - top)
