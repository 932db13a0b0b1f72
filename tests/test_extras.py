"""What is not installed is said in one sentence; what a kernel needs is enough for the rest."""

import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

import pictures
import pytest
from PIL import ImageFont

import cropkit
from cropkit import extras
from cropkit.bootstrap import requirements
from cropkit.errors import DeliveryFailed, NotInstalled
from cropkit.jupyter import launch
from cropkit.monitor.delivery.sinks import Desktop
from cropkit.review.canvas import snapshot

WITHOUT = """
import sys
names = {"jupyterlab", "jupyter_server", "nbformat", "nbclient", "papermill", "matplotlib"}
names |= {"jinja2", "dbus_fast", "pyarrow", "nbval", "pytest"}
sys.modules.update(dict.fromkeys(names))
from cropkit.__main__ import main
import cropkit
cropkit.Review, cropkit.Collection, cropkit.Table, cropkit.look, cropkit.verify
assert main(["crop", sys.argv[1], "--box", "8,8,40,40"]) == 0
assert main(["fsck", sys.argv[2]]) == 0
assert main(["health", sys.argv[2]]) == 0
assert main(["batch", sys.argv[2]]) == 1
assert main(["review", sys.argv[2]]) == 1
"""


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where no clone is: what the distribution says of itself."""
    lines = ["numpy<3,>=2", "dbus-fast<6,>=4; extra == 'desktop'", 'x>=1; extra == "lab"']
    monkeypatch.setattr(requirements, "find_clone", lambda _: None)
    monkeypatch.setattr(importlib.metadata, "requires", lambda _: lines)


def test_without_any_extra_a_kernel_has_what_it_needs(tmp_path: Path) -> None:
    pictures.write_png(tmp_path / "a.png")
    command = [sys.executable, "-c", WITHOUT, str(tmp_path / "a.png"), str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr
    assert "pip install 'papermill>=" in ended.stderr
    assert "pip install 'jupyterlab>=" in ended.stderr


def test_the_sentence_holds_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dbus_fast", None)
    with pytest.raises(NotInstalled) as lack:
        extras.needed("desktop")
    assert str(lack.value) == (
        f"dbus_fast (of cropkit[desktop]): not installed for {sys.executable}, and needed here: "
        f"{sys.executable} -m pip install 'dbus-fast>=4,<6'"
    )


@pytest.mark.usefixtures("installed")
def test_an_installed_cropkit_knows_its_extras_by_its_own_metadata() -> None:
    assert requirements.of_extra("desktop") == ["dbus-fast<6,>=4"]
    assert requirements.of_extra("lab") == ["x>=1"]
    assert requirements.wanted(None, tests=False) == ["numpy<3,>=2"], "an extra is not missed"


def test_what_is_there_is_not_refused() -> None:
    for extra in ("lab", "batch", "desktop"):
        extras.needed(extra)


def test_a_public_name_whose_extra_is_missing_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [
        each for each in sys.modules if each.startswith(("cropkit.batch", "cropkit.runs"))
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(NotInstalled, match=r"cropkit\[batch\].* -m pip install 'papermill"):
        _ = cropkit.Batch


def test_a_module_of_no_extra_is_named_itself() -> None:
    assert extras.explained(ModuleNotFoundError(name="zlib_ng.zlib_ng")).args[0] == "zlib_ng"


def test_without_jupyterlab_no_server_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "jupyterlab", None)
    monkeypatch.setattr(launch, "Lab", lambda *_: pytest.fail("no server may be started"))
    assert launch.launch(tmp_path, browser=False) == 1
    assert "cropkit[lab]" in capsys.readouterr().err


def test_without_dbus_a_desktop_alert_has_not_arrived(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dbus_fast", None)
    with pytest.raises(DeliveryFailed, match=r"cropkit\[desktop\]"):
        Desktop().send([])


def test_without_matplotlib_a_saved_page_is_written_in_pillows_own_font(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    snapshot.font.cache_clear()
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    font = snapshot.font(18)
    snapshot.font.cache_clear()
    assert isinstance(font, ImageFont.FreeTypeFont)
    assert font.getname()[0] != "DejaVu Sans"


def test_the_driver_of_postgresql_is_let_in_by_the_trail_alone() -> None:
    package = Path(cropkit.__file__).parent
    lines = {
        path.relative_to(package).parts[0]
        for path in package.rglob("*.py")
        if re.search(r"(?m)^\s*(import|from) psycopg", path.read_text("utf-8"))
    }
    assert lines <= {"audit"}
