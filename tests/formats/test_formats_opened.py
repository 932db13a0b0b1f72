"""A container is taken apart once for a crop and once to prove it, and is not kept."""

import sys
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pictures
import pytest
from queueing import decision

from cropkit import formats
from cropkit.collection import Collection
from cropkit.formats import Options
from cropkit.formats.options import Jpeg
from cropkit.geometry import PixelBox

BOX = PixelBox(16, 8, 61, 47)
EXACT = Options(jpeg=Jpeg.EXACT)
# What takes the container of each format apart, and how it is written for the test.
PARSERS = {
    "png": ("cropkit.formats.png.chunks", "parse"),
    "jpg": ("cropkit.formats.jpeg.segments", "parse"),
    "webp": ("cropkit.formats.webp.riff", "parse"),
    "tif": ("cropkit.formats.tiff.directory", "parse"),
    "bmp": ("cropkit.formats.bmp", "_parsed"),
    "gif": ("cropkit.formats.gif.blocks", "parse"),
}
CASES = [*((suffix, Options()) for suffix in PARSERS), ("jpg", EXACT)]
each_format = pytest.mark.parametrize(("suffix", "options"), CASES)


@cache
def source(suffix: str) -> bytes:
    codec = {"jpg": "JPEG", "tif": "TIFF"}.get(suffix, suffix.upper())
    # with metadata, so that what the encoder returns and what is written are not the same bytes
    stated = {"exif": pictures.exif_bytes()} if codec in ("JPEG", "WEBP") else {}
    return pictures.encoded(pictures.photo(80, 64), codec, **stated)


class Parses:
    """Every parse of a container: the bytes, and what came of them."""

    def __init__(self) -> None:
        self.seen: list[tuple[bytes, object]] = []

    def of(self, data: bytes) -> int:
        return sum(parsed == data for parsed, _ in self.seen)


@pytest.fixture
def parses(suffix: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Parses]:
    module, function = PARSERS[suffix]
    counted, parse = Parses(), getattr(import_module(module), function)

    def counting(data: bytes, name: str, *drop: Any, **how: Any) -> Any:
        container = parse(data, name, *drop, **how)
        counted.seen.append((data, container))
        return container

    monkeypatch.setattr(f"{module}.{function}", counting)
    yield counted
    counted.seen.clear()


@each_format
def test_header_box_and_crop_come_from_one_parse(
    suffix: str, options: Options, parses: Parses
) -> None:
    name, data = f"a.{suffix}", source(suffix)
    image = formats.opened(data, name, options)
    box = image.applied(BOX.within(image.header.size))
    candidate = image.crop(BOX)
    assert candidate.box_applied == box
    assert parses.of(data) == 1
    assert parses.of(candidate.data) == 0
    formats.verify(candidate.data, candidate, name)
    assert parses.of(data) == 1
    assert parses.of(candidate.data) == 1


@each_format
def test_an_image_is_taken_apart_once_to_be_cropped_and_once_to_be_proven(
    suffix: str, options: Options, parses: Parses, tmp_path: Path
) -> None:
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(source(suffix))
    with Collection(tmp_path, options=options) as kit:
        decided = decision(kit, path.name, BOX)
        kit.decide([decided])
        parses.seen.clear()  # the reviewer's look, before anything was decided
        assert kit.apply(decided.id).ok
    assert parses.of(source(suffix)) == 1
    assert parses.of(path.read_bytes()) == 1


@each_format
def test_nothing_of_the_container_is_kept_beyond_the_crop(
    suffix: str, options: Options, parses: Parses
) -> None:
    data = bytes(bytearray(source(suffix)))  # of which nobody else holds anything
    candidate = formats.opened(data, f"a.{suffix}", options).crop(BOX)
    containers = [container for parsed, container in parses.seen if parsed == data]
    parses.seen.clear()
    (of_container,) = map(sys.getrefcount, containers)
    containers.clear()
    of_data = sys.getrefcount(data)
    assert (of_container, of_data) == (2, 2)  # the list's or the variable's, and the call's
    assert candidate.data
