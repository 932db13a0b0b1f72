"""Install locks into a new environment, by uv or by whichever pip there is."""

from collections.abc import Sequence
from pathlib import Path

from cropkit.bootstrap.child import base_python, follow, home_is_writable
from cropkit.bootstrap.clone import Clone, Environment
from cropkit.bootstrap.installers import installers
from cropkit.bootstrap.progress import Progress
from cropkit.bootstrap.report import SetupFailed, say

PACKAGES = "lib/python*/site-packages/*.dist-info"


def install(
    clone: Clone, environment: Environment, locks: Sequence[Path], held: Sequence[int]
) -> None:
    """Install the locks by the first installer that succeeds.

    An installer outlives this process when that is killed: the descriptors in `held` go to it, and
    with them the lock on building.
    """
    failure = ""
    if not home_is_writable():
        say("HOME takes no files: what is downloaded is not kept for another time")
    for installer in installers(clone, environment, locks, held):
        progress = Progress(installer.name, environment.folder, PACKAGES, locks)
        ended, output = follow(installer, held, progress)
        if ended == 0:
            return
        failure = f"{installer.name} ended with {ended}:\n{output}"
        say(failure)
    if failure:
        raise SetupFailed(
            f"the packages of {' and '.join(lock.name for lock in locks)} could not be installed "
            "(see above). Is the package index reachable? The next run begins again"
        )
    raise SetupFailed(
        f"no pip for {base_python()}, and no uv. On Debian or Ubuntu: "
        "apt install python3-pip (or python3-venv); then run this again"
    )
