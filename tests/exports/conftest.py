"""What the tests of exports share."""

from pathlib import Path

import exporting
import pytest


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """A collection with decisions of all kinds, as `exporting.DECIDED` has them."""
    return exporting.write_album(tmp_path / "photos")
