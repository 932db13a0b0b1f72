"""Crops that the real engine made, each proven from the outside; `words` say how."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy as np
import pictures
import pytest
import tifffile
from PIL import Image
from sets_of_crops import BOX, DataSet, deep, photo, reasons, transparent, verified

import cropkit
from cropkit.formats.options import Jpeg
from cropkit.geometry import PixelBox

if TYPE_CHECKING:
    from cropkit.verification.judging import Judged

Writes = Callable[[Path], object]


@pytest.fixture
def made(tmp_path: Path) -> DataSet:
    return DataSet(tmp_path)


def proofs(made: DataSet, **ways: object) -> list[str]:
    """Return by what each row was proven: all of them have to be."""
    answers: list[Judged] = []
    result = made.verify(told=answers.append, **ways)
    assert reasons(result) == []
    assert result.ok
    assert result.proven == result.rows == len(answers)
    return [judged.proof.words for judged in answers if judged.proof is not None]


def palette(path: Path) -> None:
    pictures.photo(96, 80).quantize(32).save(path)


def palette_with_hole(path: Path) -> None:
    pictures.photo(96, 80).quantize(32).save(path, transparency=3)


def bilevel(path: Path) -> None:
    pictures.photo(96, 80).convert("1").save(path)


def deep_png(path: Path) -> None:
    path.write_bytes(imagecodecs.png_encode(deep()))


def deep_grey_png(path: Path) -> None:
    path.write_bytes(imagecodecs.png_encode(deep()[..., 0].copy()))


def deep_tiff(path: Path) -> None:
    tifffile.imwrite(path, deep(), photometric="rgb", compression="zlib", predictor=True)


def floats(path: Path) -> None:
    tifffile.imwrite(path, deep()[..., 0].astype(np.float32) / 65535)


def planar(path: Path) -> None:
    tifffile.imwrite(
        path, np.moveaxis(deep(), 2, 0).copy(), photometric="rgb", planarconfig="separate"
    )


def cmyk(path: Path) -> None:
    pictures.photo(96, 80).convert("CMYK").save(path, quality=90)


def with_profile(path: Path) -> None:
    pictures.photo(96, 80).save(path, icc_profile=pictures.icc_profile(), quality=90)


SAME: list[tuple[str, Writes, str]] = [
    ("rgb.png", photo, "exact, 8 bits a sample"),
    ("alpha.png", lambda path: transparent().save(path), "exact, 8 bits a sample"),
    ("palette.png", palette, "exact, 8 bits a sample"),
    ("hole.png", palette_with_hole, "exact, 8 bits a sample"),
    ("bilevel.png", bilevel, "exact, 8 bits a sample"),
    ("deep.png", deep_png, "exact, 16 bits a sample"),
    ("deep_grey.png", deep_grey_png, "exact, 16 bits a sample"),
    ("deep.tif", deep_tiff, "exact, 16 bits a sample"),
    ("planar.tif", planar, "exact, 16 bits a sample"),
    ("floats.tif", floats, "exact, 32 bits a sample"),
    ("rgb.bmp", photo, "exact, 8 bits a sample"),
    ("palette.gif", palette, "exact, 8 bits a sample"),
    ("lossless.webp", lambda path: photo(path, lossless=True), "exact, 8 bits a sample"),
    ("alpha.webp", lambda path: transparent().save(path, lossless=True), "exact, 8 bits a sample"),
    ("full.jpg", lambda path: photo(path, quality=90, subsampling=0), "lossless-jpeg"),
    ("half.jpg", lambda path: photo(path, quality=90, subsampling=1), "lossless-jpeg"),
    ("quarter.jpg", lambda path: photo(path, quality=90, subsampling=2), "lossless-jpeg"),
    ("progressive.jpg", lambda path: photo(path, progressive=True), "lossless-jpeg"),
    ("cmyk.jpg", cmyk, "lossless-jpeg"),
    ("profile.jpg", with_profile, "lossless-jpeg"),
    ("grey.jpg", lambda p: pictures.photo(96, 80).convert("L").save(p), "lossless-jpeg"),
]


@pytest.mark.parametrize(("name", "write", "words"), SAME, ids=[name for name, *_ in SAME])
def test_a_crop_in_its_own_format_is_proven(
    made: DataSet, name: str, write: Writes, words: str
) -> None:
    write(made.photos / name)
    made.copy(name)
    made.export()
    assert proofs(made) == [words]


@pytest.mark.parametrize("name", ["lossy.webp", "lossy_alpha.webp"])
def test_a_lossy_webp_is_proven_by_its_loss(made: DataSet, name: str) -> None:
    picture = transparent() if "alpha" in name else pictures.photo(96, 80)
    picture.save(made.photos / name, quality=90)
    made.copy(name)
    made.export()
    (words,) = proofs(made)
    assert words.startswith("psnr ")


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["png", "jpg", "tif", "webp", "png to jpeg", "jpg to png"])
def test_a_crop_of_a_turned_image_is_proven(made: DataSet, form: str, orientation: int) -> None:
    name = f"turned.{form.split(maxsplit=1)[0]}"
    options: dict[str, Any] = {"exif": pictures.exif_bytes(orientation=orientation)}
    if name.endswith("webp"):
        options["lossless"] = True
    if name.endswith("tif"):
        options = {"tiffinfo": {274: orientation}}
    pictures.photo(120, 80).save(made.photos / name, **options)
    ways = {"copies": f"format={form.rsplit(maxsplit=1)[-1]}"} if " to " in form else {}
    made.copy(name, box=PixelBox(9, 5, 58, 70), **ways)
    made.export()
    assert len(proofs(made)) == 1


FILTERS = ("nearest", "box", "bilinear", "hamming", "bicubic", "lanczos")


@pytest.mark.parametrize("by", FILTERS)
@pytest.mark.parametrize("light", ["no", "yes"])
def test_a_resized_crop_is_proven_by_resampling_anew(made: DataSet, by: str, light: str) -> None:
    photo(made.photos / "a.png")
    transparent().save(made.photos / "b.png")
    deep_png(made.photos / "c.png")
    photo(made.photos / "d.jpg")
    made.copy(
        *("a.png", "b.png", "c.png"),
        copies=f"long-side=32 filter={by} linear-light={light}",
    )
    made.copy("d.jpg", copies=f"long-side=32 filter={by} linear-light={light} format=png")
    made.export()
    words = proofs(made)
    assert len(words) == 4
    assert all(word.startswith(f"resampled by {by}") for word in words), words
    assert all(("in light" in word) == (light == "yes") for word in words)


@pytest.mark.parametrize(
    ("name", "copies"),
    [
        ("a.png", "format=jpeg quality=80"),
        ("a.png", "format=jpeg quality=80 subsampling=4:2:0"),
        ("a.jpg", "quality=80"),
        ("a.jpg", "quality=70 subsampling=4:2:2"),
        ("a.jpg", "format=webp quality=80"),
        ("a.png", "format=webp quality=60 long-side=40"),
        ("a.tif", "format=jpeg quality=90 long-side=40 linear-light=yes"),
        ("deep.tif", "format=jpeg quality=90"),
        ("grey.png", "format=webp quality=90"),
        ("grey.png", "format=jpeg"),
    ],
)
def test_a_copy_that_loses_something_is_proven_by_its_loss(
    made: DataSet, name: str, copies: str
) -> None:
    for each in ("a.png", "a.jpg", "a.tif"):
        photo(made.photos / each)
    deep_tiff(made.photos / "deep.tif")
    pictures.photo(96, 80).convert("L").save(made.photos / "grey.png")
    made.copy(name, copies=copies)
    made.export()
    (words,) = proofs(made)
    assert "psnr" in words


@pytest.mark.parametrize(
    ("name", "copies"),
    [
        ("palette.png", "format=webp"),
        ("hole.png", "format=webp"),
        ("palette.gif", "format=png"),
        ("alpha.png", "format=webp"),
        ("grey.png", "format=webp"),
        ("deep.tif", "format=png"),
        ("deep.png", "format=webp"),
        ("a.jpg", "format=png"),
        ("a.tif", "format=webp"),
        ("a.avif", "format=png"),
        ("a.bmp", "format=png"),
    ],
)
def test_a_lossless_copy_in_another_format_is_exact(made: DataSet, name: str, copies: str) -> None:
    palette(made.photos / "palette.png")
    palette_with_hole(made.photos / "hole.png")
    palette(made.photos / "palette.gif")
    deep_tiff(made.photos / "deep.tif")
    deep_png(made.photos / "deep.png")
    transparent().save(made.photos / "alpha.png")
    pictures.photo(96, 80).convert("L").save(made.photos / "grey.png")
    for each in ("a.jpg", "a.tif", "a.avif", "a.bmp"):
        photo(made.photos / each)
    made.copy(name, copies=copies)
    made.export()
    (words,) = proofs(made)
    assert words.startswith("exact")


def wide_profile() -> bytes:
    """A profile of other colours than sRGB's: its red and green are exchanged."""
    profile = bytearray(pictures.icc_profile())
    profile[:] = profile.replace(b"rXYZ", b"xxxx").replace(b"gXYZ", b"rXYZ")
    return bytes(profile.replace(b"xxxx", b"gXYZ"))


@pytest.mark.parametrize(
    "copies", ["colour=srgb", "colour=srgb long-side=40", "colour=srgb format=jpeg"]
)
@pytest.mark.parametrize("bits", [8, 16])
def test_colours_that_were_converted_are_converted_anew(
    made: DataSet, copies: str, bits: int
) -> None:
    profile = wide_profile()
    if bits == 8:
        pictures.photo(96, 80).save(made.photos / "a.png", icc_profile=profile)
    else:
        tags = [(34675, 7, len(profile), profile, True)]
        tifffile.imwrite(made.photos / "a.tif", deep(), photometric="rgb", extratags=tags)
        copies = copies if "format" in copies else f"{copies} format=png"
    made.copy("a.png" if bits == 8 else "a.tif", copies=copies)
    made.export()
    (words,) = proofs(made)
    assert "converted to sRGB" in words or "psnr" in words
    made.restate(lambda row: row.update(colour="carry", copying=""))
    assert not made.verify().ok


def test_the_very_box_of_a_jpeg_is_proven_by_its_loss(made: DataSet) -> None:
    photo(made.photos / "a.jpg", quality=90)
    pictures.write_jpeg(made.photos / "b.jpg", pictures.photo(96, 80), orientation=6)
    with cropkit.open(made.photos, options=cropkit.Options(jpeg=Jpeg.EXACT)) as collection:
        for name in ("a.jpg", "b.jpg"):
            collection.crop(name, PixelBox(9, 5, 58, 70))
    made.folder = made.photos
    made.export()
    words = proofs(made)
    assert all(word.startswith("psnr") for word in words)


def test_crops_in_place_are_proven_by_the_originals_that_are_kept(made: DataSet) -> None:
    names = ("a.png", "b.jpg", "c.tif")
    for name in names:
        photo(made.photos / name)
    with cropkit.open(made.photos) as collection:
        for name in names:
            collection.crop(name, BOX)
    made.folder = made.photos
    made.export()
    assert sorted(proofs(made)) == ["exact, 8 bits a sample"] * 2 + ["lossless-jpeg"]
    result = verified(made.photos)  # the collection is the manifest's own folder
    assert result.ok


def test_a_crop_of_a_crop_has_the_first_crop_for_its_source(made: DataSet) -> None:
    photo(made.photos / "a.png")
    with cropkit.open(made.photos) as collection:
        collection.crop("a.png", BOX)
        collection.crop("a.png", PixelBox(2, 3, 30, 40))
    made.folder = made.photos
    made.export()
    assert len(proofs(made)) == 1


def test_what_was_moved_is_proven_with_its_captions(made: DataSet) -> None:
    photo(made.photos / "a.png")
    (made.photos / "a.txt").write_text("a cat")
    (made.photos / "a.caption").write_text("a cat on a wall")
    with cropkit.open(made.photos, destination=made.folder) as collection:
        collection.crop("a.png", BOX)
    made.export()
    (row,) = made.rows()
    assert {row["caption"], row["second_caption"]} == {"a.txt", "a.caption"}
    assert len(proofs(made)) == 1


def test_slots_are_copies_of_one_image_each_with_its_caption(made: DataSet) -> None:
    photo(made.photos / "a.png")
    (made.photos / "a.txt").write_text("a cat")
    with cropkit.open(
        made.photos, copy_to=made.folder, slots={"face": "32x32", "bust": ""}, resize=True
    ) as collection:
        collection.crop("a.png", PixelBox(10, 10, 60, 60), slot="face")
        collection.crop("a.png", BOX, slot="bust")
    made.export()
    assert sorted(proofs(made)) == [
        "exact, 8 bits a sample",
        "resampled by lanczos, max difference 0",
    ]


def test_a_table_says_the_same(made: DataSet) -> None:
    photo(made.photos / "a.png")
    photo(made.photos / "b.jpg")
    made.copy("a.png", copies="long-side=32")
    made.copy("b.jpg")
    made.export(made.folder / "manifest.csv")
    assert len(proofs(made)) == 2


def test_a_jpeg_at_the_far_edge_of_its_image_is_proven(made: DataSet) -> None:
    for at, sampling in enumerate((0, 1, 2)):
        photo(made.photos / f"{at}.jpg", size=(100, 75), subsampling=sampling)
    made.copy("0.jpg", "1.jpg", "2.jpg", box=PixelBox(37, 21, 100, 75))
    made.export()
    assert proofs(made) == ["lossless-jpeg"] * 3


def test_a_jpeg_of_less_than_a_block_is_proven(made: DataSet) -> None:
    photo(made.photos / "a.jpg")
    made.copy("a.jpg", box=PixelBox(33, 33, 35, 36))
    made.export()
    assert proofs(made) == ["lossless-jpeg"]


def test_a_jpeg_that_was_coded_anew_and_lost_nothing_is_exact(made: DataSet) -> None:
    Image.new("RGB", (96, 80), (90, 90, 90)).save(made.photos / "a.jpg", quality=95)
    with cropkit.open(made.photos, options=cropkit.Options(jpeg=Jpeg.EXACT)) as collection:
        assert collection.crop("a.jpg", BOX).psnr is None
    made.folder = made.photos
    made.export()
    assert proofs(made) == ["exact, in the components that it stores"]
