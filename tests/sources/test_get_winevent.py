"""What Get-WinEvent gives without names: the schema and the message say which field each value is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pysmon.schema.entry import Entry
from pysmon.schema.event import EVENTS, Event
from pysmon.sources.open import open_sources
from pysmon.sources.source import Source

PROVIDER, CHANNEL = "Microsoft-Windows-Sysmon", "Microsoft-Windows-Sysmon/Operational"
DNS = [
    "-",
    "2021-06-09 19:29:58.239",
    "a98268c1-9c2e-5acc-0000-001014000000",
    42,
    "go.example",
    "0",
    "::1",
    "C:\\x.exe",
]
ENDED = ["-", "2021-06-09 19:29:58.239", "a98268c1-9c2e-5acc-0000-001014000000", 42, "C:\\x.exe", "LAB\\ann"]


def row(event_id: int, values: list[object], **rest: Any) -> dict[str, Any]:
    return {
        "Id": event_id,
        "RecordId": 7,
        "ProviderName": PROVIDER,
        "LogName": CHANNEL,
        "MachineName": "dc",
        "TimeCreated": "\\/Date(1623266998239)\\/".replace("\\", ""),
        "Properties": [{"Value": value} for value in values],
        **rest,
    }


def read(folder: Path, *rows: dict[str, Any]) -> tuple[list[Entry[Event]], Source]:
    path = folder / "log.json"
    path.write_text(json.dumps(rows, indent=4))
    (source,) = open_sources([path])
    return list(source.entries()), source


def test_values_get_their_names_by_how_many_they_are(tmp_path: Path) -> None:
    (with_user, without), source = read(tmp_path, row(5, ENDED), row(5, ENDED[:-1]))
    assert with_user.event.text("User") == "LAB\\ann"
    assert (without.event.text("Image"), without.event.text("User")) == ("C:\\x.exe", "-")
    assert without.event.text("ProcessGuid") == "{a98268c1-9c2e-5acc-0000-001014000000}"
    assert source.form == "get-winevent"
    assert source.tally.words() == ["2 events without names of fields: these go by the number of values"]


def test_the_time_of_windows_powershell_is_read(tmp_path: Path) -> None:
    wrapped = {"value": "/Date(1623266998239)/", "DateTime": "Wednesday"}
    for created in ("/Date(1623266998239)/", wrapped, "2021-06-09T19:29:58.239+00:00"):
        (entry,), _ = read(tmp_path, row(5, ENDED, TimeCreated=created))
        assert entry.time == 1_623_266_998_239_000_000
        assert entry.event.extra is None


def test_the_message_decides_where_it_is_there(tmp_path: Path) -> None:
    names = [field.name for field in EVENTS[22].fields][: len(DNS)]
    message = "\r\n".join(["Dns query:", *(f"{n}: {v}" for n, v in zip(names, DNS, strict=True))])
    (entry,), source = read(tmp_path, row(22, list(DNS), Message=message))
    assert entry.event.text("QueryName") == "go.example"
    assert source.tally.words() == []


def test_of_a_small_depth_the_message_is_all_there_is(tmp_path: Path) -> None:
    message = "Process terminated:\r\nUtcTime: 2021-06-09 19:29:58.239\r\nImage: C:\\y.exe"
    bare = ["System.Diagnostics.Eventing.Reader.EventProperty"]
    (entry,), _ = read(tmp_path, row(5, [], Properties=bare, Message=message))
    assert entry.event.text("Image") == "C:\\y.exe"


def test_so_many_values_as_no_schema_has_are_damage(tmp_path: Path) -> None:
    entries, source = read(tmp_path, row(5, [*ENDED, 1, 2, 3]), row(5, ENDED))
    assert len(entries) == 1
    assert "9 values" in str(source.tally.damaged[0])


def test_events_of_others_are_counted(tmp_path: Path) -> None:
    other = row(4624, ["x"], ProviderName="Microsoft-Windows-Security-Auditing", LogName="Security")
    entries, source = read(tmp_path, other, row(99, ["x"]), row(5, ENDED))
    assert len(entries) == 1
    assert source.tally.others == {"Security": 1}
    assert source.tally.unknown_events == {"99": 1}
