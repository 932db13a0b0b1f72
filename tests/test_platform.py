"""Linux alone, and who is elsewhere is told so in one sentence."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("system", ["darwin", "win32"])
@pytest.mark.parametrize("statement", ["import cropkit", "import cropkit.system.locks"])
def test_another_system_is_refused_at_import_in_one_sentence(system: str, statement: str) -> None:
    code = f"import sys; sys.platform = {system!r}; {statement}"
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    last = ended.stderr.strip().splitlines()[-1]
    assert last == f"ImportError: cropkit runs on Linux alone, and this is {system}"


def test_nothing_in_the_package_asks_which_system_it_is() -> None:
    asks = re.compile(r"sys\.platform|platform\.system|os\.name\b|hasattr\(os,")
    texts = {path: path.read_text("utf-8") for path in (ROOT / "cropkit").rglob("*.py")}
    asking = [str(path.relative_to(ROOT)) for path, text in texts.items() if asks.search(text)]
    assert asking == ["cropkit/__init__.py"]
