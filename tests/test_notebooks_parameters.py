"""Each parameter set of the batch notebook: run by papermill, held to a stored table, and by nbval.

The collection is made in whole numbers, so that the digests of its pixels are the same everywhere.
The mutations at the end show what this net holds: each is a defect that once cost somebody images.
"""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import nbformat
import papermill
import pictures
import pytest
import refresh
from queueing import decision, pattern

from cropkit.audit import heads
from cropkit.batch.parameters import from_yaml, typed
from cropkit.collection import Collection
from cropkit.geometry import PixelBox
from cropkit.jupyter import notebooks
from cropkit.records import Verdict

ROOT = Path(__file__).resolve().parent.parent
SETS = sorted((ROOT / "tests" / "parameters").glob("*.yaml"))
NOTEBOOK = notebooks.notebook("2_batch")
WIDTH, HEIGHT = 96, 128


def make(folder: Path) -> Path:
    """Make five images: decided about in the five ways, with suggestions of three kinds."""
    folder.mkdir(parents=True)
    text = {"parameters": pictures.PARAMETERS}
    for number, name in enumerate(("a.png", "b.png", "c.png", "d.png", "e_stage1.png")):
        image = pictures.write_png(folder / name, pattern(WIDTH, HEIGHT, number), text=text)
        if number < 3:
            pictures.write_sidecar(image, [0.125, 0.25, 0.875, 0.75])
    # no JPEG: how one is cropped depends on the libraries of the machine
    turned = pictures.exif_bytes(orientation=6)
    pictures.write_png(folder / "f.png", pattern(WIDTH, HEIGHT, 9), exif=turned)
    chosen = {"selected_image": "e_stage1.png", "crop_coords": [0, 0, 0.5, 0.5], "confidence": 0.4}
    group = {"images": ["e_stage1.png"], "ai_recommendation": chosen}
    (folder / "e.decision").write_text(json.dumps(group), encoding="utf-8")
    return folder


def decide(folder: Path) -> None:
    with Collection(folder, reviewer="ann", kind="review") as kit:
        made = [
            decision(kit, "a.png", PixelBox(5, 7, 61, 90)),
            decision(kit, "b.png", PixelBox(0, 0, WIDTH, HEIGHT)),
            decision(kit, "c.png", None, verdict=Verdict.REJECT),
            decision(kit, "d.png", None, verdict=Verdict.SKIP),
            decision(kit, "f.png", PixelBox(16, 16, 80, 64)),
        ]
        kit.decide(made)


@dataclass(frozen=True)
class Prepared:
    """A collection as it is before a run, and how the notebook is run on it."""

    folder: Path
    parameters: Path

    def renew(self) -> None:
        """Make the collection as it was, in the same place, and its later trail never seen."""
        heads.forget(self.folder)
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(self.folder.with_name("kept"), self.folder)

    def run(self, out: Path) -> nbformat.NotebookNode:
        """Execute the notebook."""
        given = typed(NOTEBOOK, from_yaml(self.parameters)) | {"folder": str(self.folder)}
        if given.get("destination"):
            given["destination"] = str(self.folder / str(given["destination"]))
        book: nbformat.NotebookNode = papermill.execute_notebook(
            str(NOTEBOOK),
            str(out),
            given,
            kernel_name="python3",
            progress_bar=False,
            cwd=str(out.parent),
            config=refresh.SILENT_KERNEL,
        )
        return book


@pytest.fixture(params=SETS, ids=lambda path: path.stem)
def prepared(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Prepared:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    kept = make(tmp_path / "kept")
    if request.param.stem == "queue":
        decide(kept)
    one = Prepared(tmp_path / "pictures", request.param)
    one.renew()
    return one


def shown(book: nbformat.NotebookNode, name: str) -> str:
    (cell,) = (cell for cell in book.cells if cell.get("id") == name)
    return "\n".join(o.data["text/plain"] for o in cell.outputs if "data" in o)


def nbval(notebook: Path, package: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run nbval on one notebook with the cropkit of `package`."""
    command = [sys.executable, "-m", "pytest", "-q", "--color=no", "-p", "no:cacheprovider"]
    options = ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(notebook.parent)]
    return subprocess.run(
        [*command, *options, "--override-ini", "pythonpath=", str(notebook)],
        capture_output=True,
        text=True,
        check=False,
        cwd=notebook.parent,
        env={**os.environ, "PYTHONPATH": str(package)},
    )


def test_a_run_gives_the_stored_table_and_nbval_holds_it_again(
    prepared: Prepared, tmp_path: Path
) -> None:
    book = prepared.run(tmp_path / "executed.ipynb")
    told = "\n\n".join(shown(book, name) for name in ("plan", "apply", "result")) + "\n"
    stored = prepared.parameters.with_suffix(".txt")
    if os.environ.get("CROPKIT_STORE"):
        stored.write_text(told, encoding="utf-8")
    assert told == stored.read_text("utf-8")
    prepared.renew()
    again = nbval(tmp_path / "executed.ipynb")
    assert again.returncode == 0, again.stdout


def test_there_is_a_stored_table_for_each_set() -> None:
    assert SETS
    assert {path.stem for path in SETS} == {
        path.stem for path in (ROOT / "tests" / "parameters").glob("*.txt")
    }


# -- what the net holds --------------------------------------------------------------------------


@dataclass(frozen=True)
class Mutation:
    """A defect: code at the end of a module of a copy of the package."""

    name: str
    module: str
    code: str


CROP = "formats/__init__.py"
OTHER_BOX = """
_right = Opened.crop
def _cropped(self, box):
    from cropkit.geometry import PixelBox
    {0}
    return _right(self, box)
Opened.crop = _cropped
"""
OTHER_DATA = """
_right = opened
def opened(data, name, options=_DEFAULT):
    import io
    from PIL import Image
    {0}
    return _right(data, name, options)
"""
SAVED = """image = Image.open(io.BytesIO(data)); image.load()
    out = io.BytesIO(); {0}
    data = out.getvalue()"""


MUTATIONS = (
    Mutation(
        "a crop is shifted by one pixel",
        CROP,
        OTHER_BOX.format("box = PixelBox(box.left + 1, box.top, box.right + 1, box.bottom)"),
    ),
    Mutation(
        "the axes are swapped",
        CROP,
        OTHER_BOX.format("box = PixelBox(box.top, box.left, box.bottom, box.right)"),
    ),
    Mutation(
        "a text chunk is lost",
        CROP,
        OTHER_DATA.format(
            SAVED.format(
                "image.info.clear(); image.save(out, 'PNG' if name.endswith('png') else 'JPEG')"
            )
        ),
    ),
    Mutation(
        "every pixel is grey",
        CROP,
        OTHER_DATA.format(
            SAVED.format(
                "image.paste((128, 128, 128), (0, 0, *image.size));"
                " from PIL.PngImagePlugin import PngInfo; info = PngInfo();"
                " [info.add_text(k, v) for k, v in image.info.items() if isinstance(v, str)];"
                " image.save(out, 'PNG', pnginfo=info, exif=image.info.get('exif', b''))"
            )
        ),
    ),
    Mutation(
        "a failure is swallowed",
        "batch/outcome.py",
        """
_right = judged
def judged(run, trail, size_of):
    told = _right(run, trail, size_of)
    entries = [e if e.well else replace(e, status="cropped", code=None) for e in told.entries]
    return replace(told, entries=tuple(entries))
""",
    ),
)
ALL = bool(os.environ.get("CROPKIT_ALL_MUTATIONS"))
SAMPLED = MUTATIONS if ALL else MUTATIONS[2:5:2]


def package(place: Path, mutation: Mutation) -> Path:
    """Make a copy of the package with the defect in it."""
    shutil.copytree(ROOT / "cropkit", place / "cropkit")
    shutil.copytree(ROOT / "notebooks", place / "notebooks")
    with (place / "cropkit" / mutation.module).open("a", encoding="utf-8") as module:
        module.write(mutation.code)
    return place


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Prepared, Path]:
    """The notebook as the right package has run it."""
    place = tmp_path_factory.mktemp("executed")
    decide(make(place / "kept"))
    one = Prepared(place / "pictures", ROOT / "tests" / "parameters" / "queue.yaml")
    one.renew()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        one.run(place / "executed.ipynb")
    return one, place / "executed.ipynb"


@pytest.mark.parametrize(
    "mutation", [m for m in SAMPLED if m.module == CROP], ids=lambda mutation: mutation.name
)
def test_nbval_sees_what_a_crop_has_lost(
    executed: tuple[Prepared, Path], tmp_path: Path, mutation: Mutation
) -> None:
    prepared, notebook = executed
    prepared.renew()
    said = nbval(notebook, package(tmp_path, mutation))
    assert said.returncode == 1, mutation.name
    assert "mismatch 'text/html'" in said.stdout
    assert "Cell outputs differ" in said.stdout, "it is the table that tells, not an error"
    assert said.stdout.count("FAILED") == 1


@pytest.mark.parametrize(
    "mutation", [m for m in SAMPLED if m.module != CROP], ids=lambda mutation: mutation.name
)
def test_a_test_sees_that_a_failure_is_swallowed(tmp_path: Path, mutation: Mutation) -> None:
    mutated = package(tmp_path, mutation)
    tests = [ROOT / "tests", *(ROOT / "tests" / name for name in ("batch", "crash", "mutants"))]
    options = ["-q", "--color=no", "-p", "no:cacheprovider", "-k", "swallows or overruled"]
    said = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", *options),
            *("--override-ini", "pythonpath=" + " ".join(map(str, tests))),
            str(ROOT / "tests" / "batch" / "test_unattended.py"),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(mutated)},
    )
    assert said.returncode == 1, said.stdout + said.stderr
    assert "2 failed" in said.stdout
    assert "AssertionError" in said.stdout


def test_the_sample_holds_both_kinds() -> None:
    assert {mutation.module == CROP for mutation in SAMPLED} == {True, False}
