"""What a file says of itself before it is cropped, as the crop that is meant will find it."""

from dataclasses import dataclass, replace

from cropkit import formats
from cropkit.errors import UnsupportedImage
from cropkit.formats.account import Account, Header
from cropkit.formats.copy_options import CopyOptions
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
        """Return format, upright size and orientation.

        A copy that is coded anew holds the very box: its header has no grid. One may be made of
        what cannot be cropped in its own file, as far as it can be decoded.

        Raises
        ------
        Refused
            As `cropkit.formats.opened`; for a copy that is coded anew as `copies.decoding.decoded`.
        """
        if self.how is None or (self.how.is_faithful(sniff(data, name)) and not self.resizes):
            return formats.read_header(data, name, self.options)
        try:
            return replace(formats.read_header(data, name, self.options), grid=None)
        except UnsupportedImage:
            return _of_pixels(data, name)


def _of_pixels(data: bytes, name: str) -> Header:
    from cropkit.formats.copies import decoding  # noqa: PLC0415  (all codecs: rarely needed)

    form = sniff(data, name)
    with reading(name):
        stored, orientation = decoding.decoded(data, name, form, Account(form))
    return Header(form, stored.size.oriented(orientation), orientation)
