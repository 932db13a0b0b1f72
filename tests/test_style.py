"""The tools that hold the code to its style, run as everybody runs them."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from style_tools import TOOLS, complaint

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "cropkit").rglob("*.py"))
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
LONGEST = 60
MEDIAN = 10
MOST_BY_POSITION = 5

FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)


@pytest.mark.parametrize("tool", TOOLS)
def test_the_tools_find_nothing(tool: str) -> None:
    words = complaint(tool)
    assert not words, words


def functions() -> Iterator[tuple[str, int]]:
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, FUNCTION):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                yield f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", lines


def test_no_function_is_long() -> None:
    assert {name: lines for name, lines in functions() if lines > LONGEST} == {}


def test_no_function_takes_more_than_five_arguments_by_position() -> None:
    most = {}
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, FUNCTION):
                names = [each.arg for each in (*node.args.posonlyargs, *node.args.args)]
                own = names[1:] if names[:1] in (["self"], ["cls"]) else names
                most[f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"] = len(own)
    assert {name: number for name, number in most.items() if number > MOST_BY_POSITION} == {}


def test_half_of_the_functions_are_short() -> None:
    lengths = sorted(lines for _, lines in functions())
    assert lengths[len(lengths) // 2] <= MEDIAN


@pytest.mark.parametrize(
    ("rule", "forbids"),
    [
        ("T201", "print"),
        ("DTZ005", "a naive datetime.now()"),
        ("BLE001", "except Exception that continues"),
        ("S110", "except: pass"),
        ("E722", "a bare except"),
        ("S301", "pickle"),
        ("PTH123", "open() where there are paths"),
        ("ANN201", "a function without its type"),
        ("PGH003", "a type: ignore without its code"),
        ("RUF100", "a noqa that nothing needs"),
    ],
)
def test_what_must_not_be_there_is_looked_for(rule: str, forbids: str) -> None:
    ruff = PROJECT["tool"]["ruff"]["lint"]
    per_file = [each for rules in ruff["per-file-ignores"].values() for each in rules]
    off = [each for each in [*ruff["ignore"], *per_file] if re.fullmatch(rf"{each}\d*", rule)]
    assert "ALL" in ruff["select"], forbids
    assert off == [], forbids


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_exemption_carries_its_reason(path: Path) -> None:
    exempt = re.compile(r"#\s*(noqa|type:\s*ignore)")
    reasoned = re.compile(
        r"#\s*(noqa: [A-Z]+\d+(, [A-Z]+\d+)*|type: ignore\[[\w, -]+\])\s+[#(].*\w\w"
    )
    bare = [
        f"{path.name}:{number}: {line.strip()}"
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if exempt.search(line) and not reasoned.search(line)
    ]
    assert bare == []


def test_every_rule_that_is_off_for_all_says_why() -> None:
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    (listed,) = re.findall(r"(?ms)^ignore = \[\n(.*?)^\]", text)
    assert [line for line in listed.splitlines() if "#" not in line] == []


TOLD = re.compile(rb"/(?:work|root|tmp|home)/\w|[\w-]+\.pkg\.dev|pypi\.org/simple")


def test_no_file_names_a_place_on_somebodys_machine() -> None:
    tracked = [*SOURCES, *ROOT.glob("*.*"), *ROOT.glob("notebooks/*"), *ROOT.glob("docs/*.md")]
    told = {
        str(path.relative_to(ROOT)): TOLD.findall(path.read_bytes())
        for path in tracked
        if path.is_file() and path.name != ".venv.lock"
    }
    assert {name: found for name, found in told.items() if found} == {}


# A line of each kind that kept an earlier tool silent, and the rule that sees it.
PLANTED = {
    "DTZ005": "import datetime\n\nnow = datetime.datetime.now()\n",
    "DTZ003": "import datetime\n\nnow = datetime.datetime.utcnow()\n",
    "DTZ006": "import datetime\n\nnow = datetime.datetime.fromtimestamp(0)\n",
    "BLE001": "try:\n    pass\nexcept Exception:\n    value = 1\n",
    "E722": "try:\n    pass\nexcept:\n    value = 1\n",
    "S110": "try:\n    pass\nexcept ValueError:\n    pass\n",
    "S112": "for _ in ():\n    try:\n        pass\n    except ValueError:\n        continue\n",
    "T201": 'print("done")\n',
    "T203": "import pprint\n\npprint.pprint(1)\n",
    "PGH003": "value: int = 'a'  # type: ignore\n",
}


@pytest.mark.parametrize("rule", PLANTED)
def test_a_line_that_keeps_errors_silent_is_seen_wherever_it_is_planted(rule: str) -> None:
    if rule in ("S110", "S112"):  # ruff has them for blind excepts; SIM105 sees the others
        planted = PLANTED[rule].replace("ValueError", "Exception")
    else:
        planted = PLANTED[rule]
    for place in ("cropkit/planted.py", "tests/test_planted.py", "notebooks/planted.py"):
        command = [sys.executable, "-m", "ruff", "check", "--output-format=concise", "-"]
        ended = subprocess.run(
            [*command, f"--stdin-filename={place}"],
            cwd=ROOT,
            input=planted,
            capture_output=True,
            text=True,
            check=False,
        )
        assert f" {rule} " in ended.stdout, (place, ended.stdout)


def test_unsafe_fixes_are_off_and_nobody_turns_them_on() -> None:
    assert PROJECT["tool"]["ruff"]["unsafe-fixes"] is False
    hooks = (ROOT / ".pre-commit-config.yaml").read_text("utf-8")
    entries = re.findall(r"entry: (.+)", hooks)
    assert not [entry for entry in entries if "unsafe" in entry or "--fix" in entry]
    ci = (ROOT / ".ci" / "run").read_text("utf-8")
    assert "--unsafe-fixes" not in ci


def test_before_a_commit_the_same_tools_run_as_in_the_tests_and_nothing_is_fetched() -> None:
    hooks: dict[str, Any] = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    (local,) = hooks["repos"]
    assert local["repo"] == "local"
    assert {hook["language"] for hook in local["hooks"]} == {"system"}
    assert [hook["entry"] for hook in local["hooks"]] == [
        "python -m ruff check",
        "python -m ruff format --check",
        "python -m mypy",
        "lint-imports --no-cache",
    ]
