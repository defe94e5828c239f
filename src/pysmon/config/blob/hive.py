"""Finds Sysmon's rules in the registry of a machine that need not run: a hive file and its Sysmon `Rules` values.

The driver's key is not looked for by its name, which an installation may choose, but by what its value holds. Needs
the package `regipy` (extra `registry`).
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pysmon.config.blob.hive_log import is_unfinished, patched, replayed
from pysmon.config.blob.layout import HEADER, HEADER_SIZE
from pysmon.config.model import Options
from pysmon.config.options import HASHES
from pysmon.errors import PysmonError, RecordError

MAGIC = b"regf"  # how a hive begins

_SEVERAL = 0x8000_0000  # of HashingAlgorithm: the rest is a mask, not the number of one
_ROUTES = (  # from the root to the key with the value: of the whole SYSTEM hive, and of parts of it that were saved
    ("ControlSet", "Services", "", "Parameters"),
    ("Services", "", "Parameters"),
    ("", "Parameters"),
    ("Parameters",),
    (),
)


@dataclass(frozen=True, slots=True)
class StoredRules:
    """One `Rules` value, and what stands beside it."""

    key: str  # its path in the hive: `ControlSet001\\Services\\SysmonDrv\\Parameters`
    current: bool  # whether the machine was running with it: what `Select` calls the current control set
    data: bytes
    settings: Mapping[str, str | int | bytes]  # the other values of the key, by name
    remark: str = ""  # what has to be known of the hive that they come from

    @property
    def driver(self) -> str:
        """The name that the driver has; "" if the hive does not tell."""
        parts = self.key.split("\\")
        return parts[-2] if len(parts) > 1 else ""

    def options(self) -> Options:
        """The options of the configuration that the key tells of."""
        options = Options()
        hashes = self.settings.get("HashingAlgorithm")
        if isinstance(hashes, int):
            options = replace(options, hash_algorithms=_hashes(hashes))
        sizes, archive = self.settings.get("FieldSizes"), self.settings.get("ArchiveDirectory")
        if isinstance(sizes, str):
            options = replace(options, field_sizes=_sizes(sizes))
        if isinstance(archive, str) and archive.strip("\\"):
            options = replace(options, archive_directory=archive.strip("\\"))
        revocation, lookup = _switch(self.settings.get("CheckRevocation")), _switch(self.settings.get("DnsLookup"))
        return replace(options, check_revocation=revocation, dns_lookup=lookup)


class NoReaderError(PysmonError):
    """The package that reads hives is not installed."""


def find_rules(path: Path) -> list[StoredRules]:
    """All Sysmon rules in a hive, those of the current control set first; with what its transaction logs have for it.

    NoReaderError without `regipy`, OSError if the file cannot be read, RecordError if it is no hive.
    """
    logs = [each for each in sorted(path.parent.iterdir()) if each.name.lower() in _logs_of(path) and each.is_file()]
    return rules_of_hive(path.read_bytes(), str(path), {log.name: log.read_bytes() for log in logs})


def rules_of_hive(hive: bytes, file: str, logs: Mapping[str, bytes] | None = None) -> list[StoredRules]:
    """The same of the bytes of a hive and of its logs, by name."""
    try:
        registry = importlib.import_module("regipy.registry")
    except ImportError as error:
        message = "reading a registry hive needs the package regipy"
        raise NoReaderError(message, hint="pip install 'pysmon[registry]'") from error
    hive, remark = _finished(hive, logs or {})
    with TemporaryDirectory(prefix="pysmon-") as folder:  # its reader takes names of files only
        copy = Path(folder, "hive")
        copy.write_bytes(hive)
        try:
            root = registry.RegistryHive(str(copy)).root
            found = [each for route in _ROUTES for each in _rules(root, route, _current(root))]
        except OSError:
            raise
        except Exception as error:  # the file is a stranger's: whatever its reader stumbles over, it is no good hive
            raise RecordError(f"{file} is no registry hive that can be read: {error}") from error
    return [replace(each, remark=remark) for each in sorted(found, key=lambda each: not each.current)]


def _finished(hive: bytes, logs: Mapping[str, bytes]) -> tuple[bytes, str]:
    """A hive with what its logs have for it, and what is to be said of that."""
    if not is_unfinished(hive):
        return hive, ""
    names = ", ".join(logs)
    for apply, parts in ((replayed, "entries"), (patched, "pages")):
        made, count = apply(hive, logs.values())
        if count:
            return made, f"{names}: applied {count} {parts} of changes that the hive did not have yet"
    what = f"{names} have nothing that fits" if logs else "its logs (.LOG1, .LOG2) are not beside it"
    return hive, f"the hive was not written to its end, and {what}: the latest changes may be missing"


def _logs_of(path: Path) -> tuple[str, ...]:
    return tuple(f"{path.name}.{ending}".lower() for ending in ("LOG", "LOG1", "LOG2"))


def _rules(root: Any, route: tuple[str, ...], current: str) -> Iterator[StoredRules]:
    for names, key in _keys(root, route, ()):
        values = {value.name: value.value for value in key.iter_values(trim_values=False)}
        data = values.pop("Rules", None)
        if isinstance(data, bytes) and is_sysmons(data):
            is_current = len(route) < len(_ROUTES[0]) or names[0].lower() == current
            yield StoredRules("\\".join(names), is_current, data, values)


def _keys(key: Any, route: tuple[str, ...], names: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if not route:
        yield names, key
        return
    for child in list(key.iter_subkeys()):
        if child.name.lower() == route[0].lower() or not route[0] or (not names and _is_set(child.name, route[0])):
            yield from _keys(child, route[1:], (*names, child.name))


def _is_set(name: str, wanted: str) -> bool:
    return wanted == "ControlSet" and name.lower().startswith("controlset") and name[10:].isdigit()


def is_sysmons(data: bytes) -> bool:
    """Whether a value begins as binary rules do."""
    return len(data) >= HEADER.size and data[HEADER_SIZE : HEADER_SIZE + 4] == HEADER.size.to_bytes(4, "little")


def _current(root: Any) -> str:
    for _, key in _keys(root, ("Select",), ()):
        for value in key.iter_values(trim_values=False):
            if value.name == "Current" and isinstance(value.value, int):
                return f"controlset{value.value:03}"
    return "controlset001"


def _hashes(value: int) -> tuple[str, ...]:
    if not value & _SEVERAL:
        return HASHES[value - 1 : value] if value else ()
    return tuple(name for number, name in enumerate(HASHES) if value >> number & 1)


def _sizes(value: str) -> dict[str, int]:
    entries = (entry.partition(":") for entry in value.split(","))
    return {name: int(size) for name, _, size in entries if name.isascii() and name.isalnum() and size.isdecimal()}


def _switch(value: str | int | bytes | None) -> bool | None:
    if isinstance(value, bytes):
        return any(value) if value else None
    return bool(value) if isinstance(value, int) else None
