"""Where boxes come from, as the parameters of a notebook and of a command say it: by text."""

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from cropkit.suggest.suggested import Suggester
from cropkit.system import parameters
from cropkit.system.files import Root


def named(
    suggestions: object = "", model: object = "", order: object = "", units: object = ""
) -> list[Any]:
    """Return what texts name, the model first; nothing where both are empty.

    Parameters
    ----------
    suggestions : file or folder of boxes, as `cropkit.Labelled` reads them
    model : ``module:function``, or the name of a plug-in
    order, units : what four numbers of either mean where their names do not tell; empty: as usual

    Raises
    ------
    BadParameterValue, BadSuggestion, MissingFile
        There is no such file or model, or it cannot be used.
    """
    told = {
        "order": parameters.text("order", order) or None,
        "units": parameters.text("units", units) or None,
    }
    asked: list[Any] = []
    if name := parameters.text("model", model):
        from cropkit.labels.model import model_named  # noqa: PLC0415  (only where one is named)
        from cropkit.suggest.detections import Detections  # noqa: PLC0415  (loads codecs)

        asked.append(Detections(model_named(name), **told))  # type: ignore[arg-type]  # they are checked there
    if suggestions not in ("", None):
        from cropkit.labels.labelled import Labelled  # noqa: PLC0415  (loads parsers)

        path = parameters.path_named("suggestions", suggestions)
        asked.append(Labelled(path, **told))  # type: ignore[arg-type]  # as above
    return asked


def suggesters(
    among: Sequence[Any], files: Root, images: Callable[[], Iterable[str]]
) -> tuple[Suggester, ...]:
    """Return who is asked: a suggester itself, or what makes one of all that a person may have.

    Parameters
    ----------
    among : models, DataFrames, dicts by path, paths of labels, suggesters
    files, images : of the collection; these are listed only where names have to be matched

    Raises
    ------
    BadParameterValue, BadSuggestion, MissingFile
        One is nothing of that kind.
    """
    return tuple(each for some in among for each in _suggesters_of(some, files, images))


def _suggesters_of(
    some: Any,  # noqa: ANN401  (as said)
    files: Root,
    images: Callable[[], Iterable[str]],
) -> tuple[Suggester, ...]:
    from cropkit.labels.labelled import Labelled  # noqa: PLC0415  (loads parsers)

    if isinstance(some, str | os.PathLike):
        some = Labelled(Path(some))
    if isinstance(some, Labelled):
        return (some.of(files, images),)
    from cropkit.suggest.detections import suggesters_of  # noqa: PLC0415  (loads codecs)

    return suggesters_of(some, files)
