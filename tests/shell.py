"""The shell's commands, run in this process: their exit code and what they print.

A process of its own takes a second to start, which is another second for each command of each test.
What depends on a process (signals, a closed pipe, a terminal's encoding) is tried in one.
"""

from contextlib import chdir, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from subprocess import CompletedProcess

from cropkit.cli import main


def run(*arguments: str | Path, folder: Path | None = None) -> CompletedProcess[str]:
    """Run one command, in a working folder."""
    words, out, err = [str(each) for each in arguments], StringIO(), StringIO()
    with chdir(folder or Path.cwd()), redirect_stdout(out), redirect_stderr(err):
        try:
            code = main(words)
        except SystemExit as ended:  # argparse's way to end
            code = int(ended.code or 0)
    return CompletedProcess(words, code, out.getvalue(), err.getvalue())
