"""What a command loads before it begins: held by names of modules, not by the clock."""

import argparse
import gc
import json
import subprocess
import sys
from pathlib import Path

import pictures
import pytest

import cropkit
from cropkit import __main__
from cropkit.cli import _GROUPS, parser
from cropkit.geometry import PixelBox

LARGE = frozenset(
    (
        *("IPython", "PIL", "anywidget", "imagecodecs", "ipycanvas", "ipywidgets", "jinja2"),
        *("jupyterlab", "matplotlib", "nbformat", "numpy", "pandas", "papermill", "sqlalchemy"),
        *("tifffile", "tqdm", "venv", "yaml"),
    )
)
CALL = """
import atexit, sys
from cropkit.__main__ import main
atexit.register(lambda: sys.stderr.write("\\n" + " ".join(sys.modules)))
sys.exit(main())
"""
COLLECTED = """
import atexit, gc, json, sys
from cropkit.__main__ import main
before = sum(each["collections"] for each in gc.get_stats())

def tell():
    after = sum(each["collections"] for each in gc.get_stats())
    sys.stderr.write("\\n" + json.dumps([after - before, len(gc.get_objects())]))

atexit.register(tell)
sys.exit(main())
"""
BOX = ("--box", "8,8,40,40")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a collection of one PNG and one JPEG; a crop of the PNG can be undone."""
    pictures.write_png(tmp_path / "a.png")
    pictures.write_jpeg(tmp_path / "b.jpg")
    with cropkit.open(tmp_path) as collection:
        collection.crop("a.png", PixelBox(8, 8, 40, 40))
    return tmp_path


def loaded(*words: str | Path) -> set[str]:
    """Return all modules that a command has loaded when it has ended well."""
    return set(ended(CALL, *words).split())


def ended(program: str, *words: str | Path) -> str:
    """Return the last line that a command has written to stderr, when it has ended well."""
    command = [sys.executable, "-c", program, *map(str, words)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stderr.rsplit("\n", 1)[1]


def large(modules: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules} & LARGE


def rooms(modules: set[str]) -> set[str]:
    formats = {name for name in modules if name.startswith("cropkit.formats.")}
    return {name.split(".")[2] for name in formats} & {"png", "jpeg", "webp", "tiff", "bmp", "gif"}


@pytest.mark.parametrize("command", ["history", "fsck", "health", "stats", "heads", "recover"])
def test_what_reads_or_settles_loads_the_database_and_no_codec(folder: Path, command: str) -> None:
    assert large(loaded(command, folder)) == {"sqlalchemy"}


@pytest.mark.parametrize("to", ["coco", "csv"])
def test_an_export_of_decisions_loads_the_database_and_no_codec(folder: Path, to: str) -> None:
    out = folder.parent / f"{folder.name}-{to}.{'json' if to == 'coco' else to}"
    assert large(loaded("export", folder, "--to", to, "--out", out)) == {"sqlalchemy"}


def test_an_undo_loads_the_database_and_no_codec(folder: Path) -> None:
    modules = loaded("undo", folder)
    assert (large(modules), rooms(modules)) == ({"sqlalchemy"}, set())


@pytest.mark.parametrize(("image", "room"), [("a.png", "png"), ("b.jpg", "jpeg")])
def test_a_crop_loads_the_room_of_its_format_and_no_other(
    folder: Path, image: str, room: str
) -> None:
    modules = loaded("crop", folder / image, "--box", "8,8,30,30")
    assert large(modules) - {"imagecodecs"} == {"sqlalchemy", "numpy", "PIL"}
    assert rooms(modules) == {room}


def test_history_loads_nothing_that_writes(folder: Path) -> None:
    modules = loaded("history", folder)
    assert not {"cropkit.collection", "cropkit.audit.trail", "cropkit.formats"} & modules


@pytest.mark.parametrize("command", ["crop", "batch", "review", "health", "verify", "export"])
def test_help_loads_nothing_large_and_no_other_command(command: str) -> None:
    modules = loaded(command, "--help")
    own = {group.module for group in _GROUPS if command in group.names}
    described = {group.module for group in _GROUPS} & {
        name.rpartition(".")[2] for name in modules if name.startswith("cropkit.cli.")
    }
    assert (large(modules), described) == (set(), own)


def test_a_short_command_does_not_look_for_garbage_among_what_it_loads(folder: Path) -> None:
    words = ("crop", folder / "a.png", "--box", "8,8,30,30")
    collections, left = json.loads(ended(COLLECTED, *words))
    assert collections == 0
    assert left == 0  # for the interpreter to look through when it ends


def test_a_long_command_looks_for_garbage_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(__main__, "LOADED", gc.get_count()[0] + 1_000)
    monkeypatch.setattr("atexit.register", lambda _: None)
    usual, callbacks = gc.get_threshold(), [*gc.callbacks]
    __main__.collect_late()
    assert gc.get_threshold() == (__main__.LOADED, *usual[1:])
    kept = [[number] for number in range(2_000)]
    assert gc.get_threshold() == usual
    assert (gc.callbacks, len(kept)) == (callbacks, 2_000)


def described(by: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    (actions,) = (each for each in by._actions if each.dest == "command")  # noqa: SLF001  (no other way)
    choices: dict[str, argparse.ArgumentParser] = dict(actions.choices or {})
    return choices


def test_a_command_that_is_described_alone_is_described_as_among_all() -> None:
    every = described(parser())
    assert [*every] == [name for group in _GROUPS for name in group.names]
    for name, whole in every.items():
        alone = parser(name)
        assert described(alone)[name].format_help() == whole.format_help()
        assert alone.format_usage() == parser().format_usage()


def test_a_command_that_is_not_there_is_answered_with_all_that_are() -> None:
    assert described(parser("no-such-command")).keys() == described(parser()).keys()
