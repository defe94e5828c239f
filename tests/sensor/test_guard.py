"""Who reaches for the sensor's own process, or for its objects in the kernel: told in any scope."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from tests.sensor.nobody import become_nobody
from tests.sensor.provoke import CLONE_NEWPID, SETTLE, Stage, apart, call, error_of, forked, hook, host_pid, one

from pysmon.layout.record import Record
from pysmon.sensor.kernel import Sensor
from pysmon.sensor.last_words import LastWords
from pysmon.sensor.loader import load
from pysmon.sensor.providers import ABILITIES, Ability, Provider
from pysmon.sensor.records import (
    BPF,
    LINK,
    MAP,
    OPEN_MEMORY,
    PROGRAM,
    READ,
    SIGNAL,
    TAKE_DESCRIPTOR,
    TRACE,
    WRITE,
    GuardRecord,
    decode,
    kernel_path,
)

pytestmark = pytest.mark.vm

T = TypeVar("T")

PTRACE_SEIZE, PTRACE_ATTACH, PTRACE_DETACH = 0x4206, 16, 17
X86 = os.uname().machine == "x86_64"
BPF_CALL, READV, WRITEV = (321, 310, 311) if X86 else (280, 270, 271)
PIDFD_GETFD = 438
MAP_CREATE, INFO_BY_FD, BY_ID = 0, 15, {PROGRAM: 13, MAP: 14, LINK: 30}
US = os.getpid()


@pytest.fixture
def guarded(kernel: Sensor) -> Iterator[Sensor]:
    """The sensor of these tests, which guards this process."""
    kernel.guard()
    try:
        yield kernel
    finally:
        kernel.unguard()
        list(rest(kernel))


def rest(sensor: Sensor) -> Iterator[Record]:
    time.sleep(SETTLE)
    while more := sensor.read():
        yield from map(decode, more)


def told(sensor: Sensor, act: Callable[[], object], *, pid: list[int] | None = None) -> list[GuardRecord]:
    """What the sensor tells while a child of ours does something; every record that was due is there."""
    before = sensor.counts()["guard"]
    child = forked(act)
    if pid is not None:
        pid.append(child)
    found = list(rest(sensor))
    after = sensor.counts()["guard"]
    guard = [r for r in found if isinstance(r, GuardRecord)]
    assert len(guard) == len(found) == after.due - before.due
    assert after.lost == before.lost
    return guard


# ---- signals


def by_pidfd(number: int) -> None:
    signal.pidfd_send_signal(os.pidfd_open(US), number)


def by_queue(number: int) -> None:
    call("sigqueue", US, number, None)


SENT: dict[str, Callable[[int], object]] = {
    "kill": lambda number: os.kill(US, number),
    "thread": lambda number: call("tgkill", US, US, number),
    "pidfd": by_pidfd,
    "queue": by_queue,
}


@pytest.mark.parametrize("way", SENT)
def test_a_signal_of_another_process_is_told(guarded: Sensor, way: str) -> None:
    pid: list[int] = []
    record = one(told(guarded, lambda: SENT[way](signal.SIGURG), pid=pid))
    assert (record.deed, record.number, record.uid) == (SIGNAL, signal.SIGURG, 0)
    assert [record.tgid] == pid
    assert (record.parent_tgid, record.object) == (US, 0)
    assert kernel_path(record.image) == kernel_path(record.parent_image) == os.path.realpath(sys.executable)
    assert record.code in (0, 2**32 - 1, 2**32 - 6)  # SI_USER, SI_QUEUE, SI_TKILL


def test_a_signal_that_ends_a_program_is_told(guarded: Sensor) -> None:
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        assert one(told(guarded, lambda: os.kill(US, signal.SIGTERM))).number == signal.SIGTERM
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_signal_to_one_of_its_threads_is_told(guarded: Sensor) -> None:
    with another_thread() as thread:
        assert one(told(guarded, lambda: call("tgkill", US, thread, signal.SIGURG))).number == signal.SIGURG


class another_thread:  # noqa: N801 - used as a context, like a function
    """A thread of ours that waits; gives its number."""

    def __enter__(self) -> int:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._over.wait)
        self._thread.start()
        assert self._thread.native_id
        return self._thread.native_id

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


def test_what_is_no_signal_to_us_is_not_told(guarded: Sensor) -> None:
    def act() -> None:
        os.kill(US, 0)
        os.kill(os.getpid(), signal.SIGURG)
        pid = os.fork()
        if pid == 0:
            time.sleep(PATIENCE)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        become_nobody()
        assert error_of(os.kill, US, signal.SIGURG)

    assert told(guarded, act) == []


PATIENCE = 60


def test_our_own_signals_are_not_told(guarded: Sensor) -> None:
    def act() -> None:
        """Ends, which sends SIGCHLD; meanwhile a timer of its parent runs off."""
        time.sleep(0.05)

    heard: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, _: heard.append(number))
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    try:
        assert told(guarded, act) == []
    finally:
        signal.signal(signal.SIGALRM, before)
    os.kill(US, signal.SIGURG)
    assert list(rest(guarded)) == []
    assert heard == [signal.SIGALRM]


def test_nothing_is_told_unless_it_is_guarded(kernel: Sensor) -> None:
    assert told(kernel, lambda: os.kill(US, signal.SIGURG)) == []
    kernel.guard()
    kernel.unguard()
    assert told(kernel, lambda: os.kill(US, signal.SIGURG)) == []


# ---- objects in the kernel


def bpf(command: int, attributes: bytes) -> int:
    return call("syscall", BPF_CALL, command, attributes, len(attributes))


def handle(kind: int, number: int) -> int:
    return bpf(BY_ID[kind], struct.pack("<I", number) + bytes(12))


@pytest.mark.parametrize("kind", BY_ID, ids=["program", "map", "link"])
def test_a_handle_on_any_object_of_the_sensor_is_told(guarded: Sensor, kind: int) -> None:
    ours = [number for k, number in guarded.objects() if k == kind]
    assert len(ours) > 5

    def act() -> None:
        for number in ours:
            handle(kind, number)

    found = told(guarded, act)
    assert [r.object for r in found] == ours
    assert {(r.deed, r.number, r.code) for r in found} == {(BPF, BY_ID[kind], kind)}


def test_handles_on_other_objects_and_our_own_are_not_told(guarded: Sensor) -> None:
    def act() -> None:
        fd = bpf(MAP_CREATE, struct.pack("<IIII", 2, 4, 4, 1) + bytes(56))
        info = ctypes.create_string_buffer(8)
        bpf(INFO_BY_FD, struct.pack("<IIQ", fd, len(info), ctypes.addressof(info)))
        handle(MAP, struct.unpack_from("<4xI", info)[0])

    assert told(guarded, act) == []
    os.close(handle(*guarded.objects()[0]))
    assert list(rest(guarded)) == []


def test_all_that_is_loaded_is_known(guarded: Sensor) -> None:
    found = guarded.objects()
    assert len(found) == len(set(found))
    programs = {p for s in guarded.services if s.provider for p in s.provider.programs}
    assert 0 < sum(kind == PROGRAM for kind, _ in found) <= len(programs)
    assert sum(kind == MAP for kind, _ in found) > 10
    assert {kind for kind, _ in found} == {PROGRAM, MAP, LINK}


# ---- memory


class Span(ctypes.Structure):
    _fields_ = (("begin", ctypes.c_void_p), ("size", ctypes.c_size_t))


TEXT = ctypes.create_string_buffer(8)  # at the same place in a child


def reach(number: int, pid: int) -> None:
    span = Span(ctypes.addressof(TEXT), len(TEXT))
    call("syscall", number, pid, ctypes.byref(span), 1, ctypes.byref(span), 1, ctypes.c_ulong(0))


def seize(pid: int) -> None:
    call("ptrace", PTRACE_SEIZE, pid, None, None)
    # It is let go when the tracer ends.


def descriptor(pid: int) -> None:
    call("syscall", PIDFD_GETFD, os.pidfd_open(pid), 1, 0)


REACHED = {
    "ptrace": (seize, TRACE),
    "process_vm_readv": (lambda pid: reach(READV, pid), READ),
    "process_vm_writev": (lambda pid: reach(WRITEV, pid), WRITE),
    "pidfd_getfd": (descriptor, TAKE_DESCRIPTOR),
}


@pytest.mark.parametrize("way", REACHED)
def test_reaching_into_the_process_is_told(guarded: Sensor, way: str) -> None:
    act, deed = REACHED[way]
    pid: list[int] = []
    record = one(told(guarded, lambda: act(US), pid=pid))
    assert (record.deed, [record.tgid], record.parent_tgid) == (deed, pid, US)


@pytest.mark.parametrize("way", [w for w in REACHED if w != "pidfd_getfd"])
def test_reaching_into_it_by_one_of_its_threads_is_told(guarded: Sensor, way: str) -> None:
    act, deed = REACHED[way]
    with another_thread() as thread:
        assert one(told(guarded, lambda: act(thread))).deed == deed


def test_a_debugger_that_stops_it_is_told_with_its_signal(guarded: Sensor) -> None:
    def act() -> None:
        call("ptrace", PTRACE_ATTACH, US, None, None)
        os.waitpid(US, 0)
        call("ptrace", PTRACE_DETACH, US, None, None)

    found = told(guarded, act)
    assert {(r.deed, r.number) for r in found if r.deed == SIGNAL} == {(SIGNAL, signal.SIGSTOP)}
    assert one([r for r in found if r.deed != SIGNAL]).deed == TRACE


def test_opening_its_memory_is_told(guarded: Sensor) -> None:
    if hook(Stage(guarded), "own memory") != "fexit":
        pytest.skip("the kernel has no hook for it that costs little")
    assert one(told(guarded, lambda: os.open(f"/proc/{US}/mem", os.O_RDWR))).deed == OPEN_MEMORY


@pytest.mark.parametrize("way", REACHED)
def test_reaching_into_another_process_is_not_told(guarded: Sensor, way: str) -> None:
    act, _ = REACHED[way]

    def in_vain() -> None:
        pid = os.fork()
        if pid == 0:
            time.sleep(PATIENCE)
        act(pid)
        os.kill(pid, signal.SIGKILL)

    assert told(guarded, in_vain) == []


def test_looking_at_it_as_everybody_may_is_not_told(guarded: Sensor) -> None:
    def act() -> None:
        for name in ("status", "stat", "cmdline", "maps", "environ", "limits"):
            Path(f"/proc/{US}/{name}").read_bytes()
        os.readlink(f"/proc/{US}/exe")
        os.listdir(f"/proc/{US}/fd")

    assert told(guarded, act) == []


# ---- inside a PID namespace


def inside(act: Callable[[], T]) -> T:
    """What `act` returns as the second process of a PID namespace."""

    def first() -> T:
        call("unshare", CLONE_NEWPID)
        return apart(lambda: apart(act))

    return apart(first)


def test_inside_a_pid_namespace_the_sensor_knows_who_it_is(kernel: Sensor) -> None:
    def act() -> dict[str, object]:
        with Sensor() as sensor:
            pid = os.getpid()
            number = sensor.guard()

            def deeds() -> None:
                os.kill(pid, signal.SIGURG)
                reach(READV, pid)
                seize(pid)
                descriptor(pid)

            found = told(sensor, deeds)
            return {
                "here": pid != host_pid() == number,
                "shown": [r.tgid for r in sensor.snapshot()] == [number],
                "deeds": [r.deed for r in found],
                "made by": {r.parent_tgid for r in found} == {number},
            }

    deeds = [SIGNAL, READ, TRACE, TAKE_DESCRIPTOR]
    assert inside(act) == {"here": True, "shown": True, "deeds": deeds, "made by": True}


def test_outside_of_it_the_snapshot_shows_this_process(kernel: Sensor) -> None:
    assert [r.tgid for r in kernel.snapshot()] == [US]
    assert kernel.guard() == US
    kernel.unguard()


# ---- providers, and what outlives the process


WAYS = [(a, p) for a in ABILITIES if a.family == "guard" for p in a.providers]


@pytest.mark.parametrize(("ability", "provider"), WAYS, ids=lambda x: x.hook if isinstance(x, Provider) else x.name)
def test_the_kernel_takes_every_provider_that_its_kind_allows(
    kernel: Sensor, ability: Ability, provider: Provider
) -> None:
    if provider.hook in ("fentry", "fexit") and hook(Stage(kernel), "own memory") != "fexit":
        pytest.skip("the kernel allows no fentry and no fexit")
    only = Ability(ability.name, ability.family, (provider,))
    loaded = load((ABILITIES[0], only))
    loaded.object.close()
    assert loaded.services[1].provider == provider, loaded.services[1]


def test_who_killed_the_sensor_can_be_read_when_it_is_gone(kernel: Sensor) -> None:
    here, there = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        try:
            sensor = Sensor()
            sensor.guard()
            socket.send_fds(there, [b"x"], [sensor.last_words.fd])
            time.sleep(PATIENCE)
        finally:
            os._exit(1)
    there.close()
    _, fds, _, _ = socket.recv_fds(here, 1, 1)
    words = LastWords(fds[0])
    assert words.read() == []
    os.kill(pid, signal.SIGURG)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    first, last = words.read()
    assert [(r.deed, r.number, r.tgid) for r in (first, last)] == [(SIGNAL, n, US) for n in (signal.SIGURG, 9)]
    assert kernel_path(last.image) == os.path.realpath(sys.executable)
    words.forget(first.time)
    assert words.read() == [last]
    os.close(fds[0])
    here.close()


def test_only_the_newest_words_are_kept(guarded: Sensor) -> None:
    before = guarded.last_words.read()

    def act() -> None:
        for _ in range(11):
            os.kill(US, signal.SIGURG)

    found = told(guarded, act)
    assert len(found) == 11
    assert [r for r in guarded.last_words.read() if r not in before] == found[-8:]
