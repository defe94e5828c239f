"""Exports of Splunk: JSON with the event in `_raw`, and the `key=value` lines of its classic Windows input."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from itertools import pairwise

from pysmon.sources.found import Found, all_taken
from pysmon.sources.origins import CHANNEL, PROVIDER
from pysmon.sources.parts import Row, message_fields, part
from pysmon.sources.shape import Sample
from pysmon.sources.source import Taken, Tally, Wanted
from pysmon.sources.streams import Bytes
from pysmon.sources.texts import texts
from pysmon.sources.windows_xml import found_in

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


def fits_keyed(sample: Sample) -> bool:
    """Whether it has events in that form; other files have lines that begin with `LogName=`, too."""
    return "EventCode=" in sample.text and _BEGIN.search(sample.text) is not None


def read_keyed(source: Bytes, tally: Tally, wanted: Wanted) -> Iterator[Taken]:
    """The events of a text, one after the other, each from its line `LogName=` on."""
    with source.open() as stream:
        events = enumerate(_events(texts(stream, tally)), 1)
        yield from all_taken(((f"event {n}", partial(keyed, text)) for n, text in events), tally, wanted)


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
