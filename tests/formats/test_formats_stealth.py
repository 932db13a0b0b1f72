"""Generation data in the lowest bits of samples: read in a crop by a reader of the tests' own."""

import gzip

import numpy as np
import png_builder as png
import samples_png
from hypothesis import given, settings
from hypothesis import strategies as st

from cropkit import formats
from cropkit.geometry import PixelBox

WIDTH, HEIGHT = samples_png.WIDTH, samples_png.HEIGHT
ALPHA = "generation data in the lowest bits of alpha"


def hidden(data: bytes) -> bytes | None:
    """Return what alpha hides, as the programs read it: column by column, from the corner."""
    _, samples = png.read(data)
    bits = "".join(str(int(v) & 1) for column in samples[:, :, 3].T for v in column)
    message = int(bits[: len(bits) // 8 * 8], 2).to_bytes(len(bits) // 8)
    if not message.startswith((b"stealth_pnginfo", b"stealth_pngcomp")):
        return None
    text = message[19 : 19 + int.from_bytes(message[15:19]) // 8]
    return gzip.decompress(text) if message.startswith(b"stealth_pngcomp") else text


def cropped(data: bytes, box: PixelBox) -> formats.Candidate:
    candidate = formats.crop(data, "a.png", box)
    formats.verify(candidate.data, candidate, "a.png")
    return candidate


@settings(max_examples=25)
@given(st.booleans(), st.integers(0, 12), st.integers(0, 9), st.text(max_size=20))
def test_what_alpha_hides_is_read_at_the_new_corner(
    packed: bool,  # noqa: FBT001  (drawn)
    left: int,
    top: int,
    text: str,
) -> None:
    data = samples_png.stealthy(6, text.encode(), packed=packed)
    assert hidden(data) == text.encode()
    candidate = cropped(data, PixelBox(left, top, WIDTH, HEIGHT))
    assert hidden(candidate.data) == text.encode()


def test_nothing_but_the_lowest_bits_of_alpha_moves() -> None:
    data = samples_png.stealthy(6)
    candidate = cropped(data, PixelBox(5, 4, 45, 36))
    before, after = png.read(data)[1][4:36, 5:45], png.read(candidate.data)[1]
    assert np.array_equal(before[..., :3], after[..., :3])
    assert np.array_equal(before[..., 3] >> 1, after[..., 3] >> 1)
    assert candidate.patched[0] == f"{ALPHA}: written anew at the new corner"


def test_a_corner_that_stays_keeps_it_as_it_is() -> None:
    data = samples_png.stealthy(6)
    candidate = cropped(data, PixelBox(0, 0, WIDTH - 3, HEIGHT))
    assert ALPHA in candidate.kept
    assert np.array_equal(png.read(data)[1][:, : WIDTH - 3], png.read(candidate.data)[1])


def test_a_crop_without_room_for_it_says_so() -> None:
    candidate = cropped(samples_png.stealthy(6), PixelBox(5, 4, 15, 14))
    assert (ALPHA, "the crop has no room for it") in candidate.dropped
    assert hidden(candidate.data) is None


def test_what_the_colours_hide_is_told_and_the_colours_stay() -> None:
    data = samples_png.stealthy(2)
    candidate = cropped(data, PixelBox(5, 4, 45, 36))
    assert [item for item, _ in candidate.dropped] == [ALPHA.replace("alpha", "the colours")]
    assert np.array_equal(png.read(data)[1][4:36, 5:45], png.read(candidate.data)[1])


def test_a_length_that_is_not_true_hides_nothing() -> None:
    samples = png.read(samples_png.stealthy(6, b"x" * 5, packed=False))[1]
    bits = samples[:, :, 3].T.reshape(-1).copy()
    length = np.unpackbits(np.frombuffer((8 * 9_999).to_bytes(4), np.uint8))
    bits[120:152] = bits[120:152] & 0xFE | length  # more than the image has room for
    samples[:, :, 3] = bits.reshape(WIDTH, HEIGHT).T
    candidate = cropped(png.build(samples, 6, 8), PixelBox(5, 4, 45, 36))
    assert np.array_equal(samples[4:36, 5:45], png.read(candidate.data)[1])


def test_what_cannot_be_looked_into_is_not_written_anew() -> None:
    text = bytes(number * number % 37 for number in range(400))
    candidate = cropped(samples_png.stealthy(6, text), PixelBox(5, 4, 45, 36))
    assert [item for item, _ in candidate.dropped] == [ALPHA]
    assert hidden(candidate.data) is None
