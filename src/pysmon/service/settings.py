"""The settings of the service (pysmon.toml): where events go, how much may wait. What to keep is Sysmon's own XML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pysmon.errors import MisuseError
from pysmon.formats.quantity import size_of
from pysmon.host.archive import QUOTA
from pysmon.service.paths import Paths

_SYSLOG = Path("/dev/log")
_TABLES = {"files", "queue", "output"}


@dataclass(frozen=True, slots=True)
class Queue:
    """How much may wait for an output that is slow or away."""

    entries: int = 20_000  # in memory
    bytes: int = 32 << 20  # in memory, about
    spill: int = 256 << 20  # on the disk; beyond that entries are lost, and counted


@dataclass(frozen=True, slots=True)
class FileSettings:
    """Of files that are written and removed."""

    mounts: tuple[Path, ...] | None = None  # watch the file systems of these alone; None: all local ones
    archive: int = QUOTA  # bytes of the archive of deleted files; 0: there is none


@dataclass(frozen=True, slots=True)
class Output:
    """One `[[output]]`: its type, and the options that the type knows."""

    type: str
    options: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings. Without a file there is an event log, and syslog where the machine has it."""

    outputs: tuple[Output, ...]
    queue: Queue = Queue()
    files: FileSettings = FileSettings()


def read_settings(paths: Paths) -> Settings:
    """Read them; a missing file means the defaults. MisuseError tells what is wrong, and where."""
    try:
        text = paths.settings.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Settings(default_outputs(paths))
    except (OSError, ValueError) as error:
        raise MisuseError(f"{paths.settings}: {error}") from error
    import tomllib  # not needed where there is no such file

    try:
        tables = tomllib.loads(text)
    except ValueError as error:
        raise MisuseError(f"{paths.settings}: {error}") from error
    where = str(paths.settings)
    unknown = sorted(tables.keys() - _TABLES)
    if unknown:
        raise MisuseError(f"{where}: {unknown[0]!r} is not known", hint=f"there are: {', '.join(sorted(_TABLES))}")
    outputs = _outputs(where, tables["output"], paths) if "output" in tables else default_outputs(paths)
    return Settings(outputs, _queue(where, tables.get("queue", {})), _files(where, tables.get("files", {})))


def default_outputs(paths: Paths) -> tuple[Output, ...]:
    """The event log, and syslog as Sysmon for Linux writes it, if this machine has it."""
    log = Output("store", {"path": str(paths.store)})
    return (log, Output("syslog")) if _SYSLOG.exists() else (log,)


def _queue(where: str, table: object) -> Queue:
    if not isinstance(table, dict):
        raise MisuseError(f"{where}: queue is a table: [queue]")
    values: dict[str, int] = {}
    for name, given in table.items():
        place = f"{where}: queue.{name}"
        if name not in Queue.__slots__:
            raise MisuseError(f"{place} is not known", hint=f"there are: {', '.join(Queue.__slots__)}")
        try:
            values[name] = size_of(str(given)) if name != "entries" or type(given) is int else -1
        except ValueError as error:
            raise MisuseError(f"{place}: {error}") from error
        if values[name] < (0 if name == "spill" else 1):
            raise MisuseError(f"{place} is {given!r} (expected a number above 0)")
    return Queue(**values)


def _files(where: str, table: object) -> FileSettings:
    if not isinstance(table, dict):
        raise MisuseError(f"{where}: files is a table: [files]")
    if unknown := sorted(table.keys() - set(FileSettings.__slots__)):
        raise MisuseError(
            f"{where}: files.{unknown[0]} is not known", hint=f"there are: {', '.join(FileSettings.__slots__)}"
        )
    mounts, archive = table.get("mounts"), table.get("archive", QUOTA)
    named = mounts is None or (isinstance(mounts, list) and all(isinstance(m, str) and m[:1] == "/" for m in mounts))
    if not named:
        raise MisuseError(f"{where}: files.mounts is a list of absolute paths")
    try:
        size = size_of(str(archive))
    except ValueError as error:
        raise MisuseError(f"{where}: files.archive: {error}") from error
    return FileSettings(None if mounts is None else tuple(map(Path, mounts)), size)


def _outputs(where: str, tables: Any, paths: Paths) -> tuple[Output, ...]:
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise MisuseError(f"{where}: outputs are tables of a list: [[output]]")
    return tuple(_output(f"{where}: output {number}", table, paths) for number, table in enumerate(tables, 1))


def _output(place: str, table: Mapping[str, object], paths: Paths) -> Output:
    kind = table.get("type")
    if not isinstance(kind, str):
        raise MisuseError(f'{place} has no type (expected for example type = "syslog")')
    options = {name: value for name, value in table.items() if name != "type"}
    own = {"store": paths.store, "followers": paths.events}
    if kind in own:
        options.setdefault("path", str(own[kind]))
    return Output(kind, options)
