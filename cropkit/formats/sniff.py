"""Which format the content is, from its first bytes, and whether the name agrees."""

from pathlib import PurePath

from cropkit.errors import EmptyFile, Truncated, UnknownFormat, WrongExtension
from cropkit.formats.options import EXTENSION

_SUFFIXES = {
    "png": "png apng",
    "jpeg": "jpg jpeg jfif jpe mpo",
    "webp": "webp",
    "tiff": "tif tiff",
    "bmp": "bmp dib",
    "gif": "gif",
    "avif": "avif avifs",
    "heic": "heic heif hif",
    "jxl": "jxl",
    "jp2": "jp2 j2k jpf jpx",
    "ico": "ico",
    "psd": "psd",
}
EXTENSIONS = {f".{s}": name for name, suffixes in _SUFFIXES.items() for s in suffixes.split()}

# (offset, bytes, format); the brands are those of ISO 23008-12 and AV1-ISOBMFF.
_MAGIC = (
    (0, b"\x89PNG\r\n\x1a\n", "png"),
    (0, b"\xff\xd8\xff", "jpeg"),
    (8, b"WEBP", "webp"),
    (0, b"II*\0", "tiff"),
    (0, b"MM\0*", "tiff"),
    (0, b"II+\0", "tiff"),
    (0, b"MM\0+", "tiff"),
    (0, b"GIF87a", "gif"),
    (0, b"GIF89a", "gif"),
    (4, b"ftypavif", "avif"),
    (4, b"ftypavis", "avif"),
    (4, b"ftyphe", "heic"),
    (4, b"ftypmif1", "heic"),
    (4, b"ftypmsf1", "heic"),
    (0, b"\xff\x0a", "jxl"),
    (0, b"\0\0\0\x0cJXL \r\n\x87\n", "jxl"),
    (0, b"\0\0\0\x0cjP  \r\n\x87\n", "jp2"),
    (0, b"\xff\x4f\xff\x51", "jp2"),
    (0, b"\0\0\x01\0", "ico"),
    (0, b"8BPS", "psd"),
    (0, b"BM", "bmp"),
)
_SHOWN = {"png": "PNG", "jpeg": "JPEG", "webp": "WebP", "jp2": "JPEG 2000", "jxl": "JPEG XL"}


def shown(format_name: str) -> str:
    """Return the format's name as people write it."""
    return _SHOWN.get(format_name, format_name.upper())


def named_format(name: str) -> str | None:
    """Return the format that the file's name promises."""
    return EXTENSIONS.get(PurePath(name).suffix.lower())


def sniff(data: bytes, name: str, drop: frozenset[str] = frozenset()) -> str:
    """Return the format of the content.

    Parameters
    ----------
    drop : of `Options.drop`: `extension` has the content alone decide

    Raises
    ------
    EmptyFile, Truncated, UnknownFormat
        When the content is of no format that we know.
    WrongExtension
        When the name promises another one.
    """
    if not data:
        raise EmptyFile(name)
    recognised = next((f for at, magic, f in _MAGIC if data.startswith(magic, at)), None)
    promised = named_format(name)
    if recognised is None:
        raise _unknown(data, name, promised)
    if promised not in (None, recognised) and EXTENSION not in drop:
        raise WrongExtension(name, shown(recognised))
    return recognised


def _unknown(data: bytes, name: str, promised: str | None) -> Truncated | UnknownFormat:
    begun = any(f == promised and at == 0 and m.startswith(data) for at, m, f in _MAGIC)
    return Truncated(name, "even its signature") if begun else UnknownFormat(name)
