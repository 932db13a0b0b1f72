"""``python3 -m cropkit``: in a fresh clone too, where it first makes its own environment.

This file and ``cropkit/__init__.py`` are kept readable by Python 3.8, so that a Python that is too
old is told so in words and not by a syntax error.
"""

from __future__ import annotations

import atexit
import gc
import sys

LOADED = 150_000  # objects: more than a command loads, and what it loads is no garbage
OLDEST = (3, 11)
HELP = frozenset({"-h", "--help", "--version"})


def main(argv: list[str] | None = None) -> int:
    """Run one command, in an environment that can; return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if tuple(sys.version_info[:2]) < OLDEST:
        sys.stderr.write(wrong_python())
        return 2
    if arguments[:1] != ["test"] and (not arguments or HELP.intersection(arguments)):
        answered = answer_without_setup(arguments)
        if answered is not None:
            return answered
    return run(arguments)


def wrong_python() -> str:
    """Say which Python this is, and which would do."""
    wanted = "{}.{} or newer".format(*OLDEST)
    return (
        f"cropkit: needs Python {wanted}; this is {sys.version.split()[0]} ({sys.executable}). "
        "Call it with another one, for example: python3.12 -m cropkit\n"
    )


def answer_without_setup(arguments: list[str]) -> int | None:
    """Show help from the bare interpreter; None when that needs a package not yet there."""
    try:
        from cropkit.cli import main as command_line  # noqa: PLC0415  (not readable by Python 3.8)

        return command_line(arguments)
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] == "cropkit":
            raise
        return None


def run(arguments: list[str]) -> int:
    """Run a command, after set-up where that is needed."""
    collect_late()
    from cropkit import bootstrap  # noqa: PLC0415  (not readable by Python 3.8)

    if arguments[:1] == ["test"]:
        from cropkit.bootstrap import selftest  # noqa: PLC0415  (for this command only)

        answered = selftest.answer_without_setup(arguments[1:])
        if answered is not None:
            return answered
    try:
        bootstrap.ensure(arguments)
    except bootstrap.SetupFailed as failure:
        sys.stderr.write(f"cropkit: {failure}\n")
        return 1
    if arguments[:1] == ["test"]:
        return selftest.run(arguments[1:])
    from cropkit.cli import main as command_line  # noqa: PLC0415  (its packages are there only now)

    return command_line(arguments)


def collect_late() -> None:
    """Have garbage looked for when there are more objects than are loaded, and then as ever.

    Else all that has been loaded is looked through while more is, and once more at the end: a
    tenth of a short command. What is left at the end goes with the process.
    """
    usual = gc.get_threshold()

    def first(_phase: str, _figures: dict[str, int]) -> None:
        gc.callbacks.remove(first)
        gc.set_threshold(*usual)

    gc.callbacks.append(first)
    gc.set_threshold(LOADED, *usual[1:])
    atexit.register(gc.freeze)


if __name__ == "__main__":
    sys.exit(main())
