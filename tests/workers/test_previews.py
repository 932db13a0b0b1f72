import os
import signal
from pathlib import Path

import pytest
from PIL import Image

from cropkit import formats
from cropkit.errors import MissingFile, ReaderDied
from cropkit.formats.headers import Headers
from cropkit.geometry import Size
from cropkit.system.files import Root
from cropkit.system.home import PREVIEWS
from cropkit.system.scope import Scope
from cropkit.workers.previews import Cache, Preview, PreviewProcesses, previewed

FIT = Size(64, 64)


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "previews")


def kept(folder: Path) -> list[Path]:
    return sorted((folder / "previews").iterdir())


def seen(folder: Path, path: str, cache: Cache) -> Preview:
    return previewed(Root(folder), path, FIT, cache)


def test_a_preview_is_made_once_for_a_content_whatever_it_is_called(
    folder: Path, tmp_path: Path, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = seen(folder, "a_stage2.png", cache)
    (folder / "z.png").write_bytes((folder / "a_stage2.png").read_bytes())
    monkeypatch.setattr(formats, "preview", None)
    assert seen(folder, "z.png", cache) == first
    assert (first.size, first.jpeg[:3]) == (Size(104, 152), b"\xff\xd8\xff")
    assert len(kept(tmp_path)) == 1


def test_another_content_and_another_fit_are_other_previews(
    folder: Path, tmp_path: Path, cache: Cache
) -> None:
    before = seen(folder, "a_stage2.png", cache)
    Image.new("RGB", (50, 40), "red").save(folder / "a_stage2.png")
    after = seen(folder, "a_stage2.png", cache)
    assert (before.sha256 != after.sha256, after.size) == (True, Size(50, 40))
    larger = previewed(Root(folder), "a_stage2.png", Size(128, 128), cache)
    assert larger.size == after.size
    assert len(kept(tmp_path)) == 3


@pytest.mark.parametrize("damage", [b"", b"\xff\xd8\xff short", b"x" * 4000])
def test_a_kept_preview_that_was_damaged_is_made_anew(
    folder: Path, tmp_path: Path, cache: Cache, damage: bytes
) -> None:
    good = seen(folder, "c.jpg", cache)
    (file,) = kept(tmp_path)
    file.write_bytes(damage)
    assert seen(folder, "c.jpg", cache) == good
    assert cache.get(file.name) == good.jpeg


def test_kept_previews_are_for_their_user_alone(folder: Path, tmp_path: Path, cache: Cache) -> None:
    seen(folder, "c.jpg", cache)
    assert (tmp_path / "previews").stat().st_mode & 0o777 == 0o700


def test_one_flipped_bit_is_noticed(folder: Path, tmp_path: Path, cache: Cache) -> None:
    good = seen(folder, "c.jpg", cache)
    (file,) = kept(tmp_path)
    data = bytearray(file.read_bytes())
    data[-9] ^= 1
    file.write_bytes(data)
    assert seen(folder, "c.jpg", cache) == good


def test_the_cache_is_bounded_and_keeps_what_was_used_last(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "previews", limit=3 * 1032)
    for number in range(200):
        cache.put(f"{number:03}", bytes(1000))
        os.utime(tmp_path / "previews" / f"{number:03}", (number, number))
        assert len(kept(tmp_path)) <= 3 + 64
    again = Cache(tmp_path / "previews", limit=3 * 1032)
    again.put("new", bytes(1000))
    assert [path.name for path in kept(tmp_path)] == ["198", "199", "new"]


def test_deleting_the_cache_at_any_time_does_no_harm(
    folder: Path, tmp_path: Path, cache: Cache
) -> None:
    first = seen(folder, "c.jpg", cache)
    for path in kept(tmp_path):
        path.unlink()
    (tmp_path / "previews").rmdir()
    assert seen(folder, "c.jpg", cache) == first
    assert len(kept(tmp_path)) == 1


def test_where_nothing_can_be_kept_there_are_previews_all_the_same(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "previews").write_text("a file, not a folder")
    assert seen(folder, "c.jpg", Cache(tmp_path / "previews")).jpeg
    assert "preview not kept" in caplog.text


def test_what_cannot_be_cropped_is_a_card_with_the_reason_and_nothing_is_kept(
    folder: Path, tmp_path: Path, cache: Cache
) -> None:
    (folder / "e.png").write_bytes(b"")
    assert seen(folder, "e.png", cache).hindrance.startswith("e.png: the file is empty")
    assert not (tmp_path / "previews").exists()
    with pytest.raises(MissingFile):
        seen(folder, "gone.png", cache)


def test_another_process_reads_the_same_and_refuses_the_same(folder: Path, cache: Cache) -> None:
    (folder / ".cropkit").mkdir()
    readers = PreviewProcesses(Scope(folder), 1)
    try:
        assert readers.read("c.jpg", FIT) == seen(folder, "c.jpg", cache)
        assert [path.name[:1] for path in (folder / PREVIEWS).iterdir()] != ["."]
        (folder / "e.png").write_bytes(b"")
        assert readers.read("e.png", FIT) == seen(folder, "e.png", cache)
        with pytest.raises(MissingFile, match=r"gone\.png"):
            readers.read("gone.png", FIT)
    finally:
        readers.close()


def test_an_image_that_brings_its_reader_down_is_named_and_the_next_one_is_read(
    folder: Path,
) -> None:
    readers = PreviewProcesses(Scope(folder), 1)
    one = readers.processes[0]
    asked = one.ask

    def deadly(question: tuple[str, Size, Headers]) -> Preview:
        one.start()
        if question[0] == "deadly.png" and one.pid:
            os.kill(one.pid, signal.SIGKILL)
        return asked(question)

    one.ask = deadly  # type: ignore[method-assign]  # the killer
    try:
        with pytest.raises(ReaderDied, match=r"deadly\.png.*exit code -9"):
            readers.read("deadly.png", FIT)
        (folder / "deadly.png").write_bytes(b"what brings it down")
        assert "exit code -9" in readers.read("deadly.png", FIT).hindrance
        assert readers.read("c.jpg", FIT).jpeg
    finally:
        readers.close()
