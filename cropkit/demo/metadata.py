"""What generators and cameras write into files, for the demo: text chunks, EXIF, ICC, sidecars.

Everything is made from fixed values, so that two demos have the same bytes.
"""

import json
import struct
from io import BytesIO
from typing import Any

from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from cropkit.geometry import NormalizedBox, Size

_Entry = tuple[int, int, int, bytes]  # tag, type, count, value
_ASCII, _SHORT, _LONG, _RATIONAL = 2, 3, 4, 5


def srgb_profile() -> bytes:
    """Return an sRGB profile whose date is fixed (ICC.1:2022, 7.2.8: bytes 24 to 35)."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[24:36] = struct.pack(">6H", 2026, 1, 5, 0, 0, 0)
    return bytes(profile)


def exif(orientation: int, thumbnail: Image.Image, *, gps: bool) -> bytes:
    """Return an EXIF block with orientation, thumbnail and position (CIPA DC-008, TIFF 6.0)."""
    small = BytesIO()
    thumbnail.save(small, "JPEG", quality=80)
    main = [
        _ascii(0x010F, "cropkit"),
        _ascii(0x0110, "Demo Camera 1"),
        (0x0112, _SHORT, 1, struct.pack("<H", orientation)),
        _ascii(0x0132, "2026:01:05 09:15:00"),
    ]
    at = 8 + len(_ifd([*main, _long(0x8825, 0)] if gps else main, 8))
    position = _ifd(_position(), at) if gps else b""
    if gps:
        main.append(_long(0x8825, at))
    at += len(position)
    ahead = len(_ifd(_thumbnail(0, 0), at))
    preview = _ifd(_thumbnail(at + ahead, len(small.getvalue())), at)
    block = _ifd(main, 8, following=at) + position + preview + small.getvalue()
    return b"Exif\0\0II*\0" + struct.pack("<I", 8) + block


def png_text(kind: str, seed: int, size: Size) -> PngInfo:
    """Return text chunks as generators write them: ``parameters``, or ``prompt`` and ``workflow``.

    What Latin-1 cannot hold goes into iTXt.
    """
    info = PngInfo()
    if kind == "workflow":
        info.add_text(
            "prompt", json.dumps({"3": {"class_type": "KSampler", "inputs": {"seed": seed}}})
        )
        info.add_text(
            "workflow", json.dumps({"version": 0.4, "nodes": [{"id": 3, "type": "KSampler"}]})
        )
    else:
        info.add_text(
            "parameters",
            f"{kind}, soft light\nNegative prompt: text, watermark\nSteps: 30, Sampler: Euler a, "
            f"CFG scale: 5.5, Seed: {seed}, Size: {size.width}x{size.height}, Model: demo",
        )
    info.add_itxt(
        "Comment", f"Gerendert für die Vorführung · 例 {seed}", lang="de", zip=seed % 2 == 0
    )
    return info


def sidecar(variant: str, name: str, group: str, box: NormalizedBox) -> str:
    """Return the text of a `.decision` sidecar in one of its variants, or broken on purpose."""
    coords = [round(edge, 6) for edge in box.xyxy]
    record: dict[str, Any] = {"group_id": f"demo_group_{group}", "project_id": "demo"}
    record["needs_crop"] = True
    if variant == "group":
        record = _group(name, group, coords)
    elif variant == "pixels":
        record |= {
            "ai_crop_coords": [round(edge * 1000) for edge in coords],
            "ai_route": "suggestion",
        }
    elif variant != "manual":
        record["ai_crop_coords"] = coords
    if variant in ("accepted", "suggestion"):
        record["ai_route"] = "suggestion"
    if variant == "accepted":
        record["ai_crop_accepted"] = True
    text = json.dumps(record, indent=2) + "\n"
    return text[:-30] if variant == "cut short" else text


def _group(name: str, group: str, coords: list[float]) -> dict[str, Any]:
    return {
        "group_id": group,
        "images": [f"{group}_stage1_generated.png", name],
        "ai_recommendation": {
            "selected_image": name,
            "selected_index": 1,
            "reason": "AI Model (Ranker v3) - stage2_upscaled",
            "confidence": 0.8125,
            "crop_needed": True,
            "crop_coords": coords,
        },
        "user_decision": None,
    }


def _position() -> list[_Entry]:
    def degrees(*values: int) -> bytes:
        return b"".join(struct.pack("<II", value, 1) for value in values)

    return [
        _ascii(1, "N"),
        (2, _RATIONAL, 3, degrees(46, 33, 27)),
        _ascii(3, "E"),
        (4, _RATIONAL, 3, degrees(7, 58, 46)),
    ]


def _thumbnail(at: int, length: int) -> list[_Entry]:
    compression = (0x0103, _SHORT, 1, struct.pack("<H", 6))
    return [compression, _long(0x0201, at), _long(0x0202, length)]


def _ascii(tag: int, text: str) -> _Entry:
    value = text.encode("ascii") + b"\0"
    return tag, _ASCII, len(value), value


def _long(tag: int, value: int) -> _Entry:
    return tag, _LONG, 1, struct.pack("<I", value)


def _ifd(entries: list[_Entry], at: int, following: int = 0) -> bytes:
    """Lay out one directory at an offset, its long values behind it (TIFF 6.0, section 2)."""
    table, values = struct.pack("<H", len(entries)), b""
    end = at + 2 + 12 * len(entries) + 4
    for tag, kind, count, value in entries:
        table += struct.pack("<HHI", tag, kind, count)
        if len(value) <= 4:  # noqa: PLR2004  (what fits into the offset's place stands there)
            table += value.ljust(4, b"\0")
        else:
            table += struct.pack("<I", end + len(values))
            values += value + b"\0" * (len(value) % 2)
    return table + struct.pack("<I", following) + values
