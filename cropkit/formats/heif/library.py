"""libheif, called by its C interface, as the wheel of pillow-heif brings it with x265 and libde265.

Here alone it is entered. pillow-heif's own interface tells of RGB, which is not what a HEIC holds:
to crop one without loss, its own samples are needed, of luma and of chroma at half resolution.
"""

import ctypes as c
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cropkit.errors import PartMissing
from cropkit.formats.heif.sequence import Signal

EXTRA = "cropkit[heic]"
Plane = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
# Of heif_image.h: colour spaces, chroma formats, compression formats.
_YCBCR, _RGB, _GREY, _AS_STORED = 0, 1, 2, 99
_INTERLEAVED, _INTERLEAVED_RGB = 10, 10
_HEVC = 1
_CHROMA = {1: b"420", 2: b"422", 3: b"444"}

_POINTERS = (
    "heif_context_alloc",
    "heif_encoding_options_alloc",
    "heif_image_get_plane",
    "heif_image_get_plane_readonly",
)
_FALLIBLE = (
    "heif_context_read_from_memory_without_copy",
    "heif_context_get_primary_image_handle",
    "heif_decode_image",
    "heif_image_create",
    "heif_image_add_plane",
    "heif_image_set_nclx_color_profile",
    "heif_context_get_encoder_for_format",
    "heif_encoder_set_lossless",
    "heif_encoder_set_parameter",
    "heif_context_encode_image",
    "heif_context_write_to_file",
)


class _Error(c.Structure):
    _fields_ = (("code", c.c_int), ("subcode", c.c_int), ("message", c.c_char_p))


class _Colours(c.Structure):
    """heif_color_profile_nclx; behind its numbers are places of primaries, which none needs."""

    _fields_ = (
        ("version", c.c_uint8),
        ("primaries", c.c_int),
        ("transfer", c.c_int),
        ("matrix", c.c_int),
        ("full_range", c.c_uint8),
        ("places", c.c_float * 8),
    )


class _Options(c.Structure):
    """The beginning of heif_encoding_options."""

    _fields_ = (("version", c.c_uint8), ("flags", c.c_uint8 * 3), ("colours", c.c_void_p))


@dataclass(frozen=True, slots=True)
class Samples:
    """What a HEIC stores of its pixels.

    Parameters
    ----------
    planes : (H, W) uint8, or uint16 above 8 bits: luma, and two of chroma where there is colour
    bits : of each sample
    chroma : 0 for grey, 1 for 4:2:0, 2 for 4:2:2, 3 for 4:4:4, as HEVC counts them
    signal : how they are meant, as the stream says it
    """

    planes: tuple[Plane, ...]
    bits: int
    chroma: int
    signal: Signal

    def same(self, other: "Samples") -> bool:
        """Whether all samples are equal, and what they mean."""
        stated = (self.bits, self.chroma, self.signal, len(self.planes))
        return stated == (other.bits, other.chroma, other.signal, len(other.planes)) and all(
            np.array_equal(a, b) for a, b in zip(self.planes, other.planes, strict=True)
        )


def installed() -> bool:
    """Whether the wheel is there, with a libheif in it."""
    return _path() is not None


def check_installed(name: str) -> None:
    """Raise `PartMissing` where it is not; nothing is loaded yet."""
    if not installed():
        raise PartMissing(name, f"'{EXTRA}'")


def _path() -> Path | None:
    spec = find_spec("pillow_heif")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent.parent / "pillow_heif.libs"
    return next(iter(sorted(folder.glob("libheif-*.so*"))), None)


@cache
def _library() -> Any:  # noqa: ANN401  (functions without types)
    path = _path()
    if path is None:
        raise ModuleNotFoundError(name="pillow_heif")
    library = c.CDLL(str(path))
    for name in _POINTERS:
        getattr(library, name).restype = c.c_void_p
    for name in _FALLIBLE:
        getattr(library, name).restype = _Error
    return library


def _call(name: str, *arguments: object) -> None:
    """Call a function that may fail.

    Raises
    ------
    ValueError
        With the words of libheif.
    """
    error = getattr(_library(), name)(*arguments)
    if error.code:
        raise ValueError((error.message or b"").decode("utf-8", "replace").strip() or name)


def _new(held: ExitStack, name: str, release: str, *arguments: object) -> c.c_void_p:
    """Call a function that makes something, which is released with what holds it."""
    thing = c.c_void_p()
    _call(name, *arguments, c.byref(thing))
    held.callback(getattr(_library(), release), thing)
    return thing


def _context(held: ExitStack) -> c.c_void_p:
    context = c.c_void_p(_library().heif_context_alloc())
    held.callback(_library().heif_context_free, context)
    return context


@contextmanager
def _decoded(data: bytes, space: int, chroma: int) -> Iterator[c.c_void_p]:
    with ExitStack() as held:
        context = _context(held)
        size = c.c_size_t(len(data))
        _call("heif_context_read_from_memory_without_copy", context, data, size, None)
        primary = "heif_context_get_primary_image_handle"
        handle = _new(held, primary, "heif_image_handle_release", context)
        image = c.c_void_p()
        _call("heif_decode_image", handle, c.byref(image), space, chroma, None)
        held.callback(_library().heif_image_release, image)
        yield image


def decoded(data: bytes, signal: Signal) -> Samples:
    """Decode a HEIC to the samples that it stores; how they are meant is known already.

    Raises
    ------
    ValueError
        As libheif says, or it stores other samples than luma and chroma.
    """
    with _decoded(data, _AS_STORED, _AS_STORED) as image:
        space = _library().heif_image_get_colorspace(image)
        chroma = _library().heif_image_get_chroma_format(image)
        if (space, chroma) != (_GREY, 0) and (space != _YCBCR or chroma not in _CHROMA):
            raise ValueError(f"samples of kind {space}, {chroma}")
        channels = (0, 1, 2) if chroma else (0,)
        depths = {_library().heif_image_get_bits_per_pixel_range(image, n) for n in channels}
        if len(depths) != 1:
            raise ValueError(f"samples of {sorted(depths)} bits in one picture")
        planes = tuple(_plane(image, n).copy() for n in channels)
        return Samples(planes, depths.pop(), chroma, signal)


def in_rgb(data: bytes) -> npt.NDArray[np.uint8]:
    """Decode a HEIC to (H, W, 3) RGB of 8 bits, as libheif sees its colours.

    Raises
    ------
    ValueError
    """
    with _decoded(data, _RGB, _INTERLEAVED_RGB) as image:
        rows = _plane(image, _INTERLEAVED, 3)
        return rows.reshape(rows.shape[0], -1, 3).astype(np.uint8)


def _plane(image: c.c_void_p, channel: int, samples: int = 1) -> Plane:
    """Return a view of a plane, (H, W * samples); it is gone with its image."""
    library, stride = _library(), c.c_int()
    address = library.heif_image_get_plane(image, channel, c.byref(stride))
    width = library.heif_image_get_width(image, channel) * samples
    height = library.heif_image_get_height(image, channel)
    if not address or width <= 0 or height <= 0:
        raise ValueError("a picture without pixels")
    wide = library.heif_image_get_bits_per_pixel_range(image, channel) > 8  # noqa: PLR2004  (bits)
    rows = np.ctypeslib.as_array(
        (c.c_uint8 * (stride.value * height)).from_address(address)
    ).reshape(height, stride.value)
    return rows[:, : width * 2].view(np.uint16) if wide else rows[:, :width]


def encoded(samples: Samples) -> bytes:
    """Return a HEIC that codes samples without loss, by x265.

    Raises
    ------
    ValueError
        As libheif says.
    """
    with ExitStack() as held:
        context = _context(held)
        image = _image(held, samples)
        find = "heif_context_get_encoder_for_format"
        encoder = _new(held, find, "heif_encoder_release", context, _HEVC)
        _call("heif_encoder_set_lossless", encoder, 1)
        if samples.chroma:
            _call("heif_encoder_set_parameter", encoder, b"chroma", _CHROMA[samples.chroma])
        if samples.signal.location:
            where = b"%d" % samples.signal.location
            _call("heif_encoder_set_parameter", encoder, b"x265:chromaloc", where)
        stated = _Colours(1, *samples.signal.numbers)
        options = c.c_void_p(_library().heif_encoding_options_alloc())
        held.callback(_library().heif_encoding_options_free, options)
        # else libheif converts what has another matrix than its own
        _Options.from_address(options.value or 0).colours = c.addressof(stated)
        _call("heif_context_encode_image", context, image, encoder, options, None)
        return _written(context)


def _image(held: ExitStack, samples: Samples) -> c.c_void_p:
    height, width = samples.planes[0].shape
    space = _YCBCR if samples.chroma else _GREY
    create = "heif_image_create"
    image = _new(held, create, "heif_image_release", width, height, space, samples.chroma)
    for channel, plane in enumerate(samples.planes):
        rows, columns = plane.shape
        _call("heif_image_add_plane", image, channel, columns, rows, samples.bits)
        _plane(image, channel)[:] = plane
    stated = _Colours(1, *samples.signal.numbers)
    _call("heif_image_set_nclx_color_profile", image, c.byref(stated))
    return image


def _written(context: c.c_void_p) -> bytes:
    """Let libheif write into a file of memory: its callbacks return what ctypes cannot."""
    descriptor = os.memfd_create("heic")
    with os.fdopen(descriptor, "rb") as stream:
        _call("heif_context_write_to_file", context, f"/proc/self/fd/{descriptor}".encode())
        return stream.read()
