"""What the readable formats show of an event."""

from __future__ import annotations

import pytest
from tests.formats.entries import any_event, create, entry

from pysmon.formats.describe import VIEWS, describe
from pysmon.formats.plain_text import plain_text
from pysmon.schema.event import EVENTS, EventType

# Of no help to somebody who watches; the JSON and XML lines have them.
LEFT_OUT = {
    *("ProcessGuid", "ParentProcessGuid", "LogonGuid", "LogonId", "TerminalSessionId", "IntegrityLevel"),
    *("SourceProcessGuid", "TargetProcessGuid", "SourceProcessGUID", "TargetProcessGUID", "SourceThreadId"),
    *("FileVersion", "Description", "Product", "Company", "OriginalFileName", "IsExecutable"),
    *("SourceIsIpv6", "DestinationIsIpv6", "SourcePortName", "DestinationPortName", "CreationUtcTime"),
    "EventType",  # of WMI events, which their Operation tells
}


def marked(schema: EventType) -> dict[str, object]:
    """A value for every text field that is found again by the field's name."""
    return {f.name: f"<{f.name}>" for f in schema.fields if f.kind.sql == "TEXT"}


@pytest.mark.parametrize("schema", EVENTS.values(), ids=lambda schema: schema.cls.__name__)
def test_every_text_of_an_event_is_shown_or_left_out_on_purpose(schema: EventType) -> None:
    shown = plain_text(entry(any_event(schema, **marked(schema)))).decode()
    missing = {name for name in marked(schema) if f"<{name}>" not in shown}
    assert missing <= LEFT_OUT


@pytest.mark.parametrize("schema", EVENTS.values(), ids=lambda schema: schema.cls.__name__)
def test_a_view_names_no_field_that_none_of_its_events_has(schema: EventType) -> None:
    sharing = [event_id for event_id, view in VIEWS.items() if view is VIEWS[schema.id]]
    known = {field.name for event_id in sharing for field in EVENTS[event_id].fields}
    view = VIEWS[schema.id]
    named = {part.split("}")[0] for line in (view.head, *view.details) for s in line for part in s.split("{")[1:]}
    assert named <= known


def test_a_process_is_shown_with_what_started_it() -> None:
    made = create(ParentProcessId=159, ParentCommandLine="bash -l", ParentUser="root", Hashes="MD5=0")
    assert plain_text(made).decode().splitlines() == [
        "2026-11-21 06:10:33.206    1 ProcessCreate  /usr/bin/python3.11 [160]  root",
        "      python3 -c 'print(1)'",
        "      in /share",
        "      by /usr/bin/bash [159]  root  bash -l",
        "      MD5=0",
    ]


def test_a_connection_is_shown_from_end_to_end() -> None:
    ends = {"SourceIp": "10.0.0.1", "SourcePort": 44982, "DestinationIp": "fe80:0:0:0:0:0:0:1", "DestinationPort": 443}
    shown = plain_text(entry(any_event(EVENTS[3], Image="/usr/bin/curl", Protocol="tcp", **ends))).decode()
    assert shown.splitlines()[1] == "      tcp 10.0.0.1:44982 -> [fe80:0:0:0:0:0:0:1]:443  initiated true"


def test_what_is_not_known_takes_no_room() -> None:
    assert len(plain_text(create(CommandLine="-", CurrentDirectory="-", ParentImage="-")).splitlines()) == 1


def test_the_rule_that_kept_the_event_is_named() -> None:
    assert b"\n      rule technique_id=T1059\n" in plain_text(create(RuleName="technique_id=T1059"))


def test_extra_facts_are_shown() -> None:
    assert plain_text(create(extra={"Container": "web\x1b"})).endswith(b"\n      Container web\\x1b")


def test_extra_facts_that_are_mostly_noise_are_left_to_json() -> None:
    assert b"4026531836" not in plain_text(create(extra={"PidNamespace": 4026531836}))
    assert len(plain_text(create(extra={"PidNamespace": 4026531836})).splitlines()) == len(
        plain_text(create()).splitlines()
    )


def test_every_kind_of_thing_has_its_style() -> None:
    ends = {"SourceIp": "10.0.0.1", "SourcePort": 44982, "DestinationIp": "10.0.0.2", "DestinationPort": 443}
    event = any_event(EVENTS[3], Image="/usr/bin/curl", User="root", RuleName="web", Protocol="tcp", **ends)
    styles = {piece.text: piece.style for line in describe(entry(event)) for piece in line}
    assert styles["/usr/bin/curl"] == "path"
    assert styles["root"] == "user"
    assert styles["web"] == "rule"
    assert styles["tcp"] == "value"
    assert styles["10.0.0.1"] == styles["443"] == "address"
    assert styles["NetworkConnect"] == "name"


def test_an_error_report_stands_out() -> None:
    first = next(iter(describe(entry(any_event(EVENTS[255])))))
    assert ("ErrorReport", "alarm") in first


def test_no_value_can_steer_a_terminal_or_feign_a_line() -> None:
    evil = "\x1b[2J\n2026-11-21 06:10:33.206    1 ProcessCreate  /bin/true\u202e\udcff"
    shown = plain_text(create(RuleName=evil, Image=evil, CommandLine=evil, User=evil, ParentImage=evil)).decode()
    assert shown.replace("\n      ", "").isprintable()
    assert "\\x1b[2J\\x0a2026" in shown
