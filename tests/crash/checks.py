"""What must hold after a crash; each violation is a sentence."""

import json
import sqlite3
from pathlib import PurePosixPath

from scenarios import (
    IN_PART,
    PART,
    SLOTS,
    Stage,
    World,
    exported,
    is_apart,
    look,
    recorded,
    remove_second_names,
    undo,
    undo_all,
    undo_the_part,
    who_stands,
)
from tracer import Ended

from cropkit.audit import keys, seals, trust
from cropkit.collection import Collection
from cropkit.errors import CropkitError
from cropkit.system.home import HOME

ADOPT = "since no key vouches for it: `cropkit adopt FOLDER`"  # ends a notice


def what_is_wrong(
    stage: Stage, *, success: bool = False, thorough: bool = False, power_was_lost: bool = False
) -> list[str]:
    """Recover by opening the kit, and compare what is there with what may be there.

    Parameters
    ----------
    success : success was reported, so that only the state after it is right
    thorough : also take the operation back, or carry it out again
    """
    recorded_first = success and not power_was_lost  # then recovery may derive it
    if recorded_first and not is_recorded(stage):
        return ["success was reported and not recorded"]
    try:
        if power_was_lost and stage.scenario.compacts:
            remove_second_names(stage.place)
        if _is_less_exported(stage):
            return ["the export does not tell any more what it told"]
        with _opened(stage) as kit:
            wrong = [*_disagreements(kit), *_wrong_state(stage, kit, success=success)]
        if stage.scenario.merges:
            wrong = wrong or _wrong_merged(stage, thorough=thorough)
        elif not wrong and thorough:
            wrong = _wrong_afterwards(stage)
    except (CropkitError, OSError, sqlite3.Error, KeyError) as error:
        return [f"recovery failed: {type(error).__name__}: {error}"]
    return wrong


def _opened(stage: Stage) -> Collection:
    """Open as a person does, who makes their own what no key vouches for once they are told.

    A fault can keep the person's key from being read. The session says that its trail is not
    sealed, and goes on; who comes next has the key, and cannot know whose its operation is.
    """
    kit = stage.scenario.open(stage.place)
    if not _is_without_a_key(kit):
        return kit
    kit.close()
    trust.adopt(kit.locations.state)
    return stage.scenario.open(stage.place)


def _is_without_a_key(kit: Collection) -> bool:
    with kit.trail.store.reading() as db:
        known = {each.key for each in seals.all_of(db)}
    return keys.NOBODY in known and any(each.endswith(ADOPT) for each in kit.trail.notices)


def _is_less_exported(stage: Stage) -> bool:
    """Whether a database could not be made anew any more from what the export told before."""
    told = exported(stage.place) if stage.exported else []
    return told[: len(stage.exported)] != stage.exported


def what_is_wrong_at_once(stage: Stage, said: list[str]) -> list[str]:
    """Judge an operation that reported an end, before any recovery.

    A refusal or failure has left the files as they were; what is in doubt has whole files; anything
    but an error of ours is a defect.
    """
    end = said[-1] if said else "nothing"
    if end.startswith("crash"):
        return [f"an error from outside our tree: {end}"]
    if end.startswith("failed"):
        if stage.scenario.several:
            return []  # those that did not fail may be done: recovery's check looks at each
        return _differences(stage, "a failure was reported", stage.before)
    if end == "ok" and not is_recorded(stage):
        return ["success was reported and not recorded"]
    if end == "ok":
        return _differences(stage, "success was reported", stage.after)
    return []


def is_recorded(stage: Stage) -> bool:
    try:
        return recorded(stage.place) == stage.recorded
    except sqlite3.Error:
        return False


def how_it_ended(ended: Ended) -> list[str]:
    """A process that hung or died by itself is a defect, too."""
    if ended.hung:
        return ["it hung"]
    if not ended.killed and ended.status != 0:
        return [f"it ended with {ended.status}: {ended.said}"]
    return []


def _disagreements(kit: Collection) -> list[str]:
    differences = [
        each for each in kit.fsck() if each.kind != "nested"
    ]  # `_wrong_apart` looks at it
    found = [f"fsck: {one.kind} {one.path}: {one.reason}" for one in differences]
    found += [
        f"unsettled: {one.kind} {one.source} {one.state}"
        for one in kit.trail.operations.unsettled()
    ]
    owners = {path.name for path in (kit.scope.state / HOME / "owners").iterdir()}
    found += [f"left over: owner {name}" for name in owners - {kit.trail.owner}]
    wanted = {one.sha256_before for one in kit.trail.operations.finished()}
    kept = {path.name for path in (kit.scope.state / HOME / "originals").iterdir()}
    found += [f"left over: original {name:.12}" for name in sorted(kept - wanted)]
    found += [f"left over: {path.name}" for path in (kit.scope.state / HOME).glob("*.new*")]
    found += [f"gone, and nothing tells of it: {name}" for name in _gone_untold(kit)]
    return found


def _gone_untold(kit: Collection) -> list[str]:
    """Name what a merge has left, and nobody has purged, and is not there."""
    if (kit.root / PART / HOME).exists():
        return []
    events = [*kit.trail.events(kind="merged"), *kit.trail.events(kind="merged-purged")]
    left, purged = (
        {json.loads(each["body"])["aside"] for each in events if each["event"] == kind}
        for kind in ("merged", "merged-purged")
    )
    return sorted(name for name in left - purged if not (kit.root / name).exists())


def _wrong_state(stage: Stage, kit: Collection, *, success: bool) -> list[str]:
    now = look(stage.place)
    standing = who_stands(kit)
    if stage.scenario.merges:
        return [
            *_differences(stage, "after", stage.after),
            *_wrong_part(stage, standing, success=success),
        ]
    if stage.scenario.several and not success:
        return _wrong_images(stage, now, standing)
    if stage.scenario.unsynced and not success and not kit.trail.operations.finished():
        return []  # what nobody had synced may be gone, and we have not touched it
    if now.contents == stage.before.contents != stage.after.contents and not success:
        found = _differences(stage, "before", stage.before)
        if any(status == "in-doubt" for _, status in standing):
            found.append("in doubt after recovery")
        return found
    found = _differences(stage, "after", stage.after)
    settled = now.contents != stage.before.contents or success
    if settled and standing != stage.after.standing:
        found.append(f"decisions say {sorted(standing)}, not {sorted(stage.after.standing)}")
    return found


def _wrong_images(stage: Stage, now: World, standing: frozenset[tuple[str, str]]) -> list[str]:
    """Each image, or slot of one, with its companions is as before or as after, and its decision
    says which."""
    found = []
    for stem in sorted({_stem(name) for of in (stage.before, stage.after) for name in of.files}):
        here, before, after = (
            {name: one for name, one in of.contents.items() if _stem(name) == stem}
            for of in (now, stage.before, stage.after)
        )
        if here not in (before, after):
            found.append(f"{stem} is neither as before nor as after")
        said = {status for path, status in standing if _stem(path) == stem}
        right = {"cropped"} if here == after != before else {"waiting"}
        if before != after and said - {"failed", "refused"} not in (set(), right):
            found.append(f"{stem}: its decision says {sorted(said)}")
    return found


def _wrong_part(stage: Stage, standing: frozenset[tuple[str, str]], *, success: bool) -> list[str]:
    """The outer trail has all of the inner one or nothing, and as long as nothing, it is there."""
    if standing not in (stage.before.standing, stage.after.standing):
        return [f"decisions say {sorted(standing)}: a part of a merge"]
    if is_apart(stage.place):
        return ["success was reported, and it is not joined"] if success else _wrong_apart(stage)
    if standing != stage.after.standing:
        return ["the inner state is gone, and the outer one does not have it"]
    return []


def _wrong_apart(stage: Stage) -> list[str]:
    """The collection inside is still one, with all that it was."""
    with Collection(stage.place / "collection" / PART) as inner:
        inside = {(f"{PART}/{path}", status) for path, status in who_stands(inner)}
        missing = stage.after.standing - stage.before.standing - inside
        return [*_disagreements(inner), *(f"inside, lost: {each}" for each in sorted(missing))]


def _wrong_merged(stage: Stage, *, thorough: bool) -> list[str]:
    """To merge again ends as if nothing had happened, and each image inside can be undone."""
    with stage.scenario.open(stage.place) as kit:
        stage.scenario.act(kit)
        wrong = [*_disagreements(kit), *_wrong_state(stage, kit, success=True)]
    if not wrong and thorough:
        with stage.scenario.open(stage.place) as kit:
            undo_the_part(kit)
            wrong = _disagreements(kit)
        wrong += _not_as_it_was(stage)
    return wrong


def _not_as_it_was(stage: Stage) -> list[str]:
    """Tell which images of the collection inside are not what they were before any crop."""
    outside, inside = "collection/", f"collection/{PART}/"
    now = look(stage.place).contents
    there = {name.removeprefix(inside): now[name] for name in now if name.startswith(inside)}
    meant = {name: stage.began[f"{outside}{name}"] for name in IN_PART}
    return [
        f"afterwards: {PART}/{name} differs" for name in sorted(dict(there.items() ^ meant.items()))
    ]


def _stem(name: str) -> str:
    """Tell what a file belongs to: an image, or one of its slots."""
    whole = PurePosixPath(name).name.partition(".")[0]
    slot = next((slot for slot in SLOTS if whole.endswith(f"_{slot}")), "")
    return " ".join(filter(None, (whole.partition("_stage")[0], slot)))


def _differences(stage: Stage, when: str, meant: World) -> list[str]:
    """Compare files; also their modes, and the times of those that nobody may have written."""
    now = look(stage.place)
    if now.contents != meant.contents:
        names = {name for name, _ in now.contents.items() ^ meant.contents.items()}
        return [f"{when}: {n} is {now.contents.get(n, 'missing'):.8}" for n in sorted(names)]
    return [
        f"{when}: {name} has mode {found.mode:o} and time {found.mtime_ns}"
        for name, found in now.files.items()
        if found.mode != meant.files[name].mode
        or (found.sha256 in stage.originals and found.mtime_ns != meant.files[name].mtime_ns)
    ]


def _wrong_afterwards(stage: Stage) -> list[str]:
    """The next operation works: take back what was done, or do what was not."""
    now = look(stage.place).contents
    changed = now != stage.before.contents
    if stage.scenario.unsynced and changed and now != stage.after.contents:
        return []  # the image had never been synced, and the power cut took it
    with stage.scenario.open(stage.place) as kit:
        again = undo if changed else stage.scenario.act
        if stage.scenario.several:
            changed, again = True, undo_all
        elif changed and stage.scenario.undoes:
            return []  # an undo is not undone
        again(kit)
        wrong = _disagreements(kit)
    return wrong + _differences(stage, "afterwards", stage.before if changed else stage.after)
