import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from faults import deny
from hypothesis import given, settings
from hypothesis import strategies as st

from cropkit import formats
from cropkit.engine.listing import companions, listed, streamed
from cropkit.engine.names_beside import NamesBeside
from cropkit.engine.review_order import review_order
from cropkit.errors import WriteFailed
from cropkit.system.files import Root
from cropkit.system.scope import Scope


def _touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def test_images_are_listed_by_folder_time_stage_and_name(tmp_path: Path) -> None:
    wanted = [
        "20250101_000000_stage1_generated.png",
        "20250101_000000_stage1.5_face.png",
        "20250101_000000_stage2_up.png",
        "20250102_000000_stage1_generated.png",
        "img2.png",
        "img10.PNG",
        "b/a.jpg",
    ]
    _touch(tmp_path, *reversed(wanted), "notes.txt", "b/a.txt")
    assert listed(Scope(tmp_path)).images == wanted


@pytest.mark.parametrize("suffix", formats.EXTENSIONS)
def test_every_suffix_of_a_format_is_listed_and_makes_a_sibling(
    tmp_path: Path, suffix: str
) -> None:
    one, two = "x_stage1.png", f"x_stage2{suffix.upper()}"
    _touch(tmp_path, one, two, "x.decision", "x_stage3.txt")
    assert listed(Scope(tmp_path)).images == [one, two]
    assert companions(NamesBeside(Root(tmp_path)), one) == {"x.decision": True}


def test_own_and_hidden_folders_links_and_the_destination_are_not_listed(tmp_path: Path) -> None:
    _touch(tmp_path, ".cropkit/stage/x.png", ".hidden/x.png", ".x.png", "out/x.png", "a.png")
    (tmp_path / "link.png").symlink_to(tmp_path / "a.png")
    (tmp_path / "loop").symlink_to(tmp_path)
    for destination in ("out", str(tmp_path / "out")):
        assert listed(Scope(tmp_path), (destination,)).images == ["a.png"]


def test_a_folder_that_cannot_be_read_is_named_and_the_rest_is_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _touch(tmp_path, "a.png", "closed/b.png", "open/c.png")
    deny(monkeypatch, "closed")
    found = listed(Scope(tmp_path))
    assert found.images == ["a.png", "open/c.png"]
    assert found.unread == {"closed": "Permission denied"}


@given(st.lists(st.text(min_size=1).filter(lambda t: "/" not in t and t not in (".", ".."))))
def test_any_names_can_be_ordered(names: list[str]) -> None:
    assert len(sorted(names, key=review_order)) == len(names)


@pytest.mark.parametrize("run", [1, 3, 1000])
def test_a_list_is_in_review_order(
    tmp_path: Path, run: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cropkit.engine.review_order.RUN", run)
    names = [
        *("b10/a_stage2.png", "b9/20250102_000000_x.png", "b9/20250101_000000_y.png"),
        *("B9/20250101_120000_z.png", "a.png", "A2.png", "a10.png", "b9/c/x_stage1.5.png"),
        *("b9/c/x_stage1.png", "b9/c/z.png", "b09/20250101_110000_w.png"),
    ]
    _touch(tmp_path, *names)
    images = listed(Scope(tmp_path)).images
    assert sorted(images) == sorted(names)
    assert images == sorted(images, key=review_order)
    assert images.index("b9/20250101_000000_y.png") + 1 == images.index("b09/20250101_110000_w.png")


names_of_folders = st.sampled_from(
    [
        "a",
        "A",
        "a b",
        "a-b",
        "a.x",
        "b",
        "1",
        "01",
        "10",
        "2",
        "-",
        "(x)",
        " ",
        "\u00df",
        "ss",
        "a1",
    ]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(names_of_folders, max_size=3), min_size=1, max_size=8))
def test_folders_come_in_review_order_whatever_they_are_called(folders: list[list[str]]) -> None:
    with TemporaryDirectory() as place:
        root = Path(place)
        names = [("/".join([*parts, f"{n}.png"])) for n, parts in enumerate(folders)]
        _touch(root, *names, *("/".join([*parts, "x.png"]) for parts in folders))
        images = listed(Scope(root)).images
        assert len(images) == len(set(images)) >= len(names)
        assert images == sorted(images, key=lambda path: (review_order(path), path))


def test_a_folder_is_read_when_it_is_its_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _touch(tmp_path, "z.png", "a/1.png", "a/deep/2.png", "a b/3.png", "1/4.png", "B/5.png")
    read: list[str] = []
    real = os.scandir

    def scandir(folder: str) -> object:
        read.append(Path(folder).name)
        return real(folder)

    monkeypatch.setattr(os, "scandir", scandir)
    come = []
    for stretch in streamed(Scope(tmp_path)):
        come.append((stretch.images, read.copy()))
        read.clear()
    assert come == [
        (["1/4.png"], [tmp_path.name, "1"]),
        (["z.png"], []),
        (["a/1.png"], ["a"]),
        (["a b/3.png"], ["a b"]),
        (["a/deep/2.png"], ["deep"]),
        (["B/5.png"], ["B"]),
    ]


def test_who_asks_no_further_keeps_no_listing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _touch(tmp_path, "a/1.png", "b/2.png")
    kept: list[object] = []

    def keep(listing: object) -> None:
        kept.append(listing)

    monkeypatch.setattr("cropkit.engine.kept_listing.KeptListing.keep", keep)
    stretches = streamed(Scope(tmp_path))
    next(stretches)
    stretches.close()
    assert not kept
    assert list(streamed(Scope(tmp_path)))
    assert len(kept) == 1


def test_a_name_that_a_folder_tells_twice_is_listed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _touch(tmp_path, "a.png", "b.png")
    real = os.scandir

    @contextmanager
    def twice(folder: str) -> Iterator[Iterator[os.DirEntry[str]]]:
        with real(folder) as first, real(folder) as again:
            yield chain(first, again)

    monkeypatch.setattr(os, "scandir", twice)
    assert listed(Scope(tmp_path)).images == ["a.png", "b.png"]


def test_folders_may_lie_as_deep_as_a_path_can_be_long(tmp_path: Path) -> None:
    deep = "/".join(["d"] * 1500)
    subprocess.run(["mkdir", "-p", tmp_path / deep], check=True)
    (tmp_path / deep / "a.png").touch()
    try:
        assert listed(Scope(tmp_path)).images == [f"{deep}/a.png"]
    finally:
        subprocess.run(["rm", "-rf", tmp_path / "d"], check=True)


def test_every_file_of_the_same_stem_follows(tmp_path: Path) -> None:
    _touch(tmp_path, "a.png", "a.txt", "a.foo", "a.png.json", "ab.txt", "A.txt", "d/a.txt")
    assert companions(NamesBeside(Root(tmp_path)), "a.png") == {"a.foo": False, "a.txt": False}


def test_the_group_sidecar_stays_until_its_last_sibling_goes(tmp_path: Path) -> None:
    one, two = "20250101_000000_stage1_x.png", "20250101_000000_stage2_x.png"
    _touch(tmp_path, one, two, "20250101_000000.decision", "20250101_000000_stage1_x.yaml")
    first = companions(NamesBeside(Root(tmp_path)), one)
    assert first == {"20250101_000000_stage1_x.yaml": False, "20250101_000000.decision": True}
    (tmp_path / one).unlink()
    assert companions(NamesBeside(Root(tmp_path)), two) == {"20250101_000000.decision": False}


def test_companions_that_cannot_be_listed_are_an_error_that_names_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: int) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    _touch(tmp_path, "a.png")
    monkeypatch.setattr("os.scandir", refuse)
    with pytest.raises(WriteFailed, match=r"a\.png.*Too many open files"):
        companions(NamesBeside(Root(tmp_path)), "a.png")
