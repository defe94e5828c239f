"""A service of our own below a folder of its own, limited to a process tree that the test made."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pysmon.errors import PysmonError
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.service.ask import RunningService
from pysmon.service.paths import Paths
from pysmon.store.query import Query
from pysmon.store.store import Store

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0  # s


class Doer:
    """A shell that does what it is told: the root of the tree that is watched."""

    def __init__(self) -> None:
        """Start it."""
        self._shell = subprocess.Popen(
            ["/bin/sh"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        self.pid = self._shell.pid

    def do(self, command: str) -> None:
        """Run a command of the shell, and wait for its end."""
        assert self._shell.stdin
        assert self._shell.stdout
        self._shell.stdin.write(f"{command}\necho done\n")
        self._shell.stdin.flush()
        assert self._shell.stdout.readline() == "done\n"

    def end(self) -> None:
        """End it."""
        self._shell.communicate(timeout=PATIENCE)


class Resident:
    """A running service, or one that has ended."""

    def __init__(self, root: Path, doer: Doer) -> None:
        """Start it."""
        self.paths = Paths.under(root)
        self.asked = RunningService(self.paths.control)
        self._errors = root / "errors"
        command = [sys.executable, "-m", "pysmon", "service", "--root", str(root), "--tree", str(doer.pid)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
        with self._errors.open("a") as errors:
            self.process = subprocess.Popen(command, stderr=errors, env=environment)

    def ready(self) -> Resident:
        """Wait until it answers."""
        self.until(self._answers, "the service does not answer")
        return self

    def until(self, holds: Callable[[], object], otherwise: str) -> None:
        """Wait until that holds; fail if it does not, or the service ends."""
        give_up = time.monotonic() + PATIENCE
        while not holds():
            assert self.process.poll() is None, f"the service ended: {self.errors()}"
            assert time.monotonic() < give_up, f"{otherwise}: {self.errors()}"
            time.sleep(0.05)

    def end(self, number: int = signal.SIGTERM) -> int:
        """Signal it, and give its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def errors(self) -> str:
        """What it said."""
        return self._errors.read_text()

    def log(self) -> list[Entry[Event]]:
        """All entries of its event log, in order."""
        if not self.paths.store.exists():
            return []
        with Store(self.paths.store) as store:
            return list(store.select(Query()))

    def told(self, error: str) -> list[str]:
        """What the events 255 of that ID say."""
        return [
            e.event.text("Description") for e in self.log() if e.event.type.id == 255 and e.event.text("ID") == error
        ]

    def commands(self) -> list[str]:
        """The command lines that were seen."""
        return [e.event.text("CommandLine") for e in self.log() if e.event.type.id == 1]

    def saw(self, command: str) -> bool:
        """Was a process with that command line seen?"""
        return command in self.commands()

    def _answers(self) -> bool:
        try:
            return self.asked.status().pid == self.process.pid
        except PysmonError:
            return False


@contextmanager
def resident(root: Path, doer: Doer) -> Iterator[Resident]:
    """A service that is ended in any case."""
    made = Resident(root, doer)
    try:
        yield made
    finally:
        if made.process.poll() is None:
            made.process.kill()
            made.process.wait(PATIENCE)
