import argparse
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from cropkit.cli import main, values


@pytest.mark.parametrize(
    ("text", "size"),
    [("500", 500), ("1K", 10**3), ("500MB", 500 * 10**6), ("20gb", 20 * 10**9), ("2T", 2 * 10**12)],
)
def test_a_size_is_in_thousands(text: str, size: int) -> None:
    assert values.size(text) == size


@pytest.mark.parametrize(
    ("text", "age"),
    [("12h", timedelta(hours=12)), ("30d", timedelta(days=30)), ("4w", timedelta(days=28))],
)
def test_an_age_is_in_hours_days_or_weeks(text: str, age: timedelta) -> None:
    assert values.age(text) == age


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (values.age, "3m"),
        (values.age, "99999999999999d"),
        (values.age, "9999999w"),
        (values.age, "-3d"),
        (values.age, ""),
        (values.size, "muchGB"),
        (values.size, "9" * 5000),
        (values.days, "nan"),
        (values.days, "inf"),
        (values.days, "0"),
        (values.days, "-1"),
        (values.days, "1e300"),
        (values.share, "nan"),
        (values.share, "1.01"),
        (values.ratio, "3/2"),
        (values.ratio, "0:1"),
        (values.ratio, "3:2, 4:5"),
        (values.edges, "1,2,3"),
        (values.edges, "1,2,3,4,5"),
        (values.edges, "a,b,c,d"),
        (values.whole_number(1), "0"),
        (values.whole_number(1), "1.5"),
        (values.whole_number(1), "9" * 5000),
        (values.whole_number(1, 65535), "99999"),
    ],
)
def test_a_number_that_cannot_be_is_told_with_what_was_given(
    read: Callable[[str], object], text: str
) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=f"^{text!r} is "):
        read(text)


@pytest.mark.parametrize(
    "arguments",
    [
        ["demo", "new", "--count", "-3"],
        ["health", "new", "--idle-days", "nan"],
        ["purge", "new", "--older-than", "99999999999999d"],
        ["undo", "new", "--last", "-1"],
        ["review", "new", "--port", "99999"],
        ["review", "new", "--port", "0"],
        ["batch", "new", "--workers", "0"],
    ],
)
def test_a_command_with_such_a_number_does_nothing(
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert f"argument {arguments[2]}: {arguments[3]!r} is " in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
