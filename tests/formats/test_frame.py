"""Frames: every entry comes back as it was, and what was cut or changed is told from what is whole."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.formats.entries import ORIGIN, create, entry
from tests.store.entries import entries

from pysmon.formats.frame import content_at, entry_of, frame, framed, names_frame, names_of, size_of
from pysmon.schema.catalogue import ServiceStateChange
from pysmon.schema.entry import Entry, Foreign, Origin
from pysmon.schema.event import EVENTS, Event

NAMES = names_of(names_frame()[8:])


def back(data: bytes) -> Entry[Event]:
    content = content_at(data, 0)
    assert content is not None
    assert size_of(content) == len(data)
    return entry_of(content, NAMES)


@settings(deadline=None)
@given(entries())
def test_every_entry_comes_back_as_it_was(given_entry: Entry[Event]) -> None:
    again = back(frame(given_entry))
    assert again == given_entry
    assert [type(v) for v in again.event.texts()] == [type(v) for v in given_entry.event.texts()]
    assert again.event.extra == given_entry.event.extra


@pytest.mark.parametrize("fields", [None, ("UtcTime", "State")])
def test_what_the_log_of_another_program_said_comes_back(fields: tuple[str, ...] | None) -> None:
    foreign = Foreign("Microsoft-Windows-Sysmon", "{0}", "Microsoft-Windows-Sysmon/Operational", "S-1-5-18", 3, fields)
    given_entry = create()._replace(origin=Origin("pc", 4, 5, 0, foreign))
    assert back(frame(given_entry)) == given_entry


def test_extra_facts_of_any_mapping_and_of_odd_kinds_do_not_stop_it() -> None:
    event = create().event
    event.extra = {"Numbers": (1, 2), "Odd": {"deep": object}, "Float": 1.5}
    extra = back(frame(entry(event))).event.extra
    assert extra == {"Numbers": [1, 2], "Odd": {"deep": str(object)}, "Float": 1.5}


@settings(deadline=None)
@given(entries(), st.data())
def test_a_frame_that_was_cut_is_none(given_entry: Entry[Event], data: st.DataObject) -> None:
    whole = frame(given_entry)
    assert content_at(whole[: data.draw(st.integers(0, len(whole) - 1))], 0) is None


@settings(deadline=None)
@given(entries(), st.data())
def test_a_frame_with_a_changed_bit_is_none(given_entry: Entry[Event], data: st.DataObject) -> None:
    changed = bytearray(frame(given_entry))
    changed[data.draw(st.integers(4, len(changed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert content_at(bytes(changed), 0) is None


def test_zeros_that_a_power_cut_left_are_no_frame() -> None:
    assert content_at(bytes(4096), 0) is None


def test_a_field_that_came_later_has_no_value_and_one_that_is_gone_is_left_out() -> None:
    state = EVENTS[ServiceStateChange.type.id]
    names = {state.id: ("UtcTime", "Gone", "State")}
    content = content_at(frame(entry(ServiceStateChange(UtcTime="t", State="x", Version="s", SchemaVersion="v"))), 0)
    assert content is not None
    with pytest.raises(ValueError, match="no entry"):
        entry_of(content, names)
    older = b'j[4,7,8,["vm",157,158,0,null],null,"2026","old","Started"]'
    made = entry_of(older, names)
    assert made == Entry(
        7, 8, ServiceStateChange(UtcTime="2026", State="Started", Version="-", SchemaVersion="-"), ORIGIN
    )


@pytest.mark.parametrize(
    "content", [b"x[]", b"j[1]", b"j{}", b"j7", b"m\x90", b"m\xc1", b'j[99,1,2,["",1,1,1,null],null]']
)
def test_content_that_is_no_entry_is_told(content: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        entry_of(content, NAMES)


def test_a_table_that_is_none_is_told() -> None:
    with pytest.raises(ValueError, match="no table"):
        names_of(b"j[]")


def test_the_content_of_a_frame_may_stand_anywhere() -> None:
    assert content_at(framed(b"one") + framed(b"two"), size_of(b"one")) == b"two"
