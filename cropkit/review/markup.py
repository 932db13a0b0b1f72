"""The words over the canvas as HTML; pure.

Whatever comes from files, errors or people goes through `_text`, here and nowhere else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from cropkit.records import Status, Suggestion, Verdict
from cropkit.review.keys import grouped, shortened
from cropkit.review.layout import WIDTH, PageLayout, Rect
from cropkit.review.messages import Messages
from cropkit.session import (
    FAILED,
    AspectLock,
    Broken,
    Done,
    Entry,
    Loading,
    Open,
    Restoring,
    Session,
)
from cropkit.suggest.sidecar import SOURCE as SIDECAR

if TYPE_CHECKING:
    from cropkit.kit import Counts

_LISTED = 12
_TAIL = 13
_HINTS = (
    ("Enter", "accept page", ""),
    ("Space", "accept one", "ck-more"),
    ("X", "reject", ""),
    ("S", "skip", "ck-more"),
    ("R", "AI box", "ck-more"),
    ("F", "full image", "ck-more"),
    ("←→↑↓", "nudge", ""),
    ("Z", "undo", ""),
)
# verdict or outcome -> (class, sign, word)
_VERDICTS: Mapping[Verdict, tuple[str, str, str]] = {
    Verdict.ACCEPT: ("ck-accept", "✓", "accept"),
    Verdict.ADJUSTED: ("ck-adjusted", "✎", "adjusted"),
    Verdict.REJECT: ("ck-reject", "✕", "reject"),
    Verdict.SKIP: ("ck-skip", "↷", "skip"),
}
_OUTCOMES: Mapping[Status, tuple[str, str, str]] = {
    Status.WAITING: ("ck-wait", "◷", "waiting"),
    Status.CROPPED: ("ck-done", "✔", "cropped"),
    Status.REJECTED: ("ck-done", "✕", "rejected"),
    Status.SKIPPED: ("ck-done", "↷", "skipped"),
    Status.REFUSED: ("ck-failed", "⚠", "refused"),
    Status.FAILED: ("ck-failed", "⚠", "failed"),
    Status.IN_DOUBT: ("ck-failed", "⚠", "in doubt"),
}
_SHORT = {SIDECAR: "AI"}  # a caption is narrow, and these are the boxes one has by default
_LOCKS = {
    AspectLock.FREE: "aspect free",
    AspectLock.BOX: "aspect of the box held",
    AspectLock.IMAGE: "aspect of the image held",
}


@dataclass(frozen=True, slots=True)
class View:
    """All that the words are made from."""

    folder: str
    layout: PageLayout
    session: Session
    counts: "Counts"
    messages: Messages
    acknowledged: bool
    sheet: bool = False
    rate: float | None = None

    @property
    def failed(self) -> int:
        """Images that could not be shown, and decisions that could not be carried out."""
        return self.counts.failed + len(self.session.broken)


def header(view: View) -> str:
    """Progress: one quiet line."""
    session = view.session
    share = 100 * session.decided / max(1, session.total)
    pills = (
        _pill("written", view.counts.written),
        _pill("waiting", view.counts.waiting),
        _pill("failed", view.failed, bad=bool(view.failed)),
    )
    return _at(
        view.layout.header,
        f"<span class='ck-title ck-name ck-cut'>{_text(view.folder)}</span>"
        f"<span class='ck-quiet'>page {session.page + 1} of {session.pages}</span>"
        f"<div class='ck-bar ck-grow'><div style='width:{share:.2f}%'></div></div>"
        f"<span class='ck-quiet'>{session.decided:,} of {session.total:,} decided"
        f"{_pace(view)}</span>" + "".join(pills),
        classes="ck-side",
        view=view,
    )


def cells(view: View) -> str:
    """Frame, caption and verdict of every image of the page."""
    return "".join(_cell(view, position) for position in range(len(view.session.entries)))


def foot(view: View) -> str:
    """Return the message line and the key hints."""
    keys = "".join(
        f"<span class='ck-quiet {more}'>{_keys((label,))} {text}</span>"
        for label, text, more in _HINTS
    )
    lock = f"<span class='ck-quiet ck-more'>{_keys(('L',))} {_LOCKS[view.session.lock]}</span>"
    away = "<span class='ck-unfocused'>Click here to use the keyboard</span>"
    return (
        _message(view)
        + _at(
            view.layout.hints,
            f"{away}<span class='ck-focused ck-at' style='position:static'>{keys}{lock}</span>",
            classes="ck-side",
            view=view,
        )
        + _at(
            view.layout.help,
            f"<span class='ck-quiet'>{_keys(('?',))} all keys</span>",
            classes="ck-side ck-right",
            view=view,
        )
    )


def over(view: View) -> str:
    """Return what lies over everything: the key sheet, or the end."""
    if view.sheet:
        return _sheet(view)
    return _end(view) if view.session.ended else ""


def status(view: View) -> str:
    """Describe the state in one line that a program can read."""
    session = view.session
    shown = "end" if session.ended else "shown" if view.acknowledged else "loading"
    return (
        f"page {session.page + 1}/{session.pages} {shown} chosen {session.chosen + 1} "
        f"waiting {view.counts.waiting} written {view.counts.written} failed {view.failed} "
        f"message {view.messages.kind}"
    )


def _cell(view: View, position: int) -> str:
    entry = view.session.entries[position]
    chosen = "ck-frame ck-chosen" if position == view.session.chosen else "ck-frame"
    layout = view.layout
    caption = layout.caption(position)
    words = Rect(caption.x, caption.y, layout.chip(position).x - caption.x - 8, caption.height)
    name = entry.path.rpartition("/")[2]
    return (
        _at(layout.cell(position), "", classes=chosen, view=view)
        + _at(
            words.trimmed(7),
            f"<span class='ck-key'>{position + 1}</span>"
            f"<span class='ck-name ck-first'>{_cut_inside(name)}</span>"
            f"<span class='ck-quiet ck-second'>{_cut_before(*_source(entry))}</span>",
            view=view,
        )
        + _chip(view, position, entry)
        + _tile(view, position, entry)
    )


def _chip(view: View, position: int, entry: Entry) -> str:
    classes, sign, word = _verdict(entry)
    inner = f"<span>{sign}</span><span class='ck-cut'>{_text(word)}</span>"
    place = view.layout.chip(position).trimmed(7)
    return _at(place, inner, classes=f"ck-chip {classes}", view=view)


def _verdict(entry: Entry) -> tuple[str, str, str]:
    match entry:
        case Open():
            return _VERDICTS[entry.verdict]
        case Done():
            return _OUTCOMES.get(entry.settled.status, ("ck-wait", "·", entry.settled.status))
        case Broken():
            return ("ck-failed", "⚠", "not shown")
        case Restoring():
            return ("ck-wait", "↺", "restoring")
        case Loading():
            return ("ck-wait", "…", "loading")


def _tile(view: View, position: int, entry: Entry) -> str:
    """Words in place of, or on, the picture."""
    match entry:
        case Broken():
            sign, said = "⚠", entry.reason
        case Done() if entry.settled.status in FAILED:
            sign, said = "⚠", entry.settled.reason
        case Restoring():
            sign, said = "↺", "being restored"
        case _:
            return ""
    inner = f"<span class='ck-sign'>{sign}</span><span>{_text(said)}</span>"
    return _at(view.layout.stage(position), inner, classes="ck-tile ck-failed", view=view)


def _source(entry: Entry) -> tuple[str, str]:
    """Where the box comes from, and, never cut, how sure its source is."""
    if isinstance(entry, Open):
        return _proposed(entry.suggestion)
    if isinstance(entry, Done) and entry.settled.verdict is None:
        return "", entry.settled.reason
    return "", ""


def _proposed(suggestion: Suggestion | None) -> tuple[str, str]:
    if suggestion is None:
        return "", "no AI box"
    named = f"{_SHORT.get(suggestion.source, suggestion.source)} {suggestion.version}".strip()
    sure = suggestion.confidence
    return named, "" if sure is None else f" {sure:.2f}"


def _cut_inside(name: str) -> str:
    """Let a name that is too long lose its middle: generated names differ at the end."""
    kept = min(_TAIL, len(name) // 2)
    return _cut_before(name[: len(name) - kept], name[len(name) - kept :])


def _cut_before(words: str, tail: str) -> str:
    return f"<span class='ck-cut'>{_text(words)}</span><span>{_text(tail)}</span>"


def _pace(view: View) -> str:
    if not view.rate or view.session.ended:
        return ""
    session = view.session
    left = (session.total - session.decided - len(session.broken)) / view.rate * 60
    return f" · {view.rate:,.0f} an hour · {_minutes(left)} left"


def _minutes(minutes: float) -> str:
    whole = max(1, round(minutes))
    return f"{whole} min" if whole < 100 else f"{whole / 60:.0f} h"  # noqa: PLR2004  (reads well)


def _message(view: View) -> str:
    messages = view.messages
    said = {
        "stopped": _stopped(messages),
        "problem": _problem(messages),
        "note": f"<span class='ck-cut ck-quiet'>{_text(messages.note)}</span>",
        "none": "",
    }[messages.kind]
    return _at(
        view.layout.message.trimmed(5), said, classes=f"ck-line ck-{messages.kind}", view=view
    )


def _stopped(messages: Messages) -> str:
    return f"<span>■ Stopped. No audit, no work.</span><span>{_text(messages.stopped)}</span>"


def _problem(messages: Messages) -> str:
    if not messages.problems:
        return ""
    first, more = messages.problems[0], len(messages.problems) - 1
    said = first.said.removeprefix(f"{first.about}: ") if first.about else first.said
    times = f" ({first.times} times)" if first.times > 1 else ""
    about = f"<span class='ck-name ck-cut'>{_text(first.about)}</span>" if first.about else ""
    waiting = f"{more} more · " if more else ""
    return (
        f"<span>⚠</span>{about}<span class='ck-cut ck-grow'>{_text(said)}{times}</span>"
        f"<span>{waiting}{_keys(('A',))} acknowledge</span>"
    )


def _sheet(view: View) -> str:
    groups = "".join(
        f"<div class='ck-group'><h3>{_text(group)}</h3>"
        + "".join(
            f"<div class='ck-row'>{_keys(shortened(labels))}<span>{_text(text)}</span></div>"
            for text, labels in rows.items()
        )
        + "</div>"
        for group, rows in grouped().items()
    )
    mouse = (
        "<div class='ck-group'><h3>Mouse</h3><div>Drag an edge, a corner or the whole box. "
        "A click on the verdict under an image accepts that image.</div></div>"
    )
    below = view.layout.height - view.layout.board.y
    place = Rect(0, view.layout.board.y, WIDTH, below)
    inner = f"<div class='ck-columns'>{groups}{mouse}</div>"
    return _at(place, inner, classes="ck-sheet", view=view)


def _end(view: View) -> str:
    counts, session = view.counts, view.session
    facts = (
        ("decided", session.decided),
        ("written", counts.written),
        ("rejected", counts.rejected),
        ("skipped", counts.skipped),
        ("waiting", counts.waiting),
        ("failed", view.failed),
        ("suggestions not usable", counts.degraded),
    )
    rows = " ".join(
        _pill(word, number, bad=word == "failed" and number > 0) for word, number in facts
    )
    title = "Everything is decided" if not session.broken else "Nothing is left to decide"
    inner = (
        f"<h3>{title}</h3><p style='line-height:2.2'>{rows}</p>{_failures(session)}"
        f"<p class='ck-quiet'>{_keys(('Backspace',))} look again · "
        f"{_keys(('Z',))} undo the last decision</p>"
    )
    return _at(view.layout.board, inner, classes="ck-sheet", view=view)


def _failures(session: Session) -> str:
    failed = {p: s.reason for p, s in session.settled.items() if s.status in FAILED}
    every = [*session.broken.items(), *failed.items()]
    rows = "".join(
        f"<li><b>{_text(path)}</b> {_text(reason.removeprefix(f'{path}: '))}</li>"
        for path, reason in every[:_LISTED]
    )
    more = f"<li>and {len(every) - _LISTED} more</li>" if len(every) > _LISTED else ""
    return f"<p class='ck-failed'>Failed:</p><ul>{rows}{more}</ul>" if every else ""


def _pill(word: str, number: int, *, bad: bool = False) -> str:
    return f"<span class='ck-pill{' ck-bad' if bad else ''}'>{word} <b>{number:,}</b></span>"


def _keys(labels: tuple[str, ...]) -> str:
    return " ".join(f"<span class='ck-key'>{_text(label)}</span>" for label in labels)


def _at(rect: Rect, inner: str, *, view: View, classes: str = "") -> str:
    """Lay a box over a part of the canvas, in per cent: it scales with the canvas."""
    height = view.layout.height
    place = (
        f"left:{100 * rect.x / WIDTH:.3f}%;top:{100 * rect.y / height:.3f}%;"
        f"width:{100 * rect.width / WIDTH:.3f}%;height:{100 * rect.height / height:.3f}%"
    )
    return f"<div class='ck-at {classes}' style='{place}'>{inner}</div>"


def _text(words: object) -> str:
    return escape(str(words))
