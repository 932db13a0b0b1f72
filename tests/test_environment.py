"""environment.yml, pyproject.toml and the locks name the same packages, and agree."""

import ast
import re
import tomllib
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from cropkit import __main__ as front
from cropkit.bootstrap import requirements

ROOT = Path(__file__).parent.parent
CONDA_ONLY = {"python", "pip"}
BY_PIP = [
    "globox>=2.9,<3",
    "py-rattler-build>=0.70,<1",
]  # for the tests; conda-forge need not have it
CONDA_NAMES = {
    "matplotlib-base": "matplotlib",
    "playwright-python": "playwright",
    "python-zlib-ng": "zlib-ng",
}
PYTHONS = ("3.11", "3.12", "3.13")
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
CONDA: dict[str, Any] = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))
RUNTIME, TESTS, UV = (
    (ROOT / f"requirements{part}.lock").read_text("utf-8") for part in ("", "-test", "-uv")
)
LOCK = RUNTIME + TESTS
EXTRAS: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]
OURS: dict[str, list[str]] = PROJECT["tool"]["cropkit"]
COMMANDS: list[str] = [
    *PROJECT["project"]["dependencies"],
    *(each for name in OURS["extras"] for each in EXTRAS[name]),
]
STATED = [*COMMANDS, *(each for name in OURS["test-extras"] for each in EXTRAS[name])]


def stated() -> dict[str, SpecifierSet]:
    return {canonicalize_name(each.name): each.specifier for each in map(Requirement, STATED)}


def kept_down() -> dict[str, SpecifierSet]:
    """Return what our own environments keep to, and who installs the package need not."""
    ranges = map(Requirement, PROJECT["tool"]["uv"]["constraint-dependencies"])
    return {canonicalize_name(each.name): each.specifier for each in ranges}


def conda() -> dict[str, SpecifierSet]:
    found: dict[str, SpecifierSet] = {}
    for line in CONDA["dependencies"]:
        if isinstance(line, str):
            name, ranges = re.fullmatch(r"([\w.-]+?)(=\d.*|[<>!=].*)?", line).groups()  # type: ignore[union-attr]  # (a line that does not match is a failure)
            pypi = canonicalize_name(CONDA_NAMES.get(name, name))
            found[pypi] = SpecifierSet(re.sub(r"^=(?==*\d)", "~=", ranges or ""))
    return found


def blocks(lock: str = LOCK) -> list[str]:
    return re.split(r"(?m)^(?=\w)", lock)[1:]


def names(lock: str) -> list[str]:
    return [canonicalize_name(Requirement(each.partition(" \\")[0]).name) for each in blocks(lock)]


def locked(python: str, lock: str = LOCK) -> dict[str, Version]:
    found: dict[str, Version] = {}
    for block in blocks(lock):
        requirement = Requirement(block.partition(" \\")[0])
        here = {"python_version": python, "python_full_version": f"{python}.0"}
        if requirement.marker is None or requirement.marker.evaluate(here):
            pinned = str(requirement.specifier).removeprefix("==")
            found[canonicalize_name(requirement.name)] = Version(pinned)
    return found


def test_environment_yml_asks_for_what_pyproject_asks_for() -> None:
    asked = {name: spec for name, spec in conda().items() if name not in CONDA_ONLY}
    for each in map(Requirement, BY_PIP):
        asked[canonicalize_name(each.name)] = each.specifier
    assert asked == stated() | kept_down()


def test_environment_yml_takes_nearly_everything_from_conda_forge() -> None:
    assert CONDA["channels"] == ["conda-forge", "nodefaults"]
    assert CONDA["dependencies"][-1] == {"pip": ["-e .", *BY_PIP]}


def test_environment_yml_names_a_python_that_cropkit_runs_on() -> None:
    (pinned,) = (line for line in CONDA["dependencies"] if str(line).startswith("python="))
    assert pinned.removeprefix("python=") in PYTHONS


def test_the_python_range_is_the_same_wherever_it_is_stated() -> None:
    assert PROJECT["project"]["requires-python"] == f">={PYTHONS[0]}", "no upper bound"
    classified = re.findall(r"Python :: (3\.\d+)'", str(PROJECT["project"]["classifiers"]))
    assert tuple(classified) == PYTHONS, "those that the tests were run on"
    assert "{}.{}".format(*front.OLDEST) == PYTHONS[0]


@pytest.mark.parametrize("python", PYTHONS)
def test_the_lock_holds_every_requirement_in_its_range(python: str) -> None:
    have = locked(python)
    asked = stated() | kept_down()
    outside = [n for n, ranges in asked.items() if n not in have or have[n] not in ranges]
    assert not outside, "make the locks again: their first lines hold the command"


def test_the_locks_name_nothing_twice_and_the_commands_need_nothing_of_the_tests() -> None:
    for python in PYTHONS:  # as they are here: what one has for Windows alone, both may name
        assert not locked(python, RUNTIME).keys() & locked(python, TESTS).keys()
    have = locked("3.11", RUNTIME)
    asked = {canonicalize_name(Requirement(each).name) for each in COMMANDS}
    assert asked <= have.keys()
    assert not {"pytest", "nbval", "mypy", "ruff", "hypothesis", "playwright"} & have.keys()


def test_the_users_packages_are_in_a_clones_environment() -> None:
    fixed = {"jupyterlab", "ipywidgets", "ipycanvas", "pillow", "pandas", "papermill", "nbval"}
    assert fixed <= locked("3.11").keys()
    assert fixed <= conda().keys()


def test_what_is_tried_before_an_environment_is_used_is_what_a_review_imports() -> None:
    tried = {module.partition(".")[0] for each in OURS["tried"] for module in each}
    assert {"jupyterlab", "ipykernel", "ipywidgets", "ipycanvas", "anywidget", "PIL"} <= tried
    assert len(OURS["tried"]) == 2, "a server and a kernel"


def lacking(
    who: str, lines: Iterable[str], extras: Iterable[str], seen: set[tuple[str, str]]
) -> Iterator[str]:
    """Yield what is asked for and not installed, and so on for each package that is."""
    for wanted in map(Requirement, lines):
        if wanted.marker and not any(wanted.marker.evaluate({"extra": e}) for e in ("", *extras)):
            continue
        each = (canonicalize_name(wanted.name), ",".join(sorted(wanted.extras)))
        if each in seen:
            continue
        seen.add(each)
        try:
            there = metadata.distribution(wanted.name)
        except metadata.PackageNotFoundError:
            yield f"{who} asks for {wanted}"
            continue
        if there.version not in wanted.specifier:
            yield f"{who} asks for {wanted}, and has {there.version}"
        yield from lacking(wanted.name, there.requires or (), wanted.extras, seen)


def test_an_environment_that_nobody_resolved_lacks_nothing() -> None:
    seen: set[tuple[str, str]] = set()
    assert list(lacking("cropkit", STATED, (), seen)) == []
    assert len(seen) > len(STATED) * 3


def test_the_lock_names_no_index_no_url_and_no_place_on_a_machine() -> None:
    anywhere = r"://|--index|--extra-index|--find-links|file:|(?m:^\s*#.* /\w)"
    assert not re.search(anywhere, LOCK + UV)


def test_every_block_of_the_lock_has_a_hash() -> None:
    assert len(blocks()) > len(STATED)
    assert [block for block in blocks(LOCK + UV) if "--hash=sha256:" not in block] == []
    assert names(UV) == ["uv"]


def test_the_lock_says_how_it_was_made() -> None:
    for lock in (RUNTIME, TESTS, UV):
        assert "python tests/refresh_locks.py" in lock[:200]


@pytest.mark.parametrize("line", STATED)
def test_the_bootstrap_reads_a_requirement_as_packaging_does(line: str) -> None:
    theirs = Requirement(line)
    assert requirements.met(line)
    assert theirs.marker is None, "no markers, please"
    assert not requirements.met(f"{theirs.name}>=99999")
    assert not requirements.met(f"{theirs.name}<0.0.1")


@pytest.mark.parametrize(
    ("older", "newer"), [("3.9", "3.10"), ("3", "3.0.1"), ("1.9.9", "2"), ("2026.6", "2026.10.1")]
)
def test_versions_are_compared_as_numbers(older: str, newer: str) -> None:
    assert requirements.release(older) < requirements.release(newer)


def test_trailing_zeros_make_no_difference() -> None:
    assert requirements.release("3.0.0") == requirements.release("3")


@pytest.mark.parametrize("name", ["__main__.py", "__init__.py"])
def test_an_old_python_can_read_what_tells_it_that_it_is_too_old(name: str) -> None:
    ast.parse((ROOT / "cropkit" / name).read_text("utf-8"), feature_version=(3, 8))
