"""Commands that begin something: review, test, demo."""

import argparse
from pathlib import Path

from cropkit.cli.shell import DONE, USAGE, Commands, command, say, tell


def add(commands: Commands) -> None:
    """Describe the commands."""
    _add_review(commands)
    text = "run the project's own tests, in a clone (arguments go to pytest)"
    command(commands, "test", text, _test)


def add_demo(commands: Commands) -> None:
    """Describe `demo`."""
    one = command(commands, "demo", "make the demo collection in a folder", _demo)
    one.add_argument("folder", type=Path, help="a new or empty folder")
    one.add_argument("--count", type=int, default=24, help="how many images")


def _add_review(commands: Commands) -> None:
    one = command(commands, "review", "review the crop boxes of a folder in JupyterLab", _review)
    one.add_argument("folder", nargs="?", type=Path, help="folder of images; without it, a demo")
    one.add_argument("--per-page", type=int, default=3, metavar="N", help="images side by side")
    one.add_argument("--keys", choices=("default", "classic", "vim"), default="", help="preset")
    small = "warn of crops whose shorter side is smaller"
    one.add_argument("--minimum", type=int, default=0, metavar="PIXELS", help=small)
    sure = "a suggestion that says less is unsure, a filter of the review (0.5)"
    one.add_argument("--min-confidence", type=float, default=0.5, metavar="X", help=sure)
    one.add_argument("--move-to", type=Path, metavar="DIR", help="cropped images move there")
    one.add_argument("--defer", action="store_true", help="only record decisions; apply later")
    one.add_argument("--reviewer", default="", metavar="NAME", help="who decides")
    one.add_argument("--suggestions", type=Path, metavar="CSV", help="boxes instead of sidecars")
    orders, units = ("xyxy", "xywh", "cxcywh"), ("pixels", "normalized")
    one.add_argument("--order", choices=orders, default="xyxy", help="of the CSV's four numbers")
    one.add_argument("--units", choices=units, default="pixels", help="of the CSV's numbers")
    one.add_argument("--port", type=int, default=8888, help="the first port to try")
    one.add_argument("--no-browser", action="store_true", help="only print the address")


def _review(given: argparse.Namespace) -> int:
    from cropkit.jupyter.launch import launch  # noqa: PLC0415  (JupyterLab, for this command only)

    return launch(
        given.folder,
        per_page=given.per_page,
        keys=given.keys,
        minimum=given.minimum,
        min_confidence=given.min_confidence,
        destination=given.move_to,
        defer=given.defer,
        reviewer=given.reviewer,
        suggestions=given.suggestions,
        order=given.order,
        units=given.units,
        port=given.port,
        browser=not given.no_browser,
    )


def _test(_given: argparse.Namespace) -> int:
    say("the tests run in a clone of the project: python3 -m cropkit test")
    return USAGE


def _demo(given: argparse.Namespace) -> int:
    from cropkit.demo import make_demo  # noqa: PLC0415  (only where it is needed)

    tell(str(make_demo(given.folder, given.count)))
    return DONE
