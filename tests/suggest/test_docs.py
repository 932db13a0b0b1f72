import re
import subprocess
import sys
from pathlib import Path

import pytest

from cropkit.records import ProblemKind
from cropkit.suggest.convention import ALLOWED, EDGES, NAMES
from cropkit.suggest.jsonfile import LIMIT

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "suggestions.md").read_text(encoding="utf-8")


CODES = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
OUTPUTS = re.findall(r"```text\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.mark.parametrize(("code", "output"), list(zip(CODES, OUTPUTS, strict=True)))
def test_an_example_prints_what_the_page_says(code: str, output: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ran.stdout == output


@pytest.mark.parametrize("word", [word for words in ALLOWED.values() for word in words])
def test_the_page_names_every_value_of_a_convention(word: str) -> None:
    assert f"`{word}`" in PAGE


def test_the_page_names_columns_of_every_order_and_kind() -> None:
    for order, names in EDGES.items():
        assert any(f"`{' '.join(edges)}`" in PAGE for edges in names), order
    for kind, usual in NAMES.items():
        assert f"`{usual[0]}`" in PAGE, kind


def test_the_page_names_the_kinds_of_problem_and_the_limit() -> None:
    assert f"`{ProblemKind.SUGGESTION}`" in PAGE
    assert f"`{ProblemKind.NO_SUGGESTION}`" in PAGE
    assert LIMIT == 1 << 20
    assert "1 MiB" in PAGE
