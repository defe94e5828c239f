"""Entries as compact frames of bytes: what waits on the disk for an output. Nothing of an entry is lost.

A frame is the length of its content, the CRC-32 of it (both 32 bits, little-endian) and the content, so that a frame
that was cut, or changed, is told from a whole one. The content is a letter and a list: MessagePack (`m`), or JSON (`j`)
where a text is not UTF-8 or a number has more than 64 bits. The values of an event stand in the order of a table of
names that the file has in a frame of its own: a file outlives changes of the schema. A tuple among the extra facts
becomes a list, and what is neither text, number, list nor mapping becomes its text.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass
from functools import cache, lru_cache
from typing import Any

import msgspec

from pysmon.schema import catalogue as _catalogue  # noqa: F401 - fills EVENTS
from pysmon.schema.entry import Entry, Foreign, Origin
from pysmon.schema.event import EVENTS, Event, EventType
from pysmon.schema.taking import taker

LARGEST = 64 << 20  # bytes of a content: a length beyond it is none
_HEAD = struct.Struct("<II")
_PACKED, _JSON = b"m", b"j"
_ENCODER = msgspec.msgpack.Encoder(enc_hook=str)
_DECODER = msgspec.msgpack.Decoder()
_NONE = "-"
_NUMBERS = range(1 << 64)
_TIMES = range(1 << 63)  # ns since 1970

Names = Mapping[int, tuple[str, ...]]  # of the fields, by the id of the event


@dataclass(frozen=True, slots=True)
class _Plan:
    id: int
    values: Callable[[Event], tuple[Any, ...]]


def frame(entry: Entry[Event]) -> bytes:
    """The entry as a frame."""
    event = entry.event
    plan = _plan(event.type.id)
    extra = event.extra if event.extra is None else dict(event.extra)
    row = (plan.id, entry.record_id, entry.time, _origin(entry.origin), extra, *plan.values(event))
    return framed(_packed(row))


def framed(content: bytes) -> bytes:
    """The content as a frame."""
    return _HEAD.pack(len(content), zlib.crc32(content)) + content


def content_at(data: bytes, offset: int) -> bytes | None:
    """The content of the frame that begins there; None if it is not whole, or there is none."""
    if offset + _HEAD.size > len(data):
        return None
    length, crc = _HEAD.unpack_from(data, offset)
    start = offset + _HEAD.size
    if not length or length > LARGEST or start + length > len(data):
        return None
    content = data[start : start + length]
    return content if zlib.crc32(content) == crc else None


def size_of(content: bytes) -> int:
    """How many bytes the frame of that content takes."""
    return _HEAD.size + len(content)


@cache
def own_names() -> Names:
    """The table of names of this release."""
    return {made.id: tuple(f.name for f in made.fields) for made in EVENTS.values()}


@cache
def names_frame() -> bytes:
    """The same, as a frame."""
    return framed(_packed({str(number): names for number, names in own_names().items()}))


def names_of(content: bytes) -> Names:
    """The table of names of that content; ValueError if it is none."""
    table = _unpacked(content)
    try:
        return {int(number): tuple(map(str, names)) for number, names in table.items()}
    except (AttributeError, TypeError, OverflowError) as error:
        raise ValueError("there is no table of names") from error


def entry_of(content: bytes, names: Names) -> Entry[Event]:
    """The entry of that content, whose values stand in the order of those names; ValueError if there is none.

    A field that came with a later release has no value (`-`); one that is gone is left out.
    """
    row = _unpacked(content)
    try:
        number, record_id, time, origin, extra, *values = row
        schema = EVENTS[number]
        known = dict(zip(names[number], values, strict=True))
        event = schema.cls(extra=_facts(extra), **_values(schema, known))
        return Entry(_number(record_id, _NUMBERS), _number(time, _TIMES), event, _origin_of(*origin))
    except (TypeError, KeyError, ValueError) as error:
        raise ValueError(f"the content is no entry: {error}") from error


@cache
def _plan(event_id: int) -> _Plan:
    return _Plan(event_id, taker([field.name for field in EVENTS[event_id].fields]))


def _values(schema: EventType, known: dict[str, Any]) -> dict[str, Any]:
    return {
        f.name: _value(known[f.name], f.kind.sql) if f.name in known else _absent(f.kind.sql) for f in schema.fields
    }


def _value(value: Any, sql: str) -> Any:
    if not (value is None or isinstance(value, int) if sql == "INTEGER" else isinstance(value, str)):
        raise ValueError(f"a value {value!r:.40} in a field of another kind")
    return value


def _number(value: Any, known: range) -> int:
    if type(value) is not int or value not in known:
        raise ValueError(f"{value!r:.40} where a number is expected")
    return value


def _facts(extra: Any) -> dict[str, Any] | None:
    if extra is None or (isinstance(extra, dict) and all(isinstance(name, str) for name in extra)):
        return extra
    raise ValueError(f"extra facts that are none: {extra!r:.40}")


def _absent(sql: str) -> str | None:
    return None if sql == "INTEGER" else _NONE


@lru_cache(maxsize=64)  # one origin for a whole run
def _origin(origin: Origin) -> tuple[Any, ...]:
    foreign = origin.foreign
    return (origin.computer, origin.process_id, origin.thread_id, origin.user_id, foreign and astuple(foreign))


def _origin_of(computer: str, process_id: int, thread_id: int, user_id: int, foreign: list[Any] | None) -> Origin:
    for number in (process_id, thread_id, user_id):
        _number(number, _NUMBERS)
    _value(computer, "TEXT")
    if foreign is None:
        return _known(computer, process_id, thread_id, user_id, None)
    provider, guid, channel, user, version, fields = foreign
    for text in (provider, guid, channel, user, *(fields or ())):
        _value(text, "TEXT")
    _value(version, "INTEGER")
    return _known(
        computer,
        process_id,
        thread_id,
        user_id,
        Foreign(provider, guid, channel, user, version, fields if fields is None else tuple(fields)),
    )


@lru_cache(maxsize=64)  # one object for all entries of a run
def _known(computer: str, process_id: int, thread_id: int, user_id: int, foreign: Foreign | None) -> Origin:
    return Origin(computer, process_id, thread_id, user_id, foreign)


def _packed(value: object) -> bytes:
    try:
        return _PACKED + _ENCODER.encode(value)
    except (UnicodeEncodeError, OverflowError):
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
        return _JSON + text.encode("utf-8", "surrogatepass")


def _unpacked(content: bytes) -> Any:
    try:
        if content[:1] == _PACKED:
            return _DECODER.decode(content[1:])
        if content[:1] == _JSON:
            return json.loads(content[1:].decode("utf-8", "surrogatepass"))
    except RecursionError as error:
        raise ValueError("the content is nested too deep") from error
    raise ValueError("the content is neither MessagePack nor JSON")
