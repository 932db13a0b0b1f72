"""HEIC in its own file: every sample as it was, and nothing of the old frame; needs the extra."""

import io
import re
import struct
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import planting
import pytest
from PIL import Image

import cropkit
from cropkit import errors, formats
from cropkit.__main__ import main
from cropkit.formats import Options
from cropkit.formats.capabilities import DROPS, PATCHED, REFUSED, WITH_EXTRAS, Capability
from cropkit.formats.copies import copied
from cropkit.formats.copy_options import CopyOptions, Format
from cropkit.formats.heif import container, library, metadata, picture, sequence
from cropkit.formats.heif.boxes import box
from cropkit.formats.heif.container import Item, Property, Reference
from cropkit.formats.heif.sequence import Signal
from cropkit.formats.options import Heic
from cropkit.formats.preview import upright
from cropkit.geometry import PixelBox

pytest.importorskip("pillow_heif", reason="pillow-heif takes 6 MB to fetch and 27 MB installed")

import exiftool
import heif_builder as heif
import samples_heic as samples

EXACT = Options(heic=Heic.EXACT)
NAME = "a.heic"
BOX = PixelBox(96, 64, 176, 144)
ROWS = [row for row in WITH_EXTRAS if row.format == "heic"]
UNTOLD = "range of samples that nothing states"


def options(row: Capability) -> Options:
    return Options(heic=Heic.EXACT, drop=frozenset(re.findall(r"--drop ([a-z-]+)", row.feature)))


def cropped(data: bytes, box: PixelBox = BOX, how: Options = EXACT) -> formats.Candidate:
    candidate = formats.crop(data, NAME, box, how)
    return formats.verify(candidate.data, candidate, NAME)


def decoded(data: bytes) -> library.Samples:
    made = container.parse(data, NAME)
    return library.decoded(metadata.bare(made).encoded(), metadata.signal(made, NAME))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.feature)
def test_each_row_is_so_on_a_file_made_for_it(
    row: Capability, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = samples.SAMPLES.get(row.feature, [])
    if row.feature == UNTOLD:
        item = heif.untold(heif.picture(planting.SCENE), monkeypatch)
        files = [heif.encoded(heif.heif(main=item))]
    assert files
    for data in files:
        how = options(row)
        if row.outcome == REFUSED:
            with pytest.raises(getattr(errors, row.how), match=NAME):
                formats.crop(data, NAME, PixelBox(0, 0, 1, 1), how)
            continue
        candidate = cropped(data, BOX, how)
        assert candidate.patched or row.outcome != PATCHED
        assert candidate.dropped or row.outcome != DROPS


def test_no_file_is_made_for_a_row_that_is_gone() -> None:
    assert samples.SAMPLES.keys() | {UNTOLD} == {row.feature for row in ROWS}


# -- samples --------------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", [8, 10, 12])
@pytest.mark.parametrize("chroma", [0, 1, 2, 3])
def test_every_sample_is_the_one_inside_the_box(chroma: int, bits: int) -> None:
    stored = heif.samples(chroma=chroma, bits=bits)
    written = cropped(heif.encoded(heif.heif(main=heif.image(stored)))).data
    across, down = {1: (2, 2), 2: (2, 1)}.get(chroma, (1, 1))
    luma, *others = decoded(written).planes
    assert np.array_equal(luma, stored.planes[0][64:144, 96:176])
    for plane, source in zip(others, stored.planes[1:], strict=True):
        inside = source[64 // down : 144 // down, 96 // across : 176 // across]
        assert np.array_equal(plane, inside)


@pytest.mark.parametrize("matrix", [1, 5, 6, 9])
@pytest.mark.parametrize("full", [False, True])
def test_colours_that_the_stream_states_are_stated_again_and_nothing_is_converted(
    matrix: int, *, full: bool
) -> None:
    signal = Signal(is_stated=True, full_range=full, colours=(2, 2, matrix), location=1)
    stored = heif.samples(signal=signal)
    data = heif.encoded(heif.heif(main=heif.image(stored)))
    whole = decoded(data)
    assert whole.same(stored), "libheif converts what it is not told"
    written = cropped(data).data
    assert decoded(written).signal == signal
    cut = np.asarray(picture(data, NAME))[64:144, 96:176]
    assert np.array_equal(np.asarray(picture(written, NAME)), cut)


def _stating(made: container.Heif, stated: bytes) -> container.Heif:
    return replace(made, items=(replace(made.image, data=stated), *made.items[1:]))


@pytest.mark.parametrize(
    "stated",
    [
        struct.pack(">BBBBII", 0, 1, 1, 1, 30_000, 30_000),  # what it would be decoded to
        struct.pack(">BBBBHH", 0, 0, 0, 1, 256, 256),
        struct.pack(">BBBBHH", 1, 0, 1, 1, 256, 256),
    ],
)
def test_a_grid_of_another_size_than_it_says_is_refused_before_it_is_decoded(
    stated: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "_decoded", lambda *_: pytest.fail("it was decoded"))
    made, _ = heif.grid(2, 2, 128)
    data = _stating(made, stated).encoded()
    with pytest.raises(errors.CorruptImage, match="grid"):
        picture(data, NAME)
    with pytest.raises(errors.CorruptImage, match="grid"):
        formats.opened(data, NAME, EXACT)


def test_tiles_that_show_nothing_are_refused_before_they_are_decoded() -> None:
    made, _ = heif.grid(2, 2, 128, cut=128)
    with pytest.raises(errors.CorruptImage, match="tiles that show nothing"):
        picture(made.encoded(), NAME)


def test_a_grid_becomes_one_picture_of_the_same_samples() -> None:
    made, whole = heif.grid(2, 3, 128, cut=20)
    data = heif.encoded(made)
    candidate = cropped(data, PixelBox(101, 61, 301, 201))
    assert candidate.box_applied == PixelBox(100, 60, 302, 202)
    assert [item.kind for item in container.parse(candidate.data, NAME).items] == ["hvc1"]
    luma = np.asarray(whole.convert("YCbCr"))[60:202, 100:302, 0]
    assert np.array_equal(decoded(candidate.data).planes[0], luma)


TURNS = [
    (Property("irot", bytes([turn]), essential=True), *mirror)
    for turn in range(4)
    for mirror in ((), (Property("imir", b"\0"),), (Property("imir", b"\1"),))
]


def _units(record: bytes) -> list[bytes]:
    return list(sequence._configured(record))  # noqa: SLF001  (parameter sets, to be put elsewhere)


def _with_other_sets(place: str) -> Item:
    """A picture whose decoder goes by a second parameter set, of another range of samples."""
    signals = (replace(heif.SIGNAL, full_range=full) for full in (True, False))
    full, limited = (heif.image(heif.samples(signal=each)) for each in signals)
    record, other = (item.first("hvcC") or b"" for item in (full, limited))
    sets = [unit for unit in _units(other) if unit[0] >> 1 & 63 in (33, 34)]
    if place == "stream":
        ahead = b"".join(struct.pack(">I", len(unit)) + unit for unit in sets)
        return replace(full, data=ahead + full.data)
    kind = {"configuration": b"\x21", "configuration, by another name": b"\x27"}[place]
    every = [kind + b"\0\1" + struct.pack(">H", len(unit)) + unit for unit in sets]
    more = record[:22] + bytes([record[22] + len(every)]) + record[23:] + b"".join(every)
    properties = (Property("hvcC", more), *full.properties)
    return replace(full, properties=tuple(p for p in properties if p.data != record))


@pytest.mark.parametrize("place", ["stream", "configuration", "configuration, by another name"])
def test_a_second_word_on_what_samples_mean_is_refused(place: str) -> None:
    data = heif.heif(main=_with_other_sets(place)).encoded()
    for look in (lambda: picture(data, NAME), lambda: formats.opened(data, NAME, EXACT)):
        with pytest.raises(errors.UnsupportedFormat, match="disagree on what their samples mean"):
            look()


def test_a_picture_that_is_configured_twice_is_refused() -> None:
    made = heif.heif(
        properties=(Property("hvcC", heif.picture(planting.SCENE).first("hvcC") or b""),)
    )
    with pytest.raises(errors.CorruptImage, match="twice how it is coded"):
        picture(made.encoded(), NAME)


def test_tiles_that_are_turned_in_passing_are_refused() -> None:
    made, _ = heif.grid(2, 2, 128)
    turned = replace(made.items[1], properties=(*made.items[1].properties, Property("irot", b"\1")))
    data = replace(made, items=(made.image, turned, *made.items[2:])).encoded()
    with pytest.raises(errors.UnsupportedFormat, match="tiles that differ"):
        picture(data, NAME)


@pytest.mark.parametrize("turn", TURNS, ids=lambda parts: "-".join(p.data.hex() for p in parts))
def test_a_turned_picture_is_cropped_as_it_is_seen(turn: tuple[Property, ...]) -> None:
    data = heif.encoded(heif.heif(properties=turn))
    seen = np.asarray(picture(data, NAME))
    with Image.open(io.BytesIO(data)) as by_others:
        assert np.array_equal(seen, np.asarray(by_others))
    size = formats.read_header(data, NAME, EXACT).size
    assert (size.height, size.width) == seen.shape[:2]
    assert np.array_equal(seen, np.asarray(upright(data, NAME, size)))
    candidate = cropped(data)
    kept = candidate.box_applied
    inside = seen[kept.top : kept.bottom, kept.left : kept.right]
    assert np.array_equal(np.asarray(picture(candidate.data, NAME)), inside)


@pytest.fixture(autouse=True)
def _pillow_opens_it(monkeypatch: pytest.MonkeyPatch) -> None:
    plugin = pytest.importorskip("pillow_heif")
    Image.init()
    monkeypatch.setattr(Image, "OPEN", dict(Image.OPEN))
    monkeypatch.setattr(Image, "ID", list(Image.ID))
    monkeypatch.setattr(Image, "MIME", dict(Image.MIME))
    monkeypatch.setattr(Image, "EXTENSION", dict(Image.EXTENSION))
    monkeypatch.setattr(Image, "SAVE", dict(Image.SAVE))
    monkeypatch.setattr(Image, "SAVE_ALL", dict(Image.SAVE_ALL))
    plugin.register_heif_opener()


# -- the proof ------------------------------------------------------------------------------------


def test_other_samples_and_other_items_are_noticed() -> None:
    data = samples.with_exif(samples.EXIF)
    candidate = formats.crop(data, NAME, BOX, EXACT)
    shifted = formats.crop(data, NAME, PixelBox(98, 64, 178, 144), EXACT)
    with pytest.raises(errors.VerificationFailed, match="items"):
        formats.verify(shifted.data, candidate, NAME)
    proof = candidate.proof
    other = replace(proof, samples=shifted.proof.samples)  # type: ignore[type-var,attr-defined]  # (its own)
    with pytest.raises(errors.VerificationFailed, match="samples"):
        formats.verify(candidate.data, replace(candidate, proof=other), NAME)
    for added in (box("free", b"more"), box("uuid", bytes(20)), box("mdat", b"more")):
        with pytest.raises(errors.VerificationFailed, match="items"):
            formats.verify(candidate.data + added, candidate, NAME)


def test_a_lossy_encoder_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    call = library._call  # noqa: SLF001  (what asks for no loss)

    def lossy(name: str, *arguments: object) -> None:
        if name != "heif_encoder_set_lossless":
            call(name, *arguments)

    monkeypatch.setattr(library, "_call", lossy)
    data = samples.SAMPLES["HEVC"][0]
    candidate = formats.crop(data, NAME, BOX, EXACT)
    with pytest.raises(errors.VerificationFailed, match="samples"):
        formats.verify(candidate.data, candidate, NAME)


def test_a_stream_that_states_other_colours_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    data = samples.in_stream(Signal(is_stated=True, full_range=True, colours=(12, 13, 1)))
    monkeypatch.setattr(Signal, "numbers", property(lambda _self: (1, 13, 1, 1)))
    candidate = formats.crop(data, NAME, BOX, EXACT)
    with pytest.raises(errors.VerificationFailed, match="samples"):
        formats.verify(candidate.data, candidate, NAME)


# -- nothing of the old frame ---------------------------------------------------------------------

Place = Callable[[bytes], bytes]


def _tag(data: bytes) -> bytes:
    return planting._in_tag(0x9999)(data)  # noqa: SLF001  (as in the other formats)


def _item(kind: str, data: bytes) -> bytes:
    item = Item(2, kind, b"\0", data)
    return heif.encoded(heif.heif(item, references=heif.about(2)))


PLACES: dict[str, Place] = {
    "item of a kind nobody knows": lambda data: _item("xyz ", data),
    "item that describes nothing": lambda data: heif.encoded(
        heif.heif(Item(2, "xyz ", b"\0", data))
    ),
    "IPTC": lambda data: _item("iptc", planting._iptc(data)),  # noqa: SLF001  (as above)
    "name of an item": lambda data: heif.encoded(heif.heif(Item(2, "xyz ", data + b"\0", b"a"))),
    "name of the picture": lambda data: heif.encoded(
        heif.heif(main=replace(heif.picture(planting.SCENE), about=data + b"\0"))
    ),
    "property of a text": lambda data: heif.encoded(
        heif.heif(
            replace(heif.text(2, "text/plain", b"a"), properties=(Property("abcd", data),)),
        )
    ),
    "text": lambda data: samples.with_text("text/plain", planting._json(data)),  # noqa: SLF001
    "address": lambda data: _item("uri ", data),
    "EXIF": lambda data: samples.with_exif(_tag(data)),
    "before EXIF": lambda data: samples.with_exif(samples.EXIF, data),
    "XMP": lambda data: samples.with_text(samples.RDF, planting._thumbnail(data, "a")),  # noqa: SLF001
    "XMP elsewhere": lambda data: samples.with_text(samples.RDF, planting._elsewhere(data)),  # noqa: SLF001
    "unknown property": lambda data: samples.with_property("abcd", data),
    "described in words": lambda data: samples.with_property("udes", bytes(4) + data),
    "aspect": lambda data: samples.with_property("pasp", data),
    "colours by number": lambda data: samples.with_property("colr", b"nclx\0\1\0\r\0\6\x80" + data),
    "colours of a kind nobody knows": lambda data: samples.with_property("colr", b"abcd" + data),
    "colour profile": lambda data: samples.with_property(
        "colr",
        b"prof" + planting._in_profile(data),  # noqa: SLF001  (as above)
    ),
    "turn": lambda data: samples.with_property("irot", b"\0" + data, essential=True),
    "brands": lambda data: heif.encoded(
        heif.heif(brands=b"heic\0\0\0\0mif1heic" + data[: len(data) // 4 * 4])
    ),
    "handler": lambda data: heif.encoded(heif.heif(handler=bytes(8) + b"pict" + bytes(12) + data)),
    "box in the metadata": lambda data: heif.encoded(heif.heif(), inside=box("abcd", data)),
    "box behind": lambda data: heif.encoded(heif.heif(), behind=box("abcd", data)),
    "box of a user's": lambda data: heif.encoded(heif.heif(), behind=box("uuid", bytes(16), data)),
    "free box": lambda data: heif.encoded(heif.heif(), behind=box("free", data)),
    "media data of no item": lambda data: heif.encoded(heif.heif(), behind=box("mdat", data)),
    "data in the metadata": lambda data: heif.encoded(heif.heif(), inside=box("idat", data)),
    "behind the picture's data": lambda data: heif.encoded(
        heif.heif(main=_with_more(heif.picture(planting.SCENE), data))
    ),
}


def _with_more(item: Item, data: bytes) -> Item:
    """A unit of the stream that no decoder shows (H.265, 7.4.2.2: type 48 and above)."""
    unit = b"\x60\1" + data
    return replace(item, data=item.data + len(unit).to_bytes(4) + unit)


@pytest.mark.parametrize("place", PLACES)
def test_no_picture_of_the_old_frame_stays_in_any_place(place: str) -> None:
    whole = heif.encoded(heif.heif(main=heif.picture(planting.SMALL.crop((0, 0, 96, 72)))))
    for kind, planted in {**planting.PLANTED, "HEIC": whole}.items():
        data = PLACES[place](planted)
        try:
            candidate = cropped(data)
        except (errors.GainMap, errors.UnsupportedFormat):
            continue
        assert not planting.shows_scene(candidate.data), kind
        assert planted[8:60] not in candidate.data, kind
        told = (*candidate.dropped, *candidate.patched)
        assert len(told) > 1 or place in ("name of the picture", "behind the picture's data"), kind


def test_pictures_beside_the_picture_go_with_all_that_they_are_made_of() -> None:
    small = planting.SCENE.resize((80, 64))
    items = [heif.picture(small, number) for number in (2, 3, 4, 5, 6)]
    map_, of_map = heif.auxiliary(7, heif.GAIN)
    tiles = Item(8, "grid", b"\0", b"\0\0\0\1\0\xa0\0\x40", (Property("ispe", bytes(12)),))
    combined = Item(9, "tmap", b"\0", bytes(60), (Property("ispe", bytes(12)),))
    references = (
        *(Reference("thmb", 8, (1,)), Reference("dimg", 8, (2, 3)), of_map),
        *(Reference("dimg", 9, (1, 7)), Reference("dimg", 7, (4,))),
    )
    made = heif.heif(*items, map_, tiles, combined, references=references)
    how = Options(heic=Heic.EXACT, drop=frozenset({"gain-map"}))
    candidate = cropped(heif.encoded(made), BOX, how)
    after = container.parse(candidate.data, NAME)
    assert [item.number for item in after.items] == [1]
    assert [item for item, _ in candidate.dropped] == ["thumbnail", "gain map", "second picture"]


# -- metadata, by another reader ------------------------------------------------------------------

CHANGED = re.compile(
    r"(File|Meta|QuickTime):(Image(Width|Height|SpatialExtent)|MetaImageSize|MediaData\w*"
    r"|ExifByteOrder|Free|HEVC\w+|Gen\w*|Constraint\w+|\w*Segmentation\w*|ParallelismType|Chroma\w+"
    r"|BitDepth\w+|AverageFrameRate|ConstantFrameRate|Num\w+|Temporal\w+|CompatibleBrands)"
)
ASSIGNED = ("-Artist=somebody", "-GPSLatitude=48.8", "-XMP-dc:Title=dusk", "-XMP-xmp:Rating=4")


def test_exiftool_finds_every_tag_as_it_was(tmp_path: Path) -> None:
    exiftool.needed()
    before, after = tmp_path / "before.heic", tmp_path / "after.heic"
    before.write_bytes(samples.with_exif(samples.EXIF))
    command = ["exiftool", "-q", "-overwrite_original", *ASSIGNED, str(before)]
    subprocess.run(command, check=True)
    data = before.read_bytes()
    after.write_bytes(cropped(data).data)
    old, new = (
        {re.sub(r":Copy\d+", "", key): value for key, value in tags.items()}
        for tags in exiftool.tags([before, after])
    )
    assert old["XMP-dc:Title"] == "dusk"
    different = {key for key in {**old, **new} if old.get(key) != new.get(key)}
    sizes = {"IFD0:ImageWidth", "IFD0:ImageHeight"}
    assert {key for key in different if not CHANGED.fullmatch(key)} == sizes
    assert (new["IFD0:ImageWidth"], new["IFD0:ImageHeight"]) == (80, 80)


# -- as a person does it --------------------------------------------------------------------------


@pytest.fixture
def album(tmp_path: Path) -> Path:
    folder = tmp_path / "album"
    folder.mkdir()
    (folder / NAME).write_bytes(samples.with_exif(samples.EXIF))
    return folder


def test_it_is_cropped_where_somebody_chose_that_and_undone(
    album: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (album / NAME).read_bytes()
    asked = ["crop", str(album / NAME), "--box", "95,64,175,144"]
    assert main(asked) == 1
    assert "--heic exact" in capsys.readouterr().err
    assert (album / NAME).read_bytes() == before
    assert main(["settings", str(album), "--heic", "exact"]) == 0
    said = capsys.readouterr()
    assert "3 to 6 times" in said.err + said.out
    assert main(asked) == 0
    with cropkit.open(album) as kit:
        assert kit.options.heic is Heic.EXACT
    cut = np.asarray(picture(before, NAME))[64:144, 94:176]
    assert np.array_equal(np.asarray(picture((album / NAME).read_bytes(), NAME)), cut)
    with cropkit.open(album) as kit:
        kit.undo(NAME)
    assert (album / NAME).read_bytes() == before


def test_a_copy_is_what_a_viewer_shows() -> None:
    data = samples.with_exif(samples.EXIF)
    candidate = copied(data, NAME, BOX, CopyOptions(format=Format.PNG))
    with Image.open(io.BytesIO(candidate.data)) as shown:
        seen = np.asarray(picture(data, NAME))[64:144, 96:176]
        assert np.array_equal(np.asarray(shown), seen)
    with pytest.raises(errors.UnsupportedFormat, match="transparency"):
        copied(samples.auxiliary(heif.ALPHA), NAME, BOX, CopyOptions(format=Format.PNG))


def test_what_the_stream_says_is_read_as_it_was_meant() -> None:
    item = heif.image(heif.samples(signal=samples.UNTOLD))
    assert sequence.signal(item.first("hvcC") or b"") == samples.UNTOLD
