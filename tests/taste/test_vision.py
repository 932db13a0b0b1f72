"""Where a subject and faces are, by models that are vendored as they were published."""

import hashlib
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scenes
from PIL import Image, ImageOps
from shell import run

import cropkit
from cropkit.errors import BadTaste, NotInstalled
from cropkit.monitor.plots import matplotlib_data
from cropkit.taste import features, head, vision
from cropkit.taste.head import Head

WITH_RUNTIME = "onnxruntime takes 28 MB to fetch and 78 MB installed"


@pytest.fixture(scope="module")
def runtime() -> Any:
    return pytest.importorskip("onnxruntime", reason=WITH_RUNTIME)


def portrait() -> Image.Image:
    with Image.open(matplotlib_data("sample_data", "grace_hopper.jpg")) as image:
        return image.convert("RGB")


# -- without a runtime ---------------------------------------------------------------------------


def test_each_model_is_as_it_was_published_and_has_its_licence() -> None:
    for name, digest in vision.DIGESTS.items():
        data = (vision.MODELS / name).read_bytes()
        assert hashlib.sha256(data).hexdigest() == digest
    licences = {path.name: path.read_text() for path in vision.MODELS.glob("LICENSE.*")}
    assert "Apache License" in licences["LICENSE.u2netp"]
    assert "Shiqi Yu" in licences["LICENSE.yunet"]
    assert sum(path.stat().st_size for path in vision.MODELS.iterdir()) < 5_000_000


def test_another_file_than_the_published_one_is_not_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(vision.MODELS, tmp_path / "models")
    monkeypatch.setattr(vision, "MODELS", tmp_path / "models")
    name = next(iter(vision.DIGESTS))
    (tmp_path / "models" / name).write_bytes(b"another")
    with pytest.raises(BadTaste, match=f"{name}: is not as it was published"):
        vision._published(name)  # noqa: SLF001  (before a runtime is asked for)


def test_what_is_seen_of_a_mirrored_image_is_what_is_seen_mirrored() -> None:
    rng = np.random.default_rng(0)
    plain = rng.random((2, features.COUNT))
    map_of, faces = rng.random((64, 64)), np.array([[0.1, 0.2, 0.4, 0.6], [0.5, 0.3, 0.7, 0.5]])
    turned = faces[:, [2, 1, 0, 3]] * [-1, 1, -1, 1] + [1, 0, 1, 0]
    for some, other in ((faces, turned), (faces[:0], faces[:0])):
        seen = np.concatenate([plain[0], features.of_map(map_of), features.of_faces(some)])
        back = np.concatenate(
            [plain[0], features.of_map(map_of[:, ::-1]), features.of_faces(other)]
        )
        assert len(seen) == features.COUNT + features.SEEN
        mirrored = features.mirrored(seen[None])[0]
        assert np.allclose(mirrored[features.COUNT :], back[features.COUNT :], atol=1e-6)
        assert np.allclose(features.mirrored(mirrored[None])[0], seen)
    assert features.aspect(seen[None]) == features.aspect(plain[:1])


def test_a_head_of_what_models_see_is_told_from_others(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    rows = rng.random((30, features.COUNT + features.SEEN))
    known = Head.fitted(rows, np.tile([0.1, 0.1, 0.9, 0.9], (30, 1)))
    known.write(tmp_path / "head.json")
    again = head.read(tmp_path / "head.json")
    assert again.has_seen
    assert np.allclose(again.predicted(rows), known.predicted(rows), atol=1e-3)
    document = json.loads((tmp_path / "head.json").read_text())
    (tmp_path / "other.json").write_text(json.dumps(document | {"features": features.VERSION}))
    with pytest.raises(BadTaste):
        head.read(tmp_path / "other.json")


def test_without_the_extra_one_sentence_says_how_it_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    rows = np.random.default_rng(2).random((12, features.COUNT + features.SEEN))
    known = Head.fitted(rows, np.tile([0.1, 0.1, 0.9, 0.9], (12, 1)))
    known.write(tmp_path / "head.json")
    with pytest.raises(NotInstalled, match="pip install 'onnxruntime>="):
        cropkit.learned(tmp_path / "head.json")
    (tmp_path / "some.onnx").write_bytes(b"")
    for words in (
        ["--evaluate", "--vision"],
        ["--train-head", "--vision", "--out", str(tmp_path / "out.json")],
        ["--model", str(tmp_path / "some.onnx")],
    ):
        ended = run("suggest", str(tmp_path), *words)
        assert ended.returncode == 1
        assert "pip install 'onnxruntime>=" in ended.stderr
        assert "Traceback" not in ended.stderr
    assert not (tmp_path / ".cropkit").exists()


# -- with one ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("runtime")
def test_a_face_is_found_where_it_is_and_in_a_mirror_on_the_other_side() -> None:
    image = portrait()
    (face,) = vision.faces(image)
    assert np.allclose(face, [0.34, 0.13, 0.63, 0.49], atol=0.08)
    (turned,) = vision.faces(ImageOps.mirror(image))
    assert np.allclose(turned[[2, 0]], 1 - face[[0, 2]], atol=0.03)
    assert len(vision.faces(Image.new("RGB", (300, 200), (90, 120, 90)))) == 0


@pytest.mark.usefixtures("runtime")
def test_a_subject_is_found_where_it_is() -> None:
    where = vision.subject(portrait())
    assert where.shape == (features.SIDE, features.SIDE)
    assert where.min() >= 0
    assert where.max() <= 1
    assert where[20:60, 20:40].mean() > 0.8
    assert where[:15, :8].mean() < 0.2


@pytest.mark.usefixtures("runtime")
def test_a_head_learns_from_what_models_see_and_serves(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    scenes.data_set(folder, np.random.default_rng(3), 24)
    out = tmp_path / "head.json"
    asked = ["--train-head", "--vision", "--out", str(out), "--json"]
    assert run("suggest", str(folder), *asked).returncode == 0
    assert head.read(out).has_seen
    told = json.loads(
        run("suggest", str(folder), "--evaluate", "--head", str(out), "--json").stdout
    )
    assert told["proposed"]["free"]["iou"]["mean"] > told["constants"]["median"]["iou"]["mean"]
    told = json.loads(run("suggest", str(folder), "--evaluate", "--vision", "--json").stdout)
    assert (told["images"], told["problems"]) == (24, [])
    with cropkit.open(folder, suggest=cropkit.learned(out)) as collection:
        assert collection.suggestions(collection.look("000.png"))
