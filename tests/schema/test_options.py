"""The options through the versions."""

from __future__ import annotations

import pytest

from pysmon.schema.options import OPTIONS, Option, options_at
from pysmon.schema.version import SchemaVersion


def _option(name: str, version: str) -> Option | None:
    return next((o for o in options_at(SchemaVersion.parse(version)) if o.name == name), None)


def test_an_option_stands_from_its_first_version_to_before_its_last() -> None:
    assert _option("CheckRevocation", "2.0") is None
    assert _option("CheckRevocation", "3.10") is not None
    assert _option("CopyOnDelete_PE", "4.23") is not None
    assert _option("CopyOnDelete_PE", "4.30") is None


def test_print_schema_was_away_for_one_version_and_then_took_an_argument() -> None:
    found = {v: _option("PrintSchema", v) for v in ("3.10", "3.2", "3.3", "3.4", "4.0")}
    assert {v: o and o.argument for v, o in found.items()} == {
        "3.10": None,
        "3.2": "none",
        "3.3": None,
        "3.4": "none",
        "4.0": "optional",
    }


@pytest.mark.parametrize(("version", "internal"), [("4.0", True), ("4.1", False), ("4.2", True)])
def test_the_archive_switch_of_the_service_lost_its_mark_for_one_version(version: str, internal: bool) -> None:
    found = _option("ServiceArchiveDirectory", version)
    assert found is not None
    assert found.internal is internal


def test_the_element_of_an_option_is_its_name_unless_the_event_filter_has_that_name() -> None:
    elements = {o.name: o.element for o in OPTIONS}
    assert elements["HashAlgorithms"] == "HashAlgorithms"
    assert elements["ProcessAccess"] == "ProcessAccessConfig"
    assert elements["PipeMonitoring"] == "PipeMonitoringConfig"
    assert elements["Install"] == ""


def test_only_linux_carries_the_options_of_the_internal_build() -> None:
    now = SchemaVersion.parse("4.90")
    linux, windows = ({o.name for o in options_at(now, p)} for p in ("linux", "windows"))
    assert linux - windows == {"ServiceArchiveDirectory", "InternalRepresentation", "OutputRules", "TraceEvents"}
    assert windows < linux
