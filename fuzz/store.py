"""The event log: a damaged file gives entries or a StoreError. Inputs are patches of a log of our own making."""

from __future__ import annotations

import struct
from contextlib import closing
from functools import cache
from itertools import islice

from fuzz.events import plain_events
from fuzz.target import Target, law, scratch
from pysmon.errors import PysmonError
from pysmon.formats.json_line import json_line
from pysmon.schema.entry import Entry, Origin
from pysmon.store.query import Condition, Query
from pysmon.store.store import Store
from pysmon.store.writer import Writer

_PATCH = struct.Struct("<IB")  # where, and how many bytes follow
_MOST = 2000  # entries: the log has 62
_TIME = 1_795_241_433_486_357_000


def check(data: bytes) -> None:
    """The law."""
    path = scratch() / "damaged.db"
    path.write_bytes(_patched(bytearray(_log()), data))
    try:
        with Store(path) as store:
            _read(store)
    except PysmonError:
        return


def _read(store: Store) -> None:
    for entry in islice(store.select(Query()), _MOST):
        json_line(entry)
    asked = Query(conditions=(Condition("Image", "contains", "windows"),), order="newest first")
    for entry in islice(store.select(asked), _MOST):
        json_line(entry)
    law(all(holding.entries is not None for holding in store.holdings()), "entries that are not counted")
    store.end()


def _patched(log: bytearray, patches: bytes) -> bytes:
    at = 0
    while at + _PATCH.size <= len(patches):
        where, size = _PATCH.unpack_from(patches, at)
        piece = patches[at + _PATCH.size : at + _PATCH.size + size]
        begin = where % len(log)
        log[begin : begin + len(piece)] = piece[: len(log) - begin]
        at += _PATCH.size + size
    return bytes(log)


@cache
def _log() -> bytes:
    path = scratch() / "whole.db"
    with closing(Writer(path)) as writer:
        origin = Origin("host", 1, 2, 0)
        events = [event for event in plain_events() for _ in range(2)]
        writer.write([Entry(n, _TIME + n * 10**9, event, origin) for n, event in enumerate(events, 1)])
    return path.read_bytes()


TARGET = Target(
    "store", "the event log (SQLite)", check, words=(b"\0\0\0\0\4", b"\xff\xff\xff\xff", b"\x0d\0", b"\x05\0")
)
