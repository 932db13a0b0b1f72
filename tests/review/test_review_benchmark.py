"""What the benchmark of the review asks of it in its kernel has an answer, as it is now."""

import runpy
from pathlib import Path

import pytest
from desktop import Browser

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "review.py"


def test_what_the_benchmark_asks_of_a_review_has_an_answer(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(BENCHMARK.parent)
    asked: dict[str, str] = runpy.run_path(str(BENCHMARK))["ASKED"]
    told = {name: eval(text, {"review": browser.review}) for name, text in asked.items()}  # noqa: S307
    assert len(told["stages"]) == browser.controller.session.per_page
    assert all(value > 0 for point in (*told["stages"], told["grip"]) for value in point)
    assert isinstance(told["is read ahead"], bool)
    assert told["is the browser's part there"] is False
    assert told["forget what was read"] == told["forget what is in the browser"] == 0
