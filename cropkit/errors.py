"""Every error of cropkit, cut by what happened to the file and so by what the caller does next.

CropkitError
 ├── Refused               nothing was written; the file is as it was; the rest goes on
 │    ├── BadBox             empty, inverted or outside the image
 │    ├── BadDecision        a decision that does not make sense
 │    ├── BadSuggestion      a suggestion that cannot be used: the full image is shown
 │    ├── StaleDecision      the file is not what the reviewer saw
 │    │    └── StaleBox          the crop would not hold the box that the reviewer saw
 │    ├── Overtaken          somebody else decided otherwise, took it back, or failed at it
 │    ├── PathOutsideRoot    a path that leaves the collection, or goes through a link
 │    ├── MissingFile        no such file or folder
 │    ├── NotAFolder         a file, where a collection's folder is meant
 │    ├── NotRegularFile     a link, folder, pipe or device
 │    ├── ReadOnly           the folder or the file system does not let us write
 │    │    └── SourceReadOnly    so that it cannot be cropped in place; its state is elsewhere
 │    ├── SecondState        the folder has another state: nothing is cropped in place from here
 │    ├── DestinationGone    the folder that its crop goes to was removed since; the decision waits
 │    ├── TooSmall           it would have to be enlarged to be of the size that is wanted
 │    ├── OtherRatio         the crop is not of the ratio of the size that is wanted
 │    ├── UnsuitableFormat   the format that is wanted has no place for what the file holds
 │    ├── UnsuitableTurn     its own format cannot be turned there without a loss
 │    ├── NoSpace            not enough room for the crop and its original
 │    ├── LosslessUnavailable no libjpeg answers that copies coefficients; the decision waits
 │    ├── PartMissing        a package that its format needs is not installed; the decision waits
 │    ├── CannotSign         something about the signer's certificate or key; the decision waits
 │    ├── NameTaken          the destination has that name already
 │    ├── CompanionStale     a file beside the image would be wrong; the decision waits
 │    ├── Busy               another operation has claimed the file
 │    ├── NothingToUndo      no finished operation is left to undo
 │    ├── LaterOperation     a later operation stands on the one to be undone
 │    ├── ChangedSinceCrop   undo would lose what was done to the file since
 │    ├── OriginalDamaged    the kept original is not what it was: it cannot be brought back
 │    ├── TrailDisagrees     a row of the database is not what the trail tells: it is left alone
 │    ├── OriginalPurged     the original was purged on purpose
 │    ├── StillNeeded        what a merge has left, with something in it that is nowhere else
 │    ├── ReaderDied         the process that reads images ended on it
 │    ├── ApplierStopped     the process that writes crops was told to stop; the decision waits
 │    ├── TooCostly          to read it takes more time, memory or output than one file may
 │    ├── UnreadableImage    EmptyFile, Truncated, CorruptImage
 │    └── UnsupportedImage   UnknownFormat, WrongExtension, UnsupportedFormat, AnimatedImage,
 │                           MultiPage, GainMap, Provenance, UnfitCredentials, TrailingData,
 │                           UnsupportedDepth, TooLarge, TooManyParts
 ├── Failed                the candidate was discarded; the original stands
 │    ├── RunIncomplete      a batch ended, and not every item of it well
 │    ├── VerificationFailed what was read back is not what was meant
 │    ├── WriteFailed        the operating system said no on the way
 │    └── ApplierDied        the process that writes crops ended while it worked on it
 ├── InDoubt               files are whole, but trail and disk must be reconciled: `cropkit recover`
 │    └── Conflict           somebody else's content is in the way: nothing was touched
 ├── AuditError            work must stop
 │    ├── AuditUnavailable   the trail cannot be opened or written
 │    │    ├── DiskFull      no bytes, no inodes or no quota is left
 │    │    └── AuditTooNew   a newer cropkit made it
 │    ├── OnlyLooking        no state is there, and none can be made: nothing is recorded
 │    ├── AuditMissing       the database is gone, what it was about is there
 │    ├── AuditBehind        the database is older than its own export, or another one
 │    ├── TrailForged        the trail is not the one that its seals vouch for
 │    ├── StateNotAdopted    somebody else may have made `.cropkit`, and it could do harm
 │    ├── KeyUnusable        the key that CROPKIT_KEY names cannot be used
 │    ├── AuditLocked        somebody holds the trail for longer than the deadline
 │    ├── TakenOver          another went on with it while this session was stopped for too long
 │    ├── AuditCorrupt       the trail does not agree with itself
 │    ├── ForeignState       somebody else made `.cropkit`, or it leads out of the collection
 │    ├── AnotherFolder      the trail on a server is that of another folder: this may be a copy
 │    ├── NetworkFileSystem  SQLite is not safe there
 │    └── UnfitToShare       several machines would not be kept apart there
 ├── BadInput              no image is concerned: what was asked for makes no sense; ask otherwise
 │    ├── BadTrail           no address of a server that could hold a trail
 │    ├── BadHead            what no head of a trail can be read of
 │    ├── BadSetting         a collection has no such choice
 │    ├── BadTarget          a wanted size, or a rule for some, that makes no sense
 │    ├── BadFraming         subjects, or a rule, that no crop can be put around by
 │    ├── BadTaste           a file of which nothing learned can be read, or too few decisions
 │    ├── BadPlan            no plan of what a person has to see, or none for what was asked
 │    ├── TooFewDecisions    nothing can be promised of the images that nobody has seen, yet
 │    ├── BadDestination     a folder that crops cannot go to
 │    ├── BadSlot            a name that no crop of an image can have
 │    ├── BadTurn            no quarter turn, mirror image or angle of up to 45 degrees
 │    ├── BadStatePlace      a place that cannot hold the state of a folder
 │    ├── CopiesOnly         a choice for copies, where images are cropped themselves
 │    ├── BadConfiguration   alerts.toml says what nobody understands
 │    ├── BadKeymap          keys that cannot be bound so: the review does not start
 │    ├── BadParameter       a notebook has no parameter of that name
 │    ├── BadParameterValue  a text that is no value of the parameter's type
 │    ├── BadParameterFile   a file of parameters that cannot be used
 │    ├── NoCollection       a folder in which nothing was reviewed or cropped yet
 │    ├── InsideCollection   a folder in a collection, where the whole collection is meant
 │    ├── NotShareable       a collection that cannot be shared with a group, or not by this user
 │    ├── NotMergeable       a collection that cannot be joined to the one around it
 │    ├── NoImages           a folder in which there is nothing to review
 │    └── IllegalMove        the review cannot do that now; nothing changed
 └── NotWorking            no image is concerned: something around cropkit does not work; mend that
      ├── LabUnavailable     JupyterLab did not start
      ├── CellFailed         a notebook stopped at an error
      ├── DeliveryFailed     a sink did not take an alert
      ├── CannotShow         a notebook that cannot show a review: it runs in no Jupyter
      ├── NotInstalled       a command needs a package that is not there
      ├── SystemRefused      the operating system said no beside images and trail
      ├── PersonalStateUnusable  what this person approved or declared cannot be read or kept
      ├── WorkersUnavailable nobody is there, or left, to whom work could be given
      ├── UnfitWorker        a worker of another host, folder or version: it touched nothing
      └── NotReady           a batch did not start: something is in its way

An error carries facts, positionally, and formats them in ``str()``: it pickles across processes.
"""

from typing import ClassVar


class CropkitError(Exception):
    """Root of the tree. ``code`` is the stable name, ``cure`` says what the person can do."""

    template: ClassVar[str] = "{0}"
    cure: ClassVar[str] = ""
    status: ClassVar[str] = "failed"
    #: Whether the cause lies outside of the file, so that a decision about it waits on.
    passes: ClassVar[bool] = False

    def __init__(self, *facts: object) -> None:
        super().__init__(*facts)

    @property
    def code(self) -> str:
        """The error's name: what `crop --json` and the audit trail call it."""
        return type(self).__name__

    def __str__(self) -> str:
        message = self.template.format(*self.args)
        return f"{message}. {self.cure.format(*self.args)}" if self.cure else message


class Refused(CropkitError):
    """Nothing was written and nothing was lost."""

    status = "refused"


class BadBox(Refused, ValueError):
    """(box, reason[, path]): the box is empty, inverted or outside."""

    template = "crop box {0}: {1}"
    cure = "Give left, top, right, bottom in upright pixels, inside the image"

    def about(self, path: str) -> "BadBox":
        """Return the same complaint with the file that the box is for."""
        return BadBox(*self.args[:2], path)

    def __str__(self) -> str:
        path = self.args[2:]
        return f"{path[0]}: {super().__str__()}" if path else super().__str__()


class BadDecision(Refused, ValueError):
    """(path, reason): the decision does not make sense and is not recorded."""

    template = "{0}: the decision was not recorded: {1}"


class BadSuggestion(Refused, ValueError):
    """(where, reason): the suggestion cannot be used."""

    template = "{0}: suggestion not used: {1}"


class StaleDecision(Refused):
    """(path, sha256 reviewed, sha256 found)."""

    template = "{0}: changed on disk after it was shown (reviewed {1:.12}, found {2:.12})"
    cure = "Nothing was cropped; look at it again"


class StaleBox(StaleDecision):
    """(path, box shown, box that would be written)."""

    template = "{0}: was shown with the box {1}, and {2} would be written now"
    cure = "Nothing was cropped; look at it again"


class Overtaken(Refused):
    """(path, what came first): somebody else settled the decision, and not as it was meant."""

    template = "{0}: {1}"
    cure = "Look at the image again (`cropkit history` tells what became of it)"


class PathOutsideRoot(Refused):
    """(path, root)."""

    template = "{0}: not inside {1}"
    cure = (
        "Paths stay beneath the collection (the part of it that you have named), or a destination"
        " that you have named (`cropkit destinations`), and do not go through links"
    )


class MissingFile(Refused):
    """(path)."""

    template = "{0}: no such file or folder"


class NotAFolder(Refused):
    """(path)."""

    template = "{0}: not a folder"
    cure = "Name the folder that holds the images"


class NotRegularFile(Refused):
    """(path)."""

    template = "{0}: not a regular file"
    cure = "Links, folders, pipes and devices are not cropped"


class ReadOnly(Refused):
    """(path, the system's word)."""

    template = "{0}: the system does not permit it ({1})"
    cure = "Give yourself permission to the file and its folder, or work on a copy"
    passes = True


class SourceReadOnly(ReadOnly):
    """(path, the system's word): the state is elsewhere, and decisions are recorded."""

    template = "{0}: its folder cannot be written ({1}), so that nothing is cropped in place"
    cure = "Copies are the way out (`--copy-to`), or permission to write"


class SecondState(Refused):
    """(path, the folder's first state)."""

    template = "{0}: its folder has another state, {1}, which would not know of a crop in place"
    cure = "Use that one, or say that you want both: `cropkit where FOLDER --state DIR --second`"
    passes = True


class DestinationGone(Refused):
    """(name of the crop, the destination): it was there when the collection was opened."""

    template = "{0}: its destination {1} is not there any more"
    cure = "Bring it back, or mount its disk; nothing was written, and `cropkit apply` goes on"
    passes = True


class TooSmall(Refused):
    """(path, what is too small, with its size, target, factor): nothing was written."""

    template = "{0}: {1}, would be enlarged {3} times to be {2}"
    cure = "Choose a larger box or a smaller size, or allow it: `--allow-upscale`"


class OtherRatio(Refused):
    """(path, size of the crop, size that is wanted): nothing was written."""

    template = "{0}: a crop of {1} is not of the ratio of {2}, and is never stretched"
    cure = "Snap the box to that size, or scale it to fit: `--scale-to-fit`"


class UnsuitableFormat(Refused):
    """(path, what it holds, format, what can be done): nothing was written."""

    template = "{0}: {1} cannot be written as {2}: {3}"


class UnsuitableTurn(Refused):
    """(path, why, what can be done): nothing was written."""

    template = "{0}: cannot be turned in its own format without a loss: {1}. {2}"


class NoSpace(Refused):
    """(path, bytes needed, bytes free), or (path, what is used up)."""

    template = "{0}: the disk is full: needs {1} bytes, {2} are free"
    cure = "Make room on the disk; nothing was written"
    passes = True

    def __str__(self) -> str:
        path, needed, *free = self.args
        if not free:
            return f"{path}: {needed}. {self.cure}"
        words = self.template.format(path, needed, free[0])
        if isinstance(needed, int) and isinstance(free[0], int):
            words += f": {needed - free[0]} are missing"
        return f"{words}. {self.cure}"


class ApplierStopped(Refused):
    """(path, signal's name): somebody stopped the process that writes crops, not the image."""

    template = "{0}: the process that writes crops was stopped ({1}); the decision waits"
    cure = "`cropkit apply FOLDER`, or the next review, carries it out"
    passes = True


class LosslessUnavailable(Refused):
    """(path, reason): there is no libjpeg now that copies coefficients, or none that answers."""

    template = "{0}: cannot be cropped without loss now: {1}"
    cure = (
        "Nothing was written; give it memory and descriptors and run `cropkit apply FOLDER`,"
        " or encode such files anew: `cropkit settings FOLDER --jpeg lossless-or-exact`"
    )
    passes = True


class PartMissing(Refused):
    """(path, package): its format is read or written by a package that is not installed."""

    template = "{0}: needs {1}, which is not installed"
    cure = "Nothing was written; `pip install {1}`, then `cropkit apply FOLDER`"
    passes = True


class CannotSign(Refused):
    """(path, reason): its crop is to be signed by this person, and cannot be."""

    template = "{0}: its content credentials cannot be signed: {1}"
    cure = (
        "Nothing was written; mend that, then `cropkit apply FOLDER`, or sign no more:"
        " `cropkit settings FOLDER --provenance refuse`"
    )
    passes = True


class NameTaken(Refused):
    """(path, name in the way)."""

    template = "{0}: {1} exists already and is never overwritten"
    cure = "Rename or remove it, or choose another destination"


class CompanionStale(Refused):
    """(path, the file beside it, why): nothing was written."""

    template = "{0}: {1} beside it would be wrong, and {2}"
    cure = (
        "Move it away or rewrite it yourself, or have it left as it is and told: "
        "`cropkit settings FOLDER --companions tell`"
    )
    passes = True


class Busy(Refused):
    """(path)."""

    template = "{0}: another operation is at work on it"
    cure = "Try again when it has ended, or run `cropkit recover`"


class NothingToUndo(Refused):
    """(path or folder)."""

    template = "{0}: nothing to undo"


class LaterOperation(Refused):
    """(path, operation asked, operation that stands on it)."""

    template = "{0}: operation {1:.8} cannot be undone before {2:.8}, which stands on it"
    cure = "`cropkit undo FOLDER --operation {1:.8} --with-later` undoes that first, then this one"


class ChangedSinceCrop(Refused):
    """(path[, "copy"]): undo would lose what was done to the file since."""

    template = "{0}: changed since it was cropped: undo would lose that"
    cure = "`cropkit undo FOLDER IMAGE --keep-current` sets the file as it is aside first"

    def __str__(self) -> str:
        if len(self.args) > 1:  # its image was only read: there is no original to write
            return super().__str__()
        return f"{super().__str__()}, `--to FILE` writes the original elsewhere"


class OriginalDamaged(Refused):
    """(path, the copy that is wrong): the image stands as it is."""

    template = "{0}: {1} is not what was kept, so that it cannot be brought back"
    cure = "The image stands as it is. A backup's copy can be put there: its name is its SHA-256"


class TrailDisagrees(Refused):
    """(path, operation or decision, its id): a row of the database is not what the trail tells."""

    template = "{0}: the trail tells of {1} {2:.8} otherwise than the database: it is left alone"
    cure = "`cropkit fsck` names what was changed; `cropkit fsck --rebuild` mends it from the trail"


class OriginalPurged(Refused):
    """(path, sha256)."""

    template = "{0}: its original {1:.12} was purged"


class StillNeeded(Refused):
    """(what was to be removed, reason): it stays."""

    template = "{0}: is not removed: {1}"
    cure = "It stays; copy out what is in it, then remove it by hand"


class ReaderDied(Refused):
    """(path, exit code): a decoder brought its process down, twice."""

    template = "{0}: the process that reads images ended on it (exit code {1})"
    cure = "The file stands; it may be broken, or memory was short"


class TooCostly(Refused):
    """(path, how much one file may cost, variable that sets it): it was given up at that."""

    template = "{0}: costs more than one file may: {1} ({2})"
    cure = "Leave it out, or set a higher limit if the file is trusted"


class UnreadableImage(Refused):
    """(path, reason)."""

    template = "{0}: cannot be read as an image: {1}"
    cure = "Fetch it again from where it came"


class EmptyFile(UnreadableImage):
    """(path): zero bytes."""

    template = "{0}: the file is empty (0 bytes)"
    cure = "Fetch it again, or move it out of the folder"


class Truncated(UnreadableImage):
    """(path, reason)."""

    template = "{0}: the file ends too early: {1}"
    cure = "Fetch it again; what can be read of a JPEG or PNG is cropped with `--salvage`"


class CorruptImage(UnreadableImage):
    """(path, reason)."""

    template = "{0}: the image data is damaged: {1}"
    cure = (
        "Fetch it again, save it anew from a program that still opens it, or crop what can be read "
        "of a PNG with `--salvage`"
    )


class UnsupportedImage(Refused):
    """(path, reason): the file is fine, but cannot be rewritten faithfully."""

    template = "{0}: cannot be cropped faithfully: {1}"


class UnknownFormat(UnsupportedImage):
    """(path): no image format that we know."""

    template = "{0}: not an image of a known format"
    cure = "Move it out of the folder"


class WrongExtension(UnsupportedImage):
    """(path, format found)."""

    template = "{0}: the content is {1}, which the name does not say"
    cure = (
        "Rename it to its true extension, or have the content decide: "
        "`cropkit settings FOLDER --drop extension`"
    )


class UnsupportedFormat(UnsupportedImage):
    """(path, format)."""

    template = "{0}: {1} is not written yet, and never degraded"
    cure = (
        "Crop it into a new file, `--copy-to OUT --format png`, where it can be decoded; a HEIC in "
        "its own file, without loss and larger, with `cropkit settings FOLDER --heic exact`"
    )


class AnimatedImage(UnsupportedImage):
    """(path, frames): cropping would keep the first frame only."""

    template = "{0}: an animation of {1} frames"
    cure = (
        "Crop it in a program for animations: here, only a still is left, in a new file: "
        "`--copy-to OUT --format png`"
    )


class MultiPage(UnsupportedImage):
    """(path, pages)."""

    template = "{0}: has {1} images in one file"
    cure = (
        "A motion photo's video goes with `cropkit settings FOLDER --drop motion`, other pictures "
        "of a JPEG or HEIC with `--drop gain-map`; else the first can be cropped into a new file: "
        "`--copy-to OUT --format png`"
    )


class GainMap(UnsupportedImage):
    """(path, what): a second picture that shows the uncropped scene."""

    template = "{0}: holds a second, uncropped picture ({1})"
    cure = (
        "That of a JPEG or HEIC goes with `cropkit settings FOLDER --drop gain-map`, a depth map "
        "with `--drop depth`; else crop into a new file without it: `--copy-to OUT --format png`"
    )


class Provenance(UnsupportedImage):
    """(path): a signed manifest that a crop would break."""

    template = "{0}: holds signed content credentials (C2PA), which a crop would break"
    cure = (
        "They go with `cropkit settings FOLDER --drop provenance`; else crop into a new file "
        "without them: `--copy-to OUT --format png`"
    )


class UnfitCredentials(UnsupportedImage):
    """(path, reason): no crop can be signed on the strength of what the file says of itself."""

    template = "{0}: its content credentials cannot be kept: {1}"
    cure = "They go with `cropkit settings FOLDER --provenance refuse --drop provenance`"


class TrailingData(UnsupportedImage):
    """(path, bytes): what follows the image may show what is cropped out."""

    template = "{0}: {1} bytes follow the end of the image, and may show what is cropped out"
    cure = "They go with `cropkit settings FOLDER --drop trailing`; all else stays as it is"


class UnsupportedDepth(UnsupportedImage):
    """(path, mode)."""

    template = "{0}: pixels of kind {1} would lose precision"
    cure = "Convert a copy to PNG, or to an 8-bit baseline or progressive JPEG, and crop that"


class TooLarge(UnsupportedImage):
    """(path, pixels, limit)."""

    template = "{0}: {1} pixels are over the limit of {2}"
    cure = "Raise the limit if the file is trusted (CROPKIT_MAX_PIXELS)"


class TooManyParts(UnsupportedImage):
    """(path, what, limit): it has more of something than any program needs."""

    template = "{0}: has more than {2} {1}"
    cure = "Save it anew from a program that you trust, then crop that"


class Failed(CropkitError):
    """The candidate was discarded; the original stands, byte for byte."""


class RunIncomplete(Failed):
    """(folder, what is wrong): items that did not end well; each original stands."""

    template = "{0}: {1}"


class VerificationFailed(Failed):
    """(path, reason)."""

    template = "{0}: the written crop did not verify and was discarded: {1}"
    cure = "The original stands"


class WriteFailed(Failed):
    """(path, the system's word)."""

    template = "{0}: could not be written: {1}"
    cure = "The original stands"


class ApplierDied(Failed):
    """(path, exit code): twice, so that it is not tried a third time."""

    template = "{0}: the process that writes crops ended twice on it (exit code {1})"
    cure = "The original stands; was memory short?"


class InDoubt(CropkitError):
    """(path, operation, reason): every file is whole; recovery settles which one it is."""

    template = "{0}: operation {1:.8} is in doubt: {2}"
    cure = "Files are whole; run `cropkit recover`"
    status = "in-doubt"


class Conflict(InDoubt):
    """(path, operation, reason): content that is neither before nor after."""

    template = "{0}: operation {1:.8} met content that is not its own: {2}"
    cure = "Nothing was touched; `cropkit fsck` names the files"


class AuditError(CropkitError):
    """No audit, no work: whoever catches this stops."""


class AuditUnavailable(AuditError):
    """(folder, reason)."""

    template = "{0}: the audit trail cannot be opened or written: {1}"
    cure = "Nothing is cropped without it"


class DiskFull(AuditUnavailable):
    """(folder, what is used up): bytes, inodes or a quota."""

    template = "{0}: the audit trail cannot be written: {1}"
    cure = "Make room; `cropkit purge FOLDER --older-than 30d` works all the same. Nothing is lost"


class AuditTooNew(AuditUnavailable):
    """(folder, its format, the format that is known here)."""

    template = "{0}: made by a newer cropkit (format {1}, this one knows {2})"
    cure = "Use that version, or a newer one; nothing was opened"


class OnlyLooking(AuditError):
    """(folder, the system's word, command that keeps a state elsewhere): nothing was recorded."""

    template = (
        "{0}: is only looked at: it has no state, and none can be made in it ({1}); `{2}` keeps one"
        " elsewhere"
    )


class AuditMissing(AuditError):
    """(folder, name of the database)."""

    template = "{0}: originals are kept here, but their database {1} is gone"
    cure = (
        "Put it back from a copy, on a server from its backup, or make it anew: `cropkit fsck"
        " FOLDER --rebuild`"
    )


class AuditBehind(AuditError):
    """(folder, file, event, its hash, last event of the database, its hash): it was put back."""

    template = (
        "{0}: {1} tells of event {2} ({3:.12}), which the database does not know: it ends with"
        " event {4} ({5:.12}), and is not the latest"
    )
    cure = (
        "Bring the latest database back, on a server from its backup, or make it anew: `cropkit"
        " fsck FOLDER --rebuild`"
    )


class TrailForged(AuditError):
    """(folder, what does not fit): nothing was written."""

    template = "{0}: the audit trail was forged, cut off or put back: {1}"
    cure = (
        "Find out who did it; `cropkit fsck FOLDER --rebuild` makes it anew from the export and"
        " keeps what it was, `cropkit adopt FOLDER` accepts a backup that you have put back"
    )


class StateNotAdopted(AuditError):
    """(folder, what it could do): nothing was written."""

    template = "{0}: its .cropkit is not known to be yours, and would not be left as it is: {1}"
    cure = "`cropkit adopt FOLDER` shows what it would do, and makes it yours"


class KeyUnusable(AuditError):
    """(file, what is wrong with it): no collection was opened to write."""

    template = "{0}: CROPKIT_KEY names no key to seal the audit trail with: {1}"
    cure = "Correct the file or the variable, or unset it to use your own key"


class AuditLocked(AuditError):
    """(folder, seconds waited)."""

    template = "{0}: the audit trail has been locked by another program for {1:g} s"
    cure = "Close that program, or wait; nothing is cropped without the trail"


class TakenOver(AuditError):
    """(folder, seconds of silence)."""

    template = (
        "{0}: this session was silent for more than {1:g} s, and another has taken over what it"
        " had begun"
    )
    cure = "Open the collection again: nothing is lost, and what was begun is settled"


class AuditCorrupt(AuditError):
    """(folder, reason)."""

    template = "{0}: the audit trail does not agree with itself: {1}"
    cure = "Stop, keep the folder as it is, and run `cropkit fsck`"


class ForeignState(AuditError):
    """(file, what is wrong with it): nothing was read or written."""

    template = "{0}: not opened: {1}"
    cure = "Somebody else may have made it: look at it, then remove it or make it your own"


class AnotherFolder(AuditError):
    """(folder, the one that its trail is that of, as far as the server tells)."""

    template = (
        "{0}: on the server its trail is that of another folder, {1}: each would tell of what"
        " happened in the other"
    )
    cure = (
        "If this is a copy, work in the other; if it was brought to another disk, or back from a"
        " backup, `cropkit where FOLDER --moved` says so. Nothing was opened"
    )


class NetworkFileSystem(AuditError):
    """(folder, file system type, command that keeps the state elsewhere)."""

    template = "{0}: on {1}, where SQLite is not safe; `{2}` keeps its state elsewhere"
    cure = (
        "Name a folder on a disk of this machine; for several machines, a server of PostgreSQL"
        " (`--trail`) lets the state lie on NFS"
    )


class UnfitToShare(AuditError):
    """(folder, why it keeps no machines apart, command that keeps its state elsewhere)."""

    template = "{0}: {1}; `{2}` keeps its state elsewhere"
    cure = "Mount it as NFS 4.1 or newer, hard, with the server's own locks"


class BadInput(CropkitError):
    """No image is concerned: what was asked for makes no sense, and nothing was begun."""

    status = "refused"


class BadTrail(BadInput, ValueError):
    """(what was given, without a password; what is wrong with it): nobody was asked."""

    template = "trail {0}: {1}"
    cure = (
        "Write postgresql://USER@HOST/DATABASE, and the password into ~/.pgpass or PGPASSWORD; or"
        " sqlite, for a file of the collection's own"
    )


class BadHead(BadInput):
    """(what was given, what is wrong with it): nothing was compared."""

    template = "{0}: no head of a trail: {1}"
    cure = "Give SEQ:HASH, or a file of lines that `cropkit heads FOLDER` prints"


class BadTaste(BadInput):
    """(file or folder, what is wrong with it): nothing was learned, or taken as learned."""

    template = "{0}: {1}"
    cure = (
        "`cropkit suggest --train-head DATASET --out HEAD` learns from crops, and writes a new file"
    )


class BadPlan(BadInput):
    """(folder or file, what is wrong with it): nothing was planned, and nothing accepted."""

    template = "{0}: {1}"


class TooFewDecisions(BadInput):
    """(folder, how many of its sample are decided, how many more are needed at least)."""

    template = "{0}: {1} of the sample are decided; at least {2} more are needed for any promise"
    cure = "`cropkit review FOLDER` shows them by its filter *unsure* (I)"


class BadSetting(BadInput, ValueError):
    """(name, value, what there is): the setting was not changed."""

    template = "setting {0}: there is no {1!r}; choose from {2}"


class BadTarget(BadInput, ValueError):
    """(what was given, what is wrong with it): no box was fitted."""

    template = "target {0!r}: {1}"
    cure = "Write 1024x1024, a ratio as 4:5, a rule as step=64,area=1024x1024,min=512,max=2048"


class BadFraming(BadInput, ValueError):
    """(what, reason): no box was put around the subjects."""

    template = "{0}: {1}"
    cure = "Give subjects in upright pixels: left, top, right, bottom"


class BadDestination(BadInput, ValueError):
    """(folder, reason): crops cannot go there."""

    template = "{0}: crops cannot go there: {1}"
    cure = "Choose another folder, beside or inside the collection"


class BadSlot(BadInput, ValueError):
    """(name, reason): no crop of an image can be called so."""

    template = "slot {0!r:.60}: {1}"
    cure = (
        "Use letters, digits, and between them blanks, dots, plus, minus and underscores: at most"
        " 40 characters"
    )


class BadTurn(BadInput, ValueError):
    """(what was asked for): no quarter turn, no mirror image, and no fine angle."""

    template = "turn {0!r:.60}: crops are turned by quarters, and mirrored, or by up to 45 degrees"
    cure = (
        "Use 0, 90, 180 or 270 degrees clockwise, then horizontal or vertical for a mirror image;"
        " an angle from -45 to 45, of hundredths of a degree, straightens"
    )


class BadStatePlace(BadInput, ValueError):
    """(place, reason): nothing was made."""

    template = "{0}: cannot hold the state that is meant: {1}"
    cure = "`cropkit where FOLDER` tells which state is used, and why"


class CopiesOnly(BadInput, ValueError):
    """(what was chosen): no copies are made: the image itself keeps its format, and its pixels."""

    template = "{0}: that is for copies, and images are to be cropped themselves"
    cure = "Choose a folder for copies (--copy-to DIR), or leave it out"


class BadConfiguration(BadInput, ValueError):
    """(file, complaint): no sink that it names is used."""

    template = "{0}: {1}"
    cure = "docs/alerts.md says what may stand there"


class BadKeymap(BadInput, ValueError):
    """(file or preset, reason): no key was bound."""

    template = "{0}: {1}"
    cure = "docs/keys.md lists the names of actions and keys"


class BadParameter(BadInput, ValueError):
    """(notebook, name, names it has): nothing was run."""

    template = "{0}: no parameter is called {1!r}; it has {2}"


class BadParameterValue(BadInput, ValueError):
    """(notebook, name, text, type): nothing was run."""

    template = "{0}: parameter {1} cannot be {2!r}: it is a {3}"


class BadParameterFile(BadInput, ValueError):
    """(file, reason): nothing was run."""

    template = "{0}: parameters not used: {1}"


class NoCollection(BadInput):
    """(folder): nothing was reviewed or cropped there yet; nothing was made."""

    template = "{0}: no collection: nothing was reviewed or cropped there yet"
    cure = "Name the folder that has a `.cropkit`; `cropkit review FOLDER` begins a new collection"


class InsideCollection(BadInput):
    """(folder, the collection it is in, reason): nothing was made or changed."""

    template = "{0}: is in the collection {1}: {2}"
    cure = "Name {1}"


class NotShareable(BadInput):
    """(folder, reason): nobody was given anything, and nobody else is trusted."""

    template = "{0}: not shared: {1}"


class NotMergeable(BadInput):
    """(inner collection, reason): nothing was changed."""

    template = "{0}: cannot be joined to the collection around it: {1}"
    cure = "Its state stays as it is; `cropkit fsck {0}` tells more"


class NoImages(BadInput):
    """(folder)."""

    template = "{0}: no images in it"
    cure = "Name the folder that holds them"


class IllegalMove(BadInput):
    """(move, reason): the review cannot do that now."""

    template = "{1}"


class NotWorking(CropkitError):
    """No image is concerned: something that cropkit needs around it is not there or broke."""

    status = "refused"


class LabUnavailable(NotWorking):
    """(reason): the review did not start."""

    template = "JupyterLab did not start: {0}"


class CellFailed(NotWorking):
    """(notebook, error's name, its message, traceback): a notebook stopped at an error."""

    template = "{0}: {1}: {2}\n{3}"

    def __str__(self) -> str:
        _, name, message, _ = self.args
        return message if name in globals() else super().__str__()


class DeliveryFailed(NotWorking):
    """(sink, reason): an alert did not arrive there."""

    template = "{0}: {1}"


class CannotShow(NotWorking):
    """(program): it shows no widgets but those of anywidget, and a review has others."""

    template = "{0} cannot show a review"
    cure = "Take JupyterLab: `cropkit review FOLDER`. Everything but the review works here, too"


class NotInstalled(NotWorking):
    """(package, Python, requirements): what is to be done needs a package that is not there."""

    template = "{0}: not installed for {1}, and needed here: {1} -m pip install {2}"


class SystemRefused(NotWorking):
    """(what, the system's word): something that a command needs beside images and trail."""

    template = "{0}: {1}"
    cure = "Nothing that was decided is lost"


class PersonalStateUnusable(NotWorking):
    """(file, what is wrong with it): what this person approved or declared is not believed."""

    template = "{0}: cannot be used as your own: {1}"
    cure = "It is yours alone: mode 0700, no link. Without a home, set XDG_STATE_HOME to a folder"


class WorkersUnavailable(NotWorking):
    """(whose, reason): an executor that has no workers, or has lost them."""

    template = "{0}: no workers take up work: {1}"
    cure = "What was done is in the trail, and the rest waits: start workers, and run it again"


class UnfitWorker(NotWorking):
    """(worker, reason): it looked before it did anything, and touched nothing."""

    template = "the worker {0} cannot take part: {1}"
    cure = (
        "Start workers with this version of cropkit on this host, where they see this folder under"
        " this name; on other hosts, where the trail is on a server and the folder on NFS"
    )


class NotReady(NotWorking):
    """(folder, reasons): the batch did not start; nothing was cropped."""

    template = "{0}: the batch did not start: {1}"
