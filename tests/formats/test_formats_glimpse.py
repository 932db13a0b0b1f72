"""What cannot be cropped is shown as far as it can be decoded; else a card says what it is."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pictures
import pytest
from misfits import MANY, MISFITS, UNDECODED
from PIL import Image, ImageFile

from cropkit import formats
from cropkit.errors import CropkitError, TooCostly
from cropkit.formats.glimpse import CARD, glimpse
from cropkit.geometry import Size
from cropkit.system.files import Root
from cropkit.system.scope import Scope
from cropkit.workers.previews import Cache, PreviewProcesses, previewed

FIT = Size(200, 200)


def colours(jpeg: bytes) -> int:
    with Image.open(BytesIO(jpeg)) as picture:
        return len(np.unique(np.asarray(picture.convert("RGB")).reshape(-1, 3), axis=0))


def written(folder: Path) -> Path:
    for name, (made, _) in (MISFITS | UNDECODED).items():
        (folder / name).write_bytes(made())
    return folder


@pytest.mark.parametrize("name", MISFITS | UNDECODED)
def test_each_of_them_cannot_be_cropped(name: str) -> None:
    made, code = (MISFITS | UNDECODED)[name]
    with pytest.raises(CropkitError) as refused:
        formats.opened(made(), name)
    assert refused.value.code == code


@pytest.mark.parametrize("name", MISFITS)
def test_it_is_seen_at_its_own_size(name: str) -> None:
    jpeg, size = glimpse(MISFITS[name][0](), name, FIT)
    assert size == Size(*MANY)
    assert colours(jpeg) > 1000


@pytest.mark.parametrize("name", UNDECODED)
def test_what_nothing_decodes_is_a_card(name: str) -> None:
    jpeg, size = glimpse(UNDECODED[name][0](), name, FIT)
    assert size == CARD
    assert colours(jpeg) > 20, "words are on it"


def test_what_is_missing_of_a_damaged_one_is_no_reason_to_hide_the_rest() -> None:
    whole = np.asarray(Image.open(BytesIO(glimpse(MISFITS["short.png"][0](), "a.png", FIT)[0])))
    upper, lower = whole[: len(whole) // 2], whole[-len(whole) // 8 :]
    assert upper.std() > 10
    assert lower.std() < 5


def test_nothing_else_is_read_with_less_care() -> None:
    glimpse(MISFITS["short.jpg"][0](), "short.jpg", FIT)
    assert not ImageFile.LOAD_TRUNCATED_IMAGES
    with pytest.raises(CropkitError):
        formats.opened(MISFITS["short.png"][0](), "short.png")


def test_a_preview_says_why_it_cannot_be_cropped(tmp_path: Path) -> None:
    folder, cache = written(tmp_path), Cache(tmp_path / "previews")
    for name in MISFITS | UNDECODED:
        seen = previewed(Root(folder), name, FIT, cache)
        assert seen.hindrance.startswith(f"{name}: ")
        assert (seen.header, seen.jpeg[:3], seen.thumb[:3]) == (None, *[b"\xff\xd8\xff"] * 2)
    assert not (tmp_path / "previews").exists(), "what is not as it should be is not kept"


def test_processes_show_them_and_what_is_too_costly_as_a_card(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = written(tmp_path)
    Image.new("RGB", (3000, 3000)).save(folder / "large.png")
    (folder / ".cropkit").mkdir()
    monkeypatch.setenv("CROPKIT_MAX_SECONDS", "0.05")
    reader = PreviewProcesses(Scope(folder), 1)
    try:
        costly = reader.read("large.png", Size(3000, 3000))
        assert (costly.size, costly.header) == (CARD, None)
        assert TooCostly.__name__ not in costly.hindrance
        assert "0.05 s of CPU" in costly.hindrance
        monkeypatch.delenv("CROPKIT_MAX_SECONDS")
        assert reader.read("animation.gif", FIT).size == Size(*MANY)
    finally:
        reader.close()


def test_an_ordinary_one_is_as_before(tmp_path: Path) -> None:
    pictures.write_png(tmp_path / "a.png", pictures.photo(40, 30))
    seen = previewed(Root(tmp_path), "a.png", FIT, Cache(tmp_path / "previews"))
    assert (seen.hindrance, seen.size) == ("", Size(40, 30))
    assert seen.header is not None
