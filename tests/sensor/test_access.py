"""Access to another process as debuggers have it: each way is told, with what was granted, and nothing else is."""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.sensor.nobody import become_nobody
from tests.sensor.provoke import CLONE_NEWPID, PATIENCE, Stage, apart, call, error_of, extra, host_pid, one, run
from tests.sensor.test_guard import PTRACE_SEIZE, REACHED, READV, TEXT, WRITEV, descriptor, reach, seize

from pysmon.host.symbols import Symbols
from pysmon.schema.catalogue import ProcessAccess, ProcessTerminate
from pysmon.sensor.records import FAMILIES, AccessRecord

pytestmark = pytest.mark.vm

PTRACE_TRACEME, PTRACE_ATTACH, PTRACE_DETACH = 0, 16, 17
PYTHON = os.path.realpath(sys.executable)
ONLY_READING = """<Sysmon schemaversion="4.90"><EventFiltering><ProcessAccess onmatch="include">
<GrantedAccess condition="is">0x1010</GrantedAccess></ProcessAccess></EventFiltering></Sysmon>"""


def opened(flags: int, process: object = "self") -> None:
    os.close(os.open(f"/proc/{process}/mem", flags))


WAYS: dict[str, tuple[Callable[[int], object], str]] = {
    "ptrace": (seize, "0x1c3a"),
    "process_vm_readv": (lambda pid: reach(READV, pid), "0x1010"),
    "process_vm_writev": (lambda pid: reach(WRITEV, pid), "0x1028"),
    "pidfd_getfd": (descriptor, "0x1040"),
}
OPENED = {"read": (os.O_RDONLY, "0x1010"), "write": (os.O_WRONLY, "0x1028"), "both": (os.O_RDWR, "0x1038")}


class neighbour:  # noqa: N801 - used as a context, like a function
    """A child that waits; gives its number here and outside."""

    def __enter__(self) -> tuple[int, int]:
        told, tell = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            os.write(tell, b"%d" % host_pid())
            time.sleep(PATIENCE)
            os._exit(1)
        outside = int(os.read(told, 20))
        os.close(told)
        os.close(tell)
        return self._pid, outside

    def __exit__(self, *_: object) -> None:
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)


def with_neighbour(act: Callable[[int], object], *, outside: bool = False) -> Callable[[], int]:
    """Do it to a neighbour, called by its number here, or by the one `outside`, which /proc shows."""

    def both() -> int:
        with neighbour() as numbers:
            act(numbers[outside])
        return numbers[1]

    return both


@pytest.mark.parametrize("way", WAYS)
def test_access_to_another_process_is_told(provoke: Stage, way: str) -> None:
    act, mask = WAYS[way]
    seen = provoke(with_neighbour(act))
    event = one(seen.of(ProcessAccess))
    ends = {e.ProcessId: e for e in seen.of(ProcessTerminate)}
    assert (event.SourceProcessId, event.SourceThreadId) == (seen.pid, seen.pid)
    assert (event.TargetProcessId, event.GrantedAccess) == (seen.truth, mask)
    assert event.SourceProcessGUID == ends[seen.pid].ProcessGuid
    assert event.TargetProcessGUID == ends[seen.truth].ProcessGuid != event.SourceProcessGUID
    assert (event.SourceImage, event.TargetImage) == (PYTHON, PYTHON)
    assert (event.SourceUser, event.TargetUser) == ("root", "root")
    assert event.RuleName == "-"
    assert event.UtcTime <= ends[seen.truth].UtcTime
    assert extra(event)["Access"] == way


FUNCTIONS = {
    "ptrace": "ptrace",
    "process_vm_readv": "syscall",
    "process_vm_writev": "syscall",
    "pidfd_getfd": "syscall",
}


@pytest.mark.parametrize("way", WAYS)
def test_the_call_trace_begins_in_the_function_that_called(provoke: Stage, way: str) -> None:
    act, _ = WAYS[way]
    first = one(provoke(with_neighbour(act)).of(ProcessAccess)).CallTrace.split("|")[0]
    module, _, offset = first.rpartition("+")
    found = os.stat(module)
    symbol = Symbols().at(module, device=0, inode=found.st_ino, offset=int(offset, 16))
    assert symbol.text.startswith(f"{FUNCTIONS[way]}+")


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="code of x86-64")
def test_code_of_no_file_is_in_the_call_trace_with_who_called_it(provoke: Stage) -> None:
    """process_vm_readv made by code that stands in anonymous memory and keeps a frame pointer."""
    code = mmap.mmap(-1, mmap.PAGESIZE, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(bytes.fromhex("55 4889e5 4989ca b836010000 0f05 5d c3"))
    place = ctypes.addressof(ctypes.c_char.from_buffer(code))
    function = ctypes.CFUNCTYPE(ctypes.c_long, *[ctypes.c_void_p] * 6)(place)

    def read(pid: int) -> None:
        span = (ctypes.c_void_p * 2)(ctypes.addressof(TEXT), len(TEXT))
        assert function(pid, ctypes.addressof(span), 1, ctypes.addressof(span), 1, 0) == len(TEXT)

    trace = one(provoke(with_neighbour(read)).of(ProcessAccess)).CallTrace.split("|")
    assert trace[0] == f"UNKNOWN({place + 14:016X})"
    assert "/libffi" in trace[1]


@pytest.mark.parametrize("how", OPENED)
def test_opening_memory_tells_what_for(provoke: Stage, how: str) -> None:
    flags, mask = OPENED[how]
    seen = provoke(with_neighbour(lambda pid: opened(flags, pid), outside=True))
    event = one(seen.of(ProcessAccess))
    assert (event.TargetProcessId, event.GrantedAccess) == (seen.truth, mask)
    assert extra(event)["Access"] == "/proc/PID/mem"


def test_the_target_is_told_by_the_kernel_with_its_user(provoke: Stage) -> None:
    def act() -> int:
        here, there = os.pipe()
        pid = os.fork()
        if pid == 0:
            become_nobody()
            os.write(there, b"x")
            time.sleep(PATIENCE)
        os.read(here, 1)
        seize(pid)
        os.kill(pid, signal.SIGKILL)
        return pid

    record = one(provoke(act).records_of(AccessRecord))
    assert (record.uid, record.target_uid) == (0, 65534)
    assert record.target_image.startswith(os.path.basename(PYTHON).encode() + b"\0")
    assert record.target_start > record.start


def test_a_debugger_of_a_short_life_is_told(provoke: Stage) -> None:
    """Neither process is there any more when the record is read."""

    def act() -> int:
        def debug() -> int:
            with neighbour() as (pid, _):
                call("ptrace", PTRACE_ATTACH, pid, None, None)
                os.waitpid(pid, 0)
                call("ptrace", PTRACE_DETACH, pid, None, None)
            return host_pid()

        return apart(debug)

    seen = provoke(act, read=False)
    event = one(seen.of(ProcessAccess))
    assert (event.SourceProcessId, event.GrantedAccess) == (seen.truth, "0x1c3a")


@pytest.mark.parametrize("way", ["ptrace", "process_vm_readv", "process_vm_writev"])
def test_a_thread_stands_for_its_process(provoke: Stage, way: str) -> None:
    act, _ = WAYS[way]

    def both() -> tuple[int, int]:
        told, tell = os.pipe()
        pid = os.fork()
        if pid == 0:
            thread = threading.Thread(target=time.sleep, args=(PATIENCE,))
            thread.start()
            os.write(tell, b"%d %d" % (thread.native_id or 0, host_pid()))
            thread.join()
        number, outside = map(int, os.read(told, 40).split())
        acting: list[int] = []

        def from_thread() -> None:
            act(number)
            acting.append(int(os.readlink("/proc/thread-self").rpartition("/")[2]))

        worker = threading.Thread(target=from_thread)
        worker.start()
        worker.join()
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        return acting[0], outside

    seen = provoke(both)
    event = one(seen.of(ProcessAccess))
    assert (event.SourceThreadId, event.TargetProcessId) == seen.truth
    assert event.SourceProcessId == seen.pid != event.SourceThreadId


def test_reading_again_and_again_is_told_once_for_each_pair_of_programs(provoke: Stage) -> None:
    def act() -> None:
        with neighbour() as (one_pid, _), neighbour() as (other, _):
            for _ in range(20):
                reach(READV, one_pid)
                reach(WRITEV, one_pid)
            reach(READV, other)

    seen = provoke(act)
    assert [e.GrantedAccess for e in seen.of(ProcessAccess)] == ["0x1010", "0x1028", "0x1010"]
    assert seen.families["process access"].seen == 3


def test_attaching_is_told_each_time(provoke: Stage) -> None:
    def act(pid: int) -> None:
        for _ in range(3):
            call("ptrace", PTRACE_SEIZE, pid, None, None)
            call("ptrace", 0x4207, pid, None, None)  # PTRACE_INTERRUPT
            os.waitpid(pid, 0x40000000)  # __WALL
            call("ptrace", PTRACE_DETACH, pid, None, None)

    assert [e.GrantedAccess for e in provoke(with_neighbour(act)).of(ProcessAccess)] == ["0x1c3a"] * 3


def test_inside_another_pid_namespace_the_target_is_the_right_one(provoke: Stage) -> None:
    """The same number is another process there than here."""

    def act() -> int:
        def first() -> int:
            call("unshare", CLONE_NEWPID)
            return apart(with_neighbour(lambda pid: [act(pid) for act, _ in WAYS.values()]))

        return apart(first)

    seen = provoke(act)
    assert {e.TargetProcessId for e in seen.of(ProcessAccess)} == {seen.truth}
    assert len(seen.of(ProcessAccess)) == len(WAYS)


@pytest.mark.parametrize("way", REACHED)
def test_reaching_into_oneself_is_not_told(provoke: Stage, way: str) -> None:
    act, _ = WAYS[way]

    def myself() -> None:
        if way == "ptrace":
            assert error_of(act, os.getpid()) == errno.EPERM
        else:
            act(os.getpid())
        opened(os.O_RDWR)

    assert provoke(myself).of(ProcessAccess) == []


def test_what_everybody_may_know_of_another_process_is_not_told(provoke: Stage) -> None:
    def act(pid: int) -> None:
        for name in ("status", "stat", "cmdline", "maps", "environ", "limits", "stack"):
            Path(f"/proc/{pid}/{name}").read_bytes()
        os.readlink(f"/proc/{pid}/exe")
        os.listdir(f"/proc/{pid}/fd")

    assert provoke(with_neighbour(act, outside=True)).of(ProcessAccess) == []


def test_a_file_that_is_called_so_is_no_memory(provoke: Stage, tmp_path: Path) -> None:
    (tmp_path / "mem").touch()
    (tmp_path / "memory").touch()

    def act() -> None:
        for name in ("mem", "memory"):
            (tmp_path / name).read_bytes()
        Path("/proc/meminfo").read_bytes()

    assert provoke(act).of(ProcessAccess) == []


@pytest.mark.parametrize("way", WAYS)
def test_access_that_is_refused_is_not_told(provoke: Stage, way: str) -> None:
    act, _ = WAYS[way]

    def in_vain(pid: int) -> None:
        def as_nobody() -> None:
            become_nobody()
            assert error_of(act, pid) == errno.EPERM
            assert error_of(opened, os.O_RDONLY, 1) == errno.EACCES

        apart(as_nobody)

    assert provoke(with_neighbour(in_vain)).of(ProcessAccess) == []


def test_a_child_that_asks_to_be_traced_is_not_told(provoke: Stage) -> None:
    def act() -> None:
        pid = os.fork()
        if pid == 0:
            call("ptrace", PTRACE_TRACEME, 0, None, None)
            os._exit(0)
        os.waitpid(pid, 0)

    assert provoke(act).of(ProcessAccess) == []


def test_rules_filter_it(provoke: Stage) -> None:
    def act(pid: int) -> None:
        for way, _ in WAYS.values():
            way(pid)

    seen = provoke(with_neighbour(act), ONLY_READING)
    assert one(seen.of(ProcessAccess)).GrantedAccess == "0x1010"
    count = seen.families["process access"]
    assert (count.seen, count.kept, count.filtered, count.lost) == (len(WAYS), 1, len(WAYS) - 1, 0)


def test_nothing_is_made_where_no_rule_can_keep_it(provoke: Stage) -> None:
    provoke.sensor.want({"file create"})
    try:
        seen = provoke(with_neighbour(lambda pid: [act(pid) for act, _ in WAYS.values()]))
    finally:
        provoke.sensor.want(FAMILIES)
    assert seen.families["process access"].seen == 0


def test_a_program_of_another_image_is_named(provoke: Stage) -> None:
    def act() -> int:
        pid = os.posix_spawn("/bin/sleep", ("sleep", str(PATIENCE)), os.environ)
        seize(pid)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        return run("/bin/true")

    event = one(provoke(act).of(ProcessAccess))
    assert event.TargetImage == os.path.realpath("/bin/sleep")
