"""What an enemy may put into a data set costs neither time, nor memory, nor a false proof."""

import json
import os
import struct
import zlib
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sets_of_crops import DataSet, kinds, photo, reasons

from cropkit.formats import limits
from cropkit.geometry import PixelBox
from cropkit.names import unescaped
from cropkit.system.files import Content, Root
from cropkit.verification import places

BOX = PixelBox(0, 0, 16, 16)


@pytest.fixture
def made(tmp_path: Path) -> DataSet:
    made = DataSet(tmp_path)
    photo(made.photos / "a.png")
    photo(made.photos / "b.jpg")
    made.copy("a.png", "b.jpg", box=BOX)
    made.export()
    return made


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, *more: bytes, depth: int = 8) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(more) + data + chunk(b"IEND", b"")


def gif_of_a_large_screen() -> bytes:
    return b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0, 0, 0) + b";"


def tiff_of_many_pixels() -> bytes:
    entries = [(256, 4, 1, 10**9), (257, 4, 1, 10**9), (258, 3, 1, 16), (262, 3, 1, 1)]
    entries += [(273, 4, 1, 8), (277, 3, 1, 1), (278, 4, 1, 10**9), (279, 4, 1, 100)]
    body = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(entries)) + body + bytes(4)


def jpeg_of_scans(made: DataSet) -> bytes:
    return (made.photos / "b.jpg").read_bytes() + b"\xff\xda" * 1000


BOMBS: dict[str, Callable[[DataSet], bytes]] = {
    "pixels": lambda _: png(100_000, 100_000),
    "pixels of 16 bits": lambda _: png(100_000, 100_000, depth=16),
    "chunks": lambda _: png(16, 16, *[chunk(b"teXt", b"")] * 40_000),
    "a chunk without end": lambda _: b"\x89PNG\r\n\x1a\n\xff\xff\xff\xffIDAT",
    "no chunk": lambda _: b"\x89PNG\r\n\x1a\n",
    "a screen": lambda _: gif_of_a_large_screen(),
    "strips": lambda _: tiff_of_many_pixels(),
    "scans": jpeg_of_scans,
    "nothing": lambda _: b"",
    "noise": lambda _: os.urandom(1000),
    "a header of JPEG XL": lambda _: b"\xff\x0a" + b"\xff" * 40,
    "a page of text": lambda _: b"crop" * 1000,
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_not_proven_and_not_decoded(made: DataSet, bomb: str) -> None:
    data = BOMBS[bomb](made)
    (made.folder / "a.png").write_bytes(data)
    made.restate(lambda row: row.update(crop_sha256=sha256(data).hexdigest()), at=1)
    assert made.rows()[1]["crop"] == "a.png"
    result = made.verify()
    assert kinds(result) == [("not-proven", "a.png")], reasons(result)
    assert result.proven == 1


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_source_that_is_a_bomb_is_neither(made: DataSet, bomb: str) -> None:
    data = BOMBS[bomb](made)
    (made.photos / "a.png").write_bytes(data)
    made.restate(lambda row: row.update(source_sha256=sha256(data).hexdigest()), at=1)
    assert kinds(made.verify()) == [("not-proven", "a.png")]


def test_a_limit_of_pixels_holds_for_both(made: DataSet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(limits.VARIABLE, "1000")
    assert [kind for kind, _ in kinds(made.verify())] == ["not-proven"] * 2


def test_a_file_that_is_larger_than_any_image_is_not_read(
    made: DataSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (made.folder / "a.png").open("r+b") as file:
        file.truncate(places.LARGEST + 1)
    reads: list[str] = []
    real = Root.read

    def read(root: Root, path: str) -> Content:
        reads.append(str(root.path / path))
        return real(root, path)

    monkeypatch.setattr(Root, "read", read)
    (difference,) = made.verify().differences
    assert (difference.kind, difference.path) == ("crop-missing", "a.png")
    assert "over the limit" in difference.reason
    assert str(made.folder / "a.png") not in reads


@pytest.mark.parametrize(
    "name",
    [
        "/etc/hostname",
        "../../../../../../etc/hostname",
        "a.png/../../photos/a.png",
        "a.png\n\x1b[2J",
        "//a.png",
        "a.png/",
        "x" * 300 + ".png",
        "\U0010f7ff.png",
    ],
)
def test_no_name_leads_anywhere_else(made: DataSet, name: str) -> None:
    names = {"crop": name, "source": name, "caption": name, "caption_sha256": "0" * 64}
    made.restate(lambda row: row.update(names), at=1)
    result = made.verify()
    assert result.proven == 1
    assert ("caption", unescaped(name)) in kinds(result)
    is_found_by_content = name.startswith("/")
    assert (("extra-image", "a.png") in kinds(result)) != is_found_by_content


def test_a_collection_whose_originals_are_links_gives_none_away(
    made: DataSet, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    (made.photos / "a.png").rename(secret)
    originals = made.photos / ".cropkit" / "originals"
    originals.mkdir(exist_ok=True)
    (originals / sha256(secret.read_bytes()).hexdigest()).symlink_to(secret)
    assert kinds(made.verify()) == [("source", "a.png")]


def test_metadata_that_stops_a_decoder_stops_no_proof(made: DataSet) -> None:
    data = (made.photos / "a.png").read_bytes()
    text = chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(1 << 27), 9))
    profile = chunk(b"iCCP", b"p\0\0" + b"no zlib")
    exif = chunk(b"eXIf", b"MM\0*\xff\xff\xff\xff")
    (made.photos / "a.png").write_bytes(data[:33] + profile + exif + text + data[33:])
    digest = sha256((made.photos / "a.png").read_bytes()).hexdigest()
    made.restate(lambda row: row.update(source_sha256=digest), at=1)
    assert reasons(made.verify()) == []


def test_more_differences_than_are_kept_are_counted(
    made: DataSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cropkit.verification.differences.MOST_KEPT", 5)
    with made.manifest.open("a") as file:
        file.writelines("nothing\n" for _ in range(20))
    result = made.verify()
    told: dict[str, Any] = result.to_json()
    assert (len(result.differences), result.counts["row"], told["left_off"]) == (5, 20, 15)
    assert json.dumps(told)


def test_nothing_is_held_of_a_row_that_is_proven(tmp_path: Path) -> None:
    """Rows are taken as there is room for them: never the whole manifest."""
    made = DataSet(tmp_path)
    photo(made.photos / "a.png", size=(8, 8))
    made.copy("a.png", box=PixelBox(0, 0, 4, 4))
    made.export()
    (row,) = made.rows()
    data = (made.folder / "a.png").read_bytes()
    names = [f"{number}.png" for number in range(40)]
    for name in names:
        (made.folder / name).write_bytes(data)
    (made.folder / "a.png").unlink()
    made.write([row | {"crop": name} for name in names])
    asked: list[str] = []
    real = places.Place.identity

    def identity(place: places.Place) -> Any:
        asked.append(place.name)
        return real(place)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(places.Place, "identity", identity)
        ahead: list[int] = []
        done = iter(range(1, 41))
        result = made.verify(told=lambda _: ahead.append(len(asked) - next(done)))
    assert result.proven == 40
    assert max(ahead) <= 4
