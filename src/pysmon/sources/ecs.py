"""Fields of the Elastic Common Schema back into Sysmon's, as far as the ingest pipeline lets them be known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pysmon.sources.parts import Row

_ANY = {
    "rule.name": "RuleName",
    "process.entity_id": "ProcessGuid",
    "process.pid": "ProcessId",
    "process.executable": "Image",
    "process.command_line": "CommandLine",
    "process.working_directory": "CurrentDirectory",
    "process.parent.entity_id": "ParentProcessGuid",
    "process.parent.pid": "ParentProcessId",
    "process.parent.executable": "ParentImage",
    "process.parent.command_line": "ParentCommandLine",
    "network.transport": "Protocol",
    "source.ip": "SourceIp",
    "source.port": "SourcePort",
    "source.domain": "SourceHostname",
    "destination.ip": "DestinationIp",
    "destination.port": "DestinationPort",
    "destination.domain": "DestinationHostname",
    "dns.question.name": "QueryName",
    "registry.path": "TargetObject",
    "file.path": "TargetFilename",
    "file.code_signature.subject_name": "Signature",
    "file.code_signature.status": "SignatureStatus",
    "file.code_signature.signed": "Signed",
    "sysmon.file.archived": "Archived",
    "sysmon.file.is_executable": "IsExecutable",
    "sysmon.dns.status": "QueryStatus",
}
_SOURCE = {  # of what reaches into another process
    "process.entity_id": "SourceProcessGuid",
    "process.pid": "SourceProcessId",
    "process.executable": "SourceImage",
    "process.thread.id": "SourceThreadId",
}
_LOADED = {"file.path": "ImageLoaded"}
_PIPE = {"file.name": "PipeName", "file.path": "PipeName"}
_ONLY: Mapping[int, Mapping[str, str]] = {
    6: _LOADED,
    7: _LOADED,
    8: _SOURCE,
    10: _SOURCE,
    17: _PIPE,
    18: _PIPE,
}
_VERSIONS = {
    "file_version": "FileVersion",
    "description": "Description",
    "product": "Product",
    "company": "Company",
    "original_file_name": "OriginalFileName",
}
_HASHES = ("sha1", "md5", "sha256", "imphash")  # in Sysmon's order


def from_ecs(row: Row, event_id: int) -> dict[str, Any]:
    """Sysmon's fields, those that can be told."""
    table = {**_ANY, **_ONLY.get(event_id, {})}
    found = {name: value for path, name in table.items() if (value := _at(row, path)) is not None}
    if "UtcTime" not in found and isinstance(time := row.get("@timestamp"), str):  # the pipeline took it from there
        found["UtcTime"] = time.replace("T", " ").rstrip("Z")
    thing = "process" if event_id == 1 else "file"
    for key, name in _VERSIONS.items():
        if event_id in (1, 7) and (value := _at(row, f"{thing}.pe.{key}")) is not None:
            found[name] = value
    hashes = [f"{h.upper()}={value.upper()}" for h in _HASHES if isinstance(value := _hash(row, thing, h), str)]
    if hashes:
        found["Hash" if event_id == 15 else "Hashes"] = ",".join(hashes)
    if (user := _user(row)) is not None:
        found["User"] = user
    direction = _at(row, "network.direction")
    if direction is not None:
        found["Initiated"] = direction in ("egress", "outbound")
    data = _at(row, "registry.data.strings")
    if data is not None:
        found["Details"] = data[0] if isinstance(data, list) and data else data
    return found


def _hash(row: Row, thing: str, name: str) -> object:
    return _at(row, f"{thing}.hash.{name}") or (_at(row, f"{thing}.pe.{name}") if name == "imphash" else None)


def _user(row: Row) -> str | None:
    name, domain = _at(row, "user.name"), _at(row, "user.domain")
    if name is None:
        return None
    return f"{domain}\\{name}" if domain else str(name)


def _at(row: object, path: str) -> Any:
    """The value at a path; objects may be nested or have dotted names."""
    if isinstance(row, dict):
        if path in row:
            return row[path]
        name, _, rest = path.partition(".")
        if rest and name in row:
            return _at(row[name], rest)
    return None
