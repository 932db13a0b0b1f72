"""Put together what `alerts.toml` files say: which sinks there are, and the limits.

Limits come from the collection's own file, `FOLDER/.cropkit/alerts.toml`, before the person's,
`~/.config/cropkit/alerts.toml`. Sinks come from the person's, or from the collection's own where
this person has approved it: a collection may come from somebody else.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cropkit.errors import BadConfiguration, CropkitError
from cropkit.monitor.delivery import alerts_file
from cropkit.monitor.delivery.alerts_file import LIMITS, AlertsFile
from cropkit.monitor.delivery.sink_table import SinkTable, number_above_0
from cropkit.monitor.delivery.sinks import LogFile, Sink
from cropkit.monitor.health import Alert, Limits
from cropkit.system.home import LOG
from cropkit.system.state_folder import is_acceptable


@dataclass(frozen=True, slots=True)
class Configuration:
    """What is in force for a collection, and where it was read.

    Parameters
    ----------
    sinks_from, limits_from : None where nothing is configured
    problems : what could not be used, one for each cause; all else is used
    """

    sinks: tuple[Sink, ...]
    limits: Limits = field(default_factory=Limits)
    sinks_from: Path | None = None
    limits_from: Path | None = None
    problems: tuple[Alert, ...] = ()


def configured(
    folder: Path, session: str, environment: Mapping[str, str] | None = None
) -> Configuration:
    """Return what is configured for a collection; without a file, its log alone."""
    env = os.environ if environment is None else environment
    reading = _Reading(folder, env, _log_of(folder, session))
    return reading.configuration()


def _log_of(folder: Path, session: str) -> tuple[Sink, ...]:
    """Return the collection's log; nothing where there is no collection."""
    return (LogFile(folder / LOG, session),) if is_acceptable(folder) else ()


def _listed(file: AlertsFile) -> str:
    return ", ".join(file.unknown)


@dataclass(frozen=True, slots=True)
class _Reading:
    """Reads both files; what cannot be used is a problem, and the rest is used."""

    folder: Path
    env: Mapping[str, str]
    log: tuple[Sink, ...]
    problems: list[Alert] = field(default_factory=list)

    def configuration(self) -> Configuration:
        collections = self._file(lambda: alerts_file.of_collection(self.folder))
        persons = self._file(lambda: alerts_file.of_person(self.env))
        limits, limits_from = self._limits([file for file in (collections, persons) if file])
        trusted = (file for file in (collections, persons) if file and self._is_trusted(file))
        source = next(trusted, None)
        sinks = self._sinks(source) if source else self.log
        return Configuration(
            sinks, limits, source.path if source else None, limits_from, tuple(self.problems)
        )

    def _file(self, read: Callable[[], AlertsFile | None]) -> AlertsFile | None:
        try:
            file = read()
        except CropkitError as error:
            self._complain(error)
            return None
        if file and file.unknown:
            self._complain(BadConfiguration(file.path, f"nothing is called {_listed(file)}"))
        return file

    def _is_trusted(self, file: AlertsFile) -> bool:
        if file.trusted or not file.names_sinks:
            return file.trusted and file.names_sinks
        try:
            approved = alerts_file.is_approved(file, self.env)
        except CropkitError as error:
            self._complain(error)
            approved = False
        if not approved:
            words = f"alerts.toml of the collection names sinks and is not approved: {file.path}"
            self.problems.append(Alert("unapproved", str(self.folder), words))
        return approved

    def _limits(self, files: Sequence[AlertsFile]) -> tuple[Limits, Path | None]:
        chosen: dict[str, Any] = {}
        limits_from = None
        for name, limit in LIMITS.items():
            number, path = self._limit(files, name)
            if number is not None:
                chosen[limit.field] = min(number, limit.most) * limit.unit
            limits_from = limits_from or path
        return Limits(**chosen), limits_from

    def _limit(self, files: Sequence[AlertsFile], name: str) -> tuple[float | None, Path | None]:
        for file in files:
            if name in file.table:
                try:
                    return number_above_0(file.table[name], name), file.path
                except ValueError as error:
                    self._complain(BadConfiguration(file.path, error))
        return None, None

    def _sinks(self, file: AlertsFile) -> tuple[Sink, ...]:
        reader = SinkTable(file.path, self.env, self.log)
        sinks: list[Sink] = []
        for number, table in enumerate(file.table.get("sink", ()), 1):
            try:
                sinks += reader.read(number, table)
            except BadConfiguration as error:
                self._complain(error)
        return tuple(sinks) or self.log

    def _complain(self, error: CropkitError) -> None:
        self.problems.append(Alert("configuration", str(self.folder), str(error)))
