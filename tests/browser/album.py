"""A collection that is not the demo: pictures that installed packages ship, at several sizes.

matplotlib ships a photograph (Grace Hopper, by the US Navy, public domain), ipywidgets the Jupyter
logo. Some of the files are broken on purpose.
"""

from io import BytesIO
from pathlib import Path
from typing import TypeAlias

import ipywidgets
import matplotlib.cbook
import numpy as np
import numpy.typing as npt
import pictures
from PIL import Image, ImageOps

BROKEN = ("07_cut_off.jpg", "08_words.png")
BAD_SIDECAR = "09_bad_sidecar.png"
Pixels: TypeAlias = npt.NDArray[np.float64]
JPEG_TOLERANCE = 6.0  # mean difference of a pixel: one more round of the same quantisation


def photograph() -> Path:
    return Path(str(matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)))


def logo() -> Path:
    folder = Path(ipywidgets.__file__).parent / "widgets" / "tests" / "data"
    return folder / "jupyter-logo-transparent.png"


def make_album(folder: Path) -> Path:
    """Make four pages of three."""
    folder.mkdir(parents=True)
    hopper = Image.open(photograph()).convert("RGB")
    text = {"parameters": pictures.PARAMETERS}
    (folder / "01_hopper.jpg").write_bytes(photograph().read_bytes())
    (folder / "02_logo.png").write_bytes(logo().read_bytes())
    pictures.write_png(folder / "03_generated.png", pictures.photo(832, 1216, 3), text=text)
    turned = hopper.resize((1400, 900))
    pictures.write_jpeg(folder / "04_turned.jpg", turned, orientation=6, gps=True)
    pictures.write_png(folder / "05_large.png", hopper.resize((2400, 1600)), dpi=(300, 300))
    progressive = hopper.crop((100, 50, 411, 350))
    pictures.write_jpeg(folder / "06_small.jpg", progressive, progressive=True, quality=75)
    (folder / BROKEN[0]).write_bytes(photograph().read_bytes()[:20_000])
    (folder / BROKEN[1]).write_text("These are words, not pixels.\n", encoding="utf-8")
    pictures.write_png(folder / BAD_SIDECAR, hopper.resize((640, 480)))
    pictures.write_png(folder / "10_no_sidecar.png", hopper.resize((480, 640)))
    pictures.write_jpeg(
        folder / "11_wide.jpg", hopper.resize((1600, 400)), icc=pictures.icc_profile()
    )
    pictures.write_jpeg(folder / "12_last.jpg", hopper)
    for image in sorted(folder.iterdir()):
        if image.name != "10_no_sidecar.png":
            pictures.write_sidecar(image, [0.15, 0.2, 0.85, 0.9])
    (folder / BAD_SIDECAR).with_suffix(".decision").write_text('{"ai_crop_coords": [0.9,')
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def check_is_crop(written: bytes, original: bytes, box: tuple[int, int, int, int]) -> None:
    """Hold a crop against one made without cropkit: PNG exactly, JPEG closely."""
    found, source = Image.open(BytesIO(written)), Image.open(BytesIO(original))
    assert found.format == source.format
    upright, wanted = (ImageOps.exif_transpose(image) for image in (found, source))
    wanted = wanted.crop(box)
    assert upright.size == wanted.size
    assert upright.mode == wanted.mode
    shown, meant = (np.asarray(image, dtype=float) for image in (upright, wanted))
    if found.format == "PNG":
        assert np.array_equal(shown, meant)
    else:
        assert difference(shown, meant) < JPEG_TOLERANCE
        for moved in (1, -1):  # one pixel beside is farther off
            for axis in (0, 1):
                assert difference(shown, np.roll(meant, moved, axis)) > difference(shown, meant)


def difference(one: Pixels, other: Pixels) -> float:
    return float(np.abs(one - other).mean())


def check_kept_metadata(written: bytes, original: bytes) -> None:
    found, source = Image.open(BytesIO(written)), Image.open(BytesIO(original))
    for item in ("parameters", "icc_profile", "dpi"):
        assert found.info.get(item) == source.info.get(item), item
    kept, had = found.getexif(), source.getexif()
    assert kept.get(0x010F) == had.get(0x010F)
    assert kept.get_ifd(0x8825) == had.get_ifd(0x8825)
