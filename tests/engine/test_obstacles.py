"""A full disk, a folder without permission: decisions wait until that is over, and are told of."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import states

from cropkit import clock
from cropkit.cli import main
from cropkit.collection import Collection
from cropkit.errors import NoSpace, ReadOnly
from cropkit.geometry import PixelBox
from cropkit.monitor import inspection
from cropkit.records import Decision, Status, Verdict
from cropkit.system.files import Root

BOX = PixelBox(2, 2, 30, 20)
IMAGES = (states.IMAGE, states.OTHER, "c.jpg", "d.jpg", "e.jpeg")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> states.Place:
    return states.make(tmp_path, monkeypatch)


def decide(collection: Collection, path: str, verdict: Verdict = Verdict.ADJUSTED) -> Decision:
    look, moment = collection.look(path), clock.now()
    box = BOX if verdict is Verdict.ADJUSTED else None
    made = Decision(
        *(path, look.sha256, look.size, verdict, box, collection.reviewer, collection.session),
        shown_at=moment,
        decided_at=moment,
    )
    collection.decide([made])
    return made


def fill(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Root, "free_bytes", lambda _: 0)


def pictures_in(place: states.Place) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in place.folder.iterdir() if p.is_file()}


@pytest.mark.parametrize("verdict", [Verdict.ADJUSTED, Verdict.REJECT])
def test_what_a_full_disk_stops_waits_and_is_carried_out_when_there_is_room(
    place: states.Place, verdict: Verdict
) -> None:
    before = pictures_in(place)
    with place.collection() as collection:
        made = [decide(collection, path, verdict) for path in IMAGES]
        with pytest.MonkeyPatch.context() as patch:
            fill(patch)
            results = collection.apply_waiting()
        assert results
        assert {(r.status, r.code, r.ok) for r in results} == {(Status.WAITING, "NoSpace", False)}
        assert pictures_in(place) == before
        assert collection.counts().waiting == len(made)
        done = collection.apply_waiting()
        assert [r.ok for r in done] == [True] * len(made)
        assert {s.code for s in collection.trail.decisions.standing_by_path().values()} == {None}
    assert pictures_in(place) != before


def test_a_full_disk_ends_a_batch_at_once(
    place: states.Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    with place.collection() as collection:
        many = [decide(collection, path) for path in IMAGES]
        fill(monkeypatch)
        results = collection.apply_waiting()
        assert 1 <= len(results) < len(many)  # the first group, whose size is a guess


def test_the_shell_says_so_and_fails(
    place: states.Place, capsys: pytest.CaptureFixture[str]
) -> None:
    with place.collection() as collection:
        decide(collection, states.IMAGE)
    with pytest.MonkeyPatch.context() as patch:
        fill(patch)
        assert main(["apply", str(place.folder)]) == 1
    assert "Make room on the disk" in capsys.readouterr().err
    assert main(["apply", str(place.folder), "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)["results"]
    assert told["status"] == "cropped"


@pytest.fixture
def open_to_all(monkeypatch: pytest.MonkeyPatch) -> Iterator[states.Place]:
    with tempfile.TemporaryDirectory() as root:  # pytest's own are closed to others
        yield states.make(Path(root), monkeypatch)


def test_a_folder_without_permission_leaves_the_decision_waiting(open_to_all: states.Place) -> None:
    place = open_to_all
    with place.collection() as collection:
        made = decide(collection, states.IMAGE)
    with states.unprivileged(place):
        place.folder.chmod(0o555)
        try:
            with place.collection() as collection:
                result = collection.apply(made.id)
                assert (result.status, result.code) == (Status.WAITING, ReadOnly.__name__)
        finally:
            place.folder.chmod(0o755)
        with place.collection() as collection:
            assert collection.apply(made.id).status is Status.CROPPED


def test_a_crop_that_was_asked_for_now_is_not_made_later(place: states.Place) -> None:
    with place.collection() as collection:
        with pytest.MonkeyPatch.context() as patch:
            fill(patch)
            with pytest.raises(NoSpace):
                collection.crop(states.IMAGE, BOX)
        assert collection.counts().waiting == 0
        assert collection.apply_waiting() == []


def test_an_undo_that_has_no_room_is_refused_and_can_be_asked_for_again(
    place: states.Place,
) -> None:
    with place.collection() as collection:
        made = decide(collection, states.IMAGE)
        collection.apply(made.id)
        with pytest.MonkeyPatch.context() as patch:
            fill(patch)
            assert collection.undoer.retract(made.id).status is Status.REFUSED
        assert collection.undoer.retract(made.id).ok


def test_what_an_obstacle_took_back_is_no_recovery(place: states.Place) -> None:
    with place.collection() as collection:
        decide(collection, states.IMAGE)
        with pytest.MonkeyPatch.context() as patch:
            fill(patch)
            collection.apply_waiting()
    assert inspection.examine(place.folder, clock.now()).recovered == []
