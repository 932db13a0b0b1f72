"""Images of the share wait for two people, who do not see each other's decisions."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from deciding import BOX, decided, decision

from cropkit import clock
from cropkit.cli import main
from cropkit.collection import Collection
from cropkit.errors import AuditCorrupt, BadParameterValue
from cropkit.geometry import PixelBox
from cropkit.opinions import SETTING
from cropkit.records import Status, Verdict
from cropkit.review.runtime.review_store import ReviewStore

NEAR, FAR = PixelBox(11, 20, 60, 90), PixelBox(30, 20, 60, 90)


@pytest.fixture
def anna(folder: Path) -> Iterator[Collection]:
    with Collection(folder, reviewer="anna") as kit:
        kit.keep_double(1.0)
        yield kit


@pytest.fixture
def ben(folder: Path, anna: Collection) -> Iterator[Collection]:
    del anna
    with Collection(folder, reviewer="ben") as kit:
        yield kit


def looked(kit: Collection, box: PixelBox | None = BOX, verdict: Verdict = Verdict.ADJUSTED) -> str:
    """Decide as a person who has looked for a second; return the decision's id."""
    shown = clock.now() - timedelta(seconds=1)
    new = decision(kit, kit.images()[0], box, verdict=verdict, shown_at=shown)
    kit.decide([new])
    return new.id


def shown_to(kit: Collection) -> list[str]:
    """Return who decided what the reviewer of a collection is shown."""
    standing = ReviewStore(kit).standing_of([kit.images()[0]])
    return [each.reviewer for each in standing.values()]


def test_a_crop_waits_for_the_second_person_who_does_not_see_the_first_decision(
    anna: Collection, ben: Collection
) -> None:
    image = Path(anna.root, anna.images()[0])
    before = image.read_bytes()
    first = anna.apply(looked(anna))
    assert (first.status, first.ok) == (Status.WAITING, True)
    assert first.message == "waits for a second opinion"
    assert image.read_bytes() == before
    assert (shown_to(anna), shown_to(ben)) == (["anna"], [])
    second = ben.apply(looked(ben, NEAR))
    assert second.status is Status.CROPPED
    assert shown_to(anna) == ["ben"]
    (agreement,) = anna.stats().agreement
    assert (agreement.reviewers, agreement.crops) == (("anna", "ben"), 1)


def test_two_who_disagree_wait_for_a_third_who_sees_neither(
    anna: Collection, ben: Collection, folder: Path
) -> None:
    looked(anna)
    result = ben.apply(looked(ben, FAR))
    assert result.status is Status.WAITING
    assert "two people disagree" in str(result.message)
    assert (shown_to(anna), shown_to(ben)) == (["ben"], ["ben"])
    with Collection(folder, reviewer="carl") as carl:
        assert shown_to(carl) == []
        assert carl.apply(looked(carl, NEAR)).status is Status.CROPPED


@pytest.mark.parametrize("verdict", [Verdict.SKIP, Verdict.REJECT])
def test_what_keeps_no_box_is_hidden_as_well(
    anna: Collection, ben: Collection, verdict: Verdict
) -> None:
    anna.apply(looked(anna, None, verdict))
    assert shown_to(ben) == []
    result = ben.apply(looked(ben, None, verdict))
    assert result.status in (Status.SKIPPED, Status.REJECTED)


def test_an_opinion_that_was_taken_back_is_none(anna: Collection, ben: Collection) -> None:
    anna.undoer.retract(looked(anna))
    assert ben.apply(looked(ben)).status is Status.WAITING
    assert shown_to(anna) == []


def test_what_a_program_decides_waits_for_nobody(anna: Collection, ben: Collection) -> None:
    assert anna.apply(decided(anna, anna.images()[0])).status is Status.CROPPED
    assert shown_to(ben) == ["anna"]
    assert anna.crop(anna.images()[1], BOX).ok


def test_the_share_and_its_end_are_seen_by_who_has_begun_before(
    anna: Collection, ben: Collection
) -> None:
    assert anna.apply(looked(anna)).status is Status.WAITING
    before = anna.trail.settings()[SETTING]
    ben.keep_double("0%")
    (result,) = anna.apply_waiting()
    assert result.status is Status.CROPPED
    anna.keep_double(1)
    assert anna.trail.settings()[SETTING] == before, "the images are those of before"


def test_what_is_no_share_changes_nothing(anna: Collection) -> None:
    before = anna.trail.settings()
    with pytest.raises(BadParameterValue, match="double"):
        anna.keep_double("half")
    assert anna.trail.settings() == before


def test_a_setting_that_nobody_of_ours_wrote_stops_the_work_until_it_is_chosen_anew(
    anna: Collection,
) -> None:
    wanted = looked(anna)
    anna.trail.choose({SETTING: "5%\u202e"})
    with pytest.raises(AuditCorrupt, match="the setting 'double'"):
        anna.apply(wanted)
    anna.keep_double(0)
    assert anna.apply(wanted).status is Status.CROPPED


def test_what_waits_is_told_by_the_commands(
    anna: Collection, ben: Collection, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    looked(anna)
    assert main(["stats", str(folder)]) == 0
    assert "1 of the share: waits for a second opinion" in capsys.readouterr().out
    looked(ben, FAR)
    assert main(["apply", str(folder)]) == 0
    words = "two people disagree: it waits for a third opinion"
    assert f"waiting {anna.images()[0]}: {words}\n" in capsys.readouterr().out
    assert anna.stats().to_json()["waiting"] == {words: 1}
    ben.apply(looked(ben, NEAR))
    assert anna.stats().waiting == {}
