"""What was learned, as a suggester: for reviews, batches and `cropkit suggest`."""

from pathlib import Path

import numpy as np
from PIL import Image

from cropkit import extras
from cropkit.suggest.detections import Detections
from cropkit.taste import boxes, features, head
from cropkit.taste.alternatives import alternatives
from cropkit.taste.boxes import Array
from cropkit.taste.examples import Describe
from cropkit.taste.vision import seen


def learned(path: Path | str, name: str = "", version: str = "") -> Detections:
    """Return a suggester by what `cropkit suggest --train-head` wrote.

    It proposes up to three boxes for each image, best first: what overlaps best in the mean, and
    what covers most of what else is likely. The confidence is the overlap that is expected of each.

    Parameters
    ----------
    path : of the file
    name, version : as they are kept with each box; '': the file's name, and how many decisions it
        was learned from

    Raises
    ------
    BadTaste
        It holds nothing learned, or for another version's features.
    NotInstalled
        It was learned from what models see, and they cannot be asked.
    """
    path = Path(path)
    known = head.read(path)
    look = describe_by(vision=known.has_seen)

    def propose(image: Image.Image) -> Array:
        """Return boxes and confidences (K, 5), K from 1 to 3, fractions of the image."""
        best = boxes.snapped(known.predicted(look(image)[None]))[0]
        every = alternatives(best, known.residuals)
        sure = boxes.iou(every[:, None], boxes.valid(best + known.residuals)[None]).mean(axis=1)
        return np.column_stack([every, np.minimum.accumulate(sure)])

    return Detections(
        propose,
        order="xyxy",
        units="normalized",
        name=name or path.stem,
        version=version or f"{known.count} decisions",
    )


def describe_by(*, vision: bool) -> Describe:
    """Return what takes the features of an image.

    Parameters
    ----------
    vision : also what models see of it

    Raises
    ------
    NotInstalled
        They cannot be asked.
    """
    if not vision:
        return features.features
    extras.needed("vision")
    return seen
