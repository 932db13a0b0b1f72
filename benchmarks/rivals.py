"""Ways to crop files in place: ours, through the whole protocol, and what people use instead.

Each takes paths and a box and leaves crops under the same names. Ours keeps the metadata, reads
back what it wrote, proves it, syncs it, keeps the original and records everything; no other does
any of that, but that jpegtran keeps the metadata.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from io import BytesIO
from pathlib import Path

from PIL import Image

from cropkit import clock, formats
from cropkit.collection import Collection
from cropkit.geometry import PixelBox
from cropkit.records import CropResult, Decision, Verdict

Paths = Sequence[Path]
Run = Callable[[], object]
# A context in which everything is ready, and what is timed inside of it.
Rival = Callable[[Paths, PixelBox], AbstractContextManager[Run]]

# Tool -> Debian's package, for those that may be missing.
PACKAGES = {"mogrify": "imagemagick", "jpegtran": "libjpeg-turbo-progs"}


class NotCropped(RuntimeError):
    """A crop of ours came to nothing, so there is nothing to time."""


@contextmanager
def grouped(paths: Paths, box: PixelBox, threads: Executor | None = None):  # noqa: ANN201  (a context)
    """Carry out decisions that are made already, as a batch does."""
    with Collection(paths[0].parent, threads=threads) as kit:
        kit.decide([decision(kit, path.name, box) for path in paths])
        yield lambda: _checked(kit.apply_waiting())


@contextmanager
def single(paths: Paths, box: PixelBox):  # noqa: ANN201  (a context)
    """Look at, decide about and crop one image after the other."""
    with Collection(paths[0].parent) as kit:
        yield lambda: _checked([kit.crop(path, box) for path in paths])


def in_memory(paths: Paths, box: PixelBox) -> AbstractContextManager[Run]:
    """Crop and prove, without any file."""
    files = [(path.read_bytes(), path.name) for path in paths]
    return nullcontext(lambda: [_proven(data, name, box) for data, name in files])


def pillow(paths: Paths, box: PixelBox) -> AbstractContextManager[Run]:
    """Crop as most scripts do."""
    return nullcontext(lambda: [_naive(path, box) for path in paths])


def pillow_in_memory(paths: Paths, box: PixelBox) -> AbstractContextManager[Run]:
    """Crop as most scripts do, without any file."""
    files = [(path.read_bytes(), path.suffix) for path in paths]
    return nullcontext(lambda: [_naive_bytes(data, suffix, box) for data, suffix in files])


def mogrify(paths: Paths, box: PixelBox) -> AbstractContextManager[Run]:
    """Crop in place with ImageMagick."""
    command = ["mogrify", "-crop", _geometry(box), "+repage"]
    return nullcontext(lambda: [_call(*command, path) for path in paths])


def jpegtran(paths: Paths, box: PixelBox) -> AbstractContextManager[Run]:
    """Crop JPEG without loss, with nobody looking at what came out."""
    return nullcontext(lambda: [_jpegtran(path, box) for path in paths])


def rivals(suffix: str) -> dict[str, Rival]:
    """Return those that can crop such a file on this machine, and could anywhere."""
    found: dict[str, Rival] = {"Pillow": pillow}
    if shutil.which("mogrify"):
        found["mogrify"] = mogrify
    if suffix == "jpg" and shutil.which("jpegtran"):
        found["jpegtran"] = jpegtran
    return found


def missing() -> list[str]:
    """Name the tools that this machine lacks, each with the package that brings it."""
    return [f"{tool} (Debian: {name})" for tool, name in PACKAGES.items() if not shutil.which(tool)]


def decision(kit: Collection, name: str, box: PixelBox) -> Decision:
    """Decide about an image, as a reviewer who looked at it would."""
    look, moment = kit.look(name), clock.now()
    return Decision(
        path=name,
        sha256=look.sha256,
        size=look.size,
        verdict=Verdict.ADJUSTED,
        box=box,
        reviewer=kit.reviewer,
        session=kit.session,
        shown_at=moment,
        decided_at=moment,
    )


def _checked(results: Sequence[CropResult]) -> None:
    for one in results:
        if not one.ok:
            raise NotCropped(f"{one.code}: {one.message}")


def _proven(data: bytes, name: str, box: PixelBox) -> None:
    candidate = formats.crop(data, name, box)
    formats.verify(candidate.data, candidate, name)


def _naive(path: Path, box: PixelBox) -> None:
    Image.open(path).crop(box.xyxy).save(path)


def _naive_bytes(data: bytes, suffix: str, box: PixelBox) -> None:
    Image.open(BytesIO(data)).crop(box.xyxy).save(BytesIO(), Image.registered_extensions()[suffix])


def _jpegtran(path: Path, box: PixelBox) -> None:
    out = path.with_suffix(".out")
    _call("jpegtran", "-copy", "all", "-crop", _geometry(box), "-outfile", out, path)
    out.replace(path)


def _call(*command: str | os.PathLike[str]) -> None:
    subprocess.run(command, check=True)  # noqa: S603  (our own words)


def _geometry(box: PixelBox) -> str:
    return f"{box.size.width}x{box.size.height}+{box.left}+{box.top}"
