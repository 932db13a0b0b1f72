"""Foreign files decoded, coded anew and proven within bounds of time, memory and output.

What costs little by its header is done here and now. What may cost more is done in a process that
is kept for such files and dies at the bound: to ask it for each file would cost a normal crop more
than a twentieth of its time, to ask it for the few large ones costs nothing that can be noticed.
"""

from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from cropkit import formats
from cropkit.bounds import Bounds
from cropkit.errors import UnreadableImage
from cropkit.formats import Opened, cost, credentials
from cropkit.formats.account import Candidate, Header
from cropkit.formats.copy_options import CopyOptions
from cropkit.formats.headers import Headers
from cropkit.formats.options import Options
from cropkit.geometry import NO_TURN, PixelBox, Turn

_LITTLE = 4  # what costs little is below the bound by so much, and more where it was made to

More = ParamSpec("More")
Made = TypeVar("Made")


def done(
    function: Callable[Concatenate[bytes, str, More], Made],
    data: bytes,
    name: str,
    *arguments: More.args,
    **named: More.kwargs,
) -> Made:
    """Return what `function(data, name, ...)` returns, which goes through a foreign file.

    Parameters
    ----------
    function : of a module, with arguments and an answer that can be pickled

    Raises
    ------
    TooCostly
        It is at a bound; nothing was written.
    Refused
        As `function` does.
    """
    bounds = Bounds.from_environment()
    if _costs_little(data, bounds):
        return function(data, name, *arguments, **named)
    return apart(function, data, name, *arguments, **named)


def apart(
    function: Callable[Concatenate[bytes, str, More], Made],
    data: bytes,
    name: str,
    *arguments: More.args,
    **named: More.kwargs,
) -> Made:
    """Do what `done` does, and always in a process of its own.

    Raises
    ------
    Refused
        As `done`.
    """
    from cropkit.bounded.process import pool  # noqa: PLC0415  (for costly files only)

    bounds = Bounds.from_environment()
    made: Made = pool().ask((function, (data, name, *arguments), named, bounds))
    return made


def here(
    bounds: Bounds,
    function: Callable[Concatenate[bytes, str, More], Made],
    data: bytes,
    name: str,
    *arguments: More.args,
    **named: More.kwargs,
) -> Made:
    """Do what `done` does in this process, which is held to the bounds.

    A decoder that gets no memory may say that the file is damaged. Where the file is of a size for
    which memory is short, that is not believed.
    """
    try:
        return function(data, name, *arguments, **named)
    except MemoryError as error:
        raise bounds.too_much_memory(name) from error
    except UnreadableImage as error:
        if cost.is_short_of_memory(data, bounds.memory):
            raise bounds.too_much_memory(name) from error
        raise


def header(headers: Headers, data: bytes, name: str) -> Header:
    """Return what `headers` read of a file.

    Raises
    ------
    Refused
        As `Headers.read`, and `TooCostly`.
    """
    if cost.is_written(data):  # taken apart, within limits of its parts, and not decoded
        return headers.read(data, name)
    return done(_header, data, name, headers)


def crop(
    image: Opened,
    data: bytes,
    box: PixelBox,
    turn: Turn = NO_TURN,
) -> Candidate:
    """Return the crop of an image that was taken apart from `data`, as `Opened.crop` does.

    Raises
    ------
    Refused
        As `Opened.crop`, and `TooCostly`.
    """
    bounds = Bounds.from_environment()
    if _costs_little(data, bounds):
        candidate = image.crop(box, turn)
    else:
        candidate = done(formats.crop, data, image.name, box, image.options, turn)
    candidate = _signed(candidate, data, image.name, image.options)
    return _within(candidate, image.name, bounds)


def copied(
    data: bytes,
    name: str,
    cut: tuple[PixelBox, Turn],
    how: CopyOptions,
    options: Options,
) -> Candidate:
    """Return a copy's bytes, as `cropkit.formats.copies.copied` does.

    Raises
    ------
    Refused
        As `copied`, and `TooCostly`.
    """
    from cropkit.formats import copies  # noqa: PLC0415  (all codecs: for such copies only)

    candidate = done(copies.copied, data, name, cut[0], how, options, turn=cut[1])
    if how.is_faithful(candidate.format):
        candidate = _signed(candidate, data, name, options)
    return _within(candidate, name, Bounds.from_environment())


def verify(written: bytes, candidate: Candidate, name: str) -> Candidate:
    """Prove what was read back, as `cropkit.formats.verify` does.

    Raises
    ------
    VerificationFailed, LosslessUnavailable, PartMissing, TooCostly
        The candidate is to be discarded; the original stands.
    """
    where = done if candidate.signature is None else apart
    return where(_verified, written, name, candidate)


def _signed(candidate: Candidate, data: bytes, name: str, options: Options) -> Candidate:
    """Return a crop with new credentials, where it is to have some: always apart.

    What reads them is foreign code, and nothing is known of its cost.
    """
    if not (options.signs and credentials.is_to_be_signed(candidate)):
        return candidate
    from cropkit.formats.credentials import signer, signing  # noqa: PLC0415  (for these only)

    whole = PixelBox.full(formats.read_header(data, name, options).size)
    cropped = candidate.box_applied != whole
    return apart(signing.signed, data, name, candidate, signer.load(name), cropped=cropped)


def _costs_little(data: bytes, bounds: Bounds) -> bool:
    seconds, memory = cost.of(data)
    return seconds * _LITTLE <= bounds.seconds and memory * _LITTLE <= bounds.memory


def _within(candidate: Candidate, name: str, bounds: Bounds) -> Candidate:
    bounds.check_output(name, len(candidate.data))
    return candidate


def _header(data: bytes, name: str, headers: Headers) -> Header:
    return headers.read(data, name)


def _verified(written: bytes, name: str, candidate: Candidate) -> Candidate:
    return formats.verify(written, candidate, name)
