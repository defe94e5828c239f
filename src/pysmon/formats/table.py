"""The text formats, by the name that the command line knows them by. A new one is a file and one line of this table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pysmon.formats.json_line import json_line
from pysmon.formats.linux_xml import linux_xml_line
from pysmon.formats.plain_text import plain_text
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event

Render = Callable[[Entry[Event]], bytes]  # an entry as text, without the newline at its end


@dataclass(frozen=True, slots=True)
class Format:
    """A way to write an entry as text."""

    name: str
    about: str  # for the help text
    render: Render
    one_line: bool  # whether it never puts a newline into an entry


FORMATS: Mapping[str, Format] = {
    form.name: form
    for form in (
        Format("text", "a few readable lines for each event", plain_text, one_line=False),
        Format("json", "flat JSON lines, typed, with the facts that Sysmon has no field for", json_line, one_line=True),
        Format("xml", "the XML lines of Sysmon for Linux, byte for byte", linux_xml_line, one_line=True),
    )
}
