"""The envelope of a record, `<System>`: the template that Windows uses for all of Sysmon's, and its eighteen values."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from struct import Struct
from uuid import UUID

from pysmon.formats.evtx.layout import DESCRIPTOR, ValueType, pack_sid
from pysmon.formats.evtx.write_template import Element, Slot, Template
from pysmon.formats.evtx.write_value import shown
from pysmon.formats.linux_xml import CHANNEL, PROVIDER, PROVIDER_GUID
from pysmon.schema.entry import Foreign, Origin
from pysmon.schema.event import EventType

_NAMESPACE = "http://schemas.microsoft.com/win/2004/08/events/event"
_OWN = Foreign(PROVIDER, PROVIDER_GUID, CHANNEL)
_UNIX_USER = "S-1-22-1-"  # user ids as SIDs, the way Samba writes them
_LEVELS = {"Error": 2, "Informational": 4}
_KEYWORDS = 1 << 63
_LONGEST_NAME = 256  # characters of computer, provider, channel: they are a part of every record
_U32 = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Envelope:
    """The envelopes of one event type from one origin: all that is the same in them."""

    template: Template
    before: bytes  # number of values, their descriptors, but for the size of the last
    _layout: Struct
    _parts: tuple[bytes, bytes, bytes]

    def after(self, filetime: int, record_id: int) -> bytes:
        """The rest: the type of the last value, and the values before it."""
        start, middle, end = self._parts
        return self._layout.pack(start, filetime, middle, record_id, end)

    @classmethod
    def of(cls, origin: Origin, event: EventType) -> Envelope:
        """The envelopes of that event type from that origin."""
        log = origin.foreign or _OWN
        version = event.version if log.version is None else log.version & 0xFF
        user = _sid(log.user if origin.foreign else str(origin.user_id))
        values: list[tuple[ValueType, bytes]] = [
            (ValueType.UINT8, bytes([_LEVELS[event.level]])),
            (ValueType.UINT8, bytes(1)),  # opcode
            (ValueType.UINT16, event.id.to_bytes(2, "little")),  # task
            (ValueType.UINT16, event.id.to_bytes(2, "little")),
            (ValueType.NULL, b""),  # qualifiers
            (ValueType.HEX_INT64, _KEYWORDS.to_bytes(8, "little")),
            (ValueType.FILETIME, bytes(8)),
            (ValueType.NULL, b""),  # activity
            (ValueType.UINT32, (origin.process_id & _U32).to_bytes(4, "little")),
            (ValueType.UINT32, (origin.thread_id & _U32).to_bytes(4, "little")),
            (ValueType.UINT64, bytes(8)),  # record id
            (ValueType.UINT8, bytes([version])),
            _optional(ValueType.SID, user),
            (ValueType.NULL, b""),  # related activity
            _name(log.provider),
            _optional(ValueType.GUID, _guid(log.guid)),
            _name(log.channel),
        ]
        data = [each for _, each in values]
        before = (len(values) + 1).to_bytes(4, "little")
        before += b"".join(DESCRIPTOR.pack(len(each), kind, 0) for kind, each in values)
        start = bytes([ValueType.BINARY_XML, 0]) + b"".join(data[:6])
        middle, end = b"".join(data[7:10]), b"".join(data[11:])
        layout = Struct(f"<{len(start)}sQ{len(middle)}sQ{len(end)}s")
        return cls(_template(shown(origin.computer)[:_LONGEST_NAME]), before, layout, (start, middle, end))


def _name(text: str) -> tuple[ValueType, bytes]:
    return _optional(ValueType.STRING, shown(text)[:_LONGEST_NAME].encode("utf-16-le"))


def _optional(kind: ValueType, data: bytes) -> tuple[ValueType, bytes]:
    return (kind, data) if data else (ValueType.NULL, b"")


def _guid(text: str) -> bytes:
    try:
        return UUID(text).bytes_le
    except ValueError:
        return b""


def _sid(user: str) -> bytes:
    try:
        return pack_sid(_UNIX_USER + user if user.isascii() and user.isdigit() else user)
    except ValueError:
        return b""


@lru_cache(maxsize=256)
def _template(computer: str) -> Template:
    def value(name: str, number: int, kind: ValueType) -> Element:
        return Element(name, content=(Slot(number, kind),), needs=number)

    u8, u16, u32, guid, string = (
        ValueType.UINT8,
        ValueType.UINT16,
        ValueType.UINT32,
        ValueType.GUID,
        ValueType.STRING,
    )
    activities = (("ActivityID", Slot(7, guid)), ("RelatedActivityID", Slot(13, guid)))
    system = (
        Element("Provider", (("Name", Slot(14, string)), ("Guid", Slot(15, guid)))),
        Element("EventID", (("Qualifiers", Slot(4, u16)),), (Slot(3, u16),), needs=3),
        value("Version", 11, u8),
        value("Level", 0, u8),
        value("Task", 2, u16),
        value("Opcode", 1, u8),
        value("Keywords", 5, ValueType.HEX_INT64),
        Element("TimeCreated", (("SystemTime", Slot(6, ValueType.FILETIME)),)),
        value("EventRecordID", 10, ValueType.UINT64),
        Element("Correlation", activities),
        Element("Execution", (("ProcessID", Slot(8, u32)), ("ThreadID", Slot(9, u32)))),
        value("Channel", 16, string),
        Element("Computer", content=(computer,)),
        Element("Security", (("UserID", Slot(12, ValueType.SID)),)),
    )
    content = (Element("System", content=system), Slot(17, ValueType.BINARY_XML))
    return Template(Element("Event", (("xmlns", _NAMESPACE),), content, needs=17))
