"""A model in an ONNX file, asked for boxes: what it takes and gives, and nothing else.

==========  ===================================================================================
input       one, float32, (1, 3, height, width): the whole upright image stretched to that size,
            RGB, 0 to 1; where height or width is left open, it is 320
output      the first one, float32, (N, 4) or (N, 5), or with a 1 before: left, top, right and
            bottom as fractions of the image, and a confidence from 0 to 1; the best 100 count
==========  ===================================================================================

Here alone onnxruntime is entered. A model is named by a person, and may have been made by anybody:
it is run in a process that may die, within the bounds of CPU and memory of any foreign file, and
reads no other file.
"""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from cropkit import bounded, extras
from cropkit.errors import BadParameterValue, BadSuggestion, ReaderDied, Refused, TooCostly
from cropkit.names import printable
from cropkit.suggest.detections import Detections
from cropkit.suggest.recognising import MOST_ROWS
from cropkit.system import parameters

LARGEST = 512 << 20  # bytes of a file
_SIDE = 320  # pixels, where a model leaves it open
_SIDES = (16, 2048)  # pixels that it may ask for
_DIGITS = 12  # of the digest, as its version
_QUIET = 4  # nothing but its end: an error is raised, and what it would print holds any letters
_SAID = 200  # characters of an error

_ERRORS = (  # which have no root of their own
    *("EPFail", "EngineError", "Fail", "InvalidArgument", "InvalidGraph", "InvalidProtobuf"),
    *("NoModel", "NotImplemented", "RuntimeException"),
)

Pixels = npt.NDArray[np.float32]


def session(data: bytes) -> Any:  # noqa: ANN401  (it ships no types)
    """Load a model, to run on the processor with one thread.

    Raises
    ------
    NotInstalled
        There is no onnxruntime.
    ValueError
        It is no model.
    """
    extras.needed("vision")
    import onnxruntime as runtime  # noqa: PLC0415  (an extra)

    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = _QUIET
    try:
        return runtime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except _errors() as error:
        raise ValueError(_words(error)) from error


def _errors() -> tuple[type[Exception], ...]:
    from onnxruntime.capi import onnxruntime_pybind11_state as errors  # noqa: PLC0415  (an extra)

    return tuple(getattr(errors, name) for name in _ERRORS)


def _words(error: Exception) -> str:
    return printable(str(error).partition("\n")[0][:_SAID])


def planes(image: Image.Image, size: tuple[int, int]) -> Pixels:
    """Return an image stretched to a size, as planes: (3, height, width) float32, RGB, 0 to 1."""
    small = image.convert("RGB").resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
    return np.asarray(small, dtype=np.float32).transpose(2, 0, 1) / np.float32(255)


class Boxes:
    """What proposes boxes by a model of a file, for one upright RGB image after the other.

    It is asked in a process of its own, within the bounds of any foreign file: one that was at a
    bound once, or brought that process down, is not asked again.

    Raises
    ------
    BadParameterValue
        It cannot be read, is no model, or takes something else.
    NotInstalled
        There is no onnxruntime.
    """

    def __init__(self, path: Path) -> None:
        extras.needed("vision")
        self._data, self._name = _read(path), printable(str(path))
        self._digest = hashlib.sha256(self._data).hexdigest()
        self.version = self._digest[:_DIGITS]
        self._given_up: Refused | None = None
        try:
            told = bounded.apart(_looked_at, self._data, self._name)
        except Refused as error:
            raise _wrong(path, str(error)) from error
        if isinstance(told, str):
            raise _wrong(path, told)
        self._size = told

    def __call__(self, image: Image.Image) -> Pixels:
        """Return boxes (N, 4) or (N, 5), fractions of the image.

        Raises
        ------
        BadSuggestion
            The answer is of another shape.
        TooCostly, ReaderDied
            It is at a bound, or was.
        """
        if self._given_up is not None:
            raise self._given_up
        pixels = planes(image, self._size)[None]
        try:
            told = bounded.apart(_asked, b"", self._name, self._digest, pixels)
            if told is None:  # by a process that has another model, or none
                told = bounded.apart(_asked, self._data, self._name, self._digest, pixels)
        except (TooCostly, ReaderDied) as error:
            self._given_up = error
            raise
        if told is None or isinstance(told, str):
            raise BadSuggestion("", told or "is none")
        return told


# -- in a process of its own ---------------------------------------------------------------------

_at_hand: dict[str, Any] = {}  # the model that was asked last, by its digest


def _looked_at(data: bytes, _: str) -> tuple[int, int] | str:
    """Return the width and height that a model takes, or why it is none."""
    try:
        return _input(session(data))[1]
    except ValueError as error:
        return str(error)


def _asked(data: bytes, _: str, digest: str, pixels: Pixels) -> Pixels | str | None:
    """Return a model's boxes, or why its answer has none; None: the model is to be given."""
    if digest not in _at_hand and not data:
        return None
    try:
        if digest not in _at_hand:
            _at_hand.clear()
            _at_hand[digest] = session(data)
        model = _at_hand[digest]
        name, output = _input(model)[0], model.get_outputs()[0].name
        return _rows(_run(model, output, {name: pixels}))
    except ValueError as error:
        return str(error)


def _run(model: Any, output: str, given: dict[str, Pixels]) -> object:  # noqa: ANN401  (it ships no types)
    try:
        return model.run([output], given)[0]
    except _errors() as error:
        raise ValueError(f"failed: {_words(error)}") from error


def _rows(answer: object) -> Pixels:
    if not isinstance(answer, np.ndarray) or answer.dtype.kind not in "fiu":
        raise ValueError("is no array of numbers")
    rows = answer[0] if answer.shape[:-2] == (1,) else answer
    if rows.ndim != 2 or rows.shape[1] not in (4, 5):  # noqa: PLR2004  (edges, and a confidence)
        raise ValueError(f"has the shape {answer.shape}, not (N, 4) or (N, 5)")
    if len(rows) > MOST_ROWS:
        raise ValueError(f"has {len(rows):,} boxes, more than {MOST_ROWS:,}")
    with np.errstate(over="ignore"):  # what is too large for one is no box, either
        return rows.astype(np.float32)


def suggester(path: Path | str, name: str = "", version: str = "") -> Detections:
    """Return a suggester by a model in an ONNX file.

    Parameters
    ----------
    name, version : as they are kept with each box; '': the file's name, and its digest

    Raises
    ------
    BadParameterValue, NotInstalled
        As `Boxes`.
    """
    path = Path(path)
    boxes = Boxes(path)
    return Detections(
        boxes,
        order="xyxy",
        units="normalized",
        wants="image",
        name=name or path.stem,
        version=version or boxes.version,
    )


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise _wrong(path, error.strerror or type(error).__name__) from error
    if len(data) > LARGEST:
        raise _wrong(path, f"larger than {LARGEST:,} bytes")
    return data


def _input(of: Any) -> tuple[str, tuple[int, int]]:  # noqa: ANN401  (as above)
    """Return the name of a model's input, and the width and height that it takes."""
    every = of.get_inputs()
    shape: list[Any] = list(every[0].shape) if len(every) == 1 else []
    if len(shape) != 4 or every[0].type != "tensor(float)":  # noqa: PLR2004  (axes)
        raise ValueError("it takes something else than one image, (1, 3, height, width) of float32")
    if shape[1] != 3 or (isinstance(shape[0], int) and shape[0] != 1):  # noqa: PLR2004  (colours)
        raise ValueError(f"it takes {shape}, not (1, 3, height, width)")
    height, width = (each if isinstance(each, int) else _SIDE for each in shape[2:])
    if not all(_SIDES[0] <= each <= _SIDES[1] for each in (height, width)):
        raise ValueError(f"it takes {width} x {height} pixels, not {_SIDES[0]} to {_SIDES[1]}")
    return every[0].name, (width, height)


def _wrong(path: Path, reason: str) -> BadParameterValue:
    return parameters.wrong("model", str(path), f"ONNX file that proposes boxes ({reason})")
