"""The heads of syslog messages, and cutting at characters."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.formats.entries import TIME, any_event, create, entry

from pysmon.formats.linux_xml import linux_xml_line
from pysmon.formats.syslog import bsd_head, cut, local_head, message, priority, rfc5424_head
from pysmon.schema.event import EVENTS


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "CET-1")
    time.tzset()
    yield
    monkeypatch.delenv("TZ")
    time.tzset()


def test_the_local_head_is_that_of_the_c_library(berlin: None) -> None:
    at = create()._replace(time=TIME - 1)  # another second than any test before
    assert local_head(at._replace(time=TIME + 17_000_000_000)) == "<14>Nov 21 07:10:50 sysmon: "
    assert local_head(at._replace(time=TIME + 10 * 86_400_000_000_000)) == "<14>Dec  1 07:10:33 sysmon: "


def test_over_a_network_the_host_stands_before_the_program(berlin: None) -> None:
    assert bsd_head(create()._replace(time=TIME + 23_000_000_000)) == "<14>Nov 21 07:10:56 vm sysmon: "


def test_rfc_5424_has_the_time_in_utc_the_process_and_the_id_of_the_event() -> None:
    assert rfc5424_head(create()) == "<14>1 2026-11-21T06:10:33.486357Z vm sysmon 157 1 - "


def test_an_error_report_is_an_error_and_all_else_information() -> None:
    assert {number: priority(entry(any_event(made))) for number, made in EVENTS.items()} == {
        number: 11 if number == 255 else 14 for number in EVENTS
    }


@pytest.mark.parametrize(("computer", "shown"), [("a b\n\u00e9", "ab"), ("", "-"), ("x" * 300, "x" * 255)])
def test_a_strange_host_cannot_break_the_head(computer: str, shown: str) -> None:
    strange = create()
    strange = strange._replace(origin=type(strange.origin)(computer, 0, 0, 0))
    assert rfc5424_head(strange).split(" ")[2:5] == [shown, "sysmon", "-"]


def test_a_message_is_head_and_line() -> None:
    assert message(rfc5424_head, linux_xml_line, create()) == rfc5424_head(create()).encode() + linux_xml_line(create())


@settings(deadline=None)
@given(st.text(), st.integers(0, 50))
def test_what_is_cut_is_a_beginning_that_ends_with_a_whole_character(text: str, most: int) -> None:
    whole = text.encode("utf-8", "replace")
    part = cut(whole, most)
    assert len(part) <= most
    assert whole.startswith(part)
    assert part.decode() is not None
    assert len(whole) <= most or len(part) > most - 4
