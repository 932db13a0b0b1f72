from dataclasses import replace
from io import BytesIO
from typing import Any, NoReturn

import jpeg_builder as jpg
import jpeg_decoder
import numpy as np
import pictures
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from jpeg_decoder import Decoded
from jpeg_encoder import encode, encode_apart, noise
from PIL import Image
from strategies import boxes_in

from cropkit import errors, formats
from cropkit.formats.jpeg import lossless, segments
from cropkit.geometry import PixelBox, Size
from cropkit.lossless import coefficients
from cropkit.lossless.coefficients import Coding
from cropkit.lossless.library import Library, candidates
from cropkit.lossless.windows import windows

NAME = "picture.jpg"
BOX = PixelBox(37, 27, 141, 103)
SIZE = (160, 128)
CODINGS: dict[str, dict[str, Any]] = {
    "4:4:4": {"quality": 100, "subsampling": "4:4:4"},
    "4:2:2": {"quality": 95, "subsampling": "4:2:2"},
    "4:2:0": {"quality": 90, "subsampling": "4:2:0"},
    "progressive": {"quality": 75, "progressive": True},
    "measured codes": {"quality": 85, "optimize": True},
    "restarts": {"quality": 60, "restart_marker_blocks": 3},
    "restarts in progressive scans": {"progressive": True, "restart_marker_blocks": 4},
    "coarse": {"quality": 20},
    "16-bit tables": {"qtables": [[3] * 64, [7] * 64, [300] * 64]},
    "RGB": {"quality": 90, "keep_rgb": True},
}

# What Pillow does not write.
SAMPLINGS = {
    "all 2x1": [(2, 1), (2, 1), (2, 1)],
    "all 2x2, gray": [(2, 2)],
    "2x1 beside 1x2": [(2, 1), (1, 2), (1, 2)],
    "3x1": [(3, 1), (1, 1), (1, 1)],
    "1x4": [(1, 4), (1, 1), (1, 1)],
    "4x2": [(4, 2), (1, 1), (1, 1)],
    "chroma finer than luma": [(1, 1), (2, 2), (2, 2)],
    "four components, two of them halved": [(2, 2), (1, 1), (1, 1), (2, 2)],
}


def sources() -> dict[str, bytes]:
    photo = pictures.photo(*SIZE)
    made = {said: pictures.encoded(photo, "JPEG", **how) for said, how in CODINGS.items()}
    made["gray"] = pictures.encoded(photo.convert("L"), "JPEG", quality=90)
    made["gray that says 2x2"] = jpg.resampled(made["gray"], b"\x11", b"\x22")
    made["4:4:0"] = jpg.resampled(made["4:2:2"], b"\x21\x11\x11", b"\x12\x11\x11")
    made["4:1:1"] = jpg.resampled(made["4:2:0"], b"\x22\x11\x11", b"\x41\x11\x11")
    made["CMYK"] = pictures.encoded(photo.convert("CMYK"), "JPEG", quality=90)
    adobe = b"Adobe\0\x64\0\0\0\0"
    made["YCCK"] = made["CMYK"].replace(adobe + b"\0", adobe + b"\2", 1)
    for said, sampling in SAMPLINGS.items():
        made[said] = encode(SIZE, sampling, noise(SIZE, sampling, seed=len(said)))
    quartered = [(2, 2), (1, 1), (1, 1)]
    made["scans apart"] = encode_apart(SIZE, quartered, noise(SIZE, quartered, seed=3))
    return made


SOURCES = sources()


def cropped(data: bytes, box: PixelBox = BOX) -> formats.Candidate:
    candidate = formats.crop(data, NAME, box)
    formats.verify(candidate.data, candidate, NAME)
    assert formats.applied(formats.read_header(data, NAME), box) == candidate.box_applied
    assert not any("anew, they" in item for item in candidate.patched)
    return candidate


def opened(data: bytes) -> Any:
    return Image.open(BytesIO(data))


def corners(image: Decoded, box: PixelBox) -> list[tuple[slice, slice]]:
    """Return which blocks of each component a box on the grid covers."""
    most = image.most
    return [
        (
            slice(box.top * p.v // (8 * most[1]), -(-box.bottom * p.v // (8 * most[1]))),
            slice(box.left * p.h // (8 * most[0]), -(-box.right * p.h // (8 * most[0]))),
        )
        for p in image.planes
    ]


def unlike(before: bytes, after: bytes, box: PixelBox) -> list[Any]:
    """Return, for each component, which blocks of the crop are not those of the source."""
    source, found = jpeg_decoder.decode(before), jpeg_decoder.decode(after)
    windows = [
        p.blocks[rows, columns]
        for p, (rows, columns) in zip(source.planes, corners(source, box), strict=True)
    ]
    return [(f.blocks != w).any(axis=2) for f, w in zip(found.planes, windows, strict=True)]


@pytest.mark.parametrize("said", SOURCES)
def test_every_whole_block_is_copied_as_another_decoder_reads_it(said: str) -> None:
    before = SOURCES[said]
    candidate = cropped(before)
    for differs in unlike(before, candidate.data, candidate.box_applied):
        assert differs.size
        assert not differs[:-1, :-1].any()


@pytest.mark.parametrize("said", SOURCES)
def test_tables_sampling_scans_and_restarts_are_those_of_the_source(said: str) -> None:
    source, found = map(jpeg_decoder.decode, (SOURCES[said], cropped(SOURCES[said]).data))
    assert [(p.id, p.h, p.v) for p in found.planes] == [(p.id, p.h, p.v) for p in source.planes]
    assert [found.tables[p.table] for p in found.planes] == [
        source.tables[p.table] for p in source.planes
    ]
    assert (found.progressive, found.restart) == (source.progressive, source.restart)
    assert [_order(s) for s in found.scans] == [_order(s) for s in source.scans]
    assert len(found.scans) == (3 if said == "scans apart" else len(source.scans))


def test_an_encoders_own_progressive_script_is_kept() -> None:
    """DC of all, then each component's AC in two bands: not the scans that libjpeg makes."""
    script = (
        (0, 1, 2, 0, 0, 0, 0),
        *((n, *band, 0, 0) for band in ((1, 9), (10, 63)) for n in range(3)),
    )
    with coefficients.reading(Library(candidates()[0], _not_expected), SOURCES["4:2:0"]) as picture:
        box = (0, 0, *SIZE)
        whole = windows(picture.sampling, box, (False, False))
        source = coefficients.write(picture, box, whole, Coding(optimize=False, scans=script))
    found = jpeg_decoder.decode(cropped(source).data)
    assert found.progressive
    orders = [_order(scan) for scan in found.scans]
    assert orders == [_order(scan) for scan in jpeg_decoder.decode(source).scans]
    assert len(orders) == len(script)


def _not_expected(reason: str) -> NoReturn:
    raise AssertionError(reason)


def _order(scan: bytes) -> tuple[bytes, bytes]:
    """Return components, spectral range and bits; the numbers of Huffman tables mean nothing."""
    return scan[1:-3:2], scan[-3:]


@pytest.mark.parametrize("said", SOURCES)
def test_the_corner_moves_out_to_whole_blocks_and_no_further(said: str) -> None:
    source = jpeg_decoder.decode(SOURCES[said])
    applied = cropped(SOURCES[said]).box_applied
    assert (applied.right, applied.bottom) == (BOX.right, BOX.bottom)
    assert 0 <= BOX.left - applied.left < 8 * source.most[0]
    assert 0 <= BOX.top - applied.top < 8 * source.most[1]


@pytest.mark.parametrize(
    ("said", "left", "top"),
    [
        *[("gray", 32, 24), ("gray that says 2x2", 32, 24), ("4:4:4", 32, 24), ("all 2x1", 32, 24)],
        *[("4:2:2", 32, 24), ("4:2:0", 32, 16), ("4:4:0", 32, 16), ("4:1:1", 32, 24)],
        *[("2x1 beside 1x2", 32, 16), ("CMYK", 32, 24), ("3x1", 24, 24), ("1x4", 32, 0)],
    ],
)
def test_the_grid_is_that_of_the_sampling(said: str, left: int, top: int) -> None:
    applied = cropped(SOURCES[said]).box_applied
    assert (applied.left, applied.top) == (left, top)


def test_a_box_that_ends_with_blocks_changes_not_one_coefficient() -> None:
    for said in ("4:4:4", "4:2:0", "progressive", "CMYK"):
        candidate = cropped(SOURCES[said], PixelBox(16, 32, 112, 96))
        assert candidate.patched == ()
        assert not any(
            d.any() for d in unlike(SOURCES[said], candidate.data, candidate.box_applied)
        )


def test_at_the_images_own_edge_not_one_coefficient_changes() -> None:
    odd = pictures.encoded(pictures.photo(155, 121), "JPEG", quality=90)
    candidate = cropped(odd, PixelBox(32, 16, 155, 121))
    assert candidate.patched == ()
    assert not any(d.any() for d in unlike(odd, candidate.data, candidate.box_applied))
    only_below = cropped(odd, PixelBox(32, 16, 155, 100))
    for differs in unlike(odd, only_below.data, only_below.box_applied):
        assert not differs[:-1].any()
        assert differs[-1].any()


def test_the_result_tells_what_making_the_edge_anew_did() -> None:
    (said,) = cropped(SOURCES["4:2:0"]).patched
    blocks = 14 + 11 - 1 + 2 * (7 + 6 - 1)  # 109 x 87 pixels, from (32, 16)
    assert said.startswith(f"{blocks} blocks at the edge: what they hid is made anew (")
    assert said.endswith(" levels at most)")


@pytest.mark.parametrize("said", ["4:4:4", "gray", "RGB", "CMYK"])
def test_pixels_of_whole_blocks_decode_to_the_very_same(said: str) -> None:
    candidate = cropped(SOURCES[said])
    meant = np.asarray(opened(SOURCES[said]).crop(candidate.box_applied.xyxy), int)
    found = np.asarray(opened(candidate.data), int)
    assert np.array_equal(found[:72, :104], meant[:72, :104])
    assert np.abs(found - meant).max() < 8


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_box_is_upright_under_every_orientation(orientation: int) -> None:
    exif = pictures.exif_bytes(orientation=orientation)
    before = pictures.encoded(pictures.photo(160, 120), "JPEG", exif=exif, quality=95)
    shown = _upright(opened(before), orientation)
    assert formats.read_header(before, NAME).size == Size(*shown.size)
    box = PixelBox(19, 21, 90, 111)
    candidate = cropped(before, box)
    after = opened(candidate.data)
    assert after.getexif()[0x0112] == orientation
    applied = candidate.box_applied
    assert applied.left <= box.left < box.right <= applied.right
    assert applied.top <= box.top < box.bottom <= applied.bottom
    assert applied != box
    found = np.asarray(_upright(after, orientation), int)[10:-10, 10:-10]
    meant = np.asarray(shown.crop(applied.xyxy), int)[10:-10, 10:-10]
    assert np.abs(found - meant).max() <= 2  # chroma is interpolated across the old edge


def _upright(picture: Any, orientation: int) -> Any:
    turns = [None, *(Image.Transpose(n) for n in (0, 3, 1, 5, 4, 6, 2))]
    turn = turns[orientation - 1]
    return picture if turn is None else picture.transpose(turn)


@settings(max_examples=60)
@given(data=st.data(), how=st.sampled_from(sorted(CODINGS)))
def test_any_box_of_any_size_is_proven(data: st.DataObject, how: str) -> None:
    size = Size(data.draw(st.integers(1, 70)), data.draw(st.integers(1, 50)))
    source = pictures.photo(size.width, size.height, seed=size.area)
    before = pictures.encoded(source, "JPEG", **CODINGS[how])
    candidate = cropped(before, data.draw(boxes_in(size)))
    assert opened(candidate.data).size == (
        candidate.box_applied.size.width,
        candidate.box_applied.size.height,
    )
    for differs in unlike(before, candidate.data, candidate.box_applied):
        assert not differs[:-1, :-1].any()


def revealed(data: bytes) -> Any:
    """Decode what the last blocks hold beyond the edge: the frame is made to say more pixels."""
    frame = data.index(b"\xff\xc0\x00")
    height, width = (int.from_bytes(data[frame + n : frame + n + 2]) for n in (5, 7))
    more = b"".join((-(-side // 16) * 16).to_bytes(2) for side in (height, width))
    return np.asarray(opened(data[: frame + 5] + more + data[frame + 9 :]).convert("L"), float)


@pytest.mark.parametrize("quality", [30, 75, 95, 100])
def test_what_was_cropped_out_cannot_be_read_from_the_file(quality: int) -> None:
    """A smooth scene with a secret pattern that begins right behind the edge of the box."""
    secret = np.random.default_rng(7).integers(0, 2, (16, 20)).repeat(4, 0).repeat(4, 1) * 120 + 60
    scene = np.asarray(pictures.photo(80, 64).convert("L"), float) * 0.3 + 90
    right, bottom = 35, 27
    scene[bottom:] = secret[bottom:]
    scene[:, right:] = secret[:64, right:]
    picture = Image.fromarray(scene.astype(np.uint8)).convert("RGB")
    before = pictures.encoded(picture, "JPEG", quality=quality, subsampling="4:4:4")
    after = cropped(before, PixelBox(0, 0, right, bottom)).data
    hidden, kept = revealed(after), revealed(jpg.kept_whole(before, 48, 32))
    assert abs(_likeness(kept, secret, right, bottom)) > 0.7  # the test can see it where it is
    assert abs(_likeness(hidden, secret, right, bottom)) < 0.3


def _likeness(found: Any, secret: Any, right: int, bottom: int) -> float:
    outside = np.ones((32, 40), bool)
    outside[:bottom, :right] = False
    return float(np.corrcoef(found[:32, :40][outside], secret[:32, :40][outside])[0, 1])


def test_blocks_that_only_fill_up_hold_no_pattern() -> None:
    """33 x 17 pixels in 4:2:0: the last MCUs have a column and a row of blocks nobody sees."""
    candidate = cropped(SOURCES["4:2:0"], PixelBox(32, 32, 65, 49))
    shown = revealed(candidate.data)
    assert np.ptp(shown[:, 40:], axis=1).max() <= 2
    assert np.ptp(shown[24:], axis=0).max() <= 2


BEFORE = pictures.encoded(pictures.photo(160, 120), "JPEG", quality=90, comment=b"hello")


def test_a_crop_of_another_place_does_not_verify() -> None:
    meant = formats.crop(BEFORE, NAME, BOX)
    shifted = formats.crop(BEFORE, NAME, PixelBox(53, 27, 157, 103))
    with pytest.raises(errors.VerificationFailed, match="pixels"):
        formats.verify(shifted.data, meant, NAME)


def _believing(meant: formats.Candidate, written: bytes) -> formats.Candidate:
    """Return the candidate as if it had meant these coded bytes, so that only reading can tell."""
    proof = meant.proof
    assert isinstance(proof, lossless.Proof)
    coded = segments.parse(written, NAME).coded
    return replace(meant, proof=replace(proof, coded=coded))


def test_the_coefficients_alone_notice_another_place() -> None:
    meant = formats.crop(BEFORE, NAME, BOX)
    written = formats.crop(BEFORE, NAME, PixelBox(53, 27, 157, 103)).data
    with pytest.raises(errors.VerificationFailed, match="coefficients differ"):
        formats.verify(written, _believing(meant, written), NAME)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"quality": 91}, "tables differ"),
        ({"subsampling": "4:4:4"}, "sampling factors differ"),
        ({"progressive": True}, "scans are not"),
        ({"restart_marker_blocks": 2}, "restart intervals differ"),
    ],
)
def test_other_tables_sampling_or_scans_do_not_verify(other: dict[str, Any], said: str) -> None:
    box = PixelBox(32, 16, 141, 103)
    meant = formats.crop(BEFORE, NAME, box)
    options = {"quality": 90, "comment": b"hello"} | other
    source = pictures.encoded(pictures.photo(160, 120), "JPEG", **options)
    written = formats.crop(source, NAME, box).data
    with pytest.raises(errors.VerificationFailed, match=said):
        formats.verify(written, _believing(meant, written), NAME)


def test_one_coefficient_that_is_off_by_one_does_not_verify() -> None:
    """The source is shown to the proof with one step more in one block."""
    meant = formats.crop(BEFORE, NAME, BOX)
    proof = meant.proof
    assert isinstance(proof, lossless.Proof)
    rows = [list(each) for each in proof.facts["rows"]]
    rows[1][3] ^= 1
    doubted = replace(meant, proof=replace(proof, facts={**proof.facts, "rows": rows}))
    with pytest.raises(errors.VerificationFailed, match="coefficients differ"):
        formats.verify(meant.data, doubted, NAME)


def test_an_edge_that_is_not_the_one_meant_or_too_far_off_does_not_verify() -> None:
    meant = formats.crop(BEFORE, NAME, BOX)
    proof = meant.proof
    assert isinstance(proof, lossless.Proof)
    before, after = proof.edge
    assert before != after
    other = replace(meant, proof=replace(proof, edge=(before, before)))
    with pytest.raises(errors.VerificationFailed, match="at the edge"):
        formats.verify(meant.data, other, NAME)
    far = (np.frombuffer(before, np.int16) + 9).tobytes()
    with pytest.raises(errors.VerificationFailed, match="times what rounding allows"):
        formats.verify(meant.data, replace(meant, proof=replace(proof, edge=(far, after))), NAME)


def test_a_segment_that_is_gone_does_not_verify() -> None:
    meant = formats.crop(BEFORE, NAME, BOX)
    written = meant.data.replace(jpg.segment(0xFE, b"hello"), b"")
    assert written != meant.data
    with pytest.raises(errors.VerificationFailed, match="segments"):
        formats.verify(written, meant, NAME)


@settings(max_examples=60)
@given(st.data())
def test_any_flipped_bit_does_not_verify(data: st.DataObject) -> None:
    meant = formats.crop(BEFORE, NAME, BOX)
    written = bytearray(meant.data)
    written[data.draw(st.integers(0, len(written) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(errors.VerificationFailed):
        formats.verify(bytes(written), meant, NAME)


@settings(max_examples=60)
@given(st.data())
def test_reading_the_coefficients_notices_a_flipped_bit_of_the_pixels(data: st.DataObject) -> None:
    meant = formats.crop(BEFORE, NAME, BOX)
    start = meant.data.index(b"\xff\xda") + 14  # the last byte may only fill up
    written = bytearray(meant.data)
    written[data.draw(st.integers(start, len(written) - 4))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        doubted = _believing(meant, bytes(written))
    except errors.Refused:
        assume(False)  # noqa: FBT003  (hypothesis has it so)
    with pytest.raises(errors.VerificationFailed):
        formats.verify(bytes(written), doubted, NAME)


def test_damaged_pixels_are_carried_as_decoded_and_said() -> None:
    start = BEFORE.index(b"\xff\xda") + 14
    damaged = BEFORE[: start + 900] + b"\xff\xd9"
    candidate = cropped(damaged)
    assert candidate.patched[0] == (
        "damaged pixels, as decoded: Corrupt JPEG data: premature end of data segment"
    )


def test_the_size_is_that_of_the_original_scaled_by_area() -> None:
    photo = pictures.photo(1600, 1200)
    for how in CODINGS.values():
        before = pictures.encoded(photo, "JPEG", **how)
        box = PixelBox(160, 112, 1440, 1088)
        scaled = len(before) * box.size.area / (1600 * 1200)
        header = before.index(b"\xff\xda")
        assert len(cropped(before, box).data) < 1.02 * scaled + header
