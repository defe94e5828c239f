"""Asking the running service, and telling it what to do, over its control socket."""

from __future__ import annotations

import errno
import http.client
import os
import socket
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from pysmon.errors import PysmonError
from pysmon.service.status import Status
from pysmon.service.wire import ConfigurationInUse, Judgement, Refusal, Sheet, document

PATIENCE = 30.0  # seconds; a large configuration takes some to compile
_PAUSE = 0.05  # seconds between attempts where the service has too many callers
_START = "start it: systemctl start pysmon; what it said when it ended: journalctl -u pysmon"
_T = TypeVar("_T")


class AskError(PysmonError):
    """The service cannot be asked, or will not do it."""

    def __init__(
        self, message: str, *, reason: Literal["not running", "not allowed", "no answer", "refused"], hint: str = ""
    ) -> None:
        """`reason` is for callers who go on in another way."""
        super().__init__(message, hint=hint)
        self.reason = reason


class RunningService:
    """The service behind a control socket. Each call is a connection of its own; all raise AskError."""

    def __init__(self, control: Path, *, patience: float = PATIENCE) -> None:
        """Nothing is asked yet. `patience` is how many seconds each step of a call may take."""
        self._control = control
        self._patience = patience

    def status(self) -> Status:
        """How it is."""
        return self._read(self._call("GET", "/status"), Status)

    def metrics(self) -> str:
        """The same as OpenMetrics text."""
        return self._call("GET", "/metrics").decode()

    def configuration(self) -> ConfigurationInUse:
        """What it judges events by."""
        sheet = self._read(self._call("GET", "/configuration"), Sheet)
        return ConfigurationInUse(sheet.name, sheet.sha256, sheet.data)

    def reconfigure(self, data: bytes, name: str) -> Judgement:
        """Give it a configuration. The judgement has no hash if it was refused, for the errors among its problems."""
        body = document(Sheet.of(data, name))
        return self._read(self._call("PUT", "/configuration", body, fine=(200, 422)), Judgement)

    def reset(self) -> None:
        """Have it go back to the configuration that pysmon brings."""
        self._call("DELETE", "/configuration")

    def reopen(self) -> None:
        """Have its outputs open their files anew."""
        self._call("POST", "/reopen")

    def _call(self, method: str, path: str, body: bytes | None = None, *, fine: tuple[int, ...] = (200,)) -> bytes:
        try:
            with closing(_Connection(self._control, self._patience)) as connection:
                with suppress(BrokenPipeError, ConnectionResetError):  # it may have answered before it read all
                    connection.request(method, path, body)
                response = connection.getresponse()
                answer = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise self._failed(error) from error
        if response.status in fine:
            return answer
        refusal = self._read(answer, Refusal)
        if response.status == http.HTTPStatus.FORBIDDEN:
            raise AskError(refusal.error, reason="not allowed", hint="run it with sudo")
        raise AskError(f"the service refuses: {refusal.error}", reason="refused", hint=refusal.hint)

    def _failed(self, error: OSError | http.client.HTTPException) -> AskError:
        if isinstance(error, (FileNotFoundError, ConnectionRefusedError, NotADirectoryError)):
            return AskError(
                f"the service is not running: nobody listens on {self._control}", reason="not running", hint=_START
            )
        if isinstance(error, PermissionError):
            return AskError(
                f"you may not ask the service on {self._control}", reason="not allowed", hint="run it with sudo"
            )
        if isinstance(error, TimeoutError):
            hint = "is the machine very busy? A restart helps if the service is stuck: systemctl restart pysmon"
            return AskError(f"the service did not answer within {self._patience:g} s", reason="no answer", hint=hint)
        cause = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
        return AskError(f"the service gave no whole answer on {self._control}: {cause}", reason="no answer")

    def _read(self, answer: bytes, kind: type[_T]) -> _T:
        try:
            return msgspec.json.decode(answer, type=kind)
        except msgspec.MsgspecError as error:
            hint = "the service may be of another release than this command: systemctl restart pysmon"
            text = f"the service on {self._control} says something that this release does not understand: {error}"
            raise AskError(text, reason="no answer", hint=hint) from error


class _Connection(http.client.HTTPConnection):
    """Python's HTTP client on a unix socket."""

    def __init__(self, control: Path, patience: float) -> None:
        super().__init__("pysmon", timeout=patience)
        self._control = control
        self._patience = patience

    def connect(self) -> None:
        until = time.monotonic() + self._patience
        while True:
            self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.sock.settimeout(self._patience)
            try:
                self.sock.connect(str(self._control))
            except BlockingIOError:  # too many wait to be served
                self.sock.close()
                if time.monotonic() >= until:
                    raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT)) from None
                time.sleep(_PAUSE)
            except BaseException:
                self.sock.close()
                raise
            else:
                return
