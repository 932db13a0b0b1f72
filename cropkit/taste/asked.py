"""Boxes of a model, asked for as it would be in a review, to be judged by what was decided."""

import numpy as np
from PIL import Image

from cropkit.errors import BadSuggestion
from cropkit.records import ProblemKind, Suggestion
from cropkit.suggest.detections import Detections
from cropkit.taste.boxes import WHOLE, Array
from cropkit.taste.evaluation import Predictions

_MOST = 3  # boxes of an image: as many as are judged


class Asked:
    """Asks a model about one image after the other, and keeps its best boxes."""

    def __init__(self, model: Detections) -> None:
        self._model = model
        self._answers: list[tuple[Suggestion, ...]] = []

    def ask(self, name: str, image: Image.Image) -> None:
        """Keep the model's boxes for an image that is upright and RGB; none is an answer, too.

        Raises
        ------
        BadSuggestion
            It has none that can be used: the image is left out.
        """
        answer = self._model.of_image(name, image)
        bad = [each for each in answer.problems if each.kind is not ProblemKind.NO_SUGGESTION]
        if bad and not answer.suggestions:
            raise BadSuggestion(name, bad[0].reason)
        self._answers.append(answer.suggestions[:_MOST])

    def predictions(self) -> Predictions:
        """Return what was answered; an image without a box is kept whole, as a review shows it."""
        none = sum(not each for each in self._answers)
        kept = f", {none:,} without a box" if none else ""
        return Predictions(
            tuple(_boxes(each) for each in self._answers),
            tuple(self._model.name if each else "none" for each in self._answers),
            tuple(each[0].confidence if each else None for each in self._answers),
            f"{self._model.name} {self._model.version}{kept}",
        )


def _boxes(of: tuple[Suggestion, ...]) -> Array:
    return np.array([each.box.xyxy for each in of]) if of else WHOLE[None]
