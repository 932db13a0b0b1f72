"""Review image crops in Jupyter; write each one in place, verified, audited and undoable.

``import cropkit`` loads nothing heavy: the bootstrap in ``__main__`` runs before anything is
installed, and a kernel should not wait for a codec that it may never need.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cropkit.collection import Kit as Kit
    from cropkit.collection import open_kit as open
    from cropkit.review import Review as Review

__version__ = "0.1.0"
__all__ = ["Kit", "Review", "open"]

_LAZY = {
    "Kit": ("cropkit.collection", "Kit"),
    "open": ("cropkit.collection", "open_kit"),
    "Review": ("cropkit.review", "Review"),
    "errors": ("cropkit.errors", None),
    "geometry": ("cropkit.geometry", None),
}


def __getattr__(name: str) -> Any:  # noqa: ANN401  (a module's attributes have no common type)
    if name not in _LAZY:
        msg = f"module 'cropkit' has no attribute {name!r}"
        raise AttributeError(msg)
    module, attribute = _LAZY[name]
    found = import_module(module)
    return found if attribute is None else getattr(found, attribute)
