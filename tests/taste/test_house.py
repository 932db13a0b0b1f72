"""What one collection's decisions teach another: handed on as a file, and never believed."""

import json
from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from deciding import decided
from scenes import NOTHING, around, history, learned, worst_window
from shell import run

from cropkit.collection import Collection
from cropkit.errors import BadTaste
from cropkit.geometry import NormalizedBox, Size
from cropkit.records import Suggestion
from cropkit.taste import boxes, features, house
from cropkit.taste.evaluation import replayed
from cropkit.taste.example import Source
from cropkit.taste.examples import Examples
from cropkit.taste.house import Taste, learned_from
from cropkit.taste.learner import Learner
from cropkit.taste.portfolio import CENTRE, HOUSE, History

HERE = Path("house.json")
COUNT = 120


def reviewed(known: History, *sources: Source) -> Examples:
    count = len(known)
    every = sources * (count // max(1, len(sources))) or (Source(),) * count
    return Examples(
        ("a",) * count,
        is_reviewed=True,
        history=known,
        sources=every,
        seconds=np.full(count, 1.0),
        accepted=np.zeros(count, dtype=bool),
        problems=(),
    )


def with_model(seed: int, bias: tuple[float, ...], count: int = COUNT) -> History:
    """Wanted boxes that images do not tell, and a model that nearly knows them."""
    of, wanted = learned(seed, count)
    of = np.random.default_rng(seed + 1_000).permutation(of)
    noise = np.random.default_rng(seed).normal(0, 0.01, wanted.shape)
    return history(of, wanted, boxes.valid(wanted + np.array(bias) + noise))


@pytest.fixture(scope="module")
def taste() -> Taste:
    """A house that frames subjects in a way of its own."""
    return learned_from(reviewed(history(*learned(70, COUNT))), HERE)


@pytest.fixture(scope="module")
def corrected() -> Taste:
    """A house in which a detector's boxes are corrected."""
    known = with_model(71, (0.08, 0.06, -0.07, -0.09))
    return learned_from(reviewed(known, Source("detector", "3")), HERE)


def asked(seed: int, count: int = 40, suggested: Any = None) -> History:
    of, wanted = learned(seed, count)
    return history(of, np.full(wanted.shape, NOTHING), suggested)


# -- what is handed on ---------------------------------------------------------------------------


def test_a_file_that_was_read_gives_the_same_boxes(taste: Taste, tmp_path: Path) -> None:
    path = tmp_path / "house.json"
    taste.write(path)
    again, images = house.read(path), asked(72)
    predict = taste.house("").predict
    assert np.array_equal(again.house("").predict(images), predict(images))
    assert again.to_text() == taste.to_text() == path.read_text()
    assert path.stat().st_size < 12_000
    with pytest.raises(FileExistsError):
        taste.write(path)


def test_its_agreement_is_that_with_decisions_that_were_not_learned_from(taste: Taste) -> None:
    new = history(*learned(73, 200))
    overlap = boxes.iou(taste.house("").predict(new), new.wanted).mean()
    met = taste.agreement["iou"]
    assert met.low < met.mean < met.high
    assert met.images == taste.count == COUNT
    assert abs(met.mean - overlap) < 0.03
    assert set(taste.agreement) == {"iou", "within_5", "centre"}


def test_a_ratio_that_nearly_all_had_is_handed_on() -> None:
    of, wanted = learned(74, 60)
    known = history(of, boxes.with_ratio(wanted, np.ones(60) / features.aspect(of)))
    taste, images = learned_from(reviewed(known), HERE), asked(75)
    sides = np.diff(taste.house("").predict(images).reshape(-1, 2, 2), axis=1)[:, 0]
    assert np.allclose(sides[:, 0] * images.aspect, sides[:, 1])


def test_crops_of_several_and_others_decisions_are_left_out() -> None:
    known = history(*learned(76, 40))
    sources = (Source(reviewer="ann"), Source(reviewer="ben"), Source("", "", "face", "ann"))
    every = reviewed(known.some(slice(0, 39)), *sources)
    assert learned_from(every, HERE).count == 26
    assert learned_from(every, HERE, "ann").count == 13
    with pytest.raises(BadTaste, match="0 decisions; 10 are the least"):
        learned_from(every, HERE, "eve")


def test_boxes_that_a_review_had_learned_are_no_models() -> None:
    known = with_model(77, (0.05, 0, 0, 0), 40)
    for source in (Source("learned", "20 reviews"), Source("detector", "3 your edges, 9 reviews")):
        assert learned_from(reviewed(known, source), HERE).model == ""


# -- how it is used ------------------------------------------------------------------------------


def test_a_review_begins_with_the_house(taste: Taste) -> None:
    new = history(*learned(78, 60))
    begun = replayed(new, taste.house(""))
    assert set(begun.sources[:10]) == {HOUSE}
    near = boxes.iou(begun.best, new.wanted)[:10]
    assert near.mean() > boxes.iou(CENTRE, new.wanted)[:10].mean() + 0.3


@pytest.mark.parametrize("seed", range(4))
def test_a_reviewer_of_another_taste_is_hardly_harmed_by_a_house(taste: Taste, seed: int) -> None:
    of, _ = learned(80 + seed, 200)
    noise = np.random.default_rng(seed).normal(0, 0.03, (200, 4))
    wanted = boxes.valid(CENTRE + noise)
    answered = replayed(history(of, wanted), taste.house(""))
    gained = boxes.iou(answered.best, wanted) - boxes.iou(CENTRE, wanted)
    assert HOUSE not in answered.sources[10:]
    assert worst_window(gained) > -0.01


def test_a_house_that_was_no_better_than_the_centre_waits_for_decisions() -> None:
    of, _ = learned(85, 40)
    wanted = boxes.valid(CENTRE + np.random.default_rng(85).normal(0, 0.02, (40, 4)))
    plain = learned_from(reviewed(history(of, wanted)), HERE)
    assert not plain.leads
    assert HOUSE not in replayed(history(*learned(86, 10)), plain.house("")).sources


def test_a_model_is_corrected_at_once_where_it_is_the_same(corrected: Taste) -> None:
    new = with_model(87, (0.08, 0.06, -0.07, -0.09), 40)
    assert (corrected.way, corrected.model) == ("your edges", "detector")
    same, other = (replayed(new, corrected.house(model)).best for model in ("detector", "other"))
    assert boxes.edges_within(same, new.wanted, 0.05)[:10].mean() > 0.9
    assert np.abs(other[:10] - new.suggested[:10]).max() < 0.011


def test_another_models_boxes_are_shown_until_the_house_has_proven_better(taste: Taste) -> None:
    rng = np.random.default_rng(88)
    of, wanted = learned(88, 60)
    poor = history(of, wanted, boxes.valid(CENTRE + rng.normal(0, 0.02, wanted.shape)))
    answered = replayed(poor, taste.house("detector"))
    assert np.abs(answered.best[:10] - poor.suggested[:10]).max() < 0.011
    assert set(answered.sources[20:]) & {HOUSE, "learned", "similar images"}


def test_a_review_says_that_a_box_is_the_houses(taste: Taste) -> None:
    image = around(np.random.default_rng(89), 1)[0][0]
    learner = Learner(taste)
    learner.train()
    learner.see("ab" * 32, jpeg_of(image), ())
    (proposed,) = learner.improved("ab" * 32, ())
    assert (proposed.source, proposed.version) == ("house taste", f"{COUNT} reviews")
    poor = Suggestion(NormalizedBox(0, 0, 1, 1), "detector", "3")
    assert learner.improved("ab" * 32, (poor,))[0].source == "house taste"
    learner.see("cd" * 32, jpeg_of(image), (poor,))
    learner.train()
    assert learner.improved("cd" * 32, (poor,)) == (poor,)


def jpeg_of(image: Any) -> bytes:
    file = BytesIO()
    image.save(file, "JPEG")
    return file.getvalue()


# -- hostile files -------------------------------------------------------------------------------


@cache
def exported() -> str:
    return json.dumps(learned_from(reviewed(history(*learned(90, 12))), HERE).to_json())


def changed(change: Callable[[dict[str, Any]], object]) -> str:
    document = json.loads(exported())
    change(document)
    return json.dumps(document)


def put(*keys: str, value: object) -> Callable[[dict[str, Any]], object]:
    def change(document: dict[str, Any]) -> None:
        for key in keys[:-1]:
            document = document[key]
        document[keys[-1]] = value

    return change


def with_vision(document: dict[str, Any]) -> None:
    width, of = features.COUNT + features.SEEN, document["head"]
    of["features"] = f"{features.VERSION} with vision"
    of |= {"mean": [0.0] * width, "scale": [1.0] * width, "weights": [[0.0] * 4] * width}


HOSTILE = {
    "empty": "",
    "no JSON": "{",
    "a list": "[]",
    "a number": "7",
    "deep": "[" * 50_000,
    "large": " " * (1 << 17),
    "a pickle": "\x80\x04K\x01.",
    "another form": changed(put("form", value="cropkit-head-1")),
    "no count": changed(lambda document: document.pop("count")),
    "a negative count": changed(put("count", value=-3)),
    "a count that is true": changed(put("count", value=True)),
    "a huge count": changed(put("count", value=10**400)),
    "another way": changed(put("way", value="similar images")),
    "a way that is a list": changed(put("way", value=["learned"])),
    "a long name": changed(put("model", value="x" * 300)),
    "a name that is none": changed(put("model", value=7)),
    "NaN": changed(put("bias", value=[float("nan")] * 4)),
    "infinity": changed(put("head", "weights", value=[[float("inf")] * 4] * features.COUNT)),
    "huge": changed(put("head", "weights", value=[[1e300] * 4] * features.COUNT)),
    "huger": changed(put("head", "median", value=[10**400] * 4)),
    "text": changed(put("bias", value=["0", "0", "0", "0"])),
    "true": changed(put("bias", value=[True] * 4)),
    "too few": changed(put("bias", value=[0.0] * 3)),
    "ragged": changed(put("head", "residuals", value=[[0.0] * 4, [0.0]])),
    "too many": changed(put("head", "residuals", value=[[0] * 4] * 2_000)),
    "other features": changed(put("head", "features", value=99)),
    "no scale": changed(put("head", "scale", value=[0.0] * features.COUNT)),
    "a ratio of nobody": changed(put("ratio", value=1e9)),
    "no agreement": changed(put("agreement", value={})),
    "an interval turned round": changed(
        put("agreement", "iou", value={"mean": 0.5, "low": 0.9, "high": 0.1, "images": 5})
    ),
    "what only models see": changed(
        put("head", "features", value=f"{features.VERSION} with vision")
    ),
    "a head of what models see": changed(with_vision),
    "a key twice": changed(lambda _: None)[:-1] + ', "count": 700}',
    "too few decisions": changed(put("count", value=9)),
    "more decisions than anybody learns from": changed(put("count", value=10**6)),
    "an agreement of more decisions than there were": changed(
        put("agreement", "iou", "images", value=10**6)
    ),
    "an agreement of one decision": changed(put("agreement", "centre", "images", value=1)),
    "less overlap than none": changed(
        put("agreement", "iou", value={"mean": -0.5, "low": -1, "high": 0, "images": 12})
    ),
    "a scale that is nearly nothing": changed(
        put("head", "scale", value=[5e-324] * features.COUNT)
    ),
    "too good": changed(
        put("agreement", "centre", value={"mean": 7, "low": 6, "high": 8, "images": 5})
    ),
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_file_of_an_enemys_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "house.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(BadTaste, match=r"house\.json: "):
        house.read(path)


@pytest.mark.parametrize("way", ["learned", "your median", "your edges"])
@pytest.mark.parametrize("most", [[1e9, -1e9, 1e9, -1e9], [0.9, 0.9, 0.1, 0.1], [-1e9] * 4])
@pytest.mark.parametrize("ratio", [None, 0.0, 5.0])
def test_boxes_of_any_numbers_are_still_boxes(
    way: str, most: list[float], ratio: float | None
) -> None:
    def change(document: dict[str, Any]) -> None:
        document |= {"way": way, "bias": [-4.0, 4.0, 4.0, -4.0], "ratio": ratio}
        document["head"] |= {"weights": [most] * features.COUNT, "median": most}

    boxed = house.parsed(changed(change), HERE).house("").predict(asked(91))
    assert np.isfinite(boxed).all()
    assert ((boxed >= 0) & (boxed <= 1)).all()
    assert (boxed[:, 2:] - boxed[:, :2] > 0.001).all()


def test_a_setting_that_is_none_is_told_and_left_out(tmp_path: Path) -> None:
    with Collection(tmp_path) as kit:
        kit.trail.choose({"taste": "nonsense"})
        reported: list[str] = []
        kit.problems.listen(lambda problem: reported.append(problem.reason))
        assert kit.taste() is None
        assert kit.taste() is None
    assert len(reported) == 1
    assert "is no taste" in reported[0]


# -- the commands --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A collection whose reviewer has decided on all of it."""
    folder = tmp_path_factory.mktemp("taste")
    images, wanted = around(np.random.default_rng(92), 30)
    for number, image in enumerate(images):
        image.save(folder / f"{number:02}.png")
    with Collection(folder) as kit:
        for number, box in enumerate(wanted):
            size = Size(*images[number].size)
            decided(kit, f"{number:02}.png", box=NormalizedBox(*box.tolist()).pixels(size))
    return folder


def answer(*words: str | Path, code: int = 0) -> dict[str, Any]:
    ended = run("taste", *map(str, words), "--json")
    assert ended.returncode == code, ended.stderr
    document: dict[str, Any] = json.loads(ended.stdout)
    return document


def test_the_command_hands_a_taste_on_and_takes_it_back(collection: Path, tmp_path: Path) -> None:
    file, other = tmp_path / "house.json", tmp_path / "other"
    other.mkdir()
    exported = answer("export", collection, file)
    assert (exported["reviews"], exported["problems"]) == (30, [])
    assert exported["agreement"]["iou"].keys() == {"mean", "low", "high", "images"}
    told = run("taste", "import", str(other), str(file))
    assert told.stdout.startswith("house taste, 30 reviews (")
    with Collection(other) as kit:
        kept = kit.taste()
        assert kept is not None
        assert kept.to_text() == file.read_text()
    assert answer("forget", other)["ok"]
    with Collection(other) as kit:
        assert kit.taste() is None


def test_the_command_writes_over_nothing_and_refuses_what_is_none(
    collection: Path, tmp_path: Path
) -> None:
    file = tmp_path / "house.json"
    file.write_text("mine")
    assert answer("export", collection, file, code=1)["code"] == "BadTaste"
    assert answer("import", collection, file, code=1)["code"] == "BadTaste"
    assert file.read_text() == "mine"
    few = answer("export", collection, tmp_path / "few.json", "--reviewer", "nobody", code=1)
    assert "0 decisions" in few["message"]
