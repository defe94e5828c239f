"""Events that pysmon makes of itself: they come from plain values, not from records."""

from __future__ import annotations

from typing import Literal

from pysmon.assemble.utc import utc_text
from pysmon.schema.catalogue import ConfigurationChange, ErrorReport, ServiceStateChange
from pysmon.schema.version import SchemaVersion


def service_state(
    time: int, state: Literal["Started", "Stopped"], version: str, schema: SchemaVersion
) -> ServiceStateChange:
    """Event 4: pysmon began or ended; `time` is in ns since 1970."""
    return ServiceStateChange(UtcTime=utc_text(time), State=state, Version=version, SchemaVersion=str(schema))


def reconciliation(time: int, books: str, version: str, schema: SchemaVersion) -> ServiceStateChange:
    """Event 4: pysmon runs, and its `books` add up; told once in a while."""
    state = f"Running; {books}"
    return ServiceStateChange(UtcTime=utc_text(time), State=state, Version=version, SchemaVersion=str(schema))


def configuration_change(time: int, configuration: str, file_hash: str = "") -> ConfigurationChange:
    """Event 16: the configuration that holds from now on, by the path as typed, `Defaults` or the command line.

    `file_hash` as Sysmon writes it (`SHA256=...`); empty if there is no file.
    """
    return ConfigurationChange(
        UtcTime=utc_text(time), Configuration=configuration or "-", ConfigurationFileHash=file_hash or "-"
    )


def error_report(time: int, error: str, description: str) -> ErrorReport:
    """Event 255: something went wrong or was lost; `error` is a short name (`QUEUE`)."""
    return ErrorReport(UtcTime=utc_text(time), ID=error, Description=description)
