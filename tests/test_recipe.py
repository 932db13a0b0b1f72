"""The recipe for conda-forge: rattler-build renders it, and it says what the wheel says."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from rattler_build import Stage0Recipe, VariantConfig
from test_environment import CONDA_NAMES, PROJECT

from cropkit import __version__

RECIPE = Path(__file__).parent.parent / "recipe/recipe.yaml"
# As conda-forge's own linter asks for them.
ORDER = ("context", "package", "source", "build", "requirements", "tests", "about", "extra")
CONDA_ONLY = ("__linux", "python")


@pytest.fixture(scope="module")
def rendered() -> dict[str, Any]:
    (variant,) = Stage0Recipe.from_file(RECIPE).render(VariantConfig())
    recipe: dict[str, Any] = variant.recipe.to_dict()
    return recipe


def required(lines: list[str]) -> dict[str, SpecifierSet]:
    """Read `name ranges`, as conda writes them, by the names of the index."""
    split = [line.partition(" ") for line in lines]
    return {
        canonicalize_name(CONDA_NAMES.get(name, name)): SpecifierSet(ranges)
        for name, _, ranges in split
        if name not in CONDA_ONLY
    }


def test_the_recipe_is_rendered_to_one_package_for_every_python(rendered: dict[str, Any]) -> None:
    assert rendered["package"] == {"name": "cropkit", "version": __version__}
    assert rendered["build"]["noarch"] == "python"


def test_it_asks_for_what_the_wheel_asks_for(rendered: dict[str, Any]) -> None:
    run = rendered["requirements"]["run"]
    asked = map(Requirement, PROJECT["project"]["dependencies"])
    assert required(run) == {canonicalize_name(each.name): each.specifier for each in asked}
    assert "__linux" in run
    assert f"python {PROJECT['project']['requires-python']}" in run


def test_it_has_the_commands_of_the_wheel(rendered: dict[str, Any]) -> None:
    scripts = PROJECT["project"]["scripts"]
    stated = rendered["build"]["python"]["entry_points"]
    assert [str(each) for each in stated] == [f"{n} = {of}" for n, of in scripts.items()]


def test_what_it_looks_for_is_in_the_wheel() -> None:
    recipe = yaml.safe_load(RECIPE.read_text("utf-8"))
    shared = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"].values()
    (contents,) = (each for each in recipe["tests"] if "package_contents" in each)
    for name in contents["package_contents"]["files"]:
        assert any(name.startswith(f"{place}/") for place in shared), name


def test_a_recipe_that_says_nonsense_is_refused(tmp_path: Path) -> None:
    text = RECIPE.read_text("utf-8")
    (tmp_path / "recipe.yaml").write_text(text.replace("noarch: python", "noarch: snake"))
    with pytest.raises(Exception, match="noarch"):
        Stage0Recipe.from_file(tmp_path / "recipe.yaml").render(VariantConfig())


def test_sections_stand_in_the_order_that_is_asked_for_and_comments_select_nothing() -> None:
    text = RECIPE.read_text("utf-8")
    assert tuple(re.findall(r"(?m)^(\w+):", text))[1:] == ORDER
    assert not re.search(r"#\s*\[", text)
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
