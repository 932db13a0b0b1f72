"""How a run is put together: names that are there, long ones first, nothing left out unasked."""

import gc
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import patience
import pytest
import running
import second_go
from hypothesis import settings

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("name", [*running.SLOW, *running.SECONDS, *running.TOGETHER])
def test_what_is_weighed_or_left_out_is_there(name: str) -> None:
    assert (ROOT / name).exists(), "a name that is not there leaves out nothing"


def test_garbage_is_looked_for_in_tests_and_not_among_the_tests() -> None:
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0


def item(nodeid: str) -> pytest.Item:
    return cast("pytest.Item", SimpleNamespace(nodeid=nodeid))


def test_long_pieces_come_first_and_a_pieces_own_order_stays() -> None:
    named = ["tests/test_a.py::b", "tests/browser/test_z.py::b", "tests/test_a.py::a"]
    items = [item(name) for name in [*named, "tests/browser/test_a.py::a"]]
    running.put_long_ones_first(items)
    assert [each.nodeid for each in items] == [named[1], "tests/browser/test_a.py::a", *named[::2]]


def test_a_browsers_files_go_to_one_worker_and_others_file_by_file() -> None:
    scopes = {running.scope_of(f"tests/browser/test_{name}.py::test[a/b::c]") for name in "xy"}
    assert scopes == {"tests/browser"}
    assert running.scope_of("tests/crash/test_crash.py::test[a/b]") == "tests/crash/test_crash.py"


@pytest.mark.parametrize("debugged", [False, True])
def test_what_fails_in_a_browser_is_tried_once_more_and_elsewhere_a_lost_port_alone(
    *, debugged: bool
) -> None:
    marked: dict[str, list[pytest.MarkDecorator]] = {"tests/browser/test_a.py::a": []}
    marked |= {"tests/crash/test_crash.py::a": [], "notebooks/browser.ipynb::Cell 0": []}
    items: Any = [
        SimpleNamespace(nodeid=name, add_marker=marks.append) for name, marks in marked.items()
    ]
    config: Any = SimpleNamespace(option=SimpleNamespace(usepdb=debugged))
    second_go.give(config, items)
    elsewhere = {"reruns": 1, "only_rerun": [second_go.LOST_PORT]}
    expected = [] if debugged else [{"reruns": 1, "only_rerun": []}, elsewhere, elsewhere]
    assert [mark.kwargs for marks in marked.values() for mark in marks] == expected


@pytest.mark.parametrize(
    ("environment", "times"),
    [
        ({}, 1),
        ({"CI": "true"}, 4),
        ({"CI": ""}, 1),
        ({"CI": "true", patience.VARIABLE: "2.5"}, 2.5),
    ],
)
def test_in_ci_and_where_it_is_asked_for_tests_wait_longer(
    environment: dict[str, str], times: float
) -> None:
    assert patience.times_of(environment) == times


@pytest.mark.parametrize("name", ["tests/browser", "tests/browser/test_x.py", "docs/a.ipynb"])
def test_fast_does_not_even_read_what_takes_long(name: str) -> None:
    config: Any = SimpleNamespace(rootpath=Path("/clone"))
    assert running.Fast().pytest_ignore_collect(Path("/clone", name), config)
    quick = Path("/clone/tests/formats/test_formats_png.py")
    assert running.Fast().pytest_ignore_collect(quick, config) is None


@pytest.mark.parametrize("fast", [True, False])
def test_only_fast_leaves_anything_out(fast: bool) -> None:  # noqa: FBT001  (a parameter of a test)
    usual, profile = settings(), settings.get_current_profile_name()
    plugins: list[object] = []
    manager = SimpleNamespace(register=plugins.append)
    config: Any = SimpleNamespace(getoption=lambda _: fast, pluginmanager=manager)
    try:
        running.be_fast(config)
        now = settings()
    finally:
        settings.load_profile(profile)
    assert [type(each) for each in plugins] == ([running.Fast] if fast else [])
    assert now.max_examples == (running.FEW_CASES if fast else usual.max_examples)
    assert (now.deadline, now.derandomize) == (usual.deadline, usual.derandomize)


def test_temporary_folders_are_in_memory_where_it_has_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "MEMORY", tmp_path)
    for least, there in ((0, True), (1 << 62, False)):
        monkeypatch.delenv(running.TEMPORARY, raising=False)
        monkeypatch.setattr(running, "LEAST_ROOM", least)
        running.keep_in_memory()
        assert (os.environ.get(running.TEMPORARY) == str(tmp_path)) is there


def test_a_place_that_somebody_named_or_that_is_not_there_stays_out_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "LEAST_ROOM", 0)
    monkeypatch.setenv(running.TEMPORARY, "elsewhere")
    monkeypatch.setattr(running, "MEMORY", tmp_path)
    running.keep_in_memory()
    assert os.environ[running.TEMPORARY] == "elsewhere"
    monkeypatch.delenv(running.TEMPORARY)
    monkeypatch.setattr(running, "MEMORY", tmp_path / "nowhere")
    running.keep_in_memory()
    assert running.TEMPORARY not in os.environ
