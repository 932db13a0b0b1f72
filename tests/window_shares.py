"""How much of a window is pictures, as docs/review.md has it: python tests/window_shares.py"""

import sys
from itertools import cycle, islice

from cropkit.review.model import GRID, MOST_IN_GRID
from cropkit.review.view.layout import PageLayout

SIZES = ((700, 700), (1100, 800), (1440, 900), (1920, 1080), (2560, 1300))
LANDSCAPE, PORTRAIT, SQUARE, PANORAMA = 1.5, 2 / 3, 1.0, 3.0
PAGES: dict[str, tuple[float, ...]] = {
    "three landscapes": (LANDSCAPE,) * 3,
    "three portraits": (PORTRAIT,) * 3,
    "three panoramas": (PANORAMA,) * 3,
    "three squares": (SQUARE,) * 3,
    "one of each and a square": (LANDSCAPE, PORTRAIT, SQUARE),
    "a landscape alone": (LANDSCAPE,),
    "grid of landscapes": (LANDSCAPE,),
    "grid of portraits": (PORTRAIT,),
    "grid of all": (LANDSCAPE, PORTRAIT, SQUARE),
}


def pictured(layout: PageLayout) -> float:
    """The area of the pictures, in canvas units squared."""
    area = 0.0
    for position, aspect in enumerate(layout.aspects):
        stage = layout.stage(position)
        height = min(stage.height, stage.width / aspect)
        area += height * height * aspect
    return area


def _cell(width: int, height: int, name: str) -> str:
    shapes, is_grid = PAGES[name], name.startswith("grid")
    if is_grid:
        count = min(MOST_IN_GRID, max(GRID, PageLayout(1, width, height).many))
        shapes = tuple(islice(cycle(shapes), count))
    layout = PageLayout(len(shapes), width, height, shapes, tight=is_grid)
    board = layout.board.width * layout.board.height
    return f"{pictured(layout) / (width * height):.0%} ({pictured(layout) / board:.0%})"


def table() -> str:
    rows = [
        ("window", "stage", *PAGES),
        *(
            (
                f"{width} x {height}",
                f"{PageLayout(3, width, height).board.height / height:.0%}",
                *(_cell(width, height, name) for name in PAGES),
            )
            for width, height in SIZES
        ),
    ]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], "|---" * (2 + len(PAGES)) + "|", *lines[1:]]) + "\n"


if __name__ == "__main__":
    sys.stdout.write(table())
