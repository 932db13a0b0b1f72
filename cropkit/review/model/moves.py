"""What can happen in a review: by a key, a drag or a click, or told by the controller.

A move carries what it needs; a position counts from 0, and None is the chosen image. A path is that
of a crop, as `slots` makes it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cropkit.geometry import PixelBox, Size, Turn
from cropkit.records import Note, Status, Suggestion
from cropkit.review.model.box_editing import Grip
from cropkit.review.model.decided import Decided, Mark
from cropkit.review.model.images import Earlier
from cropkit.review.model.leased import Leased
from cropkit.review.model.state import (
    Arrangement,
)


@dataclass(frozen=True, slots=True)
class Choose:
    """Choose an image of the page."""

    position: int


@dataclass(frozen=True, slots=True)
class ChooseNext:
    """Choose the image `step` further on, round the page."""

    step: int = 1


@dataclass(frozen=True, slots=True)
class Pick:
    """Select an image of the page beside others, or no more."""

    position: int | None = None


@dataclass(frozen=True, slots=True)
class PickTo:
    """Select the images from one of the page to another, and choose the last."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class PickAll:
    """Select every undecided image of the page; where all are selected, none."""


@dataclass(frozen=True, slots=True)
class PickNone:
    """Have no image selected, but the chosen one as ever."""


@dataclass(frozen=True, slots=True)
class NextSlot:
    """Choose the next crop of the same image, round all of them."""


@dataclass(frozen=True, slots=True)
class Nudge:
    """Move the chosen box, or all that are selected with it."""

    dx: int
    dy: int


@dataclass(frozen=True, slots=True)
class Resize:
    """Move the right and bottom edges of the chosen box."""

    dx: int
    dy: int


@dataclass(frozen=True, slots=True)
class Drag:
    """Pull a grip of the box as it was when the hand took hold of it.

    Parameters
    ----------
    snap : how near a border of the image draws it, in pixels
    in_shape : the ratio that the box had is held, where nothing else holds one
    from_centre : the middle of the box stays where it is
    """

    position: int
    grip: Grip
    origin: PixelBox
    dx: float
    dy: float
    snap: float = 0.0
    in_shape: bool = False
    from_centre: bool = False


@dataclass(frozen=True, slots=True)
class ToggleMark:
    """Mark an image for reject, skip or a closer look, or take the mark away."""

    mark: Mark
    position: int | None = None


@dataclass(frozen=True, slots=True)
class ResetBox:
    """Go back to the suggested box."""


@dataclass(frozen=True, slots=True)
class FullImage:
    """Keep the whole image, or the most of it that has the ratio held."""

    position: int | None = None


@dataclass(frozen=True, slots=True)
class TurnImage:
    """Turn the chosen image, or mirror it, as it is seen: its box goes on to hold what it holds."""

    by: Turn


@dataclass(frozen=True, slots=True)
class StraightenTo:
    """See an image with the turn that a hand has led it to."""

    position: int
    turn: Turn


@dataclass(frozen=True, slots=True)
class LevelImages:
    """Straighten the chosen image, or all that are selected, each by what its own lines say.

    Parameters
    ----------
    turns : by which an image is level, before quarters, by the hash of its content; None: its lines
        do not say
    """

    turns: Mapping[str, Turn | None]


@dataclass(frozen=True, slots=True)
class ToggleLock:
    """Hold another aspect ratio, the next of `LOCKS`, and give it to each undecided box."""


@dataclass(frozen=True, slots=True)
class ToggleTargets:
    """Hold boxes to the nearest of their targets, or let them go."""


@dataclass(frozen=True, slots=True)
class TurnLock:
    """Stand the aspect ratio that is held on end: 3:2 becomes 2:3."""


@dataclass(frozen=True, slots=True)
class SetRatio:
    """Hold a ratio of one's own, and give it to each undecided box of the page."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class SetBox:
    """Give the chosen box these edges: left, top, right, bottom."""

    box: PixelBox


@dataclass(frozen=True, slots=True)
class SetSize:
    """Give the chosen box this size, on the middle that it has."""

    size: Size


@dataclass(frozen=True, slots=True)
class SetLongerSide:
    """Give the longer side of the chosen box so many pixels; it keeps its ratio and its middle."""

    pixels: int


@dataclass(frozen=True, slots=True)
class SetPart:
    """Give the chosen box so much of the width and of the height of its image, on its middle.

    Parameters
    ----------
    percent : 1..100
    """

    percent: int


@dataclass(frozen=True, slots=True)
class NextCandidate:
    """Offer the next suggestion for the chosen image."""


@dataclass(frozen=True, slots=True)
class TakeCandidate:
    """Offer the suggestion with this number, from 0, for the chosen image."""

    number: int


@dataclass(frozen=True, slots=True)
class FitSubjects:
    """Put the chosen image's box around its suggestions as subjects: all, then each in turn."""


@dataclass(frozen=True, slots=True)
class CarryBox:
    """Give the chosen image the box that was decided last, if their sizes agree."""


@dataclass(frozen=True, slots=True)
class ShareBox:
    """Give the chosen box to all images that are selected: the same parts of each."""


@dataclass(frozen=True, slots=True)
class CarryOn:
    """Offer the chosen box for all undecided images of this folder and size, and look at them."""


@dataclass(frozen=True, slots=True)
class AddCrop:
    """Have another crop of the chosen image, numbered, with the same box."""


@dataclass(frozen=True, slots=True)
class RemoveCrop:
    """Have the chosen crop no more, which was added and is not decided."""


@dataclass(frozen=True, slots=True)
class ToggleStar:
    """Give the chosen image a star, or all that are selected, or take it away."""


@dataclass(frozen=True, slots=True)
class WriteNote:
    """Note a line about the chosen image, or all that are selected; '': no more."""

    text: str


@dataclass(frozen=True, slots=True)
class NotesKnown:
    """The controller has read what is noted about the page's images: a `Note` for each."""

    notes: Mapping[str, Note]


@dataclass(frozen=True, slots=True)
class Decide:
    """Accept one image as it is marked."""

    position: int | None = None


@dataclass(frozen=True, slots=True)
class DecidePage:
    """Accept every open image of the page as it is marked, and go on.

    What is marked for a closer look stays undecided, and is what is shown next.
    """


@dataclass(frozen=True, slots=True)
class DropCredentials:
    """Have every image cropped without the content credentials that keep it from that."""


@dataclass(frozen=True, slots=True)
class TurnPage:
    """Look at another page without deciding."""

    step: int


@dataclass(frozen=True, slots=True)
class TurnFolder:
    """Look at the first page of the next folder, or of the one before."""

    step: int


@dataclass(frozen=True, slots=True)
class FitGrid:
    """Have room for so many images in the grid."""

    images: int


@dataclass(frozen=True, slots=True)
class OpenFolder:
    """Go to the first image in a folder that the chosen image is in, or beneath it; '': of all."""

    folder: str


@dataclass(frozen=True, slots=True)
class JumpTo:
    """Choose the image with this number, from 0, of what the pages show."""

    index: int


@dataclass(frozen=True, slots=True)
class Find:
    """Choose the image with this number, from 1, or the next with all these words in its path.

    A number that no image has, or that begins with 0, is a part of a name, too.
    """

    text: str


@dataclass(frozen=True, slots=True)
class GoTo:
    """Choose this image, whatever the filter."""

    path: str


@dataclass(frozen=True, slots=True)
class NextUnreviewed:
    """Look at the nearest page with something undecided; where nothing is, at what was skipped.

    That images were skipped is taken back then.
    """


@dataclass(frozen=True, slots=True)
class NextFilter:
    """Show other images: those of the next filter that any image passes."""


@dataclass(frozen=True, slots=True)
class ToggleOrder:
    """Show the images whose suggestion is the least certain first, or as they are listed."""


@dataclass(frozen=True, slots=True)
class Arrange:
    """Look at so many images together; asked for again, at a page as usual."""

    arrangement: Arrangement


@dataclass(frozen=True, slots=True)
class MoreOnPage:
    """Have more images on a page, or fewer, and look at a page."""

    step: int


@dataclass(frozen=True, slots=True)
class Redo:
    """Do again what was taken back last."""


@dataclass(frozen=True, slots=True)
class Undo:
    """Take back what was done last: a change of a box, or what one press decided."""


@dataclass(frozen=True, slots=True)
class Reopen:
    """Take back what was decided about the chosen image, whenever that was."""


@dataclass(frozen=True, slots=True)
class ImageLoaded:
    """The controller has read an image of the page.

    Parameters
    ----------
    planned : the box that a plan lets through for this content
    """

    path: str
    sha256: str
    size: Size
    suggestions: tuple[Suggestion, ...] = ()
    cropped: bool = False
    planned: PixelBox | None = None


@dataclass(frozen=True, slots=True)
class LoadFailed:
    """The controller could not read an image of the page, or read what cannot be cropped.

    Parameters
    ----------
    sha256, size : of what is shown of it; none: nothing is
    code : name of the error that is the reason
    """

    path: str
    reason: str
    sha256: str = ""
    size: Size | None = None
    code: str = ""


@dataclass(frozen=True, slots=True)
class ConfidenceScanned:
    """The controller knows of more images how sure their suggestion says that it is.

    Parameters
    ----------
    unsure : those whose suggestion has a low confidence
    sure : confidence, 0 to 1, where one is stated
    whole : whether every image that is listed has been asked about
    """

    unsure: frozenset[str]
    sure: Mapping[str, float] = field(default_factory=dict)
    whole: bool = False


@dataclass(frozen=True, slots=True)
class PlanKnown:
    """The controller knows what the reviewer's plan lets through now, or more of it.

    Parameters
    ----------
    certain : images, as far as their names tell
    promise : a sentence about all of them; '' where nothing is promised
    anew : in place of what was known before
    """

    certain: frozenset[str]
    promise: str
    anew: bool = False


@dataclass(frozen=True, slots=True)
class Stay:
    """The reviewer works on this page: go nowhere by yourself."""


@dataclass(frozen=True, slots=True)
class Listed:
    """The controller has listed more images, which follow those that are listed.

    Parameters
    ----------
    paths : of images
    settled, stale : what is decided about their crops; without `paths`, about what is elsewhere
    """

    paths: tuple[str, ...] = ()
    settled: Mapping[str, Decided] = field(default_factory=dict)
    stale: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ListedAll:
    """The controller has listed every image; so it is known what earlier sessions decided."""

    earlier: Earlier


@dataclass(frozen=True, slots=True)
class ListingFailed:
    """The controller cannot list the images that are missing."""


@dataclass(frozen=True, slots=True)
class Applied:
    """The worker has carried a decision out, or not."""

    path: str
    status: Status
    reason: str = ""


@dataclass(frozen=True, slots=True)
class DecidedElsewhere:
    """Another session has decided about an image, or carried such a decision out."""

    path: str
    decided: Decided


@dataclass(frozen=True, slots=True)
class LeasesKnown:
    """The controller knows what other reviews have before them now.

    Parameters
    ----------
    arriving : nobody has seen a page yet, so that another one may be shown
    """

    leases: tuple[Leased, ...]
    arriving: bool = False


@dataclass(frozen=True, slots=True)
class Restored:
    """The worker has undone a decision."""

    path: str


@dataclass(frozen=True, slots=True)
class RestoreFailed:
    """The worker could not undo a decision: it stands."""

    path: str


Move = (
    Choose | ChooseNext | NextSlot | Nudge | Resize | Drag | ToggleMark | ResetBox | FullImage
    | TurnImage | StraightenTo | LevelImages
    | ToggleLock | ToggleTargets | TurnLock | SetRatio | SetBox | SetSize | SetLongerSide
    | SetPart | NextCandidate | TakeCandidate | FitSubjects | CarryBox | Pick | PickTo | PickAll
    | PickNone | ShareBox | CarryOn | TurnFolder | OpenFolder | JumpTo | Find | GoTo
    | NextUnreviewed | NextFilter | Arrange | FitGrid | MoreOnPage | ToggleOrder | ToggleStar
    | WriteNote | NotesKnown
    | AddCrop | RemoveCrop | Reopen | DropCredentials | Decide | DecidePage | TurnPage | Undo
    | Redo | ImageLoaded | LoadFailed | Applied | DecidedElsewhere | Restored | RestoreFailed
    | ConfidenceScanned | PlanKnown | LeasesKnown | Stay | Listed | ListedAll | ListingFailed
)  # fmt: skip
