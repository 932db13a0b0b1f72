"""The cases of a fuzzing campaign: what is mutated, how, and what may come of it."""

import random
import resource
import struct
import sys
import tempfile
import traceback
import zlib
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from io import BytesIO
from pathlib import Path

import imagecodecs
import numpy as np
import pictures
import png_builder as png
import test_formats_features as features
from PIL import Image

from cropkit import errors, formats
from cropkit.collection import Collection
from cropkit.formats.capabilities import CAPABILITIES
from cropkit.formats.copies import copied, verify_copied
from cropkit.formats.copy_options import Colour, CopyOptions, Format
from cropkit.formats.headers import Headers
from cropkit.formats.options import Jpeg, Options
from cropkit.formats.preview import preview
from cropkit.geometry import PixelBox, Size, Turn
from cropkit.records import ProblemKind

ADDRESS_SPACE = 3 << 30
MOST_BYTES = 40_000
WRITTEN = ("a.png", "a.jpg", "a.webp", "a.tif", "a.bmp", "a.gif")
BY_PILLOW = {
    "png": "PNG",
    "jpg": "JPEG",
    "webp": "WEBP",
    "tif": "TIFF",
    "bmp": "BMP",
    "gif": "GIF",
}
EXACT = ("png", "bmp", "gif", "tiff")  # what Pillow sees of these is to stay the same
THROUGH_THE_KIT = 25  # each so-manieth case goes through the whole protocol
Mutation = Callable[[bytes, random.Random], bytes]
INTERESTING = (0, 1, 2, 7, 8, 16, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 1 << 24)
HUGE = (0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFE)


@cache
def seeds() -> dict[str, list[bytes]]:
    """Every file that was made for a row of the table, and larger ones that Pillow wrote."""
    made = [
        (f"a{features.SUFFIXES[row.format]}", data)
        for row in CAPABILITIES
        for data in features.samples(row)
    ]
    photo, exif = pictures.photo(120, 90), pictures.exif_bytes(orientation=6, gps=True)
    made += [(f"a.{s}", pictures.encoded(photo, kind, exif=exif)) for s, kind in BY_PILLOW.items()]
    made += [("a.jxl", bytes(imagecodecs.jpegxl_encode(np.asarray(photo))))]
    files: dict[str, list[bytes]] = {}
    for name, data in made:
        if len(data) < MOST_BYTES:
            files.setdefault(name, []).append(data)
    return files


def flip(data: bytes, rng: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8))):
        out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)
    return bytes(out)


def overwrite(data: bytes, rng: random.Random) -> bytes:
    at, length = rng.randrange(len(data)), rng.choice((1, 2, 4, 30, 300))
    filler = rng.choice((rng.randbytes(length), bytes(length), b"\xff" * length))
    return data[:at] + filler + data[at + length :]


def remove(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data))
    return data[:at] + data[at + rng.choice((1, 2, 12, 300)) :]


def repeat(data: bytes, rng: random.Random) -> bytes:
    at, length = rng.randrange(len(data)), rng.choice((1, 2, 12, 300))
    return data[: at + length] + data[at:]


def cut(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data))]


def restate(data: bytes, rng: random.Random) -> bytes:
    """Put a number that programs stumble over where one may stand, most often near the front."""
    width, order = rng.choice(("H", "I")), rng.choice("<>")
    at = rng.randrange(max(1, min(len(data) - 4, rng.choice((64, 64, 1 << 20)))))
    number = rng.choice((*INTERESTING, *HUGE)) & (0xFFFF if width == "H" else 0xFFFFFFFF)
    out = bytearray(data.ljust(at + 4, b"\0"))
    struct.pack_into(order + width, out, at, number)
    return bytes(out)


def splice(data: bytes, rng: random.Random) -> bytes:
    """Go on with another file of the same kind."""
    files = next((files for files in seeds().values() if data[:2] == files[0][:2]), [data])
    other = rng.choice(files)
    return data[: rng.randrange(len(data))] + other[rng.randrange(len(other)) :]


def inside(data: bytes, rng: random.Random) -> bytes:
    """Change the pixels of a PNG, or their filters, before they are deflated."""
    try:
        parts = png.chunks(data)
        raw = flip(zlib.decompress(png.idat(data)), rng)
    except (ValueError, ArithmeticError, LookupError, struct.error, zlib.error):
        return data
    around = [part for part in parts if part[0] != "IDAT"]
    at = [kind for kind, _ in parts].index("IDAT")
    return png.assembled([*around[:at], ("IDAT", zlib.compress(raw)), *around[at:]])


MUTATIONS: tuple[Mutation, ...] = (
    flip,
    flip,
    overwrite,
    remove,
    repeat,
    cut,
    restate,
    restate,
    splice,
    inside,
)


def made(seed: str, case: int) -> tuple[str, bytes, random.Random]:
    """Return name and content of a case, and the numbers to go on with."""
    rng = random.Random(f"{seed}/{case}")  # noqa: S311  (the same cases every time)
    name = rng.choice([*seeds(), *WRITTEN * 4, *["a.png"] * 6])  # what is written more often
    data = rng.choice(seeds()[name])
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        data = rng.choice(MUTATIONS)(data, rng) or b"\0"
    return name, with_right_checksums(data) if rng.random() < 0.8 else data, rng


def with_right_checksums(data: bytes) -> bytes:
    """Put the CRCs of a PNG right, so that what lies behind them is reached."""
    if not data.startswith(png.SIGNATURE):
        return data
    try:
        return png.assembled(png.chunks(data))
    except (ValueError, ArithmeticError, LookupError, struct.error):
        return data


def outcome(seed: str, case: int) -> str:
    """Run a case; whatever is not one of our own errors is left to rise."""
    name, data, rng = made(seed, case)
    kind = Path(name).suffix[1:]
    options = Options(jpeg=rng.choice((*Jpeg,)), salvage=case % 3 == 1)
    try:
        size = formats.read_header(data, name, options).size
        box = box_in(size, rng)
        if case % THROUGH_THE_KIT == 0:
            in_place(name, data, box)
        candidate = formats.crop(data, name, box, options)
        formats.verify(candidate.data, candidate, name)
        header = formats.read_header(candidate.data, name, options)
        if header.size != candidate.box_applied.size:
            return f"DEFECT size\t{header.size} for {candidate.box_applied}"
        if header.orientation == 1 and differs(data, candidate):
            return "DEFECT pixels\tPillow sees others in the source"
        if not is_turned(data, name, box, options, Turn(2 + case % 7)):
            return "DEFECT turned\tit is proven as it is, and not when it is turned"
        salvaged = str(candidate.degraded).startswith(ProblemKind.SALVAGED)
        ended = f"{kind} {'salvaged' if salvaged else 'proven'}"
    except (errors.Refused, errors.VerificationFailed) as error:
        ended = f"{kind} {error.code}"
    with suppress(errors.Refused):
        preview(data, name, Size(64, 64))
    with suppress(errors.Refused):
        copy(data, name, rng)
    return ended


def copy(data: bytes, name: str, rng: random.Random) -> None:
    """Make and prove a copy; one that does not verify is a defect, as is any other error."""
    how = CopyOptions(
        format=rng.choice((Format.PNG, Format.JPEG, Format.WEBP)),
        quality=rng.choice((None, 30, 90)),
        long_side=rng.choice((None, 8, 40)),
        allow_upscale=True,
        linear_light=rng.random() < 0.2,
        colour=rng.choice((*Colour,)),
    )
    candidate = copied(data, name, None, how)
    header = Headers(how=how).read(data, name)
    assert PixelBox.full(header.size) == candidate.box_asked
    verify_copied(candidate.data, candidate, name)


def is_turned(data: bytes, name: str, box: PixelBox, options: Options, turn: Turn) -> bool:
    """Whether what can be cropped is proven when it is turned, too, where that can be done."""
    try:
        candidate = formats.crop(data, name, box, options, turn)
        formats.verify(candidate.data, candidate, name)
    except errors.UnsuitableTurn:
        return True
    except errors.VerificationFailed:
        return False
    return True


def box_in(size: Size, rng: random.Random) -> PixelBox:
    left, top = rng.randrange(size.width), rng.randrange(size.height)
    right, bottom = rng.randrange(left, size.width) + 1, rng.randrange(top, size.height) + 1
    return PixelBox(left, top, right, bottom)


def differs(data: bytes, candidate: formats.Candidate) -> bool:
    """Whether Pillow, where it can read the source, sees other pixels in the crop."""
    if candidate.format not in EXACT:
        return False
    try:
        source = Image.open(BytesIO(data))
        meant = source.crop(candidate.box_applied.xyxy)
    except Exception:  # noqa: BLE001  (Pillow raises anything on a damaged file)
        return False
    found = Image.open(BytesIO(candidate.data))
    same = found.mode == meant.mode and found.size == meant.size
    return not (same and np.array_equal(np.asarray(found), np.asarray(meant)))


def in_place(name: str, data: bytes, box: PixelBox) -> None:
    """Crop a file in a folder: it is the original or the crop, and undo brings it back."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(data)
        with Collection(folder) as kit:
            try:
                result = kit.crop(name, box)
            except (errors.Refused, errors.Failed):
                assert path.read_bytes() == data
                raise
            if result.sha256_after != result.sha256_before:
                assert path.read_bytes() != data
                kit.undo(name)
            assert path.read_bytes() == data


def main() -> None:
    seed, first, cases = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    seeds()
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    for case in range(first, first + cases):
        try:
            ended = outcome(seed, case)
        except Exception as error:  # noqa: BLE001  (each one is a defect to be told)
            where = traceback.extract_tb(error.__traceback__)[-1]
            ended = f"DEFECT raised\t{error!r} at {Path(where.filename).name}:{where.lineno}"
            if "--show" in sys.argv:
                traceback.print_exc()
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        sys.stdout.write(f"{case}\t{most}\t{' '.join(ended.splitlines())}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
