"""What has become of a review so far and at its end: counts, reasons, before and after; pure."""

from collections.abc import Iterable
from itertools import islice
from shlex import quote

from cropkit.geometry import PixelBox
from cropkit.review.model import Filter, ReviewState
from cropkit.review.model.decided import Cut
from cropkit.review.model.slots import image_of, named
from cropkit.review.view.bands import about, minutes
from cropkit.review.view.captions import outcome
from cropkit.review.view.html import at, button, file_name, keys, pill, text
from cropkit.review.view.thumbs import crop_of, whole_of
from cropkit.review.view.view_model import View
from cropkit.system.home import REJECTED

_LISTED, _TILES = 12, 60
_LEFT = (Filter.UNREVIEWED, Filter.UNSURE, Filter.CERTAIN, Filter.ASIDE, Filter.STALE)
_TILE = 8.3 / 7.5  # width over height of the place of each picture


def report(view: View) -> str:
    """Return the report over the page; at the end it is there by itself."""
    session = view.session
    inner = (
        f"<h3>{_title(view)}</h3><p style='line-height:2.2'>{_counts(view)}</p>"
        f"{_undecided(view)}{_time(view)}{_targets(session)}{_set_aside(view)}{_messages(view)}{_failures(session)}"
        f"{_onward(view)}{_tiles(view)}"
    )
    closes = "" if session.ended and not view.report else " ck-closes-report"
    return at(view.layout, view.layout.board, inner, f"ck-sheet{closes}")


def _title(view: View) -> str:
    session = view.session
    if not session.ended:
        return f"So far: {text(view.folder)}"
    if session.images.left:  # somebody took it back meanwhile, or its file is another one
        again = "is" if len(session.images.left) == 1 else "are"
        return f"{len(session.images.left):,} {again} to be decided again"
    return "Nothing is left to decide" if session.broken else "Everything is decided"


def _counts(view: View) -> str:
    counts, session = view.counts, view.session
    facts = (
        ("decided", session.decided),
        ("written", view.written),
        ("kept whole", view.kept_whole),
        ("rejected", counts.rejected),
        ("skipped", counts.skipped),
        ("waiting", counts.waiting),
        ("suggestions not usable", counts.degraded),
    )
    unsigned = [("without credentials", len(view.without_credentials))]
    return " ".join(
        (
            *(pill(word, number) for word, number in facts),
            *(pill(word, number) for word, number in unsigned if number),
            *(pill(word, n, bad=n > 0) for word, n in view.troubles if n or word == "failed"),
        )
    )


def _time(view: View) -> str:
    """Say how long this sitting took: pauses are not counted."""
    if not view.spent:
        return ""
    rate = f", {view.rate:,.0f} an hour" if view.rate else ""
    return f"<p class='ck-quiet'>Time spent in this sitting: {minutes(view.spent / 60)}{rate}</p>"


def _set_aside(view: View) -> str:
    """Say where rejected images are, and how skipped ones come again."""
    counts, lines = view.counts, []
    if counts.rejected and not view.session.copies:
        lines.append(f"<span class='ck-reject'>{counts.rejected:,} moved to {REJECTED}</span>")
    if counts.skipped:
        again = button("next-unreviewed", f"{_key(view, 'next-unreviewed')} look again")
        lines.append(f"<span>{counts.skipped:,} skipped: {again}</span>")
    return f"<p>{' · '.join(lines)}</p>" if lines else ""


def _targets(session: ReviewState) -> str:
    """Return how many crops there are for each target."""
    counts = session.images.outcomes.crops_by_target().most_common()
    if not session.has_targets or not counts:
        return ""
    pills = " ".join(pill(text(target), number) for target, number in counts)
    return f"<p style='line-height:2.2'>For each target: {pills}</p>"


def _messages(view: View) -> str:
    """List the problems that nobody has acknowledged yet."""
    problems = view.messages.problems
    if not problems:
        return ""
    lines = "".join(f"<li>{about(problem)}</li>" for problem in problems[:_LISTED])
    return f"<p class='ck-problem'>Not acknowledged:</p><ul>{lines}{_more(len(problems))}</ul>"


def _failures(session: ReviewState) -> str:
    failed = ((path, settled.reason) for path, settled in session.failed.items())
    return _reasons("No crop", session.broken.items(), len(session.broken)) + _reasons(
        "Failed", failed, len(session.failed)
    )


def _reasons(title: str, reasons: Iterable[tuple[str, str]], count: int) -> str:
    rows = "".join(
        f"<li><b>{text(named(path))}</b> {text(reason.removeprefix(f'{image_of(path)}: '))}</li>"
        for path, reason in islice(reasons, _LISTED)
    )
    return f"<p class='ck-failed'>{title}:</p><ul>{rows}{_more(count)}</ul>" if count else ""


def _more(count: int) -> str:
    return f"<li>and {count - _LISTED} more</li>" if count > _LISTED else ""


def _tiles(view: View) -> str:
    """Show what this sitting has decided, before and after, the latest first."""
    known = [path for path in reversed(view.session.undo) if path in view.thumbs]
    tiles = "".join(_tile(view, path) for path in known[:_TILES])
    return f"<h3>Before and after</h3><div class='ck-contact'>{tiles}</div>" if tiles else ""


def _tile(view: View, path: str) -> str:
    settled, thumb, name = view.session.settled[path], view.thumbs[path], file_name(path)
    size = view.session.decision(path).size
    classes, sign, word = outcome(settled)
    cut = Cut(settled.box, size, settled.turn) if settled.box else None
    is_as_it_was = cut == Cut(PixelBox.full(size), size)
    after = crop_of(thumb, "", cut, _TILE) if cut and not is_as_it_was else ""
    return (
        f"<figure class='ck-pair'><div><span>{whole_of(thumb, name, settled.box, size, _TILE)}"
        f"</span><span>{after}</span></div>"
        f"<figcaption><span class='{classes}'>{sign} {text(word)}</span> "
        f"<span class='ck-cut'>{text(named(path))}</span></figcaption></figure>"
    )


def _onward(view: View) -> str:
    """Say what can be done now."""
    others = {
        "previous-page": "look at the last page",
        "undo": "take back what the last key decided",
        "filter": "see only those of a kind",
        "reopen": "reopen one of these",
    }
    shown = others if view.session.ended else {"report": "back to the page"}
    buttons = " ".join(button(name, f"{_key(view, name)} {words}") for name, words in shown.items())
    record = "<span class='ck-quiet'>The whole record: <code>cropkit history</code></span>"
    return f"{_outside(view)}{_next(view)}<p class='ck-onward'>{buttons} {record}</p>"


def _next(view: View) -> str:
    """Name the folder beside this one that is next, and how it is reviewed."""
    folder = view.next_folder
    if folder is None or not view.session.ended:
        return ""
    command = f"cropkit review {quote(str(folder))}"
    return f"<p>Next folder: <b>{text(folder.name)}</b> <code>{text(command)}</code></p>"


def _outside(view: View) -> str:
    """Say how much of the collection is left that this review is not of, and how it is reviewed."""
    root, number = view.outside or (None, 0)
    if not number or not view.session.ended:
        return ""
    images = "1 image is" if number == 1 else f"{number:,} images are"
    command = f"cropkit review {quote(str(root))}"
    words = f"Outside of <b>{text(view.folder)}</b>, {images} left to decide:"
    return f"<p>{words} <code>{text(command)}</code></p>"


def _undecided(view: View) -> str:
    """Say what is left to decide, and which filter shows it."""
    counts = {each: len(view.session.passing(each)) for each in _LEFT}
    words = ", ".join(f"{number:,} {each}" for each, number in counts.items() if number)
    key = button("filter", f"{_key(view, 'filter')} see only those")
    return f"<p>To decide: {words} {key}</p>" if words else ""


def _key(view: View, action: str) -> str:
    return keys((view.keymap.label(action),))
