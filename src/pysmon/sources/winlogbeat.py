"""The JSON of winlogbeat and Elastic: the XML in `event.original`, else `winlog.event_data`, else fields of ECS."""

from __future__ import annotations

from typing import Any

from pysmon.sources.ecs import from_ecs
from pysmon.sources.found import Found, whole
from pysmon.sources.origins import CHANNEL, PROVIDER
from pysmon.sources.parts import Row, part
from pysmon.sources.windows_xml import found_in


def winlogbeat(row: Row) -> Found | None:
    """What an object in that shape says. The ingest pipeline of Elastic moves fields into ECS: those are moved back."""
    row = part(row, "_source") or row
    event, winlog = part(row, "event"), part(row, "winlog")
    original = event.get("original")
    if isinstance(original, str) and "<Event" in original and "</System>" in original:
        return found_in(original)
    if not winlog:
        return None
    fields: dict[str, Any] = dict(part(winlog, "event_data"))
    channel = str(winlog.get("channel") or "")
    provider = str(winlog.get("provider_name") or event.get("provider") or (PROVIDER if channel == CHANNEL else ""))
    event_id = winlog.get("event_id", event.get("code"))
    if provider == PROVIDER:
        fields = {**from_ecs(row, whole(event_id)), **fields}
    process = part(winlog, "process")
    return Found(
        provider,
        channel,
        event_id,
        fields,
        created=event.get("created") if "UtcTime" not in part(winlog, "event_data") else row.get("@timestamp"),
        record_id=winlog.get("record_id"),
        computer=winlog.get("computer_name") or part(row, "host").get("name"),
        process_id=process.get("pid"),
        thread_id=part(process, "thread").get("id"),
        user=part(winlog, "user").get("identifier"),
        version=winlog.get("version"),
    )
