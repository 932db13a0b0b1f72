"""What happens instead where something is missing is told; docs/safety.md lists each."""

import errno
import json
import logging
import os
import re
import sys
import webbrowser
from pathlib import Path
from types import ModuleType
from typing import Any

import pictures
import pytest
from misfits import MISFITS

from cropkit import formats
from cropkit.bootstrap import SetupFailed
from cropkit.bootstrap import install as installing
from cropkit.bootstrap.clone import Clone, Environment
from cropkit.cli import main
from cropkit.collection import Collection
from cropkit.errors import PartMissing, WriteFailed
from cropkit.formats import codecs, zlib_streams
from cropkit.formats.credentials import library
from cropkit.formats.heif import library as libheif
from cropkit.formats.options import Heic, Options
from cropkit.geometry import PixelBox, Size
from cropkit.jupyter import launch, nodelay, server
from cropkit.records import Status
from cropkit.review.canvas.live_drag import LiveDrag
from cropkit.system import personal_state, signing
from cropkit.system.attributes import Attributes, carry
from cropkit.system.files import Root
from cropkit.workers.previews import Cache, previewed

ROOT = Path(__file__).parent.parent
BOX = PixelBox(8, 8, 56, 56)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "album"
    folder.mkdir()
    pictures.write_png(folder / "a.png", pictures.photo(64, 64))
    return folder


def logged(folder: Path) -> list[str]:
    text = (folder / ".cropkit" / "cropkit.log").read_text(encoding="utf-8")
    return [str(json.loads(line)["message"]) for line in text.splitlines()]


def without_codecs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    monkeypatch.setattr(zlib_streams, "has_codecs", False)
    codecs._library.cache_clear()  # noqa: SLF001  (as in a process that starts without the wheel)
    monkeypatch.setattr(codecs, "_library", codecs._library.__wrapped__)  # noqa: SLF001  (the same)


def test_without_a_key(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(personal_state, "folder", lambda _environment=None: None)
    assert main(["crop", str(folder / "a.png"), "--box", "8,8,56,56"]) == 0
    told = capsys.readouterr().err
    assert told.count("the trail is not sealed: this user has no home") == 1
    assert "the trail is not sealed: this user has no home" in "\n".join(logged(folder))
    assert main(["undo", str(folder)]) == 0


def test_without_zlib_ng(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import zlib  # noqa: PLC0415  (what takes its place)

    monkeypatch.setattr(zlib_streams, "engine", zlib)
    with Collection(folder) as collection:
        assert collection.crop("a.png", BOX).status is Status.CROPPED
    assert "zlib-ng is not installed: PNG is read and written by zlib" in "\n".join(logged(folder))


def test_without_imagecodecs_png_goes_on(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_codecs(monkeypatch)
    with Collection(folder) as collection:
        assert collection.crop("a.png", BOX).status is Status.CROPPED
    assert "imagecodecs is not installed: " in "\n".join(logged(folder))


@pytest.mark.parametrize("form", ["WEBP", "TIFF", "GIF"])
def test_without_imagecodecs_a_format_that_needs_it_is_refused_by_name(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    form: str,
) -> None:
    options = {"compression": "tiff_adobe_deflate"} if form == "TIFF" else {}
    picture = pictures.photo(64, 64).convert("P" if form == "GIF" else "RGB")
    image = tmp_path / f"a.{form.lower()}"
    image.write_bytes(pictures.encoded(picture, form, **options))
    before = image.read_bytes()
    without_codecs(monkeypatch)
    assert main(["crop", str(image), "--box", "8,8,56,56"]) == 1
    assert f"PartMissing: a.{form.lower()}: needs imagecodecs" in capsys.readouterr().err
    assert image.read_bytes() == before


def test_without_c2pa_a_crop_that_is_to_be_signed_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    image, key = tmp_path / "c/a.jpg", tmp_path / "key.pem"
    image.parent.mkdir()
    image.write_bytes(MISFITS["signed.jpg"][0]())
    key.touch(0o600)
    before = image.read_bytes()
    for name in (signing.CERTIFICATE, signing.KEY):
        monkeypatch.setenv(name, str(key))
    monkeypatch.setattr(library, "find_spec", lambda _name: None)
    assert main(["settings", str(image.parent), "--provenance", "sign"]) == 1
    words = "needs 'cropkit[c2pa]', which is not installed. Nothing was written; `pip install"
    assert words in capsys.readouterr().err
    signing.want(image.parent, wanted=True)
    assert main(["crop", str(image), "--box", "8,8,56,56"]) == 1
    assert f"PartMissing: a.jpg: {words}" in capsys.readouterr().err
    assert image.read_bytes() == before


def test_without_libheif_a_heic_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    image = tmp_path / "c/a.heic"
    image.parent.mkdir()
    image.write_bytes(b"\0\0\0\x18ftypheic" + bytes(40))
    before = image.read_bytes()
    monkeypatch.setattr(libheif, "find_spec", lambda _name: None)
    assert main(["settings", str(image.parent), "--heic", "exact"]) == 1
    words = "needs 'cropkit[heic]', which is not installed. Nothing was written; `pip install"
    assert words in capsys.readouterr().err
    with pytest.raises(PartMissing, match=r"needs 'cropkit\[heic\]'"):
        formats.opened(before, "a.heic", Options(heic=Heic.EXACT))
    assert image.read_bytes() == before


def test_what_is_missing_for_the_proof_is_no_failure_of_the_picture(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = pictures.encoded(pictures.photo(64, 64), "WEBP", lossless=True)
    candidate = formats.crop(data, "a.webp", BOX)
    without_codecs(monkeypatch)
    with pytest.raises(PartMissing):
        formats.verify(candidate.data, candidate, "a.webp")


class WithoutLinks(ModuleType):
    """`os` on a disk that knows one name for each file."""

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def link(self, *_: object, **__: object) -> None:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")


def test_without_hard_links(folder: Path) -> None:
    with Collection(folder, system=WithoutLinks("os")) as collection:
        assert collection.crop("a.png", BOX).status is Status.CROPPED
    assert any("a.png: its original is kept as a copy" in line for line in logged(folder))


def test_without_anywidget(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "anywidget", None)
    part = LiveDrag()
    part.close()
    assert "anywidget is not installed: the kernel draws each drag" in caplog.text


def test_a_preview_that_cannot_be_kept(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "previews").write_bytes(b"in the way")
    with Collection(folder) as collection:
        made = previewed(collection.files, "a.png", Size(32, 32), Cache(tmp_path / "previews"))
    assert made.jpeg
    assert "preview not kept" in caplog.text


class Denied:
    """`os` for somebody who is no administrator, on a disk without extended attributes."""

    def __init__(self, error: OSError) -> None:
        self.fchown = self.setxattr = self._raise
        self.error = error

    def _raise(self, *_: object) -> None:
        raise self.error

    def fchmod(self, *_: object) -> None:
        """Permit it."""


def test_an_owner_that_only_the_administrator_may_set(tmp_path: Path) -> None:
    like = Attributes(0o600, 12345, 12345, 0)
    with (tmp_path / "a").open("wb") as file:
        lost = carry(Denied(PermissionError(1, "Operation not permitted")), file.fileno(), like)
    assert lost == ("owner",)


class WithoutXattrs(ModuleType):
    """`os` on a disk that holds no extended attributes."""

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def setxattr(self, *_: object) -> None:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")


def test_extended_attributes_that_the_disk_cannot_hold(folder: Path) -> None:
    image = folder / "a.png"
    os.setxattr(image, "user.note", b"seen")
    before = image.read_bytes()
    with (
        Collection(folder, system=WithoutXattrs("os")) as collection,
        pytest.raises(WriteFailed, match="not supported"),
    ):
        collection.crop("a.png", BOX)
    assert image.read_bytes() == before


class OfSomebodyElse(ModuleType):
    """`os` where no file is this user's."""

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def open(self, name: str, flags: int, **options: Any) -> int:
        if flags & os.O_NOATIME:
            raise PermissionError(errno.EPERM, "Operation not permitted")
        return os.open(name, flags, **options)


def test_a_file_of_somebody_else_is_read_with_a_trace(folder: Path) -> None:
    root = Root(folder, OfSomebodyElse("os"))
    assert root.read("a.png").data == (folder / "a.png").read_bytes()


def test_an_export_that_cannot_be_written(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    export = folder / ".cropkit" / "trail.jsonl"
    with Collection(folder) as collection:
        collection.crop("a.png", BOX)
        export.unlink()
        export.mkdir()
        collection.undo("a.png")
        assert "trail.jsonl is behind the database" in caplog.text
        export.rmdir()
    with Collection(folder) as collection:
        collection.redo("a.png")
    assert "restored" in export.read_text(encoding="utf-8")


def test_a_browser_that_does_not_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda _: False)
    launch.open_page(tmp_path, "http://127.0.0.1:1/", browser=True)
    assert "no browser could be opened" in capsys.readouterr().err


def test_a_log_that_cannot_be_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Collection(folder) as collection:
        (folder / ".cropkit" / "cropkit.log").unlink(missing_ok=True)
        (folder / ".cropkit" / "cropkit.log").mkdir()
        collection.crop("a.png", BOX)
        logging.getLogger("cropkit").warning("something")
    monkeypatch.undo()
    assert "cropkit.log cannot be written" in capsys.readouterr().err


def test_the_servers_own_kernel_connection_is_the_quick_one(tmp_path: Path) -> None:
    lab = server._server_config(tmp_path, 1, "token")["ServerApp"]  # noqa: SLF001  (a server takes seconds)
    named = lab["kernel_websocket_connection_class"]
    assert named == f"{nodelay.__name__}.{nodelay.NoDelayConnection.__name__}"


def test_a_home_that_takes_no_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "nowhere"))
    monkeypatch.setattr(installing, "installers", lambda *_: iter(()))
    with pytest.raises(SetupFailed):
        installing.install(Clone(tmp_path), Environment(tmp_path), [], ())
    assert "HOME takes no files" in capsys.readouterr().err


# -- the table ------------------------------------------------------------------------------------


def rows() -> list[list[str]]:
    text = (ROOT / "docs" / "safety.md").read_text(encoding="utf-8")
    section = text.partition("\n## What happens instead\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


def test_every_row_says_what_who_where_and_names_its_test() -> None:
    assert len(rows()) > 12
    for row in rows():
        assert len(row) == 5
        assert all(row), row


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0][:40])
def test_the_test_of_a_row_is_there(row: list[str]) -> None:
    names = re.findall(r"`(tests/[\w/.]+)::(test_\w+)`", row[4])
    assert names
    for path, name in names:
        assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8")
