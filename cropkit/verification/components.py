"""Crops that are JPEGs, in the components that they store, never converted.

A lossless crop holds the blocks of its source. Decoded, they give the very samples of the source
wherever two things do not reach: libjpeg interpolates colour of reduced resolution across the edge
of the crop, where the source had a neighbour and the crop has none, and the blocks that the right
or bottom edge cuts were made anew, within half a quantisation step of what is seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from cropkit.formats.jpeg import blocks
from cropkit.geometry import PixelBox, Size, Turn
from cropkit.verification.decoding import Picture, Samples, jpeg
from cropkit.verification.shaping import upright

Plane = npt.NDArray[np.uint8]
_BLOCK = 8
_FARTHEST_TURNED = 2  # levels; one more where colour is interpolated
_RGB_IDS = (82, 71, 66)
_MODES = {1: "L", 3: "YCbCr", 4: "CMYK"}
# As in the bound for pixels that were coded anew: three roundings, and blocks that bleed.
_REDUCED_ROUNDING, _BLEEDING = 2.5, 1.5


@dataclass(frozen=True, slots=True)
class Components:
    """What a JPEG stores.

    Parameters
    ----------
    planes : of each component, at full resolution, as it is stored
    sampling : across and down of each
    tables : quantisation steps of each
    """

    planes: tuple[Plane, ...]
    mode: str
    sampling: tuple[tuple[int, int], ...]
    tables: tuple[tuple[int, ...], ...]

    @property
    def size(self) -> Size:
        """Of the image, as it is stored."""
        return Size(self.planes[0].shape[1], self.planes[0].shape[0])

    @property
    def factors(self) -> list[tuple[int, int]]:
        """How many pixels one sample of each component stands for, across and down."""
        across, down = (max(each) for each in zip(*self.sampling, strict=True))
        return [(across // h, down // v) for h, v in self.sampling]

    def cut(self, box: PixelBox) -> "Components":
        """Return the planes inside a stored box."""
        rows, columns = slice(box.top, box.bottom), slice(box.left, box.right)
        return replace(self, planes=tuple(plane[rows, columns] for plane in self.planes))

    def turned(self, turn: Turn) -> "Components":
        """Return what is stored of these, turned by whole blocks."""
        planes = tuple(upright(plane, turn.orientation) for plane in self.planes)
        if not turn.swaps:
            return replace(self, planes=planes)
        sampling = tuple((down, across) for across, down in self.sampling)
        tables = (np.reshape(table, (_BLOCK, _BLOCK)).T.ravel() for table in self.tables)
        return Components(planes, self.mode, sampling, tuple(tuple(t.tolist()) for t in tables))

    def is_coded_as(self, other: "Components") -> bool:
        """Whether components, sampling and quantisation tables are the same."""
        mine = (self.mode, self.sampling, self.tables)
        return mine == (other.mode, other.sampling, other.tables)


def components(picture: Picture) -> Components:
    """Decode a JPEG in its own components.

    Raises
    ------
    Refused, or whatever Pillow raises
    """
    _ = picture.opened  # its size is within the limit
    opened = jpeg(picture.data)
    layers = [tuple(int(n) for n in layer) for layer in opened.layer]
    mode = _stored_mode([layer[0] for layer in layers], opened.info)
    if mode == "YCbCr":
        opened.draft("YCbCr", opened.size)
    opened.load()
    if opened.mode != mode:
        raise ValueError(f"decoded as {opened.mode}, not {mode}")
    sampling = tuple((layer[1], layer[2]) for layer in layers)
    if len(set(sampling)) == 1:
        sampling = ((1, 1),) * len(sampling)
    tables = tuple(tuple(opened.quantization[layer[3]]) for layer in layers)
    return Components(tuple(np.asarray(b) for b in opened.split()), mode, sampling, tables)


def _stored_mode(ids: Sequence[int], info: dict[str | tuple[int, int], object]) -> str:
    """Tell stored RGB from YCbCr as libjpeg does (jdapimin.c, default_decompress_parms)."""
    if len(ids) != len(_RGB_IDS) or "jfif" in info:
        return _MODES[len(ids)]
    if "adobe_transform" in info:
        return "YCbCr" if info["adobe_transform"] else "RGB"
    return "RGB" if tuple(ids) == _RGB_IDS else "YCbCr"


def not_copied(crop: Components, source: Components, box: PixelBox) -> str | None:
    """Say what is not as a crop without loss has it; None where all of it is.

    Parameters
    ----------
    crop, source : coded alike
    box : in stored pixels of the source
    """
    size = source.size
    beyond = (box.left > 0, box.top > 0, box.right < size.width, box.bottom < size.height)
    worst = 0.0
    mixed = (
        crop.mode == "CMYK" and len(set(crop.sampling)) > 1
    )  # YCCK, which Pillow turns into inks
    most = max(crop.factors)
    for at, plane in enumerate(crop.planes):
        meant = source.planes[at][box.top : box.bottom, box.left : box.right]
        factors = most if mixed else crop.factors[at]
        words = _not_equal(plane, meant, factors, beyond)
        if words:
            return words
        worst = max(worst, _at_edge(plane, meant, crop.tables[at], factors))
    return (
        f"a block at the edge is off by {worst:.1f} times what rounding allows"
        if worst > 1
        else None
    )


def not_turned(crop: Components, meant: Components) -> str | None:
    """Say what is not as blocks that were turned without loss have it; None where all of it is.

    The same numbers are transformed back in another order, and rounded on the way: a level or two.
    """
    all_around, worst = (True,) * 4, 0.0
    mixed = crop.mode == "CMYK"  # YCCK, which Pillow turns into inks: colour counts almost twice
    for at, plane in enumerate(crop.planes):
        factors = max(crop.factors) if mixed else crop.factors[at]
        farthest = (_FARTHEST_TURNED + (max(factors) > 1)) * (1 + mixed)
        words = _not_equal(plane, meant.planes[at], factors, all_around, farthest)
        if words:
            return words
        worst = max(worst, _at_edge(plane, meant.planes[at], crop.tables[at], factors))
    words = f"a block is off by {worst:.1f} times what rounding allows"
    return words if worst > 1 else None


def _not_equal(
    plane: Plane,
    meant: Plane,
    factors: tuple[int, int],
    beyond: tuple[bool, ...],
    farthest: int = 0,
) -> str | None:
    """Compare the samples of whole blocks, as far as no neighbour beyond the edge reaches."""
    rows = _whole(plane.shape[0], factors[1], beyond[1], beyond[3])
    columns = _whole(plane.shape[1], factors[0], beyond[0], beyond[2])
    apart = plane[rows, columns].astype(np.int16) - meant[rows, columns]
    differ = np.abs(apart) > farthest
    if not differ.any():
        return None
    y, x = (int(n[0]) for n in np.nonzero(differ))
    place = f"the first at {x + columns.start}, {y + rows.start} of what is stored"
    return f"{int(differ.sum())} samples of whole blocks are not the source's, {place}"


def _whole(extent: int, factor: int, before: bool, after: bool) -> slice:  # noqa: FBT001  (sides)
    block, reach = _BLOCK * factor, int(factor > 1)
    end = extent // block * block - reach if after else extent
    return slice(reach if before else 0, max(end, 0))


def _at_edge(plane: Plane, meant: Plane, table: tuple[int, ...], factors: tuple[int, int]) -> float:
    """Return how much of its limit the worst block uses, of samples at their own resolution."""
    half_steps = float(np.linalg.norm(np.asarray(table, np.float64) / 2))
    if factors == (1, 1):
        return blocks.excess([plane], [meant], [table], [(1, 1)])
    apart = _reduced(plane, factors) - _reduced(meant, factors)
    apart[[0, -1]] = 0  # interpolated with what is not in the crop
    apart[:, [0, -1]] = 0
    return _largest(apart) / (_BLEEDING * half_steps + _REDUCED_ROUNDING * _BLOCK)


def _reduced(plane: Plane, factors: tuple[int, int]) -> npt.NDArray[np.float64]:
    across, down = factors
    filled = np.pad(plane, ((0, -plane.shape[0] % down), (0, -plane.shape[1] % across)), "edge")
    squares = filled.reshape(filled.shape[0] // down, down, filled.shape[1] // across, across)
    means: npt.NDArray[np.float64] = squares.mean(axis=(1, 3))
    return means


def _largest(apart: npt.NDArray[np.float64]) -> float:
    height, width = (-(-side // _BLOCK) for side in apart.shape)
    filled = np.zeros((height * _BLOCK, width * _BLOCK))
    filled[: apart.shape[0], : apart.shape[1]] = apart
    squares = np.square(filled).reshape(height, _BLOCK, width, _BLOCK).sum(axis=(1, 3))
    return float(np.sqrt(squares.max()))


def excess(crop: Components, meant: Sequence[Samples]) -> float:
    """Return how much of its limit the worst block uses, of pixels that were coded anew."""
    planes = [np.ascontiguousarray(plane) for plane in crop.planes]
    return blocks.excess(
        planes, [np.ascontiguousarray(m) for m in meant], crop.tables, crop.sampling
    )
