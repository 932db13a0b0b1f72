"""Whether the README's pictures show the review as it is: a recorded digest of what they come from.

    python tests/browser/freshness.py

records the digest, when film.py and screenshot.py have been run and their pictures looked at.
"""

import ast
import hashlib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RECORD = ROOT / "docs" / "pictures.sha256"
SHOWN = ("cropkit/review", "cropkit/jupyter", "cropkit/demo")
SCRIPTS = ("film.py", "screenshot.py")


def sources() -> Iterator[Path]:
    """Everything that the pictures come from, in a fixed order."""
    for folder in SHOWN:
        paths = (path for path in (ROOT / folder).rglob("*") if path.is_file())
        yield from sorted(path for path in paths if "__pycache__" not in path.parts)
    yield ROOT / "notebooks" / "1_review.ipynb"
    yield from (Path(__file__).with_name(name) for name in SCRIPTS)


def digest() -> str:
    """SHA-256 of the sources; of programs their code, not their comments and docstrings."""
    total = hashlib.sha256()
    for path in sources():
        total.update(path.relative_to(ROOT).as_posix().encode() + b"\0")
        total.update(_meaning(path) + b"\0")
    return total.hexdigest()


def recorded() -> str:
    return RECORD.read_text(encoding="utf-8").strip() if RECORD.exists() else ""


def record() -> None:
    RECORD.write_text(digest() + "\n", encoding="utf-8")


def _meaning(path: Path) -> bytes:
    """Return a program's lines without comments and docstrings, the same on every Python."""
    data = path.read_bytes()
    if path.suffix != ".py":
        return data
    lines = data.splitlines()
    for node in ast.walk(ast.parse(data)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                length = (first.end_lineno or first.lineno) - first.lineno + 1
                lines[first.lineno - 1 : first.lineno - 1 + length] = [b""] * length
    code = (line.rstrip() for line in lines)
    return b"\n".join(line for line in code if line and not line.lstrip().startswith(b"#"))


if __name__ == "__main__":
    record()
