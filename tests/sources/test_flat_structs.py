"""The structs of flat JSON lines: what they take and what they leave to the general way."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from pysmon.schema.event import EVENTS
from pysmon.sources.flat import ENVELOPE
from pysmon.sources.flat_structs import Structs
from pysmon.sources.origins import PROVIDER

SET: dict[str, Any] = {
    "SourceName": PROVIDER,
    "EventID": 13,
    "EventType": "SetValue",
    "UtcTime": "2022-08-04 15:20:05.599",
    "ProcessId": "7",
    "Image": "C:\\a.exe",
    "Task": 13,
}


def knowing(*rows: dict[str, Any], wanted: tuple[str, ...] = ("Image", "EventType", "ProcessId")) -> Structs:
    structs = Structs({13: wanted}, {"pid": {b'"7"': 7, b"null": None}})
    for row in rows:
        structs.learn(row)
    return structs


def values(structs: Structs, row: dict[str, Any]) -> tuple[object, ...]:
    line = structs.decode(json.dumps(row).encode())
    return structs.plans[type(line)].values(line)


def test_a_line_like_one_before_gives_what_is_wanted() -> None:
    assert values(knowing(SET), SET) == ("C:\\a.exe", "SetValue", 7)
    assert values(knowing(SET, wanted=("Image",)), SET) == ("C:\\a.exe",)
    assert values(knowing(SET, wanted=("ProcessId",)), SET) == (7,)
    assert values(knowing(SET, wanted=()), SET) == ()


def test_what_a_line_does_not_have_is_none() -> None:
    short = {name: value for name, value in SET.items() if name not in ("Image", "ProcessId")}
    assert values(knowing(short), short) == ("-", "SetValue", None)


def test_before_the_first_line_nothing_is_known() -> None:
    with pytest.raises(msgspec.ValidationError):
        values(knowing(), SET)


@pytest.mark.parametrize(
    "change",
    [
        {"New": 1},
        {"SourceName": "Linux-Sysmon"},
        {"EventID": 12},
        {"EventID": "13"},
        {"UtcTime": "2022-08-04T15:20:05Z"},
        {"EventType": "INFO"},
        {"Image": None},
        {"Image": 5},
        {"image": "C:\\b.exe"},
        {"EventTypeOrignal": "INFO"},
    ],
    ids=str,
)
def test_another_line_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        values(knowing(SET), {**SET, **change})


@pytest.mark.parametrize(
    "change", [{"EventTypeOrignal": 1}, {"image": 1}, {"SourceProcessId": 7}, {'a"b': 1}, {"a\n": 1}], ids=str
)
def test_names_that_need_a_closer_look_are_never_known(change: dict[str, Any]) -> None:
    assert not knowing({**SET, **change}).plans


def test_lines_of_nxlog_are_known_of_events_that_have_no_event_type() -> None:
    end = {name: value for name, value in SET.items() if name != "EventType"} | {"EventID": 5, "Message": "a"}
    structs = Structs({5: ("Image",)}, {})
    structs.learn({**end, "EventType": "INFO", "EventTypeOrignal": "INFO"})
    (plan,) = structs.plans.values()
    assert plan.usual is not None
    for said, usual in (("x:\r\nImage: a", True), ("x:\r\nUser: a", True), ("x:\r\nID: 5", False)):
        line = {**end, "EventType": "INFO", "Message": said}
        assert plan.usual(structs.decode(json.dumps(line).encode())) is usual
    assert plan.usual(structs.decode(json.dumps(end).encode()))
    assert not plan.usual(structs.decode(json.dumps({**end, "EventType": "SetValue"}).encode()))


def test_who_wants_the_time_or_the_version_gets_it_in_the_general_way() -> None:
    assert not knowing(SET, wanted=("UtcTime",)).plans
    assert not knowing({**SET, "Version": 2}, wanted=("Version",)).plans


def test_what_is_known_grows_and_ends_at_some_size() -> None:
    structs = knowing(SET, {**SET, "New": 1, "Task": 1})
    assert values(structs, SET) == values(structs, {**SET, "New": 2})
    (plan,) = structs.plans.values()
    assert [name for _, name in plan.unknown] == ["New"]
    structs.learn({**SET, **{f"New{number}": 1 for number in range(300)}})
    assert list(structs.plans.values()) == [plan]
    for number in range(300):
        structs.learn({**SET, f"Name{number}": 1})
    assert len(structs.decode(json.dumps(SET).encode()).__struct_fields__) < 200


def test_no_field_of_sysmon_has_a_name_of_the_envelope() -> None:
    assert not ENVELOPE & {field.name for made in EVENTS.values() for field in made.fields}


def test_a_line_without_an_id_is_none_though_only_one_id_is_known() -> None:
    structs = knowing(SET)
    for strange in ({name: value for name, value in SET.items() if name != "EventID"}, {"EventID": -1, "never": ""}):
        with pytest.raises(msgspec.ValidationError):
            structs.decode(json.dumps(strange).encode())
