"""The XML line of Sysmon for Linux, byte for byte: what syslog parsers for `Linux-Sysmon` read.

Parsers of that line match on neighbouring elements (Sentinel's ASIM functions, dissect patterns), so order, spelling
and the absence of white space are part of the format, and facts that Sysmon has no field for never appear here.

Sysmon for Linux writes newlines and broken UTF-8 as they come, which breaks the line and the XML. Here the result is
always one line of well-formed XML 1.0 in UTF-8:

* `&`, `<` and `>` are entities; a tab stays a tab. Both as Sysmon for Linux does it.
* Newlines, DEL, C1 controls and the Unicode line separators are character references (`&#10;`): no parser loses them.
* What XML 1.0 forbids (other control characters, lone surrogates from bytes that are not UTF-8, U+FFFE, U+FFFF) is
  spelled out as `pysmon.formats.visible` does it: `\\x1b`.

An entry that Windows wrote keeps its envelope: provider, channel, account, version, and when it was logged.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from pysmon.formats.clock import system_time
from pysmon.formats.logged import logged
from pysmon.formats.visible import spelled
from pysmon.schema.entry import Entry, Foreign, Origin
from pysmon.schema.event import EVENTS, Event
from pysmon.schema.kinds import Kind
from pysmon.schema.taking import taker

PROVIDER = "Linux-Sysmon"
PROVIDER_GUID = "{ff032593-a8d3-4f13-b0d6-01fc615a0f97}"
CHANNEL = "Linux-Sysmon/Operational"

_OWN = Foreign(PROVIDER, PROVIDER_GUID, CHANNEL)
_NAMESPACE = "http://schemas.microsoft.com/win/2004/08/events/event"
_LEVELS = {"Error": 2, "Informational": 4}
_KEYWORDS = "0x8000000000000000"
_BARE_DESCRIPTOR = 100  # Sysmon for Linux leaves the descriptor of this event zero (seen in real lines)
_MARKUP = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_SPECIAL = re.compile("[\x00-\x08\x0a-\x1f&<>\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is the same in every line of one event type."""

    head: str  # up to the time
    values: Callable[[Event], tuple[Any, ...]]
    typed: tuple[tuple[int, Kind], ...]  # the values that are no str, by position
    data: str  # <EventData> with one %s for each value


def linux_xml_line(entry: Entry[Event]) -> bytes:
    """The entry as one line, without the newline at its end."""
    event = entry.event
    plan = _plan(event.type.id)
    values = list(plan.values(event))
    for index, kind in plan.typed:
        values[index] = kind.text(values[index])
    joined = " ".join(values)
    if not joined.isprintable() or "&" in joined or "<" in joined or ">" in joined:
        values = [_escaped(value) for value in values]
    head, time = plan.head, entry.time
    foreign = entry.origin.foreign
    if foreign is not None and foreign.provider != PROVIDER:
        head, time = _head(event.type.id, foreign), logged(entry)
    line = (
        f'{head}{system_time(time)}"/><EventRecordID>{entry.record_id}{_tail(entry.origin)}{plan.data % tuple(values)}'
    )
    return line.encode()


@cache
def _plan(event_id: int) -> _Plan:
    schema = EVENTS[event_id]
    data = "".join(f'<Data Name="{field.name}">%s</Data>' for field in schema.fields)
    return _Plan(
        head=_head(event_id, _OWN),
        values=taker([field.name for field in schema.fields]),
        typed=tuple((at, f.kind) for at, f in enumerate(schema.fields) if f.kind.sql == "INTEGER"),
        data=f"<EventData>{data}</EventData></Event>",
    )


@lru_cache(maxsize=256)
def _head(event_id: int, log: Foreign) -> str:
    schema = EVENTS[event_id]
    bare = schema.id == _BARE_DESCRIPTOR
    version, level, task = (0, 0, 0) if bare else (schema.version, _LEVELS[schema.level], schema.id)
    namespace = "" if log.provider == PROVIDER else f' xmlns="{_NAMESPACE}"'
    return (
        f'<Event{namespace}><System><Provider Name="{log.provider}" Guid="{log.guid}"/><EventID>{schema.id}</EventID>'
        f"<Version>{version if log.version is None else log.version}</Version><Level>{level}</Level>"
        f"<Task>{task}</Task><Opcode>0</Opcode>"
        f'<Keywords>{"0x0" if bare else _KEYWORDS}</Keywords><TimeCreated SystemTime="'
    )


@lru_cache(maxsize=64)  # one origin for a whole run; of a log of others few
def _tail(origin: Origin) -> str:
    log = origin.foreign or _OWN
    account = f' UserID="{_escaped(log.user).replace(chr(34), "&quot;")}"' if log.user else ""
    user = f' UserId="{origin.user_id}"' if log.provider == PROVIDER else account
    return (
        f'</EventRecordID><Correlation/><Execution ProcessID="{origin.process_id}" ThreadID="{origin.thread_id}"/>'
        f"<Channel>{_escaped(log.channel)}</Channel><Computer>{_escaped(origin.computer)}</Computer>"
        f"<Security{user}/></System>"
    )


def _escaped(text: str) -> str:
    return _SPECIAL.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    char = found[0]
    if char in _MARKUP:
        return _MARKUP[char]
    return spelled(char) if _FORBIDDEN.match(char) else f"&#{ord(char)};"
