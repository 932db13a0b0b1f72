"""The benchmarks run: in a tiny setting, where their figures mean nothing."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import postgres
import pytest
from scenes import data_set

from cropkit.formats.capabilities import CAPABILITIES, REFUSED
from cropkit.formats.sniff import shown

FORMATS = Path(__file__).parent.parent / "benchmarks" / "formats.py"
TINY = ("--scale", "0.03", "--rounds", "1", "--images", "2")


def run(*arguments: str, path: str | None = None) -> "subprocess.CompletedProcess[str]":
    environment = None if path is None else {"PATH": path}
    command = [sys.executable, str(FORMATS), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


@pytest.fixture(scope="module")
def found() -> dict[str, list[dict[str, float]]]:
    ended = run(*TINY, "--json")
    assert ended.returncode == 0, ended.stderr
    document: dict[str, list[dict[str, float]]] = json.loads(ended.stdout)
    return document


WRITTEN = {shown(c.format) for c in CAPABILITIES if c.outcome != REFUSED}
WAYS = {"group ms", "one / Pillow", "codec / Pillow", "group / Pillow", "size", "threads"}


def test_every_task_of_a_format_that_is_written_is_measured_in_every_way(
    found: dict[str, list[dict[str, float]]],
) -> None:
    rows = {str(row["task"]): row for row in found["rows"]}
    measured = {task: row for task, row in rows.items() if "refused" not in row}
    assert {task for task in rows if task.partition(",")[0] in WRITTEN} == set(measured)
    assert len(measured) >= 10
    for row in measured.values():
        assert row.keys() >= WAYS
        assert all(row[way] > 0 for way in WAYS)


def test_tools_that_are_missing_are_named_where_one_cannot_miss_it() -> None:
    ended = run(*TINY, "--task", "JPEG, 24 MP, 4:2:0", path="")
    for where in (ended.stdout, ended.stderr):
        assert "NOT INSTALLED, so not compared with: mogrify (Debian: imagemagick)" in where
        assert "NOT INSTALLED, so not compared with: jpegtran" in where


def test_help_says_what_the_figures_are() -> None:
    assert "ratios of CPU time, children included" in run("--help").stdout


def test_an_unknown_task_is_an_error() -> None:
    assert run("--task", "nonsense").returncode == 2


def test_where_the_time_of_a_crop_goes_is_told_in_shares() -> None:
    command = [sys.executable, str(FORMATS.with_name("shares.py")), "--task", "webp"]
    ended = subprocess.run([*command, "--scale", "0.2"], capture_output=True, text=True, check=True)
    *_, row = ended.stdout.splitlines()
    shares = [float(cell) for cell in row.split("|")[2:-1]]
    assert row.startswith("| webp |")
    assert sum(shares[:-1]) == pytest.approx(shares[-1], abs=0.05)
    assert shares[1] > 0


SCALE = FORMATS.with_name("scale.py")


def test_growth_is_measured_for_the_tasks_asked_for_over_all_sizes(tmp_path: Path) -> None:
    drawing = tmp_path / "curves.svg"
    asked = ["--sizes", "2,4", "--only", "crop one", "--only", "fsck", "--plot", str(drawing)]
    command = [sys.executable, str(SCALE), *asked]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    heads, _, *rows = [line.split(" | ") for line in ended.stdout.splitlines()]
    assert heads == ["| ms of CPU", "2", "4", "grows", "MB at 4 |"]
    assert [row[0] for row in rows] == ["| crop one", "| fsck"]
    assert all(float(milliseconds) > 0 for row in rows for milliseconds in row[1:3])
    assert drawing.read_text("utf-8").startswith("<?xml")


def test_figures_of_two_runs_are_drawn_beside_each_other(tmp_path: Path) -> None:
    now, before, drawing = (tmp_path / name for name in ("now.json", "before.json", "curves.svg"))
    took = [{"seconds": 1.0, "MB": 9.0}, {"seconds": 10.0, "MB": 9.0}]
    now.write_text(json.dumps({"sizes": [10, 100], "rows": {"fsck": took, "health": took}}))
    quadratic = [{"seconds": 1.0}, None, {"seconds": 10000.0}]
    before.write_text(json.dumps({"sizes": [10, 100, 1000], "rows": {"fsck": quadratic}}))
    asked = ["--measured", str(now), "--before", str(before), "--plot", str(drawing)]
    ended = subprocess.run(
        [sys.executable, str(SCALE), *asked], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert "| fsck | 1000.0 | 10000.0 | n^1.0 | 9 |" in ended.stdout
    drawn = drawing.read_text("utf-8")
    assert "fsck: n^2.0, now n^1.0" in drawn
    assert "health: n^1.0" in drawn
    assert len(drawn) < 100_000


def test_moves_of_the_review_are_timed_and_weighed_at_all_sizes() -> None:
    asked = ["--sizes", "1000,2000", "--only", "undo", "--only", "find nothing"]
    command = [sys.executable, str(FORMATS.with_name("moves.py")), *asked]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    heads, _, *rows = [line.split(" | ") for line in ended.stdout.splitlines()]
    assert heads == ["| ms of CPU", "1,000", "2,000", "grows |"]
    assert [row[0] for row in rows] == ["| begin", "| undo", "| find nothing", "| bytes an image"]
    assert all(0 <= float(cell) < 1000 for row in rows for cell in row[1:3])


def test_what_a_collection_takes_is_told_for_each_table() -> None:
    command = [sys.executable, str(FORMATS.with_name("room.py")), "--size", "200"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    heads, _, *rows = [line.split(" | ") for line in ended.stdout.splitlines()]
    assert heads == ["| bytes a crop", "before", "after `compact` |"]
    assert [row[0] for row in rows[:2]] == ["| export", "| database"]
    before, after = (float(cell.rstrip(" |").replace(",", "")) for cell in rows[0][1:])
    assert after < before / 4


def test_a_soak_tells_of_each_stretch_and_of_the_drift(tmp_path: Path) -> None:
    soak = [sys.executable, str(FORMATS.with_name("soak.py")), "--folder", str(tmp_path)]
    ended = subprocess.run(
        [*soak, "--decisions", "18", "--each", "9", "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    answer = json.loads(ended.stdout)
    assert [each["decisions"] for each in answer["stretches"]] == [9, 9]
    assert all(value > 0 for each in answer["stretches"] for value in each.values())
    assert answer["drift"].keys() == answer["stretches"][0].keys()
    assert not list(tmp_path.iterdir())


SUGGEST = FORMATS.with_name("suggest.py")


def test_what_is_learned_is_told_beside_constants_and_published_figures(tmp_path: Path) -> None:
    data_set(tmp_path, np.random.default_rng(0), 60)
    command = [sys.executable, str(SUGGEST), str(tmp_path), "--json"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    answer = json.loads(ended.stdout)
    rows = answer["cross-validation"]
    free, constant = rows["learned, free"]["iou"], rows["constant: median"]["iou"]
    assert constant["high"] < free["low"] < free["mean"] < free["high"]
    assert rows["published: CACNet"]["displacement"] == 0.069
    assert list(answer["curve"]) == ["20 decisions, learned", "20 decisions, median"]
    assert answer["stream"]["crowd, order 1"]["gain_iou"]["images"] == 60
    biased = answer["models"]["bias"]
    assert biased["shown_within_5_after_20"]["low"] > biased["model_within_5_after_20"]["high"]
    assert answer["models"]["no bias"]["gain_iou"]["mean"] > -0.01
    assert all(0 < each["ms"] < 10_000 for each in answer["cost"].values())
    assert "faces" not in answer
    ended = subprocess.run(
        [*command, "--part", "faces"], capture_output=True, text=True, check=True
    )
    assert list(json.loads(ended.stdout)["faces"]) == ["not measured: needs --vision"]


def test_without_photographs_nothing_is_measured_and_that_is_said(tmp_path: Path) -> None:
    command = [sys.executable, str(SUGGEST)]
    for words, environment in (([str(tmp_path)], {}), ([], {}), ([], {"CROPKIT_FCDB": "/none"})):
        ended = subprocess.run(
            [*command, *words], capture_output=True, text=True, check=False, env=environment
        )
        assert (ended.returncode, ended.stderr) == (0, "")
        assert ended.stdout.startswith("not measured: ")
        assert ended.stdout.count("\n") == 1


SPREADING = FORMATS.with_name("spreading.py")


def test_the_speed_of_processes_is_told_as_ratios_to_one() -> None:
    command = [sys.executable, str(SPREADING), "--images", "6", "--side", "120", "--workers", "1,2"]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    first, *rows = ended.stdout.splitlines()
    assert first.startswith("6 PNGs of 120 x 120, ")
    assert [row.split()[:2] for row in rows[1:]] == [["1", "process"], ["2", "processes"]]
    assert rows[1].split()[-1] == "1.00"


@pytest.mark.parametrize("where", [[], ["--postgres"]])
def test_claimants_of_one_database_get_each_decision_once(where: list[str]) -> None:
    if where:
        postgres.own()  # or skip
    command = [sys.executable, str(SPREADING), "--claimants", "8", "--chunks", "2", *where]
    ended = subprocess.run(
        [*command, "--together", "3"], capture_output=True, text=True, check=True
    )
    told = ended.stdout
    assert told.startswith("8 claimants, 3 decisions a claim, ")
    outcomes = ast.literal_eval(told.rpartition("outcomes")[2].strip())
    decided = 8 * 2 * 3 // 2
    assert outcomes["MINE"] == decided, "two want each, and one gets it"
    assert sum(outcomes.values()) == 2 * decided
