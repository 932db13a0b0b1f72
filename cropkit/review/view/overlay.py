"""What lies over the whole page: the key sheet, or the end; pure."""

from collections.abc import Iterable
from itertools import islice

from cropkit.review.keys.actions import MOVED
from cropkit.review.keys.keymap import shortened
from cropkit.review.model import ReviewState
from cropkit.review.model.slots import image_of, named
from cropkit.review.view.html import at, keys, pill, text
from cropkit.review.view.view_model import View
from cropkit.review.view.viewport import Rect
from cropkit.system.home import REJECTED

_LISTED = 12


def over(view: View) -> str:
    """Return the sheet where it is wanted, the end where it is reached, or nothing."""
    if view.sheet:
        return _sheet(view)
    return _end(view) if view.session.ended else ""


def _sheet(view: View) -> str:
    groups = "".join(
        f"<div class='ck-group'><h3>{text(group)}</h3>"
        + "".join(
            f"<div class='ck-row'>{keys(shortened(labels))}<span>{_does(view, label)}</span></div>"
            for label, labels in rows.items()
        )
        + "</div>"
        for group, rows in view.keymap.grouped().items()
    )
    mouse = (
        "<div class='ck-group'><h3>Mouse</h3><div>Drag an edge, a corner or the whole box, "
        "with Shift to keep its ratio, with Alt its middle; beside it, a new box is drawn. "
        "Or click an edge or a corner, and then where it goes. The right button has a menu. "
        "The wheel zooms at the pointer, in a notebook with Ctrl; beside the box, a zoomed image "
        "is pulled along. "
        "In the grid, a click marks. "
        "A click on the verdict under an image accepts that image, one on a small picture below "
        "goes back to it.</div></div>"
    )
    layout = view.layout
    place = Rect(0, layout.board.y, layout.width, layout.height - layout.board.y)
    inner = f"<div class='ck-columns'>{groups}{mouse}</div>"
    return at(view.layout, place, inner, "ck-sheet")


def _does(view: View, words: str) -> str:
    """Say what a key does; where copies are made, no image is moved away."""
    return text(words.replace(MOVED, "no crop of it") if view.session.copies else words)


def _end(view: View) -> str:
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
    rows = " ".join(
        (
            *(pill(word, number) for word, number in facts),
            *_unsigned(view),
            *(pill(word, n, bad=n > 0) for word, n in view.troubles if n or word == "failed"),
        )
    )
    title = "Everything is decided" if not session.broken else "Nothing is left to decide"
    inner = (
        f"<h3>{title}</h3><p style='line-height:2.2'>{rows}</p>{_targets(session)}"
        f"{_set_aside(view)}{_failures(session)}"
        f"<p class='ck-quiet'>{_key(view, 'previous-page')} look at the last page · "
        f"{_key(view, 'undo')} take back what the last key decided · "
        f"{_key(view, 'filter')} see only those of a kind, where "
        f"{_key(view, 'reopen')} reopens one</p>"
    )
    return at(view.layout, view.layout.board, inner, "ck-sheet")


def _unsigned(view: View) -> Iterable[str]:
    if view.without_credentials:
        yield pill("without credentials", len(view.without_credentials))


def _key(view: View, action: str) -> str:
    return keys((view.keymap.label(action),))


def _set_aside(view: View) -> str:
    """Say where rejected images are, and how skipped ones come again."""
    counts, lines = view.counts, []
    if counts.rejected and not view.session.copies:
        lines.append(f"<span class='ck-reject'>{counts.rejected:,} moved to {REJECTED}</span>")
    if counts.skipped:
        key = _key(view, "next-unreviewed")
        lines.append(f"<span>{counts.skipped:,} skipped: {key} look again</span>")
    return f"<p>{' · '.join(lines)}</p>" if lines else ""


def _targets(session: ReviewState) -> str:
    """Return how many crops there are for each target."""
    counts = session.images.outcomes.crops_by_target().most_common()
    if not session.has_targets or not counts:
        return ""
    pills = " ".join(pill(text(target), number) for target, number in counts)
    return f"<p style='line-height:2.2'>For each target: {pills}</p>"


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
    more = f"<li>and {count - _LISTED} more</li>" if count > _LISTED else ""
    return f"<p class='ck-failed'>{title}:</p><ul>{rows}{more}</ul>" if count else ""
