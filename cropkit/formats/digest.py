"""Short digests of what is in a file, read by Pillow alone: for tables that a person compares."""

import hashlib

from PIL import Image

from cropkit.formats.decoder_errors import reading
from cropkit.formats.limits import check_pixels
from cropkit.formats.preview import opened
from cropkit.geometry import Size

_DIGITS = 12


def digests(data: bytes, name: str) -> tuple[str, str]:
    """Return a digest of an image's stored pixels, and one of its texts and profiles.

    Whatever compressed them: two files have the same first one when mode, size and every sample are
    the same, and the same second one when text, EXIF, ICC profile and XMP are, as far as Pillow
    shows them.

    Raises
    ------
    Refused
        When it cannot be decoded.
    """
    with reading(name):
        picture = opened(data, name)
        check_pixels(name, Size(*picture.size))
        picture.load()
        facts = f"{picture.mode} {picture.size}".encode()
        return _short(facts + picture.tobytes()), _short(_said(picture))


def _said(picture: Image.Image) -> bytes:
    texts = {name: v for name, v in picture.info.items() if isinstance(v, str | bytes)}
    return repr(sorted((str(name), value) for name, value in texts.items())).encode()


def _short(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:_DIGITS]
