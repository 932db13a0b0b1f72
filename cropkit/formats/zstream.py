"""zlib-ng where its wheel is installed, else the standard library's zlib: the same interface."""

import zlib
from importlib import import_module
from importlib.util import find_spec
from typing import Any

engine: Any = import_module("zlib_ng.zlib_ng") if find_spec("zlib_ng") else zlib
