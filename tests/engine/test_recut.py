"""Crops of decided images made anew: what holds is made unattended, the rest is shown."""

import json
import os
import shlex
from pathlib import Path
from typing import Any

import pictures
import pytest
from deciding import decision
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from shell import run

from cropkit.audit.decisions import Slot
from cropkit.collection import Collection
from cropkit.engine import recut_sets, recutting
from cropkit.engine.recutting import MOST, Kind, Recut, Step, chosen
from cropkit.errors import (
    BadParameterValue,
    BadSetting,
    BadSlot,
    BadTarget,
    CopiesOnly,
    LaterOperation,
)
from cropkit.formats.copy_options import CopyOptions
from cropkit.geometry import PixelBox, Size
from cropkit.records import CropResult, Status, Verdict
from cropkit.review.runtime.review_store import ReviewStore
from cropkit.system.home import HOME, ORIGINALS
from cropkit.targets import Target, fits, targets

WIDE, FULL = PixelBox(20, 20, 80, 60), PixelBox(0, 0, 120, 90)
NAMES = ("a.png", "b.png", "sub/c.png")


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """A folder of three images of 120 x 90 pixels, one with a caption."""
    folder = tmp_path / "album"
    (folder / "sub").mkdir(parents=True)
    for seed, name in enumerate(NAMES):
        pictures.write_png(folder / name, pictures.photo(120, 90, seed=seed))
    (folder / "a.txt").write_text("a caption", encoding="utf-8")
    return folder


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "small"


def pixels(path: Path) -> tuple[tuple[int, int], bytes]:
    with Image.open(path) as image:
        return image.size, image.tobytes()


def cut(path: Path, box: PixelBox) -> tuple[tuple[int, int], bytes]:
    with Image.open(path) as image:
        crop = image.crop(box.xyxy)
        return crop.size, crop.tobytes()


def cropped_in_place(album: Path, *boxes: PixelBox) -> None:
    with Collection(album) as kit:
        for name, box in zip(NAMES, boxes, strict=False):
            kit.crop(name, box)


def recut(album: Path, out: Path, **asked: Any) -> Recut:
    how = {name: asked.pop(name) for name in ("name", "slot", "most_cut") if name in asked}
    with Collection(album, copy_to=out, **{"targets": "1:1", **asked}) as kit:
        result = kit.recut(**how)
        assert kit.fsck() == []
    return result


def made(out: Path) -> list[str]:
    return sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())


# -- from where ----------------------------------------------------------------------------------


def test_a_crop_in_place_is_made_anew_from_its_kept_original(album: Path, out: Path) -> None:
    wanted = cut(album / "a.png", PixelBox(20, 10, 80, 70))
    cropped_in_place(album, WIDE)
    before = (album / "a.png").read_bytes()
    result = recut(album, out)
    assert (result.made, result.to_show, result.failed, result.ok) == (1, 0, 0, True)
    assert pixels(out / "a.png") == wanted
    assert (album / "a.png").read_bytes() == before
    assert made(out) == ["a.png", "a.txt"]


def test_an_image_that_stands_is_read_itself_and_its_decision_goes_on_waiting(
    album: Path, out: Path
) -> None:
    with Collection(album) as kit:
        waiting = decision(kit, "a.png", WIDE)
        kit.decide([waiting])
    recut(album, out)
    assert pixels(out / "a.png") == cut(album / "a.png", PixelBox(20, 10, 80, 70))
    with Collection(album) as kit:
        assert kit.trail.decisions.waiting() == [waiting.id]
        assert [result.status for result in kit.apply_waiting()] == [Status.CROPPED]


def test_what_is_nowhere_to_be_read_is_told_and_the_others_go_on(album: Path, out: Path) -> None:
    cropped_in_place(album, WIDE, WIDE, WIDE)
    with Collection(album) as kit:
        kit.purge(keep_bytes=max(p.stat().st_size for p in (album / ORIGINALS).iterdir()))
    result = recut(album, out)
    assert (result.made, result.failed) == (1, 2)
    assert {step.why for step in result.failures} == {"its original is not kept any more"}


def test_what_was_edited_since_is_no_ground_for_another_box(album: Path, out: Path) -> None:
    with Collection(album) as kit:
        kit.decide([decision(kit, "a.png", WIDE)])
    pictures.write_png(album / "a.png", pictures.photo(120, 90, seed=9))
    result = recut(album, out)
    assert (result.made, result.failed, made(out)) == (0, 1, [])
    assert "changed" in result.failures[0].why


def test_a_damaged_original_is_never_cropped(album: Path, out: Path) -> None:
    cropped_in_place(album, WIDE)
    (original,) = (album / ORIGINALS).iterdir()
    original.chmod(0o600)
    pictures.write_png(original, pictures.photo(120, 90, seed=9))
    with Collection(album, copy_to=out, targets="1:1") as kit:
        result = kit.recut()
    assert (result.made, result.failed, made(out)) == (0, 1, [])


def test_another_copy_is_of_the_image_alone(album: Path, out: Path) -> None:
    """A kept original is as good as the image only where a decided crop is made anew."""
    cropped_in_place(album, WIDE)
    with Collection(album, copy_to=out) as kit:
        look = kit.look("a.png")
        old = kit.trail.decisions.standing()[0]
        stale = decision(kit, "a.png", PixelBox(0, 0, 9, 9), sha256=old.sha256, slot="x")
        kit.decide([stale])
        assert look.sha256 != old.sha256
        assert kit.apply(stale.id).status is Status.STALE


# -- which box -----------------------------------------------------------------------------------


def test_nothing_that_was_decided_is_cut_unasked(album: Path, out: Path) -> None:
    cropped_in_place(album, WIDE, FULL)
    result = recut(album, out)
    assert (result.made, result.to_show) == (1, 1)
    (step,) = result.shown
    assert (step.path, step.slot, step.stands) == ("b.png", "small", True)
    assert "25 % cut" in step.why
    assert recut(album, out, most_cut=0.25).made == 1
    assert pixels(out / "b.png")[0] == (90, 90)


def test_what_is_too_small_for_its_target_is_shown(album: Path, out: Path) -> None:
    cropped_in_place(album, WIDE)
    assert recut(album, out, targets="64x64").shown[0].why.endswith("too small for it")
    smaller = recut(album, out, targets="64x64,50x50", resize=True)
    assert (smaller.made, pixels(out / "a.png")[0]) == (1, (50, 50))


def test_enlarging_is_a_choice(album: Path, out: Path) -> None:
    cropped_in_place(album, WIDE)
    result = recut(album, out, targets="64x64", resize=True, copies="allow-upscale=yes")
    assert (result.made, pixels(out / "a.png")[0]) == (1, (64, 64))


boxes = st.tuples(*[st.integers(0, 199)] * 2, *[st.integers(1, 200)] * 2)


@given(boxes, st.integers(1, 9), st.integers(1, 9))
def test_the_box_is_the_smallest_of_its_ratio_that_holds_what_was_decided(
    numbers: tuple[int, int, int, int], wide: int, high: int
) -> None:
    left, top, width, height = numbers
    image = Size(200, 200)
    box = PixelBox.from_xywh(left, top, min(width, 200 - left), min(height, 200 - top))
    target = Target(wide, high, bare=True)
    fit = chosen(box, image, [target], 0.0, upscale=False)
    fit.box.within(image)
    if fit.lost == 0:
        less = [
            Size(w, h)
            for w in range(box.size.width, fit.box.size.width + 1)
            for h in range(box.size.height, fit.box.size.height + 1)
            if fits(Size(w, h), target) and w * h < fit.box.size.area
        ]
        assert less == []


def test_of_several_targets_that_hold_it_the_one_is_taken_that_adds_least() -> None:
    among = targets("1:1,4:3,3:4,512x512,30x30")
    fit = chosen(PixelBox(0, 0, 40, 30), Size(200, 200), among, 0.0, upscale=False)
    assert (fit.target.name, fit.box) == ("4:3", PixelBox(0, 0, 40, 30))
    square = chosen(
        PixelBox(0, 0, 40, 40), Size(200, 200), targets("30x30,20x20,99x99"), 0, upscale=False
    )
    assert square.target.name == "30x30"


# -- slots, names, and what was decided ----------------------------------------------------------


def test_what_was_decided_stands_as_it_did(album: Path, out: Path) -> None:
    cropped_in_place(album, WIDE)
    with Collection(album) as kit:
        before = kit.trail.decisions.standing_by_path()["a.png"]
    recut(album, out)
    with Collection(album, copy_to=out) as kit:
        assert kit.trail.decisions.standing_by_path()["a.png"] == before
        new = kit.trail.decisions.standing_by_slot()[Slot("a.png", "small")]
        made_anew, _ = kit.trail.decisions.by_id(new.decision)
    assert made_anew.reviewer.startswith("recut of ")
    assert made_anew.verdict is Verdict.ADJUSTED
    assert made_anew.suggestion is not None
    assert (made_anew.suggestion.source, made_anew.suggestion.version) == (
        "decided",
        before.decision,
    )
    assert made_anew.suggested == WIDE


def test_each_slot_has_its_own_new_crop_under_the_name_that_it_had(album: Path, out: Path) -> None:
    with Collection(album, copy_to=album.parent / "first", slots=["face", "my bust"]) as kit:
        kit.crop("a.png", WIDE, slot="face")
        kit.crop("a.png", PixelBox(0, 0, 40, 60), slot="my bust")
    assert recut(album, out).made == 2
    assert [n for n in made(out) if n.endswith("png")] == ["a_face.png", "a_my bust.png"]
    again = album.parent / "again"
    assert recut(album, again, slot="face", name="tiny").made == 1
    assert [n for n in made(again) if n.endswith("png")] == ["a_face.png"]


def test_the_command_tells_the_sets_name_from_those_of_its_files(album: Path, out: Path) -> None:
    with Collection(album, copy_to=album.parent / "first", slots=["face"]) as kit:
        kit.crop("a.png", WIDE, slot="face")
    words = ("--as", "tiny", "--name", "{slot}-{stem}", "--targets", "1:1", "--copy-to", str(out))
    assert "tiny: 1 would be made" in run("recut", str(album), *words, "--dry-run").stdout
    assert "tiny: 1 made" in run("recut", str(album), *words).stdout
    assert [n for n in made(out) if n.endswith("png")] == ["face-a.png"]


def test_a_set_is_not_made_of_another_set(album: Path, out: Path) -> None:
    cropped_in_place(album, WIDE)
    recut(album, out)
    second = recut(album, out.parent / "tall", targets="1:2")
    assert (second.made, second.to_show) == (0, 1)  # of the decided box, not of the square one
    assert "1:2" in second.shown[0].why


def test_a_name_that_is_a_slot_of_somebodys_is_refused(album: Path, out: Path) -> None:
    with Collection(album, copy_to=album.parent / "first", slots=["face"]) as kit:
        kit.crop("a.png", WIDE, slot="face")
    with pytest.raises(BadSlot, match="called so"):
        recut(album, out, name="face")


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"targets": None}, BadTarget),
        ({"targets": "1:1", "slots": ["x"]}, BadSlot),
        ({"name": "a/b"}, BadSlot),
        ({"name": ""}, BadSlot),
        ({"slot": ".."}, BadSlot),
        ({"most_cut": 2}, BadParameterValue),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_kept(
    album: Path, out: Path, asked: dict[str, Any], error: type[Exception]
) -> None:
    cropped_in_place(album, WIDE)
    with pytest.raises(error):
        recut(album, out, **asked)
    with Collection(album) as kit:
        assert recut_sets.SETTING not in kit.trail.settings()


def test_crops_in_place_cannot_be_made_anew(album: Path) -> None:
    cropped_in_place(album, WIDE)
    with Collection(album, targets="1:1") as kit, pytest.raises(CopiesOnly):
        kit.recut()


def test_names_of_sets_come_from_a_stranger() -> None:
    for text in ("{", "[1, null]", '{"a": 1}', '["../x", "", "ok"]'):
        assert set(recut_sets.known({recut_sets.SETTING: text})) <= {"ok"}
    assert recut_sets.name_of("/data/768 px, squares") == "768_px_squares"
    assert recut_sets.name_of("/") == "recut"
    assert recut_sets.name_of("/x/..") == "recut"


@pytest.mark.parametrize("slot", ["", "face", "my bust", "a+b-c.d", "größe"])
def test_the_slot_of_a_decision_is_one_word_of_the_settings(slot: str) -> None:
    how = CopyOptions(recut=slot)
    assert len(how.text.split()) == 1
    assert CopyOptions.from_text(how.text) == how


@pytest.mark.parametrize("text", ["recut=..", "recut=%2F", "recut=%00", "recut=", "recut=a%0Ab"])
def test_a_slot_that_is_none_is_refused_in_the_settings(text: str) -> None:
    if text == "recut=":
        assert CopyOptions.from_text(text).recut == ""
        return
    with pytest.raises(BadSetting):
        CopyOptions.from_text(text)


# -- again, and cut off --------------------------------------------------------------------------


def test_what_was_made_is_left_and_what_was_cut_off_goes_on(
    album: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cropped_in_place(album, WIDE, WIDE)

    def cut_off(*_: object, **__: object) -> list[CropResult]:
        raise KeyboardInterrupt

    with Collection(album, copy_to=out, targets="1:1") as kit, monkeypatch.context() as patched:
        patched.setattr(kit, "apply_waiting", cut_off)
        with pytest.raises(KeyboardInterrupt):
            kit.recut()
        assert len(kit.trail.decisions.waiting()) == 2
    assert recut(album, out).made == 2
    with Collection(album) as kit:
        kit.crop("sub/c.png", WIDE)
    second = recut(album, out)
    assert (second.made, second.before, second.ok) == (1, 2, True)


def test_what_failed_is_tried_again(album: Path, out: Path) -> None:
    cropped_in_place(album, WIDE)
    out.mkdir()
    (out / "a.png").write_bytes(b"somebody's")
    assert recut(album, out).failures[0].path == "a.png"
    assert (out / "a.png").read_bytes() == b"somebody's"
    (out / "a.png").unlink()
    assert recut(album, out).made == 1


def test_a_box_that_was_decided_anew_is_shown_until_the_old_crop_is_undone(
    album: Path, out: Path
) -> None:
    with Collection(album) as kit:
        kit.decide([decision(kit, "a.png", WIDE)])
    recut(album, out)
    with Collection(album) as kit:
        kit.decide([decision(kit, "a.png", PixelBox(0, 0, 40, 40))])
    assert "decided anew" in recut(album, out).shown[0].why
    with Collection(album) as kit:
        kit.undo("a.png")
    assert recut(album, out).made == 1
    assert pixels(out / "a.png")[0] == (40, 40)


def test_other_targets_under_a_name_that_is_taken_are_shown(album: Path, out: Path) -> None:
    cropped_in_place(album, WIDE)
    recut(album, out)
    other = recut(album, out, targets="4:3")
    assert (other.made, other.shown[0].why) == (
        0,
        "it was made before for 1:1; undo that crop first",
    )
    elsewhere = recut(album, out.parent / "x", name="small")
    assert "elsewhere" in elsewhere.shown[0].why


# -- undone --------------------------------------------------------------------------------------


def test_a_crop_can_be_undone_under_which_one_was_made_anew(album: Path, out: Path) -> None:
    original = (album / "a.png").read_bytes()
    cropped_in_place(album, WIDE)
    with Collection(album) as kit:
        (crop,) = kit.trail.operations.undoable_of("a.png")
    recut(album, out)
    with Collection(album, copy_to=out) as kit:
        (result,) = kit.undo_operation(crop.id)  # type: ignore[union-attr]  # it can be read
        assert result.status is Status.RESTORED
        assert kit.fsck() == []
    assert (album / "a.png").read_bytes() == original
    assert (out / "a.png").exists()


def test_a_copy_of_the_crop_itself_still_stands_on_it(album: Path, out: Path) -> None:
    cropped_in_place(album, WIDE)
    with Collection(album, copy_to=out) as kit:
        (crop,) = kit.trail.operations.undoable_of("a.png")
        kit.crop("a.png", PixelBox(0, 0, 9, 9))
        (result,) = kit.undo_operation(crop.id)  # type: ignore[union-attr]  # as above
    assert result.code == LaterOperation.__name__


def test_the_crop_that_was_made_anew_is_undone_first_and_its_image_stays(
    album: Path, out: Path
) -> None:
    cropped_in_place(album, WIDE)
    before = (album / "a.png").read_bytes()
    recut(album, out)
    with Collection(album, copy_to=out) as kit:
        kit.undo("a.png")
        assert kit.fsck() == []
    assert made(out) == []
    assert (album / "a.png").read_bytes() == before


# -- shown ---------------------------------------------------------------------------------------


def test_a_review_of_the_set_proposes_what_comes_nearest(album: Path, out: Path) -> None:
    with Collection(album) as kit:
        kit.decide([decision(kit, "a.png", WIDE), decision(kit, "b.png", FULL)])
    recut(album, out)
    with Collection(album, copy_to=out, slots={"small": "1:1"}) as kit:
        look = kit.look("b.png")
        near, decided = kit.suggestions(look)
        assert near.box.pixels(look.size) == PixelBox(15, 0, 105, 90)
        assert decided.box.pixels(look.size) == FULL
        assert near.source == "small"
        assert kit.suggestions(kit.look("a.png")) == ()
    recut(album, out, most_cut=0.5)
    with Collection(album) as kit:
        assert kit.imported.sources() == ()


def test_a_review_of_what_was_decided_does_not_show_the_set(album: Path, out: Path) -> None:
    cropped_in_place(album, WIDE, WIDE)
    with Collection(album) as kit:
        before = len(ReviewStore(kit).resumed(3, 0).session.images.index)
    recut(album, out)
    with Collection(album) as kit:
        assert len(ReviewStore(kit).resumed(3, 0).session.images.index) == before
    with Collection(album, copy_to=out, slots={"small": "1:1"}) as kit:
        assert len(ReviewStore(kit).resumed(3, 0).session.images.index) > before


# -- many ----------------------------------------------------------------------------------------


def test_no_more_is_read_ahead_than_is_decided_in_one_transaction(
    album: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recutting, "_TOGETHER", 2)
    cropped_in_place(album, WIDE, WIDE, WIDE)
    asked: list[int] = []
    ahead: list[int] = []
    with Collection(album, copy_to=out, targets="1:1") as kit:
        carry_out = kit.apply_waiting

        def counted(*, decisions: list[str]) -> list[CropResult]:
            ahead.append(seen[-1])
            asked.append(len(decisions))
            return carry_out(decisions=decisions)

        seen: list[int] = [0]
        monkeypatch.setattr(kit, "apply_waiting", counted)
        assert kit.recut(progress=lambda _, done, __: seen.append(done)).made == 3
    assert asked == [2, 1]
    assert ahead[0] <= 2


def test_of_what_is_to_be_shown_ten_thousand_are_kept_and_all_are_counted() -> None:
    result = Recut("x")
    for number in range(MOST + 5):
        result.told(Step(Kind.SHOW, str(number), "x", None, "why"))
    assert (result.to_show, len(result.shown)) == (MOST + 5, MOST)


# -- the shell -----------------------------------------------------------------------------------


@pytest.fixture
def decided(album: Path) -> Path:
    cropped_in_place(album, WIDE, FULL)
    return album


def test_the_command_tells_what_was_made_and_how_the_rest_is_seen(decided: Path, out: Path) -> None:
    ended = run("recut", decided, "--targets", "1:1", "--copy-to", out)
    assert ended.returncode == 1
    assert "small: 1 made, 0 were made before" in ended.stdout
    assert "b.png (small)" in ended.stdout
    told = json.loads(run("recut", decided, "--targets", "1:1", "--copy-to", out, "--json").stdout)
    assert (told["made"], told["before"], told["to_show"], told["ok"]) == (0, 1, 1, False)
    assert told["shown"][0]["nearest"] == [15, 0, 105, 90]
    words = ("--targets", "1:1", "--copy-to", out, "--most-cut", "0.3")
    assert run("recut", decided, *words).returncode == 0


def test_a_dry_run_writes_nothing_at_all(decided: Path, out: Path) -> None:
    def everything() -> dict[str, tuple[int, int]]:
        files = (path for path in decided.parent.rglob("*") if "cropkit.db-" not in path.name)
        return {str(p): (p.lstat().st_size, p.lstat().st_mtime_ns) for p in files}

    before = everything()
    ended = run("recut", decided, "--targets", "1:1", "--copy-to", out, "--dry-run", "--json")
    told = json.loads(ended.stdout)
    assert (told["made"], told["to_show"], told["dry_run"], ended.returncode) == (1, 1, True, 1)
    assert everything() == before
    assert not out.exists()


def test_a_folder_that_is_no_collection_is_refused_and_left(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    ended = run("recut", tmp_path / "plain", "--targets", "1:1", "--copy-to", tmp_path / "o")
    assert (ended.returncode, "NoCollection" in ended.stderr) == (1, True)
    assert not (tmp_path / "plain" / HOME).exists()
    assert not os.path.lexists(tmp_path / "o")


def test_the_set_is_exported_alone_and_proven(decided: Path, out: Path) -> None:
    with Collection(decided, copy_to=decided.parent / "first") as kit:
        kit.crop("sub/c.png", WIDE)
    run("recut", decided, "--targets", "1:1", "--copy-to", out)
    ended = run(
        *("export", decided, "--to", "manifest", "--beneath"), "--out", out / "manifest.jsonl"
    )
    assert "2 written; 3 left out (3 its file is not beneath the folder)" in ended.stdout
    *_, told = ended.stderr.splitlines()
    assert run(*shlex.split(told.partition("to prove it: cropkit ")[2])).returncode == 0
    slot = run(*("export", decided, "--to", "manifest", "--slot", "small"), "--out", out / "s.csv")
    assert "2 written" in slot.stdout
