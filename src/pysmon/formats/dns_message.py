"""Messages of the DNS (RFC 1035), read as far as they go: bytes of strangers in, plain values out.

Every step is bounded: pointers lead backwards only, a name has at most 255 bytes, and no more answers are read than are
asked for. Texts come as zone files write them: what is not a plain letter is `\\DDD`, so that no `;`, blank or control
character gets through.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from socket import AF_INET, AF_INET6, inet_ntop

_HEADER = struct.Struct(">HHHHHH")
_QUESTION = struct.Struct(">HH")
_ANSWER = struct.Struct(">HHIH")
_NAME_LIMIT = 255  # bytes
_POINTER = 0xC0
_TEXT_LIMIT = 1024  # characters of what an answer holds
A, NS, CNAME, SOA, PTR, MX, TXT, AAAA, SRV, DNAME = 1, 2, 5, 6, 12, 15, 16, 28, 33, 39
_WORDS = """
1:A 2:NS 5:CNAME 6:SOA 10:NULL 12:PTR 13:HINFO 15:MX 16:TXT 28:AAAA 29:LOC 33:SRV 35:NAPTR 39:DNAME 43:DS 48:DNSKEY
52:TLSA 64:SVCB 65:HTTPS 99:SPF 251:IXFR 252:AXFR 255:ANY 257:CAA
"""
_TYPES = dict(word.split(":") for word in _WORDS.split())
_NAME_AT = {NS: 0, CNAME: 0, PTR: 0, DNAME: 0, SOA: 0, MX: 2, SRV: 6}  # where the name begins that is told of these
_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_*+/=@:!#$%&'()<>?[]^`{|}~,")
_LETTERS = tuple(chr(octet) if octet in _PLAIN else f"\\{octet:03d}" for octet in range(256))


@dataclass(frozen=True, slots=True)
class Answer:
    """One record of the answer section."""

    name: str
    type: int
    text: str  # an address, the name that it leads to, or the text that it holds; empty for other types


@dataclass(frozen=True, slots=True)
class DnsMessage:
    """A question, or the answer to one."""

    id: int
    is_response: bool
    is_truncated: bool  # asked again, the server would tell more
    operation: int  # 0: a query
    status: int  # RCODE; 0: no error
    name: str  # that was asked for; `.` is the root
    type: int
    answers: tuple[Answer, ...]
    is_whole: bool  # False if the answers break off, or there are more of them


class _BrokenError(Exception):
    """The bytes do not go on as they must."""


def read_dns_message(data: bytes, *, answers: int = 64) -> DnsMessage | None:
    """The message with its first question and at most so many answers; None if there is no question in it."""
    if len(data) < _HEADER.size:
        return None
    number, flags, questions, due, _, _ = _HEADER.unpack_from(data)
    if not questions:
        return None
    try:
        name, at = _name(data, _HEADER.size)
        if at + _QUESTION.size > len(data):
            return None
        (kind, _) = _QUESTION.unpack_from(data, at)
        at += _QUESTION.size
        for _ in range(min(questions, 2) - 1):  # nobody asks two; skipping a third would be work for nothing
            at = _name(data, at)[1] + _QUESTION.size
    except _BrokenError:
        return None
    found: list[Answer] = []
    with suppress(_BrokenError):
        found.extend(_answers(data, at, min(due, answers)))
    return DnsMessage(
        id=number,
        is_response=bool(flags & 0x8000),
        is_truncated=bool(flags & 0x0200),
        operation=flags >> 11 & 15,
        status=flags & 15,
        name=name,
        type=kind,
        answers=tuple(found),
        is_whole=len(found) == due,
    )


def type_name(kind: int) -> str:
    """The name of a type; `TYPE65280` for one that has none here (RFC 3597)."""
    return _TYPES.get(str(kind), f"TYPE{kind}")


def _answers(data: bytes, at: int, count: int) -> Iterator[Answer]:
    for _ in range(count):
        name, at = _name(data, at)
        if at + _ANSWER.size > len(data):
            raise _BrokenError
        kind, _, _, size = _ANSWER.unpack_from(data, at)
        at += _ANSWER.size
        if at + size > len(data):
            raise _BrokenError
        yield Answer(name, kind, _content(data, kind, at, size))
        at += size


def _content(data: bytes, kind: int, at: int, size: int) -> str:
    if kind == A and size == 4:
        return inet_ntop(AF_INET, data[at : at + 4])
    if kind == AAAA and size == 16:
        return inet_ntop(AF_INET6, data[at : at + 16])
    if kind == TXT:
        return _strings(data[at : at + size])
    skipped = _NAME_AT.get(kind)
    return _name(data[: at + size], at + skipped)[0] if skipped is not None else ""


def _strings(data: bytes) -> str:
    """The strings of a TXT record, joined; each begins with its length."""
    parts, at = [], 0
    while at < len(data):
        parts.append(data[at + 1 : at + 1 + data[at]])
        at += 1 + data[at]
    return "".join(_LETTERS[octet] if octet != ord(".") else "." for octet in b"".join(parts)[:_TEXT_LIMIT])


def _name(data: bytes, at: int) -> tuple[str, int]:
    """The name at that place, and the place behind it."""
    labels: list[str] = []
    behind, size, limit = 0, 0, at
    while True:
        if at >= len(data):
            raise _BrokenError
        length = data[at]
        if length & _POINTER == _POINTER:
            if at + 1 >= len(data):
                raise _BrokenError
            behind = behind or at + 2
            at = (length & ~_POINTER) << 8 | data[at + 1]
            if at >= limit:  # only backwards: so it comes to an end
                raise _BrokenError
            limit = at
            continue
        if length & _POINTER:
            raise _BrokenError
        at += 1
        if not length:
            return ".".join(labels) or ".", behind or at
        size += 1 + length
        if size > _NAME_LIMIT or at + length > len(data):
            raise _BrokenError
        labels.append("".join(map(_LETTERS.__getitem__, data[at : at + length])))
        at += length
