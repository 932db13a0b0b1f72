"""Where crops go: what all commands that make some have in common."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from cropkit.formats.copy_options import CopyOptions
    from cropkit.jupyter.notebooks import Literal

_OPTIONS = "format", "quality", "subsampling", "size", "long-side", "filter", "colour", "name"
_SWITCHES = "scale-to-fit", "linear-light", "allow-upscale"
_HELP = {
    "format": "same, png, jpeg or webp (same)",
    "quality": "1 to 100 (95 of a JPEG; WebP is lossless)",
    "subsampling": "of a JPEG: 4:4:4, 4:2:2 or 4:2:0 (4:4:4)",
    "size": "exact pixels; the box has that ratio",
    "long-side": "pixels of the longer side instead",
    "filter": "of resampling, as Pillow names it (lanczos)",
    "name": "of a slot's copy ({stem}_{slot})",
    "colour": "carry the profile, or convert to srgb (carry)",
    "scale-to-fit": "keep the crop's own ratio, as large as the size holds",
    "linear-light": "resample light instead of the numbers that stand for it",
    "allow-upscale": "enlarge what is smaller, which is refused otherwise",
}
_METAVARS = {"size": "W,H", "quality": "N", "long-side": "N"}


class Opening(TypedDict, total=False):
    """Where crops go and how copies are made, as a collection is opened with it."""

    state: Path | None
    destination: Path | None
    copy_to: Path | None
    copies: "CopyOptions | None"
    targets: str | None
    resize: bool
    salvage: bool
    slots: str | None
    threads: "Executor | None"


def add_ways(parser: argparse.ArgumentParser) -> None:
    """Describe where crops go that do not stay in place, and what copies may be."""
    ways = parser.add_mutually_exclusive_group()
    ways.add_argument("--move-to", type=Path, metavar="DIR", help="cropped images move there")
    _add_copy_to(ways)
    _add_shapes(parser)


def add_copies(parser: argparse.ArgumentParser) -> None:
    """Describe where copies go, and what they may be."""
    parser.set_defaults(move_to=None)
    _add_copy_to(parser)
    _add_shapes(parser)


def _add_copy_to(to: "argparse._ActionsContainer") -> None:
    text = "crops are new files there; the images are never written"
    to.add_argument("--copy-to", type=Path, metavar="DIR", help=text)


def _add_shapes(parser: argparse.ArgumentParser) -> None:
    among = parser.add_mutually_exclusive_group()
    text = "sizes or ratios, of which a box takes the nearest: 1024x1024,832x1216 or 4:5"
    among.add_argument("--targets", metavar="LIST", help=text)
    text = "the same by a table or a rule: sdxl or step=64,area=1024x1024,min=512,max=2048"
    among.add_argument("--buckets", metavar="RULE", help=text)
    copies = parser.add_argument_group("copies")
    text = "bring each copy to the size of its target"
    copies.add_argument("--resize", action="store_true", help=text)
    for name in _OPTIONS:
        metavar = _METAVARS.get(name, name.upper())
        copies.add_argument(f"--{name}", metavar=metavar, help=_HELP[name])
    for name in _SWITCHES:
        copies.add_argument(f"--{name}", action="store_true", help=_HELP[name])


def add_salvage(parser: argparse.ArgumentParser) -> None:
    """Describe what becomes of damaged images."""
    text = "crop what can be read of damaged JPEGs and PNGs, which are refused otherwise"
    parser.add_argument("--salvage", action="store_true", help=text)


def add_slots(parser: argparse.ArgumentParser) -> None:
    """Describe several crops of one image."""
    text = "crops of each image by name: face,bust or square=1:1,tall=4:5 (needs --copy-to)"
    parser.add_argument("--slots", default="", metavar="NAMES", help=text)


def ways(arguments: argparse.Namespace) -> Opening:
    """Return where crops go and how copies are made, as a collection is opened with it.

    Raises
    ------
    BadSetting, BadTarget
        There is no such choice: nothing was begun.
    """
    return {
        "state": arguments.state,
        "destination": arguments.move_to,
        "copy_to": arguments.copy_to,
        "copies": _copies(arguments),
        "targets": arguments.targets or arguments.buckets,
        "resize": arguments.resize,
        "salvage": getattr(arguments, "salvage", False),
        "slots": getattr(arguments, "slots", None),
    }


def as_parameters(arguments: argparse.Namespace) -> "dict[str, Literal]":
    """Return where crops go, how copies are made and which, as a notebook takes it.

    Raises
    ------
    BadSetting, BadTarget
        There is no such choice: nothing was begun.
    """
    copies = _copies(arguments)
    texts = {
        "destination": arguments.move_to and str(arguments.move_to.resolve()),
        "copy_to": arguments.copy_to and str(arguments.copy_to.resolve()),
        "copies": copies.text if copies else "",
        "slots": getattr(arguments, "slots", None),
        "targets": arguments.targets or arguments.buckets,
        "resize": arguments.resize,
        "salvage": getattr(arguments, "salvage", False),
    }
    return {name: value for name, value in texts.items() if value}


def of_copies(arguments: argparse.Namespace) -> list[str]:
    """Return where copies go and how they are made, as words that say the same again."""
    there = ["--copy-to", str(arguments.copy_to)] if arguments.copy_to else []
    there += ["--resize"] if arguments.resize else []
    for name in (*_OPTIONS, *_SWITCHES):
        value = getattr(arguments, name.replace("-", "_"))
        there += [f"--{name}"] if value is True else [f"--{name}", value] if value else []
    return there


def _copies(arguments: argparse.Namespace) -> "CopyOptions | None":
    texts = {name: getattr(arguments, name.replace("-", "_")) for name in (*_OPTIONS, *_SWITCHES)}
    chosen = {name: "yes" if value is True else value for name, value in texts.items() if value}
    if not chosen:
        return None
    from cropkit.formats.copy_options import CopyOptions  # noqa: PLC0415  (only where it is needed)

    return CopyOptions.from_settings(chosen)
