"""Whether the pixels of a crop are those of its source inside the box, and by which proof.

======================  ==========================================================================
exact                   every sample is the source's, in its own depth
lossless-jpeg           samples of whole blocks are the source's; blocks that the edge cuts are
                        within half a quantisation step (`cropkit.verification.components`)
psnr                    the loss is the stated one and not below `FLOOR`; each block is within what
                        its own quantisers allow; no box a pixel away fits better
resampled               resampled and converted anew, no sample is farther off than `FARTHEST`
======================  ==========================================================================
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from cropkit.formats.webp import blocks as webp_blocks
from cropkit.formats.webp import riff, vp8
from cropkit.geometry import NO_TURN, PixelBox, Size, Turn
from cropkit.straightening import is_inside
from cropkit.verification import components, shaping, stealth
from cropkit.verification.claims import Claim
from cropkit.verification.components import Components
from cropkit.verification.decoding import (
    Picture,
    Pixels,
    Samples,
    heic_samples,
    tiff_orientation,
    tiff_samples,
)
from cropkit.verification.differences import Kind

FLOOR = 25.0  # dB: below it, another picture could be meant
TOLERANCE = 0.1  # dB, of what is stated: another build of a decoder rounds otherwise
FARTHEST = {8: 1, 16: 8}  # of a sample, by its bits: the last bit of floats, times the filter
_BETTER = 0.5  # dB: by which a box beside the stated one has to fit better to be the true one
_ENOUGH = 1024  # pixels of a crop, for a better fit not to be by chance
_LOSSY = ("jpeg", "webp")
_SEEN_AS = {"YCbCr": "RGB"}
_PEAK = 255
_AROUND = ((-1, 0), (1, 0), (0, -1), (0, 1))


@dataclass(frozen=True, slots=True)
class Proof:
    """How the pixels were proven: the kind that is counted, and a sentence with its figures."""

    kind: str
    words: str


class Wrong(Exception):
    """(kind, reason): the pixels are not what the row states."""

    @property
    def kind(self) -> Kind:
        """In which way."""
        return Kind(self.args[0])

    @property
    def reason(self) -> str:
        """A sentence."""
        return str(self.args[1])


def proof(crop: Picture, source: Picture, claim: Claim) -> Proof:
    """Prove the pixels of a crop.

    Raises
    ------
    Wrong
        They are not those that are stated.
    Refused, or whatever a decoder raises
        Nobody here can tell.
    """
    if crop.frames > 1:
        raise Wrong(Kind.PIXELS, "it holds more pictures than the crop")
    if crop.form == source.form == "tiff":
        return _of_tiff(crop, source, claim)
    if crop.form == source.form == "heic":
        return _of_heic(crop, source, claim)
    if crop.form == source.form == "jpeg" and not (claim.resized or claim.srgb):
        return _of_jpegs(crop, source, claim)
    return _of_pixels(crop, source, claim)


# -- exactly ---------------------------------------------------------------------------------------


def _of_tiff(crop: Picture, source: Picture, claim: Claim) -> Proof:
    """Compare samples of any depth as they are stored, and what says their meaning."""
    (theirs, meaning), (ours, same) = tiff_samples(crop), tiff_samples(source)
    if claim.resamples or claim.psnr is not None:
        raise Wrong(Kind.PIXELS, "a TIFF is cropped as it is, and its samples stay")
    if theirs.dtype != ours.dtype or meaning != same or theirs.shape[2] != ours.shape[2]:
        raise Wrong(Kind.PIXELS, "depth, channels or colours are not the source's")
    upright = shaping.upright(ours, tiff_orientation(source))
    _check_box(claim, shaping.size_of(upright))
    _check_exact_box(claim)
    crop_upright = shaping.upright(theirs, tiff_orientation(crop))
    meant = shaping.cut(upright, claim)
    _check_size(crop_upright, meant)
    _check_profile(crop, source, claim, "RGB")
    if not np.array_equal(crop_upright, meant, equal_nan=meant.dtype.kind == "f"):
        raise Wrong(Kind.PIXELS, _first_apart(crop_upright, meant))
    return Proof("exact", f"exact, {meant.dtype.itemsize * 8} bits a sample")


def _of_heic(crop: Picture, source: Picture, claim: Claim) -> Proof:
    """Compare samples as they are seen, at the depth that is stored."""
    theirs, ours = heic_samples(crop), heic_samples(source)
    if claim.resized or claim.srgb or claim.psnr is not None:
        raise Wrong(Kind.PIXELS, "a HEIC is cropped as it is, and never at another size")
    if not claim.turn.is_none:
        raise Wrong(Kind.PIXELS, "a HEIC is never turned in its own format")
    if theirs.dtype != ours.dtype or theirs.shape[2] != ours.shape[2]:
        raise Wrong(Kind.PIXELS, "depth or channels are not the source's")
    _check_box(claim, shaping.size_of(ours))
    if claim.asked is not None and _beyond(claim.asked, claim.box, _EVEN):
        raise Wrong(Kind.BOX, _other_box(claim))
    meant = shaping.inside(ours, claim.box)
    _check_size(theirs, meant)
    _check_profile(crop, source, claim, crop.opened.mode)
    if not np.array_equal(theirs, meant):
        raise Wrong(Kind.PIXELS, _first_apart(theirs, meant))
    return Proof("exact", f"exact as it is seen, {meant.itemsize * 8} bits a sample")


def _of_pixels(crop: Picture, source: Picture, claim: Claim) -> Proof:
    """Compare pixels as they are seen, after what the row says was done to them."""
    way = _Way(source, crop, claim)
    _check_box(claim, way.size)
    _check_exact_box(claim)
    meant = way.cut(claim.box)
    _check_profile(crop, source, claim, meant.mode)
    if crop.form == "jpeg":
        decoded = components.components(crop)
        return _of_loss(decoded.planes, way.components(decoded, claim.box), way, crop, claim)
    shown = shaping.upright(crop.pixels.samples, crop.orientation)
    _check_size(shown, meant.samples)
    if (crop.pixels.mode, shown.dtype) != (meant.mode, meant.samples.dtype):
        theirs, ours = (
            f"{mode} of {8 * dtype.itemsize} bits"
            for mode, dtype in (
                (crop.pixels.mode, shown.dtype),
                (meant.mode, meant.samples.dtype),
            )
        )
        raise Wrong(Kind.PIXELS, f"it is {theirs}, where the source has {ours}")
    if claim.psnr is None:
        return _moved_data(shown, meant, way, claim) or _equal(shown, meant, claim)
    if crop.form != "webp":
        raise Wrong(Kind.PSNR, "a loss is stated, which its format has not")
    return _of_webp(shown, meant, way, crop, claim)


def _equal(shown: Samples, meant: Pixels, claim: Claim) -> Proof:
    if not claim.resamples:
        if not np.array_equal(shown, meant.samples):
            raise Wrong(Kind.PIXELS, _first_apart(shown, meant.samples))
        return Proof("exact", f"exact, {meant.samples.itemsize * 8} bits a sample")
    bits = 8 * meant.samples.itemsize
    farthest = _farthest(shown, meant)
    steps = bool(claim.resized or claim.srgb) + claim.turn.resamples  # each of which rounds
    if farthest > FARTHEST[bits] * steps:
        raise Wrong(
            Kind.PIXELS,
            f"made anew from the source by what is stated, samples are up to {farthest:.0f} of "
            f"{2**bits - 1} apart, and {FARTHEST[bits] * steps} is allowed",
        )
    how, turn = claim.resized, claim.turn
    words = [f"turned by {turn.angle:g} degrees"] * turn.resamples
    words += [] if how is None else [f"resampled by {how.by}{', in light' * how.linear_light}"]
    words += ["converted to sRGB"] * claim.srgb
    return Proof("resampled", f"{', '.join(words)}, max difference {farthest:.0f}")


def _moved_data(shown: Samples, meant: Pixels, way: "_Way", claim: Claim) -> Proof | None:
    """Prove a crop that has its source's generation data in the lowest bits of its own alpha."""
    bits = None if claim.resamples else way.hidden_data()
    if bits is None or np.array_equal(shown, meant.samples):
        return None
    stored = stealth.with_bits(shaping.stored(meant.samples, way.crop.orientation), bits)
    if stored is None or not np.array_equal(shaping.upright(stored, way.crop.orientation), shown):
        return None
    words = "generation data in the lowest bits of alpha moved with the corner"
    return Proof("exact", f"exact, 8 bits a sample; {words}")


def _farthest(shown: Samples, meant: Pixels) -> float:
    """Return how far the samples are apart; of colours, as far as they are seen."""
    peak = float(np.iinfo(meant.samples.dtype).max)
    apart = np.abs(shown.astype(np.float64) - meant.samples.astype(np.float64))
    if meant.mode.endswith("A"):
        apart[..., :-1] *= meant.samples[..., -1:] / peak
    return float(np.floor(apart.max() + 1e-6))


# -- within what coding allows ---------------------------------------------------------------------


def _of_jpegs(crop: Picture, source: Picture, claim: Claim) -> Proof:
    """Prove a JPEG of a JPEG in components, which nobody converted."""
    theirs, ours = components.components(crop), components.components(source)
    _check_box(claim, ours.size.oriented(source.orientation))
    _check_profile(crop, source, claim, _SEEN_AS.get(ours.mode, ours.mode))
    shown = theirs.size.oriented(crop.orientation)
    if shown != claim.box_size:
        raise Wrong(Kind.BOX, _other_size(shown, claim.box_size))
    _check_grid(claim, ours, source)
    is_on_grid = claim.box == _snapped(claim.box, ours, source.orientation, claim.turn)
    box = claim.box.stored(ours.size.oriented(source.orientation), source.orientation)
    through = NO_TURN if claim.turn.is_none else Turn(source.orientation).then(claim.turn)
    meant = ours.cut(box).turned(through)
    is_copied = theirs.is_coded_as(meant) and is_on_grid and not claim.turn.resamples
    if claim.psnr is not None or not is_copied:
        way = _Way(source, crop, claim, ours)
        return _of_loss(theirs.planes, way.components(theirs, claim.box), way, crop, claim)
    if crop.orientation != (source.orientation if claim.turn.is_none else 1):
        raise Wrong(Kind.PIXELS, "its orientation is not the source's")
    if claim.turn.is_none:
        words = components.not_copied(theirs, ours, box)
    else:
        words = components.not_turned(theirs, meant)
    if words is not None:
        raise Wrong(Kind.PIXELS, words)
    more = "" if claim.turn.is_none else ", turned by whole blocks"
    more += "; its gain map is not judged" if "mpoffset" in crop.opened.info else ""
    return Proof("lossless-jpeg", f"lossless-jpeg{more}")


def _of_webp(shown: Samples, meant: Pixels, way: "_Way", crop: Picture, claim: Claim) -> Proof:
    if meant.mode.endswith("A"):
        theirs, ours = shown[..., -1:].astype(int), meant.samples[..., -1:]
        if np.abs(theirs - ours).max() > FARTHEST[8] * claim.turn.resamples:
            raise Wrong(Kind.PIXELS, _first_apart(theirs, ours))
    return _of_loss(_planes(shown[..., :3]), [_planes(meant.samples[..., :3])], way, crop, claim)


def _of_loss(
    planes: Sequence[Samples],
    candidates: Sequence[Sequence[Samples]],
    way: "_Way",
    crop: Picture,
    claim: Claim,
) -> Proof:
    """Prove what lost something when it was coded.

    Parameters
    ----------
    planes : of the crop, as it stores them
    candidates : what they may have been made of: components as they were, or by way of RGB
    """
    if planes[0].shape != candidates[0][0].shape:
        shapes = (Size(p.shape[1], p.shape[0]) for p in (planes[0], candidates[0][0]))
        raise Wrong(Kind.BOX, _other_size(*shapes))
    losses = [psnr(planes, meant) for meant in candidates]
    loss = _closest(losses, claim.psnr)
    if claim.psnr is None and loss == math.inf:
        return Proof("exact", "exact, in the components that it stores")
    if claim.psnr is None:
        raise Wrong(Kind.PIXELS, f"no loss is stated, and it is {_decibels(loss)}")
    if abs(loss - claim.psnr) > TOLERANCE:
        raise Wrong(Kind.PSNR, f"{claim.psnr:.2f} dB is stated, and it is {_decibels(loss)}")
    if loss < FLOOR:
        raise Wrong(Kind.NOT_PROVEN, f"{loss:.1f} dB: below {FLOOR:.0f}, nobody can tell")
    best = candidates[losses.index(loss)]
    _check_blocks(planes, best, way, crop)
    for beside, other in way.beside(claim.box, planes):
        if other > loss + _BETTER:
            raise Wrong(Kind.PIXELS, f"the box {list(beside.xyxy)} fits better: {other:.1f} dB")
    words = f"psnr {loss:.1f} dB >= {FLOOR:.0f}, as stated"
    return Proof("psnr", f"resampled by {claim.resized.by}, {words}" if claim.resized else words)


def _check_blocks(
    planes: Sequence[Samples], meant: Sequence[Samples], way: "_Way", crop: Picture
) -> None:
    """Hold each block against what its own quantisers allow."""
    if crop.form == "jpeg":
        worst = components.excess(way.decoded(crop), meant)
    else:
        container = riff.parse(crop.data, crop.name)
        step = vp8.quantisers(container.first(riff.VP8) or b"").coarsest_step
        worst = webp_blocks.excess(_picture(planes), _picture(meant), step)
    if worst > 1:
        raise Wrong(Kind.PIXELS, f"a block is off by {worst:.1f} times what coding allows")


def _picture(planes: Sequence[Samples]) -> Image.Image:
    return shaping.as_image(Pixels(np.stack(list(planes), axis=2), "RGB"))


def psnr(decoded: Sequence[Samples], meant: Sequence[Samples]) -> float:
    """Return the peak signal-to-noise ratio of planes of 8 bits, in dB; infinite where equal."""
    apart = [
        d.astype(np.float32) - m.astype(np.float32) for d, m in zip(decoded, meant, strict=True)
    ]
    squares = sum(float(np.square(each).sum(dtype=np.float64)) for each in apart)
    samples = sum(each.size for each in apart)
    return 10 * math.log10(_PEAK**2 * samples / squares) if squares else math.inf


def _closest(losses: Sequence[float], stated: float | None) -> float:
    return max(losses) if stated is None else min(losses, key=lambda loss: abs(loss - stated))


def _decibels(loss: float) -> str:
    return "none" if loss == math.inf else f"{loss:.2f} dB"


# -- from source to crop ---------------------------------------------------------------------------


class _Way:
    """What becomes of a source's pixels until they are coded as its crop."""

    def __init__(
        self, source: Picture, crop: Picture, claim: Claim, stored: Components | None = None
    ) -> None:
        self._source, self.crop, self._claim, self._stored = source, crop, claim, stored
        self._decoded: Components | None = None
        self._whole: Pixels | None = None

    @property
    def size(self) -> Size:
        """Of the upright source."""
        return shaping.size_of(self._upright.samples)

    @property
    def _upright(self) -> Pixels:
        if self._whole is None:
            pixels = self._source.pixels
            samples = shaping.upright(pixels.samples, self._source.orientation)
            self._whole = Pixels(samples, pixels.mode)
        return self._whole

    def cut(self, box: PixelBox) -> Pixels:
        """Return what the crop of a box has to show, upright."""
        claim, whole = self._claim, self._upright
        has_alpha = whole.mode.endswith("A")
        samples = shaping.cut(whole.samples, claim, box, has_alpha=has_alpha)
        pixels = Pixels(samples, whole.mode)
        if claim.srgb:
            pixels = shaping.in_srgb(pixels, self._source.profile)
        if claim.resized is not None:
            pixels = shaping.resized(pixels, claim.resized, self._source.name)
        return _suited(pixels, self.crop)

    def hidden_data(self) -> npt.NDArray[np.uint8] | None:
        """Return what a PNG hides in its alpha of 8 bits; None where there is nothing."""
        pixels = self._source.pixels
        is_png = self._source.form == self.crop.form == "png"
        has_alpha = pixels.mode == "RGBA" and pixels.samples.dtype == np.uint8
        return stealth.hidden(pixels.samples) if is_png and has_alpha else None

    def decoded(self, crop: Picture) -> Components:
        """Return the components of the crop, decoded once."""
        if self._decoded is None:
            self._decoded = components.components(crop)
        return self._decoded

    def components(self, crop: Components, box: PixelBox) -> list[list[Samples]]:
        """Return what the crop's components may have been made of, as the crop is stored."""
        self._decoded = crop
        ways = [self._as_stored(crop, box), self._by_colours(crop, box)]
        return [planes for planes in ways if planes is not None]

    def _as_stored(self, crop: Components, box: PixelBox) -> list[Samples] | None:
        stored, turn = self._stored, self._source.orientation
        if stored is None or stored.mode != crop.mode:
            return None
        planes = (shaping.cut(shaping.upright(p, turn), self._claim, box) for p in stored.planes)
        return [shaping.stored(plane, self.crop.orientation) for plane in planes]

    def _by_colours(self, crop: Components, box: PixelBox) -> list[Samples]:
        meant = self.cut(box)
        if meant.mode.endswith("A") or (meant.mode == "CMYK") != (crop.mode == "CMYK"):
            raise Wrong(Kind.PIXELS, f"it is {crop.mode}, where the source has {meant.mode}")
        if crop.mode == "L" and meant.mode != "L":
            raise Wrong(Kind.PIXELS, "it is grey, where the source has colours")
        picture = shaping.as_image(meant)
        picture = picture if picture.mode == crop.mode else picture.convert(crop.mode)
        bands = (np.asarray(band) for band in picture.split())
        return [shaping.stored(band, self.crop.orientation) for band in bands]

    def beside(self, box: PixelBox, planes: Sequence[Samples]) -> Iterator[tuple[PixelBox, float]]:
        """Yield the boxes a pixel away with the loss that the crop would have by them."""
        for across, down in _AROUND if planes[0].size >= _ENOUGH else ():
            left, top = box.left + across, box.top + down
            if left < 0 or top < 0:
                continue
            beside = PixelBox(left, top, box.right + across, box.bottom + down)
            if beside.right <= self.size.width and beside.bottom <= self.size.height:
                yield beside, self._loss(beside, planes)

    def _loss(self, box: PixelBox, planes: Sequence[Samples]) -> float:
        if self.crop.form == "jpeg":
            meant = self.components(self.decoded(self.crop), box)
            return max(psnr(planes, each) for each in meant)
        return psnr(planes, _planes(self.cut(box).samples[..., :3]))


def _suited(pixels: Pixels, crop: Picture) -> Pixels:
    """Return pixels as the format of the crop holds them; transparency is never flattened."""
    samples, mode = pixels.samples, pixels.mode
    has_no_room = crop.form in _LOSSY
    if mode.endswith("A") and has_no_room and not _holds_alpha(crop) and _is_opaque(samples):
        samples, mode = samples[..., :-1], mode[:-1]
    if mode.startswith("L") and crop.form == "webp":
        samples = np.concatenate([samples[..., :1]] * 3 + [samples[..., 1:]], axis=2)
        mode = mode.replace("L", "RGB")
    if samples.dtype == np.uint16 and has_no_room:
        samples = np.floor(samples * (255 / 65535) + 0.5).astype(np.uint8)
    return Pixels(samples, mode)


def _holds_alpha(crop: Picture) -> bool:
    return crop.form == "webp" and crop.pixels.mode.endswith("A")


def _is_opaque(samples: Samples) -> bool:
    return bool((samples[..., -1] == np.iinfo(samples.dtype).max).all())


def _planes(samples: Samples) -> list[Samples]:
    return [samples[..., at] for at in range(samples.shape[2])]


# -- boxes, sizes, profiles ------------------------------------------------------------------------


def _check_box(claim: Claim, upright: Size) -> None:
    box = claim.box
    if claim.upright not in (None, upright):
        raise Wrong(
            Kind.BOX,
            f"the source's size is stated as {_sides(claim.upright)}, and it is {_sides(upright)}",
        )
    if not is_inside(box, upright, claim.turn):
        raise Wrong(Kind.BOX, f"{list(box.xyxy)} reaches outside the {_sides(upright)} image")
    asked = claim.asked
    if asked is not None and _beyond(asked, box, _FARTHEST_GRID):
        raise Wrong(Kind.BOX, f"the box asked for, {list(asked.xyxy)}, is not in {list(box.xyxy)}")


def _beyond(asked: PixelBox, box: PixelBox, grid: int) -> bool:
    """Whether what was asked for is not in the box, or farther inside than a grid goes."""
    sides = zip((-1, -1, 1, 1), asked.xyxy, box.xyxy, strict=True)
    return any(not 0 <= sign * (b - a) < grid for sign, a, b in sides)


_EVEN = 2  # pixels: of a HEIC, whose sides are even
_FARTHEST_GRID = 64  # pixels: a block of a gain map that is a quarter as wide, at half resolution


def _check_exact_box(claim: Claim) -> None:
    """Hold the box against the one asked for."""
    if claim.asked not in (None, claim.box):
        raise Wrong(Kind.BOX, _other_box(claim))


def _check_grid(claim: Claim, ours: Components, source: Picture) -> None:
    """Hold a JPEG's box against the one asked for, whose corner may move out to a whole block.

    Beside a gain map it moves out to a grid of both, which is not worked out here.
    """
    asked = claim.asked
    if asked is None or "mpoffset" in source.opened.info:
        return
    if claim.box not in (asked, _snapped(asked, ours, source.orientation, claim.turn)):
        raise Wrong(Kind.BOX, _other_box(claim))


def _snapped(box: PixelBox, ours: Components, seen: int, turn: Turn) -> PixelBox:
    """Move the corner of an upright box outward to a whole block of what is stored.

    So do edges of which a turn makes the left or the upper one.
    """
    sides = zip(*ours.sampling, strict=True)
    grid = Size(*(8 * max(each) // math.gcd(*each) for each in sides))
    stored = box.stored(ours.size.oriented(seen), seen).snapped(grid)
    across, down = (False, False) if turn.is_none else Turn(seen).then(turn).mirrored
    right = -(-stored.right // grid.width) * grid.width if across else stored.right
    bottom = -(-stored.bottom // grid.height) * grid.height if down else stored.bottom
    edges = (min(right, ours.size.width), min(bottom, ours.size.height))
    return PixelBox(stored.left, stored.top, *edges).upright(ours.size, seen)


def _other_box(claim: Claim) -> str:
    asked = [] if claim.asked is None else list(claim.asked.xyxy)
    return f"{asked} was asked for, which is not cropped as {list(claim.box.xyxy)}"


def _check_size(shown: Samples, meant: Samples) -> None:
    if shown.shape[:2] != meant.shape[:2]:
        raise Wrong(Kind.BOX, _other_size(shaping.size_of(shown), shaping.size_of(meant)))


def _check_profile(crop: Picture, source: Picture, claim: Claim, mode: str) -> None:
    """Hold the profile, by which the numbers are seen, against the source's.

    One that is for other colours than the crop has may have been left out.
    """
    theirs, ours = crop.profile, source.profile
    if claim.srgb:
        if theirs is not None:
            raise Wrong(Kind.COLOUR, "its colours are sRGB's by the manifest, and it has a profile")
    elif theirs is not None and theirs != ours:
        raise Wrong(Kind.COLOUR, "its colour profile is not the source's")
    elif theirs is None and ours is not None and shaping.is_for(ours, mode):
        raise Wrong(Kind.COLOUR, "the source's colour profile is gone")


def _other_size(shown: Size, meant: Size) -> str:
    return f"it is {_sides(shown)}, and {_sides(meant)} by the box"


def _sides(size: Size | None) -> str:
    return "" if size is None else f"{size.width}x{size.height}"


def _first_apart(shown: Samples, meant: Samples) -> str:
    differ = (shown != meant).any(axis=2)
    y, x = (int(n[0]) for n in np.nonzero(differ))
    number = int(differ.sum())
    words = "pixel differs" if number == 1 else "pixels differ"
    return f"{number} {words} from the source's, the first at {x}, {y}"
