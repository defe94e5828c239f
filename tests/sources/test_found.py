"""What a reader found becomes an entry: typed, with nothing lost and nothing made up."""

from __future__ import annotations

from typing import Any

import pytest
from tests.sources.shapes import ME

from pysmon.formats.linux_xml import PROVIDER as LINUX
from pysmon.formats.logged import moment
from pysmon.schema.catalogue import CreateRemoteThread, NetworkConnect, ProcessTerminate
from pysmon.sources.found import Found, NoEventError, entry_of, taken_of
from pysmon.sources.origins import CHANNEL, PROVIDER
from pysmon.sources.source import Tally

TIME = "2019-04-27 15:57:53.300"


def found(event_id: object = 5, *, created: object = None, provider: str = PROVIDER, **fields: Any) -> Found:
    return Found(provider, CHANNEL, event_id, {"UtcTime": TIME, **fields}, created=created)


def event(event_id: object = 5, **fields: Any) -> tuple[Any, Tally]:
    tally = Tally()
    entry = entry_of(found(event_id, **fields), tally)
    assert entry is not None
    return entry.event, tally


@pytest.mark.parametrize("given", ["5", 5, "05"])
def test_the_event_id_may_be_text_or_number(given: object) -> None:
    assert isinstance(event(given)[0], ProcessTerminate)


@pytest.mark.parametrize("given", ["x", None, -5, 5.0, "", "9" * 50, 30, {"a": 1}])
def test_an_unknown_event_id_is_counted(given: object) -> None:
    tally = Tally()
    assert entry_of(found(given), tally) is None
    assert (tally.unknown_events.total(), tally.entries) == (1, 0)


def test_events_of_others_are_counted_by_channel() -> None:
    tally = Tally()
    for provider, channel in (("X", "Security"), ("Y", ""), ("", "")):
        assert entry_of(Found(provider, channel, 1, {}), tally) is None
    assert tally.others == {"Security": 1, "Y": 1, "?": 1}


def test_what_is_missing_is_not_known() -> None:
    made, _ = event(3)
    names = ("Image", "Initiated", "SourcePort", "ProcessGuid")
    assert [getattr(made, name) for name in names] == ["-", None, None, "-"]


def test_unknown_fields_are_kept_and_counted() -> None:
    made, tally = event(Imago="x", Other=3)
    assert made.extra == {"Imago": "x", "Other": 3}
    assert tally.unknown_fields == {(5, "Imago"): 1, (5, "Other"): 1}


def test_names_in_another_case_are_those_of_sysmon() -> None:
    made, tally = event(8, sourceProcessGUID=ME.upper(), newThreadId="7")
    assert isinstance(made, CreateRemoteThread)
    assert (made.SourceProcessGuid, made.NewThreadId) == (ME, 7)
    assert not tally.unknown_fields


@pytest.mark.parametrize("value", ["abc", -1, 1 << 64, [1], {"a": 1}, 1.5, True, "9" * 30])
def test_a_value_of_another_kind_is_kept_and_counted(value: object) -> None:
    made, tally = event(ProcessId=value)
    assert made.ProcessId is None
    assert made.extra == {"ProcessId": value}
    assert tally.odd_values == {(5, "ProcessId"): 1}


@pytest.mark.parametrize(
    ("field", "given", "value"),
    [
        ("ProcessId", "", None),
        ("ProcessId", "-", None),
        ("ProcessId", "0x10", 16),
        ("Image", "", ""),
        ("Image", 5, "5"),
        ("Image", True, "true"),
        ("ProcessGuid", ME[1:-1].upper(), ME),
        ("ProcessGuid", "none", "none"),
    ],
)
def test_values_are_read_by_their_kind(field: str, given: object, value: object) -> None:
    made, tally = event(**{field: given})
    assert getattr(made, field) == value
    assert not tally.odd_values


@pytest.mark.parametrize(("given", "value"), [("TRUE", True), ("0", False), (False, False), ("-", None), ("", None)])
def test_booleans_come_in_many_forms(given: object, value: object) -> None:
    assert event(3, Initiated=given)[0].Initiated is value


def test_hex_numbers_may_be_numbers() -> None:
    assert event(1, LogonId=999)[0].LogonId == "0x3e7"
    assert event(10, GrantedAccess="0x1410")[0].GrantedAccess == "0x1410"


def test_without_any_time_there_is_no_event() -> None:
    tally = Tally()
    with pytest.raises(NoEventError, match="event 5 without a time"):
        entry_of(Found(PROVIDER, CHANNEL, 5, {"UtcTime": "-"}), tally)
    made = entry_of(Found(PROVIDER, CHANNEL, 5, {}, created=1556380673.25), tally)
    assert made is not None
    assert made.time == 1556380673_250_000_000


def test_the_user_of_linux_is_a_number_and_that_of_windows_a_sid() -> None:
    linux = entry_of(found(provider=LINUX)._replace(user="1000", process_id="7"), Tally())
    windows = entry_of(found()._replace(user="S-1-5-18", process_id=7), Tally())
    assert linux is not None
    assert windows is not None
    assert (linux.origin.user_id, linux.origin.process_id) == (1000, 7)
    assert windows.origin.user_id == 0
    assert windows.origin.foreign is not None
    assert windows.origin.foreign.user == "S-1-5-18"


def test_the_fields_that_an_event_had_are_told_in_its_order() -> None:
    entry = entry_of(found(Image="x", RuleName="-", Odd="y"), Tally())
    assert entry is not None
    assert entry.origin.foreign is not None
    assert entry.origin.foreign.fields == ("UtcTime", "Image", "RuleName", "Odd")


def test_wanted_values_are_given_without_the_rest() -> None:
    tally = Tally()
    taken = taken_of(found(3, Image="x", SourcePort="80", DestinationPort="odd"), tally, {3: ("SourcePort", "Image")})
    assert taken is not None
    assert taken[:2] == (3, (80, "x"))
    assert (tally.entries, tally.odd_values) == (1, {})
    assert isinstance(taken[2]().event, NetworkConnect)
    other = taken_of(found(3, SourcePort="odd"), tally, {3: ("SourcePort", "Initiated")})
    assert other is not None
    assert other[1] == (None, None)


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("2019-04-27 15:57:53.300", 1556380673_300_000_000),
        ("2019-04-27T15:57:53.368863200Z", 1556380673_368_863_200),
        ("2019-04-27T15:57:53+00:00", 1556380673_000_000_000),
        ("2019-04-27 15:57:53", 1556380673_000_000_000),
        ("2019-13-27 15:57:53.300", None),
        ("2019-04-27 15:57:53.3x0", None),
        ("2019-04-27 15:57:53.³00", None),
        ("-", None),
        (1556380673.25, 1556380673_250_000_000),
        (-1, None),
        (1e300, None),
        (None, None),
    ],
)
def test_times_are_read_in_the_ways_that_logs_write_them(text: object, ns: int | None) -> None:
    assert moment(text) == ns
