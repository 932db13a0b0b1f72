"""What comes from outside has a bound in bytes, parts and depth: at the bound it costs no time."""

import gc
import json
import struct
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import jpeg_builder as jpg
import pictures
import png_builder as png
import pytest
import riff_builder as riff
import tiff_builder as tif
from counting import calls

from cropkit import formats
from cropkit.audit import export_reader, segments
from cropkit.batch import parameters
from cropkit.errors import (
    AuditCorrupt,
    BadConfiguration,
    BadKeymap,
    BadParameterFile,
    BadSuggestion,
    CropkitError,
    RunIncomplete,
    TooManyParts,
)
from cropkit.formats.limits import MOST_PARTS
from cropkit.formats.metadata import inspection
from cropkit.formats.metadata.embedded_pictures import pictures as pictures_in
from cropkit.formats.preview import preview
from cropkit.geometry import PixelBox, Size
from cropkit.monitor.delivery import alerts_file
from cropkit.review.keys import keymap
from cropkit.runs import record
from cropkit.suggest import Sidecars, Table, jsonfile
from cropkit.system import toml_text

MOST_SECONDS = 0.5
TRIES = 5
BOX = PixelBox(2, 2, 12, 12)
XMP_BYTES = MOST_PARTS["bytes of XMP"]
Work = Callable[[Path], object]


def cpu(work: Callable[[], object]) -> float:
    """Return the CPU seconds of the best of some tries; what is refused has cost its time, too.

    Rubbish of other tests is no part of it: collecting it has taken longer than the work itself.
    """
    gc.disable()
    try:
        tries = (_tried(work) for _ in range(TRIES))
        return next((spent for spent in tries if spent < MOST_SECONDS), MOST_SECONDS)
    finally:
        gc.enable()


def _tried(work: Callable[[], object]) -> float:
    begun = time.process_time()
    with suppress(CropkitError):
        work()
    return time.process_time() - begun


# -- texts ----------------------------------------------------------------------------------------


def yaml(text: str) -> Work:
    def read(folder: Path) -> object:
        path = folder / "p.yaml"
        path.write_text(text, encoding="utf-8")
        return parameters.from_yaml(path)

    return read


def sidecar(text: str) -> Work:
    return lambda _: jsonfile.parse(text.encode("utf-8", "surrogatepass"), "a.decision")


def csv(text: str) -> Work:
    def read(folder: Path) -> object:
        path = folder / "boxes.csv"
        if text:
            path.write_text(text, encoding="utf-8")
        return Table.from_csv(path, order="xyxy", units="normalized")

    return read


def alerts(text: str) -> Work:
    def read(folder: Path) -> object:
        home = folder / "config" / "cropkit"
        home.mkdir(parents=True, exist_ok=True)
        (home / "alerts.toml").write_text(text, encoding="utf-8")
        return alerts_file.of_person({"XDG_CONFIG_HOME": str(folder / "config")})

    return read


def keys(text: str) -> Work:
    def read(folder: Path) -> object:
        path = folder / "keys.toml"
        path.write_text(text, encoding="utf-8")
        return keymap.keymap(file=path)

    return read


def filled(start: str, piece: str, end: str, size: int) -> str:
    return start + piece * ((size - len(start) - len(end)) // len(piece)) + end


_Y, _J, _T = parameters.LARGEST, jsonfile.LIMIT, toml_text.LARGEST
_MEGABYTE = 1 << 20
_HEAD = "path,left,top,right,bottom\n"
_DEEP_HEADER = "[" + ".".join("a" * 60)

TEXTS: dict[str, Work] = {
    "yaml: lists in lists": yaml("a: " + "[" * 4_000),
    "yaml: mappings in mappings": yaml("{" * _Y),
    "yaml: mappings by indent": yaml("".join(" " * n + "a:\n" for n in range(130))),
    "yaml: lists by dashes": yaml("- " * (_Y // 2)),
    "yaml: question marks": yaml("? " * (_Y // 2)),
    "yaml: many names": yaml(filled("", "aa: 1\n", "", _Y)),
    "yaml: one long text": yaml(filled('a: "', "x ", '"', _Y)),
    "yaml: a text of many lines": yaml(filled('a: "', "x\n ", '"', _Y)),
    "yaml: comments": yaml(filled("", "#\n", "", _Y)),
    "yaml: documents": yaml(filled("", "---\n", "", _Y)),
    "yaml: anchors": yaml(filled("a: ", "&a ", "1", _Y)),
    "yaml: escapes": yaml(filled('a: "', "\\x41", '"', _Y)),
    "json: lists in lists": sidecar("[" * _J),
    "json: objects in objects": sidecar(filled("", '{"a":', "", _J)),
    "json: one long number": sidecar(filled('{"a":', "1", "}", _J)),
    "json: long numbers": sidecar(filled("[", "1" * 4_000 + ",", "1]", _J)),
    "json: one long fraction": sidecar(filled('{"a":0.', "1", "}", _J)),
    "json: long fractions": sidecar(filled("[", "0." + "1" * 380 + ",", "1]", _J)),
    "json: long exponents": sidecar(filled("[", "1e" + "9" * 380 + ",", "1]", _J)),
    "json: many numbers": sidecar(filled("[", "1,", "1]", _J)),
    "json: many names": sidecar("{" + ",".join(f'"{n}":1' for n in range(100_000)) + "}"),
    "json: escapes": sidecar(filled('{"a":"', "\\ud800", '"}', _J)),
    "toml: lists in lists": alerts("a = " + "[" * (_T - 4)),
    "toml: tables in tables": alerts(filled("a = ", "{a=", "", _T)),
    "toml: dotted names": alerts("a" + ".a" * (_T // 2 - 10) + " = 1"),
    "toml: dotted headers": alerts("[a" + ".a" * (_T // 2 - 10) + "]"),
    "toml: many dotted headers": alerts(
        "".join(f"{_DEEP_HEADER}.b{n}]\n" for n in range(_T // 130))
    ),
    "toml: many names": alerts("".join(f"a{n}=1\n" for n in range(_T // 9))),
    "toml: one long number": alerts(filled("a = ", "1", "", _T)),
    "toml: sinks": alerts(filled("", "[[sink]]\n", "", _T)),
    "keys: lists in lists": keys("a = " + "[" * (_T - 4)),
    "keys: one long number": keys(filled("a = ", "1", "", _T)),
    "csv: many columns and short rows": csv(
        ",".join(str(n) for n in range(100_000)) + "\n" + "1\n" * 100_000
    ),
    "csv: as many columns as may be, and short rows": csv(
        _HEAD[:-1] + "," * 990 + "\n" + "1\n" * 5_000
    ),
    "csv: quotes that never end": csv(_HEAD + filled('"', "a\n", "", _MEGABYTE)),
    "csv: one row of commas": csv(_HEAD + "," * 100_000),
    "csv: empty lines": csv(filled(_HEAD, "\n", "", _MEGABYTE)),
    "csv: numbers of many digits": csv(
        filled(_HEAD, "a.png," + "9" * 5_000 + ",1,1,1\n", "", _MEGABYTE)
    ),
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_of_the_largest_size_and_worst_shape_costs_no_time(
    name: str, tmp_path: Path
) -> None:
    assert cpu(lambda: TEXTS[name](tmp_path)) < MOST_SECONDS


BEYOND: dict[str, tuple[Work, type[CropkitError], str]] = {
    "yaml: too large": (yaml("#" * (_Y + 1)), BadParameterFile, "larger than"),
    "yaml: nested": (yaml("a: [1, [2]]"), BadParameterFile, "not plain text"),
    "yaml: an alias": (yaml("a: &x 1\nb: *x"), BadParameterFile, "aliases"),
    "yaml: twice": (yaml("a: 1\na: 2"), BadParameterFile, "twice"),
    "json: nested": (sidecar("[" * 100_000), BadSuggestion, "too deeply nested"),
    "json: a long number": (sidecar('{"a": ' + "1" * 5_000 + "}"), BadSuggestion, "too long"),
    "json: a long fraction": (sidecar('{"a": 0.' + "1" * 5_000 + "}"), BadSuggestion, "too long"),
    "json: a name twice": (sidecar('{"a": 1, "a": 2}'), BadSuggestion, "says 'a' twice"),
    "json: a name twice below": (sidecar('{"b": {"a": 1, "a": 1}}'), BadSuggestion, "twice"),
    "toml: too large": (alerts("#" * (_T + 1)), BadConfiguration, "larger than"),
    "toml: nested": (alerts("a = " + "[" * 10_000), BadConfiguration, "too deeply"),
    "keys: too large": (keys("#" * (_T + 1)), BadKeymap, "larger than"),
    "keys: nested": (keys("a = " + "[" * 10_000), BadKeymap, "too deeply"),
    "keys: dots": (keys("a" + ".a" * 200 + " = 1"), BadKeymap, "dots"),
    "csv: too many columns": (csv("," * 1_001), BadSuggestion, "columns"),
}


@pytest.mark.parametrize("name", BEYOND)
def test_a_text_beyond_the_bound_is_refused_by_name(name: str, tmp_path: Path) -> None:
    work, error, words = BEYOND[name]
    with pytest.raises(error, match=words):
        work(tmp_path)


def test_a_sidecar_and_a_table_have_a_largest_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / "a.decision").open("wb") as file:
        file.truncate(jsonfile.LIMIT + 1)
    with pytest.raises(BadSuggestion, match="at most"):
        jsonfile.JsonFiles(tmp_path).read("a.decision")
    monkeypatch.setattr("cropkit.suggest.csv_rows.LIMIT", 100)
    with pytest.raises(BadSuggestion, match="more than 100 bytes"):
        csv(_HEAD + "a.png,0,0,1,1\n" * 10)(tmp_path)


def test_the_work_for_a_table_grows_with_its_length(tmp_path: Path) -> None:
    row = "a.png,0.1,0.1,0.9,0.9\n"
    few, many = (calls(lambda n=n: csv(_HEAD + row * n)(tmp_path)) for n in (500, 2_000))  # type: ignore[misc]  # (bound at once)
    assert 1_500 < many - few < 3.1 * few


def test_a_table_has_a_largest_number_of_rows_and_the_first_ones_are_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cropkit.suggest.csv_rows.MOST_ROWS", 3)
    row = "{0}.png,0.1,0.1,0.9,0.9\n"
    (tmp_path / "boxes.csv").write_text(_HEAD + "".join(row.format(n) for n in range(5)))
    table = Table.from_csv(tmp_path / "boxes.csv", order="xyxy", units="normalized")
    (problem,) = table.problems
    assert "boxes.csv:5" in problem.reason + problem.path
    assert "nothing from here on was read" in problem.reason
    assert table.suggest("2.png", Size(20, 20), "").suggestions
    assert not table.suggest("3.png", Size(20, 20), "").suggestions


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"[" * 100_000, "no record of a run"),
        (b"[]", "no record of a run"),
        (b'{"ok": true, "counts": {}, "entries": 3}', "no record of a run"),
        (b"\xff", "no record of a run"),
        (b" " * 101, "larger than 100 bytes"),
    ],
)
def test_a_record_of_a_run_has_a_largest_size_and_a_form(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes, words: str
) -> None:
    if b"[[" not in data:
        monkeypatch.setattr("cropkit.runs.record.LARGEST", 100)
    (tmp_path / "run.json").write_bytes(data)
    with pytest.raises(RunIncomplete, match=words):
        record.read(tmp_path)


@pytest.mark.parametrize("value", ["1e400", "-1e400", "NaN", "Infinity", "9" * 400])
def test_a_number_that_is_none_is_no_edge_of_a_box(tmp_path: Path, value: str) -> None:
    pictures.write_png(tmp_path / "a.png", pictures.photo(20, 20))
    (tmp_path / "a.decision").write_text(
        f'{{"ai_crop_coords": [0.1, 0.1, 0.9, {value}], "ai_route": "x"}}', encoding="utf-8"
    )
    found = Sidecars(tmp_path).suggest("a.png", Size(20, 20), "0" * 64)
    assert not found.suggestions
    assert found.problems[0].path == "a.decision"


def test_a_line_of_an_export_has_a_longest_length(tmp_path: Path) -> None:
    path = tmp_path / "trail.jsonl"
    for line in (b"x" * (segments.LONGEST_LINE + 2), b'{"seq": ' + b"[" * 100_000 + b"\n"):
        path.write_bytes(line)
        with pytest.raises(AuditCorrupt, match=r"of more than|not an event"):
            list(export_reader.events(path))


# -- files of images ------------------------------------------------------------------------------


def _png(*parts: tuple[str, bytes], pixels: int = 1) -> bytes:
    coded = zlib.compress((b"\0" + bytes(16)) * 16)
    cut = [coded[:-1], *[b""] * (pixels - 1), coded[-1:]]
    body = [png.chunk("IHDR", struct.pack(">IIBBBBB", 16, 16, 8, 0, 0, 0, 0))]
    body += [png.chunk(kind, data) for kind, data in parts]
    body += [png.chunk("IDAT", piece) for piece in cut]
    return png.SIGNATURE + b"".join(body) + png.chunk("IEND", b"")


def _xmp(packet: bytes) -> bytes:
    return _png(("iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + packet))


def _squeezed(packet: bytes) -> bytes:
    return _png(("iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(packet)))


def _exif(block: bytes) -> bytes:
    return _png(("eXIf", block))


def _many(piece: bytes, size: int) -> bytes:
    return piece * (size // len(piece))


def _overlapping(size: int) -> bytes:
    """A directory at each entry of a block, of as many entries as may be, which are the others."""
    block = bytearray(b"MM\0*\0\0\0\x08" + struct.pack(">H", 1000))
    for number in range((size - 10) // 12):
        block += struct.pack(">HHII", 0x8769, 4, 1, 8 + 12 * number + 12)
    return bytes(block)


def _same_values(size: int) -> bytes:
    """A thousand tags whose value is the same, which is nearly all of the block."""
    block = b"MM\0*\0\0\0\x08" + struct.pack(">H", 1000)
    block += b"".join(
        struct.pack(">HHII", 0x9000 + n, 7, size - 13_000, 12_900) for n in range(1000)
    )
    return block.ljust(size, b"A")


def _regions(begin: bytes, end: bytes) -> bytes:
    space = b" xmlns:m='http://www.metadataworkinggroup.com/schemas/regions/' "
    number = (XMP_BYTES - 200) // (len(begin) + len(end))
    return space + begin * number + end * number


def _orientations(size: int) -> bytes:
    block = b"MM\0*\0\0\0\x08" + struct.pack(">H", 1000)
    block += struct.pack(">HHII", 0x0112, 4, size // 4, 8) * 1000
    return block.ljust(size + 64, b"\0")


def _thumbnail(size: int) -> bytes:
    """A second directory, whose strips lie over all of the block."""
    block = b"MM\0*\0\0\0\x08" + struct.pack(">H", 1000)
    block += struct.pack(">HHII", 0x9999, 1, size - 20, 10) * 1000
    second = len(block) + 4
    block += struct.pack(">I", second) + struct.pack(">H", 2)
    count = 10_000
    values = second + 2 + 24 + 4
    block += struct.pack(">HHII", 0x0111, 4, count, values)
    block += struct.pack(">HHII", 0x0117, 4, count, values + 4 * count) + bytes(4)
    block += struct.pack(">I", 10) * count + struct.pack(">I", size) * count
    return block.ljust(size + 64, b"\0")


def _jpeg(*parts: jpg.Part) -> bytes:
    return jpg.build(list(parts), pictures.photo(16, 16))


def _in_extended_xmp(packet: bytes) -> list[jpg.Part]:
    head = b"http://ns.adobe.com/xmp/extension/\0" + b"0" * 32
    return [
        (0xE1, head + struct.pack(">II", len(packet), at) + packet[at : at + 65_000])
        for at in range(0, len(packet), 65_000)
    ]


def _scans(number: int) -> bytes:
    head, sos, scan = _jpeg().removesuffix(b"\xff\xd9").partition(b"\xff\xda")
    return head + (sos + scan) * (number + 1) + b"\xff\xd9"


def _filled_up(number: int) -> bytes:
    data = _jpeg()
    return data[:2] + b"\xff\xfe\0\2" + b"\xff" * number + data[2:]


def _gif(blocks: bytes) -> bytes:
    whole = pictures.encoded(pictures.photo(16, 16).convert("P"), "GIF")
    return whole[:-1] + blocks + b";"


def _webp(number: int) -> bytes:
    return riff.assembled([*riff.pixels(pictures.photo(16, 16)), *[(b"JUNK", b"")] * number])


def _webp_with_xmp(packet: bytes) -> bytes:
    coded = riff.pixels(pictures.photo(16, 16))
    return riff.assembled([riff.canvas(16, 16, riff.XMP), *coded, (b"XMP ", packet)])


def _tiff(entries: int) -> bytes:
    build = tif.Builder(big=True)
    pixels = build.put(bytes(16 * 16))
    tags: list[tif.Tag] = [
        *((256, 3, [16]), (257, 3, [16]), (258, 3, [8]), (259, 3, [1]), (262, 3, [1])),
        *((273, 4, [pixels]), (277, 3, [1]), (278, 3, [16]), (279, 4, [256])),
    ]
    tags += [(65_000, 1, b"x")] * entries
    return build.finished(build.directory(tags))


def _strips(number: int) -> bytes:
    """An image each row of which is a strip, and all of them the same one."""
    build = tif.Builder()
    pixels = build.put(bytes(16))
    tags: list[tif.Tag] = [
        *((256, 3, [16]), (257, 4, [number]), (258, 3, [8]), (259, 3, [1]), (262, 3, [1])),
        *((273, 4, [pixels] * number), (277, 3, [1]), (278, 3, [1]), (279, 4, [16] * number)),
    ]
    return build.finished(build.directory(tags))


def _most(what: str) -> int:
    return MOST_PARTS[what] - 20


IMAGES: dict[str, Callable[[], bytes]] = {
    "png: chunks": lambda: _png(*[("teXt", b"")] * _most("chunks beside the pixels")),
    "png: pieces of pixels": lambda: _png(pixels=_most("chunks")),
    "png: xmp of beginnings": lambda: _xmp(_many(b"<xmp:Thumbnails>", XMP_BYTES)),
    "png: xmp of beginnings without an end": lambda: _xmp(_many(b"<xmp:Thumbnails ", XMP_BYTES)),
    "png: xmp of blanks": lambda: _xmp(_many(b" ", XMP_BYTES)),
    "png: xmp of sizes": lambda: _xmp(_many(b"<tiff:ImageWidth>  1<", XMP_BYTES)),
    "png: xmp of sizes and blanks": lambda: _xmp(
        _many(b"<tiff:ImageWidth>" + b" " * 50_000, XMP_BYTES)
    ),
    "png: xmp inflated": lambda: _squeezed(bytes(XMP_BYTES)),
    "png: many texts inflated": lambda: _png(
        *[("zTXt", b"Comment\0\0" + zlib.compress(bytes(1 << 22)))] * 500
    ),
    "png: raw profile of blanks": lambda: _png(
        ("tEXt", b"Raw profile type exif\0\nexif\n" + _many(b" ", XMP_BYTES - 99))
    ),
    "png: exif of directories in each other": lambda: _exif(_overlapping(1 << 20)),
    "png: exif of long orientations": lambda: _exif(_orientations(1 << 20)),
    "png: exif of a thumbnail everywhere": lambda: _exif(_thumbnail(1 << 20)),
    "jpg: exif of values that are the same": lambda: _jpeg(
        *[(0xE1, b"Exif\0\0" + _same_values(60_000))] * 100
    ),
    "jpg: segments of many markers": lambda: _jpeg(
        *[(0xE3 + n % 8, bytes(range(256))) for n in range(_most("segments"))]
    ),
    "jpg: texts": lambda: _jpeg(*[(0xFE, b"AAAA" * 40)] * _most("segments")),
    "png: regions": lambda: _xmp(_regions(b"<a:b c='d'>", b"</a:b>")),
    "png: regions that have no end": lambda: _xmp(_regions(b'<a:b c="', b"")),
    "png: regions of names": lambda: _xmp(b"<a " + _regions(b"a" * 50_000, b"")),
    "jpg: exif of directories": lambda: _jpeg((0xE1, b"Exif\0\0" + _overlapping(60_000))),
    "jpg: exif of long orientations": lambda: _jpeg((0xE1, b"Exif\0\0" + _orientations(60_000))),
    "jpg: segments": lambda: _jpeg(*[(0xFE, b"")] * _most("segments")),
    "jpg: fill bytes": lambda: _filled_up(1 << 22),
    "jpg: tables": lambda: _jpeg(*[(0xDB, (b"\0" + bytes([9] * 64)) * 63)] * 60),
    "jpg: codes": lambda: _jpeg(*[(0xC4, bytes(17) * 63)] * 60),
    "gif: blocks": lambda: _gif(b"!\xfe\0" * _most("blocks")),
    "gif: sub-blocks": lambda: _gif(b"!\xfe" + b"\1a" * _most("sub-blocks") + b"\0"),
    "webp: chunks": lambda: _webp(_most("RIFF chunks")),
    "webp: xmp": lambda: _webp_with_xmp(_many(b"<xmp:Thumbnails>", XMP_BYTES)),
    "tif: entries": lambda: _tiff(_most("directory entries")),
    "tif: strips": lambda: _strips(_most("strips or tiles")),
}


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_of_the_most_parts_costs_no_time(name: str) -> None:
    data, path = IMAGES[name](), f"a.{name.partition(':')[0]}"
    formats.crop(_jpeg(), "warm.jpg", BOX)  # libjpeg's process is there
    assert cpu(lambda: formats.crop(data, path, BOX)) < MOST_SECONDS


def test_scans_over_a_large_image_are_fewer_than_over_a_small_one() -> None:
    large = _scans(200)
    at = large.index(b"\xff\xc0\0\x11\x08") + 5
    large = large[:at] + struct.pack(">HH", 12_000, 12_000) + large[at + 4 :]
    with pytest.raises(TooManyParts, match="more than 64 scans"):
        formats.read_header(large, "a.jpg")
    with pytest.raises(TooManyParts, match="more than 64 scans"):
        preview(large, "a.jpg", Size(64, 64))
    assert formats.read_header(_scans(200), "a.jpg").size == Size(16, 16)


def test_directories_of_a_block_that_lead_to_each_other_are_not_all_followed() -> None:
    data = IMAGES["jpg: exif of directories"]()
    formats.crop(data, "a.jpg", BOX)  # what is loaded once is there
    assert calls(lambda: formats.crop(data, "a.jpg", BOX)) < 200_000


@pytest.mark.parametrize("kind", [b"hdrgm:a", b"GDepth:x", b"Container:y"])
def test_an_xmp_of_second_pictures_is_gone_through_once(kind: bytes) -> None:
    packets = [_many(piece, 60_000) for piece in (b"<%b>" % kind, b"<%b " % kind, b" %b=" % kind)]
    packets.append(b"<a%bb='1' %b='1'/>" % (b" " * 40_000, kind))
    options = formats.Options(drop=frozenset({"gain-map"}))
    for packet in packets:
        data = _jpeg((0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet))
        assert cpu(lambda data=data: formats.crop(data, "a.jpg", BOX, options)) < MOST_SECONDS  # type: ignore[misc]  # (bound at once)


# What a search for pictures goes over, in shapes that a careless one would go over again and again.
SEARCHED: dict[str, bytes] = {
    "starts of a JPEG": b"\xff\xd8\xff\xe0\0\x02",
    "starts that lead to each other": b"\xff\xd8\xff\xe0\0\x04",
    "scans without an end": b"\xff\xd8\xff\xda\0\2",
    "starts of a PNG": b"\x89PNG\r\n\x1a\n",
    "starts of a WebP": b"RIFF\x08\0\0\0WEBP",
    "starts of a TIFF": b"II*\0\x08\0\0\0\x01\0",
    "digits": b"A",
    "words that are too short": b"A" * 23 + b".",
    "lines of digits": b"A" * 24 + b"\n",
    "digits between breaks": b"A" * 24 + b"\r\n" * 60,
    "digits and half a break": b"A" * 24 + b"&#x00",
    "wide digits": b"A\0",
    "escapes": rb"A\/\u002f%2F",
}


@pytest.mark.parametrize("name", SEARCHED)
def test_a_search_for_pictures_goes_over_its_bytes_once(name: str) -> None:
    few, many = (_many(SEARCHED[name], size) for size in (1 << 16, 1 << 18))

    def every_search(data: bytes) -> None:
        inspection.unfit(data)
        inspection.without_hidden(data)
        list(pictures_in(data))

    assert calls(lambda: every_search(many)) <= 4.2 * calls(lambda: every_search(few)) + 200
    assert cpu(lambda: every_search(many)) < MOST_SECONDS


def test_a_colour_profile_that_is_too_long_is_not_shown_with() -> None:
    most = MOST_PARTS["bytes of colour profile"]
    data = _png(("iCCP", b"a\0\0" + zlib.compress(bytes(4 * most))))
    assert cpu(lambda: preview(data, "a.png", Size(8, 8))) < MOST_SECONDS
    assert preview(data, "a.png", Size(8, 8))


_RAW_XMP = ("zTXt", b"Raw profile type xmp\0\0" + zlib.compress(bytes(1 << 21)))
MORE: dict[str, tuple[Callable[[], bytes], str]] = {
    "png: chunks": (lambda: _png(pixels=MOST_PARTS["chunks"]), "chunks"),
    "png: others": (
        lambda: _png(*[("teXt", b"")] * (MOST_PARTS["chunks beside the pixels"] + 1)),
        "chunks beside the pixels",
    ),
    "png: xmp": (lambda: _xmp(bytes(XMP_BYTES + 1)), "bytes of metadata in texts"),
    "png: inflated": (lambda: _squeezed(bytes(XMP_BYTES + 1)), "bytes of metadata in texts"),
    "png: texts together": (lambda: _png(*[_RAW_XMP] * 3), "bytes of metadata in texts"),
    "webp: xmp": (lambda: _webp_with_xmp(bytes(XMP_BYTES + 1)), "bytes of XMP"),
    "jpg: extended xmp": (
        lambda: _jpeg(*_in_extended_xmp(bytes(MOST_PARTS["bytes of extended XMP"] + 1))),
        "bytes of extended XMP",
    ),
    "jpg: segments": (lambda: _jpeg(*[(0xFE, b"")] * MOST_PARTS["segments"]), "segments"),
    "jpg: scans": (lambda: _scans(MOST_PARTS["scans"]), "scans"),
    "jpg: tables": (lambda: _jpeg(*[(0xDB, (b"\0" + bytes([9] * 64)) * 1000)] * 5), "tables"),
    "gif: blocks": (lambda: _gif(b"!\xfe\0" * MOST_PARTS["blocks"]), "blocks"),
    "gif: sub-blocks": (
        lambda: _gif(b"!\xfe" + b"\1a" * (MOST_PARTS["sub-blocks"] + 1) + b"\0"),
        "sub-blocks",
    ),
    "webp: chunks": (lambda: _webp(MOST_PARTS["RIFF chunks"]), "RIFF chunks"),
    "tif: strips": (lambda: _strips(MOST_PARTS["strips or tiles"] + 1), "strips or tiles"),
    "tif: entries": (lambda: _tiff(MOST_PARTS["directory entries"]), "directory entries"),
}


@pytest.mark.parametrize("name", MORE)
def test_an_image_of_more_parts_is_refused_by_name(name: str) -> None:
    made, what = MORE[name]
    path = f"a.{name.partition(':')[0]}"
    with pytest.raises(TooManyParts, match=f"{path}: has more than {MOST_PARTS[what]} {what}"):
        formats.crop(made(), path, BOX)


def test_every_bound_is_tried() -> None:
    tried = {what for _, what in MORE.values()}
    of_heif = {"boxes", "items", "properties", "references"}  # tests/formats/test_formats_heif.py
    assert MOST_PARTS.keys() - tried == {"bytes of colour profile"} | of_heif  # it is shown without


def test_the_sidecars_of_the_wild_are_far_below_the_bound() -> None:
    wild = json.dumps({"ai_crop_coords": [0.1, 0.2, 0.3, 0.4], "ai_route": "x" * 500})
    assert jsonfile.parse(wild.encode(), "a.decision")["ai_route"] == "x" * 500
