"""A model that a person names: what is imported from where, and nothing else."""

import os
import sys
from collections.abc import Callable
from functools import reduce
from importlib import import_module
from typing import Any

from cropkit.errors import BadParameterValue
from cropkit.system import parameters, plugins

CALLED_FROM = "CROPKIT_CALLED_FROM"  # the working folder of who started this process for a person


def model_named(name: str) -> Callable[[Any], Any]:
    """Return what ``module:function`` names, or what is installed under a name without a colon.

    The working folder is looked through last, so that a file in it never stands for a module that
    is installed, or Python's own; in the kernel of a batch it is that of the command. A plug-in is
    an entry point of the group `cropkit.suggesters`.

    Raises
    ------
    BadParameterValue
        There is no such module, or nothing in it that can be called.
    """
    module, colon, function = name.partition(":")
    if not colon:
        return _callable(name, plugins.loaded(plugins.SUGGESTERS, name, "with"))
    if not module or not function:
        raise parameters.wrong("with", name, "module:function, such as detector:find_faces")
    here = os.environ.get(CALLED_FROM) or os.getcwd()  # noqa: PTH109  (as it is written into the path)
    if here not in sys.path:
        sys.path.append(here)
    try:
        model = reduce(getattr, function.split("."), import_module(module))
    except (ImportError, AttributeError) as error:
        raise _wrong(name, error) from error
    return _callable(name, model)


def _callable(name: str, model: object) -> Callable[[Any], Any]:
    if not callable(model):
        raise parameters.wrong("with", name, "function, or another thing that can be called")
    return model


def _wrong(name: str, error: Exception) -> BadParameterValue:
    return parameters.wrong("with", name, f"module:function that can be imported ({error})")
