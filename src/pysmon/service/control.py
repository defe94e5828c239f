"""The control socket: HTTP on a unix socket, for root and the service's own user, one request at a time.

One connection carries one request and has a bounded time; others wait meanwhile, a few of them.
"""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Protocol, Self

import msgspec

from pysmon.config.problems import Problem
from pysmon.errors import PysmonError
from pysmon.service.listener import Listener
from pysmon.service.metrics import CONTENT_TYPE, metrics
from pysmon.service.request import Answer, Request, json_answer, refuse, serve
from pysmon.service.status import Status
from pysmon.service.wire import ConfigurationInUse, Judgement, Refusal, Sheet, status_document
from pysmon.sinks.local import Peer, peer_of

PATIENCE = 5.0  # seconds that a client has to send its request, and again to take the answer
_WAITING = 16  # connections
_PAUSE = 0.1  # seconds, when no connection can be accepted: there are no file descriptors left


class Controls(Protocol):
    """What can be asked of the service and told to it. The thread of the control socket calls these."""

    def status(self) -> Status:
        """How it is."""

    def configuration(self) -> ConfigurationInUse:
        """What it judges events by."""

    def reconfigure(self, data: bytes, name: str) -> tuple[Problem, ...]:
        """Read this configuration, called `name`, and use it from now on unless a problem is an error."""

    def reset(self) -> None:
        """Go back to the configuration that pysmon brings."""

    def reopen(self) -> None:
        """Have the outputs open their files anew."""

    def refused(self, uid: int, pid: int) -> None:
        """Somebody without the right to ask was turned away."""


class ControlServer:
    """Serves the controls, in a thread of its own, until it is closed."""

    def __init__(self, path: Path, controls: Controls, *, patience: float = PATIENCE) -> None:
        """Listen at the path; ControlError if that cannot be. Requests are served after `start`."""
        self._controls = controls
        self._patience = patience
        self._listener = Listener(path, _WAITING)
        self._woken, self._waker = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="pysmon-control", daemon=True)

    @property
    def is_current(self) -> bool:
        """Does the path still lead to this socket? If not, somebody removed or replaced it."""
        return self._listener.is_current

    def start(self) -> Self:
        """Begin to serve."""
        self._thread.start()
        return self

    def close(self) -> None:
        """End, after the request that is being served; a second call does nothing."""
        if self._waker.fileno() < 0:
            return
        self._waker.close()
        if self._thread.ident is not None:
            self._thread.join()
        self._woken.close()
        self._listener.close()

    def __enter__(self) -> Self:
        """Begin to serve."""
        return self.start()

    def __exit__(self, *_: object) -> None:
        """End."""
        self.close()

    def _run(self) -> None:
        listening = self._listener.socket
        listening.setblocking(False)
        while True:
            ready, _, _ = select.select([listening, self._woken], [], [])
            if self._woken in ready:
                return
            try:
                connection, _ = listening.accept()
            except BlockingIOError:  # it went away before we came
                continue
            except OSError:
                select.select([self._woken], [], [], _PAUSE)
                continue
            with connection, suppress(OSError):
                self._serve(connection)

    def _serve(self, connection: socket.socket) -> None:
        peer = peer_of(connection)
        if peer.may:
            serve(connection, self._answer, self._patience)
            return
        refuse(connection, "only root may ask the service")
        self._refused(peer)

    def _refused(self, peer: Peer) -> None:
        with suppress(Exception):  # who listens to this must not be able to end the thread
            self._controls.refused(peer.uid, peer.pid)

    def _answer(self, request: Request) -> Answer:
        methods = ROUTES.get(request.path)
        if methods is None:
            return json_answer(404, Refusal(f"there is no {request.path}", hint=f"known: {', '.join(ROUTES)}"))
        action = methods.get(request.method)
        if action is None:
            allowed = ", ".join(methods)
            refusal = Refusal(f"{request.path} does not take {request.method}", hint=f"it takes {allowed}")
            return json_answer(405, refusal, headers={"Allow": allowed})
        try:
            return action(self._controls, request)
        except PysmonError as error:
            return json_answer(500, Refusal(str(error), error.hint))
        except Exception as error:  # a defect; the thread goes on, and who asked is told
            return json_answer(500, Refusal(f"{type(error).__name__}: {error}", hint="please report this"))


def _status(controls: Controls, _request: Request) -> Answer:
    return Answer(200, status_document(controls.status()))


def _metrics(controls: Controls, _request: Request) -> Answer:
    return Answer(200, metrics(controls.status()).encode(), CONTENT_TYPE)


def _configuration(controls: Controls, _request: Request) -> Answer:
    own = controls.configuration()
    return json_answer(200, Sheet.of(own.data, own.name, own.sha256))


def _reconfigure(controls: Controls, request: Request) -> Answer:
    try:
        sheet = msgspec.json.decode(request.body, type=Sheet)
        data = sheet.data
    except ValueError as error:  # msgspec's errors are such
        return json_answer(400, Refusal(f"the configuration cannot be read: {error}", hint='{"name": "", "text": ""}'))
    problems = controls.reconfigure(data, sheet.name)
    if any(problem.severity == "error" for problem in problems):
        return json_answer(422, Judgement(problems))
    return json_answer(200, Judgement(problems, controls.configuration().sha256))


def _reset(controls: Controls, _request: Request) -> Answer:
    controls.reset()
    return json_answer(200, Judgement())


def _reopen(controls: Controls, _request: Request) -> Answer:
    controls.reopen()
    return json_answer(200, {})


_Action = Callable[[Controls, Request], Answer]
ROUTES: Mapping[str, Mapping[str, _Action]] = {
    "/status": {"GET": _status},
    "/metrics": {"GET": _metrics},
    "/configuration": {"GET": _configuration, "PUT": _reconfigure, "DELETE": _reset},
    "/reopen": {"POST": _reopen},
}
