"""What papermill makes of a text is not always what was meant: a parameter of a wrong type is told.

The cells are run here as they are, without a kernel: the error comes before anything is shown.
"""

from pathlib import Path
from typing import Any

import pictures
import pytest

from cropkit.errors import BadParameterValue
from cropkit.jupyter import notebooks

BOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
WRONG: dict[str, list[object]] = {
    "str": [[1], 1.5, {"a": 1}, True],
    "int": ["two", 1.5, [1], -1, True, None],
    "float": ["high", [1], -1.0, float("nan"), True],
    "bool": ["maybe", 2, [1], None],
}
CASES = [
    pytest.param(path, name, value, id=f"{path.stem}-{name}-{value}")
    for path in BOOKS
    for name, kind in notebooks.parameters(notebooks.read(path)).items()
    for value in WRONG[kind]
]


def run(path: Path, **values: object) -> None:
    space: dict[str, Any] = {}
    try:
        for cell in notebooks.read(path).cells:
            if cell.cell_type == "code":
                exec(cell.source, space)  # noqa: S102  (our own notebook)
                if "parameters" in cell.metadata.get("tags", ()):
                    space |= values
    finally:
        for name, end in (("demo", "cleanup"), ("collection", "close")):
            if name in space:
                getattr(space[name], end)()


@pytest.mark.parametrize(("path", "name", "value"), CASES)
def test_a_value_of_a_wrong_type_is_one_sentence_that_names_it(
    path: Path, name: str, value: object, tmp_path: Path
) -> None:
    folder = pictures.write_folder(tmp_path / "collection")
    table = tmp_path / "boxes.csv"
    table.write_text("path,x1,y1,x2,y2\n")
    with pytest.raises(BadParameterValue) as raised:
        run(path, **{"folder": str(folder), "suggestions": str(table), name: value})
    words = str(raised.value)
    assert name in words
    assert repr(value) in words
    assert "\n" not in words
