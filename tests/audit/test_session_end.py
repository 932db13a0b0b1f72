"""A session whose end cannot be told is as one that died: nobody waits for it."""

from pathlib import Path

import pytest
from faults import contents

from cropkit.audit import presence
from cropkit.collection import Collection
from cropkit.errors import AuditLocked
from cropkit.geometry import PixelBox
from cropkit.system.home import OWNERS, WRITER_LOCK
from cropkit.system.locks import exclusive

BOX = PixelBox(10, 20, 40, 60)


def owners(folder: Path) -> list[str]:
    return [path.name for path in (folder / OWNERS).iterdir()]


def test_it_holds_on_to_nothing_and_leaves_the_trace_of_a_death(folder: Path) -> None:
    kit = Collection(folder, deadline=0.2)
    assert kit.crop("a_stage2.png", BOX).ok
    with exclusive(folder / WRITER_LOCK, 1), pytest.raises(AuditLocked):
        kit.close()
    assert presence.living(folder) == []
    assert owners(folder) == [kit.trail.owner], "the next one looks through everything"
    kit.close()
    with Collection(folder) as after:
        assert owners(folder) == [after.trail.owner]
        assert after.fsck() == []


def test_what_it_left_is_settled_by_the_next_session_of_the_same_process(folder: Path) -> None:
    before = contents(folder)
    kit = Collection(folder, deadline=0.2)
    with exclusive(folder / WRITER_LOCK, 1):
        with pytest.raises(AuditLocked):
            kit.crop("a_stage2.png", BOX)
        with pytest.raises(AuditLocked):
            kit.close()
    with Collection(folder) as after:
        assert after.fsck() == []
        assert contents(folder) == before
        assert after.crop("a_stage2.png", BOX).ok
