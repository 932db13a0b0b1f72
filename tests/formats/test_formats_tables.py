"""Every table that a format has to stand in holds each format that is written, or says why not."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import fuzz_cases
import pytest
import test_formats_exiftool as judged
import test_formats_features as features
import test_formats_opened as taken_apart
from hostile import test_limits_of_input as limits

from cropkit.formats import _FORMATS, EXTENSIONS
from cropkit.formats.capabilities import _WRITTEN, WITH_EXTRAS
from cropkit.formats.preview import _BARE, _OPENERS
from cropkit.formats.sniff import _MAGIC, shown

PAGE = (Path(__file__).parents[2] / "docs" / "formats.md").read_text("utf-8")


@dataclass(frozen=True)
class Table:
    """The formats of a table, and of which it has none, with the reason."""

    formats: set[str]
    without: dict[str, str] = field(default_factory=dict)


def of_files(names: Iterable[str]) -> set[str]:
    """Return the formats that names or suffixes of files stand for."""
    return {EXTENSIONS[f".{name.rpartition('.')[2]}"] for name in names}


def written(names: Iterable[str]) -> set[str]:
    """Leave out what is only shown, which some tables hold as well."""
    return set(names) - features.NOT_WRITTEN.keys()


# Tried where the extra is installed: tests/formats/test_formats_heic.py.
BY_EXTRA = {row.format for row in WITH_EXTRAS} - {row.format for row in _WRITTEN}
PROVEN = re.findall(r"^\*\*([\w, ]+)\.?\*\*", PAGE.partition("## What is proven")[2], re.MULTILINE)
TABLES = {
    "sniff: suffixes": Table(written(EXTENSIONS.values())),
    "sniff: first bytes": Table(written(row[2] for row in _MAGIC)),
    "preview: openers": Table(written(_OPENERS)),
    "preview: bare": Table(
        set(_BARE),
        {"bmp": "Pillow reads no metadata of it", "gif": "Pillow takes no metadata of it apart"},
    ),
    "capabilities": Table({row.format for row in _WRITTEN}),
    "limits: most parts": Table(
        of_files(name.partition(":")[0] for name in limits.MORE), {"bmp": "it has no parts"}
    ),
    "docs: what is proven": Table(
        {name for name in EXTENSIONS.values() if shown(name) in re.split(r", | ", " ".join(PROVEN))}
    ),
    "tests: samples": Table(set(features.SAMPLES)),
    "tests: parsers": Table(of_files(taken_apart.PARSERS)),
    "tests: fuzzed more often": Table(of_files(fuzz_cases.WRITTEN)),
    "tests: fuzzed as Pillow writes them": Table(of_files(fuzz_cases.BY_PILLOW)),
    "tests: fuzzed and compared": Table(
        set(fuzz_cases.EXACT), dict.fromkeys(("jpeg", "webp"), "it may be coded anew")
    ),
    "tests: exiftool's files": Table(
        set(judged.WRITTEN), dict.fromkeys(("bmp", "gif"), "exiftool writes no EXIF into it")
    ),
}


@pytest.mark.parametrize("table", TABLES)
def test_each_format_that_is_written_stands_in_each_table(table: str) -> None:
    rows = TABLES[table]
    assert (rows.formats | rows.without.keys()) - BY_EXTRA == _FORMATS.keys() - BY_EXTRA
    assert not rows.formats & rows.without.keys()
