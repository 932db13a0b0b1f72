"""Each way to falsify a data set is listed as what it is, and nothing else is.

``restated`` says that the manifest was brought in line with the falsified file, as by whoever may
write both.
"""

import os
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pictures
import pytest
import tifffile
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile
from sets_of_crops import BOX, DataSet, deep, kinds, photo, reasons, transparent

import cropkit
from cropkit.geometry import PixelBox

Row = dict[str, Any]
Falsifies = Callable[["Falsified"], object]
Expected = list[tuple[str, str]]
SMALL = "long-side=40 filter=bicubic"


class Falsified(DataSet):
    """A copy of the data set, and what may be done to it."""

    def __init__(self, template: Path, above: Path) -> None:
        shutil.copytree(template, above, dirs_exist_ok=True, symlinks=True)
        self.photos, self.folder = above / "photos", above / "set"

    def row(self, name: str, /, **values: Any) -> None:
        """Restate what the manifest says of a crop."""
        rows = self.rows()
        (row,) = (each for each in rows if each["crop"] == name)
        row.update(values)
        self.write(rows)

    def rehash(self, crop: str, **values: Any) -> None:
        """Restate the SHA-256 of a crop as it is now."""
        self.row(crop, crop_sha256=sha256((self.folder / crop).read_bytes()).hexdigest(), **values)

    def pixels(self, crop: str) -> Any:
        with Image.open(self.folder / crop) as picture:
            return np.asarray(picture).copy()

    def save(self, crop: str, pixels: Any, **options: Any) -> None:
        Image.fromarray(pixels).save(self.folder / crop, **options)

    def touch(self, crop: str, **options: Any) -> None:
        """Change one sample by one level."""
        pixels = self.pixels(crop)
        pixels[7, 11, 1] ^= 1
        self.save(crop, pixels, **options)

    def shift(self, name: str, crop: str, **options: Any) -> None:
        """Write the crop of a box that lies a pixel to the right."""
        with Image.open(self.photos / name) as picture:
            left, top, right, bottom = BOX.xyxy
            picture.crop((left + 1, top, right + 1, bottom)).save(self.folder / crop, **options)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    above = tmp_path_factory.mktemp("template")
    made = DataSet(above)
    for seed, name in enumerate(("a.png", "b.jpg", "f.png", "s.png")):
        photo(made.photos / name, seed, size=(96, 80), quality=92)
    photo(made.photos / "c.webp", 5, quality=88)
    tifffile.imwrite(made.photos / "d.tif", deep(), photometric="rgb")
    transparent().save(made.photos / "e.png")
    (made.photos / "h.png").write_bytes(imagecodecs.png_encode(deep(seed=3)))
    turned = pictures.photo(96, 96, 7)
    pictures.write_jpeg(made.photos / "o.jpg", turned, orientation=6)
    pictures.write_png(made.photos / "p.png", turned, exif=pictures.exif_bytes(orientation=6))
    photo(made.photos / "w.png", 6, icc_profile=pictures.icc_profile())
    for name in ("a", "b"):
        (made.photos / f"{name}.txt").write_text(f"caption of {name}")
    made.copy("a.png", "b.jpg", "c.webp", "d.tif", "e.png", "h.png", "o.jpg", "p.png", "w.png")
    made.copy("f.png", copies="format=jpeg quality=80")
    made.copy("s.png", copies=SMALL)
    photo(made.photos / "t.jpg", 8)
    made.copy("t.jpg", box=PixelBox(33, 33, 35, 36))
    transparent(seed=4).save(made.photos / "v.png")
    made.copy("v.png", copies="format=webp")
    made.export()
    return above


@pytest.fixture
def made(template: Path, tmp_path: Path) -> Falsified:
    return Falsified(template, tmp_path)


def snapshot(folder: Path) -> dict[Path, int]:
    return {path: path.lstat().st_mtime_ns for path in folder.rglob("*")}


def test_nothing_is_listed_where_nothing_was_falsified(made: Falsified) -> None:
    result = made.verify()
    assert reasons(result) == []
    assert result.proven == 13


# -- pixels ------------------------------------------------------------------------------------


def one_level(made: Falsified) -> Expected:
    made.touch("a.png")
    return [("pixels", "a.png")]


def one_level_restated(made: Falsified) -> Expected:
    made.touch("a.png")
    made.rehash("a.png")
    return [("pixels", "a.png")]


def one_level_of_16_bits_restated(made: Falsified) -> Expected:
    samples = tifffile.imread(made.folder / "d.tif")
    samples[3, 4, 2] ^= 1
    tifffile.imwrite(made.folder / "d.tif", samples, photometric="rgb")
    made.rehash("d.tif")
    return [("pixels", "d.tif")]


def one_level_of_a_deep_png(made: Falsified) -> Expected:
    samples = imagecodecs.png_decode((made.folder / "h.png").read_bytes()).copy()
    samples[3, 4, 2] ^= 1
    (made.folder / "h.png").write_bytes(imagecodecs.png_encode(samples))
    made.rehash("h.png")
    return [("pixels", "h.png")]


def shifted(made: Falsified) -> Expected:
    made.shift("a.png", "a.png")
    return [("pixels", "a.png")]


def shifted_restated(made: Falsified) -> Expected:
    made.shift("a.png", "a.png")
    made.rehash("a.png")
    return [("pixels", "a.png")]


def swapped(made: Falsified) -> Expected:
    (made.folder / "a.png").rename(made.folder / "spare")
    (made.folder / "e.png").rename(made.folder / "a.png")
    (made.folder / "spare").rename(made.folder / "e.png")
    return [("pixels", "a.png"), ("pixels", "e.png")]


def another_picture(made: Falsified) -> Expected:
    height, width, _ = made.pixels("a.png").shape
    pictures.photo(width, height, 99).save(made.folder / "a.png")
    made.rehash("a.png")
    return [("pixels", "a.png")]


def alpha_dropped(made: Falsified) -> Expected:
    made.save("e.png", made.pixels("e.png")[..., :3].copy())
    made.rehash("e.png")
    return [("pixels", "e.png")]


def alpha_of_a_webp_dropped(made: Falsified) -> Expected:
    made.save("v.webp", made.pixels("v.webp")[..., :3].copy(), lossless=True, exact=True)
    made.rehash("v.webp")
    return [("pixels", "v.webp")]


def alpha_made_opaque(made: Falsified) -> Expected:
    pixels = made.pixels("e.png")
    pixels[..., 3] = 255
    made.save("e.png", pixels)
    made.rehash("e.png")
    return [("pixels", "e.png")]


def alpha_added(made: Falsified) -> Expected:
    picture = Image.fromarray(made.pixels("a.png"))
    picture.convert("RGBA").save(made.folder / "a.png")
    made.rehash("a.png")
    return [("pixels", "a.png")]


def bits_reduced(made: Falsified) -> Expected:
    samples = imagecodecs.png_decode((made.folder / "h.png").read_bytes())
    made.save("h.png", (samples >> 8).astype(np.uint8))
    made.rehash("h.png")
    return [("pixels", "h.png")]


def bits_of_a_tiff_reduced(made: Falsified) -> Expected:
    samples = tifffile.imread(made.folder / "d.tif")
    tifffile.imwrite(made.folder / "d.tif", (samples >> 8).astype(np.uint8), photometric="rgb")
    made.rehash("d.tif")
    return [("pixels", "d.tif")]


def grey(made: Falsified) -> Expected:
    picture = Image.fromarray(made.pixels("a.png"))
    picture.convert("L").save(made.folder / "a.png")
    made.rehash("a.png")
    return [("pixels", "a.png")]


def a_second_frame(made: Falsified) -> Expected:
    first = Image.fromarray(made.pixels("a.png"))
    other = pictures.photo(*first.size, 50)
    first.save(made.folder / "a.png", save_all=True, append_images=[other])
    made.rehash("a.png")
    return [("pixels", "a.png")]


def a_second_page(made: Falsified) -> Expected:
    samples = tifffile.imread(made.folder / "d.tif")
    with tifffile.TiffWriter(made.folder / "d.tif") as writer:
        writer.write(samples, photometric="rgb")
        writer.write(samples + 1, photometric="rgb")
    made.rehash("d.tif")
    return [("pixels", "d.tif")]


# -- turns -------------------------------------------------------------------------------------


def orientation_dropped(made: Falsified) -> Expected:
    made.save("p.png", made.pixels("p.png"))
    made.rehash("p.png")
    return [("box", "p.png")]


def orientation_changed(made: Falsified) -> Expected:
    exif = pictures.exif_bytes(orientation=8)
    made.save("p.png", made.pixels("p.png"), exif=exif)
    made.rehash("p.png")
    return [("pixels", "p.png")]


def orientation_of_a_jpeg_dropped(made: Falsified) -> Expected:
    data = (made.folder / "o.jpg").read_bytes()
    at = data.index(b"Exif\0\0") - 4
    length = int.from_bytes(data[at + 2 : at + 4])
    (made.folder / "o.jpg").write_bytes(data[:at] + data[at + 2 + length :])
    made.rehash("o.jpg")
    return [("box", "o.jpg")]


# -- lossy -------------------------------------------------------------------------------------


def jpeg_with_a_comment(made: Falsified) -> Expected:
    data = (made.folder / "b.jpg").read_bytes()
    (made.folder / "b.jpg").write_bytes(data[:2] + b"\xff\xfe\0\x06more" + data[2:])
    return [("bytes", "b.jpg")]


def jpeg_coded_anew(made: Falsified) -> Expected:
    with Image.open(made.folder / "b.jpg") as picture:
        picture.save(made.folder / "b.jpg", quality="keep")
    made.rehash("b.jpg")
    return [("pixels", "b.jpg")]


def jpeg_of_finer_tables(made: Falsified) -> Expected:
    made.save("b.jpg", made.pixels("b.jpg"), quality=100)
    made.rehash("b.jpg")
    return [("pixels", "b.jpg")]


def jpeg_painted_on(made: Falsified) -> Expected:
    pixels = made.pixels("b.jpg")
    with JpegImageFile(made.folder / "b.jpg") as picture:
        tables = picture.quantization
    pixels[10:14, 10:14] = 255
    made.save("b.jpg", pixels, qtables=tables, subsampling=2)
    made.rehash("b.jpg")
    return [("pixels", "b.jpg")]


def jpeg_painted_on_and_its_loss_restated(made: Falsified) -> Expected:
    jpeg_painted_on(made)
    return restate_loss(made, "b.jpg")


def lossy_copy_painted_on_and_its_loss_restated(made: Falsified) -> Expected:
    pixels = made.pixels("f.jpg")
    pixels[10:14, 10:14] = 255
    made.save("f.jpg", pixels, quality=80, subsampling=0)
    made.rehash("f.jpg")
    return restate_loss(made, "f.jpg")


def lossy_copy_shifted_and_its_loss_restated(made: Falsified) -> Expected:
    made.shift("f.png", "f.jpg", quality=80, subsampling=0)
    made.rehash("f.jpg")
    return restate_loss(made, "f.jpg", among=("pixels", "not-proven"))


def webp_painted_on_and_its_loss_restated(made: Falsified) -> Expected:
    pixels = made.pixels("c.webp")
    pixels[10:16, 10:16] = 255
    made.save("c.webp", pixels, quality=88)
    made.rehash("c.webp")
    return restate_loss(made, "c.webp")


def webp_shifted(made: Falsified) -> Expected:
    made.shift("c.webp", "c.webp", quality=88)
    made.rehash("c.webp")
    return [("psnr", "c.webp")]


def restate_loss(made: Falsified, crop: str, among: tuple[str, ...] = ("pixels",)) -> Expected:
    """State the loss that the crop really has, as the verifier tells it; then it must be caught."""
    made.row(crop, psnr=399.0)
    (difference,) = made.verify().differences
    assert difference.kind == "psnr"
    made.row(crop, psnr=float(difference.reason.removesuffix(" dB").rpartition(" ")[2]))
    (difference,) = made.verify().differences
    assert difference.kind in among, difference
    return [(difference.kind.value, crop)]


def loss_claimed_to_be_less(made: Falsified) -> Expected:
    made.row("f.jpg", psnr=next(r["psnr"] for r in made.rows() if r["crop"] == "f.jpg") + 0.5)
    return [("psnr", "f.jpg")]


def loss_claimed_to_be_more(made: Falsified) -> Expected:
    made.row("c.webp", psnr=next(r["psnr"] for r in made.rows() if r["crop"] == "c.webp") - 0.5)
    return [("psnr", "c.webp")]


def loss_not_stated(made: Falsified) -> Expected:
    made.row("f.jpg", psnr=None)
    return [("pixels", "f.jpg")]


def loss_stated_of_what_has_none(made: Falsified) -> Expected:
    made.row("a.png", psnr=45.0)
    return [("psnr", "a.png")]


def loss_below_what_anybody_can_tell(made: Falsified) -> Expected:
    made.save("f.jpg", np.full_like(made.pixels("f.jpg"), 128), quality=80, subsampling=0)
    made.rehash("f.jpg")
    return restate_loss(made, "f.jpg", among=("not-proven",))


# -- resampled ---------------------------------------------------------------------------------


def other_filter_claimed(made: Falsified) -> Expected:
    row = next(row for row in made.rows() if row["crop"] == "s.png")
    words = row["resampling"].replace("bicubic", "bilinear")
    made.row("s.png", filter="bilinear", resampling=words)
    return [("pixels", "s.png")]


def other_filter_in_one_field_alone(made: Falsified) -> Expected:
    made.row("s.png", filter="box")
    return [("row", f"manifest.jsonl:{line_of(made, 's.png')}")]


def light_claimed(made: Falsified) -> Expected:
    row = next(row for row in made.rows() if row["crop"] == "s.png")
    made.row("s.png", linear_light=True, resampling=f"{row['resampling']}, in linear light")
    return [("pixels", "s.png")]


def conversion_claimed(made: Falsified) -> Expected:
    made.row("f.jpg", colour="srgb")
    return []  # of an image without a profile, that changes nothing


def size_claimed(made: Falsified) -> Expected:
    made.row("s.png", crop_width=41)
    return [("row", f"manifest.jsonl:{line_of(made, 's.png')}")]


def size_of_a_plain_crop_claimed(made: Falsified) -> Expected:
    made.row("a.png", crop_width=41)
    return [("row", f"manifest.jsonl:{line_of(made, 'a.png')}")]


def line_of(made: Falsified, crop: str) -> int:
    return [row["crop"] for row in made.rows()].index(crop) + 1


# -- boxes -------------------------------------------------------------------------------------


def moved(box: PixelBox) -> list[int]:
    return [box.left + 1, box.top, box.right + 1, box.bottom]


def box_off_by_one(made: Falsified) -> Expected:
    made.row("a.png", box_applied=moved(BOX), box_asked=moved(BOX))
    return [("pixels", "a.png")]


def box_of_a_resized_crop_off_by_one(made: Falsified) -> Expected:
    made.row("s.png", box_applied=moved(BOX), box_asked=moved(BOX))
    return [("pixels", "s.png")]


def box_of_a_lossy_crop_off_by_one(made: Falsified) -> Expected:
    made.row("c.webp", box_applied=moved(BOX), box_asked=moved(BOX))
    return [("psnr", "c.webp")]


def box_of_a_jpeg_off_by_one(made: Falsified) -> Expected:
    box = next(row["box_applied"] for row in made.rows() if row["crop"] == "b.jpg")
    made.row("b.jpg", box_applied=moved(PixelBox(*box)), box_asked=moved(PixelBox(*box)))
    return [("pixels", "b.jpg")]


def box_of_a_jpeg_without_a_whole_block_off_by_one(made: Falsified) -> Expected:
    box = next(row["box_applied"] for row in made.rows() if row["crop"] == "t.jpg")
    made.row("t.jpg", box_applied=moved(PixelBox(*box)), box_asked=moved(PixelBox(*box)))
    return [("pixels", "t.jpg")]


def box_of_a_jpeg_off_by_a_block(made: Falsified) -> Expected:
    left, top, right, bottom = next(r["box_applied"] for r in made.rows() if r["crop"] == "b.jpg")
    box = [left + 16, top, right + 16, bottom]
    made.row("b.jpg", box_applied=box, box_asked=box)
    return [("pixels", "b.jpg")]


def box_asked_off_by_one(made: Falsified) -> Expected:
    made.row("a.png", box_asked=[BOX.left + 1, *BOX.xyxy[1:]])
    return [("box", "a.png")]


def box_asked_of_a_jpeg_in_another_block(made: Falsified) -> Expected:
    made.row("b.jpg", box_asked=[17, *BOX.xyxy[1:]])
    return [("box", "b.jpg")]


def box_larger_by_one(made: Falsified) -> Expected:
    box = [*BOX.xyxy[:2], BOX.right + 1, BOX.bottom]
    made.row("a.png", box_applied=box, box_asked=box, crop_width=None, crop_height=None)
    return [("box", "a.png")]


def box_outside(made: Falsified) -> Expected:
    box = [60, 5, 109, 70]
    made.row("a.png", box_applied=box, box_asked=box)
    return [("box", "a.png")]


def upright_size(made: Falsified) -> Expected:
    made.row("a.png", upright_width=97)
    return [("box", "a.png")]


# -- sources -----------------------------------------------------------------------------------


def source_replaced(made: Falsified) -> Expected:
    photo(made.photos / "a.png", 77)
    return [("source", "a.png")]


def source_gone(made: Falsified) -> Expected:
    (made.photos / "a.png").unlink()
    return [("source", "a.png")]


def source_replaced_and_restated(made: Falsified) -> Expected:
    photo(made.photos / "a.png", 77)
    made.row("a.png", source_sha256=sha256((made.photos / "a.png").read_bytes()).hexdigest())
    return [("pixels", "a.png")]


def sources_swapped(made: Falsified) -> Expected:
    rows = {row["crop"]: row for row in made.rows()}
    for one, other in (("a.png", "f.jpg"), ("f.jpg", "a.png")):
        made.row(one, source=rows[other]["source"], source_sha256=rows[other]["source_sha256"])
    return [("psnr", "f.jpg"), ("pixels", "a.png")]


# -- files -------------------------------------------------------------------------------------


def metadata_changed(made: Falsified) -> Expected:
    made.save("a.png", made.pixels("a.png"), exif=pictures.exif_bytes())
    return [("bytes", "a.png")]


def profile_added(made: Falsified) -> Expected:
    made.save("a.png", made.pixels("a.png"), icc_profile=pictures.icc_profile())
    made.rehash("a.png")
    return [("colour", "a.png")]


def profile_taken_off(made: Falsified) -> Expected:
    made.save("w.png", made.pixels("w.png"))
    made.rehash("w.png")
    return [("colour", "w.png")]


def crop_gone(made: Falsified) -> Expected:
    (made.folder / "a.png").unlink()
    return [("crop-missing", "a.png")]


def crop_truncated(made: Falsified) -> Expected:
    data = (made.folder / "a.png").read_bytes()
    (made.folder / "a.png").write_bytes(data[: len(data) // 2])
    return [("not-proven", "a.png")]


def crop_is_a_link(made: Falsified) -> Expected:
    (made.folder / "a.png").rename(made.folder / "elsewhere")
    (made.folder / "a.png").symlink_to("elsewhere")
    return [("crop-missing", "a.png")]


def crop_is_a_pipe(made: Falsified) -> Expected:
    (made.folder / "a.png").unlink()
    os.mkfifo(made.folder / "a.png")
    return [("crop-missing", "a.png")]


def crop_in_a_linked_folder(made: Falsified) -> Expected:
    (made.folder.parent / "away").mkdir()
    (made.folder / "a.png").rename(made.folder.parent / "away" / "a.png")
    (made.folder / "a.txt").rename(made.folder.parent / "away" / "a.txt")
    (made.folder / "sub").symlink_to(made.folder.parent / "away")
    made.row("a.png", crop="sub/a.png", caption="sub/a.txt")
    return [("caption", "sub/a.txt"), ("crop-missing", "sub/a.png")]


def crop_above_the_set(made: Falsified) -> Expected:
    shutil.copy(made.folder / "a.png", made.folder.parent / "a.png")
    made.row("a.png", crop="../a.png", caption=None, caption_sha256=None)
    return [
        ("crop-missing", "../a.png"),
        ("extra-image", "a.png"),
        ("extra-caption", "a.txt"),
    ]


def crop_renamed(made: Falsified) -> Expected:
    (made.folder / "a.png").rename(made.folder / "z.png")
    return [("crop-missing", "a.png"), ("extra-image", "z.png")]


def extra_image(made: Falsified) -> Expected:
    photo(made.folder / "more.png")
    return [("extra-image", "more.png")]


def extra_link(made: Falsified) -> Expected:
    (made.folder / "more.png").symlink_to("a.png")
    return [("extra-image", "more.png")]


def extra_image_in_a_folder(made: Falsified) -> Expected:
    (made.folder / "sub").mkdir()
    photo(made.folder / "sub" / "more.JPG", format="JPEG")
    return [("extra-image", "sub/more.JPG")]


def source_beside_its_crop(made: Falsified) -> Expected:
    shutil.copy(made.photos / "f.png", made.folder / "f.png")
    return [("extra-image", "f.png")]


# -- captions ----------------------------------------------------------------------------------


def caption_edited(made: Falsified) -> Expected:
    (made.folder / "a.txt").write_text("caption of b")
    return [("caption", "a.txt")]


def caption_gone(made: Falsified) -> Expected:
    (made.folder / "a.txt").unlink()
    return [("caption", "a.txt")]


def caption_is_a_link(made: Falsified) -> Expected:
    (made.folder / "a.txt").unlink()
    (made.folder / "a.txt").symlink_to(made.photos / "a.txt")
    return [("caption", "a.txt")]


def captions_swapped(made: Falsified) -> Expected:
    (made.folder / "a.txt").rename(made.folder / "spare")
    (made.folder / "b.txt").rename(made.folder / "a.txt")
    (made.folder / "spare").rename(made.folder / "b.txt")
    return [("caption", "a.txt"), ("caption", "b.txt")]


def captions_swapped_in_the_manifest(made: Falsified) -> Expected:
    rows = {row["crop"]: row for row in made.rows()}
    for one, other in (("a.png", "b.jpg"), ("b.jpg", "a.png")):
        captions = ("caption", "caption_sha256")
        made.row(one, **{field: rows[other][field] for field in captions})
    return [("caption", "b.txt"), ("caption", "a.txt")]


def caption_extra(made: Falsified) -> Expected:
    (made.folder / "c.txt").write_text("not said")
    return [("extra-caption", "c.txt")]


def caption_not_stated(made: Falsified) -> Expected:
    made.row("a.png", caption=None, caption_sha256=None)
    return [("extra-caption", "a.txt")]


# -- rows --------------------------------------------------------------------------------------


def row_doubled(made: Falsified) -> Expected:
    rows = made.rows()
    made.write([*rows, rows[0]])
    return [("doubled", rows[0]["crop"])]


def row_deleted(made: Falsified) -> Expected:
    made.write([row for row in made.rows() if row["crop"] != "c.webp"])
    return [("extra-image", "c.webp")]


def row_of_another_spelling(made: Falsified) -> Expected:
    made.row("a.png", crop="./a.png")
    return [
        ("crop-missing", "./a.png"),
        ("extra-image", "a.png"),
    ]


def row_without_a_hash(made: Falsified) -> Expected:
    made.row("c.webp", crop_sha256=None)
    return [("row", f"manifest.jsonl:{line_of(made, 'c.webp')}")]


def line_that_is_no_row(made: Falsified) -> Expected:
    with made.manifest.open("a") as file:
        file.write("[1, 2\n")
    return [("row", "manifest.jsonl:14")]


def field_that_is_there_twice(made: Falsified) -> Expected:
    text = made.manifest.read_text("utf-8")
    made.manifest.write_text(text.replace('"mode"', '"crop": "a.png", "mode"', 1), "utf-8")
    return [("row", "manifest.jsonl:1"), ("extra-image", "v.webp")]


def source_that_is_a_copy(made: Falsified) -> Expected:
    """A crop of a crop, whose source is passed off as one of the set's own images."""
    with Image.open(made.folder / "a.png") as picture:
        picture.crop((0, 0, 20, 20)).save(made.folder / "k.png")
    rows = made.rows()
    row = next(row for row in rows if row["crop"] == "a.png")
    box = {"box_asked": [0, 0, 20, 20], "box_applied": [0, 0, 20, 20]}
    sides = {"upright_width": 49, "upright_height": 65, "crop_width": 20, "crop_height": 20}
    shutil.copy(made.folder / "a.png", made.photos / "k.png")
    source = {"source": "a.png", "source_sha256": row["crop_sha256"], "crop": "k.png"}
    digest = sha256((made.folder / "k.png").read_bytes()).hexdigest()
    no_caption = {"caption": None, "caption_sha256": None}
    made.write([*rows, row | box | sides | source | no_caption | {"crop_sha256": digest}])
    (made.photos / "k.png").unlink()
    return [("source-is-crop", "a.png")]


FALSIFICATIONS: list[Falsifies] = [
    each
    for name, each in list(globals().items())
    if callable(each)
    and getattr(each, "__annotations__", {}).get("return") is Expected
    and list(each.__annotations__) == ["made", "return"]
]


def test_there_are_many_ways() -> None:
    assert len(FALSIFICATIONS) >= 60


@pytest.mark.parametrize("falsify", FALSIFICATIONS, ids=lambda each: each.__name__)
def test_a_falsification_is_listed_as_what_it_is(falsify: Any, made: Falsified) -> None:
    expected = falsify(made)
    before = snapshot(made.folder.parent)
    folders = [made.photos, made.folder] if falsify is source_that_is_a_copy else [made.photos]
    result = cropkit.verify(made.folder, sources=folders, jobs=1)
    assert sorted(kinds(result)) == sorted(expected), reasons(result)
    assert result.ok == (not expected)
    assert snapshot(made.folder.parent) == before
