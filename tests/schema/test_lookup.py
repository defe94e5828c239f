"""Finding events by what people write."""

from __future__ import annotations

from pysmon.schema.event import EVENTS
from pysmon.schema.lookup import TAGS, by_tag, fields_of, nearest


def test_a_tag_gives_its_events_in_the_order_of_the_manifest() -> None:
    assert [t.id for t in by_tag("ProcessCreate")] == [1]
    assert [t.id for t in by_tag("RegistryEvent")] == [12, 13, 14]
    assert [t.id for t in by_tag("PipeEvent")] == [17, 18]
    assert [t.id for t in by_tag("WmiEvent")] == [19, 20, 21]


def test_tags_are_case_sensitive_and_unknown_ones_give_nothing() -> None:
    assert by_tag("processcreate") == ()
    assert by_tag("") == ()


def test_each_tag_is_listed_once_and_reaches_all_events_that_can_be_filtered() -> None:
    assert len(set(TAGS)) == len(TAGS)
    assert TAGS[:2] == ("ProcessCreate", "FileCreateTime")
    assert TAGS[-1] == "eBPFEvent"
    assert {t.id for tag in TAGS for t in by_tag(tag)} == set(EVENTS) - {4, 16, 255}


def test_the_fields_of_a_series_are_those_of_all_its_events_once_each() -> None:
    names = fields_of("RegistryEvent")
    assert names.count("TargetObject") == 1
    assert {"Details", "NewName", "EventType"} <= set(names)
    assert fields_of("Nothing") == ()


def test_a_slip_of_the_pen_finds_what_was_meant() -> None:
    assert nearest("ProccessCreate", TAGS)[0] == "ProcessCreate"
    assert nearest("commandline", fields_of("ProcessCreate"))[0] == "CommandLine"
    assert nearest("SourceProcessGuid", fields_of("ProcessAccess"))[0] == "SourceProcessGUID"


def test_what_resembles_nothing_finds_nothing() -> None:
    assert nearest("Zebra", TAGS) == ()
