"""Whether what a box holds can be turned in its own file: the header tells, nothing is decoded."""

from cropkit.errors import UnsuitableTurn
from cropkit.formats.account import Header
from cropkit.geometry import PixelBox, Size, Turn

_COPY = "Turn a copy in another format: `--copy-to DIR --format png`"
_CURES = (
    "Leave the last pixels out, turn a copy (`--copy-to DIR --format png`), or encode it anew:"
    " `cropkit settings FOLDER --jpeg exact`"
)
_ANEW = "a fine angle has every pixel computed anew"
_IN_A_COPY = "Straighten a copy (`--copy-to DIR`), as PNG, JPEG or WebP"
_IN_A_JPEG = (
    "Straighten a copy (`--copy-to DIR`), or have it encoded anew"
    " (`cropkit settings FOLDER --jpeg exact`)"
)


def check_angle(form: str, turn: Turn, name: str) -> None:
    """Refuse a fine angle in a file whose pixels are not to be encoded anew.

    Raises
    ------
    UnsuitableTurn
        Nothing was written.
    """
    if turn.resamples:
        raise UnsuitableTurn(name, _ANEW, _IN_A_JPEG if form == "jpeg" else _IN_A_COPY)


def check(header: Header, stored: PixelBox, turn: Turn, name: str) -> None:
    """Refuse a turn that the format cannot do without a loss.

    Parameters
    ----------
    stored : the box that a crop holds, in stored pixels

    Raises
    ------
    UnsuitableTurn
        Nothing was written.
    """
    if turn.is_none or header.grid is None:  # or its pixels are coded anew
        return
    if header.format == "heic":
        raise UnsuitableTurn(name, "HEIC is not turned here", _COPY)
    check_whole_blocks(header.grid, stored, header.through(turn), name)


def check_whole_blocks(grid: Size, stored: PixelBox, way: Turn, name: str) -> None:
    """Refuse to read a last block of a JPEG backwards that is not whole.

    Raises
    ------
    UnsuitableTurn
        An edge that would become the left or the upper one cuts a block; nothing was written.
    """
    sides = zip(way.mirrored, (stored.right, stored.bottom), (grid.width, grid.height), strict=True)
    for (backwards, side, step), what in zip(sides, ("width", "height"), strict=True):
        if backwards and side % step:
            whole = side // step * step
            words = f"its stored {what} ends within a block, at {side} instead of {whole}"
            raise UnsuitableTurn(name, words, _CURES)
