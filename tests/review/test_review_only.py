"""A review of some images, by folder, name or label: its counts are theirs, and the end says so."""

import csv
from collections.abc import Callable
from pathlib import Path

import pictures
import pytest
from deciding import decided
from desktop import Browser, entries

from cropkit.collection import Collection
from cropkit.errors import (
    BadParameterValue,
    BadSuggestion,
    ForeignState,
    InsideCollection,
    NoImages,
    PathOutsideRoot,
)
from cropkit.records import Status
from cropkit.system.home import SUGGESTIONS

Started = Callable[..., Browser]
CATS = ("2024/a_stage2.png", "a_stage2.png", "2025/a_stage2.png")


@pytest.fixture
def folder(folder: Path, tmp_path: Path) -> Path:
    """Three folders of five images, of which one each has a box around a cat."""
    for name in ("2024", "2025"):
        pictures.write_folder(folder / name)
    labels = tmp_path / "labels.csv"
    with labels.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "x1", "y1", "x2", "y2", "label"])
        rows.writerows([path, 2, 2, 30, 30, "cat"] for path in CATS)
        rows.writerow(["2024/c.jpg", 2, 2, 30, 30, "dog"])
    with Collection(folder) as kit:
        kit.import_labels(labels)
    return folder


def opened(start: Started, folder: Path, **options: object) -> Browser:
    browser = start(folder, **options)
    browser.open()
    browser.shown()
    return browser


def to_the_end(browser: Browser) -> None:
    while not browser.controller.session.ended:
        browser.key("Enter")
        browser.written()
        if not browser.controller.session.ended:
            browser.shown()
    browser.until(lambda: browser.review.idle)


def test_what_has_a_label_is_reviewed_and_nothing_beside_it(start: Started, folder: Path) -> None:
    with Collection(folder) as whole:
        decided(whole, "2025/a_stage2.png")
        decided(whole, "2025/c.jpg")
    browser = opened(start, folder, only="label=cat")
    assert f"{folder.name} · label cat" in browser.words
    assert "1 of 3 decided" in browser.words
    assert {entry.path for entry in entries(browser)} <= set(CATS)
    to_the_end(browser)
    assert browser.review.progress["total"] == 3
    assert browser.controller.counts == browser.review.collection.counts()
    assert (
        f"Outside of <b>{folder.name} · label cat</b>, 11 images are left to decide"
        in browser.words
    )
    assert f"cropkit review {folder}" in browser.words
    browser.review.close()
    with Collection(folder) as whole:
        standing = whole.trail.decisions.standing_by_path()
        by = {path: each.status for path, each in standing.items()}
        assert {path: by.pop(path) for path in CATS} == dict.fromkeys(CATS, Status.CROPPED)
        assert list(by.values()) == [Status.WAITING], (
            "what is not meant is left to whoever it is of"
        )
        assert whole.fsck() == []


def test_a_folder_and_a_label_are_what_has_both(start: Started, folder: Path) -> None:
    browser = opened(start, folder, only="folder=2024; label=cat; label=dog")
    assert "0 of 2 decided" in browser.words
    assert {entry.path for entry in entries(browser)} == {"2024/a_stage2.png", "2024/c.jpg"}


def test_a_choice_in_a_part_is_one_of_that_part(start: Started, folder: Path) -> None:
    browser = opened(start, folder / "2025", only="label=cat")
    assert [entry.path for entry in entries(browser)] == ["2025/a_stage2.png"]
    assert f"{folder.name}/2025 · label cat" in browser.words
    to_the_end(browser)
    assert "14 images are left to decide" in browser.words


def test_of_a_part_it_is_said_what_is_left_outside_and_of_a_whole_nothing(
    start: Started, folder: Path
) -> None:
    browser = opened(start, folder / "2025")
    to_the_end(browser)
    assert f"Outside of <b>{folder.name}/2025</b>, 10 images are left to decide" in browser.words
    browser.review.close()
    whole = opened(start, folder)
    to_the_end(whole)
    assert "Outside of" not in whole.words


def test_two_people_have_a_part_each(folder: Path) -> None:
    with (
        Collection(folder, reviewer="Ann", only="folder=2024") as ann,
        Collection(folder, reviewer="Ben", only={"label": ["cat"]}) as ben,
    ):
        assert {path.partition("/")[0] for path in ann.images()} == {"2024"}
        assert set(ben.images()) == set(CATS)
        with pytest.raises(PathOutsideRoot, match=r"not inside .* \(label cat\)"):
            ben.look("2024/c.jpg")
        assert ben.counts().total == 3
        assert repr(ben).endswith("  # only label cat")
        with pytest.raises(InsideCollection):
            ben.keep_double(0.1)


def test_what_nothing_is_of_is_told(folder: Path) -> None:
    with pytest.raises(BadParameterValue, match="label of imported boxes: cat, dog"):
        Collection(folder, only="label=bird")
    with pytest.raises(BadParameterValue):
        Collection(folder, only="folder=2026")
    with Collection(folder, only="name=nowhere") as kit, pytest.raises(NoImages):
        kit.images()


def test_a_damaged_or_foreign_store_of_boxes_refuses_a_choice_by_label(
    folder: Path, tmp_path: Path
) -> None:
    store = folder / SUGGESTIONS
    store.write_bytes(b"no database" * 100)
    with pytest.raises(BadSuggestion):
        Collection(folder, only="label=cat")
    store.rename(tmp_path / "elsewhere")
    store.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ForeignState):
        Collection(folder, only="label=cat")
    store.unlink()
    with pytest.raises(BadParameterValue, match="none has one"):
        Collection(folder, only="label=cat")


@pytest.mark.parametrize("only", [7, ["cat"], {"colour": "red"}, "label", b"label=cat"])
def test_a_review_refuses_what_is_no_choice(start: Started, folder: Path, only: object) -> None:
    with pytest.raises(BadParameterValue):
        start(folder, only=only)


def test_what_a_model_was_unsure_of_is_reviewed_by_the_box_that_comes_first(
    start: Started, folder: Path, tmp_path: Path
) -> None:
    """Of two imports the later one, of one import the surest box; who says nothing is neither."""
    rows: list[tuple[str, object]] = [
        ("a_stage2.png", 0.9),
        ("c.jpg", 0.2),
        ("2024/a_stage2.png", 0.3),
        ("2024/a_stage2.png", 0.8),
        ("2025/a_stage2.png", 0.8),
        ("2025/a_stage2.png", 0.3),
        ("2025/c.jpg", ""),
    ]
    later: list[tuple[str, object]] = [("a_stage2.png", 0.4), ("c.jpg", 0.7), ("2024/c.jpg", 0.1)]
    for number, some in enumerate((rows, later)):
        sheet = tmp_path / f"{number}.csv"
        with sheet.open("w", newline="") as file:
            written = csv.writer(file)
            written.writerow(["path", "x1", "y1", "x2", "y2", "confidence"])
            written.writerows([path, 2, 2, 30, 30, sure] for path, sure in some)
        with Collection(folder) as kit:
            kit.import_labels(sheet)
    meant = {"a_stage2.png", "2024/c.jpg"}
    with Collection(folder, only="filter=unsure") as kit:
        assert set(kit.images()) == meant
    with Collection(folder, only={"filter": "certain", "folder": "2025"}) as kit:
        assert list(kit.images()) == ["2025/a_stage2.png"]
    browser = opened(start, folder, only="filter=unsure")
    assert f"{folder.name} · filter unsure" in browser.words
    to_the_end(browser)
    assert browser.review.progress["total"] == 2
    browser.review.close()
    with Collection(folder) as whole:
        assert set(whole.trail.decisions.standing_by_path()) == meant
