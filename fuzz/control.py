"""Requests on the control socket: each gets a whole answer of HTTP, never one that speaks of a defect."""

from __future__ import annotations

import re
import socket
from contextlib import suppress
from typing import cast

from fuzz.target import Target, law
from pysmon.config.read import read_configuration
from pysmon.service import answers
from pysmon.service.request import Answer, Request, serve
from pysmon.service.wire import ConfigurationInUse, document

_BUFFER = 1 << 20  # bytes: more than an input and an answer have, so that one thread can be both ends
_HEAD = re.compile(rb"(?:HTTP/1\.1 100 Continue\r\n\r\n)?HTTP/1\.1 (\d{3}) [^\r\n]+\r\n")


class _Controls:
    """A service that has a configuration and nothing else."""

    def __init__(self) -> None:
        self._own = ConfigurationInUse("", "", b"")

    def configuration(self) -> ConfigurationInUse:
        return self._own

    def reconfigure(self, data: bytes, name: str) -> tuple[object, ...]:
        self._own = ConfigurationInUse(name, "00", data)
        return read_configuration(data, name).problems


def _answer(request: Request) -> Answer:
    action = answers.ROUTES.get(request.path, {}).get(request.method)
    if request.path != "/configuration" or request.method == "DELETE" or action is None:
        return Answer(404, document({"path": request.path}))
    own = cast("answers.Controls", _Controls())  # the rest of what these have is never called
    made = action(own, request)
    return answers.ROUTES["/configuration"]["GET"](own, request) if made.code == 200 else made


def check(data: bytes) -> None:
    """The law."""
    server, client = socket.socketpair()
    with server, client:
        for end in (server, client):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
        client.settimeout(5)
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        gone = False
        try:
            serve(server, _answer, 5)
        except ConnectionError:
            gone = True
        server.close()
        answer = b""
        with suppress(ConnectionError):
            while piece := client.recv(1 << 16):
                answer += piece
    found = _HEAD.match(answer)
    law(gone or found is not None, f"no answer of HTTP: {answer[:60]!r}")
    if found and not gone:
        head, _, body = answer[found.start(1) :].partition(b"\r\n\r\n")
        length = re.search(rb"Content-Length: (\d+)", head)
        law(length is not None and int(length[1]) == len(body), "another length than was told")


TARGET = Target(
    "control",
    "requests on the control socket",
    check,
    words=(
        *(
            b"GET ",
            b"PUT ",
            b"/configuration",
            b" HTTP/1.1\r\n",
            b"Content-Length: ",
            b"\r\n\r\n",
            b"Expect: 100-continue",
        ),
        *(b"Transfer-Encoding: chunked", b'{"name": "', b'"text": "', b'"encoding": "base64"', b"\\ud800", b": "),
    ),
)
