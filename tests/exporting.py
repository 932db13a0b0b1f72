"""A collection with decisions of all kinds, and exports of it by the real command."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pictures
import pytest
from deciding import decision
from export_readers import Named

import cropkit
from cropkit import clock
from cropkit.cli import main
from cropkit.geometry import PixelBox
from cropkit.records import Decision, Suggestion, Verdict

FACE, BUST, FULL = PixelBox(20, 8, 60, 48), PixelBox(10, 8, 90, 120), PixelBox(0, 0, 104, 152)
C_BOX, D_BOX = PixelBox(7, 11, 97, 131), PixelBox(1, 2, 119, 118)
# As `album` decides: image, its upright size, and its boxes by the names of the crops.
DECIDED: dict[str, tuple[tuple[int, int], dict[str, PixelBox]]] = {
    "a_stage2.png": ((104, 152), {"face": FACE, "bust": BUST, "full": FULL}),
    "sub/c.jpg": ((120, 160), {"crop": C_BOX}),
    "sub/d.jpg": ((120, 120), {"1:1": D_BOX}),
}


def expected() -> Named:
    """Return the boxes in force, each with its image and what it is called."""
    return {
        (path, name, box.xyxy)
        for path, (_, crops) in DECIDED.items()
        for name, box in crops.items()
    }


def write_album(folder: Path) -> Path:
    """Return a collection with three crops of one image, an undone, a superseded decision, a
    rejected and a skipped image, and one that was cropped in place since."""
    pictures.write_folder(folder)
    (folder / "sub").mkdir()
    for name in ("c.jpg", "d.jpg", "e.jpeg"):
        (folder / name).rename(folder / "sub" / name)
    (folder / "f.png").write_bytes((folder / "b_stage2.png").read_bytes())
    with cropkit.open(folder, reviewer="eva") as kit:
        look = kit.look("a_stage2.png")
        suggestion = Suggestion(FACE.normalized(look.size), "yard", "2", 0, 0.75)
        face = decision(
            kit,
            "a_stage2.png",
            FACE,
            slot="face",
            suggestion=suggestion,
            verdict=Verdict.ACCEPT,
            copying="",
            destination="out",
        )
        kit.decide([decision(kit, "a_stage2.png", PixelBox(0, 0, 9, 9), slot="face")])
        kit.decide([face])
        copy = {"copying": "", "destination": "out"}
        kit.decide([decision(kit, "a_stage2.png", BUST, slot="bust", **copy)])
        kit.decide([decision(kit, "a_stage2.png", FULL, slot="full", **copy)])
        kit.decide([decision(kit, "sub/c.jpg", C_BOX)])
        kit.decide([decision(kit, "sub/d.jpg", D_BOX, target="1:1")])
        kit.decide([decision(kit, "b_stage2.png", None, verdict=Verdict.SKIP)])
        kit.decide([decision(kit, "f.png", None, verdict=Verdict.REJECT)])
        kit.crop("sub/e.jpeg", PixelBox(8, 8, 40, 40))
        kit.undo("sub/e.jpeg")
    return folder


def exported(
    capsys: pytest.CaptureFixture[str], folder: Path, to: str, out: Path, *more: str
) -> dict[str, Any]:
    """Export by the real command; return what it tells."""
    capsys.readouterr()
    words = ["export", str(folder), "--to", to, "--out", str(out), "--json"]
    assert main([*words, *more]) == 0
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


def recorded(folder: Path, decisions: Sequence[Decision]) -> None:
    """Record decisions about images that need not be there."""
    with cropkit.open(folder) as kit:
        session = kit.session
        for each in decisions:
            object.__setattr__(each, "session", session)
        kit.trail.decide(list(decisions))


def made_up(path: str, size: cropkit.Size, box: PixelBox | None, **fields: Any) -> Decision:
    """Return a decision about an image that is not there."""
    moment = clock.now()
    verdict = Verdict.ADJUSTED if box else Verdict.SKIP
    facts: dict[str, Any] = {"verdict": verdict, "reviewer": "eva", "session": "-"}
    facts |= {"shown_at": moment, "decided_at": moment} | fields
    return Decision(path, "0" * 64, size, box=box, **facts)
