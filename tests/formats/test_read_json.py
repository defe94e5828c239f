"""JSON lines read back."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.formats.entries import TIME, any_event, create, entry

from pysmon.formats.json_line import json_line
from pysmon.formats.read_json import read_json_line
from pysmon.schema.entry import Entry, Foreign, Origin
from pysmon.schema.event import EVENTS, Event, EventType


@pytest.mark.parametrize("schema", EVENTS.values(), ids=lambda schema: schema.cls.__name__)
def test_every_event_comes_back_as_it_was_written(schema: EventType) -> None:
    event = any_event(schema, **{f.name: f"<{f.name}>" for f in schema.fields if f.kind.name == "text"})
    event.extra = {"Mode": "0644", "LinksLeft": 2}
    back = read_json_line(json_line(entry(event)))
    assert (back.event, back.record_id, back.time, back.origin.computer) == (event, 9, TIME, "vm")


def test_a_boolean_that_is_not_known_stays_so() -> None:
    event = any_event(EVENTS[3], Initiated=None)
    assert read_json_line(json_line(entry(event))).event == event


@given(st.text(), st.integers(0, 4_000_000_000 * 10**9))
def test_any_text_and_any_time_come_back(text: str, time: int) -> None:
    made = create(CommandLine=text)
    back = read_json_line(json_line(Entry(1, time, made.event, made.origin)))
    assert (back.event.text("CommandLine"), back.time) == (text, time)


def test_lines_of_other_tools_are_read_as_far_as_they_go() -> None:
    row = {
        "EventID": 3,
        "UtcTime": "2026-11-21 08:15:00.5",
        "ProcessId": "4711",
        "Initiated": "true",
        "User": None,
        "SourceIp": 1,
    }
    back = read_json_line(json.dumps(row).encode())
    event = back.event
    assert [event.text(name) for name in ("ProcessId", "Initiated", "User", "Image", "SourcePort")] == [
        "4711",
        "true",
        "-",
        "-",
        "-",
    ]
    assert (back.time % 10**9, back.record_id, back.origin.computer) == (500_000_000, 0, "-")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"nonsense", "JSON is malformed"),
        (b"[1]", "Expected `object`"),
        (b"{}", "there is no EventID"),
        (b'{"EventID":777}', "EventID 777 is none of Sysmon's"),
        (b'{"EventID":"1"}', "EventID '1' is none of Sysmon's"),
        (b'{"EventID":5,"SystemTime":"noon"}', "the ProcessTerminate has no time"),
        (b'{"EventID":5,"SystemTime":"2026-13-41T00:00:00Z"}', "month must be in 1..12"),
        (b'{"EventID":5,"ProcessId":[],"UtcTime":"2026-11-21 08:15:00"}', "ProcessId is [] (expected pid)"),
        (b'{"EventID":5,"ProcessId":"x","UtcTime":"2026-11-21 08:15:00"}', "ProcessId is 'x' (expected pid)"),
        (b'{"EventID":5,"ProcessId":-1,"UtcTime":"2026-11-21 08:15:00"}', "ProcessId is -1 (expected pid)"),
        (b'{"EventID":5,"ProcessId":"-1","UtcTime":"2026-11-21 08:15:00"}', "ProcessId is '-1' (expected pid)"),
        (
            b'{"EventID":5,"ProcessId":18446744073709551616,"UtcTime":"2026-11-21 08:15:00"}',
            "ProcessId is 18446744073709551616 (expected pid)",
        ),
        (b'{"EventID":5,"User":{"a":1},"UtcTime":"2026-11-21 08:15:00"}', "User is {'a': 1} (expected text)"),
        (b'{"EventID":5,"Extra":' + b"[" * 5000 + b"]" * 5000 + b"}", "nested too deep"),
        (b'{"EventID":5,"SystemTime":"1969-12-31T23:59:59Z"}', "expected a time from 1970 to 2242"),
        (b'{"EventID":5,"SystemTime":"2243-01-01T00:00:00Z"}', "expected a time from 1970 to 2242"),
    ],
)
def test_what_is_no_entry_says_why(line: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)):
        read_json_line(line)


def test_an_entry_that_windows_wrote_stays_one_of_windows() -> None:
    log = Foreign("Microsoft-Windows-Sysmon", "{5770385f-c22a-43e0-bf4c-06f5698ffbd9}", "Other/Channel")
    made = entry(any_event(EVENTS[5]))
    line = json_line(made._replace(origin=Origin("vm", 0, 0, 0, log)))
    assert b'"Provider_Name":"Microsoft-Windows-Sysmon","Channel":"Other/Channel"' in line
    assert read_json_line(line).origin == Origin("vm", 0, 0, 0, log)


def test_what_is_read_is_a_plain_entry() -> None:
    back: Entry[Event] = read_json_line(json_line(create()))
    assert (back.origin.process_id, back.event.extra) == (0, None)


def test_a_record_id_that_no_output_can_hold_is_0() -> None:
    line = json_line(create()).replace(b'"EventRecordID":9', b'"EventRecordID":9223372036854775808')
    assert read_json_line(line).record_id == 0
