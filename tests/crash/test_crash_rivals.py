"""Two processes at work on the same content: neither removes what the other counts on."""

import errno
import os
import shutil
from contextlib import suppress
from pathlib import Path

import pytest
from engine import Faulty

from cropkit.errors import Busy, CropkitError
from cropkit.geometry import PixelBox
from cropkit.kit import Kit

BOX = PixelBox(3, 5, 41, 37)
IMAGE, TWIN = "a_stage2.png", "twin.png"


def test_an_operation_that_fails_leaves_the_original_that_its_twin_needs(folder: Path) -> None:
    """Both keep the same content; the one that kept it first fails after the other is done."""
    shutil.copy(folder / IMAGE, folder / TWIN)
    data = (folder / IMAGE).read_bytes()

    def twin_is_cropped_and_this_fails(name: str) -> None:
        if name == "replace":
            with Kit(folder, deadline=0.2) as other, suppress(Busy):
                other.crop(TWIN, BOX)
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    system = Faulty(1, twin_is_cropped_and_this_fails, persistent=True)
    with Kit(folder, system=system) as kit:
        system.armed = True
        with pytest.raises(CropkitError):
            kit.crop(IMAGE, BOX)
    with Kit(folder) as kit:
        if (folder / TWIN).read_bytes() == data:
            kit.crop(TWIN, BOX)
        assert kit.fsck() == []
        kit.undo(TWIN)
    assert (folder / TWIN).read_bytes() == (folder / IMAGE).read_bytes() == data
