"""What a run has in place of the kernel's sensor: a process that traces one command, and the records that it sends."""

from __future__ import annotations

import ctypes
import os
import select
import shutil
import signal
import struct
import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress

from pysmon.errors import MisuseError, SensorError
from pysmon.layout.record import Record
from pysmon.sensor.kernel import Count
from pysmon.sensor.last_words import LastWords
from pysmon.sensor.loader import Service
from pysmon.sensor.providers import ABILITIES, Provider
from pysmon.sensor.pushdown import Approval
from pysmon.sensor.records import FAMILIES, TaskRecord, family_of
from pysmon.sensor.scope import Scope
from pysmon.tracer.calls import ARCHITECTURES, Call, calls
from pysmon.tracer.processes import process, task
from pysmon.tracer.seccomp import install, program
from pysmon.tracer.tree import Tree

SEEN = frozenset(  # abilities, by name
    (
        *("processes", "running processes", "TCP connected", "TCP accepted", "UDP sent"),
        *("DNS messages", "DNS messages from no fixed peer, or many at once"),
        *("files created", "files renamed", "files linked", "symbolic links made", "files deleted"),
    )
)
_HOOK = "ptrace"
_SIZE = struct.Struct("<4xI")  # where its size stands in every record
_NOT_RUN, _KILLED = 127, 128 + signal.SIGKILL  # what shells report
_SET_NAME = 15  # linux/prctl.h
_YAMA = "it needs ptrace(2): kernel.yama.ptrace_scope of at most 1, and no filter of the container against it"


class NoPushdown:
    """Nothing is dropped before it is a record."""

    def suspend(self) -> None:
        """Nothing is to be suspended."""

    def renew(self, approvals: Mapping[str, Approval]) -> None:
        """Rules are asked later."""

    def answer(
        self,
        image: str,
        uid: int,
        families: Collection[str],
        process: tuple[int, int, int],
        within: Collection[str],
        brief: bool,
    ) -> None:
        """Nobody has asked."""


class TracedCommand:
    """Sensor and command in one: what a Session needs of both. The command is held until `release`."""

    def __init__(self, command: Sequence[str], families: Collection[str] = FAMILIES) -> None:
        """Start the tracer; MisuseError if there is no such program, SensorError if tracing is not allowed.

        The command is not held up at calls that only other families of records than these need.
        """
        if not command or shutil.which(command[0]) is None:
            raise MisuseError(f"no such command: {command[0] if command else ''!r}")
        if os.uname().machine not in ARCHITECTURES:
            raise SensorError(f"programs of {os.uname().machine} cannot be traced yet")
        self._records, records = os.pipe()
        self._told, tell = os.pipe()
        gate, self._gate = os.pipe()
        between = os.fork()
        if between == 0:
            for file in (self._records, self._told, self._gate):
                os.close(file)
            _start(command, calls(families=families), gate, records, tell)
        for file in (records, tell, gate):
            os.close(file)
        os.waitpid(between, 0)  # the tracer is its child: nobody has to wait for that
        self.status: int | None = None
        self._unread, self._done = b"", False
        self._heard, self._unseen = b"", list[str]()
        self._counts: Counter[str] = Counter()
        self._poll = select.epoll()
        self.pushdown = NoPushdown()
        self.patient = self.asleep = False  # it changes nothing here: the reader is never asked to wait
        self._tracer, self.pid = self._begin()
        os.set_blocking(self._records, False)
        os.set_blocking(self._told, False)
        self._poll.register(self._records, select.EPOLLIN)
        self.services = tuple(
            Service(a, Provider(_HOOK, ()), ()) if a.name in SEEN else Service(a, None, ("not seen by tracing",))
            for a in ABILITIES
        )

    def _begin(self) -> tuple[int, int]:
        kind, *words = os.read(self._told, 4096).decode("utf-8", "replace").split() or [""]
        if kind == "pid":
            return int(words[0]), int(words[1])
        self.close()
        raise SensorError(f"the command cannot be traced: {' '.join(words) or 'the tracer failed'}", hint=_YAMA)

    def release(self) -> None:
        """Let the command run."""
        with suppress(BrokenPipeError):
            os.write(self._gate, b"\n")
        os.close(self._gate)
        self._gate = -1

    def poll(self) -> bool:
        """Has the command ended?"""
        self._listen()
        return self.status is not None

    def reports(self) -> list[str]:
        """What cannot be seen, in words: each once."""
        self._listen()
        found, self._unseen = self._unseen, []
        return found

    def _listen(self) -> None:
        """Take what the tracer says: `end` and a status of wait(2), or `unseen` and what it cannot see."""
        if self.status is not None or self._told < 0:
            return
        with suppress(BlockingIOError):
            while self.status is None:
                said = os.read(self._told, 4096)
                self._heard += said
                *lines, self._heard = self._heard.split(b"\n")
                for kind, _, words in (line.partition(b" ") for line in lines):
                    if kind == b"unseen":
                        self._unseen.append(words.decode("utf-8", "replace"))
                    elif kind == b"end":
                        code = os.waitstatus_to_exitcode(int(words))
                        self.status = code if code >= 0 else 128 - code
                if not said and self.status is None:
                    self.status = _KILLED

    def stop(self) -> None:
        """Ask it to end, if it still runs; one that was never released is gone at once."""
        if self._gate >= 0:
            os.close(self._gate)
            self._gate = -1
        elif not self.poll():
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGTERM)

    def wake(self) -> None:
        """Nobody sleeps long."""

    def watch(self, scope: Scope) -> None:
        """It watches its command, and nothing else."""

    def want(self, families: Iterable[str]) -> None:
        """Which records are told does not depend on what is wanted."""

    def prepare(self, _families: Iterable[str]) -> list[Service]:
        """There is nothing to prepare."""
        return []

    def guard(self) -> int:
        """SensorError: who may not load kernel programs cannot be guarded by one."""
        raise SensorError("only the kernel's sensor can tell who reaches for it")

    def unguard(self) -> None:
        """There is nothing to end."""

    @property
    def last_words(self) -> LastWords:
        """SensorError, as for `guard`."""
        raise SensorError("only the kernel's sensor leaves last words")

    def watch_library(self, path: str) -> None:
        """Libraries are not watched."""

    def include(self, pid: int) -> None:
        """No other process can be watched."""

    def numbers(self) -> dict[int, int]:
        """Processes by their numbers here, with those of the kernel where they are others: /proc tells ours."""
        return {}

    def snapshot(self) -> list[TaskRecord]:
        """The tracer, which is the parent of the command."""
        found = process(self._tracer)
        return [task(found)] if found else []

    def wait(self, seconds: float) -> bool:
        """Sleep until there are records, at most so long; True if there are."""
        if self._done:
            time.sleep(min(seconds, 0.01))
            return True
        return bool(self._poll.poll(seconds))

    def wake_by(self, *files: int) -> None:
        """Let `wait` end also when one of these can be read; -1 stands for nothing."""
        for file in files:
            if file >= 0:
                self._poll.register(file, select.EPOLLIN)

    @property
    def behind(self) -> bool:
        """Did the last `read` leave whole records? Never: it takes all."""
        return False

    def read(self) -> list[bytes]:
        """The records that came."""
        with suppress(BlockingIOError):
            while not self._done:
                data = os.read(self._records, 1 << 16)
                self._done = not data
                self._unread += data
        if self._done:
            with suppress(OSError, ValueError):
                self._poll.unregister(self._records)
        found, at = [], 0
        while at + _SIZE.size <= len(self._unread):
            (size,) = _SIZE.unpack_from(self._unread, at)
            if at + size > len(self._unread):
                break
            found.append(self._unread[at : at + size])
            at += size
        self._unread = self._unread[at:]
        self._counts.update(map(family_of, found))
        return found

    def counts(self) -> dict[str, Count]:
        """All that came was read, and nothing is ever lost: who is traced waits."""
        return {family: Count(self._counts[family], 0) for family in FAMILIES}

    def close(self) -> None:
        """Read no more. What the command left running goes on, and the tracer with it, since it could not without."""
        for file in (self._records, self._told, self._gate):
            if file >= 0:
                os.close(file)
        self._records = self._told = self._gate = -1
        self._poll.close()


def _start(command: Sequence[str], wanted: dict[int, Call], gate: int, records: int, tell: int) -> None:
    """In a child: start the tracer, and end. Never returns."""
    if os.fork():
        os._exit(0)
    try:
        pid = os.fork()
        if pid == 0:
            _become(command, wanted, gate)
        _trace(pid, wanted, gate, records, tell)
    finally:
        os._exit(1)


def _become(command: Sequence[str], wanted: dict[int, Call], gate: int) -> None:
    """In the command's process: wait for the gate, then be the command. Never returns."""
    try:
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        if os.read(gate, 1):
            install(program(wanted.values(), os.uname().machine))
            os.execvp(command[0], list(command))  # noqa: S606 - to run the user's command is the purpose
    except (OSError, SensorError) as error:
        os.write(2, f"pysmon: cannot run {command[0]}: {error}\n".encode())
    finally:
        os._exit(_NOT_RUN)


def _trace(pid: int, wanted: dict[int, Call], gate: int, records: int, tell: int) -> None:
    """In the tracer's process: follow the command to its end, and all that it started to theirs. Never returns."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):  # Ctrl-C is for the command
        signal.signal(number, signal.SIG_IGN)
    ctypes.CDLL(None).prctl(_SET_NAME, b"pysmon tracer", 0, 0, 0)
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nothing, standard)
    os.close(gate)
    tree = Tree(wanted, _Out(records).put, lambda words: _say(tell, f"unseen {words}\n".encode()))
    try:
        tree.seize(pid)
        os.write(tell, b"pid %d %d\n" % (os.getpid(), pid))
        tree.run(lambda status: _say(tell, b"end %d\n" % status))
        os._exit(0)
    except OSError as error:
        os.kill(pid, signal.SIGKILL)
        _say(tell, f"error {error.strerror}\n".encode())


def _say(tell: int, words: bytes) -> None:
    with suppress(BrokenPipeError):
        os.write(tell, words)


class _Out:
    """Where records go, until nobody reads them any more."""

    def __init__(self, file: int) -> None:
        self._file, self._read = file, True

    def put(self, record: Record) -> None:
        data = record.encode()
        try:
            while data and self._read:
                data = data[os.write(self._file, data) :]
        except BrokenPipeError:
            self._read = False
