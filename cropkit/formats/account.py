"""What a format hands over: a header, a proposed crop, and the account of every part."""

import math
from dataclasses import dataclass, field, replace
from typing import Protocol

from cropkit.errors import Truncated
from cropkit.formats.metadata.crop_change import Change, Resampling, changed
from cropkit.geometry import NO_TURN, PixelBox, Size, Turn
from cropkit.records import ProblemKind

TURNED = "orientation: applied to the pixels, with the turn"


@dataclass(frozen=True, slots=True)
class Header:
    """What the file says of itself before a pixel is decoded; `size` is upright.

    A crop without loss has its corner on the `grid`, in stored pixels, where there is one, and its
    other edges at a multiple of `step`.
    """

    format: str
    size: Size
    orientation: int
    grid: Size | None = None
    step: int = 1

    def snapped(self, box: PixelBox, turn: Turn = NO_TURN) -> PixelBox:
        """Return the stored box that a crop without loss holds, for the one that is asked for.

        Where it is to be turned so that an edge becomes the left or the upper one, that edge moves
        out to the grid as well; the image's own edge stays.
        """
        if self.grid is None:
            return box
        stored = self.size.oriented(self.orientation)
        corner = box.snapped(self.grid)
        ways = (False, False) if turn.is_none else self.through(turn).mirrored
        grids = (self.grid.width, self.grid.height)
        steps = (
            math.lcm(self.step, grid) if backwards else self.step
            for grid, backwards in zip(grids, ways, strict=True)
        )
        sides = zip((box.right, box.bottom), steps, strict=True)
        right, bottom = (-(-side // step) * step for side, step in sides)
        return PixelBox(
            corner.left, corner.top, min(right, stored.width), min(bottom, stored.height)
        )

    def through(self, turn: Turn) -> Turn:
        """Return how stored pixels are turned to be seen with a turn."""
        return Turn(self.orientation).then(turn)

    def change(self, stored: PixelBox, turn: Turn) -> Change:
        """Return what a crop to a stored box changes, with a turn."""
        return changed(self.size.oriented(self.orientation), stored, self.orientation, turn)


@dataclass(frozen=True, slots=True)
class Signature:
    """What the manifest of a signed crop has to say, and what the file is without it.

    Parameters
    ----------
    sha256 : of the crop without the manifest
    serial : of the signer's certificate
    parent : label of the manifest that the image had
    redacted : addresses of what that shows no more
    actions : what was done, in C2PA's words
    """

    sha256: str
    serial: str
    parent: str
    redacted: tuple[str, ...]
    actions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A cropped file that is not proven yet; boxes are upright.

    ``dropped`` holds (item, reason) pairs. ``psnr`` is in dB, None where no pixel was changed.
    ``degraded`` says in which way it is worse than the options ask for, None where it is not.
    ``resampling`` is how a crop that was turned, or a copy that was decoded and coded anew, came to
    be, None for all others.
    ``proof`` is the format's own: what `verify` holds the written bytes against. ``signature`` says
    what the manifest of a signed crop has to be; the proof is then of the bytes without that.
    """

    data: bytes
    box_asked: PixelBox
    box_applied: PixelBox
    kept: tuple[str, ...]
    patched: tuple[str, ...]
    dropped: tuple[tuple[str, str], ...]
    format: str
    proof: object = field(repr=False, compare=False)
    psnr: float | None = None
    degraded: str | None = None
    signature: Signature | None = field(default=None, repr=False, compare=False)
    resampling: Resampling | None = None


@dataclass(frozen=True, slots=True)
class Readable:
    """How much of a damaged image can be read: the first rows, as they are stored.

    Parameters
    ----------
    rows : that are whole
    of : how many there should be
    why : what ends them
    """

    rows: int
    of: int
    why: str

    def check(self, stored: PixelBox, header: Header, name: str) -> None:
        """Refuse a box that reaches beyond them.

        Raises
        ------
        Truncated
        """
        if stored.bottom <= self.rows:
            return
        size = header.size.oriented(header.orientation)
        readable = PixelBox(0, 0, size.width, self.rows).upright(size, header.orientation)
        edges = ",".join(map(str, readable.xyxy))
        raise Truncated(name, f"{self.why}; what can be read is {edges}, and the box reaches out")

    def told(self, candidate: Candidate) -> Candidate:
        """Let a candidate say that it is of a damaged image."""
        words = f"{ProblemKind.SALVAGED}: {self.rows} of {self.of} rows can be read: {self.why}"
        more = (words, *filter(None, (candidate.degraded,)))
        return replace(candidate, degraded="; ".join(more))


class OpenedImage(Protocol):
    """A file taken apart once, by its format; what a crop would falsify has been refused.

    It holds views of the file's bytes: whoever lets go of it lets go of these.
    """

    @property
    def header(self) -> Header:
        """What the file says of itself."""

    def crop(self, box: PixelBox, turn: Turn, /) -> Candidate:
        """Crop to an upright box inside of the image; see `cropkit.formats.Opened.crop`."""


@dataclass(frozen=True, slots=True)
class Bare:
    """A file without its metadata, for a decoder that needs to see none of it."""

    data: bytes
    orientation: int
    profile: bytes | None


@dataclass(slots=True)
class Account:
    """What became of each part of a file, in the order of the file.

    Parameters
    ----------
    format : name of the format in the table of `cropkit.formats`
    """

    format: str
    kept: list[str] = field(default_factory=list)
    patched: list[str] = field(default_factory=list)
    dropped: list[tuple[str, str]] = field(default_factory=list)
    psnr: float | None = None

    def keep(self, item: str) -> None:
        """Note a part that was carried byte for byte."""
        self.kept.append(item)

    def patch(self, item: str) -> None:
        """Note a part that the crop made us change."""
        self.patched.append(item)

    def drop(self, item: str, reason: str) -> None:
        """Note a part that was left out, and why; each pair once."""
        if (item, reason) not in self.dropped:
            self.dropped.append((item, reason))

    def add(self, account: "Account") -> None:
        """Note what another account of the same file has noted, behind what is noted here."""
        self.kept += account.kept
        self.patched += account.patched
        for item, reason in account.dropped:
            self.drop(item, reason)

    def tell_of_turn(self, change: Change) -> None:
        """Note that pixels were turned, where they were."""
        if change.is_upright:
            self.patch(TURNED)

    def tell_of_angle(self, turn: Turn) -> None:
        """Note by which fine angle pixels were turned, where they were."""
        if turn.resamples:
            self.patch(f"angle: {turn.angle:g} degrees, resampled by cubic convolution")

    def candidate(self, data: bytes, boxes: tuple[PixelBox, PixelBox], proof: object) -> Candidate:
        """Close the account; `boxes` are the one asked for and the one applied."""
        return Candidate(
            data=data,
            box_asked=boxes[0],
            box_applied=boxes[1],
            kept=tuple(self.kept),
            patched=tuple(self.patched),
            dropped=tuple(self.dropped),
            format=self.format,
            proof=proof,
            psnr=self.psnr,
        )
