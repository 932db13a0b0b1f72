"""Pictures that a text spells out in other ways than base64: looked for, and told; words stay."""

import base64
import binascii
import json
import quopri
import urllib.parse
from collections.abc import Callable

import jpeg_builder as jpg
import numpy as np
import pictures
import planting
import png_builder as png
import pytest
from planting import PLANTED, SMALL

from cropkit import formats
from cropkit.formats.metadata import inspection
from cropkit.formats.metadata.crop_change import SHOWS_MORE
from cropkit.geometry import PixelBox

BOX = PixelBox(96, 64, 160, 144)
KINDS = ("JPEG", "progressive JPEG", "PNG", "WebP", "GIF")
SAMPLES = SMALL.convert("L").tobytes()
Spell = Callable[[bytes], bytes]


def _uuencoded(data: bytes) -> bytes:
    lines = (binascii.b2a_uu(data[at : at + 45]) for at in range(0, len(data), 45))
    return b"begin 644 a\n" + b"".join(lines) + b"`\nend\n"


def _in_pieces(length: int, between: bytes) -> Spell:
    def spelt(data: bytes) -> bytes:
        digits = base64.b64encode(data)
        return between.join(digits[at : at + length] for at in range(0, len(digits), length))

    return spelt


def _latin(data: bytes) -> str:
    return data.decode("latin-1")


SPELLINGS: dict[str, Spell] = {
    "numbers": lambda data: json.dumps(list(data)).encode(),
    "numbers, a line each": lambda data: json.dumps(list(data), indent=4).encode(),
    "Node's buffer": lambda data: json.dumps({"type": "Buffer", "data": list(data)}).encode(),
    "numbers of C": lambda data: ", ".join(f"0x{byte:02x}" for byte in data).encode(),
    "references of XML": lambda data: "".join(f"&#{byte};" for byte in data).encode(),
    "pairs of digits": lambda data: data.hex(" ").encode(),
    "pairs of digits with colons": lambda data: data.hex(":").encode(),
    "Python's bytes": lambda data: repr(data).encode(),
    "JSON's text": lambda data: json.dumps(_latin(data)).encode(),
    "address": lambda data: urllib.parse.quote(data).encode(),
    "quoted printable": quopri.encodestring,
    "octal": lambda data: "".join(f"\\{byte:03o}" for byte in data).encode(),
    "base64 by fours": _in_pieces(4, b" "),
    "base64 in lines of a list": _in_pieces(64, b'",\n "'),
    "base85": base64.b85encode,
    "Adobe's base85": lambda data: base64.a85encode(data, wrapcol=72, adobe=True),
    "uuencoding": _uuencoded,
}


def in_comment(words: bytes) -> tuple[bytes, str]:
    return jpg.build([(0xFE, words[:65000])], planting.SCENE), "a.jpg"


def in_text(words: bytes) -> tuple[bytes, str]:
    return planting.png_with(("tEXt", b"workflow\0" + words)), "a.png"


def in_exif(words: bytes) -> tuple[bytes, str]:
    block = jpg.tiff((0x010E, 2, len(words) + 1, words + b"\0"))
    return planting.png_with(("eXIf", block)), "a.png"


def in_wide_exif(words: bytes) -> tuple[bytes, str]:
    wide = _latin(words).encode("utf-16-le") + b"\0\0"
    return planting.png_with(("eXIf", jpg.tiff((0x9C9C, 1, len(wide), wide)))), "a.png"


PLACES = (in_comment, in_text, in_exif, in_wide_exif)


def cropped(data: bytes, name: str) -> formats.Candidate:
    candidate = formats.crop(data, name, BOX)
    return formats.verify(candidate.data, candidate, name)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_picture_stays_however_it_is_spelt(
    spelling: str, place: Callable[[bytes], tuple[bytes, str]]
) -> None:
    for kind in KINDS:
        words = SPELLINGS[spelling](PLANTED[kind])
        candidate = cropped(*place(words))
        middle = words[len(words) // 3 :][:48]
        assert middle not in candidate.data.replace(b"\0", b""), kind
        assert candidate.dropped, kind


@pytest.mark.parametrize("spelling", ["numbers", "numbers of C", "references of XML"])
def test_bare_samples_are_nothing_that_anybody_can_look_into(spelling: str) -> None:
    words = SPELLINGS[spelling](SAMPLES)
    assert inspection.unfit(words) == inspection.UNSEEN
    rows = json.dumps(np.asarray(SMALL.convert("L")).tolist()).encode()
    assert inspection.unfit(rows) == inspection.UNSEEN
    plain = b"P2\n96 72\n255\n" + " ".join(map(str, SAMPLES)).encode()
    assert inspection.unfit(plain) == inspection.UNSEEN


def test_a_picture_that_is_written_as_a_program_is_one() -> None:
    words = b'/* XPM */\nstatic char *a[] = {\n"96 72 2 1",\n"  c #000000",\n' + b'". . ..",\n' * 72
    assert inspection.unfit(words) == SHOWS_MORE


WORDS = {
    "colours": json.dumps({"palette": [[255, 216, 255], [137, 80, 78]] * 40}).encode(),
    "a few hundred numbers": json.dumps(list(range(256)) * 3).encode(),
    "numbers that are no bytes": json.dumps(list(range(4000))).encode(),
    "the same number": json.dumps([0] * 4000).encode(),
    "fingerprints": "\n".join(
        "key " + bytes(range(n, n + 32)).hex(":") for n in range(40)
    ).encode(),
    "an address": b"https://example.org/a.png?X-Credential=a%2F20260101%2Fus&X-Signature="
    + b"0f" * 40,
    "names of files": b"a.jpg, GIF89a, RIFF WEBP, \\x89 PNG, FF D8 FF, 0xff 0xd8 0xff, 255 216 255",
    "hashes": json.dumps([f"{n:032x}" for n in range(7)]).encode(),
    "another language": "\u706f\u5854\u5728\u9ec4\u660f, 255, 216, 255".encode() * 40,
}


@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS)
def test_words_that_only_look_like_one_stay(words: bytes) -> None:
    assert inspection.unfit(words) is None
    assert inspection.without_hidden(words) == (words, None)
    data, name = in_text(words)
    assert png.chunks(cropped(data, name).data)[1] == ("tEXt", b"workflow\0" + words)


def test_a_workflow_of_a_hundred_nodes_stays_byte_for_byte() -> None:
    nodes = [
        {
            "id": n,
            "type": "KSampler",
            "pos": [n * 40, 80],
            "size": {"0": 315, "1": 262},
            "links": [[n, n + 1, 0, n + 2, 1, "LATENT"]],
            "widgets_values": [2**52 + n, 30, 7.5, "dpmpp_2m"],
        }
        for n in range(100)
    ]
    words = json.dumps({"nodes": nodes}).encode()
    assert inspection.unfit(words) is None


def test_no_picture_is_found_in_the_pictures_own_texts() -> None:
    assert inspection.unfit(pictures.icc_profile()[:128].hex().encode()) is None
