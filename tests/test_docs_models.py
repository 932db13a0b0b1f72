"""Each recipe of docs/models.md is run; packages that are too heavy are stood in for.

A stand-in has the types, names and shapes of the real package's results: tensors are arrays with
``detach`` and ``cpu``, boxes are objects, and nothing is there that the real one has not.
"""

import json
import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, redirect_stdout
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import BytesIO, StringIO
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pictures
import pytest
from PIL import Image

PAGE = (Path(__file__).parents[1] / "docs/models.md").read_text(encoding="utf-8")
RECIPE = re.compile(r"^## ([^\n]+)\n(?:(?!^## ).)*?```python\n(.*?)```", re.MULTILINE | re.DOTALL)
RECIPES = dict(RECIPE.findall(PAGE))
PORT = 8700


class Tensor:
    """As torch's: detached and brought to the processor before it is an array."""

    def __init__(self, values: Any) -> None:
        self._values = np.asarray(values, np.float32)

    def detach(self) -> "Tensor":
        return self

    def cpu(self) -> "Tensor":
        return self

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:  # noqa: FBT001  (NumPy calls it so)  # noqa: FBT001  (NumPy asks so)
        return np.array(self._values, dtype, copy=copy)

    def __len__(self) -> int:
        return len(self._values)


@dataclass
class Boxes:
    """As ultralytics.engine.results.Boxes."""

    xyxy: Tensor
    conf: Tensor
    cls: Tensor


def seen(image: object) -> None:
    """Hold what a model is given: upright, RGB, of the collection's one image."""
    assert isinstance(image, Image.Image)
    assert (image.mode, image.size) == ("RGB", (96, 64))


def module(name: str, **content: object) -> ModuleType:
    made = ModuleType(name)
    made.__dict__.update(content)
    return made


def ultralytics() -> list[ModuleType]:
    class YOLO:
        def __init__(self, weights: str) -> None:
            assert weights.endswith(".pt")

        def __call__(self, image: object, classes: list[int], verbose: bool) -> list[object]:  # noqa: FBT001  (as there)
            seen(image)
            assert (classes, verbose) == ([0], False)
            boxes = Boxes(Tensor([[30, 10, 50, 40]]), Tensor([0.9]), Tensor([0.0]))
            return [SimpleNamespace(boxes=boxes, names={0: "person"})]

    return [module("ultralytics", YOLO=YOLO)]


def torchvision() -> list[ModuleType]:
    class Model:
        def eval(self) -> "Model":
            return self

        def __call__(self, batch: list[object]) -> list[dict[str, Tensor]]:
            assert len(batch) == 1
            boxes, scores = Tensor([[10, 20, 40, 60], [0, 0, 9, 9]]), Tensor([0.5, 0.75])
            return [{"boxes": boxes, "labels": Tensor([1, 2]), "scores": scores}]

    def to_tensor(image: Image.Image) -> Tensor:
        seen(image)
        return Tensor(np.asarray(image).transpose(2, 0, 1) / 255)

    return [
        module("torch", inference_mode=nullcontext),
        module("torchvision"),
        module("torchvision.models"),
        module("torchvision.models.detection", fasterrcnn_resnet50_fpn_v2=lambda weights: Model()),  # noqa: ARG005  (as there)
        module("torchvision.transforms"),
        module("torchvision.transforms.functional", to_tensor=to_tensor),
    ]


def transformers() -> list[ModuleType]:
    def detector(image: object) -> list[dict[str, object]]:
        seen(image)
        box = {"xmin": 10, "ymin": 20, "xmax": 40, "ymax": 60}
        return [{"score": 0.99, "label": "cat", "box": box}]

    return [module("transformers", pipeline=lambda task, model: detector)]  # noqa: ARG005  (as there)


def mediapipe() -> list[ModuleType]:
    class Detector:
        @classmethod
        def create_from_options(cls, options: object) -> "Detector":
            assert options
            return cls()

        def detect(self, image: SimpleNamespace) -> object:
            assert image.data.shape == (64, 96, 3)
            box = SimpleNamespace(origin_x=10, origin_y=20, width=30, height=40)
            categories = [SimpleNamespace(score=0.75, category_name=None)]
            return SimpleNamespace(
                detections=[SimpleNamespace(bounding_box=box, categories=categories, keypoints=[])]
            )

    vision = module("vision", FaceDetectorOptions=SimpleNamespace, FaceDetector=Detector)
    root = module("mediapipe", Image=SimpleNamespace, ImageFormat=SimpleNamespace(SRGB=1))
    python = module("mediapipe.tasks.python", BaseOptions=SimpleNamespace, vision=vision)
    return [root, module("mediapipe.tasks"), python]


def insightface() -> list[ModuleType]:
    class FaceAnalysis:
        def __init__(self, allowed_modules: list[str]) -> None:
            assert allowed_modules == ["detection"]

        def prepare(self, ctx_id: int) -> None:
            assert ctx_id == -1

        def get(self, image: Any) -> list[object]:
            assert image.shape == (64, 96, 3)
            box = np.array([40, 25, 50, 35], np.float32)
            return [SimpleNamespace(bbox=box, det_score=np.float32(0.5))]

    return [module("insightface"), module("insightface.app", FaceAnalysis=FaceAnalysis)]


Stand = Callable[[], list[ModuleType]]
# recipe: what stands in for its packages, and what it prints
EXPECTED: dict[str, tuple[Stand, str]] = {
    "A function": (list, "(16, 11, 80, 53)"),
    "Ultralytics": (ultralytics, "[(24, 5, 56, 45)]"),
    "torchvision": (torchvision, "[((0, 0, 9, 9), 0.75), ((10, 20, 40, 60), 0.5)]"),
    "transformers": (transformers, "[((10, 20, 40, 60), 'r50')]"),
    "MediaPipe": (mediapipe, "[(10, 20, 40, 60)]"),
    "InsightFace": (insightface, "[(34, 17, 56, 41)]"),
    "A web service": (list, "[((10, 20, 40, 60), 0.5)]"),
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand where there is a folder ``photos`` of one image."""
    (tmp_path / "photos").mkdir()
    pictures.write_jpeg(tmp_path / "photos/a.jpg")
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Service(BaseHTTPRequestHandler):
    """Answers one box for each JPEG."""

    def do_POST(self) -> None:
        seen(Image.open(BytesIO(self.rfile.read(int(self.headers["Content-Length"])))))
        body = json.dumps([{"box": [10, 20, 40, 60], "score": 0.5}]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def served() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), Service) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def test_every_recipe_of_the_page_is_run() -> None:
    assert list(RECIPES) == list(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_recipe_proposes_boxes(place: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    stand_in, expected = EXPECTED[name]
    for each in stand_in():
        monkeypatch.setitem(sys.modules, each.__name__, each)
    out = StringIO()
    with served() as port, redirect_stdout(out):
        exec(RECIPES[name].replace(str(PORT), str(port)), {"__name__": "recipe"})  # noqa: S102  (the page's own)
    assert out.getvalue().strip() == expected, place
