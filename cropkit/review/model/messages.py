"""What the message line says; pure.

A problem stays until it is acknowledged, and several queue up: those of one kind are told in one
line, and acknowledged together. A note is gone with the next key.
"""

from dataclasses import dataclass, replace

# Kinds of problems besides those of `records.ProblemKind`.
NOT_CROPPED, NOT_RESTORED, WORSE = "not-cropped", "not-restored", "worse"


@dataclass(frozen=True, slots=True)
class Message:
    """One thing that went wrong: about which file, in which words, how often.

    Parameters
    ----------
    kind : of what it is one more, '' where it stands for itself
    """

    text: str
    about: str = ""
    times: int = 1
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Messages:
    """The queue of problems, the passing note, and the reason why the review stopped."""

    problems: tuple[Message, ...] = ()
    note: str = ""
    stopped: str = ""

    @property
    def kind(self) -> str:
        """Which of them is in front: stopped, problem, note or none."""
        named = (("stopped", self.stopped), ("problem", self.problems), ("note", self.note))
        return next((kind for kind, there in named if there), "none")

    @property
    def front(self) -> tuple[Message, ...]:
        """The problem in front, with all others of its kind."""
        first = self.problems[:1]
        return first + tuple(
            other for other in self.problems[1:] if other.kind == first[0].kind != ""
        )

    def with_problem(self, message: Message) -> "Messages":
        """Queue a problem; one that waits already is counted up."""
        for index, waiting in enumerate(self.problems):
            if (waiting.text, waiting.about) == (message.text, message.about):
                again = replace(waiting, times=waiting.times + 1)
                queue = (*self.problems[:index], again, *self.problems[index + 1 :])
                return replace(self, problems=queue)
        return replace(self, problems=(*self.problems, message))

    def without(self, about: str, kind: str) -> "Messages":
        """Take back what was told of a file, and is over."""
        left = (p for p in self.problems if (p.about, p.kind) != (about, kind))
        return replace(self, problems=tuple(left))

    def with_note(self, note: str) -> "Messages":
        """Say something in passing."""
        return replace(self, note=note)

    def acknowledged(self) -> "Messages":
        """Take the problems in front away; that the review stopped stays."""
        seen = self.front
        return replace(self, problems=tuple(p for p in self.problems if p not in seen), note="")
