"""How bright images are seen, and on what ground: for the eye alone, nothing of it is written."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

MOST = 6  # steps of brightness or contrast, either way
_STEP = 1.15


class Ground(StrEnum):
    """What is around the pictures."""

    THEME = "as the page"
    LIGHT = "light"
    MID = "mid"
    DARK = "dark"


COLOURS: Mapping[Ground, str] = {
    Ground.LIGHT: "#f4f4f4",
    Ground.MID: "#777777",
    Ground.DARK: "#161616",
}


@dataclass(frozen=True, slots=True)
class Tone:
    """Steps of brightness and contrast, 0 as the image is, and the ground."""

    brightness: int = 0
    contrast: int = 0
    ground: Ground = Ground.THEME

    def turned(self, *, brightness: int = 0, contrast: int = 0) -> "Tone":
        """Return it brighter or darker, with more contrast or less, within bounds."""
        return replace(
            self,
            brightness=_held(self.brightness + brightness),
            contrast=_held(self.contrast + contrast),
        )

    def on_next_ground(self) -> "Tone":
        """Return it on the next ground, round all of them."""
        every = tuple(Ground)
        return replace(self, ground=every[(every.index(self.ground) + 1) % len(every)])

    @property
    def filters(self) -> str:
        """What a canvas draws pictures through, as CSS writes it; '' where as they are."""
        steps = {"brightness": self.brightness, "contrast": self.contrast}
        return " ".join(f"{name}({_STEP**by:.4g})" for name, by in steps.items() if by)

    def __str__(self) -> str:
        steps = {"brightness": self.brightness, "contrast": self.contrast}
        return ", ".join(f"{name} {by:+d}" for name, by in steps.items() if by)


AS_IS = Tone()


def _held(steps: int) -> int:
    return max(-MOST, min(MOST, steps))
