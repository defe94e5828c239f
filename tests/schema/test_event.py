"""Event types: what follows from a class body."""

from __future__ import annotations

import pytest

from pysmon.schema import catalogue
from pysmon.schema.event import EVENTS, Event, event, field
from pysmon.schema.kinds import Text, Time
from pysmon.schema.version import SchemaVersion


def test_the_events_stand_in_the_order_of_the_manifest() -> None:
    assert list(EVENTS) == [255, *range(1, 30), 100]


def test_every_event_class_can_be_had_from_the_catalogue() -> None:
    assert {t.cls.__name__ for t in EVENTS.values()} == set(catalogue.__all__)


def test_values_are_written_as_the_log_writes_them_in_the_order_of_the_schema() -> None:
    made = catalogue.FileDeleteDetected(
        UtcTime="2026-01-02 03:04:05.678", ProcessGuid="{g}", ProcessId=7, TargetFilename="/tmp/a"
    )
    assert made.texts() == ["-", "2026-01-02 03:04:05.678", "{g}", "7", "-", "-", "/tmp/a", "-", "-"]
    assert made.text("ProcessId") == "7"


def test_a_field_is_found_by_its_exact_name_only() -> None:
    made = EVENTS[10]
    assert made.field("SourceProcessGUID") is not None
    assert made.field("SourceProcessGuid") is None
    value = catalogue.ConfigurationChange(UtcTime="now")
    with pytest.raises(KeyError, match="event 16 has no field 'Hash'"):
        value.text("Hash")


def test_what_was_not_given_is_a_dash_and_what_must_be_given_is_asked_for() -> None:
    with pytest.raises(TypeError, match="ProcessGuid"):
        catalogue.ProcessTerminate(UtcTime="now", ProcessId=1)  # type: ignore[call-arg]
    assert catalogue.ProcessTerminate(UtcTime="now", ProcessGuid="{g}", ProcessId=1).Image == "-"


def test_all_fields_of_kind_text_default_to_a_dash() -> None:
    for made in EVENTS.values():
        for one in made.cls.__dataclass_fields__.values():
            declared = made.field(one.name)
            if declared is not None and declared.kind.name == "text":
                assert one.default == "-", f"{made.tag}.{one.name}"


def test_a_second_event_of_the_same_id_is_refused() -> None:
    with pytest.raises(ValueError, match="event id 1 is SYSMONEVENT_CREATE_PROCESS already"):

        @event(id=1, symbol="SYSMONEVENT_TWICE", title="Twice", version=1)
        class Twice(Event):
            UtcTime: Time
            Text: Text = field(default="-")

    assert EVENTS[1].cls is catalogue.ProcessCreate


def test_a_field_is_never_older_than_its_event() -> None:
    for made in EVENTS.values():
        assert all(f.since >= made.since for f in made.fields)


def test_only_process_create_and_process_terminate_are_kept_without_rules() -> None:
    assert {t.id for t in EVENTS.values() if t.tag and t.default == "include"} == {1, 5}


def test_events_that_no_rule_reaches_have_no_tag_and_no_rule_name() -> None:
    without = {t.id for t in EVENTS.values() if not t.tag}
    assert without == {4, 16, 255}
    assert all((t.field("RuleName") is None) == (t.id in without) for t in EVENTS.values())


def test_a_file_create_was_kept_by_default_before_the_schema_3_4() -> None:
    old, new = EVENTS[11].at(SchemaVersion.parse("3.3")), EVENTS[11].at(SchemaVersion.parse("3.4"))
    assert old is not None
    assert new is not None
    assert (old.stated_default, new.stated_default) == ("include", "exclude")


def test_an_event_that_was_hidden_is_there_on_linux_only() -> None:
    then = SchemaVersion.parse("4.1")
    hidden = EVENTS[23].at(then, "linux")
    assert hidden is not None
    assert (hidden.id, hidden.title, [f.name for f in hidden.fields][:2]) == (
        0xF001,
        "File Delete",
        ["RuleName", "UtcTime"],
    )
    assert EVENTS[23].at(then, "windows") is None


def test_a_field_that_is_gone_stands_where_it_stood() -> None:
    old = EVENTS[24].at(SchemaVersion.parse("4.32"))
    assert old is not None
    assert [f.name for f in old.fields][-3:] == ["Hashes", "Path", "Archived"]


def test_an_event_of_one_platform_is_not_on_the_other() -> None:
    now = SchemaVersion.parse("4.91")
    assert EVENTS[29].at(now, "linux") is None
    assert EVENTS[29].at(now, "windows") is not None
    assert EVENTS[100].at(now, "windows") is None
    assert EVENTS[100].at(now, "linux") is not None


def test_every_event_says_what_it_means_on_linux_and_every_field_what_it_holds() -> None:
    for made in EVENTS.values():
        first, _, rest = made.doc.partition("\n\n")
        assert first.endswith("."), made.symbol
        assert rest.startswith("On Linux: "), made.symbol
        assert made.live == ("not produced" not in rest), made.symbol
        assert all(f.doc for f in made.fields)
        assert all(f.doc != f.kind.doc or f.kind.name not in ("text", "time", "guid", "pid") for f in made.fields)
