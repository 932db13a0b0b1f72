import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from strategies import sizes_with_boxes

import cropkit
from cropkit.errors import BadParameterValue
from cropkit.geometry import NormalizedBox, PixelBox, Size
from cropkit.records import ProblemKind
from cropkit.suggest import Suggested, recognising
from cropkit.suggest import detections as detections_module
from cropkit.suggest.detections import MOST, Detections
from cropkit.system.files import Root

SIZE = Size(400, 200)
BOX = [40.0, 20.0, 120.0, 180.0]
ROWS = np.array([BOX, [0, 0, 400, 200]])


def of(answer: Any, size: Size = SIZE, **declared: Any) -> Suggested:
    return Detections({"a.png": answer}, **declared).suggest("a.png", size, "")


def boxes_of(answer: Any, **declared: Any) -> list[tuple[int, ...]]:
    suggested = of(answer, **declared)
    assert suggested.problems == ()
    return [suggestion.box.pixels(SIZE).xyxy for suggestion in suggested.suggestions]


def reason_of(answer: Any, **declared: Any) -> str:
    suggested = of(answer, **declared)
    (problem,) = suggested.problems
    assert (problem.kind, problem.path) == (ProblemKind.SUGGESTION, "a.png")
    return problem.reason


@dataclass
class Holder:
    """Any object with attributes of those names, as results of detectors are."""

    values: dict[str, Any] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["values"][name]
        except KeyError:
            raise AttributeError(name) from None


class Tensor:
    """What is no array before it was brought to this process."""

    def __init__(self, values: Any) -> None:
        self.values = values

    def __len__(self) -> int:
        return len(self.values)

    def detach(self) -> "Tensor":
        return self

    def cpu(self) -> "np.ndarray[Any, Any]":
        return np.asarray(self.values)


def holder(**values: Any) -> Holder:
    return Holder(values)


EDGES = {"xmin": 40, "ymin": 20, "xmax": 120, "ymax": 180}
KNOWN: dict[str, Any] = {
    "an array": np.array([BOX]),
    "a tensor": Tensor([BOX]),
    "one row": BOX,
    "lists": [BOX],
    "with a confidence": np.array([[*BOX, 0.5]]),
    "with a class": np.array([[*BOX, 0.5, 3]]),
    "supervision": holder(xyxy=np.array([BOX]), confidence=None, class_id=np.array([1])),
    "ultralytics": [
        holder(boxes=holder(xyxy=Tensor([BOX]), conf=Tensor([0.5]), cls=Tensor([1.0])))
    ],
    "its table": pd.DataFrame(
        [{"name": "cat", "box": {"x1": 40.0, "y1": 20.0, "x2": 120.0, "y2": 180.0}}]
    ),
    "torchvision": [{"boxes": Tensor([BOX]), "scores": Tensor([0.5]), "labels": Tensor([1])}],
    "transformers": [{"score": 0.5, "label": "cat", "box": EDGES}],
    "zero-shot": {"boxes": [BOX], "scores": [0.5], "labels": ["cat"]},
    "fiftyone": holder(
        detections=[holder(bounding_box=[0.1, 0.1, 0.2, 0.8], label="cat", confidence=0.5)]
    ),
    "mediapipe": holder(
        detections=[holder(bounding_box=holder(origin_x=40, origin_y=20, width=80, height=160))]
    ),
    "edges": [EDGES],
    "xywh": {"xywh": [40, 20, 80, 160]},
    "many xywh": {"xywh": np.array([[40, 20, 80, 160]]), "confidence": [0.5]},
    "cxcywh": [{"cxcywh": (80, 100, 80, 160)}],
    "a box": PixelBox(40, 20, 120, 180),
    "boxes": (PixelBox(40, 20, 120, 180),),
    "fractions": [NormalizedBox(0.1, 0.1, 0.3, 0.9)],
    "boxes of dicts": {"boxes": [EDGES]},
    "a task": {"<OD>": {"boxes": [BOX], "labels": ["cat"]}},
}


@pytest.mark.parametrize("name", KNOWN)
def test_an_answer_is_recognised_by_its_shape_and_names(name: str) -> None:
    assert boxes_of(KNOWN[name]) == [(40, 20, 120, 180)]


def test_what_around_returns_is_a_suggestion() -> None:
    (crop,) = cropkit.around([BOX], SIZE, margin=0.1)
    assert boxes_of(cropkit.around([BOX], SIZE, margin=0.1)) == [crop.xyxy]


@pytest.mark.parametrize("empty", [None, [], np.zeros((0, 4)), {"boxes": [], "scores": []}, ()])
def test_an_image_without_a_box_is_no_degradation(empty: Any) -> None:
    (problem,) = of(empty).problems
    assert problem.kind is ProblemKind.NO_SUGGESTION


def test_the_most_confident_is_first_and_each_says_by_whom() -> None:
    answer = np.array([[*BOX, 0.2], [0, 0, 400, 200, 0.9]])
    best, second = of(answer, name="yard", version="2").suggestions
    assert (best.confidence, best.rank, second.confidence, second.rank) == (0.9, 0, 0.2, 1)
    assert (best.source, best.version) == ("yard", "2")


@given(place=sizes_with_boxes(), order=st.sampled_from(("xyxy", "xywh", "cxcywh")))
def test_any_box_in_any_declared_order_comes_back(place: tuple[Size, PixelBox], order: Any) -> None:
    size, box = place
    if max(box.xyxy) <= 1:
        return  # taken for a normalized one
    left, top, w, h = box.left, box.top, box.size.width, box.size.height
    numbers: dict[str, list[float]] = {
        "xyxy": [*box.xyxy],
        "xywh": [left, top, w, h],
        "cxcywh": [left + w / 2, top + h / 2, w, h],
    }
    suggested = of([numbers[order]], size, order=order)
    if max(map(abs, numbers[order])) <= 1:
        return
    assert [each.box.pixels(size) for each in suggested.suggestions] == [box]


def test_fractions_are_read_where_they_are_declared() -> None:
    assert boxes_of([[0.1, 0.1, 0.3, 0.9]], units="normalized") == [(40, 20, 120, 180)]


def test_what_leaves_the_order_open_has_to_declare_it_and_is_shown() -> None:
    answer = [{"bbox": [100, 80, 60, 40]}]
    reason = reason_of(answer)
    assert "order of its boxes is to be declared" in reason
    assert "(100, 80, 60, 40)" in reason
    assert "xyxy: 100, 80 to 60, 40 (inverted)" in reason
    assert "xywh: 100, 80 to 160, 120;" in reason
    assert "cxcywh: 70, 60 to 130, 100." in reason
    assert boxes_of(answer, order="xywh") == [(100, 80, 160, 120)]


def test_bboxes_leave_the_order_open_too() -> None:
    assert "to be declared" in reason_of({"bboxes": [BOX], "labels": ["cat"]})
    assert boxes_of({"bboxes": [BOX]}, order="xyxy") == [(40, 20, 120, 180)]


def test_an_array_of_widths_or_of_fractions_shows_its_readings() -> None:
    assert "inverted. In the 400 x 200 image" in reason_of([[100, 80, 60, 40]])
    assert "looks normalized where pixels are declared" in reason_of([[0.1, 0.1, 0.3, 0.9]])


BAD: dict[str, tuple[Any, str]] = {
    "text": ("boxes", "holds no boxes"),
    "three columns": (np.zeros((2, 3)), "of shape (2, 3)"),
    "another dict": ({"a": 1, "b": 2}, "no box by a known name"),
    "two images": ([{"boxes": [BOX]}, {"boxes": [BOX]}], "results of 2 images"),
    "too few scores": ({"boxes": [BOX, BOX], "scores": [0.5]}, "2 boxes and 1 confidences"),
    "a percentage": (np.array([[*BOX, 95.0]]), "confidence 95 is not in 0..1"),
    "not a number": ([[float("nan"), 0, 5, 5]], "not finite"),
    "a loop": (holder(boxes=holder(boxes=holder(boxes=holder(boxes=holder(boxes=holder(
        boxes=holder(boxes=[BOX]))))))), "nested too deeply"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_an_answer_that_nobody_understands_is_a_problem_of_its_image(name: str) -> None:
    answer, reason = BAD[name]
    assert reason in reason_of(answer)


def test_a_bad_box_costs_the_others_nothing_and_many_bad_ones_are_one_problem() -> None:
    suggested = of([BOX, [50, 50, 20, 20], [60, 50, 20, 20]])
    assert len(suggested.suggestions) == 1
    (problem,) = suggested.problems
    assert "(2 such boxes of 3)" in problem.reason


def test_of_very_many_boxes_the_best_are_used_and_that_is_told() -> None:
    suggested = of(np.array([BOX] * 5000))
    assert len(suggested.suggestions) == MOST
    assert "has 5,000 boxes" in suggested.problems[0].reason


def test_a_box_that_reaches_outside_is_clipped_and_counted_up_to_the_tolerance() -> None:
    detections = Detections({"a.png": [[-4, -10, 420, 200], [0, 0, 399.8, 200.4]]})
    first, second = detections.suggest("a.png", SIZE, "").suggestions
    assert first.box.pixels(SIZE) == PixelBox(0, 0, 400, 200)
    assert second.box.pixels(SIZE) == PixelBox(0, 0, 400, 200)
    assert str(detections.clipped) == "1 box clipped at the border, at most 20 px"


def test_a_box_that_reaches_farther_is_refused_and_so_is_any_where_that_is_asked() -> None:
    assert "21 px outside of the 400 x 200 image" in reason_of([[0, 0, 421, 100]])
    assert "11 px outside" in reason_of([[0, 0, 100, 211]])
    assert of([[0, 0, 421, 100]], tolerance=0.1).problems == ()
    assert "reaches outside" in reason_of([[0, 0, 402, 100]], outside="refuse")


def test_a_table_clips_where_that_is_asked() -> None:
    frame = pd.DataFrame([{"path": "a.png", "x1": -3, "y1": 0, "x2": 100, "y2": 100}])
    strict = cropkit.Table.from_frame(frame).suggest("a.png", SIZE, "")
    assert strict.suggestions == ()
    table = cropkit.Table.from_frame(frame, outside="clip")
    assert table.suggest("a.png", SIZE, "").suggestions[0].box.pixels(SIZE).left == 0
    assert table.clipped.count == 1


@pytest.mark.parametrize(
    "wrong", [{"order": "yxyx"}, {"units": "permille"}, {"outside": "shrink"}, {"wants": "bytes"}]
)
def test_a_parameter_that_makes_no_sense_is_refused_before_anything_is_asked(wrong: Any) -> None:
    with pytest.raises(BadParameterValue):
        Detections({}, **wrong)
    with pytest.raises(BadParameterValue, match="callable"):
        Detections(5)  # type: ignore[arg-type]  # that is the point


# -- models --------------------------------------------------------------------------------------


@pytest.fixture
def photo(tmp_path: Path) -> str:
    """Paint a picture that lies on its side: 400 x 200 as a person sees it; return its SHA-256."""
    picture = Image.new("RGB", (200, 400), "white")
    picture.paste("red", (0, 0, 200, 100))  # on the right of what a person sees
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.save(tmp_path / "a.png", exif=exif)
    return sha256((tmp_path / "a.png").read_bytes()).hexdigest()


def asked(model: Callable[..., Any], folder: Path, digest: str, **declared: Any) -> Suggested:
    detections = Detections(model, **declared).of(Root(folder))
    return detections.suggest("a.png", SIZE, digest)


def test_a_model_sees_the_upright_image_in_a_thread_of_its_own(tmp_path: Path, photo: str) -> None:
    seen: list[Any] = []

    def model(image: Any) -> list[list[float]]:
        seen.append((image.mode, image.size, image.getpixel((390, 100)), image.getpixel((10, 100))))
        seen.append(threading.current_thread().name.partition("_")[0])
        return [BOX]

    (suggestion,) = asked(model, tmp_path, photo).suggestions
    assert seen == [("RGB", (400, 200), (255, 0, 0), (255, 255, 255)), "cropkit-suggest"]
    assert suggestion.source == "model"


def test_a_model_that_wants_a_path_gets_one_by_annotation_or_by_declaration(
    tmp_path: Path, photo: str
) -> None:
    seen: list[Any] = []

    def by_text(path: str) -> None:
        seen.append(path)

    def by_path(path: Path) -> None:
        seen.append(path)

    for model in (by_text, by_path):
        asked(model, tmp_path, photo)
    asked(seen.append, tmp_path, photo, wants="path")
    assert seen == [str(tmp_path / "a.png"), tmp_path / "a.png", tmp_path / "a.png"]


def test_boxes_of_the_stored_frame_are_turned(tmp_path: Path, photo: str) -> None:
    red = [[0, 0, 200, 100]]
    suggested = asked(lambda _: red, tmp_path, photo, wants="path", frame="stored")
    assert suggested.suggestions[0].box.pixels(SIZE) == PixelBox(300, 0, 400, 200)


def test_a_model_that_raises_is_a_problem_named_by_file(tmp_path: Path, photo: str) -> None:
    def broken(image: Any) -> None:
        raise MemoryError(f"no room for {image.size}" + "x" * 9999)

    (problem,) = asked(broken, tmp_path, photo).problems
    assert (problem.kind, problem.path) == (ProblemKind.SUGGESTION, "a.png")
    assert problem.reason.startswith("broken raised MemoryError: no room for (400, 200)")
    assert len(problem.reason) < 1000


def test_a_model_is_asked_once_for_a_content_and_again_after_it_raised(
    tmp_path: Path, photo: str
) -> None:
    calls: list[str] = []

    def model(_: Any) -> list[list[float]]:
        calls.append("")
        if len(calls) == 1:
            raise ValueError
        return [BOX]

    detections = Detections(model).of(Root(tmp_path))
    for _ in range(3):
        detections.suggest("a.png", SIZE, photo)
    assert len(calls) == 2


def test_what_is_remembered_is_bounded(
    tmp_path: Path, photo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detections_module, "KEPT", 1)
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes() + b"more")
    other = sha256((tmp_path / "b.png").read_bytes()).hexdigest()
    calls: list[Any] = []

    def model(image: Any) -> list[list[float]]:
        calls.append(image.size)
        return [BOX]

    detections = Detections(model).of(Root(tmp_path))
    for name, digest in (("a.png", photo), ("b.png", other), ("b.png", other), ("a.png", photo)):
        assert detections.suggest(name, SIZE, digest).suggestions
    assert len(calls) == 3


def test_a_model_is_not_asked_of_another_content_than_is_shown(tmp_path: Path, photo: str) -> None:
    del photo
    (problem,) = asked(lambda _: [BOX], tmp_path, "0" * 64).problems
    assert "was not asked" in problem.reason


@pytest.mark.usefixtures("photo")
def test_a_collection_takes_a_model_a_frame_a_dict_or_a_suggester(tmp_path: Path) -> None:
    frame = pd.DataFrame([{"path": "a.png", "x1": -3, "y1": 20, "x2": 120, "y2": 180}])
    for suggest in (lambda _: [BOX], frame, {"a.png": [BOX]}, Detections({"a.png": [BOX]})):
        with cropkit.open(tmp_path, suggest=suggest) as collection:
            (suggestion,) = collection.suggestions(collection.look("a.png"))
            assert suggestion.box.pixels(SIZE).bottom == 180


@pytest.mark.usefixtures("photo")
def test_a_model_that_raises_is_counted_and_the_work_goes_on(tmp_path: Path) -> None:
    def broken(_: Any) -> None:
        raise RuntimeError("out of memory")

    with cropkit.open(tmp_path, suggest=broken) as collection:
        assert collection.suggestions(collection.look("a.png")) == ()
        assert collection.counts().degraded == 1
        assert collection.crop("a.png", PixelBox(0, 0, 100, 100)).ok


@pytest.mark.usefixtures("photo")
def test_boxes_that_were_clipped_are_in_the_log(tmp_path: Path, caplog: Any) -> None:
    with cropkit.open(tmp_path, suggest={"a.png": [[-3, 0, 100, 100]]}) as collection:
        collection.suggestions(collection.look("a.png"))
    assert "detections: 1 box clipped at the border, at most 3 px" in caplog.text


# -- several at once ---------------------------------------------------------------------------


def several(folder: Path, count: int) -> list[detections_module.Asked]:
    """Write images of different sizes and contents; return what is asked of them."""
    images = []
    for number in range(count):
        path, size = folder / f"{number}.png", Size(20 + number, 10)
        Image.new("RGB", (size.width, size.height), (number, 0, 0)).save(path)
        content = sha256(path.read_bytes()).hexdigest()
        images.append(detections_module.Asked(path.name, size, content))
    return images


def by_list(images: list[Image.Image]) -> list[Any]:
    return [[[0, 0, image.width / 2, 5, 0.5]] for image in images]


def test_a_model_that_takes_lists_gets_at_most_eight_and_each_image_its_own_answer(
    tmp_path: Path,
) -> None:
    lengths: list[int] = []

    def model(images: list[Image.Image]) -> list[Any]:
        lengths.append(len(images))
        return by_list(images)

    asked_for = several(tmp_path, 10)
    detections = Detections(model).of(Root(tmp_path))
    answers = detections.suggest_all(asked_for)
    assert lengths == [8, 2]
    for each, answer in zip(asked_for, answers, strict=True):
        (suggestion,) = answer.suggestions
        assert suggestion.box.xyxy == (0, 0, 0.5, 0.5), each
    assert detections.suggest_all(asked_for) == answers
    assert detections.suggest(*asked_for[3]) == answers[3]
    assert lengths == [8, 2]


def test_a_list_of_paths_is_taken_by_annotation_and_by_declaration(tmp_path: Path) -> None:
    seen: list[Any] = []

    def annotated(paths: list[Path]) -> list[Any]:
        seen.extend(paths)
        return [None] * len(paths)

    asked_for = several(tmp_path, 2)
    Detections(annotated).of(Root(tmp_path)).suggest_all(asked_for)
    bare = partial(annotated)
    Detections(bare, wants="paths").of(Root(tmp_path)).suggest_all(asked_for)
    assert seen == [tmp_path / "0.png", tmp_path / "1.png"] * 2


def test_the_one_of_a_list_that_makes_a_model_raise_is_named_and_the_others_have_boxes(
    tmp_path: Path,
) -> None:
    def model(images: list[Image.Image]) -> list[Any]:
        if any(image.width == 22 for image in images):
            msg = "too red"
            raise ValueError(msg)
        return by_list(images)

    asked_for = several(tmp_path, 4)
    answers = Detections(model, name="m").of(Root(tmp_path)).suggest_all(asked_for)
    assert [len(answer.suggestions) for answer in answers] == [1, 1, 0, 1]
    (problem,) = answers[2].problems
    assert (problem.path, problem.reason) == ("2.png", "m raised ValueError: too red")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ([[]], "is 1 answers for 2 images"),
        ({"boxes": []}, "is a dict; for a list of images it is a list of answers"),
        (None, "is a NoneType"),
        ("text", "is a str"),
    ],
)
def test_what_is_not_one_answer_for_each_is_a_problem_of_all(
    tmp_path: Path, answer: Any, expected: str
) -> None:
    detections = Detections(lambda _: answer, wants="images").of(Root(tmp_path))
    for suggested in detections.suggest_all(several(tmp_path, 2)):
        assert expected in suggested.problems[0].reason


def test_an_image_that_changed_is_told_and_the_others_are_asked_for(tmp_path: Path) -> None:
    asked_for = several(tmp_path, 3)
    Image.new("RGB", (9, 9)).save(tmp_path / "1.png")
    detections = Detections(by_list, wants="images").of(Root(tmp_path))
    answers = detections.suggest_all(asked_for)
    assert [len(answer.suggestions) for answer in answers] == [1, 0, 1]
    assert "has changed since" in answers[1].problems[0].reason


def test_an_answer_with_no_end_of_boxes_is_refused() -> None:
    many = np.tile(np.array([0, 0, 5, 5]), (recognising.MOST_ROWS + 1, 1))
    for answer in (many, [{"xyxy": [0, 0, 5, 5]}] * (recognising.MOST_ROWS + 1)):
        suggested = of(answer)
        assert "has more than 10,000 boxes" in suggested.problems[0].reason


def test_a_model_that_ends_the_program_is_a_problem_of_its_image(tmp_path: Path) -> None:
    def model(image: Image.Image) -> None:
        raise SystemExit(image.width)

    (suggested,) = Detections(model).of(Root(tmp_path)).suggest_all(several(tmp_path, 1))
    assert suggested.problems[0].reason == "model raised SystemExit: 20"


def test_a_model_that_hangs_keeps_no_process_alive(tmp_path: Path) -> None:
    """Its thread is none that the interpreter waits for when it ends."""
    begun = threading.Event()

    def model(_: Image.Image) -> None:
        begun.set()
        threading.Event().wait()

    detections = Detections(model).of(Root(tmp_path))
    asked_for = several(tmp_path, 1)
    waiting = threading.Thread(target=detections.suggest_all, args=(asked_for,), daemon=True)
    waiting.start()
    assert begun.wait(10)
    threads = [each for each in threading.enumerate() if each.name == "cropkit-suggest"]
    assert threads
    assert all(each.daemon for each in threads)
