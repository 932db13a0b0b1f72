"""The review of a part of a collection shows, counts and crops that part."""

from pathlib import Path

import pictures
from conftest import Started  # type: ignore[attr-defined]  # (several conftest.py)
from deciding import decided

from cropkit.collection import Collection
from cropkit.records import Status
from cropkit.system.home import HOME


def test_a_part_is_reviewed_and_nothing_beside_it(folder: Path, start: Started) -> None:
    pictures.write_folder(folder / "2024")
    with Collection(folder) as whole:
        decided(whole, "a_stage2.png")
        decided(whole, "2024/a_stage2.png")
    browser = start(folder / "2024")
    browser.open()
    browser.shown()
    browser.written()
    assert f"{folder.name}/2024" in browser.words
    assert "1 of 5 decided" in browser.words
    assert {entry.path.partition("/")[0] for entry in browser.controller.session.entries} == {
        "2024"
    }
    browser.key("Enter")
    browser.shown()
    browser.written()
    assert browser.review.progress["total"] == 5
    assert browser.controller.counts == browser.review.collection.counts()
    browser.review.close()
    with Collection(folder) as whole:
        standing = whole.trail.decisions.standing_by_path()
        assert standing.pop("a_stage2.png").status is Status.WAITING
        assert {name.partition("/")[0] for name in standing} == {"2024"}
        assert {each.status for each in standing.values()} == {Status.CROPPED}
        assert whole.fsck() == []
    assert not (folder / "2024" / HOME).exists()


def test_two_parts_are_reviewed_side_by_side(folder: Path, start: Started) -> None:
    for name in ("2024", "2025"):
        pictures.write_folder(folder / name)
    Collection(folder).close()
    first, second = start(folder / "2024"), start(folder / "2025")
    assert not first.controller.closed
    start(folder / "2024")
    assert first.controller.closed
    assert not second.controller.closed
