"""Exports of Splunk: JSON with the event in `_raw`, and the `key=value` lines of its classic Windows input."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.sources.found import Found, NoEventError, entry_of
from pysmon.sources.origins import CHANNEL, PROVIDER
from pysmon.sources.parts import Row, message_fields, part
from pysmon.sources.source import Tally
from pysmon.sources.streams import Bytes
from pysmon.sources.windows_xml import found_in, texts

_KEY = re.compile(r"^(\w+)=(.*?)\r?$", re.MULTILINE)
_BEGIN = re.compile(r"^LogName=", re.MULTILINE)
_LONGEST = 1 << 21  # characters of one event


def splunk(row: Row) -> Found | None:
    """What an object with `_raw` says, which may lie under `result`."""
    raw = (part(row, "result") or row).get("_raw")
    if not isinstance(raw, str):
        return None
    return found_in(raw) if "<Event" in raw else keyed(raw)


def keyed(text: str) -> Found | None:
    """What the `key=value` lines of one event say, and the lines of its message; None if they are none such."""
    head, _, message = text.partition("Message=")
    said = dict(_KEY.findall(head))
    if "EventCode" not in said or "LogName" not in said:
        return None
    return Found(
        said.get("SourceName") or (PROVIDER if said["LogName"] == CHANNEL else ""),
        said["LogName"],
        said["EventCode"],
        message_fields(message),
        record_id=said.get("RecordNumber"),
        computer=said.get("ComputerName"),
        user=said.get("Sid"),
    )


def read_keyed(source: Bytes, tally: Tally) -> Iterator[Entry[Event]]:
    """The entries of a text of such events one after the other, each from its line `LogName=` on."""
    with source.open() as stream:
        for number, text in enumerate(_events(texts(stream, tally)), 1):
            try:
                found = keyed(text)
                entry = None if found is None else entry_of(found, tally)
            except NoEventError as error:
                tally.damage(f"event {number}", str(error))
                continue
            if found is None:
                tally.damage(f"event {number}", "no EventCode")
            elif entry is not None:
                yield entry


def _events(pieces: Iterator[str]) -> Iterator[str]:
    held = ""
    for piece in pieces:
        held += piece
        begins = [found.start() for found in _BEGIN.finditer(held)]
        for begin, end in pairwise(begins):
            yield held[begin:end]
        held = held[begins[-1] :] if begins else held[-len("LogName=") :]
        if len(held) > _LONGEST:
            yield held[:_LONGEST]
            held = ""
    if _BEGIN.match(held):
        yield held
