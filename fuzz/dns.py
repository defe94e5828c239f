"""What comes from port 53: messages are read as far as they go, streams of them wherever they are cut, told once."""

from __future__ import annotations

from fuzz.target import Target, law
from pysmon.assemble.builder import Builder
from pysmon.assemble.dns_streams import Streams
from pysmon.formats.dns_message import DnsMessage, read_dns_message
from pysmon.host.guid import Machine
from pysmon.host.users import Users
from pysmon.schema.catalogue import DnsQuery
from pysmon.sensor.records import DnsMessageRecord

_TCP, _UDP = 6, 17
_ANSWERS, _LONGEST = 64, 4 * 1024


def check(data: bytes) -> None:
    """The law. The first byte says how the rest is cut into pieces for a stream."""
    message = read_dns_message(data[1:])
    if message:
        _plain(message)
    size = 1 + (data[0] if data else 0)
    pieces = [data[at : at + size] for at in range(1, len(data), size)]
    stream = Streams()
    for piece in pieces:
        for each in stream.take(_record(piece, _TCP)):
            law(len(each) <= _LONGEST, "a message is longer than what is kept of one")
    builder = Builder(Machine(1, 2, 3), Users(ask=str, database="/nonexistent"), clock_offset=0)
    told = builder.take(_record(data[1:], _UDP, sent=True)) + builder.take(_record(data[1:], _UDP))
    told += tuple(event for event, _ in builder.unanswered(0, last=True))
    law(len(told) <= 1, "a message is told twice")
    for event in told:
        law(isinstance(event, DnsQuery) and event.QueryStatus.isdecimal(), "a status is no number")


def _plain(message: DnsMessage) -> None:
    """Texts are bounded, and hold nothing that ends a result."""
    law(len(message.answers) <= _ANSWERS, "too many answers")
    for text in (message.name, *(a.name for a in message.answers), *(a.text for a in message.answers)):
        law(len(text) <= _LONGEST, "a text is too long")
        law(text.isascii() and text.isprintable() and not set(text) & {";", " "}, f"a text is not plain: {text!r}")


def _record(payload: bytes, protocol: int, *, sent: bool = False) -> DnsMessageRecord:
    return DnsMessageRecord.make(
        tgid=1, whole=len(payload), family=2, protocol=protocol, sent=int(sent), server=bytes(16), payload=payload
    )


TARGET = Target(
    "dns",
    "messages to and from port 53",
    check,
    words=(
        b"\xc0\x0c",
        b"\x80\0",
        b"\x81\x80",
        b"\0\1\0\1",
        b"\0\5\0\1",
        b"\0\x10\0\1",
        b"\3www",
        b"\xff\xff",
        b"\0\x1c",
    ),
    longest=1 << 13,
)
