"""The readable text of an entry without colour: its first line, then indented lines of detail."""

from __future__ import annotations

from pysmon.formats.describe import describe
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event

INDENT = "      "


def plain_text(entry: Entry[Event]) -> bytes:
    """A few lines of UTF-8, without the newline at the end; no value can put a newline or a control character in."""
    return f"\n{INDENT}".join("".join(piece.text for piece in line) for line in describe(entry)).encode()
