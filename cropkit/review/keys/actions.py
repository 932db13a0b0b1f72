"""What a key can do in the review, in one table: every preset and every keymap binds its names."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, StrEnum

from cropkit.geometry import Turn
from cropkit.review.model import (
    AddCrop,
    Arrange,
    Arrangement,
    CarryBox,
    CarryOn,
    Choose,
    ChooseNext,
    Decide,
    DecidePage,
    FitSubjects,
    FullImage,
    Mark,
    MoreOnPage,
    Move,
    NextCandidate,
    NextFilter,
    NextSlot,
    NextUnreviewed,
    Nudge,
    Pick,
    PickAll,
    Redo,
    RemoveCrop,
    Reopen,
    ResetBox,
    Resize,
    ShareBox,
    ToggleLock,
    ToggleMark,
    ToggleOrder,
    ToggleStar,
    ToggleTargets,
    TurnFolder,
    TurnImage,
    TurnLock,
    TurnPage,
    Undo,
)
from cropkit.system.home import REJECTED


class Command(StrEnum):
    """What a key does to the widget rather than to the review."""

    SHEET = "sheet"
    ACKNOWLEDGE = "acknowledge"
    RELEASE = "release"
    EXACT = "exact"
    NOTE = "note"
    GO_TO = "go-to"
    CLOSER = "closer"
    FARTHER = "farther"
    WHOLE = "whole"
    ACTUAL = "actual"
    LOUPE = "loupe"
    PEEK = "peek"
    GUIDES = "guides"
    BRIGHTER = "brighter"
    DARKER = "darker"
    MORE_CONTRAST = "more-contrast"
    LESS_CONTRAST = "less-contrast"
    GROUND = "ground"
    UNSIGNED = "without-credentials"
    WINDOW = "window"
    LEVEL = "level"
    LEVEL_LINE = "level-line"
    REPORT = "report"
    BUTTONS = "buttons"


class Repeats(Enum):
    """How often a key may be taken, in seconds, where the browser does not tell its repeats."""

    FREE = 0.0  # a held key repeats
    STEADY = 0.08  # one effect for each press: a keyboard repeats every 30 to 50 ms
    ONCE = 0.25  # it decides: see `key_repeat`


@dataclass(frozen=True, slots=True)
class Action:
    """Something to do, its name in a keymap, and what the help sheet says about it."""

    name: str
    does: Move | Command
    help: str
    group: str
    pace: Repeats = Repeats.STEADY


DECIDING, CHOOSING, LOOKING, BOX, OTHER = "Decide", "Go", "Look", "Box", "Other"
IMAGES = range(1, 10)
MOVED = f"move it to {REJECTED}"  # where copies are made, nothing is moved
ARROWS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}


def _arrows(move: type[Nudge] | type[Resize], step: int) -> Iterator[Action]:
    verb, label = ("nudge", "nudge") if move is Nudge else ("resize", "move right and bottom edge")
    for direction, (dx, dy) in ARROWS.items():
        name, does = f"{verb}-{direction}-{step}", move(dx * step, dy * step)
        yield Action(name, does, f"{label}, {step} px", BOX, Repeats.FREE)


def _each(name: str, help_text: str, group: str) -> Iterator[Action]:
    for n in IMAGES:
        moves: dict[str, Move] = {
            "choose": Choose(n - 1),
            "reject": ToggleMark(Mark.REJECT, n - 1),
            "full": FullImage(n - 1),
        }
        does = moves[name]
        yield Action(f"{name}-{n}", does, help_text, group)


def _turns() -> Iterator[Action]:
    """Yield the turns of an image, each as it is seen before that."""
    yield Action("turn-right", TurnImage(Turn.of(90)), "turn the image right, with its box", BOX)
    yield Action("turn-left", TurnImage(Turn.of(270)), "turn the image left", BOX)
    for flip, words in (("horizontal", "left to right"), ("vertical", "top to bottom")):
        yield Action(f"flip-{flip}", TurnImage(Turn.of(0, flip)), f"mirror it {words}", BOX)
    for more, angle in (("", "0.1"), ("-more", "1")):
        for to, sign in (("left", "-"), ("right", "+")):
            does = TurnImage(Turn.of(angle=sign + angle))
            words = f"straighten it by {angle}° to the {to}: for copies"
            yield Action(f"straighten-{to}{more}", does, words, BOX, Repeats.FREE)
    words = "level it by its own horizon or verticals: for copies"
    yield Action("level", Command.LEVEL, words, BOX)
    words = "level it by a line that is drawn next: for copies"
    yield Action("level-line", Command.LEVEL_LINE, words, BOX)


ACTIONS: tuple[Action, ...] = (
    Action("accept-page", DecidePage(), "accept the page and go on", DECIDING, Repeats.ONCE),
    Action("accept-one", Decide(), "accept the chosen image", DECIDING, Repeats.ONCE),
    Action("reject", ToggleMark(Mark.REJECT), f"reject: {MOVED}, or not", DECIDING),
    *_each("reject", f"reject this image: {MOVED}, or not", DECIDING),
    Action("look", ToggleMark(Mark.LATER), "grid: take a closer look, or not", DECIDING),
    Action("skip", ToggleMark(Mark.SKIP), "skip: leave it as it is for now, or not", DECIDING),
    Action(
        "without-credentials",
        Command.UNSIGNED,
        "crop all images without content credentials (C2PA)",
        DECIDING,
        Repeats.ONCE,
    ),
    Action("undo", Undo(), "take back: a change, or all that one key decided", DECIDING),
    Action("redo", Redo(), "do again what was taken back", DECIDING),
    Action("reopen", Reopen(), "reopen this image, restore its file", DECIDING),
    *_each("choose", "choose an image; where it is alone, a suggestion", CHOOSING),
    Action("next-image", ChooseNext(1), "choose the next image", CHOOSING, Repeats.FREE),
    Action("previous-image", ChooseNext(-1), "choose the one before", CHOOSING, Repeats.FREE),
    Action("next-slot", NextSlot(), "next crop of the same image", CHOOSING, Repeats.FREE),
    Action("pick", Pick(), "select this image beside others, or not", CHOOSING),
    Action("pick-all", PickAll(), "select all undecided ones of the page, or none", CHOOSING),
    Action("previous-page", TurnPage(-1), "previous page", CHOOSING),
    Action("next-page", TurnPage(1), "next page, nothing decided", CHOOSING),
    Action("previous-folder", TurnFolder(-1), "previous folder", CHOOSING),
    Action("next-folder", TurnFolder(1), "next folder", CHOOSING),
    Action(
        "next-unreviewed",
        NextUnreviewed(),
        "next undecided page; at last what was skipped",
        CHOOSING,
    ),
    Action("go-to", Command.GO_TO, "go to a number or a name", CHOOSING),
    Action(
        "filter",
        NextFilter(),
        "show all, or only those of a kind",
        CHOOSING,
    ),
    Action(
        "least-certain",
        ToggleOrder(),
        "the least certain images first, or as listed",
        CHOOSING,
    ),
    Action("single", Arrange(Arrangement.SINGLE), "one image alone, or the page", LOOKING),
    Action("grid", Arrange(Arrangement.GRID), "many at a glance, or the page", LOOKING),
    Action("page-more", MoreOnPage(1), "more images on a page", LOOKING),
    Action("page-fewer", MoreOnPage(-1), "fewer images on a page", LOOKING),
    Action("closer", Command.CLOSER, "zoom in, at the pointer or the box", LOOKING, Repeats.FREE),
    Action("farther", Command.FARTHER, "zoom out", LOOKING, Repeats.FREE),
    Action("whole", Command.WHOLE, "see the image whole", LOOKING),
    Action("actual", Command.ACTUAL, "100 %, at the next corner of the box", LOOKING),
    Action("peek", Command.PEEK, "hold it: see the crops alone", LOOKING),
    Action(
        "guides",
        Command.GUIDES,
        "lines: thirds, golden section, diagonals, centre, safe margins, rulers, none",
        LOOKING,
    ),
    Action("brighter", Command.BRIGHTER, "seen brighter; nothing of it is written", LOOKING),
    Action("darker", Command.DARKER, "seen darker", LOOKING),
    Action("more-contrast", Command.MORE_CONTRAST, "seen with more contrast", LOOKING),
    Action("less-contrast", Command.LESS_CONTRAST, "seen with less contrast", LOOKING),
    Action("ground", Command.GROUND, "around the pictures: light, mid, dark, as the page", LOOKING),
    Action("loupe", Command.LOUPE, "a loupe on the corner, or only in a drag", LOOKING),
    Action("window", Command.WINDOW, "fill the window, or see the notebook", LOOKING),
    *_arrows(Nudge, 1),
    *_arrows(Nudge, 10),
    *_arrows(Resize, 1),
    *_arrows(Resize, 10),
    Action("reset", ResetBox(), "back to the suggested box", BOX),
    Action("full", FullImage(), "full image, of the aspect held", BOX),
    *_each("full", "full image", BOX),
    *_turns(),
    Action("candidate", NextCandidate(), "next suggestion for this image", BOX),
    Action("fit", FitSubjects(), "around the subjects: all suggested boxes, then each", BOX),
    Action("carry", CarryBox(), "the box decided last, or the same part of another size", BOX),
    Action("share", ShareBox(), "this box for all that are selected", BOX),
    Action("carry-on", CarryOn(), "offer this box for the rest of the folder and size", BOX),
    Action("lock", ToggleLock(), "aspect: free, box, image, 1:1, 4:5, 3:2, 16:9", BOX),
    Action("targets", ToggleTargets(), "hold boxes to their targets, or let them go", BOX),
    Action("turn-lock", TurnLock(), "stand the aspect on end", BOX),
    Action("exact", Command.EXACT, "type edges, a size, a part or a ratio", BOX),
    Action("add-crop", AddCrop(), "another crop of this image, as this one", BOX, Repeats.ONCE),
    Action("remove-crop", RemoveCrop(), "remove a crop that was added", BOX, Repeats.ONCE),
    Action("star", ToggleStar(), "a star for this image, or none", OTHER),
    Action("note", Command.NOTE, "note a line about this image", OTHER),
    Action("acknowledge", Command.ACKNOWLEDGE, "acknowledge the message", OTHER),
    Action("report", Command.REPORT, "report: counts, what failed, before and after", OTHER),
    Action("buttons", Command.BUTTONS, "a button for every key, or none", OTHER),
    Action("sheet", Command.SHEET, "show or hide this sheet", OTHER),
    Action("release", Command.RELEASE, "release the keyboard (closes the sheet first)", OTHER),
)
# What the menu of an image has.
MENU = (
    *("accept-one", "reject", "skip", "reset", "full", "candidate", "carry", "exact"),
    *("turn-left", "turn-right", "flip-horizontal", "flip-vertical", "level"),
    "level-line",
    *("pick", "pick-all", "share", "carry-on", "star", "note"),
    *("undo", "least-certain", "single", "grid", "whole", "window", "report", "buttons", "sheet"),
)
NAMED = {action.name: action for action in ACTIONS}
