"""How far people agree who decided about the same images, by each two of them; pure.

Compared is what each of them thought of one crop of one content before they could know of the
other's: by a second opinion that was asked for, or where a crop was taken back and decided anew.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cropkit.monitor.intervals import Estimate, mean_of, share_of
from cropkit.names import all_printable
from cropkit.opinions import Pair, pairs

if TYPE_CHECKING:
    import pandas as pd

    from cropkit.records import Decision

MOST = 20  # people who decided about one crop: each two of more are more than anybody reads
_CROWD = "{}: {:,} people have decided about it, and no more than {} are compared"
_FIGURES = ("same_verdict", "iou", "edges_within_5_percent", "agreed")


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two people agree.

    Parameters
    ----------
    reviewers : by their names
    crops : that both decided about
    same_verdict : share in which both kept a box, both rejected or both skipped
    iou : mean overlap of their boxes, of those that both kept
    edges_within_5_percent : share of these whose edges are all within 5 % of the side
    agreed : share of all, of the same verdict and with such edges where there are boxes
    """

    reviewers: tuple[str, str]
    crops: int
    same_verdict: Estimate | None
    iou: Estimate | None
    edges_within_5_percent: Estimate | None
    agreed: Estimate | None

    def to_json(self) -> dict[str, Any]:
        """Return it as `cropkit stats --json` prints it."""
        figures: dict[str, Estimate | None] = {name: getattr(self, name) for name in _FIGURES}
        told = {name: None if each is None else each.to_json() for name, each in figures.items()}
        return {"reviewers": list(self.reviewers), "crops": self.crops, **told}

    def to_row(self) -> dict[str, Any]:
        """Return it as a row of a table, each figure with its interval and of how many it is."""
        row: dict[str, Any] = {"first": self.reviewers[0], "second": self.reviewers[1]}
        row["crops"] = self.crops
        for name in _FIGURES:
            figure: Estimate = getattr(self, name) or _NOTHING
            row |= {name: figure.value if figure.count else None}
            row |= {f"{name}_low": figure.low, f"{name}_high": figure.high}
            row |= {f"{name}_of": figure.count}
        return row

    def __str__(self) -> str:
        first, second = self.reviewers
        edges = self.edges_within_5_percent
        boxes = f", mean IoU {_number(self.iou)}, all edges within 5 % in {_percent(edges)}"
        return (
            f"{first} and {second}: {self.crops} decided by both, the same verdict in"
            f" {_percent(self.same_verdict)}{boxes if self.iou else ', no boxes of both'}"
        )


_NOTHING = Estimate(0, 0.0, None, None)


def agreements(groups: Iterable[Sequence["Decision"]]) -> tuple[Agreement, ...]:
    """Return how far each two people agree, by their names.

    Parameters
    ----------
    groups : decisions about one crop of one content each, oldest first
    """
    by_names: dict[tuple[str, str], list[Pair]] = {}
    for pair in (pair for group in groups for pair in pairs(group)):
        first, second = sorted((pair.first.reviewer, pair.second.reviewer))
        by_names.setdefault((first, second), []).append(pair)
    return tuple(_agreement(names, by_names[names]) for names in sorted(by_names))


def frame(agreements: Sequence[Agreement]) -> "pd.DataFrame":
    """Return a table with a row for each two people."""
    import pandas as pd  # noqa: PLC0415  (half a second that a crop does not need)

    rows = [each.to_row() for each in agreements]
    return pd.DataFrame(all_printable(rows), columns=list(_agreement(("", ""), ()).to_row()))


def shared(rows: Iterable[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """Return the rows of decisions about crops that several people decided about, by crop."""
    of_crop: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        if row.get("path") and row.get("sha256"):
            key = (row["path"], row.get("slot") or "", row["sha256"])
            of_crop.setdefault(key, []).append(row)
    return [each for each in of_crop.values() if len({row["reviewer"] for row in each}) > 1]


def parted(
    shared: Iterable[Sequence[Mapping[str, Any]]],
) -> tuple[list[Sequence[Mapping[str, Any]]], tuple[str, ...]]:
    """Return the rows of those crops that are compared, and say which others there are.

    Pairs grow with the square of the people, and rows may be of anybody's making.
    """
    compared: list[Sequence[Mapping[str, Any]]] = []
    crowded: list[str] = []
    for of_crop in shared:
        people = len({row["reviewer"] for row in of_crop})
        if people > MOST:
            crowded.append(_CROWD.format(of_crop[0]["path"], people, MOST))
        else:
            compared.append(of_crop)
    return compared, tuple(crowded)


def _agreement(names: tuple[str, str], of_both: Sequence[Pair]) -> Agreement:
    overlaps = [pair.iou for pair in of_both]
    near = [pair.are_edges_near for pair in of_both]
    return Agreement(
        names,
        len(of_both),
        same_verdict=share_of([pair.is_same_verdict for pair in of_both]),
        iou=mean_of([each for each in overlaps if each is not None]),
        edges_within_5_percent=share_of([each for each in near if each is not None]),
        agreed=share_of([pair.is_agreed for pair in of_both]),
    )


def _percent(share: Estimate | None) -> str:
    if share is None or share.low is None or share.high is None:
        return "none"
    low, high = 100 * share.low, 100 * share.high
    return f"{100 * share.value:.0f} % of {share.count} ({low:.0f} to {high:.0f} %)"


def _number(mean: Estimate | None) -> str:
    if mean is None:
        return "none"
    interval = "" if mean.low is None else f" ({mean.low:.2f} to {mean.high:.2f})"
    return f"{mean.value:.2f} of {mean.count}{interval}"
