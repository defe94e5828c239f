"""Records of EVTX that are not laid out as Windows lays out those of Sysmon: read in the general way, which is slow."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import accumulate

from pysmon.formats.clock import system_time
from pysmon.formats.evtx.layout import FRAGMENT, Token, ValueType, unix_ns
from pysmon.formats.evtx.read_template import BrokenError, Definitions, element_at
from pysmon.formats.evtx.write_template import Element, Slot
from pysmon.sources.evtx_layout import part_of, text
from pysmon.sources.evtx_plan import Part, envelope, fields_in
from pysmon.sources.found import Found

INSTANCE = FRAGMENT + bytes([Token.TEMPLATE_INSTANCE, 1])  # then 4 bytes, the offset of the definition, the values
VALUES_AT = len(INSTANCE) + 8
MOST_VALUES = 8192  # of an instance
_U32 = struct.Struct("<I").unpack_from
_Places = Sequence[tuple[int, int, int]]  # of each value the type, the begin, the end


def found_at(data: bytes, at: int, end: int, definitions: Definitions) -> Found:
    """What the binary XML at an offset of a chunk says; BrokenError and other ValueErrors if it is none."""
    root, places = _instance(data, at, end, definitions)
    said = envelope(root)

    def part(name: str) -> object:
        return part_of(said.parts.get(name), places, data, 0)

    fields: dict[str, object] = {}
    if said.data is not None and said.data < len(places):
        kind, begin, stop = places[said.data]
        if kind == ValueType.BINARY_XML and begin < stop:
            inner, inside = _instance(data, begin, stop, definitions)
            fields = {name: _value(given, inside, data) for name, given in fields_in(inner)}
    elif said.inline is not None:
        fields = {name: _value(given, places, data) for name, given in fields_in(said.inline)}
    created = part("TimeCreated.SystemTime")
    return Found(
        text(part("Provider.Name")),
        text(part("Channel")),
        part("EventID"),
        fields,
        created=system_time(unix_ns(created)) if isinstance(created, int) else created,
        record_id=part("EventRecordID"),
        computer=part("Computer"),
        process_id=part("Execution.ProcessID"),
        thread_id=part("Execution.ThreadID"),
        user=part("Security.UserID"),
        version=part("Version"),
    )


def _instance(data: bytes, at: int, end: int, definitions: Definitions) -> tuple[Element, _Places]:
    """The element at an offset, and the values that go into it: of a template, or none."""
    if data[at : at + len(FRAGMENT)] == FRAGMENT:
        at += len(FRAGMENT)
    if data[at : at + 1] != bytes([Token.TEMPLATE_INSTANCE]):
        return element_at(data, at), ()
    (defined,) = _U32(data, at + 6)
    definition, behind = definitions.at(data, defined)
    at += VALUES_AT - len(FRAGMENT)
    if defined == at:
        at = behind
    (count,) = _U32(data, at)
    if count > MOST_VALUES:
        raise BrokenError(f"{count} values at {at:#x}")
    pairs = struct.unpack_from(f"<{2 * count}H", data, at + 4)
    ends = list(accumulate(pairs[::2], initial=at + 4 + 4 * count))
    if ends[-1] > end:
        raise BrokenError(f"values up to {ends[-1]:#x}, beyond the record")
    return definition.root, list(zip(pairs[1::2], ends, ends[1:], strict=False))


def _value(part: Part, places: _Places, data: bytes) -> object:
    value = part_of(part, places, data, 0)
    if value is None and isinstance(part, Slot):
        return ""
    return str(value) if type(value) is int else value  # as Windows shows it: decimal unless its type says otherwise
