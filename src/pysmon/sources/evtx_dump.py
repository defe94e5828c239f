"""The JSON of evtx_dump and of what is built on it: `{"Event": {"System": {...}, "EventData": {...}}}`."""

from __future__ import annotations

from typing import Any

from pysmon.sources.found import Found
from pysmon.sources.parts import ATTRIBUTES, Row, fields_of, part, plain


def evtx_dump(row: Row) -> Found | None:
    """What an object in that shape says; attributes lie in `#attributes` or beside it in `..._attributes`."""
    system = part(row, "Event", "System")
    if not system:
        return None
    execution = _attributes(system, "Execution")
    security = _attributes(system, "Security")
    return Found(
        str(_attributes(system, "Provider").get("Name", "")),
        str(system.get("Channel") or ""),
        plain(system.get("EventID")),
        fields_of(part(row, "Event", "EventData")),
        created=_attributes(system, "TimeCreated").get("SystemTime"),
        record_id=system.get("EventRecordID"),
        computer=system.get("Computer"),
        process_id=execution.get("ProcessID"),
        thread_id=execution.get("ThreadID"),
        user=security.get("UserID", security.get("UserId")),
        version=system.get("Version"),
    )


def _attributes(system: Row, name: str) -> dict[str, Any]:
    element = part(system, name)
    return (
        part(element, ATTRIBUTES) or part(system, f"{name}_attributes") or {k.lstrip("@"): element[k] for k in element}
    )
