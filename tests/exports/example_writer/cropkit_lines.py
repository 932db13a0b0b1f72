"""A writer for `cropkit export --to lines`: an image and a box on each line, apart by tabs."""

from typing import IO

from cropkit.exports.registry import Writer
from cropkit.exports.rows import LEADS_OUT, Decisions, boxes, by_image, category, leave_out_image
from cropkit.names import escaped


def write(file: IO[str], rows: Decisions) -> None:
    """Write a line for each box; an image whose name has a tab or an end of line is left out."""
    for image in by_image(rows, boxed=True):
        if not image.path.isprintable():
            leave_out_image(rows, image, LEADS_OUT)
            continue
        for decision, box in boxes(image):
            edges = "\t".join(map(str, box.xyxy))
            file.write(f"{escaped(image.path)}\t{category(decision)}\t{edges}\n")


WRITER = Writer(write, (".txt",))
