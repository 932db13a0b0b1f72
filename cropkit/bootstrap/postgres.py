"""The PostgreSQL of the tests: one that is there, else Debian's, installed without a cluster."""

import os
import shutil
from pathlib import Path

from cropkit.bootstrap.report import say
from cropkit.bootstrap.selftest import install_from_debian, starts

VARIABLE = "CROPKIT_TEST_POSTGRES"
"""The URL of a database to use instead of a server that is started for the tests."""

PACKAGE = "postgresql"
PROGRAMS = ("initdb", "postgres")
OF_DEBIAN = Path("/usr/lib/postgresql")
# What Debian's package reads before it makes, and starts, a cluster for everybody.
NO_CLUSTER = Path("/etc/postgresql-common/createcluster.d/cropkit-tests.conf")


def provide() -> bool:
    """Find or install a PostgreSQL that tests can start; say which, or that there is none."""
    if os.environ.get(VARIABLE):
        say(f"tests of the trail on PostgreSQL use the database of {VARIABLE}")
        return True
    found = programs() or (programs() if installed() else None)
    if found is None:
        lack = "no PostgreSQL, so the tests of a trail on one are skipped"
        say(f"NOT TRIED: {lack} (Debian: {PACKAGE}; or {VARIABLE}=URL)")
        return False
    say(f"tests of the trail on PostgreSQL start {found / 'postgres'}")
    return True


def programs() -> Path | None:
    """Find the folder of a PostgreSQL's programs: on PATH, else Debian's newest."""
    on_path = shutil.which("postgres")
    versions = [each for each in OF_DEBIAN.glob("*/bin") if each.parent.name.isdecimal()]
    newest = sorted(versions, key=lambda each: int(each.parent.name), reverse=True)
    places = [Path(on_path).resolve().parent] if on_path else []
    return next((each for each in (*places, *newest) if _has_all(each)), None)


def installed() -> bool:
    """Install Debian's PostgreSQL where we may, without the cluster that its package would start.

    Its own setting says so, and is taken back: whoever installs another version has their cluster.
    """
    if os.geteuid() != 0 or shutil.which("apt-get") is None or NO_CLUSTER.exists():
        return install_from_debian(PACKAGE)
    NO_CLUSTER.parent.mkdir(parents=True, exist_ok=True)
    NO_CLUSTER.write_text("create_main_cluster = false\n", "utf-8")
    try:
        return install_from_debian(PACKAGE)
    finally:
        NO_CLUSTER.unlink()


def _has_all(folder: Path) -> bool:
    return all(starts(str(folder / program)) for program in PROGRAMS)
