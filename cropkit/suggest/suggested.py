"""What a suggester answers, and how the answers of several become one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from threading import Lock
from typing import Protocol, runtime_checkable

from cropkit.errors import BadSuggestion
from cropkit.geometry import Size
from cropkit.records import Problem, ProblemKind, Suggestion
from cropkit.suggest.border import Clipped


@dataclass(frozen=True, slots=True)
class Suggested:
    """Crop boxes for one image, best first, and what could not be used."""

    suggestions: tuple[Suggestion, ...] = ()
    problems: tuple[Problem, ...] = ()


NOTHING = Suggested()


class Suggester(Protocol):
    """Anything that proposes crop boxes: write a class with this method, and pass it to `open`.

    One that can say how sure it is without looking at the image also has ``confidence(path)``,
    which returns a number from 0 to 1, or None.
    """

    def suggest(self, path: str, size: Size, sha256: str) -> Suggested:
        """Propose boxes for one image; report bad data as problems and never raise for it.

        Parameters
        ----------
        path : relative to the collection, with forward slashes
        size : upright
        sha256 : of the bytes that are shown
        """
        ...


@runtime_checkable
class Rated(Protocol):
    """A suggester that can say how sure it is without looking at the image."""

    def confidence(self, path: str) -> float | None:
        """Return the confidence of the best box, 0 to 1; None where there is none, or no box."""
        ...


def confidence_of(suggesters: Sequence[Suggester], path: str) -> float | None:
    """Return what the first suggester that says how sure it is says; not each one can."""
    confidences = (rated.confidence(path) for rated in suggesters if isinstance(rated, Rated))
    return next((sure for sure in confidences if sure is not None), None)


def gather(suggesters: Sequence[Suggester], path: str, size: Size, sha256: str) -> Suggested:
    """Ask every suggester and merge: by rank, and within a rank in the suggesters' order.

    That one has nothing for the image is no problem as long as another has.
    """
    answers = [suggester.suggest(path, size, sha256) for suggester in suggesters]
    suggestions = sorted(
        (s for answer in answers for s in answer.suggestions), key=lambda s: s.rank
    )
    problems = dict.fromkeys(p for answer in answers for p in answer.problems)
    if suggestions:
        problems = {p: None for p in problems if p.kind is not ProblemKind.NO_SUGGESTION}
    ranked = tuple(replace(suggestion, rank=rank) for rank, suggestion in enumerate(suggestions))
    return Suggested(ranked, tuple(problems))


def problem_of(error: BadSuggestion) -> Problem:
    """Tell of a suggestion that cannot be used, by where it stands and why."""
    where, reason = error.args
    return Problem(ProblemKind.SUGGESTION, str(where), str(reason))


@dataclass(frozen=True, slots=True)
class Pace:
    """How many images a model was asked about, and how long that took."""

    images: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        rate = f" at {self.images / self.seconds:.3g}/s" if self.seconds > 0 else ""
        return f"asked about {self.images:,} {'image' if self.images == 1 else 'images'}{rate}"


class Meter:
    """Counts what a model was asked about. Safe from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._pace = Pace()

    @property
    def pace(self) -> Pace:
        """What was counted until now."""
        return self._pace

    def add(self, images: int, seconds: float) -> None:
        """Count one call."""
        with self._lock:
            self._pace = Pace(self._pace.images + images, self._pace.seconds + seconds)


def told_of(suggesters: Sequence[Suggester]) -> tuple[str, ...]:
    """Return what there is to tell of those who propose: how fast they are, what was clipped."""
    words: list[str] = []
    for each in suggesters:
        pace, clipped = getattr(each, "pace", None), getattr(each, "clipped", None)
        name = getattr(each, "name", "model")
        if isinstance(pace, Pace) and pace.images:
            words.append(f"{name} {pace}")
        if isinstance(clipped, Clipped) and clipped.count:
            words.append(str(clipped))
    return tuple(words)
