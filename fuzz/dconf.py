"""Databases of dconf: their settings by key and as texts, or a RecordError."""

from __future__ import annotations

from fuzz.target import Target, law
from pysmon.errors import RecordError
from pysmon.host.dconf.changes import MOST, changes
from pysmon.host.dconf.table import read_table
from pysmon.host.dconf.variant import variant_text

_TEXT = 4096  # characters of a value that are shown


def check(data: bytes) -> None:
    """The law. Whatever comes is tried as a value, too."""
    try:
        law(bool(variant_text(data)), "a value without a text")
    except RecordError as error:
        law(bool(str(error)), "an error without a word")
    try:
        told, more = changes(b"", data)
    except RecordError as error:
        law(bool(str(error)), "an error without a word")
        return
    found = read_table(data)
    law(len(told) == min(len(found), MOST) and len(told) + more == len(found), "as many changes as there are settings")
    law(sum(map(len, found.values())) <= len(data), "values are no longer than the file")
    for change in told:
        law(change.key.startswith("/") and change.before is None, "what was not there has a value before")
        law(0 < len(change.value or "") <= _TEXT, "a value without a text, or with one that is too long")
    law(changes(data, data) == ([], 0), "what is the same has changed")


TARGET = Target(
    "dconf",
    "databases of dconf",
    check,
    words=(b"GVariant", b"\xff\xff\xff\xff", b"v\0", b"\x18\0\0\0", b"\0s", b"\0as", b"\0a{sv}", b"\0(us)", b"/org/"),
    longest=1 << 13,
)
