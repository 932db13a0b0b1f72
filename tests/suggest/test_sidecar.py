import errno
import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cropkit.geometry import NormalizedBox, Size
from cropkit.records import Problem, ProblemKind, Suggestion
from cropkit.suggest import Sidecars, Suggested
from cropkit.suggest.jsonfile import LIMIT, JsonFiles, parse
from cropkit.suggest.sidecar import group_of
from cropkit.system.files import Root

SIZE = Size(832, 1216)
COORDS = [0.10408589988946915, 0.00035082147223874927, 0.8845614790916443, 0.775714099407196]
BOX = NormalizedBox(*COORDS)
IMAGE = "20250705_214634_stage2_upscaled.png"
OWN = "20250705_214634_stage2_upscaled.decision"
GROUP = "20250705_214634.decision"

VARIANTS: list[dict[str, Any]] = [{}, {"ai_crop_accepted": True}, {"ai_route": "suggestion"}]


def said(folder: Path, image: str = IMAGE) -> Suggested:
    return Sidecars(folder).suggest(image, SIZE, "0" * 64)


def own(**fields: Any) -> dict[str, Any]:
    return {"group_id": "demo_img010", "project_id": "demo", "needs_crop": True} | fields


def group(**fields: Any) -> dict[str, Any]:
    recommended = {
        "selected_image": IMAGE,
        "selected_index": 1,
        "reason": "AI Model (Ranker v3) - stage2_upscaled",
        "confidence": 0.3654,
        "crop_needed": True,
        "crop_coords": COORDS,
    }
    record = {
        "group_id": "20250705_214634",
        "images": ["20250705_214634_stage1_generated.png", IMAGE],
        "ai_recommendation": recommended | fields.pop("recommended", {}),
        "user_decision": None,
    }
    return record | fields


def write(folder: Path, name: str, record: Any) -> None:
    folder.joinpath(name).write_text(json.dumps(record), encoding="utf-8")


@pytest.mark.parametrize(
    ("fields", "version"),
    [
        (
            {"ai_crop_coords": COORDS, "ai_route": "suggestion", "ai_crop_accepted": True},
            "suggestion",
        ),
        ({"ai_crop_coords": COORDS, "ai_route": "suggestion"}, "suggestion"),
        ({"ai_crop_coords": COORDS}, ""),
    ],
    ids=["accepted", "suggestion", "early"],
)
def test_image_level_sidecars_offer_their_box(
    tmp_path: Path, fields: dict[str, Any], version: str
) -> None:
    write(tmp_path, OWN, own(**fields))
    assert said(tmp_path) == Suggested((Suggestion(BOX, "decision-sidecar", version),))


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"needs_crop": False},
        {"ai_route": "manual", "ai_crop_coords": None},
        {"ai_route": "manual", "ai_crop_coords": COORDS},
        {"ai_crop_coords": None},
    ],
)
def test_a_manual_sidecar_offers_no_box_and_is_no_problem(
    tmp_path: Path, fields: dict[str, Any]
) -> None:
    write(tmp_path, OWN, own(**fields))
    assert said(tmp_path) == Suggested()


@pytest.mark.parametrize("decision", [None, {"action": "manual_crop"}, {"action": "approve"}])
def test_a_group_sidecar_offers_its_box_to_the_selected_image(
    tmp_path: Path, decision: dict[str, str] | None
) -> None:
    write(tmp_path, GROUP, group(user_decision=decision))
    expected = Suggestion(BOX, "decision-sidecar", "Ranker v3", confidence=0.3654)
    assert said(tmp_path) == Suggested((expected,))


def test_a_group_sidecar_offers_nothing_to_the_other_images_of_its_group(tmp_path: Path) -> None:
    write(tmp_path, GROUP, group())
    assert said(tmp_path, "20250705_214634_stage1_generated.png") == Suggested()


@pytest.mark.parametrize(
    "images",
    [
        [{"filename": IMAGE}],
        [f"/elsewhere/{IMAGE}"],
        [f"C:\\projects\\{IMAGE}", "other.png"],
        ["other.png", {"filename": f"crop/{IMAGE}", "stage": 2}],
    ],
)
def test_images_are_named_by_text_or_object_and_with_or_without_folders(
    tmp_path: Path, images: list[Any]
) -> None:
    write(tmp_path, GROUP, group(images=images))
    assert len(said(tmp_path).suggestions) == 1


def test_a_list_of_images_without_this_one_is_a_problem(tmp_path: Path) -> None:
    write(tmp_path, GROUP, group(images=["20250705_214634_stage1_generated.png"]))
    problem = Problem(ProblemKind.SUGGESTION, GROUP, f"does not name {IMAGE} among its images")
    assert said(tmp_path) == Suggested(problems=(problem,))


@pytest.mark.parametrize(
    "name", [{"filename": "x.png"}, {"image_path": "a/b/x.png"}, {"images": []}]
)
def test_a_sidecar_that_names_another_image_is_a_problem(
    tmp_path: Path, name: dict[str, Any]
) -> None:
    write(tmp_path, OWN, own(ai_crop_coords=COORDS, **name))
    assert said(tmp_path).suggestions == ()
    assert [p.path for p in said(tmp_path).problems] == [OWN]


def test_names_are_compared_as_composed_letters(tmp_path: Path) -> None:
    write(tmp_path, "Übung.decision", own(ai_crop_coords=COORDS, filename="U\u0308bung.png"))
    assert len(said(tmp_path, "Übung.png").suggestions) == 1


def test_an_own_sidecar_comes_before_its_groups(tmp_path: Path) -> None:
    write(tmp_path, OWN, own(ai_crop_coords=[0.0, 0.0, 0.5, 0.5]))
    write(tmp_path, GROUP, group())
    first, second = said(tmp_path).suggestions
    assert first.box == NormalizedBox(0.0, 0.0, 0.5, 0.5)
    assert second.version == "Ranker v3"


def test_the_sidecar_of_an_image_called_like_the_group_is_not_the_groups(tmp_path: Path) -> None:
    write(tmp_path, GROUP, own(ai_crop_coords=COORDS))
    assert said(tmp_path) == Suggested()
    assert len(said(tmp_path, "20250705_214634.png").suggestions) == 1


def test_no_sidecar_is_told_apart_from_a_broken_one(tmp_path: Path) -> None:
    assert said(tmp_path).problems == (Problem(ProblemKind.NO_SUGGESTION, IMAGE, "no sidecar"),)


def test_a_sidecar_in_a_sub_folder_belongs_to_the_image_there(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    write(tmp_path / "a", "x.decision", own(ai_crop_coords=COORDS))
    assert len(said(tmp_path, "a/x.png").suggestions) == 1
    assert said(tmp_path, "x.png").problems[0].kind == ProblemKind.NO_SUGGESTION


def test_a_name_too_long_for_a_sidecar_has_none(tmp_path: Path) -> None:
    assert said(tmp_path, "x" * 251 + ".png").problems[0].kind == ProblemKind.NO_SUGGESTION


@given(noise=st.lists(st.floats(-1e-6, 1e-6), min_size=4, max_size=4))
def test_float_noise_at_the_borders_is_clamped(noise: list[float]) -> None:
    coords = [noise[0], noise[1], 1 + noise[2], 1 + noise[3]]
    (found,) = suggestions_of(own(ai_crop_coords=coords))
    assert found.box.pixels(SIZE).xyxy == (0, 0, 832, 1216)


@given(box=...)
def test_any_normalized_box_comes_back_as_it_was_written(box: NormalizedBox) -> None:
    (found,) = suggestions_of(own(ai_crop_coords=list(box.xyxy)))
    assert found.box == box


KEYS = [
    *("images", "ai_recommendation", "crop_coords", "selected_image", "confidence", "reason"),
    *("ai_route", "ai_crop_coords", "filename", "image_path", "needs_crop"),
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(COORDS),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=6,
        )
    ),
    max_leaves=12,
)


@given(record=JSON)
def test_whatever_json_it_holds_a_sidecar_never_stops_the_review(record: Any) -> None:
    found = answer_to(json.dumps(record).encode())
    assert all(p.kind == ProblemKind.SUGGESTION and p.reason for p in found.problems)
    assert all(s.box.pixels(SIZE).within(SIZE) for s in found.suggestions)


@given(data=st.binary(max_size=200))
def test_whatever_bytes_it_holds_a_sidecar_never_stops_the_review(data: bytes) -> None:
    assert answer_to(data).suggestions == ()


def answer_to(data: bytes) -> Suggested:
    """What is said when both sidecars hold these bytes; no file system, for speed."""
    with patch.object(JsonFiles, "read", lambda _self, path: parse(data, path)):
        return Sidecars(Path()).suggest(IMAGE, SIZE, "0" * 64)


def suggestions_of(record: Any) -> tuple[Suggestion, ...]:
    return answer_to(json.dumps(record).encode()).suggestions


def coords(*values: Any) -> bytes:
    return json.dumps(own(ai_crop_coords=list(values))).encode()


def raw(text: str) -> bytes:
    return ('{"needs_crop": true, "ai_crop_coords": ' + text + "}").encode()


def grouped(**fields: Any) -> bytes:
    return json.dumps(group(**fields)).encode()


HOSTILE: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is not JSON"),
    "blank": (b" \n\t ", "is not JSON"),
    "nul": (b"\0" * 100, "is not JSON"),
    "text": (b"crop to the face please", "is not JSON"),
    "html": (b"<!doctype html><title>404</title>", "is not JSON"),
    "yaml": (b"needs_crop: true\nai_crop_coords: [0,0,1,1]\n", "is not JSON"),
    "truncated": (coords(*COORDS)[:-20], "is not JSON"),
    "half written": (b'{"needs_crop": true, "ai_cr' + b"\0" * 40, "is not JSON"),
    "two objects": (coords(*COORDS) * 2, "is not JSON"),
    "trailing comma": (b'{"needs_crop": true,}', "is not JSON"),
    "single quotes": (b"{'needs_crop': true}", "is not JSON"),
    "comment": (b'{"needs_crop": true} // yes', "is not JSON"),
    "byte order mark": (b"\xef\xbb\xbf" + coords(*COORDS), "is not JSON"),
    "utf-16": ("{}".encode("utf-16"), "is not UTF-8"),
    "latin-1": ('{"filename": "Ü.png"}'.encode("latin-1"), "is not UTF-8"),
    "png": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "is not UTF-8"),
    "gzip": (b"\x1f\x8b\x08\x00" + b"\xff" * 20, "is not UTF-8"),
    "brackets": (b"[" * 100_000, "too deeply nested"),
    "closed brackets": (b"[" * 100_000 + b"]" * 100_000, "too deeply nested"),
    "objects": (b'{"a":' * 100_000, "too deeply nested"),
    "deep coords": (raw("[" * 100_000 + "]" * 100_000), "too deeply nested"),
    "huge": (b" " * (LIMIT + 1), "at most 1048576 are read"),
    "array": (b"[0.1, 0.1, 0.9, 0.9]", "needs one JSON object"),
    "null": (b"null", "needs one JSON object"),
    "number": (b"42", "needs one JSON object"),
    "string": (b'"manual"', "needs one JSON object"),
    "no fields": (b"{}", "known to hold"),
    "strange fields": (b'{"version": 3, "boxes": []}', "known to hold"),
    "pixels": (coords(87, 0, 735, 943), "looks like pixels"),
    "pixels as floats": (coords(87.0, 0.4, 735.9, 943.2), "looks like pixels"),
    "percent": (coords(10, 0, 88, 77), "looks like pixels"),
    "negative": (coords(-0.1, 0, 1, 1), "reaches outside"),
    "just outside": (coords(0, 0, 1.00001, 1), "reaches outside"),
    "NaN": (raw("[NaN, 0, 1, 1]"), "not finite"),
    "infinity": (raw("[0, 0, Infinity, 1]"), "not finite"),
    "minus infinity": (raw("[-Infinity, 0, 1, 1]"), "not finite"),
    "overflow": (raw("[0, 0, 1e999, 1]"), "not finite"),
    "400 digits": (raw("[0, 0, 1" + "0" * 400 + ", 1]"), "not finite"),
    "5000 digits": (raw("[0, 0, 1" + "0" * 5000 + ", 1]"), "a number too long"),
    "none": (coords(), "needs four numbers, has 0"),
    "three": (coords(0, 0, 1), "needs four numbers, has 3"),
    "five": (coords(0, 0, 1, 1, 0.9), "needs four numbers, has 5"),
    "a million": (coords(*[0.5] * 100_000), "needs four numbers, has 100000"),
    "strings": (coords("0.1", "0.1", "0.9", "0.9"), "is not a number"),
    "booleans": (coords(*[False] * 2, *[True] * 2), "is not a number"),
    "nulls": (coords(None, None, None, None), "is not a number"),
    "nested": (coords([0.1], [0.1], [0.9], [0.9]), "is not a number"),
    "two points": (coords([0.1, 0.1], [0.9, 0.9]), "needs four numbers, has 2"),
    "object": (raw('{"x1": 0.1, "y1": 0.1, "x2": 0.9, "y2": 0.9}'), "list of four numbers"),
    "joined": (raw('"0.1,0.1,0.9,0.9"'), "list of four numbers"),
    "false": (raw("false"), "list of four numbers"),
    "zero": (raw("0"), "list of four numbers"),
    "inverted x": (coords(0.9, 0, 0.1, 1), "is empty or inverted"),
    "inverted y": (coords(0, 0.9, 1, 0.1), "is empty or inverted"),
    "zero width": (coords(0.5, 0, 0.5, 1), "is empty or inverted"),
    "all zero": (coords(0, 0, 0, 0), "is empty or inverted"),
    "clamped away": (coords(1.0000002, 0, 1.0000008, 1), "is empty or inverted"),
    "xywh": (coords(0.5, 0.5, 0.4, 0.4), "is empty or inverted"),
    "another image": (json.dumps(own(filename="b.png")).encode(), "does not name"),
    "another path": (json.dumps(own(image_path="/x/b.png")).encode(), "does not name"),
    "filename a number": (json.dumps(own(filename=7)).encode(), "names an image by 7"),
    "images a text": (grouped(images=IMAGE), "not a list"),
    "images of numbers": (grouped(images=[1, 2]), "names an image by 1"),
    "images of nothing": (grouped(images=[{"name": IMAGE}]), "names an image by None"),
    "no images": (grouped(images=[]), "does not name"),
    "recommendation a text": (grouped(ai_recommendation="crop it"), "ai_recommendation is"),
    "recommendation a list": (grouped(ai_recommendation=[COORDS]), "ai_recommendation is"),
    "nobody selected": (grouped(recommended={"selected_image": None}), "which image"),
    "index selected": (grouped(recommended={"selected_image": 1}), "which image"),
    "group pixels": (grouped(recommended={"crop_coords": [8, 0, 700, 900]}), "pixels"),
    "group garbage": (grouped(recommended={"crop_coords": {"a": [[]]}}), "list of four"),
    "escape sequences": (coords("\x1b[2J" * 1000, 0, 1, 1), "is not a number"),
}


def test_the_hostile_corpus_is_not_small() -> None:
    assert len(HOSTILE) >= 60


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("sidecar", [OWN, GROUP])
def test_a_hostile_sidecar_is_one_problem_by_its_path_and_in_plain_words(
    tmp_path: Path, name: str, sidecar: str
) -> None:
    data, reason = HOSTILE[name]
    (tmp_path / sidecar).write_bytes(data)
    if sidecar == GROUP and b"images" not in data and b'"ai_rec' not in data and data[:1] == b"{":
        # an image-level record: in the group's place it speaks for another image, if it is JSON
        assert said(tmp_path).suggestions == ()
        return
    found = said(tmp_path)
    assert found.suggestions == ()
    (problem,) = found.problems
    assert (problem.kind, problem.path) == (ProblemKind.SUGGESTION, sidecar)
    assert reason in problem.reason
    assert len(problem.reason) < 300
    assert problem.reason.isprintable()


@pytest.mark.parametrize("name", [OWN, GROUP])
@pytest.mark.parametrize("value", [1.5, -0.1, "high", True, [0.5], float("nan")])
def test_a_bad_confidence_costs_the_box_nothing_but_is_reported(
    tmp_path: Path, value: Any, name: str
) -> None:
    of_image = own(ai_crop_coords=COORDS, confidence=value)
    record = of_image if name == OWN else group(recommended={"confidence": value})
    write(tmp_path, name, record)
    found = said(tmp_path)
    assert [s.confidence for s in found.suggestions] == [None]
    assert [p.path for p in found.problems] == [name]


@pytest.mark.parametrize("variant", VARIANTS, ids=repr)
def test_each_variant_keeps_the_confidence_and_the_name_of_the_model(
    tmp_path: Path, variant: dict[str, Any]
) -> None:
    said_more = {"confidence": 0.31, "reason": "AI Model (Ranker v3) - stage2_upscaled"}
    write(tmp_path, OWN, own(ai_crop_coords=COORDS, **variant, **said_more))
    (suggestion,) = said(tmp_path).suggestions
    assert (suggestion.version, suggestion.confidence) == ("Ranker v3", 0.31)
    assert Sidecars(tmp_path).confidence(IMAGE) == 0.31


@pytest.mark.parametrize("make", ["folder", "link", "dangling link", "link outside", "pipe"])
def test_a_sidecar_that_is_no_regular_file_is_refused_without_reading_it(
    tmp_path: Path, make: str
) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside.json"
    inside.mkdir()
    write(tmp_path, "outside.json", own(ai_crop_coords=COORDS))
    write(inside, "target.json", own(ai_crop_coords=COORDS))
    place = inside / OWN
    makers: dict[str, Any] = {
        "folder": place.mkdir,
        "link": lambda: place.symlink_to("target.json"),
        "dangling link": lambda: place.symlink_to("nothing"),
        "link outside": lambda: place.symlink_to(outside),
        "pipe": lambda: os.mkfifo(place),
    }
    makers[make]()
    reason = "is a link, a folder or a device, not a file"
    assert said(inside) == Suggested(problems=(Problem(ProblemKind.SUGGESTION, OWN, reason),))


@pytest.mark.parametrize(
    "image", ["../outside/x.png", "a/../../x.png", "/etc/x.png", "linked/x.png"]
)
def test_a_sidecar_outside_the_collection_is_never_read(tmp_path: Path, image: str) -> None:
    for folder in ("inside", "inside/a", "outside"):
        (tmp_path / folder).mkdir()
    write(tmp_path / "outside", "x.decision", own(ai_crop_coords=COORDS))
    write(tmp_path, "x.decision", own(ai_crop_coords=COORDS))
    (tmp_path / "inside" / "linked").symlink_to(tmp_path / "outside")
    found = said(tmp_path / "inside", image)
    assert found.suggestions == ()
    assert found.problems[0].kind == ProblemKind.SUGGESTION
    assert "outside the collection" in found.problems[0].reason


@pytest.mark.parametrize(
    ("number", "word"),
    [(errno.EACCES, "Permission denied"), (errno.EIO, "Input/output error")],
)
def test_a_sidecar_that_the_system_will_not_read_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, word: str
) -> None:
    write(tmp_path, OWN, own(ai_crop_coords=COORDS))

    def deny(name: str | Path, flags: int, **place: Any) -> int:
        if str(name).endswith(".decision"):
            raise OSError(number, os.strerror(number))
        return os.open(name, flags, **place)

    denying = cast("Any", SimpleNamespace(open=deny))
    monkeypatch.setattr("cropkit.suggest.jsonfile.Root", lambda path: Root(path, denying))
    found = Sidecars(tmp_path).suggest(IMAGE, SIZE, "0" * 64)
    assert found == Suggested(
        problems=(Problem(ProblemKind.SUGGESTION, OWN, f"cannot be read ({word})"),)
    )


@pytest.mark.parametrize(
    ("stem", "group"),
    [
        ("20250705_214520_stage1_generated", "20250705_214520"),
        ("20250705_214520_stage1.5_face_swapped", "20250705_214520"),
        ("a_stage_b_stage2", "a"),
        ("a", None),
        ("_stage2", None),
        ("upstage", None),
    ],
)
def test_the_group_is_what_stands_before_the_first_stage(stem: str, group: str | None) -> None:
    assert group_of(stem) == group


def test_the_confidence_is_known_without_the_image(tmp_path: Path) -> None:
    write(tmp_path, GROUP, group())
    write(tmp_path, "other.decision", {"damaged": True})
    sidecars = Sidecars(tmp_path)
    assert sidecars.confidence(IMAGE) == said(tmp_path).suggestions[0].confidence == 0.3654
    assert sidecars.confidence("other.png") is None
    assert sidecars.confidence("without.png") is None
