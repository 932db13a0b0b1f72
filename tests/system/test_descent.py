"""An exception between any two lines of the walk closes each descriptor once."""

import os
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from cropkit.system import descent, state_folder
from cropkit.system.files import Root

HOME = Path(".cropkit", "runs", "deep")


class Interrupt:
    """Raise at the line of the walk with this number."""

    def __init__(self, number: int) -> None:
        self.left = number

    def __call__(self, frame: FrameType, event: str, _argument: object) -> Any:
        if frame.f_code.co_filename != descent.__file__:
            return None
        if event == "line":
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt
        return self


def read_image(folder: Path) -> None:
    Root(folder).read(str(HOME / "a"))


def open_state(folder: Path) -> None:
    os.close(state_folder.open_file(folder / HOME / "a", os.O_RDONLY))


@pytest.mark.parametrize("walk", [read_image, open_state])
def test_an_exception_at_any_line_closes_nothing_twice(tmp_path: Path, walk: Any) -> None:
    (tmp_path / HOME).mkdir(parents=True)
    (tmp_path / HOME / "a").write_bytes(b"a")
    interrupted = 0
    while True:
        interrupt = Interrupt(interrupted + 1)
        before = sys.gettrace()
        sys.settrace(interrupt)
        try:
            walk(tmp_path)
            break
        except KeyboardInterrupt:  # and no OSError: a descriptor that was closed is not valid
            interrupted += 1
        finally:
            sys.settrace(before)
    assert interrupt.left > 0
    assert interrupted >= 3 * len(HOME.parts)
