"""Manifests as Parquet: by pyarrow where it is installed, and by a fake of what is asked of it.

pyarrow takes 55 MB to fetch, which a set-up of the tests does not; the fake keeps what it is handed
and hands it back, so that groups, types and times are tried in any case.
"""

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import IO, Any, Self

import pytest
from sets_of_crops import BOX, DataSet, kinds, photo, reasons

import cropkit
from cropkit.cli import main
from cropkit.errors import NotInstalled
from cropkit.geometry import PixelBox
from cropkit.verification import parquet

IS_INSTALLED = find_spec("pyarrow") is not None


class FakeWriter:
    """Keeps types, and groups of rows as lines of JSON."""

    def __init__(self, file: IO[bytes], schema: Any, compression: str) -> None:
        assert compression == "zstd"
        self._file = file
        self._file.write(json.dumps(schema).encode() + b"\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def write_table(self, rows: list[Any]) -> None:
        self._file.write(json.dumps(rows, default=datetime.isoformat).encode() + b"\n")


class FakeFile:
    """Reads what `FakeWriter` wrote."""

    def __init__(self, file: IO[bytes]) -> None:
        schema, *groups = (json.loads(line) for line in file.read().splitlines())
        self.schema_arrow = SimpleNamespace(names=[name for name, _ in schema])
        self._groups = groups

    def iter_batches(self, *, batch_size: int, columns: list[str]) -> Iterator[Any]:
        for group in self._groups:
            for at in range(0, len(group), batch_size):
                some = [{c: row[c] for c in columns} for row in group[at : at + batch_size]]
                yield SimpleNamespace(to_pylist=lambda some=some: some)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> None:
    plain, tables = ModuleType("pyarrow"), ModuleType("pyarrow.parquet")
    made: dict[str, Any] = {
        "schema": list,
        "Table": SimpleNamespace(
            from_pylist=lambda rows, schema: [dict(r) for r in rows if schema]
        ),
        "timestamp": lambda unit, tz: f"timestamp {unit} {tz}",
        "list_": lambda of: f"list of {of}",
        **{name: lambda name=name: name for name in ("int64", "float64", "bool_", "string")},
    }
    vars(plain).update(made)
    vars(tables).update(ParquetWriter=FakeWriter, ParquetFile=FakeFile)
    monkeypatch.setitem(sys.modules, "pyarrow", plain)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", tables)


@pytest.fixture
def made(tmp_path: Path) -> DataSet:
    made = DataSet(tmp_path)
    photo(made.photos / "a.png")
    photo(made.photos / "b.jpg", 1)
    (made.photos / "a.txt").write_text("a cat")
    made.copy("a.png", copies="long-side=32 linear-light=yes")
    made.copy("b.jpg")
    return made


def proven(made: DataSet) -> None:
    out = made.folder / "manifest.parquet"
    made.export(out)
    result = made.verify()
    assert (reasons(result), result.proven) == ([], 2)
    photo(made.folder / "b.jpg", 7)
    assert kinds(made.verify()) == [("box", "b.jpg")]


@pytest.mark.usefixtures("fake")
def test_a_manifest_is_written_and_read_as_a_table_of_types(made: DataSet) -> None:
    proven(made)
    types = dict(json.loads((made.folder / "manifest.parquet").read_bytes().splitlines()[0]))
    assert types["box_applied"] == "list of int64"
    assert types["suggestion_box"] == "list of float64"
    assert types["decided_at"] == "timestamp us UTC"
    assert (types["psnr"], types["linear_light"], types["crop"]) == ("float64", "bool_", "string")


@pytest.mark.usefixtures("fake")
def test_rows_are_written_and_read_a_few_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "_GROUP", 10)
    monkeypatch.setattr(parquet, "_READ", 4)
    each = ({"crop": f"{number}\udcff.png"} for number in range(25))
    with (tmp_path / "m").open("w", encoding="utf-8") as file:
        assert parquet.write(file, each, ["crop"]) == 25
        file.flush()
    with (tmp_path / "m").open("rb") as data:
        rows = list(parquet.rows(data, ["crop", "mode"]))
    assert rows == [{"crop": f"{number}\udcff.png"} for number in range(25)]


@pytest.mark.skipif(not IS_INSTALLED, reason="pyarrow is not installed: the fake is tried instead")
def test_pyarrow_writes_and_reads_it(made: DataSet) -> None:
    proven(made)
    table = (
        parquet.arrow("pyarrow.parquet").read_table(made.folder / "manifest.parquet").to_pylist()
    )
    row = next(row for row in table if row["crop"] == "a.png")
    assert row["box_applied"] == list(BOX.xyxy)
    assert row["decided_at"].tzinfo is not None
    assert abs(datetime.now(UTC) - row["decided_at"]).total_seconds() < 3600


@pytest.mark.skipif(not IS_INSTALLED, reason="as above")
def test_a_file_that_is_no_parquet_is_named(made: DataSet) -> None:
    (made.folder / "manifest.parquet").write_bytes(b"PAR1" + bytes(100) + b"PAR1")
    assert kinds(made.verify())[0] == ("row", "manifest.parquet:1")


def test_without_pyarrow_a_sentence_names_the_extra(
    made: DataSet, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    out = made.folder / "manifest.parquet"
    with cropkit.open(made.photos) as collection:
        collection.crop("a.png", PixelBox(0, 0, 9, 9))
        with pytest.raises(NotInstalled, match=r"cropkit\[parquet\]"):
            collection.export("manifest", out)
    assert not out.exists()
    out.write_bytes(b"PAR1")
    with pytest.raises(NotInstalled, match="pip install 'pyarrow>="):
        made.verify()
    assert main(["verify", str(made.folder)]) == 1
    assert "cropkit[parquet]" in capsys.readouterr().err
