"""What the demo consists of, as a table; pure."""

from dataclasses import dataclass

from cropkit.geometry import Size

TALL, WIDE, SQUARE = Size(832, 1216), Size(1216, 832), Size(1024, 1024)


@dataclass(frozen=True, slots=True)
class Picture:
    """One image of the demo; `size` is upright, `text` a kind of generation text."""

    name: str
    scene: str
    palette: int
    size: Size
    sidecar: str = "accepted"
    text: str = ""
    orientation: int = 1
    icc: bool = False
    gps: bool = False


PALETTES: dict[str, tuple[tuple[str, ...], ...]] = {
    "mountains": (
        ("2c4a7c", "9fb4d0", "f6d9b8", "7f8fb0", "1f2a3f"),
        ("4a2f5c", "c9677a", "f9c58d", "8a5a78", "2a1b30"),
        ("3f7aa8", "a9d2e3", "eef3ea", "6f9a95", "1c3a38"),
    ),
    "boat": (
        ("34508a", "e79a6b", "f7d7a0", "6e6f8c", "1d2540"),
        ("3a86b8", "a6d6e6", "f3f3e6", "3c8fa8", "0f3c5c"),
        ("41295a", "d1556b", "fbb16e", "70466e", "22163a"),
    ),
    "lighthouse": (
        ("1d2b53", "6d5f8d", "f2a779", "3b4f78", "2a2a33"),
        ("4d83b8", "a8cde0", "f4ead6", "3f7f99", "55504a"),
        ("12343b", "3d7c80", "f0d9a8", "24606a", "26302f"),
    ),
    "city": (
        ("0b1026", "1f2c5c", "a85f7a", "1b2140", "0c1022"),
        ("081a2a", "124a5e", "4fa39a", "12303c", "06151c"),
        ("1a0f2e", "4b2a6b", "e0795a", "2a1c44", "120b20"),
    ),
    "still_life": (
        ("b9a58c", "8b735b", "6b4226", "3f6f78", "c8402f", "e0902c"),
        ("8fa3a0", "5d716f", "4c3a2e", "b8553a", "d9b13b", "7d9a3c"),
        ("5f5a6e", "3a3648", "3b2a22", "d8c7a6", "8c2f4b", "c9662e"),
    ),
    "balloons": (
        ("5b8fd0", "b9d3ea", "fbe6c8", "5f7f6a", "d8433b", "f4c145", "f7f1e4", "2f5d8a"),
        ("e08b6f", "f3c29a", "fdeccf", "8a6f80", "3d5a80", "ee6c4d", "e0fbfc", "98c1d9"),
        ("3e6fa3", "8fc1d8", "e8f1ea", "3f6f62", "8d3b72", "f2b950", "fdf5e2", "56a3a6"),
    ),
    "flower": (
        ("1f3a20", "4f7d3a", "a9c76a", "e8dfa0", "e05a86"),
        ("22304a", "4a6a86", "9fb8c9", "d9d3ef", "f2c9d8"),
        ("33301a", "7a6f2c", "c9b458", "f2e2a8", "e8743b"),
    ),
    "night": (
        ("05081c", "14204a", "3a4a78", "101a2c", "070b14"),
        ("04121a", "0c3440", "2f7a6e", "0c2024", "050d10"),
        ("12061f", "33164a", "7a3b6a", "1c1028", "0c0712"),
    ),
}

PLAN = (
    Picture("20260105_091500_stage2_upscaled.png", "lighthouse", 0, TALL, text="a lighthouse"),
    Picture("20260105_091742_stage1_generated.png", "balloons", 0, TALL, text="hot-air balloons"),
    Picture("20260105_092010_stage2_upscaled.png", "still_life", 0, TALL, "group", "workflow"),
    Picture("20260105_092233_stage1_generated.png", "flower", 0, SQUARE, "suggestion", "a flower"),
    Picture("20260105_092451_stage2_upscaled.png", "boat", 0, WIDE, "cut short", "a sailing boat"),
    Picture("20260105_092708_stage1_generated.png", "city", 0, TALL, "early", "workflow"),
    Picture("20260105_092930_stage2_upscaled.png", "mountains", 0, WIDE, "group", "mountains"),
    Picture("20260105_093155_stage1_generated.png", "night", 0, SQUARE, text="a tent at night"),
    Picture(
        "20260105_093412_stage2_upscaled.png", "still_life", 1, Size(1664, 2432), text="a vase"
    ),
    Picture("20260105_093640_stage1_generated.png", "flower", 1, TALL, "manual", "workflow"),
    Picture("20260105_093902_stage2_upscaled.png", "balloons", 1, WIDE, "pixels", "balloons"),
    Picture("20260105_094127_stage1_generated.png", "lighthouse", 1, WIDE, "early", "a beacon"),
    Picture("20260105_094351_stage2_upscaled.png", "city", 1, WIDE, text="workflow", icc=True),
    Picture("20260105_094615_stage1_generated.png", "boat", 1, SQUARE, "suggestion", "a regatta"),
    Picture("20260105_094840_stage2_upscaled.png", "mountains", 1, TALL, "group", "a lake"),
    Picture("20260105_095102_stage1_generated.png", "night", 1, Size(1664, 2432), text="workflow"),
    Picture("IMG_2041.jpg", "mountains", 2, Size(4000, 3000), icc=True, gps=True),
    Picture("IMG_2042.jpg", "boat", 2, Size(1200, 1600), orientation=6, gps=True),
    Picture("IMG_2043.jpg", "lighthouse", 2, Size(1200, 1600), "early", orientation=8, icc=True),
    Picture("IMG_2044.jpg", "flower", 2, Size(1600, 1200), orientation=3, gps=True),
    Picture("IMG_2045.jpg", "balloons", 2, Size(1600, 1200), "suggestion", orientation=2),
    Picture("scan_0007.jpeg", "still_life", 2, Size(1500, 1000), icc=True),
    Picture("scan_0008.jpeg", "city", 2, Size(1000, 1500), "suggestion"),
    Picture("grace_hopper.jpg", "photograph", 0, Size(512, 600)),
)
