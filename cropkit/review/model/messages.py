"""What the message line says; pure.

A problem stays until it is acknowledged, and several queue up; a note is gone with the next key.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Message:
    """One thing that went wrong: about which file, in which words, how often."""

    text: str
    about: str = ""
    times: int = 1


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

    def with_problem(self, message: Message) -> "Messages":
        """Queue a problem; one that waits already is counted up."""
        for index, waiting in enumerate(self.problems):
            if (waiting.text, waiting.about) == (message.text, message.about):
                again = replace(waiting, times=waiting.times + 1)
                queue = (*self.problems[:index], again, *self.problems[index + 1 :])
                return replace(self, problems=queue)
        return replace(self, problems=(*self.problems, message))

    def with_alert(self, message: Message) -> "Messages":
        """Put something in front of everything that waits: it is about all of it."""
        return replace(self, problems=(message, *self.problems))

    def with_note(self, note: str) -> "Messages":
        """Say something in passing."""
        return replace(self, note=note)

    def acknowledged(self) -> "Messages":
        """Take the problem in front away; that the review stopped stays."""
        return replace(self, problems=self.problems[1:], note="")
