"""File names as old archives, other systems and enemies make them, in the bytes of the kernel."""

import os
from pathlib import Path

import pictures

NAMES: dict[str, bytes] = {
    "latin-1": b"caf\xe9.png",
    "shift-jis": "写真".encode("shift_jis") + b".png",
    "utf-16 mark": b"\xff\xfe.png",
    "lone surrogate": b"half\xed\xa0\x80.png",
    "the escape's own character": "own\U0010f7e9.png".encode(),
    "255 bytes": b"\xe9" * 251 + b".png",
    "255 bytes of kanji": "漢".encode() * 83 + b"ab.png",
    "newline": b"x\ncropped other.png",
    "return": b"x\rcropped other.png",
    "tab": b"x\ty.png",
    "escape": b"\x1b[31mred\x1b[0m\x07.png",
    "C1": "x\x9b31my\x85.png".encode(),
    "DEL": b"x\x7fy.png",
    "bidi": "x\u202egnp.cod\u202c\u2066y.png".encode(),
    "line separator": "x\u2028y\u2029.png".encode(),
    "dash": b"-rf.png",
    "option": b"--box=1,1,2,2.png",
    "dots": b"..x...png",
    "spaces": b" x  y .png",
    "percent": b"%s%41%n%(x)s.png",
    "question": b"x?mode=ro#y&z.png",
    "braces": b"{0}{x}{{y}}.png",
    "quotes": b"'a\"b`c\\d$(e).png",
    "markup": b"<img src=x onerror=alert(1)>&amp;.png",
    "bytes at the edges": b"\x01\xc3.png",
}


def text(name: bytes) -> str:
    return os.fsdecode(name)


def write(folder: Path, name: bytes, seed: int = 0, *, sidecar: bool = False) -> str:
    """Write one image under a hostile name, with a sidecar where its name is not too long."""
    folder.mkdir(parents=True, exist_ok=True)
    path = pictures.write_png(folder / "written.png", pictures.photo(64, 96, seed))
    path.rename(folder / text(name))
    if sidecar and len(name) < 240:
        pictures.write_sidecar(folder / text(name), [0.125, 0.25, 0.875, 0.75])
    return text(name)
