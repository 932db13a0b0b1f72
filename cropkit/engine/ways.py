"""What becomes of crops: where they go, how copies are made, and which are wanted of each image.

A person says it for a session; what was kept as a setting of the collection counts where nothing is
said. A setting may have been changed by whoever may write to the state: a folder elsewhere that it
names is used only where the person at work has named it as well (`Locations`).
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from cropkit.errors import AuditCorrupt, BadDestination, BadTarget, CopiesOnly, CropkitError
from cropkit.formats.copy_options import CopyOptions
from cropkit.names import escaped, unescaped
from cropkit.records import Placement
from cropkit.system import parameters
from cropkit.system.home import DATABASE, HOME
from cropkit.targets import Target
from cropkit.wanted import Slots, Targets, Wanted, wanted, written

StrPath = str | os.PathLike[str]
_MOVE_TO, _COPY_TO, _COPIES, _RESIZE = "move-to", "copy-to", "copies", "resize"
_SLOTS, _TARGETS = "slots", "targets"
AROUND = "around"  # how a review puts boxes around subjects
AROUND_NAMED = "around-named"  # other rules for that, by name
TASTE = "taste"  # what was learned in another collection
SETTINGS = (_MOVE_TO, _COPY_TO, _COPIES, _SLOTS, _TARGETS, _RESIZE)
_YES = "yes"


@dataclass(frozen=True, slots=True)
class Ways:
    """What becomes of crops; without anything, each image is cropped in place, to any box.

    Parameters
    ----------
    folder : that they move or are copied to
    copies : whether they are copied
    how : how copies are made
    crops : what is wanted of each image
    resize : whether each copy is brought to the size of its target

    Raises
    ------
    CopiesOnly
        Something of it is for copies, and none are made.
    BadTarget
        There is no size to bring a copy to.
    """

    folder: StrPath | None = None
    copies: bool = False
    how: CopyOptions = CopyOptions()  # noqa: RUF009  (frozen)
    crops: tuple[Wanted, ...] = (Wanted(),)
    resize: bool = False

    def __post_init__(self) -> None:
        if not self.copies:
            self._check_needs_no_copies()
        sized = any(not target.bare for crop in self.crops for target in crop.targets)
        if self.resize and not sized:
            raise BadTarget(_RESIZE, "there is no size to bring a copy to")

    def _check_needs_no_copies(self) -> None:
        if len(self.crops) > 1:
            raise CopiesOnly(f"{len(self.crops)} crops of one image")
        if self.resize:
            raise CopiesOnly(_RESIZE)
        if self.how != CopyOptions():
            raise CopiesOnly(self.how.text)

    def placement(self, folder: str | None) -> Placement:
        """Return where crops go.

        Parameters
        ----------
        folder : its name as the collection has it
        """
        return Placement(folder, self.how.text if self.copies else None, resize=self.resize)

    def to_settings(self, folder: str | None) -> dict[str, str]:
        """Return all settings that say the same, '' for what is not so."""
        slots, among = written(self.crops)
        place = "" if folder is None else escaped(folder)
        return {
            _MOVE_TO: "" if self.copies else place,
            _COPY_TO: place if self.copies else "",
            _COPIES: self.how.text,
            _SLOTS: slots,
            _TARGETS: among,
            _RESIZE: _YES if self.resize else "",
        }


def ways(
    *,
    move_to: StrPath | None = None,
    copy_to: StrPath | None = None,
    slots: Slots | None = None,
    targets: Targets | None = None,
    resize: bool = False,
    copies: CopyOptions | str | None = None,
) -> Ways:
    """Read what a person says; '' is nothing, as None is.

    Raises
    ------
    BadDestination
        Crops cannot move and be copied.
    BadSetting, BadSlot, BadTarget, CopiesOnly
        There can be no such crops.
    BadParameterValue
        One of them is of another type.
    """
    _check_types(move_to, copy_to, slots, targets, copies)
    parameters.flag(_RESIZE, resize)
    if move_to and copy_to:
        raise BadDestination(copy_to, f"they cannot move to {move_to} as well")
    how = CopyOptions.from_text(copies) if isinstance(copies, str) else copies or CopyOptions()
    crops = wanted(slots or None, targets or None)
    return Ways(copy_to or move_to or None, bool(copy_to), how, crops, resize)


def _check_types(
    move_to: object, copy_to: object, slots: object, targets: object, copies: object
) -> None:
    """Refuse by name what papermill, or a slip, has made another thing of."""
    for name, folder in (("destination", move_to), ("copy_to", copy_to)):
        if folder is not None:
            parameters.path_named(name, folder)
    if not (slots is None or isinstance(slots, str) or _are_slots(slots)):
        raise parameters.wrong(_SLOTS, slots, "text, or names, or the targets of each name")
    if not (targets is None or _are_targets(targets)):
        raise parameters.wrong(_TARGETS, targets, "text, or sizes and ratios")
    if not (copies is None or isinstance(copies, str | CopyOptions)):
        raise parameters.wrong(_COPIES, copies, "text of settings, or CopyOptions")


def _are_slots(value: object) -> bool:
    if isinstance(value, Mapping):
        return all(isinstance(n, str) and _are_targets(each) for n, each in value.items())
    return isinstance(value, Sequence) and all(isinstance(name, str) for name in value)


def _are_targets(value: object) -> bool:
    if isinstance(value, str):
        return True
    return isinstance(value, Sequence) and all(isinstance(each, str | Target) for each in value)


def kept(settings: Mapping[str, str]) -> Ways:
    """Read what a collection keeps; its folder has the name that the collection has for it.

    Raises
    ------
    AuditCorrupt
        Nobody of ours wrote it.
    """
    texts = {name: settings.get(name, "") for name in SETTINGS}
    try:
        return ways(
            move_to=_folder(texts[_MOVE_TO]),
            copy_to=_folder(texts[_COPY_TO]),
            slots=texts[_SLOTS],
            targets=texts[_TARGETS],
            resize=texts[_RESIZE] == _YES,
            copies=texts[_COPIES],
        )
    except CropkitError as error:
        raise AuditCorrupt(DATABASE, f"a setting is none of ours: {error}") from error


def _folder(text: str) -> str:
    name = unescaped(text)
    path = PurePosixPath(name)
    if ".." in path.parts:
        raise BadDestination(name, "it leads out of the collection")
    if name and (name != str(path) or (not path.name and name != "/") or "\0" in name):
        raise BadDestination(name, "no folder is called so")
    if HOME in map(str.casefold, path.parts):
        raise BadDestination(name, f"what is in a {HOME} is cropkit's own")
    return name
