"""Logs of others in every shape: entries, and damage that is counted. What was read can be written and judged."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

from fuzz.target import Pace, Target, file_of, law
from pysmon.errors import RecordError
from pysmon.formats.frame import content_at, entry_of, frame, own_names
from pysmon.formats.json_line import json_line
from pysmon.formats.linux_xml import linux_xml_line
from pysmon.formats.logged import logged
from pysmon.rules.ruleset import Ruleset
from pysmon.schema import catalogue as _catalogue  # noqa: F401 - fills EVENTS
from pysmon.schema.entry import Entry
from pysmon.schema.event import EVENTS, Event
from pysmon.sinks.evtx import EvtxFileSink
from pysmon.sources.open import SHAPES, open_sources, shape_of_head
from pysmon.sources.order import in_order
from pysmon.sources.source import SourceError, Tally, Wanted
from pysmon.sources.streams import SAMPLE, Bytes

ALL_FIELDS: Wanted = {number: tuple(field.name for field in made.fields) for number, made in EVENTS.items()}
_RULES = Ruleset.compile(None)
_FEW = 3  # entries of an input that are also written as EVTX


def check_shape(form: str, data: bytes) -> None:
    """The law for one shape, whether or not the input is in it."""
    path = file_of(data, "log")
    source, tally = Bytes(str(path), path), Tally()
    entries = [make() for _, _, make in SHAPES[form].read(source, tally, {})]
    law(tally.entries == len(entries), f"{tally.entries} entries are counted, and {len(entries)} came")
    law(bool(tally.words()) or not tally.damages, "damage that is not told")
    again = Tally()
    rows = list(SHAPES[form].read(Bytes(str(path), path), again, ALL_FIELDS))
    law(len(rows) == len(entries), f"{len(entries)} entries, and {len(rows)} of them if values are asked for")
    for (number, values, make), entry in zip(rows, entries, strict=True):
        made = make()
        law(number == entry.event.type.id and same(made, entry), f"two entries of one event: {entry} and {made}")
        own = tuple(getattr(entry.event, name) for name in ALL_FIELDS[number])
        law(_alike(values, own), f"the values {values} of an entry that has {own}")
    use(entries, everything=Pace.has_time(data))


def use(entries: Sequence[Entry[Event]], *, everything: bool) -> None:
    """Do with entries what pysmon does with those that it read."""
    for entry in entries:
        law(entry.time >= 0 and entry.record_id >= 0, f"a time or a number below zero: {entry}")
        json_line(entry).decode()
        linux_xml_line(entry)
        logged(entry)
        _RULES.decide(entry.event)
        content = content_at(frame(entry), 0)
        law(content is not None, "a frame that is not whole")
        back = entry_of(content or b"", own_names())
        law(same(back, entry, extra=False), f"{entry} came back as {back}")
    if not everything:
        return
    law(len(list(in_order(entries, part=2))) == len(entries), "not as many in order")
    with closing(EvtxFileSink(file_of(b"", "written.evtx"))) as sink:
        sink.write(list(entries[:_FEW]))


def same(one: Entry[Event], two: Entry[Event], *, extra: bool = True) -> bool:
    """Whether two entries say the same."""
    facts = not extra or repr(one.event.extra) == repr(two.event.extra)
    return facts and one[:2] == two[:2] and one.origin == two.origin and one.event.texts() == two.event.texts()


def _alike(one: Sequence[object], two: Sequence[object]) -> bool:
    return repr(tuple(one)) == repr(tuple(two))  # a number that is none is not equal to itself


def _by_content(forms: Sequence[str], data: bytes) -> None:
    found = shape_of_head(data[:SAMPLE])
    if found is not None and found.name in forms:
        check_shape(found.name, data)
        if not Pace.has_time(data):
            return
    check_shape(forms[len(data) % len(forms)], data)


def check_json(data: bytes) -> None:
    """The law for shapes of JSON: the one that fits, and another one."""
    _by_content(JSON, data)


def check_text(data: bytes) -> None:
    """The law for shapes of other text: the one that fits, and another one."""
    _by_content(TEXT, data)


def check_evtx(data: bytes) -> None:
    """The law for EVTX."""
    check_shape("evtx", data)


def check_packed(data: bytes) -> None:
    """The law for whatever a user names as a log: what it is packed in, and its shape, are found out."""
    path = file_of(data, "packed")
    try:
        for source in open_sources([path]):
            if source.form != "store":
                use([make() for _, (_, _, make) in zip(range(1000), source.rows({}), strict=False)], everything=False)
    except (SourceError, RecordError):
        return


JSON = ("pysmon", "splunk", "winlogbeat", "wazuh", "evtx_dump", "velociraptor", "evtxecmd", "nxlog", "get-winevent")
TEXT = ("xml", "linux", "splunk-classic", "evtxecmd-csv")
_FIELDS = (b"UtcTime", b"ProcessGuid", b"ProcessId", b"Image", b"CommandLine", b"RuleName", b"TerminalSessionId")
_VALUES = (
    b"2019-04-27 15:57:53.300",
    b"Microsoft-Windows-Sysmon",
    b"Linux-Sysmon",
    b"0x3e7",
    b"-",
    b"4611686018427387905",
)
_EVTX = (
    *(b"\x0f\x01\x01\0", b"\x0c\x01", b"\x41", b"\x06", b"\x0d", b"\x0e", b"\x05\x01", b"\x02", b"\x03", b"\x04"),
    *(
        b"**\0\0",
        b"ElfChnk\0",
        b"ElfFile\0",
        b"\x21\0",
        b"\x81\0",
        b"\x15\0",
        b"\x13\0",
        b"\x0f\0",
        b"\x12\0",
        b"\xff\xff",
    ),
)

TARGETS = (
    Target("evtx", "event log files of Windows", check_evtx, _EVTX, ("data/evtx/*.evtx",), longest=12_000, cut=True),
    Target(
        "json",
        "logs in JSON, all shapes",
        check_json,
        words=(
            *_FIELDS,
            *_VALUES,
            *(b'{"Event":{"System":{', b'"EventData":{', b'"EventID":', b'"winlog":{', b'"_raw":"', b'"Payload":"'),
            *(b'"win":{"system":{', b'"hits":[', b'"results":[', b"\\ud800", b"\\u0000", b"1e999", b"null", b"}\n{"),
            *(
                b"\xef\xbb\xbf",
                b"\xff\xfe",
                b"-1",
                b"1.5",
                b"true",
                b"[]",
                b"{}",
                b"18446744073709551616",
                b'"Message":"',
            ),
        ),
    ),
    Target(
        "text",
        "logs in XML, CSV and key=value lines",
        check_text,
        words=(
            *_FIELDS,
            *_VALUES,
            *(
                b"<Event>",
                b"</Event>",
                b"<System>",
                b"</System>",
                b"<EventData>",
                b"<Data Name='",
                b"</Data>",
                b"<![CDATA[",
            ),
            *(
                b"<!--",
                b"-->",
                b"]]>",
                b"&#x110000;",
                b"&#0;",
                b"&amp;",
                b"LogName=",
                b"EventCode=",
                b"Message=",
                b'"\n"',
            ),
            *(
                b"\xef\xbb\xbf",
                b"\xff\xfe",
                b"\0",
                b"\r\n",
                b"SystemTime='",
                b"<Provider Name='",
                b"<EventID>",
                b"Payload",
            ),
        ),
        shared=("data/linux/*.xml",),
    ),
    Target(
        "packed",
        "logs in gzip, zip and zstd",
        check_packed,
        words=(b"PK\3\4", b"PK\1\2", b"PK\5\6", b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"\xff\xff\xff\xff"),
    ),
)
