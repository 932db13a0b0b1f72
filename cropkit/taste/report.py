"""How good the boxes of a collection or a data set are, for the shell and for a notebook."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cropkit.audit.reader import TrailReader
from cropkit.engine.ways import TASTE
from cropkit.suggest.detections import Detections
from cropkit.system import parameters
from cropkit.system.files import Root
from cropkit.system.scope import scope_of
from cropkit.taste import evaluation, house
from cropkit.taste.asked import Asked
from cropkit.taste.evaluation import Evaluation, Figures, Predictions
from cropkit.taste.examples import Examples, Show, examples
from cropkit.taste.head import Head
from cropkit.taste.portfolio import House
from cropkit.taste.proposing import describe_by

if TYPE_CHECKING:
    import pandas as pd

_NONE = Predictions((), (), (), "nothing was decided")
_TITLES = {
    "iou": "IoU",
    "displacement": "displaced",
    "within_2": "≤ 2 %",
    "within_5": "≤ 5 %",
    "within_10": "≤ 10 %",
    "edges_moved": "edges moved",
    "drag": "drag",
    "best_of_3_within_5": "best of 3 ≤ 5 %",
    "untouched": "untouched",
    "seconds": "seconds",
}


@dataclass(frozen=True, slots=True)
class Report:
    """What was looked at, what was predicted, and how good that is."""

    known: Examples
    predictions: Predictions
    evaluation: Evaluation

    def frame(self) -> "pd.DataFrame":
        """Return the figures of all boxes as a table: each with half of its interval."""
        import pandas as pd  # noqa: PLC0415  (for notebooks only)

        rows = {name: _cells(each) for name, each in rows_of(self.evaluation)}
        return pd.DataFrame.from_dict(rows, orient="index", columns=[*_TITLES.values()]).fillna("")


def evaluated(
    decided: Path | str,
    state: Path | str | None = None,
    head: Head | None = None,
    show: Show = lambda *_: None,
    *,
    vision: bool = False,
    model: Detections | None = None,
) -> Report:
    """Tell how good the boxes of a collection, or of a data set, are; nothing is written.

    Parameters
    ----------
    decided : the folder
    state : the folder that holds its `.cropkit`; None: where it is found
    head : what was learned elsewhere; None: a collection is replayed as a review, with the taste
        that its reviews begin with, and a data set is predicted by cross-validation
    show : told of progress: what, how many, of how many
    vision : learn from what models see, too; of a head it is known
    model : whose boxes are judged, in place of what is learned; an image that it has no box for
        counts as kept whole

    Raises
    ------
    NotAFolder, MissingFile, BadSuggestion, AuditError, BadTaste, BadParameterValue, NotInstalled
        There is nothing to tell of, or it cannot be read.
    """
    folder, where = parameters.path_named("decided", decided), parameters.state_named(state)
    describe = describe_by(vision=head.has_seen if head else vision)
    asked = None if model is None else Asked(model)
    ask = None if asked is None else asked.ask
    known = examples(folder, show, state=where, describe=describe, ask=ask)
    predictions = asked.predictions() if asked else _predictions(known, head, folder, where)
    return Report(known, predictions, evaluation.evaluate(known, predictions))


def rows_of(result: Evaluation) -> list[tuple[str, Figures]]:
    """Return the figures of all boxes, by what they are."""
    rows = list(result.proposed.items())
    given = result.aspect_given
    for name, each in result.constants.items():
        rows.append((f"constant: {name}", each))
        rows.append((f"constant: {name}, aspect given", given["constants"][""][name]))
    for way, groups in result.by.items():
        for name, each in groups.items():
            rows.append((f"{way}: {name or 'none'}", each))
            rows.append((f"{way}: {name or 'none'}, aspect given", given["by"][way][name]))
    return rows


def _predictions(
    known: Examples, head: Head | None, folder: Path, state: Path | None
) -> Predictions:
    if not known.images:
        return _NONE
    if head is not None:
        return evaluation.by_head(head, known.history)
    if known.is_reviewed:
        return evaluation.replayed(known.of_models, _house(folder, state, known.model))
    return evaluation.cross_validated(known.history)


def _house(folder: Path, state: Path | None, model: str) -> House | None:
    """Return what was learned elsewhere, where reviews of the collection begin with it."""
    scope = scope_of(folder, state)
    with TrailReader(Root(scope.state), scope=scope) as trail:
        kept = trail.settings().get(TASTE, "")
    return house.parsed(kept, folder).house(model) if kept else None


def _cells(figures: Figures) -> list[str]:
    means = (figures.get(key) for key in _TITLES)
    return [f"{each.mean:.3f} ± {(each.high - each.low) / 2:.3f}" if each else "" for each in means]
