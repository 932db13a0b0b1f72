"""A model in an ONNX file, asked for boxes: what it takes and gives, and nothing else.

==========  ===================================================================================
input       one, float32, (1, 3, height, width): the whole upright image stretched to that size,
            RGB, 0 to 1; where height or width is left open, it is 320
output      the first one, float32, (N, 4) or (N, 5), or with a 1 before: left, top, right and
            bottom as fractions of the image, and a confidence from 0 to 1; the best 100 count
==========  ===================================================================================

Here alone onnxruntime is entered. A model is named by a person, and is as much theirs as a program.
"""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from cropkit import extras
from cropkit.errors import BadParameterValue, BadSuggestion
from cropkit.suggest.detections import Detections
from cropkit.system import parameters

LARGEST = 512 << 20  # bytes of a file
_SIDE = 320  # pixels, where a model leaves it open
_SIDES = (16, 2048)  # pixels that it may ask for
_DIGITS = 12  # of the digest, as its version
_QUIET = 3  # errors alone: of warnings nobody can do anything about

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
    from onnxruntime.capi import onnxruntime_pybind11_state as errors  # noqa: PLC0415  (as above)

    try:
        return runtime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except tuple(getattr(errors, name) for name in _ERRORS) as error:
        raise ValueError(str(error).partition("\n")[0][:200]) from error


def planes(image: Image.Image, size: tuple[int, int]) -> Pixels:
    """Return an image stretched to a size, as planes: (3, height, width) float32, RGB, 0 to 1."""
    small = image.convert("RGB").resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
    return np.asarray(small, dtype=np.float32).transpose(2, 0, 1) / np.float32(255)


class Boxes:
    """What proposes boxes by a model of a file, for one upright RGB image after the other.

    Raises
    ------
    BadParameterValue
        It cannot be read, is no model, or takes something else.
    NotInstalled
        There is no onnxruntime.
    """

    def __init__(self, path: Path) -> None:
        data = _read(path)
        self.version = hashlib.sha256(data).hexdigest()[:_DIGITS]
        try:
            self._session = session(data)
            self._input, self._size = _input(self._session)
        except ValueError as error:
            raise _wrong(path, str(error)) from error
        self._output = self._session.get_outputs()[0].name

    def __call__(self, image: Image.Image) -> Pixels:
        """Return boxes (N, 4) or (N, 5), fractions of the image.

        Raises
        ------
        BadSuggestion
            The answer is of another shape.
        """
        asked = {self._input: planes(image, self._size)[None]}
        answer = np.asarray(self._session.run([self._output], asked)[0])
        rows = answer[0] if answer.shape[:-2] == (1,) else answer
        if rows.ndim != 2 or rows.shape[1] not in (4, 5):  # noqa: PLR2004  (edges, and a confidence)
            raise BadSuggestion("", f"has the shape {answer.shape}, not (N, 4) or (N, 5)")
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
