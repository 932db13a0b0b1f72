"""Manifests found, taken off and looked through, by no library: also where they are hostile."""

import struct

import jpeg_builder as jpg
import pictures
import png_builder as png
import pytest

from cropkit.errors import CorruptImage, UnfitCredentials
from cropkit.formats.credentials import jumbf
from cropkit.formats.credentials import pictures as shown

JPEG = pictures.encoded(pictures.photo(64, 48, 1), "JPEG")
PNG = png.build(png.values(0, 8, 21, 13), 0, 8)


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + kind + content


def superbox(label: str, *inner: bytes) -> bytes:
    description = box(b"jumd", bytes(16) + b"\3" + label.encode() + b"\0")
    return box(b"jumb", description + b"".join(inner))


def store(*assertions: bytes, manifest: str = "urn:c2pa:1") -> bytes:
    return superbox("c2pa", superbox(manifest, superbox("c2pa.assertions", *assertions)))


def in_png(data: bytes) -> bytes:
    return PNG[:33] + png.chunk("caBX", data) + PNG[33:]


def in_jpeg(data: bytes, size: int = 100) -> bytes:
    """Part a box into segments, each of which repeats its head (ISO 19566-5, D.2)."""
    pieces = [data[8:][at : at + size] for at in range(0, len(data) - 8, size)]
    parts = [
        (0xEB, b"JP\0\1" + struct.pack(">I", n) + data[:8] + piece)
        for n, piece in enumerate(pieces, 1)
    ]
    segments = b"".join(jpg.segment(*part) for part in parts)
    return JPEG[:2] + segments + JPEG[2:]


WORDS = superbox("org.example", box(b"json", b'{"words": "' + b"all of it " * 40 + b'"}'))


def test_a_manifest_is_found_and_taken_off() -> None:
    whole = store(WORDS)
    for data, form, bare in ((in_png(whole), "png", PNG), (in_jpeg(whole), "jpeg", JPEG)):
        assert jumbf.store(data, form, "x") == whole
        assert jumbf.without(data, form, "x") == bare
        assert jumbf.store(bare, form, "x") == b""


def test_other_segments_of_the_same_marker_stay() -> None:
    other = JPEG[:2] + jpg.segment(0xEB, b"HDR_RI ver=11") + JPEG[2:]
    assert jumbf.without(other, "jpeg", "x") == other


def test_its_boxes_are_told_by_their_labels() -> None:
    (whole,) = jumbf.parsed(store(WORDS), "x")
    (manifest,) = whole.boxes
    (assertions,) = manifest.boxes
    assert [each.label for each in (whole, manifest, assertions)] == [
        *("c2pa", "urn:c2pa:1", "c2pa.assertions")
    ]
    assert assertions.boxes[0].label == "org.example"


@pytest.mark.parametrize(
    "data",
    [
        b"....jumbc2pa",
        box(b"jumb", b""),
        box(b"jumb", box(b"json", b"{}")),
        struct.pack(">I", 1) + b"jumb" + bytes(16),
        struct.pack(">I", 100) + b"jumb",
        box(b"jumb", box(b"jumd", b"short")),
        b"\0\0\0\x08free" * 10_001,
    ],
)
def test_what_is_no_store_is_damaged(data: bytes) -> None:
    with pytest.raises(CorruptImage, match="content credentials"):
        jumbf.parsed(data, "x")


def test_a_store_that_is_too_deep_is_damaged() -> None:
    data = WORDS
    for _ in range(10):
        data = superbox("deep", data)
    with pytest.raises(CorruptImage, match="do not fit"):
        jumbf.parsed(data, "x")


@pytest.mark.parametrize("form", ["jpeg", "png"])
def test_a_file_that_is_cut_off_is_damaged(form: str) -> None:
    data = in_png(store(WORDS)) if form == "png" else in_jpeg(store(WORDS))
    with pytest.raises(CorruptImage):
        jumbf.without(data[: len(PNG) - 6] if form == "png" else data[:200], form, "x")


def test_pictures_files_and_what_is_unknown_are_to_be_redacted() -> None:
    picture, noise = JPEG, bytes(range(1, 256)) * 3
    whole = store(
        WORDS,
        superbox("c2pa.thumbnail.claim", box(b"bfdb", b"\0image/jpeg\0"), box(b"bidb", picture)),
        superbox("c2pa.actions", box(b"cbor", b"\xa1aa" + noise)),
        superbox("org.example.more", box(b"cbor", noise)),
        superbox("stds.exif", box(b"json", b'{"note": "' + picture.hex().encode() + b'"}')),
    )
    labels = [each.rpartition("/")[2] for each in shown.redactable(whole, "x")]
    assert labels == ["c2pa.thumbnail.claim", "org.example.more", "stds.exif"]
    with pytest.raises(UnfitCredentials, match=r"c2pa\.thumbnail\.claim may show"):
        shown.check(whole, "x")


def test_a_picture_where_nothing_can_be_redacted_is_refused() -> None:
    for hidden in (
        store(superbox("c2pa.actions", box(b"cbor", JPEG))),
        superbox("c2pa", superbox("m", superbox("c2pa.assertions"), box(b"uuid", JPEG))),
    ):
        assert shown.redactable(hidden, "x") == ()
        with pytest.raises(UnfitCredentials):
            shown.check(hidden, "x")


def test_a_manifest_that_cannot_be_looked_through_is_refused() -> None:
    packed = superbox("c2pa", superbox("urn:c2pa:1", box(b"brob", bytes(100))))
    for look in (shown.redactable, shown.check):
        with pytest.raises(UnfitCredentials, match="looked through"):
            look(packed, "x")


def test_lengths_of_boxes_are_no_marks_of_a_video() -> None:
    """00 00 01 B3 begins a video, and a box of 435 bytes."""
    start = len(superbox("stds.x", box(b"json", b"")))
    whole = store(superbox("stds.x", box(b"json", b"x" * (0x1B3 - start))))
    assert b"\0\0\1\xb3" in whole
    shown.check(whole, "x")
