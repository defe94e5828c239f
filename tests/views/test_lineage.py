"""Processes put together from entries."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.views.cast import Cast, guid, intrusion

from pysmon.schema import catalogue
from pysmon.views.lineage import NO_GUID, Lineage


def test_programs_that_follow_each_other_are_one_process() -> None:
    lineage = Lineage(intrusion().entries)
    process = lineage.get(guid(101, 2))
    assert process is lineage.get(guid(101))
    assert process is not None
    assert [entry.event.text("Image") for entry in process.programs] == ["/usr/bin/env", "/usr/bin/curl"]
    assert process.guid == guid(101, 2)


def test_a_parent_without_a_beginning_is_known_by_its_child() -> None:
    (root,) = Lineage(intrusion().entries).roots()
    assert (root.pid, root.image, root.began) == ("1", "/sbin/init", False)
    assert [child.pid for child in root.children] == ["100"]


def test_ancestors_and_descendants_are_told_from_the_oldest_on() -> None:
    lineage = Lineage(intrusion().entries)
    process = lineage.get(guid(103))
    assert process is not None
    assert [p.pid for p in process.line] == ["1", "100", "102", "103"]
    assert [(depth, p.pid) for depth, p in process.line[1].descent()] == [
        (0, "100"),
        (1, "101"),
        (1, "102"),
        (2, "103"),
    ]


def test_deeds_are_counted_but_for_beginnings_and_ends() -> None:
    process = Lineage(intrusion().entries).get(guid(101))
    assert process is not None
    assert process.deeds == {22: 1, 3: 1, 11: 1}
    assert process.end is not None


def test_deeds_can_be_told_without_their_entries() -> None:
    lineage = Lineage(intrusion().entries)
    lineage.count(guid(103), 3, 5)
    lineage.count(guid(999), 3, 5)
    process = lineage.get(guid(103))
    assert process is not None
    assert process.deeds[3] == 5
    assert lineage.get(guid(999)) is None


def test_a_process_id_that_is_used_again_is_another_process() -> None:
    cast = Cast()
    cast.run(7, "one", ProcessGuid="{b635b3db-0001-6b01-0000-000000000001}")
    cast.run(7, "two", ProcessGuid="{b635b3db-0002-6b01-0000-000000000002}")
    assert [process.command_line for process in Lineage(cast.entries).of_pid(7)] == ["one", "two"]


def test_a_process_without_a_parent_or_a_guid_is_alone() -> None:
    cast = Cast()
    cast.run(1, "init", ParentProcessGuid=NO_GUID, ParentImage="-")
    cast.add(catalogue.ServiceStateChange, State="Started")
    lineage = Lineage(cast.entries)
    assert [process.pid for process in lineage.roots()] == ["1"]
    assert len(lineage.processes) == 1


def test_what_a_fork_did_before_it_ran_a_program_is_of_the_same_process() -> None:
    cast = Cast()
    cast.create(5, "/tmp/out")
    cast.run(5, "id", by=4, program=2)
    process = Lineage(cast.entries).get(guid(5))
    assert process is not None
    assert (process.image, process.deeds[11]) == ("/usr/bin/id", 1)


def test_a_process_is_adopted_from_another_lineage_once() -> None:
    known = Lineage(intrusion().entries).get(guid(101))
    assert known is not None
    lineage = Lineage()
    lineage.adopt(known)
    lineage.adopt(known)
    made = lineage.get(guid(101, 2))
    assert made is not None
    assert made is not known
    assert (made.image, made.end, len(lineage.processes)) == ("/usr/bin/curl", known.end, 1)


@given(st.lists(st.tuples(st.integers(1, 6), st.integers(1, 6)), max_size=30))
def test_however_a_log_contradicts_itself_the_lineage_stays_a_forest(pairs: list[tuple[int, int]]) -> None:
    cast = Cast()
    for pid, by in pairs:
        cast.run(pid, "x", by=by)
    lineage = Lineage(cast.entries)
    found = [process for root in lineage.roots() for _, process in root.descent()]
    assert len(found) == len(lineage.processes)
    assert all(process.line[-1] is process for process in found)
