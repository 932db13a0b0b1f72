"""How a crop is made where there is a choice; kept as settings of the collection."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from cropkit.errors import BadSetting

COMPANIONS = "companions"
_Choice = TypeVar("_Choice", bound=StrEnum)


class Jpeg(StrEnum):
    """How a JPEG is cropped."""

    LOSSLESS = "lossless"  # coefficients as they are; the corner moves out to a whole block
    LOSSLESS_OR_EXACT = "lossless-or-exact"  # where that cannot be: the same box, encoded anew
    EXACT = "exact"  # the very box, its pixels encoded anew with the same tables


class Heic(StrEnum):
    """What becomes of a HEIC that is to be cropped in its own file."""

    REFUSE = "refuse"  # it can be cropped into a new file of another format
    EXACT = "exact"  # coded anew without loss, in several times the bytes


class Companions(StrEnum):
    """What becomes of files beside an image that a crop makes wrong."""

    TRANSFORM = "transform"  # rewritten where their form is plain; else the crop is refused
    TELL = "tell"  # rewritten where their form is plain; else left wrong, and told
    REFUSE = "refuse"  # the crop is refused


# What may be left out when the person says so, where a file is refused otherwise.
GAIN_MAP = "gain-map"  # every second picture in a JPEG
DEPTH = "depth"  # depth maps and mattes behind a JPEG that cannot be cropped along
PROVENANCE = "provenance"  # signed content credentials, which a crop breaks
TRAILING = "trailing"  # what follows the end of an image
MOTION = "motion"  # the video of a photograph that moves
EXTENSION = "extension"  # the check that the name says what the content is
DROPPABLE = (GAIN_MAP, DEPTH, MOTION, PROVENANCE, TRAILING, EXTENSION)
YES = "yes"


@dataclass(frozen=True, slots=True)
class Options:
    """The choices of one collection.

    Parameters
    ----------
    jpeg : lossless, where the corner moves out to a whole block, or not at all; lossless-or-exact,
        where that box is encoded anew when libjpeg is not there; exact, the very box, encoded anew
    drop : what may be left out where a file is refused otherwise: gain-map, depth, motion,
        provenance, trailing; extension: whether the name says what the content is
    salvage : crop what can be read of a damaged JPEG or PNG, which is refused otherwise
    signs : give crops of images with content credentials new ones, signed by the person at work,
        where the format is JPEG or PNG; it is the person's own choice, and no setting
    companions : transform files beside an image that a crop makes wrong, and refuse the crop where
        none knows how; tell of those instead; or refuse always
    heic : refuse to crop a HEIC in its own file; or exact, coded anew without loss, which takes
        several times the bytes and the extra `cropkit[heic]`

    Raises
    ------
    BadSetting
        When there is no such choice.
    """

    jpeg: Jpeg = Jpeg.LOSSLESS
    drop: frozenset[str] = frozenset()
    salvage: bool = False
    signs: bool = False
    companions: Companions = Companions.TRANSFORM
    heic: Heic = Heic.REFUSE

    def __post_init__(self) -> None:
        for item in sorted(self.drop.difference(DROPPABLE)):
            raise BadSetting("drop", item, ", ".join(DROPPABLE))

    @classmethod
    def from_settings(cls, settings: Mapping[str, str]) -> "Options":
        """Read what `to_settings` wrote; what is not there has its default."""
        jpeg = _choice(Jpeg, "jpeg", settings.get("jpeg", Jpeg.LOSSLESS))
        drop = frozenset(settings.get("drop", "").split())
        salvage = settings.get("salvage", "")
        if salvage not in ("", YES):
            raise BadSetting("salvage", salvage, YES)
        beside = settings.get(COMPANIONS, Companions.TRANSFORM)
        return cls(
            jpeg,
            drop,
            salvage == YES,
            companions=_choice(Companions, COMPANIONS, beside),
            heic=_choice(Heic, "heic", settings.get("heic", Heic.REFUSE)),
        )

    def to_settings(self) -> dict[str, str]:
        """Return the settings that say the same."""
        return {
            "jpeg": self.jpeg.value,
            "drop": " ".join(sorted(self.drop)),
            "salvage": YES if self.salvage else "",
            COMPANIONS: self.companions.value,
            "heic": self.heic.value,
        }


def _choice(choices: type[_Choice], setting: str, value: str) -> _Choice:
    if value not in tuple(choices):
        raise BadSetting(setting, value, ", ".join(choices))
    return choices(value)
