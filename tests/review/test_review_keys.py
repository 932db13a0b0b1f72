"""The table of keys, presets and keymaps, printed forms, typing, and the rhythm of a held key."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from desktop import Browser

from cropkit.errors import BadKeymap, IllegalMove
from cropkit.geometry import PixelBox, Size
from cropkit.review import keys_markdown
from cropkit.review.keys.actions import ACTIONS, Command, Repeats
from cropkit.review.keys.key_repeat import HELD_DELAY, KeyRepeat, Response
from cropkit.review.keys.keymap import (
    PRESETS,
    Binding,
    actions_markdown,
    keymap,
    preset,
    shortened,
)
from cropkit.review.keys.prompt import Prompt
from cropkit.review.model import (
    Arrange,
    Arrangement,
    Choose,
    ChooseNext,
    DecidePage,
    Find,
    FullImage,
    Mark,
    Nudge,
    Redo,
    Resize,
    SetBox,
    SetLongerSide,
    SetPart,
    SetRatio,
    SetSize,
    ToggleMark,
    TurnPage,
    Undo,
)

DEFAULT = preset("default")
KEYS = DEFAULT.bindings
look_up, grouped = DEFAULT.look_up, DEFAULT.grouped


@pytest.mark.parametrize("binding", KEYS, ids=lambda b: b.label)
def test_a_key_is_found_by_what_the_browser_sends(binding: Binding) -> None:
    found = look_up(binding.key, shift=binding.shift, ctrl=binding.ctrl, meta=False)
    assert found is binding


def test_arrows_nudge_by_one_and_ten_and_resize_with_ctrl() -> None:
    found = [
        look_up("ArrowLeft", shift=shift, ctrl=ctrl, meta=False)
        for ctrl in (False, True)
        for shift in (False, True)
    ]
    assert [row and row.does for row in found] == [
        Nudge(-1, 0),
        Nudge(-10, 0),
        Resize(-1, 0),
        Resize(-10, 0),
    ]


def test_every_key_and_every_text_is_in_the_markdown() -> None:
    text = keys_markdown()
    for group in grouped().values():
        for said, labels in group.items():
            assert said in text
            assert all(label in text for label in shortened(labels))
    assert text.count("\n") == 2 + sum(len(rows) for rows in grouped().values())


def test_only_harmless_keys_repeat_while_they_are_held() -> None:
    for row in KEYS:
        if isinstance(row.does, DecidePage | ToggleMark):
            assert row.pace is not Repeats.FREE


def test_runs_of_digits_and_arrows_are_shortened() -> None:
    assert shortened(("1", "2", "3")) == ("1 … 3",)
    assert shortened(("Shift+←", "Shift+→", "Shift+↑", "Shift+↓")) == ("Shift+←→↑↓",)
    assert shortened(("Backspace", "PageUp")) == ("Backspace", "PageUp")


def test_a_repeat_of_a_held_key_is_dropped_and_another_key_is_not() -> None:
    rhythm, beat = KeyRepeat().heard("Enter", Repeats.ONCE, 10.0)
    assert beat is Response.TAKE
    held, beat = rhythm.heard("Enter", Repeats.ONCE, 10.03)
    assert beat is Response.DROP
    assert held.heard("Z", Repeats.ONCE, 10.04)[1] is Response.TAKE


def test_dropped_presses_count_so_that_a_held_key_stays_dropped() -> None:
    rhythm, now = KeyRepeat().heard("Enter", Repeats.ONCE, 10.0)[0], 10.0
    for _ in range(30):
        now += 0.2
        rhythm, beat = rhythm.heard("Enter", Repeats.ONCE, now)
        assert beat is Response.DROP


def test_a_second_press_is_watched_while_it_may_be_a_first_repeat() -> None:
    rhythm, _ = KeyRepeat().heard("Enter", Repeats.ONCE, 10.0)
    assert rhythm.heard("Enter", Repeats.ONCE, 10.0 + HELD_DELAY * 0.6)[1] is Response.WATCH
    assert rhythm.heard("Enter", Repeats.ONCE, 10.0 + HELD_DELAY * 1.1)[1] is Response.TAKE


def test_held_arrows_repeat() -> None:
    rhythm = KeyRepeat()
    for n in range(10):
        rhythm, beat = rhythm.heard("←", Repeats.FREE, 10 + n * 0.01)
        assert beat is Response.TAKE


# --- presets and a person's own keymap


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_binds_everything_that_matters_without_conflict(name: str) -> None:
    bound = {row.name for row in preset(name).bindings}
    single = {action.name for action in ACTIONS if not action.name[-1].isdigit()}
    assert single <= bound
    for direction in ("left", "right", "up", "down"):
        assert f"nudge-{direction}-1" in bound
        assert f"resize-{direction}-1" in bound


@pytest.mark.parametrize(
    ("name", "key", "action"),
    [
        ("classic", "1", "reject-1"),
        ("classic", "v", "full-3"),
        ("classic", "ArrowLeft", "previous-page"),
        ("classic", "B", "previous-page"),
        ("classic", "p", "previous-folder"),
        ("classic", "q", "release"),
        ("vim", "h", "nudge-left-1"),
        ("vim", "U", "undo"),
        ("vim", "/", "go-to"),
        ("default", "Ч", "reject"),
        ("default", "я", "undo"),
        ("default", "χ", "reject"),
        ("default", "ס", "reject"),  # noqa: RUF001  (Hebrew)
    ],
)
def test_keys_are_what_hands_expect_whatever_case_and_script(
    name: str, key: str, action: str
) -> None:
    found = preset(name).look_up(key, shift=key.isupper(), ctrl=False, meta=False)
    assert found is not None
    assert found.name == action


def test_a_keymap_of_ones_own_rebinds_a_preset(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    file.write_text('preset = "vim"\n[keys]\nreject = ["d", "delete"]\nskip = "Shift+Home"\n')
    mine = keymap(file=file)
    assert [row.label for row in mine.bindings if row.name == "reject"] == ["D", "Delete"]
    assert mine.label("undo") == "U"
    assert mine.look_up("x", shift=False, ctrl=False, meta=False) is None
    assert mine.look_up("Home", shift=True, ctrl=False, meta=False) is not None
    assert keymap("default", file).label("undo") == "Z"
    assert keymap(file=tmp_path / "nowhere").label("undo") == "Z"


def test_ones_own_key_wins_over_a_presets_and_what_lost_it_is_said(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    file.write_text('[keys]\nreject = "z"\nstar = "F7"\nskip = "M"\n')
    mine = keymap(file=file)
    found = mine.look_up("z", shift=False, ctrl=False, meta=False)
    assert found is not None
    assert found.name == "reject"
    assert mine.changes() == (
        "Z is your key for reject; undo has Ctrl+Z. M is your key for skip; single has none"
    )
    taken = list(mine.grouped().values())[-1]
    assert list(taken.values()) == [("Z",), ("M",)]
    several = preset("default", {"reject": ("z",), "skip": ("Ctrl+z",)})
    assert list(list(several.grouped().values())[-1].values()) == [("Z", "Ctrl+Z")]
    assert not keymap("vim").changes()
    assert not preset("default", {"reject": ("x",)}).changes(), "it was that action's"


def test_a_review_says_what_ones_own_keys_have_taken(start: Callable[..., Browser]) -> None:
    bound = preset("default", {"reject": ("z",)}, "keys.toml")
    assert "Z is your key for reject; undo has Ctrl+Z" in start(keys=bound).words


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('[keys]\nreject = "z"\nskip = "Z"', "Z is the key of reject and of skip"),
        ('[keys]\nreject = "Escape"', "no key releases the keyboard"),
        ('[keys]\nrejct = "d"', "no action 'rejct'"),
        ('[keys]\nreject = "Hyper+d"', "no key 'Hyper+d'"),
        ('[keys]\nreject = "Ctrl+d"', "is the browser's"),
        ("[keys]\nreject = 7", "not written as text"),
        ("[keys]\nrelease = []", "no key releases the keyboard"),
        ('preset = "emacs"', "no preset 'emacs'"),
        ('keymap = "vim"', "nothing else"),
        ("keys = 3", "is not a table"),
        ("[keys", "Expected"),
    ],
)
def test_a_keymap_that_makes_no_sense_is_refused_by_name(
    tmp_path: Path, written: str, said: str
) -> None:
    file = tmp_path / "keys.toml"
    file.write_text(written)
    with pytest.raises(BadKeymap, match=re.escape(said)) as caught:
        keymap(file=file)
    assert str(file) in str(caught.value)


def test_the_documented_keymap_and_table_are_true(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "keys.md").read_text(encoding="utf-8")
    assert actions_markdown() in text
    (example,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    (tmp_path / "keys.toml").write_text(example)
    mine = keymap(file=tmp_path / "keys.toml")
    assert mine.label("filter") == ""
    assert mine.label("reject") == "D"


# --- typing


@pytest.mark.parametrize(
    ("typed", "move"),
    [
        ("800x600", SetSize(Size(800, 600))),
        ("800 × 600", SetSize(Size(800, 600))),  # noqa: RUF001  (as the read-out writes it)
        ("120, 80, 800, 600", SetBox(PixelBox(120, 80, 920, 680))),
        (" 10 20 30 40 ", SetBox(PixelBox(10, 20, 40, 60))),
        ("1024", SetLongerSide(1024)),
        (" 50 % ", SetPart(50)),
        ("3:2", SetRatio(3, 2)),
        ("1.91:1", SetRatio(191, 100)),
    ],
)
def test_what_is_typed_for_a_box_is_read(typed: str, move: object) -> None:
    assert Prompt(Command.EXACT, typed).move() == move


@pytest.mark.parametrize(
    "typed", ["", "0", "0%", "101%", "1,2,3", "x", "0x5", "3:0", "0:0", "5,5,0,3", "-4x3", "9 x"]
)
def test_what_makes_no_box_is_refused(typed: str) -> None:
    with pytest.raises(IllegalMove):
        Prompt(Command.EXACT, typed).move()


def test_what_is_typed_is_looked_for() -> None:
    assert Prompt(Command.GO_TO, " 12 ").move() == Find("12")
    assert Prompt(Command.GO_TO, "beach 3").move() == Find("beach 3")


def test_typing_takes_characters_and_backspace_and_nothing_else() -> None:
    prompt = Prompt(Command.GO_TO)
    for key in ("a", "B", "Shift", "F5", "ü", "Backspace", "ArrowLeft", "7"):
        prompt = prompt.typed(key)
    assert prompt.text == "aB7"
    for _ in range(200):
        prompt = prompt.typed("x")
    assert len(prompt.text) == 80


@pytest.mark.parametrize(
    ("name", "key", "does"),
    [
        ("default", "1", Choose(0)),
        ("default", "9", Choose(8)),
        ("default", "ArrowUp", Nudge(0, -1)),
        ("default", "ArrowDown", Nudge(0, 1)),
        ("default", "PageDown", TurnPage(1)),
        ("default", "PageUp", TurnPage(-1)),
        ("default", "Tab", ChooseNext(1)),
        ("default", "x", ToggleMark(Mark.REJECT)),
        ("default", "s", ToggleMark(Mark.SKIP)),
        ("default", ".", ToggleMark(Mark.LATER)),
        ("default", "z", Undo()),
        ("default", "y", Redo()),
        ("default", "m", Arrange(Arrangement.SINGLE)),
        ("default", "q", Arrange(Arrangement.GRID)),
        ("classic", "3", ToggleMark(Mark.REJECT, 2)),
        ("classic", "x", FullImage(0)),
        ("vim", "j", Nudge(0, 1)),
        ("vim", "k", Nudge(0, -1)),
        ("vim", "l", Nudge(1, 0)),
    ],
)
def test_a_key_does_what_is_written_on_it(name: str, key: str, does: object) -> None:
    found = preset(name).look_up(key, shift=False, ctrl=False, meta=False)
    assert found is not None
    assert found.does == does


def test_what_is_held_with_the_command_key_is_the_browsers() -> None:
    for b in KEYS:
        held = look_up(b.key, shift=b.shift, ctrl=b.ctrl, meta=True)
        assert held is None or held.name in ("undo", "redo"), b
