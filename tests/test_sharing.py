"""Two users of one group work on one collection, each with their own key, state and umask."""

import grp
import json
import logging
import os
import pickle
import re
import shlex
import signal
import stat
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pictures
import pytest
import shell
import users
from deciding import decided
from patience import patient
from users import People, User

from cropkit.audit import keys
from cropkit.audit.compacting import Compacted
from cropkit.audit.keys import VARIABLE
from cropkit.audit.leases import Leases
from cropkit.batch import Batch
from cropkit.collection import Collection, rebuild
from cropkit.engine import sharing
from cropkit.errors import (
    AuditUnavailable,
    ForeignState,
    InsideCollection,
    NoCollection,
    NotShareable,
)
from cropkit.geometry import PixelBox, Size
from cropkit.records import CropResult, Problem, Status, Verdict
from cropkit.system import log
from cropkit.system.home import DATABASE, HOME, ORIGINALS, OWNERS, STAGE, segment
from cropkit.system.scope import Scope
from cropkit.workers.previews import PreviewReaderInThread

BOX = PixelBox(0, 0, 48, 48)
A, B = "a_stage2.png", "b_stage2.png"


@pytest.fixture
def people() -> Iterator[People]:
    with users.people() as there:
        yield there


@pytest.fixture
def album(people: People) -> Path:
    """Anna's images: the group may change them; nothing was done with them yet."""
    folder = pictures.write_folder(people.place / "album")
    for path in (*folder.glob("*.jp*g"), folder / "c.decision", folder / "d.decision"):
        path.unlink()  # JPEG needs a process, and no user but root may start this Python
    return users.give(folder, people.anna)


def group_of(user: User) -> str:
    return grp.getgrgid(user.gid).gr_name


def cropped(folder: Path, name: str) -> CropResult:
    with Collection(folder) as collection:
        return collection.crop(name, BOX)


def undone(folder: Path) -> list[CropResult]:
    with Collection(folder) as collection:
        return collection.undo()


def run(*words: str | Path) -> tuple[int, str, str]:
    done = shell.run(*words)
    return done.returncode, done.stdout, done.stderr


def compacted(folder: Path) -> Compacted:
    with Collection(folder) as collection:
        return collection.trail.compact(least=0)


def share(user: User, folder: Path, *more: str) -> tuple[int, str, str]:
    """Say that one shares a collection, as a person does."""
    words = more or ("--group", group_of(user))
    answer: tuple[int, str, str] = user.does(run, "share", folder, *words)
    return answer


@pytest.fixture
def shared(people: People, album: Path) -> Path:
    """The album after Anna has cropped an image, and both have said that they share it."""
    people.anna.does(cropped, album, A)
    for user in (people.anna, people.ben):
        assert share(user, album)[0] == 0
    return album


def leases_until(folder: Path, over: Path) -> list[Problem]:
    """Have an image before oneself until a file is there; return what went wrong."""
    told: list[Problem] = []
    with Collection(folder, reviewer="Anna") as kit:
        leases = Leases(kit.root, kit.trail.presence, told.append, told.append)
        while not over.exists():
            leases.claim(lambda _: (A,))
            time.sleep(0.02)
    return told


def leases_seen(folder: Path) -> tuple[dict[str, tuple[str, ...]], list[Problem]]:
    """Return who has what before them, as soon as anybody has, and what went wrong."""
    told: list[Problem] = []
    with Collection(folder, reviewer="Ben") as kit:
        leases = Leases(kit.root, kit.trail.presence, told.append, told.append)
        until = time.monotonic() + patient(20.0)
        while not (others := leases.others()) and time.monotonic() < until:
            time.sleep(0.02)
    return {each.reviewer: each.crops for each in others}, told


def test_a_colleague_sees_whose_page_is_whose(people: People, shared: Path) -> None:
    over = people.place / "over"
    with ThreadPoolExecutor(1) as beside:
        anna = beside.submit(people.anna.does, leases_until, shared, over)
        try:
            assert people.ben.does(leases_seen, shared) == ({"Anna": (A,)}, [])
        finally:
            over.touch()
        assert anna.result() == []


def state_of(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    home = folder / HOME
    return ((path, path.lstat()) for path in (home, *home.rglob("*")))


def is_image(path: Path) -> bool:
    return path.is_file() and path.parent.name in ("originals", "stage")


def check_usable(folder: Path, gid: int) -> None:
    """Hold all of a state to be the group's, but for images, which are what they were."""
    for path, status in state_of(folder):
        mode = stat.S_IMODE(status.st_mode)
        if is_image(path):
            continue
        assert status.st_gid == gid, path
        assert mode == (0o2770 if path.is_dir() else 0o660), (path, oct(mode))


# -- giving it ---------------------------------------------------------------------------------


def test_all_of_the_state_is_the_groups_and_no_image_is_changed(
    people: People, album: Path
) -> None:
    people.anna.does(cropped, album, A)
    before = {path: path.lstat() for path in (*album.iterdir(), *(album / ORIGINALS).iterdir())}
    code, said, _ = share(people.anna, album)
    assert code == 0
    assert "you trust the group" in said
    check_usable(album, people.anna.gid)
    after = {path: path.lstat() for path in before if path != album / HOME}
    for path, status in after.items():
        assert status == before[path], path


def test_a_colleague_packs_what_the_owner_wrote_and_both_go_on(
    people: People, shared: Path
) -> None:
    for number, user in enumerate((people.ben, people.anna), start=1):
        user.does(cropped, shared, B)
        done = user.does(compacted, shared)
        assert done.left is None
        assert done.moved.names == (Path(segment(number)).name,)
        check_usable(shared, people.anna.gid)
        other = people.anna if user is people.ben else people.ben
        assert all(each.ok for each in other.does(undone, shared))
    for user in (people.anna, people.ben):
        assert user.does(run, "fsck", shared)[0] == 0
    (shared / DATABASE).unlink()
    assert people.anna.does(run, "fsck", shared, "--rebuild")[0] == 0


def test_what_is_made_later_is_the_groups_whatever_the_umask_says(
    people: People, shared: Path
) -> None:
    people.ben.does(cropped, shared, B)
    people.ben.does(previewed, shared, B)
    people.anna.does(undone, shared)
    people.anna.does(rotated_log, shared)
    people.ben.does(batch, shared)
    people.anna.does(rebuild, shared)
    check_usable(shared, people.anna.gid)
    owners = {status.st_uid for _, status in state_of(shared)}
    assert owners == {people.anna.uid, people.ben.uid}


def previewed(folder: Path, name: str) -> int:
    reader = PreviewReaderInThread(Scope(folder))
    return len(reader.read(name, Size(32, 32)).jpeg)


def rotated_log(folder: Path) -> None:
    handler = log.attach(folder / HOME / "cropkit.log", "now")
    try:
        logging.getLogger("cropkit").warning("something")
        handler.maxBytes = 1
        handler.doRollover()
        logging.getLogger("cropkit").warning("something more")
    finally:
        log.detach(handler)


def batch(folder: Path) -> str:
    with Batch(folder, source="suggestions", workers=1) as run_of_it:
        run_of_it.apply()
        return run_of_it.run.state


def test_it_is_told_as_json_and_asked_for(people: People, shared: Path) -> None:
    code, said, _ = share(people.ben, shared, "--json")
    facts = json.loads(said)
    assert code == 0
    assert facts["group"] == facts["trusted"] == group_of(people.anna)
    assert facts["owner"] != "you"
    code, said, _ = share(people.anna, shared, "--group", group_of(people.anna), "--json")
    assert (code, json.loads(said)["changed"]) == (0, 0)


def test_images_that_the_group_cannot_crop_are_told_with_a_cure_that_works(
    people: People, album: Path
) -> None:
    people.anna.does(cropped, album, A)
    album.chmod(0o755)
    (album / B).chmod(0o600)
    assert "1 folders that it may not write to, 1 images that it may not read" in (
        told := share(people.anna, album)[2]
    )
    share(people.ben, album)
    assert "ReadOnly: " in people.ben.does(run, "crop", album / B, "--box", "0,0,48,48")[2]
    assert os.system(told.split("`")[1]) == 0  # noqa: S605  (what a person is told to run)
    assert people.ben.does(cropped, album, B).ok
    assert share(people.anna, album)[2] == ""


def test_a_second_name_of_an_image_is_left_alone(people: People, album: Path) -> None:
    people.anna.does(cropped, album, A)
    (kept,) = (album / ORIGINALS).iterdir()
    kept.chmod(0o600)
    (album / "e.png").hardlink_to(kept)
    code, _, told = share(people.anna, album)
    assert code == 1
    assert "it has another name, which may be an image's" in told
    assert stat.S_IMODE((album / "e.png").stat().st_mode) == 0o600


def test_an_original_that_the_group_cannot_read_is_given_to_it(people: People, album: Path) -> None:
    (album / A).chmod(0o600)
    people.anna.does(cropped, album, A)
    (album / A).chmod(0o664)
    assert share(people.anna, album)[0] == share(people.ben, album)[0] == 0
    assert people.ben.does(undone, album)[0].ok


# -- working on it -----------------------------------------------------------------------------


def test_each_crops_and_takes_back_what_the_other_did(people: People, shared: Path) -> None:
    original = (shared / B).read_bytes()
    for first, second in ((people.anna, people.ben), (people.ben, people.anna)):
        result = first.does(cropped, shared, B)
        assert result.status is Status.CROPPED
        (back,) = second.does(undone, shared)
        assert back.status is Status.RESTORED
        assert (shared / B).read_bytes() == original


def test_an_owner_that_a_colleague_cannot_keep_is_told_and_the_group_stays(
    people: People, shared: Path
) -> None:
    another = people.carl.gid  # of the image alone; Ben is in both
    os.chown(shared / B, people.anna.uid, another)
    (shared / B).chmod(0o6664)
    code, said, told = replace(people.ben, groups=(another,)).does(
        run, "crop", shared / B, "--box", "0,0,48,48", "--json"
    )
    assert code == 0
    lost = [each["item"] for each in json.loads(said)["dropped"]]
    assert lost == ["owner", "set-id bits"]
    assert "b_stage2.png: without its owner" in told
    status = (shared / B).stat()
    assert (status.st_uid, status.st_gid) == (people.ben.uid, another)
    assert stat.S_IMODE(status.st_mode) == 0o664


def test_what_a_colleague_sets_aside_is_told_to_have_lost_its_owner_and_comes_back(
    people: People, shared: Path
) -> None:
    (shared / B).chmod(0o644)  # no second name can be given to what one may not write
    before = (shared / B).read_bytes()
    result = people.ben.does(rejected, shared, B)
    assert result.ok
    assert "owner" in [item for item, _ in result.dropped]
    assert not (shared / B).exists()
    (back,) = people.anna.does(undone, shared)
    assert back.ok
    assert (shared / B).read_bytes() == before
    assert people.ben.does(run, "fsck", shared)[0] == 0


def rejected(folder: Path, name: str) -> CropResult:
    with Collection(folder) as collection:
        return collection.apply(decided(collection, name, Verdict.REJECT, None))


def test_every_look_at_it_is_calm_for_both(people: People, shared: Path) -> None:
    people.ben.does(cropped, shared, B)
    for user in (people.anna, people.ben):
        for command in ("fsck", "health", "history", "stats", "recover", "originals"):
            code, said, told = user.does(run, command, shared)
            assert code == 0, (command, said, told)
            assert "ForeignState" not in said + told


def test_a_decision_of_one_is_carried_out_by_the_other(people: People, shared: Path) -> None:
    people.anna.does(decides, shared, B)
    assert people.ben.does(run, "apply", shared)[0] == 0
    assert people.ben.does(run, "purge", shared, "--older-than", "0d")[0] == 0
    assert not list((shared / ORIGINALS).iterdir())


def decides(folder: Path, name: str) -> str:
    with Collection(folder) as collection:
        return decided(collection, name)


def test_a_batch_of_one_goes_on_with_what_the_other_has_begun(people: People, shared: Path) -> None:
    assert people.anna.does(batch, shared) == "finished"
    people.anna.does(undone, shared)
    people.anna.does(decides, shared, B)
    assert people.ben.does(run_queue, shared) == "finished"


def run_queue(folder: Path) -> str:
    with Batch(folder, workers=1) as run_of_it:
        run_of_it.apply()
        return run_of_it.run.state


def test_a_collection_of_one_is_merged_into_that_of_the_other(people: People, album: Path) -> None:
    inner = users.give(pictures.write_folder(album / "inner"), people.ben)
    people.ben.does(cropped, inner, A)
    assert share(people.ben, inner)[0] == 0
    people.anna.does(cropped, album, B)
    code, _, told = share(people.anna, album)
    assert code == 0
    assert "inner is a collection of its own, and is not shared by this" in told
    assert "lies in the collection" in share(people.anna, inner)[2]
    assert share(people.ben, album)[0] == 0
    code, _, told = people.anna.does(run, "merge", album, inner)
    assert code == 0, told
    check_usable(album, people.anna.gid)
    (back,) = people.ben.does(undo_one, album, f"inner/{A}")
    assert back.ok


def undo_one(folder: Path, name: str) -> list[CropResult]:
    with Collection(folder) as collection:
        return collection.undo(name)


def test_both_are_at_work_at_once(people: People, shared: Path) -> None:
    with working(people.ben, shared):
        for _ in range(2):
            assert people.anna.does(cropped, shared, B).ok
            assert people.anna.does(undo_one, shared, B)[0].ok
        assert people.anna.does(run, "recover", shared)[0] == 0
    assert people.ben.does(cropped, shared, B).ok
    assert people.anna.does(run, "fsck", shared)[0] == 0


@contextmanager
def working(user: User, folder: Path) -> Iterator[None]:
    """Let somebody have a collection open inside the block."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        user.dies(at_work, folder, writing)
        os._exit(0)
    os.close(writing)
    try:
        assert os.read(reading, 1)
        yield
    finally:
        os.close(reading)
        os.waitpid(child, 0)


# -- one who dies ------------------------------------------------------------------------------


class Killed(ModuleType):
    """`os` for a process that is killed at one of its calls, before or after the effect."""

    def __init__(self, at: str, *, after: bool) -> None:
        super().__init__("killed")
        self._at, self._after = at, after

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        return self._dying(real) if name == self._at else real

    def _dying(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def die(*arguments: Any, **named: Any) -> None:
            if self._after:
                real(*arguments, **named)
            os.kill(os.getpid(), signal.SIGKILL)

        return die


def dies(folder: Path, name: str, at: str) -> None:
    """Crop, and be killed "after link", say."""
    when, _, call = at.partition(" ")
    Collection(folder, system=Killed(call, after=when == "after")).crop(name, BOX)


@pytest.mark.parametrize(
    ("at", "status"), [("before replace", "aborted"), ("after replace", "done")]
)
def test_what_a_killed_colleague_left_stops_nothing_and_is_settled_when_it_is_adopted(
    people: People, shared: Path, at: str, status: str
) -> None:
    people.anna.does(undone, shared)
    original = (shared / A).read_bytes()
    assert people.ben.dies(dies, shared, A, at)[0] == -signal.SIGKILL
    assert [path.stat().st_uid for path in (shared / OWNERS).iterdir()] == [people.ben.uid]
    assert people.anna.does(cropped, shared, B).ok
    check_adopted(people, shared)
    assert ((shared / A).read_bytes() == original) is (status == "aborted")
    assert people.anna.does(undo_one, shared, B)[0].ok


def check_adopted(people: People, folder: Path) -> None:
    """Let Anna adopt what is open, and hold both to find nothing left of it."""
    code, said, _ = people.anna.does(run, "adopt", folder, "--yes")
    assert code == 0
    assert "would settle: crop" in said
    check_settled(people.anna.does(run, "recover", folder), folder)
    assert people.ben.does(run, "fsck", folder)[0] == 0


def check_settled(recover: tuple[int, str, str], folder: Path) -> None:
    code, _, told = recover
    assert code == 0, told
    assert "nothing was open" not in told
    assert not list((folder / OWNERS).iterdir())
    assert not list((folder / STAGE).iterdir())


def test_a_killed_colleague_settles_it_at_the_next_opening(people: People, shared: Path) -> None:
    assert people.ben.dies(dies, shared, B, "after replace")[0] == -signal.SIGKILL
    check_settled(people.ben.does(run, "recover", shared), shared)
    assert people.anna.does(run, "fsck", shared)[0] == 0


@pytest.fixture
def key(people: People) -> Path:
    """A key for the group, as the runbook has it made."""
    path = people.place / "key"
    path.write_bytes(b"k" * 32)
    os.chown(path, 0, people.anna.gid)
    path.chmod(0o640)
    return path


def test_with_one_key_it_is_settled_by_whoever_comes_next(
    people: People, album: Path, key: Path
) -> None:
    people.anna.does(with_key, key, cropped, album, A)
    assert share(people.anna, album)[0] == share(people.ben, album)[0] == 0
    ended, _ = people.ben.dies(with_key, key, dies, album, B, "after replace")
    assert ended == -signal.SIGKILL
    check_settled(people.anna.does(with_key, key, run, "recover", album), album)
    assert people.ben.does(with_key, key, run, "fsck", album)[0] == 0


def test_a_key_that_both_have_is_nothing_new_to_either(
    people: People, album: Path, key: Path
) -> None:
    people.anna.does(with_key, key, cropped, album, A)
    assert share(people.anna, album)[0] == share(people.ben, album)[0] == 0
    for user in (people.ben, people.anna):
        code, _, told = user.does(with_key, key, run, "undo", album)
        assert code in (0, 1)
        assert "adopted" not in told
        assert "cannot be verified" not in user.does(with_key, key, run, "fsck", album)[2]


def with_key(key: Path, what: Callable[..., Any], *arguments: Any) -> Any:
    os.environ[VARIABLE] = str(key)
    return what(*arguments)


# -- ending it ---------------------------------------------------------------------------------


def test_a_colleague_who_shares_no_more_trusts_nobody(people: People, shared: Path) -> None:
    assert share(people.ben, shared, "--stop")[0] == 0
    with pytest.raises(ForeignState, match="with whom you do not share it"):
        people.ben.does(cropped, shared, B)
    assert people.anna.does(cropped, shared, B).ok


def test_the_owner_takes_it_back_with_all_that_colleagues_made(
    people: People, shared: Path
) -> None:
    people.ben.does(cropped, shared, B)
    people.ben.does(rebuild, shared)
    assert (shared / DATABASE).stat().st_uid == people.ben.uid
    assert share(people.anna, shared, "--stop")[0] == 0
    for path, status in state_of(shared):
        if not is_image(path):
            assert status.st_uid == people.anna.uid, path
            assert stat.S_IMODE(status.st_mode) & 0o077 == 0, path
    assert people.anna.does(undone, shared)[0].ok
    assert people.anna.does(run, "fsck", shared)[0] == 0
    with pytest.raises((ForeignState, AuditUnavailable)):
        people.ben.does(cropped, shared, A)


def test_it_is_not_taken_back_while_somebody_is_at_work(people: People, shared: Path) -> None:
    with working(people.ben, shared):
        code, _, told = share(people.anna, shared, "--stop")
        assert code == 1
        assert "somebody is at work on it" in told
        assert sharing.standing(shared).group == people.anna.gid


def at_work(folder: Path, pipe: int) -> None:
    with Collection(folder):
        os.write(pipe, b".")
        while True:  # until nobody listens
            signal.signal(signal.SIGPIPE, signal.SIG_IGN)
            try:
                os.write(pipe, b"." * 1000)
            except BrokenPipeError:
                return


# -- what cannot be shared ---------------------------------------------------------------------


def refused(user: User, folder: Path, error: type[Exception], *more: str) -> str:
    code, _, told = share(user, folder, *more)
    assert code == 1
    assert f"cropkit: {error.__name__}: " in told
    assert "Traceback" not in told
    return told


def test_what_cannot_be_shared_is_told_in_a_sentence(people: People, album: Path) -> None:
    anna, ben, carl = people.anna, people.ben, people.carl
    assert "no collection" in refused(anna, album, NoCollection)
    anna.does(cropped, album, A)
    (album / "part").mkdir()
    assert "there is no group" in refused(anna, album, NotShareable, "--group", "no\x1bsuch")
    assert "you are not in the group" in refused(
        anna, album, NotShareable, "--group", group_of(carl)
    )
    assert "has not shared it with" in refused(ben, album, NotShareable)
    assert "who is not in the group" in refused(carl, album, NotShareable)
    for user in (anna, ben):
        assert "all of it is shared" in refused(user, album / "part", InsideCollection)
    assert sharing.standing(album).group is None


def test_a_name_that_is_no_folder_is_told(people: People, album: Path) -> None:
    (album / HOME).symlink_to(people.place)
    assert "where a folder belongs" in refused(people.anna, album, ForeignState)
    assert "not a folder" in share(people.anna, album / A)[2]


def test_media_that_can_only_be_read_are_told(
    people: People, album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    people.anna.does(cropped, album, A)

    def refuse(*_arguments: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(os, "fchmod", refuse)
    code, _, told = share(people.anna, album)
    assert code == 1
    assert "ReadOnly: " in told
    assert share(people.anna, album, "--json")[1].count('"trusted": null') == 1


def test_an_error_crosses_a_process() -> None:
    error = NotShareable("album", "there is no group 'x'")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301  (our own)


# -- as the runbook has it -----------------------------------------------------------------------


def runbook_blocks() -> list[list[str]]:
    """The commands of the runbook's part, each block with the comments that say who runs them."""
    text = (Path(__file__).parent.parent / "docs" / "runbook.md").read_text(encoding="utf-8")
    part = text.partition("## Several users of one collection\n")[2]
    return [block.splitlines() for block in re.findall(r"```sh\n(.*?)```", part, re.DOTALL)]


def run_line(place: Path, line: str) -> int:
    os.chdir(place)
    if line.startswith("cropkit "):
        return shell.run(*shlex.split(line)[1:]).returncode
    return os.waitstatus_to_exitcode(os.system(line))  # noqa: S605  (what a person is told to run)


def test_what_the_runbook_tells_several_users_is_true(people: People, album: Path) -> None:
    pictures_there = album.rename(people.place / "pictures")
    people.anna.does(cropped, pictures_there, A)
    pictures_there.chmod(0o755)
    blocks = runbook_blocks()
    assert len(blocks) == 4
    for number, lines in enumerate(blocks):
        if number == 1:
            new = User(people.ben.uid, people.ben.gid, people.place / "another state")
            new.state.mkdir(mode=0o700)
            os.chown(new.state, new.uid, new.gid)
            assert share(new, pictures_there)[0] == 0
            assert new.dies(dies, pictures_there, B, "before replace")[0] == -signal.SIGKILL
        user = people.root
        for line in lines:
            if line.startswith("# "):
                user = getattr(people, line[2:].partition(",")[0])
                continue
            command = line.replace("GROUP", group_of(people.anna)).replace("/backup", ".")
            assert user.does(run_line, people.place, command) == 0, line
    key = people.place / "pictures.key"
    assert (key.stat().st_uid, key.stat().st_size) == (0, 32)
    assert people.ben.does(with_key, key, keys.of_person).secret == key.read_bytes()
