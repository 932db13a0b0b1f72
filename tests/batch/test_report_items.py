"""What a report tells of each item, where its links lead, and the list of all runs."""

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import pictures
import pytest
from playwright.sync_api import Browser
from queueing import HOSTILE, collection, decide_all, pattern
from test_report import entry, page, run

import cropkit
from cropkit.batch import Batch
from cropkit.collection import Collection
from cropkit.errors import ForeignState, RunIncomplete
from cropkit.runs import all_runs, record, report
from cropkit.runs.report import Pictures

SMALL = pictures.encoded(pattern(40, 30, 1), "JPEG")


def batch(folder: Path, **how: str) -> Batch:
    with Batch(folder, **how) as made:  # type: ignore[arg-type]  # (texts alone)
        made.apply()
    return made


def html_of(made: Batch) -> str:
    return (made.folder / "report.html").read_text(encoding="utf-8")


def test_each_item_tells_what_was_kept_patched_and_dropped_and_the_record_too(
    tmp_path: Path,
) -> None:
    folder = collection(tmp_path / "c", 3)
    decide_all(folder)
    made = batch(folder)
    written = json.loads((made.folder / "run.json").read_text(encoding="utf-8"))
    with Collection(folder) as kit:
        told = {each.path: each for each in made.run.entries}
        for operation in kit.trail.operations.finished():
            assert list(told[operation.source].kept) == operation.report["kept"]
            assert list(told[operation.source].patched) == operation.report["patched"]
    assert any(each["kept"] for each in written["entries"])
    assert record.read(made.folder) == made.run
    kept = next(each.kept for each in made.run.entries if each.kept)
    assert f"<dt>kept</dt><dd>{', '.join(kept)}" in html_of(made)


def test_what_was_dropped_is_named_with_its_reason_and_is_only_data() -> None:
    odd = entry(1, dropped=(("<b>thumb", "of the old frame"),))
    shown = page(run(odd))
    assert "&lt;b&gt;thumb: of the old frame" in shown
    assert "0 kept, 0 patched, 1 dropped" in shown


def test_links_lead_to_the_file_and_to_the_original_whatever_their_names(tmp_path: Path) -> None:
    folder = collection(tmp_path / "c #1", 2)
    (folder / "0000.png").rename(folder / HOSTILE)
    originals = {path.name: path.read_bytes() for path in folder.glob("*.png")}
    decide_all(folder)
    made = batch(folder)
    addresses = re.findall(r'href="(\./[^"]*)"', html_of(made))
    assert addresses
    assert all(":" not in address and "<" not in address for address in addresses)
    there = [(made.folder / unquote(address)).resolve() for address in addresses]
    assert {path for path in there if path.parent == folder} == {
        folder / HOSTILE,
        folder / "0001.png",
    }
    kept = {path.read_bytes() for path in there if path.parent != folder}
    assert kept == set(originals.values())


def test_where_nobody_was_asked_there_is_no_agreement(tmp_path: Path) -> None:
    folder = collection(tmp_path / "c", 2, sidecars=True)
    alone = html_of(batch(folder, source="suggestions"))
    assert "IoU" not in alone
    assert "Agreement" not in alone
    assert "Agreement" in page(run(entry(1), entry(2)))


def test_items_are_sorted_and_filtered_by_a_page_without_script(
    tmp_path: Path, browser: Browser
) -> None:
    items = [
        entry(1, iou=0.9, box=(0, 0, 800, 1200)),
        entry(2, iou=0.2, box=(0, 0, 400, 600), verdict="adjusted"),
        entry(3, iou=0.5, box=(0, 0, 100, 100), dropped=(("a", "b"),)),
    ]
    path = report.write(run(*items), tmp_path, lambda _: Pictures(SMALL, SMALL))
    assert "<script" not in path.read_text(encoding="utf-8")
    context = browser.new_context(java_script_enabled=True)
    shown = context.new_page()
    shown.goto(path.as_uri())

    def order() -> list[str]:
        names = """() => [...document.querySelectorAll(".sheet li")]
            .filter(li => getComputedStyle(li).display !== "none")
            .sort((a, b) => getComputedStyle(a).order - getComputedStyle(b).order)
            .map(li => li.querySelector(".path").textContent.slice(-5, -4))"""
        found: list[str] = shown.evaluate(names)
        return found

    assert order() == ["1", "2", "3"]
    for way, wanted in (("moved", "231"), ("area", "321"), ("lost", "312"), ("name", "123")):
        shown.check(f"#by-{way}")
        assert "".join(order()) == wanted
    shown.check("#only-adjusted")
    assert order() == ["2"]
    shown.check("#only-dropped")
    assert order() == ["3"]
    context.close()


# -- all runs --------------------------------------------------------------------------------------


def test_all_runs_are_listed_with_their_trend(tmp_path: Path) -> None:
    folder = collection(tmp_path / "c", 2)
    decide_all(folder)
    first, second = batch(folder), batch(folder)
    index = (folder / ".cropkit/runs/index.html").read_text(encoding="utf-8")
    assert index.index(f">{second.folder.name}<") < index.index(f">{first.folder.name}<")
    assert f'href="{first.folder.name}/report.html"' in index
    assert '<td class="good">2 cropped</td>' in index
    assert "cropped 2, 0; not well 0, 0;" in index
    assert '<a href="../index.html">all runs</a>' in html_of(second)
    assert "<script" not in index


def listed(name: str, cropped: int, pace: float) -> all_runs.Listed:
    return all_runs.Listed(name, "told", ok=True, cropped=cropped, pace=pace)


def test_a_run_that_had_nothing_to_do_was_not_slow() -> None:
    runs = [listed("c", 4, 8.0), listed("b", 0, 0.0), listed("a", 2, 4.0)]  # the latest first
    index = all_runs.page(runs)
    assert index.count("&ndash;</td>") == 1
    assert "images a second 4.0, none, 8.0" in index
    assert 'points="275,50.0 295,0.0 "' in index, "the line goes past it"
    assert "polyline" not in all_runs.page(runs[:2]), "a line has two ends"


def test_the_bars_of_few_runs_are_as_wide_as_those_of_thirty() -> None:
    for count, room in ((2, 300), (30, 300), (31, 310)):
        index = all_runs.page([listed(str(number), 1, 1.0) for number in range(count)])
        assert f'viewBox="0 0 {room} 100"' in index
        assert index.count("<rect") == 2 * count


def test_a_record_that_is_too_large_or_none_of_ours_is_a_line_without_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = tmp_path / ".cropkit/runs"
    for name, text in (("a", "{"), ("b", "x" * 100), ("<i>", "")):
        (runs / name).mkdir(parents=True)
        (runs / name / "run.json").write_text(text)
    (runs / "none").mkdir()
    monkeypatch.setattr(all_runs, "LARGEST", 50)
    told = {each.name: each.told for each in all_runs.listed(runs)}
    assert told == {
        "none": "left no record",
        "<i>": "left no record",
        "b": "a large run: its report tells",
        "a": "left no record",
    }
    assert "&lt;i&gt;" in all_runs.page(all_runs.listed(runs))


def _forged(**facts: object) -> str:
    known = {"ok": True, "counts": {}, "entries": [], "passed": [], "problems": [], "folder": "f"}
    begun = {"source": "queue", "parameters": {}, "session": "s", "started_at": "2026-01-01"}
    return json.dumps(known | begun | facts)


ITEM = {"path": "a", "verdict": "b", "status": "cropped"}
PLANTED: dict[str, Callable[[Path], object]] = {
    "pipe": os.mkfifo,
    "folder": Path.mkdir,
    "link": lambda path: path.symlink_to("/etc/hostname"),
    "status": lambda path: path.write_text(_forged(entries=[ITEM | {"status": []}])),
    "moment": lambda path: path.write_text(_forged(ended_at="x")),
    "depth": lambda path: path.write_text("[" * 100_000),
}


@pytest.mark.parametrize("what", PLANTED)
def test_whatever_is_planted_where_a_record_belongs_is_a_line_and_ends_no_batch(
    what: str, tmp_path: Path
) -> None:
    folder = collection(tmp_path / "c", 1)
    decide_all(folder)
    planted = folder / ".cropkit/runs/20200101T000000Z"
    planted.mkdir(parents=True)
    PLANTED[what](planted / "run.json")
    made = batch(folder)
    assert made.run.ok
    assert "left no record" in (made.folder.parent / "index.html").read_text(encoding="utf-8")
    with cropkit.open(folder) as kit, pytest.raises((ForeignState, RunIncomplete)):
        kit.report(planted.name)


def test_how_a_run_ended_has_some_letters_in_the_list(tmp_path: Path) -> None:
    runs = tmp_path / ".cropkit/runs"
    (runs / "a").mkdir(parents=True)
    moment = "2026-01-01T00:00:00.000000Z"
    told = _forged(state="stopped", reason="x" * 10_000, started_at=moment)
    (runs / "a/run.json").write_text(told)
    (each,) = all_runs.listed(runs)
    assert each.told.startswith("stopped: xx")
    assert len(each.told) < 1000


def test_a_folder_that_a_person_named_for_a_run_gets_no_list(tmp_path: Path) -> None:
    folder = collection(tmp_path / "c", 1)
    decide_all(folder)
    made = batch(folder, run=str(tmp_path / "mine"))
    assert "all runs" not in html_of(made)
    assert not (tmp_path / "index.html").exists()


# -- from the collection ---------------------------------------------------------------------------


@pytest.mark.parametrize("named", [lambda _: None, lambda run: run.name, lambda run: run])
def test_a_collection_writes_the_report_of_a_run_anew(
    tmp_path: Path, named: Callable[[Path], Path | str | None]
) -> None:
    folder = collection(tmp_path / "c", 2)
    decide_all(folder)
    made = batch(folder)
    before = html_of(made)
    (made.folder / "report.html").unlink()
    with cropkit.open(folder) as kit:
        assert kit.report(named(made.folder)) == made.folder / "report.html"
    assert html_of(made) == before


def test_a_run_without_a_record_is_told(tmp_path: Path) -> None:
    folder = collection(tmp_path / "c", 1)
    with cropkit.open(folder) as kit:
        with pytest.raises(RunIncomplete, match="there is no run with a record"):
            kit.report()
        decide_all(folder)
        made = batch(folder)
        (made.folder / "run.json").unlink()
        with pytest.raises(RunIncomplete, match="left no record"):
            kit.report(made.folder)
        shutil.rmtree(made.folder)
