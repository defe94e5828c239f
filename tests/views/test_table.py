"""Entries as a table, and in detail."""

from __future__ import annotations

import pytest
from rich.cells import cell_len
from tests.formats.entries import any_event, entry
from tests.views.cast import Cast, intrusion, line_text

from pysmon.schema import catalogue
from pysmon.schema.event import EVENTS
from pysmon.views.table import details, heading, row
from pysmon.views.words import Screen

# ruff: noqa: E501 - lines of a table are as long as they are
WIDE = """\
time (UTC)               id   event               process               user      what
2026-11-21 08:15:00.400   22  DnsQuery            curl[101]             joe       looked up evil.example and was told 192.0.2.1;
2026-11-21 08:15:00.500    3  NetworkConnect      curl[101]             joe       connected to 192.0.2.1:443 (tcp)
2026-11-21 08:15:00.600   11  FileCreate          curl[101]             joe       created /tmp/x
2026-11-21 08:15:00.700    5  ProcessTerminate    curl[101]             joe       ended with exit code 0
2026-11-21 08:15:00.800    1  ProcessCreate       x[102]                joe       /tmp/x --install"""
NARROW = """\
time (UTC)    id   process           what
08:15:00.400   22  curl[101]         looked up evil.example and…
08:15:00.500    3  curl[101]         connected to 192.0.2.1:443…
08:15:00.600   11  curl[101]         created /tmp/x
08:15:00.700    5  curl[101]         ended with exit code 0
08:15:00.800    1  x[102]            began: /tmp/x --install (i…"""
DETAIL = """\
11 FileCreate  File created  record 8  2026-11-21T08:15:00.900000000Z  vm
  RuleName         -
  UtcTime          2026-11-21 08:15:00.900
  ProcessGuid      {b635b3db-0066-6b01-0001-000000000066}
  ProcessId        102
  Image            /tmp/x
  TargetFilename   /etc/cron.d/x
  CreationUtcTime  2026-11-21 06:10:33.206
  User             joe
  + How            renamed"""


def table(screen: Screen) -> str:
    lines = [heading(screen), *(row(one, screen) for one in intrusion().entries[3:8])]
    return "\n".join(line_text(line) for line in lines)


def test_a_table_has_a_line_for_each_entry() -> None:
    assert table(Screen()) == WIDE


def test_a_narrow_table_fits_its_screen_and_keeps_what_happened() -> None:
    assert table(Screen(64, boxes=True)) == NARROW
    assert all(cell_len(line) <= 64 for line in table(Screen(64)).splitlines())


def test_a_wide_screen_cuts_long_cells_and_a_pipe_does_not() -> None:
    cast = Cast("a-user-with-a-long-name")
    cast.run(5, "x", Image="/usr/bin/a-program-with-a-long-name")
    assert "a-program-with-a-lo…  a-user-…  x" in line_text(row(cast.entries[0], Screen(120, boxes=True)))
    assert "a-program-with-a-long-name[5]  a-user-with-a-long-name  x" in line_text(row(cast.entries[0], Screen()))


def test_details_have_every_field_and_what_is_beyond() -> None:
    assert "\n".join(line_text(line) for line in details(intrusion().entries[8])) == DETAIL


@pytest.mark.parametrize("schema", EVENTS.values(), ids=lambda schema: schema.cls.__name__)
def test_every_event_is_shown_in_one_line_that_steers_nothing(schema: object) -> None:
    made = EVENTS[schema.id]  # type: ignore[attr-defined]
    texts = {field.name: "\x1b[2J\n界" for field in made.fields if field.kind.name in ("text", "time")}
    event = any_event(made, **texts)
    event.extra = {"Ev\x1bil": "\n"}
    one = entry(event)
    for screen in (Screen(), Screen(80), Screen(150)):
        assert line_text(row(one, screen)).isprintable()
    assert all(line_text(line).isprintable() for line in details(one))


def test_trouble_stands_out() -> None:
    trouble = entry(catalogue.ErrorReport(UtcTime="-", ID="QUEUE", Description="7 lost"))
    assert "alarm" in {piece.style for piece in row(trouble, Screen()).pieces}
    assert "alarm" not in {piece.style for piece in row(intrusion().entries[3], Screen()).pieces}
