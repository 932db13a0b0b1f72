"""What is known of every image, and what is counted of it: changed together, image by image.

Each image has its number in an `Index`, and what is known of it hangs in trees by that number: a
change writes a few nodes anew, and no count is ever taken again. `left` is what a person still has
to look at; every rule that decides, breaks or brings back goes through `_now`, which keeps it true.
"""

import sys
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, count, islice, takewhile
from typing import Any, NamedTuple, overload

from cropkit.review.model.decided import Decided, Draft, DraftDecision
from cropkit.review.model.listing import Index, folder_of
from cropkit.review.model.outcomes import Column, Outcomes
from cropkit.review.model.slots import image_of, keyed
from cropkit.review.model.stack import PLACE, Order, Stack, as_bytes
from cropkit.review.model.tree import NumberSet, Shift, Tree

_DOUBT = "H"  # what a confidence lacks; 0 where none is stated
_MOST_DOUBT = (1 << 16) - 1


@dataclass(frozen=True, slots=True, eq=False)
class Stacked(Sequence[str]):
    """The paths of a stack, the one on top last; equal to any sequence of them."""

    known: Index
    stack: Stack

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[str, ...]: ...
    def __getitem__(self, at: int | slice) -> str | tuple[str, ...]:
        if isinstance(at, slice):
            return tuple(self[nth] for nth in range(len(self))[at])
        return self.known.path(self.stack.image(at if at >= 0 else len(self) + at))

    def __len__(self) -> int:
        return len(self.stack)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))


class Earlier(NamedTuple):
    """What earlier sessions decided and can be taken back, as it was known at one moment.

    Parameters
    ----------
    stack, numbers : in which order, and which it is
    failed : what could not be carried out by then
    """

    stack: Stack
    numbers: NumberSet
    failed: NumberSet


@dataclass(frozen=True, slots=True)
class Images:
    """Everything that is known of the images, by number.

    Parameters
    ----------
    listed : those that are in the folder; what else is known was decided, and is elsewhere
    left : those that a person still has to look at
    signed : those of the `broken` that only content credentials keep from being cropped
    elsewhere : how many are decided and not listed
    decisions : what was decided in this session, so that it can be done again
    presses : how many presses have decided something in this session
    press : which of them decided about each image; 0: none of this session
    certain : those that a plan lets through, as far as their names tell
    sure, sure_count : how sure the suggestion of each says that it is, and how many say so
    order : of those that the pages show, where it is not that of their numbers
    required : slots of each image that are to be decided; () where each image has one crop
    image_count, whole_count : how many images were listed at the beginning, and of how many all of
        these are decided; 0 where each image has one crop
    """

    index: Index = field(default_factory=Index)
    listed: NumberSet = field(default_factory=NumberSet)
    left: NumberSet = field(default_factory=NumberSet)
    outcomes: Outcomes = field(default_factory=Outcomes)
    broken: Tree[str] = field(default_factory=Tree)
    signed: NumberSet = field(default_factory=NumberSet)
    restoring: Tree[Decided] = field(default_factory=Tree)
    drafts: Tree[Draft] = field(default_factory=Tree)
    decisions: Tree[DraftDecision] = field(default_factory=Tree)
    stale: NumberSet = field(default_factory=NumberSet)
    unsure: NumberSet = field(default_factory=NumberSet)
    certain: NumberSet = field(default_factory=NumberSet)
    sure: Column = field(default_factory=lambda: Column(array(_DOUBT).itemsize))
    sure_count: int = 0
    order: Order = field(default_factory=Order)
    undo: Stack = field(default_factory=Stack)
    redo: Stack = field(default_factory=Stack)
    presses: int = 0
    press: Column = field(default_factory=lambda: Column(PLACE))
    elsewhere: int = 0
    required: tuple[str, ...] = ()
    image_count: int = 0
    whole_count: int = 0

    @classmethod
    def of(
        cls,
        paths: Iterable[str],
        settled: Mapping[str, Decided],
        undo: Iterable[str],
        stale: Iterable[str],
        required: tuple[str, ...] = (),
    ) -> "Images":
        """Return what is known where all is listed at once."""
        images = cls(required=required).with_listed(paths, settled, tuple(stale))
        return images.with_earlier(images.earlier(undo))

    def with_listed(
        self, paths: Iterable[str], settled: Mapping[str, Decided], stale: Sequence[str]
    ) -> "Images":
        """Return the same with more of the listing.

        Parameters
        ----------
        paths : the next ones, none of them known
        settled, stale : of what is decided; what is not among `paths` is elsewhere, and no more is
            listed after it
        """
        first = len(self.index)
        number_of = dict(zip(dict.fromkeys(paths), count(first), strict=False))
        begun, end = tuple(number_of), first + len(number_of)
        others = [path for path in chain(settled, stale) if path not in number_of]
        number_of.update(zip(dict.fromkeys(others), count(end), strict=False))
        index = self.index.with_listed(begun) if begun else self.index
        index = index.with_others(tuple(islice(number_of, len(begun), None))) if others else index
        decided = ((number_of[path], each) for path, each in settled.items())
        new = NumberSet.span(first, end)
        more = replace(
            self,
            index=index,
            listed=self.listed | new,
            outcomes=self.outcomes.joined(decided, first),
            stale=self.stale | NumberSet.of(map(number_of.__getitem__, stale)),
            elsewhere=self.elsewhere + sum(number_of[path] >= end for path in settled),
        )
        more = replace(more, left=self.left | new - more.outcomes.numbers)
        return more.counted(new) if self.required else more

    def earlier(self, undo: Iterable[str]) -> "Earlier":
        """Return what `with_earlier` takes.

        Parameters
        ----------
        undo : what earlier sessions decided and can be taken back, oldest first
        """
        known = (number for number in map(self.index.number, undo) if number is not None)
        numbers = [number for number in known if number in self.outcomes.numbers]
        return Earlier(Stack.of(numbers), NumberSet.of(numbers), self.outcomes.failed)

    def with_earlier(self, earlier: "Earlier") -> "Images":
        """Return the same where what earlier sessions decided is taken back after all of this."""
        stands = self.outcomes.numbers - (self.outcomes.failed - earlier.failed)
        stack = earlier.stack
        for gone in earlier.numbers - stands:  # meanwhile
            stack = stack.without(gone)
        for nth in range(len(self.undo)):
            stack = stack.put(self.undo.image(nth))
        return replace(self, undo=stack)

    # --- what is known

    def undecided(self, path: str) -> bool:
        """Whether a person still has to look at it."""
        number = self.index.number(path)
        return number is not None and number in self.left

    def within(self, path: str) -> tuple[int, int]:
        """Return how many images of an image's folder are decided, and how many are listed."""
        folder = folder_of(path)
        decided = self.index.within(folder, self.outcomes.numbers)
        return decided, self.index.within(folder, self.listed)

    def counted(self, new: NumberSet) -> "Images":
        """Return the same with more images counted: all crops of each are among the new ones."""
        images = set(map(image_of, map(self.index.path, new)))
        whole = sum(map(self.is_whole, images))
        return replace(
            self,
            image_count=self.image_count + len(images),
            whole_count=self.whole_count + whole,
        )

    def requiring(self, required: tuple[str, ...]) -> "Images":
        """Return the same where images may have more crops from now on, and had one each before."""
        if self.required:
            return self
        listed = self.index.begun.listed
        whole = self.outcomes.numbers.rank(listed)
        return replace(self, required=required, image_count=listed, whole_count=whole)

    def is_whole(self, image: str) -> bool:
        """Whether all that is required of an image is decided."""
        numbers = (self.index.number(keyed(image, slot)) for slot in self.required)
        return all(number in self.outcomes.numbers for number in numbers if number is not None)

    def draft(self, path: str) -> Draft | None:
        """Return what was changed about an image, if anything was."""
        return self.drafts.get(self.index.known(path))

    # --- what becomes of an image

    def decided(self, path: str, decided: Decided) -> "Images":
        """Let a decision stand."""
        number = self.index.known(path)
        return _now(self, number, outcomes=self.outcomes.put(number, decided))

    def decided_here(self, decision: DraftDecision, decided: Decided) -> "Images":
        """Let a decision of the latest press stand, as the latest that can be taken back."""
        number = self.index.known(decision.path)
        images = replace(
            self,
            decisions=self.decisions.put(number, decision),
            stale=self.stale.without(number),
            press=self.press.put(number, as_bytes(self.presses)),
        )
        return images.decided(decision.path, decided).undoable(decision.path)

    def pressed(self) -> "Images":
        """Let what is decided next be that of one more press."""
        return replace(self, presses=self.presses + 1)

    @property
    def press_of_last(self) -> int:
        """Which press decided what is taken back first; 0: none of this session."""
        return self._press(self.undo.image(len(self.undo) - 1)) if self.undo else 0

    @property
    def latest(self) -> frozenset[str]:
        """The images that the latest press of this session has decided, and Z would take back."""
        return frozenset(self.of_one_press(self.undo)) if self.press_of_last else frozenset()

    def of_one_press(self, stack: Stack) -> tuple[str, ...]:
        """Return what the press has decided that decided the top of a stack, the top first."""
        top = range(len(stack) - 1, -1, -1)
        numbers = map(stack.image, top)
        first = next(numbers)
        press = self._press(first)
        same = takewhile(lambda number: press and self._press(number) == press, numbers)
        return tuple(map(self.index.path, (first, *same)))

    def _press(self, number: int) -> int:
        return int.from_bytes(self.press.get(number), sys.byteorder)

    def not_decided(self, path: str) -> "Images":
        """Let no decision stand."""
        number = self.index.known(path)
        return _now(self, number, outcomes=self.outcomes.without(number))

    def undoable(self, path: str) -> "Images":
        """Let a decision be the first to be taken back."""
        return replace(self, undo=self.undo.put(self.index.known(path)))

    def not_undoable(self, path: str) -> "Images":
        """Take a decision off the undo stack."""
        return replace(self, undo=self.undo.without(self.index.known(path)))

    def being_restored(self, path: str, stood: Decided) -> "Images":
        """Let an image wait until its decision is undone."""
        number = self.index.known(path)
        return _now(self, number, restoring=self.restoring.put(number, stood))

    def not_restoring(self, path: str) -> "Images":
        """Let an image wait no longer."""
        number = self.index.known(path)
        return _now(self, number, restoring=self.restoring.without(number))

    def not_shown(self, path: str, reason: str, *, signed: bool = False) -> "Images":
        """Have an image that could not be shown."""
        number = self.index.known(path)
        known = replace(self, signed=self.signed.put(number, there=signed))
        return _now(known, number, broken=self.broken.put(number, reason))

    def shown(self, path: str) -> "Images":
        """Have an image that could be shown."""
        number = self.index.known(path)
        known = replace(self, signed=self.signed.without(number))
        return _now(known, number, broken=self.broken.without(number))

    def unsigned(self) -> "Images":
        """Have content credentials keep no image from being cropped: they are looked at again."""
        images = replace(self, signed=NumberSet())
        for number in self.signed:
            images = _now(images, number, broken=images.broken.without(number))
        return images

    def drafted(self, path: str, draft: Draft) -> "Images":
        """Keep what was changed about an image."""
        return replace(self, drafts=self.drafts.put(self.index.known(path), draft))

    def not_drafted(self, path: str) -> "Images":
        """Forget what was changed about an image."""
        return replace(self, drafts=self.drafts.without(self.index.known(path)))

    def out_of_date(self, path: str) -> "Images":
        """Have an image whose file is another than the one that was decided about."""
        return replace(self, stale=self.stale.put(self.index.known(path)))

    def redoable(self, path: str) -> "Images":
        """Let a decision that was taken back be the first to be done again, if it is known."""
        number = self.index.known(path)
        return replace(self, redo=self.redo.put(number)) if number in self.decisions else self

    def not_redoable(self, path: str) -> "Images":
        """Let a decision that was taken back not be done again."""
        return replace(self, redo=self.redo.without(self.index.known(path)))

    def found_unsure(self, paths: Iterable[str]) -> "Images":
        """Have more images whose suggestion has a low confidence."""
        images = self
        for path in paths:
            if images.index.number(path) is None:
                images = replace(images, index=images.index.added(path))
        numbers = NumberSet.of(map(images.index.known, paths))
        return replace(images, unsure=images.unsure | numbers)

    def found_certain(self, paths: Iterable[str]) -> "Images":
        """Have more images that a plan lets through; what is not listed is not known."""
        numbers = map(self.index.number, paths)
        known = NumberSet.of(number for number in numbers if number is not None)
        return replace(self, certain=self.certain | known)

    def found_sure(self, confidences: Mapping[str, float]) -> "Images":
        """Know of more images how sure their suggestion says that it is, from 0 to 1."""
        known = ((self.index.number(path), sure) for path, sure in confidences.items())
        doubts = {
            n: 1 + round((1 - sure) * (_MOST_DOUBT - 1)) for n, sure in known if n is not None
        }
        new = sum(not any(self.sure.get(number)) for number in doubts)
        records = {n: doubt.to_bytes(self.sure.width, sys.byteorder) for n, doubt in doubts.items()}
        return replace(self, sure=self.sure.written(records), sure_count=self.sure_count + new)

    def least_certain_first(self, these: NumberSet) -> Order:
        """Return an order of images: those of which nothing is known last; as listed if all are."""
        if not self.sure_count:
            return Order()
        flat = self.sure.flat().ljust(self.sure.width * len(self.index), b"\0")
        numbers = sorted(these, key=array(_DOUBT, flat).__getitem__, reverse=True)
        return Order.of(numbers, these & self.left, self.sure_count)

    def adding(self, path: str, after: str, required: tuple[str, ...]) -> "Images":
        """List another crop, in its place after one that is listed.

        Parameters
        ----------
        required : slots of each image that are to be decided
        """
        at, listed = self.index.known(after) + 1, self.index.begun.listed
        if at > listed:  # that came later, and so does this
            at, images = len(self.index), replace(self, index=self.index.added(path))
        else:
            images = self.shifted(Shift(at, 1), self.index.inserted(at, path))
        beside, order = images.index.known(after), images.order
        as_sure = images.sure.get(beside) or bytes(images.sure.width)
        images = replace(
            images,
            listed=images.listed.put(at),
            sure=images.sure.put(at, as_sure),
            order=order.inserted(at, beside) if order else order,
        )
        images = _now(images, at)
        if self.required:
            return images
        counted = self.requiring(required)
        return replace(
            images,
            required=required,
            image_count=counted.image_count,
            whole_count=counted.whole_count,
        )

    def removing(self, path: str) -> "Images":
        """List a crop no longer that is not decided, and know nothing of it."""
        at = self.index.known(path)
        images = self.not_redoable(path).not_undoable(path)
        return images.shifted(Shift(at, -1), self.index.removed(at))

    def shifted(self, shift: Shift, index: Index) -> "Images":
        """Return the same by numbers that have moved."""
        return replace(
            self,
            index=index,
            listed=self.listed.shifted(shift),
            left=self.left.shifted(shift),
            outcomes=self.outcomes.shifted(shift),
            broken=self.broken.shifted(shift),
            signed=self.signed.shifted(shift),
            restoring=self.restoring.shifted(shift),
            drafts=self.drafts.shifted(shift),
            decisions=self.decisions.shifted(shift),
            stale=self.stale.shifted(shift),
            unsure=self.unsure.shifted(shift),
            certain=self.certain.shifted(shift),
            sure=self.sure.shifted(shift),
            order=self.order.shifted(shift),
            undo=self.undo.shifted(shift),
            redo=self.redo.shifted(shift),
            press=self.press.shifted(shift),
        )

    def listing(self, path: str) -> "Images":
        """List an image that is elsewhere: last, so that no other has another place."""
        before = self.index.known(path)
        if before in self.listed:
            return self
        index = self.index.added(path)
        number, draft = index.known(path), self.drafts.get(before)
        images = replace(
            self,
            index=index,
            listed=self.listed.put(number),
            stale=self.stale.without(before).put(number, there=before in self.stale),
            unsure=self.unsure.without(before).put(number, there=before in self.unsure),
            certain=self.certain.without(before),
            sure=self.sure.put(number, self.sure.get(before) or bytes(self.sure.width)),
            drafts=self.drafts.without(before),
        )
        listed = _now(images, number)
        return listed if draft is None else listed.drafted(path, draft)


def _now(images: Images, number: int, **changes: Any) -> Images:  # noqa: ANN401  (fields by name)
    """Change what is known of an image, and with it what follows from that."""
    changed = replace(images, **changes)
    known = (changed.outcomes.numbers, changed.broken, changed.restoring)
    left = number in changed.listed and not any(number in each for each in known)
    return replace(
        changed,
        left=changed.left.put(number, there=left),
        order=changed.order.now(number, left=left),
        elsewhere=images.elsewhere + _elsewhere(changed, number) - _elsewhere(images, number),
        whole_count=images.whole_count + _made_whole(images, changed, number),
    )


def _made_whole(images: Images, changed: Images, number: int) -> int:
    """Return 1 where an image has become whole, -1 where it is so no more, 0 else."""
    if not images.required:
        return 0
    image = image_of(images.index.path(number))
    first = images.index.begun.number(keyed(image, images.required[0]))
    if first < 0 or first not in images.listed:
        return 0  # it was in no listing, and is not counted
    return changed.is_whole(image) - images.is_whole(image)


def _elsewhere(images: Images, number: int) -> bool:
    return number in images.outcomes.numbers and number not in images.listed
