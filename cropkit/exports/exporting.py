"""An export from beginning to end: who writes, what, where to, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cropkit.audit.reader import TrailReader
from cropkit.exports import files, registry
from cropkit.exports.registry import Options
from cropkit.exports.rows import Crops, Decisions, Place
from cropkit.names import printable


@dataclass(frozen=True, slots=True)
class Exported:
    """What came of an export.

    Parameters
    ----------
    written : decisions, or crops
    left_out : how many others there are, by the reason why they were not written
    before_crop : how many of the boxes written are in the frame of an image before its crop
    lost : why each row that cannot be read was left out, in a sentence
    """

    written: int
    left_out: Mapping[str, int] = field(default_factory=dict)
    before_crop: int = 0
    lost: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """All counts in one line."""
        parts = [f"{self.written} written"]
        if self.left_out:
            why = ", ".join(f"{number} {reason}" for reason, number in self.left_out.items())
            parts.append(f"{sum(self.left_out.values())} left out ({why})")
        if self.before_crop:
            noun = "box is" if self.before_crop == 1 else "boxes are"
            parts.append(f"{self.before_crop} {noun} in the frame of the image before its crop")
        return printable("; ".join(parts))


def export(
    trail: TrailReader, root: Path, kind: str, out: Path, options: Options | None = None
) -> Exported:
    """Write what a trail tells to a new file or folder, in the form of other programs.

    Parameters
    ----------
    root : of the collection
    out : absolute

    Raises
    ------
    BadParameterValue, NameTaken
        There is no such format, or it cannot be written so; or the name is taken: nothing was
        written, and what has the name stands.
    AuditError
        The trail cannot be read: nothing was written.
    """
    chosen = options or Options()
    by = registry.writer(kind)
    registry.check(kind, chosen, out, by)
    files.check_is_free(out)
    place = Place(root, out, chosen)
    rows = Decisions(place, trail) if by.of == "decisions" else Crops(place, trail)
    if by.suffixes:
        with files.new_file(out) as file:
            by.write(file, rows)
    else:
        with files.new_folder(out) as folder:
            by.write(folder, rows)
    left_out = dict(sorted(rows.left_out.items()))
    return Exported(rows.written, left_out, rows.before_crop, tuple(rows.lost))
