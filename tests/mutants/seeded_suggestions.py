"""Bugs in what is pure and shared: suggestions, boxes, records."""

from seeding import mutant

BORDER, MODEL, ANSWER = (
    "suggest/border.py",
    "suggest/detections.py",
    "suggest/recognising.py",
)
FRAMING, SUBJECTS, MANIFEST = "framing.py", "subjects.py", "engine/manifest.py"
EXPORTED = "exports/files.py"
IN_MANIFEST = "tests/engine/test_manifest.py"
IN_MODEL, IN_FRAMING = "tests/suggest/test_detections.py", "tests/test_framing.py"
CONVENTION, TABLE = "suggest/convention.py", "suggest/table.py"
CSV_ROWS = "suggest/csv_rows.py"
SIDECAR, SUGGESTED, NUMBERS = "suggest/sidecar.py", "suggest/suggested.py", "suggest/numbers.py"
GEOMETRY, RECORDS, TARGETS = "geometry.py", "records.py", "targets.py"
IN_TABLE, IN_SIDECAR = "tests/suggest/test_table.py", "tests/suggest/test_sidecar.py"
IN_SUGGESTED = "tests/suggest/test_suggested.py"
IN_GEOMETRY, IN_RECORDS = "tests/test_geometry.py", "tests/test_records.py"
IN_TARGETS = "tests/test_targets.py"

SUGGESTIONS = (
    # -- suggestions ---------------------------------------------------------------------------
    mutant(
        "YOLO's middle is taken for a corner",
        CONVENTION,
        "return a - c / 2, b - d / 2, a + c / 2, b + d / 2",
        "return a, b, a + c, b + d",
        IN_TABLE,
    ),
    mutant(
        "composed letters are other letters",
        CONVENTION,
        'return normalize("NFC", text)',
        "return text",
        IN_TABLE,
    ),
    mutant(
        "composed letters of a path with a dot are other letters",
        CONVENTION,
        'return normalize("NFC", path.as_posix())',
        "return path.as_posix()",
        IN_TABLE,
    ),
    mutant(
        "a row may name what lies above",
        CONVENTION,
        'or ".." in path.parts:',
        "or False:",
        IN_TABLE,
    ),
    mutant(
        "columns in upper case are none",
        CONVENTION,
        "str(name).strip().casefold()",
        "str(name).strip()",
        IN_TABLE,
    ),
    mutant(
        "digit grouping is a number",
        CONVENTION,
        'value.replace("_", "?")',
        "value",
        IN_TABLE,
    ),
    mutant(
        "the least confident box comes first",
        TABLE,
        "-1.0 - row.confidence",
        "-1.0 + row.confidence",
        IN_TABLE,
    ),
    mutant(
        "a stored box is measured by the upright size",
        TABLE,
        "frame = size.oriented(orientation)",
        "frame = size",
        IN_TABLE,
    ),
    mutant(
        "a byte-order mark is part of a name",
        CSV_ROWS,
        'decode("utf-8-sig")',
        'decode("utf-8")',
        IN_TABLE,
    ),
    mutant("a tab is no separator", CSV_ROWS, 'max(",;\\t",', 'max(",;",', IN_TABLE),
    mutant(
        "a bad row ends the table",
        TABLE,
        "problems.append(problem_of(error))\n                continue",
        "problems.append(problem_of(error))\n                break",
        IN_TABLE,
    ),
    mutant(
        "a box just outside is refused",
        BORDER,
        "PIXEL_NOISE = 0.5",
        "PIXEL_NOISE = 0.0",
        IN_TABLE,
    ),
    mutant(
        "a model is asked of another content",
        MODEL,
        "content.sha256 != asked.sha256",
        "False",
        IN_MODEL,
    ),
    mutant(
        "boxes are remembered without end",
        MODEL,
        "while len(self._known) > KEPT",
        "while False",
        IN_MODEL,
    ),
    mutant(
        "that a model raised is remembered",
        MODEL,
        "if not suggested.problems:",
        "if True:",
        IN_MODEL,
    ),
    mutant(
        "a model that raises ends the review",
        MODEL,
        "except (Exception, SystemExit) as error:",
        "except KeyError as error:",
        IN_MODEL,
    ),
    mutant(
        "a model runs in whatever thread asks",
        MODEL,
        "self._thread.run(self._ask, new)",
        "self._ask(new)",
        IN_MODEL,
    ),
    mutant("any box is cut to the image", BORDER, "self._tolerance * n", "9 * n", IN_MODEL),
    mutant(
        "results of several images are those of this one",
        ANSWER,
        "if len(whole) > 1",
        "if False",
        IN_MODEL,
    ),
    mutant(
        "four bare numbers are edges",
        ANSWER,
        '"bboxes": (None, True)',
        '"bboxes": (None, False)',
        IN_MODEL,
    ),
    mutant(
        "a subject is cut for the sake of the margin",
        FRAMING,
        "first, last = sorted((subject[1] - extent, subject[0]))",
        "first, last = 0, 1 << 30",
        IN_FRAMING,
    ),
    mutant(
        "a crop reaches outside of the image",
        FRAMING,
        "max(0, min(limit - extent, start))",
        "start",
        IN_FRAMING,
    ),
    mutant(
        "a margin is rounded down",
        FRAMING,
        "int(margin * side + _HALF)",
        "int(margin * side)",
        IN_FRAMING,
    ),
    mutant(
        "no subject counts as cut", FRAMING, "if _lost(boxes[row], box))", "if False)", IN_FRAMING
    ),
    mutant("a mask ends a row early", SUBJECTS, "rows[-1] + 1", "rows[-1]", IN_FRAMING),
    mutant(
        "what was cropped again is exported",
        MANIFEST,
        "and not _is_superseded(made, trail)",
        "",
        IN_MANIFEST,
    ),
    mutant(
        "a copy hides the crop that it was made of",
        MANIFEST,
        "and not each.is_copy",
        "",
        IN_MANIFEST,
    ),
    mutant(
        "a manifest names the crop's content as the source's",
        MANIFEST,
        '"source_sha256": made.sha256_before',
        '"source_sha256": made.sha256_after',
        IN_MANIFEST,
    ),
    mutant(
        "a name that is no text is written as it is",
        EXPORTED,
        "all_escaped(value), ensure",
        "value, ensure",
        IN_MANIFEST,
    ),
    mutant(
        "what was begun of a manifest stays",
        EXPORTED,
        "part.unlink(missing_ok=True)",
        "pass",
        IN_MANIFEST,
    ),
    mutant(
        "what was rejected is exported", MANIFEST, "if made.kind in _MADE and", "if", IN_MANIFEST
    ),
    mutant(
        "what a person is to do has a box all the same",
        SIDECAR,
        'if coords is None or route == "manual":',
        "if coords is None:",
        IN_SIDECAR,
    ),
    mutant(
        "a box of the group is that of each image",
        SIDECAR,
        "if _plain(selected) != _plain(place.image):",
        "if False:",
        IN_SIDECAR,
    ),
    mutant(
        "the group speaks before the image",
        SIDECAR,
        "for place in _places(path)]",
        "for place in reversed(list(_places(path)))]",
        IN_SIDECAR,
    ),
    mutant(
        "a bad confidence costs the box",
        SIDECAR,
        "return Suggested((suggestion,), (problem_of(error),))",
        "return Suggested((), (problem_of(error),))",
        IN_SIDECAR,
    ),
    mutant(
        "a sidecar of another image is believed",
        SIDECAR,
        "if names is not None and _plain(place.image) not in names:",
        "if False:",
        IN_SIDECAR,
    ),
    mutant(
        "the last suggester goes first",
        SUGGESTED,
        "for answer in answers for s in answer.suggestions)",
        "for answer in reversed(answers) for s in answer.suggestions)",
        IN_SUGGESTED,
    ),
    mutant(
        "that one has nothing is a problem",
        SUGGESTED,
        "    if suggestions:\n        problems",
        "    if not suggestions:\n        problems",
        IN_SUGGESTED,
    ),
    mutant(
        "a confidence over 1 is one",
        NUMBERS,
        "if not 0 <= sure <= 1:",
        "if not 0 <= sure:",
        IN_SIDECAR,
        IN_TABLE,
    ),
    mutant(
        "true is a number",
        NUMBERS,
        "if isinstance(value, bool) or not isinstance(value, int | float):",
        "if not isinstance(value, int | float):",
        IN_SIDECAR,
        IN_TABLE,
    ),
    mutant(
        "a sidecar of any size is read",
        "suggest/jsonfile.py",
        "LIMIT = 1 << 20",
        "LIMIT = 1 << 21",
        IN_SIDECAR,
    ),
    # -- boxes ---------------------------------------------------------------------------------
    mutant(
        "the box of an overlap is counted twice",
        GEOMETRY,
        "b.size.area - shared)",
        "b.size.area)",
        IN_GEOMETRY,
    ),
    mutant(
        "boxes apart overlap",
        GEOMETRY,
        "max(0, width) * max(0, height)",
        "width * height",
        IN_GEOMETRY,
    ),
    mutant(
        "edges are rounded down",
        GEOMETRY,
        "math.floor(high * extent + 0.5)",
        "math.floor(high * extent)",
        IN_GEOMETRY,
    ),
    mutant(
        "a corner moves up by the grid's width",
        GEOMETRY,
        "self.top // grid.height * grid.height",
        "self.top // grid.width * grid.width",
        IN_GEOMETRY,
        "tests/lossless/test_lossless_windows.py",
    ),
    mutant(
        "a shift across is a share of the height",
        GEOMETRY,
        "(size.width, size.height, size.width, size.height)",
        "(size.height, size.width, size.height, size.width)",
        IN_GEOMETRY,
    ),
    mutant(
        "orientations 6 and 8 are exchanged",
        GEOMETRY,
        "6: (True, False, True)",
        "6: (True, True, False)",
        IN_GEOMETRY,
    ),
    mutant(
        "a box may reach out by a row",
        GEOMETRY,
        "or self.bottom > size.height:",
        "or self.bottom > size.height + 1:",
        IN_GEOMETRY,
    ),
    # -- records -------------------------------------------------------------------------------
    mutant(
        "half of the width is near",
        RECORDS,
        "EDGE_TOLERANCE = 0.05",
        "EDGE_TOLERANCE = 0.5",
        IN_RECORDS,
    ),
    mutant(
        "a stale file is a failure",
        RECORDS,
        "Status.FAILED, Status.IN_DOUBT)",
        "Status.FAILED, Status.IN_DOUBT, Status.STALE)",
        IN_RECORDS,
    ),
    mutant(
        "a doubt is no failure",
        RECORDS,
        "(Status.REFUSED, Status.FAILED, Status.IN_DOUBT)",
        "(Status.REFUSED, Status.FAILED)",
        IN_RECORDS,
        "tests/review/test_model.py",
    ),
    mutant(
        "a naive time is taken",
        RECORDS,
        "if any(t.utcoffset() != UTC.utcoffset(None) for t in",
        "if any(t.utcoffset() not in (None, UTC.utcoffset(None)) for t in",
        IN_RECORDS,
    ),
    mutant(
        "it was decided before it was shown",
        RECORDS,
        "if self.decided_at < self.shown_at:",
        "if self.decided_at > self.shown_at and False:",
        IN_RECORDS,
    ),
    mutant(
        "a result with an error is well",
        RECORDS,
        "return self.code is None",
        "return True",
        IN_RECORDS,
    ),
    # -- wanted sizes --------------------------------------------------------------------------
    mutant(
        "a box that fits is fitted again",
        TARGETS,
        "if asked.width <= widest and asked.height in _heights(asked.width, image, ratio):",
        "if False:",
        IN_TARGETS,
    ),
    mutant(
        "a fitted box may hang out of the image",
        TARGETS,
        "return max(0, min(limit - extent, (twice_centre - extent) // 2))",
        "return max(0, (twice_centre - extent) // 2)",
        IN_TARGETS,
    ),
    mutant(
        "the nearest target is the one that cuts most",
        TARGETS,
        "return fitted.lost, upscale,",
        "return -fitted.lost, upscale,",
        IN_TARGETS,
    ),
    mutant(
        "one side may be enlarged unseen",
        TARGETS,
        "max(output.width / crop.width, output.height / crop.height)",
        "min(output.width / crop.width, output.height / crop.height)",
        IN_TARGETS,
    ),
)
