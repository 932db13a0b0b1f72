"""Boxes for a collection to keep: of files that other tools wrote, or of a model that is asked."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from cropkit.errors import BadSuggestion, Refused
from cropkit.geometry import Size
from cropkit.labels.framing_rule import Boxed, Rule, framed
from cropkit.labels.label import MOST
from cropkit.labels.labelled import Labelled
from cropkit.labels.store import Imported, Kept
from cropkit.records import Problem, ProblemKind
from cropkit.suggest.border import Clipped
from cropkit.suggest.detections import Asked, Detections
from cropkit.suggest.suggested import Suggested, Suggester, problem_of

if TYPE_CHECKING:
    import pandas as pd

Progress = Callable[[str, int, int], object]
_TOGETHER = 32  # images whose boxes are kept at once, while a model works


class Looked(Protocol):
    """What is known of an image that was looked at."""

    @property
    def size(self) -> Size:
        """Upright."""
        ...

    @property
    def sha256(self) -> str:
        """Of its content."""
        ...

    @property
    def cropped(self) -> bool:
        """Whether it is a crop of this collection."""
        ...


Look = Callable[[str], Looked]


@dataclass(slots=True)
class Import:
    """What an import has kept, and what not.

    Parameters
    ----------
    name : under which it is kept
    formats : that were met, with the number of files
    images : with at least one box that is kept
    known : images that had boxes of this name for their content already
    problems : boxes that cannot be used, by file and place
    strange : names that are no image's of the collection, or could be several ones'
    """

    name: str
    formats: dict[str, int] = field(default_factory=dict)
    images: int = 0
    boxes: int = 0
    known: int = 0
    clipped: Clipped = field(default_factory=Clipped)
    problems: list[Problem] = field(default_factory=list)
    strange: list[Problem] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether all boxes of the collection's images could be used."""
        return not self.problems

    def summary(self) -> dict[str, Any]:
        """Return the counts, and by how many pixels at most boxes were clipped."""
        return {
            "ok": self.ok,
            "name": self.name,
            "formats": dict(self.formats),
            "images": self.images,
            "boxes": self.boxes,
            "known": self.known,
            "clipped": self.clipped.count,
            "clipped_px": self.clipped.most,
            "problems": len(self.problems),
            "strange": len(self.strange),
        }

    def table(self) -> "pd.DataFrame":
        """Return what was not used: where it stands, and why."""
        import pandas as pd  # noqa: PLC0415  (half a second that an import does not need)

        rows = [(each.path, each.reason) for each in (*self.problems, *self.strange)]
        return pd.DataFrame(rows, columns=["where", "why it is not used"])


@dataclass(frozen=True, slots=True)
class Importer:
    """Keeps boxes under one name.

    Parameters
    ----------
    look : reads an image; its size and content are kept with each box, so that a box for what is
        not there any more is never proposed
    around : the rule by which crops are put around the boxes, where these are subjects
    """

    store: Imported
    name: str
    look: Look
    progress: Progress
    around: Rule | None = None

    def keep_labels(self, labelled: Labelled) -> Import:
        """Keep the boxes of files, in place of what was imported under that name.

        Parameters
        ----------
        labelled : for the images of the collection

        Raises
        ------
        WriteFailed, BadSuggestion
            Nothing was kept: what had the name stands.
        """
        result = Import(self.name, labelled.formats, problems=list(labelled.problems))
        result.strange = list(labelled.strange())
        kept = list(self._placed(labelled, result))
        if kept:
            result.boxes = self.store.keep(self.name, ", ".join(labelled.formats), kept)
        result.clipped = labelled.clipped
        return result

    def keep_answers(self, model: Suggester, images: Sequence[str]) -> Import:
        """Ask a model for the boxes of images, and keep them as they come.

        Images whose content has boxes of this name already are passed over: what was cut off goes
        on.

        Raises
        ------
        WriteFailed, BadSuggestion
            What was kept before stands.
        """
        result = Import(self.name, {"model": 1})
        seen: dict[str, Looked] = {}
        done = 0
        for group, answers in _streamed(model, self._groups(images, seen, result)):
            done += _TOGETHER
            kept = [
                each
                for asked, answer in zip(group, answers, strict=True)
                for each in self._answered(asked.path, seen.pop(asked.path), answer, result)
            ]
            if kept:
                result.boxes += self.store.keep(self.name, "model", kept, more=True)
            self.progress("images", min(done, len(images)), len(images))
        clipped = getattr(model, "clipped", None)
        result.clipped = clipped if isinstance(clipped, Clipped) else Clipped()
        return result

    def _placed(self, labelled: Labelled, result: Import) -> Iterator[Kept]:
        named = list(labelled.named())
        for done, (path, labels) in enumerate(named, 1):
            self.progress("images", done, len(named))
            seen = self._seen(path, result)
            if seen is None:
                continue
            placed, problems = labelled.placed(labels, path, seen.size)
            result.problems += problems
            boxes = [
                Boxed(p.box, p.label.confidence, p.label.category, p.label.source, p.label.version)
                for p in placed
            ]
            yield from self._kept(path, seen, boxes, result)

    def _groups(
        self, images: Sequence[str], seen: dict[str, Looked], result: Import
    ) -> Iterator[list[Asked]]:
        """Look at images, some at a time, and yield those that a model is to be asked for."""
        for start in range(0, len(images), _TOGETHER):
            some = images[start : start + _TOGETHER]
            looks = {path: look for path in some if (look := self._seen(path, result)) is not None}
            known = {p for p, look in looks.items() if self.store.knows(self.name, p, look.sha256)}
            result.known += len(known)
            new = {path: look for path, look in looks.items() if path not in known}
            seen.update(new)
            yield [Asked(path, look.size, look.sha256) for path, look in new.items()]

    def _answered(
        self, path: str, look: Looked, answer: Suggested, result: Import
    ) -> Iterator[Kept]:
        result.problems += [each for each in answer.problems if not each.kind.is_harmless]
        boxes = [
            Boxed(each.box, each.confidence, author=each.source, version=each.version)
            for each in answer.suggestions
        ]
        yield from self._kept(path, look, boxes, result)

    def _kept(
        self, path: str, seen: Looked, boxes: Sequence[Boxed], result: Import
    ) -> Iterator[Kept]:
        """Yield what is kept of an image's boxes: themselves, or the crops around them."""
        try:
            if boxes and self.around is not None:
                boxes = framed(boxes, seen.size, self.around, path)
        except BadSuggestion as error:
            result.problems.append(problem_of(error))
            return
        result.images += bool(boxes)
        for rank, each in enumerate(boxes[:MOST]):
            whose = (each.category, each.author, each.version)
            yield Kept(path, seen.sha256, seen.size, each.box, each.confidence, rank, *whose)

    def _seen(self, path: str, result: Import) -> Looked | None:
        """Look at an image; what cannot be cropped, or was cropped already, is a problem."""
        try:
            seen = self.look(path)
        except Refused as error:
            result.problems.append(Problem(ProblemKind.SUGGESTION, path, str(error)))
            return None
        if seen.cropped:
            reason = "was cropped already: the box is for what it was before (stale)"
            result.problems.append(Problem(ProblemKind.SUGGESTION, path, reason))
            return None
        return seen


@runtime_checkable
class Streaming(Protocol):
    """A model that is asked for several groups of images at once."""

    def streamed(
        self, groups: Iterable[Sequence[Asked]]
    ) -> Iterator[tuple[Sequence[Asked], Sequence[Suggested]]]:
        """Yield groups with their answers, in their order."""
        ...


def _streamed(
    model: Suggester, groups: Iterable[Sequence[Asked]]
) -> Iterator[tuple[Sequence[Asked], Sequence[Suggested]]]:
    """Yield groups of images with what a model proposes for them."""
    if isinstance(model, Streaming):
        yield from model.streamed(groups)
        return
    for group in groups:
        yield group, _answers(model, group)


def _answers(model: Suggester, asked: Sequence[Asked]) -> Sequence[Suggested]:
    """Return what a model proposes for images: several at once where it can be asked so."""
    if isinstance(model, Detections):
        return model.suggest_all(asked)
    return [model.suggest(*each) for each in asked]
