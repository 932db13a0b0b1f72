"""Draw the boxes of a session: what is left out is dimmed, lines are two-toned."""

from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from itertools import product

from cropkit.geometry import PixelBox
from cropkit.names import printable
from cropkit.review.canvas.buffers import OffscreenBuffer
from cropkit.review.canvas.cells import CellState, Loupe, Weight
from cropkit.review.canvas.pen import FONT, Pen
from cropkit.review.model import Broken, Done, Mark, Open, ReviewState
from cropkit.review.model.box_editing import HANDLES
from cropkit.review.view import labels, rulers
from cropkit.review.view.drawn_line import DrawnLine
from cropkit.review.view.guides import LINES, Line
from cropkit.review.view.labels import label_place, text_width
from cropkit.review.view.layout import HANDLE, PageLayout
from cropkit.review.view.rulers import Ruler
from cropkit.review.view.tone import AS_IS, COLOURS, Tone
from cropkit.review.view.view_state import Pictured
from cropkit.review.view.viewport import Rect, Viewport, grip_point

LIGHT, DARK = "#ffffff", "#10151c"
_DIM = "rgba(8, 12, 18, 0.58)"
_DIM_CHOSEN = "rgba(8, 12, 18, 0.50)"
_FAINT = "rgba(8, 12, 18, 0.30)"
_VEIL = "rgba(8, 12, 18, 0.72)"
_GUIDE = "rgba(255, 255, 255, 0.55)"
_GUIDE_SHADE = "rgba(16, 21, 28, 0.45)"
_SHADE = "rgba(16, 21, 28, 0.70)"
_WARNING = "#ffb74d"
_LATER = "closer look"
_NOT_TURNED = "cannot be turned here"
_LABEL = "rgba(10, 14, 20, 0.82)"
_STAGE = "rgba(127, 135, 145, 0.10)"
_LINE, _OUTLINE = 2, 2  # the light line, and how much wider the dark one under it is
_GUIDE_LINE, _GUIDE_SHIFT = 1, 1
RIM = 1.5  # dark, round a handle
_TEXT_SIZE = 13
_NAME_SIZE, _NAME_HEIGHT, _NAME_PADDING = 13, 20, 4  # of the other crops of an image
_LABEL_LOWERED = 1  # the middle of digits is above the middle of letters

# What `live_drag.js` draws the chosen box with, so that it looks the same while a hand holds it.
BRUSH: Mapping[str, object] = {
    "light": LIGHT,
    "dark": DARK,
    "dim": _DIM_CHOSEN,
    "line": _LINE,
    "outline": _OUTLINE,
    "guides": [[_GUIDE_SHIFT, _GUIDE_SHADE], [0, _GUIDE]],
    "guideLine": _GUIDE_LINE,
    "handles": [list(grip.value) for grip in HANDLES],
    "handle": HANDLE,
    "rim": RIM,
    "font": f"{_TEXT_SIZE}px {FONT}",
    "ruler": f"{rulers.SIZE}px {FONT}",
    "label": {
        "ground": _LABEL,
        "em": labels.EM * _TEXT_SIZE,
        "ems": {letter: em * _TEXT_SIZE for letter, em in labels.EMS.items()},
        "height": labels.LINE,
        "padding": labels.PADDING,
        "margin": labels.MARGIN,
        "lowered": _LABEL_LOWERED,
        "tall": labels.TALL,
        "smaller": list(labels.SMALLER),
        "size": _TEXT_SIZE,
        "family": FONT,
    },
}


def paint_pictures(
    pen: Pen,
    layout: PageLayout,
    session: ReviewState,
    pictures: Iterable[tuple[OffscreenBuffer, Pictured]],
    tone: Tone = AS_IS,
) -> None:
    """Draw the pictures that are there, on a quiet ground where others come."""
    pen.clear()
    shown = range(len(session.entries))
    if tone.ground in COLOURS:
        pen.fill(COLOURS[tone.ground], layout.board)
        for position in shown:
            pen.wipe(layout.caption(position))  # words are on the page's own
    pen.fill(_STAGE, *map(layout.stage, shown))
    with pen.through(tone.filters):
        for buffer, (view, turn, about) in pictures:
            reaches_out = view.closer or turn.resamples
            with pen.within(view.seen) if reaches_out else nullcontext():
                pen.buffer(buffer, view.frame, turn, about)


def paint_cell(pen: Pen, cell: Rect, cell_state: CellState | None) -> None:
    """Paint one image's cell anew, and nothing outside of it; None: wipe it."""
    pen.wipe(cell)
    if cell_state is None or cell_state.view is None:
        return
    with pen.within(_kept_inside(cell, cell_state.view)):
        lifted = cell_state.lifted
        label = None if lifted else _paint_entry(pen, cell_state.view, cell_state)
        _paint_others(pen, cell_state.view, cell_state, [label] if label else [])
        if cell_state.line is not None:
            _paint_line(pen, cell_state.line, cell_state.view)
    if cell_state.loupe is not None and isinstance(cell_state.entry, Open):
        _paint_loupe(pen, cell_state.loupe, cell_state.entry)


def _paint_entry(pen: Pen, view: Viewport, cell_state: CellState) -> Rect | None:
    """Paint what becomes of an image; return where its label is, if it has one."""
    entry = cell_state.entry
    if isinstance(entry, Open):
        boxes = entry.box, cell_state.written or entry.box
        if cell_state.weight is Weight.ALONE:
            _dim(pen, view, boxes[1], DARK)
            return None
        _paint_open(pen, view, entry.mark, boxes, cell_state)
        if entry.mark is Mark.KEEP and cell_state.weight is not Weight.SMALL:
            return _readout(pen, view, entry.box, _words(entry, boxes[1], cell_state))
    elif isinstance(entry, Broken):
        _paint_broken(pen, view, entry.mark)
    elif isinstance(entry, Done):
        _paint_done(pen, view, entry.box)
    return None


def _kept_inside(cell: Rect, view: Viewport) -> Rect:
    """Return the stage of a zoomed image and half a handle round it, and of others their cell."""
    return view.stage.inset(-HANDLE / 2 - 2) if view.closer else cell


def _paint_open(
    pen: Pen, view: Viewport, mark: Mark, boxes: tuple[PixelBox, PixelBox], cell_state: CellState
) -> None:
    if mark is Mark.KEEP:
        _paint_box(pen, view, boxes, cell_state)
    elif mark is Mark.LATER:
        _paint_later(pen, view, boxes)
    else:
        _paint_mark(pen, view.seen, mark)


def _paint_broken(pen: Pen, view: Viewport, mark: Mark) -> None:
    """Dim what no box can be drawn on, and leave it in sight: it is judged by eye."""
    if mark is not Mark.KEEP:
        _paint_mark(pen, view.seen, mark)
        return
    pen.fill(_FAINT, view.seen)
    _two_toned(pen, view.seen.inset(2), 1)


def _paint_done(pen: Pen, view: Viewport, box: PixelBox | None) -> None:
    if box is None:
        pen.fill(_DIM, view.frame)
        return
    _dim(pen, view, box, _VEIL)
    _two_toned(pen, _rect(view, box), 1)


def _paint_box(
    pen: Pen, view: Viewport, boxes: tuple[PixelBox, PixelBox], cell_state: CellState
) -> None:
    """Draw the box that was drawn, and thinly the one that will be written where it is larger."""
    (box, written), weight = boxes, cell_state.weight
    chosen = weight is Weight.CHOSEN
    _dim(pen, view, written, _DIM_CHOSEN if chosen else _DIM)
    if written != box:
        _thin(pen, _rect(view, written))
    rect = _rect(view, box)
    if chosen:
        _guides(pen, (_placed(rect, line) for line in LINES[cell_state.guides]))
        _ruler(pen, cell_state.ruler)
    _two_toned(pen, rect, _LINE)
    if weight is not Weight.SMALL:
        _handles(pen, [grip_point(view, box, grip) for grip in HANDLES], chosen=chosen)


def _dim(pen: Pen, view: Viewport, box: PixelBox, colour: str) -> None:
    frame = view.seen
    kept = pen.whole_rows(_rect(view, box).held_in(frame))
    pen.fill(
        colour,
        Rect(frame.x, frame.y, frame.width, kept.y - frame.y),
        Rect(frame.x, kept.bottom, frame.width, frame.bottom - kept.bottom),
        Rect(frame.x, kept.y, kept.x - frame.x, kept.height),
        Rect(kept.right, kept.y, frame.right - kept.right, kept.height),
    )


def _two_toned(pen: Pen, rect: Rect, width: float) -> None:
    # Dark outside and light inside: one of the two stands out from any picture.
    pen.frame(DARK, width + _OUTLINE, rect)
    pen.frame(LIGHT, width, rect)


def _thin(pen: Pen, rect: Rect) -> None:
    pen.frame(_SHADE, 1, rect.inset(-1))
    pen.frame(LIGHT, 1, rect)


def _ruler(pen: Pen, ruler: Ruler) -> None:
    _guides(pen, ruler.lines)
    for word in ruler.words:
        pen.fill(_LABEL, word.ground)
        pen.words(word.text, (word.x, word.y), LIGHT, rulers.SIZE)


def _guides(pen: Pen, lines: Iterable[Line]) -> None:
    """Draw lines, each with its shade."""
    ends = tuple(lines)
    for shift, colour in ((_GUIDE_SHIFT, _GUIDE_SHADE), (0, _GUIDE)):
        pen.line(colour, _GUIDE_LINE, *(_shifted(line, shift) for line in ends))


def _placed(rect: Rect, line: Line) -> Line:
    x, y, end, foot = line
    across, down = (rect.x, rect.width), (rect.y, rect.height)
    return (
        *(across[0] + across[1] * x, down[0] + down[1] * y),
        *(across[0] + across[1] * end, down[0] + down[1] * foot),
    )


def _shifted(line: Line, by: float) -> Line:
    """Return a line beside another: below one that lies, else on the right."""
    x, y, end, foot = line
    return (x, y + by, end, foot + by) if y == foot else (x + by, y, end + by, foot)


def _handles(pen: Pen, points: Iterable[tuple[float, float]], *, chosen: bool) -> None:
    half = HANDLE / 2 if chosen else HANDLE / 2 - 1
    outer = [Rect(x - half, y - half, 2 * half, 2 * half) for x, y in points]
    pen.fill(DARK, *(rect.inset(-RIM) for rect in outer))
    pen.fill(LIGHT, *outer)


def _words(entry: Open, written: PixelBox, cell_state: CellState) -> tuple[tuple[str, ...], str]:
    """Return the lines that a box is labelled with, in which colour.

    How large it is, or how it fits its target, and whether that is too small; then what is written
    instead, where a crop without loss is larger, or that it cannot be turned so.
    """
    box, fit, least = entry.box, entry.fit, cell_state.least
    text = fit.label if fit else f"{_size(box)} · {box.size.aspect_ratio:.2f}"
    text += f" · below {least}" if least else ""
    small = least or (fit is not None and fit.is_upscale)
    beside = "" if written == box else f"lossless: {_size(written)}"
    beside = _NOT_TURNED if cell_state.is_unturnable else beside
    lines = tuple(filter(None, (text, beside)))
    return lines, _WARNING if small or cell_state.is_unturnable else LIGHT


def _readout(
    pen: Pen, view: Viewport, box: PixelBox, words: tuple[tuple[str, ...], str]
) -> Rect | None:
    """Write on a crop what is said of it, beside it where that is small; return where.

    It is smaller where there is little room, beside the image where that is too small, and left out
    where it would lie on a handle even then.
    """
    lines, colour = words
    width, height = max(map(_label_width, lines)), len(lines) * labels.LINE
    handles = [_around(grip_point(view, box, grip)) for grip in HANDLES]
    frames = (view.seen, view.stage) if width <= view.seen.width else (view.stage,)
    for frame, part in product(frames, labels.SMALLER):
        by = part * min(1.0, view.stage.width / width)
        size = by * width, by * height
        place = label_place(frame, _rect(view, box).held_in(frame), size, handles)
        if place is not None:
            _label(pen, lines, place, colour, by)
            return place
    return None


def _around(point: tuple[float, float]) -> Rect:
    half = HANDLE / 2 + RIM
    return Rect(point[0] - half, point[1] - half, 2 * half, 2 * half)


def _label_width(text: str) -> float:
    return text_width(text, _TEXT_SIZE) + 2 * labels.PADDING


def _label(pen: Pen, lines: Iterable[str], ground: Rect, colour: str, by: float = 1.0) -> None:
    """Write lines on a ground of their own, smaller where there is less room."""
    pen.fill(_LABEL, ground)
    for number, text in enumerate(lines):
        middle = ground.y + by * ((number + 0.5) * labels.LINE + _LABEL_LOWERED)
        pen.words(text, (ground.x + by * labels.PADDING, middle), colour, by * _TEXT_SIZE)


def _size(box: PixelBox) -> str:
    return f"{box.size.width} \N{MULTIPLICATION SIGN} {box.size.height}"


def _paint_others(pen: Pen, view: Viewport, cell_state: CellState, taken: list[Rect]) -> None:
    """Draw the other crops of the image thinly, each with its name where there is room.

    Parameters
    ----------
    taken : where something is written already
    """
    own = getattr(cell_state.entry, "box", None)
    for other in cell_state.others:
        rect = _rect(view, other.box)
        if other.box != own:
            _thin(pen, rect)
        if cell_state.weight is not Weight.SMALL:
            taken.append(_name(pen, printable(other.names), rect.held_in(view.seen), taken))


def _name(pen: Pen, name: str, rect: Rect, taken: Iterable[Rect]) -> Rect:
    """Write a name in the corner of a box, below those that are there already."""
    width = text_width(name, _NAME_SIZE) + 2 * _NAME_PADDING
    place = Rect(rect.x + _NAME_PADDING, rect.y + _NAME_PADDING, width, _NAME_HEIGHT)
    for other in taken:
        if place.meets(other):
            place = Rect(place.x, other.bottom, width, _NAME_HEIGHT)
    pen.fill(_LABEL, place)
    at = (place.x + _NAME_PADDING, place.middle[1] + _LABEL_LOWERED)
    pen.words(name, at, LIGHT, _NAME_SIZE)
    return place


def _paint_mark(pen: Pen, frame: Rect, mark: Mark) -> None:
    pen.fill(_VEIL, frame)
    if mark is Mark.REJECT:
        ends = (
            (frame.x, frame.y, frame.right, frame.bottom),
            (frame.x, frame.bottom, frame.right, frame.y),
        )
        pen.line(DARK, 4, *ends)
        pen.line(LIGHT, 2, *ends)
    else:
        _two_toned(pen, frame.inset(2), 2)


def _paint_loupe(pen: Pen, loupe: Loupe, entry: Open) -> None:
    """Show the surroundings of a handle, with the edges that meet there."""
    lens = loupe.lens
    with pen.within(lens.stage):
        pen.fill(DARK, lens.stage)
        with pen.through(loupe.filters):
            pen.buffer(loupe.buffer, lens.frame, entry.turn, lens.middle_of(entry.box))
        _dim(pen, lens, entry.box, _DIM_CHOSEN)
        _two_toned(pen, _rect(lens, entry.box), 1)
    _two_toned(pen, lens.stage, 2)


def _paint_line(pen: Pen, line: DrawnLine, view: Viewport) -> None:
    """Draw what is to be level, with the angle that the image is turned by for it."""
    ends = (*line.start, *line.end)
    pen.line(DARK, _LINE + _OUTLINE, ends)
    pen.line(LIGHT, _LINE, ends)
    if line.is_long_enough:
        text = f"{-line.askew:+.1f}°"
        width, (x, y) = _label_width(text), line.end
        place = Rect(x - width / 2, y - labels.LINE - HANDLE, width, labels.LINE)
        left = min(max(place.x, view.stage.x), view.stage.right - width)
        above = place.y if place.y >= view.stage.y else y + HANDLE
        _label(pen, (text,), Rect(left, above, width, labels.LINE), LIGHT)


def _paint_later(pen: Pen, view: Viewport, boxes: tuple[PixelBox, PixelBox]) -> None:
    """Set an image apart from those that the next Enter accepts, and leave its box in sight."""
    pen.fill(_VEIL, view.frame)
    _two_toned(pen, _rect(view, boxes[0]), 1)
    x, y = view.frame.middle
    width = _label_width(_LATER)
    _label(pen, (_LATER,), Rect(x - width / 2, y - labels.LINE / 2, width, labels.LINE), LIGHT)
    _two_toned(pen, view.frame.inset(3), 4)


def _rect(view: Viewport, box: PixelBox) -> Rect:
    left, top, right, bottom = view.edges(box)
    return Rect(left, top, right - left, bottom - top)
