"""The review as a state machine; pure.

Two rules. Everything that decides what the review does next lives here: `advance` takes a frozen
`Session` and a move and returns a `Step`. And nothing here may know a clock, a file or a widget:
what has to be done is returned as values (`Ruling`, the path to undo), which the shell stamps with
times and names and carries out.

An illegal move raises `IllegalMove` and changes nothing.
"""

from cropkit.session.moves import (
    Applied,
    Choose,
    ChooseNext,
    Decide,
    DecidePage,
    Drag,
    FullImage,
    LoadFailed,
    Looked,
    Move,
    Nudge,
    ResetBox,
    Resize,
    Restored,
    RestoreFailed,
    ToggleLock,
    ToggleMark,
    TurnPage,
    Undo,
)
from cropkit.session.rules import (
    advance,
    begin,
)
from cropkit.session.state import (
    FAILED,
    AspectLock,
    Broken,
    Done,
    Draft,
    Entry,
    Loading,
    Mark,
    Open,
    Restoring,
    Ruling,
    Session,
    Settled,
    Step,
)

__all__ = [
    "FAILED",
    "Applied",
    "AspectLock",
    "Broken",
    "Choose",
    "ChooseNext",
    "Decide",
    "DecidePage",
    "Done",
    "Draft",
    "Drag",
    "Entry",
    "FullImage",
    "LoadFailed",
    "Loading",
    "Looked",
    "Mark",
    "Move",
    "Nudge",
    "Open",
    "ResetBox",
    "Resize",
    "RestoreFailed",
    "Restored",
    "Restoring",
    "Ruling",
    "Session",
    "Settled",
    "Step",
    "ToggleLock",
    "ToggleMark",
    "TurnPage",
    "Undo",
    "advance",
    "begin",
]
