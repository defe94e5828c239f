"""A few events in every shape that sources read, made here from one list: what each reader must find is the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape, quoteattr

PROVIDER, CHANNEL = "Microsoft-Windows-Sysmon", "Microsoft-Windows-Sysmon/Operational"
GUID = "{5770385f-c22a-43e0-bf4c-06f5698ffbd9}"
ME, PARENT = (f"{{365abb72-7c01-5cc4-0000-0010{number}}}" for number in ("2b3e0c00", "b2470300"))


@dataclass(frozen=True)
class Sample:
    """An event as text: what any shape can say of it."""

    id: int
    version: int
    record: int
    created: str  # ISO, with Z
    fields: Mapping[str, str]
    provider: str = PROVIDER
    channel: str = CHANNEL


CREATE = Sample(
    1,
    5,
    6577,
    "2019-04-27T15:57:53.368863200Z",
    {
        "RuleName": "technique_id=T1036,technique_name=Masquerading",
        "UtcTime": "2019-04-27 15:57:53.300",
        "ProcessGuid": ME,
        "ProcessId": "2680",
        "Image": "C:\\Users\\Jörg\\Flash <update> & co.exe",
        "CommandLine": "\"C:\\Users\\Jörg\\Flash.exe\" /x %%TEMP%% 'y' 🜚",
        "CurrentDirectory": "C:\\Users\\Jörg\\",
        "User": "IEWIN7\\Jörg",
        "LogonGuid": "{365abb72-7ab1-5cc4-0000-0020bef40000}",
        "LogonId": "0xf4be",
        "TerminalSessionId": "1",
        "IntegrityLevel": "High",
        "Hashes": "SHA1=B4E581F173F782A2F1DA5D29C95946EE500EB2D0,MD5=42893ADBC36605EC79B5BD610759947E",
        "ParentProcessGuid": PARENT,
        "ParentProcessId": "2772",
        "ParentImage": "C:\\Windows\\explorer.exe",
        "ParentCommandLine": "C:\\Windows\\Explorer.EXE",
    },
)
CONNECT = Sample(
    3,
    5,
    6578,
    "2019-04-27T15:57:55.376030800Z",
    {
        "RuleName": "-",
        "UtcTime": "2019-04-27 15:57:53.871",
        "ProcessGuid": ME,
        "ProcessId": "2680",
        "Image": "C:\\x.exe",
        "User": "IEWIN7\\Jörg",
        "Protocol": "tcp",
        "Initiated": "true",
        "SourceIsIpv6": "false",
        "SourceIp": "10.0.2.15",
        "SourceHostname": "-",
        "SourcePort": "49727",
        "SourcePortName": "-",
        "DestinationIsIpv6": "false",
        "DestinationIp": "172.217.17.132",
        "DestinationHostname": "-",
        "DestinationPort": "80",
        "DestinationPortName": "http",
    },
)
REGISTRY = Sample(
    13,
    2,
    6579,
    "2019-04-27T15:57:56.884488200Z",
    {
        "RuleName": "-",
        "EventType": "SetValue",
        "UtcTime": "2019-04-27 15:57:56.884",
        "ProcessGuid": ME,
        "ProcessId": "2680",
        "Image": "C:\\x.exe",
        "TargetObject": "HKLM\\Software\\Run\\360v",
        "Details": "DWORD (0x00000001)",
    },
)
STARTED = Sample(
    4,
    3,
    6580,
    "2019-04-27T15:57:57.100000000Z",
    {"UtcTime": "2019-04-27 15:57:57.100", "State": "Started", "Version": "15.20", "SchemaVersion": "4.91"},
)
LOGON_EVENT = Sample(
    4624, 2, 99, "2019-04-27T15:57:58.000000000Z", {"LogonType": "3"}, "Microsoft-Windows-Security-Auditing", "Security"
)
SAMPLES = (CREATE, CONNECT, REGISTRY, STARTED, LOGON_EVENT)
HOST, SID, PID, TID = "IEWIN7.lab", "S-1-5-18", 1912, 996


def xml(sample: Sample, quote: str = "'", rendered: bool = False) -> str:
    """An event as wevtutil writes it: single quotes; with `"` as Get-WinEvent and most others."""

    def attribute(text: str) -> str:
        return f"{quote}{escape(text, {quote: '&apos;' if quote == chr(39) else '&quot;'})}{quote}"

    data = "".join(f"<Data Name={attribute(n)}>{escape(v)}</Data>" for n, v in sample.fields.items())
    message = (
        "<RenderingInfo Culture='en-US'><Message>&lt;System&gt;</Message><Level>Information</Level>"
        "<Provider>Sysmon</Provider><Channel>other</Channel></RenderingInfo>"
    )
    return (
        f"<Event xmlns={attribute('http://schemas.microsoft.com/win/2004/08/events/event')}><System>"
        f"<Provider Name={attribute(sample.provider)} Guid={attribute(GUID)}/><EventID>{sample.id}</EventID>"
        f"<Version>{sample.version}</Version><Level>4</Level><Task>{sample.id}</Task><Opcode>0</Opcode>"
        f"<Keywords>0x8000000000000000</Keywords><TimeCreated SystemTime={attribute(sample.created)}/>"
        f"<EventRecordID>{sample.record}</EventRecordID><Correlation/>"
        f"<Execution ProcessID={attribute(str(PID))} ThreadID={attribute(str(TID))}/>"
        f"<Channel>{sample.channel}</Channel><Computer>{HOST}</Computer><Security UserID={attribute(SID)}/></System>"
        f"<EventData>{data}</EventData>{message if rendered else ''}</Event>"
    )


def typed(sample: Sample) -> dict[str, Any]:
    """The fields as tools write them that keep numbers and booleans."""
    known = {"true": True, "false": False}
    return {n: known.get(v, int(v) if v.isdigit() else v) for n, v in sample.fields.items()}


def message(sample: Sample) -> str:
    return "\r\n".join(["Something happened:", *(f"{n}: {v}" for n, v in sample.fields.items())])


def evtx_dump(s: Sample, *, apart: bool = False) -> Any:
    system = {
        "Provider": {"Name": s.provider, "Guid": GUID[1:-1].upper()},
        "EventID": s.id,
        "Version": s.version,
        "TimeCreated": {"SystemTime": s.created},
        "EventRecordID": s.record,
        "Execution": {"ProcessID": PID, "ThreadID": TID},
        "Channel": s.channel,
        "Computer": HOST,
        "Security": {"UserID": SID},
    }
    shown: dict[str, Any] = {}
    for name, value in system.items():
        if not isinstance(value, dict):
            shown[name] = value
        elif apart:
            shown[f"{name}_attributes"] = value
        else:
            shown[name] = {"#attributes": value}
    data = {n: v.strip("{}").upper() if n.endswith("Guid") else v for n, v in typed(s).items()}
    return {"Event": {"#attributes": {"xmlns": "x"}, "System": shown, "EventData": data}}


def winlogbeat(s: Sample) -> Any:
    return {
        "@timestamp": s.created,
        "winlog": {
            "channel": s.channel,
            "provider_name": s.provider,
            "event_id": str(s.id),
            "record_id": s.record,
            "computer_name": HOST,
            "version": s.version,
            "user": {"identifier": SID},
            "process": {"pid": PID, "thread": {"id": TID}},
            "event_data": dict(s.fields),
        },
        "event": {"code": str(s.id)},
    }


def elastic(s: Sample) -> Any:
    return {"_index": "x", "_source": {"event": {"original": xml(s)}, "winlog": {"channel": s.channel}}}


def nxlog(s: Sample) -> Any:
    row: dict[str, Any] = {
        **s.fields,
        "EventID": s.id,
        "SourceName": s.provider,
        "Channel": s.channel,
        "Hostname": HOST,
        "EventTime": "2019-04-27 11:57:53",
        "RecordNumber": s.record,
        "ExecutionProcessID": PID,
        "ThreadID": TID,
        "Keywords": -9223372036854775808,
        "Message": message(s),
        "UserID": SID,
        "SourceModuleName": "eventlog",
        "EventType": "INFO",
        "Version": s.version,
    }
    return row


def security_datasets(s: Sample) -> Any:
    envelope = {"SourceName": s.provider, "ProviderGuid": GUID, "Level": "4", "Channel": s.channel, "Hostname": HOST}
    rest = {
        "TimeCreated": s.created,
        "@timestamp": s.created,
        "EventID": s.id,
        "Message": message(s),
        "Task": str(s.id),
    }
    return {**envelope, **rest, **s.fields}


def velociraptor(s: Sample) -> Any:
    data = {n: int(v, 16) if n == "LogonId" else v for n, v in typed(s).items()}
    return {
        "System": {
            "Provider": {"Name": s.provider, "Guid": GUID},
            "EventID": {"Value": s.id},
            "Version": s.version,
            "TimeCreated": {"SystemTime": 1556380673.368863},
            "EventRecordID": s.record,
            "Execution": {"ProcessID": PID, "ThreadID": TID},
            "Channel": s.channel,
            "Computer": HOST,
            "Security": {"UserID": SID},
        },
        "EventData": data,
        "Message": "x",
    }


def forwarded(s: Sample) -> Any:
    return {"ID": s.id, "Timestamp": s.created, "EventData": typed(s), "Fqdn": HOST}


def get_winevent(s: Sample) -> Any:
    values = [v.strip("{}") if n.endswith("Guid") else v for n, v in typed(s).items()]
    values = [int(v, 16) if str(v).startswith("0x") else v for v in values]
    created = s.created.replace("Z", "+00:00")
    row: dict[str, Any] = {"Id": s.id, "Version": s.version, "Qualifiers": None, "Level": 4, "Task": s.id, "Opcode": 0}
    row |= {"RecordId": s.record, "ProviderName": s.provider, "ProviderId": GUID[1:-1], "LogName": s.channel}
    row |= {"ProcessId": PID, "ThreadId": TID, "MachineName": HOST, "UserId": {"BinaryLength": 12, "Value": SID}}
    row |= {"TimeCreated": created, "Properties": [{"Value": v} for v in values], "Message": message(s)}
    return row


def splunk(s: Sample) -> Any:
    return {"preview": False, "offset": 0, "result": {"_raw": xml(s), "_time": "x"}}


def wazuh(s: Sample) -> Any:
    def doubled(text: str) -> str:
        return text.replace("\\", "\\\\").replace('"', '\\"')

    data = {n[0].lower() + n[1:]: doubled(v) for n, v in s.fields.items()}
    system = {
        "providerName": s.provider,
        "eventID": str(s.id),
        "version": str(s.version),
        "systemTime": s.created,
        "eventRecordID": str(s.record),
        "processID": str(PID),
        "threadID": str(TID),
        "channel": s.channel,
        "computer": HOST,
    }
    return {"timestamp": "x", "rule": {"id": "92052"}, "data": {"win": {"system": system, "eventdata": data}}}


def evtxecmd(s: Sample) -> Any:
    payload = {"EventData": {"Data": [{"@Name": n, "#text": v} for n, v in s.fields.items()]}}
    return {
        "EventRecordId": str(s.record),
        "TimeCreated": s.created.removesuffix("Z") + "+00:00",
        "EventId": s.id,
        "Provider": s.provider,
        "Channel": s.channel,
        "ProcessId": PID,
        "ThreadId": TID,
        "Computer": HOST,
        "UserId": SID,
        "Payload": json.dumps(payload),
    }


def keyed(s: Sample) -> str:
    head = f"04/27/2019 08:57:53 AM\nLogName={s.channel}\nSourceName={s.provider}\nEventCode={s.id}\nEventType=4"
    return f"{head}\nComputerName={HOST}\nSid={SID}\nRecordNumber={s.record}\nMessage={message(s)}\n"


def lines(make: Callable[[Sample], Any]) -> bytes:
    return b"".join(json.dumps(make(s)).encode() + b"\n" for s in SAMPLES)


def csv() -> bytes:
    def cell(value: object) -> str:
        return '"' + str(value).replace('"', '""') + '"'

    rows = [evtxecmd(s) for s in SAMPLES]
    return "\n".join([",".join(rows[0]), *(",".join(map(cell, row.values())) for row in rows), ""]).encode()


_XMLS = [xml(s) for s in SAMPLES]
LINUX = (
    "Nov 24 09:59:47 host sysmon[3099]: "
    + xml(CREATE, '"').replace(PROVIDER, "Linux-Sysmon").replace(f"UserID={quoteattr(SID)}", 'UserId="0"')
    + "\n"
)

FILES: Mapping[str, tuple[str, bytes]] = {  # by what it is: the name of the shape, and the bytes
    "wevtutil": ("xml", "\n".join(_XMLS).encode()),
    "wevtutil without newlines": ("xml", "".join(_XMLS).encode()),
    "saved by Event Viewer": (
        "xml",
        f'\ufeff<?xml version="1.0" encoding="utf-8"?>\n<Events>{"".join(_XMLS)}</Events>'.encode(),
    ),
    "double quotes": ("xml", "\r\n".join(xml(s, '"') for s in SAMPLES).encode()),
    "rendered": ("xml", "\n".join(xml(s, rendered=True) for s in SAMPLES).encode()),
    "utf-16": ("xml", "\r\n".join(_XMLS).encode("utf-16")),
    "utf-16-le without mark": ("xml", "\r\n".join(_XMLS).encode("utf-16-le")),
    "utf-16-be": ("xml", ("\ufeff" + "\r\n".join(_XMLS)).encode("utf-16-be")),
    "evtx_dump": ("evtx_dump", lines(evtx_dump)),
    "evtx_dump, attributes apart": ("evtx_dump", lines(lambda s: evtx_dump(s, apart=True))),
    "evtx_dump, indented": ("evtx_dump", "\n".join(json.dumps(evtx_dump(s), indent=2) for s in SAMPLES).encode()),
    "evtx_dump, array": ("evtx_dump", json.dumps([evtx_dump(s) for s in SAMPLES], indent=1).encode()),
    "evtx_dump, utf-16": (
        "evtx_dump",
        "\r\n".join(json.dumps(evtx_dump(s), ensure_ascii=False) for s in SAMPLES).encode("utf-16"),
    ),
    "winlogbeat": ("winlogbeat", lines(winlogbeat)),
    "elastic": ("winlogbeat", lines(elastic)),
    "nxlog": ("nxlog", lines(nxlog)),
    "security-datasets": ("nxlog", lines(security_datasets)),
    "security-datasets, array on one line": ("nxlog", json.dumps([security_datasets(s) for s in SAMPLES]).encode()),
    "velociraptor": ("velociraptor", lines(velociraptor)),
    "velociraptor, forwarded": ("velociraptor", lines(forwarded)),
    "get-winevent": ("get-winevent", json.dumps([get_winevent(s) for s in SAMPLES], indent=4).encode("utf-16")),
    "splunk": ("splunk", lines(splunk)),
    "splunk, search results": ("splunk", json.dumps({"results": [{"_raw": xml(s)} for s in SAMPLES]}).encode()),
    "splunk-classic": ("splunk-classic", "".join(keyed(s) for s in SAMPLES).encode()),
    "wazuh": ("wazuh", lines(wazuh)),
    "evtxecmd": ("evtxecmd", lines(evtxecmd)),
    "evtxecmd, csv": ("evtxecmd-csv", csv()),
}
