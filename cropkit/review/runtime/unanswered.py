"""Say why a review stays empty: no page that shows it has answered within some seconds.

The browser alone knows that a part of it is missing, and shows "model not found" or nothing. The
kernel knows that nobody answered, and which environment its server runs in: it says so, as plain
text below the review, and takes it back when a page comes after all.
"""

from collections.abc import Callable, Mapping
from html import escape
from typing import Any
from uuid import uuid4

from IPython.core.getipython import get_ipython

from cropkit.review.runtime.loop import Loop, Timer

SECONDS = 5.0
_WHY = (
    f"No page has shown this review within {SECONDS:.0f} seconds. Where it stays empty, or says"
    " that a model or a widget is not found:"
)
_CURES = (
    "reload the page, and run the cell again; a notebook that was run by nobody's browser needs one"
)
_ELSEWHERE = "cropkit.doctor() looks at the rest"


class Unanswered:
    """A note below a review that is taken back when a page answers.

    Parameters
    ----------
    publish : shows an output, or its later form, below the cell that is being run now
    findings : lines about the server's environment: what is missing there, with its cure
    """

    def __init__(
        self,
        loop: Loop,
        publish: "Callable[[], Publish | None]",
        findings: Callable[[], list[str]],
    ) -> None:
        self._loop, self._publisher, self._findings = loop, publish, findings
        self._timer: Timer | None = None
        self._noted: tuple[Publish, str] | None = None
        self._answered = False

    def displayed(self) -> None:
        """Wait for a page from now on: the review is on its way to one."""
        publish = self._publisher()
        if publish is None or self._answered or self._timer is not None:
            return
        self._timer = self._loop.call_later(SECONDS, lambda: self._note(publish))

    def answered(self) -> None:
        """Say nothing, or no more: a page is there."""
        self._answered = True
        self.cancel()
        if self._noted is not None:
            publish, name = self._noted
            self._noted = None
            publish({"text/plain": ""}, name, update=True)

    def cancel(self) -> None:
        """Say nothing: the review has ended."""
        if self._timer is not None:
            self._timer.cancel()

    def _note(self, publish: "Publish") -> None:
        lines = [_WHY, *(f"- {each}" for each in (*self._findings(), _CURES, _ELSEWHERE))]
        text = "\n".join(lines)
        self._noted = (publish, uuid4().hex)
        publish({"text/plain": text, "text/html": f"<pre>{escape(text)}</pre>"}, self._noted[1])


class Publish:
    """Shows outputs below one cell, also when its run has ended, through a kernel's own socket."""

    def __init__(self, publisher: Any) -> None:  # noqa: ANN401  (ipykernel's)
        self._publisher, self._parent = publisher, publisher.parent_header

    def __call__(self, data: Mapping[str, str], name: str, *, update: bool = False) -> None:
        """Show an output, or `update` the one of that name."""
        kind = "update_display_data" if update else "display_data"
        content = {"data": dict(data), "metadata": {}, "transient": {"display_id": name}}
        self._publisher.session.send(
            self._publisher.pub_socket,
            kind,
            content,
            parent=self._parent,
            ident=self._publisher.topic,
        )


def below_this_cell() -> Publish | None:
    """Return what shows outputs below the cell that is being run; None outside of a kernel."""
    publisher = getattr(get_ipython(), "display_pub", None)
    return Publish(publisher) if hasattr(publisher, "pub_socket") else None


def running_cell() -> tuple[str, str] | None:
    """Return which cell of a notebook is being run, and which run of it; None where none is."""
    kernel = getattr(get_ipython(), "kernel", None)
    parent: Mapping[str, Any] = kernel.get_parent() if kernel is not None else {}
    cell = parent.get("metadata", {}).get("cellId")
    return None if cell is None else (str(cell), str(parent["header"]["msg_id"]))


def server_findings() -> list[str]:
    """Return what is missing in the environment of the server, each with its cure."""
    from cropkit.monitor import doctor  # noqa: PLC0415  (only where it is needed)

    wrong = (each for each in doctor.extensions() if each.state is not doctor.State.OK)
    return [f"{each.what}: {each.text}. Cure: {each.cure}" for each in wrong]
