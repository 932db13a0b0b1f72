"""What is kept, patched, dropped or refused, as data: the tables of docs/formats.md show it."""

from collections.abc import Iterator
from dataclasses import dataclass

from cropkit.errors import Refused, UnreadableImage, UnsupportedImage
from cropkit.formats.png.metadata import DROPPED
from cropkit.formats.sniff import EXTENSIONS, shown

KEPT, PATCHED, DROPS, REFUSED = "kept", "patched", "dropped", "refused"
XMP_MOVES = "dimensions, image regions, panorama, subject"
SPELT = "pictures that a text spells out (base64, ...)"
PRIVATE = "private data nobody can look into"
UNSIGNED = "content credentials, with `--drop provenance`"
UNTRAILED = "data after the end, with `--drop trailing`"
MORE_THAN = "more than 256 bytes that are no text"


@dataclass(frozen=True, slots=True)
class Capability:
    """What becomes of one feature of one format; `extra` is the package that it needs, if any."""

    format: str
    feature: str
    outcome: str
    how: str
    extra: str = ""


_WRITTEN = (
    Capability("png", "pixels of every colour type, 1 to 16 bits", KEPT, "exactly, at their depth"),
    Capability("png", "palette and transparency (PLTE, tRNS)", KEPT, "byte for byte"),
    Capability("png", "text: parameters, prompt, workflow, ...", KEPT, "byte for byte, in place"),
    Capability("png", "colour: iCCP, sRGB, gAMA, cHRM, cICP", KEPT, "byte for byte"),
    Capability("png", "pHYs, sBIT, bKGD, tIME, sPLT, private chunks", KEPT, "byte for byte"),
    Capability("png", "padding after the end", KEPT, "byte for byte"),
    Capability("png", "eXIf, raw EXIF profiles", PATCHED, "dimensions and subject; nothing moves"),
    Capability("png", "XMP, raw XMP profiles", PATCHED, XMP_MOVES),
    Capability("png", "oFFs, caNv", PATCHED, "the place on the page moves with the corner"),
    Capability("png", "generation data in alpha (stealth PNG info)", PATCHED, "at the new corner"),
    Capability("png", "interlacing (Adam7)", PATCHED, "written straight"),
    *(Capability("png", kind, DROPS, reason) for kind, reason in DROPPED.items()),
    Capability("png", "an end that is missing", PATCHED, "where all pixels are there"),
    Capability("png", "a checksum that is missing, rows too many", PATCHED, "made anew"),
    Capability(
        "png", "pixels whose chunk has a wrong checksum", PATCHED, "where their stream's is right"
    ),
    Capability("png", "ancillary chunks of a wrong checksum", KEPT, "readers leave them out"),
    Capability("png", "bytes behind the pixel stream", DROPS, "no pixels are in them"),
    Capability("png", "thumbnails in EXIF and XMP", DROPS, "they show what was cropped out"),
    Capability("png", "a picture in a private chunk (Skitch, ...)", DROPS, "it shows more"),
    Capability("png", SPELT, DROPS, "they may show more"),
    Capability("png", PRIVATE, DROPS, MORE_THAN),
    Capability("png", "generation data in the colours (stealth)", DROPS, "colours stay"),
    Capability("png", "Camera Raw's crops and masks in XMP", DROPS, "of the old frame"),
    Capability("png", "animation of several frames (APNG)", REFUSED, "AnimatedImage"),
    Capability("png", "gain map (gdAT)", REFUSED, "GainMap"),
    Capability("png", "a picture in the colour profile", REFUSED, "GainMap"),
    Capability("png", UNSIGNED, DROPS, "a crop breaks what they sign"),
    Capability("png", "content credentials (caBX), dSIG", REFUSED, "Provenance"),
    Capability("png", UNTRAILED, DROPS, "they may show more"),
    Capability("png", "data after the end", REFUSED, "TrailingData"),
    Capability("png", "unknown critical chunks (CgBI, ...)", REFUSED, "UnsupportedFormat"),
    Capability("jpeg", "whole blocks (lossless)", KEPT, "every DCT coefficient"),
    Capability("jpeg", "quantisation tables, restarts", KEPT, "the same"),
    Capability("jpeg", "baseline or progressive, scan by scan (lossless)", KEPT, "the same"),
    Capability("jpeg", "any sampling (lossless); 4:4:4, 4:2:2, 4:2:0 (exact)", KEPT, "the same"),
    Capability("jpeg", "gray, YCbCr, RGB, CMYK", KEPT, "without a conversion of colour"),
    Capability("jpeg", "YCCK (lossless)", KEPT, "with its Adobe transform"),
    Capability("jpeg", "ICC profile, COM, extended XMP, other APPn", KEPT, "byte for byte"),
    Capability("jpeg", "Photoshop resources, IPTC", KEPT, "byte for byte"),
    Capability("jpeg", "bytes after the end that hold no picture", KEPT, "byte for byte"),
    Capability("jpeg", "EXIF with MakerNote", PATCHED, "dimensions and subject; nothing moves"),
    Capability("jpeg", "XMP", PATCHED, XMP_MOVES),
    Capability("jpeg", "extended XMP", PATCHED, "as XMP, with a new digest"),
    Capability(
        "jpeg", "blocks that the edge cuts (lossless)", PATCHED, "what they hid is made anew"
    ),
    Capability("jpeg", "Huffman codes made to measure", PATCHED, "made to measure again"),
    Capability("jpeg", "an end that is missing", PATCHED, "where all pixels are there"),
    Capability("jpeg", "gain map: Ultra HDR, ISO 21496-1 (lossless)", PATCHED, "cropped as well"),
    Capability("jpeg", "depth maps, mattes of an iPhone (lossless)", PATCHED, "cropped as well"),
    Capability("jpeg", "pixels (exact)", PATCHED, "encoded anew at their own tables; PSNR told"),
    Capability("jpeg", "baseline or progressive (exact)", PATCHED, "the same, in libjpeg's scans"),
    Capability("jpeg", "sampling that Pillow cannot write (exact)", PATCHED, "in full resolution"),
    Capability("jpeg", "YCCK (exact)", PATCHED, "written as CMYK"),
    Capability("jpeg", "thumbnails: EXIF, JFIF, JFXX, Photoshop, XMP", DROPS, "they show more"),
    Capability("jpeg", "previews inside EXIF and MakerNote", DROPS, "they show more"),
    Capability("jpeg", "previews: FlashPix, any APPn, COM, IPTC", DROPS, "they show more"),
    Capability("jpeg", "a smaller picture after the end, MPF previews", DROPS, "they show more"),
    Capability("jpeg", "coded data after the end", DROPS, "the old picture may be there"),
    Capability("jpeg", SPELT, DROPS, "they may show more"),
    Capability("jpeg", PRIVATE, DROPS, MORE_THAN),
    Capability("jpeg", "Camera Raw's crops and masks in XMP", DROPS, "of the old frame"),
    Capability("jpeg", "Photoshop paths, slices, guides, counts", DROPS, "of the old frame"),
    Capability("jpeg", "bytes between segments", DROPS, "they belong to none"),
    Capability("jpeg", "MPF index of a single image", DROPS, "lengths of the old file"),
    Capability("jpeg", "second pictures, with `--drop gain-map`", DROPS, "they show the scene"),
    Capability("jpeg", "those that do not fit, with `--drop depth`", DROPS, "the gain map stays"),
    Capability("jpeg", "calibration of a depth map", DROPS, "of the old frame"),
    Capability("jpeg", "other gain maps, depth map, thermal picture", REFUSED, "GainMap"),
    Capability("jpeg", "a picture in the colour profile", REFUSED, "GainMap"),
    Capability("jpeg", "a motion photo's video, with `--drop motion`", DROPS, "it shows more"),
    Capability("jpeg", "several images, motion photo", REFUSED, "MultiPage"),
    Capability("jpeg", UNSIGNED, DROPS, "a crop breaks what they sign"),
    Capability("jpeg", "content credentials (JUMBF)", REFUSED, "Provenance"),
    Capability("jpeg", "12 bits, lossless, arithmetic, hierarchical", REFUSED, "UnsupportedDepth"),
    Capability("webp", "lossless pixels, colours under full transparency", KEPT, "exactly"),
    Capability("webp", "alpha beside lossy pixels", KEPT, "exactly"),
    Capability("webp", "ICC profile, unknown chunks, flags, scaling hints", KEPT, "byte for byte"),
    Capability("webp", "padding after the end", KEPT, "byte for byte"),
    Capability("webp", "canvas (VP8X)", PATCHED, "its size"),
    Capability("webp", "EXIF", PATCHED, "dimensions and subject; nothing moves"),
    Capability("webp", "XMP", PATCHED, XMP_MOVES),
    Capability("webp", "lossy pixels", PATCHED, "coded anew at the quality they had; PSNR told"),
    Capability("webp", "thumbnails in EXIF and XMP", DROPS, "they show what was cropped out"),
    Capability("webp", "a picture inside an unknown chunk", DROPS, "it shows more"),
    Capability("webp", PRIVATE, DROPS, MORE_THAN),
    Capability("webp", "an animation of one frame", DROPS, "it is a still image"),
    Capability("webp", "animation", REFUSED, "AnimatedImage"),
    Capability("webp", UNSIGNED, DROPS, "a crop breaks what they sign"),
    Capability("webp", "content credentials (C2PA)", REFUSED, "Provenance"),
    Capability("webp", "several pictures", REFUSED, "MultiPage"),
    Capability("webp", "a picture in the colour profile", REFUSED, "GainMap"),
    Capability("webp", UNTRAILED, DROPS, "they may show more"),
    Capability("webp", "data after the end", REFUSED, "TrailingData"),
    Capability("tiff", "samples of any kind and number, 1 to 64 bits", KEPT, "byte for byte"),
    Capability("tiff", "none, LZW, Deflate, PackBits, LZMA, Zstandard", KEPT, "the same"),
    Capability("tiff", "predictors, planes, byte and bit order, BigTIFF", KEPT, "the same"),
    Capability("tiff", "strips and tiles", KEPT, "their rows, their shape"),
    Capability("tiff", "EXIF, GPS, Interoperability, ICC, IPTC, private tags", KEPT, "as they are"),
    Capability("tiff", "MakerNote before the pixels", KEPT, "byte for byte, in place"),
    Capability("tiff", "MakerNote behind the pixels", PATCHED, "moved with them, and told"),
    Capability("tiff", "dimensions, subject, strip and tile tables", PATCHED, "those of the crop"),
    Capability("tiff", "XMP", PATCHED, XMP_MOVES),
    Capability("tiff", "OME-XML, tifffile's shape", PATCHED, "dimensions"),
    Capability("tiff", "place on the page, GeoTIFF's ties", PATCHED, "moved with the corner"),
    Capability("tiff", "Photoshop resources", PATCHED, "as in JPEG"),
    Capability("tiff", "reduced pictures: pages, SubIFDs, previews", DROPS, "they show more"),
    Capability("tiff", "bytes that no tag refers to", DROPS, "they may show more"),
    Capability("tiff", "clip paths", DROPS, "coordinates of the old frame"),
    Capability("tiff", "IPTC's preview", DROPS, "it shows more"),
    Capability("tiff", SPELT, DROPS, "they may show more"),
    Capability("tiff", PRIVATE, DROPS, MORE_THAN),
    Capability("tiff", "GDAL's statistics, ImageJ's overlays", DROPS, "of the old frame"),
    Capability("tiff", "pages, masks, ImageJ stacks", REFUSED, "MultiPage"),
    Capability("tiff", "Photoshop layers", REFUSED, "GainMap"),
    Capability("tiff", "a picture in the colour profile", REFUSED, "GainMap"),
    Capability("tiff", UNSIGNED, DROPS, "a crop breaks what they sign"),
    Capability("tiff", "content credentials (C2PA)", REFUSED, "Provenance"),
    Capability("tiff", "JPEG, fax, WebP, JPEG 2000 inside", REFUSED, "UnsupportedFormat"),
    Capability("tiff", "DNG, raw cameras, volumes, strips left out", REFUSED, "UnsupportedFormat"),
    Capability("tiff", "YCbCr of reduced resolution, mixed depths", REFUSED, "UnsupportedDepth"),
    Capability("bmp", "pixels of 1 to 32 bits, alpha, bit fields", KEPT, "byte for byte"),
    Capability("bmp", "header of any age, palette, resolution, row order", KEPT, "byte for byte"),
    Capability("bmp", "ICC profile behind the pixels", KEPT, "byte for byte"),
    Capability("bmp", "width, height, lengths", PATCHED, "those of the crop"),
    Capability("bmp", "data before the pixels", DROPS, MORE_THAN),
    Capability("bmp", "a picture in the colour profile", REFUSED, "GainMap"),
    Capability("bmp", "run lengths, JPEG or PNG inside", REFUSED, "UnsupportedFormat"),
    Capability("bmp", UNTRAILED, DROPS, "they may show more"),
    Capability("bmp", "data after the end", REFUSED, "TrailingData"),
    Capability("gif", "indices, colour tables, transparency", KEPT, "exactly"),
    Capability("gif", "comments, application extensions, interlacing", KEPT, "byte for byte"),
    Capability("gif", "screen and place of the picture", PATCHED, "those of the crop"),
    Capability("gif", "XMP", PATCHED, XMP_MOVES),
    Capability("gif", SPELT, DROPS, "they may show more"),
    Capability("gif", "a picture in an extension", DROPS, "it shows more"),
    Capability("gif", PRIVATE, DROPS, MORE_THAN),
    Capability("gif", "animation", REFUSED, "AnimatedImage"),
    Capability("gif", UNSIGNED, DROPS, "a crop breaks what they sign"),
    Capability("gif", "content credentials (C2PA)", REFUSED, "Provenance"),
    Capability("gif", "text to be drawn", REFUSED, "UnsupportedFormat"),
    Capability("gif", UNTRAILED, DROPS, "they may show more"),
    Capability("gif", "data after the end", REFUSED, "TrailingData"),
)
# What is only so where somebody chose it and installed an extra.
_EXACT = "pillow_heif"
_SIGNED = "c2pa"
SIGNING = "content credentials, with `--provenance sign`"
WITH_EXTRAS = (
    *(
        row
        for form in ("jpeg", "png")
        for row in (
            Capability(form, SIGNING, PATCHED, "a manifest of the crop's own, signed", _SIGNED),
            Capability(
                form, f"pictures and unknown data in {SIGNING}", DROPS, "redacted, told", _SIGNED
            ),
            Capability(form, f"untrue {SIGNING}", REFUSED, "UnfitCredentials", _SIGNED),
        )
    ),
    *(
        Capability("heic", feature, outcome, how, _EXACT)
        for feature, outcome, how in (
            ("samples of luma and chroma, 8 to 12 bits", KEPT, "exactly, as they are stored"),
            ("range, matrix and place of chroma in the stream", KEPT, "the same"),
            ("ICC, nclx, turn, mirror, depth, light levels", KEPT, "byte for byte"),
            ("texts and short items", KEPT, "byte for byte"),
            ("HEVC", PATCHED, "without loss, in 3 to 6 times the bytes of each pixel"),
            ("grid of tiles", PATCHED, "one picture"),
            ("EXIF", PATCHED, "dimensions and subject; nothing moves"),
            ("XMP", PATCHED, XMP_MOVES),
            ("thumbnails, in items, EXIF and XMP", DROPS, "they show what was cropped out"),
            ("gain map, second pictures, with `--drop gain-map`", DROPS, "they show more"),
            ("depth map, with `--drop depth`", DROPS, "it shows more"),
            ("video, with `--drop motion`", DROPS, "it shows more"),
            ("metadata of what is dropped, groups", DROPS, "they describe it"),
            ("unknown properties and boxes", DROPS, "nobody can say of which frame"),
            ("bytes that no item has", DROPS, "they may show more"),
            (SPELT, DROPS, "they may show more"),
            (PRIVATE, DROPS, MORE_THAN),
            (UNSIGNED, DROPS, "a crop breaks what they sign"),
            ("content credentials (C2PA)", REFUSED, "Provenance"),
            ("gain map, depth map, a picture in the colour profile", REFUSED, "GainMap"),
            ("several pictures, motion photo", REFUSED, "MultiPage"),
            ("image sequence", REFUSED, "AnimatedImage"),
            ("transparency, aperture, overlay", REFUSED, "UnsupportedFormat"),
            ("range of samples that nothing states", REFUSED, "UnsupportedFormat"),
            ("crops of fewer than 64 pixels or an odd side", REFUSED, "UnsupportedFormat"),
        )
    ),
)
_CROPPED = {row.format for row in _WRITTEN}
_ONLY_SHOWN = [name for name in dict.fromkeys(EXTENSIONS.values()) if name not in _CROPPED]

CAPABILITIES = (
    *_WRITTEN,
    *(
        Capability(name, "everything; a preview where Pillow can", REFUSED, "UnsupportedFormat")
        for name in _ONLY_SHOWN
    ),
)

REFUSALS = (*UnreadableImage.__subclasses__(), *UnsupportedImage.__subclasses__())


def page() -> Iterator[str]:
    """Yield the lines of the tables."""
    yield from ("| format | feature | outcome | how |", "|---|---|---|---|")
    for c in CAPABILITIES:
        yield f"| {shown(c.format)} | {c.feature} | {c.outcome} | {c.how} |"
    head = "| format | with an extra, where it is chosen | outcome | how | package |"
    yield from ("", head, "|---|---|---|---|---|")
    for c in WITH_EXTRAS:
        yield f"| {shown(c.format)} | {c.feature} | {c.outcome} | {c.how} | `{c.extra}` |"
    yield from ("", "| refusal | means | what to do |", "|---|---|---|")
    for refusal in REFUSALS:
        yield f"| `{refusal.__name__}` | {_meaning(refusal)} | {refusal.cure}. |"


def _meaning(refusal: type[Refused]) -> str:
    text = refusal.template.partition(": ")[2]
    return text.replace("{1}", "…").replace("{2}", "…")
