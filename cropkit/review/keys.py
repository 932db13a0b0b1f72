"""The keys of the review, in one table: the widget, its help sheet, the tests and the README."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum

from cropkit.session import (
    Choose,
    ChooseNext,
    Decide,
    DecidePage,
    FullImage,
    Mark,
    Move,
    Nudge,
    ResetBox,
    Resize,
    ToggleLock,
    ToggleMark,
    TurnPage,
    Undo,
)


class Command(StrEnum):
    """What a key does to the widget rather than to the review."""

    SHEET = "sheet"
    ACKNOWLEDGE = "acknowledge"
    RELEASE = "release"


class Pace(Enum):
    """How often a key may be taken, in seconds: there is no key-up and no repeat flag."""

    FREE = 0.0  # a held key repeats
    STEADY = 0.08  # one effect for each press: a keyboard repeats every 30 to 50 ms
    ONCE = 0.25  # it decides: see `rhythm`


@dataclass(frozen=True, slots=True)
class Binding:
    """One key with its modifiers, what it does and what the help sheet says about it."""

    key: str
    does: Move | Command
    help: str
    group: str
    shift: bool = False
    ctrl: bool = False
    pace: Pace = Pace.STEADY

    @property
    def label(self) -> str:
        """The key as it is printed on a keyboard."""
        key = _SYMBOLS.get(self.key, self.key.upper() if len(self.key) == 1 else self.key)
        return "+".join(("Ctrl",) * self.ctrl + ("Shift",) * self.shift + (key,))


_SYMBOLS = {
    "ArrowLeft": "←",
    "ArrowRight": "→",
    "ArrowUp": "↑",
    "ArrowDown": "↓",
    " ": "Space",
    "Escape": "Esc",
}
_ARROWS = {"ArrowLeft": (-1, 0), "ArrowRight": (1, 0), "ArrowUp": (0, -1), "ArrowDown": (0, 1)}
_DECIDING, _CHOOSING, _BOX, _MARKING, _OTHER = "Decide", "Choose", "Box", "Mark", "Other"


def _arrows(move: type[Nudge] | type[Resize], step: int, *, ctrl: bool) -> Iterator[Binding]:
    said = "resize by the right and bottom edge" if ctrl else "nudge"
    for key, (dx, dy) in _ARROWS.items():
        help_text = f"{said}, {step} px"
        does = move(dx * step, dy * step)
        yield Binding(key, does, help_text, _BOX, step > 1, ctrl, Pace.FREE)


KEYS: tuple[Binding, ...] = (
    Binding("Enter", DecidePage(), "accept the page and go on", _DECIDING, pace=Pace.ONCE),
    Binding(" ", Decide(), "accept the chosen image", _DECIDING, pace=Pace.ONCE),
    Binding("z", Undo(), "undo the last decision, restore its file", _DECIDING, pace=Pace.ONCE),
    Binding("x", ToggleMark(Mark.REJECT), "reject, or not", _MARKING),
    Binding("s", ToggleMark(Mark.SKIP), "skip, or not", _MARKING),
    *(Binding(str(n), Choose(n - 1), "choose an image", _CHOOSING) for n in range(1, 10)),
    Binding("Tab", ChooseNext(1), "choose the next image", _CHOOSING, pace=Pace.FREE),
    Binding("Tab", ChooseNext(-1), "choose the one before", _CHOOSING, shift=True, pace=Pace.FREE),
    Binding("Backspace", TurnPage(-1), "previous page", _CHOOSING),
    Binding("PageUp", TurnPage(-1), "previous page", _CHOOSING),
    Binding("PageDown", TurnPage(1), "next page, nothing decided", _CHOOSING),
    *_arrows(Nudge, 1, ctrl=False),
    *_arrows(Nudge, 10, ctrl=False),
    *_arrows(Resize, 1, ctrl=True),
    *_arrows(Resize, 10, ctrl=True),
    Binding("r", ResetBox(), "back to the suggested box", _BOX),
    Binding("f", FullImage(), "full image", _BOX),
    Binding("l", ToggleLock(), "lock the aspect: free, of the box, of the image", _BOX),
    Binding("a", Command.ACKNOWLEDGE, "acknowledge the message", _OTHER),
    Binding("?", Command.SHEET, "show or hide this sheet", _OTHER),
    Binding("Escape", Command.RELEASE, "release the keyboard (Esc closes the sheet first)", _OTHER),
)


def conflicts(table: Iterable[Binding]) -> list[tuple[Binding, Binding]]:
    """Return the pairs of rows that claim the same key."""
    seen: dict[tuple[str, bool, bool], Binding] = {}
    return [
        (earlier, row) for row in table if (earlier := seen.setdefault(_slot(row), row)) is not row
    ]


def look_up(key: str, *, shift: bool, ctrl: bool, meta: bool) -> Binding | None:
    """Return the row for a key as the browser names it.

    Letters count without Shift, so that Caps Lock does no harm; with Ctrl or the command key they
    belong to the browser.
    """
    if meta:
        return None
    letter = len(key) == 1
    return _BY_KEY.get((key.lower() if letter else key, shift and not letter, ctrl))


def grouped(table: Iterable[Binding] = KEYS) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """Group -> help text -> labels of the keys: what the help sheet shows."""
    groups: dict[str, dict[str, tuple[str, ...]]] = {}
    for row in table:
        rows = groups.setdefault(row.group, {})
        rows[row.help] = (*rows.get(row.help, ()), row.label)
    return groups


def shortened(labels: tuple[str, ...]) -> tuple[str, ...]:
    """Write a run of digits as its ends, and a modifier of all four arrows once."""
    if len(labels) > 2 and all(label.isdigit() for label in labels):  # noqa: PLR2004  (a run)
        return (f"{labels[0]} … {labels[-1]}",)
    heads = {label.rpartition("+")[0] for label in labels}
    if len(labels) == len(_ARROWS) and len(heads) == 1:
        head = heads.pop()
        return ((f"{head}+" if head else "") + "←→↑↓",)
    return labels


def keys_markdown() -> str:
    """Return the table for the README."""
    lines = ["| Key | Does |", "|---|---|"]
    for group in grouped().values():
        for text, labels in group.items():
            said = ", ".join(f"`{label}`" for label in shortened(labels))
            lines.append(f"| {said} | {text} |")
    return "\n".join(lines) + "\n"


def _slot(row: Binding) -> tuple[str, bool, bool]:
    return row.key, row.shift, row.ctrl


_BY_KEY = {_slot(row): row for row in KEYS}
