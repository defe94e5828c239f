"""The control socket: HTTP on a unix socket, for root and the service's own user, one request at a time.

One connection carries one request and has a bounded time; others wait meanwhile, a few of them.
"""

from __future__ import annotations

import select
import socket
import threading
from contextlib import suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Self

from pysmon.service.listener import Listener
from pysmon.sinks.local import Peer, peer_of

if TYPE_CHECKING:
    from pysmon.service.answers import Controls

PATIENCE = 5.0  # seconds that a client has to send its request, and again to take the answer
_WAITING = 16  # connections
_PAUSE = 0.1  # seconds, when no connection can be accepted: there are no file descriptors left


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
        _answers()
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
        answers, peer = _answers(), peer_of(connection)
        if peer.may:
            answers.serve(connection, partial(answers.answer, self._controls), self._patience)
            return
        answers.refuse(connection, "only root may ask the service")
        self._refused(peer)

    def _refused(self, peer: Peer) -> None:
        with suppress(Exception):  # who listens to this must not be able to end the thread
            self._controls.refused(peer.uid, peer.pid)


def _answers() -> ModuleType:
    """What HTTP takes is much to import: not before the service watches, and in this thread."""
    return import_module("pysmon.service.answers")
