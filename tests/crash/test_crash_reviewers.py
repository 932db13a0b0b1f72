"""Several reviewers and two appliers at once: no decision is lost, and none is made twice."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import postgres
import pytest
from campaigns import FULL, TOLD
from patience import patient
from PIL import Image

from cropkit.audit import places
from cropkit.collection import Collection
from cropkit.opinions import SETTING, Doubling
from cropkit.records import Status
from cropkit.system.home import DATABASE

CLONE = Path(__file__).resolve().parents[2]
PROGRAM = Path(__file__).with_name("reviewing.py")
REVIEWERS, IMAGES = (8, 20_000) if FULL else (4, 36)
APPLIERS, IN_A_FOLDER = 2, 1_000
SHARE = 0.05 if FULL else 0.25
pytestmark = pytest.mark.timeout(0 if FULL else patient(300))


def started(out: Path, *words: str) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, "PYTHONPATH": str(CLONE), "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, str(PROGRAM), *words]
    with out.open("wb") as file:  # no pipe, which would have them wait for each other
        return subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=file)


@pytest.fixture(params=["in a file", "on a server"])
def where(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where the trail is: all of them hear of it by their environment."""
    if request.param == "on a server":
        monkeypatch.setenv(places.VARIABLE, postgres.own().another_database())
    return str(request.param)


def test_no_decision_is_lost_or_made_twice(tmp_path: Path, where: str) -> None:
    folder = collection(tmp_path / "collection")
    attempts = reviewed(folder)
    with Collection(folder) as kit:
        names = kit.images()
        doubling = Doubling.from_text(kit.trail.settings()[SETTING])
        table = kit.trail.decisions.table()
        recorded = [each for attempt in attempts for each in attempt["recorded"]]
        assert sorted(recorded) == sorted(row["id"] for row in table), "none is lost"
        opinions = Counter(row["path"] for row in table)
        assert opinions == {name: 1 + doubling.holds(name) for name in names}, "none is made twice"
        people = {(row["path"], row["reviewer"]) for row in table}
        assert len(people) == len(table), "a second opinion is another person's"
        standing = kit.trail.decisions.standing_by_path()
        assert {each.status for each in standing.values()} == {Status.CROPPED}
        crops = Counter(event["path"] for event in kit.trail.events(kind="cropped"))
        assert crops == dict.fromkeys(names, 1), "each is cropped once"
        assert kit.fsck() == []
    assert (folder / DATABASE).exists() is (where == "in a file")
    waits = sorted(attempt["waited"] for attempt in attempts)
    overtaken = sum(attempt["overtaken"] > 0 for attempt in attempts)
    TOLD.append(
        f"reviewers, trail {where}: {REVIEWERS} and {APPLIERS} appliers, {len(recorded)}"
        f" decisions about {IMAGES}"
        f" images, {overtaken} of {len(attempts)} pages refused and decided anew; lost 0, doubled"
        f" 0; p99 of the wait {1_000 * waits[int(0.99 * (len(waits) - 1))]:.0f} ms"
    )


def collection(folder: Path) -> Path:
    """Make images of different contents, of which a share is decided about twice."""
    for number in range(IMAGES):
        path = folder / f"set{number // IN_A_FOLDER:02}" / f"{number:05}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (16, 16), (number % 256, number // 256, 90)).save(path)
    with Collection(folder) as kit:
        kit.keep_double(SHARE)
    return folder


def reviewed(folder: Path) -> list[dict[str, Any]]:
    """Have everything decided and carried out; return what the reviewers tell of it."""
    outs = [folder.with_name(f"person{number}.txt") for number in range(REVIEWERS)]
    appliers = [started(Path(os.devnull), "apply", str(folder)) for _ in range(APPLIERS)]
    reviewers = [
        started(out, "review", str(folder), out.stem, str(number))
        for number, out in enumerate(outs)
    ]
    for each in (*reviewers, *appliers):
        each.communicate()
    assert [each.returncode for each in (*reviewers, *appliers)] == [0] * (REVIEWERS + APPLIERS)
    return [json.loads(line) for out in outs for line in out.read_text().splitlines()]
