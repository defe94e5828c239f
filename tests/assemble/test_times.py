"""FileCreateTime out of file time records."""

from __future__ import annotations

import pytest
from tests.assemble.stage import CHILD, SECOND, builder, ended, execute, guid, head

from pysmon.schema.catalogue import FileCreateTime
from pysmon.sensor.records import FileTimeRecord, components_of


def told(**values: int | bytes) -> FileCreateTime:
    known: dict[str, int | bytes] = {"path": components_of("/etc/x"), "uid": 1000, "seconds": 978_307_200}
    stage = builder()
    stage.take(execute(CHILD, "/bin/touch"))
    (event,) = stage.take(FileTimeRecord.make(**(head(CHILD, 10 * SECOND) | known | values)))
    assert isinstance(event, FileCreateTime)
    return event


def test_both_times_are_told_with_who_set_them() -> None:
    event = told(nanoseconds=250_000_000, previous_seconds=1_000_000_000, previous_nanoseconds=123_456_789)
    assert event.CreationUtcTime == "2001-01-01 00:00:00.250"
    assert event.PreviousCreationUtcTime == "2001-09-09 01:46:40.123"
    assert (event.ProcessGuid, event.Image, event.User) == (guid(CHILD), "/bin/touch", "joe")
    assert (event.TargetFilename, event.UtcTime) == ("/etc/x", "2026-11-21 05:46:50.000")


def test_a_name_is_joined_to_its_directory() -> None:
    assert told(path=b"", directory=components_of("/tmp"), name=ended("a/../f")).TargetFilename == "/tmp/f"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1, "1969-12-31 23:59:59.000"), (1 << 62, "9999-12-31 23:59:59.000")],
)
def test_times_before_1970_and_beyond_all_years_have_a_text(seconds: int, text: str) -> None:
    assert told(seconds=seconds % (1 << 64)).CreationUtcTime == text
    assert told(seconds=1 << 63).CreationUtcTime.endswith("01-01 00:00:00.000")
