"""Parameters from the shell and from files: the names and the types that the notebook declares."""

from pathlib import Path

import pytest
import yaml

from cropkit.batch.parameters import LARGEST, from_yaml, typed
from cropkit.errors import BadParameter, BadParameterFile, BadParameterValue
from cropkit.jupyter import notebooks

NOTEBOOK = notebooks.notebook("2_batch")


def file(folder: Path, text: str) -> Path:
    path = folder / "params.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("text", ["2024", "007", "1e3", "None", "true", "[a]", "{b}", "a: b", ""])
def test_text_stays_text_whatever_it_looks_like(text: str) -> None:
    assert typed(NOTEBOOK, [("destination", text)]) == {"destination": text}


def test_every_type_is_the_declared_one() -> None:
    given = typed(NOTEBOOK, [("workers", "4"), ("min_confidence", "1"), ("source", "queue")])
    assert given == {"workers": 4, "min_confidence": 1.0, "source": "queue"}
    assert [type(value) for value in given.values()] == [int, float, str]


@pytest.mark.parametrize(
    ("name", "text"), [("workers", "4.5"), ("workers", "many"), ("min_confidence", "high")]
)
def test_what_is_no_value_of_the_type_is_refused(name: str, text: str) -> None:
    with pytest.raises(BadParameterValue, match=text):
        typed(NOTEBOOK, [(name, text)])


@pytest.mark.parametrize(
    "name", ["sauce", "source ", "source=1; import os; source", "__class__", "import os", "1", ""]
)
def test_a_name_that_is_not_declared_never_reaches_papermill(name: str) -> None:
    with pytest.raises(BadParameter):
        typed(NOTEBOOK, [(name, "1")])


def test_the_last_of_a_name_counts() -> None:
    assert typed(NOTEBOOK, [("workers", "1"), ("workers", "2")]) == {"workers": 2}


def test_the_notebook_declares_types_that_can_be_given() -> None:
    assert set(notebooks.parameters(notebooks.read(NOTEBOOK)).values()) <= {
        "str",
        "int",
        "float",
        "bool",
    }


def test_a_file_gives_values_as_they_are_written(tmp_path: Path) -> None:
    path = file(tmp_path, "source: suggestions\nworkers: 007\ndestination: 2024-01-02 # here\n")
    assert from_yaml(path) == [
        ("source", "suggestions"),
        ("workers", "007"),
        ("destination", "2024-01-02"),
    ]
    assert typed(NOTEBOOK, from_yaml(path))["destination"] == "2024-01-02"
    assert from_yaml(file(tmp_path, "# nothing\n")) == []


BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (BOMB, "not plain text"),
        ("a: &x 1\nb: *x\n", "aliases"),
        ("a: !!python/object/apply:os.system [echo]\n", "not plain|tag"),
        ("a: !!python/name:os.system x\n", "tag"),
        ("a: !mine x\n", "tag"),
        ("a: [1, 2]\n", "not plain"),
        ("a: {b: 1}\n", "not plain"),
        ("? [a]\n: 1\n", "not plain"),
        ("- a\n", "not a list of name"),
        ("a: 1\na: 2\n", "twice"),
        ("a: 1\n---\nb: 2\n", "not YAML"),
        ("a: 'x\n", "not YAML"),
        ("a: " + "[" * 9_000, "not YAML|not plain"),
        ("a: " + "x" * LARGEST, "larger"),
        ("a: \x00\n", "not YAML"),
    ],
)
def test_a_file_that_is_more_than_names_and_values_is_refused(
    tmp_path: Path, text: str, reason: str
) -> None:
    with pytest.raises(BadParameterFile, match=reason):
        from_yaml(file(tmp_path, text))


def test_a_file_that_is_not_there_or_not_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadParameterFile, match="No such file"):
        from_yaml(tmp_path / "none.yaml")
    (tmp_path / "params.yaml").write_bytes(b"a: \xff\xfe\x00")
    with pytest.raises(BadParameterFile):
        from_yaml(tmp_path / "params.yaml")


def test_what_yaml_itself_would_make_of_it_is_another_thing() -> None:
    """Why values are read as they are written."""
    assert yaml.safe_load("destination: 007")["destination"] == 7
