"""Tests of the trail and of the engine run on both stores: a file of SQLite's, and PostgreSQL.

Each of them is there a second time, named `…@postgres`, and opens its collections on a server of
this process's. A name without that runs on SQLite alone, so that what quotes tests stays as it is.
What is about SQLite itself is in the table below, each with its reason, and counted at the end.
"""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import postgres
import pytest

SUFFIX = "@postgres"
ROOMS = ("audit", "engine")
_FILE_ITSELF = "it damages, copies or removes the file of the database"
_ANEW = "what is on a server is brought back from its backup, and not made anew"
_OLDER = "older formats were never on a server"
_TYPES = "SQLite lets any cell hold anything; a server has types"
# Files, and tests by their names, that ask for SQLite itself: why.
ONLY_SQLITE = {
    "test_query_plans.py": "plans are SQLite's",
    "test_moving_trail.py": "it has both itself",
    "test_trail_on_server.py": "it is about the server itself",
    "test_shared_folder.py": "it is about the server itself",
    "test_taken_over.py": "it is about the server itself",
    "test_connecting.py": "it is about SQLite's own connections",
    "test_before_names.py": _OLDER,
    "test_format_7.py": _OLDER,
    "test_format_8.py": _OLDER,
    "test_segments.py": _FILE_ITSELF,
    "test_rows.py": _TYPES,
    "test_merged_homes.py": "a home on a server is not merged",
    "test_an_older_format_is_brought_up_with_everything_in_it": _OLDER,
    "test_an_older_format_is_read_and_stays_as_it_is": _OLDER,
    "test_the_database_in_use_is_told": "it is SQLite's version",
    "test_more_images_are_asked_about_than_a_statement_takes_values": "the limit is SQLite's",
    "test_a_run_in_a_database_made_anew_is_the_same": _ANEW,
    "test_a_reject_leaves_the_image_where_copies_are_made": _ANEW,
    "test_what_is_old_is_packed_and_all_of_it_told_as_before": _ANEW,
    "test_a_lost_database_knows_copies_and_slots_again": _FILE_ITSELF,
}
KEPT_BACK: list[str] = []


def is_on_server(item: pytest.Item) -> bool:
    """Whether a test is the one on PostgreSQL."""
    return item.name.endswith(SUFFIX)


def doubled(collector: pytest.Collector, made: Any) -> Any:
    """Return the tests that were made of a function, and each again for PostgreSQL."""
    if collector.path.parent.name not in ROOMS or not isinstance(made, list):
        return made
    items = [each for each in made if isinstance(each, pytest.Function)]
    return [*made, *(_again(each) for each in items if _is_for_both(each))]


def _is_for_both(item: pytest.Function) -> bool:
    names = (item.path.name, item.originalname)
    reasons = [ONLY_SQLITE[name] for name in names if name in ONLY_SQLITE]
    KEPT_BACK.extend(f"{item.nodeid}\t{reason}" for reason in reasons[:1])
    return not reasons


def _again(item: pytest.Function) -> pytest.Function:
    return pytest.Function.from_parent(
        item.parent,
        name=item.name + SUFFIX,
        callspec=getattr(item, "callspec", None),
        fixtureinfo=item._fixtureinfo,  # noqa: SLF001  (as pytest makes its own)
        originalname=item.originalname,
    )


def summarise(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests are of SQLite alone."""
    reasons = Counter(each.partition("\t")[2] for each in set(KEPT_BACK))  # each worker has all
    if reasons:
        terminalreporter.section("tests of the trail and the engine on SQLite alone")
        for reason, number in sorted(reasons.items()):
            terminalreporter.write_line(f"{number}, since {reason}")


@contextmanager
def named(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let a test's collections be where it says; leave nothing of them on the server."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("CROPKIT_TRAIL", raising=False)
        if not is_on_server(request.node):
            yield
            return
        place = request.getfixturevalue("tmp_path")  # it outlives this
        patch.setenv("CROPKIT_TRAIL", postgres.url())
        yield
        _drop_all(place)


def _drop_all(place: Path) -> None:
    schemas = [_schema(path) for path in place.rglob(".cropkit*/trail.json")]
    if schemas:
        with closing(_connected()) as db:
            for schema in schemas:
                db.execute(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE'.encode())


def is_there(folder: Path) -> bool:
    """Whether a collection has its trail on the server."""
    return (folder / ".cropkit" / "trail.json").exists()


def connected(folder: Path) -> Any:
    """Return a connection of psycopg's to where the trail of a collection is."""
    from psycopg.rows import dict_row  # noqa: PLC0415  (only where there is a server)

    record = json.loads((folder / ".cropkit" / "trail.json").read_bytes())
    db = _connected(row_factory=dict_row, dbname=record["database"])
    db.execute(f'SET search_path TO "{record["schema"]}"'.encode())
    return db


def _connected(**how: Any) -> Any:
    import psycopg  # noqa: PLC0415  (as above)

    return psycopg.connect(postgres.url(), autocommit=True, **how)


def _schema(path: Path) -> str:
    return str(json.loads(path.read_bytes())["schema"])
