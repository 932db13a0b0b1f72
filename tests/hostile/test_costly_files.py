"""No file stops the work: what one may cost has a bound of time, memory and output, in each format.

Each file is small on disk and costs much more than is allowed here, so that the tests are quick.
"""

import os
import pickle
import signal
import struct
import threading
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import deciding
import pictures
import png_builder as png
import pytest
import tiff_builder as tif
from PIL import Image

from cropkit import bounded, bounds, formats
from cropkit.batch.batch import Batch
from cropkit.bounded import process
from cropkit.bounded.process import Pool, Question, ReadingProcess
from cropkit.bounds import Bounds
from cropkit.cli import main
from cropkit.collection import Collection
from cropkit.errors import (
    ApplierStopped,
    BadSetting,
    CropkitError,
    ReaderDied,
    RunIncomplete,
    TooCostly,
    VerificationFailed,
)
from cropkit.formats import cost
from cropkit.formats.glimpse import glimpse
from cropkit.formats.preview import preview
from cropkit.geometry import PixelBox, Size
from cropkit.records import Status
from cropkit.suggest.detections import Detections
from cropkit.system.files import Root
from cropkit.workers.previews import Preview, PreviewProcesses

BOX = PixelBox(8, 8, 2_400, 2_900)
SMALL = PixelBox(2, 2, 30, 30)
FIT = Size(2_400, 2_400)
SECONDS = "0.02"  # the least costly crop takes three times as much, a small one has no such bound
SIDE = 3_000


def _saved(kind: str, mode: str = "RGB", side: int = SIDE, **options: Any) -> bytes:
    return pictures.encoded(Image.new(mode, (side, side)), kind, **options)


def _noise(kind: str, **options: Any) -> bytes:
    """What is the same wherever one looks is decoded too quickly."""
    tile = pictures.photo(250, 250)
    whole = Image.new("RGB", (SIDE, SIDE))
    for at in range(0, SIDE * SIDE, 250 * 250):
        place = at // (250 * 250)
        whole.paste(tile, (place % (SIDE // 250) * 250, place // (SIDE // 250) * 250))
    return pictures.encoded(whole, kind, **options)


def _rows() -> bytes:
    """It costs some times what a process needs until it is ready."""
    height = 3 * SIDE
    rows = zlib.compress(bytes((1 + SIDE * 4) * height), 9)
    header = png.chunk("IHDR", struct.pack(">IIBBBBB", SIDE, height, 8, 6, 0, 0, 0))
    return png.SIGNATURE + header + png.chunk("IDAT", rows) + png.chunk("IEND", b"")


def _strips() -> bytes:
    number = 200_000
    build = tif.Builder()
    pixels = build.put(bytes(500))
    tags: list[tif.Tag] = [
        *((256, 3, [500]), (257, 4, [number]), (258, 3, [8]), (259, 3, [1]), (262, 3, [1])),
        *((273, 4, [pixels] * number), (277, 3, [1]), (278, 3, [1]), (279, 4, [500] * number)),
    ]
    return build.finished(build.directory(tags))


def _runs() -> bytes:
    """A BMP of run lengths, which are taken apart in Python."""
    rows = (b"\xff\0" * 11 + b"\xc3\0" + b"\0\0") * SIDE + b"\0\1"
    header = struct.pack("<IiiHHIIiiII", 40, SIDE, SIDE, 1, 8, 1, len(rows), 0, 0, 256, 0)
    start = 14 + len(header) + 1024
    return (
        b"BM" + struct.pack("<IHHI", start + len(rows), 0, 0, start) + header + bytes(1024) + rows
    )


COSTLY: dict[str, Callable[[], bytes]] = {
    "pixels.png": lambda: _saved("PNG"),
    "rows.png": _rows,
    "pixels.jpg": lambda: _noise("JPEG", progressive=True, subsampling=0),
    "baseline.jpg": lambda: _noise("JPEG", quality=95, subsampling=0),
    "lossless.webp": lambda: _noise("WEBP", lossless=True, method=0),
    "lossy.webp": lambda: _noise("WEBP", method=0),
    "deflate.tif": lambda: _saved("TIFF", compression="tiff_adobe_deflate"),
    "lzw.tif": lambda: _saved("TIFF", compression="tiff_lzw"),
    "pixels.gif": lambda: _noise("GIF"),
}
ONLY_SHOWN: dict[str, Callable[[], bytes]] = {
    "runs.bmp": _runs,
    "strips.tif": _strips,
    "pixels.jp2": lambda: _saved("JPEG2000"),
    "pixels.avif": lambda: _saved("AVIF", speed=10),
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("costly")
    for name, made in (COSTLY | ONLY_SHOWN).items():
        (folder / name).write_bytes(made())
    return folder


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROPKIT_MAX_SECONDS", SECONDS)


def album(folder: Path, files: Path, *names: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_bytes((files / name).read_bytes())
    pictures.write_png(folder / "well.png", pictures.photo(40, 40))
    return folder


def content(folder: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in folder.iterdir() if each.is_file()}


def staged(folder: Path) -> list[Path]:
    return list((folder / ".cropkit" / "stage").iterdir())


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("name", COSTLY | ONLY_SHOWN)
def test_a_preview_has_a_bound(name: str, files: Path) -> None:
    data = (files / name).read_bytes()
    assert len(data) < 5_000_000
    with pytest.raises(TooCostly, match=rf"{name}: costs more than .* {SECONDS} s of CPU"):
        bounded.done(preview, data, name, FIT)


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("name", COSTLY)
def test_a_crop_of_the_shell_has_a_bound(
    name: str, files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = album(tmp_path / "album", files, name)
    before = content(folder)
    box = ",".join(map(str, BOX.xyxy))
    assert main(["crop", str(folder / name), "--box", box]) == 1
    assert f"TooCostly: {name}: costs more" in capsys.readouterr().err
    assert (content(folder), staged(folder)) == (before, [])
    assert main(["crop", str(folder / "well.png"), "--box", "2,2,30,30"]) == 0


@pytest.mark.usefixtures("short")
def test_a_batch_goes_on_behind_costly_files(files: Path, tmp_path: Path) -> None:
    folder = album(tmp_path / "album", files, *COSTLY)
    before = content(folder)
    with Collection(folder) as kit:
        for path in kit.images():
            kit.decide([deciding.decision(kit, path, SMALL if path == "well.png" else BOX)])
    with Batch(folder, workers=2) as batch:
        batch.apply()
        ended = {entry.path: entry.code for entry in batch.run.entries}
        with pytest.raises(RunIncomplete):
            batch.result()
    assert ended == {**dict.fromkeys(COSTLY, "TooCostly"), "well.png": None}
    after = content(folder)
    assert {name for name in after if after[name] != before[name]} == {"well.png"}
    assert staged(folder) == []


@pytest.mark.usefixtures("short")
def test_what_a_model_would_look_at_has_a_bound(files: Path, tmp_path: Path) -> None:
    """It is told by the file's name, the model is not asked, and the others have boxes."""
    folder = Root(album(tmp_path / "set", files, "pixels.png"))
    seen: list[tuple[int, int]] = []

    def model(image: Image.Image) -> list[list[int]]:
        seen.append(image.size)
        return [[2, 2, 30, 30]]

    detections = Detections(model).of(folder)
    sizes = {"pixels.png": Size(SIDE, SIDE), "well.png": Size(40, 40)}
    costly, well = (
        detections.suggest(name, size, folder.read(name).sha256) for name, size in sizes.items()
    )
    (problem,) = costly.problems
    assert problem.reason.startswith("model was not asked: pixels.png: ")
    assert "s of CPU" in problem.reason
    assert (len(well.suggestions), seen) == (1, [(40, 40)])


@pytest.mark.usefixtures("short")
def test_two_costly_files_do_not_keep_the_others_from_a_review(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CROPKIT_MAX_SECONDS", "0.25")  # a process gets ready in it, too
    folder = album(tmp_path / "album", files, "rows.png", "strips.tif")
    ends: dict[str, object] = {}
    with Collection(folder) as kit:
        reader = PreviewProcesses(kit.scope, 2, kit.headers)

        def read(name: str) -> None:
            try:
                ends[name] = reader.read(name, FIT)
            except CropkitError as error:
                ends[name] = error

        costly = [threading.Thread(target=read, args=[n]) for n in ("rows.png", "strips.tif")]
        for thread in costly:
            thread.start()
        for thread in costly:
            thread.join()
        read("well.png")
        pids = [each.pid for each in reader.processes]
        for name in ("rows.png", "strips.tif"):  # known: no process is lost on it again
            read(name)
        assert [each.pid for each in reader.processes] == pids
        reader.close()
    seen = {name: end.hindrance for name, end in ends.items() if isinstance(end, Preview)}
    assert "s of CPU" in seen["rows.png"]
    assert "s of CPU" in seen["strips.tif"]
    assert seen["well.png"] == ""


@pytest.mark.parametrize("name", ["pixels.png", "lossless.webp", "pixels.jpg"])
def test_memory_has_a_bound(name: str, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROPKIT_MAX_MEMORY", "20M")
    data = (files / name).read_bytes()
    with pytest.raises(TooCostly, match="20 MiB of memory"):
        bounded.crop(formats.opened(data, name), data, BOX)
    with pytest.raises(TooCostly, match="20 MiB of memory"):
        bounded.done(preview, data, name, FIT)


def test_what_gets_no_memory_is_no_picture_of_nothing(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CROPKIT_MAX_MEMORY", "90M")
    data = (files / "pixels.jp2").read_bytes()
    with pytest.raises(TooCostly, match="90 MiB of memory"):
        bounded.apart(glimpse, data, "pixels.jp2", FIT)


def test_output_has_a_bound(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROPKIT_MAX_OUTPUT", "100")
    data = (files / "baseline.jpg").read_bytes()
    with pytest.raises(TooCostly, match="100 bytes of output"):
        bounded.crop(formats.opened(data, "a.jpg"), data, BOX)


def test_a_file_larger_than_memory_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "a.png").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(TooCostly, match="2 GiB of memory"):
        Root(tmp_path).read("a.png", Bounds())


@pytest.mark.parametrize("name", COSTLY)
def test_what_is_costly_and_allowed_is_cropped_in_the_other_process(
    name: str, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = (files / name).read_bytes()
    monkeypatch.setattr("cropkit.bounded._LITTLE", 10**9)
    box = PixelBox(8, 8, 300, 301)
    image = formats.opened(data, name)
    candidate = bounded.crop(image, data, box)
    assert candidate.data == image.crop(box).data
    assert bounded.verify(candidate.data, candidate, name).box_asked == box
    broken = candidate.data[:-40] + b"x" * 20 + candidate.data[-20:]
    with pytest.raises(VerificationFailed):
        bounded.verify(broken, candidate, name)


def test_a_proof_that_costs_too_much_refuses_the_crop(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tenth of what this proof costs, and more, so that a faster machine is not fast enough."""
    data = (files / "lossy.webp").read_bytes()
    candidate = bounded.crop(formats.opened(data, "a.webp"), data, BOX)
    monkeypatch.setenv("CROPKIT_MAX_SECONDS", "0.01")
    with pytest.raises(TooCostly):
        bounded.verify(candidate.data, candidate, "a.webp")


# -- processes ------------------------------------------------------------------------------------


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> Any:
    own = Pool(2)
    monkeypatch.setattr(process, "pool", lambda: own)
    yield own
    own.close()


def _killed(_data: bytes, _name: str, number: int) -> None:
    os.kill(os.getpid(), number)


def _killed_once(_data: bytes, name: str) -> str:
    if not Path(name).exists():
        Path(name).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "answered"


def test_who_stops_the_process_is_not_the_image(pool: Pool) -> None:
    question: Question = (_killed, (b"", "a.png", signal.SIGTERM), {}, Bounds())
    with pytest.raises(ApplierStopped, match="SIGTERM") as stopped:
        pool.ask(question)
    assert stopped.value.passes, "its decision waits"


def test_a_process_that_is_killed_is_asked_for_once_more(pool: Pool, tmp_path: Path) -> None:
    question: Question = (_killed_once, (b"", str(tmp_path / "a.png")), {}, Bounds())
    assert pool.ask(question) == "answered"
    with pytest.raises(ReaderDied, match="exit code -11"):
        pool.ask((_killed, (b"", "a.png", signal.SIGSEGV), {}, Bounds()))


def test_a_decision_waits_where_the_process_was_stopped(
    tmp_path: Path, files: Path, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = album(tmp_path / "album", files, "pixels.png")
    monkeypatch.setattr("cropkit.bounded._LITTLE", 10**9)

    def stopped(_question: object) -> None:
        raise ApplierStopped("pixels.png", "SIGTERM")

    with Collection(folder) as kit:
        made = deciding.decision(kit, "pixels.png", BOX)
        kit.decide([made])
        with monkeypatch.context() as ending:
            ending.setattr(pool, "ask", stopped)
            assert kit.apply(made.id).status is Status.WAITING
        assert kit.apply(made.id).status is Status.CROPPED


def test_an_ordinary_crop_starts_no_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def started(_: ReadingProcess) -> None:
        pytest.fail("a process for an ordinary image")

    monkeypatch.setattr(ReadingProcess, "__init__", started)
    for kind in ("PNG", "TIFF", "GIF", "BMP", "WEBP"):
        path = tmp_path / f"a.{kind.lower()}"
        pictures.photo(1024, 1024).save(path)
        assert main(["crop", str(path), "--box", "2,2,900,901"]) == 0


def test_the_pixels_of_a_header_are_those_of_the_file() -> None:
    for kind, mode, size in [
        *(("PNG", mode, depth) for mode, depth in (("RGB", 3), ("L", 1), ("RGBA", 4), ("P", 1))),
        *(("TIFF", mode, depth) for mode, depth in (("RGB", 3), ("L", 1), ("CMYK", 4))),
        *(("JPEG", mode, depth) for mode, depth in (("RGB", 3), ("L", 1), ("CMYK", 4))),
        *((kind, "RGB", 4) for kind in ("BMP", "GIF")),
        ("WEBP", "RGB", 3),
    ]:
        picture = Image.new(mode, (300, 200))
        data = pictures.encoded(picture.convert("P") if kind == "GIF" else picture, kind)
        assert cost.of(data).memory - len(data) == 300 * 200 * size, (kind, mode)


def test_scans_are_counted_no_further_than_there_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    data = pictures.encoded(Image.new("RGB", (300, 200)), "JPEG")
    few, many = cost.of(data).seconds, cost.of(data + b"\xff\xda" * 490).seconds
    assert many > 10 * few
    monkeypatch.setattr(cost, "_RAW", 0)  # what its bytes cost
    more = [cost.of(data + b"\xff\xda" * number).seconds for number in (600, 6_000)]
    assert more[0] == more[1] > many


@pytest.mark.parametrize("data", [b"", b"BM", b"\xff\xd8\xff\xe0", b"II*\0", b"GIF89a", b"words"])
def test_a_header_that_does_not_tell_is_taken_for_costly(data: bytes) -> None:
    assert cost.of(data) == cost.UNKNOWN


@pytest.mark.parametrize(
    ("variable", "text"),
    [("CROPKIT_MAX_SECONDS", "0"), ("CROPKIT_MAX_SECONDS", "long"), ("CROPKIT_MAX_MEMORY", "2X")],
)
def test_a_bound_that_is_none_is_refused(
    variable: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, text)
    with pytest.raises(BadSetting, match=variable):
        Bounds.from_environment()


def test_a_bound_is_set_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in ((bounds.SECONDS, "1.5"), (bounds.MEMORY, "3G"), (bounds.OUTPUT, "500")):
        monkeypatch.setenv(name, text)
    assert Bounds.from_environment() == Bounds(1.5, 3 << 30, 500)


def test_a_view_of_bytes_goes_to_the_other_process() -> None:
    stream = BytesIO()
    process.send(stream, {"rows": memoryview(b"abc")[1:]})
    stream.seek(0)
    assert process.receive(stream)["rows"] == b"bc"
    with pytest.raises(EOFError):
        process.receive(BytesIO(pickle.dumps(1)[:4]))
