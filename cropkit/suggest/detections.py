"""Crop boxes from Python: of a callable that looks at images, or of a dict by name."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from threading import Lock
from time import monotonic
from typing import Any, NamedTuple
from unicodedata import normalize

from cropkit import bounded, formats
from cropkit.bounds import Bounds
from cropkit.errors import BadSuggestion, CropkitError
from cropkit.formats.preview import upright
from cropkit.geometry import NormalizedBox, Size
from cropkit.names import printable
from cropkit.records import Problem, ProblemKind, Suggestion
from cropkit.suggest.border import TOLERANCE, Border, Clipped, Outside
from cropkit.suggest.calling import Model, Wants, calling
from cropkit.suggest.convention import ALLOWED, Frame, Order, Units, in_pixels, xyxy
from cropkit.suggest.numbers import FLOAT_NOISE, confidence, number
from cropkit.suggest.own_thread import OwnThread
from cropkit.suggest.recognising import Seen, recognised
from cropkit.suggest.suggested import Meter, Pace, Suggested, Suggester, problem_of
from cropkit.suggest.table import Table
from cropkit.system import parameters
from cropkit.system.files import Root

Rated = tuple[NormalizedBox, float | None]

KEPT = 1_000  # images whose boxes are remembered
MOST = 100  # boxes of one image
TOGETHER = 8  # images in one list: each is decoded, and may have some 100 MB
_SHOWN = 200  # characters of what a model has to complain about
_NAMED = 80
_ORDERS: tuple[Order, ...] = ("xyxy", "xywh", "cxcywh")


class Asked(NamedTuple):
    """An image that boxes are asked for: its path, upright size and content."""

    path: str
    size: Size
    sha256: str


class Detections:
    """Suggestions of a model, or of what a model has answered before.

    A model is anything that can be called with one image. It is called in one thread of its own,
    for one image at a time, ahead of the reviewer; its answers are remembered by the content that
    it saw, for the last thousand images. When it raises, or answers what nobody understands, that
    is a problem of kind `SUGGESTION` which names the image, and the review goes on.

    Answers may be arrays, (N, 4) or (N, 5) with a confidence; lists of dicts; objects with
    ``xyxy``, ``boxes`` or ``detections``; dicts of ``boxes``, ``scores``, ``labels``; DataFrames;
    or boxes of cropkit itself, as `around` returns them. The best hundred of an image are used.

    Parameters
    ----------
    source : the model; or a dict of such answers by the image's path in the collection
    order, units : of four numbers that say nothing themselves; None: left, top, right, bottom in
        pixels for arrays, and to be declared where names leave it open
    frame : "upright", or "stored": a model that reads files by path and knows no EXIF orientation
    outside : "clip" boxes at the border, or "refuse" what reaches more than half a pixel outside
    tolerance : fraction of the side that is clipped; a box that reaches farther is refused
    wants : "image", an upright RGB Pillow image, or "path", of the file; "images" or "paths": a
        list of at most eight, for which it answers with a list as long; None: as the model's first
        parameter is annotated (`str` and `Path` get a path, `list[Path]` a list of paths), else an
        image
    name, version : of the model, as they are kept with each box

    Raises
    ------
    BadSuggestion, BadParameterValue
        When a parameter makes no sense.
    """

    def __init__(
        self,
        source: Model | Mapping[str, Any],
        *,
        order: Order | None = None,
        units: Units | None = None,
        frame: Frame = "upright",
        outside: Outside = "clip",
        tolerance: float = TOLERANCE,
        wants: Wants | None = None,
        name: str = "",
        version: str = "",
    ) -> None:
        for word, value in (("order", order), ("units", units), ("frame", frame)):
            if value is not None:
                parameters.choice(word, value, ALLOWED[word])
        self._model, self._answers = _taken(source)
        self.name, self.version = name or _name_of(source), version
        self._order, self._units, self._frame = order, units, frame
        self._border = Border(outside, tolerance)
        self._calling = calling(self._model, wants)
        self._files: Root | None = None
        self._thread = OwnThread("cropkit-suggest")
        self._known: OrderedDict[tuple[str, str], Suggested] = OrderedDict()
        self._lock = Lock()
        self._meter = Meter()

    @property
    def pace(self) -> Pace:
        """How many images the model was asked about, and the seconds that this took."""
        return self._meter.pace

    @property
    def clipped(self) -> Clipped:
        """How many boxes were clipped until now, and by how many pixels at most."""
        return self._border.clipped

    def of(self, files: Root) -> "Detections":
        """Return the same, with the same thread and memory, for the images of a collection."""
        twin = copy(self)
        twin._files = files  # noqa: SLF001  (of the same class)
        return twin

    def suggest(self, path: str, size: Size, sha256: str) -> Suggested:
        """Propose the boxes that the model, or the dict, has for the image."""
        (suggested,) = self.suggest_all([Asked(path, size, sha256)])
        return suggested

    def suggest_all(self, images: Sequence[Asked]) -> list[Suggested]:
        """Propose the boxes of several images; a model that takes them together gets them so."""
        if self._model is None:
            answers = [self._answers.get(normalize("NFC", each.path)) for each in images]
            pairs = zip(images, answers, strict=True)
            return [self._of_answer(each.path, each.size, 1, answer) for each, answer in pairs]
        known = {each: suggested for each in images if (suggested := self._recall(each))}
        new = [each for each in dict.fromkeys(images) if each not in known]
        if new:
            answered = self._thread.run(self._ask, new)
            for each, suggested in zip(new, answered, strict=True):
                known[each] = suggested
                if not suggested.problems:
                    self._remember(self._key(each), suggested)
        return [known[each] for each in images]

    def of_image(self, name: str, image: Any) -> Suggested:  # noqa: ANN401  (as a model takes it)
        """Propose the boxes that the model has for an image that is at hand: upright, RGB."""
        asked = Asked(name, Size(*image.size), "")
        return self._thread.run(self._told_of, {asked: (image, 1)})[asked]

    def _key(self, asked: Asked) -> tuple[str, str]:
        return asked.sha256, asked.path if self._calling.of_path is not None else ""

    def _recall(self, asked: Asked) -> Suggested | None:
        key = self._key(asked)
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
            return self._known.get(key)

    def _remember(self, key: tuple[str, str], suggested: Suggested) -> None:
        with self._lock:
            self._known[key] = suggested
            while len(self._known) > KEPT:
                self._known.popitem(last=False)

    def _ask(self, images: Sequence[Asked]) -> list[Suggested]:
        """Ask for images, some together where the model takes them so: they are decoded at once."""
        told: dict[Asked, Suggested] = {}
        step = TOGETHER if self._calling.together else 1
        for start in range(0, len(images), step):
            told |= self._answered(images[start : start + step])
        return [told[each] for each in images]

    def _answered(self, some: Sequence[Asked]) -> dict[Asked, Suggested]:
        told: dict[Asked, Suggested] = {}
        inputs: dict[Asked, tuple[Any, int]] = {}
        for each in some:
            try:
                inputs[each] = self._input(each)
            except CropkitError as error:
                told[each] = _problem(each.path, f"{self.name} was not asked: {error}")
        return told | self._told_of(inputs)

    def _told_of(self, inputs: Mapping[Asked, tuple[Any, int]]) -> dict[Asked, Suggested]:
        told: dict[Asked, Suggested] = {}
        if not inputs:
            return told
        try:
            arguments = [argument for argument, _ in inputs.values()]
            answers = self._timed(arguments)
        except BadSuggestion as error:
            return _problems(inputs, f"{self.name}: its answer {error.args[1]}")
        except (Exception, SystemExit) as error:  # noqa: BLE001  (a stranger's code may raise whatever it likes)
            if len(inputs) > 1:  # one of them is to blame, and the others have boxes
                return {each: self._told_of({each: inputs[each]})[each] for each in inputs}
            return _problems(inputs, f"{self.name} raised {type(error).__name__}: {error}")
        for (each, (_, orientation)), answer in zip(inputs.items(), answers, strict=True):
            told[each] = self._of_answer(each.path, each.size, orientation, answer)
        return told

    def _timed(self, arguments: Sequence[Any]) -> Sequence[Any]:
        before = monotonic()
        try:
            return self._calling.answers(self._model, arguments)  # type: ignore[arg-type]  # (only models are asked)
        finally:
            self._meter.add(len(arguments), monotonic() - before)

    def _input(self, asked: Asked) -> tuple[Any, int]:
        """Return what the model is called with, and the orientation that its boxes are short of."""
        if self._files is None:
            raise BadSuggestion(self.name, "is in no collection")
        path, of_path = asked.path, self._calling.of_path
        content = self._files.read(path, Bounds.from_environment())
        if content.sha256 != asked.sha256:
            raise BadSuggestion(path, "has changed since it was shown")
        stored = self._frame == "stored"
        orientation = formats.read_header(content.data, path).orientation if stored else 1
        if of_path is not None:
            return of_path(str(self._files.path / path)), orientation
        return bounded.done(upright, content.data, path, asked.size), orientation

    def _of_answer(self, path: str, size: Size, orientation: int, answer: Any) -> Suggested:  # noqa: ANN401  (of some model)
        try:
            rows = recognised(answer)
        except BadSuggestion as error:
            return _problem(path, f"{self.name}: its answer {error.args[1]}")
        except Exception as error:  # noqa: BLE001  (attributes of a stranger's object)
            return _problem(path, f"{self.name}: its answer raised {type(error).__name__}: {error}")
        if not rows:
            reason = f"{self.name} has no box"
            return Suggested(problems=(Problem(ProblemKind.NO_SUGGESTION, path, reason),))
        boxes: list[Rated] = []
        bad: list[str] = []
        for row in rows:
            try:
                boxes.append(self._box(row, size, orientation))
            except BadSuggestion as error:
                bad.append(str(error.args[1]))
        return self._ranked(path, boxes, bad)

    def _ranked(self, path: str, boxes: list[Rated], bad: list[str]) -> Suggested:
        ordered = sorted(boxes, key=lambda each: -1.0 if each[1] is None else -1.0 - each[1])
        suggestions = tuple(
            Suggestion(box, self.name, self.version, rank, sure)
            for rank, (box, sure) in enumerate(ordered[:MOST])
        )
        reasons = []
        if bad:
            others = f" ({len(bad)} such boxes of {len(bad) + len(boxes)})" if bad[1:] else ""
            reasons.append(f"{self.name}: {bad[0]}{others}")
        if len(ordered) > MOST:
            reasons.append(f"{self.name} has {len(ordered):,} boxes; the best {MOST} are used")
        problems = tuple(problem for each in reasons for problem in _problem(path, each).problems)
        return Suggested(suggestions, problems)

    def _box(self, row: Seen, size: Size, orientation: int) -> Rated:
        sure = None if row.confidence is None else confidence(row.confidence, "")
        frame = size.oriented(orientation)
        box = self._in_frame(row, frame)
        if orientation != 1:
            box = box.pixels(frame).upright(frame, orientation).normalized(size)
        return box, sure

    def _in_frame(self, row: Seen, size: Size) -> NormalizedBox:
        for value in row.numbers:
            number(value, "")
        order, units = row.order or self._order, row.units or self._units
        if order is None and row.is_open:
            reason = f"the order of its boxes is to be declared. {_readings(row, size)}"
            raise BadSuggestion("", reason)
        try:
            return self._bordered(xyxy(order or "xyxy", row.numbers), units, size)
        except BadSuggestion as error:
            if row.order and (row.units or self._units):
                raise
            raise BadSuggestion("", f"{error.args[1]}. {_readings(row, size)}") from None

    def _bordered(
        self, edges: tuple[float, float, float, float], units: Units | None, size: Size
    ) -> NormalizedBox:
        if units is not None and units != "pixels":
            edges = in_pixels(edges, units, size)
        elif max(map(abs, edges)) <= 1 + FLOAT_NOISE:
            raise BadSuggestion("", "looks normalized where pixels are declared")
        return self._border.box(edges, size, "")


def suggesters_of(suggest: Any, files: Root) -> tuple[Suggester, ...]:  # noqa: ANN401  (what a person has)
    """Return who is asked: a suggester itself, or what makes one of a model, a dict or a DataFrame.

    Raises
    ------
    BadParameterValue, BadSuggestion
        When it is nothing of that kind.
    """
    if isinstance(suggest, Detections):
        return (suggest.of(files),)
    if callable(getattr(suggest, "suggest", None)):
        return (suggest,)
    if hasattr(suggest, "columns") and hasattr(suggest, "to_dict"):
        return (Table.from_frame(suggest, outside="clip"),)
    return (Detections(suggest).of(files),)


def _taken(source: Model | Mapping[str, Any]) -> tuple[Model | None, Mapping[str, Any]]:
    if isinstance(source, Mapping):
        return None, {normalize("NFC", str(name)): answer for name, answer in source.items()}
    if callable(source):
        return source, {}
    raise parameters.wrong(
        "suggest", source, "callable, a dict by path, a DataFrame or a suggester"
    )


def _name_of(source: object) -> str:
    if isinstance(source, Mapping):
        return "detections"
    name = getattr(source, "__name__", type(source).__name__)
    return printable("model" if name == "<lambda>" else name)[:_NAMED]


def _readings(row: Seen, size: Size) -> str:
    """Show a row, and what it is in each order: a person sees at once which one is meant."""
    shown = ", ".join(f"{value:.7g}" for value in row.numbers)
    readings = "; ".join(f"{order}: {_reading(row, order, size)}" for order in _ORDERS)
    image = f"{size.width} x {size.height}"
    return f"In the {image} image the row ({shown}) is as {readings}. Declare order= and units="


def _reading(row: Seen, order: Order, size: Size) -> str:
    left, top, right, bottom = xyxy(order, row.numbers)
    shown = f"{left:.5g}, {top:.5g} to {right:.5g}, {bottom:.5g}"
    if right <= left or bottom <= top:
        return f"{shown} (inverted)"
    outside = left < 0 or top < 0 or right > size.width or bottom > size.height
    return f"{shown} (reaches outside)" if outside else shown


def _problems(images: Iterable[Asked], reason: str) -> dict[Asked, Suggested]:
    return {each: _problem(each.path, reason) for each in images}


def _problem(path: str, reason: str) -> Suggested:
    text = reason if len(reason) <= _NAMED + 4 * _SHOWN else f"{reason[: _NAMED + 4 * _SHOWN]}…"
    return Suggested(problems=(problem_of(BadSuggestion(path, text)),))
