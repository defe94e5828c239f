"""The JSON of Velociraptor: `System` and `EventData` side by side, or what its artifact SysmonLogForward sends."""

from __future__ import annotations

from pysmon.sources.found import Found
from pysmon.sources.origins import CHANNEL, PROVIDER
from pysmon.sources.parts import Row, fields_of, part, plain


def velociraptor(row: Row) -> Found | None:
    """What an object in one of the two shapes says. Times are seconds since 1970, hex numbers may be numbers."""
    system, data = part(row, "System"), row.get("EventData")
    if system:
        execution = part(system, "Execution")
        return Found(
            str(part(system, "Provider").get("Name", "")),
            str(system.get("Channel") or ""),
            plain(system.get("EventID")),
            fields_of(data),
            created=part(system, "TimeCreated").get("SystemTime"),
            record_id=system.get("EventRecordID"),
            computer=system.get("Computer"),
            process_id=execution.get("ProcessID"),
            thread_id=execution.get("ThreadID"),
            user=part(system, "Security").get("UserID"),
            version=system.get("Version"),
        )
    if "ID" in row and "Timestamp" in row and isinstance(data, dict):
        computer = row.get("Computer") or row.get("Fqdn")
        return Found(PROVIDER, CHANNEL, row["ID"], data, created=row["Timestamp"], computer=computer)
    return None
