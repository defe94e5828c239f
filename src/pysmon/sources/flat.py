"""Flat JSON: NXLog (the older Mordor sets) and Security-Datasets since 2022; envelope and fields side by side."""

from __future__ import annotations

from typing import Any

from pysmon.sources.found import Found
from pysmon.sources.origins import CHANNEL, PROVIDER, PROVIDERS
from pysmon.sources.parts import Row, message_fields

ENVELOPE = frozenset(
    {
        *("@timestamp", "@version", "AccountName", "AccountType", "ActivityID", "Category", "Channel", "Computer"),
        *(
            "Domain",
            "EventID",
            "EventReceivedTime",
            "EventRecordID",
            "EventSourceName",
            "EventTime",
            "EventTypeOrignal",
        ),
        *("ExecutionProcessID", "Guid", "Hostname", "Keywords", "Level", "Message", "Opcode", "OpcodeValue"),
        *("ProviderGuid", "Provider_Name", "Qualifiers", "RecordNumber", "RelatedActivityID", "Severity"),
        *("SeverityValue", "SourceModuleName", "SourceModuleType", "SourceName", "SystemTime", "Task", "ThreadID"),
        *("TimeCreated", "TimeGenerated", "UserID", "_id", "host", "port", "tags", "timestamp", "type"),
    }
)
NXLOG_TYPES = frozenset(["INFO", "ERROR", "WARNING", "CRITICAL", "DEBUG", "VERBOSE", "AUDIT_SUCCESS", "AUDIT_FAILURE"])
COLLIDING = ("EventType", "ID", "Description", "Version", "User")  # names that NXLog has a meaning of its own for


def flat(row: Row) -> Found | None:
    """What an object in that shape says. EventTime is local time without a zone: it is not looked at."""
    if "EventID" not in row or not ("SourceName" in row or "Channel" in row or "Provider_Name" in row):
        return None
    channel = str(row.get("Channel") or "")
    provider = str(row.get("SourceName") or row.get("Provider_Name") or (PROVIDER if channel == CHANNEL else ""))
    fields: dict[str, Any] = {}
    version: object = None
    if provider in PROVIDERS:
        fields = {name: value for name, value in row.items() if name not in ENVELOPE}
        if type(fields.get("Version")) is int:  # of the envelope; the field Version of event 4 is text
            version = fields.pop("Version")
        if fields.get("EventType") in NXLOG_TYPES or "EventTypeOrignal" in row or "UtcTime" not in fields:
            _take_from_message(fields, str(row.get("Message", "")))
        if fields.get("ProcessId") == fields.get("SourceProcessId"):  # NXLog's own, where Sysmon has none of that name
            fields.pop("ProcessId", None)
    return Found(
        provider,
        channel,
        row["EventID"],
        fields,
        created=row.get("TimeCreated") or row.get("SystemTime"),
        record_id=row.get("RecordNumber") or row.get("EventRecordID"),
        computer=row.get("Hostname") or row.get("Computer"),
        process_id=row.get("ExecutionProcessID"),
        thread_id=row.get("ThreadID"),
        user=row.get("UserID"),
        version=version,
    )


def _take_from_message(fields: dict[str, Any], message: str) -> None:
    """NXLog writes its own EventType over Sysmon's, and so with others; the message still has them all.

    Of an event that is too large for it NXLog keeps no fields at all: then the message is all there is.
    """
    fields.pop("EventType", None)
    said = message_fields(message)
    colliding = {name: said[name] for name in COLLIDING if name in said}
    fields.update(said if "UtcTime" not in fields else colliding)
