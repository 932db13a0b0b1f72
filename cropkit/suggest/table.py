"""Crop boxes from a table: a CSV file or a DataFrame, in a declared convention."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from unicodedata import normalize

from cropkit.errors import BadSuggestion, Refused
from cropkit.geometry import NormalizedBox, Size
from cropkit.records import Problem, ProblemKind, Suggestion
from cropkit.suggest import csv_rows
from cropkit.suggest.border import Border, Clipped
from cropkit.suggest.convention import (
    Columns,
    Convention,
    Row,
    find_columns,
    in_pixels,
    plain_path,
    read_row,
)
from cropkit.suggest.numbers import FLOAT_NOISE, normalized_box
from cropkit.suggest.suggested import Suggested, problem_of
from cropkit.system import parameters

if TYPE_CHECKING:
    import pandas as pd

SOURCE = "table"
_ORIENTATIONS = range(1, 9)


class Table:
    """Suggestions from rows of a table, one or many for each image.

    Rows of one image are ranked by ``rank`` where there is such a column, then by falling
    confidence, then in the table's order. A bad row is a problem of kind `SUGGESTION` that names
    table, line and reason, and the other rows are used: it is reported with its image, or in
    `problems` when it names none. An image without a row gives a problem of kind `NO_SUGGESTION`.

    `Table.from_csv` and `Table.from_frame` make one. By name they take ``order`` (xyxy, xywh,
    cxcywh), ``units`` (pixels, normalized), ``frame`` (upright, stored), ``orientation`` (for
    stored pixels, a function of the path), ``columns`` (names of their own) and ``outside``
    (refuse, clip), as docs/suggestions.md tells.
    """

    def __init__(self, name: str, convention: Convention) -> None:
        self.name = name
        self._convention = convention
        self._border = Border(convention.outside)
        self._rows: dict[str, list[Row]] = defaultdict(list)
        self._bad: dict[str, list[Problem]] = defaultdict(list)

    @classmethod
    def from_csv(cls, path: Path | str, /, **convention: Any) -> Self:  # noqa: ANN401  (Convention's)
        """Read a CSV file in UTF-8 with a header, separated by commas, semicolons or tabs.

        Raises
        ------
        MissingFile, BadSuggestion
            When the file cannot be read, or has not the columns of the convention.
        """
        file = parameters.path_named("suggestions", path)
        table = cls(file.name, Convention(**convention))
        table._fill(*csv_rows.opened(file))
        return table

    @classmethod
    def from_frame(cls, rows: "pd.DataFrame", /, **convention: Any) -> Self:  # noqa: ANN401  (same)
        """Read a DataFrame; rows are named by their position, from 0.

        Raises
        ------
        BadSuggestion
            When it has not the columns of the convention.
        """
        table = cls("DataFrame", Convention(**convention))
        whole = rows.astype(object).where(rows.notna(), None)
        mappings: list[Mapping[str, Any]] = whole.to_dict("records")  # type: ignore[assignment]  # keys are text
        records = ((f"DataFrame row {n}", row) for n, row in enumerate(mappings))
        table._fill([str(name) for name in rows.columns], records)
        return table

    @property
    def clipped(self) -> Clipped:
        """How many boxes were clipped until now, and by how many pixels at most."""
        return self._border.clipped

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Bad rows that belong to no image."""
        return tuple(self._bad.get("", ()))

    def unmatched(self, paths: Iterable[str]) -> tuple[Problem, ...]:
        """Return a problem for each image that rows name and `paths` has not."""
        known = {normalize("NFC", path) for path in paths}
        strange = [path for path in self._rows | self._bad if path and path not in known]
        return tuple(
            Problem(
                ProblemKind.SUGGESTION,
                self.name,
                f"has rows for {path}, which is not in the collection",
            )
            for path in strange
        )

    def suggest(self, path: str, size: Size, sha256: str) -> Suggested:  # noqa: ARG002  (Suggester)
        """Propose the boxes of the image's rows, best first."""
        key = normalize("NFC", path)
        suggestions: list[Suggestion] = []
        problems = list(self._bad.get(key, ()))
        for row in sorted(self._rows.get(key, ()), key=_best_first):
            try:
                box = self._box(row, path, size)
            except BadSuggestion as error:
                problems.append(problem_of(error))
                continue
            source = row.source or SOURCE
            suggestions.append(
                Suggestion(box, source, row.version, len(suggestions), row.confidence)
            )
        if not suggestions and not problems:
            problems = [Problem(ProblemKind.NO_SUGGESTION, path, f"no row in {self.name}")]
        return Suggested(tuple(suggestions), tuple(problems))

    def confidence(self, path: str) -> float | None:
        """Return the confidence of the image's best row; its box is not looked at."""
        rows = self._rows.get(normalize("NFC", path))
        return min(rows, key=_best_first).confidence if rows else None

    def _fill(self, header: list[str], records: Iterable[csv_rows.Record | BadSuggestion]) -> None:
        columns = find_columns(header, self._convention, self.name)
        for record in records:
            if isinstance(record, BadSuggestion):
                self._bad[""].append(problem_of(record))
            else:
                self._add(columns, *record)

    def _add(self, columns: Columns, where: str, record: Mapping[str, Any]) -> None:
        path = ""
        try:
            path = plain_path(record.get(columns.path), where)
            self._rows[path].append(read_row(record, columns, self._convention.order, where))
        except BadSuggestion as error:
            self._bad[path].append(problem_of(error))

    def _box(self, row: Row, path: str, size: Size) -> NormalizedBox:
        orientation = self._orientation(row, path)
        frame = size.oriented(orientation)
        box = self._in_frame(row, frame)
        if orientation == 1:
            return box
        return box.pixels(frame).upright(frame, orientation).normalized(size)

    def _in_frame(self, row: Row, frame: Size) -> NormalizedBox:
        units = self._convention.units
        if units == "pixels":
            return self._border.box(_pixels(row), frame, row.where)
        if units == "normalized" and self._convention.outside == "refuse":
            return normalized_box(row.edges, row.where)
        return self._border.box(in_pixels(row.edges, units, frame), frame, row.where)

    def _orientation(self, row: Row, path: str) -> int:
        if self._convention.frame == "upright" or self._convention.orientation is None:
            return 1
        try:
            orientation = self._convention.orientation(path)
        except Refused as error:
            raise BadSuggestion(row.where, f"no orientation is known: {error}") from error
        if orientation not in _ORIENTATIONS:
            raise BadSuggestion(row.where, f"EXIF orientation {orientation} is not 1 to 8")
        return orientation


def _pixels(row: Row) -> tuple[float, float, float, float]:
    left, top, right, bottom = row.edges
    if right - left <= 1 and bottom - top <= 1 and max(map(abs, row.edges)) <= 1 + FLOAT_NOISE:
        raise BadSuggestion(row.where, "looks normalized where pixels are declared")
    return row.edges


def _best_first(row: Row) -> tuple[int, float]:
    return row.rank, -1.0 if row.confidence is None else -1.0 - row.confidence
