"""What follows from moves that turn an image, or straighten it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from cropkit.errors import BadTurn, IllegalMove
from cropkit.geometry import MOST_ANGLE
from cropkit.review.model.moves import LevelImages, StraightenTo, TurnImage
from cropkit.review.model.slots import named
from cropkit.review.model.state import Open, ReviewState, Step
from cropkit.review.model.transforms import name_of, open_at, turned_at

TOO_MUCH = f"it is straightened by {MOST_ANGLE:g} degrees at most"


def _turn_image(session: ReviewState, move: TurnImage) -> Step:
    entry = open_at(session, None, move)
    try:
        return Step(turned_at(session, session.chosen, entry.turn.then(move.by), move))
    except BadTurn:
        raise IllegalMove(name_of(move), TOO_MUCH) from None


def _straighten_to(session: ReviewState, move: StraightenTo) -> Step:
    open_at(session, move.position, move)
    chosen = replace(session, chosen=move.position)
    return Step(turned_at(chosen, move.position, move.turn, move))


def _level_images(session: ReviewState, move: LevelImages) -> Step:
    """Level what has lines that say how; what has none, or is level, stays as it is."""
    open_ones = [n for n in session.at_hand if isinstance(session.entries[n], Open)]
    after, said = session, list[bool]()
    for at in open_ones or [session.chosen]:
        entry = open_at(session, at, move)
        level = move.turns.get(entry.sha256)
        said.append(level is not None)
        if level is not None:
            turn = replace(entry.turn, hundredths=level.hundredths)
            after = turned_at(after, at, turn, move)
    return Step(after, note=_levelled(session, after, said, move))


def _levelled(before: ReviewState, after: ReviewState, said: list[bool], move: LevelImages) -> str:
    """Say what of several images was levelled, or refuse the move where none was."""
    pairs = zip(before.entries, after.entries, strict=True)
    changed, silent = sum(was != now for was, now in pairs), said.count(False)
    if not changed and len(said) == 1:
        name = named(before.entries[before.chosen].path)
        level = f"{name} is level already, as far as its lines say"
        unsaid = f"{name} has no lines that plainly say how it is level"
        raise IllegalMove(name_of(move), unsaid if silent else level)
    if not changed:
        raise IllegalMove(name_of(move), f"nothing is levelled: {_rest(len(said), silent)}")
    rest = _rest(len(said) - changed, silent)
    return f"{changed} of {len(said)} levelled: {rest}" if rest else ""


def _rest(others: int, silent: int) -> str:
    """Say why some images are not levelled."""
    level = others - silent
    told = (
        (silent, f"{silent} with no lines that plainly say how"),
        (level, f"{level} level already"),
    )
    return ", ".join(words for number, words in told if number)


ANGLE_RULES: Mapping[type, Callable[[ReviewState, Any], Step]] = {
    TurnImage: _turn_image,
    StraightenTo: _straighten_to,
    LevelImages: _level_images,
}
