"""A process that does what it is told, one deed a line: for tests that need the same process for long."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from types import TracebackType
from typing import Self

_CODE = """
import os, socket, subprocess, sys
tcp = socket.create_server(("127.0.0.1", 0))
port = tcp.getsockname()[1]
print(port, flush=True)
def connect(_):
    with socket.create_connection(("127.0.0.1", port)):
        tcp.accept()[0].close()
late, waiting = socket.create_server(("127.0.0.1", 0), backlog=0), []
late.settimeout(10)
def begin(_):
    for _ in range(2):  # the second finds no room, and asks again after a second
        waiting.append(socket.socket())
        waiting[-1].setblocking(False)
        waiting[-1].connect_ex(late.getsockname())
def end(_):
    for _ in waiting:
        late.accept()[0].close()
def create(path):
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
def run(program):
    return lambda path: subprocess.run([program, path], check=True)
deeds = {"create": create, "delete": os.unlink, "connect": connect, "begin": begin, "end": end}
deeds |= {"touch": run("/usr/bin/touch"), "rm": run("/bin/rm")}
for line in sys.stdin:
    for deed in line.split():
        name, _, path = deed.partition(":")
        try:
            deeds[name](path)
        except (OSError, subprocess.CalledProcessError):
            pass
    print("done", flush=True)
"""


class Doer:
    """The process. `pid` is its own, `port` is where it listens and connects to."""

    def __init__(self) -> None:
        """Start it; it does nothing until it is told."""
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _CODE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.pid = self._process.pid
        self.port = int(self._read())

    def do(self, deeds: Iterable[str]) -> None:
        """Do these (`create:/a`, `delete:/a`, `touch:/a`, `rm:/a`, `connect:`) and wait. One that fails is no error.

        `begin:` begins two connections, of which one gets its answer not before `end:` accepts both.
        """
        assert self._process.stdin
        self._process.stdin.write(" ".join(deeds) + "\n")
        self._process.stdin.flush()
        assert self._read() == "done"

    def _read(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().strip()

    def __enter__(self) -> Self:
        """It runs already."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()
