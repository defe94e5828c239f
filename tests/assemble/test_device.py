"""Raw access records."""

from __future__ import annotations

from tests.assemble.stage import CHILD, SECOND, SHELL, builder, execute, guid, head, task

from pysmon.schema.catalogue import RawAccessRead
from pysmon.sensor.records import RawAccessRecord, components_of

DISK = RawAccessRecord.make(
    **head(CHILD, 10 * SECOND), device=8 << 20 | 1, mode=0o60600, uid=1000, path=components_of("/dev/sda1")
)


def test_the_device_is_told_by_its_path_with_who_opened_it() -> None:
    stage = builder()
    stage.take(task(SHELL, "/bin/sh"))
    stage.take(execute(CHILD, "/bin/dd", b"dd\0"))
    (event,) = stage.take(DISK)
    assert isinstance(event, RawAccessRead)
    assert (event.Device, event.Image, event.User) == ("/dev/sda1", "/bin/dd", "joe")
    assert (event.ProcessGuid, event.ProcessId) == (guid(CHILD), CHILD[0])
    assert event.UtcTime == "2026-11-21 05:46:50.000"


def test_nothing_is_built_unless_it_is_wanted() -> None:
    stage = builder()
    stage.want({1, 10})
    assert stage.take(DISK) == ()
