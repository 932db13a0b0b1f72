"""Where crops, sources and manifests are looked for, and where never."""

import json
import os
import shutil
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sets_of_crops
from sets_of_crops import BOX, DataSet, kinds, photo, reasons, verified

import cropkit
from cropkit.cli import main
from cropkit.errors import BadParameterValue, MissingFile, NotAFolder, NotRegularFile
from cropkit.geometry import PixelBox
from cropkit.verification import claims, reading, workers
from cropkit.verification.differences import Kind

if TYPE_CHECKING:
    from cropkit.verification.judging import Judged

Capture = pytest.CaptureFixture[str]
NAMES = ("a.png", "b.png", "c.png")


@pytest.fixture
def made(tmp_path: Path) -> DataSet:
    made = DataSet(tmp_path)
    for seed, name in enumerate(NAMES):
        photo(made.photos / name, seed)
    made.copy(*NAMES)
    made.export()
    return made


def test_sources_that_were_renamed_and_moved_are_found_by_their_content(
    made: DataSet, tmp_path: Path
) -> None:
    away = tmp_path / "away" / "deep"
    away.mkdir(parents=True)
    (made.photos / "a.png").rename(away / "one.png")
    (made.photos / "b.png").rename(away / "c.png")
    result = verified(made.folder, sources=[made.photos, tmp_path / "away"])
    assert (reasons(result), result.by_content) == ([], {"sources": 2})


def test_without_sources_the_collection_around_the_manifest_is_asked(made: DataSet) -> None:
    inside = made.photos / "set"
    shutil.copytree(made.folder, inside)
    assert verified(inside).ok
    result = verified(made.folder)
    assert [kind for kind, _ in kinds(result)] == ["source"] * 3
    assert "--sources" in result.differences[0].reason
    assert (result.proven, result.not_proven) == (0, 3)


def test_a_source_that_is_not_here_leaves_the_rest_proven(made: DataSet) -> None:
    (made.photos / "b.png").unlink()
    result = made.verify()
    assert str(result) == "proven: 2; not proven: 1; of 3 rows; differences: 1"


def test_a_changed_crop_without_its_source_is_told_of_as_both(made: DataSet) -> None:
    (made.photos / "b.png").unlink()
    photo(made.folder / "b.png", 40)
    assert kinds(made.verify()) == [("source", "b.png"), ("bytes", "b.png")]


def test_an_original_is_found_where_the_state_lies_elsewhere(tmp_path: Path) -> None:
    made = DataSet(tmp_path)
    photo(made.photos / "a.png")
    state = tmp_path / "state"
    state.mkdir()
    with cropkit.open(made.photos, state=state) as collection:
        collection.crop("a.png", BOX)
        collection.export("manifest", tmp_path / "manifest.jsonl")
    ways: dict[str, Any] = {"manifest": tmp_path / "manifest.jsonl"}
    assert not verified(made.photos, **ways).ok
    (holder,) = {path.parents[1] for path in state.rglob("originals")}
    assert verified(made.photos, sources=[holder], **ways).ok


def elsewhere(made: DataSet, tmp_path: Path) -> Path:
    """Export to a folder that does not hold the crops; return the manifest."""
    (tmp_path / "papers").mkdir()
    out = tmp_path / "papers" / "manifest.jsonl"
    made.export(out)
    assert json.loads(out.read_text().splitlines()[0])["crop"].startswith("/")
    return out


def test_crops_that_are_named_in_full_are_opened_in_the_set_alone(
    made: DataSet, tmp_path: Path
) -> None:
    out = elsewhere(made, tmp_path)
    assert verified(made.folder, manifest=out, sources=[made.photos]).ok
    other = tmp_path / "other"
    other.mkdir()
    result = verified(other, manifest=out, sources=[made.photos])
    assert [kind for kind, _ in kinds(result)] == ["crop-missing"] * 3
    assert "--crops" in result.differences[0].reason
    assert verified(other, manifest=out, sources=[made.photos], crops=[made.folder]).ok


def test_a_set_that_was_moved_is_found_by_content(made: DataSet, tmp_path: Path) -> None:
    out = elsewhere(made, tmp_path)
    moved = made.folder.rename(tmp_path / "moved")
    made.photos.joinpath("a.png").rename(made.photos / "z.png")
    result = verified(moved, manifest=out, sources=[made.photos])
    assert (reasons(result), result.by_content) == ([], {"crops": 3, "sources": 1})
    photo(moved / "b.png", 9)
    result = verified(moved, manifest=out, sources=[made.photos])
    assert [kind for kind, _ in kinds(result)] == ["crop-missing", "extra-image"]


def test_moved_crops_of_one_content_are_found_each(made: DataSet, tmp_path: Path) -> None:
    shutil.copy(made.photos / "a.png", made.photos / "same.png")
    made.copy("same.png")
    made.manifest.unlink()
    out = elsewhere(made, tmp_path)
    moved = made.folder.rename(tmp_path / "moved")
    result = verified(moved, manifest=out, sources=[made.photos])
    assert (reasons(result), result.proven, result.by_content) == ([], 4, {"crops": 4})


def test_a_name_of_a_crop_is_never_found_by_content(made: DataSet) -> None:
    os.rename(made.folder / "a.png", made.folder / "x.png")  # noqa: PTH104  (as a person does)
    assert kinds(made.verify()) == [("crop-missing", "a.png"), ("extra-image", "x.png")]


def test_hidden_files_and_what_are_no_images_are_not_extra(made: DataSet) -> None:
    photo(made.folder / ".thumb.png")
    (made.folder / ".cache").mkdir()
    photo(made.folder / ".cache" / "a.png")
    for name in ("data.yaml", "dataset.toml", "README.txt", "train.txt"):
        (made.folder / name).write_text("of the set")
    assert made.verify().ok


@pytest.mark.skipif(os.geteuid() == 0, reason="the administrator may list every folder")
def test_a_folder_that_cannot_be_listed_is_told_of(made: DataSet) -> None:
    closed = made.folder / "closed"
    closed.mkdir(mode=0)
    assert kinds(made.verify()) == [("not-proven", str(closed))]


def test_folders_without_end_are_told_of(made: DataSet) -> None:
    deep = made.folder.joinpath(*["d"] * 120)
    deep.mkdir(parents=True)
    assert [kind for kind, _ in kinds(made.verify())] == ["not-proven"]


def test_a_file_of_two_names_is_two_files(made: DataSet) -> None:
    os.link(made.folder / "a.png", made.folder / "more.png")
    assert kinds(made.verify()) == [("extra-image", "more.png")]


# -- a sample ----------------------------------------------------------------------------------


def test_a_sample_is_of_as_many_rows_and_says_so(made: DataSet) -> None:
    answers: list[Judged] = []
    result = made.verify(sample=2, seed=5, told=answers.append)
    assert str(result) == "proven: 2; not proven: 0; of a sample of 2 of 3 rows (seed 5)"
    again: list[Judged] = []
    made.verify(sample=2, seed=5, told=again.append)
    assert [each.claim.crop for each in answers] == [each.claim.crop for each in again]
    assert made.verify(sample=99).checked == 3


def test_each_row_may_be_in_a_sample(made: DataSet) -> None:
    drawn = set()
    for seed in range(30):
        answers: list[Judged] = []
        made.verify(sample=1, seed=seed, told=answers.append)
        drawn |= {each.claim.crop for each in answers}
    assert drawn == set(NAMES)


def test_what_is_missing_or_doubled_is_told_of_any_row_beside_a_sample(made: DataSet) -> None:
    rows = made.rows()
    made.write([*rows, rows[1]])
    (made.folder / "a.png").unlink()
    for seed in range(8):
        result = made.verify(sample=1, seed=seed)
        assert sorted(kinds(result)) == [("crop-missing", "a.png"), ("doubled", rows[1]["crop"])]


# -- the manifest ------------------------------------------------------------------------------


def test_the_manifest_may_be_held_against_what_was_published(made: DataSet) -> None:
    published = sha256(made.manifest.read_bytes()).hexdigest()
    result = made.verify(manifest_sha256=published.upper())
    assert (result.ok, result.manifest_sha256) == (True, published)
    made.restate(lambda row: row.update(reviewer="adam"))
    result = made.verify(manifest_sha256=published)
    assert kinds(result) == [("manifest", str(made.manifest))]
    assert result.proven == 3


def test_a_manifest_that_is_not_there_or_not_the_only_one_is_refused(made: DataSet) -> None:
    shutil.copy(made.manifest, made.folder / "manifest.csv")
    with pytest.raises(BadParameterValue, match=r"manifest\.jsonl, manifest\.csv"):
        made.verify()
    assert made.verify(manifest=made.manifest).ok
    with pytest.raises(BadParameterValue, match="none of"):
        verified(made.photos)
    with pytest.raises(MissingFile):
        made.verify(manifest=made.folder / "no.jsonl")
    with pytest.raises(BadParameterValue, match="ends with"):
        made.verify(manifest=made.folder / "a.png")
    os.mkfifo(made.folder / "pipe.jsonl")
    with pytest.raises(NotRegularFile):
        made.verify(manifest=made.folder / "pipe.jsonl")
    with pytest.raises(NotAFolder):
        verified(made.folder / "a.png")
    with pytest.raises(MissingFile):
        verified(made.folder, manifest=made.manifest, sources=[made.folder / "nowhere"])


@pytest.mark.parametrize(("name", "value"), [("jobs", 0), ("sample", 0), ("jobs", True)])
def test_numbers_that_make_no_sense_are_refused(made: DataSet, name: str, value: Any) -> None:
    with pytest.raises(BadParameterValue):
        made.verify(**{name: value})


def test_a_manifest_of_before_is_read_as_far_as_it_goes(made: DataSet) -> None:
    photo(made.photos / "d.png", 4)
    made.copy(
        "d.png", copies="long-side=30 filter=box linear-light=yes", box=PixelBox(0, 0, 60, 60)
    )
    later = ("crop_width", "crop_height", "filter", "linear_light", "colour", "second_caption")
    made.manifest.unlink()
    made.export()
    rows = [{key: row[key] for key in row if key not in later} for row in made.rows()]
    made.write(rows)
    assert made.verify().proven == 4
    for row in rows:
        row["box_applied"] = None
    made.write(rows)
    assert made.verify().proven == 4
    for row in rows:
        row["box_asked"] = None
    made.write(rows)
    assert {each.reason for each in made.verify().differences} == {"it states no box"}


@pytest.mark.parametrize("text", ["", "\n\n"])
def test_a_manifest_that_names_no_crop_proves_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.jsonl").write_text(text)
    result = verified(tmp_path)
    assert (kinds(result), result.rows) == ([("manifest", str(tmp_path / "manifest.jsonl"))], 0)


BAD_ROWS = [
    b"{}",
    b"[]",
    b"null",
    b"\xff\xfe",
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b'{"crop": "a.png", "box_applied": [0, 0, NaN, 1]}',
    b'{"upright_width": 1' + b"0" * 5000 + b"}",
]


@pytest.mark.parametrize("line", BAD_ROWS, ids=range(len(BAD_ROWS)))
def test_a_line_that_is_no_row_is_named_and_the_others_are_proven(
    made: DataSet, line: bytes
) -> None:
    lines = made.manifest.read_bytes().splitlines()
    made.manifest.write_bytes(b"\n".join([lines[0], line, *lines[1:]]) + b"\n")
    result = made.verify()
    assert kinds(result) == [("row", "manifest.jsonl:2")]
    assert (result.rows, result.proven) == (4, 3)
    assert len(result.differences[0].reason) < 300


BAD_VALUES: dict[str, list[Any]] = {
    "crop": ["", "a\0.png", 5, None, ["a.png"], "x" * 5000],
    "crop_sha256": ["", "AB" * 32, "0" * 63, None, 7],
    "mode": ["", None, "steal"],
    "box_applied": [
        [0, 0, 0, 0],
        [1, 2, 3],
        "0,0,9,9",
        [-1, 0, 9, 9],
        [0, 0, 9.5, 9],
        [0, 0, True, 9],
    ],
    "upright_width": [10**30, -1, 0, "many", None],
    "psnr": ["much", -1, 1e9, [], True],
    "resampling": ["size: changed", 5, "size: resampled from 1x1 to 0x0 by lanczos"],
    "filter": ["sharpen", 5],
    "colour": ["pink", 5],
}


@pytest.mark.parametrize("field", BAD_VALUES)
def test_a_value_that_makes_no_sense_is_named(made: DataSet, field: str) -> None:
    for value in BAD_VALUES[field]:
        row = made.rows()[0] | {field: value}
        with pytest.raises(ValueError, match=r"\w"):
            claims.claim(row, 1)


def test_a_row_is_no_longer_than_it_may_be(made: DataSet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LONGEST", 4096)
    with made.manifest.open("ab") as file:
        file.write(b'{"crop": "' + b"x" * 10_000 + b'"}\n{}\n')
    assert [kind for kind, _ in kinds(made.verify())] == ["row"]
    assert made.verify().manifest_sha256 == sha256(made.manifest.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    "tail",
    [b'"' + b"x" * 9000, b'"' + b"x\n" * 9000, b"\xff\n", b"a,b\n", b'a"b,"c"d\n'],
)
def test_a_table_that_is_none_is_named(
    made: DataSet, tail: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.manifest.unlink()
    out = made.folder / "manifest.csv"
    made.export(out)
    monkeypatch.setattr(reading, "LONGEST", 4096)
    with out.open("ab") as file:
        file.write(tail)
    result = made.verify()
    assert {kind for kind, _ in kinds(result)} == {"row"}
    assert result.proven == 3


def test_a_table_whose_columns_are_not_named_once_is_none(made: DataSet) -> None:
    made.manifest.unlink()
    out = made.folder / "manifest.csv"
    out.write_text("crop,crop\na.png,a.png\n")
    assert kinds(made.verify())[0][0] == "row"


# -- processes ---------------------------------------------------------------------------------


def test_rows_are_proven_in_processes_of_their_own(made: DataSet) -> None:
    shown: list[tuple[str, int, int]] = []
    result = made.verify(jobs=2, show=lambda *what: shown.append(what))
    assert (reasons(result), result.proven) == ([], 3)
    assert shown == [("rows", 1, 3), ("rows", 2, 3), ("rows", 3, 3)]
    assert workers.usual_jobs() >= 2


def test_a_file_that_ends_its_process_is_told_of_and_the_rest_is_proven(
    made: DataSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "judged", sets_of_crops.ending)
    result = made.verify(jobs=2)
    assert (kinds(result), result.proven) == ([("not-proven", "b.png")], 2)
    assert "the process that decoded it ended" in result.differences[0].reason


def test_what_nobody_foresaw_is_told_of_and_the_rest_is_proven(
    made: DataSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "judged", sets_of_crops.raising)
    result = made.verify()
    assert (kinds(result), result.proven) == ([("not-proven", "b.png")], 2)
    assert "AttributeError: of a decoder" in result.differences[0].reason


def test_the_page_names_every_kind_of_difference() -> None:
    page = (Path(__file__).parents[2] / "docs" / "exports.md").read_text("utf-8")
    assert [kind.value for kind in Kind if f"`{kind}`" not in page] == []


# -- the shell ---------------------------------------------------------------------------------


def test_the_shell_ends_with_0_where_all_is_proven(made: DataSet, capsys: Capture) -> None:
    arguments = ["verify", str(made.folder), "--sources", str(made.photos), "--jobs", "1"]
    assert main(arguments) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[-1] == "proven: 3; not proven: 0; of 3 rows"
    assert sha256(made.manifest.read_bytes()).hexdigest() in out
    assert "3 by exact" in err
    assert main([*arguments, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["ok"], told["proven"], told["by_proof"]) == (True, 3, {"exact": 3})


def test_the_shell_lists_differences_and_ends_with_1(made: DataSet, capsys: Capture) -> None:
    name = "evil\x1b[2J\nname.png"
    photo(made.folder / name)
    arguments = ["verify", str(made.folder), "--sources", str(made.photos), "--jobs", "1"]
    assert main(arguments) == 1
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert r"extra-image: evil\x1b[2J\nname.png: no row of the manifest names it" in out
    assert main([*arguments, "--json-lines"]) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line.get("proof") for line in lines[:-1]] == ["exact, 8 bits a sample"] * 3
    (difference,) = lines[-1]["summary"]["differences"]
    assert (difference["kind"], difference["path"]) == ("extra-image", name)


def test_the_shell_ends_with_2_where_there_is_nothing_to_prove(
    made: DataSet, capsys: Capture
) -> None:
    assert main(["verify", str(made.photos), "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["code"] == "BadParameterValue"
    assert main(["verify", str(made.folder / "nowhere")]) == 2
    assert "no such file" in capsys.readouterr().err.lower()
