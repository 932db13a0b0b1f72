"""Where crop boxes come from: files that an AI or a labelling tool wrote.

A suggester answers for one image and never raises for bad data: what it could not use comes back
as a `Problem` that names the file, and the image is shown with the full-image box.

`cropkit.suggest.detections` loads codecs, for what a model looks at: who needs it imports it.
"""

from cropkit.suggest.border import Clipped
from cropkit.suggest.sidecar import Sidecars
from cropkit.suggest.suggested import (
    NOTHING,
    Rated,
    Suggested,
    Suggester,
    confidence_of,
    gather,
)
from cropkit.suggest.table import Table

__all__ = [
    "NOTHING",
    "Clipped",
    "Rated",
    "Sidecars",
    "Suggested",
    "Suggester",
    "Table",
    "confidence_of",
    "gather",
]
