"""What the decisions of one collection teach another: "crop like the house", as a few kB of JSON.

It holds what was measured of it, too: how near its boxes were to decisions that it was not learned
from, beside what would have been shown had nothing been learned. A file is anybody's: it decides
nothing but where a box is proposed, its numbers are bounded, and a reviewer's own decisions judge
it as they judge every other predictor.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from cropkit.errors import BadTaste
from cropkit.names import printable
from cropkit.taste import boxes, documents, head, portfolio
from cropkit.taste.boxes import Array
from cropkit.taste.example import MOST_DECISIONS
from cropkit.taste.examples import Examples
from cropkit.taste.features import COUNT
from cropkit.taste.head import Head
from cropkit.taste.mean import Mean
from cropkit.taste.portfolio import CENTRE, FIRST, History, House

LARGEST = 1 << 16  # bytes of a file
_FORM = "cropkit-taste-1"
_WAYS = ("your edges", "your median", "learned")  # what is small enough to be handed on
_RESIDUALS = 50
_NEAR = 0.05  # of the side
_NAME = 200  # characters
_EDGES = ("mean", "low", "high")
_MEASURED = {"iou": 0, "within_5": 0, "centre": -1}  # and the least that each can be
_RATIOS = (0.2, 5.0)  # width to height that a habit may have


@dataclass(frozen=True, slots=True, eq=False)
class Taste:
    """What a collection's decisions teach, and how well they were met.

    Parameters
    ----------
    count : decisions that it was learned from
    way : of `portfolio.PREDICTORS`, that met them best
    model : whose boxes were proposed there; '' where none were
    bias : by which this model's boxes were corrected (4,)
    ratio : as of `portfolio.habit`
    head : the regression, and the median
    agreement : with decisions that were not learned from: `iou`, `within_5`, and what the overlap
        is beyond that of the `centre`, and of the `model`'s own boxes
    """

    count: int
    way: str
    model: str
    bias: Array
    ratio: float | None
    head: Head
    agreement: Mapping[str, Mean]

    @property
    def called(self) -> str:
        """What it is, in a line."""
        overlap, near = (_words(self.agreement[name], name) for name in ("iou", "within_5"))
        return f"{self.count:,} reviews ({self.way}): {overlap}, {near}"

    @property
    def leads(self) -> bool:
        """Whether it was clearly better than the centre, so that reviews may begin with it."""
        return _is_gain(self.agreement.get("centre"))

    def house(self, model: str) -> House:
        """Return it as a predictor for another collection.

        Parameters
        ----------
        model : whose boxes are proposed there; it is corrected from the first image on where it is
            the same one, and was corrected well
        """
        is_known = bool(model) and model == self.model
        return House(
            self._predicted,
            self.count,
            leads=self.leads,
            corrects=is_known and _is_gain(self.agreement.get("model")),
        )

    def to_json(self) -> dict[str, Any]:
        """Return it as `read` takes it."""
        return {
            "form": _FORM,
            "count": self.count,
            "way": self.way,
            "model": self.model,
            "bias": self.bias.round(6).tolist(),
            "ratio": self.ratio,
            "head": self.head.to_json(),
            "agreement": {name: _rounded(mean) for name, mean in self.agreement.items()},
        }

    def to_text(self) -> str:
        """Return it as a file holds it."""
        return json.dumps(self.to_json(), separators=(",", ":"))

    def write(self, path: Path) -> None:
        """Write it to a file that is not there yet.

        Raises
        ------
        FileExistsError
            Nothing is written over.
        """
        documents.write(path, self.to_text())

    def _predicted(self, asked: History) -> Array:
        every = {
            "your edges": boxes.valid(asked.suggested + self.bias),
            "your median": np.tile(self.head.median, (len(asked), 1)),
            "learned": self.head.predicted(asked.features[:, :COUNT]),
        }
        meant = every[self.way]
        meant = np.where(np.isnan(meant), every["learned"], meant)
        return portfolio.shaped(boxes.valid(meant), asked.aspect, self.ratio)


def learned_from(known: Examples, where: Path, reviewer: str | None = None) -> Taste:
    """Learn what can be handed on, of images that have one crop.

    Parameters
    ----------
    where : the folder, for what is refused
    reviewer : whose decisions alone are looked at

    Raises
    ------
    BadTaste
        There are too few decisions.
    """
    is_meant = [
        not each.slot and each.reviewer == (reviewer or each.reviewer) for each in known.sources
    ]
    history = known.of_models.some(np.array(is_meant, dtype=bool)).some(
        slice(-MOST_DECISIONS, None)
    )
    if len(history) < portfolio.LEAST:
        reason = f"has {len(history)} decisions; {portfolio.LEAST} are the least to learn from"
        raise BadTaste(where, reason)
    model = known.model
    names = [name for name in _WAYS if model or name != "your edges"]
    met = portfolio.held_out(history, (FIRST, *names))
    if model:
        proposed = history.has_suggestion[:, None]
        met["your edges"] = np.where(proposed, met["your edges"], met["learned"])
    way = max(names, key=lambda name: portfolio.utility(met[name], history.wanted).mean())
    fitted = Head.fitted(history.features, history.wanted)
    taste = Taste(
        len(history),
        way,
        model,
        portfolio.bias(history),
        portfolio.habit(history),
        replace(fitted, residuals=fitted.residuals[:_RESIDUALS]),
        _agreement(history, met[way], met[FIRST]),
    )
    return parsed(taste.to_text(), where)  # its rounded numbers: as whoever reads it has them


def _agreement(known: History, met: Array, shown: Array) -> dict[str, Mean]:
    overlap, proposed = boxes.iou(met, known.wanted), known.has_suggestion
    values = {
        "iou": overlap,
        "within_5": boxes.edges_within(met, known.wanted, _NEAR).astype(float),
        "centre": overlap - boxes.iou(np.tile(CENTRE, (len(known), 1)), known.wanted),
        "model": (overlap - boxes.iou(shown, known.wanted))[proposed],
    }
    means = {name: Mean.of(each) for name, each in values.items()}
    return {name: mean for name, mean in means.items() if mean is not None}


def _is_gain(mean: Mean | None) -> bool:
    return mean is not None and mean.low > 0


def _words(mean: Mean, name: str) -> str:
    edges = (mean.mean, mean.low, mean.high)
    if name == "iou":
        what, (middle, low, high) = "IoU", (f"{each:.3f}" for each in edges)
    else:
        what, (middle, low, high) = "within 5 %", (f"{each:.1%}" for each in edges)
    return f"{what} {middle} ({low} to {high}, n = {mean.images:,})"


def _rounded(mean: Mean) -> dict[str, float | int]:
    return {name: round(value, 6) for name, value in mean.to_json().items()}


# -- files ---------------------------------------------------------------------------------------


def read(path: Path) -> Taste:
    """Read what `write` wrote, from a file which may be anybody's.

    Raises
    ------
    BadTaste
        It is none, or for other features than this version's.
    """
    return parsed(documents.text_of(path, LARGEST), path)


def parsed(text: str | bytes, where: Path) -> Taste:
    """Read it from a text.

    Raises
    ------
    BadTaste
        As `read`.
    """
    if len(text) > LARGEST:
        raise BadTaste(where, f"is larger than {LARGEST:,} bytes")
    with documents.refusing(where, "is no taste that was exported"):
        return _taste(documents.parsed(text), where)


def _taste(document: Any, where: Path) -> Taste:  # noqa: ANN401  (whatever JSON holds)
    if document["form"] != _FORM:
        raise BadTaste(where, f"is no {_FORM}")
    way, model = document["way"], document["model"]
    if way not in _WAYS or not isinstance(model, str) or len(model) > _NAME:
        raise ValueError("a way, or a model's name, that is none")
    known = head.parsed(document["head"], where)
    if known.has_seen:
        raise ValueError("it is for what models see, which not each review has")
    count = documents.count(document["count"])
    if not portfolio.LEAST <= count <= MOST_DECISIONS:
        raise ValueError(f"it is of {count:,} decisions, which nobody learns from")
    return Taste(
        count,
        way,
        printable(model),
        np.clip(documents.numbers(document["bias"], (4,), 4), -1, 1),
        _ratio(document["ratio"]),
        known,
        _agreements(document["agreement"], count),
    )


def _agreements(of: Any, count: int) -> dict[str, Mean]:  # noqa: ANN401  (as above)
    """Return what was measured: of every decision, or of those with a model's box."""
    known = {name: _mean(of[name], least) for name, least in _MEASURED.items()}
    if any(each.images != count for each in known.values()):
        raise ValueError("an agreement of other decisions than it was learned from")
    if "model" in of:
        known["model"] = _mean(of["model"], -1)
        if known["model"].images > count:
            raise ValueError("an agreement of more decisions than there were")
    return known


def _ratio(value: object) -> float | None:
    if value is None:
        return None
    ratio = float(documents.numbers([value], (1,), 1)[0])
    if ratio != 0 and not _RATIOS[0] <= ratio <= _RATIOS[1]:
        raise ValueError("a ratio that nobody has")
    return ratio


def _mean(of: Any, least: int) -> Mean:  # noqa: ANN401  (as above)
    mean, low, high = documents.numbers([of[name] for name in _EDGES], (3,), 3).tolist()
    if not least <= low <= mean <= high <= 1:
        raise ValueError("an interval that is none")
    return Mean(mean, low, high, documents.count(of["images"]))
