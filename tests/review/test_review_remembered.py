"""How a person looks at images is as they left it: after a kernel, and the next day."""

import json
import os
from pathlib import Path
from typing import Any

import pictures
import pytest
from conftest import Started  # type: ignore[attr-defined]  # (several conftest.py)
from desktop import Browser, entries
from moving import on, opened

from cropkit.review.model import Arrange, Arrangement, Filter, MoreOnPage, SetRatio, ToggleLock
from cropkit.review.model import begin as begun
from cropkit.review.model.remembering import as_left, page_size, way
from cropkit.review.view.guides import Guides
from cropkit.review.view.view_state import ViewState
from cropkit.system import personal_state

PATHS = tuple(f"{n}.png" for n in range(20))


def seen(start: Started, folder: Path, **options: Any) -> Browser:
    browser: Browser = start(folder, **options)
    browser.open()
    browser.shown()
    return browser


def kept() -> dict[str, Any]:
    return personal_state.read("review")


def left(browser: Browser) -> None:
    browser.loop.sleep(1)
    browser.until(lambda: browser.controller._side_thread.pending == 0)
    browser.review.close()


def test_a_review_begins_as_it_was_left(start: Started, folder: Path) -> None:
    browser = seen(start, folder)
    for key in ("l", "l", "#", "p", "m"):
        browser.key(key)
    browser.shown()
    for key in ("+", "+"):
        browser.key(key)
    view_state = browser.controller.screen.view_state
    zooms, path = view_state.zooms(), entries(browser)[0].path
    left(browser)
    again = seen(start, folder)
    session, view_state = again.controller.session, again.controller.screen.view_state
    assert (session.arrangement, session.per_page, str(session.lock)) == ("single", 1, "image")
    assert (view_state.guides, view_state.loupe_stays) == (Guides.GOLDEN, True)
    assert view_state.zooms() == zooms == {path: zooms[path]}
    assert zooms[path][0] > 1
    assert entries(again)[0].ratio == entries(again)[0].size.aspect_ratio


def test_what_is_chosen_and_given_up_in_a_moment_is_not_kept(start: Started, folder: Path) -> None:
    browser = seen(start, folder)
    remembering, before = browser.controller._remembering, browser.controller._chosen()
    remembering.follow(before._replace(here={**before.here, "arrangement": "grid"}))
    remembering.follow(before)
    left(browser)
    here = kept().get(str(folder.resolve()), before.here)
    assert here["arrangement"] == "page"


def test_what_is_of_a_folder_is_not_of_another_and_what_is_the_persons_is(
    start: Started, folder: Path, tmp_path: Path
) -> None:
    browser = seen(start, folder)
    for key in ("#", "l", "q"):
        browser.key(key)
    left(browser)
    other = seen(start, pictures.write_folder(tmp_path / "other"))
    assert other.controller.session.arrangement is Arrangement.PAGE
    assert str(other.controller.session.lock) == "free"
    assert other.controller.screen.view_state.guides is Guides.GOLDEN


def test_a_page_has_as_many_images_as_were_chosen_unless_a_number_is_asked_for(
    start: Started, folder: Path
) -> None:
    browser = seen(start, folder)
    assert len(entries(browser)) == 3
    browser.key("End", ctrl=True)
    browser.shown()
    assert len(entries(browser)) == 4
    left(browser)
    assert len(entries(seen(start, folder))) == 4
    asked = seen(start, folder, per_page=2)
    asked.key("#")
    left(asked)
    assert len(entries(seen(start, folder))) == 4


def test_who_only_looks_writes_nothing(start: Started, folder: Path) -> None:
    left(seen(start, folder))
    assert kept() == {}


def test_a_wheel_that_turns_is_written_once(
    start: Started, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = seen(start, folder)
    writes: list[object] = []
    remembering = browser.controller._remembering
    monkeypatch.setattr(remembering, "_keep", lambda: writes.append(remembering._wanted))
    for _ in range(20):
        browser.strike("+")
    assert writes == []
    left(browser)
    assert len(writes) == 1


def test_what_was_changed_last_is_kept_by_a_review_that_ends_at_once(
    start: Started, folder: Path
) -> None:
    browser = seen(start, folder)
    browser.key("#")
    browser.review.close()
    assert kept()[""] == {"guides": "golden section", "loupe": False, "ground": "as the page"}


def taken_up(own: dict[str, Any], here: dict[str, Any]) -> None:
    page_size(own.get("per_page"), 3)
    as_left(begun(PATHS), here)
    ViewState(3).choose(own, here.get("zooms", {}))


@pytest.mark.parametrize(
    "here",
    [
        {"arrangement": ["page"]},
        {"filter": "mine"},
        {"lock": ["ratio", 0, 1, False]},
        {"lock": ["ratio", 10**9, 1, False]},
        {"lock": "free"},
        {"zooms": {"a.png": [0, 0, 0]}},
        {"zooms": {"a.png": [float("nan"), 0, 0]}},
        {"zooms": {"a.png": [1e300, 0, 0]}},
        {"own": {"guides": "spiral"}},
        {"own": {"per_page": 0}},
        {"own": {"per_page": True}},
        {"own": {"per_page": 10**9}},
    ],
    ids=json.dumps,
)
def test_what_is_no_such_choice_is_refused(here: dict[str, Any]) -> None:
    own = here.get("own", {})
    with pytest.raises(ValueError, match=r"\bno |is not a valid"):
        taken_up(own, here)


@pytest.mark.parametrize("name", ["", "HERE"])
@pytest.mark.parametrize("table", [[], {"zooms": 3, "guides": "spiral"}], ids=str)
def test_what_is_not_used_is_told_and_the_review_begins(
    start: Started, folder: Path, name: str, table: object
) -> None:
    with personal_state.changing("review") as written:
        written[name.replace("HERE", str(folder))] = table
    browser = seen(start, folder)
    assert "what you chose last is not used" in browser.words
    assert len(entries(browser)) == 3


def test_a_document_that_others_may_write_is_not_believed(start: Started, folder: Path) -> None:
    left_by = seen(start, folder)
    left_by.key("m")
    left(left_by)
    Path(os.environ["XDG_STATE_HOME"], "cropkit", "review.json").chmod(0o666)
    browser = seen(start, folder)
    assert "others may write to it" in browser.words
    assert browser.controller.session.arrangement is Arrangement.PAGE


def test_folders_that_were_looked_at_long_ago_are_forgotten(start: Started, folder: Path) -> None:
    with personal_state.changing("review") as written:
        written.update({"": {}, str(folder): {}} | {f"/gone/{n}": {} for n in range(300)})
    browser = seen(start, folder)
    browser.key("m")
    left(browser)
    assert len(kept()) == 201
    assert {"", str(folder), "/gone/299"} <= kept().keys()


def test_a_way_to_look_is_taken_up_as_it_was_left() -> None:
    for moves in ((), (ToggleLock(),) * 3, (Arrange(Arrangement.GRID), SetRatio(3, 2))):
        session = on(opened(begun(PATHS)), *moves[:1])
        session = on(opened(session), *moves[1:])
        again = as_left(begun(PATHS), json.loads(json.dumps(way(session))))
        assert way(again) == way(session)
    there = as_left(begun(PATHS, 3, place="7.png"), {"arrangement": "single"}, "7.png")
    assert there.entries[0].path == "7.png"
    nothing = as_left(begun(PATHS), {"filter": Filter.REJECTED})
    assert nothing.filter is Filter.ALL  # no image passes
    done = begun((), settled={})
    assert as_left(done, {"arrangement": "single"}).ended == done.ended


def test_the_chosen_image_stays_when_a_page_has_more_or_fewer() -> None:
    session = on(begun(PATHS, 3), MoreOnPage(1), MoreOnPage(1))
    assert (session.usual, len(session.entries), session.arrangement) == (5, 5, Arrangement.PAGE)
    alone = on(begun(PATHS, 3, place="7.png"), Arrange(Arrangement.SINGLE), MoreOnPage(-1))
    assert alone.entries[alone.chosen].path == "6.png"
    assert page_size(None, 3) == 3
