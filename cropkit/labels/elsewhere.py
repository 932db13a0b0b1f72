"""A model that other processes ask: named by texts, since a model itself need not be sent."""

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cropkit.geometry import Size
from cropkit.labels.model import model_named
from cropkit.records import Problem, ProblemKind
from cropkit.suggest.border import Clipped
from cropkit.suggest.detections import Asked, Detections
from cropkit.suggest.suggested import Suggested
from cropkit.system.elsewhere import TaskDied, Workers, awaited, in_order
from cropkit.system.files import Root

if TYPE_CHECKING:
    from concurrent.futures import Future


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a model is found and asked, as `Detections` and `model_named` take it.

    Parameters
    ----------
    model : ``module:function``, or the name of a plug-in
    called_from : the folder that is looked through last for the module
    """

    model: str
    order: Any = None
    units: Any = None
    frame: Any = "upright"
    outside: Any = "clip"
    wants: Any = None
    name: str = ""
    version: str = ""
    called_from: str = ""

    def detections(self) -> Detections:
        """Return the model, in this process.

        Raises
        ------
        BadParameterValue
            There is no such model here.
        """
        if self.called_from and self.called_from not in sys.path:
            sys.path.append(self.called_from)
        return Detections(
            model_named(self.model),
            order=self.order,
            units=self.units,
            frame=self.frame,
            outside=self.outside,
            wants=self.wants,
            name=self.name or self.model,
            version=self.version,
        )


class Answers(NamedTuple):
    """What a model has answered for some images, and what was clipped of that."""

    suggested: Sequence[Suggested]
    clipped: Clipped


def answered(recipe: Recipe, folder: str, images: Sequence[Asked]) -> Answers:
    """Ask a model, in the process that is called."""
    model = recipe.detections().of(Root(Path(folder)))
    return Answers(model.suggest_all(images), model.clipped)


class AskedElsewhere:
    """A model as other processes have it; some images at a time, and each some more than once.

    Parameters
    ----------
    folder : of the collection
    """

    def __init__(self, workers: Workers, recipe: Recipe, folder: Path) -> None:
        self._workers, self._recipe, self._folder = workers, recipe, os.fspath(folder)
        self.name, self.version = recipe.name or recipe.model, recipe.version
        self.clipped = Clipped()

    def suggest(self, path: str, size: Size, sha256: str) -> Suggested:
        """Ask for one image."""
        ((_, (suggested,)),) = self.streamed([[Asked(path, size, sha256)]])
        return suggested

    def streamed(
        self, groups: Iterable[Sequence[Asked]]
    ) -> Iterator[tuple[Sequence[Asked], Sequence[Suggested]]]:
        """Yield groups of images with their answers, in their order, as there are workers.

        Raises
        ------
        WorkersUnavailable, UnfitWorker, BadParameterValue
            Nobody is left, or somebody may not work, or has no such model.
        """
        asked = filter(None, groups)  # of the others all had theirs already
        for group, future in in_order(asked, self._submitted, lambda: self._workers.most):
            yield self._taken(group, future)

    def _submitted(self, group: Sequence[Asked]) -> "Future[Answers]":
        return self._workers.submit(answered, self._recipe, self._folder, group)

    def _taken(
        self, group: Sequence[Asked], future: "Future[Answers]"
    ) -> tuple[Sequence[Asked], Sequence[Suggested]]:
        try:
            answers = awaited(self._workers, future)
        except TaskDied:
            return group, [self._alone(each) for each in group]
        return group, self._counted(answers)

    def _alone(self, asked: Asked) -> Suggested:
        """Ask for one image of which, or of whose neighbours, workers have died."""
        try:
            (suggested,) = self._counted(awaited(self._workers, self._submitted([asked])))
        except TaskDied:
            reason = f"{self.name} ended the processes that asked it"
            return Suggested(problems=(Problem(ProblemKind.SUGGESTION, asked.path, reason),))
        return suggested

    def _counted(self, answers: Answers) -> Sequence[Suggested]:
        count, most = answers.clipped.count, answers.clipped.most
        self.clipped = Clipped(self.clipped.count + count, max(self.clipped.most, most))
        return answers.suggested
