"""Bugs in what is exported."""

from seeding import Mutant, mutant

ROWS, TABLES = "exports/rows.py", "exports/tables.py"
IN_EXPORTING, IN_TRIPS = "tests/exports/test_exporting.py", "tests/exports/test_round_trips.py"
IN_CROPS = "tests/exports/test_training.py"

EXPORTS: tuple[Mutant, ...] = (
    mutant(
        "what an image was before its crop is not told from what it is",
        "audit/decisions.py",
        "operation.c.before == decision.c.sha256,",
        "operation.c.before != decision.c.sha256,",
        IN_EXPORTING,
    ),
    mutant(
        "a decision that gave way is exported",
        "audit/decisions.py",
        "    .join(queue)\n    .where(schema.stands)\n    .order_by",
        "    .join(queue)\n    .order_by",
        IN_EXPORTING,
    ),
    mutant(
        "what is left out is counted each time that rows are gone through",
        ROWS,
        "        self.left_out.clear()\n",
        "",
        "tests/exports/test_coco.py",
    ),
    mutant(
        "a box in another frame than its image's is exported",
        ROWS,
        "if row.decision.size != size:",
        "if row.decision.size == size and row.decision.box is None:",
        IN_EXPORTING,
    ),
    mutant(
        "a path may lead out of the new folder",
        "exports/files.py",
        "return None if leads_out or",
        "return None if",
        "tests/exports/test_yolo.py",
    ),
    mutant(
        "an empty folder of somebody else's is taken",
        "exports/files.py",
        "        out.mkdir()\n        part.rename(out)",
        "        part.rename(out)",
        IN_EXPORTING,
    ),
    mutant(
        "the first annotation is number 0",
        "exports/coco.py",
        "            number += 1\n            yield {",
        "            yield {",
        "tests/exports/test_coco.py",
    ),
    mutant(
        "pixels of Pascal VOC are counted from 0",
        "exports/voc.py",
        "<xmin>{box.left + 1}</xmin>",
        "<xmin>{box.left}</xmin>",
        "tests/exports/test_voc.py",
        IN_TRIPS,
    ),
    mutant(
        "the centre of a YOLO box is its corner",
        "exports/yolo.py",
        "x, y = (box.left + box.right) / (2 * size.width)",
        "x, y = box.left / size.width",
        "tests/exports/test_yolo.py",
        IN_TRIPS,
    ),
    mutant(
        "a folder called images leads the loader astray",
        "exports/yolo.py",
        'f"{name}_" if name == _IMAGES else name',
        "name",
        "tests/exports/test_yolo.py",
    ),
    mutant(
        "a sidecar has the upright frame",
        "exports/xmp.py",
        "box.stored(header.size, header.orientation).normalized(stored)",
        "box.normalized(header.size)",
        "tests/exports/test_xmp.py",
    ),
    mutant(
        "a sidecar is of whatever is there now",
        "exports/xmp.py",
        "if hashlib.sha256(data).hexdigest() != decision.sha256:",
        "if not data:",
        "tests/exports/test_xmp.py",
    ),
    mutant(
        "an identifier has slashes",
        "exports/iiif.py",
        'quote(os.fsencode(image.path), safe="")',
        "quote(os.fsencode(image.path))",
        "tests/exports/test_iiif.py",
    ),
    mutant(
        "a caption may be a link to anywhere",
        "exports/crops.py",
        "return file.is_file() and not file.is_symlink()",
        "return file.is_file()",
        IN_CROPS,
    ),
    mutant(
        "where a crop begins is told in pixels of the image before it was scaled",
        "targets.py",
        "top = _scaled(box.top, output.height, box.size.height)",
        "top = box.top",
        "tests/exports/test_tables.py",
        IN_CROPS,
    ),
    mutant(
        "times of a frame are naive",
        "exports/frame.py",
        'pd.to_datetime(held[name], utc=True).astype("datetime64[us, UTC]")',
        "pd.to_datetime(held[name], utc=True).dt.tz_localize(None)",
        "tests/exports/test_frame.py",
    ),
    mutant(
        "an option that a format has no use for is taken",
        "exports/registry.py",
        "for name in sorted(names - by.takes):",
        "for name in ():",
        IN_EXPORTING,
    ),
)
