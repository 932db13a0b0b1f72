"""What a verification finds: each difference as a record, counts, and what was proven how."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

MOST_KEPT = 100_000


class Kind(StrEnum):
    """In which way a data set is not what its manifest says."""

    MANIFEST = "manifest"  # its SHA-256 is another one, or it changed while it was read
    ROW = "row"  # a row of the manifest makes no sense
    DOUBLED = "doubled"  # two rows name one file
    CROP_MISSING = "crop-missing"  # there is no such file, or it may not be opened
    BYTES = "bytes"  # the crop has another SHA-256, but the pixels that are stated
    PIXELS = "pixels"  # they are not those of the source inside the box
    BOX = "box"  # the box, or a size, is not the image's
    PSNR = "psnr"  # the loss is not the stated one
    COLOUR = "colour"  # the crop has another colour profile than its source
    SOURCE = "source"  # it is not here, or another content is
    SOURCE_IS_CROP = "source-is-crop"  # the source of a copy is a copy itself
    CAPTION = "caption"  # it is missing, has another content, or belongs to another crop
    EXTRA_IMAGE = "extra-image"  # no row names it
    EXTRA_CAPTION = "extra-caption"  # no row names it
    NOT_PROVEN = "not-proven"  # nobody here can tell


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is not what the manifest says, or cannot be proven.

    Parameters
    ----------
    path : the file that it is about, as the manifest or the folder names it
    reason : a sentence, with the cure where there is one
    line : of the manifest; None where it is about no row
    """

    kind: Kind
    path: str
    reason: str
    line: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return asdict(self)


@dataclass(slots=True)
class Verification:
    """What can be said of a data set from manifest, crops and sources alone.

    Parameters
    ----------
    manifest : path
    manifest_sha256 : of its bytes as they were read: who publishes it binds everything it states
    rows : in the manifest, bad ones too
    proven : crops whose pixels, box, hashes and captions are proven
    checked : rows whose pixels were looked at: all, or a sample
    by_proof : how many crops were proven by which kind of proof
    by_content : sources, and crops named by a path of elsewhere, that were found by their content
    differences : the first 100,000
    counts : of all differences, by kind
    sample, seed : of the random sample; None where every row was looked at
    """

    manifest: str
    manifest_sha256: str = ""
    rows: int = 0
    proven: int = 0
    checked: int = 0
    by_proof: Counter[str] = field(default_factory=Counter)
    by_content: Counter[str] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    sample: int | None = None
    seed: int | None = None

    @property
    def ok(self) -> bool:
        """Whether everything that was looked at is proven, and nothing is missing or extra."""
        return not self.counts

    @property
    def not_proven(self) -> int:
        """How many of the rows that were looked at are not proven."""
        return self.checked - self.proven

    def add(self, difference: Difference) -> None:
        """Count a difference, and keep it where there are not too many."""
        self.counts[difference.kind.value] += 1
        if len(self.differences) < MOST_KEPT:
            self.differences.append(difference)

    def to_json(self) -> dict[str, Any]:
        """Return the document that `--json` prints."""
        fields = {name: getattr(self, name) for name in _FIELDS}
        kept = [difference.to_json() for difference in self.differences]
        left_off = sum(self.counts.values()) - len(kept)
        known = {"ok": self.ok, "not_proven": self.not_proven, "left_off": left_off}
        return known | fields | {"differences": kept}

    def __str__(self) -> str:
        """Say in a line what was proven of what."""
        which = f"{self.rows:,} rows"
        if self.sample is not None:
            which = f"a sample of {self.checked:,} of {which} (seed {self.seed})"
        text = f"proven: {self.proven:,}; not proven: {self.not_proven:,}; of {which}"
        others = sum(self.counts.values())
        return f"{text}; differences: {others:,}" if others else text


_FIELDS = (
    *("manifest", "manifest_sha256", "rows", "checked", "proven", "by_proof", "by_content"),
    *("counts", "sample", "seed"),
)
