"""What the extras of the distribution bring, and the one sentence where one is not installed.

Standard library only, beneath every room that needs an extra.
"""

import shlex
import sys
from importlib.util import find_spec

from cropkit.errors import NotInstalled

# The packages of each extra as they are imported: its own first, then what comes with them.
_PACKAGES = {
    "lab": ("jupyterlab", "jupyter_server", "jupyter_core", "jupyter_client", "nbformat"),
    "batch": ("papermill", "ipykernel", "matplotlib", "jinja2", "nbclient"),
    "desktop": ("dbus_fast",),
    "parquet": ("pyarrow",),
    "vision": ("onnxruntime",),
    "dask": ("distributed", "dask"),
    "postgres": ("psycopg",),
}


def is_there(extra: str) -> bool:
    """Whether every package of an extra is installed."""
    return all(find_spec(package) is not None for package in _PACKAGES[extra])


def needed(extra: str) -> None:
    """Refuse work that needs an extra which is not installed, before anything is done.

    Raises
    ------
    NotInstalled
        A package of it is not there; the sentence holds the command that brings it.
    """
    missing = [package for package in _PACKAGES[extra] if find_spec(package) is None]
    if missing:
        raise lacking(extra, missing)


def lacking(extra: str, missing: list[str]) -> NotInstalled:
    """Say how an extra is installed: by its packages, since cropkit itself may be on no index."""
    from cropkit.bootstrap.requirements import of_extra  # noqa: PLC0415  (only where one is missing)

    requirements = " ".join(shlex.quote(each) for each in of_extra(extra)) or " ".join(missing)
    what = f"{' and '.join(missing)} (of cropkit[{extra}])"
    return NotInstalled(what, sys.executable, requirements)


def explained(error: ModuleNotFoundError) -> NotInstalled:
    """Say which extra a module that is not there belongs to, and how it is installed."""
    package = (error.name or "").partition(".")[0]
    for extra, packages in _PACKAGES.items():
        if package in packages:
            return lacking(extra, [package])
    return NotInstalled(package, sys.executable, package)
