"""A line that is typed over the canvas: exact numbers for a box, or where to go; pure."""

import re
from dataclasses import dataclass, replace
from fractions import Fraction

from cropkit.errors import BadBox, IllegalMove
from cropkit.geometry import PixelBox, Size
from cropkit.records import LONGEST_NOTE
from cropkit.review.keys.actions import Command
from cropkit.review.model import (
    DropCredentials,
    Find,
    Move,
    SetBox,
    SetLongerSide,
    SetPart,
    SetRatio,
    SetSize,
    WriteNote,
)

_LONGEST = {Command.NOTE: LONGEST_NOTE}
_USUAL = 80
_NUMBER = r"\d+(?:\.\d+)?"
_RATIO = re.compile(rf"\s*({_NUMBER})\s*[:/]\s*({_NUMBER})\s*")
_NUMBERS = re.compile(r"[\s,;]*\d+(?:[\s,;x\u00d7*]+\d+)*[\s,;]*", re.IGNORECASE)
_TITLES = {
    Command.EXACT: "Box",
    Command.GO_TO: "Go to",
    Command.NOTE: "Note",
    Command.UNSIGNED: "Crop every image here without content credentials (C2PA)?",
}
_HINTS = {
    Command.EXACT: "800 x 600; left, top, width, height; 3:2; 1024 (longer side); 50% of the image",
    Command.GO_TO: "a number, or any parts of a name or a folder",
    Command.NOTE: "a line about the image; nothing takes it away",
    Command.UNSIGNED: "`cropkit settings FOLDER --drop-nothing` ends it",
}
_PART = re.compile(r"\s*(\d{1,3})\s*%\s*")
_LONGER, _SIZE, _EDGES = 1, 2, 4
_WHOLE = 100


def typed(text: str, key: str, longest: int = _USUAL) -> str:
    """Return a text with a key, as the browser names it, taken in; Escape takes all of it away."""
    if key == "Escape":
        return ""
    if key == "Backspace":
        return text[:-1]
    return text + key if len(key) == 1 and len(text) < longest else text


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is being typed, and for which command."""

    command: Command
    text: str = ""

    @property
    def title(self) -> str:
        """What it asks for."""
        return _TITLES[self.command]

    @property
    def hint(self) -> str:
        """What can be typed."""
        return _HINTS[self.command]

    @property
    def is_question(self) -> bool:
        """Whether nothing is typed: it is done, or left."""
        return self.command is Command.UNSIGNED

    def typed(self, key: str) -> "Prompt":
        """Return it with a key, as the browser names it, taken in; a question takes none."""
        if self.is_question:
            return self
        return replace(self, text=typed(self.text, key, _LONGEST.get(self.command, _USUAL)))

    def move(self) -> Move:
        """Return what was asked for, or raise `IllegalMove` where it makes no sense."""
        if self.command is Command.UNSIGNED:
            return DropCredentials()
        if self.command is Command.GO_TO:
            return Find(self.text.strip())
        return WriteNote(self.text) if self.command is Command.NOTE else self._box()

    def _box(self) -> Move:
        ratio = _RATIO.fullmatch(self.text)
        if ratio and all(map(float, ratio.groups())):
            shape = Fraction(ratio[1]) / Fraction(ratio[2])
            return SetRatio(shape.numerator, shape.denominator)
        part = _PART.fullmatch(self.text)
        if part and 0 < int(part[1]) <= _WHOLE:
            return SetPart(int(part[1]))
        digits = re.findall(r"\d+", self.text) if _NUMBERS.fullmatch(self.text) else []
        numbers = [int(number) for number in digits]
        try:
            if len(numbers) == _LONGER and numbers[0]:
                return SetLongerSide(*numbers)
            if len(numbers) == _SIZE:
                return SetSize(Size(*numbers))
            if len(numbers) == _EDGES:
                return SetBox(PixelBox.from_xywh(*numbers))
        except BadBox as error:
            raise IllegalMove("exact", error.args[1]) from None
        raise IllegalMove("exact", f"type {self.hint}")
