"""Writing into another process: every way is told, with the place it was written to; storms are told once."""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from tests.sensor.nobody import become_nobody
from tests.sensor.provoke import PATIENCE, Stage, apart, call, error_of, extra, host_pid, one

from pysmon.schema.catalogue import CreateRemoteThread, ProcessTerminate
from pysmon.sensor.memory_records import InjectionRecord
from pysmon.sensor.records import FAMILIES

pytestmark = pytest.mark.vm

PYTHON = os.path.realpath(sys.executable)
PTRACE_PEEKTEXT, PTRACE_POKETEXT, PTRACE_POKEDATA, PTRACE_POKEUSR, PTRACE_CONT = 1, 4, 5, 6, 7
PTRACE_GETREGSET, PTRACE_SETREGSET, PTRACE_ATTACH, PTRACE_DETACH = 0x4204, 0x4205, 16, 17
NT_PRSTATUS = 1
ROOM = (ctypes.c_ubyte * 4096).from_buffer(bytearray(4096))  # data, at the same address in a child
HERE = ctypes.addressof(ROOM)
LIBC = ctypes.CDLL(None, use_errno=True)
CODE = ctypes.cast(LIBC.getppid, ctypes.c_void_p).value or 0  # the beginning of a function
WORD = ctypes.sizeof(ctypes.c_long)
X86 = os.uname().machine == "x86_64"
POINTER = 16 if X86 else 32  # of the words of the registers, the instruction pointer
ONLY_CODE = """<Sysmon schemaversion="4.90"><EventFiltering><CreateRemoteThread onmatch="include">
<StartFunction condition="is">getppid</StartFunction></CreateRemoteThread></EventFiltering></Sysmon>"""


class Span(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("size", ctypes.c_size_t))


def ptrace(request: int, pid: int, address: int = 0, data: int = 0) -> int:
    return call("ptrace", ctypes.c_long(request), pid, ctypes.c_void_p(address), ctypes.c_void_p(data))


@contextmanager
def neighbour() -> Iterator[tuple[int, int]]:
    """A child that waits; its number here and outside."""
    told, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(tell, b"%d" % host_pid())
        time.sleep(PATIENCE)
        os._exit(1)
    try:
        yield pid, int(os.read(told, 20))
    finally:
        os.close(told)
        os.close(tell)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """A child that is debugged; let go at the end, unless it was killed."""
    ptrace(PTRACE_ATTACH, pid)
    os.waitpid(pid, 0x40000000)  # __WALL
    yield
    with suppress(ProcessLookupError):
        ptrace(PTRACE_DETACH, pid)


def registers(pid: int, request: int, words: ctypes.Array[ctypes.c_uint64]) -> None:
    span = Span(ctypes.addressof(words), ctypes.sizeof(words))
    ptrace(request, pid, NT_PRSTATUS, ctypes.addressof(span))


def poke_code(pid: int, _: int) -> None:
    with stopped(pid):
        word = int.from_bytes(ctypes.string_at(CODE, WORD), "little")
        for _ in range(20):
            ptrace(PTRACE_POKETEXT, pid, CODE, word)


def poke_data(pid: int, _: int) -> None:
    with stopped(pid):
        ptrace(PTRACE_POKEDATA, pid, HERE, 1)


def set_registers(pid: int, _: int) -> None:
    words = (ctypes.c_uint64 * 64)()
    with stopped(pid):
        registers(pid, PTRACE_GETREGSET, words)
        words[POINTER] = CODE
        registers(pid, PTRACE_SETREGSET, words)
        os.kill(pid, signal.SIGKILL)  # it would go astray


def poke_user(pid: int, _: int) -> None:
    with stopped(pid):
        ptrace(PTRACE_POKEUSR, pid, POINTER * 8, CODE)
        os.kill(pid, signal.SIGKILL)


def written(pid: int, _: int, size: int = 8) -> None:
    ours, theirs = Span(HERE, size), Span(HERE, size)
    done = call("process_vm_writev", pid, ctypes.byref(ours), 1, ctypes.byref(theirs), 1, ctypes.c_ulong(0))
    assert done == size


def memory_written(_: int, outside: int, place: int = CODE) -> None:
    with open(f"/proc/{outside}/mem", "r+b", buffering=0) as file:
        file.seek(place)
        assert file.write(ctypes.string_at(place, 5)) == 5


def memory_written_there(_: int, outside: int) -> None:
    file = os.open(f"/proc/{outside}/mem", os.O_RDWR)
    assert os.pwrite(file, ctypes.string_at(CODE, 5), CODE) == 5


def memory_written_in_pieces(_: int, outside: int) -> None:
    file = os.open(f"/proc/{outside}/mem", os.O_RDWR)
    os.lseek(file, CODE, os.SEEK_SET)
    assert os.writev(file, [ctypes.string_at(CODE, 5)]) == 5


Way = Callable[[int, int], None]
INTO_CODE: dict[str, tuple[Way, str, int, int]] = {  # how JSON names it, bytes, times that the record counts
    "POKETEXT": (poke_code, "ptrace, memory", WORD, 1),
    "SETREGSET": (set_registers, "ptrace, registers", 0, 1),
    "write": (memory_written, "/proc/PID/mem", 5, 1),
    "pwrite": (memory_written_there, "/proc/PID/mem", 5, 1),
    "writev": (memory_written_in_pieces, "/proc/PID/mem", 5, 1),
}
if X86:
    INTO_CODE["POKEUSR"] = (poke_user, "ptrace, registers", 0, 1)
INTO_DATA: dict[str, tuple[Way, str, int]] = {
    "POKEDATA": (poke_data, "ptrace, memory", WORD),
    "process_vm_writev": (written, "process_vm_writev", 8),
}


def to_neighbour(act: Way) -> Callable[[], int]:
    def both() -> int:
        with neighbour() as numbers:
            act(*numbers)
        return numbers[1]

    return both


@pytest.mark.parametrize("way", INTO_CODE)
def test_code_of_another_process_is_told_with_its_function(provoke: Stage, way: str) -> None:
    act, name, size, times = INTO_CODE[way]
    seen = provoke(to_neighbour(act))
    event = one(seen.of(CreateRemoteThread))
    ends = {e.ProcessId: e for e in seen.of(ProcessTerminate)}
    assert (event.SourceProcessId, event.TargetProcessId, event.NewThreadId) == (seen.pid, seen.truth, seen.truth)
    assert event.SourceProcessGuid == ends[seen.pid].ProcessGuid
    assert event.TargetProcessGuid == ends[seen.truth].ProcessGuid != event.SourceProcessGuid
    assert (event.SourceImage, event.TargetImage) == (PYTHON, PYTHON)
    assert (event.SourceUser, event.TargetUser, event.RuleName) == ("root", "root", "-")
    assert (event.StartAddress, event.StartFunction) == (f"0x{CODE:016X}", "getppid")
    assert os.path.basename(event.StartModule).startswith("libc")
    assert event.UtcTime <= ends[seen.truth].UtcTime
    told = extra(event)
    assert (told["Injection"], told["Region"], told["RegionRights"]) == (name, "file", "r-xp")
    assert (told.get("Bytes", 0), told["Times"]) == (size, times)


@pytest.mark.parametrize("way", INTO_DATA)
def test_data_of_another_process_is_told_without_a_module(provoke: Stage, way: str) -> None:
    act, name, size = INTO_DATA[way]
    event = one(provoke(to_neighbour(act)).of(CreateRemoteThread))
    assert (event.StartAddress, event.StartModule, event.StartFunction) == (f"0x{HERE:016X}", "-", "-")
    told = extra(event)
    assert (told["Injection"], told["Bytes"]) == (name, size)
    assert told["Region"] in ("heap", "anonymous")
    assert str(told["RegionRights"]).startswith("rw-")


def test_a_target_of_a_short_life_has_its_module(provoke: Stage) -> None:
    """Neither process is there any more when the record is read."""

    def act() -> int:
        return apart(to_neighbour(memory_written))

    event = one(provoke(act, read=False).of(CreateRemoteThread))
    assert os.path.basename(event.StartModule).startswith("libc")
    assert (event.TargetImage, event.StartFunction) == (PYTHON, "getppid")


def test_a_debugger_that_pokes_a_thousand_times_makes_one_event(provoke: Stage) -> None:
    def storm(pid: int, _: int) -> None:
        with stopped(pid):
            for i in range(1000):
                ptrace(PTRACE_POKEDATA, pid, HERE + 8 * (i % 512), i)

    seen = provoke(to_neighbour(storm))
    assert one(seen.of(CreateRemoteThread)).StartAddress == f"0x{HERE:016X}"
    assert seen.families["injection"].seen == 1


def test_each_way_and_code_apart_from_data_is_told(provoke: Stage) -> None:
    def act(pid: int, outside: int) -> None:
        for _ in range(3):
            poke_data(pid, outside)
            poke_code(pid, outside)
            written(pid, outside)
            memory_written(pid, outside)
            memory_written(pid, outside, HERE)

    seen = provoke(to_neighbour(act))
    told = [(extra(e)["Injection"], str(extra(e)["RegionRights"])[2]) for e in seen.of(CreateRemoteThread)]
    assert told == [
        ("ptrace, memory", "-"),
        ("ptrace, memory", "x"),
        ("process_vm_writev", "-"),
        ("/proc/PID/mem", "x"),
        ("/proc/PID/mem", "-"),
    ]


def test_another_target_is_told_apart(provoke: Stage) -> None:
    def act() -> None:
        with neighbour() as one_of_them, neighbour() as other:
            for numbers in (one_of_them, other, one_of_them):
                written(*numbers)

    events = provoke(act).of(CreateRemoteThread)
    assert len({e.TargetProcessGuid for e in events}) == len(events) == 2


def test_a_debugger_that_only_looks_is_not_told(provoke: Stage) -> None:
    def look(pid: int, outside: int) -> None:
        words = (ctypes.c_uint64 * 64)()
        with stopped(pid):
            ptrace(PTRACE_PEEKTEXT, pid, CODE, HERE)
            registers(pid, PTRACE_GETREGSET, words)
            registers(pid, PTRACE_SETREGSET, words)  # as they were
        Path(f"/proc/{outside}/maps").read_bytes()
        with open(f"/proc/{outside}/mem", "rb", buffering=0) as file:
            file.seek(CODE)
            file.read(8)
        span = Span(HERE, 8)
        call("process_vm_readv", pid, ctypes.byref(span), 1, ctypes.byref(span), 1, ctypes.c_ulong(0))

    assert provoke(to_neighbour(look)).of(CreateRemoteThread) == []


def test_writing_to_oneself_is_not_told(provoke: Stage) -> None:
    def act() -> None:
        written(os.getpid(), 0)
        memory_written(0, host_pid(), HERE)
        (Path("/tmp") / f"injection-{os.getpid()}").write_bytes(b"mem")
        (Path("/tmp") / f"injection-{os.getpid()}").unlink()

    assert provoke(act).of(CreateRemoteThread) == []


def test_writing_that_is_refused_is_not_told(provoke: Stage) -> None:
    def in_vain(pid: int, _: int) -> None:
        def as_nobody() -> None:
            become_nobody()
            assert error_of(written, pid, 0) == errno.EPERM

        apart(as_nobody)
        assert error_of(ptrace, PTRACE_POKEDATA, pid, HERE) == errno.ESRCH  # it is not being debugged

    assert provoke(to_neighbour(in_vain)).of(CreateRemoteThread) == []


def test_rules_filter_it_by_the_function(provoke: Stage) -> None:
    def act(pid: int, outside: int) -> None:
        poke_data(pid, outside)
        memory_written(pid, outside)

    seen = provoke(to_neighbour(act), ONLY_CODE)
    assert extra(one(seen.of(CreateRemoteThread)))["Injection"] == "/proc/PID/mem"
    count = seen.families["injection"]
    assert (count.seen, count.kept, count.filtered, count.lost) == (2, 1, 1, 0)


def test_nothing_is_made_where_no_rule_can_keep_it(provoke: Stage) -> None:
    provoke.sensor.want({"file create"})
    try:
        seen = provoke(to_neighbour(poke_data))
    finally:
        provoke.sensor.want(FAMILIES)
    assert seen.records_of(InjectionRecord) == []
