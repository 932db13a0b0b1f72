"""A collection with everything one can do to it: what the review, the shell and notebooks use."""

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from functools import cached_property
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import TYPE_CHECKING, Any, Self

from cropkit import bounded, clock, formats
from cropkit.audit import second_opinions, trust
from cropkit.audit.compacting import Compacted
from cropkit.audit.decisions import Standing
from cropkit.audit.integrity_reader import Progress
from cropkit.audit.operation import Operation
from cropkit.audit.operation_reader import readable
from cropkit.audit.places import SQLITE
from cropkit.audit.problems import Problems
from cropkit.audit.rebuild import rebuild as rebuilt
from cropkit.audit.run import Ask, Run
from cropkit.audit.trail import DEADLINE, AuditTrail
from cropkit.bounds import Bounds
from cropkit.engine import copying_out, listing, outputs
from cropkit.engine.accepting import AcceptedChange
from cropkit.engine.apply import Applier
from cropkit.engine.copying_out import KeptOriginal
from cropkit.engine.deciding import DecisionRecorder, bound, headers_for
from cropkit.engine.executor import DecisionExecutor, refusal, result_of
from cropkit.engine.groups import GroupSize
from cropkit.engine.locations import Locations
from cropkit.engine.planning import (
    Planner,
    check_is_outside_home,
    chosen_to_undo,
    name_of,
    named_beneath,
)
from cropkit.engine.recovery import Recovered, recover
from cropkit.engine.undoing import Undoer
from cropkit.engine.ways import AROUND, AROUND_NAMED, TASTE, Ways, kept, ways
from cropkit.errors import (
    AuditError,
    BadDestination,
    BadTaste,
    CropkitError,
    NoImages,
    NothingToUndo,
    OnlyLooking,
    PersonalStateUnusable,
    ReadOnly,
    TrailDisagrees,
)
from cropkit.extras import needed
from cropkit.formats.copy_options import CopyOptions
from cropkit.formats.decoder_errors import reading
from cropkit.formats.headers import Headers
from cropkit.geometry import NO_TURN, PixelBox, Size, Turn
from cropkit.labels.store import Imported, Kept, usual_suggesters
from cropkit.records import (
    KEPT,
    CropResult,
    Decision,
    Placement,
    Problem,
    ProblemKind,
    Status,
    Suggestion,
    Verdict,
    verdict_of,
)
from cropkit.straightening import check_inside, nearest
from cropkit.suggest import Clipped, Suggester, gather
from cropkit.system import destinations, log, parameters, signing, state_folder, state_place
from cropkit.system.files import Root, split_beneath
from cropkit.system.home import LOG, SUGGESTIONS
from cropkit.system.only import Given
from cropkit.system.only import read as read_only
from cropkit.system.scope import Scope, scope_of
from cropkit.targets import Fit
from cropkit.wanted import Slots, Targets, Wanted, fitted, of_slot

if TYPE_CHECKING:
    import pandas as pd

    from cropkit.engine import merging
    from cropkit.engine.fsck import Difference
    from cropkit.engine.recutting import Recut, Step
    from cropkit.exports.exporting import Exported
    from cropkit.labels.framing_rule import Rule
    from cropkit.labels.importing import Import, Importer
    from cropkit.labels.labelled import Labelled
    from cropkit.monitor.stats import Stats
    from cropkit.taste.house import Taste

StrPath = str | os.PathLike[str]

_log = logging.getLogger("cropkit")
_TWO_STATES = (
    "{0} has another state, too, {1}: what is decided and claimed there is not known here, so that"
    " one image may be cropped twice"
)


@dataclass(frozen=True, slots=True)
class Look:
    """An image as it was read for the reviewer.

    Parameters
    ----------
    size : upright
    cropped : whether this very content is the outcome of a crop of ours
    """

    path: str
    sha256: str
    size: Size
    cropped: bool


@dataclass(frozen=True, slots=True)
class Counts:
    """How far a collection has come, in images; in crops, where several are wanted of each.

    ``failed`` could not be carried out; ``stale`` changed after they were decided and want another
    look. Neither is ``decided``.
    """

    total: int
    decided: int
    written: int
    waiting: int
    failed: int
    stale: int
    rejected: int
    skipped: int
    degraded: int


class Collection:
    """A folder of images, its trail, and the work on both. Every method is thread-safe.

    Opening it settles what a crash left open. Use it in a ``with``, or `close` it.

    Here is what a person asks of it in a script. What only a review or a batch asks is with its
    parts: ``trail``, ``problems``, ``recorder`` (decisions made durable), ``executor`` (decisions
    carried out), and `cropkit.review.runtime.review_store`.

    A folder in a collection stands for that part of it: the state is the collection's own, names
    are relative to the collection, and only images in that folder are listed, counted, decided
    about, cropped and undone (``scope`` tells which). None is made inside another: neither would
    know of what the other did.

    Parameters
    ----------
    folder : of images; `.cropkit` is made in it, unless it is a part of a collection
    state : folder that holds `.cropkit` instead; None: in the folder, or where it was before
    reviewer : who decides; whoever is logged in when not given
    kind : of the session, as the trail tells it
    destination : folder that cropped images move to with their companions; None: in place
    copy_to : folder that crops are written to as new files, with copies of what describes their
        image, which is read and nothing else; None: no copies
    slots : names of the crops that are wanted of each image, or the targets of each name; None: one
        without a name. Several need `copy_to`
    targets : sizes or ratios, of which a box takes the nearest: a list of them, a table such as
        "sdxl", or a rule, as `cropkit.targets` reads them
    resize : bring each copy to the size of its target
    only : some of these images, such as "label=cat; folder=2019": in folders, with words in their
        name, with labels of imported boxes, "filter=unsure" by these; what holds of a part holds of
        them
    copies : how copies are made: format, quality, size, also as text, such as
        "format=jpeg quality=92"; None: as crops in place are
    suggest : where boxes come from: a model, which is anything that can be called with an image; a
        DataFrame; a dict of boxes by path; the path of a file or folder of labels, in any format
        that `cropkit.Labelled` reads; or a suggester. `cropkit.Detections` and `cropkit.Labelled`
        declare what cannot be known
    suggesters : several of them; where neither is given, what was imported, and the `.decision`
        sidecars
    deadline : seconds to wait for a lock or a rival
    options : how crops are made in this session; None: as was chosen for the collection
    salvage : also crop what can be read of damaged JPEGs and PNGs, in this session
    threads : that crop and verify the images of a batch; None: one image after the other
    group_size : how many crops of a batch share their transactions and syncs
    trail : server that the trail is on, as "postgresql://USER@HOST/DATABASE" (the extra
        `postgres`), or "sqlite"; None: as `CROPKIT_TRAIL` says, or where it was before; else in a
        file of the collection's own
    system : the file-system calls; tests give one that fails

    Raises
    ------
    BadSlot, BadTarget, CopiesOnly
        When there can be no such crops: nothing was made.
    MissingFile, NotAFolder
        When there is no such folder.
    InsideCollection
        When it is hidden in a collection: nothing was made.
    BadDestination, BadStatePlace
        When crops cannot go there, or the state cannot lie there: nothing was made but, perhaps,
        a folder of the destination.
    AuditError
        When there can be no trail: nothing was touched.
    """

    def __init__(
        self,
        folder: StrPath,
        *,
        state: StrPath | None = None,
        reviewer: str | None = None,
        destination: StrPath | None = None,
        copy_to: StrPath | None = None,
        slots: Slots | None = None,
        targets: Targets | None = None,
        resize: bool = False,
        copies: CopyOptions | str | None = None,
        only: Given | None = None,
        suggest: Any = None,  # noqa: ANN401  (what a person has)
        suggesters: Sequence[Suggester] | None = None,
        kind: str = "python",
        deadline: float = DEADLINE,
        options: formats.Options | None = None,
        salvage: bool = False,
        threads: Executor | None = None,
        group_size: GroupSize | None = None,
        trail: str | None = None,
        system: ModuleType = os,
    ) -> None:
        path, name, self.trail_named = _checked(folder, reviewer, trail)
        self.looking: OnlyLooking | None = None
        self._look, self._unremembered = ExitStack(), list[Problem]()
        self.scope = self._scope(path, parameters.state_named(state), only)
        self.files = Root(self.scope.root, system)
        self.root = self.files.path
        asked = ways(
            move_to=destination,
            copy_to=copy_to,
            slots=slots,
            targets=targets,
            resize=resize,
            copies=copies,
        )
        placement = asked.placement(self._made(asked))
        home = self._home()
        self.suggesters = self._asked(suggest, suggesters)
        self.trail = self._opened_trail(home, name, kind=kind, deadline=deadline)
        with ExitStack() as otherwise:
            otherwise.callback(self._let_go)
            self._log = log.attach(self.scope.state / LOG, self.trail.session)
            otherwise.callback(log.detach, self._log)
            self._tell_what_is_meant()
            self._choose_ways(asked, placement)
            second_to = state_place.is_second(self.root, self.scope.state)
            self.locations = Locations(self.files, self._destinations(placement), home, second_to)
            self.problems = Problems(self.trail)
            self.recorder = DecisionRecorder(
                self.trail, self.placement, self.problems.report, self.looking
            )
            applier = Applier(self.locations, self.trail, self._how(options, salvage), threads)
            self.executor = self._executor(applier, deadline, group_size)
            self.undoer = Undoer(self.locations, self.executor)
            self._run_of_it: Run | None = None
            self._settle()
            otherwise.pop_all()

    def _opened_trail(
        self, home: Root, reviewer: str | None, *, kind: str, deadline: float
    ) -> AuditTrail:
        """Open the trail where it is; of a folder that is only looked at none is made elsewhere."""
        where = SQLITE if self.looking else self.trail_named
        return AuditTrail(
            home, reviewer, kind=kind, deadline=deadline, scope=self.scope, trail=where
        )

    def _asked(
        self,
        suggest: Any,  # noqa: ANN401  (what a person has)
        suggesters: Sequence[Suggester] | None,
    ) -> tuple[Suggester, ...]:
        if suggest is None and suggesters is None:
            return usual_suggesters(self.root, self.scope.state)
        from cropkit.labels import asked  # noqa: PLC0415  (loads parsers and codecs)

        among = (*(() if suggest is None else (suggest,)), *(suggesters or ()))
        return asked.suggesters(among, self.files, lambda: self._listed)

    def _executor(
        self, applier: Applier, deadline: float, group_size: GroupSize | None
    ) -> DecisionExecutor:
        return DecisionExecutor(
            self.files,
            applier,
            Planner(self.locations, self.placement),
            self.problems.report,
            deadline=deadline,
            group_size=group_size,
        )

    def _scope(self, path: Path, state: Path | None, given: "Given | None") -> Scope:
        """Return what is meant; where no state can be made, with one that goes at the end."""
        scope = _with_choice(scope_of(path, state), given)
        lacking = state_place.lacks_room(scope.root, scope.state)
        if lacking is None:
            return scope
        command = state_place.command_for(scope.root)
        self.looking = OnlyLooking(scope.root, lacking, command)
        place = self._look.enter_context(TemporaryDirectory(prefix="cropkit-look-"))
        return replace(scope, elsewhere=Path(place).resolve())

    def _home(self) -> Root:
        """Return what holds the state; one elsewhere is made where there is none."""
        self._unkept: PersonalStateUnusable | None = None
        if self.scope.elsewhere is None:
            return self.files
        if self.looking is not None:
            return Root(self.scope.elsewhere, self.files.system)
        place = self.scope.elsewhere
        self._unkept = state_place.make(self.scope.root, place, self.files.system)
        return Root(self.scope.elsewhere, self.files.system)

    def _tell_what_is_meant(self) -> None:
        if not self.scope.is_whole:
            _log.info("%s", self.scope)
        if self._unkept is not None:
            self.trail.notices.append(f"where its state lies is not remembered: {self._unkept}")
        if self.looking is not None:
            self.trail.notices.append(str(self.looking))
        for other in state_place.others(self.root, self.scope.state):
            self.trail.notices.append(_TWO_STATES.format(self.root, other))
        for sentence in (*formats.absent(), *self.trail.notices):
            _log.warning(sentence)

    def _choose_ways(self, asked: Ways, placement: Placement) -> None:
        """Do what is said for this session, or where nothing is, what the collection keeps."""
        self.asked, self.ways, self.placement = asked, asked, placement
        if asked == Ways():
            self.ways = kept(self.trail.settings())
            folder = self.ways.folder
            self.placement = self.ways.placement(None if folder is None else str(folder))
        self._remember_output(self.placement)

    def keep_ways(self, session: Ways) -> None:
        """Let what becomes of crops in this session count for all that say nothing else.

        Parameters
        ----------
        session : what this session was opened with, or `Ways()` to crop in place again

        Raises
        ------
        InsideCollection
            This is a part of it only: nothing was changed.
        """
        self.scope.check_is_whole()
        folder = None if session.folder is None else self.placement.folder
        self.trail.choose(session.to_settings(folder))
        self.ways, self.placement = session, session.placement(folder)

    @property
    def wanted(self) -> tuple[Wanted, ...]:
        """The crops that are wanted of each image."""
        return self.ways.crops

    def _remember_output(self, placement: Placement) -> None:
        """Let nobody list what goes to a folder inside the collection as new images."""
        folder = placement.folder
        if folder is not None and not folder.startswith("/"):
            change = outputs.with_another(self.trail.settings(), folder)
            if change:
                outputs.check_hides_nothing(self.root, folder, self.trail.operations)
                self.trail.choose(change)

    def _settle(self) -> None:
        self.recovered = self.recover(opening=True)
        self.problems.report_once(self._unremembered)
        for suggester in self.suggesters:
            self.problems.report_once(getattr(suggester, "problems", ()))

    def _let_go(self) -> None:
        """Leave no session behind where the opening failed; what made it fail is told."""
        with suppress(CropkitError):
            self.trail.close("failed")
        self._stop_looking()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        self.close("failed" if failed else "closed")

    def __repr__(self) -> str:
        meant = "" if not self.scope.part else f"  # a part of the collection {self.root}"
        chosen = "" if self.scope.only is None else f"  # only {self.scope.only}"
        return f"cropkit.open({str(self.scope.folder)!r}){meant or chosen}"

    def close(self, how: str = "closed") -> None:
        """End the session, and the run that it is, if it is one; what is closed stays so."""
        try:
            if self._run_of_it is not None:
                self._run_of_it.end(how)
            self.trail.close(how)
            self._tell_of_clipped()
        finally:
            log.detach(self._log)
            self._stop_looking()

    def _tell_of_clipped(self) -> None:
        for suggester in self.suggesters:
            clipped = getattr(suggester, "clipped", None)
            if isinstance(clipped, Clipped) and clipped.count:
                _log.warning("%s: %s", suggester.name, clipped)  # type: ignore[attr-defined]  # what clips has a name

    def _stop_looking(self) -> None:
        """Remove the state of a folder that was only looked at, and what is remembered of it."""
        if self.looking is not None:
            with suppress(PersonalStateUnusable):
                trust.forget(self.scope.state)
        self._look.close()

    @property
    def reviewer(self) -> str:
        """Who decides."""
        return self.trail.reviewer

    @property
    def session(self) -> str:
        """Id of this session, in UTC."""
        return self.trail.session

    @property
    def options(self) -> formats.Options:
        """How crops are made."""
        return self.executor.applier.options

    @property
    def headers(self) -> Headers:
        """How images are read for the crops that are made in this session."""
        return headers_for(self.placement, self.options)

    def begin_run(self, kind: str, ask: Ask | None = None) -> Run:
        """Say that a review, a batch or an apply begins; it beats until it ends.

        Parameters
        ----------
        ask : has the thread that works call something, where the work may rest

        Raises
        ------
        AuditError
            No audit, no work: it does not begin.
        """
        if self._run_of_it is not None:
            self._run_of_it.end()
        self._run_of_it = Run(self.trail, kind, ask=ask)
        return self._run_of_it

    def rules(self) -> "dict[str, Rule]":
        """Return how a review puts boxes around subjects: parameters of `cropkit.around`, by name.

        The usual rule is first, and called ''. A setting that is no rule is reported, and left out.
        """
        from cropkit.labels import framing_rule  # noqa: PLC0415  (for reviews only)

        settings = self.trail.settings()
        named, bad = framing_rule.named_rules(settings.get(AROUND_NAMED, ""))
        usual: Rule = {}
        try:
            usual = framing_rule.read(settings.get(AROUND, ""))
        except CropkitError as error:
            bad.append(str(error))
        self.problems.report_once([Problem(ProblemKind.SUGGESTION, AROUND, why) for why in bad])
        return {framing_rule.USUAL: usual} | named

    def rule(self, around: str) -> "Rule":
        """Return the rule that a text says, such as "margin=0.15 aspect=4:5", or that it names.

        Raises
        ------
        BadFraming, BadTarget
            There is none.
        """
        from cropkit.labels import framing_rule  # noqa: PLC0415  (as above)

        return framing_rule.chosen(around, self.rules())

    def keep_around(self, rule: str) -> None:
        """Keep how reviews put boxes around subjects, such as "margin=0.15 aspect=4:5".

        Parameters
        ----------
        rule : the usual one; or one more, with its name, as "portrait: aspect=4:5"; a name alone,
            as "portrait:", forgets it

        Raises
        ------
        BadFraming, BadTarget
            It is no rule: nothing was changed.
        InsideCollection
            This is a part of a collection only: nothing was changed.
        """
        from cropkit.labels import framing_rule  # noqa: PLC0415  (as above)

        name, text = framing_rule.split(parameters.text("around", rule))
        framing_rule.read(text)
        self.scope.check_is_whole()
        if not name:
            self.trail.choose({AROUND: text})
            return
        kept = self.trail.settings().get(AROUND_NAMED, "")
        self.trail.choose({AROUND_NAMED: framing_rule.with_another(kept, name, text)})

    def taste(self) -> "Taste | None":
        """Return what reviews begin with that was learned in another collection; None: nothing.

        A setting that is none is reported, and left out.
        """
        kept = self.trail.settings().get(TASTE, "")
        if not kept:
            return None
        from cropkit.taste import house  # noqa: PLC0415  (for reviews only)

        try:
            return house.parsed(kept, self.root)
        except BadTaste as error:
            self.problems.report_once([Problem(ProblemKind.SUGGESTION, TASTE, str(error))])
            return None

    def keep_taste(self, taste: "Taste | None") -> None:
        """Begin reviews with what was learned in another collection; None: with nothing.

        Raises
        ------
        InsideCollection
            This is a part of a collection only: nothing was changed.
        """
        self.scope.check_is_whole()
        self.trail.choose({TASTE: taste.to_text() if taste else ""})

    def keep_double(self, share: float | str) -> None:
        """Let two people decide about a random share of the images, each for themselves.

        An image of the share is carried out when two agree, all edges within 5 %, or a third has
        decided, too; until then nobody is shown what another has decided about it. What of it waits
        when the share is made 0 is carried out by the next review, or `cropkit apply`.

        Parameters
        ----------
        share : 0 to 1, or as "5%"; the larger one holds all images of the smaller one

        Raises
        ------
        BadParameterValue, InsideCollection
            It is no share; this is a part of a collection only. Nothing was changed.
        """
        wanted = parameters.percentage("double", share)
        self.scope.check_is_whole()
        self.trail.choose(second_opinions.chosen(self.trail.settings(), wanted))

    def choose(self, options: formats.Options) -> None:
        """Make crops so from now on, in every session of this collection.

        Raises
        ------
        InsideCollection
            This is a part of it only: nothing was changed.
        """
        self.scope.check_is_whole()
        self.trail.choose(options.to_settings())
        signs = options.signs or self.options.signs
        self.executor.applier.options = replace(options, signs=signs)

    def also_drop(self, item: str) -> None:
        """Leave one thing more out of crops from now on, in every session of this collection.

        Parameters
        ----------
        item : one of `cropkit.formats.options.DROPPABLE`

        Raises
        ------
        BadSetting, InsideCollection, AuditError
            There is no such choice, this is a part only, or there is no trail: nothing was changed.
        """
        kept, here = self._chosen(), self.options
        self.choose(replace(kept, drop=kept.drop | {item}))
        self.executor.applier.options = replace(here, drop=here.drop | {item})

    def _how(self, options: formats.Options | None, salvage: object) -> formats.Options:
        how = options or self._chosen()
        return replace(how, salvage=parameters.flag("salvage", salvage) or how.salvage)

    def _chosen(self) -> formats.Options:
        kept = formats.Options.from_settings(self.trail.settings())
        try:
            return replace(kept, signs=signing.is_wanted(self.root))
        except PersonalStateUnusable as error:  # then what holds credentials is refused, and told
            _log.warning("whether crops are to be signed is not known: %s", error)
            return kept

    # -- looking -------------------------------------------------------------------------------

    def images(self) -> tuple[str, ...]:
        """List the images, in review order; once, so that a review's pages do not move.

        Raises
        ------
        NoImages
            When there are none, and none have been decided about.
        """
        if not self._listed and not self.trail.decisions.any_stands():
            raise NoImages(self.scope.folder)
        return self._listed

    def streamed(self) -> Iterator[listing.Stretch]:
        """List the images as they are now, in review order, as fast as whoever asks takes them."""
        return listing.streamed(self.scope, outputs.known(self.trail.settings()))

    @cached_property
    def unread(self) -> tuple[Problem, ...]:
        """The folders whose images are not listed, because they cannot be read."""
        folders = self._listing.unread.items()
        return tuple(Problem(ProblemKind.FOLDER, name, reason) for name, reason in folders)

    @cached_property
    def _listed(self) -> tuple[str, ...]:
        self.problems.report_once((*self._listing.problems, *self.unread))
        return tuple(self._listing.images)

    @cached_property
    def _listing(self) -> listing.Listing:
        return listing.listed(self.scope, outputs.known(self.trail.settings()))

    def look(self, path: str) -> Look:
        """Read an image for a reviewer.

        Raises
        ------
        Refused
            Missing, empty, truncated, of a format that cannot be cropped faithfully, …
        """
        return self._seen(path, self.headers)

    def _seen(self, path: str, headers: Headers) -> Look:
        self.scope.check(path)
        content = self.files.read(path, Bounds.from_environment())
        header = bounded.header(headers, content.data, path)
        cropped = self.trail.contents.is_crop(content.sha256, path)
        return Look(path, content.sha256, header.size, cropped)

    def suggestions(self, look: Look) -> tuple[Suggestion, ...]:
        """Return the boxes proposed for an image; what cannot be used is reported and counted."""
        suggested = gather(self.suggesters, look.path, look.size, look.sha256)
        self.problems.report_once(suggested.problems)
        return suggested.suggestions

    def import_labels(
        self,
        labels: "StrPath | Labelled",
        *,
        name: str | None = None,
        around: str | None = None,
        progress: Progress = lambda *_: None,
    ) -> "Import":
        """Keep the boxes of a file, or of a folder of files: reviews and batches propose them.

        Each image is read once: a box that is for another size of it, or for what was cropped
        since, is a problem and not kept. Boxes that were imported under the same name before go.

        Parameters
        ----------
        labels : path, or a `cropkit.Labelled` that declares what cannot be known
        name : under which they are kept, shown as their source; None: the file's
        around : where the boxes are subjects, how crops are put around them: parameters of
            `cropkit.around`, such as "margin=0.15 aspect=4:5", or the name of a rule that is kept

        Raises
        ------
        BadFraming
            There is no such rule: nothing was changed.
        MissingFile, BadSuggestion
            It cannot be read: nothing was changed.
        WriteFailed
            Nothing was kept.
        """
        from cropkit.labels.labelled import Labelled  # noqa: PLC0415  (loads parsers)

        whole = labels if isinstance(labels, Labelled) else Labelled(Path(labels))
        mine = whole.of(self.files, lambda: self._listed)
        return self._importer(mine, name, around, progress).keep_labels(mine)

    def suggest_with(
        self,
        model: Any,  # noqa: ANN401  (what a person has)
        *,
        name: str | None = None,
        around: str | None = None,
        decided: bool = False,
        progress: Progress = lambda *_: None,
    ) -> "Import":
        """Ask a model for the boxes of the images, and keep them, as `import_labels` does.

        What has boxes of that name is passed over, as long as its content is the same: an
        interrupted run goes on where it was.

        Parameters
        ----------
        model : as `suggest` of a `Collection`: anything that can be called with an image
        name : under which they are kept; None: the model's
        around : as in `import_labels`
        decided : also ask for images that were decided about

        Raises
        ------
        BadParameterValue
            It is no model.
        WriteFailed
            What was kept until then stands.
        """
        (asked,) = self._asked(model, None)
        standing = set() if decided else self.trail.decisions.standing_paths()
        images = [path for path in self._listed if path not in standing]
        return self._importer(asked, name, around, progress).keep_answers(asked, images)

    def _importer(
        self, suggester: object, name: str | None, around: str | None, progress: Progress
    ) -> "Importer":
        """Return what keeps boxes under a name: the suggester's own, where none was given."""
        from cropkit.labels import importing  # noqa: PLC0415  (loads parsers)

        own = getattr(suggester, "name", "model")
        called = own if name is None else parameters.text("name", name)
        rule = None if around is None else self.rule(around)
        return importing.Importer(self.imported, called, self.look, progress, rule)

    @property
    def imported(self) -> Imported:
        """What was imported, or stored of a model's answers."""
        return Imported(self.scope.state)

    # -- deciding ------------------------------------------------------------------------------

    def decide(self, decisions: Sequence[Decision]) -> None:
        """Make decisions durable in one transaction.

        Raises
        ------
        AuditError
            They are not recorded: the review must stop.
        """
        self.recorder.record(decisions)

    def decide_as_seen(
        self, decisions: Sequence[Decision], seen: Sequence[str | None]
    ) -> tuple[Standing, ...]:
        """Make decisions durable, unless somebody has decided about one of them meanwhile.

        Return what stands instead, of which the person knew nothing: then none is recorded.

        Parameters
        ----------
        seen : for each, the id of the decision that stood for its crop as far as the person knew;
            None: none did

        Raises
        ------
        AuditError
            They are not recorded: the review must stop.
        """
        return self.recorder.record_as_seen(decisions, seen)

    def counts(self) -> Counts:
        """Return how far the collection has come."""
        by = self.trail.decisions.counts()
        failed = sum(number for status, number in by.items() if status.is_failure)
        stale = by.get(Status.STALE, 0)
        return Counts(
            total=self._total,
            decided=sum(by.values()) - failed - stale,
            written=by.get(Status.CROPPED, 0),
            waiting=by.get(Status.WAITING, 0),
            failed=failed,
            stale=stale,
            rejected=by.get(Status.REJECTED, 0),
            skipped=by.get(Status.SKIPPED, 0),
            degraded=self.trail.degraded(self.session),
        )

    @property
    def _total(self) -> int:
        """What is listed, and what earlier sessions moved out of the listing; each slot counts."""
        slots = {each.slot for each in self.wanted if each.slot}
        named = self.trail.decisions.standing_in_slots()
        if slots:
            listed = set(self._listed)
            others = sum(not (slot in slots and path in listed) for path, slot in named)
            return len(listed) * len(slots) + others
        plain = self.trail.decisions.standing_paths() - {slot.path for slot in named}
        return len(plain.union(self._listed)) + len(named)

    # -- applying ------------------------------------------------------------------------------

    def crop(
        self,
        path: StrPath,
        box: PixelBox,
        *,
        turn: Turn = NO_TURN,
        slot: str = "",
        copy_to: StrPath | None = None,
    ) -> CropResult:
        """Crop one image now: decided, written, verified and recorded when this returns.

        Parameters
        ----------
        path : in the collection; absolute, or relative to its folder
        box : upright pixels; where there are targets, the one nearest to it that fits one is cut
        turn : of what the box holds; targets are sizes of what is turned, and a box that fits one
            is moved to where a fine angle leaves it inside
        slot : which crop of the image it is; '' where there is only one
        copy_to : folder that the crop is written to as a new file; None or '': as in this session

        Raises
        ------
        CropkitError
            The tree in `cropkit.errors` says what happened to the file.
        """
        name = split_beneath(self.root, path)
        placement = self._beside(copy_to) if copy_to else self.placement
        cut = (box, turn)
        decision = self._decision(name, cut, parameters.text("slot", slot), placement)
        self.decide([decision])
        outcome = self.executor.decision(decision.id)
        if outcome.error is not None:
            if outcome.error.passes:  # whoever asked is told now, and may ask again
                self.trail.withdraw(decision.id)
            raise outcome.error
        return outcome.result

    def _beside(self, copy_to: StrPath) -> Placement:
        """Return where one crop goes that is copied elsewhere than the others of this session."""
        asked = replace(self.ways, folder=copy_to, copies=True)
        placement = asked.placement(self._made(asked))
        for folder in self._destinations(placement):
            self.locations.allow(folder)
        self._remember_output(placement)
        return placement

    def _decision(
        self, name: str, cut: tuple[PixelBox, Turn], slot: str, placement: Placement
    ) -> Decision:
        box, turn = cut
        try:
            check_is_outside_home(name, self.files)
            look = self._seen(name, headers_for(placement, self.options))
            with reading(name):
                seen, size = box.turned(look.size, turn), look.size.turned(turn)
                fit = fitted(seen, size, of_slot(slot, self.wanted))
                inside = check_inside(_cut(box, fit, look.size, turn), look.size, turn)
        except CropkitError as error:
            if not isinstance(error, AuditError):
                self.executor.report(name, error)
                self.trail.settle(None, refusal(name, box, error))
            raise
        moment = clock.now()
        decision = Decision(
            path=name,
            sha256=look.sha256,
            size=look.size,
            verdict=Verdict.ADJUSTED,
            box=inside,
            target=None if fit is None else fit.target.name,
            turn=turn,
            reviewer=self.reviewer,
            session=self.session,
            shown_at=moment,
            decided_at=moment,
            slot=slot,
        )
        return bound(decision, placement)

    def apply(self, decision: str) -> CropResult:
        """Carry out a decision; what went wrong is in the result.

        Carrying out the same decision again changes nothing and returns how it ended.

        Raises
        ------
        AuditError
            Work must stop.
        """
        return result_of(self.executor.decision(decision))

    def apply_waiting(
        self,
        progress: Callable[[CropResult], object] | None = None,
        *,
        decisions: Iterable[str] | None = None,
    ) -> list[CropResult]:
        """Carry out everything that waits, oldest first, in groups that share their syncs.

        Parameters
        ----------
        decisions : ids of those to carry out, asked for group by group; None: all that wait

        Raises
        ------
        AuditError
            Work must stop; what was carried out before is recorded.
        """
        wanted = self.trail.decisions.waiting() if decisions is None else decisions
        return self.executor.decisions(wanted, progress)

    def recut(
        self,
        *,
        name: str | None = None,
        slot: str | None = None,
        most_cut: float = 0.0,
        progress: Progress = lambda *_: None,
    ) -> "Recut":
        """Make new crops of decided images, for the targets that this collection was opened with.

        Each is a copy, of the image as it was decided about: where it was cropped in place since,
        of its kept original. It is the smallest box of a target's ratio that holds all that was
        decided. Where there is none, or it is too small for its target, a person has to see it:
        that is counted, and a review of its slot proposes what comes nearest. Decisions stand as
        they did; what was made before is left, so that what was cut off goes on.

        Parameters
        ----------
        name : of the set, from which its crops have their slots; None: that of their folder
        slot : of the decisions; None: of each, '' those without a name
        most_cut : part of what was decided that a crop may lose, 0 to 1
        progress : told how many decisions were looked at, and of how many

        Raises
        ------
        CopiesOnly, BadTarget, BadSlot, BadParameterValue
            There can be no such crops: nothing was begun.
        AuditError
            Work must stop; what was made before is recorded.
        """
        from cropkit.engine import recut_sets, recutting  # noqa: PLC0415  (only where it is needed)

        folder = self.placement.folder
        wish = recutting.wish_of(
            self.trail, self.ways, folder, name=name, slot=slot, most_cut=most_cut
        )
        if change := recut_sets.with_another(self.trail.settings(), wish.name):
            self.trail.choose(change)
        recutter = recutting.Recutter(self.trail, self.locations, wish, self.reviewer, self.session)
        result = recutting.Recut(wish.name)
        steps = recutter.steps(lambda done, total: progress("decisions", done, total))
        to_show = recutting.carried_out(
            result, steps, self._recorded_steps, lambda ids: self.apply_waiting(decisions=ids)
        )
        self._propose(wish.name, to_show)
        return result

    def _recorded_steps(self, steps: "Sequence[Step]") -> list[str]:
        """Make decisions durable, but those of slots that somebody decided about meanwhile."""
        from cropkit.engine.recutting import Kind  # noqa: PLC0415  (as above)

        by = {kind: [s.decision for s in steps if s.kind is kind and s.decision] for kind in Kind}
        if by[Kind.AGAIN]:
            self.recorder.record(by[Kind.AGAIN])
        new = self.recorder.record_undecided(by[Kind.NEW]) if by[Kind.NEW] else []
        return [each.id for each in (*by[Kind.WAITS], *by[Kind.AGAIN], *new)]

    def _propose(self, name: str, to_show: "Iterator[Step]") -> None:
        """Let reviews propose the nearest boxes, and what was decided; those of earlier runs go."""
        imported, any_before = self.imported, False
        while some := list(islice(to_show, 500)):
            boxes = [each for step in some if step.stands for each in _proposed(step)]
            imported.keep(name, "recut", boxes, more=any_before)
            any_before = True
        if not any_before and any(source.name == name for source in imported.sources()):
            imported.forget(name)

    # -- undoing -------------------------------------------------------------------------------

    def undo_operation(self, operation: str, *, with_later: bool = False) -> list[CropResult]:
        """Take one operation back, out of order where nothing stands on it.

        Parameters
        ----------
        operation : its id, or the first characters of it
        with_later : first take back, newest first, what stands on it

        Raises
        ------
        NothingToUndo
            When there is no such operation, or it was taken back.
        """
        chosen = self.trail.operations.undoable_by_id(operation)
        if len(chosen) != 1:
            raise NothingToUndo(operation)
        try:
            every = [readable(each) for each in chosen]
            while with_later and (later := self.trail.operations.later_on(every[-1])):
                every.append(readable(later))
                self.scope.check(every[-1].image)
        except TrailDisagrees as error:  # of what stands on it nobody can tell
            return [refusal(error.args[0], None, error)]
        return [each.result for undone in reversed(every) for each in self.undoer.restore(undone)]

    def undo(
        self,
        *paths: StrPath,
        last: int = 1,
        everything: bool = False,
        keep_current: bool = False,
    ) -> list[CropResult]:
        """Bring files back byte for byte, newest operation first.

        Parameters
        ----------
        paths : only these images; none means the whole collection
        last : how many operations to take back (of each image, when images are named)
        everything : take back all of them
        keep_current : set a file aside that was changed since, instead of refusing

        Raises
        ------
        NothingToUndo
            When nothing is left to take back.
        """
        count = None if everything else last
        newest = self.trail.operations.newest_undoable()
        chosen = chosen_to_undo(self.root, newest, self.trail.operations.undoable_of, paths, count)
        return [
            outcome.result
            for operation in chosen
            for outcome in self.undoer.restore(operation, keep_current=keep_current)
        ]

    def redo(self, *paths: StrPath, last: int = 1) -> list[CropResult]:
        """Take undos back, newest first: the crop stands again, byte for byte.

        Raises
        ------
        NothingToUndo
            When nothing was undone.
        """
        newest = self.trail.operations.newest_redoable()
        chosen = chosen_to_undo(self.root, newest, self.trail.operations.redoable_of, paths, last)
        return [each.result for operation in chosen for each in self.undoer.restore(operation)]

    def originals(self, *paths: StrPath) -> list[KeptOriginal]:
        """List the originals that undo would bring back, oldest first: of all, or of each image.

        Of all, an operation that cannot be read is in the log alone.

        Raises
        ------
        NothingToUndo, TrailDisagrees
            Of an image that was named there is nothing, or it cannot be read.
        """
        undoable, lost = ([], []) if paths else self.trail.operations.looked_through()
        for error in lost:
            _log.warning("%s", error)
        for path in paths:
            undoable += self._undoable_of(path)[::-1]
        return copying_out.listed(self.locations, undoable)

    def _undoable_of(self, path: StrPath) -> list[Operation]:
        chosen = chosen_to_undo(self.root, (), self.trail.operations.undoable_of, [path], None)
        return [readable(each) for each in chosen]

    def copy_original(self, path: StrPath, to: StrPath) -> Path:
        """Write what an image was before its first crop to a new file, durably and proven.

        Raises
        ------
        NothingToUndo, NameTaken, OriginalPurged, OriginalDamaged, TrailDisagrees
            Nothing was written over.
        """
        undoable = self._undoable_of(path)
        of_content = [operation for operation in undoable if operation.kept_its_original]
        if not of_content:
            raise NothingToUndo(str(path))
        return copying_out.copied(self.locations, of_content[-1], Path(to).parent, Path(to).name)

    def accept_changes(self, *paths: StrPath) -> list[AcceptedChange]:
        """Say that images were deleted, renamed or edited on purpose: no difference any more.

        Undo goes on bringing their originals back.

        Parameters
        ----------
        paths : only these images or copies; none means all that are not as they were written, but
            for those that cannot be read, and the `hidden_images`: nobody knows what became of them
        """
        from cropkit.engine.fsck import changed_images  # noqa: PLC0415  (only where it is needed)

        wanted = {name_of(self.root, path) for path in paths}
        unseen = set() if wanted else self.hidden_images()
        changed = [each for each in changed_images(self.locations, self.trail) if each.is_read]
        changes = [
            AcceptedChange(each.difference.path, each.was, each.now)
            for each in changed
            if (not wanted or each.difference.path in wanted) and each.difference.path not in unseen
        ]
        for change in changes:
            self.trail.accept(change.path, change.was, change.now)
        return changes

    def hidden_images(self) -> set[str]:
        """Name the images that are missing and may be there all the same, where nobody can see.

        Their folder is gone or empty, or another disk's in which no image is that was cropped here:
        one is not mounted, perhaps, or something is mounted over them.
        """
        from cropkit.engine.fsck import hidden_images  # noqa: PLC0415  (only where it is needed)

        return set(hidden_images(self.locations, self.trail))

    def purge(
        self, *, older_than: timedelta | None = None, keep_bytes: int | None = None
    ) -> list[CropResult]:
        """Remove kept originals on purpose, oldest first: audited, and not to be undone.

        So is what merges have left in `.cropkit/merged`, where all that was in it is kept here.

        Parameters
        ----------
        older_than : remove what has not been needed for longer
        keep_bytes : then remove the oldest until the rest fits; None sets no limit
        """
        return self.undoer.purge(older_than, keep_bytes)

    def merge(
        self, folder: StrPath, progress: "merging.Progress | None" = None
    ) -> "merging.Merged":
        """Join a collection that was made inside this one: its history becomes a part of ours.

        Each image that was cropped in it can be undone here; of one that was decided about in both,
        the later decision stands. Its `.cropkit` is kept in `.cropkit/merged`.

        Parameters
        ----------
        folder : of the inner collection
        progress : told how many files have been moved, and of how many

        Raises
        ------
        NotMergeable, NoCollection, AuditError
            Nothing has changed; `cropkit.engine.merging.merge` tells when.
        """
        from cropkit.engine import merging  # noqa: PLC0415  (only where it is needed)

        self.scope.check_is_whole()
        self.scope.check_is_inside(folder)
        return merging.merge(
            self.locations, self.trail, parameters.path_named("folder", folder), progress
        )

    def compact(self, progress: Callable[[int, int], object] | None = None) -> Compacted:
        """Let the trail take less room: nothing that it tells is lost.

        What is old in its export is packed into segments, whoever is at work meanwhile. The
        database is written anew, unless somebody else is at work or there is no room for that.

        Parameters
        ----------
        progress : told how many bytes of the export are done, and of how many

        Raises
        ------
        InsideCollection, AuditError, CropkitError
            Nothing is lost; what was done so far stands.
        """
        self.scope.check_is_whole()
        return self.trail.compact(progress)

    # -- settling, proving, telling ------------------------------------------------------------

    def recover(self, *, opening: bool = False, conflicts: bool = False) -> list[Recovered]:
        """Settle what a crash left open; runs at every open, but for conflicts."""
        done = recover(self.locations, self.trail, opening=opening, conflicts=conflicts)
        for recovered in done:
            known = {"session": self.session, "operation": recovered.operation}
            _log.warning(
                "recovered %s %s: %s",
                recovered.kind,
                recovered.path,
                recovered.outcome,
                extra=known,
            )
        return done

    def fsck(self, progress: Progress | None = None, *, resume: bool = False) -> "list[Difference]":
        """Name each difference between database and disk; [] proves that they agree.

        Parameters
        ----------
        progress : told what is gone through, how much of it is done, and how much there is
        resume : do not read again the files that a call has read which was cut off, at most seven
            days ago; what is no more as the trail says was not kept, and is read again
        """
        from cropkit.engine.fsck import Difference, fsck, proven  # noqa: PLC0415  (only where it is needed)

        with proven(self.locations, self.trail, resume=resume) as read:
            differences = fsck(self.locations, self.trail, progress, read)
        if (lost := self.imported.damage(deep=True)) is not None:
            differences.append(Difference("suggestions", SUGGESTIONS, lost))
        return differences

    def history(self, path: StrPath | None = None) -> "pd.DataFrame":
        """Return the audit trail as a table: one row for each event."""
        import pandas as pd  # noqa: PLC0415  (half a second that a crop does not need)

        name = None if path is None else split_beneath(self.root, path)
        return pd.DataFrame(self.trail.events(name))

    def decisions(self) -> "pd.DataFrame":
        """Return every decision with its outcome as a table."""
        import pandas as pd  # noqa: PLC0415  (as above)

        rows = self.trail.decisions.table()
        return pd.DataFrame([row | {"verdict": verdict_of(row)} for row in rows])

    def export(
        self,
        to: str,
        out: StrPath,
        *,
        verdicts: Sequence[str] = KEPT,
        slot: str | None = None,
        images: StrPath | None = None,
        image_prefix: str | None = None,
        label_as: str | None = None,
        beneath: bool = False,
    ) -> "Exported":
        """Write what was decided or cropped, in the form of other programs; return the counts.

        Written are the decisions in force, of each image and slot the latest that nobody took back,
        with boxes in upright pixels of the image as it was then; or the crops that stand. What is
        left out is counted by its reason. Of what cannot be read the log tells.

        Parameters
        ----------
        to : the format: "manifest", "coco", "yolo" and all others of docs/exports.md, or one whose
            writer is installed
        out : new file, or new folder where the format is one
        verdicts : of the decisions that are written: "accept", "adjusted", "kept-whole", "reject",
            "skip"
        slot : of the crops that are written; None: all
        images : COCO file whose ids "coco-results" writes
        image_prefix : that stands before each image's path, in what has addresses
        label_as : "annotations" or "predictions", for "label-studio"
        beneath : only crops that lie beneath the folder that is written to, of a collection with
            crops in several

        Raises
        ------
        BadParameterValue, NameTaken
            There is no such format, it has no use for an option, or the name is taken: nothing was
            written.
        AuditError
            The trail cannot be read: nothing was written.
        """
        from cropkit.exports import exporting  # noqa: PLC0415  (only where it is needed)
        from cropkit.exports.registry import options  # noqa: PLC0415  (as above)

        file = parameters.path_named("out", out).absolute()
        chosen = options(verdicts, slot, images, image_prefix, label_as, beneath=beneath)
        exported = exporting.export(self.trail, self.root, to, file, chosen)
        for sentence in exported.lost:
            _log.warning("%s", sentence)
        return exported

    def report(self, run: StrPath | None = None) -> Path:
        """Write the report of a batch's run anew, as `run.json` has it, and return its path.

        Parameters
        ----------
        run : its folder, or the name of one in `.cropkit/runs`; None: the latest run

        Raises
        ------
        RunIncomplete
            There is no such run, or it left no record: nothing was written.
        """
        needed("batch")
        from cropkit.runs import of_collection  # noqa: PLC0415  (templates: only where it is needed)

        return of_collection.report_of(self.locations, self.scope.state, run)

    def stats(self) -> "Stats":
        """Return pace, seconds an image and shares, of what people decided here."""
        from cropkit.monitor.reporting import figures_of  # noqa: PLC0415  (only where it is needed)

        return figures_of(self.trail)

    def summary(self) -> dict[str, Any]:
        """Return the counts, as a notebook's last cell shows them."""
        return asdict(self.counts())

    @property
    def destination(self) -> str | None:
        """Folder that crops go to of which no decision says where; None: they stay in place."""
        return self.placement.folder

    def _made(self, asked: Ways) -> str | None:
        """Make the folder that crops go to, and name it as the collection does.

        Raises
        ------
        BadDestination
            Copies would stand among their images.
        """
        if asked.folder is None:
            return None
        folder = destinations.resolved(parameters.path_named("destination", asked.folder))
        _make_durable(folder, self.files.system)
        name = named_beneath(self.scope, folder)
        if name is None and asked.copies:
            raise BadDestination(folder, "its images are there, and would be cropped in place")
        return name

    def _destinations(self, asked: Placement) -> tuple[Path, ...]:
        """Return the folders elsewhere that this person has named, now or earlier."""
        is_elsewhere = asked.folder is not None and asked.folder.startswith("/")
        mine = (Path(asked.folder or ""),) if is_elsewhere else ()
        try:
            for folder in mine:
                destinations.remember(self.root, folder)
            return (*mine, *destinations.named(self.root))
        except PersonalStateUnusable as error:
            place = asked.folder or str(self.root)
            self._unremembered.append(Problem(ProblemKind.DESTINATION, place, str(error)))
            return mine


def _checked(
    folder: StrPath, reviewer: str | None, trail: str | None
) -> tuple[Path, str | None, str | None]:
    """Return what a person has named, each of the kind that it has to be."""
    path = parameters.path_named("folder", folder)
    name = None if reviewer is None else parameters.text("reviewer", reviewer)
    return path, name, None if trail is None else parameters.text("trail", trail)


def _with_choice(scope: Scope, given: "Given | None") -> Scope:
    """Return what is meant of a folder; labels and filters are of boxes that were imported.

    Raises
    ------
    BadParameterValue
        It is no choice.
    ForeignState, BadSuggestion
        What was imported may not be looked at, or cannot be read.
    """
    if given is None:
        return scope

    def imported() -> Imported:
        state_folder.check(scope.state)
        return Imported(scope.state)

    chosen = read_only(given, scope.part, lambda name: (scope.root / name).is_dir(), imported)
    return replace(scope, only=chosen)


def _cut(box: PixelBox, fit: Fit | None, image: Size, turn: Turn) -> PixelBox:
    """Return the box that is cut: for a target the one that fits, moved to where it is inside."""
    if fit is None:
        return box
    cut = fit.box.turned(image.turned(turn), turn.inverse)
    inside = nearest(cut, image, turn)
    return inside if inside.size == cut.size else cut


def _proposed(step: "Step") -> Iterator[Kept]:
    decision = step.decision
    if decision is None or decision.box is None or decision.suggestion is None:
        return
    boxes = (decision.box.normalized(decision.size), decision.suggestion.box)
    for rank, box in enumerate(dict.fromkeys(boxes)):
        yield Kept(step.path, decision.sha256, decision.size, box, rank=rank, author=decision.slot)


def _make_durable(folder: Path, system: ModuleType) -> None:
    """Make a folder whose name survives a power cut, as that of every image in it will have to."""
    stood = folder.is_dir()
    if stood and folder == folder.parent:  # the root of the system has no name
        return
    above = next(each for each in folder.parents if each.is_dir())
    try:
        Root(above, system).make_folder(folder.relative_to(above).as_posix())
    except ReadOnly:
        if not stood:  # one may be used whose parent may not be read
            raise


def rebuild(folder: StrPath, state: StrPath | None = None) -> int:
    """Make a lost database anew from the trail's export; return how many events were played."""
    return rebuilt(Root(scope_of(Path(folder), parameters.state_named(state)).state))
