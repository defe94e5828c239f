"""The flat JSON line: typed values, one line whatever the values are."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.formats.entries import any_event, create, entry

from pysmon.formats.json_line import ENVELOPE, EXTRA, json_line
from pysmon.schema.event import EVENTS, EventType

ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=()))


def test_the_envelope_comes_first_and_then_the_fields_in_order() -> None:
    row = json.loads(json_line(entry(any_event(EVENTS[5], ProcessId=785, Image="/usr/bin/true", User="root"))))
    assert list(row.items()) == [
        ("EventID", 5),
        ("Provider_Name", "Linux-Sysmon"),
        ("Channel", "Linux-Sysmon/Operational"),
        ("Computer", "vm"),
        ("EventRecordID", 9),
        ("SystemTime", "2026-11-21T06:10:33.486357000Z"),
        ("RuleName", "-"),
        ("UtcTime", "2026-11-21 06:10:33.206"),
        ("ProcessGuid", "{b635b3db-35d9-6b01-d929-6d0000000000}"),
        ("ProcessId", 785),
        ("Image", "/usr/bin/true"),
        ("User", "root"),
    ]


@pytest.mark.parametrize("schema", EVENTS.values(), ids=lambda schema: schema.cls.__name__)
def test_no_field_takes_the_place_of_an_envelope_name(schema: EventType) -> None:
    taken = {name.lower() for name in (*ENVELOPE, EXTRA)}
    names = [field.name.lower() for field in schema.fields]
    assert not taken & set(names)
    assert len(set(names)) == len(names)  # readers that ignore case see every field


@pytest.mark.parametrize("schema", EVENTS.values(), ids=lambda schema: schema.cls.__name__)
def test_every_value_keeps_its_type(schema: EventType) -> None:
    event = any_event(schema)
    row = json.loads(json_line(entry(event)))
    for field in schema.fields:
        assert row[field.name] == getattr(event, field.name)
        assert type(row[field.name]) is type(getattr(event, field.name))


def test_a_boolean_that_is_not_known_is_null() -> None:
    assert json.loads(json_line(entry(any_event(EVENTS[23], IsExecutable=None))))["IsExecutable"] is None


def test_extra_facts_stand_under_one_key_and_only_if_there_are_any() -> None:
    assert json.loads(json_line(create(extra={"Container": "web", "Truncated": ["CommandLine"]})))[EXTRA] == {
        "Container": "web",
        "Truncated": ["CommandLine"],
    }
    assert EXTRA not in json.loads(json_line(create()))


def test_extra_facts_of_any_type_are_told_as_text() -> None:
    assert json.loads(json_line(create(extra={"Ratio": 1 + 2j})))[EXTRA] == {"Ratio": "(1+2j)"}


def test_a_name_that_is_not_utf_8_is_spelled_out_wherever_it_stands() -> None:
    row = json.loads(json_line(create(Image="/tmp/\udcff", extra={"Where": ["\udcfe", {"\udcfd": "\ud800"}]})))
    assert row["Image"] == "/tmp/\\xff"
    assert row[EXTRA] == {"Where": ["\\xfe", {"\\xfd": "\\ud800"}]}


def test_a_control_character_beyond_ascii_cannot_steer_a_terminal() -> None:
    line = json_line(create(CommandLine="é\x9b31m\u2028"))
    assert b"\xc3\xa9\\u009b31m\\u2028" in line
    assert json.loads(line)["CommandLine"] == "é\x9b31m\u2028"


@given(value=ANY_TEXT)
def test_any_value_gives_one_line_of_json_that_carries_it(value: str) -> None:
    line = json_line(create(CommandLine=value))
    assert len(line.decode().splitlines()) == 1
    read = json.loads(line)["CommandLine"]
    if not any(0xD800 <= ord(char) <= 0xDFFF for char in value):
        assert read == value
