"""docs/architecture.md is true: what it names exists, and what exists is on its map."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "cropkit"
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
NAMES = sorted(set(re.findall(r"`([\w/]+\.py):([\w.]+)`", PAGE)))
FORMS = ("Suggestion", "DraftDecision", "Decision", "Operation", "CropResult")
# What a newcomer asks, and the function or table that is the answer.
QUESTIONS = {
    "where a box becomes a file": ("formats/__init__.py", "system/files.py", "engine/apply.py"),
    "where a key is bound": ("review/keys/keymap.py", "review/keys/actions.py"),
    "where a format is added": ("formats/__init__.py", "formats/sniff.py"),
}


def sections() -> dict[str, str]:
    parts = re.split(r"^## (.+)$", PAGE, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def first_cells(section: str) -> list[str]:
    lines = [line for line in sections()[section].splitlines() if line.startswith("|")]
    return [line.split("|")[1].strip() for line in lines[2:]]


def paths() -> Iterator[str]:
    for quoted in re.findall(r"`([^`\n]+)`", PAGE):
        name = quoted.partition(":")[0]
        if re.fullmatch(r"[\w./-]+/|[\w./-]+\.(py|js|md|toml|ipynb)", name):
            yield name


def defined(tree: ast.AST) -> dict[str, ast.AST]:
    """Return what a module or class body binds by a definition or an assignment."""
    found: dict[str, ast.AST] = {}
    for node in getattr(tree, "body", ()):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            found[node.name] = node
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found[node.target.id] = node
        elif isinstance(node, ast.Assign):
            found |= {one.id: node for one in node.targets if isinstance(one, ast.Name)}
    return found


@pytest.mark.parametrize("name", sorted(set(paths())))
def test_every_path_that_it_names_exists(name: str) -> None:
    assert (PACKAGE / name).exists() or (ROOT / name).exists()


@pytest.mark.parametrize(("module", "name"), NAMES)
def test_every_function_that_it_names_is_where_it_says(module: str, name: str) -> None:
    scope: ast.AST = ast.parse((PACKAGE / module).read_text("utf-8"))
    for part in name.split("."):
        names = defined(scope)
        assert part in names, f"{module} defines {sorted(names)}"
        scope = names[part]


def test_every_entry_of_the_package_is_on_the_map_with_one_line() -> None:
    entries = [
        f"`{path.name}/`" if path.is_dir() else f"`{path.name}`"
        for path in PACKAGE.iterdir()
        if (path.is_dir() and (path / "__init__.py").is_file()) or path.suffix == ".py"
    ]
    assert sorted(first_cells("The map")) == sorted(entries)


def test_each_place_that_catches_every_exception_and_goes_on_is_named() -> None:
    texts = {path: path.read_text("utf-8") for path in PACKAGE.rglob("*.py")}
    places = [path.relative_to(PACKAGE) for path in texts if "except Exception" in texts[path]]
    assert len(places) == 4
    section = sections()["Promises, and what follows from them"]
    assert [place for place in places if f"`{place}`" not in section] == []


def test_the_floors_are_those_that_are_checked_top_first() -> None:
    contracts = PROJECT["tool"]["importlinter"]["contracts"]
    floors = [sorted(floor.split(" | ")) for each in contracts for floor in each["layers"]]
    cells = [sorted(re.findall(r"`(\w+)`", cell)) for cell in first_cells("The floors")]
    assert [cell for cell in cells if cell] == floors  # without the heads of the tables


def test_every_dependency_says_why_it_is_one() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    asked = [*PROJECT["project"]["dependencies"]]
    asked += [each for name in ("lab", "batch", "desktop", "parquet") for each in extras[name]]
    needed = [
        re.split(r"[<>=]", each)[0] for each in [*asked, *extras["test"][:2], extras["docs"][0]]
    ]
    cells = first_cells("Why each dependency")
    assert [cell for cell in cells if cell.startswith("`")] == [f"`{name}`" for name in needed]


def test_each_form_of_the_data_is_told_in_the_order_in_which_it_passes() -> None:
    told = re.findall(r":(\w+)`", "\n".join(first_cells("The forms of the data")))
    assert tuple(told) == FORMS


def test_each_word_of_the_glossary_stands_there_once_in_its_place() -> None:
    words = first_cells("Glossary")
    assert words == sorted(set(words))
    assert len(words) > len(FORMS)


@pytest.mark.parametrize("question", QUESTIONS)
def test_what_a_newcomer_asks_first_is_answered_by_a_place(question: str) -> None:
    (line,) = [line for line in PAGE.splitlines() if line.startswith(f"| {question}")]
    headings = {re.sub(r"[^\w -]", "", t).replace(" ", "-").lower(): t for t in sections()}
    targets = re.findall(r"\(#([\w-]+)\)", line)
    answers = "".join(sections()[headings[target]] for target in targets)
    assert targets
    assert all(f"`{module}" in answers for module in QUESTIONS[question])


def test_every_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", PAGE):
        assert (ROOT / "docs" / target).is_file(), target


def test_the_readme_leads_here() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert "(docs/architecture.md)" in readme
