"""Real files for the tests: photographic-looking pictures, and writers that fill in metadata."""

import json
import shutil
from collections.abc import Mapping
from functools import cache, lru_cache
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

PARAMETERS = (
    "a lighthouse at dusk, film grain\nNegative prompt: blurry\n"
    "Steps: 30, Sampler: DPM++ 2M, CFG scale: 5.5, Seed: 1234567890, Size: 832x1216"
)
_ORIENTATION, _MAKE, _GPS = 0x0112, 0x010F, 0x8825


_KEPT_AREA = 1 << 16  # pixels; larger ones are rendered each time, as they are few


def photo(width: int, height: int, seed: int = 0) -> Image.Image:
    """Render a picture as a codec meets it: smooth light, edges, texture and grain; the same
    bytes for the same arguments."""
    render = _kept if width * height <= _KEPT_AREA else _rendered
    return render(width, height, seed).copy()


@lru_cache(maxsize=256)
def _kept(width: int, height: int, seed: int) -> Image.Image:
    return _rendered(width, height, seed)


def _rendered(width: int, height: int, seed: int) -> Image.Image:
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = x / max(width, 2), y / max(height, 2)
    light = np.stack([0.35 + 0.5 * y, 0.45 + 0.25 * x, 0.75 - 0.45 * y], axis=-1)
    phase = rng.uniform(0, 6.28, 3)
    light += 0.08 * np.sin(x[..., None] * 19 + y[..., None] * 23 + phase)
    cx, cy = rng.uniform(0.35, 0.65, 2)
    inside = np.hypot(x - cx, y - cy) < rng.uniform(0.15, 0.25)
    light[inside] = light[inside] * 0.4 + rng.uniform(0.2, 0.6, 3)
    light += rng.normal(0, 0.015, (height, width, 1))
    return Image.fromarray((light.clip(0, 1) * 255).astype(np.uint8), "RGB")


@cache
def noise_alpha(width: int, height: int) -> Image.Image:
    """Return opacity that is another one at each pixel, and nothing at some."""
    values = np.random.default_rng(5).integers(-80, 256, (height, width)).clip(0, 255)
    return Image.fromarray(values.astype(np.uint8))


def icc_profile() -> bytes:
    """An sRGB profile whose creation date is fixed, so that files come out the same each time."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[24:36] = bytes([0x07, 0xE8, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0])
    return bytes(profile)


def exif_bytes(*, orientation: int | None = None, gps: bool = False) -> bytes:
    exif = Image.Exif()
    exif[_MAKE] = "Test Camera"
    if orientation is not None:
        exif[_ORIENTATION] = orientation
    if gps:
        exif.get_ifd(_GPS).update({1: "N", 2: (48.0, 51.0, 29.6), 3: "E", 4: (2.0, 17.0, 40.2)})
    return exif.tobytes()


def xmp_packet(subject: str = "test") -> bytes:
    return (
        "<?xpacket begin='\ufeff' id='W5M0MpCehiHzreSzNTczkc9d'?>"
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" dc:subject="{subject}"/>'
        "</rdf:RDF></x:xmpmeta><?xpacket end='w'?>"
    ).encode()


def write_png(
    path: Path,
    image: Image.Image | None = None,
    *,
    text: Mapping[str, str] | None = None,
    exif: bytes | None = None,
    icc: bytes | None = None,
    dpi: tuple[float, float] | None = None,
) -> Path:
    """Write a PNG; text that Latin-1 cannot hold becomes an iTXt chunk, as generators do."""
    info = PngInfo()
    for key, value in (text or {}).items():
        info.add_text(key, value)
    asked = {"exif": exif, "icc_profile": icc, "dpi": dpi}
    given = {key: value for key, value in asked.items() if value is not None}
    (image or photo(64, 96)).save(path, "PNG", pnginfo=info, compress_level=1, **given)
    return path


def write_jpeg(
    path: Path,
    image: Image.Image | None = None,
    *,
    orientation: int | None = None,
    quality: int = 90,
    subsampling: str = "4:2:0",
    progressive: bool = False,
    gps: bool = False,
    exif: bytes | None = None,
    icc: bytes | None = None,
    xmp: bytes | None = None,
    dpi: tuple[float, float] | None = None,
) -> Path:
    """Write a JPEG; `exif` replaces what `orientation` and `gps` would make."""
    if exif is None and (orientation is not None or gps):
        exif = exif_bytes(orientation=orientation, gps=gps)
    asked: dict[str, Any] = {"exif": exif, "icc_profile": icc, "xmp": xmp, "dpi": dpi}
    given = {key: value for key, value in asked.items() if value is not None}
    (image or photo(96, 64)).save(
        path, "JPEG", quality=quality, subsampling=subsampling, progressive=progressive, **given
    )
    return path


def write_sidecar(image: Path, coords: list[float] | None = None, **fields: Any) -> Path:
    """Write the `.decision` of one image."""
    record: dict[str, Any] = {"group_id": f"test_{image.stem}", "needs_crop": True}
    if coords is not None:
        record |= {"ai_crop_coords": coords, "ai_route": "suggestion"}
    sidecar = image.with_suffix(".decision")
    sidecar.write_text(json.dumps(record | fields, indent=2), encoding="utf-8")
    return sidecar


def encoded(image: Image.Image, format_name: str, **options: Any) -> bytes:
    """The bytes of a file, for tests that need no folder."""
    buffer = BytesIO()
    image.save(buffer, format_name, **options)
    return buffer.getvalue()


def write_folder(folder: Path) -> Path:
    """A small collection: two PNGs with generation text, three JPEGs with orientation, ICC, GPS;
    each with a sidecar."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in _small_collection().items():
        (folder / name).write_bytes(content)
    return folder


def copied(made: Path, place: Path) -> Path:
    """Copy a collection that was made for many tests, with times and attributes, for one of them.

    A copy is a collection, too: where it lies is in none of its rows.
    """
    return Path(shutil.copytree(made, place, symlinks=True))


@cache
def _small_collection() -> Mapping[str, bytes]:
    """Return its files: a thousand tests have one each, and encode it once."""
    with TemporaryDirectory(prefix="cropkit-pictures-") as place:
        _paint(Path(place))
        return {path.name: path.read_bytes() for path in sorted(Path(place).iterdir())}


def _paint(folder: Path) -> None:
    made = [
        write_png(folder / "a_stage2.png", photo(104, 152, 1), text={"parameters": PARAMETERS}),
        write_png(folder / "b_stage2.png", photo(152, 104, 2), text={"prompt": '{"1": "灯台"}'}),
        write_jpeg(folder / "c.jpg", photo(160, 120, 3), orientation=6, gps=True),
        write_jpeg(folder / "d.jpg", photo(120, 120, 4), icc=icc_profile(), quality=85),
        write_jpeg(folder / "e.jpeg", photo(160, 90, 5), orientation=3, subsampling="4:4:4"),
    ]
    for image in made:
        write_sidecar(image, [0.125, 0.25, 0.875, 0.75])
