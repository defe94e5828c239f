"""The kinds of outputs: what `type` of an `[[output]]` may be. A new one is a file, and a name in the table below."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import cast

from pysmon.formats.evtx.layout import CHUNK_SIZE, FILE_HEADER_SIZE
from pysmon.formats.table import FORMATS
from pysmon.sinks.evtx import EvtxFileSink
from pysmon.sinks.file import FileSink
from pysmon.sinks.follow import BUFFER, FOLLOWERS, FollowSink
from pysmon.sinks.journal import SOCKET, JournalSink
from pysmon.sinks.options import Option, Options, OutputKind
from pysmon.sinks.sink import Sink
from pysmon.sinks.store import StoreSink
from pysmon.sinks.syslog import LONGEST, Form, Framing, SyslogSink, Target
from pysmon.store.classes import BY_NAME, Limits

__all__ = ["OUTPUTS", "Option", "Options", "OutputKind"]

_LEAST = 1024  # bytes of a size, where it is not 0


def _format(about: str, *, lines: bool, default: str) -> Option:
    names = tuple(name for name, form in FORMATS.items() if form.one_line or not lines)
    return Option("format", "choice", about, default, names)


def _store(options: Options) -> Sink:
    return StoreSink(options.path("path"), Limits(total=options.number("total"), ages=options.spans("ages")))


_STORE = OutputKind(
    "store",
    "the event log that `pysmon log`, `tree`, `story` and `who` read",
    (
        Option("path", "path", "the file of the log", "/var/lib/pysmon/log"),
        Option("total", "size", "bytes that the log may take", Limits().total),
        Option("ages", "spans", f"how long entries are kept at most, by class ({', '.join(BY_NAME)})", {}),
    ),
    _store,
)


def _syslog(options: Options) -> Sink:
    target = Target.parse(options.text("to"))
    longest = options.number("longest")
    if longest < _LEAST:
        raise options.refuse("longest", f"is {longest}", f"give it {_LEAST} bytes or more")
    tls = {name: options.text(name) for name in ("ca", "certificate", "key", "server_name")}
    if target.way != "tls" and (any(tls.values()) or not options.is_set("verify")):
        raise options.refuse("to", f"is {target}", "ca, verify, certificate, key and server_name are for tls://")
    if tls["key"] and not tls["certificate"]:
        raise options.refuse("key", "has no certificate", "name the file of the certificate with certificate")
    name, context = tls.pop("server_name"), None
    if target.way == "tls":
        from pysmon.sinks.tls import tls_context  # much to import, for what few outputs do

        context = partial(tls_context, verify=options.is_set("verify"), **tls)
        context()  # a mistake is told at once
    form, framing = options.text("form"), options.text("framing")
    return SyslogSink(
        target,
        options.render(),
        form=None if form == "auto" else cast("Form", form),
        framing=None if framing == "auto" else cast("Framing", framing),
        longest=longest,
        context=context,
        server_name=name,
    )


_SYSLOG = OutputKind(
    "syslog",
    "syslog: the local daemon as Sysmon for Linux writes to it, or a collector over the network",
    (
        Option("to", "text", "/dev/log, udp://HOST:514, tcp://HOST:601 or tls://HOST:6514", "/dev/log"),
        _format("what a message holds", lines=True, default="xml"),
        Option(
            "form",
            "choice",
            "the head of a message; auto: bsd for a local socket, rfc5424 for a host",
            "auto",
            ("auto", "bsd", "rfc5424"),
        ),
        Option(
            "framing",
            "choice",
            "how messages are told apart in a stream: by their length (octets, RFC 6587) or by newlines (lines);"
            " auto: lines for a local socket, octets for a host",
            "auto",
            ("auto", "octets", "lines"),
        ),
        Option("longest", "size", "bytes of a message; what is longer is cut", LONGEST),
        Option("ca", "text", "file (PEM) of the authorities that may sign the collector's certificate", ""),
        Option("verify", "boolean", "whether the collector has to prove who it is", True),
        Option("server_name", "text", "the name in the collector's certificate, if it is not that of the host", ""),
        Option("certificate", "text", "file (PEM) of the certificate with which pysmon proves who it is", ""),
        Option("key", "text", "file (PEM) of its key, if that is not in the same file", ""),
    ),
    _syslog,
)


def _journald(options: Options) -> Sink:
    return JournalSink(options.render(), options.path("socket"))


_JOURNALD = OutputKind(
    "journald",
    "systemd's journal, with every field of an event as a field of the journal",
    (
        _format("what MESSAGE holds", lines=False, default="xml"),
        Option("socket", "path", "the socket of journald", str(SOCKET)),
    ),
    _journald,
)


def _file(options: Options) -> Sink:
    rotate = options.number("rotate")
    if 0 < rotate < _LEAST:
        raise options.refuse("rotate", f"is {rotate}", f"give it {_LEAST} bytes or more, or 0")
    return FileSink(
        options.path("path"),
        options.render(),
        rotate=rotate,
        keep=options.number("keep"),
        age=options.number("age"),
        compress=options.is_set("compress"),
    )


_FILE = OutputKind(
    "file",
    "a file of lines that is rotated",
    (
        Option("path", "path", "the file"),
        _format("what an entry looks like", lines=False, default="json"),
        Option("rotate", "size", "begin a new file before it is larger than that; 0: never", 100 << 20),
        Option("age", "span", 'begin a new file after that time ("1d": at midnight, UTC); 0: never', 0),
        Option("keep", "number", "how many older files are kept", 5),
        Option("compress", "boolean", "whether older files are compressed (gzip)", True),
    ),
    _file,
)


def _evtx(options: Options) -> Sink:
    rotate, least = options.number("rotate"), FILE_HEADER_SIZE + CHUNK_SIZE
    if 0 < rotate < least:
        raise options.refuse("rotate", f"is {rotate}", f"give it {least} bytes or more, or 0")
    return EvtxFileSink(options.path("path"), rotate=rotate, keep=options.number("keep"))


_EVTX = OutputKind(
    "evtx",
    "an event log file of Windows, for the tools that read those",
    (
        Option("path", "path", "the file; older ones are NAME.1.evtx and so on"),
        Option("rotate", "size", "begin a new file before it is larger than that; 0: never", 100 << 20),
        Option("keep", "number", "how many older files are kept", 5),
    ),
    _evtx,
)


def _followers(options: Options) -> Sink:
    return FollowSink(options.path("path"), buffer=options.number("buffer"), followers=options.number("most"))


_FOLLOWERS = OutputKind(
    "followers",
    "a local socket that gives JSON lines to whoever connects",
    (
        Option("path", "path", "the socket", "/run/pysmon/events.sock"),
        Option("buffer", "size", "bytes that wait for a slow follower; beyond that it misses entries", BUFFER),
        Option("most", "number", "how many followers there may be at the same time", FOLLOWERS),
    ),
    _followers,
)

# One line for each kind, in the order of the manual.
OUTPUTS: Mapping[str, OutputKind] = {kind.name: kind for kind in (_STORE, _SYSLOG, _JOURNALD, _FILE, _EVTX, _FOLLOWERS)}
