"""What a copy would carry of the old frame, beside the pixels: looked into as in a crop."""

from collections.abc import Iterator
from dataclasses import replace

from cropkit.errors import GainMap
from cropkit.formats.account import Account
from cropkit.formats.copies.sources import Source
from cropkit.formats.metadata import colour_profile, inspection
from cropkit.formats.png import metadata
from cropkit.formats.png.chunks import Chunk


def without_hidden(source: Source, edit: metadata.Edit) -> Source:
    """Return a source whose profile, colours, texts and comments show nothing of the old frame.

    Raises
    ------
    GainMap
        When the colour profile does: without it the colours would be others.
    """
    if colour_profile.hides(source.profile or b""):
        raise GainMap(edit.name, "in the colour profile")
    return replace(
        source,
        texts=tuple(_texts(source, edit)),
        colours=tuple(_colours(source, edit.account)),
        comments=tuple(_comments(source, edit.account)),
    )


def _texts(source: Source, edit: metadata.Edit) -> Iterator[tuple[str, Chunk]]:
    for keyword, chunk in source.texts:
        after = metadata.edited_text(chunk, edit)
        if after is not None:
            yield keyword, after


def _colours(source: Source, account: Account) -> Iterator[Chunk]:
    for chunk in source.colours:
        reason = inspection.unfit(chunk.data)
        if reason:
            account.drop(chunk.type, reason)
        else:
            yield chunk


def _comments(source: Source, account: Account) -> Iterator[bytes]:
    for comment in source.comments:
        is_text = inspection.is_text(comment)
        after, reason = (
            inspection.without_hidden(comment) if is_text else (comment, inspection.unfit(comment))
        )
        if reason:
            account.drop("bytes that a comment spells out" if is_text else "comment", reason)
        if is_text or reason is None:
            yield after
