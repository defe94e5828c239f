"""A process that changes what it runs: it passes for another file, makes its code writable, maps something over it."""

from __future__ import annotations

import ctypes
import mmap
import os
import shutil
import signal
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.sensor.provoke import Stage, call, extra, forked, host_pid, one, run

from pysmon.schema.catalogue import ProcessTampering, ProcessTerminate
from pysmon.sensor.capabilities import effective
from pysmon.sensor.memory_records import TamperRecord
from pysmon.sensor.records import FAMILIES

pytestmark = pytest.mark.vm

TRUE = os.path.realpath("/bin/true")
PYTHON = os.path.realpath(sys.executable)
LIBC = ctypes.CDLL(None, use_errno=True)
CODE = ctypes.cast(LIBC.getppid, ctypes.c_void_p).value or 0
PAGE = mmap.PAGESIZE
HERE = CODE & -PAGE
READ, WRITE, EXECUTE = mmap.PROT_READ, mmap.PROT_WRITE, mmap.PROT_EXEC
ALL = READ | WRITE | EXECUTE
MAP_FIXED, MREMAP_MAYMOVE, MREMAP_FIXED = 0x10, 1, 2
PR_SET_MM, EXE_FILE, MAP, PR_SET_NAME = 35, 13, 14, 15
KEPT: list[object] = []  # buffers that machine code refers to
X86 = os.uname().machine == "x86_64"
on_x86 = pytest.mark.skipif(not X86, reason="code of x86-64")
ONLY_WRITABLE = """<Sysmon schemaversion="4.90"><EventFiltering><ProcessTampering onmatch="include">
<Type condition="is">Code is made writable</Type></ProcessTampering></EventFiltering></Sysmon>"""


def protect(address: int, size: int, rights: int) -> None:
    call("mprotect", ctypes.c_void_p(address), ctypes.c_size_t(size), rights)


def regions(name: str) -> list[tuple[int, int, str]]:
    """Begin, end and rights of what this process has mapped of a file."""
    found = []
    for line in Path("/proc/self/maps").read_text().splitlines():
        place, rights, *rest = line.split(None, 5)
        if rest[-1].endswith(name):
            begin, _, end = place.partition("-")
            found.append((int(begin, 16), int(end, 16), rights))
    return found


def told_by_child(act: Callable[[], object]) -> Callable[[], int]:
    """Do it in a child; its number outside."""

    def both() -> int:
        told, tell = os.pipe()

        def child() -> None:
            os.write(tell, b"%d" % host_pid())
            act()

        forked(child)
        return int(os.read(told, 20))

    return both


def unlock() -> None:
    protect(HERE, PAGE, ALL)


def unlock_all_of_the_file() -> None:
    """Beginning with the header, which is no code."""
    libc = regions("/libc.so.6")
    first = libc[0]
    code = next(r for r in libc if r[2] == "r-xp")
    assert first[2] == "r--p"
    protect(first[0], code[1] - first[0], READ | WRITE | EXECUTE)


@pytest.mark.parametrize("act", [unlock, unlock_all_of_the_file])
def test_code_that_is_made_writable_is_told(provoke: Stage, act: Callable[[], None]) -> None:
    seen = provoke(told_by_child(act))
    event = one(seen.of(ProcessTampering))
    ends = {e.ProcessId: e for e in seen.of(ProcessTerminate)}
    assert (event.ProcessId, event.ProcessGuid) == (seen.truth, ends[seen.truth].ProcessGuid)
    assert (event.Image, event.Type, event.User, event.RuleName) == (PYTHON, "Code is made writable", "root", "-")
    assert event.UtcTime <= ends[seen.truth].UtcTime
    told = extra(event)
    assert (told["Tampering"], told["RegionRights"]) == ("mprotect", "rwxp")
    assert os.path.basename(told["Module"]).startswith("libc")
    if act is unlock:
        assert (told["Address"], told["Bytes"]) == (f"0x{HERE:016X}", PAGE)


def test_code_that_is_made_writable_page_by_page_is_told_once(provoke: Stage) -> None:
    def act() -> None:
        for i in range(100):
            protect(HERE + i * PAGE, PAGE, ALL)

    seen = provoke(act)
    one(seen.of(ProcessTampering))
    assert seen.families["tampering"].seen == 1


def test_what_programs_do_with_their_memory_is_not_told(provoke: Stage, tmp_path: Path) -> None:
    shutil.copy(TRUE, tmp_path / "true")

    def act() -> None:
        room = mmap.mmap(-1, PAGE, flags=mmap.MAP_PRIVATE, prot=READ | EXECUTE)  # as compilers at run time do
        protect(HERE, PAGE, READ | EXECUTE)
        with open(tmp_path / "true", "r+b") as file:
            data = mmap.mmap(file.fileno(), PAGE, flags=mmap.MAP_PRIVATE, prot=READ | WRITE)
            for rights in (READ, READ | WRITE, READ | EXECUTE):
                protect(ctypes.addressof(ctypes.c_char.from_buffer(data)), PAGE, rights)
            mmap.mmap(file.fileno(), PAGE, prot=ALL)
        LIBC.prctl(PR_SET_NAME, b"other", 0, 0, 0)
        run(TRUE)
        room.close()
        subprocess.run([sys.executable, "-c", "import ssl, threading"], check=True)

    assert provoke(act).of(ProcessTampering) == []


def test_what_fails_is_not_told(provoke: Stage) -> None:
    def act() -> None:
        code = next(r for r in regions("/libc.so.6") if r[2] == "r-xp")
        assert LIBC.mprotect(ctypes.c_void_p(code[0] + 1), ctypes.c_size_t(PAGE), ALL) == -1
        assert LIBC.prctl(PR_SET_MM, EXE_FILE, ctypes.c_long(99), 0, 0) == -1

    assert provoke(act).of(ProcessTampering) == []


def machine_code(*calls: tuple[int, ...]) -> bytes:
    """System calls one after another, then exit with the status 7; x86-64."""
    moves = (
        b"\x48\xbf",
        b"\x48\xbe",
        b"\x48\xba",
        b"\x49\xba",
        b"\x49\xb8",
        b"\x49\xb9",
    )  # to rdi, rsi, rdx, r10, r8, r9
    code = b""
    for number, *arguments in (*calls, (231, 7)):
        for move, value in zip(moves, [*arguments, *[0] * (6 - len(arguments))], strict=True):
            code += move + struct.pack("<q", value)
        code += b"\x48\xb8" + struct.pack("<q", number) + b"\x0f\x05"
    return code


def become(*calls: tuple[int, ...]) -> None:
    """Run machine code in place of this process's own."""
    room = mmap.mmap(-1, PAGE, flags=mmap.MAP_PRIVATE, prot=ALL)
    room.write(machine_code(*calls))
    place = ctypes.addressof(ctypes.c_char.from_buffer(room))
    ctypes.CFUNCTYPE(None)(place)()


def own_program() -> tuple[int, int]:
    """Begin and length of the code of the program that runs."""
    begin, end, _ = next(r for r in regions(PYTHON) if "x" in r[2])
    return begin, end - begin


def map_over() -> None:
    begin, size = own_program()
    become((9, begin, size, READ | WRITE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_FIXED, -1, 0))


def move_over() -> None:
    begin, size = own_program()
    other = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE, prot=ALL)
    place = ctypes.addressof(ctypes.c_char.from_buffer(other))
    become((25, place, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, begin))


@on_x86
@pytest.mark.parametrize("act", [map_over, move_over])
def test_a_program_that_is_mapped_over_is_told(provoke: Stage, act: Callable[[], None]) -> None:
    seen = provoke(told_by_child(act))
    event = one(seen.of(ProcessTampering))
    assert (event.ProcessId, event.Image, event.Type) == (seen.truth, PYTHON, "Image is replaced")
    begin, size = own_program()
    told = extra(event)
    assert (told["Tampering"], told["Address"], told["Bytes"]) == ("mmap", f"0x{begin:016X}", size)
    assert told["Module"] == "-"


def alone(file: int) -> tuple[int, ...]:
    return EXE_FILE, file


def with_the_map(file: int) -> tuple[int, ...]:
    """All of struct prctl_mm_map (linux/prctl.h) as it is, but for the file."""
    stat = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    code, code_end, stack, data, data_end, heap, *arguments = (int(stat[i - 3]) for i in (26, 27, 28, *range(45, 52)))
    brk = LIBC.sbrk
    brk.restype = ctypes.c_void_p
    end = brk(0)
    words = struct.pack("<11Q", code, code_end, data, data_end, heap, end, stack, *arguments)
    made = ctypes.create_string_buffer(words + struct.pack("<QIi", 0, 0, file))
    KEPT.append(made)
    return MAP, ctypes.addressof(made), 104


@on_x86
@pytest.mark.parametrize("how", [alone, with_the_map])
def test_a_process_that_passes_for_another_file_is_told(provoke: Stage, how: Callable[[int], tuple[int, ...]]) -> None:
    if how is alone and "CAP_SYS_RESOURCE" not in effective():
        pytest.skip("no CAP_SYS_RESOURCE here, which this way needs")

    def act() -> None:
        file = os.open(TRUE, os.O_RDONLY)
        given = how(file)
        unmapped = [(11, begin, end - begin) for begin, end, _ in regions(PYTHON)]
        become(*unmapped, (157, PR_SET_MM, *given))

    event = one(provoke(told_by_child(act)).of(ProcessTampering))
    assert (event.Image, event.Type) == (PYTHON, "Image is replaced")
    assert (extra(event)["Tampering"], extra(event)["Module"]) == ("PR_SET_MM_EXE_FILE", TRUE)
    assert "Address" not in extra(event)


@on_x86
def test_rules_filter_it(provoke: Stage) -> None:
    def act() -> None:
        forked(unlock)
        pid = os.fork()
        if pid == 0:
            map_over()
            os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) in (7, -signal.SIGSEGV)

    seen = provoke(act, ONLY_WRITABLE)
    assert extra(one(seen.of(ProcessTampering)))["Tampering"] == "mprotect"
    count = seen.families["tampering"]
    assert (count.seen, count.kept, count.filtered, count.lost) == (2, 1, 1, 0)


def test_nothing_is_made_where_no_rule_can_keep_it(provoke: Stage) -> None:
    provoke.sensor.want({"file create"})
    try:
        seen = provoke(unlock)
    finally:
        provoke.sensor.want(FAMILIES)
    assert seen.records_of(TamperRecord) == []
