"""Commands that begin something: review, test, demo."""

import argparse
from pathlib import Path

from cropkit.cli import values
from cropkit.cli.shell import (
    DONE,
    USAGE,
    Commands,
    add_json,
    add_state,
    command,
    document,
    opened,
    say,
    tell,
)
from cropkit.cli.ways import add_slots, add_ways, as_parameters


def add(commands: Commands) -> None:
    """Describe the commands."""
    _add_review(commands)
    text = "run the project's own tests, in a clone (arguments go to pytest)"
    command(commands, "test", text, _test)


def add_demo(commands: Commands) -> None:
    """Describe `demo`."""
    parser = command(commands, "demo", "make the demo collection in a folder", _demo)
    parser.add_argument("folder", type=Path, help="a new or empty folder")
    parser.add_argument(
        "--count", type=values.whole_number(1, 10_000), default=24, help="how many images"
    )
    add_json(parser)


def _add_review(commands: Commands) -> None:
    parser = command(commands, "review", "review the crop boxes of a folder in JupyterLab", _review)
    parser.add_argument("folder", nargs="?", type=Path, help="folder of images; without it, a demo")
    parser.add_argument(
        "--per-page",
        type=values.from_one,
        default=0,
        metavar="N",
        help="images on a page (as chosen last, else 3)",
    )
    parser.add_argument("--keys", choices=("default", "classic", "vim"), default="", help="preset")
    small = "warn of crops whose shorter side is smaller"
    parser.add_argument(
        "--minimum", type=values.whole_number(0), default=0, metavar="PIXELS", help=small
    )
    sure = "a suggestion that says less is unsure, a filter of the review (0.5)"
    parser.add_argument("--min-confidence", type=values.share, default=0.5, metavar="X", help=sure)
    text = "share of images that two people decide about, each for themselves: 5%%; 0 ends it"
    parser.add_argument("--double", type=values.percentage, metavar="N%", help=text)
    text = "some: label=cat, folder=2019, name=beach or filter=unsure; given again, any of a kind"
    parser.add_argument("--only", action="append", default=[], metavar="CHOICE", help=text)
    text = "propose no boxes by what the reviewer decided before"
    parser.add_argument("--no-learning", action="store_true", help=text)
    text = "learn without models that look at the images (the extra vision)"
    parser.add_argument("--no-vision", action="store_true", help=text)
    add_ways(parser)
    add_slots(parser)
    text = "hold every box to one ratio, from the first page, as --targets W:H does"
    parser.add_argument("--aspect", type=values.ratio, dest="targets", metavar="W:H", help=text)
    add_state(parser)
    parser.add_argument("--defer", action="store_true", help="only record decisions; apply later")
    parser.add_argument("--reviewer", default="", metavar="NAME", help="who decides")
    text = "boxes of another tool, instead of imported ones and sidecars: `import` has the formats"
    parser.add_argument("--suggestions", type=Path, metavar="FILE", help=text)
    text = "how `B` puts boxes around subjects: a rule as 'margin=0.15 aspect=4:5', or its name"
    parser.add_argument("--around", default="", metavar="RULE|NAME", help=text)
    orders, units = ("xyxy", "xywh", "cxcywh"), ("pixels", "normalized", "percent")
    text = "of four numbers whose names do not tell"
    parser.add_argument("--order", choices=orders, default="", help=text)
    parser.add_argument("--units", choices=units, default="", help="of the same (pixels)")
    parser.add_argument(
        "--port", type=values.whole_number(1, 65535), default=8888, help="the first port to try"
    )
    parser.add_argument("--no-browser", action="store_true", help="only print the address")


def _review(arguments: argparse.Namespace) -> int:
    from cropkit.jupyter.launch import launch  # noqa: PLC0415  (JupyterLab, for this command only)

    if arguments.double and arguments.folder is None:
        say("--double is kept in the folder: name it")
        return USAGE
    if arguments.double:
        with opened(arguments.folder, state=arguments.state) as collection:
            collection.keep_double(arguments.double)
    return launch(
        arguments.folder,
        per_page=arguments.per_page,
        keys=arguments.keys,
        minimum=arguments.minimum,
        min_confidence=arguments.min_confidence,
        learn=not arguments.no_learning,
        vision=not arguments.no_vision,
        state=arguments.state,
        only="; ".join(arguments.only),
        crops=as_parameters(arguments),
        defer=arguments.defer,
        reviewer=arguments.reviewer,
        suggestions=arguments.suggestions,
        around=arguments.around,
        order=arguments.order,
        units=arguments.units,
        port=arguments.port,
        browser=not arguments.no_browser,
    )


def _test(_given: argparse.Namespace) -> int:
    say("the tests run in a clone of the project: python3 -m cropkit test")
    return USAGE


def _demo(arguments: argparse.Namespace) -> int:
    from cropkit.demo import make_demo  # noqa: PLC0415  (only where it is needed)

    folder = make_demo(arguments.folder, arguments.count)
    if arguments.json:
        document({"ok": True, "folder": str(folder), "count": arguments.count})
    else:
        tell(str(folder))
    return DONE
