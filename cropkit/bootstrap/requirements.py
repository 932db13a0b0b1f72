"""Compare what the project requires with what this interpreter has, without ``packaging``."""

import importlib.metadata
import re
import tomllib
from collections.abc import Iterable
from operator import eq, ge, gt, le, lt, ne
from pathlib import Path
from typing import Any

from cropkit.bootstrap.clone import Clone, find_clone

COMPARE = {">=": ge, "<=": le, ">": gt, "<": lt, "==": eq, "!=": ne}


def wanted(clone: Clone | None, *, tests: bool) -> list[str]:
    """List the requirements, as the project states them.

    An installed cropkit may do without its extras; a clone is to have all of them but Parquet.
    """
    if clone is not None:
        stated = _stated(clone)
        ours = stated.get("tool", {}).get("cropkit", {})
        names = [*ours.get("extras", ()), *(ours.get("test-extras", ()) if tests else ())]
        optional = stated["project"].get("optional-dependencies", {})
        extras = [each for name in names for each in optional[name]]
        return [*stated["project"]["dependencies"], *extras]
    return [each for each in _required() if "extra ==" not in each]


def of_extra(extra: str) -> list[str]:
    """List what an extra brings, as the project states it where this package lies."""
    clone = find_clone(Path(__file__).resolve().parents[1])
    if clone is not None:
        return list(_stated(clone)["project"].get("optional-dependencies", {}).get(extra, ()))
    marked = re.compile(rf"""extra == ["']{extra}["']""")
    return [each.partition(";")[0].strip() for each in _required() if marked.search(each)]


def _stated(clone: Clone) -> dict[str, Any]:
    return tomllib.loads((clone.root / "pyproject.toml").read_text("utf-8"))


def _required() -> list[str]:
    try:
        return importlib.metadata.requires("cropkit") or []
    except importlib.metadata.PackageNotFoundError:
        return []


def unmet(requirements: Iterable[str]) -> list[str]:
    """List the requirements that this interpreter's packages do not meet."""
    return [each for each in requirements if not met(each)]


def met(requirement: str) -> bool:
    """Compare one requirement (a name and plain comparisons) with what is installed."""
    named = re.match(r"[\w.-]+", requirement)
    if named is None:
        return False
    try:
        have = release(importlib.metadata.version(named.group()))
    except importlib.metadata.PackageNotFoundError:
        return False
    ranges = requirement[named.end() :].partition(";")[0]
    bounds = re.findall(r"(>=|<=|==|!=|>|<)\s*([\d.]+)", ranges)
    return all(COMPARE[sign](have, release(bound)) for sign, bound in bounds)


def release(version: str) -> tuple[int, ...]:
    """Read the release numbers of a version, without trailing zeros."""
    digits = re.match(r"\d+(\.\d+)*", version)
    numbers = [int(each) for each in digits.group().split(".")] if digits else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)
