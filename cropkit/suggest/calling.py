"""How a model is called: with an image or the path of one, or with several at once."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from cropkit.errors import BadSuggestion
from cropkit.system import parameters

Wants = Literal["image", "path", "images", "paths"]
Model = Callable[[Any], Any]

_WANTS = ("image", "path", "images", "paths")
_LISTS = (list, tuple, Sequence)


@dataclass(frozen=True, slots=True)
class Calling:
    """What a model is called with.

    Parameters
    ----------
    of_path : makes its argument of a path; None where it wants the image itself
    together : whether it takes a list of such arguments, and answers with a list as long
    """

    of_path: Callable[[str], Any] | None = None
    together: bool = False

    def answers(self, model: Model, arguments: Sequence[Any]) -> Sequence[Any]:
        """Return the answer for each argument; whatever the model raises, is raised.

        Raises
        ------
        BadSuggestion
            It takes several at once, and has not one answer for each.
        """
        if not self.together:
            return [model(argument) for argument in arguments]
        answers = model(list(arguments))
        if isinstance(answers, Mapping | str) or not hasattr(answers, "__len__"):
            kind = type(answers).__name__
            raise BadSuggestion(
                "answer", f"is a {kind}; for a list of images it is a list of answers"
            )
        if len(answers) != len(arguments):
            reason = f"is {len(answers)} answers for {len(arguments)} images"
            raise BadSuggestion("answer", reason)
        return [answers[place] for place in range(len(arguments))]


def calling(model: Model | None, wants: Wants | None) -> Calling:
    """Return how a model is called: as was said, else as its first parameter is annotated.

    Raises
    ------
    BadParameterValue
        It was said in no such word.
    """
    hinted = Calling() if model is None else _hinted(model)
    if wants is None:
        return hinted
    parameters.choice("wants", wants, _WANTS)
    of_path = (hinted.of_path or Path) if wants.startswith("path") else None
    return Calling(of_path, wants.endswith("s"))


def _hinted(model: Model) -> Calling:
    hint = _hint(model)
    together = get_origin(hint) in _LISTS
    of_one = next(iter(get_args(hint)), None) if together else hint
    return Calling(of_one if of_one in (str, Path) else None, together)


def _hint(model: Model) -> Any:  # noqa: ANN401  (an annotation may be anything)
    try:
        first = next(iter(inspect.signature(model).parameters.values()), None)
        target = model if inspect.isroutine(model) else type(model).__call__
        return None if first is None else get_type_hints(target).get(first.name)
    except (TypeError, ValueError, NameError, AttributeError):  # built in, or of names unknown here
        return None
