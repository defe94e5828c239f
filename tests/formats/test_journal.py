"""The native protocol of journald: names, values of any bytes, and what is left out."""

from __future__ import annotations

import re
import struct

from hypothesis import given, settings
from tests.formats.entries import any_event, create, entry
from tests.store.entries import entries

from pysmon.formats.journal import journal_entry, journal_name
from pysmon.formats.json_line import json_line
from pysmon.formats.visible import encodable
from pysmon.schema.entry import Entry
from pysmon.schema.event import EVENTS, Event


def parsed(data: bytes) -> list[tuple[str, bytes]]:
    """The fields as journald reads them."""
    found = []
    while data:
        line, _, rest = data.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            (length,) = struct.unpack_from("<Q", rest)
            value, rest = rest[8 : 8 + length], rest[8 + length :]
            assert rest[:1] == b"\n"
            rest = rest[1:]
        found.append((name.decode(), value))
        data = rest
    return found


def fields(made: Entry[Event]) -> dict[str, bytes]:
    return dict(parsed(journal_entry(json_line, made)))


@settings(deadline=None)
@given(entries())
def test_every_value_arrives_and_every_name_is_one_that_journald_takes(made: Entry[Event]) -> None:
    pairs = parsed(journal_entry(json_line, made))
    assert len({name for name, _ in pairs}) == len(pairs)
    assert all(re.fullmatch(r"[A-Z][A-Z0-9_]{0,63}", name) for name, _ in pairs)
    found = dict(pairs)
    assert found["MESSAGE"] == json_line(made)
    for field in made.event.type.fields:
        text = made.event.text(field.name)
        name = journal_name(field.name)
        assert found.get(name) == (None if text == "-" else encodable(text).encode())


def test_the_names_are_words_in_upper_case() -> None:
    names = {journal_name(f.name) for made in EVENTS.values() for f in made.fields}
    assert {"SYSMON_PARENT_COMMAND_LINE", "SYSMON_SOURCE_IP", "SYSMON_IS_EXECUTABLE", "SYSMON_PROCESS_ID"} <= names
    assert journal_name("SourceProcessGUID") == journal_name("SourceProcessGuid")  # Sysmon spells it in two ways


def test_beside_the_fields_stands_what_syslog_would_say() -> None:
    found = fields(create())
    assert found["SYSLOG_IDENTIFIER"] == b"sysmon"
    assert (found["SYSLOG_FACILITY"], found["SYSLOG_PID"], found["PRIORITY"]) == (b"1", b"157", b"6")
    assert (found["SYSMON_EVENT_ID"], found["SYSMON_RECORD_ID"], found["SYSMON_COMPUTER"]) == (b"1", b"9", b"vm")
    assert fields(entry(any_event(EVENTS[255])))["PRIORITY"] == b"3"


def test_extra_facts_are_json_even_if_they_are_not_utf_8() -> None:
    event = create().event
    assert "SYSMON_EXTRA" not in fields(entry(event))
    event.extra = {"Container": "a\udcff"}
    assert fields(entry(event))["SYSMON_EXTRA"] == b'{"Container":"a\\\\xff"}'
