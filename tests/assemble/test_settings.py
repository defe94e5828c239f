"""RegistryKey, RegistryValueSet and RegistryRename out of the records of the kernel's settings."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from tests.assemble.stage import CHILD, MACHINE, SECOND, builder, ended, execute, guid, head, users

from pysmon.assemble.extras import facts_of
from pysmon.assemble.processes import Processes
from pysmon.layout.record import Record
from pysmon.schema.catalogue import RegistryKey, RegistryRename, RegistryValueSet
from pysmon.schema.event import Event
from pysmon.sensor.records import components_of
from pysmon.sensor.setting_records import TABLE_MADE, TABLE_REMOVED, TABLE_RENAMED, SettingRecord, SettingTableRecord


def told(record: Record) -> Event:
    stage = builder()
    stage.take(execute(CHILD, "/bin/sh"))
    (event,) = stage.take(record)
    return event


def setting(**values: int | bytes) -> SettingRecord:
    known: dict[str, int | bytes] = {"uid": 1000, "name": ended("kernel/core_pattern"), "value": ended("|/tmp/x\n")}
    return SettingRecord.make(**(head(CHILD, 10 * SECOND) | known | values))


def table(deed: int, previous: bytes = b"") -> SettingTableRecord:
    folder = components_of("/net/ipv4/conf/eth0")
    return SettingTableRecord.make(**head(CHILD, 10 * SECOND), uid=1000, deed=deed, table=folder, previous=previous)


def test_a_setting_is_told_with_what_was_written_and_by_whom() -> None:
    event = told(setting())
    assert isinstance(event, RegistryValueSet)
    assert (event.EventType, event.TargetObject, event.Details) == (
        "SetValue",
        r"SYSCTL\kernel\core_pattern",
        "|/tmp/x",
    )
    assert (event.ProcessGuid, event.ProcessId, event.Image, event.User) == (guid(CHILD), CHILD[0], "/bin/sh", "joe")
    assert event.UtcTime == "2026-11-21 05:46:50.000"


@pytest.mark.parametrize(
    ("value", "details"), [(b"1\n\0", "1"), (b" 4 4\t1 7 \0", "4 4\t1 7"), (b"\n\0", "(Empty)"), (b"", "(Empty)")]
)
def test_blanks_and_line_ends_around_a_value_are_not_told(value: bytes, details: str) -> None:
    event = told(setting(value=value))
    assert isinstance(event, RegistryValueSet)
    assert event.Details == details


def test_json_adds_the_value_before_and_how_the_write_was_odd() -> None:
    def facts(**values: int | bytes) -> Mapping[str, object]:
        return facts_of(setting(**values), Processes(MACHINE), users())

    assert facts(previous=ended("core\n")) == {"PreviousDetails": "core"}
    assert facts(position=3, cut=1) == {"PreviousDetails": "-", "Position": 3, "DetailsCut": True}


@pytest.mark.parametrize(("deed", "kind"), [(TABLE_MADE, "CreateKey"), (TABLE_REMOVED, "DeleteKey")])
def test_a_table_that_comes_or_goes_is_a_key(deed: int, kind: str) -> None:
    event = told(table(deed))
    assert isinstance(event, RegistryKey)
    assert (event.EventType, event.TargetObject, event.User) == (kind, r"SYSCTL\net\ipv4\conf\eth0", "joe")


def test_a_table_of_another_name_is_told_with_both() -> None:
    event = told(table(TABLE_RENAMED, ended("veth7")))
    assert isinstance(event, RegistryRename)
    assert (event.EventType, event.TargetObject) == ("RenameKey", r"SYSCTL\net\ipv4\conf\veth7")
    assert (event.NewName, event.Image) == (r"SYSCTL\net\ipv4\conf\eth0", "/bin/sh")


@pytest.mark.parametrize(
    ("record", "its_own"),
    [(setting(), 13), (table(TABLE_MADE), 12), (table(TABLE_REMOVED), 12), (table(TABLE_RENAMED), 14)],
)
def test_only_the_event_that_is_wanted_is_built(record: Record, its_own: int) -> None:
    stage = builder()
    stage.want({12, 13, 14} - {its_own})
    assert stage.take(record) == ()
    stage.want({its_own})
    assert len(stage.take(record)) == 1
