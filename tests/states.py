"""Collections in every state that the runbook tells of, made with the real engine.

A state is a generator: it puts the collection into the state and yields; what follows is what a
person does by hand before the cure (ends a program, mounts a disk, waits for nothing).
"""

import grp
import hashlib
import json
import multiprocessing
import os
import shutil
import socket
import sqlite3
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import faults
import jpeg_builder as jpg
import pictures
import png_builder as png
import pytest
from PIL import Image

from cropkit import clock, formats
from cropkit.audit import probe, store, store_reader
from cropkit.audit.operation import Operation, OperationKind, OperationState
from cropkit.audit.trail import AuditTrail
from cropkit.collection import Collection
from cropkit.errors import (
    ApplierDied,
    BadDecision,
    InDoubt,
    UnfitCredentials,
    VerificationFailed,
    WriteFailed,
)
from cropkit.formats import codecs, webp
from cropkit.geometry import PixelBox
from cropkit.lossless import library, process
from cropkit.monitor.delivery import alerts_file
from cropkit.records import CropResult, Decision, Problem, ProblemKind, Status, Verdict
from cropkit.review.runtime.review_store import ReviewStore
from cropkit.system import mounts, signing
from cropkit.system.files import Root
from cropkit.system.mounts import Mount

BOX = PixelBox(0, 0, 48, 48)
IMAGE, OTHER, JPEG = "a_stage2.png", "b_stage2.png", "photo.jpg"
NOBODY = 65534


@dataclass
class Place:
    """Where the commands are run: `pictures`, and `/backup` with copies of it."""

    root: Path
    patch: pytest.MonkeyPatch
    names: dict[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return self.root / "pictures"

    @property
    def home(self) -> Path:
        return self.folder / ".cropkit"

    @property
    def backup(self) -> Path:
        return self.root / "backup"

    def collection(self, **options: Any) -> Collection:
        return Collection(self.folder, reviewer="tester", **options)

    def crop(self, name: str = IMAGE) -> None:
        with self.collection() as collection:
            collection.crop(name, BOX)

    def alerts(self, text: str, *, approved: bool) -> None:
        (self.home / "alerts.toml").write_text(text)
        file = alerts_file.of_collection(self.folder)
        if approved and file:
            alerts_file.approve(file)

    def later(self, by: timedelta) -> None:
        real = clock.now
        self.patch.setattr(clock, "now", lambda: real() + by)


def make(root: Path, patch: pytest.MonkeyPatch) -> Place:
    place = Place(root, patch)
    pictures.write_folder(place.folder)
    shutil.copytree(place.folder, place.backup)
    return place


Begun = Iterator[None]


# -- what is wrong with the folder or its database -----------------------------------------------


def nothing(_place: Place) -> Begun:
    yield


@contextmanager
def unprivileged(place: Place) -> Begun:
    """Be somebody to whom permissions apply: root is nobody for a while."""
    if os.geteuid() != 0:
        yield
        return
    for path in (place.root, *place.root.rglob("*")):
        os.chown(path, NOBODY, NOBODY)
    place.root.chmod(0o755)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def unreadable(place: Place) -> Begun:
    place.crop()
    with unprivileged(place):
        place.folder.chmod(0)
        yield


def missing(place: Place) -> Begun:
    place.crop()
    for path in place.home.glob("cropkit.db*"):
        path.unlink()
    yield


def behind(place: Place) -> Begun:
    place.crop()
    old = (place.home / "cropkit.db").read_bytes()
    place.crop(OTHER)
    (place.home / "cropkit.db").write_bytes(old)
    yield


def unwritable(place: Place) -> Begun:
    place.crop()
    with unprivileged(place):
        for path in (*place.home.rglob("*"), place.home):
            path.chmod(0o555 if path.is_dir() else 0o444)
        yield


def locked(place: Place) -> Begun:
    place.crop()
    with closing(sqlite3.connect(place.home / "cropkit.db")) as rival:
        rival.execute("BEGIN EXCLUSIVE")
        yield
        rival.rollback()


def locked_image(place: Place) -> Begun:
    with place.collection():
        pass
    yield from locked_only(place)


def locked_only(place: Place) -> Begun:
    with closing(sqlite3.connect(place.home / "cropkit.db")) as rival:
        rival.execute("BEGIN EXCLUSIVE")
        yield
        rival.rollback()


def corrupt(place: Place) -> Begun:
    place.crop()
    path = place.home / "cropkit.db"
    whole = bytearray(path.read_bytes())
    for page in range(2, len(whole) // 4096):
        whole[page * 4096 : page * 4096 + 512] = b"\xa5" * 512
    path.write_bytes(whole)
    yield


def garbage(place: Place) -> Begun:
    place.crop()
    (place.home / "cropkit.db").write_bytes(b"not a database, but long enough" * 400)
    yield


def tampered(place: Place) -> Begun:
    place.crop()
    with closing(sqlite3.connect(place.home / "cropkit.db")) as db, db:
        db.execute("UPDATE audit SET at = '2020-01-01T00:00:00.000000Z' WHERE seq = 2")
    yield


def resealed(place: Place) -> Begun:
    """Somebody added an event, and could not seal it."""
    place.crop()
    with closing(sqlite3.connect(place.home / "cropkit.db")) as db, db:
        db.execute(
            "INSERT INTO audit (at, session, event, body, previous, hash)"
            " SELECT at, session, 'acknowledged', body, hash, printf('%064d', seq)"
            " FROM audit ORDER BY seq DESC LIMIT 1"
        )
    yield


def of_somebody_else(place: Place) -> Begun:
    """A row says another thing than the trail, in a state that this person has never seen."""
    place.crop()
    with closing(sqlite3.connect(place.home / "cropkit.db")) as db, db:
        db.execute("UPDATE decision SET reviewer = 'somebody else'")
    place.patch.setenv("XDG_STATE_HOME", str(place.root / "state"))
    yield


def with_a_group(place: Place) -> Begun:
    place.crop()
    place.names["GROUP"] = grp.getgrgid(os.getegid()).gr_name
    yield


def key_for_all(place: Place) -> Begun:
    path = place.root / "shared.key"
    path.write_bytes(b"a key of some more than 32 bytes, for tests")
    path.chmod(0o644)
    place.patch.setenv("CROPKIT_KEY", str(path))
    yield


def in_the_way(place: Place) -> Begun:
    place.home.write_text("a file")
    yield


def linked_state(place: Place) -> Begun:
    place.crop()
    (place.root / "diary.txt").write_text("dear diary")
    (place.home / "trail.jsonl").unlink()
    (place.home / "trail.jsonl").symlink_to(place.root / "diary.txt")
    yield


def network(place: Place) -> Begun:
    yield from _mounted_as(place, Mount("nfs4", ("vers=4.2", "hard")))


def unfit_to_share(place: Place) -> Begun:
    place.patch.setenv("CROPKIT_TRAIL", "postgresql://nobody@127.0.0.1:1/nothing")
    yield from _mounted_as(place, Mount("nfs4", ("vers=4.2", "soft")))


def _mounted_as(place: Place, mount: Mount) -> Begun:
    real = mounts.mount_of
    for module in (store, store_reader):
        place.patch.setattr(
            module, "mount_of", lambda path: mount if path == place.folder else real(path)
        )
    yield


def no_locks(place: Place) -> Begun:
    place.crop()
    place.patch.setattr(probe, "is_free", lambda path: place.folder in path.parents)
    yield


# -- what happened in it -------------------------------------------------------------------------


def degraded(place: Place) -> Begun:
    with place.collection() as collection:
        collection.begin_run("review")
        ReviewStore(collection).shown(20)
        for number in range(3):
            collection.problems.report(
                Problem(ProblemKind.SUGGESTION, f"{number}.decision", "not JSON")
            )
    yield


def idle(place: Place) -> Begun:
    decided(place)
    place.later(timedelta(days=8))
    yield


def decided(place: Place, name: str = IMAGE, shown: PixelBox | None = None) -> str:
    with place.collection() as collection:
        look, at = collection.look(name), clock.now()
        made = Decision(
            *(
                name,
                look.sha256,
                look.size,
                Verdict.ADJUSTED,
                BOX,
                collection.reviewer,
                collection.session,
            ),
            shown_at=at,
            decided_at=at,
            shown=shown,
        )
        collection.decide([made])
        return made.id


def killed(work: Callable[[], object]) -> None:
    """Do something in a process that dies of it, as by SIGKILL."""
    child = multiprocessing.get_context("fork").Process(target=work)
    child.start()
    child.join()
    assert child.exitcode == 9


def vanished(place: Place) -> Begun:
    def review() -> None:
        collection = place.collection()
        collection.begin_run("review")
        os._exit(9)

    killed(review)
    place.later(timedelta(minutes=5))
    yield


def hanging(place: Place) -> Begun:
    """A batch that is there and does nothing; somebody ends it."""
    with place.collection() as collection:
        collection.begin_run("batch")
        place.later(timedelta(minutes=20))
        yield


def cut_off(place: Place, effect: str = "replace") -> None:
    """Let a crop die at its first rename: it is prepared, and nothing is switched."""

    class Deadly(faults.Faulty):
        def __getattr__(self, name: str) -> Any:
            if name == effect:
                return lambda *_args, **_kwargs: os._exit(9)
            return getattr(os, name)

    killed(lambda: place.collection(system=Deadly(-1, lambda _name: None)).crop(IMAGE, BOX))


def unsettled(place: Place) -> Begun:
    cut_off(place)
    yield


def unvouched(place: Place) -> Begun:
    """An operation was cut off before a newer cropkit came, in which each is vouched for."""
    cut_off(place)
    faults.as_format_6(place.folder)
    yield


def recovered(place: Place) -> Begun:
    cut_off(place)
    with place.collection():
        yield


def conflict(place: Place) -> Begun:
    cut_off(place)
    (place.root / "new").write_bytes(b"somebody else's")
    (place.root / "new").replace(place.folder / IMAGE)
    with place.collection():
        pass
    yield


def in_doubt(place: Place) -> Begun:
    made = decided(place)
    with place.collection() as collection:
        error = InDoubt(IMAGE, "0123456789ab", "the disk failed twice")
        collection.trail.settle(made, CropResult(Status.IN_DOUBT, IMAGE, error.code, str(error)))
    yield


def damaged(place: Place) -> Begun:
    place.crop()
    (kept,) = (place.home / "originals").iterdir()
    kept.write_bytes(b"bit rot")
    yield


def edited(place: Place) -> Begun:
    place.crop()
    shutil.copy(place.folder / IMAGE, place.backup / "crop.png")
    (place.folder / IMAGE).write_bytes(b"edited")
    yield


def full_disk(place: Place) -> Begun:
    decided(place)
    with place.patch.context() as full:
        full.setattr(Root, "free_bytes", lambda _root: 1000)
        yield


def used_up(place: Place) -> Begun:
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(place.folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("mounting a small tmpfs takes root")
    try:
        pictures.write_folder(place.folder)
        place.crop()
        fill(place.folder / "fill")
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place.folder)], check=True)


def fill(path: Path) -> None:
    """Leave not one byte to whoever comes next."""
    with path.open("wb", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            with suppress(OSError):
                while file.write(b"x" * size):
                    pass


def too_new(place: Place) -> Begun:
    place.crop()
    shutil.copy(place.home / "cropkit.db", place.backup / "cropkit.db")
    with closing(sqlite3.connect(place.home / "cropkit.db")) as db:
        db.execute("PRAGMA user_version=99")
    yield


def pigeon(place: Place) -> Begun:
    place.crop()
    place.alerts('[[sink]]\nkind = "pigeon"\n', approved=True)
    yield


def unapproved(place: Place) -> Begun:
    place.crop()
    place.alerts('[[sink]]\nkind = "log"\n', approved=False)
    yield


def others_may_write(place: Place) -> Begun:
    place.crop()
    place.patch.setenv("XDG_STATE_HOME", str(place.root / "state"))
    place.alerts('[[sink]]\nkind = "log"\n', approved=True)
    (place.root / "state" / "cropkit").chmod(0o777)
    yield


def nobody_listens(place: Place) -> Begun:
    place.crop()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/"
    text = f'[[sink]]\nkind = "webhook"\nurl = "{url}"\ntries = 1\n'
    place.alerts(text, approved=True)
    yield


def well(place: Place) -> Begun:
    place.crop()
    yield


# -- what is wrong with an image or a request ----------------------------------------------------


def image(name: str, data: bytes) -> Callable[[Place], Begun]:
    def state(place: Place) -> Begun:
        (place.folder / name).write_bytes(data)
        yield

    return state


def bad_decision(place: Place) -> Begun:
    with place.collection() as collection:
        error = BadDecision(IMAGE, "no reviewer")
        collection.problems.report(Problem(ProblemKind.DECISION, IMAGE, f"{error.code}: {error}"))
    yield


def bad_suggestion(place: Place) -> Begun:
    (place.folder / "a_stage2.decision").write_text("{broken")
    with place.collection() as collection:
        collection.suggestions(collection.look(IMAGE))
    yield


def stale(place: Place) -> Begun:
    decided(place)
    pictures.write_png(place.folder / IMAGE, pictures.photo(104, 152, 9))
    yield


def overtaken(place: Place) -> Begun:
    """Two decided about one image, the second before the first was carried out."""
    decided(place)
    decided(place)
    yield


def shown_otherwise(place: Place) -> Begun:
    """A decision on a JPEG that was shown on the grid of whole blocks, and is to be exact now."""
    pictures.write_jpeg(place.folder / JPEG, pictures.photo(104, 152))
    decided(place, JPEG, shown=PixelBox(0, 0, 64, 64))
    yield


def without_libjpeg(place: Place) -> Begun:
    pictures.write_jpeg(place.folder / JPEG, pictures.photo(104, 152))
    with place.patch.context() as broken:
        broken.setattr(library, "candidates", tuple)
        process.pool().close()
        yield


def without_codecs(place: Place) -> Begun:
    picture = pictures.encoded(pictures.photo(104, 152), "WEBP", quality=90)
    (place.folder / "photo.webp").write_bytes(picture)
    with place.patch.context() as broken:
        broken.setattr(codecs, "codec", missing_codec)
        broken.setattr(webp, "codec", missing_codec)
        yield


def missing_codec(*_: object, **__: object) -> None:
    raise ModuleNotFoundError("No module named 'imagecodecs'", name="imagecodecs")


def begun_only(place: Place) -> Begun:
    with place.collection():
        pass
    yield


def inside(place: Place) -> Begun:
    """A folder of pictures in the collection."""
    place.crop()
    (place.folder / "2024").mkdir()
    shutil.copy(place.backup / IMAGE, place.folder / "2024" / IMAGE)
    yield


def spoilt_suggestions(place: Place) -> Begun:
    boxes = place.root / "boxes.csv"
    boxes.write_text(f"path,x1,y1,x2,y2\n{IMAGE},1,1,40,40\n", encoding="utf-8")
    with Collection(place.folder) as collection:
        collection.import_labels(boxes)
    imported = place.folder / ".cropkit" / "suggestions.db"
    data = imported.read_bytes()
    imported.write_bytes(data[:4096] + b"\xff" * (len(data) - 4096))
    yield


def nested(place: Place) -> Begun:
    """A collection that was made in a folder of another one."""
    another(place)
    place.crop()
    (place.root / "other").rename(place.folder / "2024")
    yield


def beside(place: Place) -> Begun:
    """A collection that lies beside the other one."""
    place.crop()
    another(place)
    yield


def another(place: Place) -> None:
    (place.root / "other").mkdir()
    shutil.copy(place.backup / IMAGE, place.root / "other" / IMAGE)
    with Collection(place.root / "other") as collection:
        collection.crop(IMAGE, BOX)


def edited_since(place: Place) -> Begun:
    place.crop()
    (place.folder / IMAGE).write_bytes(b"edited")
    yield


def forged(place: Place) -> Begun:
    """A row of the database says another thing than the trail."""
    place.crop()
    with closing(sqlite3.connect(place.folder / ".cropkit" / "cropkit.db")) as db, db:
        db.execute("UPDATE operation SET before = ?", ["f" * 64])
    yield


def rotten(place: Place) -> Begun:
    """The kept original has changed on disk."""
    place.crop()
    (copy,) = (place.folder / ".cropkit" / "originals").iterdir()
    copy.chmod(0o600)
    copy.write_bytes(b"bit rot")
    place.names["ORIGINAL"] = f".cropkit/originals/{copy.name}"
    yield


def linked_folder(place: Place) -> Begun:
    with place.collection():
        pass
    (place.folder / "link").symlink_to(place.backup)
    yield


def linked_image(place: Place) -> Begun:
    (place.folder / "link.png").symlink_to(place.backup / IMAGE)
    yield


def no_images(place: Place) -> Begun:
    (place.root / "empty").mkdir()
    yield


def read_only(place: Place) -> Begun:
    with place.collection():
        pass
    with unprivileged(place):
        place.folder.chmod(0o555)
        yield


def read_only_with_a_state(place: Place) -> Begun:
    with unprivileged(place):
        Collection(place.folder, state=place.root / "state").close()
        place.folder.chmod(0o555)
        yield


def only_to_read(place: Place) -> Begun:
    with unprivileged(place):
        place.folder.chmod(0o555)
        yield


def two_states(place: Place) -> Begun:
    place.crop()
    yield


def taken(place: Place) -> Begun:
    (place.root / "out").mkdir()
    (place.root / "out" / IMAGE).write_bytes(b"in the way")
    yield


def labelled(place: Place) -> Begun:
    (place.folder / IMAGE).with_suffix(".json").write_text('{"shapes": []}', encoding="utf-8")
    yield


def busy(place: Place) -> Begun:
    trail = AuditTrail(Root(place.folder), kind="test")
    claimed = Operation(OperationKind.CROP, IMAGE, IMAGE, trail.session, trail.owner)
    trail.plan([(claimed, [])])
    yield
    trail.abandon(claimed, OperationState.ABORTED, CropResult(Status.FAILED, IMAGE))
    trail.close()


def twice(place: Place) -> Begun:
    with place.collection() as collection:
        first = collection.crop(IMAGE, BOX)
        collection.crop(IMAGE, PixelBox(0, 0, 20, 20))
        place.names["FIRST"] = str(first.operation)
    yield


def purged(place: Place) -> Begun:
    with place.collection() as collection:
        collection.crop(IMAGE, BOX)
        collection.purge(keep_bytes=0)
    yield


def still_needed(place: Place) -> Begun:
    """Among what merges have left lies what none has."""
    place.crop()
    (place.home / "merged" / "elsewhere").mkdir(parents=True)
    yield


def animated() -> bytes:
    out = BytesIO()
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    frames[0].save(out, "PNG", save_all=True, append_images=frames[1:])
    return out.getvalue()


def heic() -> bytes:
    return b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100)


def many_pixels() -> bytes:
    header = png.chunk("IHDR", (1 << 15).to_bytes(4) * 2 + bytes((8, 2, 0, 0, 0)))
    return b"\x89PNG\r\n\x1a\n" + header + png.chunk("IEND", b"")


def many_chunks() -> bytes:
    whole = png.build(png.values(0, 8, 21, 13), 0, 8)
    end = png.chunk("IEND", b"")
    return whole.removesuffix(end) + png.chunk("teXt", b"") * 20_000 + end


def costly(place: Place) -> Begun:
    """Many pixels, and less time than they take: so that the drill is quick."""
    place.patch.setenv("CROPKIT_MAX_SECONDS", "0.1")
    Image.new("RGB", (4000, 4000)).save(place.folder / "bad.png")
    yield


def failing(error: Exception) -> Callable[[Place], Begun]:
    """Let the formats' proof fail, as a failing disk or memory would."""

    def fail(*_: object) -> None:
        raise error

    def state(place: Place) -> Begun:
        with place.patch.context() as broken:
            broken.setattr(formats, "verify", fail)
            yield

    return state


def given_up(place: Place) -> Begun:
    made = decided(place)
    with place.collection() as collection:
        collection.executor.give_up(made, ApplierDied(IMAGE, -9))
    yield


def undone_so_far(place: Place) -> Begun:
    """A decision that nobody carried out, because the process that does was stopped."""
    decided(place)
    yield


def incomplete(place: Place) -> Begun:
    decided(place, OTHER)
    made = decided(place)
    with place.collection() as collection:
        collection.executor.give_up(made, VerificationFailed(IMAGE, "read back other bytes"))
    yield


_PLAIN = jpg.build()
_MPF = b"MPF\0MM\0*\0\0\0\x08\0\1\xb0\1\0\4\0\0\0\1\0\0\0"


def _jpeg(*parts: jpg.Part) -> Callable[[Place], Begun]:
    return image("bad.jpg", jpg.build(list(parts)))


def _png(data: bytes) -> Callable[[Place], Begun]:
    return image("bad.png", data)


_CREDENTIALS = (0xEB, b"JP\0\1\0\0\0\1....jumbc2pa")


def unsigned(place: Place) -> Begun:
    """Have crops signed here, by nobody."""
    for name in (signing.CERTIFICATE, signing.KEY):
        place.patch.delenv(name, raising=False)
    signing.want(place.folder, wanted=True)
    (place.folder / "bad.jpg").write_bytes(jpg.build([_CREDENTIALS]))
    yield


ALERTS: Mapping[str, Callable[[Place], Begun]] = {
    "unreadable": unreadable,
    "no-collection": nothing,
    "database-missing": missing,
    "database-behind": behind,
    "database-unavailable": unwritable,
    "database-newer": too_new,
    "database-locked": locked,
    "database-corrupt": corrupt,
    "foreign-state": linked_state,
    "chain-broken": tampered,
    "trail-forged": resealed,
    "degraded": degraded,
    "idle": idle,
    "vanished": vanished,
    "hangs": hanging,
    "conflict": conflict,
    "in-doubt": in_doubt,
    "unsettled": unsettled,
    "unvouched": unvouched,
    "recovered": recovered,
    "original-damaged": damaged,
    "difference": edited,
    "suggestions-damaged": spoilt_suggestions,
    "nested": nested,
    "disk-space": full_disk,
    "sqlite": no_locks,
    "configuration": pigeon,
    "unapproved": unapproved,
    "sink-failed": nobody_listens,
    "test": well,
}

ERRORS: Mapping[str, Callable[[Place], Begun]] = {
    "BadBox": nothing,
    "BadDecision": bad_decision,
    "BadSuggestion": bad_suggestion,
    "BadHead": well,
    "BadTrail": well,
    "BadSetting": nothing,
    "BadTaste": nothing,
    "BadPlan": nothing,
    "BadConfiguration": pigeon,
    "SystemRefused": nothing,
    "PersonalStateUnusable": others_may_write,
    "DeliveryFailed": nobody_listens,
    "BadParameter": nothing,
    "BadParameterValue": nothing,
    "BadParameterFile": nothing,
    "NotReady": full_disk,
    "StaleDecision": stale,
    "StaleBox": shown_otherwise,
    "Overtaken": overtaken,
    "LosslessUnavailable": without_libjpeg,
    "PartMissing": without_codecs,
    "PathOutsideRoot": linked_folder,
    "MissingFile": nothing,
    "NoImages": no_images,
    "NotAFolder": nothing,
    "NotRegularFile": linked_image,
    "ReadOnly": read_only,
    "SourceReadOnly": read_only_with_a_state,
    "SecondState": two_states,
    "NoSpace": full_disk,
    "NameTaken": taken,
    "CompanionStale": labelled,
    "Busy": busy,
    "NothingToUndo": begun_only,
    "NoCollection": nothing,
    "InsideCollection": inside,
    "NotShareable": with_a_group,
    "NotMergeable": beside,
    "BadDestination": nothing,
    "BadSlot": nothing,
    "BadTurn": nothing,
    "BadTarget": nothing,
    "CopiesOnly": nothing,
    "TooSmall": nothing,
    "OtherRatio": nothing,
    "UnsuitableFormat": image("bad.psd", b"8BPS\0\1" + bytes(40)),
    "UnsuitableTurn": image("odd.jpg", pictures.encoded(pictures.photo(50, 46), "JPEG")),
    "BadStatePlace": nothing,
    "ChangedSinceCrop": edited_since,
    "OriginalDamaged": rotten,
    "TrailDisagrees": forged,
    "LaterOperation": twice,
    "OriginalPurged": purged,
    "StillNeeded": still_needed,
    "EmptyFile": _png(b""),
    "Truncated": image("bad.jpg", _PLAIN[:3000]),
    "CorruptImage": image("bad.jpg", _PLAIN.replace(b"\xff\xdb\0\x43", b"\xff\xdb\0\2", 1)),
    "UnknownFormat": _png(b"just words, quite a few of them, no image"),
    "WrongExtension": _png(_PLAIN),
    "UnsupportedFormat": image("bad.heic", heic()),
    "AnimatedImage": _png(animated()),
    "MultiPage": _jpeg((0xE2, _MPF + b"\2")),
    "GainMap": _jpeg((0xE1, b"FLIR\0\1\0\0")),
    "CannotSign": unsigned,
    "UnfitCredentials": failing(UnfitCredentials(IMAGE, "assertion.dataHash.mismatch")),
    "Provenance": _jpeg(_CREDENTIALS),
    "TrailingData": _png(png.build(png.values(0, 8, 21, 13), 0, 8) + b"the old picture"),
    "UnsupportedDepth": image("bad.jpg", _PLAIN.replace(b"\xff\xc0\0\x11", b"\xff\xc9\0\x11")),
    "TooLarge": _png(many_pixels()),
    "TooManyParts": _png(many_chunks()),
    "TooCostly": costly,
    "VerificationFailed": failing(VerificationFailed(IMAGE, "read back other pixels")),
    "WriteFailed": failing(WriteFailed(IMAGE, "Input/output error")),
    "ApplierDied": given_up,
    "ApplierStopped": undone_so_far,
    "RunIncomplete": incomplete,
    "InDoubt": in_doubt,
    "Conflict": conflict,
    "AuditUnavailable": in_the_way,
    "AuditTooNew": too_new,
    "DiskFull": used_up,
    "OnlyLooking": only_to_read,
    "AuditMissing": missing,
    "AuditBehind": behind,
    "TrailForged": resealed,
    "StateNotAdopted": of_somebody_else,
    "KeyUnusable": key_for_all,
    "AuditLocked": locked_image,
    "AuditCorrupt": garbage,
    "ForeignState": linked_state,
    "NetworkFileSystem": network,
    "UnfitToShare": unfit_to_share,
}

# Errors that no command of the shell raises: who does, and why nobody can be shown it here.
ELSEWHERE: Mapping[str, str] = {
    "BadFraming": "a call from Python",
    "BadKeymap": "a review has to be shown with a keymap that is wrong",
    "LabUnavailable": "JupyterLab itself has to fail to start",
    "CellFailed": "a notebook has to stop at an error",
    "IllegalMove": "a key in the review",
    "CannotShow": "a review has to be shown in marimo",
    "NotInstalled": "a package has to be missing",
    "TooFewDecisions": "more images have to have a box than are in the folder",
    "ReaderDied": "a process of the review has to die",
    "WorkersUnavailable": "a scheduler of Dask, or the processes of an executor, have to be away",
    "UnfitWorker": "a process on another host has to be asked",
    "DestinationGone": "it has to go while a session is at work",
    "AnotherFolder": "the trail of a folder that was copied has to be on a server",
    "TakenOver": "a process has to be stopped for longer than its lease on a server",
}


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def moment() -> datetime:
    return datetime.now(UTC)


def as_json(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    return found
