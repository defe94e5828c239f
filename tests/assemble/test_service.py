"""What pysmon says of itself."""

from __future__ import annotations

from pysmon.assemble.service import configuration_change, error_report, service_state
from pysmon.schema.version import SchemaVersion

NOW = 1_795_241_429_342_999_999
TEXT = "2026-11-21 06:10:29.342"


def test_a_service_that_began_says_what_it_is() -> None:
    event = service_state(NOW, "Started", "1.5.2", SchemaVersion.parse("4.9"))
    assert event.texts() == [TEXT, "Started", "1.5.2", "4.90"]
    assert event.type.id == 4


def test_a_configuration_is_told_with_its_hash() -> None:
    assert configuration_change(NOW, "a.xml", "SHA256=00").texts() == [TEXT, "a.xml", "SHA256=00"]
    assert configuration_change(NOW, "").texts() == [TEXT, "-", "-"]


def test_an_error_has_a_name_and_a_description() -> None:
    assert error_report(NOW, "QUEUE", "12 records lost").texts() == [TEXT, "QUEUE", "12 records lost"]
