"""The sensor on a live kernel: sets the scope, takes the snapshot, drains the rings, reads the counts."""

from __future__ import annotations

import os
import select
import socket
import struct
import threading
from collections.abc import Iterable
from contextlib import suppress
from ctypes import create_string_buffer
from dataclasses import dataclass
from heapq import merge
from typing import Protocol, Self

from pysmon.layout.record import Record
from pysmon.sensor.hooks import LIFECYCLE, Hooks
from pysmon.sensor.last_words import LastWords
from pysmon.sensor.libbpf import Map, possible_cpus
from pysmon.sensor.loader import Service, load
from pysmon.sensor.providers import ABILITIES
from pysmon.sensor.pushdown import Pushdown
from pysmon.sensor.records import ASLEEP, EAGER, FAMILIES, PATIENT, SCOPES, SETTINGS, TaskRecord, decode
from pysmon.sensor.ring import Ring
from pysmon.sensor.scope import Scope, in_pid_namespace
from pysmon.sensor.stages import Stages

PROCESS_RING_SIZE, EVENT_RING_SIZE = 1 << 22, 1 << 23  # bytes; emit.bpf.h
_BATCH = 1 << 18  # bytes of the event ring that are read at once: bounds the memory that a storm takes
_TIME = struct.Struct("<8xQ")  # where `time` stands in every record
_NUMBER, _OBJECT, _TWO_NUMBERS = struct.Struct("<I"), struct.Struct("<II"), struct.Struct("<II")
_OURSELVES_SIZE = 16  # guard.bpf.c


@dataclass(frozen=True, slots=True)
class Count:
    """Of one family: records that were due in the kernel, and those of them that never left it."""

    due: int
    lost: int  # a ring had no room
    pushed_down: int = 0  # no rule could keep them


class Source(Protocol):
    """Anything that gives records: the live kernel, or a tape."""

    def read(self) -> list[bytes]:
        """The records that came since the last call, oldest first; empty if none did."""

    def counts(self) -> dict[str, Count]:
        """By family, what was due and lost so far."""


class Sensor:
    """The kernel programs at work. Use as a context manager: programs, maps and rings go with it."""

    def __init__(
        self,
        families: Iterable[str] = FAMILIES,
        *,
        others_later: bool = True,
        by_stages: bool = False,
        types: str = "",
    ) -> None:
        """Load all programs, and attach those that tell of these families; SensorError if that is not possible.

        Watches nobody until `watch`. `others_later`: other families may be wanted later. If not, their programs are not
        even loaded: the kernel verifies each, and all together take it more than a second. `by_stages`: only what tells
        of the lives of processes is there, whatever `families` are. All else comes by `go_on`. `types` as in `load`.
        """
        self._families = LIFECYCLE if by_stages else LIFECYCLE.union(families)
        asked = tuple(a for a in ABILITIES if (others_later and not by_stages) or a.family in self._families)
        later = [a for a in ABILITIES if by_stages and a not in asked]
        loaded = load(asked, attach=self._families, types=types)
        self._object = loaded.object
        self._hooks = Hooks(loaded, self._families, later)
        self._whole = not by_stages
        self._stages: Stages | None = None
        self._guarded = self._closed = False
        self._open = threading.Lock()  # held by who must not be overtaken by `close`
        self._scope, self._namespace = Scope("nobody"), -1  # what is watched, and a descriptor of it
        self._settings = self._object.map("settings")
        self._pushing, self._spared, self._reader = (0, 0), 0, EAGER  # generation and bits; process id
        self._woken, self._waker = socket.socketpair()
        self._woken.setblocking(False)
        self._waker.setblocking(False)
        self.pushdown = Pushdown(self._object.map, self._push)
        self._tree = self._object.map("tree")
        self._counts: Map = self._object.map("counts")
        self._counted: dict[str, tuple[bytes, Count]] = {}  # as they were read last
        self._count = create_string_buffer(24 * possible_cpus())
        self._count_keys = [(family, _NUMBER.pack(i)) for i, family in enumerate(FAMILIES)]
        self._events = Ring(self._object.map("event_ring").fd, EVENT_RING_SIZE)
        self._processes = Ring(self._object.map("process_ring").fd, PROCESS_RING_SIZE)
        self._held: list[bytes] = []  # process records newer than the events that were read so far
        self._poll = select.epoll()
        self._poll.register(self._events.fd, select.EPOLLIN)
        self._poll.register(self._processes.fd, select.EPOLLIN)
        self._poll.register(self._woken, select.EPOLLIN)

    def go_on(self, families: Iterable[str]) -> None:
        """Begin, in a thread, with what a start by stages has left: first what these families need, and the guard.

        `want` them once `whole`.
        """
        self._stages = Stages(self._hooks, LIFECYCLE.union(families), self._know_new)
        self.wake_by(self._stages.fileno)

    @property
    def whole(self) -> bool:
        """Is all there that was asked for at the start? SensorError if that turns out to be impossible."""
        return self._stages.whole if self._stages else self._whole

    @property
    def loading(self) -> int | None:
        """The thread that still loads programs, as the kernel calls it."""
        return self._stages.thread if self._stages else None

    def watch(self, scope: Scope) -> None:
        """Watch this scope, and no other, from now on; nobody, if it is a PID namespace that has ended."""
        self._settings.update(struct.pack("<I", 0), bytes(SETTINGS.size))
        self._let_go()
        if scope.namespace:
            self._namespace = scope.hold()
            scope = scope if self._namespace >= 0 else Scope("nobody")
        self._tree.clear(4)
        if scope.tree:
            self._tree.update(_NUMBER.pack(self.number_of(scope.tree)), b"\1")
        self._scope = scope
        self._set()

    @property
    def services(self) -> tuple[Service, ...]:
        """What serves each ability, whether it is asked for now or not."""
        return self._hooks.services

    def prepare(self, families: Iterable[str]) -> list[Service]:
        """Attach what these families need, so that `want` with the same changes over without a gap. From any thread.

        Returns the services that turn out not to work after all.
        """
        if self._stages:
            self._stages.wait()
        with self._open:
            if self._closed:
                return []
            failed = self._hooks.prepare(LIFECYCLE.union(families))
            if self._guarded:
                self._know_ourselves()
        return failed

    def watch_library(self, path: str) -> None:
        """Tell also of names that are looked up in this C library. From any thread."""
        with self._open:
            if not self._closed:
                self._hooks.watch_library(path)
                if self._guarded:
                    self._know_ourselves()

    def want(self, families: Iterable[str]) -> None:
        """Tell of these families from now on; whom to watch stays as it is, and nothing is missed meanwhile.

        A family that is not wanted any more is silent at once; its hooks are let go in the background.
        """
        self._families = LIFECYCLE.union(families)
        self._set()
        self._hooks.settle(self._families)

    def include(self, pid: int) -> int:
        """Watch this process too, and what it starts, if the scope is a process tree. Returns its number in records.

        All that it does goes up.
        """
        number = self.number_of(pid)
        if self._scope.tree:
            self._tree.update(_NUMBER.pack(number), b"\1")
        self._spared = number
        self._set()
        return number

    def number_of(self, pid: int) -> int:
        """What the kernel, and so every record, calls the process that this one calls `pid`.

        It is another number inside of a PID namespace. Of a process that is not there any more `pid` itself.
        """
        return self.numbers().get(pid, pid)

    def numbers(self) -> dict[int, int]:
        """By what this process calls them, the kernel's numbers of all that it sees; nothing if they are the same."""
        if not in_pid_namespace():
            return {}
        return dict(_TWO_NUMBERS.iter_unpack(self._object.iterate("on_number")))

    def _push(self, generation: int, how: int) -> None:
        self._pushing = (generation, how)
        self._set()

    def _set(self) -> None:
        scope = self._scope
        settings = SETTINGS.pack(
            SCOPES.index(scope.kind),
            scope.namespace,
            scope.cgroup,
            scope.cgroup_level,
            sum(1 << FAMILIES.index(f) for f in self._families),
            *self._pushing,
            self._spared,
            self._reader,
        )
        self._settings.update(struct.pack("<I", 0), settings)

    @property
    def patient(self) -> bool:
        """Whether records wait for the reader to come by itself; then the kernel wakes it only if many do."""
        return self._reader != EAGER

    @patient.setter
    def patient(self, value: bool) -> None:
        if value != self.patient:
            self._reader = PATIENT if value else EAGER
            self._set()

    @property
    def asleep(self) -> bool:
        """Whether the kernel was asked to wake a patient reader by the next record."""
        return self._reader == ASLEEP

    @asleep.setter
    def asleep(self, value: bool) -> None:
        """Lie down only when the rings are empty. A record that is on its way at that moment may wake nobody: look once
        more after a while, before sleeping long. Waking up needs no word: the kernel knows by the record.
        """
        before, self._reader = self._reader, ASLEEP if value else PATIENT
        if value and before != ASLEEP:
            self._set()

    def snapshot(self) -> list[TaskRecord]:
        """The processes of the scope (and this one) as they are now, without texts: the host adds those."""
        data = self._object.iterate("on_task")
        size = TaskRecord.layout.head.size
        return [TaskRecord.decode(data, at) for at in range(0, len(data), size)]

    def guard(self) -> int:
        """Tell, whatever the scope, who reaches for this process or for the sensor's kernel objects, from now on.

        Returns the number of this process as the kernel counts, which inside a PID namespace is not `os.getpid()`.
        SensorError if the kernel does not tell it.
        """
        self._hooks.always("guard")
        self._guarded = True
        self._know_ourselves()
        (tgid,) = _NUMBER.unpack(self._object.iterate("on_ourselves"))
        return int(tgid)

    def _know_new(self) -> None:
        if self._guarded:
            self._know_ourselves()

    def _know_ourselves(self) -> None:
        ours = self._object.map("our_objects")
        for kind, number in self.objects():
            ours.update(_OBJECT.pack(kind, number), b"\1")

    def objects(self) -> list[tuple[int, int]]:
        """All that the sensor has in the kernel: the kind (PROGRAM, MAP, LINK of records.py) and the id of each."""
        return list(self._object.ids())

    def verified(self) -> dict[str, int]:
        """By program that is loaded, the instructions that the kernel's verifier walked; 0 where it does not tell."""
        return self._object.verified()

    def unguard(self) -> None:
        """Tell of it no longer."""
        self._object.map("ourselves").update(_NUMBER.pack(0), bytes(_OURSELVES_SIZE))

    @property
    def last_words(self) -> LastWords:
        """The newest records of `guard` once more, in a map that may outlive this process."""
        return LastWords(self._object.map("last_words").fd)

    def read(self) -> list[bytes]:
        """Records from the rings in the order of their times: all, or some 2,000 if there are more."""
        # The event ring first: whatever process an event speaks of is then in the process ring, or was.
        events = self._events.drain(_BATCH)
        processes = self._held + self._processes.drain()
        ready, self._held = in_order(events, processes, more=self._events.more)
        return ready

    @property
    def behind(self) -> bool:
        """Did the last `read` leave records in the rings?"""
        return self._events.more

    def wait(self, seconds: float) -> bool:
        """Sleep until the kernel says that there are records, at most so long; True if it did."""
        ready = self._poll.poll(seconds)
        if any(file == self._woken.fileno() for file, _ in ready):
            self._woken.recv(_BATCH)
        return bool(ready)

    def wake(self) -> None:
        """Let `wait` end, now or the next time. From any thread, or a signal handler; nothing once it is closed."""
        with suppress(OSError):  # it is full, which wakes as well, or closed
            self._waker.send(b"!")

    def wake_by(self, *files: int) -> None:
        """Let `wait` end also when one of these can be read; -1 stands for nothing."""
        for file in files:
            if file >= 0:
                self._poll.register(file, select.EPOLLIN)

    def counts(self) -> dict[str, Count]:
        """By family, what was due and lost so far, over all CPUs."""
        known, place = self._counted, self._count
        for family, key in self._count_keys:
            raw = place.raw if self._counts.lookup_into(key, place) else bytes(len(place))
            if family not in known or known[family][0] != raw:
                known[family] = (raw, Count(*map(sum, zip(*struct.iter_unpack("<QQQ", raw), strict=True))))
        return {family: count for family, (_, count) in known.items()}

    def reports(self) -> list[str]:
        """What cannot be seen, in words, beside what `services` say: nothing."""
        return []

    def _let_go(self) -> None:
        if self._namespace >= 0:
            os.close(self._namespace)
            self._namespace = -1

    def close(self) -> None:
        """Stop watching and leave nothing behind. A second call does nothing."""
        with self._open:
            if self._closed:
                return
            self._closed = True
        if self._stages:
            self._stages.close()
        self._settings.update(struct.pack("<I", 0), bytes(SETTINGS.size))
        self._let_go()
        self._hooks.close()
        self._poll.close()
        self._waker.close()
        self._woken.close()
        self._events.close()
        self._processes.close()
        self._object.close()

    def __enter__(self) -> Self:
        """Nothing to do: the programs are attached."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()


def in_order(events: list[bytes], processes: list[bytes], *, more: bool) -> tuple[list[bytes], list[bytes]]:
    """The records of both rings by time, and the process records that must wait for events left in their ring (`more`).

    Those are the ones newer than the last event that was read: what happened before them is still to come.
    """
    if not events or not processes:
        return events or processes, []
    held: list[bytes] = []
    if more:
        last = _time_of(events[-1])
        held = [p for p in processes if _time_of(p) > last]
        processes = [p for p in processes if _time_of(p) <= last]
    return list(merge(processes, events, key=_time_of)), held


def records(data: Iterable[bytes]) -> Iterable[Record]:
    """Decode, one by one."""
    return map(decode, data)


def _time_of(data: bytes) -> int:
    return int(_TIME.unpack_from(data)[0])
