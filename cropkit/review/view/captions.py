"""Frame, caption and verdict of each image of the page, as HTML; pure."""

from collections.abc import Mapping
from itertools import product

from cropkit.records import Note, Status, Suggestion, Verdict
from cropkit.review.keys.actions import MOVED
from cropkit.review.model import Broken, Decided, Done, Entry, Loading, Mark, Open, Restoring
from cropkit.review.model.slots import image_of, slot_of
from cropkit.review.model.state import turn_of
from cropkit.review.view import turning
from cropkit.review.view.html import at, cut_inside, file_name, keys, text
from cropkit.review.view.labels import text_width
from cropkit.review.view.layout import CHIP_SIGN, PageLayout
from cropkit.review.view.view_model import View
from cropkit.review.view.viewport import Rect
from cropkit.suggest.sidecar import SOURCE as SIDECAR
from cropkit.system.home import REJECTED

# verdict or outcome -> (class, sign, word): each differs by sign and word, too
VERDICTS: Mapping[Verdict, tuple[str, str, str]] = {
    Verdict.ACCEPT: ("ck-accept", "✓", "accept"),
    Verdict.ADJUSTED: ("ck-adjusted", "✎", "adjusted"),
    Verdict.KEPT_WHOLE: ("ck-small", "▢", "whole image"),
    Verdict.REJECT: ("ck-reject", "✕", "reject"),
    Verdict.SKIP: ("ck-skip", "↷", "skip"),
}
OUTCOMES: Mapping[Status, tuple[str, str, str]] = {
    Status.WAITING: ("ck-wait", "◷", "waiting"),
    Status.CROPPED: ("ck-done", "✔", "cropped"),
    Status.REJECTED: ("ck-reject", "✖", "rejected"),
    Status.SKIPPED: ("ck-skip", "↪", "skipped"),
    Status.REFUSED: ("ck-failed", "⚠", "refused"),
    Status.FAILED: ("ck-failed", "⚠", "failed"),
    Status.IN_DOUBT: ("ck-failed", "⁇", "in doubt"),
}
_SHORTER = {
    "whole image": "whole",
    "kept whole": "kept",
    "restoring": "undoing",
}  # words, whole ones
_LETTER, _TIGHT_LETTER = 13.5, 11.6  # canvas units, in a chip
_BESIDE = 2.0  # letters that the sign and what is round the word take
_UNSIGNED = ("without", " credentials")
NO_BOX = ("no AI box", "")
KEPT_WHOLE = ("ck-small", "▢", "kept whole")
_NO_CROP = ("ck-failed", "⚠", "no crop")
_ONE_LINE = 24  # canvas units
STALE = ("ck-failed", "↻", "changed")
LATER = ("ck-later", "◎", "look")
_SHORT_TAIL = 9
_UNSURE = 0.5  # less confidence is shown in the colour of a warning
_SHORT = {SIDECAR: "AI"}  # a caption is narrow, and these are the boxes one has by default


def cells(view: View) -> str:
    """Frame, caption and verdict of every image of the page."""
    shown = range(len(view.session.entries))
    return "".join(_cell(view, position) for position in shown)


def outcome(settled: Decided) -> tuple[str, str, str]:
    """Return class, sign and word of what became of a decision."""
    if settled.is_whole:
        return KEPT_WHOLE
    return OUTCOMES.get(settled.status, ("ck-wait", "·", settled.status))


def _cell(view: View, position: int) -> str:
    entry = view.session.entries[position]
    chosen = "ck-frame" + " ck-chosen" * (position == view.session.chosen)
    picked = " ck-picked" * (entry.path in view.session.picked)
    layout = view.layout
    caption = layout.caption(position)
    words = Rect(caption.x, caption.y, layout.chip(position).x - caption.x - 8, caption.height)
    name = file_name(entry.path)
    source = "" if layout.tight else _second(view, entry)
    slot = slot_of(entry.path)
    shown = cut_inside(name, _SHORT_TAIL) if layout.tight or slot else cut_inside(name)
    which = f"<span class='ck-slot ck-cut'>{text(slot)}</span>" if slot else ""
    return (
        at(layout, layout.cell(position), "", chosen + picked)
        + at(
            layout,
            words.trimmed(layout.trim),
            f"<span class='ck-key{picked}'>{position + 1}{' ✓' * bool(picked)}</span>"
            f"{_noted(view, entry)}{_turned(entry)}{_level(view, entry)}{which}"
            f"<span class='ck-name ck-first'>{shown}</span>{source}",
            "ck-words" + " ck-tight" * layout.tight,
        )
        + _chip(view, position, entry)
        + _tile(view, position, entry)
    )


def _noted(view: View, entry: Entry) -> str:
    """Return a star, and a sign that something is noted, where there is any."""
    note = view.session.notes.get(entry.path, Note())
    signs = "★" * note.star + "❝" * bool(note.text)
    told = " · ".join(filter(None, ("starred" * note.star, note.text)))
    return f"<span class='ck-star' title='{text(told)}'>{signs}</span>" if signs else ""


def _turned(entry: Entry) -> str:
    """Return the sign of a turn, where there is one."""
    turn = turn_of(entry)
    if turn.is_none:
        return ""
    told = turning.words(turn)
    return f"<span class='ck-turned' role='img' aria-label='{told}'>{turning.sign(turn)}</span>"


def _level(view: View, entry: Entry) -> str:
    """Return by which angle an image may be levelled, and, of the chosen one, by which key."""
    turn = view.levels.get(entry.path)
    if turn is None:
        return ""
    by = f"{turning.angle(turn):+.1f}°"
    is_chosen = entry is view.session.entries[view.session.chosen]
    key = f" {keys((view.keymap.label('level'),))}" * is_chosen
    told = f"role='img' aria-label='may be levelled by {by}'"
    return f"<span class='ck-level'><span {told}>∠{by}?</span>{key}</span>"


def _second(view: View, entry: Entry) -> str:
    """Return what is said besides the name, which it gives way to, and how sure a source is."""
    named, tail = _below(view, entry)
    return second_words(named, _meter(entry) if tail else "", tail)


def second_words(named: str, meter: str, tail: str) -> str:
    """Return the words of a source and how sure it is: where there is no room, a bar is left."""
    inner = f"<span class='ck-cut'>{text(named)}</span>"
    words = f"<span class='ck-quiet ck-second'>{inner}</span>" if named else ""
    if not meter:
        return f"{words}<span class='ck-quiet ck-sure'>{text(tail)}</span>"
    number = f"<span>{text(tail.strip())}</span>"
    return f"{words}<span class='ck-quiet ck-sure ck-gives'>{meter}{number}</span>"


def _meter(entry: Entry) -> str:
    """Return a bar that is as long as a source is sure."""
    sure = _confidence(entry)
    if sure is None:
        return ""
    low = " ck-low" * (sure < _UNSURE)
    part = f"<span style='width:{100 * sure:.0f}%'></span>"
    return f"<span class='ck-meter{low}' role='img' aria-label='confidence'>{part}</span>"


def _confidence(entry: Entry) -> float | None:
    return entry.suggestion.confidence if isinstance(entry, Open) and entry.suggestion else None


def _chip(view: View, position: int, entry: Entry) -> str:
    classes, sign, word = verdict(view, entry)
    small = view.session.too_small(entry) or entry.path in view.unturnable
    place = view.layout.chip(position).trimmed(view.layout.trim)
    inner = chip_words(word, (f"⚠ {sign}", "⚠") if small else (sign,), place.width, view.layout)
    classes = "ck-small" if small else classes
    return at(view.layout, place, inner, f"ck-chip {classes}{' ck-tight' * view.layout.tight}")


def chip_words(word: str, signs: tuple[str, ...], room: float, layout: PageLayout) -> str:
    """Return sign and word of a chip, the longest that have room: nothing of them is cut."""
    if room <= CHIP_SIGN:
        return f"<span role='img' aria-label='{text(word)}'>{signs[-1]}</span>"
    size = _TIGHT_LETTER if layout.tight else _LETTER
    forms = product((word, _SHORTER.get(word, word)), signs)
    sign, short = next(
        ((sign, form) for form, sign in forms if _chip_width(sign, form, size) <= room),
        (signs[-1], _SHORTER.get(word, word)),
    )
    return f"<span>{sign}</span><span class='ck-cut'>{text(short)}</span>"


def _chip_width(sign: str, word: str, size: float) -> float:
    return (len(sign.replace(" ", "")) - 1 + _BESIDE) * size + text_width(word, size)


def verdict(view: View, entry: Entry) -> tuple[str, str, str]:
    """Return class, sign and word of what is, or is going to be, the verdict of an image."""
    match entry:
        case Open():
            if entry.mark is Mark.LATER:
                return LATER
            again = entry.path in view.session.stale and entry.verdict is not Verdict.REJECT
            return STALE if again else VERDICTS[entry.verdict]
        case Done():
            return outcome(entry.settled)
        case Broken():
            return _NO_CROP if entry.verdict is None else VERDICTS[entry.verdict]
        case Restoring():
            return ("ck-wait", "↺", "restoring")
        case Loading():
            return ("ck-wait", "…", "loading")


def _tile(view: View, position: int, entry: Entry) -> str:
    """Words in place of, or on, the picture."""
    match entry:
        case Broken() if entry.size is not None:
            return _hindrance(view, position, entry)
        case Broken():
            sign, reason = "⚠", entry.reason
        case Done() if entry.settled.status.is_failure:
            sign, reason = "⚠", entry.settled.reason
        case Restoring():
            sign, reason = "↺", "being restored"
        case _:
            return ""
    inner = f"<span class='ck-sign'>{sign}</span><span>{text(reason)}</span>"
    return at(view.layout, view.layout.stage(position), inner, "ck-tile ck-failed")


def _hindrance(view: View, position: int, entry: Broken) -> str:
    """Say, below what is seen of an image, why it cannot be cropped, and what can be done."""
    reason = entry.reason.removeprefix(f"{image_of(entry.path)}: ")
    reject, skip = (keys((view.keymap.label(name),)) for name in ("reject", "skip"))
    stage = view.layout.stage(position)
    if view.layout.tight:
        words, height = f"<span class='ck-cut'>{text(reason)}</span>", float(_ONE_LINE)
    else:
        can = f"{reject} reject &nbsp; {skip} skip"
        if entry.is_signed:
            without = keys((view.keymap.label("without-credentials"),))
            can += f" &nbsp; {without} crop all without them"
        words, height = f"<span>⚠ {text(reason)}</span><span>{can}</span>", stage.height / 2
    place = Rect(stage.x, stage.bottom - height, stage.width, height)
    tight = " ck-tight" * view.layout.tight
    return at(view.layout, place, f"<div class='ck-why{tight}'>{words}</div>", "ck-hindrance")


def _below(view: View, entry: Entry) -> tuple[str, str]:
    """Return what is said below the name: what becomes of the file, or where its box is from."""
    if entry.path in view.without_credentials:
        return _UNSIGNED
    becomes = fate(view, entry)
    return (becomes, "") if becomes else _source(entry)


def fate(view: View, entry: Entry) -> str:
    """Say what becomes of the file of an image that is not cropped; '' where nothing is to say."""
    verdict = entry.settled.verdict if isinstance(entry, Done) else _marked(entry)
    if verdict is Verdict.SKIP:
        return "comes again at the end"
    if verdict is not Verdict.REJECT:
        return ""
    if view.session.copies:
        return "no crop is made of it"
    return f"moved to {REJECTED}" if isinstance(entry, Done) else MOVED


def _marked(entry: Entry) -> Verdict | None:
    if isinstance(entry, Open | Broken) and entry.mark in (Mark.REJECT, Mark.SKIP):
        return entry.verdict
    return None


def source_words(entry: Entry) -> str:
    """Return in one line where the box of an image comes from, and how sure its source is."""
    named, rest = _source(entry)
    sure = _confidence(entry)
    told = "" if sure is None else f"confidence {sure:.2f}"
    return ", ".join(filter(None, (named, told))) or rest


def _source(entry: Entry) -> tuple[str, str]:
    """Where the box comes from, and, never cut, how sure its source is."""
    if isinstance(entry, Open):
        several = len(entry.suggestions) > 1
        which = f" · {entry.candidate + 1} of {len(entry.suggestions)}" if several else ""
        if entry.framed:
            return entry.framed, ""
        named, sure = _proposed(entry.suggestion)
        return named, sure + which
    if isinstance(entry, Done) and entry.settled.verdict is None:
        return "", entry.settled.reason
    return "", ""


def _proposed(suggestion: Suggestion | None) -> tuple[str, str]:
    if suggestion is None:
        return NO_BOX
    named = f"{_SHORT.get(suggestion.source, suggestion.source)} {suggestion.version}".strip()
    sure = suggestion.confidence
    return named, "" if sure is None else f" {sure:.2f}"
