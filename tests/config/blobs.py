"""Reads the binary rules that Sysmon's own compiler made of a configuration, into the shape that tests compare."""

from __future__ import annotations

import struct
from typing import NamedTuple

ENVIRONMENT = 0x40000000  # of a filter type: the value has %NAME% in it


class BlobFilter(NamedTuple):
    field: int  # index in the event's fields
    name: str
    condition: int
    value: str
    rule: int  # number of the Rule around it, 0 if there is none


class BlobEvent(NamedTuple):
    id: int
    default: int  # 0 include, 1 exclude
    combine: int  # 0 or, 1 and
    filters: tuple[BlobFilter, ...]


class Blob(NamedTuple):
    schema: tuple[int, int]
    events: tuple[BlobEvent, ...]
    relations: dict[int, int]  # Rule number -> 0 or, 1 and


def read_blob(data: bytes) -> Blob:
    _, count, _, schema, at, rule_at = struct.unpack_from("<6I", data)
    events = []
    for _ in range(count):
        event_id, default, combine, following, filters, first = struct.unpack_from("<6I", data, at)
        events.append(BlobEvent(event_id, default, combine, _filters(data, first, filters)))
        at = following
    relations = {}
    while rule_at:
        number, _, following, _, combine = struct.unpack_from("<5I", data, rule_at + 264)
        relations[number] = combine
        rule_at = following
    return Blob((schema >> 16, schema & 0xFFFF), tuple(events), relations)


def _filters(data: bytes, at: int, count: int) -> tuple[BlobFilter, ...]:
    found = []
    for _ in range(count):
        (field,) = struct.unpack_from("<I", data, at)
        kind, following, size, rule, _ = struct.unpack_from("<5I", data, at + 516)
        value = data[at + 536 : at + 536 + size].decode("utf-16-le").rstrip("\0")
        found.append(BlobFilter(field, _text(data[at + 4 : at + 516]), kind & ~ENVIRONMENT, value, rule))
        at = following
    return tuple(found)


def _text(raw: bytes) -> str:
    return raw.decode("utf-16-le").split("\0")[0]
