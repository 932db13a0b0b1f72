"""HEIC: the samples inside the box coded anew without loss, where somebody chose that.

Luma and chroma are cut and coded as they are stored, at their own depth and resolution: no colour
is converted. x265 codes, libde265 decodes; both come with an extra.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from cropkit.errors import UnsupportedFormat, VerificationFailed
from cropkit.formats import turnable
from cropkit.formats.account import Account, Bare, Candidate, Header
from cropkit.formats.decoder_errors import reading
from cropkit.formats.heif import container, library, metadata
from cropkit.formats.heif.container import Heif
from cropkit.formats.heif.library import Samples
from cropkit.formats.heif.pictures import Role, roles
from cropkit.formats.limits import check_pixels
from cropkit.formats.metadata.crop_change import Change
from cropkit.formats.options import Heic, Options
from cropkit.formats.sniff import shown
from cropkit.geometry import PixelBox, Size, Turn

_EVEN = 2  # HEVC knows no odd sides where chroma is at half resolution
_LEAST_SIDE = 64  # libheif fills up what is smaller, and hides that


@dataclass(frozen=True, slots=True)
class Proof:
    """What the written file must hold: these items, and exactly these samples."""

    container: Heif
    samples: Samples


@dataclass(frozen=True, slots=True)
class OpenedHeic:
    """A HEIC taken apart; `size` is as it is stored."""

    name: str
    header: Header
    container: Heif
    size: Size
    length: int
    drop: frozenset[str]

    def crop(self, box: PixelBox, turn: Turn) -> Candidate:
        """Crop to an upright box; see `cropkit.formats.Opened.crop`."""
        turnable.check(self.header, box, turn, self.name)
        return _cropped(self, box)


def opened(data: bytes, name: str, options: Options) -> OpenedHeic:
    """Take the file apart; see `cropkit.formats.opened`.

    Raises
    ------
    UnsupportedFormat
        Nobody chose that HEIC is cropped in place: a crop without loss takes several times the
        bytes.
    PartMissing
    """
    if options.heic is not Heic.EXACT:
        raise UnsupportedFormat(name, shown("heic"))
    library.check_installed(name)
    heif = container.parse(data, name)
    metadata.refuse(heif, name, options.drop)
    metadata.signal(heif, name)
    stored = check_pixels(name, metadata.size(heif, name))
    turned = metadata.orientation(heif, name)
    grid = Size(_EVEN, _EVEN)
    header = Header("heic", stored.oriented(turned), turned, grid=grid, step=_EVEN)
    return OpenedHeic(name, header, heif, stored, len(data), options.drop)


def _cropped(image: OpenedHeic, box: PixelBox) -> Candidate:
    name, header, before = image.name, image.header, image.size
    stored = header.snapped(box.stored(header.size, header.orientation))
    if min(stored.size.width, stored.size.height) < _LEAST_SIDE or _is_odd(stored.size):
        sides = f"{stored.size.width} x {stored.size.height}"
        raise UnsupportedFormat(name, f"HEIC of {sides} pixels (even, and {_LEAST_SIDE} at least)")
    samples = _cut(_decoded(image.container, before, name), stored)
    coded = container.parse(library.encoded(samples), name).image
    account = Account("heic")
    change = Change(before, stored)
    account.keep("samples of luma and chroma")
    written = metadata.edited(
        image.container, metadata.Edit(change, coded, account, name, image.drop)
    )
    data = written.encoded()
    share = len(data) / image.length * before.area / stored.size.area
    account.patch(f"HEVC: coded anew without loss, in {share:.1f} times the bytes of each pixel")
    applied = stored.upright(before, header.orientation)
    return account.candidate(data, (box, applied), Proof(written, samples))


def _is_odd(size: Size) -> bool:
    return bool(size.width % _EVEN or size.height % _EVEN)


def _decoded(heif: Heif, size: Size, name: str) -> Samples:
    signal = metadata.signal(heif, name)
    samples = library.decoded(metadata.bare(heif).encoded(), signal)
    if samples.planes[0].shape != (size.height, size.width):
        raise ValueError(f"decoded to {samples.planes[0].shape}, not {size}")
    return samples


def _cut(samples: Samples, box: PixelBox) -> Samples:
    """Cut a box that begins and ends with whole samples of chroma."""
    luma, *chroma = samples.planes
    across, down = {1: (2, 2), 2: (2, 1)}.get(samples.chroma, (1, 1))
    small = PixelBox(box.left // across, box.top // down, box.right // across, box.bottom // down)
    planes = [_inside(luma, box), *(_inside(plane, small) for plane in chroma)]
    return Samples(tuple(planes), samples.bits, samples.chroma, samples.signal)


def _inside(plane: library.Plane, box: PixelBox) -> library.Plane:
    cut: library.Plane = plane[box.top : box.bottom, box.left : box.right]
    return cut.copy()


def verify(written: bytes, proof: Proof, name: str) -> float | None:
    """Hold what was read back against the proof: every item, and every sample, exactly."""
    with reading(name):
        heif = container.parse(written, name)
        if heif != proof.container:
            raise VerificationFailed(name, "the items are not those meant")
        samples = _decoded(heif, metadata.size(heif, name), name)
    if not samples.same(proof.samples):
        raise VerificationFailed(name, "the samples are not those inside the box")
    return None


def bare(data: bytes, name: str) -> Bare:
    """Return the profile of a HEIC; its metadata stay on, which no decoder here is given."""
    if not library.installed():
        return Bare(data, 1, None)
    return Bare(data, 1, metadata.profile(container.parse(data, name)))


def refuse_transparency(data: bytes, name: str) -> None:
    """Refuse a HEIC of which a copy would be flattened.

    Raises
    ------
    UnsupportedFormat
    """
    if Role.ALPHA in roles(container.parse(data, name)).values():
        raise UnsupportedFormat(name, "HEIC with transparency")


def picture(data: bytes, name: str) -> Image.Image:
    """Decode a HEIC for a viewer: upright, in RGB of 8 bits, with EXIF, XMP and profile as `info`.

    Raises
    ------
    UnsupportedFormat
        The extra is not installed.
    Refused
        It is damaged, or no simple picture.
    """
    if not library.installed():
        raise UnsupportedFormat(name, shown("heic"))
    heif = container.parse(data, name)
    metadata.check_coding(heif, name)
    stored = check_pixels(name, metadata.size(heif, name))
    rows = library.in_rgb(metadata.in_colour(heif).encoded())
    if rows.shape[:2] != (stored.height, stored.width):
        raise ValueError(f"decoded to {rows.shape}, not {stored}")
    turned = np.ascontiguousarray(metadata.upright(rows, metadata.orientation(heif, name)))
    image = Image.fromarray(turned)
    image.info.update(metadata.described(heif))
    return image
