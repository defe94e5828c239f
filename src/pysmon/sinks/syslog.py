"""Sends entries to syslog: /dev/log as Sysmon for Linux does it, or a collector by UDP, TCP or TLS."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol
from urllib.parse import urlsplit

from pysmon.errors import MisuseError
from pysmon.formats.syslog import Head, bsd_head, cut, local_head, message, rfc5424_head
from pysmon.formats.table import Render
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.sinks.connection import Connection
from pysmon.sinks.datagrams import PATIENCE, Datagrams
from pysmon.sinks.descriptor import cause
from pysmon.sinks.sink import WriteError

if TYPE_CHECKING:
    import ssl

LONGEST = 65536  # bytes of a message, as Sysmon for Linux has it
DATAGRAM = 65507  # bytes that UDP over IPv4 carries at most
_CONNECTING = 5.0  # s
_SMALLEST = 480  # bytes of a message that every receiver must take
_PORTS = {"udp": 514, "tcp": 601, "tls": 6514}
_LATE = 30_000  # ms without acknowledgement after which the kernel gives a connection up

Form = Literal["bsd", "rfc5424"]
Framing = Literal["octets", "lines"]
_EXPECTED = "expected /dev/log, udp://HOST:PORT, tcp://HOST:PORT or tls://HOST:PORT"


@dataclass(frozen=True, slots=True)
class Target:
    """Where messages go: a local socket by its path, or a host and its port."""

    way: Literal["unix", "udp", "tcp", "tls"]
    host: str = ""
    port: int = 0
    path: str = ""

    @classmethod
    def parse(cls, text: str) -> Target:
        """The target that the text names; MisuseError if it is none."""
        if text.startswith("/"):
            return cls("unix", path=text)
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError as error:
            raise MisuseError(f"{text!r} is no place for syslog: {error}", hint=_EXPECTED) from error
        way = parts.scheme
        if way not in _PORTS or not parts.hostname or parts.path.strip("/") or parts.query or parts.username:
            raise MisuseError(f"{text!r} is no place for syslog", hint=_EXPECTED)
        return cls(_WAYS[way], parts.hostname, port or _PORTS[way])

    def __str__(self) -> str:
        """As a setting names it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.path or f"{self.way}://{host}:{self.port}"


_WAYS: dict[str, Literal["udp", "tcp", "tls"]] = {"udp": "udp", "tcp": "tcp", "tls": "tls"}


class _Way(Protocol):
    def send(self, messages: Sequence[bytes]) -> tuple[int, OSError | None]: ...
    def flush(self) -> OSError | None: ...
    def close(self) -> OSError | None: ...


class SyslogSink:
    """A sink on syslog. A receiver that is away does not stop a start; whatever is in the way is told by `write`."""

    def __init__(
        self,
        target: Target,
        render: Render,
        *,
        form: Form | None = None,
        framing: Framing | None = None,
        longest: int = LONGEST,
        context: Callable[[], ssl.SSLContext] | None = None,
        server_name: str = "",
        patience: float = PATIENCE,
    ) -> None:
        """`render` makes one line of an entry. Left away, `form` is `bsd` for a local socket and `rfc5424` for a host,
        `framing` of a stream `lines` for a local socket and `octets` (RFC 6587) for a host. `longest` is in bytes;
        `context`, which is asked for each connection, so that certificates may be renewed, and `server_name` (if it is
        not the host's) are for TLS; `patience` is that with a receiver that reads nothing, in seconds.
        """
        local = target.way == "unix"
        self.name = f"syslog {target}"
        self._target, self._render, self._longest = target, render, longest
        self._head: Head = rfc5424_head if form == "rfc5424" or (form is None and not local) else bsd_head
        if local and self._head is bsd_head:
            self._head = local_head
        self._framing = framing or ("lines" if local else "octets")
        self._context, self._server_name = context, server_name or target.host
        self._is_stream = target.way in ("tcp", "tls")
        self._patience = patience
        self._way: _Way = self._new_way()
        self._cut = 0
        self._largest = DATAGRAM
        self._closed = False

    def write(self, entries: Sequence[Entry[Event]]) -> None:
        """Send them all; a message that is too long is cut at a character."""
        if self._closed:
            raise WriteError(f"{self.name} is closed", written=0)
        sent = 0
        while sent < len(entries):
            was_stream = self._is_stream
            count, error = self._way.send([self._framed(entry) for entry in entries[sent:]])
            sent += count
            if error is None:
                return
            if not was_stream and error.errno == errno.EPROTOTYPE:  # a local socket of the other kind
                self._is_stream = True
                self._way = self._new_way()
            else:
                raise WriteError(f"cannot send to {self.name}: {_words(error)}", written=sent, hint=_hint(error))

    def flush(self) -> None:
        """Send again what was on its way when a connection died."""
        error = None if self._closed else self._way.flush()
        if error is not None:
            raise WriteError(f"cannot send to {self.name}: {_words(error)}", written=0, hint=_hint(error))

    @property
    def calm(self) -> bool:
        """Is nothing ever held back on this way?"""
        return isinstance(self._way, Datagrams)

    def reopen(self) -> None:
        """Connect anew; the name of a host may mean another one by now."""
        self._way.close()

    def close(self) -> None:
        """Let go of the connection; a second call does nothing."""
        if not self._closed:
            self._closed = True
            error = self._way.close()
            if error is not None:
                raise WriteError(f"the last messages for {self.name} did not arrive: {_words(error)}", written=0)

    def remarks(self) -> list[str]:
        """How many messages were cut."""
        count, self._cut = self._cut, 0
        return [f"{count} messages were too long, and cut"] if count else []

    def _new_way(self) -> _Way:
        if self._is_stream:
            return Connection(self._connect, self._patience)
        return Datagrams(self._connect, self._send_cut, self._patience)

    def _framed(self, entry: Entry[Event]) -> bytes:
        whole = message(self._head, self._render, entry)
        if len(whole) > self._longest:
            whole = cut(whole, self._longest)
            self._cut += 1
        if not self._is_stream:
            return whole
        return b"%d %s" % (len(whole), whole) if self._framing == "octets" else whole + b"\n"

    def _send_cut(self, ready: socket.socket, whole: bytes) -> None:
        """Send as much of the message as the kernel takes."""
        most = min(self._largest, len(whole) - 1)
        while True:
            try:
                ready.send(cut(whole, most))
            except OSError as error:
                if error.errno not in (errno.EMSGSIZE, errno.ENOBUFS) or most <= _SMALLEST:
                    raise
                most = most * 3 // 4
            else:
                self._largest = most
                self._cut += 1
                return

    def _connect(self) -> socket.socket:
        target = self._target
        if target.way == "unix":
            return _connected(socket.AF_UNIX, self._is_stream, target.path)
        if target.way == "udp":
            family, _, _, _, address = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_DGRAM)[0]
            return _connected(family, False, address)
        made = socket.create_connection((target.host, target.port), _CONNECTING)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _LATE)
        if self._context is None:
            return made
        try:
            return self._context().wrap_socket(made, server_hostname=self._server_name)
        except MisuseError as error:  # a file of certificates that was good when the output was opened
            made.close()
            raise OSError(str(error)) from error
        except BaseException:
            made.close()
            raise


def _connected(family: int, stream: bool, address: tuple[Any, ...] | str) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM if stream else socket.SOCK_DGRAM)
    made.settimeout(_CONNECTING)
    try:
        made.connect(address)
    except BaseException:
        made.close()
        raise
    return made


def _words(error: OSError) -> str:
    if untrusted := getattr(error, "verify_message", ""):  # of ssl.SSLCertVerificationError
        return f"the certificate is not trusted: {untrusted}"
    return cause(error) if not isinstance(error, socket.gaierror) else str(error.strerror)


_HINTS = {
    errno.ECONNREFUSED: "does a syslog server listen there?",
    errno.ENOENT: "does this machine have a syslog daemon?",
    errno.EACCES: "pysmon may not write to that socket",
}


def _hint(error: OSError) -> str:
    if hasattr(error, "verify_message"):
        return "name its authority with ca, and the name in it with server_name"
    return "" if isinstance(error, socket.gaierror) else _HINTS.get(error.errno or 0, "")
