"""What models see of an image, beside its plain features: a subject, and faces.

The subject is a map by U2-Netp (Qin et al., "U^2-Net", Pattern Recognition 2020), faces are found
by YuNet (Wu et al., "YuNet", Machine Intelligence Research 2023). Both files are vendored as they
were published, with their licences beside them, and are compared with their digests before use.
"""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from cropkit.errors import BadTaste
from cropkit.suggest import onnx_model
from cropkit.suggest.onnx_model import Pixels
from cropkit.taste import features
from cropkit.taste.boxes import Array, iou

MODELS = Path(__file__).parent / "models"
DIGESTS = {
    "u2netp.onnx": "309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8",
    "face_detection_yunet_2023mar.onnx": (
        "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"
    ),
}
_SUBJECT, _FACES = DIGESTS
_SIDE = 160  # pixels that the subject is looked for in: a third of the time of 320, and as good
_MEAN = np.array([0.485, 0.456, 0.406], dtype=np.float32)[:, None, None]  # of ImageNet
_DEVIATION = np.array([0.229, 0.224, 0.225], dtype=np.float32)[:, None, None]
_INPUT, _OUTPUT = "input.1", "1959"
# Protocol buffers, of the two sides of the input: a dimension of 320, and one of 160.
_DIMENSION, _SMALLER = bytes.fromhex("0a0308c002"), bytes.fromhex("0a0308a001")
_FACE_SIDE = 640  # pixels
_STRIDES = (8, 16, 32)  # pixels, of the three grids that faces are found on
_SURE, _SAME = 0.6, 0.3  # of a face; overlap of two finds of one
_MOST = 50  # faces


def seen(image: Image.Image, ratio: float | None = None) -> Array:
    """Return the features of an upright RGB image with what models see: (COUNT + SEEN,).

    Raises
    ------
    NotInstalled
        There is no onnxruntime.
    BadTaste
        A model's file is not as it was published.
    """
    return np.concatenate([features.features(image, ratio), sight(image)])


def sight(image: Image.Image) -> Array:
    """Return what models see of an upright RGB image: (SEEN,).

    Raises
    ------
    NotInstalled, BadTaste
        As `seen`.
    """
    return np.concatenate([features.of_map(subject(image)), features.of_faces(faces(image))])


def subject(image: Image.Image) -> Array:
    """Return where the subject of an image is, as a map (SIDE, SIDE) from 0 to 1."""
    pixels = onnx_model.planes(image, (_SIDE, _SIDE))
    asked = (pixels / max(float(pixels.max()), 1e-6) - _MEAN) / _DEVIATION
    answer = _subjects().run([_OUTPUT], {_INPUT: asked[None]})[0][0, 0]
    spread = float(answer.max() - answer.min())
    even = Image.fromarray(((answer - answer.min()) / max(spread, 1e-6)).astype(np.float32))
    size = (features.SIDE, features.SIDE)
    return np.asarray(even.resize(size, Image.Resampling.BILINEAR), dtype=np.float64)


def faces(image: Image.Image) -> Array:
    """Return the boxes of faces (N, 4), fractions of the image, largest first."""
    scale = _FACE_SIDE / max(image.size)
    width, height = (max(1, round(side * scale)) for side in image.size)
    asked = np.zeros((3, _FACE_SIDE, _FACE_SIDE), dtype=np.float32)
    asked[:, :height, :width] = 255 * onnx_model.planes(image, (width, height))[::-1]  # as BGR
    model = _face_finder()
    names = [each.name for each in model.get_outputs()]
    answers = dict(zip(names, model.run(names, {"input": asked[None]}), strict=True))
    every = np.concatenate([_on_grid(answers, stride) for stride in _STRIDES])
    kept = _apart(every[np.argsort(-every[:, 4])])[:, :4]
    inside = np.clip(kept / [width, height, width, height], 0, 1)
    size = np.prod(inside[:, 2:] - inside[:, :2], axis=1)
    order = np.argsort(-size)
    return np.asarray(inside[order][size[order] > 0])


def _on_grid(answers: dict[str, Pixels], stride: int) -> Array:
    """Return the faces on one grid as boxes in pixels, with how sure each is (N, 5)."""
    across = _FACE_SIDE // stride
    sure = np.sqrt(np.clip(answers[f"cls_{stride}"] * answers[f"obj_{stride}"], 0, 1))[0, :, 0]
    (cells,) = np.nonzero(sure > _SURE)
    moved = answers[f"bbox_{stride}"][0, cells].astype(np.float64)
    centre = (np.stack([cells % across, cells // across], axis=1) + moved[:, :2]) * stride
    half = np.exp(np.minimum(moved[:, 2:], 10)) * stride / 2
    return np.concatenate([centre - half, centre + half, sure[cells, None]], axis=1)


def _apart(every: Array) -> Array:
    """Keep, of finds that overlap, the surest (N, 5), which is first."""
    kept: list[Array] = []
    for each in every:
        if len(kept) == _MOST:
            break
        if all(iou(each[:4], other[:4]) < _SAME for other in kept):
            kept.append(each)
    return np.array(kept).reshape(-1, 5)


@cache
def _subjects() -> Any:  # noqa: ANN401  (it ships no types)
    """Load the subject's model for smaller images: the sides that its input declares are changed.

    They stand at the file's end, behind the name of the input, which occurs there last.
    """
    data = _published(_SUBJECT)
    at = data.rindex(_INPUT.encode())
    return onnx_model.session(data[:at] + data[at:].replace(_DIMENSION, _SMALLER, 2))


@cache
def _face_finder() -> Any:  # noqa: ANN401  (as above)
    return onnx_model.session(_published(_FACES))


def _published(name: str) -> bytes:
    data = (MODELS / name).read_bytes()
    if hashlib.sha256(data).hexdigest() != DIGESTS[name]:
        raise BadTaste(MODELS / name, "is not as it was published")
    return data
