"""The names that `import cropkit` offers, and what importing them loads."""

import subprocess
import sys

import pytest

import cropkit
from cropkit.collection import Collection

HEAVY = ("PIL", "numpy", "sqlalchemy", "ipycanvas", "pandas")


def loaded_by(*modules: str) -> set[str]:
    """Return what a new Python has loaded after importing modules, of what is heavy."""
    program = f"import sys, {', '.join(modules)}; print(*sorted(sys.modules))"
    run = [sys.executable, "-c", program]
    names = subprocess.run(run, capture_output=True, text=True, check=True).stdout.split()
    return {name.partition(".")[0] for name in names} & set(HEAVY)


@pytest.mark.parametrize("name", cropkit.__all__)
def test_every_public_name_resolves(name: str) -> None:
    assert getattr(cropkit, name) is not None
    assert name in dir(cropkit)


def test_the_old_name_of_a_collection_warns_and_still_serves() -> None:
    with pytest.warns(DeprecationWarning, match=r"cropkit\.Kit is called cropkit\.Collection now"):
        assert cropkit.Kit is Collection


def test_open_is_the_collection_itself() -> None:
    assert cropkit.open is Collection


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'open_kit'"):
        _ = cropkit.open_kit


@pytest.mark.parametrize("module", ["cropkit", "cropkit.review.model", "cropkit.errors"])
def test_importing_it_loads_nothing_heavy(module: str) -> None:
    assert loaded_by(module) == set()


def test_a_heavy_import_would_be_seen() -> None:
    assert loaded_by("cropkit.audit.schema") == {"sqlalchemy"}
