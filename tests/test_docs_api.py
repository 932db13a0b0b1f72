"""docs/api.md is what the docstrings say, of all that is public and nothing else."""

import inspect
import re
from collections.abc import Iterator
from typing import Any

import api_page
import pytest
import refresh_docs

import cropkit
from cropkit import errors

PAGE = refresh_docs.API.read_text("utf-8")
PUBLIC: dict[str, Any] = {name: getattr(cropkit, name) for name in cropkit.__all__}
DESCRIBED = {n: f for n, f in PUBLIC.items() if inspect.isclass(f) or inspect.isfunction(f)}


def callables(found: Any) -> Iterator[Any]:
    """Give out a class or function, and the public methods of the class."""
    yield found
    if inspect.isclass(found):
        for name, member in vars(found).items():
            inner = getattr(member, "__func__", member)
            if inspect.isfunction(inner) and not name.startswith("_"):
                yield inner


def test_the_page_is_made_from_the_docstrings() -> None:
    assert api_page.page() == PAGE, "run: python tests/refresh_docs.py"


def test_everything_public_is_on_the_page_and_nothing_else() -> None:
    headings = re.findall(r"^## (\w+)$", PAGE, re.MULTILINE)
    assert sorted(headings) == sorted(cropkit.__all__)


@pytest.mark.parametrize("name", DESCRIBED)
def test_every_public_class_function_and_member_says_what_it_does(name: str) -> None:
    found = DESCRIBED[name]
    assert found.__doc__, name
    for member, said in api_page.members(found) if inspect.isclass(found) else ():
        assert said, member


@pytest.mark.parametrize("name", DESCRIBED)
def test_only_parameters_that_there_are_get_explained(name: str) -> None:
    for found in callables(DESCRIBED[name]):
        known = {each.lstrip("*") for each in inspect.signature(found).parameters}
        for names, said in api_page.doc_of(found).sections.get("Parameters", ()):
            assert set(names.split(", ")) <= known
            assert said


@pytest.mark.parametrize("name", DESCRIBED)
def test_only_errors_that_there_are_get_named_with_the_state_of_the_disk(name: str) -> None:
    for found in callables(DESCRIBED[name]):
        for names, said in api_page.doc_of(found).sections.get("Raises", ()):
            assert all(hasattr(errors, each) for each in names.split(", "))
            assert said
