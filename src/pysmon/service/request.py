"""One HTTP/1.1 request on a connection, read within bounds of time and size, and its answer. Then it is closed."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus

from pysmon.service.wire import LONGEST, Refusal, document

_HEAD = 32 << 10  # bytes of request line and headers
_CHUNK = 64 << 10
_DIGITS = 10  # of a length; more are beyond any limit
_FIELDS = 100  # headers
_LINE = re.compile(rb"([A-Z]{1,16}) (/[!-~]*) HTTP/1\.[01]")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, a token; also no folded line, which begins with a blank
_NUMBER = re.compile("[0-9]+")
_END = b"\r\n\r\n"
_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked; the path is without a query."""

    method: str
    path: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered."""

    code: int
    body: bytes
    kind: str = _JSON
    headers: Mapping[str, str] = field(default_factory=dict)


def json_answer(code: int, value: object, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer whose body is the value as JSON."""
    return Answer(code, document(value), headers=headers or {})


def serve(connection: socket.socket, answer: Callable[[Request], Answer], patience: float) -> None:
    """Read a request and answer it. OSError if the client went away, or does not take the answer.

    The client has `patience` seconds to send the whole request, and again to take the whole answer.
    """
    try:
        reply = answer(_read(_Incoming(connection, patience)))
    except _RefusedError as error:
        reply = json_answer(error.code, Refusal(error.reason))
    except TimeoutError:
        reply = json_answer(HTTPStatus.REQUEST_TIMEOUT, Refusal(f"the request did not come within {patience:g} s"))
    connection.settimeout(patience)
    connection.sendall(_bytes(reply))  # the time-out is one for all of it
    _throw_away(connection)


def refuse(connection: socket.socket, reason: str) -> None:
    """Answer 403 without waiting for anything: not for the request, nor for room for the answer. OSError."""
    connection.setblocking(False)
    connection.sendall(_bytes(json_answer(HTTPStatus.FORBIDDEN, Refusal(reason))))
    _throw_away(connection)


class _RefusedError(Exception):
    """The request is none that is served here."""

    def __init__(self, code: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


class _Incoming:
    """What a client sends, until a moment."""

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        self.connection = connection
        self._until = time.monotonic() + seconds
        self._held = bytearray()

    def head(self) -> bytes:
        """All up to the empty line."""
        while _END not in self._held:
            if len(self._held) > _HEAD:
                reason = f"request line and headers have more than {_HEAD} bytes"
                raise _RefusedError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, reason)
            self._more()
        head, _, rest = bytes(self._held).partition(_END)
        self._held = bytearray(rest)
        return head

    def body(self, length: int) -> bytes:
        """So many bytes."""
        while len(self._held) < length:
            self._more()
        return bytes(self._held[:length])

    def _more(self) -> None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.connection.settimeout(left)
        data = self.connection.recv(_CHUNK)
        if not data:
            raise ConnectionError("the client went away")
        self._held += data


def _read(incoming: _Incoming) -> Request:
    line, _, fields = incoming.head().partition(b"\r\n")
    found = _LINE.fullmatch(line)
    if found is None:
        raise _RefusedError(HTTPStatus.BAD_REQUEST, "this is no request of HTTP/1.1")
    headers = _headers(fields)
    length = _length(headers)
    if length and headers.get("expect", [""])[0].lower() == "100-continue":
        incoming.connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    return Request(found[1].decode(), found[2].decode().partition("?")[0], incoming.body(length))


def _headers(fields: bytes) -> dict[str, list[str]]:
    """Their values by name, in small letters. By hand: `http.client` would be 2 MB of memory for two headers."""
    lines = fields.decode("latin-1").split("\r\n") if fields else []
    if len(lines) > _FIELDS:
        raise _RefusedError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"there are more than {_FIELDS} headers")
    found: dict[str, list[str]] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not _NAME.fullmatch(name):
            raise _RefusedError(HTTPStatus.BAD_REQUEST, "a header is no name with a value")
        found.setdefault(name.lower(), []).append(value.strip(" \t"))
    return found


def _length(headers: Mapping[str, list[str]]) -> int:
    if "transfer-encoding" in headers:
        raise _RefusedError(HTTPStatus.LENGTH_REQUIRED, "the length of a body must be told beforehand")
    told = headers.get("content-length", ["0"])
    if len(told) > 1 or not _NUMBER.fullmatch(told[0]):
        raise _RefusedError(HTTPStatus.BAD_REQUEST, "the length of the body is no number")
    if len(told[0]) > _DIGITS or int(told[0]) > LONGEST:
        raise _RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body may have {LONGEST} bytes")
    return int(told[0])


def _bytes(answer: Answer) -> bytes:
    headers = {
        "Content-Type": answer.kind,
        "Content-Length": str(len(answer.body)),
        "Connection": "close",
        **answer.headers,
    }
    lines = [f"HTTP/1.1 {answer.code} {HTTPStatus(answer.code).phrase}", *(f"{k}: {v}" for k, v in headers.items())]
    return "\r\n".join(lines).encode("latin-1") + _END + answer.body


def _throw_away(connection: socket.socket) -> None:
    """Take what lies there unread: the client would be told of an error after the answer otherwise."""
    connection.setblocking(False)
    with suppress(OSError):
        connection.recv(_CHUNK)
