"""How much a person must see: a sample is drawn, looked at, and a batch accepts the rest."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
from queueing import collection, decision
from shell import run

from cropkit.batch import unseen
from cropkit.batch.batch import Batch
from cropkit.batch.dry_run import foreseen
from cropkit.collection import Collection
from cropkit.errors import BadPlan, InsideCollection, TooFewDecisions
from cropkit.geometry import NormalizedBox, PixelBox, Size
from cropkit.records import Suggestion, Verdict
from cropkit.runs import record
from cropkit.runs.record import RunRecord
from cropkit.runs.report import Pictures, page
from cropkit.system.home import PLAN
from cropkit.system.scope import Scope
from cropkit.taste import review_plan
from cropkit.taste.promise import Terms
from cropkit.taste.review_plan import Planned, ReviewPlan

SIZE = Size(10, 10)
ASKED = ("--error", "20%", "--reviewer", "ann")
IMAGES = 40


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A collection whose sidecars propose a box for each image."""
    return collection(tmp_path / "c", IMAGES, sidecars=True)


def planned(folder: Path, *more: str) -> dict[str, object]:
    """Return what `plan-review` says."""
    ended = run("plan-review", folder, *ASKED, "--json", *more)
    answer: dict[str, object] = json.loads(ended.stdout)
    assert ended.returncode == (0 if answer["ok"] else 1)
    return answer


def plan_of(folder: Path) -> ReviewPlan:
    plan = review_plan.read(Scope(folder).state)
    assert plan is not None
    return plan


def look_at(
    folder: Path, paths: Iterable[str], *, changed: Sequence[str] = (), reviewer: str = "ann"
) -> None:
    """Decide: accept what is proposed, or change it."""
    with Collection(folder, reviewer=reviewer) as kit:
        for path in paths:
            look = kit.look(path)
            best = kit.suggestions(look)[0]
            box, verdict = best.box.pixels(look.size), Verdict.ACCEPT
            if path in changed:
                box, verdict = PixelBox(0, 0, 20, 20), Verdict.ADJUSTED
            kit.decide([decision(kit, path, box, verdict=verdict, suggestion=best)])


def sample_of(answer: dict[str, object]) -> list[str]:
    paths = answer["set_aside"]
    assert isinstance(paths, list)
    return paths


def test_before_its_sample_is_looked_at_it_refuses_and_says_how_many_are_missing(
    folder: Path,
) -> None:
    answer = planned(folder)
    assert answer["code"] == "TooFewDecisions"
    assert answer["missing"] == answer["needed"] == len(sample_of(answer))
    assert answer["accept"] == []
    look_at(folder, sample_of(answer)[1:])
    assert planned(folder)["missing"] == 1
    told = run("plan-review", folder, *ASKED)
    assert told.returncode == 1
    assert "at least 1 more are needed" in told.stderr


def test_when_it_is_looked_at_it_says_how_many_may_be_accepted_unseen(folder: Path) -> None:
    first = planned(folder)
    look_at(folder, sample_of(first))
    answer = planned(folder)
    accepted, rest = answer["accept"], IMAGES - len(sample_of(first))
    assert isinstance(accepted, list)
    assert (answer["decided"], answer["changed"], answer["unseen"]) == (IMAGES - rest, 0, rest)
    assert len(accepted) == rest
    assert isinstance(answer["at_most"], int)
    assert answer["at_most"] <= 0.2 * rest
    assert answer["drawn_at"] == first["drawn_at"]
    lines = run("plan-review", folder, *ASKED).stdout
    assert f"to accept unseen: {rest}" in lines
    assert (
        f"of {rest} images that nobody looks at, ann would change {answer['at_most']} at most"
        in lines
    )


def test_boxes_that_are_changed_are_counted_and_more_is_to_be_looked_at(folder: Path) -> None:
    sample = sample_of(planned(folder))
    look_at(folder, sample, changed=sample[:4])
    answer = planned(folder)
    assert (answer["ok"], answer["changed"], answer["accept"]) == (True, 4, [])
    assert answer["missing"] is None
    assert "all have to be looked at" in run("plan-review", folder, *ASKED).stdout


@pytest.mark.parametrize("verdict", [Verdict.REJECT, Verdict.SKIP])
def test_what_is_rejected_or_skipped_was_not_to_be_accepted(folder: Path, verdict: Verdict) -> None:
    sample = sample_of(planned(folder))
    with Collection(folder, reviewer="ann") as kit:
        kit.decide([decision(kit, sample[0], None, verdict=verdict)])
    assert planned(folder)["changed"] == 1


def test_what_is_gone_or_decided_by_somebody_else_counts_as_changed(folder: Path) -> None:
    sample = sample_of(planned(folder))
    (folder / sample[0]).unlink()
    look_at(folder, sample[1:2], reviewer="bob")
    answer = planned(folder)
    assert (answer["decided"], answer["changed"]) == (2, 2)


def test_a_box_changed_after_another_one_was_shown_takes_no_error_off_the_rest(
    folder: Path,
) -> None:
    """A learned box may be shown for it; what would have become of the planned one is not known."""
    roomy = ("--error", "60%")
    look_at(folder, sample_of(planned(folder, *roomy)))
    drawn = [each.path for each in plan_of(folder).images]
    look_at(folder, drawn[6:12])  # more than is needed
    shown, other = drawn[-2:]
    allowed = planned(folder, *roomy)["at_most"]
    assert isinstance(allowed, int)
    assert allowed > 1
    with Collection(folder, reviewer="ann") as kit:
        learned = Suggestion(NormalizedBox(0, 0, 0.25, 0.25), "12 reviews", "learned")
        box = PixelBox(0, 0, 20, 20)
        kit.decide([decision(kit, other, box, verdict=Verdict.ADJUSTED, suggestion=learned)])
    assert planned(folder, *roomy)["at_most"] == allowed
    look_at(folder, [shown], changed=[shown])
    assert planned(folder, *roomy)["at_most"] == allowed - 1


def test_a_seed_draws_the_same_and_another_one_does_not(folder: Path) -> None:
    first = planned(folder, "--seed", "7")
    again = planned(folder, "--anew", "--seed", "7")
    other = planned(folder, "--anew", "--seed", "8")
    assert sample_of(first) == sample_of(again) != sample_of(other)
    assert [each["number"] for each in (first, again, other)] == [1, 2, 3]
    assert "number 3 here" in run("plan-review", folder, *ASKED, "--seed", "8").stdout


def test_the_certain_come_first_by_what_was_decided_before() -> None:
    images = tuple(
        Planned(f"{n}.png", "0" * 64, SIZE, PixelBox(0, 0, 5, 5), sure)
        for n, sure in enumerate((0.1, 0.9, 0.5))
    )
    plan = ReviewPlan("ann", "", 1, 1, Terms(), images)
    assert plan.places.tolist() == [2, 0, 1]


# -- refusals ------------------------------------------------------------------------------------


def refusal(folder: Path, *words: str) -> tuple[str, str]:
    ended = run("plan-review", folder, "--json", *words)
    assert ended.returncode == 1
    answer = json.loads(ended.stdout)
    return answer["code"], answer["message"]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--reviewer", "ann"), "was drawn for --within 5% --error 20% --confidence 95% --seed 3"),
        ((*ASKED, "--within", "2%"), "was drawn for"),
        ((*ASKED, "--confidence", "99"), "was drawn for"),
        ((*ASKED, "--seed", "4"), "was drawn for"),
        (("--error", "20%", "--reviewer", "bob"), "its plan is ann's"),
    ],
)
def test_a_plan_is_not_taken_for_another(folder: Path, words: tuple[str, ...], reason: str) -> None:
    planned(folder, "--seed", "3")
    code, message = refusal(folder, *words)
    assert code == "BadPlan"
    assert reason in message


def test_images_without_a_box_cannot_be_planned(tmp_path: Path) -> None:
    folder = collection(tmp_path / "c", 2)
    assert refusal(folder, *ASKED) == (
        "BadPlan",
        f"{folder}: no undecided image has a box that could be accepted",
    )


def test_no_plan_is_for_several_crops_of_an_image(folder: Path, tmp_path: Path) -> None:
    with Collection(folder, copy_to=tmp_path / "out", slots="wide square") as kit:
        kit.keep_ways(kit.asked)
    code, message = refusal(folder, *ASKED)
    assert (code, "several crops" in message) == ("BadPlan", True)


def test_a_part_of_a_collection_has_no_plan(folder: Path) -> None:
    planned(folder)
    (folder / "part").mkdir()
    (folder / "0000.png").rename(folder / "part" / "x.png")
    assert refusal(folder / "part", *ASKED)[0] == "InsideCollection"
    with pytest.raises(InsideCollection):
        foreseen(folder / "part", {"source": "plan"})


@pytest.mark.parametrize(
    "words",
    [("--error", "0%"), ("--error", "100%"), ("--within", "-1"), ("--confidence", "50%"),
     ("--confidence", "100"), ("--error", "x"), ("--seed", "-1")],
)  # fmt: skip
def test_a_percentage_that_makes_no_sense_is_a_usage_error(
    folder: Path, words: tuple[str, str]
) -> None:
    assert run("plan-review", folder, f"{words[0]}={words[1]}").returncode == 2
    assert not (folder / ".cropkit").exists()


@pytest.mark.parametrize(
    "change",
    [
        {"form": "other"},
        {"terms": {"within": 0.05, "error": 0, "confidence": 0.95}},
        {"terms": {"within": 0.05, "error": 0.02, "confidence": 1}},
        {"terms": {"within": 0.05}},
        {"images": [["a.png", "0", 10, 10, 0, 0, 11, 5, 0.5]]},
        {"images": [["a.png", "0", 10, 10, 0, 0, 5, 5, 1.5]]},
        {"images": [["a.png", "0", 10, 10, 0, 0, 5, 5, 0.5]] * 2},
        {"images": [["a.png"]]},
        {"images": 5},
        {"seed": None},
        {"reviewer": 5},
    ],
)
def test_what_is_no_plan_is_refused_whoever_wrote_it(
    folder: Path, change: dict[str, object]
) -> None:
    planned(folder)
    path = folder / PLAN
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    assert refusal(folder, *ASKED)[0] == "BadPlan"
    with pytest.raises(BadPlan):
        foreseen(folder, {"source": "plan"})
    assert planned(folder, "--anew")["number"] == 2


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000])
def test_what_is_no_json_is_refused(folder: Path, text: str) -> None:
    planned(folder)
    (folder / PLAN).write_text(text)
    assert refusal(folder, *ASKED)[0] == "BadPlan"


def test_a_plan_that_says_a_thing_twice_is_none(folder: Path) -> None:
    planned(folder)
    text = (folder / PLAN).read_text()
    (folder / PLAN).write_text('{"images": [], ' + text[1:])
    with pytest.raises(BadPlan, match="twice"):
        review_plan.read(folder)


@pytest.mark.parametrize("how", ["order", "terms", "no mac", "a number for one"])
def test_a_plan_that_somebody_else_wrote_is_believed_by_nobody(folder: Path, how: str) -> None:
    look_at(folder, sample_of(planned(folder)))
    plan = json.loads((folder / PLAN).read_text())
    changes = {
        "order": {"images": plan["images"][::-1]},
        "terms": {"terms": {**plan["terms"], "error": 0.9}},
        "no mac": {"mac": ""},
        "a number for one": {"mac": 7},
    }
    (folder / PLAN).write_text(json.dumps(plan | changes[how]))
    terms = ("--error", "90%") if how == "terms" else ()
    assert refusal(folder, *ASKED, *terms)[0] == "BadPlan"
    with pytest.raises(BadPlan):
        foreseen(folder, {"source": "plan"})
    assert planned(folder, "--anew", *terms)["number"] == 2


def test_a_plan_of_another_key_is_not_believed(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned(folder)
    other = tmp_path / "key"
    other.write_bytes(b"k" * 32)
    other.chmod(0o600)
    monkeypatch.setenv("CROPKIT_KEY", str(other))
    with pytest.raises(BadPlan, match="was not drawn with your key"):
        review_plan.read(folder)


def test_a_plan_is_read_as_it_was_written(folder: Path) -> None:
    (folder / "0000.png").rename(folder / "\udcff\x1b.png")
    (folder / "0000.decision").unlink()
    planned(folder)
    plan = review_plan.read(folder)
    assert plan is not None
    review_plan.write(plan, folder)
    assert review_plan.read(folder) == plan
    assert len(plan.images) == IMAGES - 1


# -- a batch -------------------------------------------------------------------------------------


def test_a_batch_without_a_plan_or_before_its_sample_is_decided_is_refused(folder: Path) -> None:
    with pytest.raises(BadPlan, match="has no plan"):
        foreseen(folder, {"source": "plan"})
    planned(folder)
    with pytest.raises(TooFewDecisions):
        foreseen(folder, {"source": "plan"})
    with Batch(folder, source="plan") as batch, pytest.raises(TooFewDecisions):
        batch.apply()


def test_a_batch_accepts_what_the_plan_lets_through_and_tells_what_was_promised_and_found(
    folder: Path,
) -> None:
    sample = sample_of(planned(folder))
    look_at(folder, sample)
    answer = planned(folder)
    with Batch(folder, source="plan") as batch:
        batch.apply()
        result = batch.result()
    assert result["cropped"] == IMAGES - len(sample)
    promise, found = result["promised"]
    assert promise.startswith(f"promised, at 95 %: of {IMAGES - len(sample)} images")
    assert f"{answer['at_most']} at most beyond 5 %" in promise
    assert f"of {len(sample)} decided images of the sample, 0 were changed" in found
    kept = record.read(batch.folder)
    assert kept is not None
    assert kept.promised == (promise, found)
    assert all(each in page(kept, _no_pictures) for each in kept.promised)
    after = planned(folder)
    assert (after["unseen"], after["at_most"]) == (answer["unseen"], answer["at_most"])
    assert after["accept"] == []


def _no_pictures(_: object) -> Pictures:
    return Pictures(None, None)


def test_a_batch_leaves_alone_what_is_not_as_it_was_planned(folder: Path) -> None:
    sample = sample_of(planned(folder))
    look_at(folder, sample)
    accepted = sorted(set(_names(folder)) - set(sample))
    new, changed, other = accepted[:3]
    (folder / Path(other).with_suffix(".decision")).write_text(
        (folder / Path(other).with_suffix(".decision")).read_text().replace("0.25", "0.26")
    )
    (folder / changed).write_bytes((folder / changed).read_bytes() + b"\0")
    (folder / f"new{Path(new).suffix}").write_bytes((folder / new).read_bytes())
    plan, _ = foreseen(folder, {"source": "plan"})
    reasons = {each.path: each.reason for each in plan.passed}
    assert reasons[other] == unseen.OTHERWISE
    assert reasons[f"new{Path(new).suffix}"] == unseen.TO_BE_SEEN
    assert {changed, other}.isdisjoint(item.path for item in plan.ready)
    assert len(plan.ready) == len(accepted) - 2


def _names(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir() if each.suffix in (".png", ".jpg")]


def test_a_record_without_a_promise_is_read_as_before() -> None:
    assert RunRecord("c", "queue", {}, "s", "").promised == ()
    assert "promised" not in RunRecord("c", "queue", {}, "s", "").summary()
