"""Tapes: they are played, unreadable records are counted, or a RecordError says where the tape ends to be one."""

from __future__ import annotations

import threading

from fuzz.target import Target, file_of
from pysmon.errors import RecordError
from pysmon.formats.json_line import json_line
from pysmon.layout.c_text import digest
from pysmon.pipeline.replay import Playback
from pysmon.sensor.records import RECORDS

_TITLE = f"pysmon tape 1 {digest(RECORDS.values()):08x}\n".encode()


def check(data: bytes) -> None:
    """The law. Inputs have no title: that of this version stands before each of them."""
    try:
        playback = Playback(None, file_of(_TITLE + data, "tape"))
    except RecordError:
        return
    for batch in playback.batches(threading.Event()):
        for entry in batch:
            json_line(entry)


TARGET = Target(
    "tape",
    "recorded kernel records",
    check,
    words=(
        *(kind.to_bytes(2, "little") for kind in RECORDS),
        *(b"R\0\0\0\0", b"F\2\0\0\0{}", b'"users"', b'"clock_offset"', b'"machine_id"', b'"boot_time"', b"\xff" * 8),
    ),
)
