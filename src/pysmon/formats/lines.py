"""The line formats, by the name that the command line knows them by. A new one is a file and one line of this table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pysmon.formats.json_line import json_line
from pysmon.formats.linux_xml import linux_xml_line
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event


@dataclass(frozen=True, slots=True)
class LineFormat:
    """A way to write an entry as one line of UTF-8."""

    name: str
    about: str  # for the help text
    line: Callable[[Entry[Event]], bytes]  # without the newline at the end, and with none inside


LINE_FORMATS: Mapping[str, LineFormat] = {
    form.name: form
    for form in (
        LineFormat("json", "flat JSON lines, typed, with the facts that Sysmon has no field for", json_line),
        LineFormat("xml", "the XML lines of Sysmon for Linux, byte for byte", linux_xml_line),
    )
}
