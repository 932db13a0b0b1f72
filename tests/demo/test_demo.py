import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageOps

from cropkit.demo import make_demo
from cropkit.demo.plan import PLAN
from cropkit.errors import NameTaken
from cropkit.geometry import Size
from cropkit.records import ProblemKind
from cropkit.suggest import Sidecars, Suggested

IMAGES = {".png", ".jpg", ".jpeg"}
PLANNED = {picture.name: picture.size for picture in PLAN}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_demo(tmp_path_factory.mktemp("demo"))


def images_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix in IMAGES)


def upright_size(path: Path) -> Size:
    with Image.open(path) as image:
        return Size(*image.size).oriented(image.getexif().get(ExifTags.Base.Orientation, 1))


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def suggested(folder: Path) -> dict[str, Suggested]:
    sidecars = Sidecars(folder)
    return {name: sidecars.suggest(name, size, "0" * 64) for name, size in PLANNED.items()}


def test_every_image_is_whole_and_has_the_size_that_the_plan_says(demo: Path) -> None:
    assert {path.name: upright_size(path) for path in images_in(demo)} == PLANNED
    for path in images_in(demo):
        with Image.open(path) as image:
            image.verify()
        with Image.open(path) as image:
            image.load()


def test_two_demos_have_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    every_kind = PLAN[3::5]
    assert {Path(picture.name).suffix for picture in every_kind} == {".png", ".jpg"}
    monkeypatch.setattr("cropkit.demo.PLAN", every_kind)
    one, other = (make_demo(tmp_path / name, len(every_kind)) for name in ("one", "other"))
    assert digests(one) == digests(other)


def test_a_processor_with_fewer_instructions_renders_the_same_bytes(tmp_path: Path) -> None:
    """Vectorised sines differ in their last bit; stored digests of pixels must not."""
    features = np._core._multiarray_umath.__cpu_features__  # type: ignore[attr-defined]  # noqa: SLF001  (no public name)
    baseline = np._core._multiarray_umath.__cpu_baseline__  # type: ignore[attr-defined]  # noqa: SLF001  (as above)
    dispatched = [name for name, there in features.items() if there and name not in baseline]
    code = "import sys, cropkit.demo as d, pathlib; d.make_demo(pathlib.Path(sys.argv[1]), 4)"
    environment = {**os.environ, "NPY_DISABLE_CPU_FEATURES": " ".join(dispatched)}
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, tmp_path / "other"],
        check=True,
        cwd=Path(__file__).parents[2],
        env=environment,
    )
    assert digests(tmp_path / "other") == digests(make_demo(tmp_path / "one", 4))


def test_exactly_two_sidecars_are_broken(demo: Path) -> None:
    broken = [p for found in suggested(demo).values() for p in found.problems]
    assert {p.kind for p in broken} == {ProblemKind.SUGGESTION}
    pixels, cut_short = sorted(p.reason for p in broken)
    assert "looks like pixels" in pixels
    assert "is not JSON" in cut_short


def test_the_other_sidecars_come_in_every_variant(demo: Path) -> None:
    found = suggested(demo)
    without = [name for name, answer in found.items() if not answer.suggestions]
    assert len(without) == 3  # two broken, one for a person to crop
    assert {s.version for a in found.values() for s in a.suggestions} == {
        "",
        "suggestion",
        "Ranker v3",
    }
    records = [json.loads(p.read_bytes()) for p in demo.glob("*.decision") if _is_json(p)]
    assert {"ai_crop_accepted" in record for record in records} == {True, False}
    assert sum("ai_recommendation" in record for record in records) == 3


def test_a_suggested_box_keeps_less_than_the_image_and_about_its_aspect(demo: Path) -> None:
    for name, answer in suggested(demo).items():
        for suggestion in answer.suggestions:
            size = PLANNED[name]
            kept = suggestion.box.pixels(size).size
            assert 0.15 < kept.area / size.area < 0.93, name
            assert kept.aspect_ratio == pytest.approx(size.aspect_ratio, rel=0.2), name


def test_pngs_carry_generation_text_in_latin_1_and_in_unicode(demo: Path) -> None:
    keys: set[str] = set()
    for path in demo.glob("*.png"):
        with Image.open(path) as image:
            image.load()
            text = getattr(image, "text", {})
        assert "例" in text["Comment"]
        keys |= text.keys()
    assert keys == {"parameters", "prompt", "workflow", "Comment"}


def test_jpegs_carry_orientation_profile_position_and_thumbnail(demo: Path) -> None:
    seen: set[str] = set()
    orientations = set()
    for path in [*demo.glob("*.jpg"), *demo.glob("*.jpeg")]:
        with Image.open(path) as image:
            exif = image.getexif()
            orientations.add(exif.get(ExifTags.Base.Orientation, 1))
            seen |= {"icc"} if "icc_profile" in image.info else set()
            seen |= {"gps"} if exif.get_ifd(ExifTags.IFD.GPSInfo).get(2) == (46, 33, 27) else set()
            seen |= {"thumbnail"} if exif.get_ifd(ExifTags.IFD.IFD1).get(0x0202) else set()
            seen |= {"progressive"} if image.info.get("progressive") else set()
    assert orientations == {1, 2, 3, 6, 8}
    assert seen == {"icc", "gps", "thumbnail", "progressive"}


def test_a_thumbnail_shows_its_image_in_the_same_orientation(demo: Path) -> None:
    data = (demo / "IMG_2042.jpg").read_bytes()
    with Image.open(demo / "IMG_2042.jpg") as image:
        ifd = image.getexif().get_ifd(ExifTags.IFD.IFD1)
        stored = image.convert("RGB")
    start = data.index(b"II*\0") + ifd[0x0201]
    (demo / "thumbnail.bin").write_bytes(data[start : start + ifd[0x0202]])
    with Image.open(demo / "thumbnail.bin") as thumbnail:
        small = stored.resize(thumbnail.size)
        difference = np.abs(np.asarray(small, int) - np.asarray(thumbnail.convert("RGB"), int))
    (demo / "thumbnail.bin").unlink()
    assert difference.mean() < 6


def test_turned_jpegs_show_the_scene_upright(demo: Path) -> None:
    # every sky is brighter than the ground beneath it where the boat sails
    with Image.open(demo / "IMG_2042.jpg") as image:
        upright = np.asarray(ImageOps.exif_transpose(image).convert("L"), int)
    assert upright[400:700].mean() > upright[1300:].mean()


def test_the_pictures_look_like_photographs_to_a_codec(demo: Path) -> None:
    for path in demo.glob("*.png"):
        with Image.open(path) as image:
            width, height = image.size
        assert path.stat().st_size / (width * height) > 0.5


def test_sources_and_licences_are_named(demo: Path) -> None:
    sources = (demo / "SOURCES.txt").read_text(encoding="utf-8")
    assert "grace_hopper.jpg" in sources
    assert "public domain" in sources


def test_companions_lie_beside_their_image(demo: Path) -> None:
    stems = {path.stem for path in images_in(demo)}
    companions = [*demo.glob("*.caption"), *demo.glob("*.yaml")]
    assert len(companions) > 10
    assert {path.stem for path in companions} <= stems


def test_the_demo_stays_under_40_megabytes(demo: Path) -> None:
    assert sum(path.stat().st_size for path in demo.iterdir()) < 40_000_000


def test_a_smaller_demo_is_the_beginning_of_the_whole(demo: Path, tmp_path: Path) -> None:
    few = digests(make_demo(tmp_path / "few", count=2))
    assert sum(Path(name).suffix in IMAGES for name in few) == 2
    assert few.items() <= digests(demo).items()


def test_a_folder_that_holds_anything_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(NameTaken, match=r"mine\.txt"):
        make_demo(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def _is_json(path: Path) -> bool:
    try:
        json.loads(path.read_bytes())
    except ValueError:
        return False
    return True
