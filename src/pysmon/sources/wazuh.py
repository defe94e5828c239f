"""The JSON of Wazuh: `win.system` and `win.eventdata`, alone or under `data`; names begin with a lower-case letter."""

from __future__ import annotations

import re

from pysmon.sources.found import Found
from pysmon.sources.parts import Row, part

_DOUBLED = re.compile(r'\\([\\"])')


def wazuh(row: Row) -> Found | None:
    """What an object in that shape says. Alerts escape backslashes and quotes once more than JSON does."""
    row = part(row, "_source") or row
    win = part(row, "win") or part(row, "data", "win")
    system = part(win, "system")
    if not system:
        return None
    return Found(
        str(system.get("providerName", "")),
        str(system.get("channel") or ""),
        system.get("eventID"),
        {name: _once(value) for name, value in part(win, "eventdata").items()},
        created=system.get("systemTime"),
        record_id=system.get("eventRecordID"),
        computer=system.get("computer"),
        process_id=system.get("processID"),
        thread_id=system.get("threadID"),
        user=system.get("userID"),
        version=system.get("version"),
    )


def _once(value: object) -> object:
    if isinstance(value, str) and "\\" in value and "\\" not in _DOUBLED.sub("", value):
        return _DOUBLED.sub(r"\1", value)
    return value
