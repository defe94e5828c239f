"""The XML line: as Sysmon for Linux writes it, and one line of XML whatever the values are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from tests.conftest import shared_files
from tests.formats.entries import any_event, create, entry
from tests.formats.linux_lines import read_entry

from pysmon.formats.linux_xml import linux_xml_line
from pysmon.schema.entry import Foreign
from pysmon.schema.event import EVENTS, EventType

ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=()))  # every code point, lone surrogates too


def command_line(line: bytes) -> str | None:
    return etree.fromstring(line).findtext('.//Data[@Name="CommandLine"]')


@pytest.mark.parametrize("path", shared_files("data/linux/event-*.xml"))
def test_a_real_line_that_is_read_and_printed_again_is_the_same(path: Path) -> None:
    lines = path.read_bytes().splitlines()
    assert lines
    for line in lines:
        assert linux_xml_line(read_entry(line)) == line


def test_an_event_is_printed_with_its_whole_envelope() -> None:
    schema = EVENTS[5]
    line = linux_xml_line(entry(any_event(schema, ProcessId=785, Image="/usr/bin/true", User="root")))
    assert line.decode() == (
        '<Event><System><Provider Name="Linux-Sysmon" Guid="{ff032593-a8d3-4f13-b0d6-01fc615a0f97}"/>'
        "<EventID>5</EventID><Version>3</Version><Level>4</Level><Task>5</Task><Opcode>0</Opcode>"
        '<Keywords>0x8000000000000000</Keywords><TimeCreated SystemTime="2026-11-21T06:10:33.486357000Z"/>'
        '<EventRecordID>9</EventRecordID><Correlation/><Execution ProcessID="157" ThreadID="158"/>'
        '<Channel>Linux-Sysmon/Operational</Channel><Computer>vm</Computer><Security UserId="0"/></System>'
        '<EventData><Data Name="RuleName">-</Data><Data Name="UtcTime">2026-11-21 06:10:33.206</Data>'
        '<Data Name="ProcessGuid">{b635b3db-35d9-6b01-d929-6d0000000000}</Data><Data Name="ProcessId">785</Data>'
        '<Data Name="Image">/usr/bin/true</Data><Data Name="User">root</Data></EventData></Event>'
    )


@pytest.mark.parametrize("schema", EVENTS.values(), ids=lambda schema: schema.cls.__name__)
def test_every_event_type_survives_being_printed_and_read(schema: EventType) -> None:
    made = entry(any_event(schema))
    assert read_entry(linux_xml_line(made)) == made


def test_the_descriptor_of_event_100_is_zero() -> None:
    system = etree.fromstring(linux_xml_line(entry(any_event(EVENTS[100]))))[0]
    assert [system.findtext(name) for name in ("Version", "Level", "Task", "Keywords")] == ["0", "0", "0", "0x0"]


def test_an_error_report_has_the_level_of_errors() -> None:
    assert b"<EventID>255</EventID><Version>3</Version><Level>2</Level>" in linux_xml_line(
        entry(any_event(EVENTS[255]))
    )


def test_an_unknown_boolean_is_a_dash() -> None:
    assert b'<Data Name="IsExecutable">-</Data>' in linux_xml_line(entry(any_event(EVENTS[23], IsExecutable=None)))


def test_an_entry_that_windows_wrote_keeps_its_envelope() -> None:
    log = Foreign("Microsoft-Windows-Sysmon", "{5770385f-c22a-43e0-bf4c-06f5698ffbd9}", "Other/Channel", 'S-1-5-18"', 3)
    event = any_event(EVENTS[5])
    event.extra = {"TimeCreated": "2026-11-21T06:10:35.500000000Z"}
    made = entry(event)
    line = linux_xml_line(made._replace(origin=replace(made.origin, foreign=log))).decode()
    assert line.startswith(
        '<Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event"><System>'
        '<Provider Name="Microsoft-Windows-Sysmon" Guid="{5770385f-c22a-43e0-bf4c-06f5698ffbd9}"/>'
        "<EventID>5</EventID><Version>3</Version>"
    )
    assert '<TimeCreated SystemTime="2026-11-21T06:10:35.500000000Z"/>' in line
    assert '<Channel>Other/Channel</Channel><Computer>vm</Computer><Security UserID="S-1-5-18&quot;"/></System>' in line


def test_extra_facts_are_not_in_the_line() -> None:
    assert linux_xml_line(create(extra={"Container": "web"})) == linux_xml_line(create())


def test_markup_is_entities_and_quotes_are_not() -> None:
    line = linux_xml_line(create(Image="<unknown process>", CommandLine="a && \"b\" 'c'"))
    assert b'"Image">&lt;unknown process&gt;<' in line
    assert b'"CommandLine">a &amp;&amp; "b" \'c\'<' in line


def test_a_newline_is_a_reference_that_parsers_turn_back() -> None:
    line = linux_xml_line(create(CommandLine="sh -c 'one\ntwo\r\n\tthree\u2028'"))
    assert b"one&#10;two&#13;&#10;\tthree&#8232;'" in line
    assert command_line(line) == "sh -c 'one\ntwo\r\n\tthree\u2028'"


@pytest.mark.parametrize(
    ("value", "shown"),
    [("\x1b[2J", "\\x1b[2J"), ("a\udcffb", "a\\xffb"), ("\ud800", "\\ud800"), ("\uffff", "\\uffff"), ("\0", "\\x00")],
)
def test_what_xml_forbids_is_spelled_out(value: str, shown: str) -> None:
    assert command_line(linux_xml_line(create(CommandLine=value))) == shown


def test_a_computer_with_markup_in_its_name_does_no_harm() -> None:
    made = create()
    odd = type(made)(made.record_id, made.time, made.event, type(made.origin)("a<b", 1, 2, 3))
    assert etree.fromstring(linux_xml_line(odd)).findtext(".//Computer") == "a<b"


@given(value=ANY_TEXT)
def test_any_value_gives_one_line_of_xml(value: str) -> None:
    line = linux_xml_line(create(CommandLine=value))
    assert len(line.decode().splitlines()) == 1
    read = command_line(line) or ""
    if not any((ord(c) < 32 and c not in "\n\r\t") or 0xD800 <= ord(c) <= 0xDFFF or c in "\ufffe\uffff" for c in value):
        assert read == value
