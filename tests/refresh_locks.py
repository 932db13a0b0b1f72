"""Write the locks again, from the ranges in pyproject.toml.

    python tests/refresh_locks.py [--upgrade]

Without `--upgrade` every version stays that is still in its range. One resolution is made of all
that a clone needs; `requirements.lock` is what the commands need of it, `requirements-test.lock`
what is beyond that. `requirements-uv.lock` is uv alone, which pip fetches for who has none.
"""

import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
RUNTIME, TEST, UV = (ROOT / f"requirements{part}.lock" for part in ("", "-test", "-uv"))
HEAD = """\
# {what}
# This file is made by: python tests/refresh_locks.py
"""
WHAT = {
    RUNTIME: "What every command of a clone needs.",
    TEST: "What `cropkit test` needs beyond requirements.lock.",
    UV: "The installer, for who has none.",
}


def extras(name: str) -> list[str]:
    """Return the options that ask for the extras of a clone's environment."""
    stated = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["cropkit"]
    return [word for extra in stated[name] for word in ("--extra", extra)]


def compiled(*options: str, text: str = "") -> str:
    """Resolve for every Python and platform at once."""
    command = ["uv", "pip", "compile", "--universal", "--generate-hashes", "--no-header"]
    ended = subprocess.run(
        [*command, "--python-version", "3.11", *options],
        cwd=ROOT,
        input=text,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return ended.stdout


def blocks(text: str) -> list[str]:
    """Return each package with its hashes."""
    return re.split(r"(?m)^(?=\w)", text)[1:]


def versions(*locks: Path) -> str:
    """Return what the locks hold, as constraints."""
    held = "".join(each.read_text("utf-8") for each in locks if each.exists())
    return "".join(f"{line}\n" for line in re.findall(r"(?m)^([\w.-]+==[^\\\n]+)", held))


def widened(some: str, whole: str) -> str:
    """Return a lock whose packages have the markers of the whole one, where that has each once.

    What the tests need everywhere, and the commands here, would stand in both otherwise; what the
    commands do not need here stays what it is.
    """
    heads = [block.partition("\n")[0] for block in blocks(whole)]
    for block in blocks(some):
        head = block.partition("\n")[0]
        same = [each for each in heads if each.split()[0] == head.split()[0]]
        marker = Requirement(head.removesuffix(" \\")).marker
        if len(same) == 1 and marker is not None and marker.evaluate():
            some = some.replace(f"\n{head}\n", f"\n{same[0]}\n")
    return some


def write(lock: Path, text: str) -> None:
    """Write a lock under its own head."""
    lock.write_text(HEAD.format(what=WHAT[lock]) + text, "utf-8")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        kept, whole = Path(folder, "kept.txt"), Path(folder, "whole.txt")
        kept.write_text("" if "--upgrade" in sys.argv else versions(RUNTIME, TEST), "utf-8")
        runtime, test = extras("extras"), extras("test-extras")
        all_of_it = compiled("pyproject.toml", *runtime, *test, "--constraint", str(kept))
        whole.write_text(re.sub(r"(?m)^    #.*\n", "", all_of_it), "utf-8")
        some = compiled("pyproject.toml", *runtime, "--constraint", str(whole))
        some = widened(some, all_of_it)
    have = set(re.findall(r"(?m)^\w.*==.*$", some))
    beyond = [block for block in blocks(all_of_it) if block.partition("\n")[0] not in have]
    write(RUNTIME, re.sub(r"(?m)^    #   -c .*\n", "", some))
    write(TEST, re.sub(r"(?m)^    #   -c .*\n", "", "".join(beyond)))
    write(UV, compiled("-", text="uv\n" if "--upgrade" in sys.argv else versions(UV) or "uv\n"))


if __name__ == "__main__":
    main()
