"""The libjpeg that a wheel or environment already brings: found, loaded, and called by its ABI."""

import ctypes as c
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

from cropkit.lossless.abi import ABI_62, ABI_80, ABIS, EmitMessage, ErrorExit, ErrorManager

# Wheels that carry a libjpeg of their own, in the order in which we write with them.
_WHEELS = ("PIL", "imagecodecs")
_FOLDER = "{}.libs"
_NAMES = ("libjpeg-*.so.*", "libjpeg.so.*")
_IN_ENVIRONMENT = "lib/libjpeg.so.8"
_MESSAGE_BYTES = 256
# Only ABI 7 and later have it.
_SINCE_70 = "jpeg_core_output_dimensions"

Fatal = Callable[[str], NoReturn]


def candidates() -> tuple[Path, ...]:
    """Return the libraries of this environment, those of different builders each once.

    They are looked for each time: what could not be listed in a bad moment may be there later.
    """
    paths = [path for wheel in _WHEELS for path in _in_wheel(wheel)]
    paths.append(Path(sys.prefix) / _IN_ENVIRONMENT)
    return tuple(dict.fromkeys(path.resolve() for path in paths if path.exists()))


def _in_wheel(package: str) -> Iterator[Path]:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        return
    home = Path(spec.origin).parent
    names = ("pillow", "Pillow", "PIL") if package == "PIL" else (package,)
    for folder in (home.parent / _FOLDER.format(name) for name in names):
        for pattern in _NAMES:
            yield from sorted(folder.glob(pattern))


class Library:
    """One libjpeg.

    Parameters
    ----------
    fatal : told what libjpeg cannot go on after. It must not return: libjpeg knows no way back
    """

    def __init__(self, path: Path, fatal: Fatal) -> None:
        self.path = path
        self.calls: Any = c.CDLL(str(path))
        self.abi = ABIS[ABI_80 if hasattr(self.calls, _SINCE_70) else ABI_62]
        self._fatal = fatal
        self._on_error = ErrorExit(self._error_exit)
        self._on_message = EmitMessage(self._emit_message)
        self._first_warning = ""
        self._first_place = (0, 0)
        self._declare()

    def errors(self) -> ErrorManager:
        """Return a manager that counts warnings and ends at the first error."""
        manager = ErrorManager()
        self.calls.jpeg_std_error(c.byref(manager))
        manager.error_exit = self._on_error
        manager.emit_message = self._on_message
        self._first_warning = ""
        return manager

    def fail(self, reason: str) -> NoReturn:
        """End as at an error of libjpeg's own, which did not mind what is asked of it."""
        self._fatal(reason)

    @property
    def first_warning(self) -> str:
        """What libjpeg warned of first since the last `errors`, '' when of nothing."""
        return self._first_warning

    @property
    def first_place(self) -> tuple[int, int]:
        """In which scan it did so, counted from 1, and at which row of MCUs of that, from 0."""
        return self._first_place

    def decompressor(self) -> Any:  # noqa: ANN401  (a structure that the ABI chooses)
        """Return a decompressor that is ready for its source."""
        return self._created(self.abi.decompressor(), self.calls.jpeg_CreateDecompress)

    def compressor(self) -> Any:  # noqa: ANN401  (as above)
        """Return a compressor that is ready for its destination."""
        return self._created(self.abi.compressor(), self.calls.jpeg_CreateCompress)

    def _created(self, structure: Any, create: Any) -> Any:  # noqa: ANN401  (as above)
        structure.err = c.pointer(self.errors())
        create(c.byref(structure), self.abi.version, c.sizeof(structure))
        return structure

    def _declare(self) -> None:
        calls, pointer, size = self.calls, c.c_void_p, c.c_size_t
        calls.jpeg_std_error.restype = pointer
        calls.jpeg_CreateDecompress.argtypes = (pointer, c.c_int, size)
        calls.jpeg_CreateCompress.argtypes = (pointer, c.c_int, size)
        calls.jpeg_mem_src.argtypes = (pointer, pointer, c.c_ulong)
        calls.jpeg_mem_dest.argtypes = (pointer, pointer, pointer)
        calls.jpeg_read_coefficients.restype = c.POINTER(c.c_void_p)
        calls.jpeg_write_coefficients.argtypes = (pointer, pointer)
        calls.jpeg_copy_critical_parameters.argtypes = (pointer, pointer)

    def _error_exit(self, common: int) -> None:
        self._fatal(self._message(common))

    def _emit_message(self, common: int, level: int) -> None:
        if level < 0:
            manager = ErrorManager.from_address(c.c_void_p.from_address(common).value or 0)
            manager.num_warnings += 1
            if not self._first_warning:
                self._first_warning = self._message(common)
                self._first_place = self._place(common)

    def _place(self, common: int) -> tuple[int, int]:
        info: Any = self.abi.decompressor.from_address(common)
        if not info.is_decompressor:
            return 0, 0
        return int(info.input_scan_number), int(info.input_iMCU_row)

    def _message(self, common: int) -> str:
        manager = ErrorManager.from_address(c.c_void_p.from_address(common).value or 0)
        text = c.create_string_buffer(_MESSAGE_BYTES)
        manager.format_message(common, c.addressof(text))
        return text.value.decode("ascii", "replace")
