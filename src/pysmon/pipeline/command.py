"""A command that is started but held until somebody watches it: not even its first instruction is missed."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress

from pysmon.errors import MisuseError

_NOT_RUN = 127  # what shells report for a command that could not be started


class HeldCommand:
    """A child process that runs a command once it is released. It has our standard input, output and error."""

    def __init__(self, command: Sequence[str], *, fork: Callable[[], int] = os.fork) -> None:
        """Fork; MisuseError if there is no such program, OSError if the machine has no room for a process."""
        if not command or shutil.which(command[0]) is None:
            named = command[0] if command else ""
            raise MisuseError(f"no such command: {named!r}", hint="a program by its path, or one that PATH leads to")
        gate, self._gate = os.pipe()
        self.status: int | None = None  # exit status once it ended: 128 + signal if that ended it, as in shells
        try:
            self.pid = fork()
        except OSError:
            os.close(gate)
            os.close(self._gate)
            raise
        if self.pid == 0:
            _become(command, gate, self._gate)
        os.close(gate)

    def release(self) -> None:
        """Let it run, unless somebody has killed it meanwhile: `poll` tells."""
        with suppress(BrokenPipeError):
            os.write(self._gate, b"\n")
        os.close(self._gate)
        self._gate = -1

    def poll(self) -> bool:
        """Has it ended?"""
        if self.status is None and os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
            self.status = code if code >= 0 else 128 - code
        return self.status is not None

    def stop(self) -> None:
        """Ask it to end, if it still runs; a command that was never released is gone at once."""
        if self._gate >= 0:
            os.close(self._gate)
            self._gate = -1
            if not self.poll():
                os.kill(self.pid, signal.SIGKILL)  # it is we until it is released
                os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
                self.poll()
                self.poll()
        elif not self.poll():
            os.kill(self.pid, signal.SIGTERM)


def _become(command: Sequence[str], gate: int, other_end: int) -> None:
    """In the child: wait for the gate, then be the command. Never returns."""
    try:
        os.close(other_end)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, programs expect it
        if os.read(gate, 1):
            os.execvp(command[0], list(command))  # noqa: S606 - to run the user's command is the purpose
    except OSError as error:
        os.write(2, f"pysmon: cannot run {command[0]}: {error.strerror}\n".encode())
    finally:
        os._exit(_NOT_RUN)
