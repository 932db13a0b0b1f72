"""Everything that lies beneath `FOLDER/.cropkit`: one name, one line each.

The names are relative to the collection, wherever its state lies (`engine.locations`), with forward
slashes, as `system.files.Root` takes them.
"""

HOME = ".cropkit"  # mode 0700; never scanned for images

DATABASE = f"{HOME}/cropkit.db"  # trail, queue, decisions, operations: the truth
TRAIL_PLACE = f"{HOME}/trail.json"  # on which server the trail is, where it is not here
EXPORT = f"{HOME}/trail.jsonl"  # the trail again, as text: a lost database is made anew from it
OWNERS = f"{HOME}/owners"  # a locked file for each living session: how the dead are told
STAGE = f"{HOME}/stage"  # candidates that wait to be switched in, by operation
ORIGINALS = f"{HOME}/originals"  # what undo brings back, by SHA-256
REJECTED = f"{HOME}/rejected"  # images that a reviewer moved out of the way, by decision
ASIDE = f"{REJECTED}/companions"  # what undo brings back of files beside an image, by a number
REMOVED = f"{HOME}/removed"  # copies that were undone, by operation; may be deleted
PREVIEWS = f"{HOME}/previews"  # small pictures to show; may be deleted
MERGED = f"{HOME}/merged"  # homes of collections that were joined to this one, as they were
RUNS = f"{HOME}/runs"  # a folder for each batch: notebook, record, report
SUGGESTIONS = f"{HOME}/suggestions.db"  # boxes that were imported; may be deleted
PLAN = f"{HOME}/review-plan.json"  # which images a person has to see; may be deleted
LOG = f"{HOME}/cropkit.log"  # errors and heartbeats, one JSON object a line
COLLECTION = f"{HOME}/collection.json"  # of which folder it is, where it lies elsewhere
ALERTS = f"{HOME}/alerts.toml"  # limits and sinks of this collection's alerts
RESERVE = f"{HOME}/reserve"  # room that a purge on a full disk gives back first; may be deleted
RESERVED_FILES = tuple(f"{RESERVE}-{n}" for n in range(1, 7))  # the same, in inodes
WRITER_LOCK = f"{HOME}/writer.lock"  # held by whoever writes to the database
RECOVER_LOCK = f"{HOME}/recover.lock"  # held by whoever settles what a crash left
LEASES_LOCK = f"{HOME}/leases.lock"  # held by a review that is choosing its next page
COMPACT_LOCK = f"{HOME}/compact.lock"  # held by whoever moves a part of the export into segments
MERGE_LOCK = f"{HOME}/merge.lock"  # held by whoever joins a collection to this one, before opening
OPEN_AND_REMOVED = ".nfs"  # how NFS begins the name of what was removed while it was open
REBUILDING = f"{DATABASE}.new"  # a database that is being made anew
EXPORT_SHORTENED = f"{EXPORT}.new"  # an export that is being made shorter


def segment(number: int) -> str:
    """Name a closed part of the export."""
    return f"{HOME}/trail-{number:06}.jsonl.gz"


def segment_being_made(number: int) -> str:
    """Name a closed part of the export, until it is proven."""
    return f"{segment(number)}.new"


def log_of(database: str) -> str:
    """Name SQLite's write-ahead log of a database."""
    return f"{database}-wal"


def rejected(name: str) -> str:
    """Name the folder that an image is moved to by a decision, or an operation, of this id."""
    return f"{REJECTED}/{name[:12]}"


def staged(operation: str) -> str:
    """Name the candidate of an operation, until it is switched in."""
    return f"{STAGE}/{operation}.new"


def staged_companion(operation: str, number: int) -> str:
    """Name what a file beside an image is to say, until it is switched in."""
    return f"{STAGE}/{operation}.c{number}"


def aside(number: str) -> str:
    """Name where a file beside an image goes whose name another one takes."""
    return f"{ASIDE}/{number}"


def leaving(operation: str) -> str:
    """Name an original that is being purged, until the trail knows of it."""
    return f"{STAGE}/{operation}.old"


def being_kept(operation: str) -> str:
    """Name the copy of an original, until it is whole."""
    return f"{STAGE}/{operation}.kept"


def kept(sha256: str) -> str:
    """Name under which an original is kept."""
    return f"{ORIGINALS}/{sha256}"
