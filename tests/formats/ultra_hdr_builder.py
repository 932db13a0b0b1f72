"""JPEG files with a gain map behind them, put together by hand as phones write them."""

import struct

import jpeg_builder as jpg
import pictures
from PIL import Image

XMP = b"http://ns.adobe.com/xap/1.0/\0"
ISO = b"urn:iso:std:iso:ts:21496:-1\0\0\0\0\0"
WIDTH, HEIGHT, SCALE = 640, 480, 4
PHOTO = pictures.photo(WIDTH, HEIGHT)
MAP = pictures.photo(WIDTH // SCALE, HEIGHT // SCALE, seed=3).convert("L")
CALIBRATION = (
    "<depthData:Quality>high</depthData:Quality>"
    "<depthData:IntrinsicMatrix><rdf:Seq><rdf:li>320</rdf:li></rdf:Seq></depthData:IntrinsicMatrix>"
    "<depthData:LensDistortionCenterOffsetX>319.5</depthData:LensDistortionCenterOffsetX>"
    "<depthBlurEffect:SimulatedAperture>2.8</depthBlurEffect:SimulatedAperture>"
    "<depthBlurEffect:RenderingParameters>UkVORA==</depthBlurEffect:RenderingParameters>"
)
OF_MAP = b"<x:x xmlns:x='x' xmlns:hdrgm='h' hdrgm:Version='1.0' hdrgm:GainMapMax='2.5'/>"


def gain_map(image: Image.Image = MAP, words: bytes = OF_MAP) -> bytes:
    return jpg.build([(0xE1, XMP + words), (0xE2, ISO + bytes(40))], image)


def packet(length: int, video: int = 0) -> bytes:
    moves = "GCamera:MotionPhoto='1' " if video else ""
    item = (
        "<rdf:li rdf:parseType='Resource'><Container:Item Item:Semantic='MotionPhoto' "
        f"Item:Mime='video/mp4' Item:Length='{video}'/></rdf:li>"
    )
    return (
        "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-"
        "syntax-ns#'><rdf:Description rdf:about='' xmlns:Container='http://ns.google.com/photos/1.0/"
        "container/' xmlns:Item='http://ns.google.com/photos/1.0/container/item/' xmlns:hdrgm="
        f"'http://ns.adobe.com/hdr-gain-map/1.0/' {moves}hdrgm:Version='1.0'>"
        "<Container:Directory><rdf:Seq>"
        "<rdf:li rdf:parseType='Resource'><Container:Item Item:Semantic='Primary' "
        "Item:Mime='image/jpeg'/></rdf:li><rdf:li rdf:parseType='Resource'><Container:Item "
        f"Item:Semantic='GainMap' Item:Mime='image/jpeg' Item:Length='{length}'/></rdf:li>"
        f"{item if video else ''}"
        "</rdf:Seq></Container:Directory></rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


def index(order: str, lengths: tuple[int, ...], offset: int) -> bytes:
    mark = b"II*\0" if order == "<" else b"MM\0*"
    tags = struct.pack(f"{order}HHI4s", 0xB000, 7, 4, b"0100")
    tags += struct.pack(f"{order}HHII", 0xB001, 4, 1, len(lengths))
    tags += struct.pack(f"{order}HHII", 0xB002, 7, 16 * len(lengths), 50)
    entries = struct.pack(f"{order}IIIHH", 0x030000, lengths[0], 0, 0, 0)
    for length in lengths[1:]:
        entries += struct.pack(f"{order}IIIHH", 0, length, offset, 0, 0)
        offset += length
    head = mark + struct.pack(f"{order}IH", 8, 3)
    return b"MPF\0" + head + tags + bytes(4) + entries


def ultra_hdr(
    other: bytes | None = None,
    *,
    order: str = ">",
    orientation: int = 1,
    image: Image.Image = PHOTO,
    more: bytes = b"",
    **options: object,
) -> bytes:
    """A file as phones write it: sizes and places of both stand in it twice.

    `more` is a video behind them.
    """
    other = gain_map() if other is None else other
    exif = pictures.exif_bytes(orientation=orientation)

    def whole(length: int, at: int) -> bytes:
        parts = [(0xE1, exif), (0xE1, XMP + packet(len(other), len(more)))]
        parts += [(0xE2, index(order, (length, len(other)), at)), (0xE2, ISO)]
        return jpg.build(parts, image, **options)

    length = len(whole(0, 0))
    at = length - (whole(0, 0).index(b"MPF\0") + 4)
    return whole(length, at) + other + more


def auxiliary(kind: str, scale: int, more: str = "") -> bytes:
    """An auxiliary picture as an iPhone writes it."""
    words = (
        "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-"
        "syntax-ns#'><rdf:Description rdf:about='' xmlns:apdi='http://ns.apple.com/pixeldatainfo/"
        "1.0/' xmlns:depthData='http://ns.apple.com/depthData/1.0/' xmlns:depthBlurEffect='http://"
        f"ns.apple.com/depthBlurEffect/1.0/'><apdi:AuxiliaryImageType>{kind}</apdi:"
        f"AuxiliaryImageType>{more}</rdf:Description></rdf:RDF></x:xmpmeta>"
    )
    seed = sum(kind.encode())
    image = pictures.photo(WIDTH // scale, HEIGHT // scale, seed=seed).convert("L")
    return jpg.build([(0xE1, XMP + words.encode())], image)


def portrait(others: tuple[bytes, ...], *, orientation: int = 1) -> bytes:
    """An iPhone's picture with others of the same frame behind it."""
    exif = pictures.exif_bytes(orientation=orientation)

    def whole(lengths: tuple[int, ...], at: int) -> bytes:
        return jpg.build([(0xE1, exif), (0xE2, index(">", lengths, at))], PHOTO)

    lengths = tuple(map(len, others))
    length = len(whole((0, *lengths), 0))
    at = length - (whole((0, *lengths), 0).index(b"MPF\0") + 4)
    return whole((length, *lengths), at) + b"".join(others)
