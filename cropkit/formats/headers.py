"""What a file says of itself before it is cropped, as the crop that is meant will find it."""

from dataclasses import dataclass, replace

from cropkit import formats
from cropkit.errors import UnsupportedImage
from cropkit.formats.account import Header
from cropkit.formats.copy_options import CopyOptions, Format
from cropkit.formats.decoder_errors import reading
from cropkit.formats.options import Options
from cropkit.formats.sniff import sniff


@dataclass(frozen=True, slots=True)
class Headers:
    """Reads headers for crops in place, or for copies.

    Parameters
    ----------
    how : how copies are made; None: images are cropped themselves
    resizes : whether each copy is brought to a size that is known later
    """

    options: Options = Options()  # noqa: RUF009  (frozen)
    how: CopyOptions | None = None
    resizes: bool = False

    def read(self, data: bytes, name: str) -> Header:
        """Return format, upright size and orientation, without decoding a pixel.

        A copy that is coded anew holds the very box: its header has no grid. One may be made of
        what cannot be cropped in its own file, as far as it can be decoded.

        Raises
        ------
        Refused
            As `cropkit.formats.opened`, and as `cropkit.formats.copies.copied` where headers tell.
        """
        how, form = self.how, sniff(data, name, self.options.drop)
        faithful = how is None or (how.is_faithful(form) and not self.resizes)
        if how is not None and not faithful:
            how.coded(form, name)
        try:
            header = formats.read_header(data, name, self.options)
        except UnsupportedImage:
            if how is None or (faithful and how.format is Format.SAME):
                raise
            return _of_pixels(data, name, form)
        return header if faithful else replace(header, grid=None)


def _of_pixels(data: bytes, name: str, form: str) -> Header:
    """Read the header of what can only be decoded."""
    from cropkit.formats.copies import decoding  # noqa: PLC0415  (all codecs: rarely needed)

    with reading(name):
        stored, orientation = decoding.header(data, name, form)
    return Header(form, stored.oriented(orientation), orientation)
