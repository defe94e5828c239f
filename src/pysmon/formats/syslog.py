"""Entries as syslog messages: the form of RFC 5424, and the older one of BSD that programs write to /dev/log.

The facility is `user` and the name of the program `sysmon`, as Sysmon for Linux has it; the severity is `info`, of an
event 255 `error`. To /dev/log goes what syslog(3) of the C library would write there, without a process id. The message
itself is one line without control characters: framing by newlines is safe.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from functools import lru_cache

from pysmon.formats.clock import system_time
from pysmon.formats.table import Render
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event

IDENT = "sysmon"
_USER = 1 << 3
_SEVERITIES = {"Error": 3, "Informational": 6}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SECOND = 1_000_000_000
_UNPRINTABLE = re.compile("[^\x21-\x7e]")
_LONGEST_HOST = 255

Head = Callable[[Entry[Event]], str]  # what stands before the message


def priority(entry: Entry[Event]) -> int:
    """Facility and severity as syslog numbers them: 14, of an event 255 it is 11."""
    return _USER | severity(entry)


def severity(entry: Entry[Event]) -> int:
    """3 for an error, else 6, for information."""
    return _SEVERITIES[entry.event.type.level]


def local_head(entry: Entry[Event]) -> str:
    """As the C library writes it to /dev/log: `<14>Nov 21 06:10:33 sysmon: `, in local time."""
    return f"<{priority(entry)}>{_stamp(entry.time // _SECOND)} {IDENT}: "


def bsd_head(entry: Entry[Event]) -> str:
    """RFC 3164, for the way over a network: `<14>Nov 21 06:10:33 host sysmon: `, in local time."""
    return f"<{priority(entry)}>{_stamp(entry.time // _SECOND)} {_host(entry.origin.computer)} {IDENT}: "


def rfc5424_head(entry: Entry[Event]) -> str:
    """RFC 5424: `<14>1 2026-11-21T06:10:33.486357Z host sysmon 157 1 - `; the MSGID is the id of the event."""
    stamp = f"{system_time(entry.time)[:-4]}Z"  # six decimals are what the RFC has room for
    origin = entry.origin
    return (
        f"<{priority(entry)}>1 {stamp} {_host(origin.computer)} {IDENT} {origin.process_id or '-'}"
        f" {entry.event.type.id} - "
    )


def message(head: Head, render: Render, entry: Entry[Event]) -> bytes:
    """The whole message, without any framing."""
    return head(entry).encode() + render(entry)


def cut(text: bytes, most: int) -> bytes:
    """The UTF-8 text, or the characters of it that `most` bytes hold."""
    if len(text) <= most:
        return text
    end = most
    while end > 0 and text[end] & 0xC0 == 0x80:  # not the first byte of a character
        end -= 1
    return text[:end]


@lru_cache(maxsize=64)  # entries come in bursts of the same second
def _stamp(second: int) -> str:
    at = time.localtime(second)
    return f"{_MONTHS[at.tm_mon - 1]} {at.tm_mday:2} {at.tm_hour:02}:{at.tm_min:02}:{at.tm_sec:02}"


@lru_cache(maxsize=64)
def _host(computer: str) -> str:
    return _UNPRINTABLE.sub("", computer)[:_LONGEST_HOST] or "-"
