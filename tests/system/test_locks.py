"""Locks on files: one holder at a time, and nobody waits for ever."""

from pathlib import Path

import pytest

from cropkit.system.locks import LockHeld, exclusive, is_free


def test_a_lock_has_one_holder(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with exclusive(lock, 1.0):
        assert not is_free(lock)
        with pytest.raises(LockHeld), exclusive(lock, 0.05):
            pass
    assert is_free(lock)
    with exclusive(lock, 0.05):
        assert not is_free(lock)
