"""How much of a window is pictures, as docs/review.md has it: python tests/window_shares.py"""

import sys

from cropkit.review.view.layout import PageLayout

SIZES = ((700, 700), (1100, 800), (1440, 900), (1920, 1080), (2560, 1300))
LANDSCAPE, PORTRAIT, SQUARE = 1.5, 2 / 3, 1.0
PAGES: dict[str, tuple[float, ...]] = {
    "three landscapes": (LANDSCAPE,) * 3,
    "three portraits": (PORTRAIT,) * 3,
    "one of each and a square": (LANDSCAPE, PORTRAIT, SQUARE),
    "a landscape alone": (LANDSCAPE,),
    "nine portraits": (PORTRAIT,) * 9,
}


def pictured(layout: PageLayout) -> float:
    """The area of the pictures, in canvas units squared."""
    area = 0.0
    for position, aspect in enumerate(layout.aspects):
        stage = layout.stage(position)
        height = min(stage.height, stage.width / aspect)
        area += height * height * aspect
    return area


def _cell(width: int, height: int, shapes: tuple[float, ...]) -> str:
    layout = PageLayout(len(shapes), width, height, shapes, tight=len(shapes) >= 9)
    board = layout.board.width * layout.board.height
    return f"{pictured(layout) / (width * height):.0%} ({pictured(layout) / board:.0%})"


def table() -> str:
    rows = [
        ("window", "stage", *PAGES),
        *(
            (
                f"{width} x {height}",
                f"{PageLayout(3, width, height).board.height / height:.0%}",
                *(_cell(width, height, shapes) for shapes in PAGES.values()),
            )
            for width, height in SIZES
        ),
    ]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], "|---" * (2 + len(PAGES)) + "|", *lines[1:]]) + "\n"


if __name__ == "__main__":
    sys.stdout.write(table())
