"""Bugs in reading the boxes of other tools, in whose they are, and in what is kept of them."""

from seeding import mutant

COCO, VOC, CVAT, YOLO = "labels/coco.py", "labels/voc.py", "labels/cvat.py", "labels/yolo.py"
STUDIO, XMP, ROWS = "labels/label_studio.py", "labels/xmp.py", "labels/rows.py"
FILES, MATCHING, LABELLED = "labels/files.py", "labels/matching.py", "labels/labelled.py"
STORE, IMPORTING, RULE = "labels/store.py", "labels/importing.py", "labels/framing_rule.py"
DOCUMENTS, CALLING = "labels/documents.py", "suggest/calling.py"
IN_FORMATS = "tests/labels/test_label_formats.py"
IN_MATCHING = "tests/labels/test_label_matching.py"
IN_LABELLED = "tests/labels/test_labelled.py"
IN_IMPORTED = "tests/labels/test_imported.py"
IN_MODEL = "tests/suggest/test_detections.py"

LABELS = (
    mutant(
        "COCO's width is taken for an edge",
        COCO,
        'xyxy("xywh", four(',
        'xyxy("xyxy", four(',
        IN_FORMATS,
    ),
    mutant("VOC is counted from 0", VOC, "(left - 1, top - 1,", "(left, top,", IN_FORMATS),
    mutant(
        "a rotated box is taken for an upright one",
        CVAT,
        'numeric(shape.get("rotation", "0"), where) % 360',
        "0",
        IN_FORMATS,
    ),
    mutant(
        "a polygon of YOLO's is a box",
        YOLO,
        "_LEAST_POLYGON = 4, 5, 6",
        "_LEAST_POLYGON = 4, 5, 60",
        IN_FORMATS,
    ),
    mutant("predictions come before people", STUDIO, "rank=rank,", "rank=-rank,", IN_FORMATS),
    mutant(
        "an XMP without a crop has one", XMP, "and _has_crop(properties)", "and True", IN_FORMATS
    ),
    mutant(
        "Camera Raw's crop is upright",
        XMP,
        'None, "stored", category',
        "None, None, category",
        IN_LABELLED,
    ),
    mutant(
        "an undeclared bbox is guessed",
        ROWS,
        "if values and order_of is None:",
        "if False:",
        IN_FORMATS,
    ),
    mutant("a link is read", FILES, "and not path.is_symlink()", "", IN_FORMATS),
    mutant(
        "a document type is read",
        DOCUMENTS,
        "self._parser.StartDoctypeDeclHandler = self._refuse",
        "pass",
        IN_FORMATS,
    ),
    mutant(
        "the first of two images has the box",
        MATCHING,
        "if len(best) > 1:",
        "if False:",
        IN_MATCHING,
    ),
    mutant(
        "another folder's image has the box",
        MATCHING,
        "if is_end else 0",
        "if True else 0",
        IN_MATCHING,
    ),
    mutant(
        "two names have one image",
        MATCHING,
        "if len(paths) == 1:",
        "if True:",
        IN_MATCHING,
    ),
    mutant(
        "a box for another size is used",
        LABELLED,
        "label.size is not None and label.size != frame",
        "False",
        IN_LABELLED,
    ),
    mutant(
        "a stored box is not turned",
        LABELLED,
        'if told == "upright" or (told is None and not is_turned):',
        "if True:",
        IN_LABELLED,
    ),
    mutant(
        "a box for another content is proposed",
        STORE,
        "if content and content != sha256:",
        "if False:",
        IN_IMPORTED,
    ),
    mutant(
        "a stranger's tables are trusted",
        STORE,
        "if {sql for (sql,) in rows} != set(_SCHEMA):",
        "if False:",
        IN_IMPORTED,
    ),
    mutant(
        "a failed import leaves half of it",
        STORE,
        'db.execute("ROLLBACK")',
        'db.execute("COMMIT")',
        IN_IMPORTED,
    ),
    mutant("what was cropped is imported", IMPORTING, "if seen.cropped:", "if False:", IN_IMPORTED),
    mutant(
        "a model is asked again for what is known",
        IMPORTING,
        "if path not in known}",
        "}",
        IN_IMPORTED,
    ),
    mutant(
        "no candidate is around each subject",
        RULE,
        "dict.fromkeys((*first, *each))",
        "dict.fromkeys(first)",
        IN_IMPORTED,
    ),
    mutant(
        "answers for other images are taken",
        CALLING,
        "if len(answers) != len(arguments):",
        "if len(answers) < len(arguments) - 1:",
        IN_MODEL,
    ),
)
