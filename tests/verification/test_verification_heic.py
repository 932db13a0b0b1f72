"""HEIC proven from the outside: in its own file and as a source of copies; needs the extra."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sets_of_crops import reasons, verified, write_manifest, write_set

from cropkit.formats.account import Candidate
from cropkit.formats.capabilities import DROPS, PATCHED, Capability
from cropkit.formats.copies import copied, verify_copied
from cropkit.formats.copy_options import CopyOptions
from cropkit.formats.heif import container, library, metadata
from cropkit.formats.heif.library import Samples
from cropkit.geometry import PixelBox

pytest.importorskip("pillow_heif", reason="pillow-heif takes 6 MB to fetch and 27 MB installed")

import heif_builder as heif
import samples_heic as samples
import test_formats_heic as features

from cropkit.verification import heic

ROWS = [row for row in features.ROWS if row.outcome in ("kept", DROPS, PATCHED)]
BOX = features.BOX


def cropped(folder: Path, data: bytes, box: PixelBox = BOX) -> tuple[Path, Candidate]:
    source = folder / "a.heic"
    source.write_bytes(data)
    return source, features.cropped(data, box)


def told(folder: Path, source: Path, candidate: Candidate, copying: str = "") -> list[str]:
    write_set(folder, source, candidate, copying)
    return reasons(verified(folder / "set", sources=[folder]))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.feature)
def test_a_crop_in_its_own_file_is_proven(row: Capability, tmp_path: Path) -> None:
    for data in samples.SAMPLES[row.feature]:
        source = tmp_path / "a.heic"
        source.write_bytes(data)
        candidate = features.cropped(data, BOX, features.options(row))
        write_set(tmp_path, source, candidate)
        result = verified(tmp_path / "set", sources=[tmp_path])
        assert reasons(result) == []
        assert result.by_proof["exact"] == 1


@pytest.mark.parametrize("chroma", [0, 1, 2, 3])
@pytest.mark.parametrize("bits", [8, 10])
def test_a_copy_in_another_format_is_proven(chroma: int, bits: int, tmp_path: Path) -> None:
    data = heif.encoded(heif.heif(main=heif.image(heif.samples(chroma=chroma, bits=bits))))
    source = tmp_path / "a.heic"
    source.write_bytes(data)
    for way in ("format=png", "format=webp", "format=jpeg quality=90"):
        candidate = copied(data, source.name, BOX, CopyOptions.from_text(way), features.EXACT)
        candidate = verify_copied(candidate.data, candidate, source.name)
        assert told(tmp_path, source, candidate, way) == []
        shutil.rmtree(tmp_path / "set")


def coded_anew(data: bytes, change: Callable[[Samples], object]) -> bytes:
    """Return a HEIC with other samples and all else as it was."""
    made = container.parse(data, "a.heic")
    decoded = library.decoded(metadata.bare(made).encoded(), metadata.signal(made, "a.heic"))
    change(decoded)
    coded = container.parse(library.encoded(decoded), "a.heic").image
    items = tuple(
        replace(item, data=coded.data) if item.number == made.image.number else item
        for item in made.items
    )
    return replace(made, items=items).encoded()


@pytest.mark.parametrize(("bits", "plane"), [(8, 0), (8, 2), (10, 0)])
def test_a_sample_that_is_not_the_sources_is_noticed(bits: int, plane: int, tmp_path: Path) -> None:
    data = heif.encoded(heif.heif(main=heif.image(heif.samples(bits=bits))))
    source, candidate = cropped(tmp_path, data)

    def change(decoded: Samples) -> None:
        decoded.planes[plane][7, 9] ^= 1 if bits != 8 else 4

    assert told(tmp_path, source, candidate) == []
    falsified = replace(candidate, data=coded_anew(candidate.data, change))
    (reason,) = told(tmp_path, source, falsified)
    assert reason.startswith("pixels: a.heic")


def test_another_place_is_noticed_and_an_even_corner_is_none(tmp_path: Path) -> None:
    data = heif.encoded(heif.heif())
    source, candidate = cropped(tmp_path, data, PixelBox(97, 65, 175, 143))
    assert candidate.box_applied == PixelBox(96, 64, 176, 144)
    row = write_set(tmp_path, source, candidate)
    assert reasons(verified(tmp_path / "set", sources=[tmp_path])) == []
    for asked in ([98, 64, 176, 144], [96, 64, 176, 142]):
        write_manifest(tmp_path, {**row, "box_asked": asked})
        (reason,) = reasons(verified(tmp_path / "set", sources=[tmp_path]))
        assert reason.startswith("box: a.heic")
    moved = {"box_asked": [98, 64, 178, 144], "box_applied": [98, 64, 178, 144]}
    write_manifest(tmp_path, {**row, **moved})
    (reason,) = reasons(verified(tmp_path / "set", sources=[tmp_path]))
    assert reason.startswith("pixels: a.heic")


def test_a_turn_is_not_believed_of_one(tmp_path: Path) -> None:
    source, candidate = cropped(tmp_path, heif.encoded(heif.heif()))
    row = write_set(tmp_path, source, candidate, turn="180")
    assert row["turn"] == "180"
    (reason,) = reasons(verified(tmp_path / "set", sources=[tmp_path]))
    assert reason.startswith("pixels: a.heic: a HEIC is never turned")


def test_a_crop_that_holds_more_pictures_is_noticed(tmp_path: Path) -> None:
    source, candidate = cropped(tmp_path, heif.encoded(heif.heif()))
    two = next(iter(samples.SAMPLES["several pictures, motion photo"]))
    (reason,) = told(tmp_path, source, replace(candidate, data=two))
    assert reason.startswith("pixels: a.heic: it holds more pictures")


def test_without_the_extra_it_is_not_proven_and_told_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, candidate = cropped(tmp_path, heif.encoded(heif.heif()))
    monkeypatch.setattr(heic, "find_spec", lambda _name: None)
    (reason,) = told(tmp_path, source, candidate)
    assert reason.startswith("not-proven: a.heic: ")
    assert "needs 'cropkit[heic]', which is not installed" in reason


@pytest.mark.parametrize("cut", [40, 200, 1000])
def test_a_damaged_one_is_not_proven_and_told(cut: int, tmp_path: Path) -> None:
    source, candidate = cropped(tmp_path, heif.encoded(heif.heif()))
    damaged = replace(candidate, data=candidate.data[:cut])
    (reason,) = told(tmp_path, source, damaged)
    assert reason.startswith(("not-proven: a.heic", "pixels: a.heic", "box: a.heic"))
