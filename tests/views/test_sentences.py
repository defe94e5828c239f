"""What events say in words."""

from __future__ import annotations

import re

import pytest
from tests.formats.entries import any_event

from pysmon.schema import catalogue
from pysmon.schema.event import EVENTS, Event, EventType
from pysmon.views.sentences import SAYINGS, actor, program_name
from pysmon.views.story import sentence

EXTRA = {"ExitCode", "Signal", "How"}  # names of extra facts that sayings speak of


def said(event: Event) -> str:
    return "".join(piece.text for piece in sentence(event))


def test_every_event_type_has_its_sentence() -> None:
    assert SAYINGS.keys() == EVENTS.keys()


@pytest.mark.parametrize("schema", EVENTS.values(), ids=lambda schema: schema.cls.__name__)
def test_a_sentence_names_only_what_its_event_has(schema: EventType) -> None:
    named = {name for saying in SAYINGS[schema.id] for part in saying.parts for name in re.findall(r"{(\w+)}", part)}
    named |= {saying.when[0] for saying in SAYINGS[schema.id] if saying.when}
    assert named <= {field.name for field in schema.fields} | EXTRA


@pytest.mark.parametrize("schema", EVENTS.values(), ids=lambda schema: schema.cls.__name__)
def test_an_event_that_knows_nothing_still_has_a_sentence(schema: EventType) -> None:
    text = said(any_event(schema))
    assert re.match(r"\w.* \w", text)
    assert " - " not in text


@pytest.mark.parametrize(
    ("number", "values", "extra", "words"),
    [
        (
            3,
            {"Initiated": True, "DestinationIp": "::1", "DestinationPort": 5, "Protocol": "tcp"},
            {},
            "connected to [::1]:5 (tcp)",
        ),
        (
            3,
            {"Initiated": False, "SourceIp": "10.0.0.9", "SourcePort": 9, "DestinationPort": 22, "Protocol": "tcp"},
            {},
            "was called by 10.0.0.9:9 at port 22 (tcp)",
        ),
        (5, {}, {"ExitCode": 1}, "ended with exit code 1"),
        (5, {}, {"Signal": 9}, "was ended by signal 9"),
        (5, {}, {}, "ended"),
        (11, {"TargetFilename": "/x"}, {"How": "created"}, "created /x"),
        (11, {"TargetFilename": "/x"}, {"How": "renamed"}, "gave a file the name /x"),
        (11, {"TargetFilename": "/x"}, {"How": "linked"}, "gave a file the further name /x"),
        (12, {"EventType": "DeleteKey", "TargetObject": "HKU\\x"}, {}, "deleted the registry key HKU\\x"),
        (
            22,
            {"QueryName": "a.b", "QueryStatus": "0", "QueryResults": "1.2.3.4;"},
            {},
            "looked up a.b and was told 1.2.3.4;",
        ),
        (22, {"QueryName": "a.b", "QueryStatus": "9003"}, {}, "looked up a.b in vain (status 9003)"),
        (26, {"TargetFilename": "/x"}, {}, "deleted /x"),
    ],
)
def test_what_happened_is_said_as_it_was(
    number: int, values: dict[str, object], extra: dict[str, object], words: str
) -> None:
    event = any_event(EVENTS[number], Image="/usr/bin/curl", ProcessId=4711, **values)
    event.extra = extra
    assert said(event) == f"curl (4711) {words}"


def test_an_event_without_a_process_says_who_it_is_about() -> None:
    assert (
        said(catalogue.ErrorReport(UtcTime="-", ID="QUEUE", Description="7 lost"))
        == "the monitor reported trouble (QUEUE): 7 lost"
    )
    assert said(any_event(EVENTS[19], User="joe", Operation="Created", Name='"a"')).startswith(
        "joe registered a WMI filter (Created)"
    )
    assert said(any_event(EVENTS[19])).startswith("somebody registered")


def test_the_one_who_acts_is_told_for_events_between_processes() -> None:
    event = any_event(
        EVENTS[10], SourceImage="C:\\a.exe", SourceProcessId=3, TargetImage="C:\\lsass.exe", TargetProcessId=4
    )
    assert actor(event)[1:] == ("3", "C:\\a.exe")
    assert said(event) == "a.exe (3) opened the process C:\\lsass.exe (4) with the rights 0x0"


def test_nothing_in_a_sentence_can_steer_a_terminal() -> None:
    evil = "/tmp/\x1b[2J\u202e\n"
    for schema in EVENTS.values():
        event = any_event(schema, **{field.name: evil for field in schema.fields if field.kind.name == "text"})
        assert said(event).isprintable()


@pytest.mark.parametrize(
    ("image", "name"), [("/usr/bin/sh", "sh"), ("C:\\a\\b.exe", "b.exe"), ("x", "x"), ("/a/", "/a/")]
)
def test_a_program_goes_by_the_name_of_its_file(image: str, name: str) -> None:
    assert program_name(image) == name
