"""What readers should show of entries that were written to an EVTX file."""

from __future__ import annotations

from tests.formats.evtx_readers import Seen, one_form

from pysmon.formats.evtx.write_value import shown
from pysmon.formats.logged import logged
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event


def expected(entry: Entry[Event], record_id: int | None = None) -> Seen:
    """The entry as a reader should show it, under another EventRecordID if one is given."""
    event, origin, log = entry.event, entry.origin, entry.origin.foreign
    extra = event.extra or {} if log else {}
    names = log.fields if log and log.fields is not None else [field.name for field in event.type.fields]
    system = {
        "Provider.Name": log.provider if log else "Linux-Sysmon",
        "Provider.Guid": one_form(log.guid if log else "{ff032593-a8d3-4f13-b0d6-01fc615a0f97}"),
        "EventID": str(event.type.id),
        "Version": str(log.version if log and log.version is not None else event.type.version),
        "Level": "2" if event.type.id == 255 else "4",
        "Task": str(event.type.id),
        "Opcode": "0",
        "Keywords": "0x8000000000000000",
        "EventRecordID": str(entry.record_id if record_id is None else record_id),
        "Execution.ProcessID": str(origin.process_id),
        "Execution.ThreadID": str(origin.thread_id),
        "Channel": log.channel if log else "Linux-Sysmon/Operational",
        "Computer": shown(origin.computer),
        "Security.UserID": log.user if log else f"S-1-22-1-{origin.user_id}",
    }
    data = [(name, one_form(shown(extra[name] if name in extra else event.text(name)))) for name in names]
    return Seen(logged(entry) // 1000, {name: value for name, value in system.items() if value}, data)
