"""Makes processes of our own do things under the eyes of the sensor, and gives what it saw beside what they know.

Whatever is done is done in a PID namespace of its own, and nothing outside it is watched. /proc stays the machine's,
so that the processes inside can tell what the sensor must know of them: `host_pid()` is one's number outside.
"""

from __future__ import annotations

import ctypes
import os
import pickle
import signal
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pysmon.assemble.builder import Builder
from pysmon.assemble.enrich import Enricher
from pysmon.assemble.provenance import Provenance
from pysmon.config.read import read_configuration
from pysmon.host.hashes import Hashes
from pysmon.host.machine import clock_offset, this_machine
from pysmon.host.packages import Packages
from pysmon.host.symbols import Symbols
from pysmon.host.users import Users
from pysmon.layout.record import Record
from pysmon.pipeline.accounting import FamilyCount
from pysmon.pipeline.flow import Flow
from pysmon.pipeline.snapshot import with_texts
from pysmon.rules.ruleset import Ruleset
from pysmon.schema.event import Event
from pysmon.sensor.kernel import Count, Sensor
from pysmon.sensor.records import FAMILIES, ForkRecord, decode
from pysmon.sensor.scope import Scope

E = TypeVar("E", bound=Event)
R = TypeVar("R", bound=Record)
T = TypeVar("T")
Act = Callable[[], object]

TAGS = (
    *("ProcessCreate", "ProcessTerminate", "NetworkConnect", "FileCreate", "FileDelete", "FileDeleteDetected"),
    *("FileCreateTime", "ProcessAccess", "RawAccessRead", "ProcessTampering", "eBPFEvent"),
    *("RegistryEvent", "FileCreateStreamHash", "DnsQuery", "CreateRemoteThread", "PipeEvent"),
    *("DriverLoad", "ImageLoad"),
)
EVERYTHING = (
    '<Sysmon schemaversion="4.90"><EventFiltering>'
    + "".join(f'<{tag} onmatch="exclude"/>' for tag in TAGS)
    + "</EventFiltering></Sysmon>"
)
PATIENCE = 300  # s, after which an act is taken to hang
SETTLE = 0.03  # s: a kernel program that is at work when the scope changes has ended by then
CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWNET = 0x20000, 0x20000000, 0x40000000
_MS_REC_PRIVATE, _MS_BIND = 0x44000, 0x1000


@dataclass(frozen=True)
class Provoked:
    """What the sensor saw, and `truth`: what the process that was watched returned."""

    records: list[Record]
    events: list[Event]  # that the configuration keeps
    families: dict[str, FamilyCount]
    truth: Any
    pid: int  # of the first process, as the machine counts

    def of(self, kind: type[E]) -> list[E]:
        """The events of one type, in their order."""
        return [e for e in self.events if isinstance(e, kind)]

    def records_of(self, kind: type[R]) -> list[R]:
        """The records of one class, in their order."""
        return [r for r in self.records if isinstance(r, kind)]


class Stage:
    """Where things are provoked: one loaded sensor, that watches one namespace after the other."""

    def __init__(self, sensor: Sensor) -> None:
        """Take a sensor that watches nobody."""
        self.sensor = sensor

    def __call__(
        self,
        act: Act,
        configuration: str = EVERYTHING,
        *,
        before: Act | None = None,
        beside: Act | None = None,
        scope: Callable[[int], Scope] = Scope.of_pid_namespace,
        read: bool = True,
        may_lose: bool = False,
    ) -> Provoked:
        """Run `act` in a process of a new PID namespace, and watch it; its result must be something to pickle.

        `before` is done in the same process before anybody watches; `beside` by ourselves, outside its namespace, once
        somebody watches; `scope` is given the number of that process. `read`: read the rings while it runs. Fails if
        the books are not exact, or, unless it `may_lose`, if a record was lost.
        """
        flow = new_flow(configuration)
        counted = self.sensor.counts()
        held = Held(act, before)
        raw: list[bytes] = []
        self.sensor.watch(scope(held.pid))
        try:
            for task in with_texts(self.sensor.snapshot()):
                flow.learn(task)
            if beside:
                beside()
            held.release()
            give_up = time.monotonic() + PATIENCE
            while not held.finished() and time.monotonic() < give_up:
                raw += self.sensor.read() if read else []
                time.sleep(0.005)
        finally:
            held.end()
            self.sensor.watch(Scope("nobody"))
        time.sleep(SETTLE)
        while more := self.sensor.read():
            raw += more
        records = [decode(each) for each in raw]
        events = [event for record in records for event in flow.take(record)]
        events += flow.overdue(0, last=True)
        counts = difference(counted, self.sensor.counts())
        seen = Provoked(records, events, flow.accounting.families(counts), held.answer(), held.pid)
        check_books(seen, counts, may_lose=may_lose)
        return seen


def new_flow(configuration: str) -> Flow:
    """A flow as a live run has it, for a configuration as text."""
    reading = read_configuration(configuration.encode(), "test.xml")
    assert reading.configuration is not None, reading.problems
    ruleset, users = Ruleset.compile(reading.configuration), Users()
    builder = Builder(this_machine(), users, clock_offset=clock_offset())
    hashes, symbols = Hashes(("SHA256",)), Symbols()
    provenance = Provenance(hashes, Packages())
    enricher = Enricher(builder.processes, users, hashes, reads=ruleset.reads, symbols=symbols, provenance=provenance)
    return Flow(ruleset, builder, enricher)


def difference(before: dict[str, Count], after: dict[str, Count]) -> dict[str, Count]:
    return {f: Count(after[f].due - before[f].due, after[f].lost - before[f].lost) for f in after}


def check_books(seen: Provoked, counts: dict[str, Count], *, may_lose: bool) -> None:
    """Every record that the kernel had to send is in our hands or was counted as lost, by family."""
    in_hand = {family: sum(r.layout.family == family for r in seen.records) for family in FAMILIES}
    assert in_hand == {family: count.due - count.lost for family, count in counts.items()}
    assert all(count.exact for count in seen.families.values()), seen.families
    assert may_lose or not any(count.lost for count in counts.values()), counts
    assert len(seen.records_of(ForkRecord)) == in_hand["fork"]
    silent = {name for event in seen.events for name in unexplained(event)}
    assert not silent, silent


def unexplained(event: Event) -> list[str]:
    """Its fields that are `-`, or nothing, although their words do not say when that is so."""
    texts = zip(event.type.fields, event.texts(), strict=True)
    return [f"{event.type.id} {f.name}" for f, text in texts if text in ("", "-") and "`-`" not in f.doc]


class Held:
    """A process in a PID namespace of its own that waits for `release` and then does its act."""

    def __init__(self, act: Act, before: Act | None = None) -> None:
        """Fork twice: the first makes the namespace, the second is its first process."""
        told, tell = os.pipe()
        self._answer, answer = os.pipe()
        gate, self._gate = os.pipe()
        self._outer = os.fork()
        if self._outer == 0:
            os.close(self._gate)
            _outer(act, before, gate, tell, answer)
        for fd in (gate, tell, answer):
            os.close(fd)
        self._heard = b""
        self._ended = False
        self.pid = int(os.read(told, 20) or b"0")  # as the machine counts
        os.close(told)
        assert self.pid, "the process that makes the namespace has failed"
        os.set_blocking(self._answer, False)

    def release(self) -> None:
        os.write(self._gate, b"\n")

    def finished(self) -> bool:
        """Has it said what it had to say, and gone, and all of its namespace with it?"""
        try:
            while part := os.read(self._answer, 1 << 16):
                self._heard += part
        except BlockingIOError:
            return False
        return True

    def end(self) -> None:
        """Let it go and wait until it has."""
        if not self._ended:
            self._ended = True
            os.close(self._gate)
            if not self.finished():
                os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self._outer, 0)
            os.close(self._answer)

    def answer(self) -> Any:
        """What its act returned; fails if that raised."""
        assert self._heard, "the process was killed before it could answer"
        failure, value = pickle.loads(self._heard)
        assert not failure, failure
        return value


def _outer(act: Act, before: Act | None, gate: int, tell: int, answer: int) -> None:
    try:
        call("unshare", CLONE_NEWPID)
        inner = os.fork()
        if inner == 0:
            _inner(act, before, gate, tell, answer)
        os.close(tell)
        os.close(gate)
        os.waitpid(inner, 0)  # all of the namespace has ended then
    finally:
        os._exit(0)


def _inner(act: Act, before: Act | None, gate: int, tell: int, answer: int) -> None:
    result: tuple[str, object] = ("it was never released", None)
    try:
        if before:
            before()
        os.write(tell, b"%d" % host_pid())
        os.close(tell)
        if os.read(gate, 1):
            result = ("", act())
    except BaseException:
        result = (traceback.format_exc(), None)
    finally:
        with os.fdopen(answer, "wb") as out:
            pickle.dump(result, out)
        os._exit(0)


# ---- what acts are made of


def call(name: str, *arguments: object) -> int:
    """A function of the C library that Python does not have; OSError if it fails."""
    libc = ctypes.CDLL(None, use_errno=True)
    result = int(getattr(libc, name)(*arguments))
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), name)
    return result


def host_pid() -> int:
    """The number of this process outside its namespace."""
    return int(os.readlink("/proc/self"))


def run(*command: str | bytes, **options: Any) -> int:
    """Run a program to its end by posix_spawn; its exit status, negative for a signal."""
    pid = os.posix_spawn(command[0], command, options.get("env", os.environ))
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def forked(act: Callable[[], object]) -> int:
    """Do something in a child process; its number in its namespace, once it has ended."""
    pid = os.fork()
    if pid == 0:
        try:
            act()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(99)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) != 99
    return pid


def apart(act: Callable[[], T]) -> T:
    """What `act` returns in a process of its own, which it may change as it likes."""
    output, end = os.pipe()
    pid = os.fork()
    if pid == 0:
        answer: tuple[str, T | None] = ("it ended", None)
        try:
            answer = ("", act())
        except BaseException:
            answer = (traceback.format_exc(), None)
        finally:
            with os.fdopen(end, "wb") as out:
                pickle.dump(answer, out)
            os._exit(0)
    os.close(end)
    with os.fdopen(output, "rb") as told:
        failure, value = pickle.load(told)
    os.waitpid(pid, 0)
    assert not failure, failure
    result: T = value
    return result


def own_mounts() -> None:
    """Give this process a mount namespace of its own; nothing that is mounted in it is seen outside."""
    call("unshare", CLONE_NEWNS)
    call("mount", b"none", b"/", None, ctypes.c_ulong(_MS_REC_PRIVATE), None)


def mount(source: str, target: str, kind: str) -> None:
    call("mount", os.fsencode(source), os.fsencode(target), kind.encode(), ctypes.c_ulong(0), None)


def bind(source: str, target: str) -> None:
    call("mount", os.fsencode(source), os.fsencode(target), None, ctypes.c_ulong(_MS_BIND), None)


def error_of(function: Callable[..., object], *arguments: object) -> int | None:
    """The number of the error that a call fails with; None if it succeeds."""
    try:
        function(*arguments)
    except OSError as error:
        return error.errno
    return None


# ---- what is read of events


def one(found: Sequence[T]) -> T:
    """The only one."""
    assert len(found) == 1, found
    return found[0]


def whole(event: Event) -> dict[str, str]:
    """All fields, by their names."""
    return dict(zip((f.name for f in event.type.fields), event.texts(), strict=True))


def extra(event: Event) -> Mapping[str, Any]:
    """What the event tells besides its fields."""
    return event.extra or {}


def hook(stage: Stage, ability: str) -> str:
    """Which kind of hook serves that ability here."""
    return {s.ability.name: s.provider.hook for s in stage.sensor.services if s.provider}[ability]


def sees_objects(stage: Stage, ability: str) -> bool:
    """Does the sensor see the kernel's own objects there, or only what system calls were given?"""
    return hook(stage, ability) in ("fentry", "fexit")
