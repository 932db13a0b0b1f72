"""The words over the canvas as HTML, but for captions and overlays; pure."""

from collections.abc import Iterable

from cropkit.geometry import PixelBox
from cropkit.records import Note, ProblemKind
from cropkit.review.model import (
    FREE,
    Arrangement,
    Done,
    Filter,
    Ordering,
    Rest,
    ReviewState,
    folder_of,
)
from cropkit.review.model.decided import Cut
from cropkit.review.model.messages import (
    NOT_CROPPED,
    NOT_RESTORED,
    WORSE,
    Message,
    Messages,
)
from cropkit.review.model.slots import named, slot_of
from cropkit.review.model.state import turn_of
from cropkit.review.view import turning
from cropkit.review.view.captions import fate, outcome, source_words
from cropkit.review.view.html import FOLDER, at, button, file_name, keys, pill, text
from cropkit.review.view.layout import PageLayout
from cropkit.review.view.thumbs import crop_of
from cropkit.review.view.view_model import View
from cropkit.review.view.viewport import Rect

_INTO = "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}"
_NOTHING_PROMISED = "nothing is promised of these any more"
_BEHIND = 2  # problems that are shown in short behind the one in front
# What several problems of a kind are called.
_KINDS = {
    ProblemKind.SUGGESTION: "suggestions could not be read",
    ProblemKind.FOLDER: "folders could not be read",
    ProblemKind.COMPANION: "files beside images were left as they were",
    ProblemKind.APPLIER_DIED: "times the process that writes crops ended, and was started again",
    NOT_CROPPED: "images could not be cropped",
    NOT_RESTORED: "images could not be restored",
    WORSE: "crops are not quite what was asked for",
}
# class of the line, and its words
_AWAY = (
    (
        "ck-parted",
        (
            "The connection is lost, and is tried again: this is the review's last picture. "
            "Where that stays, JupyterLab has ended: its command goes on at this page"
        ),
    ),
    (
        "ck-orphaned",
        "The review's kernel is gone; every decision is kept. Run All Cells goes on at this page",
    ),
)
_RESTING = {Rest.COMING: "still listing", Rest.LOST: "the listing broke off"}
# action, word for it, whether it goes first when there is little room
_GRID_HINTS = (
    ("accept-page", "accept all but the marked", ""),
    ("look", "mark", ""),
    ("reject", "reject", ""),
    ("single", "single", "ck-more"),
    ("grid", "page", ""),
    ("undo", "undo", ""),
)
_GRID_LEGEND = (
    "Mark with a click, or 1 to 9, what needs a closer look: it comes after all the others"
)
_SINGLE_HINTS = {"accept-page": "accept", "accept-one": "", "single": "page"}
_HINTS = (
    ("accept-page", "accept page", ""),
    ("accept-one", "accept one", "ck-more"),
    ("reject", "reject", ""),
    ("skip", "skip", "ck-more"),
    ("reset", "AI box", "ck-more"),
    ("full", "full image", "ck-most"),
    ("exact", "exact", "ck-most"),
    ("go-to", "go to", "ck-most"),
    ("undo", "undo", ""),
    ("single", "single", "ck-most"),
    ("grid", "grid", "ck-most"),
)


def header(view: View) -> str:
    """Progress: one quiet line."""
    session = view.session
    share = 100 * session.decided / max(1, session.total) if session.whole else 0
    so_far = "" if session.whole else " so far"
    pills = (
        pill("written", view.written),
        *([pill("kept whole", view.kept_whole)] if view.kept_whole else []),
        pill("waiting", view.counts.waiting),
        *(_trouble(word, n) for word, n in view.troubles if n or word == "failed"),
        *_unsigned(view),
    )
    window = view.layout.window
    return at(
        view.layout,
        Rect(0, 0, window.x, window.height),
        f"<span class='ck-title ck-name ck-cut'>{_root(view)}</span>{_within(view)}"
        f"{_toned(view)}{_taken(session)}<span class='ck-quiet ck-yield'>{_filtered(session)}"
        f"{_ordered(session)}{_arranged(session)}"
        f"page {session.page + 1} of {session.pages}{so_far}{_done(session)}</span>"
        f"{_promised(session)}"
        f"<div class='ck-bar ck-grow'><div style='width:{share:.2f}%'></div></div>"
        f"<span class='ck-quiet ck-yield'>{_decided(session)}</span>"
        f"{_targets(session)}{_proposing(view)}{_pace(view)}" + "".join(pills),
        "ck-side",
    ) + _window(view)


def _window(view: View) -> str:
    """Return the button that has the review fill the window, or gives the notebook back."""
    if view.fills is None:
        return ""
    sign, words = ("⤡", "notebook") if view.fills else ("⤢", "fill window")
    key = keys((view.keymap.label("window"),))
    inner = (
        f"<span>{sign}</span><span class='ck-more'>{words}</span><span class='ck-more'>{key}</span>"
    )
    return at(view.layout, view.layout.window.inset(3), inner, "ck-button")


def _done(session: ReviewState) -> str:
    """Say where nothing is left to decide, whichever page is looked at."""
    return ", done" if session.whole and session.total and not session.images.left else ""


def _decided(session: ReviewState) -> str:
    """Return how much is decided: of the crops, and of the images that are to have them."""
    decided = f"{session.decided:,} of {session.total:,}"
    images = session.images
    if not session.whole:
        count = images.image_count if images.required else session.total
        return f"{session.decided:,} decided · {count:,} images so far, {_RESTING[session.rest]}"
    if not images.required:
        return f"{decided} decided"
    of_images = f"{images.whole_count:,} of {images.image_count:,} images"
    return f"{decided} crops<span class='ck-more'> · {of_images}</span> decided"


def _targets(session: ReviewState) -> str:
    """Return how many crops there are for each target, most first."""
    if not session.has_targets:
        return ""
    counts = session.images.outcomes.crops_by_target().most_common()
    words = " · ".join(f"{target} {number:,}" for target, number in counts)
    return f"<span class='ck-quiet ck-more ck-cut' title='{text(words)}'>{text(words)}</span>"


def _proposing(view: View) -> str:
    """Return how fast a model is, and what of its boxes was clipped."""
    if not view.proposing:
        return ""
    words = text(" · ".join(view.proposing))
    return f"<span class='ck-quiet ck-more ck-cut' title='{words}'>{words}</span>"


def _trouble(word: str, number: int) -> str:
    """Return a pill that is short where there is little room: the header has up to six."""
    name, since, when = word.partition(" since ")
    return pill(name, number, bad=number > 0, more=since + when)


def _unsigned(view: View) -> Iterable[str]:
    """Yield a pill where crops were made without content credentials: it was chosen, no trouble."""
    if view.without_credentials:
        yield pill("without C2PA", len(view.without_credentials))


def strip(view: View) -> str:
    """Return the last decisions: a click goes back to one."""
    if view.prompt:
        return ""  # what is typed has its room
    session, layout = view.session, view.layout
    last, latest = session.undo[-layout.places :], session.images.latest
    press = session.images.press_of_last  # the browser's part has what a new one decided flash
    return "".join(
        _place(view, number, path, press if path in latest else 0)
        for number, path in enumerate(last)
    )


def foot(view: View) -> str:
    """Return the message line, or what is being typed, and the key hints."""
    grid = view.session.arrangement is Arrangement.GRID
    hints = "".join(
        f"<span class='ck-quiet {more}'>{keys((view.keymap.label(name),))} {word}</span>"
        for name, word, more in _hints(view.session.arrangement)
        if word and view.keymap.label(name)
    )
    away = "<span class='ck-unfocused'>Click here to use the keyboard</span>"
    shown = (
        f"<span class='ck-focused ck-at' style='position:static'>{hints}"
        f"{'' if grid else _shapes(view)}</span>"
    )
    report, sheet = (
        button(name, f"{keys((view.keymap.label(name),))} {words}")
        for name, words in (("report", "report"), ("sheet", "all keys"))
    )
    return (
        (_typed(view) if view.prompt else _message(view.layout, view))
        + at(view.layout, view.layout.hints, away + shown, "ck-side")
        + at(view.layout, view.layout.help, report + sheet, "ck-side ck-right")
        + _away(view.layout)
    )


def _shapes(view: View) -> str:
    """Return what boxes are held to, and how one gets to another crop; as much as has room."""
    session, hints = view.session, {}
    if session.lock_at_hand != FREE or not session.has_targets:
        hints["lock"] = f"aspect {session.lock_at_hand}"
    if session.has_targets:
        hints["targets"] = "targets held" if session.holding else "targets let go"
    if session.images.required and len(hints) == 1:
        hints["next-slot"] = "next crop"
    return "".join(
        f"<span class='ck-quiet ck-more'>{keys((view.keymap.label(name),))} {words}</span>"
        for name, words in hints.items()
    )


def unshown(view: View, error: Exception) -> str:
    """Say in the message line that words could not be made."""
    sentence = f"Something cannot be shown: {error!r}. The log has the details"
    shown = f"<span role='alert' class='ck-two'>{text(sentence)}</span>"
    return at(view.layout, view.layout.message.trimmed(3), shown, "ck-line ck-stopped")


def _hints(arrangement: Arrangement) -> Iterable[tuple[str, str, str]]:
    """Return action, word for it, and its class: what the keys do here."""
    if arrangement is Arrangement.GRID:
        return _GRID_HINTS
    other = _SINGLE_HINTS if arrangement is Arrangement.SINGLE else {}
    return ((name, other.get(name, word), more) for name, word, more in _HINTS)


def status(view: View) -> str:
    """Describe the state in one line that a program can read."""
    session = view.session
    rest = "" if session.whole else f" rest {session.rest}"
    taken = 0 if session.ended else len(session.taken.intersection(session.open_on(session.page)))
    shown = "end" if session.ended else "shown" if view.acknowledged else "loading"
    return (
        f"page {session.page + 1}/{session.pages} {shown} chosen {session.chosen + 1} "
        f"waiting {view.counts.waiting} written {view.counts.written} "
        f"failed {view.counts.failed} changed {view.counts.stale} broken {len(session.broken)} "
        f"message {view.messages.kind} seen as {session.arrangement}{rest}"
        + (f" selected {len(session.picked)}" if session.picked else "")
        + (f" taken {taken}" if taken else "")
    )


def _away(layout: PageLayout) -> str:
    """Return what only the browser can tell: it shows each when the class of the page says so."""
    return "".join(
        at(
            layout,
            layout.message.trimmed(3),
            f"<div role='alert' class='ck-two'>{words}</div>",
            f"ck-line {state}",
        )
        for state, words in _AWAY
    )


def _toned(view: View) -> str:
    """Say that pictures are not seen as they are."""
    return f"<span class='ck-small'>seen with {view.tone}</span>" if view.tone else ""


def _taken(session: ReviewState) -> str:
    """Say which images of the page somebody else has before them, too."""
    words = text(session.taken_words)
    return f"<span class='ck-small ck-cut' title='{words}'>{words}</span>" if words else ""


def _filtered(session: ReviewState) -> str:
    return "" if session.filter is Filter.ALL else f"{session.filter} only · "


def _promised(session: ReviewState) -> str:
    """Say what is promised of the images at hand."""
    if session.filter is not Filter.CERTAIN:
        return ""
    return f"<span class='ck-small ck-cut'>{session.promise or _NOTHING_PROMISED}</span>"


def _ordered(session: ReviewState) -> str:
    return "" if session.ordering is Ordering.LISTED else f"{session.ordering} · "


def _arranged(session: ReviewState) -> str:
    return "" if session.arrangement is Arrangement.PAGE else f"{session.arrangement} · "


def _within(view: View) -> str:
    """Return how far the folder at hand has come, where there are several."""
    decided, count = view.within
    session = view.session
    if not session.entries or count in (0, len(session.listing)):
        return ""
    folders = tuple(filter(None, folder_of(session.entries[session.chosen].path).split("/")))
    each = (_crumb(depth, name) for depth, name in enumerate(folders, 1))
    crumbs = f" {_INTO} ".join(each) or "in no folder of it"
    of_all = f"{decided:,} of {count:,}" if session.whole else f"{decided:,} decided"
    return f"<span class='ck-quiet ck-more ck-cut'>{_INTO} {crumbs} · {of_all}</span>"


def _root(view: View) -> str:
    """Return what is reviewed: where it has folders, a press goes to the first image of all."""
    is_one = view.within[1] in (0, len(view.session.listing))
    return text(view.folder) if is_one else _crumb(0, view.folder)


def _crumb(depth: int, name: str) -> str:
    """Return a folder of the path at hand: a press goes to its first image."""
    return f"<span class='ck-crumb'>{button(f'{FOLDER}{depth}', text(name))}</span>"


def _pace(view: View) -> str:
    if not view.rate or view.session.ended:
        return ""
    session = view.session
    left = session.total - session.decided - len(session.broken)
    is_known = session.whole and left > 0
    rest = f" · {minutes(left / view.rate * 60)} left" if is_known else ""
    words = f"{view.rate:,.0f} an hour{rest}"
    return f"<span class='ck-quiet ck-more ck-cut'>{words}</span>"


def minutes(number: float) -> str:
    """Return a time as it is told: in whole minutes, or hours."""
    whole = max(1, round(number))
    return f"{whole} min" if whole < 100 else f"{whole / 60:.0f} h"  # noqa: PLR2004  (reads well)


def _place(view: View, number: int, path: str, press: int) -> str:
    """Return one of the last decisions: the crop that it makes, seen small.

    Parameters
    ----------
    press : which one decided it, where that was the latest; else 0
    """
    settled, layout = view.session.settled[path], view.layout
    classes, sign, word = outcome(settled)
    name, thumb, place = file_name(path), view.thumbs.get(path), layout.place(number)
    content = f"<span class='ck-cut'>{text(name)}</span>"
    if thumb:
        size = view.session.decision(path).size
        cut = Cut(settled.box or PixelBox.full(size), size, settled.turn)
        content = crop_of(thumb, name, cut, place.width / place.height)
    becomes = fate(view, Done(path, settled))
    word = " · ".join(filter(None, (slot_of(path), word, becomes)))
    latest = f" data-press='{press}'" if press else ""
    badge = f"<span class='ck-badge {classes}' title='{text(word)}'{latest}>{sign}</span>"
    return at(layout, place, content + badge, f"ck-place{' ck-latest' * bool(press)}")


def _typed(view: View) -> str:
    prompt = view.prompt
    if prompt is None:
        return ""
    caret = "" if prompt.is_question else "<span class='ck-caret'>▏</span>"
    typed = (
        f"<span class='ck-name'>{prompt.title}</span>"
        f"<span class='ck-typed'>{text(prompt.text)}{caret}</span>"
        f"<span class='ck-quiet ck-cut ck-grow'>{text(prompt.hint)}</span>"
        f"<span class='ck-quiet'>{keys(('Enter',))} do it {keys(('Esc',))} leave it</span>"
    )
    return at(view.layout, view.layout.foot.trimmed(3), typed, "ck-line ck-prompt")


def _message(layout: PageLayout, view: View) -> str:
    messages = view.messages
    kind = "note" if messages.kind == "none" and _awaited(view.session) else messages.kind
    note = messages.note or _awaited(view.session)
    line = {
        "stopped": _stopped(messages),
        "problem": _problem(messages, view),
        "note": f"<span class='ck-two ck-quiet' role='status'>{text(note)}</span>",
        "none": _chosen(view),
    }[kind]
    return at(layout, layout.message.trimmed(3), line, f"ck-line ck-{kind}")


def _chosen(view: View) -> str:
    """Return the chosen image by its whole name, and where its box comes from.

    Where its file cannot be turned so, that is said instead, before it is accepted.
    """
    session = view.session
    if session.ended or not session.entries:
        return ""
    entry = session.entries[session.chosen]
    if entry.path in view.unturnable:
        why = view.unturnable[entry.path]
        return f"<span>⚠</span><span class='ck-two ck-small'>{text(why)}</span>"
    several = len(session.at_hand)
    picked = f"{several} selected: what is done to one is done to all" if several > 1 else ""
    note = session.notes.get(entry.path, Note()).text
    noted = f"“{note}”" if note else ""
    turned = turning.words(turn_of(entry))
    told = (picked, noted, named(entry.path), turned, source_words(entry))
    return f"<span class='ck-two ck-quiet'>{text(' · '.join(filter(None, told)))}</span>"


def _awaited(session: ReviewState) -> str:
    """Say what the review goes to as soon as it is listed."""
    if session.resuming:
        place = named(session.resuming)
        return f"Still listing: goes to where you were, {place}, unless you begin here"
    if session.onward:
        return "All that is listed so far is decided: goes on as soon as more is listed"
    return _GRID_LEGEND if session.arrangement is Arrangement.GRID and session.entries else ""


def _stopped(messages: Messages) -> str:
    why = f"<span class='ck-two'>{text(messages.stopped)}</span>"
    stopped = f"<span>■ Stopped. No audit, no work.</span>{why}"
    return f"<div role='alert' class='ck-whole'>{stopped}</div>"


def _problem(messages: Messages, view: View) -> str:
    """Show the problem in front, or how many of its kind there are, and the next in short."""
    front = messages.front
    if not front:
        return ""
    others = [other for other in messages.problems if other not in front]
    behind = "".join(
        f"<span class='ck-also ck-more ck-cut'>⚠ {about(problem)}</span>"
        for problem in others[:_BEHIND]
    )
    key, report = (keys((view.keymap.label(name),)) for name in ("acknowledge", "report"))
    several = len(messages.problems) > 1
    see = button("report", f"{report} see them") if several else ""
    waiting = f"{len(others)} more · " if others else ""
    return (
        f"<div role='alert' class='ck-whole'>"
        f"<span>⚠</span><span class='ck-two'>{_in_front(front)}</span></div>"
        f"{behind}<span>{waiting}{see} {button('acknowledge', f'{key} acknowledge')}</span>"
    )


def _in_front(front: tuple[Message, ...]) -> str:
    """Say what is in front: one thing in full, of several of a kind how many there are."""
    number = sum(message.times for message in front)
    if len(front) == 1 or front[0].kind not in _KINDS:
        return about(front[0])
    return f"{number:,} {_KINDS[front[0].kind]}"


def about(problem: Message) -> str:
    """Return which file a problem is about, and the reason."""
    reason = problem.text.removeprefix(f"{problem.about}: ") if problem.about else problem.text
    times = f" ({problem.times} times)" if problem.times > 1 else ""
    whose = f"<span class='ck-name'>{text(problem.about)}</span> " if problem.about else ""
    return f"{whose}{text(reason)}{times}"
