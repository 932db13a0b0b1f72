"""Every file name that the kernel allows is cropped, undone, moved, rejected, listed and told."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hostile_names import NAMES, text, write

from cropkit import clock
from cropkit.audit.chain import body_of
from cropkit.batch import Batch
from cropkit.batch.notebook_run import run_notebook
from cropkit.collection import Collection, rebuild
from cropkit.geometry import PixelBox
from cropkit.monitor import plots, reporting
from cropkit.names import all_unescaped
from cropkit.records import Decision, Status, Verdict
from cropkit.system.home import DATABASE, EXPORT

BOX = PixelBox(4, 8, 40, 60)
ROOT = Path(__file__).parents[2]


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """A folder with an image of each name."""
    folder = tmp_path / "album"
    for seed, name in enumerate(NAMES.values()):
        write(folder, name, seed)
    return folder


@pytest.fixture
def collection(tmp_path: Path) -> Iterator[Collection]:
    (tmp_path / "one").mkdir()
    with Collection(tmp_path / "one") as opened:
        yield opened


def decision(collection: Collection, path: str, verdict: Verdict = Verdict.ADJUSTED) -> Decision:
    look = collection.look(path)
    box = BOX if verdict.keeps_a_box else None
    moment = clock.now()
    return Decision(
        path, look.sha256, look.size, verdict, box, "ann", collection.session, moment, moment
    )


def decided(collection: Collection) -> list[dict[str, object]]:
    """Return the decisions but for the moment in which a row was written."""
    return [row | {"updated_at": ""} for row in collection.trail.decisions.table()]


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_crop_and_its_undo(collection: Collection, name: bytes) -> None:
    path = write(collection.root, name)
    before = (collection.root / path).read_bytes()
    cropped = collection.crop(path, BOX)
    assert (cropped.status, cropped.path) == (Status.CROPPED, path)
    assert collection.fsck() == []
    (event,) = (e for e in collection.trail.events(path) if e["event"] == "cropped")
    assert event["path"] == path
    assert body_of(event)["operation"]["source"] == path
    assert list(collection.history(path)["path"].unique()) == [path]
    (restored,) = collection.undo(path)
    assert restored.path == path
    assert (collection.root / path).read_bytes() == before
    assert (collection.root / path).is_file()


@pytest.mark.parametrize("where", ["out\udcff", "album/in\udcff"])
def test_moves_with_companions_rejects_and_their_undo(
    album: Path, tmp_path: Path, where: str
) -> None:
    wide = [name for name in NAMES.values() if len(name) < 255]
    for name in wide:
        (album / text(name)).with_suffix(".txt").write_bytes(name)
    with Collection(album, destination=tmp_path / where) as collection:
        for verdict in (Verdict.ADJUSTED, Verdict.REJECT):
            made = [decision(collection, text(name), verdict) for name in NAMES.values()]
            collection.decide(made)
            assert {one.code for one in collection.apply_waiting()} == {None}
            assert not [name for name in NAMES.values() if (album / text(name)).exists()]
            if verdict is Verdict.ADJUSTED:
                for name in wide:
                    moved = (tmp_path / where / text(name)).with_suffix(".txt")
                    assert moved.read_bytes() == name
                assert collection.fsck() == []
            assert len(collection.undo(everything=True)) == len(NAMES)
            for name in wide:
                assert (album / text(name)).with_suffix(".txt").read_bytes() == name


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_folder_may_be_called_so_too(tmp_path: Path, name: bytes) -> None:
    folder = tmp_path / text(name[:250])
    inside = f"{text(name)}/{write(folder / text(name), b'i.png')}"
    with Collection(folder) as collection:
        assert collection.trail.root.path == folder
        assert collection.crop(inside, BOX).ok
        assert collection.undo(inside)[0].ok


def test_a_lost_database_is_made_anew_with_every_name(album: Path) -> None:
    with Collection(album) as collection:
        for name in NAMES.values():
            collection.crop(text(name), BOX)
        events, rows = collection.trail.events(), decided(collection)
    (album / EXPORT).read_text(encoding="utf-8", errors="strict")
    (album / DATABASE).unlink()
    rebuild(album)
    with Collection(album) as collection:
        assert collection.trail.events()[: len(events)] == events
        assert decided(collection) == rows
        assert collection.fsck() == []
        assert len(collection.undo(everything=True)) == len(NAMES)


def test_waiting_decisions_of_every_name_are_carried_out_after_a_crash(album: Path) -> None:
    child = os.fork()
    if child == 0:
        opened = Collection(album)
        opened.decide([decision(opened, text(name)) for name in NAMES.values()])
        os._exit(0)
    os.waitpid(child, 0)
    with Collection(album) as collection:
        results = collection.apply_waiting()
        assert {one.path for one in results} == {text(name) for name in NAMES.values()}
        assert {one.status for one in results} == {Status.CROPPED}
        assert collection.stats().total.decisions == 0  # decided in the moment: by programs
        assert collection.summary()["written"] == len(NAMES)


@pytest.mark.parametrize("source", ["queue", "suggestions"])
def test_a_batch_takes_every_name_and_no_name_stops_it(tmp_path: Path, source: str) -> None:
    folder = tmp_path / text(b"alb\xfcm")
    for seed, name in enumerate(NAMES.values()):
        write(folder, name, seed, sidecar=True)
    named = {text(name) for name in NAMES.values() if not name.startswith(b".")}
    if source == "queue":
        with Collection(folder) as collection:
            collection.decide([decision(collection, path) for path in sorted(named)])
    else:
        named = {path for path in named if len(os.fsencode(path)) < 240}
    with Batch(folder, source=source) as batch:
        batch.planned()
        batch.apply()
        assert batch.result()["ok"]
        assert {entry.path for entry in batch.run.entries if entry.well} == named
        record = all_unescaped(json.loads((batch.folder / "run.json").read_bytes()))
        assert {entry["path"] for entry in record["entries"]} == named
        page = (batch.folder / "report.html").read_text(encoding="utf-8")
    assert "caf\\xe9.png" in page
    assert not set(page) & set("\x1b\x9b\x7f\u202e\u2066\r")


OBEYED = set("\x1b\x9b\x7f\u202e\u2066\u2028\r\t") | {chr(0xDC80 + n) for n in range(128)}


def test_the_tables_and_the_log_of_a_batch_show_names_that_move_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "album"
    for seed, name in enumerate(NAMES.values()):
        write(folder, name, seed)
        if len(name) < 240:
            (folder / text(name)).with_suffix(".decision").write_text("{broken")
    write(folder, b"good.png", sidecar=True)
    with Batch(folder, source="suggestions") as batch:
        planned = batch.planned()
        ended = batch.apply()
    for shown in (planned.to_html(), planned.to_csv(), ended.to_html(), ended.to_csv()):
        assert not set(shown) & OBEYED
    assert "caf\\xe9.png" in planned.to_csv()
    lines = (folder / ".cropkit" / "cropkit.log").read_text(encoding="utf-8").splitlines()
    messages = [json.loads(line)["message"] for line in lines]
    assert any("caf\\xe9.decision" in message for message in messages)
    assert not set("".join(messages)) & (OBEYED | {"\n"})


def test_a_reviewer_may_be_called_so_too(folder: Path) -> None:
    name = "\x1b[31m\u202eanna\n"
    with Collection(folder, reviewer=name) as collection:
        collection.decide([decision(collection, "a_stage2.png")])
    report, stats = reporting.look(folder), reporting.figures(folder)
    for shown in (report.session_table().to_csv(), stats.frame("reviewer").to_csv()):
        assert not set(shown) & OBEYED
    plot = plots.shares(stats, "reviewer")
    assert not set(plot._repr_html_() + repr(plot)) & OBEYED


def test_the_notebook_runs_in_a_folder_whose_name_is_not_utf8(tmp_path: Path) -> None:
    folder = tmp_path / text(b"alb\xfcm {x}")
    write(folder, NAMES["latin-1"], sidecar=True)
    ended = run_notebook(folder, {"source": "suggestions"})
    assert ended.ok, ended
    assert ended.folder.is_relative_to(folder)
    assert {path.name for path in ended.folder.iterdir()} == {
        *("2_batch.ipynb", "report.html", "run.json"),
    }


def test_half_a_character_in_a_sidecar_is_a_problem_with_a_name_and_no_stop(folder: Path) -> None:
    sidecar = folder / "a_stage2.decision"
    record = json.loads(sidecar.read_text()) | {"ai_route": "\ud800"}
    sidecar.write_text(json.dumps(record))
    with Batch(folder, source="suggestions") as batch:
        batch.apply()
        assert {entry.path for entry in batch.run.entries} == {
            *("b_stage2.png", "c.jpg", "d.jpg", "e.jpeg"),
        }
        assert batch.run.ok
        ((path, reason),) = batch.run.problems
    assert path == "a_stage2.decision"
    assert "half of a character" in reason


def test_json_holds_the_true_name_by_its_escape(tmp_path: Path) -> None:
    path = write(tmp_path, NAMES["latin-1"])
    done = subprocess.run(
        [sys.executable, "-m", "cropkit", "crop", path, "--box", "1,1,9,9", "--json"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    written = json.loads(done.stdout)
    assert written["path"] == "caf\U0010f7e9.png"
    assert all_unescaped(written)["path"] == path
