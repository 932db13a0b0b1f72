"""Depth maps and mattes behind an iPhone's picture are cropped with it, and their index is true."""

import json
import subprocess
from io import BytesIO
from pathlib import Path

import exiftool
import numpy as np
import pytest
from PIL import Image
from ultra_hdr_builder import CALIBRATION, HEIGHT, WIDTH, auxiliary, gain_map, portrait

from cropkit import errors, formats
from cropkit.formats.options import Options
from cropkit.geometry import PixelBox

MATTE = "urn:com:apple:photo:2018:aux:portraiteffectsmatte"
APPLE = "urn:com:apple:photo:2020:aux:hdrgainmap"
OTHERS = {
    "gain map": (auxiliary(APPLE, 2), 2),
    "auxiliary picture (disparity)": (auxiliary("disparity", 5, CALIBRATION), 5),
    "auxiliary picture (portraiteffectsmatte)": (auxiliary(MATTE, 4), 4),
}
SOURCE = portrait(tuple(data for data, _ in OTHERS.values()))
BOX = PixelBox(170, 170, 470, 350)


def cropped(data: bytes, box: PixelBox, options: Options = Options()) -> formats.Candidate:  # noqa: B008  (frozen)
    candidate = formats.crop(data, "a.jpg", box, options)
    formats.verify(candidate.data, candidate, "a.jpg")
    return candidate


def found(data: bytes, folder: Path) -> list[bytes]:
    """The pictures behind the first one, by exiftool and the index."""
    (folder / "a.jpg").write_bytes(data)
    names = [f"-MPImage{n}" for n in range(2, 5)]
    parts = (
        subprocess.run(["exiftool", "-b", name, folder / "a.jpg"], check=True, capture_output=True)
        for name in names
    )
    return [part.stdout for part in parts]


def samples(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(data)), int)


def test_each_sample_stays_above_its_pixels_and_exiftool_finds_each_picture(tmp_path: Path) -> None:
    exiftool.needed()
    candidate = cropped(SOURCE, BOX)
    applied = candidate.box_applied
    assert applied == formats.applied(formats.read_header(SOURCE, "a.jpg"), BOX)
    parts = found(candidate.data, tmp_path)
    for part, (source, scale) in zip(parts, OTHERS.values(), strict=True):
        left, top, right, bottom = (side // scale for side in applied.xyxy)
        seen, meant = samples(part), samples(source)[top:bottom, left:right]
        assert seen.shape == meant.shape
        whole = tuple(side // 8 * 8 for side in seen.shape)
        assert np.array_equal(seen[: whole[0], : whole[1]], meant[: whole[0], : whole[1]])
    told = subprocess.run(
        ["exiftool", "-j", "-warning", "-a", tmp_path / "a.jpg"], check=True, capture_output=True
    )
    assert "Warning" not in json.loads(told.stdout)[0]
    assert candidate.data.endswith(parts[-1])
    assert len(candidate.data) - sum(map(len, parts)) == candidate.data.index(parts[0])


def test_what_was_cropped_along_is_told_and_the_old_calibration_goes() -> None:
    candidate = cropped(SOURCE, BOX)
    for label in OTHERS:
        assert f"{label}: cropped with the image, without loss" in candidate.patched
    gone = dict(candidate.dropped)
    for name in ("depthData:IntrinsicMatrix", "depthBlurEffect:RenderingParameters"):
        assert f"auxiliary picture (disparity): APP1 XMP {name}" in gone
    assert b"<depthData:Quality>high" in candidate.data
    assert b"<depthBlurEffect:SimulatedAperture>2.8" in candidate.data
    assert b"319.5" not in candidate.data


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_portrait_is_cropped_in_the_same_frame(orientation: int) -> None:
    others = tuple(data for data, _ in OTHERS.values())
    data = portrait(others, orientation=orientation)
    header = formats.read_header(data, "a.jpg")
    box = PixelBox(130, 130, header.size.width - 100, header.size.height - 90)
    applied = cropped(data, box).box_applied
    assert (applied.left, applied.top) <= (box.left, box.top)


@pytest.mark.parametrize("at", [-40, -4000])
def test_each_of_them_is_proven(at: int) -> None:
    candidate = formats.crop(SOURCE, "a.jpg", BOX)
    written = bytearray(candidate.data)
    written[at] ^= 4
    with pytest.raises(errors.VerificationFailed):
        formats.verify(bytes(written), candidate, "a.jpg")


REFUSED = {
    "another frame": (auxiliary("disparity", 3),),
    "nothing says what it is": (gain_map(words=b"<x/>")[:],),
    "one more than the index lists": (gain_map() + gain_map(),),
}


@pytest.mark.parametrize("what", REFUSED)
def test_others_refuse_the_file_unless_they_may_go(what: str) -> None:
    assert (WIDTH % 3, HEIGHT % 3) != (0, 0)
    data = portrait(REFUSED[what])
    if what == "nothing says what it is":
        data = data.replace(b"urn:iso:std", b"urn:xxx:std")
    with pytest.raises((errors.GainMap, errors.MultiPage)):
        formats.read_header(data, "a.jpg")
    candidate = cropped(data, BOX, Options(drop=frozenset({"gain-map"})))
    assert candidate.data.count(b"\xff\xd8\xff") == 1


def test_a_map_of_depth_that_does_not_fit_goes_where_the_person_says_so_and_light_stays(
    tmp_path: Path,
) -> None:
    exiftool.needed()
    light = OTHERS["gain map"][0]
    for others in ((auxiliary("disparity", 3), light), (light, auxiliary("disparity", 3))):
        data = portrait(others)
        with pytest.raises((errors.GainMap, errors.MultiPage)):
            formats.read_header(data, "a.jpg")
        candidate = cropped(data, BOX, Options(drop=frozenset({"depth"})))
        parts = found(candidate.data, tmp_path)
        assert parts[0] == found(cropped(portrait((light,)), BOX).data, tmp_path)[0]
        assert parts[1:] == [b"", b""]
        again = cropped(candidate.data, PixelBox(0, 0, 96, 96))  # an index of three would refuse it
        assert "gain map: cropped with the image, without loss" in again.patched
        assert candidate.data.endswith(parts[0])
        assert "auxiliary picture (disparity)" in dict(candidate.dropped)


def test_a_map_of_depth_alone_that_does_not_fit_goes_as_well() -> None:
    data = portrait((auxiliary("disparity", 3),))
    candidate = cropped(data, BOX, Options(drop=frozenset({"depth"})))
    assert candidate.data.count(b"\xff\xd8\xff") == 1
    assert b"MPF" not in candidate.data
