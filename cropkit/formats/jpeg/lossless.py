"""JPEG without loss: coefficients copied, the corner on the grid, the hidden edge made anew."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from cropkit.bounds import Bounds
from cropkit.errors import LosslessUnavailable, Truncated, VerificationFailed
from cropkit.formats import turnable
from cropkit.formats.account import Account, Candidate, Header, Readable
from cropkit.formats.decoder_errors import reading
from cropkit.formats.jpeg import metadata, pixels, reencode, scans, segments
from cropkit.formats.jpeg.edge import Strip, described, strips
from cropkit.formats.jpeg.segments import Component, Jpeg, Scan, Segment
from cropkit.geometry import NO_TURN, PixelBox, Size, Turn
from cropkit.lossless import process
from cropkit.lossless.windows import grid_of, transposed

# What libjpeg warns of where the pixels are all there.
DAMAGED = "damaged pixels"
_LEFT_OVER = "extraneous bytes before marker"
# What it warns of in headers that are carried, so that the crop gives the same warning.
_OF_HEADERS = ("Unknown Adobe color transform", "Warning: unknown JFIF revision number")
# What two readings of the same coefficients must agree on.
_SAME = {
    "sampling": "sampling factors",
    "tables": "quantisation tables",
    "rows": "coefficients",
    "progressive": "scans",
    "restart_interval": "restart intervals",
}


@dataclass(frozen=True, slots=True)
class Proof:
    """What the written file must hold.

    Parameters
    ----------
    told : of the source inside the box: tables, sampling, and a CRC-32 for each row of blocks
    beyond : whether the scene went on to the right of the box, and below it
    edge : the blocks that the box cuts, as they were and as they were made anew
    second : the proof of the gain map, which is the trailer then
    """

    metadata: tuple[Segment, ...]
    coded: bytes
    trailer: bytes
    size: Size
    components: tuple[Component, ...]
    scans: tuple[Scan, ...]
    facts: Mapping[str, Any]
    beyond: tuple[bool, bool]
    edge: tuple[bytes, bytes]
    second: object = None

    def strips(self) -> list[Strip]:
        """Return the blocks at the edge, by what can be seen of them."""
        return list(strips(self.components, self.size, self.beyond, self.edge))


def grid(jpeg: Jpeg) -> Size:
    """Return the grid on which a lossless crop has its corner, in stored pixels."""
    return Size(*grid_of([(each.h, each.v) for each in jpeg.components]))


def crop(
    jpeg: Jpeg,
    header: Header,
    boxes: tuple[PixelBox, PixelBox],
    account: Account,
    drop: frozenset[str],
    *,
    turn: Turn = NO_TURN,
    paired: bool = False,
) -> Candidate:
    """Copy the coefficients of the stored box, snapped outward to the grid; turned, if wanted.

    Raises
    ------
    Ended
        There is no libjpeg that can.
    UnsuitableTurn
        An edge that would become the left or the upper one cuts a block.
    """
    asked, stored = boxes[0], header.snapped(boxes[1], turn)
    change = header.change(stored, turn)
    way = NO_TURN if turn.is_none else header.through(turn)
    turnable.check_whole_blocks(header.grid or grid(jpeg), stored, way, jpeg.name)
    beyond = (stored.right < jpeg.size.width, stored.bottom < jpeg.size.height)
    beyond = beyond[::-1] if way.swaps else beyond
    script = scans.script(jpeg)
    request = {
        "do": "crop",
        "box": stored.xyxy,
        "way": (way.swaps, *way.mirrored),
        "beyond": beyond,
        "optimize": reencode.has_measured_codes(jpeg),
        "scans": [scan.numbers for scan in script],
    }
    facts, (encoded, before, after) = _ask(jpeg, request)
    edit = metadata.Edit(change, account, jpeg.name, drop=drop, paired=paired)
    carried, trailer = tuple(metadata.edited(jpeg, edit)), metadata.trailer(jpeg, edit)
    metadata.tell_of_container(jpeg, account)
    parsed = segments.parse(encoded, jpeg.name)
    account.tell_of_turn(change)
    proof = Proof(
        metadata=carried,
        coded=parsed.coded,
        trailer=trailer,
        size=change.result,
        components=tuple(_turned(each, way) for each in jpeg.components),
        scans=script or parsed.scans,
        facts=facts,
        beyond=beyond,
        edge=(before, after),
    )
    _note(account, proof)
    applied = stored.upright(jpeg.size, header.orientation)
    written = parsed.spliced(carried, trailer)
    if facts["warnings"]:  # what was damaged may be such as cannot be written soundly
        _prove_now(written, proof, jpeg.name)
    return account.candidate(written, (asked, applied), proof)


def _turned(component: Component, way: Turn) -> Component:
    if not way.swaps:
        return component
    table = transposed(component.table)
    return replace(component, h=component.v, v=component.h, table=table)


def _prove_now(written: bytes, proof: Proof, name: str) -> None:
    try:
        verify(written, proof, name)
    except VerificationFailed as error:
        raise process.CannotCopy(f"what is damaged cannot be copied soundly: {error}") from error


def _ask(jpeg: Jpeg, request: Mapping[str, object]) -> process.Answer:
    """Put a request about an image.

    Raises
    ------
    TooCostly
        It is at a bound.
    Ended
        There is no libjpeg that answers.
    """
    try:
        return process.pool().ask(request, pixels.bare(jpeg), jpeg.size.area)
    except process.OutOfBounds as error:
        bounds, (which,) = Bounds.from_environment(), error.args
        refusal = bounds.too_long if which == "seconds" else bounds.too_much_memory
        raise refusal(jpeg.name) from error


def check_whole(jpeg: Jpeg, *, salvage: bool = False) -> Readable | None:
    """Have libjpeg say whether an image without an end has all of its pixels.

    Returns what can be read of one that has not, where that is to be salvaged.

    Raises
    ------
    Truncated
        It has not, or nobody is there to say so.
    """
    if jpeg.ended:
        return None
    request = {"do": "read", "beyond": (False, False)}
    try:
        facts, _ = _ask(jpeg, request)
    except process.Ended as error:
        raise Truncated(jpeg.name, f"the pixels have no end: {error}") from error
    if facts["warnings"] and not _is_harmless(facts["first_warning"]):
        why = f"the pixels have no end: {facts['first_warning']}"
        rows = _readable_rows(jpeg, *facts["first_place"]) if salvage else 0
        if not rows:
            raise Truncated(jpeg.name, why)
        return Readable(rows, jpeg.size.height, why)
    return None


def _readable_rows(jpeg: Jpeg, scan: int, row: int) -> int:
    """Return how many rows of pixels are there, where a scan is broken at a row of its MCUs.

    A progressive image has all of its rows, with less detail, as soon as each component had a
    scan.

    Parameters
    ----------
    scan : its number, counted from 1
    row : of MCUs, counted from 0
    """
    numbers = set(range(len(jpeg.components)))
    before = {number for each in jpeg.scans[: scan - 1] for number in each.components}
    if before == numbers:
        return jpeg.size.height
    if not scan or before | set(jpeg.scans[scan - 1].components) != numbers:
        return 0
    return min(jpeg.size.height, row * 8 * max(each.v for each in jpeg.components))


def _is_harmless(warning: str) -> bool:
    """Whether a warning says nothing of pixels that are missing."""
    return warning.startswith(_OF_HEADERS) or _LEFT_OVER in warning


def damage(jpeg: Jpeg) -> str | None:
    """Return what libjpeg warns of when it reads all of an image, None where all is well.

    Raises
    ------
    Truncated
        The pixels have no end, and are not all there.
    """
    check_whole(jpeg)
    request = {"do": "read", "beyond": (False, False)}
    try:
        facts, _ = _ask(jpeg, request)
    except process.Ended as error:
        return f"pixels, as decoded: nobody could say whether they are damaged: {error}"
    return _warned(facts)


def _warned(facts: Mapping[str, Any]) -> str | None:
    number, warning = facts["warnings"], facts["first_warning"]
    if not number:
        return None
    kind = "bytes left over" if _LEFT_OVER in warning else DAMAGED
    kind = "colours" if number == 1 and warning.startswith(_OF_HEADERS[0]) else kind
    kind = "header" if number == 1 and warning.startswith(_OF_HEADERS[1]) else kind
    return f"{kind}, as decoded: {warning}"


def _note(account: Account, proof: Proof) -> None:
    warned = _warned(proof.facts)
    if warned:
        account.patch(warned)
    renewed = described(proof.strips())
    if renewed:
        account.patch(renewed)


def verify(written: bytes, proof: Proof, name: str) -> None:
    """Read the coefficients back, with another build of libjpeg where there are two.

    Whole blocks must be those of the source, blocks at the edge those that were meant, and these
    within what rounding allows of what the source shows there.

    Raises
    ------
    VerificationFailed
        It is not what was meant.
    LosslessUnavailable
        Nobody can read it back now.
    """
    with reading(name):
        jpeg = segments.parse(written, name)
    around = (jpeg.metadata, jpeg.trailer, jpeg.stray, jpeg.ended)
    if around != (proof.metadata, proof.trailer, 0, True):
        raise VerificationFailed(name, "the segments around the pixels are not those meant")
    if jpeg.coded != proof.coded:
        raise VerificationFailed(name, "the coded pixels are not those that were written")
    if (jpeg.size, jpeg.scans) != (proof.size, proof.scans):
        raise VerificationFailed(name, "size or scans are not those meant")
    wrong = _wrong(jpeg, proof)
    if wrong:
        raise VerificationFailed(name, wrong)
    if isinstance(proof.second, Proof):
        verify(jpeg.trailer, proof.second, name)


def _warnings_of_headers(facts: Mapping[str, Any], proof: Proof) -> int:
    """Return how many warnings the source gives as well, of a header that is carried."""
    both = (facts["first_warning"], proof.facts["first_warning"])
    return int(all(warning.startswith(_OF_HEADERS) for warning in both))


def _wrong(jpeg: Jpeg, proof: Proof) -> str | None:
    request = {"do": "read", "beyond": proof.beyond}
    try:
        facts, (edge,) = _ask(jpeg, request)
    except (process.CannotCopy, process.TookTooLong) as error:
        return f"the coefficients cannot be read back: {error}"
    except process.Ended as error:
        raise LosslessUnavailable(jpeg.name, error) from error
    if facts["warnings"] > _warnings_of_headers(facts, proof):
        return f"reading it back gives a warning: {facts['first_warning']}"
    for item, words in _SAME.items():
        if facts[item] != proof.facts[item]:
            return f"{words} differ from those of the source"
    if edge != proof.edge[1] or not facts["clean"]:
        return "blocks at the edge are not those meant"
    excess = max((strip.excess for strip in proof.strips()), default=0.0)
    return f"the edge is off by {excess:.1f} times what rounding allows" if excess > 1 else None
