"""The fast way through flat JSON lines: it finds what the general way finds, and tells the same of the rest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pysmon.schema.entry import Entry
from pysmon.schema.event import EVENTS, Event
from pysmon.sources.flat import flat
from pysmon.sources.flat_rows import read_flat
from pysmon.sources.found import all_taken
from pysmon.sources.json_rows import rows
from pysmon.sources.source import Taken, Tally, Wanted
from pysmon.sources.streams import Bytes, bytes_of

ALL = {number: [f.name for f in made.fields] for number, made in EVENTS.items()}
SOME = {number: [name for name in names if name not in ("UtcTime", "Version")] for number, names in ALL.items()}
FEW = {10: ["SourceImage"], 13: ["TargetObject", "EventType", "Image"]}
SAID = ("INFO", "SetValue", "a:\r\nUser: me", "a:\r\nSourceImage: C:\\b.exe\r\nDescription: d", "EventType: SetValue")
ACCESS: dict[str, Any] = {
    "SourceName": "Microsoft-Windows-Sysmon",
    "Channel": "Microsoft-Windows-Sysmon/Operational",
    "EventID": 10,
    "UtcTime": "2022-08-04 15:20:05.599",
    "TimeCreated": "2022-08-04T15:20:05.604Z",
    "SourceProcessGUID": "{625B42A0-4109-62E9-2600-000000000900}",
    "SourceProcessId": "7",
    "SourceImage": "C:\\a \u00e9.exe",
    "GrantedAccess": "0x1410",
}


def general(source: Bytes, tally: Tally, wanted: Wanted) -> Iterator[Taken]:
    return all_taken(((place, partial(flat, row)) for place, row in rows(source, tally)), tally, wanted)


def both_ways(path: Path) -> tuple[list[tuple[int, Any, Entry[Event]]], Tally]:
    """What the fast way finds, having looked that the general way finds the same."""
    (source,) = bytes_of(path)
    for wanted in (FEW, SOME, ALL):
        found = []
        for read in (read_flat, general):
            tally = Tally()
            taken = [(number, values, make()) for number, values, make in read(source, tally, wanted)]
            found.append((taken, tally))
        assert found[0] == found[1]
    return found[0]


def lines(tmp_path: Path, *objects: object) -> Path:
    path = tmp_path / "log.json"
    path.write_text("".join((each if isinstance(each, str) else json.dumps(each)) + "\n" for each in objects))
    return path


def test_values_and_entries_are_those_of_the_general_way(tmp_path: Path) -> None:
    ((number, values, entry),), tally = both_ways(lines(tmp_path, ACCESS))
    assert (number, tally.entries) == (10, 1)
    assert dict(zip(ALL[10], values, strict=True))["SourceImage"] == "C:\\a \u00e9.exe"
    assert entry.event.text("SourceProcessGUID") == "{625b42a0-4109-62e9-2600-000000000900}"


@pytest.mark.parametrize(
    "change",
    [
        {"SourceName": "Microsoft-Windows-Security-Auditing", "Channel": "Security"},
        {"SourceName": "Microsoft-Windows-Security-Auditing", "Channel": None},
        {"SourceName": "Eventlog", "EventID": None},
        {"SourceName": "Linux-Sysmon"},
        {"SourceName": ""},
        {"SourceName": None},
        {"EventID": "10"},
        {"EventID": 4242},
        {"EventID": -1},
        {"EventID": [10]},
        {"UtcTime": "2022-13-04 15:20:05.599"},
        {"UtcTime": "2022-08-04 15:20:05,599"},
        {"UtcTime": "2022-08-04 15:20:05.5x9"},
        {"UtcTime": None, "TimeCreated": None},
        {"UtcTime": 5},
        {"UtcTime": "2022-08-04T15:20:05Z"},
        {"UtcTime": "2022-08-04t15:20:05"},
        {"UtcTime": "1969-08-04 15:20:05.599", "TimeCreated": None},
        {"UtcTime": "2242-12-04 15:20:05.599", "TimeCreated": None},
        {"EventType": "INFO", "Message": "x:\r\nEventType: CreatePipe\r\nUser: me"},
        {"EventType": "CreatePipe"},
        {"EventTypeOrignal": "INFO", "Message": ""},
        {"EventTypeOrignal": None, "EventType": "CreatePipe", "Message": "a\r\nUserName: b"},
        {"EventTypeOrignal": "INFO", "Message": "ID: 5"},
        {"EventType": "INFO"},
        {"EventType": "INFO", "Message": None},
        {"EventType": None},
        {"Version": 5},
        {"Version": "5"},
        {"ProcessId": "7"},
        {"ProcessId": "8"},
        {"Unheard": 1, "Of": {"a": [1]}},
        {"sourceimage": "C:\\b.exe"},
        {"Host": 1, "version": 2},
        {'a"b': 1},
        {"a\\b": 1, "\u00e9": "\u00e9"},
        {"SourceProcessId": "many"},
        {"SourceImage": None, "GrantedAccess": 5136},
        {"SourceImage": {"a": 1}},
        {"SourceUser": "x" * 5000},
    ],
    ids=str,
)
def test_whatever_is_not_as_usual_comes_out_the_same(tmp_path: Path, change: dict[str, Any]) -> None:
    path = lines(tmp_path, ACCESS, {**ACCESS, **change}, ACCESS)
    found, tally = both_ways(path)
    assert 2 <= len(found) <= 3
    assert tally.entries == len(found)


def test_what_is_no_object_is_told_with_its_line(tmp_path: Path) -> None:
    found, tally = both_ways(lines(tmp_path, ACCESS, "", "[1]", '{"a":', '{"a": 1}', ACCESS))
    assert len(found) == 2
    assert [damage.place for damage in tally.damaged] == ["line 3", "line 4", "line 5"]


def test_an_array_is_read_as_well(tmp_path: Path) -> None:
    found, _ = both_ways(lines(tmp_path, json.dumps([ACCESS, ACCESS], indent=1)))
    assert len(found) == 2


def test_names_that_are_met_one_after_the_other_are_all_known(tmp_path: Path) -> None:
    more = [{**ACCESS, **{f"New{n}": n for n in range(number)}} for number in (1, 3, 2, 0, 300, 1)]
    found, tally = both_ways(lines(tmp_path, *more))
    assert (len(found), tally.unknown_fields[10, "New0"]) == (6, 5)


def test_bytes_that_are_no_text_are_told_wherever_they_are(tmp_path: Path) -> None:
    path = lines(tmp_path, ACCESS, ACCESS, {**ACCESS, "SourceName": "Eventlog"})
    good = path.read_bytes()
    path.write_bytes(good + good.replace(b"0x1410", b"\xff").replace(b"C:", b"\xfe"))
    found, tally = both_ways(path)
    assert (len(found), tally.damages) == (2, 3)


def test_a_name_that_stands_twice_counts_as_in_the_general_way(tmp_path: Path) -> None:
    again = json.dumps(ACCESS)[:-1]
    twice = ['"EventID": 8}', '"SourceImage": "C:\\\\b.exe"}', '"UtcTime": "2022-08-04 15:20:06.000"}']
    found, _ = both_ways(lines(tmp_path, ACCESS, *(f"{again}, {each}" for each in twice)))
    assert [entry.event.type.id for *_, entry in found] == [10, 8, 10, 10]


names = st.sampled_from(
    [*ACCESS, "ProcessId", "EventType", "EventTypeOrignal", "Version", "User", "Image", "Message", "New"]
)
values = st.one_of(
    st.none(), st.booleans(), st.integers(-1, 30), st.text(max_size=3), st.sampled_from([*ACCESS.values(), *SAID])
)


@given(changes=st.lists(st.dictionaries(names, values, max_size=4), max_size=5), event_id=st.sampled_from([1, 10, 13]))
@settings(max_examples=150, deadline=None)
def test_both_ways_agree_on_anything(
    tmp_path_factory: pytest.TempPathFactory, changes: list[dict[str, Any]], event_id: int
) -> None:
    objects = [{**ACCESS, "EventID": event_id, **change} for change in changes]
    both_ways(lines(tmp_path_factory.mktemp("flat"), {**ACCESS, "EventID": event_id}, *objects))
