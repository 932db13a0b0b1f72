"""The files that say what alerts are about and where they go, and whether a person approved one.

A collection may come from an enemy. Its own `alerts.toml` is read for limits alone, until this
person has approved exactly these bytes under exactly this path.
"""

import hashlib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from cropkit.errors import BadConfiguration, ForeignState
from cropkit.names import escaped
from cropkit.system import personal_state, toml_text
from cropkit.system.home import ALERTS
from cropkit.system.state_folder import is_acceptable, reader

MOST_SINKS = 20
_APPROVED = "approved-alerts"
Table = dict[str, Any]


@dataclass(frozen=True, slots=True)
class LimitName:
    """A limit of `alerts.toml`: its field in `Limits`, its unit, and the most that counts."""

    field: str
    unit: timedelta
    most: float


LIMITS: Mapping[str, LimitName] = {
    "idle_days": LimitName("idle", timedelta(days=1), 36_500.0),
    "hang_minutes": LimitName("hang", timedelta(minutes=1), 1_000_000.0),
}


@dataclass(frozen=True, slots=True)
class AlertsFile:
    """A file as it was read, once: what is shown, approved and used are the same bytes.

    Parameters
    ----------
    trusted : it is the person's own
    """

    path: Path
    data: bytes
    table: Table
    trusted: bool = False

    @property
    def sha256(self) -> str:
        """What an approval names."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def unknown(self) -> list[str]:
        """What it says that nobody understands."""
        return sorted(self.table.keys() - {*LIMITS, "sink"})

    @property
    def names_sinks(self) -> bool:
        """Whether it says where alerts go, and not only what they are about."""
        return bool(self.table.get("sink"))


def of_collection(folder: Path) -> AlertsFile | None:
    """Read the collection's own file; None where there is none, or the state is not opened.

    Raises
    ------
    BadConfiguration
        It is too large, or no TOML.
    """
    if not is_acceptable(folder):
        return None
    path = folder / ALERTS
    try:
        with reader(path) as file:
            data = file.read(toml_text.LARGEST + 1)
    except FileNotFoundError:
        return None
    except (OSError, ForeignState) as error:
        raise BadConfiguration(path, error) from error
    return AlertsFile(path, data, _parsed(path, data))


def of_person(environment: Mapping[str, str]) -> AlertsFile | None:
    """Read the person's file, which may be a link to where they keep such files.

    Raises
    ------
    BadConfiguration
        Others may write to it, it is too large, or no TOML.
    """
    above = personal_state.configuration_folder(environment)
    if above is None:
        return None
    path = above / Path(ALERTS).name
    try:
        with path.open("rb") as file:
            _check_owner(path, os.fstat(file.fileno()))
            data = file.read(toml_text.LARGEST + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BadConfiguration(path, error.strerror or error) from error
    return AlertsFile(path, data, _parsed(path, data), trusted=True)


def _check_owner(path: Path, status: os.stat_result) -> None:
    if status.st_uid not in (os.geteuid(), 0):
        raise BadConfiguration(path, f"not used: it belongs to user {status.st_uid}")
    if status.st_mode & stat.S_IWOTH:
        raise BadConfiguration(path, "not used: everybody may write to it")


def _parsed(path: Path, data: bytes) -> Table:
    try:
        table = toml_text.parsed(data)
    except ValueError as error:
        raise BadConfiguration(path, f"not used: {error}") from error
    sinks = table.get("sink", [])
    if not isinstance(sinks, list):
        raise BadConfiguration(path, "sink is not a list: write [[sink]]")
    if len(sinks) > MOST_SINKS:
        raise BadConfiguration(path, f"not used: more than {MOST_SINKS} sinks")
    return table


def is_approved(file: AlertsFile, environment: Mapping[str, str] | None = None) -> bool:
    """Whether this person approved these bytes under this path.

    Raises
    ------
    PersonalStateUnusable
        What they approved cannot be read.
    """
    approved = personal_state.read(_APPROVED, environment)
    return approved.get(_key(file.path)) == file.sha256


def approve(file: AlertsFile, environment: Mapping[str, str] | None = None) -> None:
    """Keep that this person approved these bytes under this path.

    Raises
    ------
    PersonalStateUnusable
        It is not kept.
    """
    with personal_state.changing(_APPROVED, environment) as approved:
        approved[_key(file.path)] = file.sha256


def revoke(folder: Path, environment: Mapping[str, str] | None = None) -> bool:
    """Take the approval of a collection's file back; return whether there was one.

    Raises
    ------
    PersonalStateUnusable
        It may stand still.
    """
    key = _key(folder / ALERTS)
    if key not in personal_state.read(_APPROVED, environment):
        return False
    with personal_state.changing(_APPROVED, environment) as approved:
        return approved.pop(key, None) is not None


def _key(path: Path) -> str:
    return escaped(str(path.parent.parent.resolve() / path.relative_to(path.parent.parent)))
