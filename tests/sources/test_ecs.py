"""Events that went through Elastic's ingest pipeline: their fields lie in ECS, and are brought back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.sources.shapes import ME, PARENT

from pysmon.schema.event import Event
from pysmon.sources.open import open_sources

WINLOG = {
    "channel": "Microsoft-Windows-Sysmon/Operational",
    "provider_name": "Microsoft-Windows-Sysmon",
    "record_id": 7,
    "computer_name": "vagrant",
}


def read(folder: Path, event_id: int, data: dict[str, Any] | None = None, **ecs: Any) -> Event:
    row = {
        "@timestamp": "2019-04-27T15:57:53.300Z",
        "event": {"code": str(event_id), "created": "2019-04-27T15:57:55.000Z"},
        "winlog": {**WINLOG, "event_id": str(event_id), "event_data": data or {}},
        **ecs,
    }
    path = folder / "log.json"
    path.write_text(json.dumps(row))
    (source,) = open_sources([path])
    (entry,) = source.entries()
    assert source.form == "winlogbeat"
    assert entry.record_id == 7
    assert source.tally.words() == []
    return entry.event


def texts(event: Event, *names: str) -> tuple[str, ...]:
    return tuple(event.text(name) for name in names)


def test_a_creation_is_brought_back(tmp_path: Path) -> None:
    process = {
        "entity_id": ME,
        "pid": 2680,
        "executable": "C:\\x.exe",
        "command_line": "x -y",
        "hash": {"md5": "ab", "sha1": "cd"},
        "pe": {"imphash": "ef", "original_file_name": "X.EXE"},
        "parent": {"entity_id": PARENT, "pid": 1, "executable": "C:\\p.exe"},
    }
    user = {"name": "joe", "domain": "LAB"}
    made = read(tmp_path, 1, {"LogonId": "0x3e7"}, process=process, user=user, rule={"name": "why"})
    assert texts(made, "UtcTime", "ProcessGuid", "ProcessId", "Image", "CommandLine", "LogonId", "RuleName") == (
        "2019-04-27 15:57:53.300",
        ME,
        "2680",
        "C:\\x.exe",
        "x -y",
        "0x3e7",
        "why",
    )
    assert texts(made, "User", "Hashes", "OriginalFileName", "ParentProcessGuid", "ParentImage") == (
        "LAB\\joe",
        "SHA1=CD,MD5=AB,IMPHASH=EF",
        "X.EXE",
        PARENT,
        "C:\\p.exe",
    )
    assert made.extra == {"TimeCreated": "2019-04-27T15:57:55.000Z"}


def test_other_events_are_brought_back(tmp_path: Path) -> None:
    sides = {"source": {"ip": "10.0.0.1", "port": 5}, "destination": {"ip": "1.2.3.4", "port": 80, "domain": "x"}}
    network = {"transport": "tcp", "direction": "egress"}
    made = read(tmp_path, 3, network=network, **sides)
    names = ("SourceIp", "SourcePort", "DestinationIp", "DestinationHostname", "Initiated", "Protocol")
    assert texts(made, *names) == ("10.0.0.1", "5", "1.2.3.4", "x", "true", "tcp")
    made = read(tmp_path, 13, registry={"path": "HKLM\\a", "data": {"strings": ["b"]}})
    assert texts(made, "TargetObject", "Details") == ("HKLM\\a", "b")
    made = read(tmp_path, 7, file={"path": "C:\\a.dll", "hash": {"sha256": "aa"}, "pe": {"company": "M"}})
    assert texts(made, "ImageLoaded", "Hashes", "Company") == ("C:\\a.dll", "SHA256=AA", "M")
    made = read(tmp_path, 10, process={"entity_id": ME, "pid": 5, "executable": "C:\\s.exe"})
    assert texts(made, "SourceProcessGUID", "SourceProcessId", "SourceImage") == (ME, "5", "C:\\s.exe")
    dotted: dict[str, Any] = {"dns.question.name": "a.example"}  # such names are paths, too
    made = read(tmp_path, 22, **dotted)
    assert texts(made, "QueryName") == ("a.example",)


def test_what_sysmon_said_itself_counts_more(tmp_path: Path) -> None:
    made = read(tmp_path, 5, {"Image": "C:\\own.exe"}, process={"executable": "C:\\ecs.exe"})
    assert texts(made, "Image") == ("C:\\own.exe",)
