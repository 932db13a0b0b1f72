"""Who may write: one function puts image content on a disk, and a few others their own files.

Twice: by reading every line of the package, and by watching a run of the whole engine, and of the
processes that it starts, through the interpreter's audit hook.
"""

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pictures
import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "cropkit"
SAFETY = (ROOT / "docs" / "safety.md").read_text(encoding="utf-8")
ONE_FUNCTION = ("system.files", "write_new")
WRITING_METHODS = frozenset(("write_bytes", "write_text", "touch"))
WRITING_CALLS = frozenset(
    ("nbformat.write", *(f"shutil.{n}" for n in ("copy", "copy2", "copyfile", "copytree", "move")))
)
WRITING_FLAGS = frozenset(("O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_APPEND"))


def allowed() -> dict[str, str]:
    """Read the table of docs/safety.md: module -> what it writes."""
    table = SAFETY.partition("## Who may write")[2].partition("\n## ")[0]
    return dict(re.findall(r"^\| `([\w.]+)` \| (.+?) \|$", table, re.MULTILINE))


# -- by reading ----------------------------------------------------------------------------------


def module(path: Path) -> str:
    name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
    return name.removesuffix(".__init__")


def writes(call: ast.Call) -> bool:
    """Whether a call opens a file for writing, or writes one as a whole."""
    whole = ast.unparse(call.func)
    name = whole.rpartition(".")[2]
    if name in ("open", "fdopen"):
        place = 0 if "." in whole and not whole.startswith("os.") else 1
        modes = [
            *call.args[place : place + 1],
            *(k.value for k in call.keywords if k.arg == "mode"),
        ]
        said = [str(node.value) for node in modes if isinstance(node, ast.Constant)]
        return any(set("wax+") & set(mode) for mode in said)
    return whole in WRITING_CALLS or name in WRITING_METHODS


def writers(path: Path) -> Iterator[int]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if (isinstance(node, ast.Attribute) and node.attr in WRITING_FLAGS) or (
            isinstance(node, ast.Call) and writes(node)
        ):
            yield node.lineno


SOURCES = sorted(PACKAGE.rglob("*.py"))


def test_no_other_module_opens_a_file_for_writing() -> None:
    found = {module(path): sorted(writers(path)) for path in SOURCES}
    assert {name for name, lines in found.items() if lines} == set(allowed())


@pytest.mark.parametrize(
    "line",
    [
        'open("a.png", "wb")',
        'path.open("r+b")',
        'open("a.png", mode="ab")',
        'path.write_bytes(b"")',
        "os.open(path, os.O_WRONLY)",
        "os.open(path, os.O_RDWR)",
        "shutil.copy(one, other)",
        "shutil.copyfile(one, other)",
    ],
)
def test_a_line_that_writes_is_seen(tmp_path: Path, line: str) -> None:
    source = tmp_path / "planted.py"
    source.write_text(line)
    assert list(writers(source)) == [1]


@pytest.mark.parametrize("line", ['open("a.png", "rb")', "path.open()", "os.open(p, os.O_RDONLY)"])
def test_a_line_that_reads_is_not(tmp_path: Path, line: str) -> None:
    source = tmp_path / "planted.py"
    source.write_text(line)
    assert list(writers(source)) == []


def test_pictures_are_saved_to_memory_or_by_the_demo_alone() -> None:
    """`Image.save` with a name would be a way round: only the demo paints into a folder."""
    found = {}
    for path in SOURCES:
        saves = [
            node
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ("save", "savefig", "imwrite", "imsave")
        ]
        if saves:
            targets = {ast.unparse(node.args[0]) for node in saves if node.args}
            found[module(path)] = targets
    elsewhere = {name: targets for name, targets in found.items() if not name.startswith("demo")}
    memory = {"out", "buffer", "file", "stream", "written"}
    assert {name: targets - memory for name, targets in elsewhere.items() if targets - memory} == {}


# -- by watching ---------------------------------------------------------------------------------

HOOK = r"""
import os, sys, json
LOG = os.environ.get("CROPKIT_TEST_AUDIT")
if LOG:
    fd = os.open(LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
    PACKAGE = os.environ["CROPKIT_TEST_PACKAGE"] + os.sep

    def caller():
        frame = sys._getframe(2)
        while frame is not None:
            name = frame.f_code.co_filename
            if name.startswith(PACKAGE):
                return name[len(PACKAGE):-3].replace(os.sep, "."), frame.f_code.co_name, frame
            frame = frame.f_back
        return "", "", None

    def where(path, frame):
        if isinstance(path, int):
            path = os.readlink(f"/proc/self/fd/{path}")
        path = os.fsdecode(path)
        if not path.startswith("/") and frame is not None:
            folder = frame.f_locals.get("folder", frame.f_locals.get("above"))
            if isinstance(folder, int):
                path = os.readlink(f"/proc/self/fd/{folder}") + "/" + path
        return path

    def hook(event, args):
        if event == "open":
            path, mode, flags = args
            if not (flags or 0) & WRITING:
                return
        elif event in ("os.rename", "os.link", "os.remove", "os.truncate"):
            path = args[0]
        else:
            return
        module, function, frame = caller()
        if module:
            line = json.dumps([event, module, function, where(path, frame)]) + "\n"
            os.write(fd, line.encode())

    sys.addaudithook(hook)
"""

RUN = r"""
import sys
from datetime import timedelta
from pathlib import Path
from cropkit.monitor import reporting
from cropkit.geometry import PixelBox, Size
from cropkit.collection import Collection
from cropkit.records import Verdict
from scenarios import decide

def main():
    folder = Path(sys.argv[1])
    box = PixelBox(3, 5, 41, 37)
    with Collection(folder) as kit, kit.begin_run("apply"):
        for path in kit.images():
            kit.suggestions(kit.look(path))
        for path in ("a_stage2.png", "c.jpg"):
            assert kit.crop(path, box).ok
        decide(kit, name="d.jpg")
        decide(kit, verdict=Verdict.REJECT, name="e.jpeg")
        assert all(r.ok for r in kit.apply_waiting())
        assert all(r.ok for r in kit.undo(everything=True))
        assert all(r.ok for r in kit.redo(last=2))
        kit.purge(older_than=timedelta(0))
        assert kit.fsck() == []
    with Collection(folder, destination=folder.parent / "out") as kit:
        assert kit.crop("b_stage2.png", box).ok
        assert all(r.ok for r in kit.undo())
    assert reporting.look(folder, deep=True, tell=True).facts.failure is None

if __name__ == "__main__":
    main()
"""


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[list[str]]]:
    """Run the whole engine under the hook: (collection, [event, module, function, path])."""
    place = tmp_path_factory.mktemp("safety")
    folder = pictures.write_folder(place / "collection")
    (place / "sitecustomize.py").write_text(HOOK)
    (place / "engine_run.py").write_text(RUN)
    paths = [place, ROOT, ROOT / "tests", ROOT / "tests" / "crash"]
    done = subprocess.run(
        [sys.executable, "engine_run.py", str(folder)],
        capture_output=True,
        text=True,
        check=False,
        cwd=place,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(str, paths)),
            "CROPKIT_TEST_AUDIT": str(place / "log"),
            "CROPKIT_TEST_PACKAGE": str(PACKAGE),
            "XDG_CONFIG_HOME": str(place),
            "PYTHONDONTWRITEBYTECODE": "1",  # what Python compiles is written by no line of ours
        },
    )
    assert done.returncode == 0, done.stderr
    lines = (place / "log").read_text().splitlines()
    return folder, [json.loads(line) for line in lines]


def test_one_function_writes_image_content(watched: tuple[Path, list[Any]]) -> None:
    folder, events = watched
    by_it = [path for event, *who, path in events if event == "open" and (*who,) == ONE_FUNCTION]
    assert len(by_it) >= 6
    home = f"{folder}/.cropkit"
    for event, module_name, function, path in events:
        if event != "open" or (module_name, function) == ONE_FUNCTION:
            continue
        if path.startswith("pipe:"):  # to a process of our own
            continue
        if module_name == "system.personal_state":  # outside of every collection
            is_lock = function == "_alone" and Path(path).name == "lock"
            assert is_lock or (function, path[0]) == ("put", "."), path
            continue
        assert path.startswith(f"{home}/"), (module_name, function, path)
        below = path.removeprefix(f"{home}/")
        assert below.split("/")[0] not in ("originals", "stage", "rejected"), (module_name, path)
        assert Path(below).suffix.lower() not in (".png", ".jpg", ".jpeg"), (module_name, path)


def test_it_writes_into_the_stage_or_beside_its_target_never_over_an_image(
    watched: tuple[Path, list[Any]],
) -> None:
    _, events = watched
    for event, module_name, function, path in events:
        if event == "open" and (module_name, function) == ONE_FUNCTION:
            assert "/.cropkit/stage/" in path or Path(path).name.startswith(".cropkit-"), path


def test_names_are_switched_by_the_protocol_alone(watched: tuple[Path, list[Any]]) -> None:
    folder, events = watched
    movers = {(m, f) for e, m, f, p in events if e != "open" and "/.cropkit/owners/" not in p}
    assert movers - {("audit.export", "_appended")} <= {  # which cuts off its own last line
        *(("system.files", name) for name in ("replace", "link", "unlink")),
        ("log", "doRollover"),
        ("system.personal_state", "put"),  # a document of the person's, outside of collections
    }
    assert ("system.files", "replace") in movers
    assert ("system.files", "link") in movers
    assert folder.is_dir()
